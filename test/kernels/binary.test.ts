import { expect, test } from "vitest";
import { load } from "../../src/wasm/load.js";
import { k } from "../support/kernels.js";
import { lengths, offsets, table } from "./broadcasting.js";
import { expectNear, ulps } from "./near.js";
import { samples } from "./samples.js";
import { random, randomFloats, Slab } from "./slab.js";

load();

const NaN_ = Number.NaN;
const INF = Number.POSITIVE_INFINITY;

const { fround } = Math;

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
