/** Shapes: the same elements seen otherwise. All but cat, stack, repeat and what must copy are views: they share memory. */

import { inPlaces, isOptions, optionsOf, show, type Trailing } from "../arguments.js";
import { promoteTypes } from "../dtype.js";
import { ArgumentError, IndexError, ShapeError } from "../errors.js";
import { defineView, type OpSpec, runOp } from "../op.js";
import {
  contiguousStrides,
  formatShape,
  inferShape,
  normalizeDim,
  numelOf,
  type Shape,
  sameShape,
  shapeArgs,
} from "../shape.js";
import { Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";
import { contiguous, copyInto, to } from "./convert.js";
import { sumTo } from "./reduce.js";

type DimOption = number | { dim?: number };

/** A dim given by position or as `{ dim }`. */
function dimOf(where: string, given: DimOption | undefined, otherwise: number): number {
  return optionsOf<{ dim?: number }>(where, [given], ["dim"]).dim ?? otherwise;
}

type ShapeArgs = readonly number[] | readonly [readonly number[]];

const reshapeContiguous = defineView<[Shape]>({
  name: "reshape",
  view: (x, shape) => ({ shape, strides: contiguousStrides(shape), offset: x.offset }),
  adjoint: (dOut, shape) => reshape(dOut, shape as number[]),
});

/** The same elements in another shape; one size may be -1. A view where x is contiguous, else a copy. */
export function reshape(x: Tensor, ...shape: number[] | [readonly number[]]): Tensor {
  const sizes = inferShape(shapeArgs(shape as ShapeArgs), x.numel(), x.shape, "reshape");
  return reshapeContiguous(x.isContiguous() ? x : contiguous(x), sizes);
}

/** `reshape`. */
export const view = reshape;

/** x in the shape of other. */
export const viewAs = (x: Tensor, other: Tensor): Tensor => reshape(x, other.shape);

/** Options of `flatten`. */
export interface FlattenOptions {
  startDim?: number;
  endDim?: number;
}

/** The dims start to end (both included) as one. Shape: flatten(1) makes [n, c, h, w] into [n, c·h·w]. */
export function flatten(x: Tensor, ...rest: Trailing<FlattenOptions, ["startDim", "endDim"]>): Tensor {
  const { startDim = 0, endDim = -1 } = optionsOf<FlattenOptions>("flatten", rest, ["startDim", "endDim"]);
  if (x.ndim === 0) return reshape(x, [1]);
  const start = normalizeDim(startDim, x.ndim, "flatten");
  const end = normalizeDim(endDim, x.ndim, "flatten");
  if (start > end) throw new ShapeError(`flatten: startDim ${startDim} comes after endDim ${endDim}`);
  return reshape(x, [...x.shape.slice(0, start), numelOf(x.shape.slice(start, end + 1)), ...x.shape.slice(end + 1)]);
}

/** Splits dim into the sizes given, one of which may be -1. */
export function unflatten(x: Tensor, dim: number, sizes: readonly number[]): Tensor {
  const at = normalizeDim(dim, x.ndim, "unflatten");
  const split = inferShape(sizes, x.shape[at], [x.shape[at]], "unflatten");
  return reshape(x, [...x.shape.slice(0, at), ...split, ...x.shape.slice(at + 1)]);
}

const permuteView = defineView<[readonly number[]]>({
  name: "permute",
  view: (x, dims) => ({
    shape: dims.map((d) => x.shape[d]),
    strides: dims.map((d) => x.strides[d]),
    offset: x.offset,
  }),
  adjoint: (dOut, shape, dims) =>
    permute(
      dOut,
      shape.map((_, i) => dims.indexOf(i)),
    ),
});

/** The dims in another order. @throws ShapeError unless each dim is named once. */
export function permute(x: Tensor, ...given: number[] | [readonly number[]] | [{ dims: readonly number[] }]): Tensor {
  const dims = inPlaces(given, ["dims"]);
  const order = shapeArgs(dims as ShapeArgs).map((d) => normalizeDim(d, x.ndim, "permute"));
  if (order.length !== x.ndim || new Set(order).size !== x.ndim) {
    throw new ShapeError(
      `permute: dims ${formatShape(shapeArgs(dims as ShapeArgs))} must name each dim of ${formatShape(x.shape)} once`,
    );
  }
  return permuteView(x, order);
}

/** Two dims exchanged. */
export function transpose(x: Tensor, dim0: number, dim1: number): Tensor;
export function transpose(x: Tensor, named: { dim0: number; dim1: number }): Tensor;
export function transpose(x: Tensor, first: number | { dim0: number; dim1: number }, second?: number): Tensor {
  const [dim0, dim1] = isOptions(first) ? [first.dim0, first.dim1] : [first, second as number];
  const a = normalizeDim(dim0, x.ndim, "transpose");
  const b = normalizeDim(dim1, x.ndim, "transpose");
  const order = x.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return permuteView(x, order);
}

/** A matrix transposed; a vector or number as it is. @throws ShapeError beyond two dims. */
export function t(x: Tensor): Tensor {
  if (x.ndim > 2)
    throw new ShapeError(`t: ${formatShape(x.shape)} has more than two dims; use transpose() or permute()`);
  return x.ndim < 2 ? x : transpose(x, 0, 1);
}

const unsqueezeView = defineView<[number]>({
  name: "unsqueeze",
  view: (x, dim) => ({
    shape: [...x.shape.slice(0, dim), 1, ...x.shape.slice(dim)],
    strides: [...x.strides.slice(0, dim), 1, ...x.strides.slice(dim)],
    offset: x.offset,
  }),
  adjoint: (dOut, shape) => reshape(dOut, shape as number[]),
});

/** A dim of size 1 more, before dim. */
export const unsqueeze = (x: Tensor, dim: DimOption): Tensor =>
  unsqueezeView(x, normalizeDim(dimOf("unsqueeze", dim, Number.NaN), x.ndim + 1, "unsqueeze"));

const squeezeView = defineView<[readonly number[]]>({
  name: "squeeze",
  view: (x, dims) => ({
    shape: x.shape.filter((_, i) => !dims.includes(i)),
    strides: x.strides.filter((_, i) => !dims.includes(i)),
    offset: x.offset,
  }),
  adjoint: (dOut, shape) => reshape(dOut, shape as number[]),
});

/** Without the dims of size 1: all of them, or those named. */
export function squeeze(x: Tensor, given?: number | readonly number[] | { dim?: number | readonly number[] }): Tensor {
  const { dim } = optionsOf<{ dim?: number | readonly number[] }>("squeeze", [given], ["dim"]);
  const asked =
    dim === undefined
      ? x.shape.map((_, i) => i)
      : (typeof dim === "number" ? [dim] : dim).map((d) => normalizeDim(d, x.ndim, "squeeze"));
  return squeezeView(
    x,
    asked.filter((d) => x.shape[d] === 1),
  );
}

const expandView = defineView<[Shape]>({
  name: "expand",
  view: (x, shape) => {
    const lead = shape.length - x.ndim;
    const strides = shape.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : x.strides[i - lead]));
    return { shape, strides, offset: x.offset };
  },
  adjoint: (dOut, shape) => sumTo(dOut, shape as number[]),
});

