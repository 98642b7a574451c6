/** Products of matrices. One kernel takes operands of any strides, so transposing costs nothing. */

import { inPlaces, show } from "../arguments.js";
import { DTypeError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { broadcastShapes, formatShape, numelOf, type Shape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import { workspace } from "../workspace.js";
import { sumTo } from "./reduce.js";
import { diagonal, reshape, squeeze, transpose, unsqueeze } from "./view.js";

/** A matrix in memory: a tensor's last two dims, or their transpose, from some offset in elements on. */
interface Matrix {
  tensor: Tensor;
  rowStride: number;
  columnStride: number;
  offset?: number;
}

const asMatrix = (tensor: Tensor, offset = 0): Matrix => ({
  tensor,
  rowStride: tensor.strides[tensor.ndim - 2],
  columnStride: tensor.strides[tensor.ndim - 1],
  offset,
});
const transposed = ({ tensor, rowStride, columnStride, offset }: Matrix): Matrix => ({
  tensor,
  rowStride: columnStride,
  columnStride: rowStride,
  offset,
});

/** out (contiguous, [m, n], from outOffset on) = a [m, inner] · b [inner, n] + bias [n]. */
function multiply(
  out: Tensor,
  a: Matrix,
  b: Matrix,
  m: number,
  n: number,
  inner: number,
  bias: Tensor | null = null,
  outOffset = 0,
): void {
  const scratch = workspace(k.matmul_scratch(m, n, inner));
  k.matmul(
    out.ptr + 4 * outOffset,
    n,
    a.tensor.ptr + 4 * (a.offset ?? 0),
    a.rowStride,
    a.columnStride,
    b.tensor.ptr + 4 * (b.offset ?? 0),
    b.rowStride,
    b.columnStride,
    m,
    n,
    inner,
    bias === null ? 0 : bias.ptr,
    0,
    scratch,
  );
}

function checkFloat(name: string, ...operands: (Tensor | null | undefined)[]): void {
  for (const t of operands) {
    if (t && !(t instanceof Tensor)) {
      throw new TypeError(`${name}: operands must be Tensors, found ${show(t)}; wrap data in tensor(…)`);
    }
    if (t && t.dtype !== "float32") {
      throw new DTypeError(`${name}: operands must be float32, found ${t.dtype}; convert it with float()`);
    }
  }
}

function innerSizesDiffer(name: string, a: Shape, b: Shape): ShapeError {
  const [p, q] = [a[a.length - 1], b.length === 1 ? b[0] : b[b.length - 2]];
  const hint = b.length >= 2 && b[b.length - 1] === p ? " (did you mean transpose(0, 1) of the second?)" : "";
  return new ShapeError(`${name}: ${formatShape(a)} × ${formatShape(b)}: inner sizes ${p} and ${q} differ${hint}`);
}

const multiplyMatrices = defineOp<[Tensor, Tensor]>({
  name: "matmul",
  inputs: 2,
  raw: true,
  output: ([a, b]) => ({ shape: [a.shape[0], b.shape[1]], dtype: "float32" }),
  forward: (out, [a, b]) => multiply(out, asMatrix(a), asMatrix(b), a.shape[0], b.shape[1], a.shape[1]),
  save: (_out, [a, b]) => [b.requiresGrad ? a : null, a.requiresGrad ? b : null],
  backward: (dOut, [a, b], [dA, dB]) => {
    const [m, n] = dOut.shape;
    if (dA) multiply(dA, asMatrix(dOut), transposed(asMatrix(b)), m, dA.shape[1], n);
    if (dB) multiply(dB, transposed(asMatrix(a)), asMatrix(dOut), dB.shape[0], n, m);
  },
});

/** Where each matrix of a batch begins, in elements, when the tensor is read as batch shape `to`. */
function batchOffsets(t: Tensor, to: Shape): number[] {
  const lead = to.length - (t.ndim - 2);
  let offsets = [0];
  for (let dim = 0; dim < to.length; dim++) {
    const step = dim < lead || t.shape[dim - lead] === 1 ? 0 : t.strides[dim - lead];
    offsets = offsets.flatMap((start) => Array.from({ length: to[dim] }, (_, i) => start + i * step));
  }
  return offsets;
}

const multiplyBatches = (a: Tensor, b: Tensor): Tensor => batches(a, b, a.shape, b.shape);

const batches = defineOp<[Tensor, Tensor], [shapeA: Shape, shapeB: Shape]>({
  name: "matmul",
  inputs: 2,
  raw: true,
  output: ([a, b]) => ({
    shape: [
      ...broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), "matmul"),
      a.shape[a.ndim - 2],
      b.shape[b.ndim - 1],
    ],
    dtype: "float32",
  }),
  forward: (out, [a, b]) => {
    const [m, n] = out.shape.slice(-2);
    const batch = out.shape.slice(0, -2);
    const [startsA, startsB] = [batchOffsets(a, batch), batchOffsets(b, batch)];
    startsA.forEach((start, i) => {
      multiply(out, asMatrix(a, start), asMatrix(b, startsB[i]), m, n, a.shape[a.ndim - 1], null, i * m * n);
    });
  },
  save: (_out, [a, b]) => [b.requiresGrad ? a : null, a.requiresGrad ? b : null],
  adjoint: (dOut, [a, b], needs, shapeA, shapeB) => [
    needs[0] ? sumTo(multiplyBatches(dOut, transpose(b, -2, -1)), shapeA) : null,
    needs[1] ? sumTo(multiplyBatches(transpose(a, -2, -1), dOut), shapeB) : null,
  ],
});

