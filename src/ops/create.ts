/** Tensors made of nothing but their shape: constants, ranges, the identity. Those of random numbers are in sample.ts. */
import type { Named } from "../arguments.js";
import type { DType } from "../dtype.js";
import { ArgumentError, DTypeError } from "../errors.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { k } from "../wasm/load.js";
import {
  checkFits,
  checkTensor,
  chooseDType,
  elements,
  factoryArguments,
  make,
  type ShapeArguments,
  shapeAndOptions,
  type TensorOptions,
  toShape,
} from "./factory.js";

export type { ShapeArguments, TensorOptions } from "./factory.js";
export * from "./sample.js";
export { type TensorData, tensor } from "./tensor.js";

// Constants ----------------------------------------------------------------------------------------------------------

/** Zeros; float32 unless the options say otherwise. `zeros(2, 3)`, `zeros([2, 3], { dtype: "int32" })`. */
export function zeros(...args: ShapeArguments): Tensor {
  const { shape, options } = shapeAndOptions(args, "zeros");
  return constant(shape, 0, chooseDType(options, "float32", "zeros"), options, "zeros");
}

/** Ones; float32 unless the options say otherwise. */
export function ones(...args: ShapeArguments): Tensor {
  const { shape, options } = shapeAndOptions(args, "ones");
  return constant(shape, 1, chooseDType(options, "float32", "ones"), options, "ones");
}

/** Memory as it was found: for tensors that are written to at once. */
export function empty(...args: ShapeArguments): Tensor {
  const { shape, options } = shapeAndOptions(args, "empty");
  return make(shape, chooseDType(options, "float32", "empty"), options, "empty");
}

/**
 * A tensor full of value: float32 for a number, bool for a boolean, unless the options say otherwise.
 *
 * @throws ArgumentError when an integer dtype cannot hold value
 */
export function full(shape: Shape | number, value: number | boolean, options?: TensorOptions): Tensor;
export function full(
  ...named: Named<{ size: Shape; fillValue: number | boolean }, ["size", "fillValue"], TensorOptions>
): Tensor;
export function full(...args: any[]): Tensor {
  const { positional, options } = factoryArguments<TensorOptions>(args, "full", ["size", "fillValue"]);
  const [shape, value] = positional as [Shape | number, number | boolean];
  const sizes = toShape([shape], "full");
  const dtype = chooseDType(options, typeof value === "boolean" ? "bool" : "float32", "full");
  return constant(sizes, checkValue(value, dtype, "full"), dtype, options, "full");
}

/** Zeros of t's shape and, unless the options say otherwise, dtype. */
export function zerosLike(t: Tensor, options: TensorOptions = {}): Tensor {
  checkTensor(t, "zerosLike");
  return constant(t.shape, 0, chooseDType(options, t.dtype, "zerosLike"), options, "zerosLike");
}

/** Ones of t's shape and, unless the options say otherwise, dtype. */
export function onesLike(t: Tensor, options: TensorOptions = {}): Tensor {
  checkTensor(t, "onesLike");
  return constant(t.shape, 1, chooseDType(options, t.dtype, "onesLike"), options, "onesLike");
}

/** As `full`, with t's shape and, unless the options say otherwise, dtype. */
export function fullLike(t: Tensor, value: number | boolean, options: TensorOptions = {}): Tensor {
  checkTensor(t, "fullLike");
  const dtype = chooseDType(options, t.dtype, "fullLike");
  return constant(t.shape, checkValue(value, dtype, "fullLike"), dtype, options, "fullLike");
}

/** Memory as it was found, of t's shape and, unless the options say otherwise, dtype. */
export function emptyLike(t: Tensor, options: TensorOptions = {}): Tensor {
  checkTensor(t, "emptyLike");
  return make(t.shape, chooseDType(options, t.dtype, "emptyLike"), options, "emptyLike");
}

function checkValue(value: unknown, dtype: DType, where: string): number {
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new ArgumentError(`${where}: value must be a number or a boolean, found ${String(value)}`);
  }
  checkFits(Number(value), dtype, `${where}: value`);
  return Number(value);
}

function constant(shape: Shape, value: number, dtype: DType, options: TensorOptions, name: string): Tensor {
  const out = make(shape, dtype, options, name);
  if (dtype === "float32") k.fill_f32(out.ptr, value, out.numel());
  else elements(out).fill(dtype === "bool" ? Number(value !== 0) : value);
  return out;
}

// Ranges -------------------------------------------------------------------------------------------------------------

/**
 * The numbers from start (default 0) up to but not including end, step (default 1) apart: shape
 * [⌈(end − start) / step⌉]. int32 when all three are whole numbers, else float32; an integer dtype in the options
 * truncates them first.
 *
 * @throws ArgumentError when step is 0 or leads away from end, or the numbers do not fit the dtype
 */
