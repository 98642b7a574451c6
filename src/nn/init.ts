/**
 * Initialisation of parameters, `torch.nn.init`: every function writes into the tensor it is given, whether or not it
 * requires a gradient, records nothing, and returns the tensor. After `manualSeed(s)` the numbers are PyTorch's after
 * `torch.manual_seed(s)`.
 *
 * Arguments go by position up to any point, the rest by name in a last options object, as in
 * `kaimingUniform_(w, 0.2, { mode: "fan_out" })`.
 */
import { isOptions } from "../arguments.js";
import type { TypedArray } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { checkFits, checkTensor, elements, splitOptions } from "../ops/factory.js";
import { drawNormal, drawUniform, writeInPlace } from "../ops/write.js";
import { fillNormal, fillUniform, randperm } from "../random.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { erfinv, normalCdf, orthonormalize } from "./initMath.js";

/** What follows the tensor: the arguments P by position up to any point, then the options O. */
type Rest<P extends readonly unknown[], O, Before extends readonly unknown[] = []> = P extends readonly [
  infer First,
  ...infer Others,
]
  ? [...Before, O?] | Rest<Others, O, [...Before, First]>
  : [...Before, O?];

/** Gathers such arguments by name. @throws ArgumentError for names and positions there are none of. */
function settle<T extends object>(args: readonly unknown[], defaults: T, where: string): T {
  const names = Object.keys(defaults);
  const { positional, options } = splitOptions<Partial<T>>(args);
  if (positional.length > names.length) {
    throw new ArgumentError(
      `${where}: ${positional.length} arguments after the tensor, expected at most ${names.length} (${names.join(", ")})`,
    );
  }
  const settled = { ...defaults } as Record<string, unknown>;
  positional.forEach((value, i) => {
    if (value !== undefined) settled[names[i]] = value;
  });
  for (const [name, value] of Object.entries(options)) {
    if (!names.includes(name)) {
      throw new ArgumentError(`${where}: unknown option ${name}; expected ${names.join(", ") || "none"}`);
    }
    if (value !== undefined) settled[name] = value;
  }
  return settled as T;
}

/** @throws TypeError, ArgumentError when t cannot be written to. */
function checkTarget(t: unknown, where: string): asserts t is Tensor {
  checkTensor(t, where);
  if (t.shape.some((size, i) => size > 1 && t.strides[i] === 0)) {
    throw new ArgumentError(
      `${where}: this tensor of shape ${formatShape(t.shape)} was expanded, so that several of its elements are one in ` +
        "memory; clone() it first",
    );
  }
}

/** @throws DTypeError as well when t is not float32. */
function checkFloatTarget(t: unknown, where: string): asserts t is Tensor {
  checkTarget(t, where);
  if (t.dtype !== "float32") throw new DTypeError(`${where}: expected a float32 tensor, found ${t.dtype}`);
}

function checkNumber(value: unknown, what: string): void {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new ArgumentError(`${what} must be a finite number, found ${String(value)}`);
  }
}

function fillWithUniform(t: Tensor, a: number, b: number, where: string): Tensor {
  checkNumber(a, `${where}: a`);
  checkNumber(b, `${where}: b`);
  if (a > b) throw new ArgumentError(`${where}: a must not be greater than b, found a ${a} and b ${b}`);
  return drawUniform(t, a, b);
}

function fillWithNormal(t: Tensor, mean: number, std: number, where: string): Tensor {
  checkNumber(mean, `${where}: mean`);
  checkNumber(std, `${where}: std`);
  if (std < 0) throw new ArgumentError(`${where}: std must not be negative, found ${std}`);
  return drawNormal(t, mean, std);
}

// Distributions and constants ----------------------------------------------------------------------------------------

/** Uniform numbers of [a, b), by default [0, 1). */
export function uniform_(t: Tensor, ...args: Rest<[number, number], { a?: number; b?: number }>): Tensor {
  checkFloatTarget(t, "uniform_");
  const { a, b } = settle(args, { a: 0, b: 1 }, "uniform_");
  return fillWithUniform(t, a, b, "uniform_");
}

/** Normal numbers of mean (0) and standard deviation std (1). */
export function normal_(t: Tensor, ...args: Rest<[number, number], { mean?: number; std?: number }>): Tensor {
  checkFloatTarget(t, "normal_");
  const { mean, std } = settle(args, { mean: 0, std: 1 }, "normal_");
  return fillWithNormal(t, mean, std, "normal_");
}

/**
 * Normal numbers of mean (0) and standard deviation std (1) that lie within [a, b], by default [−2, 2]: uniform numbers
 * through the inverse of the normal distribution.
 *
 * @throws ArgumentError when std is not positive, or a greater than b
 */
