import { describe, expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { random, randomFloats, Slab } from "./slab.js";

load();

const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33];
const { fround } = Math;

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

/** How far a is from the exact r, in units of the last place of a float32; Infinity where NaN, Inf or a zero's sign differ. */
function ulps(a: number, r: number): number {
  const rounded = fround(r);
  if (Object.is(a, rounded)) return 0;
  if (Number.isNaN(r) || (a === 0 && rounded === 0)) return Number.POSITIVE_INFINITY;
  // Next to the overflow, rounding may fall on either side.
  if (!Number.isFinite(a) || !Number.isFinite(rounded)) {
    return Math.abs(r) > 3.402823e38 && Math.abs(r) < 3.402824e38 && Math.sign(a) === Math.sign(r)
      ? 1
      : Number.POSITIVE_INFINITY;
  }
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(r))), -126);
  return Math.abs(a - r) / 2 ** (exponent - 23);
}

const edges = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -1.5,
  -2.5,
  2,
  4,
  8,
  10,
  100,
  1000,
  1e5,
  -1e5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  -1e-45,
  1e-40,
  -1e-40,
  1.1754944e-38,
  88.72283,
  88.7228394,
  88.9,
  89.2,
  -87.3,
  -87.4,
  -103.2,
  -103.9,
  -104,
  3.4028235e38,
  -3.4028235e38,
  0.927734375,
  0.9277343,
  Math.SQRT2,
  Math.SQRT1_2,
  9.01,
  0.35,
  -0.35,
  Math.PI,
  2 ** 27,
  -(2 ** 27),
  2 ** 28 + 32,
  16777216,
  16777217,
  -0.99999994,
  8388607.5,
  -8388607.5,
];

/** Random bit patterns, numbers of everyday size, multiples of π/2, and the edges. */
function samples(n: number): Float32Array {
  const x = Float32Array.from({ length: n }, (_, i) => {
    if (i % 4 === 0) return random() * 4;
    if (i % 4 === 1) return random() * 120;
    return i % 8 === 2 ? (Math.PI / 2) * (i >> 3) : 0;
  });
  const bits = new Uint32Array(x.buffer);
  for (let i = 3; i < n; i += 4) bits[i] = ((random() + 1) * 2 ** 31) >>> 0;
  x.set(edges);
  return x;
}

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

function expectNear(actual: ArrayLike<number>, expected: ArrayLike<number>, label: string, tolerance = 2e-6): void {
  for (let i = 0; i < expected.length; i++) {
    const near =
      Object.is(actual[i], expected[i]) ||
      actual[i] === expected[i] ||
      Math.abs(actual[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i]));
    if (!near) expect.fail(`${label}, element ${i}: ${actual[i]}, expected ${expected[i]}`);
  }
}

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

// -------------------------------------------------------------------------------------------------------- broadcasting

/** A table (assembly/layout.ts): dims innermost first, each [size, stride of operand 0, 1, 2]. */
function table(dims: readonly (readonly number[])[]): Int32Array {
  const words = new Int32Array(8 + 5 * (dims.length - 1));
  words.set([dims[0][0], dims.length - 1, ...dims[0].slice(1)]);
  dims.slice(1).forEach(([size, ...strides], d) => {
    words.set([size, 0, ...strides], 8 + 5 * d);
  });
  return words;
}

/** The offsets of the operands for every element, in row-major order. */
function offsets(dims: readonly (readonly number[])[]): number[][] {
  const all: number[][] = [];
  const walk = (d: number, at: number[]): void => {
    if (d < 0) all.push(at);
    else {
      for (let i = 0; i < dims[d][0]; i++) {
        walk(
          d - 1,
          at.map((o, operand) => o + i * (dims[d][operand + 1] ?? 0)),
        );
      }
    }
  };
  walk(dims.length - 1, [0, 0, 0]);
  return all;
}

