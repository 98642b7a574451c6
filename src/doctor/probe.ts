/** Reads tensors through the doctor's kernels. Nothing is allocated but scratch, and nothing but that is written. */
import { Kind, touch } from "../storage.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/doctor.generated.js";
import { F32, I32, U8 } from "../wasm/heap.js";
import { workspace } from "../workspace.js";

/** Of a tensor's finite elements, and how many others there are. */
export interface Stats {
  size: number;
  mean: number;
  meanSquare: number;
  variance: number;
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

/** The memory as float64, made anew when it has grown. */
let F64: Float64Array = new Float64Array(0);

/** Where in it a kernel's results at `ptr` stand. */
function doublesAt(ptr: number): number {
  if (F64.buffer !== U8.buffer) F64 = new Float64Array(U8.buffer);
  return ptr >>> 3;
}

/** Statistics of a readable tensor; `outside` counts what is not in [low, high]. */
export function statsOf(t: Tensor, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): Stats {
  const out = workspace(64);
  const size = t.numel();
  k.tensor_stats(out, t.ptr, size, low, high);
  const at = doublesAt(out);
  const nan = F64[at + 6];
  const inf = F64[at + 7];
  const finite = Math.max(size - nan - inf, 1);
  const mean = F64[at] / finite;
  const meanSquare = F64[at + 1] / finite;
  return {
    size,
    mean,
    meanSquare,
    variance: Math.max(0, meanSquare - mean * mean),
    min: F64[at + 2],
    max: F64[at + 3],
    zeros: F64[at + 4] / size,
    outside: F64[at + 5] / size,
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

/** A parameter, or blocks of it, from before a step. */
export interface Before {
  copy: Tensor;
  /** One block in so many: 1 is all of it. */
  every: number;
  /** Elements that were copied. */
  count: number;
}

/** Elements that are enough to tell how much a step has changed a parameter: of a larger one at least so many, by chance, stand for all. */
const ENOUGH_COMPARED = 2 ** 15;
/** Elements of a block (assembly/doctor.ts says so too), and the last few that are always compared. */
const BLOCK = 128;
const LAST = 7;
/** Of the largest parameters one block in so many is compared. */
const SPARSEST = 16;

/** Copies what of a readable parameter will be compared after the step; `whole` where some blocks cannot stand for all. */
export function copyBefore(parameter: Tensor, before: Before | null, whole: boolean): Before {
  const size = parameter.numel();
  const every = whole ? 1 : Math.min(SPARSEST, Math.max(1, Math.floor(size / ENOUGH_COMPARED)));
  let copy = before?.copy;
  if (copy === undefined || before?.every !== every) {
    copy?.dispose();
    const most = every === 1 ? size : Math.ceil(size / (BLOCK * every)) * BLOCK + LAST;
    copy = Tensor.allocateDurable([most], "float32", "doctor", Kind.State).keep();
  }
  touch(copy.block);
  touch(parameter.block);
  return { copy, every, count: k.copy_blocks(copy.ptr, parameter.ptr, size, every) };
}

/** What a step has done to a parameter, and by which gradient. */
export interface Update {
  /** Norm of the difference; of a large parameter an estimate. 0 only where nothing that is compared differs. */
  norm: number;
  /** Norm of the difference over that of the parameter after it, both of what is compared. */
  ratio: number;
  /** Of the parameter after the step. */
  weightNorm: number;
  /** Of the gradient; NaN where some element is not finite, null where there is no gradient that can be read. */
  gradNorm: number | null;
  gradMeanAbs: number;
  /** How many of its elements are not finite. */
  gradNonFinite: number;
}

/** Compares a parameter with what was copied of it before the step, and reads its gradient in the same pass. */
export function updateOf(after: Tensor, before: Before, grad: Tensor | null): Update {
  const out = workspace(40);
  const size = after.numel();
  touch(after.block);
  touch(before.copy.block);
  if (grad !== null) touch(grad.block);
  k.parameter_stats(out, after.ptr, before.copy.ptr, (grad ?? after).ptr, size, before.every);
  const at = doublesAt(out);
  const change = F64[at];
  const update: Update = {
    norm: Math.sqrt(before.count === size ? change : (change * size) / before.count),
    ratio: Math.sqrt(change) / Math.sqrt(F64[at + 1]),
    weightNorm: Math.sqrt(F64[at + 2]),
    gradNorm: null,
    gradMeanAbs: 0,
    gradNonFinite: 0,
  };
  if (grad === null) return update;
  update.gradNorm = Math.sqrt(F64[at + 4]);
  update.gradMeanAbs = F64[at + 3] / size;
  if (Number.isFinite(update.gradMeanAbs)) return update;
  const { nan, inf } = statsOf(grad);
  update.gradNorm = Number.NaN;
  update.gradMeanAbs = Number.NaN;
  update.gradNonFinite = nan + inf;
  return update;
}

/** Hashes of the first `rows` rows of a contiguous tensor of 32-bit elements: of each every stride-th element. */
export function rowHashes(t: Tensor, rows: number, stride: number): Int32Array {
  const out = workspace(4 * rows);
  touch(t.block);
  k.row_hashes(out, t.ptr, rows, t.numel() / t.shape[0], stride);
  return I32.subarray(out >>> 2, (out >>> 2) + rows);
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
