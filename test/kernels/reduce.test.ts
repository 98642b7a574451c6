import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { Arena, columns, expectClose, randoms, SHAPES, uncolumns } from "./arena.js";

const arena = new Arena();
const total = (c: number[]) => c.reduce((a, b) => a + b, 0);
const largest = (c: number[]) => c.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const smallest = (c: number[]) => c.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;

type Reduce = (out: number, x: number, outer: number, r: number, inner: number) => void;

/** Every shape: out = f(column). */
function reduces(
  kernel: Reduce,
  f: (c: number[]) => number,
  options: { rtol?: number; atol?: number; scale?: number } = {},
) {
  for (const [outer, r, inner] of SHAPES) {
    const x = randoms(outer * r * inner, r + inner).map((v) => v * (options.scale ?? 1));
    const out = arena.bytes(outer * inner * 4);
    kernel(out, arena.f32(x), outer, r, inner);
    const what = `[${outer}, ${r}, ${inner}]`;
    expectClose(arena.readF32(out, outer * inner), columns(x, outer, r, inner).map(f), { ...options, what });
    arena.verify();
  }
}

function reducesI32(kernel: Reduce, f: (c: number[]) => number) {
  for (const [outer, r, inner] of SHAPES) {
    const x = Int32Array.from(randoms(outer * r * inner, r + inner), (v) => v * 1e6);
    const out = arena.bytes(outer * inner * 4);
    kernel(out, arena.i32(x), outer, r, inner);
    expect(arena.readI32(out, outer * inner)).toEqual(columns(x, outer, r, inner).map(f));
    arena.verify();
  }
}

/** A single row, or the same numbers as a column beside others. */
function both(kernel: Reduce, x: number[]): [row: number, column: number] {
  const out = arena.bytes(4);
  kernel(out, arena.f32(x), 1, x.length, 1);
  const [row] = arena.readF32(out, 1);
  const wide = arena.bytes(12);
  kernel(wide, arena.f32(x.flatMap((v) => [0, v, 1])), 1, x.length, 3);
  const column = arena.readF32(wide, 3)[1]!;
  arena.verify();
  return [row!, column];
}

describe("sum", () => {
  it("matches float64 on every shape", () => reduces((...a) => k.sum(...a), total));

  it("keeps a relative error below 1e-6 over ten million numbers", () => {
    const n = 10_000_000;
    const noise = randoms(n);
    for (const x of [new Float32Array(n).fill(0.1), noise.map((v) => 1 + v * 0.1), noise.map((v) => 0.1 + v * 0.01)]) {
      const exact = x.reduce((a, b) => a + b, 0);
      const pointer = arena.f32(x);
      const out = arena.bytes(64);
      k.sum(out, pointer, 1, n, 1);
      expect(Math.abs(arena.readF32(out, 1)[0]! / exact - 1)).toBeLessThan(3e-7);
      // As columns: 16 at a time, and in a strip of two.
      for (const inner of [16, 2]) {
        k.sum(out, pointer, 1, n / inner, inner);
        const parts = arena.readF32(out, inner);
        for (let j = 0; j < inner; j++) {
          let part = 0;
          for (let i = j; i < n; i += inner) part += x[i]!;
          expect(Math.abs(parts[j]! / part - 1)).toBeLessThan(5e-7);
        }
      }
      arena.verify();
    }
  }, 60_000);

  it("propagates NaN and infinities", () => {
    expect(both(k.sum, [1, NAN, 2])).toEqual([NAN, NAN]);
    expect(both(k.sum, [1, INF, 2])).toEqual([INF, INF]);
    expect(both(k.sum, [INF, -INF])).toEqual([NAN, NAN]);
  });

  it("of nothing is 0", () => {
    const out = arena.bytes(12);
    k.sum(out, 0, 3, 0, 1);
    expect(arena.readF32(out, 3)).toEqual([0, 0, 0]);
    k.prod(out, 0, 1, 0, 3);
    expect(arena.readF32(out, 3)).toEqual([1, 1, 1]);
    arena.verify();
  });
});

describe("mean and the backward of sums", () => {
  it("mean divides in float64", () =>
    reduces(
      (o, x, a, r, i) => k.mean(o, x, a, r, i, r),
      (c) => total(c) / c.length,
    ));

  it("sum_broadcast repeats", () => {
    for (const [outer, r, inner] of SHAPES) {
      const g = randoms(outer * inner);
      const dx = arena.bytes(outer * r * inner * 4);
      k.sum_broadcast(dx, arena.f32(g), outer, r, inner, 0.5);
      const want = uncolumns(
        Array.from(g, (v) => new Array(r).fill(v * 0.5)),
        outer,
        r,
        inner,
      );
      expectClose(arena.readF32(dx, want.length), want, { rtol: 0, atol: 0 });
      arena.verify();
    }
  });
});

