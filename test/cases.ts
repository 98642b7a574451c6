/** One row (or a few) for each op: with what it is called, what it must give, and how exactly. */
import type { Tensor } from "../src/index.js";
import { convCases } from "./cases-conv.js";
import { normCases } from "./cases-norm.js";
import { poolCases } from "./cases-pool.js";
import * as ref from "./reference.js";
import {
  ANSWERS,
  binary,
  constant,
  FUNCTION,
  GRADIENT,
  given,
  INTEGERS,
  inner,
  mask,
  type OpCase,
  real,
  row,
  SPECIAL,
  SUMMED,
  ULP,
  ulps,
  unary,
  whole,
} from "./support/case.js";
import {
  at,
  atBroadcast,
  build,
  expand,
  fold,
  map,
  type Nd,
  nd,
  permute,
  reshape,
  reversed,
  zip,
} from "./support/nd.js";
import { type OpName, ops } from "./support/ops.js";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

/** Numbers with ties, ±0, infinities and NaN in some lines. */
const EDGES = given(
  [4, 5],
  [...[1, 3, 3, -2, 0], ...[nan, 1, nan, 2, 0], ...[infinity, -infinity, infinity, 0, 1], ...[-0, 0, -1, -1, -0]],
);
const SUMS = { gradients: GRADIENT, tolerance: SUMMED, lines: true } as const;
/** Rows of n: exponentials and their float32 sum, 4 ulp each and n·2⁻²⁴, n ≤ 65; the logarithm of it is as exact as its size. */
const SOFTMAX = { tolerance: { atol: 8 * ULP, rtol: 12 * ULP }, lines: true } as const;
/** Losses are float32 functions (4 ulp) summed; terms of log-probabilities of size 8 cancel. */
const LOSS = { tolerance: { atol: 8 * ULP, rtol: 8 * ULP } } as const;

const bool = (f: (a: number, b: number) => boolean) => (a: number, b: number) => Number(f(a, b));
const compared = (op: (a: Tensor, b: Tensor) => Tensor, f: (a: number, b: number) => boolean): OpCase[] => [
  binary(op, bool(f), ANSWERS),
  row([whole([2, 3], -1, 1), whole([3], -1, 1)], op, (a, b) => zip(bool(f), a, b), ANSWERS),
];
const logical = (op: (a: Tensor, b: Tensor) => Tensor, f: (a: boolean, b: boolean) => boolean): OpCase[] => [
  binary(op, (a, b) => Number(f(a !== 0, b !== 0)), ANSWERS),
  row([mask([2, 3]), mask([3])], op, (a, b) => zip((p, q) => Number(f(p !== 0, q !== 0)), a, b), ANSWERS),
];
/** A gradient of 0: differences of a step function within a step. */
const STEP = { low: -2.9, high: 2.9 };
/** Integers wrap around. */
const int32 = (f: (a: number, b: number) => number) => (a: Nd, b: Nd) => zip((p, q) => f(p, q) | 0, a, b);
const INTS = [whole([2, 3], -9, 9), whole([3], 1, 9)];
const reduced = (
  op: (x: Tensor, dim?: number | readonly number[] | null, options?: { keepdim?: boolean }) => Tensor,
  f: (values: number[]) => number,
  options: Partial<OpCase>,
): OpCase[] => [
  row([real([3, 5])], (x) => op(x, 1), ref.reduce(f, 1), options),
  row([real([3, 4, 5])], (x) => op(x), ref.reduce(f), { ...options, lines: false }),
  row([real([3, 4, 5])], (x) => op(x, 0, { keepdim: true }), ref.reduce(f, 0, true), { ...options, lines: false }),
  row([real([3, 4, 5])], (x) => op(x, -2), ref.reduce(f, 1), { ...options, lines: false }),
];
/** And over dims apart from one another. */
const overDims = (
  op: (x: Tensor, dim?: number | readonly number[] | null, options?: { keepdim?: boolean }) => Tensor,
  f: (values: number[]) => number,
  options: Partial<OpCase>,
): OpCase[] => [
  ...reduced(op, f, options),
  row([real([2, 3, 4, 2])], (x) => op(x, [0, -1]), ref.reduce(f, [0, 3]), { ...options, lines: false }),
  row([real([2, 3, 4, 2])], (x) => op(x, [1, 3], { keepdim: true }), ref.reduce(f, [1, 3], true), {
    ...options,
    lines: false,
  }),
];
const edges = (
  op: (x: Tensor) => Tensor | Iterable<Tensor>,
  f: (x: Nd) => Nd | Nd[],
  options: Partial<OpCase>,
): OpCase => row([EDGES], op, f, { ...options, gradients: false, lines: false, note: "edges" });
const pairOf =
  (f: (values: number[]) => number, place: (values: number[]) => number, dim: number, keepdim = false) =>
  (x: Nd) => [fold(x, dim, keepdim, f), fold(x, dim, keepdim, place)];
const places = (n: number, high: number): number[] => Array.from({ length: n }, (_, i) => (i * 7 + 3) % high);

/** x within every matrix where keep(row, column), else 0. */
const triangle = (keep: (i: number, j: number) => boolean) => (x: Nd) =>
  build(x.shape, (c) => (keep(c[c.length - 2], c[c.length - 1]) ? at(x, c) : 0));

const PROBABILITIES = real([4, 3], 0.05, 0.95);
const TARGETS = constant(real([4, 3], 0.05, 0.95));
const LOGITS = real([4, 3], -4, 4);
const CLASSES = given([4], [2, 0, 1, 2], "int32");
const WEIGHT = constant(real([3], 0.5, 2));

