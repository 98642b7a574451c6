/** Laws that hold for all shapes and values: what fast-check finds a counterexample to is a bug. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { promoteTypes } from "../src/dtype.js";
import { autograd, cat, type DType, F, scope, stack, type Tensor, tensor, where } from "../src/index.js";
import { sumTo } from "../src/ops/reduce.js";
import * as ref from "./reference.js";
import { draw, inner, randomSource, real, toTensor } from "./support/case.js";
import { EXACT, expectClose } from "./support/compare.js";
import { broadcastShape, build, at as elementAt, type Nd, nd, sizeOf } from "./support/nd.js";

const RUNS = { numRuns: 150 };
/** A property whose tensors are given back after each run. */
const holds = <T extends [unknown, ...unknown[]]>(
  ...args: [...{ [K in keyof T]: fc.Arbitrary<T[K]> }, (...values: T) => void]
): void => {
  const check = args.pop() as (...values: T) => void;
  const arbitraries = args as unknown as { [K in keyof T]: fc.Arbitrary<T[K]> };
  fc.assert(
    fc.property(fc.tuple(...(arbitraries as any)), (values) => scope(() => check(...(values as T)))),
    RUNS,
  );
};

const size = fc.integer({ min: 0, max: 5 });
const shape = fc.array(size, { minLength: 0, maxLength: 4 });
const seed = fc.integer({ min: 0, max: 1e6 });
const random = (of: readonly number[], from: number): Nd => draw(real(of), randomSource(from));
const float = (x: Nd): Tensor => toTensor(x, "float32");
const same = (found: Tensor, expected: Tensor | Nd, what: string) => {
  expect([...found.shape], `${what}: shape`).toEqual([...expected.shape]);
  const data = "data" in expected ? expected.data : expected.toTypedArray();
  expectClose(found.toTypedArray(), data, EXACT, what);
};

/** Two shapes that can be broadcast together: sizes of one shape made 1, leading dims left out. */
const broadcastable = fc
  .tuple(shape, fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 4, maxLength: 4 }), fc.nat(4), fc.nat(4))
  .map(([sizes, ones, dropA, dropB]) => {
    const of = (which: 0 | 1, drop: number) =>
      sizes.map((n, d) => (ones[d][which] ? 1 : n)).slice(Math.min(drop, sizes.length));
    return [of(0, dropA), of(1, dropB)] as const;
  });

/** A view of random data with random strides: dims permuted, cut and repeated. */
const view = fc.tuple(shape, seed, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })).map(([sizes, from, cut]) => {
  const order = sizes.map((_, d) => d).sort((a, b) => ((a * 7 + from) % 5) - ((b * 7 + from) % 5));
  const stored = order.map((d) => (cut[d] ? sizes[d] + 2 : sizes[d]));
  return (): Tensor => {
    let x = float(random(stored, from)).permute(sizes.map((_, d) => order.indexOf(d)));
    for (const [d, n] of sizes.entries()) if (cut[d]) x = x.narrow(d, 1, n);
    return x;
  };
});

describe("broadcasting", () => {
  test("the result's shape and elements are those of the expanded operands", () => {
    holds(broadcastable, seed, ([a, b], from) => {
      const [x, y] = [random(a, from), random(b, from + 1)];
      const out = broadcastShape(a, b);
      const sum = float(x).add(float(y));
      same(sum, float(x).expand(out).contiguous().add(float(y).expand(out).contiguous()), "a + b");
      same(float(y).add(float(x)), sum, "b + a");
      same(
        where(float(x).gt(0).expand(out), float(x), float(y)).sub(0),
        where(float(x).gt(0), float(x), float(y)),
        "where",
      );
    });
  });

  test("sumTo is the adjoint of expand: ⟨expand(x), y⟩ = ⟨x, sumTo(y)⟩", () => {
    holds(broadcastable, seed, ([a, b], from) => {
      const out = broadcastShape(a, b);
      const [x, y] = [random(a, from), random(out, from + 1)];
      expectInner(float(x).expand(out), float(y), float(x), sumTo(float(y), a), "sumTo");
    });
  });
});

