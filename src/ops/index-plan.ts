/**
 * What the arguments of `at` and `indexPut_` mean, worked out and checked before anything is computed.
 *
 * Numbers, slices, `null` and `"..."` make a view. Index arrays and masks then pick elements of some of its dims. The
 * picks' dims are brought together, in the place PyTorch puts their result (where they are, or in front when something
 * stands between them), so that the view is [outer, picked, inner] and one list of positions in the middle is left.
 */
import { ArgumentError, DTypeError, IndexError, ShapeError } from "../errors.js";
import {
  broadcastShapes,
  broadcastStrides,
  contiguousStrides,
  formatShape,
  numelOf,
  type Shape,
  sameShape,
} from "../shape.js";
import { type NestedArray, Tensor } from "../tensor.js";
import { I32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { discard, outOfRange, tensorFromArrays } from "./indices.js";

/**
 * One argument of `at`: a number, a slice (`":"`, `"1:-1"`, `"::2"`), `"..."`, null (a new axis), an int32 tensor or
 * arrays of indices, a bool tensor or arrays of booleans.
 */
export type Index = NestedArray | string | null | Tensor | Int32Array;

/** A dim of the view: every `step`-th element of the source's dim `from`, or a new axis (−1). */
export interface Axis {
  from: number;
  size: number;
  step: number;
}

/** A view by shape alone, whatever the strides of what it looks at: where each source dim starts, and the dims. */
export interface Window {
  starts: number[];
  axes: Axis[];
}

/** Where the picked rows lie, and the shape of what they become. */
export interface Rows {
  outer: Shape;
  /** Positions in the middle dims, flattened: their number. */
  r: number;
  picked: Shape;
  inner: Shape;
}

export interface IndexPlan {
  window: Window;
  /** The window is the whole tensor as it stands. */
  whole: boolean;
  rows: Rows | null;
  /** Of shape `rows.picked`: int32 in [0, rows.r), contiguous, made for this plan (`block.owned`). */
  positions: Tensor | null;
}

/** An index array or mask, and the sizes of the dims it picks from. */
interface Pick {
  index: Tensor;
  dim: number;
  sizes: number[];
}

/** Shape, strides and offset of a window on a tensor that has these strides and offset. */
export function openWindow(window: Window, strides: readonly number[], offset: number) {
  let start = offset;
  for (let d = 0; d < strides.length; d++) start += window.starts[d] * strides[d];
  return {
    shape: window.axes.map((axis) => axis.size),
    strides: window.axes.map((axis) => (axis.from < 0 ? 0 : axis.step * strides[axis.from])),
    offset: start,
  };
}

/**
 * @throws IndexError for an index out of range or too many of them, ShapeError for a mask of another shape or index
 * arrays that cannot be broadcast together, DTypeError and ArgumentError for what is no index
 */
export function planIndex(x: Tensor, indices: readonly Index[], where: string): IndexPlan {
  const temporaries: Tensor[] = [];
  try {
    const items = indices.map((index) => readIndex(index, where, temporaries));
    return build(x.shape, items, where, temporaries);
  } finally {
    for (const t of temporaries) discard(t);
  }
}

const ELLIPSIS = "...";
const NEW_AXIS = null;
type Slice = readonly [start: number | null, stop: number | null, step: number];
type Item = number | typeof ELLIPSIS | typeof NEW_AXIS | Slice | Tensor;

function readIndex(index: Index, where: string, temporaries: Tensor[]): Item {
  if (typeof index === "number") {
    if (!Number.isInteger(index)) throw new IndexError(`${where}: index ${index} is not a whole number`);
    return index;
  }
  if (index === null) return NEW_AXIS;
  if (typeof index === "string") return index.trim() === ELLIPSIS ? ELLIPSIS : parseSlice(index, where);
  if (index instanceof Tensor) {
    if (index.dtype !== "int32" && index.dtype !== "bool") {
      throw new DTypeError(
        `${where}: an index tensor must be int32, or bool for a mask, found ${index.dtype}; ` +
          `convert it with int()${index.dtype === "uint8" ? " or bool()" : ""}`,
      );
    }
    // As in PyTorch, a 0-d index is as good as a number.
    if (index.ndim === 0 && index.dtype === "int32") return index.item();
    const data = index.contiguousData();
    if (data !== index) temporaries.push(data);
    return data;
  }
  if (Array.isArray(index) || typeof index === "boolean" || index instanceof Int32Array) {
    const data = tensorFromArrays(index, where);
    temporaries.push(data);
    return data;
  }
  throw new ArgumentError(
    `${where}: ${String(index)} (${typeof index}) is no index; expected a number, a slice like "1:3", "...", null, ` +
      "an int32 or bool tensor, or an array",
  );
}

function parseSlice(text: string, where: string): Slice {
  const parts = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/.exec(text);
  if (parts === null) {
    throw new ArgumentError(
      `${where}: ${JSON.stringify(text)} is no slice; expected "start:stop:step", each of which may be left out, or "..."`,
    );
  }
  const [start, stop, step] = parts.slice(1).map((part) => (part === undefined ? null : Number(part)));
  if (step !== null && step <= 0) {
    throw new ArgumentError(`${where}: slice ${JSON.stringify(text)}: the step must be greater than 0; use flip()`);
  }
  return [start, stop, step ?? 1];
}

/** As Python: from the end when negative, and cut off at the ends. */
const clip = (position: number, size: number): number =>
  Math.min(Math.max(position < 0 ? position + size : position, 0), size);

/** How many dims of the source an item takes. */
const dimsTaken = (item: Item): number => {
  if (item === NEW_AXIS || item === ELLIPSIS) return 0;
  return item instanceof Tensor && item.dtype === "bool" ? item.ndim : 1;
};

function build(shape: Shape, items: readonly Item[], where: string, temporaries: Tensor[]): IndexPlan {
  const taken = items.reduce<number>((sum, item) => sum + dimsTaken(item), 0);
  if (taken > shape.length) {
    throw new IndexError(
      `${where}: too many indices: they take ${taken} dims and the tensor of shape ${formatShape(shape)} has ${shape.length}`,
    );
  }
  const ellipsis = items.indexOf(ELLIPSIS);
  if (ellipsis !== items.lastIndexOf(ELLIPSIS))
    throw new IndexError(`${where}: only one "..." can be among the indices`);

  const starts = new Array<number>(shape.length).fill(0);
  const axes: (Axis & { pick: number })[] = [];
  const picks: Pick[] = [];
  let dim = 0;
  const takeWhole = (pick: number) => axes.push({ from: dim, size: shape[dim++], step: 1, pick });
  for (const item of items) {
    if (item === ELLIPSIS) {
      for (let left = shape.length - taken; left > 0; left--) takeWhole(-1);
    } else if (item === NEW_AXIS) {
      axes.push({ from: -1, size: 1, step: 1, pick: -1 });
    } else if (typeof item === "number") {
      const size = shape[dim];
      if (item < -size || item >= size) throw outOfRange(item, size, dim, where);
      starts[dim++] = item < 0 ? item + size : item;
    } else if (item instanceof Tensor) {
      if (item.dtype === "bool") checkMask(item, shape, dim, where);
      const first = axes.length;
      const pick = { index: item, dim, sizes: [] as number[] };
      // A 0-d mask picks from a new axis of size 1: everything, or nothing.
      if (dimsTaken(item) === 0) axes.push({ from: -1, size: 1, step: 1, pick: picks.length });
      else for (let left = dimsTaken(item); left > 0; left--) takeWhole(picks.length);
      pick.sizes = axes.slice(first).map((axis) => axis.size);
      picks.push(pick);
    } else {
      const size = shape[dim];
      const start = item[0] === null ? 0 : clip(item[0], size);
      const stop = item[1] === null ? size : clip(item[1], size);
      starts[dim] = stop > start ? start : 0;
      axes.push({ from: dim++, size: Math.max(0, Math.ceil((stop - start) / item[2])), step: item[2], pick: -1 });
    }
  }
  while (dim < shape.length) takeWhole(-1);

  if (picks.length === 0) return finish(shape, { starts, axes }, null, null);
  const positions = positionsOf(picks, where, temporaries);
  const first = axes.findIndex((axis) => axis.pick >= 0);
  const last = axes.findLastIndex((axis) => axis.pick >= 0);
  const middle = axes.filter((axis) => axis.pick >= 0);
  const adjacent = last - first + 1 === middle.length;
  const before = adjacent ? axes.slice(0, first) : [];
  const after = adjacent ? axes.slice(last + 1) : axes.filter((axis) => axis.pick < 0);
  const sizes = (list: readonly Axis[]) => list.map((axis) => axis.size);
  const rows = { outer: sizes(before), r: numelOf(sizes(middle)), picked: positions.shape, inner: sizes(after) };
  return finish(shape, { starts, axes: [...before, ...middle, ...after] }, rows, positions);
}

function finish(shape: Shape, window: Window, rows: Rows | null, positions: Tensor | null): IndexPlan {
  const sizes = window.axes.map((axis) => axis.size);
  const whole = sameShape(sizes, shape) && window.axes.every((axis, d) => axis.from === d && axis.step === 1);
  return { window, whole, rows, positions };
}

function checkMask(mask: Tensor, shape: Shape, dim: number, where: string): void {
  for (let d = 0; d < mask.ndim; d++) {
    if (mask.shape[d] !== shape[dim + d]) {
      throw new ShapeError(
        `${where}: a mask of shape ${formatShape(mask.shape)} does not fit a tensor of shape ${formatShape(shape)}: ` +
          `sizes ${mask.shape[d]} and ${shape[dim + d]} differ at dim ${dim + d}`,
      );
    }
  }
}

/** All picks as one list of positions in their dims together, flattened in the order of the picks. */
function positionsOf(picks: readonly Pick[], where: string, temporaries: Tensor[]): Tensor {
  const lists: Tensor[] = [];
  let shape: Shape = [];
  for (const pick of picks) {
    const list = flatPositions(pick, where);
    temporaries.push(list);
    lists.push(list);
    shape = broadcastShapes(shape, list.shape, `${where}: index arrays`);
  }
  if (lists.length === 1) {
    temporaries.pop();
    lists[0].block.owned = true;
    return lists[0];
  }
  const out = Tensor.allocate(shape, "int32", where);
  out.block.owned = true;
  const n = out.numel();
  const start = out.ptr >>> 2;
  I32.fill(0, start, start + n);
  for (let p = 0; p < picks.length; p++) {
    const r = numelOf(picks[p].sizes);
    const list = lists[p];
    const source = list.ptr >>> 2;
    const strides = broadcastStrides(list.shape, contiguousStrides(list.shape), shape);
    const flat = sameShape(list.shape, shape);
    for (let i = 0; i < n; i++) {
      let at = i;
      if (!flat) {
        at = 0;
        for (let d = shape.length - 1, rest = i; d >= 0; d--) {
          at += (rest % shape[d]) * strides[d];
          rest = Math.floor(rest / shape[d]);
        }
      }
      I32[start + i] = I32[start + i] * r + I32[source + at];
    }
  }
  return out;
}

/** One pick as positions in its own dims, flattened: of an index array itself without negatives, of a mask its trues. */
function flatPositions({ index, dim, sizes }: Pick, where: string): Tensor {
  const n = index.numel();
  if (index.dtype === "bool") {
    const out = Tensor.allocate([k.mask_count(index.ptr, n)], "int32", where);
    k.mask_indices(out.ptr, index.ptr, n);
    return out;
  }
  const bad = k.check_indices(index.ptr, n, sizes[0]);
  if (bad >= 0) throw outOfRange(I32[(index.ptr >>> 2) + bad], sizes[0], dim, where);
  const out = Tensor.allocate(index.shape, "int32", where);
  k.wrap_indices(out.ptr, index.ptr, n, sizes[0]);
  return out;
}
