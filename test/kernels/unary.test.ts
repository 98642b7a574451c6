import { describe, expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { lengths } from "./broadcasting.js";
import { expectNear, ulps } from "./near.js";
import { samples } from "./samples.js";
import { randomFloats, Slab } from "./slab.js";

load();

const NaN_ = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

function erf(x: number): number {
  const a = Math.abs(x);
  if (a === 0) return x;
  if (a > 6) return Math.sign(x);
  if (a < 2.5) {
    let term = x;
    let sum = x;
    for (let i = 1; i < 80; i++) {
      term *= (-x * x) / i;
      sum += term / (2 * i + 1);
    }
    return (sum * 2) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let i = 120; i >= 1; i--) fraction = i / 2 / (a + fraction);
  return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
}

const sigmoid = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const roundToEven = (x: number) => {
  const low = Math.floor(x);
  const up = x - low > 0.5 || (x - low === 0.5 && low % 2 !== 0);
  return !Number.isFinite(x) || low === x ? x : up ? low + 1 || -0 : low || (x < 0 ? -0 : 0);
};

type Unary = (out: number, x: number, n: number) => void;
type Backward = (dx: number, dout: number, saved: number, n: number) => void;

/** [kernel, reference, tolerance in ulp (0: exact), backward, derivative at x, whether backward reads the output] */
const unary: Record<string, [Unary, (x: number) => number, number, Backward?, ((x: number) => number)?, "out"?]> = {
  neg: [k.neg, (x) => -x, 0],
  abs: [k.abs, Math.abs, 0, k.abs_backward, Math.sign],
  sign: [k.sign, (x) => (x > 0 ? 1 : x < 0 ? -1 : 0), 0],
  exp: [k.exp, Math.exp, 4, k.exp_backward, Math.exp, "out"],
  expm1: [k.expm1, Math.expm1, 4, k.expm1_backward, Math.exp, "out"],
  log: [k.log, Math.log, 4, k.log_backward, (x) => 1 / x],
  log1p: [k.log1p, Math.log1p, 4, k.log1p_backward, (x) => 1 / (1 + x)],
  log2: [k.log2, Math.log2, 4, k.log2_backward, (x) => 1 / (x * Math.LN2)],
  log10: [k.log10, Math.log10, 4, k.log10_backward, (x) => 1 / (x * Math.LN10)],
  sqrt: [k.sqrt, Math.sqrt, 0, k.sqrt_backward, (x) => 0.5 / Math.sqrt(x), "out"],
  rsqrt: [k.rsqrt, (x) => 1 / Math.sqrt(x), 4, k.rsqrt_backward, (x) => -0.5 / (x * Math.sqrt(x)), "out"],
  square: [k.square, (x) => x * x, 0, k.square_backward, (x) => 2 * x],
  reciprocal: [k.reciprocal, (x) => 1 / x, 0, k.reciprocal_backward, (x) => -1 / (x * x), "out"],
  sin: [k.sin, Math.sin, 4, k.sin_backward, Math.cos],
  cos: [k.cos, Math.cos, 4, k.cos_backward, (x) => -Math.sin(x)],
  tanh: [k.tanh, Math.tanh, 4, k.tanh_backward, (x) => 1 - Math.tanh(x) ** 2, "out"],
  sigmoid: [k.sigmoid, sigmoid, 4, k.sigmoid_backward, (x) => sigmoid(x) * sigmoid(-x), "out"],
  erf: [k.erf, erf, 4, k.erf_backward, (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)],
  floor: [k.floor, Math.floor, 0],
  ceil: [k.ceil, Math.ceil, 0],
  round: [k.round, roundToEven, 0],
};

describe.each(Object.keys(unary))("%s", (name) => {
  const [kernel, f, tolerance, backward, derivative, saved] = unary[name];

  test(`within ${tolerance} ulp of float64, over all bit patterns`, () => {
    const n = 1 << 16;
    const slab = new Slab();
    const values = samples(n);
    const out = slab.floats(n);
    kernel(out, slab.put(values), n);
    const result = slab.read(out);
    for (let i = 0; i < n; i++) {
      const error = ulps(result[i], f(values[i]));
      if (error > tolerance) expect.fail(`${name}(${values[i]}) = ${result[i]}, ${error} ulp from ${f(values[i])}`);
    }
    slab.check();
  });

  test("every length, and in place", () => {
    for (const n of lengths) {
      const slab = new Slab();
      const x = slab.put(randomFloats(n, 0.9, 1));
      const all = slab.put(slab.read(x));
      const out = slab.floats(n);
      kernel(out, x, n);
      kernel(all, all, n);
      expect(slab.read(all)).toEqual(slab.read(out));
      expectNear(slab.read(out), Array.from(slab.read(x), f), name);
      slab.check();
    }
  });

  if (backward && derivative) {
    test("backward", () => {
      for (const n of lengths) {
        const slab = new Slab();
        const values = randomFloats(n, 0.9, 1);
        const seeds = randomFloats(n);
        const dout = slab.put(seeds);
        const dx = slab.floats(n);
        const keep = slab.put(saved === "out" ? Float32Array.from(values, f) : values);
        backward(dx, dout, keep, n);
        const expected = Array.from(values, (v, i) => seeds[i] * derivative(v));
        expectNear(slab.read(dx), expected, `${name}_backward`, 1e-5);
        backward(dout, dout, keep, n);
        expect(slab.read(dout)).toEqual(slab.read(dx));
        slab.check();
      }
    });
  }
});

test("isnan, isinf, isfinite", () => {
  const x = [0, NaN_, INF, -INF, 1, -0, 3e38, NaN_, -1e-45];
  for (let n = 0; n <= x.length; n++) {
    const slab = new Slab();
    const px = slab.put(Float32Array.from(x.slice(0, n)));
    for (const [kernel, f] of [
      [k.isnan, Number.isNaN],
      [k.isinf, (v: number) => Math.abs(v) === INF],
      [k.isfinite, Number.isFinite],
    ] as const) {
      const out = slab.bytes(n);
      kernel(out, px, n);
      expect(Array.from(slab.read<Uint8Array>(out))).toEqual(x.slice(0, n).map((v) => Number(f(v))));
    }
    slab.check();
  }
});