export const cases: { [N in OpName]: OpCase[] } = {
  ...convCases,
  ...poolCases,

  // Arithmetic. The zeros' signs and infinities of quotients are IEEE's.
  add: [
    binary(ops.add, (a, b) => a + b),
    row(
      [real([2, 3]), real([3])],
      (a, b) => ops.add(a, b, { alpha: 2 }),
      (a, b) => zip((p, q) => p + 2 * q, a, b),
    ),
    row(
      [real([5])],
      (a) => ops.add(a, 0.5),
      (a) => map(a, (v) => v + 0.5),
    ),
    row(
      INTS,
      (a, b) => ops.add(a, b),
      int32((a, b) => a + b),
      INTEGERS,
    ),
  ],
  sub: [
    binary(ops.sub, (a, b) => a - b),
    row(
      [real([5])],
      (a) => ops.sub(1, a),
      (a) => map(a, (v) => 1 - v),
    ),
    row(
      INTS,
      (a, b) => ops.sub(a, b),
      int32((a, b) => a - b),
      INTEGERS,
    ),
  ],
  mul: [
    binary(ops.mul, (a, b) => a * b),
    row(
      [real([5])],
      (a) => ops.mul(3, a),
      (a) => map(a, (v) => 3 * v),
    ),
    row(INTS, (a, b) => ops.mul(a, b), int32(Math.imul), INTEGERS),
  ],
  div: [
    binary(ops.div, (a, b) => a / b, { low: 0.5, high: 3 }),
    row(
      [real([5], 1, 2)],
      (a) => ops.div(2, a),
      (a) => map(a, (v) => 2 / v),
    ),
    row(
      INTS,
      (a, b) => ops.div(a, b),
      (a, b) => zip((p, q) => p / q, a, b),
      { gradients: false },
    ),
    row(
      INTS,
      (a, b) => ops.div(a, b, { roundingMode: "floor" }),
      (a, b) => zip((p, q) => Math.floor(p / q), a, b),
      INTEGERS,
    ),
    row(
      [real([2, 3], -9, 9), real([3], 1, 4)],
      (a, b) => ops.div(a, b, { roundingMode: "trunc" }),
      (a, b) => zip((p, q) => Math.trunc(p / q), a, b),
    ),
  ],
  pow: [
    // exp2(b·log2(a)): the rounding of b·log2(a), of size up to 3·log2(3), is a relative error of the power.
    binary(ops.pow, ref.pow, {
      low: 0.5,
      high: 3,
      tolerance: ulps(8),
      special: SPECIAL.filter((v) => Math.abs(v) < 80),
    }),
    row(
      [real([5], -3, 3)],
      (a) => ops.pow(a, 3),
      (a) => map(a, (v) => v ** 3),
      { tolerance: ulps(4) },
    ),
    row(
      [real([5], 0.5, 3)],
      (a) => ops.pow(a, -1.5),
      (a) => map(a, (v) => v ** -1.5),
      { tolerance: ulps(8) },
    ),
    row(
      [real([5])],
      (b) => ops.pow(2, b),
      (b) => map(b, (v) => 2 ** v),
      { tolerance: ulps(8) },
    ),
    row(
      [whole([4], -3, 3)],
      (a) => ops.pow(a, 3),
      (a) => map(a, (v) => v ** 3),
      INTEGERS,
    ),
  ],
  remainder: [
    binary(ops.remainder, ref.remainder, { low: 0.7, high: 3, special: SPECIAL.filter((v) => Math.abs(v) < 1e30) }),
    row(
      INTS,
      (a, b) => ops.remainder(a, b),
      (a, b) => zip(ref.remainder, a, b),
      INTEGERS,
    ),
  ],
  maximum: [
    binary(ops.maximum, (a, b) => Math.max(a, b)),
    row(INTS, ops.maximum, (a, b) => zip(Math.max, a, b), INTEGERS),
  ],
  minimum: [
    binary(ops.minimum, (a, b) => Math.min(a, b)),
    row(INTS, ops.minimum, (a, b) => zip(Math.min, a, b), INTEGERS),
  ],
  eq: compared(ops.eq, (a, b) => a === b),
  ne: compared(ops.ne, (a, b) => a !== b),
  lt: compared(ops.lt, (a, b) => a < b),
  le: compared(ops.le, (a, b) => a <= b),
  gt: compared(ops.gt, (a, b) => a > b),
  ge: compared(ops.ge, (a, b) => a >= b),
  logicalAnd: logical(ops.logicalAnd, (a, b) => a && b),
  logicalOr: logical(ops.logicalOr, (a, b) => a || b),
  logicalXor: logical(ops.logicalXor, (a, b) => a !== b),
  logicalNot: [unary(ops.logicalNot, (v) => Number(v === 0), ANSWERS)],

  // Functions of one element.
  neg: [unary(ops.neg, (v) => -v), row([whole([7])], ops.neg, (x) => map(x, (v) => -v), INTEGERS)],
  abs: [unary(ops.abs, Math.abs), row([whole([7])], ops.abs, (x) => map(x, Math.abs), INTEGERS)],
  // PyTorch's sign of NaN is 0.
  sign: [unary(ops.sign, (v) => Math.sign(v) || 0), row([whole([7])], ops.sign, (x) => map(x, Math.sign), INTEGERS)],
  square: [unary(ops.square, (v) => v * v), row([whole([7])], ops.square, (x) => map(x, (v) => v * v), INTEGERS)],
  exp: [unary(ops.exp, Math.exp, { tolerance: FUNCTION })],
  expm1: [unary(ops.expm1, Math.expm1, { tolerance: FUNCTION })],
  log: [unary(ops.log, Math.log, { low: 0.1, high: 9, tolerance: FUNCTION })],
  log1p: [unary(ops.log1p, Math.log1p, { low: -0.9, high: 9, tolerance: FUNCTION })],
  log2: [unary(ops.log2, Math.log2, { low: 0.1, high: 9, tolerance: FUNCTION })],
  log10: [unary(ops.log10, Math.log10, { low: 0.1, high: 9, tolerance: FUNCTION })],
  sqrt: [unary(ops.sqrt, Math.sqrt, { low: 0.1, high: 9 })],
  // A root and a quotient, each rounded.
  rsqrt: [unary(ops.rsqrt, (v) => 1 / Math.sqrt(v), { low: 0.1, high: 9, tolerance: ulps(2) })],
  reciprocal: [unary(ops.reciprocal, (v) => 1 / v, { low: 0.3, high: 3 })],
  sin: [unary(ops.sin, Math.sin, { low: -9, high: 9, tolerance: { ...FUNCTION, atol: 2 ** -26 } })],
  cos: [unary(ops.cos, Math.cos, { low: -9, high: 9, tolerance: { ...FUNCTION, atol: 2 ** -26 } })],
  tanh: [unary(ops.tanh, Math.tanh, { tolerance: FUNCTION })],
  sigmoid: [unary(ops.sigmoid, ref.sigmoid, { tolerance: FUNCTION })],
  erf: [unary(ops.erf, ref.erf, { tolerance: FUNCTION })],
  floor: [unary(ops.floor, Math.floor, STEP)],
  ceil: [unary(ops.ceil, Math.ceil, STEP)],
  round: [unary(ops.round, ref.roundHalfEven, STEP)],
  clamp: [
    unary(
      (x) => ops.clamp(x, { min: -1, max: 1.5 }),
      (v) => ref.clamp(v, -1, 1.5),
    ),
    unary(
      (x) => ops.clamp(x, { min: 0 }),
      (v) => ref.clamp(v, 0),
    ),
    unary(
      (x) => ops.clamp(x, { max: 0.25 }),
      (v) => ref.clamp(v, undefined, 0.25),
    ),
    row(
      [whole([9])],
      (x) => ops.clamp(x, -2, 3),
      (x) => map(x, (v) => ref.clamp(v, -2, 3)),
      INTEGERS,
    ),
  ],
  isnan: [unary(ops.isnan, (v) => Number(Number.isNaN(v)), ANSWERS)],
  isinf: [unary(ops.isinf, (v) => Number(Math.abs(v) === infinity), ANSWERS)],
  isfinite: [unary(ops.isfinite, (v) => Number(Number.isFinite(v)), ANSWERS)],
  where: [
    row([mask([3, 4]), real([3, 4]), real([3, 4])], ops.where, (c, a, b) => zip((p, q, r) => (p ? q : r), c, a, b)),
    row([mask([3, 1]), real([4]), real([2, 1, 1])], ops.where, (c, a, b) => zip((p, q, r) => (p ? q : r), c, a, b)),
    row(
      [mask([5]), real([5])],
      (c, a) => ops.where(c, a, -1),
      (c, a) => zip((p, q) => (p ? q : -1), c, a),
    ),
  ],
  maskedFill: [
    row(
      [real([3, 4]), mask([4])],
      (x, m) => ops.maskedFill(x, m, -7),
      (x, m) => zip((v, p) => (p ? -7 : v), x, m),
    ),
    row([real([3, 4]), mask([3, 4]), real([])], ops.maskedFill, (x, m, v) => zip((a, p, b) => (p ? b : a), x, m, v)),
  ],

  // Activations: one or two functions of 4 ulp; where a factor like 1 + erf cancels, 4 ulp of 1 times x.
  relu: [unary(ops.relu, ref.relu), row([whole([7])], ops.relu, (x) => map(x, ref.relu), INTEGERS)],
  leakyRelu: [
    unary((x) => ops.leakyRelu(x), ref.leakyRelu(0.01), { tolerance: ulps(1) }),
    unary((x) => ops.leakyRelu(x, { negativeSlope: 0.25 }), ref.leakyRelu(0.25)),
  ],
  elu: [
    unary((x) => ops.elu(x), ref.elu(1), { tolerance: FUNCTION }),
    unary((x) => ops.elu(x, { alpha: 0.5 }), ref.elu(0.5), { tolerance: FUNCTION }),
  ],
  gelu: [
    unary((x) => ops.gelu(x), ref.gelu, { tolerance: { atol: 8 * ULP, rtol: 8 * ULP } }),
    unary((x) => ops.gelu(x, { approximate: "tanh" }), ref.geluTanh, { tolerance: { atol: 8 * ULP, rtol: 8 * ULP } }),
  ],
  silu: [unary(ops.silu, ref.silu, { tolerance: ulps(8) })],
  softplus: [
    unary((x) => ops.softplus(x), ref.softplus(1, 20), { tolerance: ulps(8) }),
    unary((x) => ops.softplus(x, { beta: 2, threshold: 3 }), ref.softplus(2, 3), { tolerance: ulps(8) }),
  ],
  hardtanh: [
    unary(
      (x) => ops.hardtanh(x),
      (v) => ref.clamp(v, -1, 1),
    ),
    unary(
      (x) => ops.hardtanh(x, { minVal: -0.5, maxVal: 2 }),
      (v) => ref.clamp(v, -0.5, 2),
    ),
  ],
  // As in PyTorch x·6 overflows for the largest x.
  hardswish: [
    unary(ops.hardswish, ref.hardswish, {
      tolerance: ulps(4),
      low: -5,
      high: 5,
      special: SPECIAL.filter((v) => Math.abs(v) !== 3.4e38),
    }),
  ],
  dropout: [
    row(
      [real([4, 5])],
      (x) => ops.dropout(x, 0.5, { training: false }),
      (x) => x,
      { note: "evaluating" },
    ),
    row(
      [real([4, 5])],
      (x) => ops.dropout(x, 1),
      (x) => map(x, () => 0),
      { note: "p = 1" },
    ),
    row(
      [real([4, 5])],
      (x) => ops.dropout(x, 0),
      (x) => x,
      { note: "p = 0" },
    ),
  ],
  softmax: [
    row(
      [real([3, 5], -4, 4)],
      (x) => ops.softmax(x, 1),
      (x) => ref.softmax(x, 1),
      SOFTMAX,
    ),
    row(
      [real([3, 4, 2], -4, 4)],
      (x) => ops.softmax(x, 1),
      (x) => ref.softmax(x, 1),
      { ...SOFTMAX, lines: false },
    ),
    edges(
      (x) => ops.softmax(x, -1),
      (x) => ref.softmax(x, 1),
      SOFTMAX,
    ),
  ],
  logSoftmax: [
    row(
      [real([3, 5], -4, 4)],
      (x) => ops.logSoftmax(x, 1),
      (x) => ref.logSoftmax(x, 1),
      SOFTMAX,
    ),
    row(
      [real([3, 4, 2], -4, 4)],
      (x) => ops.logSoftmax(x, 0),
      (x) => ref.logSoftmax(x, 0),
      { ...SOFTMAX, lines: false },
    ),
    row(
      [given([2], [1000, -1000])],
      (x) => ops.logSoftmax(x, 0),
      (x) => ref.logSoftmax(x, 0),
      { gradients: false },
    ),
  ],
  softmin: [
    row(
      [real([3, 5], -4, 4)],
      (x) => ops.softmin(x, 1),
      (x) =>
        ref.softmax(
          map(x, (v) => -v),
          1,
        ),
      SOFTMAX,
    ),
  ],

  // Reductions: float64 sums, rounded once.
  sum: [
    ...overDims(ops.sum, ref.sumOf, SUMS),
    row([whole([3, 4])], (x) => ops.sum(x, 1), ref.reduce(ref.sumOf, 1), INTEGERS),
    edges((x) => ops.sum(x, 1), ref.reduce(ref.sumOf, 1), SUMS),
  ],
  mean: overDims(ops.mean, ref.meanOf, SUMS),
  prod: [
    // Float32 products: an error of 2⁻²⁴ a factor.
    ...reduced(
      (x, dim, options) => ops.prod(x, dim, options),
      (v) => v.reduce((a, b) => a * b, 1),
      {
        tolerance: ulps(65),
        gradients: { atol: 1e-4, rtol: 65 * ULP },
      },
    ),
    row(
      [real([3, 5])],
      (x) => ops.prod(x, 1),
      ref.reduce((v) => v.reduce((a, b) => a * b, 1), 1),
      {
        tolerance: ulps(5),
        gradients: GRADIENT,
      },
    ),
  ],
  any: [
    row(
      [mask([3, 4])],
      (x) => ops.any(x, 1),
      ref.reduce((v) => Number(v.some(Boolean)), 1),
      { ...ANSWERS, lines: true },
    ),
    row(
      [mask([3, 4])],
      (x) => ops.any(x),
      ref.reduce((v) => Number(v.some(Boolean))),
      ANSWERS,
    ),
  ],
  all: [
    row(
      [mask([3, 2])],
      (x) => ops.all(x, 1),
      ref.reduce((v) => Number(v.every(Boolean)), 1),
      { ...ANSWERS, lines: true },
    ),
    row(
      [mask([3, 4])],
      (x) => ops.all(x),
      ref.reduce((v) => Number(v.every(Boolean))),
      ANSWERS,
    ),
  ],
  countNonzero: [
    row([whole([3, 4], 0, 1)], (x) => ops.countNonzero(x), ref.reduce(ref.normOf(0)), INTEGERS),
    row([whole([3, 4], 0, 1)], (x) => ops.countNonzero(x, 0), ref.reduce(ref.normOf(0), 0), INTEGERS),
  ],
  cumsum: [
    row(
      [real([3, 5])],
      (x) => ops.cumsum(x, 1),
      (x) => ref.cumsum(x, 1),
      SUMS,
    ),
    row(
      [real([3, 4, 2])],
      (x) => ops.cumsum(x, 1),
      (x) => ref.cumsum(x, 1),
      { tolerance: SUMMED },
    ),
    row(
      [whole([3, 5])],
      (x) => ops.cumsum(x, 0),
      (x) => ref.cumsum(x, 0),
      INTEGERS,
    ),
  ],
  amax: [...overDims(ops.amax, ref.maxOf, { lines: true }), edges((x) => ops.amax(x, 1), ref.reduce(ref.maxOf, 1), {})],
  amin: [...overDims(ops.amin, ref.minOf, { lines: true }), edges((x) => ops.amin(x, 1), ref.reduce(ref.minOf, 1), {})],
  max: [
    row([real([3, 5])], (x) => ops.max(x, 1), pairOf(ref.maxOf, ref.firstMax, 1), { lines: true }),
    row([real([3, 4, 2])], (x) => ops.max(x, 1, { keepdim: true }), pairOf(ref.maxOf, ref.firstMax, 1, true)),
    row([real([3, 4])], (x) => ops.max(x), ref.reduce(ref.maxOf)),
    row([whole([3, 4])], (x) => ops.max(x, 0), pairOf(ref.maxOf, ref.firstMax, 0), INTEGERS),
    edges((x) => ops.max(x, 1), pairOf(ref.maxOf, ref.firstMax, 1), {}),
  ],
  min: [
    row([real([3, 5])], (x) => ops.min(x, 1), pairOf(ref.minOf, ref.firstMin, 1), { lines: true }),
    row([real([3, 4])], (x) => ops.min(x), ref.reduce(ref.minOf)),
    row(
      [real([3, 4]), real([4])],
      (a, b) => ops.min(a, b),
      (a, b) => zip(Math.min, a, b),
    ),
    edges((x) => ops.min(x, 1), pairOf(ref.minOf, ref.firstMin, 1), {}),
  ],
  argmax: [
    row([real([3, 5])], (x) => ops.argmax(x, 1), ref.reduce(ref.firstMax, 1), { ...INTEGERS, lines: true }),
    row([real([3, 5])], (x) => ops.argmax(x), ref.reduce(ref.firstMax), INTEGERS),
    edges((x) => ops.argmax(x, 1, { keepdim: true }), ref.reduce(ref.firstMax, 1, true), INTEGERS),
  ],
  argmin: [
    row([real([3, 5])], (x) => ops.argmin(x, 1), ref.reduce(ref.firstMin, 1), { ...INTEGERS, lines: true }),
    edges((x) => ops.argmin(x, 1), ref.reduce(ref.firstMin, 1), INTEGERS),
  ],
  var: [
    ...overDims(ops.var, ref.varianceOf(1), { tolerance: SUMMED }),
    row([real([3, 5])], (x) => ops.var(x, 1, { correction: 0 }), ref.reduce(ref.varianceOf(0), 1), SUMS),
  ],
  std: [
    ...overDims(ops.std, (v) => Math.sqrt(ref.varianceOf(1)(v)), { tolerance: ulps(2) }),
    row(
      [real([3, 5], 0, 9)],
      (x) => ops.std(x, 1, { correction: 0 }),
      ref.reduce((v) => Math.sqrt(ref.varianceOf(0)(v)), 1),
      {
        tolerance: ulps(2),
      },
    ),
  ],
  norm: [
    ...overDims((x, dim, options) => ops.norm(x, 2, dim, options), ref.normOf(2), { tolerance: ulps(2), lines: true }),
    row([real([3, 4])], (x) => ops.norm(x, { p: 1, dim: 1 }), ref.reduce(ref.normOf(1), 1), { tolerance: SUMMED }),
    row([real([3, 4])], (x) => ops.norm(x, { p: infinity, dim: 1 }), ref.reduce(ref.normOf(infinity), 1)),
    // A power of each element, of the sum, 8 ulp each.
    row([real([3, 4], 0.2, 2)], (x) => ops.norm(x, { p: 3 }), ref.reduce(ref.normOf(3)), {
      tolerance: ulps(16),
      gradients: { atol: 16 * ULP, rtol: 40 * ULP },
    }),
    row([whole([3, 4], 0, 1, "float32")], (x) => ops.norm(x, { p: 0 }), ref.reduce(ref.normOf(0)), {
      gradients: false,
    }),
    edges((x) => ops.norm(x, 2, 1), ref.reduce(ref.normOf(2), 1), { tolerance: ulps(2) }),
  ],
  logsumexp: [
    ...overDims(ops.logsumexp, ref.logsumexpOf, SOFTMAX).filter((_, i) => i !== 1),
    row([given([2, 2], [1000, 1000, -1000, -1001])], (x) => ops.logsumexp(x, 1), ref.reduce(ref.logsumexpOf, 1), {
      tolerance: ulps(4),
      gradients: false,
    }),
  ],

  // Shapes: elements moved, to the bit.
  reshape: [
    row(
      [real([3, 4])],
      (x) => ops.reshape(x, 2, 6),
      (x) => reshape(x, [2, 6]),
    ),
    row(
      [real([3, 4])],
      (x) => ops.reshape(x, [-1]),
      (x) => reshape(x, [-1]),
    ),
  ],
  view: [
    row(
      [real([3, 4])],
      (x) => ops.view(x, 4, -1),
      (x) => reshape(x, [4, 3]),
    ),
  ],
  viewAs: [row([real([3, 4]), constant(real([2, 6]))], ops.viewAs, (x) => reshape(x, [2, 6]))],
  flatten: [
    row(
      [real([2, 3, 4])],
      (x) => ops.flatten(x, 1),
      (x) => reshape(x, [2, 12]),
    ),
    row(
      [real([])],
      (x) => ops.flatten(x),
      (x) => reshape(x, [1]),
    ),
  ],
  unflatten: [
    row(
      [real([2, 6])],
      (x) => ops.unflatten(x, 1, [2, -1]),
      (x) => reshape(x, [2, 2, 3]),
    ),
  ],
  permute: [
    row(
      [real([2, 3, 4])],
      (x) => ops.permute(x, 2, 0, -2),
      (x) => permute(x, [2, 0, 1]),
    ),
  ],
  transpose: [
    row(
      [real([2, 3, 4])],
      (x) => ops.transpose(x, 0, -1),
      (x) => permute(x, [2, 1, 0]),
    ),
  ],
  t: [row([real([2, 3])], ops.t, reversed), row([real([3])], ops.t, (x) => x)],
  unsqueeze: [
    row(
      [real([2, 3])],
      (x) => ops.unsqueeze(x, -2),
      (x) => reshape(x, [2, 1, 3]),
    ),
  ],
  squeeze: [
    row(
      [real([1, 2, 1])],
      (x) => ops.squeeze(x),
      (x) => reshape(x, [2]),
    ),
    row(
      [real([1, 2, 1])],
      (x) => ops.squeeze(x, -1),
      (x) => reshape(x, [1, 2]),
    ),
  ],
  expand: [
    row(
      [real([3, 1])],
      (x) => ops.expand(x, 2, -1, 4),
      (x) => expand(x, [2, 3, 4]),
    ),
    row(
      [real([])],
      (x) => ops.expand(x, [3]),
      (x) => expand(x, [3]),
    ),
  ],
  expandAs: [row([real([3, 1]), constant(real([3, 4]))], ops.expandAs, (x) => expand(x, [3, 4]))],
  narrow: [
    row(
      [real([3, 5])],
      (x) => ops.narrow(x, 1, -4, 2),
      (x) => ref.narrow(x, 1, 1, 2),
    ),
  ],
  select: [
    row(
      [real([3, 5])],
      (x) => ops.select(x, 1, -1),
      (x) => build([3], ([i]) => at(x, [i, 4])),
    ),
  ],
  diagonal: [row([real([3, 5])], ops.diagonal, (x) => build([3], ([i]) => at(x, [i, i])))],
  split: [
    row(
      [real([5, 2])],
      (x) => ops.split(x, 2),
      (x) => [ref.narrow(x, 0, 0, 2), ref.narrow(x, 0, 2, 2), ref.narrow(x, 0, 4, 1)],
    ),
    row(
      [real([2, 5])],
      (x) => ops.split(x, [4, 1], 1),
      (x) => [ref.narrow(x, 1, 0, 4), ref.narrow(x, 1, 4, 1)],
    ),
  ],
  chunk: [
    row(
      [real([5])],
      (x) => ops.chunk(x, 2),
      (x) => [ref.narrow(x, 0, 0, 3), ref.narrow(x, 0, 3, 2)],
    ),
  ],
  unbind: [
    row(
      [real([2, 3])],
      (x) => ops.unbind(x, 1),
      (x) => [0, 1, 2].map((j) => build([2], ([i]) => at(x, [i, j]))),
    ),
  ],
  cat: [
    row(
      [real([2, 3]), real([2, 1])],
      (a, b) => ops.cat([a, b], -1),
      (a, b) => ref.cat([a, b], 1),
    ),
    row(
      [real([2, 3]), real([0]), real([1, 3])],
      (...xs) => ops.cat(xs),
      (a, _, b) => ref.cat([a, b], 0),
    ),
    row(
      [whole([2]), real([3])],
      (a, b) => ops.cat([a, b]),
      (a, b) => ref.cat([a, b], 0),
    ),
  ],
  stack: [
    row(
      [real([2, 3]), real([2, 3])],
      (a, b) => ops.stack([a, b], 1),
      (a, b) => ref.cat([reshape(a, [2, 1, 3]), reshape(b, [2, 1, 3])], 1),
    ),
  ],
  repeat: [
    row(
      [real([2, 3])],
      (x) => ops.repeat(x, 2, 1, 3),
      (x) => ref.repeat(x, [2, 1, 3]),
    ),
    row(
      [real([3])],
      (x) => ops.repeat(x, [0]),
      (x) => ref.repeat(x, [0]),
    ),
  ],
  flip: [
    row(
      [real([3, 4, 2])],
      (x) => ops.flip(x, 0, -1),
      (x) => build(x.shape, ([i, j, k]) => at(x, [2 - i, j, 1 - k])),
    ),
  ],
  roll: [
    row(
      [real([3, 4])],
      (x) => ops.roll(x, [1, -1], [0, 1]),
      (x) => build(x.shape, ([i, j]) => at(x, [(i + 2) % 3, (j + 1) % 4])),
    ),
    row(
      [real([3, 4])],
      (x) => ops.roll(x, 5),
      (x) =>
        reshape(
          build([12], ([i]) => x.data[(i + 7) % 12]),
          [3, 4],
        ),
    ),
  ],
  tril: [
    row(
      [real([2, 4, 5])],
      (x) => ops.tril(x),
      triangle((i, j) => j <= i),
      { lines: true },
    ),
    row(
      [real([4, 5])],
      (x) => ops.tril(x, { diagonal: 1 }),
      triangle((i, j) => j <= i + 1),
    ),
  ],
  triu: [
    row(
      [real([2, 4, 5])],
      (x) => ops.triu(x),
      triangle((i, j) => j >= i),
      { lines: true },
    ),
    row(
      [real([4, 5])],
      (x) => ops.triu(x, -1),
      triangle((i, j) => j >= i - 1),
    ),
  ],
  pad: [
    row(
      [real([2, 3, 4])],
      (x) => ops.pad(x, [1, 2, 3, 0]),
      (x) => ref.pad(x, [1, 2, 3, 0]),
    ),
    row(
      [real([3, 4])],
      (x) => ops.pad(x, [-1, 2], { value: 7 }),
      (x) => ref.pad(x, [-1, 2], "constant", 7),
    ),
    ...(["reflect", "replicate", "circular"] as const).map((mode) =>
      row(
        [real([2, 3, 4])],
        (x) => ops.pad(x, [2, 3, 1, 2], { mode }),
        (x) => ref.pad(x, [2, 3, 1, 2], mode),
      ),
    ),
    ...(["reflect", "replicate", "circular"] as const).flatMap((mode) => [
      row(
        [real([2, 3, 9])],
        (x) => ops.pad(x, [-2, 3, 1, -1], mode),
        (x) => ref.pad(x, [-2, 3, 1, -1], mode),
      ),
      row(
        [real([5])],
        (x) => ops.pad(x, [2, 3], { mode }),
        (x) => ref.pad(x, [2, 3], mode),
      ),
      row(
        [real([3, 2, 4])],
        (x) => ops.pad(x, [0, 1, 1, 0, 2, 1], { mode }),
        (x) => ref.pad(x, [0, 1, 1, 0, 2, 1], mode),
      ),
      row(
        [whole([2, 5])],
        (x) => ops.pad(x, [2, 3], { mode }),
        (x) => ref.pad(x, [2, 3], mode),
        INTEGERS,
      ),
    ]),
  ],
  contiguous: [row([real([3, 4])], (x) => ops.contiguous(x.t()), reversed)],
  clone: [row([real([3, 4])], ops.clone, (x) => x), row([mask([3, 4])], ops.clone, (x) => x, ANSWERS)],
  to: [
    row(
      [real([9], -300, 300)],
      (x) => ops.to(x, "int32"),
      (x) => map(x, Math.trunc),
      INTEGERS,
    ),
    row(
      [real([9], 0, 255)],
      (x) => ops.to(x, "uint8"),
      (x) => map(x, Math.trunc),
      { ...INTEGERS, dtype: "uint8" },
    ),
    row(
      [whole([9], -1, 1)],
      (x) => ops.to(x, "bool"),
      (x) => map(x, (v) => Number(v !== 0)),
      ANSWERS,
    ),
    row(
      [whole([9])],
      (x) => ops.to(x, "float32"),
      (x) => x,
      { gradients: false },
    ),
    row(
      [mask([9])],
      (x) => ops.to(x, "float32"),
      (x) => x,
      { gradients: false },
    ),
  ],

  // Indices. A gradient is a sum over the places that were taken.
  at: [
    row(
      [real([3, 5])],
      (x) => ops.at(x, "1:", "::2"),
      (x) => build([2, 3], ([i, j]) => at(x, [i + 1, 2 * j])),
    ),
    row(
      [real([3, 5])],
      (x) => ops.at(x, "...", -1),
      (x) => build([3], ([i]) => at(x, [i, 4])),
    ),
    row(
      [real([3, 5])],
      (x) => ops.at(x, null, [2, 0, 2]),
      (x) => build([1, 3, 5], ([, i, j]) => at(x, [[2, 0, 2][i], j])),
    ),
    row(
      [real([3, 5])],
      (x) => ops.at(x, [0, 2, 0], [4, 4, 4]),
      (x) => build([3], ([i]) => at(x, [[0, 2, 0][i], 4])),
    ),
    row(
      [real([6]), given([6], [1, 0, 1, 1, 0, 0], "bool")],
      (x, m) => ops.at(x, m),
      (x) => ref.take(x, 0, [0, 2, 3]),
    ),
  ],
  indexSelect: [
    row(
      [real([3, 5])],
      (x) => ops.indexSelect(x, 1, [4, 0, 4]),
      (x) => ref.take(x, 1, [4, 0, 4]),
    ),
    row(
      [real([3, 5]), given([2], [2, 2], "int32")],
      (x, i) => ops.indexSelect(x, 0, i),
      (x) => ref.take(x, 0, [2, 2]),
    ),
  ],
  gather: [
    row(
      [real([3, 5]), given([3, 2], places(6, 5), "int32")],
      (x, i) => ops.gather(x, 1, i),
      (x, i) => ref.gather(x, 1, i),
    ),
    row(
      [real([3, 5]), given([4, 2], places(8, 3), "int32")],
      (x, i) => ops.gather(x, 0, i),
      (x, i) => ref.gather(x, 0, i),
    ),
  ],
  take: [
    row(
      [real([3, 4])],
      (x) => ops.take(x, [0, -1, 5]),
      (x) => nd([3], [x.data[0], x.data[11], x.data[5]]),
    ),
  ],
  maskedSelect: [
    row([real([2, 3]), given([3], [1, 0, 1], "bool")], ops.maskedSelect, (x) =>
      nd([4], [x.data[0], x.data[2], x.data[3], x.data[5]]),
    ),
  ],
  nonzero: [
    row(
      [given([2, 3], [0, 1, 0, 2, 0, nan])],
      (x) => ops.nonzero(x),
      () => nd([3, 2], [0, 1, 1, 0, 1, 2]),
      INTEGERS,
    ),
  ],
  oneHot: [
    row(
      [given([3], [2, 0, 1], "int32")],
      (i) => ops.oneHot(i, 4),
      (i) => build([3, 4], ([n, c]) => Number(at(i, [n]) === c)),
      INTEGERS,
    ),
  ],
  embedding: [row([given([2, 3], places(6, 5), "int32"), real([5, 4])], (i, w) => ops.embedding(i, w), ref.embedding)],
  sort: [
    row(
      [real([3, 5])],
      (x) => ops.sort(x),
      (x) => ref.sort(x, -1),
      { lines: true },
    ),
    row(
      [real([4, 3])],
      (x) => ops.sort(x, 0, true),
      (x) => ref.sort(x, 0, true),
    ),
    row(
      [whole([3, 9], -2, 2)],
      (x) => ops.sort(x, 1, true),
      (x) => ref.sort(x, 1, true),
      INTEGERS,
    ),
    edges(
      (x) => ops.sort(x),
      (x) => ref.sort(x, 1),
      {},
    ),
    edges(
      (x) => ops.sort(x, 1, true),
      (x) => ref.sort(x, 1, true),
      {},
    ),
  ],
  argsort: [
    row(
      [real([3, 5])],
      (x) => ops.argsort(x),
      (x) => ref.sort(x, -1)[1],
      { ...INTEGERS, lines: true },
    ),
    edges(
      (x) => ops.argsort(x, 1, true),
      (x) => ref.sort(x, 1, true)[1],
      INTEGERS,
    ),
  ],
  topk: [
    row(
      [real([3, 5])],
      (x) => ops.topk(x, 2),
      (x) => ref.sort(x, -1, true, 2),
    ),
    row(
      [real([6, 3])],
      (x) => ops.topk(x, 3, 0, false),
      (x) => ref.sort(x, 0, false, 3),
    ),
    row(
      [whole([3, 9], -2, 2)],
      (x) => ops.topk(x, 4),
      (x) => ref.sort(x, 1, true, 4),
      INTEGERS,
    ),
    edges(
      (x) => ops.topk(x, 3),
      (x) => ref.sort(x, 1, true, 3),
      {},
    ),
  ],

  // Products of matrices.
  matmul: [
    row([real([5, 7]), real([7, 9])], ops.matmul, ref.matmul),
    row([real([7]), real([7])], ops.matmul, ref.matmul),
    row([real([5, 7]), real([7])], ops.matmul, ref.matmul),
    row([real([7]), real([7, 4])], ops.matmul, ref.matmul),
    row([real([2, 1, 3, 4]), real([3, 4, 2])], ops.matmul, ref.matmul),
    row([real([2, 3, 4]), real([4, 5])], ops.matmul, ref.matmul),
    row([real([3, 4]), real([2, 4, 5])], ops.matmul, ref.matmul),
    row([real([3, 0]), real([0, 2])], ops.matmul, ref.matmul, { note: "no inner elements" }),
    row([real([0, 3]), real([3, 2])], ops.matmul, ref.matmul, { note: "no rows" }),
  ].map((c) => ({ ...c, tolerance: inner(7, 4), gradients: inner(40, 2), strided: true })),
  mm: [
    row([real([3, 4]), real([4, 2])], ops.mm, ref.matmul, {
      tolerance: inner(4, 4),
      gradients: inner(4, 4),
      strided: true,
    }),
  ],
  bmm: [
    row([real([2, 3, 4]), real([2, 4, 2])], ops.bmm, ref.matmul, {
      tolerance: inner(4, 4),
      gradients: inner(4, 4),
      strided: true,
    }),
  ],
  dot: [row([real([6]), real([6])], ops.dot, ref.matmul, { tolerance: inner(6, 4), strided: true })],
  outer: [row([real([3]), real([4])], ops.outer, (a, b) => build([3, 4], ([i, j]) => a.data[i] * b.data[j]))],
  trace: [
    row([real([3, 4])], ops.trace, (x) => nd([], [at(x, [0, 0]) + at(x, [1, 1]) + at(x, [2, 2])]), {
      tolerance: SUMMED,
    }),
  ],
  linear: [
    row([real([5, 7]), real([3, 7]), real([3])], ops.linear, ref.linear),
    row([real([7]), real([3, 7])], (x, w) => ops.linear(x, w), ref.linear),
    row([real([2, 2, 7]), real([3, 7]), real([3])], ops.linear, ref.linear),
  ].map((c) => ({ ...c, tolerance: inner(8, 4), gradients: inner(8, 4) })),

  // Normalising and losses.
  ...normCases,
  layerNorm: [
    row(
      [real([4, 6]), real([6]), real([6])],
      (x, weight, bias) => ops.layerNorm(x, 6, { weight, bias }),
      (x, w, b) => ref.layerNorm(x, 1, 1e-5, w, b),
    ),
    row(
      [real([2, 3, 4])],
      (x) => ops.layerNorm(x, [3, 4], { eps: 0.1 }),
      (x) => ref.layerNorm(x, 2, 0.1),
      { lines: false },
    ),
    // Differences from the mean, their root mean square, a scale and a shift: a dozen roundings of numbers below 8.
  ].map((c) => ({
    ...c,
    tolerance: { atol: 16 * ULP, rtol: 12 * ULP },
    gradients: { atol: 64 * ULP, rtol: 40 * ULP },
  })),
  mseLoss: [
    row([real([4, 3]), real([4, 3])], (x, t) => ops.mseLoss(x, t), ref.pairLoss(ref.squared)),
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.mseLoss(x, t, { reduction: "sum" }),
      ref.pairLoss(ref.squared, "sum"),
    ),
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.mseLoss(x, t, { reduction: "none" }),
      ref.pairLoss(ref.squared, "none"),
    ),
  ].map((c) => ({ ...c, ...LOSS })),
  l1Loss: [row([real([4, 3]), real([4, 3])], (x, t) => ops.l1Loss(x, t), ref.pairLoss(ref.absolute), LOSS)],
  smoothL1Loss: [
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.smoothL1Loss(x, t, { beta: 0.5 }),
      ref.pairLoss(ref.smoothL1(0.5)),
      LOSS,
    ),
  ],
  huberLoss: [
    row(
      [real([4, 3]), real([4, 3])],
      (x, t) => ops.huberLoss(x, t, { delta: 1.5 }),
      ref.pairLoss(ref.huber(1.5)),
      LOSS,
    ),
  ],
  binaryCrossEntropy: [
    row([PROBABILITIES, TARGETS], (x, t) => ops.binaryCrossEntropy(x, t), ref.pairLoss(ref.binaryCrossEntropy), LOSS),
    row(
      [given([4], [0, 1, 0, 1]), constant(given([4], [1, 0, 0, 1]))],
      (x, t) => ops.binaryCrossEntropy(x, t, { reduction: "none" }),
      ref.pairLoss(ref.binaryCrossEntropy, "none"),
      { ...LOSS, gradients: false, note: "logarithms of 0" },
    ),
  ],
  binaryCrossEntropyWithLogits: [
    row(
      [LOGITS, real([4, 3], 0, 1)],
      (x, t) => ops.binaryCrossEntropyWithLogits(x, t),
      ref.pairLoss(ref.withLogits()),
      LOSS,
    ),
    row(
      [LOGITS, TARGETS, WEIGHT],
      (x, t, posWeight) => ops.binaryCrossEntropyWithLogits(x, t, { posWeight, reduction: "sum" }),
      (x, t, w) =>
        ref.reduceLoss(
          build(x.shape, (c) => ref.withLogits(atBroadcast(w, c))(at(x, c), at(t, c))),
          "sum",
        ),
      LOSS,
    ),
    row(
      [given([2], [200, -200]), constant(given([2], [0, 1]))],
      (x, t) => ops.binaryCrossEntropyWithLogits(x, t),
      ref.pairLoss(ref.withLogits()),
      LOSS,
    ),
  ],
  klDiv: [
    row(
      [LOGITS, real([4, 3], 0.05, 0.95)],
      (x, t) => ops.klDiv(x, t, { reduction: "sum" }),
      ref.pairLoss(ref.divergence, "sum"),
      LOSS,
    ),
    row([LOGITS, LOGITS], (x, t) => ops.klDiv(x, t, { logTarget: true }), ref.pairLoss(ref.divergenceOfLogs), LOSS),
  ],
  crossEntropy: [
    row([LOGITS, CLASSES], (x, t) => ops.crossEntropy(x, t), ref.crossEntropy, LOSS),
    row(
      [LOGITS, CLASSES, WEIGHT],
      (x, t, weight) => ops.crossEntropy(x, t, { weight, labelSmoothing: 0.1, ignoreIndex: 1 }),
      (x, t, weight) => ref.crossEntropy(x, t, { weight, labelSmoothing: 0.1, ignoreIndex: 1 }),
      LOSS,
    ),
    row(
      [LOGITS, real([4, 3], 0, 1), WEIGHT],
      (x, t, weight) => ops.crossEntropy(x, t, { weight, reduction: "sum" }),
      (x, t, weight) => ref.crossEntropy(x, t, { weight, reduction: "sum" }),
      LOSS,
    ),
    row(
      [real([2, 3, 2], -4, 4), given([2, 2], [0, 2, 1, 1], "int32")],
      (x, t) => ops.crossEntropy(x, t, { reduction: "none" }),
      (x, t) => ref.crossEntropy(x, t, { reduction: "none" }),
      LOSS,
    ),
    row([real([3], -4, 4), given([], [1], "int32")], (x, t) => ops.crossEntropy(x, t), ref.crossEntropy, LOSS),
  ],
  nllLoss: [
    row([LOGITS, CLASSES], (x, t) => ops.nllLoss(x, t), ref.nllLoss, LOSS),
    row(
      [LOGITS, CLASSES, WEIGHT],
      (x, t, weight) => ops.nllLoss(x, t, { weight, ignoreIndex: 0 }),
      (x, t, weight) => ref.nllLoss(x, t, { weight, ignoreIndex: 0 }),
      LOSS,
    ),
  ],
};

