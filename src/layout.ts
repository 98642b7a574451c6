/**
 * Writes the table by which kernels walk through broadcast and strided operands (assembly/layout.ts says what is in it).
 * Neighbouring dims that can be walked as one are merged, so that most tensors become a single run.
 */
import { I32, LAYOUT_PTR } from "./wasm/heap.js";

const HEADER_WORDS = 8;
const DIMENSION_WORDS = 5;

/** The table of a single contiguous run of n elements; the operands' strides are 1, or 0 for a number. */
export function flatLayout(n: number, stride0: number, stride1: number, stride2 = 1): number {
  const word = LAYOUT_PTR >>> 2;
  I32[word] = n;
  I32[word + 1] = 0;
  I32[word + 2] = stride0;
  I32[word + 3] = stride1;
  I32[word + 4] = stride2;
  I32[word + 5] = 0;
  I32[word + 6] = 0;
  I32[word + 7] = 0;
  return LAYOUT_PTR;
}

/**
 * The table for operands read in the row-major order of shape. Returns its address, or -1 when the innermost run of an
 * operand has a stride other than 0 and 1 and `anyInner` is false: then that operand has to be copied first.
 *
 * @param strides of each operand along each dim of shape, in elements
 */
export function stridedLayout(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  anyInner: boolean,
): number {
  const operands = strides.length;
  const sizes: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let dim = 0; dim < shape.length; dim++) {
    if (shape[dim] === 0) return flatLayout(0, 1, 1);
    if (shape[dim] === 1) continue;
    const last = sizes.length - 1;
    const merges = last >= 0 && steps.every((operand, i) => operand[last] === strides[i][dim] * shape[dim]);
    if (merges) {
      sizes[last] *= shape[dim];
      for (let i = 0; i < operands; i++) steps[i][last] = strides[i][dim];
    } else {
      sizes.push(shape[dim]);
      for (let i = 0; i < operands; i++) steps[i].push(strides[i][dim]);
    }
  }
  const inner = sizes.length - 1;
  const stepOf = (operand: number, dim: number): number =>
    operand < operands && dim >= 0 ? steps[operand][dim] : operand < operands ? 1 : 0;
  if (!anyInner) for (let i = 0; i < operands; i++) if (stepOf(i, inner) >>> 0 > 1) return -1;
  flatLayout(inner < 0 ? 1 : sizes[inner], stepOf(0, inner), stepOf(1, inner), stepOf(2, inner));
  let word = LAYOUT_PTR >>> 2;
  I32[word + 1] = Math.max(inner, 0);
  word += HEADER_WORDS;
  for (let dim = inner - 1; dim >= 0; dim--) {
    I32[word] = sizes[dim];
    I32[word + 1] = 0;
    for (let i = 0; i < 3; i++) I32[word + 2 + i] = i < operands ? steps[i][dim] : 0;
    word += DIMENSION_WORDS;
  }
  return LAYOUT_PTR;
}