/**
 * The product of two tensors, as torch.matmul: of vectors a number, of matrices a matrix, and of stacks of matrices
 * (batch dims broadcast) a stack. Shape: [… , m, k] × [… , k, n] → [… , m, n].
 *
 * @throws ShapeError when inner sizes differ or an operand is 0-d; DTypeError unless both are float32
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkFloat("matmul", a, b);
  if (a.ndim === 0 || b.ndim === 0) {
    throw new ShapeError(`matmul: ${formatShape(a.shape)} × ${formatShape(b.shape)}: operands need at least one dim`);
  }
  if (a.shape[a.ndim - 1] !== (b.ndim === 1 ? b.shape[0] : b.shape[b.ndim - 2])) {
    throw innerSizesDiffer("matmul", a.shape, b.shape);
  }
  if (a.ndim === 1) {
    const product = matmul(unsqueeze(a, 0), b);
    return squeeze(product, b.ndim === 1 ? 0 : -2);
  }
  if (b.ndim === 1) return squeeze(matmul(a, unsqueeze(b, 1)), -1);
  if (a.ndim === 2 && b.ndim === 2) return multiplyMatrices(a, b);
  if (b.ndim === 2 && a.isContiguous()) {
    // A stack times one matrix is one tall matrix times it.
    const rows = numelOf(a.shape.slice(0, -1));
    const tall = reshape(a, [rows, a.shape[a.ndim - 1]]);
    return reshape(multiplyMatrices(tall, b), [...a.shape.slice(0, -1), b.shape[1]]);
  }
  return multiplyBatches(a, b);
}

/** The product of two matrices. Shape: [m, k] × [k, n] → [m, n]. @throws ShapeError unless both have two dims that fit. */
export function mm(a: Tensor, b: Tensor): Tensor {
  if (a.ndim !== 2 || b.ndim !== 2) {
    throw new ShapeError(`mm: ${formatShape(a.shape)} × ${formatShape(b.shape)}: expected two matrices; use matmul()`);
  }
  return matmul(a, b);
}

/** The products of two stacks of matrices. Shape: [b, m, k] × [b, k, n] → [b, m, n]. */
export function bmm(a: Tensor, b: Tensor): Tensor {
  if (a.ndim !== 3 || b.ndim !== 3 || a.shape[0] !== b.shape[0]) {
    throw new ShapeError(
      `bmm: ${formatShape(a.shape)} × ${formatShape(b.shape)}: expected two stacks of equally many matrices; use matmul()`,
    );
  }
  return matmul(a, b);
}

