/** `x.at(…)`, which is PyTorch's `x[…]`, the assignment to it, and selection by index and by mask. */

import { inPlaces } from "../arguments.js";
import { type DType, itemSize } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { noGrad } from "../grad-mode.js";
import { defineOp, defineView } from "../op.js";
import {
  broadcastShapes,
  broadcastStrides,
  formatShape,
  normalizeDim,
  numelOf,
  type Shape,
  sameShape,
} from "../shape.js";
import { Tensor } from "../tensor.js";
import { F32, I32, U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { add, mul } from "./binary.js";
import { copyInto, to } from "./convert.js";
import { type Index, openWindow, planIndex, type Rows, type Window } from "./index-plan.js";
import { checkWithin, discard, type IndexArray, onContiguous, withIndices } from "./indices.js";
import { checkInPlace } from "./inplace.js";
import { expand, reshape, zerosBut } from "./view.js";

export { oneHot } from "./embedding.js";
export type { Index } from "./index-plan.js";
export type { IndexArray } from "./indices.js";
export { flip, roll, tril, triu } from "./rearrange.js";
export { gather, scatter_, scatterAdd_ } from "./scatter.js";

/** The view that numbers, slices and new axes make. */
const windowOf = /* @__PURE__ */ defineView<[Window]>({
  name: "at",
  view: (x, window) => openWindow(window, x.strides, x.offset),
  adjoint: (dOut, shape, window) =>
    zerosBut(shape, dOut, (zeros) => {
      const part = openWindow(window, zeros.strides, 0);
      return zeros.stridedView(part.shape, part.strides, part.offset);
    }),
});

/** x [outer, r, inner] contiguous, indices int32 in [0, r) → [outer, …picked, inner]: rows of x, in the order of the indices. */
const defineRows = (name: string) =>
  defineOp<[Tensor, Tensor], [Rows]>({
    name,
    inputs: 2,
    raw: true,
    output: ([x], { outer, picked, inner }) => ({ shape: [...outer, ...picked, ...inner], dtype: x.dtype }),
    forward: (out, [x, indices], { outer, r, inner }) => {
      const bytes = numelOf(inner) * itemSize(x.dtype);
      k.index_rows(out.ptr, x.ptr, indices.ptr, numelOf(outer), r, bytes, indices.numel());
    },
    save: (_out, [, indices]) => [indices],
    backward: (dOut, [indices], [dX], { outer, r, inner }) => {
      if (dX === null) return;
      k.fill_f32(dX.ptr, 0, dX.numel());
      k.index_rows_add(dX.ptr, dOut.ptr, indices.ptr, numelOf(outer), r, numelOf(inner), indices.numel());
    },
  });
const pickRows = /* @__PURE__ */ defineRows("at");
const selectRows = /* @__PURE__ */ defineRows("indexSelect");

/**
 * PyTorch's `x[…]`: one argument a dim, dims not named are taken whole.
 *
 * - a number takes that element, and its dim away; negative counts from the end
 * - `"start:stop:step"` is a Python slice (`":"`, `"1:-1"`, `"::2"`; step > 0)
 * - `"..."` stands for as many whole dims as are left, `null` for a new dim of size 1
 * - an int32 tensor, an Int32Array or (nested) arrays of whole numbers pick elements; several are broadcast together,
 *   and their shape comes where they stand, or first when something stands between them
 * - a bool tensor or arrays of booleans pick the elements, over as many dims as they have, where they are true
 *
 * Numbers, slices and new dims give a view of the same memory; picking copies. Gradients flow back, added up where an
 * element was picked several times. Any dtype.
 *
 * @throws IndexError for an index out of range or too many of them; ShapeError for a mask of another shape or index
 * arrays that cannot be broadcast together; DTypeError for indices that are no integers; ArgumentError for a bad slice
 */
export function at(x: Tensor, ...indices: Index[]): Tensor {
  const { window, whole, rows, positions } = planIndex(x, indices, "at");
  if (rows === null || positions === null) return windowOf(x, window);
  try {
    return onContiguous(whole ? x : windowOf(x, window), (source) => pickRows(source, positions, rows));
  } finally {
    if (positions.block.pins === 0) discard(positions);
  }
}

/**
 * PyTorch's `x[…] = value`, in place; the indices are a list of what `at` takes. value is a number or a tensor that can be
 * broadcast to the shape of `x.at(…)`, and is converted to x's dtype. Of an element that is indexed several times one
 * value stays, or with `accumulate` it gets the sum: `x[…] += value`, repeated indices counted. Returns x.
 *
 * @throws what `at` throws; ShapeError for a value that does not fit; AutogradError when x or value needs a gradient and
 * this is not inside noGrad(). x is unchanged then.
 */
export function indexPut_(
  x: Tensor,
  indices: readonly Index[],
  value: number | boolean | Tensor,
  options: { accumulate?: boolean } = {},
): Tensor {
  if (!Array.isArray(indices)) {
    throw new ArgumentError('indexPut_: the indices must be a list with one entry a dim, as in indexPut_([0, ":"], 1)');
  }
  checkInPlace(x, "indexPut_", ...(value instanceof Tensor ? [value] : []));
  const { window, rows, positions } = planIndex(x, indices, "indexPut_");
  try {
    const { shape, strides, offset } = openWindow(window, x.strides, x.offset);
    const target = x.stridedView(shape, strides, offset);
    const picked = rows === null ? shape : [...rows.outer, ...rows.picked, ...rows.inner];
    const source = noGrad(() => valueOfShape(value, picked, x, "indexPut_"));
    if (rows === null || positions === null) {
      const sum = options.accumulate ? noGrad(() => to(add(target.detach(), source), x.dtype)) : source;
      copyInto(target, sum);
      if (sum !== source) discard(sum);
    } else {
      const data = source.contiguousData();
      putRows(target, positions, data, rows, options.accumulate ?? false);
      if (data !== source) discard(data);
    }
    if (!(value instanceof Tensor) || source.block !== value.block) discard(source);
    x.block.version++;
  } finally {
    if (positions !== null) discard(positions);
  }
  return x;
}

/** value as a tensor of this shape and x's dtype, of any strides, sharing no memory with x. */
function valueOfShape(value: number | boolean | Tensor, shape: Shape, x: Tensor, where: string): Tensor {
  if (!(value instanceof Tensor))
    return scalar(value, x.dtype, where).stridedView(
      shape,
      shape.map(() => 0),
      0,
    );
  // As in PyTorch, leading dims of size 1 that the target has not are dropped.
  let source = value.detach();
  while (source.ndim > shape.length && source.shape[0] === 1) {
    source = source.stridedView(source.shape.slice(1), source.strides.slice(1), source.offset);
  }
  if (source.ndim > shape.length || !sameShape(broadcastShapes(source.shape, shape, `${where}: value`), shape)) {
    throw new ShapeError(
      `${where}: a value of shape ${formatShape(value.shape)} cannot be broadcast to the indexed shape ${formatShape(shape)}`,
    );
  }
  source = to(source, x.dtype);
  if (source.block === x.block) source = source.clone();
  return source.stridedView(shape, broadcastStrides(source.shape, source.strides, shape), source.offset);
}

/** A 0-d tensor; whole dtypes truncate. */
function scalar(value: number | boolean, dtype: DType, where: string): Tensor {
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new ArgumentError(`${where}: the value must be a number or a Tensor, found ${typeof value}`);
  }
  const out = Tensor.allocate([], dtype, where);
  const { ptr } = out;
  if (dtype === "float32") F32[ptr >>> 2] = Number(value);
  else if (dtype === "int32") I32[ptr >>> 2] = Number(value);
  else U8[ptr] = dtype === "bool" ? Number(Number(value) !== 0) : Number(value);
  return out;
}

