/** Copies: between strides, between dtypes, to keep. */

import { checkDType, type DType, itemSize } from "../dtype.js";
import { flatLayout, stridedLayout } from "../layout.js";
import { defineOp, type OpSpec } from "../op.js";
import { sameShape } from "../shape.js";
import { free } from "../storage.js";
import type { Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";

/** Copies source into target: same shape and dtype, any strides on both sides. */
export function copyInto(target: Tensor, source: Tensor): void {
  const size = itemSize(target.dtype);
  if (target.isContiguous() && source.isContiguous()) {
    // Addresses first: bringing a tensor back may grow the heap, and then U8 is another view.
    const from = source.ptr;
    const into = target.ptr;
    U8.copyWithin(into, from, from + source.numel() * size);
    return;
  }
  const layout = stridedLayout(target.shape, [target.strides, source.strides], true);
  if (size === 4) k.copy_strided_4(target.ptr, source.ptr, layout);
  else k.copy_strided_1(target.ptr, source.ptr, layout);
}

const copySpec: OpSpec<[Tensor], []> = {
  name: "contiguous",
  raw: true,
  output: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  forward: (out, [x]) => copyInto(out, x),
  adjoint: (dOut) => [dOut],
};

/** A copy with the elements in row-major order. */
export const contiguous = defineOp<[Tensor]>(copySpec);

/** A copy with memory of its own that is never reclaimed. Gradients flow through it. Shape: (*) → (*). */
export const clone = defineOp<[Tensor]>({ ...copySpec, name: "clone", durable: true });

type Cast = (out: number, x: number, n: number) => void;

function castKernel(from: DType, to: DType): Cast {
  switch (from) {
    case "float32":
      return to === "int32" ? k.cast_f32_i32 : to === "uint8" ? k.cast_f32_u8 : k.cast_f32_bool;
    case "int32":
      return to === "float32" ? k.cast_i32_f32 : to === "uint8" ? k.cast_i32_u8 : k.cast_i32_bool;
    default:
      if (to === "float32") return k.cast_u8_f32;
      if (to === "int32") return k.cast_u8_i32;
      // To uint8 from bool: a byte of 0 or 1 already.
      return to === "bool" ? k.cast_u8_bool : (out, x, n) => void U8.copyWithin(out, x, x + n);
  }
}

const cast = defineOp<[Tensor], [DType]>({
  name: "to",
  raw: true,
  output: ([x], dtype) => ({ shape: x.shape, dtype }),
  forward: (out, [x], dtype) => {
    const source = x.contiguousData();
    castKernel(x.dtype, dtype)(out.ptr, source.ptr, x.numel());
    if (source !== x) free(source.block, "consumed");
  },
});

/** Converts to a dtype; returns x itself when it has it already. Float to integer truncates; anything but 0 is true. */
export function to(x: Tensor, dtype: DType): Tensor {
  return x.dtype === checkDType(dtype, "to") ? x : cast(x, dtype);
}

/**
 * The operands of an elementwise kernel, read as one shape: broadcast, with inner strides the kernel can take. Calls
 * kernel with the table's address and the operands in order; copies made on the way are freed.
 */
export function withBroadcast(
  shape: readonly number[],
  operands: readonly Tensor[],
  kernel: (layout: number, operands: readonly Tensor[]) => void,
): void {
  if (operands.every((t) => sameShape(t.shape, shape) && t.isContiguous())) {
    kernel(flatLayout(operands[0].numel(), 1, 1), operands);
    return;
  }
  const stridesOf = (t: Tensor) => {
    const lead = shape.length - t.shape.length;
    return shape.map((_, i) => (i < lead || t.shape[i - lead] === 1 ? 0 : t.strides[i - lead]));
  };
  const layout = stridedLayout(shape, operands.map(stridesOf), false);
  if (layout >= 0) {
    kernel(layout, operands);
    return;
  }
  // An operand that is contiguous has inner strides of 0 and 1 under any broadcasting, once size-1 dims are dropped.
  const copies = operands.map((t) => t.contiguousData());
  kernel(stridedLayout(shape, copies.map(stridesOf), false), copies);
  copies.forEach((copy, i) => {
    if (copy !== operands[i]) free(copy.block, "consumed");
  });
}