describe("products and extrema", () => {
  it("prod", () => reduces(k.prod, (c) => c.reduce((a, b) => a * b, 1), { rtol: 1e-4, scale: 1.3 }));
  it("amax", () => reduces(k.amax, largest, { rtol: 0, atol: 0 }));
  it("amin", () => reduces(k.amin, smallest, { rtol: 0, atol: 0 }));
  it("sum_i32", () => reducesI32(k.sum_i32, (c) => total(c) | 0));
  it("prod_i32", () => reducesI32(k.prod_i32, (c) => c.reduce((a, b) => Math.imul(a, b), 1)));
  it("amax_i32", () => reducesI32(k.amax_i32, largest));
  it("amin_i32", () => reducesI32(k.amin_i32, smallest));

  it("NaN propagates wherever it stands", () => {
    for (let at = 0; at < 37; at++) {
      const x = Array.from({ length: 37 }, (_, i) => (i === at ? NAN : i));
      for (const kernel of [k.amax, k.amin, k.prod, k.sum]) expect(both(kernel, x)).toEqual([NAN, NAN]);
    }
    expect(both(k.amax, [-INF, -INF])).toEqual([-INF, -INF]);
    expect(both(k.amin, [INF, INF])).toEqual([INF, INF]);
  });

  it("amax_backward shares among ties", () => {
    for (const [outer, r, inner] of SHAPES) {
      const x = randoms(outer * r * inner, 7).map((v) => Math.round(v));
      const cols = columns(x, outer, r, inner);
      const g = randoms(outer * inner, 3);
      const dx = arena.bytes(x.length * 4);
      k.amax_backward(dx, arena.f32(g), arena.f32(x), arena.f32(cols.map(largest)), outer, r, inner);
      const want = cols.map((c, i) => {
        const m = largest(c);
        const ties = c.filter((v) => v === m).length;
        return c.map((v) => (v === m ? g[i]! / ties : 0));
      });
      expectClose(arena.readF32(dx, x.length), uncolumns(want, outer, r, inner), { what: `${[outer, r, inner]}` });
      arena.verify();
    }
  });

  it("amax_backward of NaN is NaN", () => {
    const dx = arena.bytes(12);
    k.amax_backward(dx, arena.f32([1]), arena.f32([1, NAN, 1]), arena.f32([NAN]), 1, 3, 1);
    expect(arena.readF32(dx, 3)).toEqual([NAN, NAN, NAN]);
    arena.verify();
  });

  it("prod_backward, with no, one and two zeros", () => {
    for (const [outer, r, inner] of SHAPES) {
      const x = randoms(outer * r * inner, 9).map((v, i) => (i % 11 === 0 ? 0 : 1 + v * 0.1));
      const g = randoms(outer * inner, 3);
      const dx = arena.bytes(x.length * 4);
      k.prod_backward(dx, arena.f32(g), arena.f32(x), outer, r, inner);
      const want = columns(x, outer, r, inner).map((c, i) =>
        c.map((_, j) => g[i]! * c.reduce((a, b, l) => (l === j ? a : a * b), 1)),
      );
      expectClose(arena.readF32(dx, x.length), uncolumns(want, outer, r, inner), { rtol: 1e-4, atol: 1e-12 });
      arena.verify();
    }
  });
});

describe("extrema with their index", () => {
  const first = (c: number[], m: number) => (c.some(Number.isNaN) ? c.findIndex(Number.isNaN) : c.indexOf(m));

  function check(name: "max" | "min", suffix: "" | "_i32", nan: boolean) {
    const extreme = name === "max" ? largest : smallest;
    for (const [outer, r, inner] of SHAPES) {
      const x = randoms(outer * r * inner, 5).map((v, i) => (nan && i % 13 === 5 ? NAN : Math.round(v * 2)));
      const cols = columns(x, outer, r, inner);
      const values = arena.bytes(outer * inner * 4);
      const indices = arena.bytes(outer * inner * 4);
      const pointer = suffix ? arena.i32(x) : arena.f32(x);
      const want = cols.map((c) => first(c, extreme(c)));
      k[`${name}_with_index${suffix}`](values, indices, pointer, outer, r, inner);
      expect(arena.readI32(indices, want.length)).toEqual(want);
      const read = suffix ? arena.readI32 : arena.readF32;
      expectClose(read(values, want.length), cols.map(extreme), { rtol: 0, atol: 0 });
      const alone = arena.bytes(outer * inner * 4);
      k[`${name}_with_index${suffix}`](0, alone, pointer, outer, r, inner);
      expect(arena.readI32(alone, want.length)).toEqual(want);
      arena.verify();
    }
  }

  for (const name of ["max", "min"] as const) {
    it(`${name}: the first of equals`, () => check(name, "", false));
    it(`${name}: the first NaN`, () => check(name, "", true));
    it(`${name} of int32`, () => check(name, "_i32", false));
  }

  it("an infinite row has index 0", () => {
    const out = arena.bytes(4);
    k.max_with_index(0, out, arena.f32([-INF, -INF, -INF]), 1, 3, 1);
    expect(arena.readI32(out, 1)).toEqual([0]);
    arena.verify();
  });

  it("scatter_index_backward gives all to the index", () => {
    const dx = arena.bytes(2 * 3 * 2 * 4);
    k.scatter_index_backward(dx, arena.f32([1, 2, 3, 4]), arena.i32([0, 2, 1, 1]), 2, 3, 2);
    expect(arena.readF32(dx, 12)).toEqual([1, 0, 0, 0, 0, 2, 0, 0, 3, 4, 0, 0]);
    arena.verify();
  });
});