/** ⟨a, b⟩ in float64. */
const product = (a: Tensor, b: Tensor): number => {
  const q = b.toTypedArray();
  return Array.from(a.toTypedArray()).reduce((sum, v, i) => sum + v * q[i], 0);
};
/** ⟨a, b⟩ = ⟨c, d⟩, but for one rounding of a float32 sum or product an element: 2⁻²⁴·64 terms·|terms| ≤ 8 each. */
function expectInner(a: Tensor, b: Tensor, c: Tensor, d: Tensor, what: string): void {
  const terms = Math.max(a.numel(), c.numel(), 1);
  expectClose([product(a, b)], [product(c, d)], { atol: terms * inner(8, 8).atol, rtol: 0 }, what);
}

describe("linear ops and their backwards: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩", () => {
  const fixed = (sizes: number[]) => float(random(sizes, 99));
  const linear: Record<string, (x: Tensor) => Tensor> = {
    sum: (x) => x.sum(1),
    "sum of dims apart": (x) => x.sum([0, 2], { keepdim: true }),
    mean: (x) => x.mean(0),
    cumsum: (x) => x.cumsum(1),
    permute: (x) => x.permute(2, 0, 1),
    expand: (x) => x.unsqueeze(0).expand(2, -1, -1, -1),
    reshape: (x) => x.transpose(0, 2).reshape(-1),
    narrow: (x) => x.narrow(1, 1, 2),
    select: (x) => x.select(2, -1),
    diagonal: (x) => x.select(0, 1).diagonal(),
    at: (x) => x.at("::2", [0, 2, 0], "1:"),
    "at with a mask": (x) => x.at(x.detach().gt(0)),
    indexSelect: (x) => x.indexSelect(1, [3, 3, 0]),
    gather: (x) =>
      x.gather(2, [
        [
          [0, 1],
          [4, 4],
        ],
        [
          [2, 2],
          [1, 0],
        ],
      ]),
    flip: (x) => x.flip(0, 2),
    tril: (x) => x.tril(),
    triu: (x) => x.triu({ diagonal: 1 }),
    repeat: (x) => x.repeat(2, 1, 2),
    cat: (x) => cat([x, x.mul(2)], 1),
    stack: (x) => stack([x, x.neg()], 2),
    split: (x) => x.split([1, 3], 1)[1],
    pad: (x) => F.pad(x, [1, -1, 2, 0]),
    "pad, reflected": (x) => F.pad(x, [2, 1], { mode: "reflect" }),
    "pad, replicated": (x) => F.pad(x, [2, 1], { mode: "replicate" }),
    "pad, wrapped": (x) => F.pad(x, [2, 1], { mode: "circular" }),
    sort: (x) => x.sort(1).values,
    topk: (x) => x.topk(2, -1).values,
    "max(dim)": (x) => x.max(1).values,
    matmul: (x) => x.matmul(fixed([5, 3])),
    "matmul from the left": (x) => fixed([2, 4]).matmul(x),
    "linear layer": (x) => F.linear(x, fixed([6, 5])),
    mul: (x) => x.mul(fixed([4, 1])),
    div: (x) => x.div(fixed([5]).abs().add(1)),
    clone: (x) => x.clone(),
    contiguous: (x) => x.transpose(0, 1).contiguous(),
    neg: (x) => x.neg(),
    where: (x) => where(fixed([3, 4, 5]).gt(0), x, 0),
    maskedFill: (x) => x.maskedFill(fixed([4, 5]).gt(0), 0),
  };
  test.each(Object.entries(linear))("%s", (name, op) => {
    scope(() => {
      const x = toTensor(random([3, 4, 5], 1), "float32", true);
      const out = op(x);
      const y = float(random(out.shape, 2));
      const [adjoint] = autograd.grad(out, x, { gradOutputs: y }) as [Tensor];
      expectInner(out, y, x, adjoint, name);
      // And y through a view with strides of its own.
      const again = op(x);
      const [strided] = autograd.grad(again.permute(again.shape.map((_, d) => again.ndim - 1 - d)), x, {
        gradOutputs: y.permute(y.shape.map((_, d) => y.ndim - 1 - d)).contiguous(),
      }) as [Tensor];
      expectClose(strided.toTypedArray(), adjoint.toTypedArray(), inner(8, 4), `${name}: strided upstream gradient`);
    });
  });
});

