import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { expectClose, random, randomFloats, randomInts, Slab } from "./slab.js";

type Data = Float32Array | Int32Array | Uint8Array;
const NaNs = Number.NaN;
const randomBytes = (n: number) => Uint8Array.from(randomInts(n, 256));

/** Calls visit(o, j, i) over [outer, n, inner], with the flat position. */
function each(
  outer: number,
  n: number,
  inner: number,
  visit: (o: number, j: number, i: number, at: number) => void,
): void {
  let at = 0;
  for (let o = 0; o < outer; o++) for (let j = 0; j < n; j++) for (let i = 0; i < inner; i++) visit(o, j, i, at++);
}

describe("check_indices, wrap_indices", () => {
  it("finds the first index outside [−size, size)", () => {
    for (const n of [0, 1, 3, 4, 5, 17]) {
      for (let bad = -1; bad < n; bad++) {
        for (const wrong of [-6, 5, -(2 ** 31), 2 ** 31 - 1]) {
          const slab = new Slab();
          const idx = Int32Array.from({ length: n }, (_, i) => [-5, 4, 0, -1][i % 4]);
          if (bad >= 0) idx.fill(wrong, bad);
          expect(k.check_indices(slab.put(idx), n, 5)).toBe(bad);
        }
      }
    }
  });

  it("counts negative indices from the end, in place too", () => {
    for (const n of [0, 1, 4, 7, 16]) {
      const slab = new Slab();
      const idx = Int32Array.from({ length: n }, (_, i) => (i % 10) - 5);
      const [p, out] = [slab.put(idx), slab.ints(n)];
      k.wrap_indices(out, p, n, 5);
      k.wrap_indices(p, p, n, 5);
      slab.check();
      const expected = idx.map((v) => (v < 0 ? v + 5 : v));
      expect(slab.read<Int32Array>(out)).toEqual(expected);
      expect(slab.read<Int32Array>(p)).toEqual(expected);
    }
  });
});

describe("index_rows, index_put_rows", () => {
  it("copies rows of any size", () => {
    const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 31, 32, 33, 64, 100, 784, 2047, 2048, 2052];
    for (const bytes of sizes) {
      const [outer, r] = [2, 5];
      for (const n of [0, 1, 6]) {
        const slab = new Slab();
        const x = randomBytes(outer * r * bytes);
        const idx = randomInts(n, r);
        const [out, pi] = [slab.bytes(outer * n * bytes), slab.put(idx)];
        k.index_rows(out, slab.put(x), pi, outer, r, bytes, n);
        const value = randomBytes(outer * n * bytes);
        const target = slab.put(x);
        k.index_put_rows(target, pi, slab.put(value), outer, r, bytes, n);
        slab.check();
        const taken = new Uint8Array(outer * n * bytes);
        const written = x.slice();
        each(outer, n, bytes, (o, j, i, at) => {
          taken[at] = x[(o * r + idx[j]) * bytes + i];
          written[(o * r + idx[j]) * bytes + i] = value[at];
        });
        expect(slab.read<Uint8Array>(out)).toEqual(taken);
        expect(slab.read<Uint8Array>(target)).toEqual(written);
      }
    }
  });
});

describe("index_rows_add, embedding_backward", () => {
  it("adds rows in the order of the index", () => {
    for (const inner of [1, 2, 3, 4, 5, 8, 17, 64]) {
      const [outer, r, n] = [2, 3, 11];
      const slab = new Slab();
      const dout = randomFloats(outer * n * inner);
      const start = randomFloats(outer * r * inner);
      const idx = randomInts(n, r);
      const [dx, pi, pd] = [slab.put(start), slab.put(idx), slab.put(dout)];
      k.index_rows_add(dx, pd, pi, outer, r, inner, n);
      const dweight = slab.put(new Float32Array(r * inner));
      k.embedding_backward(dweight, pd, pi, n, inner, 1);
      slab.check();
      const expected = start.slice();
      const weight = new Float32Array(r * inner);
      each(outer, n, inner, (o, j, i, at) => {
        expected[(o * r + idx[j]) * inner + i] += dout[at];
        if (o === 0 && idx[j] !== 1) weight[idx[j] * inner + i] += dout[at];
      });
      expect(slab.read(dx)).toEqual(expected);
      expect(slab.read(dweight)).toEqual(weight);
    }
  });
});

