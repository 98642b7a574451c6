/** Reductions: which dims are folded how, gradients against differences of float64 formulas, PyTorch's edges, errors. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  DTypeError,
  IndexError,
  memory,
  noGrad,
  ShapeError,
  scope,
  type Tensor,
  tensor,
} from "../src/index.js";
import { sumTo } from "../src/ops/reduce.js";
import { expectClose } from "./support/compare.js";

const CLOSE = { atol: 1e-5, rtol: 1e-5 };
const noise = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 12.9898 + 1) * 2);
const numel = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The elements of x that each element of the reduction over dims is made of, in row-major order. */
function groups(x: ArrayLike<number>, shape: readonly number[], dims: readonly number[]): number[][] {
  const kept = shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const out: number[][] = Array.from({ length: numel(kept.map((d) => shape[d])) }, () => []);
  for (let i = 0; i < x.length; i++) {
    const place: number[] = [];
    for (let d = shape.length - 1, rest = i; d >= 0; rest = Math.floor(rest / shape[d]), d--)
      place[d] = rest % shape[d];
    out[kept.reduce((at, d) => at * shape[d] + place[d], 0)].push(x[i]);
  }
  return out;
}

const total = (v: number[]) => v.reduce((a, b) => a + b, 0);
const meanOf = (v: number[]) => total(v) / v.length;
const varianceOf = (v: number[], correction = 1) => {
  const m = meanOf(v);
  return total(v.map((a) => (a - m) ** 2)) / (v.length - correction);
};

type Reduce = (x: Tensor, dims: number[], options: { keepdim: boolean }) => Tensor;
const FORMULAS: Record<string, [Reduce, (v: number[]) => number]> = {
  sum: [(x, d, o) => x.sum(d, o), total],
  mean: [(x, d, o) => x.mean(d, o), meanOf],
  prod: [(x, d, o) => (x as any).prod(d, o), (v) => v.reduce((a, b) => a * b, 1)],
  amax: [(x, d, o) => x.amax(d, o), (v) => Math.max(...v)],
  amin: [(x, d, o) => x.amin(d, o), (v) => Math.min(...v)],
  logsumexp: [(x, d, o) => x.logsumexp(d, o), (v) => Math.log(total(v.map(Math.exp)))],
  var: [(x, d, o) => x.var(d, o), (v) => varianceOf(v)],
  "var correction 0": [(x, d, o) => x.var(d, { ...o, correction: 0 }), (v) => varianceOf(v, 0)],
  std: [(x, d, o) => x.std(d, o), (v) => Math.sqrt(varianceOf(v))],
  "norm 1": [(x, d, o) => x.norm(1, d, o), (v) => total(v.map(Math.abs))],
  "norm 2": [(x, d, o) => x.norm({ dim: d, ...o }), (v) => Math.sqrt(total(v.map((a) => a * a)))],
  "norm 3": [(x, d, o) => x.norm({ p: 3, dim: d, ...o }), (v) => total(v.map((a) => Math.abs(a) ** 3)) ** (1 / 3)],
  "norm ∞": [(x, d, o) => x.norm(Number.POSITIVE_INFINITY, d, o), (v) => Math.max(...v.map(Math.abs))],
};

// Every way that dims can lie: all, rows, columns, in the middle, apart, with dims of size 1 between.
const LAYOUTS: [shape: number[], dims: number[]][] = [
  [[7], [0]],
  [
    [5, 6],
    [0, 1],
  ],
  [[5, 6], [1]],
  [[5, 6], [0]],
  [[3, 4, 5], [1]],
  [
    [3, 4, 5],
    [0, 2],
  ],
  [
    [2, 3, 4, 5],
    [0, 2, 3],
  ],
  [
    [2, 3, 4, 5],
    [0, 2],
  ],
  [
    [2, 3, 2, 3, 2],
    [0, 2, 4],
  ],
  [
    [4, 1, 3],
    [0, 2],
  ],
  [
    [1, 4, 1, 3],
    [0, 1, 2],
  ],
  [
    [3, 1, 1],
    [1, 2],
  ],
];

