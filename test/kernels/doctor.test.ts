import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { expectClose, randomFloats, Slab } from "./slab.js";

const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33, 257];

/** What tensor_stats promises, in float64. */
function reference(x: Float32Array, low: number, high: number): number[] {
  const finite = Array.from(x).filter(Number.isFinite);
  const sum = (f: (v: number) => number) => finite.reduce((s, v) => s + f(v), 0);
  return [
    sum((v) => v),
    sum((v) => v * v),
    Math.min(...finite),
    Math.max(...finite),
    sum((v) => (v === 0 ? 1 : 0)),
    sum((v) => (v < low || v > high ? 1 : 0)),
    Array.from(x).filter(Number.isNaN).length,
    Array.from(x).filter((v) => Math.abs(v) === Number.POSITIVE_INFINITY).length,
  ];
}

function stats(x: Float32Array, low = -0.5, high = 0.75): number[] {
  const slab = new Slab();
  const out = slab.put(new Float64Array(8));
  k.tensor_stats(out, slab.put(x), x.length, low, high);
  slab.check();
  return [...slab.read<Float64Array>(out)];
}

describe("tensor_stats", () => {
  it("gives sums, bounds and counts of any length", () => {
    for (const n of LENGTHS) {
      const x = randomFloats(n);
      if (n > 4) x[3] = 0;
      if (n > 6) x[5] = -0;
      expectClose(stats(x), reference(x, -0.5, 0.75), 1e-12, 1e-12);
    }
  });

  it("counts NaN and infinities and leaves them out of the rest, wherever they stand", () => {
    for (const n of [1, 4, 9, 34]) {
      for (let i = 0; i < n; i++) {
        for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
          const x = randomFloats(n);
          x[i] = bad;
          expectClose(stats(x), reference(x, -0.5, 0.75), 1e-12, 1e-12);
        }
      }
    }
    const both = Float32Array.of(1, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY, -3);
    expect(stats(both, -1, 1)).toEqual([0, 14, -3, 2, 0, 2, 0, 2]);
  });

  it("does not overflow on large values, nor lose small ones", () => {
    const x = new Float32Array(101).fill(3e38);
    expect(stats(x)[1]).toBeCloseTo(101 * Math.fround(3e38) ** 2, -70);
    const tiny = new Float32Array(101).fill(1e-40);
    expect(stats(tiny)[0] / (101 * Math.fround(1e-40))).toBeCloseTo(1, 10);
    expect(stats(tiny)[1] / (101 * Math.fround(1e-40) ** 2)).toBeCloseTo(1, 10);
  });

  it("keeps a relative error below 1e-6 over millions of elements", () => {
    const n = 5_000_000;
    const slab = new Slab();
    const out = slab.put(new Float64Array(8));
    const x = new Float32Array(n).fill(0.1);
    k.tensor_stats(out, slab.put(x), n, -1, 1);
    const [sum, squares] = [...slab.read<Float64Array>(out)];
    expect(Math.abs(sum / (n * Math.fround(0.1)) - 1)).toBeLessThan(1e-9);
    expect(Math.abs(squares / (n * Math.fround(0.1) ** 2) - 1)).toBeLessThan(1e-9);
  });
});

/** Elements that copy_blocks copies: one block of 128 of every `every` on end, and the last n % 8. */
function comparedElements(n: number, every: number): number[] {
  const whole = n - (n % 8);
  const isCompared = (i: number): boolean => {
    const block = Math.floor(i / 128);
    const group = Math.floor(block / every);
    return i >= whole || block % every === (Math.imul(group, 0x9e3779b1) >>> 16) % every;
  };
  return Array.from({ length: n }, (_, i) => i).filter(isCompared);
}

/** What parameter_stats promises, in float64. */
function parameterReference(after: Float32Array, before: Float32Array, grad: Float32Array, every = 1): number[] {
  const sum = (x: Float32Array, f: (v: number) => number) => Array.from(x).reduce((s, v) => s + f(v), 0);
  let [change, beside] = [0, 0];
  for (const i of comparedElements(after.length, every)) {
    change += (after[i] - before[i]) ** 2;
    beside += after[i] ** 2;
  }
  return [change, beside, sum(after, (v) => v * v), sum(grad, Math.abs), sum(grad, (v) => v * v)];
}