describe("shapes", () => {
  test("any view copied, reshaped and brought back is the same", () => {
    holds(view, (make) => {
      const x = make();
      const copy = x.contiguous();
      same(copy.clone(), x, "contiguous");
      same(x.reshape(x.numel()).reshape(x.shape as number[]), x, "reshape there and back");
      same(tensor(x.toTypedArray()).reshape(x.shape as number[]), x, "through a typed array");
      same(x.neg().neg(), x, "neg twice");
    });
  });

  test("permute and its inverse", () => {
    holds(view, seed, (make, from) => {
      const x = make();
      const order = x.shape.map((_, d) => d).sort((a, b) => ((a * 3 + from) % 7) - ((b * 3 + from) % 7));
      same(x.permute(order).permute(x.shape.map((_, d) => order.indexOf(d))), x, "there and back");
      same(
        x.permute(order),
        build(
          order.map((d) => x.shape[d]),
          (c) =>
            elementAt(
              nd(x.shape, x.toTypedArray()),
              x.shape.map((_, d) => c[order.indexOf(d)]),
            ),
        ),
        "elements",
      );
    });
  });

  test("cat undoes split, stack undoes unbind", () => {
    holds(view, fc.nat(3), fc.integer({ min: 1, max: 3 }), (make, d, part) => {
      const x = make();
      if (x.ndim === 0) return;
      const dim = d % x.ndim;
      same(cat(x.split(part, dim), dim), x, "split");
      same(cat(x.chunk(part, dim), dim), x, "chunk");
      if (x.shape[dim] > 0) same(stack(x.unbind(dim), dim), x, "unbind");
    });
  });

  test("flip twice is nothing", () => {
    holds(view, fc.nat(3), (make, d) => {
      const x = make();
      if (x.ndim > 0) same(x.flip(d % x.ndim).flip(d % x.ndim), x, "flip");
    });
  });
});

