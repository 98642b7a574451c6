/** Element types, and what they become together. */
import { DTypeError } from "./errors.js";

/** The type of a tensor's elements. PyTorch's int64 results (indices, class targets) are int32 here. */
export type DType = "float32" | "int32" | "uint8" | "bool";

/** The typed array that holds a dtype's elements in JavaScript; bool is bytes of 0 and 1. */
export type TypedArray = Float32Array | Int32Array | Uint8Array;

export const DTYPES: readonly DType[] = ["bool", "uint8", "int32", "float32"];

/** Bytes an element. */
export const itemSize = (dtype: DType): number => (dtype === "float32" || dtype === "int32" ? 4 : 1);

/** PyTorch's other dtypes, by what programs that use them want here. */
const STAND_INS: Partial<Record<DType, readonly string[]>> = {
  int32: ["int64", "long", "int16", "short", "int8", "int"],
  float32: ["float64", "double", "float16", "half", "bfloat16", "float"],
};

/** @throws DTypeError when dtype is not the name of one. */
export function checkDType(dtype: unknown, where: string): DType {
  if (DTYPES.includes(dtype as DType)) return dtype as DType;
  const stand = Object.entries(STAND_INS).find(([, names]) => names.includes(String(dtype)))?.[0];
  const hint = stand === undefined ? "" : ` (${stand} is in its place here)`;
  throw new DTypeError(`${where}: unknown dtype ${JSON.stringify(dtype)}${hint}; expected one of ${DTYPES.join(", ")}`);
}

/** PyTorch's promotion of two tensors of at least one dim: bool < uint8 < int32 < float32. */
export function promoteTypes(a: DType, b: DType): DType {
  return DTYPES.indexOf(a) >= DTYPES.indexOf(b) ? a : b;
}

/** Order of categories: a scalar changes a tensor's dtype only when it is of a higher one. */
const category = (dtype: DType): number => (dtype === "bool" ? 0 : dtype === "float32" ? 2 : 1);

/**
 * The dtype of a result, as torch.result_type: operands with dims outrank 0-d tensors, which outrank plain numbers,
 * unless the lower rank is of a higher category (bool < integer < float).
 */
export function resultType(operands: { dtype: DType; rank: 0 | 1 | 2 }[]): DType {
  const byRank: (DType | null)[] = [null, null, null];
  for (const { dtype, rank } of operands) {
    const seen = byRank[rank];
    byRank[rank] = seen === null ? dtype : promoteTypes(seen, dtype);
  }
  let result = byRank[2];
  for (const lower of [byRank[1], byRank[0]]) {
    if (lower === null) continue;
    if (result === null || category(lower) > category(result)) result = lower;
  }
  return result as DType;
}

/** The dtype a plain JavaScript number has as an operand: whole numbers are integers, as in Python's 2 and 2.0. */
export const numberType = (value: number | boolean): DType =>
  typeof value === "boolean" ? "bool" : Number.isInteger(value) ? "int32" : "float32";

/**
 * Bytes with a buffer of their own: `Uint8Array<ArrayBuffer>`, which a Blob or a file takes, written so that TypeScript before
 * 5.7, whose Uint8Array has no parameter, reads it too.
 */
export type Bytes = ReturnType<typeof Uint8Array.from>;