/** target [outer, r, inner], of any strides: rows at the positions become source's, or get it added. */
function putRows(target: Tensor, positions: Tensor, source: Tensor, rows: Rows, accumulate: boolean): void {
  const outer = numelOf(rows.outer);
  const inner = numelOf(rows.inner);
  const n = positions.numel();
  const work = target.contiguousData();
  if (!accumulate) {
    k.index_put_rows(work.ptr, positions.ptr, source.ptr, outer, rows.r, inner * itemSize(target.dtype), n);
  } else if (target.dtype === "float32") {
    k.index_rows_add(work.ptr, source.ptr, positions.ptr, outer, rows.r, inner, n);
  } else {
    addRowsOfIntegers(work, positions, source, { outer, r: rows.r, inner });
  }
  if (work !== target) {
    copyInto(target, work);
    discard(work);
  }
}

/** index_rows_add for the other dtypes: rare, so without a kernel. Sums wrap around; of bools they are "or". */
function addRowsOfIntegers(
  target: Tensor,
  positions: Tensor,
  source: Tensor,
  { outer, r, inner }: { outer: number; r: number; inner: number },
): void {
  const n = positions.numel();
  const wide = target.dtype === "int32";
  const first = wide ? target.ptr >>> 2 : target.ptr;
  let from = wide ? source.ptr >>> 2 : source.ptr;
  const index = positions.ptr >>> 2;
  const heap = wide ? I32 : U8;
  const isBool = target.dtype === "bool";
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < n; j++) {
      const row = first + (o * r + I32[index + j]) * inner;
      for (let i = 0; i < inner; i++, from++) {
        heap[row + i] = isBool ? heap[row + i] | heap[from] : heap[row + i] + heap[from];
      }
    }
  }
}