function parameterStats(after: Float32Array, before: Float32Array, grad: Float32Array, every = 1): number[] {
  const slab = new Slab();
  const n = after.length;
  const out = slab.put(new Float64Array(5));
  const copy = slab.put(new Float32Array(comparedElements(n, every).length));
  expect(k.copy_blocks(copy, slab.put(before), n, every)).toBe(slab.read(copy).length);
  k.parameter_stats(out, slab.put(after), copy, slab.put(grad), n, every);
  slab.check();
  return [...slab.read<Float64Array>(out)];
}

describe("copy_blocks", () => {
  it("copies one block of every so many, and the last few elements", () => {
    for (const n of [0, 5, 8, 127, 128, 136, 1000, 10_003]) {
      for (const every of [1, 2, 3, 7, 16]) {
        const slab = new Slab();
        const x = randomFloats(n);
        const expected = comparedElements(n, every).map((i) => x[i]);
        const copy = slab.put(new Float32Array(expected.length));
        expect(k.copy_blocks(copy, slab.put(x), n, every)).toBe(expected.length);
        slab.check();
        expect([...slab.read(copy)]).toEqual(expected);
      }
    }
  });

  it("takes its blocks from all columns of a matrix, whatever its width", () => {
    for (const [width, every] of [
      [768, 6],
      [896, 7],
      [1024, 8],
      [2048, 16],
    ]) {
      const columns = comparedElements(width * 512, every).map((i) => Math.floor((i % width) / 128));
      const counts = Array.from({ length: width / 128 }, (_, c) => columns.filter((column) => column === c).length);
      const expected = (512 * 128) / every;
      for (const count of counts) expect(Math.abs(count / expected - 1)).toBeLessThan(0.5);
    }
  });
});

describe("parameter_stats", () => {
  // A lane's sum of 32 positive terms in float32, each rounded once more when it is squared: 32 · 2⁻²⁴ = 1.9e-6.
  const TOLERANCE = 2e-6;

  it("gives the change's and the result's squares and the gradient's sums, of any length", () => {
    for (const n of [...LENGTHS, 127, 128, 129, 1000]) {
      const before = randomFloats(n);
      const after = before.map((v, i) => (i % 3 === 0 ? v : v + 1e-3));
      const grad = randomFloats(n);
      for (const every of [1, 3]) {
        const expected = parameterReference(after, before, grad, every);
        expectClose(parameterStats(after, before, grad, every), expected, TOLERANCE, 0);
      }
    }
  });

  it("keeps its accuracy over millions of elements", () => {
    const n = 1_500_001;
    const [after, before, grad] = [0.1, 0.1001, 1e-3].map((v) => new Float32Array(n).fill(v));
    expectClose(parameterStats(after, before, grad), parameterReference(after, before, grad), TOLERANCE, 0);
  });

  it("neither overflows nor loses what float32 cannot square", () => {
    const n = 301;
    const of = (v: number) => new Float32Array(n).fill(v);
    for (const [after, before, grad] of [
      [1, 1.5, 1e-23],
      [1, 1.5, 1e-40],
      [1, 1.5, 3e38],
      [1e-30, 2e-30, 1],
      [3e38, -3e38, 1],
      [0, 1e-25, 0],
      [0, 0, 0],
      [1, 1, 0],
    ]) {
      const arrays = [of(after), of(before), of(grad)] as const;
      for (const every of [1, 2]) {
        expectClose(parameterStats(...arrays, every), parameterReference(...arrays, every), TOLERANCE, 0);
      }
    }
  });

  it("shows NaN and infinities in the sums that they belong to", () => {
    for (const n of [1, 6, 131]) {
      for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
        for (const i of [0, n >> 1, n - 1]) {
          const [after, before, grad] = [randomFloats(n), randomFloats(n), randomFloats(n)];
          grad[i] = bad;
          const sums = parameterStats(after, before, grad);
          expect(sums.map(Number.isFinite)).toEqual([true, true, true, false, false]);
          after[i] = bad;
          expect(parameterStats(after, before, grad).map(Number.isFinite)).toEqual([false, false, false, false, false]);
        }
      }
    }
  });

  it("gives a change of 0 only where no element differs, however little", () => {
    for (const n of [1, 7, 8, 131, 1000]) {
      const before = randomFloats(n).map((v, i) => (i % 2 === 0 ? v : 0));
      expect(parameterStats(before.slice(), before, randomFloats(n))[0]).toBe(0);
      for (const i of [0, n >> 1, n - 1]) {
        const after = before.slice();
        // The smallest float32 there is: its square is 0 in float32, and not in float64.
        after[i] = before[i] === 0 ? 2 ** -149 : before[i] * (1 + 2 ** -23);
        expect(parameterStats(after, before, randomFloats(n))[0]).toBeGreaterThan(0);
      }
    }
  });
});