/** Repeats dims of size 1, and new dims in front, without copying; -1 leaves a size as it is. */
export function expand(x: Tensor, ...shape: number[] | [readonly number[]]): Tensor {
  const asked = shapeArgs(shape as ShapeArgs);
  const lead = asked.length - x.ndim;
  const sizes = asked.map((size, i) => (size === -1 && i >= lead ? x.shape[i - lead] : size));
  const fits =
    lead >= 0 &&
    sizes.every((size, i) => size >= 0 && (i < lead || x.shape[i - lead] === size || x.shape[i - lead] === 1));
  if (!fits) {
    throw new ShapeError(
      `expand: ${formatShape(x.shape)} to ${formatShape(asked)}: only dims of size 1, or new ones in front, can be repeated`,
    );
  }
  return expandView(x, sizes);
}

/** x expanded to the shape of other. */
export const expandAs = (x: Tensor, other: Tensor): Tensor => expand(x, other.shape);

/** A tensor of zeros but for one part, which holds dOut: the gradient of a view that leaves elements out. */
export function zerosBut(shape: Shape, dOut: Tensor, part: (zeros: Tensor) => Tensor): Tensor {
  const zeros = Tensor.allocate(shape, "float32", "zeros");
  const { ptr } = zeros;
  U8.fill(0, ptr, ptr + 4 * zeros.numel());
  copyInto(part(zeros), dOut);
  return zeros;
}