const affine = defineOp<[Tensor, Tensor, Tensor | null | undefined]>({
  name: "linear",
  inputs: 3,
  output: ([x, weight]) => ({ shape: [...x.shape.slice(0, -1), weight.shape[0]], dtype: "float32" }),
  forward: (out, [x, weight, bias]) => {
    const [outFeatures, inFeatures] = weight.shape;
    multiply(
      out,
      { tensor: x, rowStride: inFeatures, columnStride: 1 },
      { tensor: weight, rowStride: 1, columnStride: inFeatures },
      rowsOf(out, outFeatures),
      outFeatures,
      inFeatures,
      bias ?? null,
    );
  },
  save: (_out, [x, weight]) => [weight.requiresGrad ? x : null, x.requiresGrad ? weight : null],
  backward: (dOut, [x, weight], [dX, dWeight, dBias]) => {
    const outFeatures = dOut.shape[dOut.ndim - 1];
    const inFeatures = (dX ?? dWeight)?.shape.at(-1) ?? 0;
    const rows = rowsOf(dOut, outFeatures);
    const upstream = { tensor: dOut, rowStride: outFeatures, columnStride: 1 };
    if (dX) multiply(dX, upstream, asMatrix(weight), rows, inFeatures, outFeatures);
    if (dWeight) {
      const input = { tensor: x, rowStride: inFeatures, columnStride: 1 };
      multiply(dWeight, transposed(upstream), input, outFeatures, inFeatures, rows);
    }
    if (dBias) k.sum(dBias.ptr, dOut.ptr, 1, rows, outFeatures);
  },
});

const rowsOf = (out: Tensor, features: number): number => (features === 0 ? 0 : out.numel() / features);

/**
 * x·weightᵀ + bias. Shape: x [… , in], weight [out, in], bias [out] → [… , out]; float32.
 *
 * @throws ShapeError when in or out do not fit; DTypeError unless all are float32
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor | null | { bias?: Tensor | null }): Tensor;
export function linear(x: Tensor, named: { weight: Tensor; bias?: Tensor | null }): Tensor;
export function linear(x: Tensor, ...args: readonly unknown[]): Tensor {
  const [weight, bias] = inPlaces<[Tensor, (Tensor | null)?]>(args, ["weight", "bias"]);
  checkFloat("linear", x, weight, bias);
  if (weight.ndim !== 2) {
    throw new ShapeError(`linear: weight has shape ${formatShape(weight.shape)}, expected [out, in]`);
  }
  const [outFeatures, inFeatures] = weight.shape;
  if (x.ndim === 0 || x.shape[x.ndim - 1] !== inFeatures) {
    throw new ShapeError(
      `linear: input ${formatShape(x.shape)} × weight ${formatShape(weight.shape)}: the input's last size ` +
        `${x.shape[x.ndim - 1] ?? "(none)"} and the weight's in-size ${inFeatures} differ` +
        (numelOf(x.shape.slice(1)) === inFeatures ? " (did you mean flatten(1) before it?)" : ""),
    );
  }
  if (bias && (bias.ndim !== 1 || bias.shape[0] !== outFeatures)) {
    throw new ShapeError(
      `linear: bias has shape ${formatShape(bias.shape)}, expected [${outFeatures}], the weight's out-size`,
    );
  }
  return affine(x, weight, bias);
}

/** The inner product of two vectors. Shape: [n] · [n] → []. */
export function dot(a: Tensor, b: Tensor): Tensor {
  if (a.ndim !== 1 || b.ndim !== 1) {
    throw new ShapeError(`dot: ${formatShape(a.shape)} · ${formatShape(b.shape)}: expected two vectors`);
  }
  return matmul(a, b);
}

/** The outer product of two vectors. Shape: [m], [n] → [m, n]. */
export function outer(a: Tensor, b: Tensor): Tensor {
  if (a.ndim !== 1 || b.ndim !== 1) {
    throw new ShapeError(`outer: ${formatShape(a.shape)}, ${formatShape(b.shape)}: expected two vectors`);
  }
  return matmul(unsqueeze(a, 1), unsqueeze(b, 0));
}

/** Sum of the diagonal of a matrix. Shape: [m, n] → []. */
export function trace(x: Tensor): Tensor {
  if (x.ndim !== 2) throw new ShapeError(`trace: ${formatShape(x.shape)}: expected a matrix`);
  return sumTo(diagonal(x), []);
}
