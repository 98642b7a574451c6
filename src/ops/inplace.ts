/**
 * Writing into a tensor: under noGrad(), or on tensors that need no gradient. Every write raises the block's version, by
 * which backward() sees that a tensor it saved is no longer what it was.
 */

import { inPlaces, optionsOf, type Trailing } from "../arguments.js";
import { itemSize } from "../dtype.js";
import { ArgumentError, AutogradError, DTypeError, ShapeError } from "../errors.js";
import type { Generator } from "../generator.js";
import { isGradEnabled } from "../grad-mode.js";
import { broadcastShapes, checkNumber, formatShape, sameShape } from "../shape.js";
import { free, tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { add, clamp, div, mul, sub } from "./binary.js";
import { copyInto, to } from "./convert.js";
import type { Operand } from "./elementwise-common.js";
import { checkFits } from "./factory.js";
import { expand } from "./view.js";
import { maskedFill } from "./where.js";
import { drawNormal, drawUniform } from "./write.js";

/**
 * Refuses to write into x where that would corrupt a gradient. Changes nothing itself.
 *
 * @throws AutogradError when recording is on and x, or an operand that would flow into it, requires a gradient;
 * ArgumentError when x was expanded
 */
export function checkInPlace(x: Tensor, name: string, ...operands: unknown[]): void {
  if (!(x instanceof Tensor)) throw new TypeError(`${name}: expected a Tensor, found ${typeof x}`);
  for (let i = 0; i < x.ndim; i++) {
    if (x.strides[i] === 0 && x.shape[i] > 1) {
      throw new ArgumentError(
        `${name}: this tensor of shape ${formatShape(x.shape)} was expanded, so that several of its elements are one in ` +
          "memory; clone() it first",
      );
    }
  }
  if (!isGradEnabled()) return;
  if (x.requiresGrad) {
    throw new AutogradError(
      x.isLeaf
        ? `${name}: a leaf tensor that requires grad is being changed in place; do it inside noGrad(() => …), or use the ` +
            "out-of-place form"
        : `${name}: the result of ${x.gradFn?.name} is being changed in place while its graph is recorded; use the ` +
            "out-of-place form, or noGrad()",
    );
  }
  if (operands.some((t) => t instanceof Tensor && t.requiresGrad)) {
    throw new AutogradError(
      `${name}: an operand requires grad, and gradients cannot flow into a change in place; use the out-of-place form, ` +
        "or detach() the operand",
    );
  }
}

/** Writes values (of any dtype, broadcast) into x. */
function write(x: Tensor, values: Tensor): Tensor {
  const converted = to(values.detach(), x.dtype);
  const source = sameShape(converted.shape, x.shape) ? converted : expand(converted, x.shape);
  copyInto(x, source);
  if (converted.block !== values.block) free(converted.block, "consumed");
  x.block.version++;
  return x;
}

/** The in-place form of a binary op: computes beside, then writes over x. */
function inPlace(name: string, x: Tensor, operand: unknown, compute: () => Tensor): Tensor {
  checkInPlace(x, name, operand);
  if (operand instanceof Tensor) {
    const shape = broadcastShapes(x.shape, operand.shape, name);
    if (!sameShape(shape, x.shape)) {
      throw new ShapeError(
        `${name}: the result has shape ${formatShape(shape)}, which cannot be written into ${formatShape(x.shape)}`,
      );
    }
  }
  const result = compute();
  if (x.dtype !== "float32" && result.dtype === "float32") {
    free(result.block, "consumed");
    throw new DTypeError(
      `${name}: the result is float32 and cannot be written into a ${x.dtype} tensor; convert x first`,
    );
  }
  write(x, result);
  free(result.block, "consumed");
  return x;
}

/** x += alpha·other. */
export function add_(x: Tensor, other: Operand, options: { alpha?: number } = {}): Tensor {
  const { alpha = 1 } = options;
  if (isPlainFloat(x) && other instanceof Tensor && isPlainFloat(other) && sameShape(x.shape, other.shape)) {
    checkInPlace(x, "add_", other);
    tick();
    const { ptr } = other;
    if (alpha === 1) k.accumulate(x.ptr, ptr, x.numel());
    else k.axpy(x.ptr, ptr, alpha, x.numel());
    x.block.version++;
    return x;
  }
  return inPlace("add_", x, other, () => add(x.detach(), other, { alpha }));
}

const isPlainFloat = (t: Tensor): boolean => t instanceof Tensor && t.dtype === "float32" && t.isContiguous();

/** x −= alpha·other. */
export function sub_(x: Tensor, other: Operand, options: { alpha?: number } = {}): Tensor {
  if (other instanceof Tensor) {
    checkInPlace(x, "sub_", other);
    if (x.dtype === "float32") return add_(x, other, { alpha: -(options.alpha ?? 1) });
  }
  return inPlace("sub_", x, other, () => sub(x.detach(), other, options));
}

/** x ·= other. */
export function mul_(x: Tensor, other: Operand): Tensor {
  if (isPlainFloat(x) && typeof other === "number") {
    checkInPlace(x, "mul_");
    const { ptr } = x;
    k.scale(ptr, ptr, other, x.numel());
    x.block.version++;
    return x;
  }
  return inPlace("mul_", x, other, () => mul(x.detach(), other));
}

/** x /= other. @throws DTypeError on integers, whose quotients are floats. */
export const div_ = (x: Tensor, other: Operand): Tensor => inPlace("div_", x, other, () => div(x.detach(), other));

/** Limits x to [min, max]. */
export const clamp_ = (x: Tensor, options: { min?: number; max?: number } | number, max?: number): Tensor =>
  inPlace("clamp_", x, null, () => clamp(x.detach(), options, max));

/** Fills x with zeros. */
export function zero_(x: Tensor): Tensor {
  return fill_(x, 0);
}

/**
 * Fills x with a value (a number, a boolean or a 0-d tensor).
 *
 * @throws ArgumentError when x's dtype cannot hold it (as in PyTorch, uint8 takes −255 to −1 as what they wrap to)
 */
export function fill_(x: Tensor, value: number | boolean | Tensor): Tensor {
  checkInPlace(x, "fill_", value);
  if (value instanceof Tensor && value.ndim !== 0) {
    throw new ShapeError(`fill_: value must be a number or a 0-d tensor, found shape ${formatShape(value.shape)}`);
  }
  const plain = Number(value instanceof Tensor ? value.item() : value);
  checkFits(x.dtype === "uint8" && plain < 0 && plain >= -255 ? plain + 256 : plain, x.dtype, "fill_: value");
  if (!x.isContiguous()) {
    const one = Tensor.allocate([], x.dtype, "fill_");
    fillFlat(one, plain);
    copyInto(x, expand(one, x.shape));
    free(one.block, "consumed");
  } else fillFlat(x, plain);
  x.block.version++;
  return x;
}

function fillFlat(x: Tensor, value: number): void {
  const { ptr } = x;
  if (x.dtype === "float32") k.fill_f32(ptr, value, x.numel());
  else if (x.dtype === "int32") k.fill_i32(ptr, value, x.numel());
  else U8.fill(x.dtype === "bool" ? Number(value !== 0) : value, ptr, ptr + x.numel() * itemSize(x.dtype));
}

/** Copies source, broadcast and converted, into x. */
export function copy_(x: Tensor, source: Tensor): Tensor {
  checkInPlace(x, "copy_", source);
  if (!(source instanceof Tensor)) throw new TypeError(`copy_: expected a Tensor, found ${typeof source}`);
  if (!sameShape(broadcastShapes(x.shape, source.shape, "copy_"), x.shape)) {
    throw new ShapeError(
      `copy_: ${formatShape(source.shape)} cannot be broadcast into the target's shape ${formatShape(x.shape)}`,
    );
  }
  return write(x, source);
}

/** Writes value wherever mask, which broadcasts to x's shape, is true. */
export function maskedFill_(x: Tensor, mask: Tensor, value: Operand | { value: Operand }): Tensor;
export function maskedFill_(x: Tensor, named: { mask: Tensor; value: Operand }): Tensor;
export function maskedFill_(x: Tensor, ...args: any[]): Tensor {
  const [mask, value] = inPlaces<[Tensor, Operand]>(args, ["mask", "value"]);
  return inPlace("maskedFill_", x, mask, () => maskedFill(x.detach(), mask, value));
}

function checkFloatInPlace(x: Tensor, name: string): void {
  checkInPlace(x, name);
  if (x.dtype !== "float32") throw new DTypeError(`${name}: expected a float32 tensor, found ${x.dtype}`);
}

/** Options of `uniform_`. */
export interface UniformOptions {
  from?: number;
  to?: number;
  generator?: Generator;
}

/** Options of `normal_`. */
export interface NormalOptions {
  mean?: number;
  std?: number;
  generator?: Generator;
}

/** Fills x with draws from the uniform distribution over [from, to), as torch's after the same manualSeed. */
export function uniform_(x: Tensor, ...rest: Trailing<UniformOptions, ["from", "to"]>): Tensor {
  const options = optionsOf<UniformOptions>("uniform_", rest, ["from", "to"], ["generator"]);
  const { from = 0, to = 1 } = options;
  checkNumber(from, "uniform_: from");
  checkNumber(to, "uniform_: to");
  if (!(from <= to)) throw new ArgumentError(`uniform_: from must not exceed to, found ${from} and ${to}`);
  checkFloatInPlace(x, "uniform_");
  return drawUniform(x, from, to, options.generator);
}

/** Fills x with draws from the normal distribution, as torch's after the same manualSeed. */
export function normal_(x: Tensor, ...rest: Trailing<NormalOptions, ["mean", "std"]>): Tensor {
  const options = optionsOf<NormalOptions>("normal_", rest, ["mean", "std"], ["generator"]);
  const { mean = 0, std = 1 } = options;
  checkNumber(mean, "normal_: mean");
  if (!(std >= 0)) throw new ArgumentError(`normal_: std must not be negative, found ${std}`);
  checkFloatInPlace(x, "normal_");
  return drawNormal(x, mean, std, options.generator);
}