describe("gather and scatter", () => {
  for (const inner of [1, 3, 8]) {
    it(`take and put single elements, inner ${inner}`, () => {
      const [outer, r] = [3, 4];
      for (const n of [0, 1, 4, 9]) {
        const slab = new Slab();
        const idx = randomInts(outer * n * inner, r);
        const pi = slab.put(idx);
        const source = (o: number, i: number, at: number) => (o * r + idx[at]) * inner + i;
        const shape = [outer, r, inner, n] as const;

        const take = <T extends Data>(x: T, kernel: typeof k.gather_4) => {
          const out = slab.put(x.slice(0, 0).constructor === Uint8Array ? new Uint8Array(idx.length) : idx.slice());
          kernel(out, slab.put(x), pi, ...shape);
          const expected = Array(idx.length);
          each(outer, n, inner, (o, _, i, at) => {
            expected[at] = x[source(o, i, at)];
          });
          expect([...slab.read<Data>(out)]).toEqual(expected);
        };
        take(randomInts(outer * r * inner, 1e9), k.gather_4);
        take(randomBytes(outer * r * inner), k.gather_1);

        const put = <T extends Data>(
          start: T,
          run: (out: number) => void,
          change: (old: number, at: number) => number,
        ) => {
          const out = slab.put(start);
          run(out);
          const expected = start.slice() as T;
          each(outer, n, inner, (o, _, i, at) => {
            expected[source(o, i, at)] = change(expected[source(o, i, at)], at);
          });
          expect(slab.read<Data>(out)).toEqual(expected);
        };
        const floats = randomFloats(idx.length);
        const ints = randomInts(idx.length, 1e9);
        const bytes = randomBytes(idx.length);
        const [pf, pn, pb] = [slab.put(floats), slab.put(ints), slab.put(bytes)];
        const start = randomFloats(outer * r * inner);
        const startInts = randomInts(start.length, 1000);
        const startBytes = randomBytes(start.length);
        put(
          start,
          (out) => k.scatter_4(out, pi, pf, ...shape),
          (_, at) => floats[at],
        );
        put(
          startBytes,
          (out) => k.scatter_1(out, pi, pb, ...shape),
          (_, at) => bytes[at],
        );
        put(
          start,
          (out) => k.scatter_add_f32(out, pi, pf, ...shape),
          (old, at) => old + floats[at],
        );
        put(
          startInts,
          (out) => k.scatter_add_i32(out, pi, pn, ...shape),
          (old, at) => old + ints[at],
        );
        put(
          start,
          (out) => k.gather_backward(out, pf, pi, ...shape),
          (old, at) => old + floats[at],
        );
        slab.check();
      }
    });
  }
});

describe("mask_count, mask_indices", () => {
  it("count and list the true", () => {
    for (const n of [0, 1, 15, 16, 17, 33, 100]) {
      for (const density of [0, 0.3, 1]) {
        const slab = new Slab();
        const mask = Uint8Array.from({ length: n }, () => +((random() + 1) / 2 < density));
        const expected = [...mask.keys()].filter((i) => mask[i]);
        const p = slab.put(mask);
        expect(k.mask_count(p, n)).toBe(expected.length);
        const out = slab.ints(expected.length);
        expect(k.mask_indices(out, p, n)).toBe(expected.length);
        slab.check();
        expect([...slab.read<Int32Array>(out)]).toEqual(expected);
      }
    }
  });
});

/** PyTorch's order: NaN above everything, −0 equal to 0, equal elements as they come. */
function order(line: number[], descending: boolean): number[] {
  const compare = (a: number, b: number) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return +Number.isNaN(a) - +Number.isNaN(b);
    return a < b ? -1 : +(a > b);
  };
  const sign = descending ? -1 : 1;
  return [...line.keys()].sort((p, q) => sign * compare(line[p], line[q]) || p - q);
}

const SPECIAL = [0, -0, NaNs, Infinity, -Infinity, 1e-45, -1e-45, 3e38, -3e38, 1, -1, NaNs, 0, -0];

/** Floats with ties and special values among them. */
const ties = (n: number) =>
  Float32Array.from({ length: n }, () => {
    const v = random();
    if (v > 0.8) return SPECIAL[Math.floor((v - 0.8) * 5 * SPECIAL.length)];
    return v > 0 ? Math.round(v * 10) : random() * 100;
  });