describe("unit_activity", () => {
  it("counts positive values by unit, and adds to what is there", () => {
    for (const [outer, units, inner] of [
      [3, 1, 1],
      [5, 7, 1],
      [4, 8, 1],
      [2, 3, 9],
      [2, 5, 16],
      [0, 3, 2],
    ]) {
      const slab = new Slab();
      const x = randomFloats(outer * units * inner);
      if (x.length > 2) [x[0], x[1]] = [0, Number.NaN];
      const counts = slab.put(new Float32Array(units).fill(10));
      k.unit_activity(counts, slab.put(x), outer, units, inner);
      const expected = new Float32Array(units).fill(10);
      x.forEach((v, i) => {
        if (v > 0) expected[Math.floor(i / inner) % units]++;
      });
      slab.check();
      expect([...slab.read(counts)]).toEqual([...expected]);
    }
  });
});

describe("row_hashes", () => {
  const hashes = (x: Float32Array | Int32Array, rows: number, words: number, stride: number): number[] => {
    const slab = new Slab();
    const out = slab.put(new Int32Array(rows));
    k.row_hashes(out, slab.put(x), rows, words, stride);
    slab.check();
    return [...slab.read<Int32Array>(out)];
  };

  it("is FNV-1a over every stride-th word of a row", () => {
    for (const [rows, words, stride] of [
      [1, 1, 1],
      [3, 5, 1],
      [4, 9, 3],
      [2, 784, 3],
    ]) {
      const x = randomFloats(rows * words);
      const bits = new Int32Array(x.buffer);
      const expected = Array.from({ length: rows }, (_, row) => {
        let hash = 0x811c9dc5 | 0;
        for (let i = row * words; i < (row + 1) * words; i += stride) hash = Math.imul(hash ^ bits[i], 0x01000193);
        return hash;
      });
      expect(hashes(x, rows, words, stride)).toEqual(expected);
    }
  });

  it("tells rows apart that differ in one bit, and gives equal rows one hash", () => {
    const x = Int32Array.from({ length: 40 }, (_, i) => i % 10);
    x[15] ^= 1 << 30;
    const [a, b, c, d] = hashes(x, 4, 10, 1);
    expect([c, d]).toEqual([a, a]);
    expect(b).not.toBe(a);
  });
});

describe("tensor_histogram", () => {
  it("counts every stride-th element in its bucket, whatever was there before", () => {
    const slab = new Slab();
    const x = Float32Array.of(
      0,
      -0,
      1,
      1.25,
      -1,
      1e-9,
      1e9,
      -1e9,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** -24,
      1.99,
    );
    const counts = slab.put(new Int32Array(321).fill(7));
    const at = slab.put(x);
    const bucketOf = (v: number): number => {
      const size = Math.abs(v);
      if (size < 2 ** -24) return 160;
      const octave = Math.min(Math.floor(Math.log2(size)), 16);
      const key = Math.min(4 * (octave + 24) + Math.floor(4 * (size / 2 ** octave - 1)), 159);
      return v < 0 ? 159 - key : 161 + key;
    };
    for (const stride of [1, 3]) {
      k.tensor_histogram(counts, at, x.length, stride);
      slab.check();
      const expected = new Array(321).fill(0);
      x.forEach((v, i) => {
        if (i % stride === 0 && !Number.isNaN(v)) expected[v === Number.POSITIVE_INFINITY ? 320 : bucketOf(v)]++;
      });
      expect([...slab.read<Int32Array>(counts)]).toEqual(expected);
    }
  });
});