const narrowView = defineView<[number, number, number]>({
  name: "narrow",
  view: (x, dim, start, length) => ({
    shape: x.shape.map((size, i) => (i === dim ? length : size)),
    strides: x.strides,
    offset: x.offset + start * x.strides[dim],
  }),
  adjoint: (dOut, shape, dim, start, length) => zerosBut(shape, dOut, (z) => narrow(z, dim, start, length)),
});

/** The elements start to start + length − 1 along dim. @throws IndexError when they are not all there. */
export function narrow(x: Tensor, dim: number, start: number, length: number): Tensor;
export function narrow(x: Tensor, named: { dim: number; start: number; length: number }): Tensor;
export function narrow(x: Tensor, ...args: readonly unknown[]): Tensor {
  const [dim, start, length] = inPlaces<[number, number, number]>(args, ["dim", "start", "length"]);
  const at = normalizeDim(dim, x.ndim, "narrow");
  if (x.ndim === 0) throw new ShapeError("narrow: a 0-d tensor cannot be narrowed");
  const size = x.shape[at];
  const from = start < 0 ? start + size : start;
  if (!Number.isInteger(start) || !Number.isInteger(length) || from < 0 || length < 0 || from + length > size) {
    throw new IndexError(`narrow: start ${start} and length ${length} do not lie within dim ${dim} of size ${size}`);
  }
  return narrowView(x, at, from, length);
}

const selectView = defineView<[number, number]>({
  name: "select",
  view: (x, dim, index) => ({
    shape: x.shape.filter((_, i) => i !== dim),
    strides: x.strides.filter((_, i) => i !== dim),
    offset: x.offset + index * x.strides[dim],
  }),
  adjoint: (dOut, shape, dim, index) => zerosBut(shape, dOut, (z) => select(z, dim, index)),
});

/** The part at index along dim, which goes away. @throws IndexError when there is no such index. */
export function select(x: Tensor, dim: number, index: number): Tensor;
export function select(x: Tensor, named: { dim: number; index: number }): Tensor;
export function select(x: Tensor, first: number | { dim: number; index: number }, second?: number): Tensor {
  const [dim, index] = isOptions(first) ? [first.dim, first.index] : [first, second as number];
  if (x.ndim === 0) throw new ShapeError("select: a 0-d tensor has no dims to select from; use item()");
  const at = normalizeDim(dim, x.ndim, "select");
  const size = x.shape[at];
  if (!Number.isInteger(index) || index < -size || index >= size) {
    throw new IndexError(`select: index ${index} is out of range for dim ${dim} with size ${size}`);
  }
  return selectView(x, at, index < 0 ? index + size : index);
}

const diagonalView = defineView<[]>({
  name: "diagonal",
  view: (x) => ({
    shape: [Math.min(x.shape[0], x.shape[1])],
    strides: [x.strides[0] + x.strides[1]],
    offset: x.offset,
  }),
  adjoint: (dOut, shape) => zerosBut(shape, dOut, (z) => diagonal(z)),
});

/** The diagonal of a matrix. Shape: [m, n] → [min(m, n)]. */
export function diagonal(x: Tensor): Tensor {
  if (x.ndim !== 2) throw new ShapeError(`diagonal: ${formatShape(x.shape)}: expected a matrix`);
  return diagonalView(x);
}