function lines(
  x: Data,
  outer: number,
  r: number,
  inner: number,
  visit: (line: number[], at: (j: number, n: number) => number) => void,
) {
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const line = Array.from({ length: r }, (_, j) => x[(o * r + j) * inner + i]);
      visit(line, (j, n) => (o * n + j) * inner + i);
    }
  }
}

const LENGTHS = [0, 1, 2, 3, 10, 47, 48, 49, 64, 257, 1000];

describe("sort", () => {
  for (const descending of [false, true]) {
    for (const inner of [1, 3]) {
      it(`is stable and puts NaN ${descending ? "first" : "last"}, inner ${inner}`, () => {
        for (const r of LENGTHS) {
          const outer = 2;
          const n = outer * r * inner;
          for (const x of [ties(n), randomInts(n, 20).map((v) => v - 10), randomInts(n, 2 ** 32)]) {
            const slab = new Slab();
            const values = slab.put(x.slice().fill(7));
            const indices = slab.ints(n);
            const scratch = slab.bytes(16 * r + 4096);
            const sort = x instanceof Float32Array ? k.sort_f32 : k.sort_i32;
            sort(values, indices, slab.put(x), outer, r, inner, +descending, scratch);
            slab.check();
            const expectedIndices = new Int32Array(n);
            const expectedValues = x.slice();
            lines(x, outer, r, inner, (line, at) => {
              order(line, descending).forEach((from, j) => {
                expectedIndices[at(j, r)] = from;
                expectedValues[at(j, r)] = line[from];
              });
            });
            expect(slab.read<Int32Array>(indices)).toEqual(expectedIndices);
            expect(slab.read<Data>(values)).toEqual(expectedValues);
          }
        }
      });
    }
  }

  it("agrees with torch.sort on special values", () => {
    const slab = new Slab();
    const x = slab.put(Float32Array.of(1, NaNs, -0, 0, Infinity, -1, NaNs, 2));
    const [values, indices, scratch] = [slab.floats(8), slab.ints(8), slab.bytes(16 * 8 + 4096)];
    k.sort_f32(values, indices, x, 1, 8, 1, 1, scratch);
    expect([...slab.read<Int32Array>(indices)]).toEqual([1, 6, 4, 7, 0, 2, 3, 5]);
    expect([...slab.read(values)]).toEqual([NaNs, NaNs, Infinity, 2, 1, -0, 0, -1]);
    k.sort_f32(values, indices, x, 1, 8, 1, 0, scratch);
    expect([...slab.read<Int32Array>(indices)]).toEqual([5, 2, 3, 0, 7, 4, 1, 6]);
  });
});

describe("topk", () => {
  for (const largest of [true, false]) {
    for (const inner of [1, 2]) {
      it(`takes the ${largest ? "largest" : "smallest"}, best first, inner ${inner}`, () => {
        for (const r of LENGTHS) {
          for (const count of new Set([0, 1, 2, 5, 17, r >> 4, r >> 2, r].filter((c) => c <= r))) {
            const outer = 2;
            const slab = new Slab();
            const x = ties(outer * r * inner);
            const values = slab.floats(outer * count * inner);
            const indices = slab.ints(outer * count * inner);
            const scratch = slab.bytes(16 * r + 4096);
            k.topk_f32(values, indices, slab.put(x), outer, r, inner, count, +largest, scratch);
            slab.check();
            const expectedIndices = new Int32Array(outer * count * inner);
            const expectedValues = new Float32Array(outer * count * inner);
            lines(x, outer, r, inner, (line, at) => {
              for (const [j, from] of order(line, largest).slice(0, count).entries()) {
                expectedIndices[at(j, count)] = from;
                expectedValues[at(j, count)] = line[from];
              }
            });
            expect(slab.read<Int32Array>(indices)).toEqual(expectedIndices);
            expect(slab.read(values)).toEqual(expectedValues);
          }
        }
      });
    }
  }
});

