/** Activations and softmax: how they take their arguments, PyTorch's kinks, and the modules. Values are in ops.test.ts. */
import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, F, IndexError, nn, type Tensor, tensor } from "../src/index.js";

const gradientOf = (f: (x: Tensor) => Tensor, data: number[]): number[] => {
  const x = tensor(data, { requiresGrad: true });
  f(x).sum().backward();
  return x.grad?.toArray();
};

describe("activations", () => {
  const x = tensor([-2, -0.5, 0, 0.5, 4]);

  test("options by position or by name", () => {
    expect(F.leakyRelu(x, 0.5).toArray()).toEqual(F.leakyRelu(x, { negativeSlope: 0.5 }).toArray());
    expect(F.elu(x, 2).toArray()).toEqual(F.elu(x, { alpha: 2 }).toArray());
    expect(F.gelu(x, "tanh").toArray()).toEqual(F.gelu(x, { approximate: "tanh" }).toArray());
    expect(F.softplus(x, 2, { threshold: 1 }).toArray()).toEqual(F.softplus(x, { beta: 2, threshold: 1 }).toArray());
    expect(F.hardtanh(x, -1, 2).toArray()).toEqual(F.hardtanh(x, { maxVal: 2 }).toArray());
    expect(F.hardtanh(x, 0, 6).toArray()).toEqual([0, 0, 0, 0.5, 4]);
  });

  test("gradients at the kinks are PyTorch's", () => {
    expect(gradientOf(F.relu, [-1, 0, 1])).toEqual([0, 0, 1]);
    expect(gradientOf((t) => F.leakyRelu(t, 0.5), [-1, 0, 1])).toEqual([0.5, 0.5, 1]);
    expect(gradientOf((t) => F.elu(t, 2), [0])).toEqual([2]);
    expect(gradientOf((t) => F.hardtanh(t), [-1, 0, 1])).toEqual([0, 1, 0]);
  });

  test("relu keeps NaN and integers", () => {
    expect(F.relu(tensor([Number.NaN, -1])).toArray()).toEqual([Number.NaN, 0]);
    const whole = F.relu(tensor(new Int32Array([-3, 2])));
    expect([whole.dtype, whole.toArray()]).toEqual(["int32", [0, 2]]);
    expect(() => F.relu(tensor([true]))).toThrow(DTypeError);
    expect(() => F.gelu(tensor(new Int32Array([1])))).toThrow("gelu: expected float32, found int32");
  });

  test("what is wrong is named", () => {
    expect(() => F.gelu(x, "fast" as never)).toThrow(ArgumentError);
    expect(() => F.hardtanh(x, 1, -1)).toThrow("minVal must not be greater than maxVal, found 1 and -1");
    expect(() => F.elu(x, Number.NaN)).toThrow(ArgumentError);
  });
});

describe("softmax", () => {
  test("along any dim; the dim must be said and exist", () => {
    const x = tensor([
      [1, 2],
      [3, 5],
    ]);
    for (const sum of F.softmax(x, 0).sum(0).toArray()) expect(sum).toBeCloseTo(1, 6);
    expect(F.softmin(x, 1).toArray()).toEqual(F.softmax(x.neg(), -1).toArray());
    expect(F.softmax(tensor(3), 0).item()).toBe(1);
    expect(() => F.softmax(x, undefined as never)).toThrow("softmax: give the dim to normalise over: softmax(x, 1)");
    expect(() => F.logSoftmax(x, 2)).toThrow(IndexError);
    expect(() => F.softmax(x.int(), 0)).toThrow(DTypeError);
  });

  test("rows of −Infinity are NaN, one finite score takes all", () => {
    const row = tensor([
      [-Infinity, -Infinity],
      [-Infinity, 3],
    ]);
    expect(F.softmax(row, 1).toArray()).toEqual([
      [Number.NaN, Number.NaN],
      [0, 1],
    ]);
    expect(F.logSoftmax(row, 1).toArray()).toEqual([
      [Number.NaN, Number.NaN],
      [-Infinity, 0],
    ]);
  });
});

describe("modules", () => {
  test("print as PyTorch's", () => {
    expect(
      [
        new nn.ReLU(),
        new nn.ReLU(true),
        new nn.LeakyReLU(),
        new nn.LeakyReLU(0.2, true),
        new nn.ELU({ alpha: 0.5 }),
        new nn.GELU(),
        new nn.GELU("tanh"),
        new nn.SiLU(),
        new nn.Softplus(2),
        new nn.Hardtanh(0, 6),
        new nn.Hardswish(),
        new nn.Sigmoid(),
        new nn.Tanh(),
        new nn.Softmax(1),
        new nn.LogSoftmax({ dim: -1 }),
        new nn.Softmin(0),
      ].map(String),
    ).toEqual([
      "ReLU()",
      "ReLU(inplace=True)",
      "LeakyReLU(negative_slope=0.01)",
      "LeakyReLU(negative_slope=0.2, inplace=True)",
      "ELU(alpha=0.5)",
      "GELU(approximate='none')",
      "GELU(approximate='tanh')",
      "SiLU()",
      "Softplus(beta=2, threshold=20)",
      "Hardtanh(min_val=0.0, max_val=6.0)",
      "Hardswish()",
      "Sigmoid()",
      "Tanh()",
      "Softmax(dim=1)",
      "LogSoftmax(dim=-1)",
      "Softmin(dim=0)",
    ]);
  });

  test("compute what the functions do", () => {
    const x = tensor([
      [-2, -0.5],
      [0.5, 7],
    ]);
    for (const [module, f] of [
      [new nn.ReLU(), F.relu],
      [new nn.LeakyReLU(0.2), (t: Tensor) => F.leakyRelu(t, 0.2)],
      [new nn.ELU(0.5), (t: Tensor) => F.elu(t, 0.5)],
      [new nn.GELU("tanh"), (t: Tensor) => F.gelu(t, "tanh")],
      [new nn.SiLU(), F.silu],
      [new nn.Softplus(2, 1), (t: Tensor) => F.softplus(t, 2, 1)],
      [new nn.Hardtanh(), (t: Tensor) => F.hardtanh(t)],
      [new nn.Hardswish(), F.hardswish],
      [new nn.Sigmoid(), F.sigmoid],
      [new nn.Tanh(), F.tanh],
      [new nn.Softmax(1), (t: Tensor) => F.softmax(t, 1)],
      [new nn.LogSoftmax(0), (t: Tensor) => F.logSoftmax(t, 0)],
      [new nn.Softmin(0), (t: Tensor) => F.softmin(t, 0)],
    ] as const) {
      expect(module(x).toArray()).toEqual(f(x).toArray());
    }
  });
});
