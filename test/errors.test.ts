/** The errors DESIGN promises: typed, naming the argument and the values, with the way out, and nothing half-changed. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  cat,
  DataError,
  DisposedError,
  DTypeError,
  data,
  F,
  IndexError,
  LanegradError,
  NonFiniteError,
  nn,
  noGrad,
  OutOfMemoryError,
  ones,
  optim,
  randn,
  ShapeError,
  StateDictError,
  tensor,
  zeros,
} from "../src/index.js";
import { checkHeap } from "../src/wasm/heap.js";

function thrownBy(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

const w = tensor([1, 2], { requiresGrad: true });
const used = w.square().sum();
used.backward();
const gone = tensor([1, 2]);
gone.dispose();
const nan = new nn.Parameter(ones(1));
nan.grad = tensor([Number.NaN]);

/** What is done, the class of the error, and what its message must contain. */
const ROWS: [string, () => unknown, new (...args: any[]) => Error, (string | RegExp)[]][] = [
  [
    "inner sizes",
    () => ones(64, 784).matmul(ones(256, 784)),
    ShapeError,
    [/^matmul: \[64, 784\] × \[256, 784\]: inner sizes 784 and 256 differ/, "did you mean transpose(0, 1)"],
  ],
  ["broadcasting", () => ones(2, 3).add(ones(2, 4)), ShapeError, [/^add: \[2, 3\] and \[2, 4\]/, "sizes 3 and 4"]],
  [
    "linear",
    () => F.linear(ones(2, 3, 4), ones(5, 12)),
    ShapeError,
    [/^linear: /, "[2, 3, 4]", "[5, 12]", "flatten(1)"],
  ],
  ["linear's bias", () => F.linear(ones(2, 3), ones(5, 3), ones(4)), ShapeError, ["bias", "[4]", "[5]"]],
  ["reshape", () => ones(2, 3).reshape(4, -1), ShapeError, [/^reshape: /, "[2, 3]", "6 elements", "[4, -1]"]],
  ["expand", () => ones(2, 3).expand(4, 3), ShapeError, [/^expand: \[2, 3\] to \[4, 3\]/]],
  ["cat", () => cat([ones(2, 3), ones(2, 4)]), ShapeError, [/^cat: tensor 1 has shape \[2, 4\]/, "[2, 3]"]],
  ["item", () => ones(2, 3).item(), ShapeError, [/^item: /, "[2, 3]"]],
  ["negative size", () => zeros(2, -1), ShapeError, [/^zeros: /, "-1"]],
  ["dim out of range", () => ones(2, 3).sum(2), IndexError, [/^sum: dim 2 is out of range/, "-2 to 1"]],
  ["softmax's dim", () => ones(2, 3).softmax(-3), IndexError, ["softmax", "-3"]],
  ["an index", () => ones(3).select(0, 3), IndexError, [/^select: index 3/, "size 3"]],
  ["narrow", () => ones(3).narrow(0, 2, 2), IndexError, [/^narrow: start 2 and length 2/, "size 3"]],
  ["dtype of matmul", () => ones(2, 2).matmul(tensor([[1], [2]]).int()), DTypeError, [/^matmul: /, "int32", "float()"]],
  ["dtype that is none", () => ones(2).to("float64" as never), DTypeError, [/^to: /, "float64", "float32"]],
  [
    "integers that would need a gradient",
    () => tensor([1, 2], { dtype: "int32", requiresGrad: true }),
    AutogradError,
    ["float32", "int32"],
  ],
  [
    "target class",
    () => F.crossEntropy(randn(2, 3), tensor(Int32Array.of(0, 3))),
    IndexError,
    [/^crossEntropy: /, "3", /\b0\b/, /target/],
  ],
  [
    "target shape",
    () => F.crossEntropy(randn(2, 3), tensor(Int32Array.of(0, 1, 2))),
    ShapeError,
    [/^crossEntropy: /, "[3]", "[2, 3]"],
  ],
  ["a disposed tensor", () => gone.add(1), DisposedError, [/^tensor: /, "dispose()", "clone()"]],
  ["a disposed tensor read", () => gone.toArray(), DisposedError, ["dispose()"]],
  ["a used graph", () => used.backward(), AutogradError, ["second time", "retainGraph: true"]],
  ["no scalar", () => w.mul(2).backward(), AutogradError, ["scalar", "[2]", "mean()"]],
  ["no history", () => ones(1).backward(), AutogradError, ["does not require grad", "noGrad()"]],
  ["a leaf in place", () => w.add_(1), AutogradError, [/^add_: /, "noGrad("]],
  [
    "NaN in gradients",
    () => nn.utils.clipGradNorm_([nan], 1, { errorIfNonfinite: true }),
    NonFiniteError,
    [/^clipGradNorm_: /, "NaN", "detectAnomaly"],
  ],
  [
    "a truncated file",
    () => new data.MNIST({ images: new Uint8Array([0, 0, 8]), labels: new Uint8Array(4) } as never),
    DataError,
    [],
  ],
  [
    "state dict",
    () => new nn.Linear(2, 2).loadStateDict({}),
    StateDictError,
    [/^loadStateDict: Linear:/, "weight, bias"],
  ],
  ["learning rate", () => new optim.SGD([w], { lr: -1 }), ArgumentError, [/^SGD: lr/, "-1"]],
  ["no parameters", () => new optim.SGD([]), ArgumentError, [/^SGD: /, "empty"]],
  ["size of a layer", () => new nn.Linear(2.5, 3), ArgumentError, [/^Linear: inFeatures/, "2.5"]],
  ["probability", () => F.dropout(ones(2), 2), ArgumentError, [/^dropout: p/, "2"]],
  [
    "memory",
    () => zeros(2 ** 20, 2 ** 20),
    OutOfMemoryError,
    [/^zeros: out of memory: asked for 4194304\.0 MB/, "in use"],
  ],
  ["a promise", () => noGrad(async () => 1), TypeError, [/^noGrad: /, "synchronous"]],
  ["no tensor", () => F.relu([1, 2] as never), TypeError, [/^relu: argument 1 must be a Tensor/, "tensor(…)"]],
  ["nothing", () => F.relu(undefined as never), TypeError, [/^relu: argument 1 must be a Tensor, found undefined/]],
  ["an operand", () => ones(2).add("1" as never), TypeError, [/^add: /, "string"]],
];

describe("errors", () => {
  for (const [what, run, expected, parts] of ROWS) {
    test(what, () => {
      const error = thrownBy(run);
      expect(error).toBeInstanceOf(expected);
      if (expected !== TypeError) {
        expect(error).toBeInstanceOf(LanegradError);
        expect(error.name).toBe(expected.name);
      }
      for (const part of parts) {
        if (typeof part === "string") expect(error.message).toContain(part);
        else expect(error.message).toMatch(part);
      }
      checkHeap();
    });
  }

  test("leave the tensors they are about as they were", () => {
    expect(w.toArray()).toEqual([1, 2]);
    expect(w.grad?.toArray()).toEqual([2, 4]);
    expect(nan.grad?.toArray()).toEqual([Number.NaN]);
    expect(w.square().sum().item()).toBe(5);
  });
});
