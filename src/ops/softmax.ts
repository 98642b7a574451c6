/** Softmax and its logarithm, along any dim. */

import { ArgumentError } from "../errors.js";
import { defineOp } from "../op.js";
import { normalizeDim } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import { checkFloat } from "./fold.js";
import { around } from "./indices.js";
import { neg } from "./unary.js";

/** The dim to normalise over: a number, or `{ dim }`. */
export type SoftmaxDim = number | { dim: number };

interface Runs {
  outer: number;
  r: number;
  inner: number;
}

const softmaxOf = /* @__PURE__ */ defineOp<[Tensor], [Runs]>({
  name: "softmax",
  forward: (out, [x], { outer, r, inner }) => k.softmax(out.ptr, x.ptr, outer, r, inner),
  save: (out) => [out],
  backward: (dOut, [out], [dX], { outer, r, inner }) =>
    k.softmax_backward((dX as Tensor).ptr, dOut.ptr, out.ptr, outer, r, inner),
});

const logSoftmaxOf = /* @__PURE__ */ defineOp<[Tensor], [Runs]>({
  name: "logSoftmax",
  forward: (out, [x], { outer, r, inner }) => k.log_softmax(out.ptr, x.ptr, outer, r, inner),
  save: (out) => [out],
  backward: (dOut, [out], [dX], { outer, r, inner }) =>
    k.log_softmax_backward((dX as Tensor).ptr, dOut.ptr, out.ptr, outer, r, inner),
});

function runsAlong(x: Tensor, given: SoftmaxDim, where: string): Runs {
  checkFloat(x, where);
  const dim = typeof given === "object" && given !== null ? given.dim : given;
  if (dim === undefined || dim === null) {
    throw new ArgumentError(
      `${where}: give the dim to normalise over: ${where}(x, 1) for classes of [N, C], ${where}(x, -1) for the last dim`,
    );
  }
  return around(x.shape, normalizeDim(dim, x.ndim, where));
}

/**
 * e^x / Σ e^x along dim: positive numbers that sum to 1. All −Infinity gives NaN. Shape: (*) → (*); float32.
 *
 * @throws ArgumentError without dim; IndexError when it is out of range; DTypeError unless x is float32
 */
export const softmax = (x: Tensor, dim: SoftmaxDim): Tensor => softmaxOf(x, runsAlong(x, dim, "softmax"));

/**
 * log(softmax(x)) along dim, without forming the softmax, so that nothing underflows. Shape: (*) → (*); float32.
 *
 * @throws ArgumentError without dim; IndexError when it is out of range; DTypeError unless x is float32
 */
export const logSoftmax = (x: Tensor, dim: SoftmaxDim): Tensor => logSoftmaxOf(x, runsAlong(x, dim, "logSoftmax"));

/**
 * softmax(−x) along dim. Shape: (*) → (*); float32.
 *
 * @throws ArgumentError without dim; IndexError when it is out of range; DTypeError unless x is float32
 */
export function softmin(x: Tensor, dim: SoftmaxDim): Tensor {
  const runs = runsAlong(x, dim, "softmin");
  return softmaxOf(neg(x), runs);
}