describe("tril, triu", () => {
  it("keep one side of any diagonal, for elements of 1 and 4 bytes, in place too", () => {
    for (const [rows, cols] of [
      [1, 1],
      [3, 3],
      [5, 2],
      [2, 7],
      [4, 0],
      [20, 33],
    ]) {
      for (const diagonal of [0, 1, -1, 2, -3, 100, -100, 2 ** 31 - 1, -(2 ** 31)]) {
        for (const x of [randomInts(2 * rows * cols, 1e9), randomBytes(2 * rows * cols)]) {
          for (const upper of [false, true]) {
            const slab = new Slab();
            const [p, out] = [slab.put(x), slab.put(x.slice().fill(7))];
            const kernel = upper ? k.triu : k.tril;
            kernel(out, p, 2, rows, cols, diagonal, x.BYTES_PER_ELEMENT);
            kernel(p, p, 2, rows, cols, diagonal, x.BYTES_PER_ELEMENT);
            slab.check();
            const expected = x.slice();
            each(2, rows, cols, (_, i, j, at) => {
              if (upper ? j - i < diagonal : j - i > diagonal) expected[at] = 0;
            });
            expect(slab.read<Data>(out)).toEqual(expected);
            expect(slab.read<Data>(p)).toEqual(expected);
          }
        }
      }
    }
  });
});

describe("flip", () => {
  it("reverses the middle dimension", () => {
    for (const bytes of [1, 2, 4, 8, 12, 40]) {
      for (const r of [0, 1, 3, 4, 5, 15, 16, 17, 33]) {
        const slab = new Slab();
        const x = randomBytes(2 * r * bytes);
        const out = slab.bytes(x.length);
        k.flip(out, slab.put(x), 2, r, bytes);
        slab.check();
        const expected = new Uint8Array(x.length);
        each(2, r, bytes, (o, j, i, at) => {
          expected[at] = x[(o * r + r - 1 - j) * bytes + i];
        });
        expect(slab.read<Uint8Array>(out)).toEqual(expected);
      }
    }
  });
});

describe("what is made of indices", () => {
  it("one_hot", () => {
    const slab = new Slab();
    const idx = randomInts(13, 5);
    const out = slab.ints(13 * 5);
    k.one_hot(out, slab.put(idx), 13, 5);
    slab.check();
    expect([...slab.read<Int32Array>(out)]).toEqual([...idx].flatMap((v) => [0, 1, 2, 3, 4].map((c) => +(c === v))));
  });

  it("eye", () => {
    for (const [rows, cols] of [
      [0, 3],
      [3, 3],
      [2, 5],
      [5, 2],
    ]) {
      const slab = new Slab();
      const out = slab.floats(rows * cols);
      k.eye_f32(out, rows, cols);
      slab.check();
      const expected = new Float32Array(rows * cols);
      each(1, rows, cols, (_, i, j, at) => {
        expected[at] = +(i === j);
      });
      expect(slab.read(out)).toEqual(expected);
    }
  });

  it("arange", () => {
    const slab = new Slab();
    const [floats, ints] = [slab.floats(1001), slab.ints(9)];
    k.arange_f32(floats, -0.5, 0.1, 1001);
    k.arange_i32(ints, 3, -2, 9);
    slab.check();
    expect(slab.read(floats)).toEqual(Float32Array.from({ length: 1001 }, (_, i) => -0.5 + i * 0.1));
    expect([...slab.read<Int32Array>(ints)]).toEqual([3, 1, -1, -3, -5, -7, -9, -11, -13]);
  });

  it("linspace has both ends exactly and is symmetric", () => {
    for (const n of [0, 1, 2, 3, 7, 10, 1000]) {
      const slab = new Slab();
      const out = slab.floats(n);
      k.linspace_f32(out, -0.1, 0.1, n);
      slab.check();
      const got = slab.read(out);
      if (n > 0) expect(got[0]).toBe(Math.fround(-0.1));
      if (n > 1) expect(got[n - 1]).toBe(Math.fround(0.1));
      if (n > 1)
        expect(
          got
            .slice()
            .reverse()
            .map((v) => 0 - v),
        ).toEqual(got);
    }
    // torch.linspace(0.1, 0.9, 10)
    const slab = new Slab();
    const out = slab.floats(10);
    k.linspace_f32(out, Math.fround(0.1), Math.fround(0.9), 10);
    expectClose(
      slab.read(out),
      [
        0.1, 0.18888887763023376, 0.277777761220932, 0.36666664481163025, 0.4555555284023285, 0.5444444417953491,
        0.6333333253860474, 0.7222222089767456, 0.8111110925674438, 0.8999999761581421,
      ],
      1.2e-7,
    );
  });
});