export function truncNormal_(
  t: Tensor,
  ...args: Rest<[number, number, number, number], { mean?: number; std?: number; a?: number; b?: number }>
): Tensor {
  checkFloatTarget(t, "truncNormal_");
  const { mean, std, a, b } = settle(args, { mean: 0, std: 1, a: -2, b: 2 }, "truncNormal_");
  for (const [name, value] of Object.entries({ mean, std, a, b })) checkNumber(value, `truncNormal_: ${name}`);
  if (std <= 0) throw new ArgumentError(`truncNormal_: std must be positive, found ${std}`);
  if (a > b) throw new ArgumentError(`truncNormal_: a must not be greater than b, found a ${a} and b ${b}`);
  const low = 2 * normalCdf((a - mean) / std) - 1;
  const high = 2 * normalCdf((b - mean) / std) - 1;
  // Every line rounds to float32, as PyTorch's does.
  const { fround } = Math;
  const scale = fround(std * Math.SQRT2);
  const [shift, min, max] = [fround(mean), fround(a), fround(b)];
  const draw = (values: TypedArray) => {
    fillUniform(values as Float32Array, low, high);
    for (let i = 0; i < values.length; i++) {
      const x = fround(fround(erfinv(values[i]) * scale) + shift);
      values[i] = Math.min(Math.max(x, min), max);
    }
  };
  return writeInPlace(t, draw, true);
}

/** Every element becomes value. @throws ArgumentError when t's integer dtype cannot hold it */
export const constant_ = (t: Tensor, value: number | { val: number }): Tensor =>
  fillWith(t, isOptions(value) ? (value as { val: number }).val : (value as number), "constant_");

/** Ones. */
export const ones_ = (t: Tensor): Tensor => fillWith(t, 1, "ones_");

/** Zeros. */
export const zeros_ = (t: Tensor): Tensor => fillWith(t, 0, "zeros_");

function fillWith(t: Tensor, value: number, where: string): Tensor {
  checkTarget(t, where);
  if (typeof value !== "number" && typeof value !== "boolean") {
    throw new ArgumentError(`${where}: value must be a number, found ${String(value)}`);
  }
  checkFits(value, t.dtype, `${where}: value`);
  const stored = t.dtype === "bool" ? Number(Number(value) !== 0) : Number(value);
  return writeInPlace(t, (values) => values.fill(stored));
}

/** The identity, as far as it goes, in a matrix [n, m]. @throws ShapeError unless t has two dims */
export function eye_(t: Tensor): Tensor {
  checkTarget(t, "eye_");
  checkMatrix(t, "eye_");
  const [rows, cols] = t.shape;
  return writeInPlace(t, (values) => {
    values.fill(0);
    for (let i = 0; i < Math.min(rows, cols); i++) values[i * cols + i] = 1;
  });
}

/**
 * The weight with which a convolution passes its input channels on unchanged, as many as there are: 1 at the middle of
 * the kernel where output and input channel agree. t is [out, in, k], [out, in, kh, kw] or [out, in, kd, kh, kw]; with
 * groups, each group of output channels does so.
 *
 * @throws ShapeError when t has another number of dims, or out is no multiple of groups
 */
export function dirac_(t: Tensor, ...args: Rest<[number], { groups?: number }>): Tensor {
  checkTarget(t, "dirac_");
  const { groups } = settle(args, { groups: 1 }, "dirac_");
  if (t.ndim < 3 || t.ndim > 5) {
    throw new ShapeError(`dirac_: expected a tensor of 3, 4 or 5 dims, found shape ${formatShape(t.shape)}`);
  }
  const [outChannels, inChannels, ...kernel] = t.shape;
  if (!Number.isInteger(groups) || groups < 1 || outChannels % groups !== 0) {
    throw new ShapeError(
      `dirac_: dim 0 of shape ${formatShape(t.shape)} is ${outChannels}, which does not divide into ${groups} groups`,
    );
  }
  const area = kernel.reduce((product, size) => product * size, 1);
  const middle = kernel.reduce((position, size) => position * size + Math.floor(size / 2), 0);
  const perGroup = outChannels / groups;
  return writeInPlace(t, (values) => {
    values.fill(0);
    if (area === 0) return;
    for (let out = 0; out < outChannels; out++) {
      const channel = out % perGroup;
      if (channel < inChannels) values[(out * inChannels + channel) * area + middle] = 1;
    }
  });
}

// By the number of connections ---------------------------------------------------------------------------------------

/**
 * How many inputs an output of the layer with this weight has, and how many outputs an input: [out, in, …kernel] →
 * [in · kernel, out · kernel].
 *
 * @throws ShapeError when t has fewer than two dims
 */
