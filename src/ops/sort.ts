/** Sorting along a dim, and the largest of each line. NaN counts as larger than every number, as in PyTorch. */

import { inPlaces, type Named, optionsOf } from "../arguments.js";
import { ArgumentError, IndexError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, normalizeDim } from "../shape.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import { contiguous, to } from "./convert.js";
import { around, discard, onContiguous } from "./indices.js";
import { type ValuesIndices, valuesAndIndices } from "./pair.js";
import { narrow } from "./view.js";

export type { ValuesIndices } from "./pair.js";

/** What the sorting kernels need beside their operands, for lines of r elements. */
const scratchFor = (r: number, where: string): Tensor => Tensor.allocate([16 * r + 4096], "uint8", where);

/** x float32 or int32, contiguous; fills `indices` too, which is uninitialised when it comes. */
const sortLines = /* @__PURE__ */ defineOp<[Tensor, Tensor], [number, boolean]>({
  name: "sort",
  inputs: 2,
  raw: true,
  output: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  forward: (out, [x, indices], dim, descending) => {
    const { outer, r, inner } = around(x.shape, dim);
    const scratch = scratchFor(r, "sort");
    const sort = x.dtype === "float32" ? k.sort_f32 : k.sort_i32;
    sort(out.ptr, indices.ptr, x.ptr, outer, r, inner, Number(descending), scratch.ptr);
    discard(scratch);
  },
  save: (_out, [, indices]) => [indices],
  backward: (dOut, [indices], [dX], dim) => {
    if (dX === null) return;
    // A permutation: every element of dX is written.
    const { outer, r, inner } = around(dX.shape, dim);
    k.scatter_4(dX.ptr, indices.ptr, dOut.ptr, outer, r, inner, r);
  },
});

/** x float32, contiguous; `indices` as in sortLines, and of the result's shape. */
const topkLines = /* @__PURE__ */ defineOp<[Tensor, Tensor], [number, boolean]>({
  name: "topk",
  inputs: 2,
  raw: true,
  output: ([, indices]) => ({ shape: indices.shape, dtype: "float32" }),
  forward: (out, [x, indices], dim, largest) => {
    const { outer, r, inner } = around(x.shape, dim);
    const scratch = scratchFor(r, "topk");
    const count = indices.shape[dim] ?? 1;
    k.topk_f32(out.ptr, indices.ptr, x.ptr, outer, r, inner, count, Number(largest), scratch.ptr);
    discard(scratch);
  },
  save: (_out, [, indices]) => [indices],
  backward: (dOut, [indices], [dX], dim) => {
    if (dX === null) return;
    const { outer, r, inner } = around(dX.shape, dim);
    k.fill_f32(dX.ptr, 0, dX.numel());
    k.scatter_4(dX.ptr, indices.ptr, dOut.ptr, outer, r, inner, indices.shape[dim] ?? 1);
  },
});

/** values, of whose tape node the indices are a result like any other. */
function pair(values: Tensor, indices: Tensor): ValuesIndices {
  values.gradFn?.outputs.push({ block: indices.block, shape: indices.shape });
  return valuesAndIndices(values, indices);
}

export interface SortOptions {
  /** Default −1, the last. */
  dim?: number;
  descending?: boolean;
  /** Accepted for PyTorch's sake: sorting is always stable, equal elements keep their order. */
  stable?: boolean;
}

export interface TopkOptions {
  /** Default −1, the last. */
  dim?: number;
  /** Default true; false gives the smallest. */
  largest?: boolean;
  /** Accepted for PyTorch's sake: the elements always come sorted. */
  sorted?: boolean;
}

/** Arguments without the `undefined`s behind the last that was given. */
function trailing(...args: unknown[]): unknown[] {
  while (args.length > 0 && args.at(-1) === undefined) args.pop();
  return args;
}

/**
 * x sorted along dim, and where each element was (int32): `{ values, indices }`, or `[values, indices]`. Stable. Gradients
 * flow through the values. Any dtype.
 *
 * @throws IndexError when x has no such dim
 */
export function sort(x: Tensor, dim?: number | SortOptions, descending?: boolean | SortOptions): ValuesIndices {
  const options = optionsOf<SortOptions>("sort", trailing(dim, descending), ["dim", "descending"], ["stable"]);
  return sortAlong(x, normalizeDim(options.dim ?? -1, x.ndim, "sort"), options.descending ?? false);
}

function sortAlong(x: Tensor, dim: number, descending: boolean): ValuesIndices {
  const small = x.dtype === "uint8" || x.dtype === "bool";
  const source = small ? to(x, "int32") : x;
  const indices = Tensor.allocate(x.shape, "int32", "sort");
  const sorted = onContiguous(source, (data) => sortLines(data, indices, dim, descending));
  if (!small) return pair(sorted, indices);
  const values = to(sorted, x.dtype);
  discard(source);
  discard(sorted);
  return valuesAndIndices(values, indices);
}

/** The indices (int32) that would sort x along dim: `sort(x, dim, descending).indices`. */
export function argsort(x: Tensor, dim?: number | SortOptions, descending?: boolean | SortOptions): Tensor {
  const { values, indices } = sort(x.detach(), dim, descending);
  discard(values);
  return indices;
}

/**
 * The `count` largest elements along dim (with `largest: false` the smallest), best first, and where they are (int32):
 * `{ values, indices }`, or `[values, indices]`. Of equal elements the first comes first. Gradients flow through the
 * values. Any dtype.
 *
 * @throws IndexError when count is more than the size of dim, or x has no such dim
 */
export function topk(
  x: Tensor,
  count: number,
  dim?: number | TopkOptions,
  largest?: boolean | TopkOptions,
  sorted?: boolean,
): ValuesIndices;
export function topk(x: Tensor, ...named: Named<{ k: number }, ["k"], TopkOptions>): ValuesIndices;
export function topk(x: Tensor, ...args: any[]): ValuesIndices {
  const [count, ...rest] = inPlaces(args, ["k"]);
  const options = optionsOf<TopkOptions>("topk", trailing(...rest), ["dim", "largest", "sorted"]);
  const d = normalizeDim(options.dim ?? -1, x.ndim, "topk");
  const size = x.shape[d] ?? 1;
  if (!Number.isInteger(count)) throw new ArgumentError(`topk: k must be a whole number, found ${String(count)}`);
  if (count < 0 || count > size) {
    throw new IndexError(
      `topk: k = ${count} is out of range for dim ${d} with size ${size} of ${formatShape(x.shape)}`,
    );
  }
  if (x.dtype === "float32") {
    const shape = x.shape.map((s, i) => (i === d ? count : s));
    const indices = Tensor.allocate(shape, "int32", "topk");
    const { largest = true } = options;
    return pair(
      onContiguous(x, (data) => topkLines(data, indices, d, largest)),
      indices,
    );
  }
  const all = sortAlong(x, d, options.largest ?? true);
  if (count === size) return all;
  const first = valuesAndIndices(
    contiguous(narrow(all.values, d, 0, count)),
    contiguous(narrow(all.indices, d, 0, count)),
  );
  discard(all.values);
  discard(all.indices);
  return first;
}