/**
 * The slices of x along dim at the indices, in their order: `torch.index_select`.
 * Shape: (…, r, …), indices (n) or () → (…, n, …). Any dtype; gradients are added up where an index comes twice.
 *
 * @throws IndexError for an index outside [0, r); ShapeError for indices of more than one dim
 */
export function indexSelect(x: Tensor, dim: number, index: IndexArray | { index: IndexArray }): Tensor;
export function indexSelect(x: Tensor, named: { dim: number; index: IndexArray }): Tensor;
export function indexSelect(x: Tensor, ...args: any[]): Tensor {
  const [dim, indices] = inPlaces(args, ["dim", "index"]);
  const d = normalizeDim(dim, x.ndim, "indexSelect");
  return withIndices(indices, "indexSelect", (idx) => {
    checkIndexVector(idx, "indexSelect");
    checkWithin(idx, x.shape[d] ?? 1, d, "indexSelect");
    return onContiguous(x, (source) => selectRows(source, idx, rowsAlong(x, d, idx)));
  });
}

function checkIndexVector(idx: Tensor, where: string): void {
  if (idx.ndim > 1) {
    throw new ShapeError(
      `${where}: the index must have one dim, found shape ${formatShape(idx.shape)}; use at() or gather()`,
    );
  }
}

const rowsAlong = (x: Tensor, d: number, idx: Tensor): Rows => ({
  outer: x.shape.slice(0, d),
  r: x.shape[d] ?? 1,
  picked: x.ndim === 0 ? [] : [idx.numel()],
  inner: x.shape.slice(d + 1),
});

/**
 * x += alpha·source along dim, in place: slice j of source is added to slice indices[j] of x (`torch.Tensor.index_add_`).
 * Sums run in the order of the indices. Returns x.
 *
 * @throws IndexError for an index outside x; ShapeError for a source of another shape; DTypeError for one of another dtype
 */