/** Gradients where the slope jumps or is infinite, as PyTorch has them; the upstream gradient is 1. */
export const kinks: { op: OpName; call: (...inputs: Tensor[]) => Tensor; inputs: number[][]; grads: number[][] }[] = [
  { op: "relu", call: ops.relu, inputs: [[0, -0, -1, 1, nan]], grads: [[0, 0, 0, 1, 1]] },
  { op: "leakyRelu", call: (x) => ops.leakyRelu(x, 0.5), inputs: [[0, -0]], grads: [[0.5, 0.5]] },
  { op: "elu", call: (x) => ops.elu(x, 2), inputs: [[0]], grads: [[2]] },
  { op: "hardtanh", call: (x) => ops.hardtanh(x), inputs: [[-1, 1]], grads: [[0, 0]] },
  { op: "clamp", call: (x) => ops.clamp(x, -1, 1), inputs: [[-1, 1, -2, 2, nan]], grads: [[1, 1, 0, 0, 0]] },
  { op: "abs", call: ops.abs, inputs: [[0, -0]], grads: [[0, 0]] },
  { op: "sign", call: ops.sign, inputs: [[0]], grads: [[0]] },
  { op: "sqrt", call: ops.sqrt, inputs: [[0, 4]], grads: [[infinity, 0.25]] },
  { op: "round", call: ops.round, inputs: [[0.5]], grads: [[0]] },
  {
    op: "maximum",
    call: ops.maximum,
    inputs: [
      [1, 2, 3],
      [1, 3, 2],
    ],
    grads: [
      [0.5, 0, 1],
      [0.5, 1, 0],
    ],
  },
  {
    op: "minimum",
    call: ops.minimum,
    inputs: [
      [1, 2, 3],
      [1, 3, 2],
    ],
    grads: [
      [0.5, 1, 0],
      [0.5, 0, 1],
    ],
  },
  { op: "pow", call: (x) => ops.pow(x, 0), inputs: [[0, 2]], grads: [[0, 0]] },
  { op: "amax", call: (x) => ops.amax(x), inputs: [[3, 1, 3]], grads: [[0.5, 0, 0.5]] },
  { op: "max", call: (x) => ops.max(x, 0).values, inputs: [[3, 1, 3]], grads: [[1, 0, 0]] },
  { op: "min", call: (x) => ops.min(x, 0).values, inputs: [[1, 1, 3]], grads: [[1, 0, 0]] },
  { op: "prod", call: (x) => ops.prod(x), inputs: [[0, 2, 3]], grads: [[6, 0, 0]] },
  { op: "norm", call: (x) => ops.norm(x), inputs: [[0, 0]], grads: [[0, 0]] },
  { op: "std", call: (x) => ops.std(x), inputs: [[2, 2]], grads: [[0, 0]] },
  { op: "softplus", call: (x) => ops.softplus(x, 1, 20), inputs: [[21]], grads: [[1]] },
  { op: "topk", call: (x) => ops.topk(x, 1).values, inputs: [[3, 1, 3]], grads: [[1, 0, 0]] },
  {
    op: "l1Loss",
    call: (x, t) => ops.l1Loss(x, t, "sum"),
    inputs: [
      [1, 2],
      [1, 1],
    ],
    grads: [
      [0, 1],
      [0, -1],
    ],
  },
  {
    op: "smoothL1Loss",
    call: (x, t) => ops.smoothL1Loss(x, t, "sum"),
    inputs: [
      [1, 0],
      [0, 0],
    ],
    grads: [
      [1, 0],
      [-1, 0],
    ],
  },
  {
    op: "huberLoss",
    call: (x, t) => ops.huberLoss(x, t, "sum"),
    inputs: [
      [1, 0],
      [0, 0],
    ],
    grads: [
      [1, 0],
      [-1, 0],
    ],
  },
];