describe("at", () => {
  /** Python's slice.indices(). */
  function slice(text: string, length: number): number[] {
    const [start, stop, step] = text.split(":").map((s) => (s === "" || s === undefined ? null : Number(s)));
    const bound = (v: number | null, otherwise: number) =>
      v === null ? otherwise : Math.min(Math.max(v < 0 ? v + length : v, 0), length);
    const places: number[] = [];
    for (let i = bound(start, 0); i < bound(stop, length); i += step ?? 1) places.push(i);
    return places;
  }
  const bound = fc.option(fc.integer({ min: -8, max: 8 }), { nil: null });
  const sliceText = fc
    .tuple(bound, bound, fc.option(fc.integer({ min: 1, max: 4 }), { nil: null }))
    .map(([a, b, c]) => `${a ?? ""}:${b ?? ""}${c === null ? "" : `:${c}`}`);

  test("slices are Python's", () => {
    holds(view, fc.array(sliceText, { maxLength: 4 }), (make, texts) => {
      const x = make();
      const slices = texts.slice(0, x.ndim);
      const places = x.shape.map((n, d) => (d < slices.length ? slice(slices[d], n) : slice(":", n)));
      const data = nd(x.shape, x.toTypedArray());
      const expected = build(
        places.map((p) => p.length),
        (c) =>
          elementAt(
            data,
            c.map((i, d) => places[d][i]),
          ),
      );
      same(x.at(...slices), expected, `at(${slices.map((s) => JSON.stringify(s))}) of [${x.shape}]`);
      if (slices.length < x.ndim) {
        const ends = x.shape.slice(x.ndim - slices.length).map((n, d) => slice(slices[d], n));
        const last = x.shape.map((n, d) => ends[d - x.ndim + slices.length] ?? slice(":", n));
        same(
          x.at("...", ...slices),
          build(
            last.map((p) => p.length),
            (c) =>
              elementAt(
                data,
                c.map((i, d) => last[d][i]),
              ),
          ),
          "after an ellipsis",
        );
      }
    });
  });

  test("numbers and index lists pick; indexPut_ puts where at picks", () => {
    holds(view, fc.array(fc.nat(100), { minLength: 1, maxLength: 4 }), fc.boolean(), (make, picks, negative) => {
      const x = make();
      if (x.ndim === 0 || x.numel() === 0) return;
      const n = x.shape[0];
      const places = picks.map((p) => p % n);
      const written = places.map((p) => (negative ? p - n : p));
      const data = nd(x.shape, x.toTypedArray());
      const expected = build([places.length, ...x.shape.slice(1)], (c) =>
        elementAt(data, [places[c[0]], ...c.slice(1)]),
      );
      same(x.at(written), expected, "a list");
      same(x.at(written[0]), x.select(0, places[0]), "a number");
      const zeros = x.clone().contiguous().indexPut_([written], 0);
      same(
        zeros,
        build(x.shape, (c) => (places.includes(c[0]) ? 0 : elementAt(data, c))),
        "indexPut_",
      );
    });
  });
});