export function indexAdd_(
  x: Tensor,
  dim: number,
  indices: IndexArray,
  source: Tensor,
  options: { alpha?: number } = {},
): Tensor {
  checkInPlace(x, "indexAdd_", source);
  const d = normalizeDim(dim, x.ndim, "indexAdd_");
  if (source.dtype !== x.dtype) {
    throw new DTypeError(
      `indexAdd_: source is ${source.dtype}, the tensor ${x.dtype}; convert it with to("${x.dtype}")`,
    );
  }
  return withIndices(indices, "indexAdd_", (idx) => {
    checkIndexVector(idx, "indexAdd_");
    checkWithin(idx, x.shape[d] ?? 1, d, "indexAdd_");
    const rows = rowsAlong(x, d, idx);
    const expected = [...rows.outer, ...rows.picked, ...rows.inner];
    if (!sameShape(source.shape, expected)) {
      throw new ShapeError(
        `indexAdd_: source has shape ${formatShape(source.shape)}, expected ${formatShape(expected)} for ${idx.numel()} ` +
          `indices along dim ${d} of ${formatShape(x.shape)}`,
      );
    }
    noGrad(() => {
      const { alpha = 1 } = options;
      const scaled = alpha === 1 ? source : to(mul(source, alpha), x.dtype);
      const addend = scaled.block === x.block ? scaled.clone() : scaled.contiguousData();
      putRows(x, idx, addend, rows, true);
      for (const t of [scaled, addend]) if (t.block !== source.block) discard(t);
    });
    x.block.version++;
    return x;
  });
}

/**
 * The elements of x where mask is true, in row-major order, as one dim; x and mask are broadcast together
 * (`torch.masked_select`). Gradients flow back to the selected elements.
 *
 * @throws DTypeError for a mask that is not bool; ShapeError when they cannot be broadcast together
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  if (mask.dtype !== "bool")
    throw new DTypeError(`maskedSelect: the mask must be bool, found ${mask.dtype}; convert it with bool()`);
  const shape = broadcastShapes(x.shape, mask.shape, "maskedSelect");
  const wide = sameShape(x.shape, shape) ? x : expand(x, shape);
  const wideMask = mask.stridedView(shape, broadcastStrides(mask.shape, mask.strides, shape), mask.offset);
  return at(wide, wideMask);
}

/**
 * The elements at positions in the flattened x (`torch.take`); negative counts from the end. The result has the indices'
 * shape.
 *
 * @throws IndexError for a position outside x
 */
export function take(x: Tensor, indices: IndexArray): Tensor {
  return at(reshape(x, [-1]), typeof indices === "number" ? [indices] : indices);
}

/**
 * Where x is not 0 (`torch.nonzero`): int32 [n, dims of x], the coordinates in row-major order; with `asTuple` a list of
 * one int32 [n] for each dim, as `at(…)` takes them.
 */
export function nonzero(x: Tensor, options?: { asTuple?: false }): Tensor;
export function nonzero(x: Tensor, options: { asTuple: true }): Tensor[];
export function nonzero(x: Tensor, options: { asTuple?: boolean } = {}): Tensor | Tensor[] {
  // As in PyTorch, a 0-d tensor counts as one of one element where each dim gets a list.
  const shape = options.asTuple && x.ndim === 0 ? [1] : x.shape;
  const bools = to(x.detach(), "bool");
  const mask = bools.contiguousData();
  const n = k.mask_count(mask.ptr, mask.numel());
  const positions = Tensor.allocate([n], "int32", "nonzero");
  k.mask_indices(positions.ptr, mask.ptr, mask.numel());
  const results = options.asTuple
    ? shape.map(() => Tensor.allocate([n], "int32", "nonzero"))
    : [Tensor.allocate([n, shape.length], "int32", "nonzero")];
  const first = positions.ptr >>> 2;
  const stride = options.asTuple ? 1 : shape.length;
  for (let d = shape.length - 1, after = 1; d >= 0; after *= shape[d--]) {
    const out = options.asTuple ? results[d].ptr >>> 2 : (results[0].ptr >>> 2) + d;
    for (let i = 0; i < n; i++) I32[out + i * stride] = Math.floor(I32[first + i] / after) % shape[d];
  }
  for (const t of new Set([positions, mask, bools])) if (t.block !== x.block) discard(t);
  return options.asTuple ? results : results[0];
}
