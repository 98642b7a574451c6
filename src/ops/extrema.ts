/** The largest and the smallest, and where they stand. */
import { defineOp } from "../op.js";
import { normalizeDim, reducedShape } from "../shape.js";
import { free } from "../storage.js";
import { Tensor } from "../tensor.js";
import { F32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { maximum, minimum } from "./binary.js";
import { to } from "./convert.js";
import { checkTensor } from "./factory.js";
import {
  checkNotEmpty,
  type Dims,
  defineIntegerFold,
  type Fold,
  type FoldKernel,
  foldAtOnce,
  type ReduceOptions,
  reduceOptions,
  reduction,
} from "./fold.js";
import { around } from "./indices.js";
import { type ValuesIndices, valuesAndIndices } from "./pair.js";

/** One dim to reduce, and what may be said beside it. */
export interface DimOptions {
  dim?: number | null;
  /** Keep the reduced dim, with size 1. */
  keepdim?: boolean;
}

/** `ofAll`: called by max() or min() of all elements, where a NaN takes the gradient. */
type Extremum = (x: Tensor, options: ReduceOptions, where: string, ofAll?: boolean) => Tensor;

/** Defines amax or amin over any dims, for any dtype. */
function defineExtremum(name: string, float: () => FoldKernel, int: () => FoldKernel): Extremum {
  const ofFloats = defineOp<[Tensor], [Fold, ofAll: boolean]>({
    name,
    output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
    forward: (out, [x], { outer, r, inner }) => float()(out.ptr, x.ptr, outer, r, inner),
    save: (out, [x]) => [x, out],
    backward: (dOut, [x, out], [dX], { outer, r, inner }, ofAll) => {
      const { ptr } = out;
      if (ofAll && Number.isNaN(F32[ptr >>> 2])) shareAmongNaNs(dX as Tensor, dOut, x);
      else k.amax_backward((dX as Tensor).ptr, dOut.ptr, x.ptr, out.ptr, outer, r, inner);
    },
  });
  const ofIntegers = defineIntegerFold(name, "int32", int);
  return (x, options, where, ofAll = false) => {
    checkTensor(x, where);
    const { dims, shape } = reduction(x, options, where);
    checkNotEmpty(x, dims, where);
    if (x.dtype === "float32") return ofFloats(...foldAtOnce(x, dims, shape), ofAll);
    return to(ofIntegers(...foldAtOnce(to(x, "int32"), dims, shape)), x.dtype);
  };
}

/** The gradient of max() and min() when they are NaN: all of it to the NaNs, as PyTorch (whose amax gives NaN everywhere). */
function shareAmongNaNs(dX: Tensor, dOut: Tensor, x: Tensor): void {
  const [d, p, n] = [dX.ptr >>> 2, x.ptr >>> 2, x.numel()];
  let count = 0;
  for (let i = 0; i < n; i++) if (Number.isNaN(F32[p + i])) count++;
  const share = F32[dOut.ptr >>> 2] / count;
  for (let i = 0; i < n; i++) F32[d + i] = Number.isNaN(F32[p + i]) ? share : 0;
}

const largest = /* @__PURE__ */ defineExtremum(
  "amax",
  () => k.amax,
  () => k.amax_i32,
);
const smallest = /* @__PURE__ */ defineExtremum(
  "amin",
  () => k.amin,
  () => k.amin_i32,
);

/**
 * The largest element over dims; NaN where there is one. Equal ones share the gradient. Shape: (*) → without the dims.
 *
 * @throws ShapeError when a dim to reduce is empty; IndexError when one is out of range
 */
export const amax = (x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor =>
  largest(x, reduceOptions("amax", dim, options), "amax");

/**
 * The smallest element over dims; NaN where there is one. Equal ones share the gradient. Shape: (*) → without the dims.
 *
 * @throws ShapeError when a dim to reduce is empty; IndexError when one is out of range
 */
export const amin = (x: Tensor, dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor =>
  smallest(x, reduceOptions("amin", dim, options), "amin");

type IndexKernel = (values: number, indices: number, x: number, outer: number, r: number, inner: number) => void;

interface Located {
  /** max or min of one dim with the indices. */
  pair(x: Tensor, dim: number, keepdim: boolean): ValuesIndices;
  /** The indices alone, of one dim or (null) of all elements in row-major order. */
  indices(x: Tensor, dim: number | null, keepdim: boolean): Tensor;
}

/** Defines max or min with the index of where it first stands, and the index alone. */
function defineLocated(name: "max" | "min", float: () => IndexKernel, int: () => IndexKernel): Located {
  // The runner makes one result, so forward leaves the other in `found`.
  const ofFloats = defineOp<[Tensor], [Fold, found: { indices?: Tensor }]>({
    name,
    output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
    forward: (out, [x], { outer, r, inner }, found) => {
      const indices = Tensor.allocate(out.shape, "int32", name);
      float()(out.ptr, indices.ptr, x.ptr, outer, r, inner);
      found.indices = indices;
    },
    save: (_out, _inputs, _fold, found) => [found.indices],
    backward: (dOut, [indices], [dX], { outer, r, inner }) =>
      k.scatter_index_backward((dX as Tensor).ptr, dOut.ptr, indices.ptr, outer, r, inner),
  });
  const ofIntegers = defineOp<[Tensor], [Fold, found: { indices?: Tensor }]>({
    name,
    raw: true,
    output: (_inputs, { shape }) => ({ shape, dtype: "int32" }),
    forward: (out, [x], { outer, r, inner }, found) => {
      const source = x.contiguousData();
      const indices = Tensor.allocate(out.shape, "int32", name);
      int()(out.ptr, indices.ptr, source.ptr, outer, r, inner);
      if (source !== x) free(source.block, "consumed");
      found.indices = indices;
    },
  });
  const indicesOnly = defineOp<[Tensor], [Fold]>({
    name: `arg${name}`,
    raw: true,
    output: (_inputs, { shape }) => ({ shape, dtype: "int32" }),
    forward: (out, [x], { outer, r, inner }) => {
      const source = x.contiguousData();
      (x.dtype === "float32" ? float() : int())(0, out.ptr, source.ptr, outer, r, inner);
      if (source !== x) free(source.block, "consumed");
    },
  });
  return {
    pair: (x, dim, keepdim) => {
      checkTensor(x, name);
      const at = normalizeDim(dim, x.ndim, name);
      checkNotEmpty(x, [at], name);
      const fold = { ...around(x.shape, at), shape: reducedShape(x.shape, [at], keepdim) };
      const found: { indices?: Tensor } = {};
      const values =
        x.dtype === "float32" ? ofFloats(x, fold, found) : to(ofIntegers(to(x, "int32"), fold, found), x.dtype);
      return valuesAndIndices(values, found.indices as Tensor);
    },
    indices: (x, dim, keepdim) => {
      checkTensor(x, `arg${name}`);
      const where = `arg${name}`;
      const all = x.shape.map((_, i) => i);
      const dims = dim === null ? all : [normalizeDim(dim, x.ndim, where)];
      checkNotEmpty(x, dims, where);
      const shape = reducedShape(x.shape, dims, keepdim);
      const source = x.dtype === "float32" ? x : to(x, "int32");
      if (dim === null) return indicesOnly(source, { outer: 1, r: x.numel(), inner: 1, shape });
      return indicesOnly(source, { ...around(x.shape, dims[0]), shape });
    },
  };
}

const maxima = /* @__PURE__ */ defineLocated(
  "max",
  () => k.max_with_index,
  () => k.max_with_index_i32,
);
const minima = /* @__PURE__ */ defineLocated(
  "min",
  () => k.min_with_index,
  () => k.min_with_index_i32,
);

/** max and min as PyTorch has them: of everything, along a dim (with the indices), or of two tensors. */
interface MaxOrMin {
  (x: Tensor): Tensor;
  (x: Tensor, other: Tensor): Tensor;
  (x: Tensor, dim: number, options?: { keepdim?: boolean } | boolean): ValuesIndices;
  (x: Tensor, options: { dim: number; keepdim?: boolean }): ValuesIndices;
}

function maxOrMin(name: "max" | "min", extremum: Extremum, located: Located, ofTwo: typeof maximum): MaxOrMin {
  return ((x: Tensor, dim?: number | Tensor | DimOptions, options?: DimOptions | boolean) => {
    if (dim instanceof Tensor) return ofTwo(x, dim);
    const settled = reduceOptions(name, dim as Dims | DimOptions, options) as DimOptions;
    if (settled.dim === undefined || settled.dim === null) return extremum(x, settled, name, true);
    return located.pair(x, settled.dim, settled.keepdim ?? false);
  }) as MaxOrMin;
}

/**
 * `max(x)`: the largest element; equal ones share the gradient. `max(x, dim)`: the largest along dim and its index (int32,
 * the first of equals, where the gradient goes), as `{ values, indices }`. `max(x, other)`: maximum(x, other). NaN wins.
 *
 * @throws ShapeError when there is no element; IndexError when dim is out of range
 */
export const max: MaxOrMin = /* @__PURE__ */ maxOrMin("max", largest, maxima, (a, b) => maximum(a, b));

/**
 * `min(x)`: the smallest element; equal ones share the gradient. `min(x, dim)`: the smallest along dim and its index (int32,
 * the first of equals, where the gradient goes), as `{ values, indices }`. `min(x, other)`: minimum(x, other). NaN wins.
 *
 * @throws ShapeError when there is no element; IndexError when dim is out of range
 */
export const min: MaxOrMin = /* @__PURE__ */ maxOrMin("min", smallest, minima, (a, b) => minimum(a, b));

/**
 * The index (int32) of the largest element along dim, the first of equals; without dim its place in row-major order.
 *
 * @throws ShapeError when there is no element; IndexError when dim is out of range
 */
export function argmax(x: Tensor, dim?: number | null | DimOptions, options?: DimOptions | boolean): Tensor {
  const settled = reduceOptions("argmax", dim as Dims | DimOptions, options) as DimOptions;
  return maxima.indices(x, settled.dim ?? null, settled.keepdim ?? false);
}

/**
 * The index (int32) of the smallest element along dim, the first of equals; without dim its place in row-major order.
 *
 * @throws ShapeError when there is no element; IndexError when dim is out of range
 */
export function argmin(x: Tensor, dim?: number | null | DimOptions, options?: DimOptions | boolean): Tensor {
  const settled = reduceOptions("argmin", dim as Dims | DimOptions, options) as DimOptions;
  return minima.indices(x, settled.dim ?? null, settled.keepdim ?? false);
}
