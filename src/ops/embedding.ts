/** Whole numbers as vectors: rows of a table, or one-hot. */

import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, IndexError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { F32, I32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { checkWithin, type IndexArray, onContiguous, withIndices } from "./indices.js";

const lookUp = /* @__PURE__ */ defineOp<[Tensor, Tensor], [paddingIdx: number]>({
  name: "embedding",
  inputs: 2,
  raw: true,
  output: ([weight, indices]) => ({ shape: [...indices.shape, weight.shape[1]], dtype: weight.dtype }),
  forward: (out, [weight, indices]) => {
    const [rows, dim] = weight.shape;
    k.index_rows(out.ptr, weight.ptr, indices.ptr, 1, rows, dim * itemSize(weight.dtype), indices.numel());
  },
  save: (_out, [, indices]) => [indices],
  backward: (dOut, [indices], [dWeight], paddingIdx) => {
    if (dWeight === null) return;
    k.fill_f32(dWeight.ptr, 0, dWeight.numel());
    k.embedding_backward(dWeight.ptr, dOut.ptr, indices.ptr, indices.numel(), dWeight.shape[1], paddingIdx);
  },
});

export interface EmbeddingOptions {
  /** The row that is not learned: no gradient goes to it. Negative counts from the end. */
  paddingIdx?: number | null;
  /** Rows that are looked up and whose norm is larger are scaled down to it first, in place. */
  maxNorm?: number | null;
  /** The p of that norm. Default 2. */
  normType?: number;
}

/** paddingIdx as a row of the table; null when there is none. @throws ArgumentError when the table has no such row */
export function checkPaddingIdx(paddingIdx: number | null | undefined, rows: number, where: string): number | null {
  if (paddingIdx === null || paddingIdx === undefined) return null;
  if (!Number.isInteger(paddingIdx) || paddingIdx < -rows || paddingIdx >= rows) {
    throw new ArgumentError(`${where}: paddingIdx ${paddingIdx} is not within the ${rows} embeddings`);
  }
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}

/**
 * The rows of weight at the indices. Shape: indices (*), weight (rows, dim) → (*, dim). The gradient of weight is dense.
 *
 * @throws IndexError for an index outside [0, rows); ShapeError for a weight that is no matrix; ArgumentError for a
 * paddingIdx outside it
 */
export function embedding(
  indices: IndexArray,
  weight: Tensor,
  ...rest: Trailing<EmbeddingOptions, ["paddingIdx", "maxNorm", "normType"]>
): Tensor;
export function embedding(
  indices: IndexArray,
  ...named: Named<{ weight: Tensor }, ["weight"], EmbeddingOptions>
): Tensor;
export function embedding(indices: IndexArray, ...args: any[]): Tensor {
  const [weight, ...rest] = inPlaces<[Tensor, ...any[]]>(args, ["weight"]);
  if (!(weight instanceof Tensor)) {
    throw new TypeError(`embedding: weight must be a Tensor, found ${show(weight)}; wrap data in tensor(…)`);
  }
  const options = optionsOf<EmbeddingOptions>("embedding", rest, ["paddingIdx", "maxNorm", "normType"]);
  if (weight.ndim !== 2) {
    throw new ShapeError(`embedding: weight must have shape [rows, dim], found ${formatShape(weight.shape)}`);
  }
  const padding = checkPaddingIdx(options.paddingIdx, weight.shape[0], "embedding");
  return withIndices(indices, "embedding", (idx) => {
    checkWithin(idx, weight.shape[0], 0, "embedding: weight");
    if (typeof options.maxNorm === "number") renormalize(weight, idx, options.maxNorm, options.normType ?? 2);
    return onContiguous(weight, (table) => lookUp(table, idx, padding ?? -1));
  });
}

/** Scales the rows at the indices down to maxNorm, in place and outside the graph, as torch.embedding_renorm_. */
function renormalize(weight: Tensor, indices: Tensor, maxNorm: number, normType: number): void {
  const dim = weight.shape[1];
  const [rowStride, stride] = weight.strides;
  const first = weight.ptr >>> 2;
  const start = indices.ptr >>> 2;
  let changed = false;
  for (const row of new Set(I32.subarray(start, start + indices.numel()))) {
    const from = first + row * rowStride;
    let norm = 0;
    for (let i = 0; i < dim; i++) {
      const v = Math.abs(F32[from + i * stride]);
      norm = normType === Number.POSITIVE_INFINITY ? Math.max(norm, v) : norm + v ** normType;
    }
    if (normType !== Number.POSITIVE_INFINITY) norm **= 1 / normType;
    if (norm <= maxNorm) continue;
    const scale = maxNorm / (norm + 1e-7);
    for (let i = 0; i < dim; i++) F32[from + i * stride] *= scale;
    changed = true;
  }
  if (changed) weight.block.version++;
}

/**
 * 1 at each index, 0 elsewhere (`F.one_hot`), int32. Shape: (*) → (*, numClasses).
 *
 * @param numClasses −1: one more than the largest index
 * @throws IndexError for an index outside [0, numClasses); ArgumentError when −1 is asked of no indices
 */
export function oneHot(indices: IndexArray, ...rest: Trailing<{ numClasses?: number }, ["numClasses"]>): Tensor {
  const { numClasses = -1 } = optionsOf<{ numClasses?: number }>("oneHot", rest, ["numClasses"]);
  if (!Number.isInteger(numClasses) || numClasses < -1 || numClasses === 0) {
    throw new ArgumentError(`oneHot: numClasses must be a whole number > 0, or -1, found ${numClasses}`);
  }
  return withIndices(indices, "oneHot", (idx) => {
    const n = idx.numel();
    if (n === 0 && numClasses === -1) {
      throw new ArgumentError("oneHot: the number of classes cannot be told from no indices; pass numClasses");
    }
    let classes = numClasses;
    const start = idx.ptr >>> 2;
    for (let i = start; i < start + n; i++) {
      if (I32[i] < 0) throw new IndexError(`oneHot: index ${I32[i]} is negative`);
      if (numClasses === -1) classes = Math.max(classes, I32[i] + 1);
    }
    for (let i = start; i < start + n; i++) {
      if (I32[i] >= classes) throw new IndexError(`oneHot: index ${I32[i]} is out of range for ${classes} classes`);
    }
    const out = Tensor.allocate([...idx.shape, classes], "int32", "oneHot");
    k.one_hot(out.ptr, idx.ptr, n, classes);
    return out;
  });
}
