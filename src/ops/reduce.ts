/** Reductions that are one fold: sums, means, products, any and all; and cumulative sums. */
import { defineOp } from "../op.js";
import { normalizeDim, type Shape, sameShape } from "../shape.js";
import { free } from "../storage.js";
import type { Tensor } from "../tensor.js";
import { F32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { to } from "./convert.js";
import { checkTensor } from "./factory.js";
import {
  checkFloat,
  type Dims,
  defineIntegerFold,
  type Fold,
  foldRuns,
  type ReduceOptions,
  reduceOptions,
  reduction,
} from "./fold.js";
import { around } from "./indices.js";

export { amax, amin, argmax, argmin, max, min } from "./extrema.js";
export type { Dims, ReduceOptions } from "./fold.js";
export { logsumexp, norm, std, variance, variance as var } from "./statistics.js";

const sumFloat = /* @__PURE__ */ defineOp<[Tensor], [Fold]>({
  name: "sum",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }) => k.sum(out.ptr, x.ptr, outer, r, inner),
  backward: (dOut, _saved, [dX], { outer, r, inner }) =>
    k.sum_broadcast((dX as Tensor).ptr, dOut.ptr, outer, r, inner, 1),
});

const sumInteger = /* @__PURE__ */ defineIntegerFold("sum", "int32", (x) =>
  x.dtype === "int32" ? k.sum_i32 : k.sum_u8,
);

/** All of x as one fold. */
const whole = (x: Tensor): Fold => ({ outer: 1, r: x.numel(), inner: 1, shape: [] });

/**
 * Sum over dims, in blocks that are added up in float64; of integers and bools as int32. Of nothing: 0. Shape: (*) → without the dims.
 *
 * @throws IndexError when a dim is out of range
 */
export function sum(x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor {
  checkTensor(x, "sum");
  const op = x.dtype === "float32" ? sumFloat : sumInteger;
  if (dim === undefined && options === undefined) return op(x, whole(x));
  const { dims, shape } = reduction(x, reduceOptions("sum", dim, options), "sum");
  return foldRuns(x, dims, shape, op);
}

/**
 * Sums a gradient of a broadcast result down to an operand's shape: over the dims the operand lacks, and those where its
 * size is 1. Returns x itself when the shapes agree.
 */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.ndim - shape.length;
  const dims: number[] = [];
  for (let dim = 0; dim < x.ndim; dim++) if (dim < lead || shape[dim - lead] !== x.shape[dim]) dims.push(dim);
  return foldRuns(x, dims, shape, x.dtype === "float32" ? sumFloat : sumInteger);
}

const meanFloat = /* @__PURE__ */ defineOp<[Tensor], [Fold, count: number]>({
  name: "mean",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }, count) => k.mean(out.ptr, x.ptr, outer, r, inner, count),
  backward: (dOut, _saved, [dX], { outer, r, inner }, count) =>
    k.sum_broadcast((dX as Tensor).ptr, dOut.ptr, outer, r, inner, 1 / count),
});

/**
 * Mean over dims. Of nothing: NaN. Shape: (*) → without the dims; float32.
 *
 * @throws IndexError when a dim is out of range; DTypeError for integers: convert them with float()
 */
export function mean(x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor {
  checkFloat(x, "mean");
  if (dim === undefined && options === undefined) return meanFloat(x, whole(x), x.numel());
  const { dims, shape } = reduction(x, reduceOptions("mean", dim, options), "mean");
  let count = 1;
  for (const d of dims) count *= x.shape[d];
  return foldRuns(x, dims, shape, (part, fold) => meanFloat(part, fold, count), sumFloat);
}

const prodFloat = /* @__PURE__ */ defineOp<[Tensor], [Fold]>({
  name: "prod",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }) => k.prod(out.ptr, x.ptr, outer, r, inner),
  save: (out, [x]) => [x, out],
  backward: (dOut, [x, out], [dX], fold) => {
    k.prod_backward((dX as Tensor).ptr, dOut.ptr, x.ptr, fold.outer, fold.r, fold.inner);
    divideNonFinite(dX as Tensor, dOut, x, out, fold);
  },
});

