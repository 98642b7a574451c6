/** Triangles of matrices, and elements in another order along a dim. */

import { inPlaces } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, normalizeDim, normalizeDims, numelOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import { contiguous } from "./convert.js";
import { around, onContiguous } from "./indices.js";
import { cat, narrow, reshape } from "./view.js";

type TriangleKernel = (
  out: number,
  x: number,
  batch: number,
  rows: number,
  cols: number,
  diagonal: number,
  bytes: number,
) => void;

const defineTriangle = (name: string, kernel: () => TriangleKernel) => {
  const keep = (out: Tensor, x: Tensor, diagonal: number) => {
    const [rows, cols] = x.shape.slice(-2);
    kernel()(out.ptr, x.ptr, numelOf(x.shape.slice(0, -2)), rows, cols, diagonal, itemSize(x.dtype));
  };
  return defineOp<[Tensor], [number]>({
    name,
    raw: true,
    output: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
    forward: (out, [x], diagonal) => keep(out, x, diagonal),
    backward: (dOut, _saved, [dX], diagonal) => dX !== null && keep(dX, dOut, diagonal),
  });
};
const lowerTriangle = /* @__PURE__ */ defineTriangle("tril", () => k.tril);
const upperTriangle = /* @__PURE__ */ defineTriangle("triu", () => k.triu);

/** Which diagonal bounds the triangle: 0 the main one, positive above it. As a number or an option. */
export type Diagonal = number | { diagonal?: number };

function checkTriangle(x: Tensor, options: Diagonal, where: string): number {
  const diagonal = typeof options === "number" ? options : (options.diagonal ?? 0);
  if (x.ndim < 2) throw new ShapeError(`${where}: expected at least 2 dims, found shape ${formatShape(x.shape)}`);
  if (!Number.isInteger(diagonal))
    throw new ArgumentError(`${where}: diagonal must be a whole number, found ${diagonal}`);
  return Math.max(-(2 ** 31), Math.min(diagonal, 2 ** 31 - 1));
}

/**
 * The lower triangle of each matrix: elements [i, j] with j − i > diagonal become 0. Shape: (*, rows, cols) → same; any
 * dtype. @throws ShapeError for fewer than 2 dims
 */
export function tril(x: Tensor, diagonal: Diagonal = 0): Tensor {
  const bound = checkTriangle(x, diagonal, "tril");
  return onContiguous(x, (source) => lowerTriangle(source, bound));
}

/**
 * The upper triangle of each matrix: elements [i, j] with j − i < diagonal become 0. Shape: (*, rows, cols) → same; any
 * dtype. @throws ShapeError for fewer than 2 dims
 */
export function triu(x: Tensor, diagonal: Diagonal = 0): Tensor {
  const bound = checkTriangle(x, diagonal, "triu");
  return onContiguous(x, (source) => upperTriangle(source, bound));
}

function reverse(out: Tensor, x: Tensor, dim: number): void {
  const { outer, r, inner } = around(x.shape, dim);
  k.flip(out.ptr, x.ptr, outer, r, inner * itemSize(x.dtype));
}

const flipDim = /* @__PURE__ */ defineOp<[Tensor], [number]>({
  name: "flip",
  raw: true,
  output: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  forward: (out, [x], dim) => reverse(out, x, dim),
  backward: (dOut, _saved, [dX], dim) => dX !== null && reverse(dX, dOut, dim),
});

/** A copy of x with the order of the elements along dims reversed (a number, a list or several numbers). Any dtype. */
export function flip(x: Tensor, ...given: number[] | [readonly number[]] | [{ dims: readonly number[] }]): Tensor {
  const dims = inPlaces(given, ["dims"]);
  const list = dims.length === 1 && Array.isArray(dims[0]) ? (dims[0] as readonly number[]) : (dims as number[]);
  // An empty list means no dims here, not all of them.
  const sorted = list.length === 0 ? [] : normalizeDims(list, x.ndim, "flip");
  if (sorted.length === 0) return contiguous(x);
  return sorted.reduce((out, dim) => onContiguous(out, (source) => flipDim(source, dim)), x);
}

type Several = number | readonly number[];

/**
 * A copy of x with its elements moved on by `shifts` along dims; what falls off the end comes in at the start
 * (`torch.roll`). Without dims over the flattened tensor.
 *
 * @throws ShapeError unless there are as many shifts as dims
 */
export function roll(x: Tensor, shifts: Several, dims?: Several | { dims?: Several }): Tensor;
export function roll(x: Tensor, named: { shifts: Several; dims?: Several }): Tensor;
export function roll(x: Tensor, ...args: any[]): Tensor {
  const [shifts, dims] = inPlaces<[Several, Several?]>(args, ["shifts", "dims"]);
  if (dims === undefined) return reshape(roll(reshape(x, [-1]), shifts, 0), x.shape);
  const by = typeof shifts === "number" ? [shifts] : shifts;
  const along = (typeof dims === "number" ? [dims] : dims).map((dim) => normalizeDim(dim, x.ndim, "roll"));
  if (by.length !== along.length) {
    throw new ShapeError(
      `roll: ${by.length} shifts and ${along.length} dims: there must be as many of one as of the other`,
    );
  }
  return along.reduce((out, dim, i) => {
    const size = out.shape[dim];
    const shift = size === 0 ? 0 : ((by[i] % size) + size) % size;
    if (shift === 0) return out;
    return cat([narrow(out, dim, size - shift, shift), narrow(out, dim, 0, size - shift)], dim);
  }, contiguous(x));
}
