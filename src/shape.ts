/** Shapes: sizes, strides, broadcasting, and the checks that name what is wrong. */
import { show } from "./arguments.js";
import { ArgumentError, IndexError, ShapeError } from "./errors.js";

export type Shape = readonly number[];

export const formatShape = (shape: Shape): string => `[${shape.join(", ")}]`;

/** Product of the sizes; 1 for a 0-d tensor. */
export function numelOf(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

/** Row-major strides in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i] > 1 ? shape[i] : 1;
  }
  return strides;
}

/** Whether the elements lie in row-major order without gaps; the stride of a dim of size 1 does not matter. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] === 1) continue;
    if (shape[i] === 0) return true;
    if (strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** `f(2, 3)` and `f([2, 3])` mean the same: the one list or the numbers themselves. */
export function shapeArgs(args: readonly (number | Shape)[]): number[] {
  if (args.length === 1 && Array.isArray(args[0])) return [...args[0]];
  return args as number[];
}

/** @throws ShapeError unless every size is a whole number ≥ 0. */
export function checkShape(shape: Shape, where: string): void {
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 0) {
      throw new ShapeError(
        `${where}: shape ${formatShape(shape)}: sizes must be whole numbers ≥ 0, found ${show(size)}`,
      );
    }
  }
}

/** A dim from the end when negative. @throws IndexError when the tensor has no such dim. */
export function normalizeDim(dim: number, ndim: number, where: string): number {
  const dims = Math.max(ndim, 1);
  if (!Number.isInteger(dim) || dim < -dims || dim >= dims) {
    throw new IndexError(
      `${where}: dim ${dim} is out of range: a tensor of ${ndim} dim${ndim === 1 ? "" : "s"} has dims ${-dims} to ${dims - 1}`,
    );
  }
  return dim < 0 ? dim + dims : dim;
}

/** Dims as a sorted list without repeats; undefined, null and [] mean all of them. */
export function normalizeDims(
  dim: number | readonly number[] | null | undefined,
  ndim: number,
  where: string,
): number[] {
  if (dim === undefined || dim === null || (Array.isArray(dim) && dim.length === 0)) {
    return Array.from({ length: ndim }, (_, i) => i);
  }
  const dims = (typeof dim === "number" ? [dim] : [...dim]).map((d) => normalizeDim(d, ndim, where));
  const unique = new Set(dims);
  if (unique.size !== dims.length) throw new ShapeError(`${where}: dim ${formatShape(dims)} names a dim twice`);
  return [...unique].sort((a, b) => a - b);
}

/** The shape two operands have together. @throws ShapeError naming both shapes and the dim where they differ. */
export function broadcastShapes(a: Shape, b: Shape, where: string): number[] {
  const ndim = Math.max(a.length, b.length);
  const out = new Array<number>(ndim);
  for (let i = 0; i < ndim; i++) {
    const x = i < ndim - a.length ? 1 : a[i - (ndim - a.length)];
    const y = i < ndim - b.length ? 1 : b[i - (ndim - b.length)];
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${where}: ${formatShape(a)} and ${formatShape(b)} cannot be broadcast together: sizes ${x} and ${y} differ at dim ${i - ndim} ` +
          "(sizes must be equal, or one of them 1)",
      );
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides with which a tensor is read as the larger shape: 0 along dims it is repeated over. */
export function broadcastStrides(shape: Shape, strides: readonly number[], to: Shape): number[] {
  const lead = to.length - shape.length;
  return to.map((_, i) => (i < lead || shape[i - lead] === 1 ? 0 : strides[i - lead]));
}

/** The shape after reducing dims (sorted). */
export function reducedShape(shape: Shape, dims: readonly number[], keepdim: boolean): number[] {
  if (keepdim) return shape.map((size, i) => (dims.includes(i) ? 1 : size));
  return shape.filter((_, i) => !dims.includes(i));
}

/** Replaces the -1 of a reshape by what it must be. @throws ShapeError when the elements do not come out even. */
export function inferShape(shape: Shape, numel: number, from: Shape, where: string): number[] {
  const out = [...shape];
  const unknown = out.indexOf(-1);
  if (unknown !== out.lastIndexOf(-1)) {
    throw new ShapeError(`${where}: ${formatShape(shape)}: only one size can be -1`);
  }
  checkShape(
    out.filter((_, i) => i !== unknown),
    where,
  );
  if (unknown >= 0) {
    const known = numelOf(out.filter((_, i) => i !== unknown));
    if (known === 0) throw new ShapeError(`${where}: ${formatShape(shape)}: -1 is ambiguous beside a size of 0`);
    out[unknown] = numel / known;
  }
  if (numelOf(out) !== numel || !Number.isInteger(out[unknown] ?? 0)) {
    throw new ShapeError(
      `${where}: ${formatShape(from)} has ${numel} elements, which do not fit shape ${formatShape(shape)}`,
    );
  }
  return out;
}

/** @throws ArgumentError unless value is a finite number. */
export function checkNumber(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new ArgumentError(`${what} must be a finite number, found ${show(value)}`);
  }
  return value;
}
