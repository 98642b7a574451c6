/** Rows of cases.ts: arithmetic, comparisons, and functions of one element. */
import type { Tensor } from "../src/index.js";
import * as ref from "./reference.js";
import {
  ANSWERS,
  binary,
  FUNCTION,
  INTEGERS,
  mask,
  type OpCase,
  real,
  row,
  SPECIAL,
  ulps,
  unary,
  whole,
} from "./support/case.js";
import { map, type Nd, zip } from "./support/nd.js";
import { ops } from "./support/ops.js";

const { POSITIVE_INFINITY: infinity } = Number;

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

export const elementwiseCases = {
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
} satisfies Record<string, OpCase[]>;