/** Parts of splitSize along dim (the last may be smaller), or of the sizes given. Views. */
export function split(x: Tensor, splitSize: number | readonly number[], dim?: DimOption): Tensor[];
export function split(x: Tensor, named: { splitSize: number | readonly number[]; dim?: number }): Tensor[];
export function split(x: Tensor, ...args: any[]): Tensor[] {
  const [splitSize, given = 0] = inPlaces<[number | readonly number[], DimOption?]>(args, ["splitSize"]);
  const dim = dimOf("split", given, 0);
  const at = normalizeDim(dim, x.ndim, "split");
  const size = x.shape[at];
  let sizes: readonly number[];
  if (typeof splitSize === "number") {
    if (!Number.isInteger(splitSize) || splitSize < 1) {
      throw new ArgumentError(`split: the size of a part must be a whole number ≥ 1, found ${splitSize}`);
    }
    const parts = Math.max(1, Math.ceil(size / splitSize));
    sizes = Array.from({ length: parts }, (_, i) => Math.min(splitSize, size - i * splitSize));
  } else {
    sizes = splitSize;
    if (sizes.reduce((a, b) => a + b, 0) !== size) {
      throw new ShapeError(`split: sizes ${formatShape(sizes)} do not add up to ${size}, the size of dim ${dim}`);
    }
  }
  let start = 0;
  return sizes.map((length) => {
    const part = narrow(x, at, start, length);
    start += length;
    return part;
  });
}

/** At most `chunks` parts of equal size along dim (the last may be smaller). Views. */
export function chunk(x: Tensor, chunks: number, dim?: DimOption): Tensor[];
export function chunk(x: Tensor, named: { chunks: number; dim?: number }): Tensor[];
export function chunk(x: Tensor, ...args: any[]): Tensor[] {
  const [chunks, given = 0] = inPlaces(args, ["chunks"]);
  const dim = dimOf("chunk", given, 0);
  if (!Number.isInteger(chunks) || chunks < 1) {
    throw new ArgumentError(`chunk: the number of chunks must be a whole number ≥ 1, found ${chunks}`);
  }
  const size = x.shape[normalizeDim(dim, x.ndim, "chunk")];
  return split(x, Math.max(1, Math.ceil(size / chunks)), dim);
}

/** The tensors along dim, which goes away. Views. */
export function unbind(x: Tensor, dim: DimOption = 0): Tensor[] {
  const at = normalizeDim(dimOf("unbind", dim, 0), x.ndim, "unbind");
  return Array.from({ length: x.shape[at] }, (_, i) => select(x, at, i));
}

/** `sizes` are those along dim; null for a tensor that is passed over. */
const catSpec: OpSpec<readonly Tensor[], [dim: number, sizes: readonly (number | null)[]]> = {
  name: "cat",
  raw: true,
  output: (tensors, dim, sizes) => {
    const shape = [...tensors[sizes.findIndex((size) => size !== null)].shape];
    shape[dim] = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    return { shape, dtype: tensors[0].dtype };
  },
  forward: (out, tensors, dim, sizes) => {
    let start = 0;
    for (const [i, x] of tensors.entries()) {
      if (sizes[i] === null) continue;
      copyInto(out.stridedView(x.shape, out.strides, out.offset + start * out.strides[dim]), x);
      start += x.shape[dim];
    }
  },
  adjoint: (dOut, _saved, needs, dim, sizes) => {
    let start = 0;
    return sizes.map((size, i) => {
      if (size === null) return needs[i] ? Tensor.allocate([0], "float32", "cat") : null;
      const part = needs[i] ? narrow(dOut, dim, start, size) : null;
      start += size;
      return part;
    });
  },
};

/**
 * The tensors one after the other along dim. All other sizes must agree; empty 1-d tensors are passed over, as in PyTorch.
 *
 * @throws ShapeError naming the tensor that does not fit
 */
