import { beforeAll, describe, expect, it } from "vitest";
import { load, memory } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";

/**
 * matmul against a float64 reference. The operands lie in slabs of memory filled with NaN (a) and Inf (b), so that
 * whatever is read beside them shows; out and scratch lie among guard values.
 */
const A = 1 << 20;
const B = 4 << 20;
const BIAS = 8 << 20;
const OUT = 9 << 20;
const SCRATCH = 12 << 20;
const GUARD = 12345.678;

type Form = "NN" | "NT" | "TN" | "TT" | "strided";
const FORMS: Form[] = ["NN", "NT", "TN", "TT", "strided"];

interface Case {
  m: number;
  n: number;
  kk: number;
  form: Form;
  bias?: boolean;
  accumulate?: boolean;
  /** Floats between rows of out beyond n. */
  gap?: number;
  /** Floats by which the operands are shifted, so that nothing is aligned. */
  shift?: number;
}

let floats: Float32Array;
let seed = 1;
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

/** Row and column strides of a [rows, columns] operand. */
function strides(rows: number, columns: number, transposed: boolean, strided: boolean): [number, number] {
  if (strided) return [columns * 2 + 3, 2];
  return transposed ? [1, rows + 1] : [columns + 2, 1];
}

function setUp({ m, n, kk, form, bias, gap = 3, shift = 1 }: Case) {
  const [ars, acs] = strides(m, kk, form === "TN" || form === "TT", form === "strided");
  const [brs, bcs] = strides(kk, n, form === "NT" || form === "TT", form === "strided");
  const a = A / 4 + shift;
  const b = B / 4 + shift;
  const out = OUT / 4 + 64 + shift;
  const ldc = n + gap;
  const scratch = SCRATCH / 4 + 64;
  const scratchFloats = k.matmul_scratch(m, n, kk) / 4;
  floats.fill(Number.NaN, A / 4, A / 4 + m * Math.max(ars, 1) + kk * acs + 64);
  floats.fill(Number.POSITIVE_INFINITY, B / 4, B / 4 + kk * Math.max(brs, 1) + n * bcs + 64);
  floats.fill(GUARD, OUT / 4, out + m * ldc + 64);
  floats.fill(GUARD, BIAS / 4, BIAS / 4 + n + 64);
  floats.fill(GUARD, scratch - 64, scratch);
  floats.fill(Number.NaN, scratch, scratch + scratchFloats);
  floats.fill(GUARD, scratch + scratchFloats, scratch + scratchFloats + 64);
  for (let i = 0; i < m; i++) for (let p = 0; p < kk; p++) floats[a + i * ars + p * acs] = random();
  for (let p = 0; p < kk; p++) for (let j = 0; j < n; j++) floats[b + p * brs + j * bcs] = random();
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) floats[out + i * ldc + j] = random();
  for (let j = 0; j < n; j++) floats[BIAS / 4 + shift + j] = random();
  return { a, ars, acs, b, brs, bcs, out, ldc, scratch, scratchFloats, bias: bias ? BIAS / 4 + shift : 0 };
}

/** Runs matmul, checks it against the reference and the guards; returns the bits of out. */
function check(c: Case, poison?: (s: ReturnType<typeof setUp>) => void): Int32Array {
  const { m, n, kk, accumulate = false } = c;
  const s = setUp(c);
  poison?.(s);
  const what = JSON.stringify(c);
  const expected = new Float64Array(m * n);
  const scale = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      let size = 0;
      const add = (v: number) => {
        sum += v;
        size += Math.abs(v);
      };
      if (accumulate) add(floats[s.out + i * s.ldc + j]);
      if (s.bias) add(floats[s.bias + j]);
      for (let p = 0; p < kk; p++) add(floats[s.a + i * s.ars + p * s.acs] * floats[s.b + p * s.brs + j * s.bcs]);
      expected[i * n + j] = sum;
      scale[i * n + j] = size;
    }
  }
  const before = floats.slice(OUT / 4, s.out + m * s.ldc + 64);
  k.matmul(
    ...([s.out * 4, s.ldc, s.a * 4, s.ars, s.acs, s.b * 4, s.brs, s.bcs, m, n, kk] as const),
    ...([s.bias * 4, accumulate ? 1 : 0, s.scratch * 4] as const),
  );
  // A sum of t float32 terms, in whatever order, errs by at most t·2⁻²⁴ times the sum of magnitudes; mostly by √t.
  const tolerance = 2e-7 * (2 + Math.sqrt(kk));
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const got = floats[s.out + i * s.ldc + j];
      const want = expected[i * n + j];
      const good = Number.isFinite(want)
        ? Math.abs(got - want) <= tolerance * scale[i * n + j]
        : Object.is(got, Math.fround(want));
      if (!good) expect.fail(`${what}: out[${i}, ${j}] is ${got}, expected ${want}`);
    }
  }
  const offset = s.out - OUT / 4;
  for (let at = 0; at < before.length; at++) {
    const i = Math.floor((at - offset) / s.ldc);
    const inside = at >= offset && i < m && (at - offset) % s.ldc < n;
    if (!inside && floats[OUT / 4 + at] !== before[at])
      expect.fail(`${what}: written outside of out, at ${at - offset}`);
  }
  for (let g = 1; g <= 64; g++) {
    const low = floats[s.scratch - g];
    const high = floats[s.scratch + s.scratchFloats - 1 + g];
    if (low !== Math.fround(GUARD) || high !== Math.fround(GUARD)) expect.fail(`${what}: written outside of scratch`);
  }
  return new Int32Array(floats.buffer, s.out * 4, m * s.ldc).slice();
}