/**
 * Where a product without zeros is NaN or infinite, PyTorch's gradient is product / x, which is NaN at the NaN itself; the
 * kernel's product of all others is not.
 */
function divideNonFinite(dX: Tensor, dOut: Tensor, x: Tensor, out: Tensor, { outer, r, inner }: Fold): void {
  const [d, g, p, o] = [dX.ptr >>> 2, dOut.ptr >>> 2, x.ptr >>> 2, out.ptr >>> 2];
  for (let i = 0; i < outer * inner; i++) {
    if (Number.isFinite(F32[o + i])) continue;
    const first = Math.floor(i / inner) * r * inner + (i % inner);
    const last = first + r * inner;
    let hasZero = false;
    for (let at = first; at < last; at += inner) hasZero ||= F32[p + at] === 0;
    if (hasZero) continue;
    for (let at = first; at < last; at += inner) F32[d + at] = (F32[g + i] * F32[o + i]) / F32[p + at];
  }
}

const prodInteger = /* @__PURE__ */ defineIntegerFold("prod", "int32", () => k.prod_i32);

/**
 * Product over dims; of integers and bools as int32. Of nothing: 1. Shape: (*) → without the dims.
 *
 * @throws IndexError when a dim is out of range
 */
export function prod(x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor {
  checkTensor(x, "prod");
  const { dims, shape } = reduction(x, reduceOptions("prod", dim, options), "prod");
  return x.dtype === "float32"
    ? foldRuns(x, dims, shape, prodFloat)
    : foldRuns(to(x, "int32"), dims, shape, prodInteger);
}

const anyOf = /* @__PURE__ */ defineIntegerFold("any", "bool", () => k.any);
const allOf = /* @__PURE__ */ defineIntegerFold("all", "bool", () => k.all);

/** Whether any element over dims is true (not 0; NaN is true), as bool. Of nothing: false. */
export function any(x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor {
  checkTensor(x, "any");
  const { dims, shape } = reduction(x, reduceOptions("any", dim, options), "any");
  return foldRuns(to(x, "bool"), dims, shape, anyOf);
}

/** Whether all elements over dims are true (not 0; NaN is true), as bool. Of nothing: true. */
export function all(x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor {
  checkTensor(x, "all");
  const { dims, shape } = reduction(x, reduceOptions("all", dim, options), "all");
  return foldRuns(to(x, "bool"), dims, shape, allOf);
}

/** How many elements over dims are not 0, as int32. */
export function countNonzero(x: Tensor, dim?: Dims): Tensor {
  checkTensor(x, "countNonzero");
  const { dims, shape } = reduction(x, { dim }, "countNonzero");
  return foldRuns(to(x, "bool"), dims, shape, sumInteger);
}

const cumsumFloat = /* @__PURE__ */ defineOp<[Tensor], [Omit<Fold, "shape">]>({
  name: "cumsum",
  forward: (out, [x], { outer, r, inner }) => k.cumsum(out.ptr, x.ptr, outer, r, inner, 0),
  backward: (dOut, _saved, [dX], { outer, r, inner }) => k.cumsum((dX as Tensor).ptr, dOut.ptr, outer, r, inner, 1),
});

const cumsumInteger = /* @__PURE__ */ defineOp<[Tensor], [Omit<Fold, "shape">]>({
  name: "cumsum",
  raw: true,
  output: ([x]) => ({ shape: x.shape, dtype: "int32" }),
  forward: (out, [x], { outer, r, inner }) => {
    const source = x.contiguousData();
    k.cumsum_i32(out.ptr, source.ptr, outer, r, inner);
    if (source !== x) free(source.block, "consumed");
  },
});

/**
 * Running sums along dim: out_i = x_0 + … + x_i; of integers and bools as int32. Shape: (*) → (*).
 *
 * @throws IndexError when dim is out of range
 */
export function cumsum(x: Tensor, dim: number | { dim: number }): Tensor {
  checkTensor(x, "cumsum");
  const at = normalizeDim(typeof dim === "object" ? dim.dim : dim, x.ndim, "cumsum");
  const fold = around(x.shape, at);
  return x.dtype === "float32" ? cumsumFloat(x, fold) : cumsumInteger(to(x, "int32"), fold);
}
