/** What the ops on two elements (binary.ts) and the choices between them (where.ts) take, and its dtype. */
import { type DType, numberType, promoteTypes, resultType } from "../dtype.js";
import { Tensor } from "../tensor.js";
import { F32, I32, U8 } from "../wasm/heap.js";
import { to } from "./convert.js";

/** What a binary op takes on either side. */
export type Operand = Tensor | number | boolean;

/** A kernel over a layout table (src/layout.ts). */
export type BinaryKernel = (out: number, a: number, b: number, layout: number) => void;

export function checkOperand(name: string, value: unknown, which: string): asserts value is Operand {
  if (value instanceof Tensor || typeof value === "number" || typeof value === "boolean") return;
  throw new TypeError(
    `${name}: ${which} operand must be a Tensor or a number, found ${value === null ? "null" : Array.isArray(value) ? "an array" : typeof value}; wrap data in tensor(…)`,
  );
}

/** What promotion asks of an operand. */
export const operandType = (value: Operand): { dtype: DType; rank: 0 | 1 | 2 } =>
  value instanceof Tensor
    ? { dtype: value.dtype, rank: value.ndim === 0 ? 1 : 2 }
    : { dtype: numberType(value), rank: 0 };

/** The common dtype of operands. The usual case, all float32, is decided first. */
export function commonType(a: Operand, b: Operand): DType {
  if (a instanceof Tensor && a.dtype === "float32" && (!(b instanceof Tensor) || b.dtype === "float32"))
    return "float32";
  return resultType([operandType(a), operandType(b)]);
}

export function promotedPair(a: Operand, b: Operand): DType {
  if (!(a instanceof Tensor) && !(b instanceof Tensor)) return promoteTypes(numberType(a), numberType(b));
  return commonType(a, b);
}

/** An operand as a tensor of this dtype: a number becomes a 0-d one, which the caller frees. */
export function asOperandTensor(value: Operand, dtype: DType, where: string): Tensor {
  if (value instanceof Tensor) return to(value, dtype);
  const t = Tensor.allocate([], dtype, where);
  writeValue(t, Number(value));
  return t;
}

function writeValue(t: Tensor, value: number): void {
  const { ptr } = t;
  if (t.dtype === "float32") F32[ptr >>> 2] = value;
  else if (t.dtype === "int32") I32[ptr >>> 2] = value;
  else U8[ptr] = value;
}

/** Zeros in all of a float32 tensor: the gradient of a step. */
export function zeroFill(t: Tensor): void {
  U8.fill(0, t.ptr, t.ptr + 4 * t.numel());
}