const shapes: number[][][] = [
  ...lengths.flatMap((n) => [[[n, 1, 1]], [[n, 1, 0]], [[n, 0, 1]], [[n, 0, 0]]]),
  [
    [5, 1, 1],
    [3, 5, 0],
  ],
  [
    [17, 1, 0],
    [3, 17, 1],
  ],
  [
    [20, 0, 1],
    [4, 1, 0],
    [2, 4, 20],
  ],
  [
    [9, 1, 1],
    [2, 20, -9],
    [3, 0, 18],
    [2, 40, 0],
  ],
];

const int = (v: number) => v | 0;
const remainder = (a: number, b: number) => {
  const r = a % b;
  return r !== 0 && r < 0 !== b < 0 ? fround(r + b) : r;
};
const power = (a: number, b: number) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

type Binary = (out: number, a: number, b: number, layout: number) => void;
const floats: Record<string, [Binary, (a: number, b: number) => number]> = {
  add: [k.add, (a, b) => a + b],
  sub: [k.sub, (a, b) => a - b],
  mul: [k.mul, (a, b) => a * b],
  div: [k.div, (a, b) => a / b],
  pow: [k.pow, power],
  maximum: [k.maximum, Math.max],
  minimum: [k.minimum, Math.min],
  remainder: [k.remainder, remainder],
};
const comparisons: Record<string, [Binary, Binary, (a: number, b: number) => boolean]> = {
  eq: [k.eq, k.eq_i32, (a, b) => a === b],
  ne: [k.ne, k.ne_i32, (a, b) => a !== b],
  lt: [k.lt, k.lt_i32, (a, b) => a < b],
  le: [k.le, k.le_i32, (a, b) => a <= b],
  gt: [k.gt, k.gt_i32, (a, b) => a > b],
  ge: [k.ge, k.ge_i32, (a, b) => a >= b],
};
const integers: Record<string, [Binary, (a: number, b: number) => number]> = {
  add_i32: [k.add_i32, (a, b) => int(a + b)],
  sub_i32: [k.sub_i32, (a, b) => int(a - b)],
  mul_i32: [k.mul_i32, Math.imul],
  maximum_i32: [k.maximum_i32, Math.max],
  minimum_i32: [k.minimum_i32, Math.min],
  remainder_i32: [k.remainder_i32, (a, b) => (b === 0 ? 0 : remainder(a, b) | 0)],
  pow_i32: [
    k.pow_i32,
    (a, b) => Number(BigInt.asIntN(32, b >= 0 ? BigInt(a) ** BigInt(b) : BigInt(Math.trunc(a ** b)))),
  ],
};
const logic: Record<string, [Binary, (a: number, b: number) => number]> = {
  logical_and: [k.logical_and, (a, b) => a & b],
  logical_or: [k.logical_or, (a, b) => a | b],
  logical_xor: [k.logical_xor, (a, b) => a ^ b],
};

/** Runs a binary kernel over a shape with operands of 64 elements, the pointers in their middle for negative strides. */
function runBinary<T extends Float32Array | Int32Array | Uint8Array>(
  kernel: Binary,
  dims: number[][],
  a: T,
  b: T,
  result: (n: number) => Float32Array | Int32Array | Uint8Array,
) {
  const slab = new Slab();
  const at = offsets(dims);
  const layout = slab.put(table(dims));
  const words = slab.read<Int32Array>(layout);
  const out = slab.put(result(at.length));
  const middle = 9;
  const shift = middle * a.BYTES_PER_ELEMENT;
  kernel(out, slab.put(a) + shift, slab.put(b) + shift, layout);
  slab.check();
  expect(slab.read(layout), "the odometer is back at its start").toEqual(words);
  return {
    out: slab.read<Float32Array | Int32Array | Uint8Array>(out),
    pairs: at.map(([i, j]) => [a[middle + i], b[middle + j]]),
  };
}

const SIZE = 100;
const positive = () => randomFloats(SIZE, 1.5, 2);