export function calculateFanInAndFanOut(t: Tensor): [fanIn: number, fanOut: number] {
  return fans(t, "calculateFanInAndFanOut");
}

function fans(t: Tensor, where: string): [fanIn: number, fanOut: number] {
  checkTensor(t, where);
  if (t.ndim < 2) {
    throw new ShapeError(
      `${where}: a tensor of shape ${formatShape(t.shape)} has no fan in and fan out; expected at least 2 dims, ` +
        "[out, in, …kernel] (for a bias use zeros_ or uniform_)",
    );
  }
  const [outputs, inputs, ...kernel] = t.shape;
  const area = kernel.reduce((product, size) => product * size, 1);
  return [inputs * area, outputs * area];
}

const NONLINEARITIES = [
  "linear",
  "conv1d",
  "conv2d",
  "conv3d",
  "conv_transpose1d",
  "conv_transpose2d",
  "conv_transpose3d",
  "sigmoid",
  "tanh",
  "relu",
  "leaky_relu",
  "selu",
] as const;
/** PyTorch's names, and the same in camelCase. */
export type Nonlinearity =
  | (typeof NONLINEARITIES)[number]
  | "leakyRelu"
  | "convTranspose1d"
  | "convTranspose2d"
  | "convTranspose3d";
export type FanMode = "fan_in" | "fan_out" | "fanIn" | "fanOut";

/** fanIn, FAN_IN and fan_in are one name. */
const snakeCase = (name: unknown): string =>
  String(name)
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();

/**
 * The factor by which weights before this nonlinearity should be larger, for activations to keep their variance: 1 for
 * linear, convolutions and sigmoid, 5/3 for tanh, √2 for relu, √(2 / (1 + param²)) for leaky_relu with its negative
 * slope (0.01), 3/4 for selu.
 *
 * @throws ArgumentError for another nonlinearity
 */
export function calculateGain(nonlinearity: Nonlinearity, given?: number | { param?: number }): number {
  const param = typeof given === "object" ? given.param : given;
  const name = snakeCase(nonlinearity);
  switch (name) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leaky_relu": {
      const slope = param ?? 0.01;
      checkNumber(slope, "calculateGain: param, the negative slope of leaky_relu,");
      return Math.sqrt(2 / (1 + slope ** 2));
    }
    case "selu":
      return 3 / 4;
  }
  if ((NONLINEARITIES as readonly string[]).includes(name)) return 1;
  throw new ArgumentError(
    `calculateGain: unknown nonlinearity ${JSON.stringify(nonlinearity)}; expected one of ${NONLINEARITIES.join(", ")}`,
  );
}

/** Uniform numbers of [−a, a), a = gain · √(6 / (fan in + fan out)) (Glorot). @throws ShapeError for less than 2 dims */
export function xavierUniform_(t: Tensor, ...args: Rest<[number], { gain?: number }>): Tensor {
  const a = Math.sqrt(3) * xavierStd(t, args, "xavierUniform_");
  return fillWithUniform(t, -a, a, "xavierUniform_");
}

/** Normal numbers of std gain · √(2 / (fan in + fan out)) (Glorot). @throws ShapeError for less than 2 dims */
export function xavierNormal_(t: Tensor, ...args: Rest<[number], { gain?: number }>): Tensor {
  return fillWithNormal(t, 0, xavierStd(t, args, "xavierNormal_"), "xavierNormal_");
}

function xavierStd(t: Tensor, args: readonly unknown[], where: string): number {
  checkFloatTarget(t, where);
  const { gain } = settle(args, { gain: 1 }, where);
  checkNumber(gain, `${where}: gain`);
  if (gain < 0) throw new ArgumentError(`${where}: gain must not be negative, found ${gain}`);
  const [fanIn, fanOut] = fans(t, where);
  // Without connections there is nothing to fill.
  return fanIn + fanOut === 0 ? 0 : gain * Math.sqrt(2 / (fanIn + fanOut));
}

interface KaimingOptions {
  /** Negative slope of the leaky_relu that follows; used with no other nonlinearity (default 0). */
  a?: number;
  /** Whether to keep the variance in the forward ("fan_in", the default) or the backward pass ("fan_out"). */
  mode?: FanMode;
  /** What follows the layer (default "leaky_relu"). */
  nonlinearity?: Nonlinearity;
}
type KaimingArguments = Rest<[number, FanMode, Nonlinearity], KaimingOptions>;

/**
 * Uniform numbers of [−bound, bound), bound = gain · √(3 / fan) (He). Arguments a (0), mode ("fan_in"), nonlinearity
 * ("leaky_relu"); gain as `calculateGain(nonlinearity, a)`.
 *
 * @throws ShapeError when t has fewer than 2 dims
 * @throws ArgumentError for an unknown mode or nonlinearity
 */