describe("bytes", () => {
  it("any, all, sum_u8", () => {
    for (const [outer, r, inner] of SHAPES) {
      for (const rare of [0, 1]) {
        // Mostly zeros, then mostly ones (and one large byte), so that both answers occur at every size.
        const x = Uint8Array.from(randoms(outer * r * inner, r + rare), (v) => (v > 1.6 ? 1 - rare : rare * 200));
        const cols = columns(x, outer, r, inner);
        const out = arena.bytes(outer * inner, 1);
        const pointer = arena.u8(x);
        k.any(out, pointer, outer, r, inner);
        expect(arena.readU8(out, cols.length)).toEqual(cols.map((c) => Number(c.some((v) => v !== 0))));
        k.all(out, pointer, outer, r, inner);
        expect(arena.readU8(out, cols.length)).toEqual(cols.map((c) => Number(c.every((v) => v !== 0))));
        const sums = arena.bytes(outer * inner * 4);
        k.sum_u8(sums, pointer, outer, r, inner);
        expect(arena.readI32(sums, cols.length)).toEqual(cols.map(total));
        arena.verify();
      }
    }
    const out = arena.bytes(2, 1);
    k.any(out, 0, 1, 0, 1);
    k.all(out + 1, 0, 1, 0, 1);
    expect(arena.readU8(out, 2)).toEqual([0, 1]);
    arena.verify();
  });
});

describe("variance", () => {
  const varianceOf = (c: number[], correction: number) => {
    const m = total(c) / c.length;
    return total(c.map((v) => (v - m) ** 2)) / Math.max(0, c.length - correction);
  };

  for (const offset of [0, 1e4, 1e7]) {
    it(`is accurate around a mean of ${offset}`, () => {
      for (const [outer, r, inner] of SHAPES) {
        const x = randoms(outer * r * inner, r).map((v) => v + offset);
        const cols = columns(x, outer, r, inner);
        for (const correction of [0, 1]) {
          const out = arena.bytes(outer * inner * 4);
          const mean = arena.bytes(outer * inner * 4);
          k.variance(out, mean, arena.f32(x), outer, r, inner, correction);
          expectClose(
            arena.readF32(out, cols.length),
            cols.map((c) => varianceOf(c, correction)),
            { atol: 0 },
          );
          expectClose(
            arena.readF32(mean, cols.length),
            cols.map((c) => total(c) / c.length),
          );
          k.variance(out, 0, arena.f32(x), outer, r, inner, correction);
          arena.verify();
        }
      }
    });
  }

  it("variance_backward", () => {
    for (const [outer, r, inner] of SHAPES) {
      const x = randoms(outer * r * inner, r);
      const cols = columns(x, outer, r, inner);
      const means = cols.map((c) => total(c) / c.length);
      const g = randoms(outer * inner, 2);
      const dx = arena.bytes(x.length * 4);
      k.variance_backward(dx, arena.f32(g), arena.f32(x), arena.f32(means), outer, r, inner, 0);
      const want = cols.map((c, i) => c.map((v) => ((g[i]! * 2) / r) * (v - means[i]!)));
      expectClose(arena.readF32(dx, x.length), uncolumns(want, outer, r, inner));
      arena.verify();
    }
  });
});

