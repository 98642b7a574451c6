/** Rows of cases.ts: normalisation by channel. */
import * as ref from "./reference.js";
import { constant, type OpCase, real, row, ULP } from "./support/case.js";
import { map, type Nd, permute, reshape, zip } from "./support/nd.js";
import { ops } from "./support/ops.js";

/**
 * Differences from the mean, their root mean square, a scale and a shift: a dozen roundings of numbers below 8. Gradients
 * are sums of some 40 terms, and multiplied by up to 1/σ.
 */
const NORM: Partial<OpCase> = {
  tolerance: { atol: 16 * ULP, rtol: 12 * ULP },
  gradients: { atol: 64 * ULP, rtol: 40 * ULP },
  strided: true,
};

/** A vector along dim 1 of an n-dimensional array. */
const alongChannels = (v: Nd, ndim: number): Nd => reshape(v, [v.data.length, ...new Array<number>(ndim - 2).fill(1)]);

function scaleAndShift(x: Nd, weight?: Nd, bias?: Nd): Nd {
  const scaled = weight ? zip((a, b) => a * b, x, alongChannels(weight, x.shape.length)) : x;
  return bias ? zip((a, b) => a + b, scaled, alongChannels(bias, x.shape.length)) : scaled;
}

/** Batch norm by layer norm: the channel first, and all else normalised over. */
export function batchNorm(x: Nd, eps: number, weight?: Nd, bias?: Nd): Nd {
  const swapped = [1, 0, ...x.shape.slice(2).map((_, d) => d + 2)];
  const normal = permute(ref.layerNorm(permute(x, swapped), x.shape.length - 1, eps), swapped);
  return scaleAndShift(normal, weight, bias);
}

/** With given statistics. */
export function batchNormEval(x: Nd, mean: Nd, variance: Nd, eps: number, weight?: Nd, bias?: Nd): Nd {
  const ndim = x.shape.length;
  const normal = zip(
    (v, m, s) => (v - m) / Math.sqrt(s + eps),
    x,
    alongChannels(mean, ndim),
    alongChannels(variance, ndim),
  );
  return scaleAndShift(normal, weight, bias);
}

/** Layer norm of the groups. */
const groupNorm = (x: Nd, groups: number, eps: number): Nd =>
  reshape(ref.layerNorm(reshape(x, [x.shape[0] * groups, x.data.length / x.shape[0] / groups]), 1, eps), x.shape);

const reluOf = (x: Nd): Nd => map(x, (v) => Math.max(v, 0));
const statistics = [constant(real([3], -1, 1)), constant(real([3], 0.5, 2))] as const;

export const normCases = {
  batchNorm: [
    row(
      [real([4, 3, 2, 5]), real([3]), real([3])],
      (x, weight, bias) => ops.batchNorm(x, null, null, { weight, bias, training: true }),
      (x, w, b) => batchNorm(x, 1e-5, w, b),
      NORM,
    ),
    row(
      [real([6, 5])],
      (x) => ops.batchNorm(x, null, null, { training: true, eps: 0.1 }),
      (x) => batchNorm(x, 0.1),
      { ...NORM, note: "matrix" },
    ),
    row(
      [real([3, 2, 7]), real([2])],
      (x, bias) => ops.batchNorm(x, null, null, { bias, training: true }),
      (x, b) => batchNorm(x, 1e-5, undefined, b),
      { ...NORM, note: "sequences" },
    ),
    row(
      [real([2, 3, 3, 3]), ...statistics, real([3]), real([3])],
      (x, mean, variance, weight, bias) => ops.batchNorm(x, mean, variance, { weight, bias }),
      (x, m, v, w, b) => batchNormEval(x, m, v, 1e-5, w, b),
      { ...NORM, note: "evaluation" },
    ),
    row(
      [real([3, 3]), ...statistics],
      (x, mean, variance) => ops.batchNorm(x, mean, variance, null, null, false, 0.1, 1e-3),
      (x, m, v) => batchNormEval(x, m, v, 1e-3),
      { ...NORM, note: "evaluation of a matrix" },
    ),
  ],
  batchNormRelu: [
    row(
      [real([4, 3, 2, 5]), real([3], 0.5, 2), real([3])],
      (x, weight, bias) => ops.batchNormRelu(x, null, null, null, { weight, bias, training: true }),
      (x, w, b) => reluOf(batchNorm(x, 1e-5, w, b)),
      NORM,
    ),
    row(
      [real([4, 3, 3, 3]), real([4, 3, 3, 3]), real([3], 0.5, 2), real([3])],
      (x, residual, weight, bias) => ops.batchNormRelu(x, residual, null, null, { weight, bias, training: true }),
      (x, r, w, b) => reluOf(zip((p, q) => p + q, batchNorm(x, 1e-5, w, b), r)),
      { ...NORM, note: "residual" },
    ),
    row(
      [real([4, 6]), real([4, 6])],
      (x, residual) => ops.batchNormRelu(x, residual, null, null, { training: true }),
      (x, r) => reluOf(zip((p, q) => p + q, batchNorm(x, 1e-5), r)),
      { ...NORM, note: "residual, matrix" },
    ),
    row(
      [real([2, 3, 3, 3]), ...statistics, real([3]), real([3])],
      (x, mean, variance, weight, bias) => ops.batchNormRelu(x, null, mean, variance, { weight, bias }),
      (x, m, v, w, b) => reluOf(batchNormEval(x, m, v, 1e-5, w, b)),
      { ...NORM, note: "evaluation" },
    ),
    row(
      [real([2, 3, 5]), real([2, 3, 5]), ...statistics],
      (x, residual, mean, variance) => ops.batchNormRelu(x, residual, mean, variance),
      (x, r, m, v) => reluOf(zip((p, q) => p + q, batchNormEval(x, m, v, 1e-5), r)),
      { ...NORM, note: "residual, evaluation" },
    ),
  ],
  groupNorm: [
    row(
      [real([2, 6, 3, 3]), real([6]), real([6])],
      (x, weight, bias) => ops.groupNorm(x, 3, { weight, bias }),
      (x, w, b) => scaleAndShift(groupNorm(x, 3, 1e-5), w, b),
      NORM,
    ),
    row(
      [real([3, 4])],
      (x) => ops.groupNorm(x, 2, { eps: 0.1 }),
      (x) => groupNorm(x, 2, 0.1),
      {
        ...NORM,
        note: "matrix",
      },
    ),
    row(
      [real([1, 4, 5])],
      (x) => ops.groupNorm(x, 1, null, null, 0.1),
      (x) => groupNorm(x, 1, 0.1),
      {
        ...NORM,
        note: "one group",
      },
    ),
  ],
  instanceNorm: [
    row(
      [real([2, 3, 3, 5]), real([3]), real([3])],
      (x, weight, bias) => ops.instanceNorm(x, { weight, bias }),
      (x, w, b) => scaleAndShift(groupNorm(x, 3, 1e-5), w, b),
      NORM,
    ),
    row(
      [real([2, 3, 7])],
      (x) => ops.instanceNorm(x, { eps: 0.1 }),
      (x) => groupNorm(x, 3, 0.1),
      {
        ...NORM,
        note: "sequences",
      },
    ),
    row(
      [real([2, 3, 4]), ...statistics, real([3])],
      (x, mean, variance, weight) => ops.instanceNorm(x, mean, variance, weight, null, false),
      (x, m, v, w) => batchNormEval(x, m, v, 1e-5, w),
      { ...NORM, note: "evaluation" },
    ),
  ],
} satisfies Record<string, OpCase[]>;
