/** Reads tensors through the doctor's kernels. Nothing is allocated but scratch, and nothing but that is written. */
import { touch } from "../storage.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/doctor.generated.js";
import { F32, I32, U8 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";
import { BUCKETS } from "./histogram.js";

/** Of a tensor's finite elements, and how many others there are. */
export interface Stats {
  size: number;
  mean: number;
  meanAbs: number;
  meanSquare: number;
  variance: number;
  norm: number;
  min: number;
  max: number;
  /** Share of zeros. */
  zeros: number;
  /** Share outside the bounds asked for. */
  outside: number;
  nan: number;
  inf: number;
}

/** Whether a tensor can be read: float32 without gaps, its memory not given back. */
export const isReadable = (t: unknown): t is Tensor =>
  t instanceof Tensor && t.dtype === "float32" && t.isContiguous() && t.numel() > 0 && t.block.fate === null;

const doubles = (at: number, count: number): Float64Array => new Float64Array(U8.buffer, at, count);

/** Statistics of a readable tensor; `outside` counts what is not in [low, high]. */
export function statsOf(t: Tensor, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Stats {
  const out = workspace(72);
  const size = t.numel();
  k.tensor_stats(out, t.ptr, size, low, high);
  const [sum, sumAbs, sumSquares, min, max, zeros, outside, nan, inf] = doubles(out, 9);
  const finite = Math.max(size - nan - inf, 1);
  const mean = sum / finite;
  return {
    size,
    mean,
    meanAbs: sumAbs / finite,
    meanSquare: sumSquares / finite,
    variance: Math.max(0, sumSquares / finite - mean * mean),
    norm: Math.sqrt(sumSquares),
    min,
    max,
    zeros: zeros / size,
    outside: outside / size,
    nan,
    inf,
  };
}

/** Elements of an activation that are read; of a larger one the first samples of the batch stand for all. */
const MOST_READ = 2 ** 18;

/** A tensor, or a view of its first rows that has at most MOST_READ elements (one row at least). */
export function firstRows(t: Tensor): Tensor {
  if (t.numel() <= MOST_READ || t.ndim < 2) return t;
  const rows = Math.max(1, Math.floor((MOST_READ * t.shape[0]) / t.numel()));
  return t.stridedView([rows, ...t.shape.slice(1)], t.strides, t.offset);
}

/** What a step has done to a parameter, and by which gradient. */
export interface Update {
  /** Norm of the difference, norm after it, and how many elements differ. */
  norm: number;
  weightNorm: number;
  changed: number;
  /** Of the gradient's finite elements, and how many others there are; null where there is no gradient that can be read. */
  gradient: { norm: number; meanAbs: number; nonFinite: number } | null;
}

/** Compares a parameter with its copy from before the step, and reads its gradient in the same pass. */
export function updateOf(after: Tensor, before: Tensor, grad: Tensor | null): Update {
  const out = workspace(40);
  const size = after.numel();
  touch(after.block);
  touch(before.block);
  if (grad !== null) touch(grad.block);
  k.parameter_stats(out, after.ptr, before.ptr, (grad ?? after).ptr, size);
  const [change, squares, changed, sumAbs, sumSquares] = doubles(out, 5);
  const update = { norm: Math.sqrt(change), weightNorm: Math.sqrt(squares), changed };
  if (grad === null) return { ...update, gradient: null };
  if (Number.isFinite(sumAbs)) {
    return { ...update, gradient: { norm: Math.sqrt(sumSquares), meanAbs: sumAbs / size, nonFinite: 0 } };
  }
  const { norm, meanAbs, nan, inf } = statsOf(grad);
  return { ...update, gradient: { norm, meanAbs, nonFinite: nan + inf } };
}

/** Copies a parameter's bytes into another tensor of its size. */
export function copyInto(to: Tensor, from: Tensor): void {
  touch(to.block);
  touch(from.block);
  const source = from.ptr;
  U8.copyWithin(to.ptr, source, source + 4 * from.numel());
}

/** Elements of a histogram's sample. */
const SAMPLE = 2048;

/** Counts by bucket of an evenly spaced sample of a readable tensor. */
export function histogramOf(t: Tensor): Uint32Array {
  const out = workspace(4 * BUCKETS);
  I32.fill(0, out >>> 2, (out >>> 2) + BUCKETS);
  const n = t.numel();
  // An odd stride: one that divides the row length would read few columns only.
  const stride = Math.max(1, Math.floor(n / SAMPLE)) | 1;
  k.tensor_histogram(out, t.ptr, n, stride);
  return Uint32Array.from(I32.subarray(out >>> 2, (out >>> 2) + BUCKETS));
}

/** How a tensor's elements belong to units: features, or channels of images. */
export interface Layout {
  outer: number;
  units: number;
  inner: number;
}

/** [N, C, H, W] has C units, anything else as many as its last dim. */
export function layoutOf({ shape }: Tensor): Layout {
  if (shape.length === 4) return { outer: shape[0], units: shape[1], inner: shape[2] * shape[3] };
  const units = shape[shape.length - 1] ?? 1;
  return { outer: shape.slice(0, -1).reduce((a, b) => a * b, 1), units, inner: 1 };
}

/** How often each unit was above 0. */
export function activityOf(t: Tensor, { outer, units, inner }: Layout): Float32Array {
  const out = workspace(4 * units);
  F32.fill(0, out >>> 2, (out >>> 2) + units);
  k.unit_activity(out, t.ptr, outer, units, inner);
  return F32.slice(out >>> 2, (out >>> 2) + units);
}

/** The first few elements, as a copy. */
export function firstOf(t: Tensor, count: number): Float32Array {
  const at = t.ptr >>> 2;
  return F32.slice(at, at + Math.min(count, t.numel()));
}

/** The elements of a contiguous tensor of any dtype, as a view that is good until the next op. */
export function viewOf(t: Tensor): Float32Array | Int32Array | Uint8Array {
  const { ptr } = t;
  if (t.dtype === "float32") return F32.subarray(ptr >>> 2, (ptr >>> 2) + t.numel());
  if (t.dtype === "int32") return I32.subarray(ptr >>> 2, (ptr >>> 2) + t.numel());
  return U8.subarray(ptr, ptr + t.numel());
}
