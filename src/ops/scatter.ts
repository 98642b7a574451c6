/** Elements by index along a dim: gather, and the scatters that write where gather reads. */

import { inPlaces, isOptions, type Named } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, normalizeDim, numelOf } from "../shape.js";
import { Tensor } from "../tensor.js";
import { I32, U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { copyInto } from "./convert.js";
import { around, checkWithin, discard, type IndexArray, onContiguous, withIndices } from "./indices.js";
import { checkInPlace } from "./inplace.js";
import { narrow } from "./view.js";

const pickElements = /* @__PURE__ */ defineOp<[Tensor, Tensor], [number]>({
  name: "gather",
  inputs: 2,
  raw: true,
  output: ([x, indices]) => ({ shape: indices.shape, dtype: x.dtype }),
  forward: (out, [x, indices], dim) => {
    const { outer, r, inner } = around(x.shape, dim);
    const gather = itemSize(x.dtype) === 4 ? k.gather_4 : k.gather_1;
    gather(out.ptr, x.ptr, indices.ptr, outer, r, inner, indices.shape[dim] ?? 1);
  },
  save: (_out, [, indices]) => [indices],
  backward: (dOut, [indices], [dX], dim) => {
    if (dX === null) return;
    const { outer, r, inner } = around(dX.shape, dim);
    k.fill_f32(dX.ptr, 0, dX.numel());
    k.gather_backward(dX.ptr, dOut.ptr, indices.ptr, outer, r, inner, indices.shape[dim] ?? 1);
  },
});

/**
 * out[i, j, …] = x[i, indices[i, j, …], …] with the index at dim's place (`torch.gather`). The indices have as many dims
 * as x, and in the other dims may be smaller. Shape: that of the indices. Any dtype; gradients are added up where an
 * element is taken several times.
 *
 * @throws IndexError for an index outside [0, size of dim); ShapeError for indices that do not fit x
 */
export function gather(x: Tensor, dim: number, index: IndexArray | { index: IndexArray }): Tensor;
export function gather(x: Tensor, named: { dim: number; index: IndexArray }): Tensor;
export function gather(x: Tensor, ...args: any[]): Tensor {
  const [dim, indices] = inPlaces(args, ["dim", "index"]);
  const d = normalizeDim(dim, x.ndim, "gather");
  return withIndices(indices, "gather", (idx) => {
    if (idx.numel() === 0) return Tensor.allocate(idx.shape, x.dtype, "gather");
    checkFits(idx, x, d, "gather", "the tensor");
    checkWithin(idx, x.shape[d] ?? 1, d, "gather");
    let source = x;
    for (let other = 0; other < x.ndim; other++) {
      if (other !== d && idx.shape[other] < x.shape[other]) source = narrow(source, other, 0, idx.shape[other]);
    }
    return onContiguous(source, (data) => pickElements(data, idx, d));
  });
}

/** @throws ShapeError unless the indices have x's number of dims and are no larger, but perhaps in `dim`. */
function checkFits(idx: Tensor, x: Tensor, dim: number, where: string, what: string): void {
  const same = Math.max(idx.ndim, 1) === Math.max(x.ndim, 1);
  if (same && !idx.shape.some((size, d) => d !== dim && size > (x.shape[d] ?? 1))) return;
  throw new ShapeError(
    `${where}: an index of shape ${formatShape(idx.shape)} does not fit ${what} of shape ${formatShape(x.shape)}: ` +
      `both must have the same number of dims, and the index must be no larger${dim < 0 ? "" : ` in dims other than ${dim}`}`,
  );
}

/**
 * x[i, indices[i, j, …], …] = source[i, j, …] with the index at dim's place, in place (`torch.Tensor.scatter_`): writes
 * where `gather` reads. source is a number or a tensor of x's dtype that is nowhere smaller than the indices. Of an
 * element that is written several times the last value stays; with `reduce: "add"` all are added. Returns x.
 *
 * @throws IndexError for an index outside [0, size of dim); ShapeError for indices that do not fit x or source; DTypeError
 * for a source of another dtype; AutogradError when x or source needs a gradient and this is not inside noGrad()
 */
export function scatter_(
  x: Tensor,
  dim: number,
  indices: IndexArray,
  source: Tensor | number,
  options?: { reduce?: "add" },
): Tensor;
export function scatter_(
  x: Tensor,
  ...named: Named<{ dim: number; index: IndexArray; src: Tensor | number }, ["dim", "index", "src"], { reduce?: "add" }>
): Tensor;
export function scatter_(
  x: Tensor,
  ...named: Named<{ dim: number; index: IndexArray; value: number }, ["dim", "index", "value"], { reduce?: "add" }>
): Tensor;
export function scatter_(x: Tensor, ...args: any[]): Tensor {
  const last = args.at(-1);
  // PyTorch has two names for it: src is a tensor, value a number.
  const name = isOptions(last) && "value" in last ? "value" : "src";
  const [dim, indices, source, options = {}] = inPlaces(args, ["dim", "index", name]);
  if (options.reduce !== undefined && options.reduce !== "add") {
    throw new ArgumentError(`scatter_: reduce is ${JSON.stringify(options.reduce)}; it can be "add" or left out`);
  }
  return scatterInto("scatter_", x, dim, indices, source, options.reduce === "add");
}

/** Adds source to the elements that `scatter_` would write (`torch.Tensor.scatter_add_`). Returns x; throws as it does. */
export function scatterAdd_(x: Tensor, dim: number, indices: IndexArray, source: Tensor): Tensor;
export function scatterAdd_(
  x: Tensor,
  ...named: Named<{ dim: number; index: IndexArray; src: Tensor }, ["dim", "index", "src"]>
): Tensor;
export function scatterAdd_(x: Tensor, ...args: any[]): Tensor {
  const [dim, indices, source] = inPlaces(args, ["dim", "index", "src"]);
  return scatterInto("scatterAdd_", x, dim, indices, source, true);
}

function scatterInto(
  where: string,
  x: Tensor,
  dim: number,
  indices: IndexArray,
  source: Tensor | number,
  accumulate: boolean,
): Tensor {
  const isTensor = source instanceof Tensor;
  if (!isTensor && typeof source !== "number") {
    throw new ArgumentError(`${where}: the source must be a Tensor or a number, found ${typeof source}`);
  }
  checkInPlace(x, where, ...(isTensor ? [source] : []));
  if (isTensor && source.dtype !== x.dtype) {
    throw new DTypeError(
      `${where}: the source is ${source.dtype}, the tensor ${x.dtype}; convert it with to("${x.dtype}")`,
    );
  }
  const d = normalizeDim(dim, x.ndim, where);
  return withIndices(indices, where, (idx) => {
    if (idx.numel() === 0) return x;
    checkFits(idx, x, d, where, "the tensor");
    if (isTensor) checkFits(idx, source, -1, where, "the source");
    checkWithin(idx, x.shape[d] ?? 1, d, where);
    // The part of x that the indices reach: all of dim, and of the others as much as the indices have.
    const reach = x.shape.map((size, i) => (i === d ? size : idx.shape[i]));
    const target = x.stridedView(reach, x.strides, x.offset);
    const values = isTensor ? part(source, idx.shape, x) : filled(source, idx.shape, x.dtype, where);
    const work = target.contiguousData();
    scatterElements(work, idx, values, d, accumulate);
    if (work !== target) {
      copyInto(target, work);
      discard(work);
    }
    if (values !== source) discard(values);
    x.block.version++;
    return x;
  });
}

/** The corner of source that has this shape: contiguous, sharing no memory with x. */
function part(source: Tensor, shape: readonly number[], x: Tensor): Tensor {
  const whole = numelOf(shape) === source.numel();
  if (whole && source.isContiguous() && source.block !== x.block) return source;
  const strides = shape.map((_, d) => source.strides[d] ?? 1);
  const out = Tensor.allocate(shape, source.dtype, "scatter_");
  copyInto(out, source.stridedView(shape, strides, source.offset));
  return out;
}

/** A number as a contiguous tensor of this shape. */
function filled(value: number, shape: readonly number[], dtype: Tensor["dtype"], where: string): Tensor {
  const out = Tensor.allocate(shape, dtype, where);
  if (dtype === "float32") k.fill_f32(out.ptr, value, out.numel());
  else if (dtype === "int32") k.fill_i32(out.ptr, value, out.numel());
  else k.fill_u8(out.ptr, dtype === "bool" ? Number(value !== 0) : value, out.numel());
  return out;
}

function scatterElements(target: Tensor, idx: Tensor, values: Tensor, dim: number, accumulate: boolean): void {
  const { outer, r, inner } = around(target.shape, dim);
  const n = idx.shape[dim] ?? 1;
  const wide = itemSize(target.dtype) === 4;
  if (!accumulate) {
    (wide ? k.scatter_4 : k.scatter_1)(target.ptr, idx.ptr, values.ptr, outer, r, inner, n);
  } else if (wide) {
    const scatterAdd = target.dtype === "float32" ? k.scatter_add_f32 : k.scatter_add_i32;
    scatterAdd(target.ptr, idx.ptr, values.ptr, outer, r, inner, n);
  } else {
    addBytes(target, idx, values, { outer, r, inner, n });
  }
}

/** scatter_add for uint8 (wrapping around) and bool ("or"): rare, so without a kernel. */
function addBytes(
  target: Tensor,
  idx: Tensor,
  values: Tensor,
  { outer, r, inner, n }: { outer: number; r: number; inner: number; n: number },
): void {
  const first = target.ptr;
  const isBool = target.dtype === "bool";
  let index = idx.ptr >>> 2;
  let from = values.ptr;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < n; j++) {
      for (let i = 0; i < inner; i++, index++, from++) {
        const p = first + (o * r + I32[index]) * inner + i;
        U8[p] = isBool ? U8[p] | U8[from] : U8[p] + U8[from];
      }
    }
  }
}