test.each(Object.keys(floats))("%s broadcasts", (name) => {
  const [kernel, f] = floats[name];
  for (const dims of shapes) {
    const { out, pairs } = runBinary(kernel, dims, positive(), positive(), (n) => new Float32Array(n));
    const expected = pairs.map(([a, b]) => f(a, b));
    expectNear(out, expected, `${name} ${JSON.stringify(dims)}`, 1e-6);
  }
});

test.each(Object.keys(comparisons))("%s broadcasts, float32 and int32", (name) => {
  const [kernel, kernelI32, f] = comparisons[name];
  const few = () => Float32Array.from({ length: SIZE }, () => Math.round(random() * 2));
  for (const dims of shapes) {
    const { out, pairs } = runBinary(kernel, dims, few(), few(), (n) => new Uint8Array(n));
    expect(Array.from(out)).toEqual(pairs.map(([a, b]) => Number(f(a, b))));
    const ints = runBinary(kernelI32, dims, Int32Array.from(few()), Int32Array.from(few()), (n) => new Uint8Array(n));
    expect(Array.from(ints.out)).toEqual(ints.pairs.map(([a, b]) => Number(f(a, b))));
  }
});

test.each(Object.keys(integers))("%s broadcasts", (name) => {
  const [kernel, f] = integers[name];
  const small = /pow|remainder/.test(name);
  const numbers = (seed: number) =>
    Int32Array.from({ length: SIZE }, (_, i) => {
      const v = Math.round(random() * (small ? 9 : 2 ** 31));
      return small && v === 0 ? 1 + ((seed + i) % 5) : v;
    });
  for (const dims of shapes) {
    const { out, pairs } = runBinary(kernel, dims, numbers(1), numbers(2), (n) => new Int32Array(n));
    expect(Array.from(out)).toEqual(pairs.map(([a, b]) => f(a, b) | 0));
  }
});

test.each(Object.keys(logic))("%s broadcasts", (name) => {
  const [kernel, f] = logic[name];
  const bools = () => Uint8Array.from({ length: SIZE }, () => Number(random() > 0));
  for (const dims of shapes) {
    const { out, pairs } = runBinary(kernel, dims, bools(), bools(), (n) => new Uint8Array(n));
    expect(Array.from(out)).toEqual(pairs.map(([a, b]) => f(a, b)));
  }
});

test("an integer divided by zero traps", () => {
  const slab = new Slab();
  const one = slab.put(Int32Array.of(1));
  const zero = slab.put(Int32Array.of(0));
  expect(() => k.remainder_i32(slab.ints(1), one, zero, slab.put(table([[1, 1, 1]])))).toThrow(
    WebAssembly.RuntimeError,
  );
});

/** All pairs of these through a binary kernel. */
const hard = [
  0,
  -0,
  1,
  -1,
  2,
  -2,
  0.5,
  -0.5,
  3,
  -3,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1e-45,
  -1e-45,
  1e-40,
  3e38,
  -3e38,
  1e8,
  16777215,
  8388609,
  -16777215,
  1 / 3,
  1e30,
  7e-3,
];

test.each(Object.keys(floats))("%s on zeros, infinities, NaN and subnormals", (name) => {
  const [kernel, f] = floats[name];
  const n = hard.length ** 2;
  const a = Float32Array.from({ length: n }, (_, i) => hard[Math.floor(i / hard.length)]);
  const b = Float32Array.from({ length: n }, (_, i) => hard[i % hard.length]);
  const slab = new Slab();
  const out = slab.floats(n);
  kernel(out, slab.put(a), slab.put(b), slab.put(table([[n, 1, 1]])));
  const result = slab.read(out);
  for (let i = 0; i < n; i++) {
    let expected = f(a[i], b[i]);
    // C's fmod keeps the dividend for an infinite divisor; Python's sign rule then adds the divisor.
    if (name === "remainder" && Number.isFinite(a[i]) && Math.abs(b[i]) === Infinity) {
      expected = a[i] === 0 || a[i] < 0 === b[i] < 0 ? a[i] : b[i];
    }
    const error = ulps(result[i], expected);
    if (error > (name === "pow" ? 4 : 0.51)) expect.fail(`${name}(${a[i]}, ${b[i]}) = ${result[i]}, not ${expected}`);
  }
});