export function kaimingUniform_(t: Tensor, ...args: KaimingArguments): Tensor {
  const bound = Math.sqrt(3) * kaimingStd(t, args, "kaimingUniform_");
  return fillWithUniform(t, -bound, bound, "kaimingUniform_");
}

/** Normal numbers of std gain / √fan (He); arguments and errors as `kaimingUniform_`. */
export function kaimingNormal_(t: Tensor, ...args: KaimingArguments): Tensor {
  return fillWithNormal(t, 0, kaimingStd(t, args, "kaimingNormal_"), "kaimingNormal_");
}

function kaimingStd(t: Tensor, args: readonly unknown[], where: string): number {
  checkFloatTarget(t, where);
  const defaults = { a: 0, mode: "fan_in" as FanMode, nonlinearity: "leaky_relu" as Nonlinearity };
  const { a, mode, nonlinearity } = settle(args, defaults, where);
  const [fanIn, fanOut] = fans(t, where);
  const name = snakeCase(mode);
  if (name !== "fan_in" && name !== "fan_out") {
    throw new ArgumentError(`${where}: unknown mode ${JSON.stringify(mode)}; expected one of fan_in, fan_out`);
  }
  const gain = calculateGain(nonlinearity, a);
  return t.numel() === 0 ? 0 : gain / Math.sqrt(name === "fan_in" ? fanIn : fanOut);
}

// Matrices -----------------------------------------------------------------------------------------------------------

/**
 * A random matrix with orthonormal rows or columns, whichever are fewer, times gain (1); a tensor of more dims is taken
 * as [first, all others].
 *
 * @throws ShapeError when t has fewer than two dims
 */
export function orthogonal_(t: Tensor, ...args: Rest<[number], { gain?: number }>): Tensor {
  checkFloatTarget(t, "orthogonal_");
  const { gain } = settle(args, { gain: 1 }, "orthogonal_");
  checkNumber(gain, "orthogonal_: gain");
  if (t.ndim < 2) {
    throw new ShapeError(`orthogonal_: expected a tensor of at least 2 dims, found shape ${formatShape(t.shape)}`);
  }
  const n = t.numel();
  if (n === 0) return t;
  const rows = t.shape[0];
  const cols = n / rows;
  const drawn = new Float32Array(n);
  fillNormal(drawn);
  // The vectors to be made orthonormal lie one after the other: the rows, or else the columns.
  const wide = rows < cols;
  const [count, length] = wide ? [rows, cols] : [cols, rows];
  const at = (vector: number, i: number) => (wide ? vector * cols + i : i * cols + vector);
  const vectors = new Float64Array(n);
  for (let v = 0; v < count; v++) for (let i = 0; i < length; i++) vectors[v * length + i] = drawn[at(v, i)];
  orthonormalize(vectors, count, length);
  const scale = Math.fround(gain);
  return writeInPlace(t, (values) => {
    for (let v = 0; v < count; v++) {
      for (let i = 0; i < length; i++) values[at(v, i)] = Math.fround(vectors[v * length + i]) * scale;
    }
  });
}

/**
 * Normal numbers of standard deviation std (0.01) in a matrix, of which in every column the fraction `sparsity`,
 * rounded up, becomes 0.
 *
 * @throws ShapeError unless t has two dims
 * @throws ArgumentError when sparsity is not within [0, 1]
 */
export function sparse_(t: Tensor, ...args: Rest<[number, number], { sparsity?: number; std?: number }>): Tensor {
  checkFloatTarget(t, "sparse_");
  const { sparsity, std } = settle(args, { sparsity: Number.NaN, std: 0.01 }, "sparse_");
  checkMatrix(t, "sparse_");
  if (!(sparsity >= 0 && sparsity <= 1)) {
    throw new ArgumentError(`sparse_: sparsity must be given as a number from 0 to 1, found ${sparsity}`);
  }
  fillWithNormal(t, 0, std, "sparse_");
  const [rows, cols] = t.shape;
  const zeros = Math.ceil(sparsity * rows);
  const [down, across] = t.strides;
  const memory = elements(
    t.stridedView([t.numel() === 0 ? 0 : (rows - 1) * down + (cols - 1) * across + 1], [1], t.offset),
  );
  for (let column = 0; column < cols; column++) {
    const order = randperm(rows);
    for (let i = 0; i < zeros; i++) memory[order[i] * down + column * across] = 0;
  }
  return t;
}

function checkMatrix(t: Tensor, where: string): void {
  if (t.ndim === 2) return;
  throw new ShapeError(`${where}: expected a tensor of 2 dims, found shape ${formatShape(t.shape)}`);
}
