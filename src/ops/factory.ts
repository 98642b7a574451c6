/** What the functions that make tensors have in common: their arguments, their allocation, their elements. */
import { checkOptions, isOptions } from "../arguments.js";
import { checkDType, type DType, type TypedArray } from "../dtype.js";
import { ArgumentError, AutogradError, DTypeError } from "../errors.js";
import { checkShape, type Shape } from "../shape.js";
import { Kind, tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { F32, I32, U8 } from "../wasm/heap.js";

export interface TensorOptions {
  dtype?: DType;
  /** Make it a leaf whose gradient is wanted; only float32. */
  requiresGrad?: boolean;
}

/** A shape, as a list or as numbers, then the options: `(2, 3)`, `([2, 3])`, `([2, 3], { dtype })`, `(2, 3, { dtype })`. */
export type ShapeArguments<O = TensorOptions> =
  | readonly (number | Shape | O | undefined)[]
  | readonly [named: O & { size: Shape }];

/** Takes a trailing options object off the arguments; `undefined` in its place is none. */
export function splitOptions<O extends object>(args: readonly unknown[]): { positional: unknown[]; options: O } {
  const positional = [...args];
  let options: O | undefined;
  const last = positional.at(-1);
  if (positional.length > 0 && (last === undefined || isOptions(last))) {
    positional.pop();
    options = last as O | undefined;
  }
  return { positional, options: options ?? ({} as O) };
}

/** One list or numbers, as a checked shape of its own. @throws ShapeError unless every size is a whole number ≥ 0. */
export function toShape(args: readonly unknown[], where: string): number[] {
  const shape = args.length === 1 && Array.isArray(args[0]) ? [...args[0]] : ([...args] as number[]);
  checkShape(shape, where);
  return shape;
}

const OPTION_NAMES = ["dtype", "requiresGrad", "generator"];

/**
 * `splitOptions` for what makes tensors.
 *
 * @param names of the positional arguments, which may be given among the options: `arange(0, 10, { step: 2 })`
 * @throws ArgumentError for an option there is none of
 */
export function factoryArguments<O extends TensorOptions>(
  args: readonly unknown[],
  where: string,
  names: readonly string[] = [],
): { positional: unknown[]; options: O } {
  const split = splitOptions<O>(args);
  const { positional } = split;
  const named = split.options as Record<string, unknown>;
  if (names.some((name) => name in named)) {
    const { ...rest } = named;
    names.forEach((name, i) => {
      if (!(name in rest)) return;
      positional[i] = rest[name];
      delete rest[name];
    });
    split.options = rest as unknown as O;
  }
  checkOptions(where, split.options, OPTION_NAMES);
  return split;
}

/** The shape and options of `zeros(…)` and its like. */
export function shapeAndOptions<O extends TensorOptions>(
  args: ShapeArguments<O>,
  where: string,
): { shape: number[]; options: O } {
  const { positional, options } = factoryArguments<O>(args, where, ["size"]);
  return { shape: toShape(positional, where), options };
}

/** The dtype the options ask for. @throws DTypeError when it is none or, for distributions over the reals, not float32. */
export function chooseDType(options: TensorOptions, otherwise: DType, where: string, floatOnly = false): DType {
  const dtype = options.dtype === undefined ? otherwise : checkDType(options.dtype, where);
  if (floatOnly && dtype !== "float32") {
    throw new DTypeError(`${where}: gives float32 numbers, not ${dtype}; convert the result with .to("${dtype}")`);
  }
  return dtype;
}

/**
 * An uninitialised tensor, which is never lost: data, or, when its gradient is wanted, a parameter made by hand. Everything must have been checked before.
 *
 * @throws AutogradError when a gradient is wanted of integers or bools; nothing is allocated then
 */
export function make(shape: Shape, dtype: DType, options: TensorOptions, name: string): Tensor {
  checkRequiresGrad(dtype, options, name);
  tick();
  // Made on purpose, as data is: a program may keep it in a dataset or a field for long.
  if (!options.requiresGrad) return Tensor.allocateDurable(shape, dtype, name);
  const out = Tensor.allocateDurable(shape, dtype, name, Kind.State);
  out.requiresGrad = true;
  return out;
}

export function checkRequiresGrad(dtype: DType, options: TensorOptions, name: string): void {
  if (options.requiresGrad && dtype !== "float32") {
    throw new AutogradError(
      `${name}: only float32 tensors can require gradients, not ${dtype}; leave out requiresGrad`,
    );
  }
}

/** The elements of a contiguous tensor where they lie in the heap; good until the next allocation. */
export function elements(t: Tensor): TypedArray {
  const { ptr } = t;
  const n = t.numel();
  if (t.dtype === "float32") return F32.subarray(ptr >>> 2, (ptr >>> 2) + n);
  if (t.dtype === "int32") return I32.subarray(ptr >>> 2, (ptr >>> 2) + n);
  return U8.subarray(ptr, ptr + n);
}

/** The smallest and largest value of an integer dtype; null for the others, which take every number. */
export function integerRange(dtype: DType): readonly [number, number] | null {
  if (dtype === "int32") return [-(2 ** 31), 2 ** 31 - 1];
  return dtype === "uint8" ? [0, 255] : null;
}

/** @throws ArgumentError unless value, truncated to a whole number, is one of dtype. */
export function checkFits(value: number, dtype: DType, what: string): void {
  const range = integerRange(dtype);
  if (range === null) return;
  const whole = Math.trunc(value);
  if (whole >= range[0] && whole <= range[1]) return;
  throw new ArgumentError(
    `${what} is ${value}, which is no ${dtype} (${range[0]} to ${range[1]}); choose a dtype that holds it, such as float32`,
  );
}

/** @throws TypeError unless t is a Tensor. */
export function checkTensor(t: unknown, where: string): asserts t is Tensor {
  if (t instanceof Tensor) return;
  throw new TypeError(`${where}: expected a Tensor, found ${t === null ? "null" : typeof t}; wrap data in tensor(…)`);
}
