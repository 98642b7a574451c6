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
    sum(Math.abs),
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
  const out = slab.put(new Float64Array(9));
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
    expect(stats(both, -1, 1)).toEqual([0, 6, 14, -3, 2, 0, 2, 0, 2]);
  });

  it("does not overflow on large values, nor lose small ones", () => {
    const x = new Float32Array(101).fill(3e38);
    expect(stats(x)[2]).toBeCloseTo(101 * Math.fround(3e38) ** 2, -70);
    const tiny = new Float32Array(101).fill(1e-40);
    expect(stats(tiny)[1] / (101 * Math.fround(1e-40))).toBeCloseTo(1, 10);
  });

  it("keeps a relative error below 1e-6 over millions of elements", () => {
    const n = 5_000_000;
    const slab = new Slab();
    const out = slab.put(new Float64Array(9));
    const x = new Float32Array(n).fill(0.1);
    k.tensor_stats(out, slab.put(x), n, -1, 1);
    const [sum, , squares] = [...slab.read<Float64Array>(out)];
    expect(Math.abs(sum / (n * Math.fround(0.1)) - 1)).toBeLessThan(1e-9);
    expect(Math.abs(squares / (n * Math.fround(0.1) ** 2) - 1)).toBeLessThan(1e-9);
  });
});

describe("magnitude_stats", () => {
  it("gives Σ|x| and Σx², not finite when an element is not", () => {
    for (const n of LENGTHS) {
      const slab = new Slab();
      const x = randomFloats(n);
      const out = slab.put(new Float64Array(2));
      const p = slab.put(x);
      k.magnitude_stats(out, p, n);
      slab.check();
      expectClose(slab.read<Float64Array>(out), reference(x, 0, 0).slice(1, 3), 1e-12, 1e-12);
    }
    for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
      for (let i = 0; i < 6; i++) {
        const slab = new Slab();
        const x = randomFloats(6);
        x[i] = bad;
        const out = slab.put(new Float64Array(2));
        k.magnitude_stats(out, slab.put(x), 6);
        for (const sum of slab.read<Float64Array>(out)) expect(Number.isFinite(sum)).toBe(false);
      }
    }
  });
});

describe("update_stats", () => {
  it("gives the norm of the change, of the result, and how many elements differ", () => {
    for (const n of LENGTHS) {
      const slab = new Slab();
      const before = randomFloats(n);
      const after = before.map((v, i) => (i % 3 === 0 ? v : v + 1e-3));
      const out = slab.put(new Float64Array(3));
      k.update_stats(out, slab.put(after), slab.put(before), n);
      const change = after.reduce((s, v, i) => s + (v - before[i]) ** 2, 0);
      const squares = after.reduce((s, v) => s + v * v, 0);
      const differ = after.reduce((s, v, i) => s + (v === before[i] ? 0 : 1), 0);
      expectClose([...slab.read<Float64Array>(out)], [change, squares, differ], 1e-12, 1e-15);
    }
  });

  it("shows NaN", () => {
    const slab = new Slab();
    const out = slab.put(new Float64Array(3));
    const x = new Float32Array(6).fill(Number.NaN);
    k.update_stats(out, slab.put(x), slab.put(new Float32Array(6)), 6);
    expect([...slab.read<Float64Array>(out)]).toEqual([Number.NaN, Number.NaN, 6]);
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
