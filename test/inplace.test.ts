/** Writing into tensors: values, what is refused, and what the tape sees of it. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  AutogradError,
  DTypeError,
  manualSeed,
  noGrad,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";

describe("in place", () => {
  test("arithmetic writes into the tensor, its views and what it is a view of", () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const column = x.select(1, 1);
    expect(column.add_(10)).toBe(column);
    expect(x.toArray()).toEqual([
      [1, 12, 3],
      [4, 15, 6],
    ]);
    x.T.mul_(tensor([1, -1]));
    expect(x.toArray()).toEqual([
      [1, 12, 3],
      [-4, -15, -6],
    ]);
    x.sub_(tensor([1, 1, 1]), { alpha: 2 }).div_(2);
    expect(x.toArray()).toEqual([
      [-0.5, 5, 0.5],
      [-3, -8.5, -4],
    ]);
    x.clamp_({ min: -1, max: 1 });
    expect(column.toArray()).toEqual([1, -1]);
    x.add_(x);
    expect(x.toArray()).toEqual([
      [-1, 2, 1],
      [-2, -2, -2],
    ]);
    expect(x.narrow(1, 1, 2).zero_().toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(x.toArray()).toEqual([
      [-1, 0, 0],
      [-2, 0, 0],
    ]);
  });

  test("copy_ broadcasts and converts", () => {
    expect(
      zeros(2, 2)
        .copy_(tensor([1, 2], { dtype: "int32" }))
        .toArray(),
    ).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(
      tensor([0, 0], { dtype: "int32" })
        .copy_(tensor([1.9, -1.9]))
        .toArray(),
    ).toEqual([1, -1]);
    expect(
      tensor([false, true])
        .copy_(tensor([0.5, 0]))
        .toArray(),
    ).toEqual([true, false]);
    expect(() => zeros(2).copy_(zeros(3, 2))).toThrow(
      /^copy_: \[3, 2\] cannot be broadcast into the target's shape \[2\]/,
    );
    expect(() => zeros(2).copy_([1, 2] as never)).toThrow(/^copy_: expected a Tensor/);
  });

  test("maskedFill_ and fill_", () => {
    const x = tensor([1, 2, 3]);
    expect(x.maskedFill_(x.gt(1), -1).toArray()).toEqual([1, -1, -1]);
    expect(zeros(2, 3).T.fill_(7).toArray()).toEqual([
      [7, 7],
      [7, 7],
      [7, 7],
    ]);
    expect(zeros(2).fill_(tensor(3)).toArray()).toEqual([3, 3]);
    expect(tensor([false]).fill_(2).toArray()).toEqual([true]);
    expect(() => zeros(2).fill_(ones(2))).toThrow(ShapeError);
  });

  test("fill_ takes what an integer dtype can hold, as PyTorch", () => {
    const filled = (dtype: "int32" | "uint8", value: number) => zeros([1], { dtype }).fill_(value).item();
    expect([filled("uint8", 255), filled("uint8", -1), filled("uint8", 3.7), filled("int32", -3.7)]).toEqual([
      255, 255, 3, -3,
    ]);
    for (const value of [256, -300, Number.NaN, 1e10])
      expect(() => filled("uint8", value), `${value}`).toThrow(ArgumentError);
    for (const value of [2 ** 31, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => filled("int32", value), `${value}`).toThrow(ArgumentError);
    }
  });

  test("a result that does not fit is refused, and nothing has changed", () => {
    const x = tensor([1, 2]);
    expect(() => x.add_(ones(3, 2))).toThrow(
      /^add_: the result has shape \[3, 2\], which cannot be written into \[2\]/,
    );
    expect(() => x.mul_(ones(3))).toThrow(/cannot be broadcast/);
    const ints = tensor([1, 2], { dtype: "int32" });
    expect(() => ints.add_(0.5)).toThrow(DTypeError);
    expect(() => ints.div_(2)).toThrow(/^div_: the result is float32 and cannot be written into a int32 tensor/);
    expect(ints.add_(2).toArray()).toEqual([3, 4]);
    expect(x.toArray()).toEqual([1, 2]);
  });

  test("an expanded tensor is refused: several of its elements are one", () => {
    const x = zeros(1, 2).expand(3, 2);
    for (const write of [() => x.add_(1), () => x.zero_(), () => x.copy_(ones(3, 2)), () => x.uniform_()]) {
      expect(write).toThrow(/expanded.*clone\(\)/s);
    }
  });

  test("leaves and results that need gradients are refused outside noGrad(), operands too", () => {
    const w = tensor([1, 2], { requiresGrad: true });
    expect(() => w.add_(1)).toThrow(AutogradError);
    expect(() => w.add_(1)).toThrow(/^add_: a leaf tensor that requires grad.*noGrad/s);
    expect(() => w.mul(2).mul_(2)).toThrow(/^mul_: the result of mul is being changed/);
    expect(() => zeros(2).add_(w)).toThrow(/^add_: an operand requires grad.*detach\(\)/s);
    expect(w.toArray()).toEqual([1, 2]);
    noGrad(() => w.sub_(w, { alpha: 0.5 }));
    expect(w.toArray()).toEqual([0.5, 1]);
    w.detach().zero_();
    expect(w.toArray()).toEqual([0, 0]);
    expect([w.requiresGrad, w.isLeaf]).toEqual([true, true]);
  });
});

describe("random draws", () => {
  // torch.manual_seed(0); torch.zeros(2, 3).t().uniform_() and so on.
  test("a view gets its numbers in the order of the memory, as in PyTorch", () => {
    const draw = (fill: (x: Tensor) => Tensor, view: (x: Tensor) => Tensor) => {
      manualSeed(0);
      const base = zeros(2, 3);
      fill(view(base));
      return base.toArray();
    };
    const uniform = (x: Tensor) => x.uniform_();
    expect(draw(uniform, (x) => x.T)).toEqual(draw(uniform, (x) => x));
    manualSeed(0);
    const sequence = zeros(4).uniform_().toArray();
    expect(draw(uniform, (x) => x.narrow(1, 1, 2))).toEqual([
      [0, sequence[0], sequence[1]],
      [0, sequence[2], sequence[3]],
    ]);
    expect(
      draw(
        (x) => x.normal_(),
        (x) => x.T,
      ),
    ).toEqual(
      draw(
        (x) => x.normal_(),
        (x) => x,
      ),
    );
  });

  test("bounds are checked", () => {
    expect(() => zeros(2).uniform_(2, 1)).toThrow(/^uniform_: from must not exceed to, found 2 and 1/);
    expect(() => zeros(2).normal_(0, -1)).toThrow(/^normal_: std must not be negative/);
    expect(() => zeros([2], { dtype: "int32" }).uniform_()).toThrow(DTypeError);
    expect(() => manualSeed(0.5)).toThrow(ArgumentError);
  });
});
