/** What ops take as indices: an int32 tensor, an Int32Array, or plain arrays of whole numbers. */
import { DTypeError, IndexError, ShapeError } from "../errors.js";
import { formatShape, numelOf } from "../shape.js";
import { free } from "../storage.js";
import { type NestedArray, Tensor } from "../tensor.js";
import { I32, U8 } from "../wasm/heap.js";

/** Indices: an int32 tensor, an Int32Array, or a number or (nested) arrays of whole numbers. */
export type IndexArray = Tensor | Int32Array | NestedArray;

/**
 * Runs fn with the indices as a contiguous int32 tensor. One that had to be made (from plain arrays, from a strided view)
 * is freed afterwards, or with the tape that saved it.
 *
 * @throws DTypeError for a tensor that is not int32, or values that are not whole numbers; ShapeError for ragged arrays
 */
export function withIndices<T>(value: IndexArray, where: string, fn: (indices: Tensor) => T): T {
  const indices = value instanceof Tensor ? intTensor(value, where) : tensorFromArrays(value, where);
  if (indices.dtype !== "int32") {
    discard(indices);
    throw new DTypeError(`${where}: the index must hold whole numbers, found booleans`);
  }
  if (indices !== value) indices.block.owned = true;
  try {
    return fn(indices);
  } finally {
    if (indices.block.owned && indices.block.pins === 0) discard(indices);
  }
}

/** op of x in row-major order, where op does not save its input; a copy that the tape does not need is freed at once. */
export function onContiguous<T>(x: Tensor, op: (x: Tensor) => T): T {
  const source = x.contiguous();
  try {
    return op(source);
  } finally {
    if (source !== x && source.gradFn === null) discard(source);
  }
}

/** Frees a tensor nobody outside has seen. */
export const discard = (t: Tensor): void => free(t.block, "consumed");

function intTensor(value: Tensor, where: string): Tensor {
  if (value.dtype !== "int32") {
    throw new DTypeError(`${where}: the index must be an int32 tensor, found ${value.dtype}; convert it with int()`);
  }
  return value.contiguousData();
}

/** A new tensor of plain arrays: int32 where they hold numbers, bool where they hold booleans. */
export function tensorFromArrays(value: Int32Array | NestedArray, where: string): Tensor {
  if (value instanceof Int32Array) {
    const out = Tensor.allocate([value.length], "int32", where);
    I32.set(value, out.ptr >>> 2);
    return out;
  }
  const shape: number[] = [];
  for (let level: NestedArray = value; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: (number | boolean)[] = [];
  flatten(value, 0, shape, flat, where);
  const isMask = typeof flat[0] === "boolean";
  const out = Tensor.allocate(shape, isMask ? "bool" : "int32", where);
  if (isMask) for (let i = 0, p = out.ptr; i < flat.length; i++) U8[p + i] = flat[i] ? 1 : 0;
  else for (let i = 0, p = out.ptr >>> 2; i < flat.length; i++) I32[p + i] = flat[i] as number;
  return out;
}

function flatten(value: unknown, dim: number, shape: number[], flat: (number | boolean)[], where: string): void {
  if (dim < shape.length) {
    if (!Array.isArray(value) || value.length !== shape[dim]) {
      throw new ShapeError(
        `${where}: the nested array of indices is ragged: at depth ${dim} expected lists of ${shape[dim]}, found ` +
          (Array.isArray(value) ? `one of ${value.length}` : String(value)),
      );
    }
    for (const item of value) flatten(item, dim + 1, shape, flat, where);
    return;
  }
  if (typeof value !== "boolean" && !(Number.isInteger(value) && Math.abs(value as number) < 2 ** 31)) {
    throw new DTypeError(`${where}: an index must be a whole number, found ${formatValue(value)}`);
  }
  if (flat.length > 0 && typeof flat[0] !== typeof value) {
    throw new DTypeError(`${where}: an array of indices mixes numbers and booleans`);
  }
  flat.push(value as number | boolean);
}

const formatValue = (value: unknown): string => {
  if (value instanceof Tensor) return `a tensor of shape ${formatShape(value.shape)} inside an array`;
  return Array.isArray(value) ? "a list (the nested array is ragged)" : String(value);
};

/** @throws IndexError unless all of the contiguous int32 tensor's values lie in [0, size). */
export function checkWithin(indices: Tensor, size: number, dim: number, where: string): void {
  const start = indices.ptr >>> 2;
  const end = start + indices.numel();
  for (let i = start; i < end; i++) if (I32[i] >>> 0 >= size) throw outOfRange(I32[i], size, dim, where);
}

/** The error for an index that dim has no element for. */
export function outOfRange(index: number, size: number, dim: number, where: string): IndexError {
  const negative = index < 0 && index >= -size ? " (a negative index counts from the end only in at() and take())" : "";
  return new IndexError(`${where}: index ${index} is out of range for dim ${dim} with size ${size}${negative}`);
}

/** A shape as the kernels see it around dim: [outer, r, inner]; a 0-d tensor is [1, 1, 1]. */
export function around(shape: readonly number[], dim: number): { outer: number; r: number; inner: number } {
  return { outer: numelOf(shape.slice(0, dim)), r: shape[dim] ?? 1, inner: numelOf(shape.slice(dim + 1)) };
}
