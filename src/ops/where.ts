/** Logic of masks, and choices by them. */
import { inPlaces, show } from "../arguments.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { defineOp } from "../op.js";
import { broadcastShapes } from "../shape.js";
import { free } from "../storage.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import { to, withBroadcast } from "./convert.js";
import { asOperandTensor, type BinaryKernel, checkOperand, type Operand, promotedPair } from "./elementwise-common.js";
import { sumTo } from "./reduce.js";

function defineLogical(name: string, kernel: () => BinaryKernel): (a: Tensor, b: Tensor) => Tensor {
  const op = defineOp<[Tensor, Tensor]>({
    name,
    inputs: 2,
    raw: true,
    output: ([a, b]) => ({ shape: broadcastShapes(a.shape, b.shape, name), dtype: "bool" }),
    forward: (out, [a, b]) =>
      withBroadcast(out.shape, [a, b], (layout, [p, q]) => kernel()(out.ptr, p.ptr, q.ptr, layout)),
  });
  return (a, b) => op(to(a, "bool"), to(b, "bool"));
}

/** a and b, as bool; anything but 0 is true. */
export const logicalAnd = /* @__PURE__ */ defineLogical("logicalAnd", () => k.logical_and);
/** a or b, as bool; anything but 0 is true. */
export const logicalOr = /* @__PURE__ */ defineLogical("logicalOr", () => k.logical_or);
/** Either a or b, as bool; anything but 0 is true. */
export const logicalXor = /* @__PURE__ */ defineLogical("logicalXor", () => k.logical_xor);
const invert = defineOp<[Tensor]>({
  name: "logicalNot",
  raw: true,
  output: ([x]) => ({ shape: x.shape, dtype: "bool" }),
  forward: (out, [x]) => k.logical_not(out.ptr, x.ptr, x.numel()),
});
/** Not x, as bool; anything but 0 is true. */
export const logicalNot = (x: Tensor): Tensor => invert(to(x, "bool").contiguousData());

const choose = defineOp<[Tensor, Tensor, Tensor], [readonly number[], readonly number[]]>({
  name: "where",
  inputs: 3,
  raw: true,
  output: ([condition, a, b]) => ({
    shape: broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, "where"), "where"),
    dtype: a.dtype,
  }),
  forward: (out, [condition, a, b]) => {
    const kernel = a.dtype === "float32" || a.dtype === "int32" ? k.where_4 : k.where_1;
    withBroadcast(out.shape, [condition, a, b], (layout, [c, p, q]) => kernel(out.ptr, c.ptr, p.ptr, q.ptr, layout));
  },
  save: (_out, [condition]) => [condition],
  adjoint: (dOut, [condition], needs, shapeA, shapeB) => [
    null,
    needs[1] ? sumTo(where(condition, dOut, 0), shapeA) : null,
    needs[2] ? sumTo(where(condition, 0, dOut), shapeB) : null,
  ],
});

/**
 * a where condition is true, else b; all three broadcast together. Numbers may stand for a and b.
 *
 * @throws DTypeError when condition is neither bool nor uint8
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkOperand("where", a, "the second");
  checkOperand("where", b, "the third");
  if (condition.dtype !== "bool" && condition.dtype !== "uint8") {
    throw new DTypeError(`where: condition must be bool, found ${condition.dtype}; compare it, as in x.gt(0)`);
  }
  const dtype = promotedPair(a, b);
  const [p, q] = [asOperandTensor(a, dtype, "where"), asOperandTensor(b, dtype, "where")];
  const out = choose(to(condition, "bool"), p, q, p.shape, q.shape);
  for (const [t, given] of [[p, a] as const, [q, b] as const])
    if (!(given instanceof Tensor)) free(t.block, "consumed");
  return out;
}

/** x with value (a number or a 0-d tensor) wherever mask, which broadcasts to x's shape, is true. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand | { value: Operand }): Tensor;
export function maskedFill(x: Tensor, named: { mask: Tensor; value: Operand }): Tensor;
export function maskedFill(x: Tensor, ...args: any[]): Tensor {
  const [mask, value] = inPlaces<[Tensor, Operand]>(args, ["mask", "value"]);
  if (!(mask instanceof Tensor)) {
    throw new TypeError(`maskedFill: mask must be a bool Tensor, found ${show(mask)}; wrap data in tensor(…)`);
  }
  if (mask.dtype !== "bool") {
    throw new DTypeError(`maskedFill: mask must be bool, found ${mask.dtype}; compare it, as in x.eq(0)`);
  }
  if (value instanceof Tensor && value.ndim !== 0) {
    throw new ArgumentError(
      "maskedFill: value must be a number or a 0-d tensor; use where() to choose between tensors",
    );
  }
  const filled = value instanceof Tensor ? to(value, x.dtype) : value;
  const out = where(mask, filled, x);
  return to(out, x.dtype);
}
