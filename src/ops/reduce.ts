/**
 * Reductions: sums, means, products, extrema and their indices. A reduction over neighbouring dims reads x as
 * [outer, r, inner] without copying anything; statistics.ts has those that are more than one fold.
 */
import { defineOp } from "../autograd.js";
import type { Shape } from "../shape.js";
import { normalizeDims, reducedShape, sameShape } from "../shape.js";
import { free } from "../storage.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";

/** Which dims to reduce: one, a list, or (undefined, null, []) all. */
export type Dims = number | readonly number[] | null | undefined;

/** What a reducing kernel is told: x read as [outer, r, inner], and the shape of the result. */
export interface Fold {
  outer: number;
  r: number;
  inner: number;
  shape: Shape;
}

/**
 * The last run of neighbouring dims to be reduced, as a fold; `rest` are the dims of another run before it, which take
 * a second fold of the result. Dims of size 1 belong to any run.
 */
function lastRun(shape: Shape, dims: readonly number[]): { fold: Omit<Fold, "shape">; first: number; rest: boolean } {
  let outer = 1;
  let r = 1;
  let inner = 1;
  let dim = shape.length - 1;
  let i = dims.length - 1;
  for (; dim >= 0; dim--) {
    if (i >= 0 && dims[i] === dim) {
      i--;
      if (shape[dim] === 1) continue;
      r = shape[dim--];
      break;
    }
    inner *= shape[dim];
  }
  for (; dim >= 0; dim--) {
    const reduced = i >= 0 && dims[i] === dim;
    if (!reduced && shape[dim] !== 1) break;
    if (reduced) {
      i--;
      r *= shape[dim];
    }
  }
  const first = dim + 1;
  let rest = false;
  for (; dim >= 0; dim--) {
    outer *= shape[dim];
    if (i >= 0 && dims[i] === dim) {
      i--;
      rest ||= shape[dim] !== 1;
    }
  }
  return { fold: { outer, r, inner }, first, rest };
}

type FoldOp = (x: Tensor, fold: Fold) => Tensor;

/**
 * Folds x over dims (sorted) to the given shape, one run of neighbouring dims after the other from the last: right for
 * what may be folded in parts. The runs after the first are folded by `again`.
 */
function foldRuns(x: Tensor, dims: readonly number[], shape: Shape, op: FoldOp, again: FoldOp = op): Tensor {
  const { fold, first, rest } = lastRun(x.shape, dims);
  if (!rest) return op(x, { ...fold, shape });
  const between = x.shape.map((size, dim) => (dim >= first && dims.includes(dim) ? 1 : size));
  const part = op(x, { ...fold, shape: between });
  return foldRuns(
    part,
    dims.filter((dim) => dim < first),
    shape,
    again,
  );
}

/** Sum of float32 by one fold. */
const sumFloat = /* @__PURE__ */ defineOp<[Tensor], [Fold]>({
  name: "sum",
  output: (_inputs, { shape }) => ({ shape, dtype: "float32" }),
  forward: (out, [x], { outer, r, inner }) => k.sum(out.ptr, x.ptr, outer, r, inner),
  backward: (dOut, _saved, [dX], { outer, r, inner }) =>
    k.sum_broadcast((dX as Tensor).ptr, dOut.ptr, outer, r, inner, 1),
});

/** Sum of integers by one fold, as int32. */
const sumInteger = /* @__PURE__ */ defineOp<[Tensor], [Fold]>({
  name: "sum",
  raw: true,
  output: (_inputs, { shape }) => ({ shape, dtype: "int32" }),
  forward: (out, [x], { outer, r, inner }) => {
    const source = x.contiguousData();
    (x.dtype === "int32" ? k.sum_i32 : k.sum_u8)(out.ptr, source.ptr, outer, r, inner);
    if (source !== x) free(source.block, "consumed");
  },
});

/**
 * Sum over dims; int32 for integers and bool. Float32 is accumulated in float64. Shape: (*) → without the dims.
 *
 * @param options.keepdim keep the reduced dims with size 1
 * @throws IndexError when a dim is out of range
 */
export function sum(x: Tensor, dim?: Dims, options: { keepdim?: boolean } = {}): Tensor {
  const op = x.dtype === "float32" ? sumFloat : sumInteger;
  if (dim === undefined && !options.keepdim) return op(x, { outer: 1, r: x.numel(), inner: 1, shape: [] });
  const dims = normalizeDims(dim, x.ndim, "sum");
  return foldRuns(x, dims, reducedShape(x.shape, dims, options.keepdim ?? false), op);
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