test("pow is within 4 ulp, and its short cuts too", () => {
  const n = 1 << 15;
  const slab = new Slab();
  const values = samples(n);
  const a = slab.put(values);
  const out = slab.floats(n);
  const exponents = randomFloats(n, 12);
  const b = slab.put(exponents);
  const layout = slab.put(table([[n, 1, 1]]));
  k.pow(out, a, b, layout);
  slab.read(out).forEach((y, i) => {
    if (ulps(y, power(values[i], exponents[i])) > 4) expect.fail(`pow(${values[i]}, ${exponents[i]}) = ${y}`);
  });
  for (const exponent of [2, 3, 0.5, -1, -2, 0, 1, 1.7, -0.5, Number.NaN]) {
    k.fill_f32(b, exponent, 1);
    const single = slab.put(table([[n, 1, 0]]));
    k.pow(out, a, b, single);
    slab.read(out).forEach((y, i) => {
      if (ulps(y, power(values[i], fround(exponent))) > 4) expect.fail(`pow(${values[i]}, ${exponent}) = ${y}`);
    });
  }
  slab.check();
});

test("where broadcasts, four-byte and one-byte elements", () => {
  const three: number[][][] = [
    ...lengths.flatMap((n) => [[[n, 1, 1, 1]], [[n, 0, 1, 1]], [[n, 1, 0, 0]], [[n, 1, 1, 0]]]),
    [
      [6, 1, 0, 1],
      [3, 0, 1, 6],
    ],
    [
      [18, 0, 1, 0],
      [2, 1, 18, 1],
      [2, 2, 0, 0],
    ],
  ];
  for (const dims of three) {
    const slab = new Slab();
    const cond = Uint8Array.from({ length: SIZE }, () => Number(random() > 0));
    const a = randomFloats(SIZE);
    const b = randomFloats(SIZE);
    const at = offsets(dims);
    const layout = slab.put(table(dims));
    const pointers = [slab.put(cond), slab.put(a), slab.put(b)] as const;
    const out = slab.floats(at.length);
    k.where_4(out, ...pointers, layout);
    expect(slab.read(out)).toEqual(Float32Array.from(at, ([c, i, j]) => (cond[c] ? a[i] : b[j])));
    const bytes = [Uint8Array.from(a, (v) => v * 100), Uint8Array.from(b, (v) => v * 100)];
    const small = slab.bytes(at.length);
    k.where_1(small, pointers[0], slab.put(bytes[0]), slab.put(bytes[1]), layout);
    expect(slab.read<Uint8Array>(small)).toEqual(
      Uint8Array.from(at, ([c, i, j]) => (cond[c] ? bytes[0][i] : bytes[1][j])),
    );
    slab.check();
  }
});

// --------------------------------------------------------------------------------------------- fused updates and casts

const NaN_ = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

test("axpy, accumulate, scale at every length", () => {
  for (const n of lengths) {
    const slab = new Slab();
    const x = randomFloats(n);
    const y = randomFloats(n);
    const px = slab.put(x);
    const py = slab.put(y);
    const out = slab.floats(n);
    k.accumulate(py, px, n);
    const sum = y.map((v, i) => v + x[i]);
    expect(slab.read(py)).toEqual(sum);
    k.axpy(py, px, 0.3, n);
    expectNear(
      slab.read(py),
      Array.from(sum, (v, i) => v + 0.3 * x[i]),
      "axpy",
      1e-7,
    );
    k.scale(out, px, 0.5, n);
    expect(slab.read(out)).toEqual(x.map((v) => v * 0.5));
    slab.check();
  }
});

