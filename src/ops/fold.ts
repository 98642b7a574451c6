/**
 * What all reductions share: their arguments, and x read as [outer, r, inner], which is how the kernels fold it. Neighbouring
 * dims need no copy; dims apart are either folded run by run (sums) or brought together first (extrema).
 */

import type { DType } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, normalizeDims, numelOf, reducedShape, type Shape } from "../shape.js";
import { free } from "../storage.js";
import { Tensor } from "../tensor.js";
import { permute } from "./view.js";

/** Which dims to reduce: one, a list, or (undefined, null, []) all. */
export type Dims = number | readonly number[] | null | undefined;

/** What reductions take by name; `dim` may also stand before the options. */
export interface ReduceOptions {
  dim?: Dims;
  /** Keep the reduced dims, with size 1. */
  keepdim?: boolean;
}

/** What a reducing kernel is told: x read as [outer, r, inner], and the shape of the result. */
export interface Fold {
  outer: number;
  r: number;
  inner: number;
  shape: Shape;
}

// Arguments ----------------------------------------------------------------------------------------------------------

/**
 * `(dim)`, `(dim, keepdim)`, `(dim, { keepdim })` or `({ dim, keepdim })` as one object.
 *
 * @throws ArgumentError for an option there is none of
 */
export function reduceOptions<O extends ReduceOptions>(
  where: string,
  dim: Dims | O,
  options: O | boolean | undefined,
  names: readonly string[] = KEEPDIM,
): O {
  if (dim instanceof Tensor) throw new TypeError(`${where}: dim must be a number or a list of numbers, found a Tensor`);
  const byName = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = (byName ? dim : typeof options === "boolean" ? { keepdim: options } : { ...options }) as O;
  for (const name of Object.keys(given)) {
    if (name !== "dim" && !names.includes(name)) {
      throw new ArgumentError(`${where}: unknown option ${name}; expected ${["dim", ...names].join(", ")}`);
    }
  }
  if (!byName && dim !== undefined) given.dim = dim as Dims;
  return given;
}
const KEEPDIM = ["keepdim"];

/** @throws TypeError unless x is a Tensor; DTypeError unless it is float32. */
export function checkFloat(x: unknown, where: string): asserts x is Tensor {
  if (!(x instanceof Tensor)) {
    throw new TypeError(`${where}: expected a Tensor, found ${x === null ? "null" : typeof x}; wrap data in tensor(…)`);
  }
  if (x.dtype !== "float32") {
    throw new DTypeError(`${where}: expected float32, found ${x.dtype}; convert it with float()`);
  }
}

/** @throws ShapeError when a reduced dim is empty, for reductions that nothing is the result of. */
export function checkNotEmpty(x: Tensor, dims: readonly number[], where: string): void {
  if (x.numel() > 0) return;
  for (const dim of dims) {
    if (x.shape[dim] === 0) {
      throw new ShapeError(
        `${where}: dim ${dim} of ${formatShape(x.shape)} is empty, and there is no ${where} of nothing (check numel() first)`,
      );
    }
  }
}

// Folds --------------------------------------------------------------------------------------------------------------

/**
 * The last run of neighbouring dims (from `first` on) to be reduced, as a fold; `rest`: there is another run before it.
 * A dim of size 1 belongs to any run.
 */
function lastRun(
  shape: Shape,
  dims: readonly number[],
): { outer: number; r: number; inner: number; first: number; rest: boolean } {
  let dim = shape.length - 1;
  let next = dims.length - 1;
  const isReduced = () => next >= 0 && dims[next] === dim;
  let inner = 1;
  for (; dim >= 0; dim--) {
    if (!isReduced()) inner *= shape[dim];
    else if (shape[dim] === 1) next--;
    else break;
  }
  let r = 1;
  for (; dim >= 0; dim--) {
    if (isReduced()) {
      r *= shape[dim];
      next--;
    } else if (shape[dim] !== 1) break;
  }
  const first = dim + 1;
  let outer = 1;
  let rest = false;
  for (; dim >= 0; dim--) {
    outer *= shape[dim];
    if (isReduced()) {
      rest ||= shape[dim] !== 1;
      next--;
    }
  }
  return { outer, r, inner, first, rest };
}

type FoldOp = (x: Tensor, fold: Fold) => Tensor;

/**
 * Folds x over dims (sorted) to the given shape, one run of neighbours after the other from the last: for what may be
 * folded in parts. All runs but the first are folded by `partial`.
 */
export function foldRuns(x: Tensor, dims: readonly number[], shape: Shape, op: FoldOp, partial: FoldOp = op): Tensor {
  const { outer, r, inner, first, rest } = lastRun(x.shape, dims);
  if (!rest) return op(x, { outer, r, inner, shape });
  const between = x.shape.map((size, dim) => (dim >= first && dims.includes(dim) ? 1 : size));
  const part = partial(x, { outer, r, inner, shape: between });
  return foldRuns(
    part,
    dims.filter((dim) => dim < first),
    shape,
    op,
    partial,
  );
}

/** x and the fold over dims (sorted) in one go, with dims that lie apart brought to the end: then the op copies x. */
export function foldAtOnce(x: Tensor, dims: readonly number[], shape: Shape): [x: Tensor, fold: Fold] {
  const { outer, r, inner, rest } = lastRun(x.shape, dims);
  if (!rest) return [x, { outer, r, inner, shape }];
  const kept = x.shape.map((_, dim) => dim).filter((dim) => !dims.includes(dim));
  const sizes = (of: readonly number[]) => numelOf(of.map((dim) => x.shape[dim]));
  return [permute(x, [...kept, ...dims]), { outer: sizes(kept), r: sizes(dims), inner: 1, shape }];
}

/** The dims to reduce, sorted, and the shape that leaves. @throws IndexError when a dim is out of range. */
export function reduction(x: Tensor, options: ReduceOptions, where: string): { dims: number[]; shape: number[] } {
  const dims = normalizeDims(options.dim, x.ndim, where).filter((dim) => dim < x.ndim);
  return { dims, shape: reducedShape(x.shape, dims, options.keepdim ?? false) };
}

export type FoldKernel = (out: number, x: number, outer: number, r: number, inner: number) => void;

/** Defines a fold of integers (or bools) as they lie in memory; it has no gradient. */
export function defineIntegerFold(name: string, dtype: DType, kernel: (x: Tensor) => FoldKernel): FoldOp {
  return defineOp<[Tensor], [Fold]>({
    name,
    raw: true,
    output: (_inputs, { shape }) => ({ shape, dtype }),
    forward: (out, [x], { outer, r, inner }) => {
      const source = x.contiguousData();
      kernel(x)(out.ptr, source.ptr, outer, r, inner);
      if (source !== x) free(source.block, "consumed");
    },
  });
}
