/** Reductions that are more than a fold: variance, standard deviation, norms, logsumexp. */

import { ArgumentError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import { defineOp } from "../op.js";
import { Tensor } from "../tensor.js";
import { F32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import {
  checkFloat,
  checkNotEmpty,
  type Dims,
  type Fold,
  foldAtOnce,
  type ReduceOptions,
  reduceOptions,
  reduction,
} from "./fold.js";

/** What var and std take by name. */
export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the count that is divided by: 1 (default) is Bessel's, 0 gives the variance of the values themselves. */
  correction?: number;
  /** `unbiased: false` is `correction: 0`. */
  unbiased?: boolean;
}
const VARIANCE_OPTIONS = ["correction", "unbiased", "keepdim"];

const varianceOf = /* @__PURE__ */ defineOp<[Tensor], [Fold, correction: number]>({
  name: "var",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }, correction) => {
    const mean = isGradEnabled() ? Tensor.allocate(out.shape, "float32", "var") : null;
    k.variance(out.ptr, mean?.ptr ?? 0, x.ptr, outer, r, inner, correction);
    return mean === null ? [] : [mean];
  },
  save: (_out, [x]) => [x],
  backward: (dOut, [x, mean], [dX], { outer, r, inner }, correction) =>
    k.variance_backward((dX as Tensor).ptr, dOut.ptr, x.ptr, mean.ptr, outer, r, inner, correction),
});

const deviationOf = /* @__PURE__ */ defineOp<[Tensor], [Fold, correction: number]>({
  name: "std",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }, correction) => {
    const mean = isGradEnabled() ? Tensor.allocate(out.shape, "float32", "std") : null;
    k.variance(out.ptr, mean?.ptr ?? 0, x.ptr, outer, r, inner, correction);
    k.sqrt(out.ptr, out.ptr, out.numel());
    return mean === null ? [] : [mean];
  },
  save: (out, [x]) => [x, out],
  backward: (dOut, [x, out, mean], [dX], { outer, r, inner }, correction) => {
    const dVariance = Tensor.allocateTransient(out.shape, "std");
    const n = out.numel();
    k.sqrt_backward(dVariance.ptr, dOut.ptr, out.ptr, n);
    // Where all values are equal the gradient is 0, as PyTorch's, though the root's slope is infinite.
    for (let i = 0, d = dVariance.ptr >>> 2, o = out.ptr >>> 2; i < n; i++) if (F32[o + i] === 0) F32[d + i] = 0;
    k.variance_backward((dX as Tensor).ptr, dVariance.ptr, x.ptr, mean.ptr, outer, r, inner, correction);
  },
});

function spread(
  where: "var" | "std",
  op: typeof varianceOf,
  x: Tensor,
  dim: Dims | VarianceOptions | boolean,
  options: VarianceOptions | boolean | undefined,
): Tensor {
  checkFloat(x, where);
  // PyTorch's older form: var(unbiased), var(dim, unbiased).
  const older = typeof dim === "boolean" ? dim : typeof options === "boolean" ? options : undefined;
  const given = older === undefined ? (options as VarianceOptions | undefined) : { unbiased: older };
  const settled = reduceOptions(where, typeof dim === "boolean" ? null : dim, given, VARIANCE_OPTIONS);
  const correction = settled.correction ?? (settled.unbiased === false ? 0 : 1);
  if (typeof correction !== "number" || Number.isNaN(correction)) {
    throw new ArgumentError(`${where}: correction must be a number, found ${String(correction)}`);
  }
  const { dims, shape } = reduction(x, settled, where);
  return op(...foldAtOnce(x, dims, shape), correction);
}

/**
 * Variance over dims: Σ (x − mean)² / (count − correction), computed in float64. NaN of one value (with correction 1).
 * Exported as `var`. Shape: (*) → without the dims; float32.
 *
 * @throws IndexError when a dim is out of range; DTypeError for integers: convert them with float()
 */