export function arange(end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, options?: TensorOptions): Tensor;
export function arange(start: number, end: number, step: number, options?: TensorOptions): Tensor;
export function arange(
  ...named: Named<{ start: number; end: number; step?: number }, ["start", "end", "step"], TensorOptions>
): Tensor;
export function arange(named: { end: number; step?: number } & TensorOptions): Tensor;
export function arange(...args: unknown[]): Tensor {
  const { positional, options } = factoryArguments<TensorOptions>(args, "arange", ["start", "end", "step"]);
  const given = positional as number[];
  let [start = 0, end, step = 1] = given.length === 1 ? [0, given[0]] : given;
  for (const [name, value] of Object.entries({ start, end, step })) checkFinite(value, `arange: ${name}`);
  const whole = Number.isInteger(start) && Number.isInteger(end) && Number.isInteger(step);
  const dtype = chooseDType(options, whole ? "int32" : "float32", "arange");
  if (dtype === "bool") throw new DTypeError("arange: gives numbers, not bool; choose int32, uint8 or float32");
  if (dtype !== "float32") [start, end, step] = [Math.trunc(start), Math.trunc(end), Math.trunc(step)];
  if (step === 0) throw new ArgumentError(`arange: step must not be 0${given[2] ? ` (${given[2]} as ${dtype})` : ""}`);
  const n = Math.ceil((end - start) / step);
  if (n < 0) {
    throw new ArgumentError(
      `arange: from ${start} to ${end} leads ${end < start ? "down" : "up"}, but step is ${step}; ` +
        "step must have the sign of end − start",
    );
  }
  if (n > 0) {
    checkFits(start, dtype, "arange: start");
    checkFits(start + (n - 1) * step, dtype, "arange: the last number");
  }
  // −0 when start and end are equal and step is negative.
  const out = make([Math.abs(n)], dtype, options, "arange");
  if (n > 0) {
    if (dtype === "float32") k.arange_f32(out.ptr, start, step, n);
    else if (dtype === "int32") k.arange_i32(out.ptr, start, step, n);
    else {
      const values = elements(out);
      for (let i = 0; i < n; i++) values[i] = start + i * step;
    }
  }
  return out;
}

/**
 * Numbers evenly spaced from start to end, both included: shape [steps]; one step gives start. float32; an integer dtype
 * in the options truncates first start and end, then each number.
 *
 * @throws ArgumentError unless steps is a whole number ≥ 0
 */
export function linspace(start: number, end: number, steps: number, options?: TensorOptions): Tensor;
export function linspace(
  ...named: Named<{ start: number; end: number; steps: number }, ["start", "end", "steps"], TensorOptions>
): Tensor;
export function linspace(...args: unknown[]): Tensor {
  const { positional, options } = factoryArguments<TensorOptions>(args, "linspace", ["start", "end", "steps"]);
  let [start, end, steps] = positional as [number, number, number];
  checkFinite(start, "linspace: start");
  checkFinite(end, "linspace: end");
  checkCount(steps, "linspace: steps");
  const dtype = chooseDType(options, "float32", "linspace");
  if (dtype !== "float32") [start, end] = [Math.trunc(start), Math.trunc(end)];
  if (steps > 0) {
    checkFits(start, dtype, "linspace: start");
    if (steps > 1) checkFits(end, dtype, "linspace: end");
  }
  const out = make([steps], dtype, options, "linspace");
  if (dtype === "float32") {
    k.linspace_f32(out.ptr, start, end, steps);
  } else {
    const values = elements(out);
    const step = steps > 1 ? (end - start) / (steps - 1) : 0;
    for (let i = 0; i < steps; i++) {
      const value = i < steps >> 1 || steps === 1 ? start + i * step : end - (steps - 1 - i) * step;
      values[i] = dtype === "bool" ? Number(value !== 0) : value;
    }
  }
  return out;
}

/**
 * Ones on the main diagonal and zeros elsewhere: shape [n, m], m = n by default.
 *
 * @throws ArgumentError unless n and m are whole numbers ≥ 0
 */
export function eye(n: number, options?: TensorOptions): Tensor;
export function eye(n: number, m: number, options?: TensorOptions): Tensor;
export function eye(...args: (number | TensorOptions | undefined)[]): Tensor {
  const { positional, options } = factoryArguments<TensorOptions>(args, "eye");
  const [n, m = n] = positional as number[];
  checkCount(n, "eye: n");
  checkCount(m, "eye: m");
  const dtype = chooseDType(options, "float32", "eye");
  const out = make([n, m], dtype, options, "eye");
  if (dtype === "float32") {
    k.eye_f32(out.ptr, n, m);
  } else {
    const values = elements(out).fill(0);
    for (let i = 0; i < Math.min(n, m); i++) values[i * m + i] = 1;
  }
  return out;
}

function checkFinite(value: unknown, what: string): void {
  if (typeof value === "number" && Number.isFinite(value)) return;
  throw new ArgumentError(`${what} must be a finite number, found ${String(value)}`);
}

function checkCount(value: unknown, what: string): void {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return;
  throw new ArgumentError(`${what} must be a whole number ≥ 0, found ${String(value)}`);
}
