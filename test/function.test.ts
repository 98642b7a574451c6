/** autograd.Function: ops of the user's own. */
import { describe, expect, test } from "vitest";
import { AutogradError, autograd, memory, noGrad, ones, ShapeError, type Tensor, tensor } from "../src/index.js";

type Context = autograd.Context;
const leaf = (values: number | number[]) => tensor(values, { requiresGrad: true });

class Square extends autograd.Function {
  static override forward(ctx: Context, x: Tensor) {
    ctx.saveForBackward(x);
    return x.mul(x);
  }
  static override backward(ctx: Context, g: Tensor) {
    const [x] = ctx.savedTensors;
    return g.mul(x).mul(2);
  }
}

/** A function whose forward and backward are given. */
const define = (
  forward: (ctx: Context, ...args: any[]) => any,
  backward: (ctx: Context, ...grads: any[]) => any,
): { apply(...args: any[]): any } =>
  class Custom extends autograd.Function {
    static override forward(ctx: Context, ...args: any[]) {
      return forward(ctx, ...args);
    }
    static override backward(ctx: Context, ...grads: any[]) {
      return backward(ctx, ...grads);
    }
  };

describe("Function", () => {
  test("runs forward without recording and backward within the graph", () => {
    const x = leaf([1, 2, 3]);
    const y = Square.apply(x.mul(2));
    expect(y.toArray()).toEqual([4, 16, 36]);
    expect([y.requiresGrad, y.isLeaf]).toEqual([true, false]);
    y.mul(10).sum().backward();
    expect(x.grad?.toArray()).toEqual([80, 160, 240]);
    expect(Square.apply(tensor([3])).requiresGrad).toBe(false);
    expect(noGrad(() => Square.apply(x)).requiresGrad).toBe(false);
    expect(autograd.gradcheck((t) => Square.apply(t), x)).toBe(true);
  });

  test("takes several inputs, and arguments that are no tensors", () => {
    const scaled = define(
      (ctx, x: Tensor, factor: number, y: Tensor, options: { sign: number }) => {
        ctx.factor = factor * options.sign;
        expect(ctx.needsInputGrad).toEqual([true, false, false, false]);
        return x.mul(ctx.factor).add(y);
      },
      (ctx, g: Tensor) => [g.mul(ctx.factor), null, null, null],
    );
    const x = leaf([1, 2]);
    scaled.apply(x, 3, ones(2), { sign: -1 }).sum().backward();
    expect(x.grad?.toArray()).toEqual([-3, -3]);
  });

  test("gives several outputs; those not used get zeros", () => {
    const seen: unknown[] = [];
    const both = define(
      (_ctx, x: Tensor) => [x.mul(2), x.mul(3)],
      (_ctx, g1: Tensor, g2: Tensor) => {
        seen.push([g1.toArray(), g2.toArray()]);
        return g1.mul(2).add(g2.mul(3));
      },
    );
    const x = leaf([1, 2]);
    const [a, b] = both.apply(x);
    a.add(b.mul(10)).sum().backward();
    expect(x.grad?.toArray()).toEqual([32, 32]);
    x.grad = null;
    both.apply(x)[1].sum().backward();
    expect((x.grad as unknown as Tensor).toArray()).toEqual([3, 3]);
    expect(seen).toEqual([
      [
        [1, 1],
        [10, 10],
      ],
      [
        [0, 0],
        [1, 1],
      ],
    ]);
  });

  test("integer outputs and those marked need no gradient, wherever they stand", () => {
    const split = define(
      (ctx, x: Tensor) => {
        const [index, kept, value] = [x.argmax(), x.mul(5), x.mul(2)];
        ctx.markNonDifferentiable(kept);
        return [index, kept, value];
      },
      (_ctx, g1: Tensor, g2: Tensor, g3: Tensor) => {
        expect([g1.shape, g2.shape]).toEqual([[], [2]]);
        return g3.mul(2);
      },
    );
    const x = leaf([1, 2]);
    const [index, kept, value] = split.apply(x);
    expect([index, kept, value].map((t: Tensor) => t.requiresGrad)).toEqual([false, false, true]);
    value.sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 2]);
  });

  test("an input, a parameter or one tensor twice may be returned", () => {
    const w = leaf([7]);
    const same = define(
      (_ctx, x: Tensor) => {
        const y = x.mul(1);
        return [x, w, y, y];
      },
      (_ctx, a: Tensor, _b: Tensor, c: Tensor, d: Tensor) => a.add(c.mul(10)).add(d.mul(100)),
    );
    const x = leaf([1]);
    const [a, b, c, d] = same.apply(x);
    expect([x.isLeaf, w.isLeaf, a.isLeaf, b.isLeaf]).toEqual([true, true, false, false]);
    a.add(b).add(c).add(d).sum().backward();
    expect(x.grad?.toArray()).toEqual([111]);
    expect(w.grad).toBeNull();
  });

  test("null stands for a gradient of zero, and gradients are summed to the input's shape", () => {
    const [x, y] = [leaf([1, 2]), leaf([1, 2])];
    define(
      (_ctx, a: Tensor, b: Tensor) => a.add(b),
      (_ctx, g: Tensor) => [g.expand(3, 2), undefined],
    )
      .apply(x, y)
      .sum()
      .backward();
    expect(x.grad?.toArray()).toEqual([3, 3]);
    expect(y.grad).toBeNull();
  });

  test("too few or too many gradients, other shapes and other values are refused by name", () => {
    const [x, y] = [leaf([1, 2]), leaf([1, 2])];
    const returning = (result: unknown) => () =>
      define(
        (_ctx, a: Tensor, b: Tensor) => a.add(b),
        () => result,
      )
        .apply(x, y)
        .sum()
        .backward();
    expect(returning(ones(2))).toThrow(/^Custom: backward returned 1 gradients, forward took 2 arguments/);
    expect(returning([ones(2), ones(2), ones(2)])).toThrow(AutogradError);
    expect(returning([ones(2), ones(2), null])).not.toThrow();
    expect(returning([ones(2), ones(3)])).toThrow(ShapeError);
    expect(returning([ones(2), ones(3)])).toThrow(/index 1: got shape \[3\], expected \[2\]/);
    expect(returning([ones(2), 5])).toThrow(/number as gradient 1, expected a Tensor or null/);
    expect(() =>
      define(
        () => 5,
        () => null,
      ).apply(x),
    ).toThrow(/forward returned number as output 0/);
    expect(() => autograd.Function.apply(x)).toThrow(/define static forward/);
  });

  test("a saved tensor that was changed in place, and a second backward(), are refused", () => {
    const x = leaf([1, 2]);
    const data = x.mul(1);
    const y = Square.apply(data);
    noGrad(() => data.add_(1));
    expect(() => y.sum().backward()).toThrow(/^Square: one of the tensors needed for its gradient/);
    const z = Square.apply(x).sum();
    z.backward();
    expect(() => z.backward()).toThrow(/second time/);
  });

  test("an error in backward leaves the library usable", () => {
    const x = leaf([1, 2]);
    const failing = define(
      (_ctx, a: Tensor) => a.mul(2),
      () => {
        throw new Error("mine");
      },
    );
    const before = memory().heapBytes;
    for (let i = 0; i < 500; i++) expect(() => failing.apply(x.mul(3)).sum().backward()).toThrow("mine");
    expect(memory().heapBytes).toBe(before);
    expect(x.grad).toBeNull();
    x.mul(2).sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 2]);
  });

  test("backward may compute gradients of its own, as checkpointing does", () => {
    const w = leaf([3]);
    const checkpoint = define(
      (ctx, x: Tensor) => {
        ctx.saveForBackward(x);
        return x.mul(w).exp();
      },
      (ctx, g: Tensor) => {
        const x = ctx.savedTensors[0].detach().requiresGrad_();
        autograd.enableGrad(() => x.mul(w).exp()).backward(g);
        return x.grad;
      },
    );
    const x = leaf([0.5]);
    checkpoint.apply(x.mul(1)).mul(2).sum().backward();
    expect((x.grad as Tensor).item()).toBeCloseTo(2 * 3 * Math.exp(1.5), 3);
    expect((w.grad as Tensor).item()).toBeCloseTo(2 * 0.5 * Math.exp(1.5), 3);
  });

  test("memory stays constant over many steps, with large tensors saved", () => {
    const x = leaf(new Array(50_000).fill(1));
    let before = 0;
    for (let i = 0; i < 400; i++) {
      if (i === 20) before = memory().heapBytes;
      x.grad = null;
      Square.apply(Square.apply(x.mul(1)))
        .sum()
        .backward();
    }
    expect(memory().heapBytes).toBe(before);
    expect((x.grad as unknown as Tensor).at(0).item()).toBe(4);
  });
});
