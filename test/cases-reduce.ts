/** Rows of cases.ts: reductions. */
import type { Tensor } from "../src/index.js";
import * as ref from "./reference.js";
import {
  ANSWERS,
  edges,
  GRADIENT,
  given,
  INTEGERS,
  mask,
  type OpCase,
  real,
  row,
  SOFTMAX,
  SUMMED,
  ULP,
  ulps,
  whole,
} from "./support/case.js";
import { fold, type Nd, zip } from "./support/nd.js";
import { ops } from "./support/ops.js";

const { POSITIVE_INFINITY: infinity } = Number;

const SUMS = { gradients: GRADIENT, tolerance: SUMMED, lines: true } as const;
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
const pairOf =
  (f: (values: number[]) => number, place: (values: number[]) => number, dim: number, keepdim = false) =>
  (x: Nd) => [fold(x, dim, keepdim, f), fold(x, dim, keepdim, place)];

export const reduceCases = {
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
} satisfies Record<string, OpCase[]>;