export function cat(tensors: readonly Tensor[], dim?: DimOption): Tensor;
export function cat(named: { tensors: readonly Tensor[]; dim?: number }): Tensor;
export function cat(...args: any[]): Tensor {
  const [tensors, given = 0] = inPlaces<[readonly Tensor[], DimOption?]>(args, ["tensors"]);
  const dim = dimOf("cat", given, 0);
  checkTensors("cat", tensors);
  const isPassedOver = (x: Tensor) => x.ndim === 1 && x.shape[0] === 0;
  const parts = tensors.filter((x) => !isPassedOver(x));
  if (parts.length === 0) return contiguous(tensors[0]);
  const first = parts[0];
  if (first.ndim === 0) throw new ShapeError("cat: 0-d tensors cannot be concatenated; use stack()");
  const at = normalizeDim(dim, first.ndim, "cat");
  tensors.forEach((x, i) => {
    if (isPassedOver(x)) return;
    if (x.ndim !== first.ndim || x.shape.some((size, d) => d !== at && size !== first.shape[d])) {
      throw new ShapeError(
        `cat: tensor ${i} has shape ${formatShape(x.shape)}, which does not fit ${formatShape(first.shape)}: ` +
          `all sizes but that of dim ${dim} must be equal`,
      );
    }
  });
  const dtype = tensors.map((x) => x.dtype).reduce(promoteTypes);
  return runOp(
    catSpec as never,
    tensors.map((x) => to(x, dtype)),
    [at, tensors.map((x) => (isPassedOver(x) ? null : x.shape[at]))],
  );
}

/** @throws ArgumentError unless tensors is a list of at least one tensor, and of nothing else. */
function checkTensors(where: string, tensors: unknown): void {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new ArgumentError(
      `${where}: expected a list of at least one tensor, as in ${where}([a, b]), found ${show(tensors)}`,
    );
  }
  tensors.forEach((t, i) => {
    if (!(t instanceof Tensor)) {
      throw new ArgumentError(
        `${where}: element ${i} of the list must be a Tensor, found ${show(t)}; wrap data in tensor(…)`,
      );
    }
  });
}

/** The tensors, all of one shape, along a new dim. @throws ShapeError naming the tensor of another shape. */
export function stack(tensors: readonly Tensor[], dim?: DimOption): Tensor;
export function stack(named: { tensors: readonly Tensor[]; dim?: number }): Tensor;
export function stack(...args: any[]): Tensor {
  const [tensors, given = 0] = inPlaces<[readonly Tensor[], DimOption?]>(args, ["tensors"]);
  const dim = dimOf("stack", given, 0);
  checkTensors("stack", tensors);
  tensors.forEach((x, i) => {
    if (!sameShape(x.shape, tensors[0].shape)) {
      throw new ShapeError(
        `stack: tensor ${i} has shape ${formatShape(x.shape)}, tensor 0 ${formatShape(tensors[0].shape)}: they must be equal`,
      );
    }
  });
  const at = normalizeDim(dim, tensors[0].ndim + 1, "stack");
  return cat(
    tensors.map((x) => unsqueeze(x, at)),
    at,
  );
}

/** Copies x the given number of times along each dim; more numbers than dims make new dims in front. */
export function repeat(x: Tensor, ...repeats: number[] | [readonly number[]]): Tensor {
  const times = shapeArgs(repeats as ShapeArgs);
  if (times.length < x.ndim || times.some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ShapeError(
      `repeat: ${formatShape(times)}: expected at least ${x.ndim} whole numbers ≥ 0, one for each dim of ${formatShape(x.shape)}`,
    );
  }
  const sizes = [...new Array<number>(times.length - x.ndim).fill(1), ...x.shape];
  // [s] → [1, s] → [n, s] → [n·s], in all dims at once.
  const spread = reshape(
    x,
    sizes.flatMap((size) => [1, size]),
  );
  const repeated = expand(
    spread,
    sizes.flatMap((size, i) => [times[i], size]),
  );
  return reshape(
    contiguous(repeated),
    sizes.map((size, i) => size * times[i]),
  );
}