test("clamp and its gradient, at the bounds and at NaN", () => {
  const slab = new Slab();
  const x = Float32Array.of(NaN_, INF, -INF, 0, -0, 1, -1, 0.5, 2, 1e-40);
  const n = x.length;
  const px = slab.put(x);
  const out = slab.floats(n);
  const ones = slab.put(new Float32Array(n).fill(1));
  k.clamp(out, px, 0, 1, n);
  expect(slab.read(out)).toEqual(Float32Array.of(NaN_, 1, 0, 0, -0, 1, 0, 0.5, 1, 1e-40));
  k.clamp_backward(out, ones, px, 0, 1, n);
  expect(slab.read(out)).toEqual(Float32Array.of(0, 0, 0, 1, 1, 1, 0, 1, 0, 1));
  k.clamp(out, px, 1, -1, n);
  expect(slab.read(out)).toEqual(Float32Array.of(NaN_, -1, -1, -1, -1, -1, -1, -1, -1, -1));
  k.clamp(out, px, NaN_, 1, n);
  expect(slab.read(out)).toEqual(new Float32Array(n).fill(NaN_));
  k.clamp(out, px, -INF, 0, n);
  expect(slab.read(out)).toEqual(Float32Array.of(NaN_, 0, -INF, 0, -0, 0, -1, 0, 0, 0));
  slab.check();
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

test("int32 unary", () => {
  const x = [0, 1, -1, 7, -7, 2147483647, -2147483648, 46341, 12];
  for (let n = 0; n <= x.length; n++) {
    const slab = new Slab();
    const values = x.slice(0, n);
    const px = slab.put(Int32Array.from(values));
    const out = slab.ints(n);
    const expectInts = (f: (v: number) => number) =>
      expect(Array.from(slab.read<Int32Array>(out))).toEqual(values.map((v) => f(v) | 0));
    k.neg_i32(out, px, n);
    expectInts((v) => -v);
    k.abs_i32(out, px, n);
    expectInts(Math.abs);
    k.sign_i32(out, px, n);
    expectInts(Math.sign);
    k.square_i32(out, px, n);
    expectInts((v) => Math.imul(v, v));
    slab.check();
  }
});

test("casts", () => {
  const floats32 = [0, -0, 1.9, -1.9, 300.7, -300.7, 256, NaN_, 0.5, 3e9, -3e9, INF, 1e-45, 100, 255, 7, -7];
  const ints32 = [0, 1, -1, 255, 256, -256, 2147483647, -2147483648, 16777217, 5];
  const bytes8 = Array.from({ length: 40 }, (_, i) => (i * 37) % 256);
  const saturate = (v: number) => Math.min(Math.max(Math.trunc(v) || 0, -(2 ** 31)), 2 ** 31 - 1);
  for (const n of lengths) {
    const slab = new Slab();
    const f = floats32.slice(0, n);
    const i = ints32.slice(0, n);
    const b = bytes8.slice(0, n);
    const pf = slab.put(Float32Array.from(f));
    const pi = slab.put(Int32Array.from(i));
    const pb = slab.put(Uint8Array.from(b));
    const check = (kernel: Unary, from: number, data: number[], out: number, g: (v: number) => number) => {
      kernel(out, from, data.length);
      expect(Array.from(slab.read(out))).toEqual(data.map(g));
    };
    check(k.cast_f32_i32, pf, f, slab.ints(f.length), saturate);
    check(k.cast_f32_u8, pf, f, slab.bytes(f.length), (v) => saturate(v) & 255);
    check(k.cast_f32_bool, pf, f, slab.bytes(f.length), (v) => Number(v !== 0 && fround(v) !== 0));
    check(k.cast_i32_f32, pi, i, slab.floats(i.length), fround);
    check(k.cast_i32_u8, pi, i, slab.bytes(i.length), (v) => v & 255);
    check(k.cast_i32_bool, pi, i, slab.bytes(i.length), (v) => Number(v !== 0));
    check(k.cast_u8_f32, pb, b, slab.floats(n), (v) => v);
    check(k.cast_u8_i32, pb, b, slab.ints(n), (v) => v);
    check(k.cast_u8_bool, pb, b, slab.bytes(n), (v) => Number(v !== 0));
    check(k.logical_not, pb, b, slab.bytes(n), (v) => Number(v === 0));
    slab.check();
  }
});