beforeAll(() => {
  load();
  const pages = (SCRATCH + (4 << 20)) / 65536;
  if (memory.buffer.byteLength / 65536 < pages) memory.grow(pages - memory.buffer.byteLength / 65536);
  floats = new Float32Array(memory.buffer);
});

describe("matmul", () => {
  const edges = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17];

  for (const form of FORMS) {
    it(`${form}: every small size`, () => {
      for (const m of edges)
        for (const n of edges) for (const kk of [0, 1, 2, 3, 4, 5, 7, 8, 9]) check({ m, n, kk, form });
    });

    it(`${form}: bias, accumulate, both, unaligned or not`, () => {
      for (const m of [1, 3, 6, 14]) {
        for (const n of [1, 2, 4, 7, 13, 24]) {
          for (const kk of [0, 1, 10, 33]) {
            check({ m, n, kk, form, bias: true, shift: 0 });
            check({ m, n, kk, form, accumulate: true, gap: 0 });
            check({ m, n, kk, form, bias: true, accumulate: true, shift: 3 });
          }
        }
      }
    });

    it(`${form}: around the blocks`, () => {
      for (const kk of [511, 512, 513, 1030]) {
        check({ m: 13, n: 19, kk, form, bias: true, accumulate: true });
        check({ m: 7, n: 261, kk, form, accumulate: true });
        check({ m: 1, n: 9, kk, form, bias: true });
        check({ m: 9, n: 1, kk, form, accumulate: true });
        check({ m: 2, n: 3, kk, form, bias: true });
      }
      for (const n of [255, 256, 257, 258, 260, 263, 264, 300, 1023, 1025, 1033])
        check({ m: 60, n, kk: 140, form, bias: true });
      for (const n of [257, 300]) check({ m: 50, n, kk: 600, form, bias: true, accumulate: true });
      for (const m of [119, 120, 121]) check({ m, n: 130, kk: 70, form });
    });
  }

  it("layers: forward, input gradient, weight gradient", () => {
    for (const [m, kk, n] of [
      [32, 10, 100],
      [32, 100, 100],
      [32, 100, 10],
      [64, 128, 10],
      [64, 784, 256],
    ]) {
      check({ m, n, kk, form: "NT", bias: true, gap: 0, shift: 0 });
      check({ m, n: kk, kk: n, form: "NN", gap: 0, shift: 0 });
      check({ m: n, n: kk, kk: m, form: "TN", accumulate: true, gap: 0, shift: 0 });
    }
  });

  it("a long dot product, in parts", () => {
    check({ m: 1, n: 1, kk: 9000, form: "NN" });
    check({ m: 1, n: 2, kk: 9001, form: "TT", bias: true });
  });

  it("NaN and Inf stay in their row or column", () => {
    for (const form of FORMS) {
      for (const [m, n, kk] of [
        [7, 13, 9],
        [1, 6, 12],
        [6, 1, 12],
        [2, 3, 5],
        [20, 100, 33],
      ]) {
        check({ m, n, kk, form, bias: true }, (s) => {
          floats[s.a + (m - 1) * s.ars + (kk - 1) * s.acs] = Number.NaN;
        });
        check({ m, n, kk, form, accumulate: true }, (s) => {
          floats[s.b + (n - 1) * s.bcs] = Number.NaN;
          floats[s.a] = Number.POSITIVE_INFINITY;
        });
      }
    }
  });

  it("any split of rows or columns gives the same bits", () => {
    for (const form of FORMS) {
      for (const [m, n, kk] of [
        [50, 300, 600],
        [100, 21, 40],
        [3, 40, 20],
        [1, 50, 31],
        [50, 1, 31],
        [50, 3, 31],
      ]) {
        const c: Case = { m, n, kk, form, bias: true, accumulate: true };
        seed = 99;
        const whole = check(c);
        for (const [rowsAt, columnsAt] of [
          [24, 16],
          [1, 1],
          [m - 1, n - 1],
          [7, 5],
        ]) {
          seed = 99;
          const s = setUp(c);
          const part = (i0: number, i1: number, j0: number, j1: number) =>
            k.matmul_range(
              ...([s.out * 4, s.ldc, s.a * 4, s.ars, s.acs, s.b * 4, s.brs, s.bcs, m, n, kk] as const),
              ...([s.bias * 4, 1, s.scratch * 4, i0, i1, j0, j1] as const),
            );
          const i = Math.min(rowsAt, m);
          const j = Math.min(columnsAt, n);
          part(0, i, 0, j);
          part(i, m, 0, j);
          part(0, i, j, n);
          part(i, m, j, n);
          const split = new Int32Array(floats.buffer, s.out * 4, m * s.ldc);
          const same = split.every((bits, at) => bits === whole[at]);
          expect(same, JSON.stringify([c, i, j])).toBe(true);
        }
      }
    }
  });

  it("scratch is bounded", () => {
    expect(k.matmul_scratch(1 << 20, 1 << 20, 1 << 20)).toBeLessThan(3 << 20);
    expect(k.matmul_scratch(0, 0, 0)).toBeGreaterThanOrEqual(0);
  });
});

describe("peak", () => {
  it("returns a finite number", () => {
    for (const n of [2, 64, 1000]) expect(Number.isFinite(k.peak(n))).toBe(true);
  });
});