export const variance = (
  x: Tensor,
  dim?: Dims | VarianceOptions | boolean,
  options?: VarianceOptions | boolean,
): Tensor => spread("var", varianceOf, x, dim, options);

/**
 * Standard deviation over dims, the root of `var`; its gradient is 0 where all values are equal.
 * Shape: (*) → without the dims; float32.
 *
 * @throws IndexError when a dim is out of range; DTypeError for integers: convert them with float()
 */
export const std = (x: Tensor, dim?: Dims | VarianceOptions | boolean, options?: VarianceOptions | boolean): Tensor =>
  spread("std", deviationOf, x, dim, options);

const normOf = /* @__PURE__ */ defineOp<[Tensor], [Fold, p: number]>({
  name: "norm",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }, p) => k.norm_p(out.ptr, x.ptr, outer, r, inner, p),
  save: (out, [x]) => [x, out],
  backward: (dOut, [x, out], [dX], { outer, r, inner }, p) =>
    k.norm_p_backward((dX as Tensor).ptr, dOut.ptr, x.ptr, out.ptr, outer, r, inner, p),
});

/** What norm takes by name. */
export interface NormOptions extends ReduceOptions {
  /** Any number, ±Infinity, or "fro", which is 2 (default). */
  p?: number | "fro" | null;
}

/**
 * The p-norm of the elements over dims, (Σ |x|ᵖ)^(1/p): `norm({ p, dim, keepdim })` or `norm(p, dim, { keepdim })`. Infinity
 * gives the largest |x|, −Infinity the smallest, 0 the number that are not 0. Shape: (*) → without the dims; float32.
 *
 * @throws ArgumentError when p is no number; IndexError when a dim is out of range; DTypeError for integers
 */
export function norm(
  x: Tensor,
  p?: NormOptions | number | "fro" | null,
  dim?: Dims | NormOptions,
  options?: NormOptions | boolean,
): Tensor {
  checkFloat(x, "norm");
  const byName = typeof p === "object" && p !== null;
  const settled: NormOptions = byName
    ? reduceOptions<NormOptions>("norm", p, undefined, NORM_OPTIONS)
    : { p, ...reduceOptions<NormOptions>("norm", dim, options, NORM_OPTIONS) };
  const order = settled.p === undefined || settled.p === null || settled.p === "fro" ? 2 : settled.p;
  if (typeof order !== "number" || Number.isNaN(order)) {
    throw new ArgumentError(`norm: p must be a number or "fro", found ${String(settled.p)}`);
  }
  const { dims, shape } = reduction(x, settled, "norm");
  if (order < 0 || order === Number.POSITIVE_INFINITY) checkNotEmpty(x, dims, "norm");
  return normOf(...foldAtOnce(x, dims, shape), order);
}
const NORM_OPTIONS = ["p", "keepdim"];

const logsumexpOf = /* @__PURE__ */ defineOp<[Tensor], [Fold]>({
  name: "logsumexp",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }) => k.logsumexp(out.ptr, x.ptr, outer, r, inner),
  save: (out, [x]) => [x, out],
  backward: (dOut, [x, out], [dX], { outer, r, inner }) =>
    k.logsumexp_backward((dX as Tensor).ptr, dOut.ptr, x.ptr, out.ptr, outer, r, inner),
});

/**
 * log Σ eˣ over dims, without overflow. Of nothing: −Infinity. Shape: (*) → without the dims; float32.
 *
 * @throws ArgumentError without dim; IndexError when one is out of range; DTypeError for integers
 */
export function logsumexp(x: Tensor, dim: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor {
  checkFloat(x, "logsumexp");
  const settled = reduceOptions("logsumexp", dim, options);
  if (settled.dim === undefined || settled.dim === null) {
    throw new ArgumentError("logsumexp: give the dim (or a list of dims) to sum over, as in logsumexp(-1)");
  }
  const { dims, shape } = reduction(x, settled, "logsumexp");
  return logsumexpOf(...foldAtOnce(x, dims, shape));
}