describe.each(Object.entries(FORMULAS))("%s", (name, [reduce, formula]) => {
  test.each(LAYOUTS)("of %j over %j, and its gradient", (shape, dims) => {
    const folded = numel(dims.map((d) => shape[d]));
    if (folded === 1 && /var|std/.test(name)) return;
    const data = noise(numel(shape));
    const kept = shape.filter((_, d) => !dims.includes(d));
    const x = tensor(data, { shape, requiresGrad: true });
    const out = reduce(x, dims, { keepdim: false });
    expect(out.shape).toEqual(kept);
    expectClose(out.toTypedArray(), groups(data, shape, dims).map(formula), CLOSE, "values");
    expect(reduce(x, dims, { keepdim: true }).shape).toEqual(shape.map((s, d) => (dims.includes(d) ? 1 : s)));

    const weights = noise(out.numel()).map((v) => v + 2.5);
    out.backward(tensor(weights, { shape: kept }));
    const weighted = (values: ArrayLike<number>) =>
      total(groups(values, shape, dims).map((v, i) => formula(v) * weights[i]));
    const h = 1e-6;
    const slopes = Array.from(data, (_, i) => {
      const [above, below] = [Float64Array.from(data), Float64Array.from(data)];
      above[i] += h;
      below[i] -= h;
      return (weighted(above) - weighted(below)) / (2 * h);
    });
    expectClose((x.grad as Tensor).toTypedArray(), slopes, { atol: 2e-4, rtol: 2e-4 }, "gradient");
  });

  test("of a strided view", () => {
    const data = noise(12);
    const x = tensor(data, { shape: [3, 4] });
    const t = x.transpose(0, 1);
    expectClose(
      reduce(t, [0], { keepdim: false }).toTypedArray(),
      groups(data, [3, 4], [1]).map(formula),
      CLOSE,
      "transposed",
    );
  });
});

describe("sumTo", () => {
  test("sums down to the shape of a broadcast operand", () => {
    const x = tensor(noise(24), { shape: [2, 3, 4] });
    expect(sumTo(x, [2, 3, 4])).toBe(x);
    for (const [shape, dims] of [
      [[4], [0, 1]],
      [
        [3, 1],
        [0, 2],
      ],
      [[1, 3, 4], [0]],
      [
        [1, 1, 1],
        [0, 1, 2],
      ],
      [[], [0, 1, 2]],
    ] as const) {
      const out = sumTo(x, shape);
      expect(out.shape).toEqual(shape);
      expectClose(out.toTypedArray(), groups(noise(24), [2, 3, 4], dims).map(total), CLOSE, `${shape}`);
    }
    expect(sumTo(tensor([]).reshape(0, 1).expand(0, 3), [1, 3]).toArray()).toEqual([[0, 0, 0]]);
  });
});

describe("dtypes", () => {
  test("sums and products of integers and bools are int32", () => {
    const bytes = tensor(new Uint8Array([200, 100, 3, 0]), { shape: [2, 2] });
    for (const [out, expected] of [
      [bytes.sum(), 303],
      [bytes.sum(0), [203, 100]],
      [bytes.sum([0, 1]), 303],
      [bytes.prod(1), [20000, 0]],
      [
        bytes.cumsum(0),
        [
          [200, 100],
          [203, 100],
        ],
      ],
      [tensor([true, false, true]).sum(), 2],
      [tensor([true, false, true]).cumsum(0), [1, 1, 2]],
      [tensor(new Int32Array([2 ** 31 - 1, 1])).sum(), -(2 ** 31)],
      [tensor([0, 2, 0, -1]).countNonzero(), 2],
      [bytes.countNonzero(1), [2, 1]],
    ] as const) {
      expect(out.dtype).toBe("int32");
      expect(out.toArray()).toEqual(expected);
    }
  });

  test("extrema keep the dtype", () => {
    for (const x of [tensor(new Uint8Array([3, 250, 7])), tensor(new Int32Array([-3, 250, 7])), tensor([1, 250, 7])]) {
      expect(x.amax().dtype).toBe(x.dtype);
      expect(x.max().item()).toBe(250);
      const { values, indices } = x.max(0);
      expect([values.dtype, values.item(), indices.dtype, indices.item()]).toEqual([x.dtype, 250, "int32", 1]);
      expect(x.argmin().item()).toBe(0);
    }
    expect(tensor([false, true]).amax().toArray()).toBe(true);
  });

  test("any and all give bool; NaN is true", () => {
    const x = tensor([
      [0, Number.NaN],
      [0, 0],
    ]);
    expect(x.any(1).dtype).toBe("bool");
    expect(x.any(1).toArray()).toEqual([true, false]);
    expect(x.all(0).toArray()).toEqual([false, false]);
    expect(x.any([0, 1]).item()).toBe(true);
    expect(
      tensor(new Uint8Array([1, 2]))
        .all()
        .item(),
    ).toBe(true);
  });

  test("integers have no mean: the error tells the way out", () => {
    const x = tensor(new Int32Array([1, 2]));
    expect(() => x.mean()).toThrow(new DTypeError("mean: expected float32, found int32; convert it with float()"));
    expect(() => x.std()).toThrow(DTypeError);
    expect(() => x.norm()).toThrow(DTypeError);
    expect(() => x.logsumexp(0)).toThrow(DTypeError);
  });
});