describe("sorting", () => {
  const value = fc.oneof(
    fc.float({ noNaN: true, min: -4, max: 4 }),
    fc.constantFrom(0, -0, 1, 1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  );
  test("sort, argsort and topk are a stable JavaScript sort with NaN last", () => {
    holds(fc.array(value, { minLength: 1, maxLength: 80 }), fc.boolean(), fc.nat(80), (list, descending, k) => {
      const x = tensor(list);
      const expected = ref.order([...x.toTypedArray()], descending);
      const values = expected.map((i) => Math.fround(list[i]));
      const { values: found, indices } = x.sort(0, { descending });
      expectClose(indices.toTypedArray(), expected, EXACT, "indices");
      expectClose(found.toTypedArray(), values, EXACT, "values");
      const count = k % (list.length + 1);
      const top = x.topk(count, 0, { largest: descending });
      expectClose(top.values.toTypedArray(), values.slice(0, count), EXACT, "topk values");
      expectClose(top.indices.toTypedArray(), expected.slice(0, count), EXACT, "topk indices");
    });
  });
});

describe("sums", () => {
  test("over dims in any order, at once or one by one", () => {
    holds(view, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (make, chosen) => {
      const x = make();
      const dims = x.shape.map((_, d) => d).filter((d) => chosen[d]);
      if (dims.length === 0) return;
      const expected = ref.reduce(ref.sumOf, dims, true)(nd(x.shape, x.toTypedArray()));
      // At most 5⁴ terms within ±2, in float32 for 16 at a time; one rounding of a partial sum for each dim.
      const tolerance = { atol: 2 ** -15, rtol: 2 ** -22 };
      const oneByOne = (order: number[]) => order.reduce((t, d) => t.sum(d, { keepdim: true }), x);
      for (const [what, found] of [
        ["at once", x.sum(dims, { keepdim: true })],
        ["reversed list", x.sum([...dims].reverse(), { keepdim: true })],
        ["from the first", oneByOne(dims)],
        ["from the last", oneByOne([...dims].reverse())],
      ] as const) {
        expect([...found.shape]).toEqual([...expected.shape]);
        expectClose(found.toTypedArray(), expected.data, tolerance, what);
      }
      if (dims.length === x.ndim) expectClose([x.sum().item()], expected.data, tolerance, "all");
    });
  });
});

describe("matmul", () => {
  const small = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constantFrom(16, 17, 33));
  /** [rows, columns] as a view: as it is, transposed, cut out of more, of repeated rows or columns. */
  const matrix = (rows: number, columns: number, how: number, from: number): Tensor => {
    if (how === 1) return float(random([columns, rows], from)).t();
    if (how === 2)
      return float(random([rows + 2, 2 * columns + 1], from))
        .narrow(0, 1, rows)
        .at(":", `:${2 * columns}:2`);
    if (how === 3) return float(random([1, columns], from)).expand(rows, columns);
    if (how === 4) return float(random([rows, 1], from)).expand(rows, columns);
    return float(random([rows, columns], from));
  };
  const how = fc.nat(4);

  test("is the sum of products, for any sizes and strides", () => {
    holds(fc.tuple(small, small, small), how, how, seed, ([m, n, k], howA, howB, from) => {
      const [a, b] = [matrix(m, k, howA, from), matrix(k, n, howB, from + 1)];
      const expected = ref.matmul(nd(a.shape, a.toTypedArray()), nd(b.shape, b.toTypedArray()));
      expectClose(a.matmul(b).toTypedArray(), expected.data, inner(k, 4), `[${m}, ${k}] × [${k}, ${n}]`);
    });
  });

  test("of stacks broadcasts", () => {
    const batch = fc.constantFrom([], [1], [2], [3, 1], [1, 2], [3, 2], [0]);
    holds(batch, batch, seed, (p, q, from) => {
      if (
        p.some(
          (v, d) =>
            d >= p.length - q.length &&
            v !== 1 &&
            (q[d - p.length + q.length] ?? 1) !== 1 &&
            v !== q[d - p.length + q.length],
        )
      )
        return;
      const [a, b] = [random([...p, 3, 4], from), random([...q, 4, 2], from + 1)];
      const expected = ref.matmul(a, b);
      const found = float(a).matmul(float(b));
      expect([...found.shape]).toEqual([...expected.shape]);
      expectClose(found.toTypedArray(), expected.data, inner(4, 4), "stacks");
    });
  });
});

describe("dtypes", () => {
  const dtype = fc.constantFrom<DType>("bool", "uint8", "int32", "float32");
  test("promotion is symmetric, associative and idempotent", () => {
    holds(dtype, dtype, dtype, (a, b, c) => {
      expect(promoteTypes(a, b)).toBe(promoteTypes(b, a));
      expect(promoteTypes(promoteTypes(a, b), c)).toBe(promoteTypes(a, promoteTypes(b, c)));
      expect(promoteTypes(a, a)).toBe(a);
    });
  });

  test("of results too, for tensors with and without dims and numbers", () => {
    holds(dtype, dtype, fc.constantFrom<number[]>([], [2]), fc.constantFrom<number[]>([], [2]), (a, b, p, q) => {
      const x = tensor(new Array(sizeOf(p)).fill(1), { shape: p, dtype: a });
      const y = tensor(new Array(sizeOf(q)).fill(1), { shape: q, dtype: b });
      expect(x.add(y).dtype).toBe(y.add(x).dtype);
      expect(x.mul(y).dtype).toBe(x.add(y).dtype);
      expect(where(tensor(true), x, y).dtype).toBe(x.add(y).dtype);
    });
  });

  test("to() and back keeps what both can hold", () => {
    holds(fc.array(fc.integer({ min: 0, max: 255 })), dtype, (list, via) => {
      const x = tensor(list, { dtype: "int32", shape: [list.length] });
      const expected = via === "bool" ? list.map((v) => Number(v !== 0)) : list;
      expectClose(x.to(via).to("int32").toTypedArray(), expected, EXACT, `through ${via}`);
    });
  });
});