describe("norms", () => {
  const normOf = (c: number[], p: number) => {
    if (p === 0) return c.filter((v) => v !== 0).length;
    const a = c.map(Math.abs);
    if (p === INF) return largest(a);
    return p === -INF ? smallest(a) : total(a.map((v) => v ** p)) ** (1 / p);
  };
  for (const p of [0, 1, 2, 3, 1.5, 0.5, -1, INF, -INF]) {
    it(`p = ${p}`, () =>
      reduces(
        (...a) => k.norm_p(...a, p),
        (c) => normOf(c, p),
        { rtol: 3e-6 },
      ));
    it(`p = ${p}, backward`, () => {
      for (const [outer, r, inner] of SHAPES) {
        const x = randoms(outer * r * inner, r).map((v, i) =>
          i % 7 === 3 && p >= 1 ? 0 : Math.round(v * 8) / 8 + 1 / 64,
        );
        const cols = columns(x, outer, r, inner);
        const norms = cols.map((c) => Math.fround(normOf(c, p)));
        const g = randoms(outer * inner, 2);
        const dx = arena.bytes(x.length * 4);
        k.norm_p_backward(dx, arena.f32(g), arena.f32(x), arena.f32(norms), outer, r, inner, p);
        const want = cols.map((c, i) => {
          const ties = c.filter((v) => Math.abs(v) === norms[i]).length;
          return c.map((v) => {
            if (p === 0 || v === 0) return 0;
            if (Math.abs(p) === INF) return Math.abs(v) === norms[i] ? (g[i]! * Math.sign(v)) / ties : 0;
            return g[i]! * Math.sign(v) * (Math.abs(v) / norms[i]!) ** (p - 1);
          });
        });
        expectClose(arena.readF32(dx, x.length), uncolumns(want, outer, r, inner), { rtol: 5e-6 });
        arena.verify();
      }
    });
  }
  it("of NaN is NaN; of zeros has gradient 0", () => {
    for (const p of [1, 2, 3, INF, -INF]) expect(both((...a) => k.norm_p(...a, p), [1, NAN, 2])).toEqual([NAN, NAN]);
    for (const p of [1, 2, 3, 1.5]) {
      const dx = arena.bytes(8);
      k.norm_p_backward(dx, arena.f32([1]), arena.f32([0, 0]), arena.f32([0]), 1, 2, 1, p);
      expect(arena.readF32(dx, 2)).toEqual([0, 0]);
      arena.verify();
    }
  });
});

describe("logsumexp", () => {
  const lse = (c: number[]) => {
    const m = largest(c);
    return m + Math.log(total(c.map((v) => Math.exp(v - m))));
  };
  it("matches float64", () => reduces(k.logsumexp, lse));
  it("does not overflow", () => reduces(k.logsumexp, lse, { scale: 200 }));
  it("infinities and NaN as PyTorch", () => {
    expect(both(k.logsumexp, [-INF, -INF])).toEqual([-INF, -INF]);
    expect(both(k.logsumexp, [INF, 1, -INF])).toEqual([INF, INF]);
    expect(both(k.logsumexp, [INF, NAN])).toEqual([NAN, NAN]);
    const out = arena.bytes(4);
    k.logsumexp(out, 0, 1, 0, 1);
    expect(arena.readF32(out, 1)).toEqual([-INF]);
    arena.verify();
  });
  it("backward", () => {
    for (const [outer, r, inner] of SHAPES) {
      const x = randoms(outer * r * inner, r);
      const cols = columns(x, outer, r, inner);
      const out = cols.map((c) => Math.fround(lse(c)));
      const g = randoms(outer * inner, 2);
      const dx = arena.bytes(x.length * 4);
      k.logsumexp_backward(dx, arena.f32(g), arena.f32(x), arena.f32(out), outer, r, inner);
      const want = cols.map((c, i) => c.map((v) => g[i]! * Math.exp(v - out[i]!)));
      expectClose(arena.readF32(dx, x.length), uncolumns(want, outer, r, inner));
      arena.verify();
    }
  });
});

describe("cumsum", () => {
  const running = (c: number[]) => {
    let s = 0;
    return c.map((v) => {
      s += v;
      return s;
    });
  };
  it("forwards, backwards and in place", () => {
    for (const [outer, r, inner] of SHAPES) {
      const x = randoms(outer * r * inner, r);
      const cols = columns(x, outer, r, inner);
      const out = arena.bytes(x.length * 4);
      k.cumsum(out, arena.f32(x), outer, r, inner, 0);
      expectClose(arena.readF32(out, x.length), uncolumns(cols.map(running), outer, r, inner), { rtol: 2e-7 });
      k.cumsum(out, arena.f32(x), outer, r, inner, 1);
      const reversed = cols.map((c) => running(c.toReversed()).reverse());
      expectClose(arena.readF32(out, x.length), uncolumns(reversed, outer, r, inner), { rtol: 2e-7 });
      const ints = x.map((v) => Math.round(v * 100));
      k.cumsum_i32(out, arena.i32(ints), outer, r, inner);
      const want = uncolumns(columns(ints, outer, r, inner).map(running), outer, r, inner);
      expect(arena.readI32(out, x.length).map((v) => v + 0)).toEqual(want.map((v) => v + 0));
      arena.verify();
    }
  });
});