describe("of nothing, and of one", () => {
  const empty = tensor([]);
  const rows = empty.reshape(0, 3);
  test("as PyTorch", () => {
    expect(empty.sum().item()).toBe(0);
    expect(empty.prod().item()).toBe(1);
    expect(empty.mean().item()).toBeNaN();
    expect(empty.var().item()).toBeNaN();
    expect(empty.norm().item()).toBe(0);
    expect(empty.any().item()).toBe(false);
    expect(empty.all().item()).toBe(true);
    expect(rows.sum(0).toArray()).toEqual([0, 0, 0]);
    expect(rows.logsumexp(0).toArray()).toEqual([-Infinity, -Infinity, -Infinity]);
    expect(rows.amax(1).shape).toEqual([0]);
    expect(rows.max(1).indices.shape).toEqual([0]);
    expect(rows.cumsum(0).shape).toEqual([0, 3]);
  });

  test("there is no largest of nothing", () => {
    const message = "amax: dim 0 of [0, 3] is empty, and there is no amax of nothing (check numel() first)";
    expect(() => rows.amax(0)).toThrow(new ShapeError(message));
    for (const fn of [
      () => empty.max(),
      () => rows.max(0),
      () => rows.argmax(),
      () => rows.argmin(0),
      () => empty.norm(Number.POSITIVE_INFINITY),
    ]) {
      expect(fn).toThrow(ShapeError);
    }
  });

  test("numbers (0-d tensors)", () => {
    const x = tensor(3);
    expect(x.sum(0).item()).toBe(3);
    expect(x.sum(-1, { keepdim: true }).shape).toEqual([]);
    expect(x.max(0).indices.item()).toBe(0);
    expect(x.argmax(0).item()).toBe(0);
    expect(x.cumsum(0).item()).toBe(3);
    expect(x.norm().item()).toBe(3);
    expect(x.var().item()).toBeNaN();
  });
});

describe("extrema", () => {
  test("amax shares its gradient among ties, also of dims apart; max along a dim gives it to the first", () => {
    const x = tensor(
      [
        [
          [1, 5],
          [5, 0],
        ],
        [
          [5, 2],
          [1, 1],
        ],
      ],
      { requiresGrad: true },
    );
    x.amax([0, 2]).sum().backward();
    expect(x.grad?.toArray()).toEqual([
      [
        [0, 0.5],
        [1, 0],
      ],
      [
        [0.5, 0],
        [0, 0],
      ],
    ]);
    const y = tensor(
      [
        [2, 7, 7],
        [4, 4, 4],
      ],
      { requiresGrad: true },
    );
    const [values, indices] = y.max(1);
    expect(indices.toArray()).toEqual([1, 0]);
    values.sum().backward();
    expect(y.grad?.toArray()).toEqual([
      [0, 1, 0],
      [1, 0, 0],
    ]);
    const z = tensor([3, 1, 3], { requiresGrad: true });
    z.max().backward();
    expect(z.grad?.toArray()).toEqual([0.5, 0, 0.5]);
  });

  test("NaN wins, and takes the gradient of max()", () => {
    const x = tensor([1, Number.NaN, 3], { requiresGrad: true });
    expect(x.argmax().item()).toBe(1);
    expect(x.min(0).indices.item()).toBe(1);
    x.max().backward();
    expect(x.grad?.toArray()).toEqual([0, 1, 0]);
    x.grad = null as Tensor | null;
    x.amax().backward();
    expect(x.grad?.toArray()).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("max of two tensors is maximum", () => {
    expect(
      tensor([1, 5])
        .max(tensor([3, 2]))
        .toArray(),
    ).toEqual([3, 5]);
    expect(
      tensor([1, 5])
        .min(tensor([3]))
        .toArray(),
    ).toEqual([1, 3]);
  });

  test("argmax counts over all elements without dim", () => {
    const x = tensor([
      [1, 9],
      [3, 9],
    ]);
    expect(x.argmax().item()).toBe(1);
    expect(x.argmax(null, { keepdim: true }).shape).toEqual([1, 1]);
    expect(x.transpose(0, 1).argmax().item()).toBe(2);
    expect(x.argmax(0, { keepdim: true }).toArray()).toEqual([[1, 0]]);
  });
});

describe("products and deviations at their kinks", () => {
  test("prod with zeros", () => {
    const x = tensor(
      [
        [2, 0, 3],
        [0, 0, 5],
        [1, 2, 4],
      ],
      { requiresGrad: true },
    );
    x.prod(1).sum().backward();
    expect(x.grad?.toArray()).toEqual([
      [0, 6, 0],
      [0, 0, 0],
      [8, 4, 2],
    ]);
  });

  test("std of equal values has gradient 0, var of one value NaN", () => {
    const x = tensor(
      [
        [4, 4, 4],
        [1, 2, 3],
      ],
      { requiresGrad: true },
    );
    x.std(1).sum().backward();
    expect(x.grad?.toArray()).toEqual([
      [0, 0, 0],
      [-0.5, 0, 0.5],
    ]);
    expect(
      tensor([[1, 2]])
        .var(0)
        .toArray(),
    ).toEqual([Number.NaN, Number.NaN]);
  });

  test("the older form var(dim, unbiased)", () => {
    const x = tensor([1, 2, 3, 4]) as any;
    expect(x.var(false).item()).toBe(1.25);
    expect(x.var(0, false).item()).toBe(1.25);
    expect(x.var({ unbiased: false }).item()).toBe(1.25);
    expect(x.var({ correction: 0 }).item()).toBe(1.25);
  });

  test("a sum of ten million keeps its digits", () => {
    scope(() => {
      const n = 1e7;
      const x = tensor(new Float32Array(n).fill(0.1));
      const exact = Math.fround(0.1) * n;
      expect(Math.abs(x.sum().item() / exact - 1)).toBeLessThan(1e-6);
      expect(Math.abs(x.mean().item() / Math.fround(0.1) - 1)).toBeLessThan(1e-6);
      expect(Math.abs(x.reshape(10000, 1000).sum([0, 1]).item() / exact - 1)).toBeLessThan(1e-6);
    });
  });
});

describe("arguments", () => {
  const x = tensor(noise(6), { shape: [2, 3] });
  test("keepdim by position, dim by name", () => {
    const any = x as any;
    expect(any.sum(1, true).shape).toEqual([2, 1]);
    expect(any.mean({ dim: 0, keepdim: true }).shape).toEqual([1, 3]);
    expect(any.argmax(1, true).shape).toEqual([2, 1]);
    expect(any.max({ dim: 1 }).values.shape).toEqual([2]);
    expect(x.norm("fro" as never, [0, 1]).shape).toEqual([]);
    expect(x.sum([]).shape).toEqual([]);
    expect(x.sum(null, { keepdim: true }).shape).toEqual([1, 1]);
  });

  test("what is wrong is named", () => {
    const any = x as any;
    expect(() => x.sum(2)).toThrow(IndexError);
    expect(() => x.sum(2)).toThrow("sum: dim 2 is out of range: a tensor of 2 dims has dims -2 to 1");
    expect(() => x.argmax(-3)).toThrow(IndexError);
    expect(() => x.sum([0, 0])).toThrow(ShapeError);
    expect(() => x.sum(0, { keepDim: true } as never)).toThrow(
      new ArgumentError("sum: unknown option keepDim; expected dim, keepdim"),
    );
    expect(() => any.sum(x)).toThrow(TypeError);
    expect(() => any.logsumexp()).toThrow(ArgumentError);
    expect(() => x.norm("nuc" as never)).toThrow(ArgumentError);
  });
});

test("reductions leave nothing behind but their results", () => {
  const x = tensor(noise(24), { shape: [2, 3, 4], requiresGrad: true });
  const run = () =>
    scope(() => {
      for (const [reduce] of Object.values(FORMULAS)) reduce(x, [0, 2], { keepdim: false }).sum().backward();
      x.max(1).values.sum().backward();
      noGrad(() => x.std(0));
    });
  // What earlier tests left is released in the course of some passes.
  for (let i = 0; i < 20; i++) run();
  const before = memory().liveTensors;
  run();
  expect(memory().liveTensors).toBe(before);
});
