/**
 * Tensors of random numbers. After `manualSeed(s)` they are those PyTorch gives after `torch.manual_seed(s)`; random.ts
 * draws them, straight into the heap.
 */

import { inPlaces, type Named, optionsOf } from "../arguments.js";
import type { DType } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import type { Generator } from "../generator.js";
import * as random from "../random.js";
import { formatShape, type Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
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

export interface RandomOptions extends TensorOptions {
  /** Draw from this generator instead of the one `manualSeed` seeds. */
  generator?: Generator;
}

/** Uniform numbers of [0, 1), float32. `rand(2, 3)`, `rand([2, 3], { requiresGrad: true })`. */
export function rand(...args: ShapeArguments<RandomOptions>): Tensor {
  const { shape, options } = shapeAndOptions(args, "rand");
  return uniform(shape, chooseDType(options, "float32", "rand", true), options, "rand");
}

/** Normal numbers of mean 0 and standard deviation 1, float32. */
export function randn(...args: ShapeArguments<RandomOptions>): Tensor {
  const { shape, options } = shapeAndOptions(args, "randn");
  return normals(shape, 0, 1, chooseDType(options, "float32", "randn", true), options, "randn");
}

/** `rand` of t's shape. @throws DTypeError when t is not float32 and the options do not say so */
export function randLike(t: Tensor, options: RandomOptions = {}): Tensor {
  checkTensor(t, "randLike");
  return uniform(t.shape, chooseDType(options, t.dtype, "randLike", true), options, "randLike");
}

/** `randn` of t's shape. @throws DTypeError when t is not float32 and the options do not say so */
export function randnLike(t: Tensor, options: RandomOptions = {}): Tensor {
  checkTensor(t, "randnLike");
  return normals(t.shape, 0, 1, chooseDType(options, t.dtype, "randnLike", true), options, "randnLike");
}

/**
 * Normal numbers of this mean and standard deviation, float32.
 *
 * @throws ArgumentError unless mean is finite and std ≥ 0
 */
export function normal(mean: number, std: number, ...shape: ShapeArguments<RandomOptions>): Tensor {
  const { shape: sizes, options } = shapeAndOptions(shape, "normal");
  if (typeof mean !== "number" || !Number.isFinite(mean)) {
    throw new ArgumentError(
      `normal: mean must be a finite number, found ${String(mean)}; for tensors write randnLike(mean).mul(std).add(mean)`,
    );
  }
  if (typeof std !== "number" || !(std >= 0)) {
    throw new ArgumentError(
      `normal: std must be a number ≥ 0, found ${String(std)}; for tensors write randnLike(std).mul(std).add(mean)`,
    );
  }
  return normals(sizes, mean, std, chooseDType(options, "float32", "normal", true), options, "normal");
}

function uniform(shape: Shape, dtype: DType, options: RandomOptions, name: string): Tensor {
  const out = make(shape, dtype, options, name);
  random.fillUniform(elements(out) as Float32Array, 0, 1, options.generator);
  return out;
}

function normals(shape: Shape, mean: number, std: number, dtype: DType, options: RandomOptions, name: string): Tensor {
  const out = make(shape, dtype, options, name);
  random.fillNormal(elements(out) as Float32Array, mean, std, options.generator);
  return out;
}

// Integers -----------------------------------------------------------------------------------------------------------

/**
 * Whole numbers of [low, high), each as likely; low is 0 by default. int32 unless the options say otherwise.
 * `randint(10, [2, 3])`, `randint(-5, 5, [2, 3])`, `randint(-5, 5, 2, 3)`.
 *
 * @throws ArgumentError unless low < high are whole numbers that the dtype holds
 */
export function randint(high: number, shape: Shape, options?: RandomOptions): Tensor;
export function randint(low: number, high: number, ...shape: ShapeArguments<RandomOptions>): Tensor;
export function randint(
  ...named: Named<{ low: number; high: number; size: Shape }, ["low", "high", "size"], RandomOptions>
): Tensor;
export function randint(named: { high: number; size: Shape } & RandomOptions): Tensor;
export function randint(high: number, named: { size: Shape } & RandomOptions): Tensor;
export function randint(...args: readonly unknown[]): Tensor {
  const { positional, options } = factoryArguments<RandomOptions>(args, "randint", ["low", "high", "size"]);
  // randint(high, { size }): the only number is the end of the range.
  if (positional.length === 3 && positional[1] === undefined) [positional[0], positional[1]] = [0, positional[0]];
  const [low = 0, high, ...rest] = Array.isArray(positional[1]) ? [0, ...positional] : positional;
  if (rest.length === 0) {
    throw new ArgumentError(
      `randint: no shape among the arguments (${positional.map(String).join(", ")}); expected randint(high, [sizes]) or ` +
        "randint(low, high, [sizes])",
    );
  }
  const shape = toShape(rest, "randint");
  const dtype = chooseDType(options, "int32", "randint");
  return integers(shape, low as number, high as number, dtype, options, "randint");
}

/** `randint` of t's shape and, unless the options say otherwise, dtype. */
export function randintLike(t: Tensor, high: number, options?: RandomOptions): Tensor;
export function randintLike(t: Tensor, low: number, high: number, options?: RandomOptions): Tensor;
export function randintLike(t: Tensor, ...args: readonly unknown[]): Tensor {
  checkTensor(t, "randintLike");
  const { positional, options } = factoryArguments<RandomOptions>(args, "randintLike");
  const [low, high] = positional.length === 1 ? [0, positional[0]] : positional;
  const dtype = chooseDType(options, t.dtype, "randintLike");
  return integers(t.shape, low as number, high as number, dtype, options, "randintLike");
}

function integers(shape: Shape, low: number, high: number, dtype: DType, options: RandomOptions, name: string): Tensor {
  for (const [argument, value] of Object.entries({ low, high })) {
    if (!Number.isInteger(value)) {
      throw new ArgumentError(`${name}: ${argument} must be a whole number, found ${String(value)}`);
    }
  }
  if (low >= high) throw new ArgumentError(`${name}: low must be less than high, found low ${low} and high ${high}`);
  // The draws are int32 whatever they are stored as.
  for (const held of ["int32", dtype] as const) {
    checkFits(low, held, `${name}: low`);
    checkFits(high - 1, held, `${name}: high − 1`);
  }
  if (dtype === "bool" && (low < 0 || high > 2)) {
    throw new ArgumentError(`${name}: low ${low} and high ${high}: bools are drawn from 0 to 1 (high at most 2)`);
  }
  const out = make(shape, dtype, options, name);
  const values = elements(out);
  if (dtype === "int32") {
    random.fillRandint(values as Int32Array, low, high, options.generator);
  } else {
    const drawn = new Int32Array(values.length);
    random.fillRandint(drawn, low, high, options.generator);
    values.set(drawn);
  }
  return out;
}

/**
 * The numbers 0 to n − 1 in random order: shape [n], int32 unless the options say otherwise.
 *
 * @throws ArgumentError unless n is a whole number ≥ 0
 */
export function randperm(n: number, options: RandomOptions = {}): Tensor {
  if (!Number.isInteger(n) || n < 0) {
    throw new ArgumentError(`randperm: n must be a whole number ≥ 0, found ${String(n)}`);
  }
  const dtype = chooseDType(options, "int32", "randperm");
  if (dtype === "bool") throw new DTypeError("randperm: gives numbers, not bool; choose int32, uint8 or float32");
  checkFits(Math.max(n - 1, 0), dtype, "randperm: n − 1");
  const out = make([n], dtype, options, "randperm");
  elements(out).set(random.randperm(n, options.generator));
  return out;
}

// By probability -----------------------------------------------------------------------------------------------------

/**
 * Zeros and ones: element i is 1 with probability input[i], or with probability p where one is given. Float32 of
 * input's shape; no gradient flows through it.
 *
 * @throws ArgumentError when a probability is not within [0, 1]
 */
export function bernoulli(input: Tensor, options?: RandomOptions): Tensor;
export function bernoulli(input: Tensor, p: number, options?: RandomOptions): Tensor;
export function bernoulli(input: Tensor, ...args: (number | RandomOptions | undefined)[]): Tensor {
  checkTensor(input, "bernoulli");
  const { positional, options } = factoryArguments<RandomOptions>(args, "bernoulli");
  const p = positional[0] as number | undefined;
  const dtype = chooseDType(options, "float32", "bernoulli", true);
  if (p !== undefined) {
    checkProbability(p, "p");
    const out = make(input.shape, dtype, options, "bernoulli");
    random.fillBernoulli(elements(out) as Float32Array, p, options.generator);
    return out;
  }
  const probabilities = floats(input, "bernoulli");
  for (let i = 0; i < probabilities.length; i++) checkProbability(probabilities[i], `the probability at position ${i}`);
  const out = make(input.shape, dtype, options, "bernoulli");
  random.fillBernoulliEach(elements(out) as Float32Array, probabilities, options.generator);
  return out;
}

function checkProbability(p: number, what: string): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`bernoulli: ${what} is ${p}, expected a number from 0 to 1`);
}

interface MultinomialOptions {
  /** Whether an index may be drawn again (default false). */
  replacement?: boolean;
  generator?: Generator;
}

/**
 * Indices drawn with the probabilities of p's rows, which need not sum to 1: p [categories] → [numSamples], or
 * p [rows, categories] → [rows, numSamples], int32.
 *
 * @throws DTypeError unless p is float32
 * @throws ShapeError unless p has one or two dims
 * @throws ArgumentError when a probability is negative or not finite, a row is all 0, or more samples are wanted without
 * replacement than a row has probabilities other than 0
 */
export function multinomial(p: Tensor, numSamples: number, options?: MultinomialOptions): Tensor;
export function multinomial(p: Tensor, numSamples: number, replacement: boolean, options?: MultinomialOptions): Tensor;
export function multinomial(p: Tensor, named: { numSamples: number } & MultinomialOptions): Tensor;
export function multinomial(p: Tensor, ...args: any[]): Tensor {
  checkTensor(p, "multinomial");
  const [numSamples, ...rest] = inPlaces(args, ["numSamples"]);
  const options = optionsOf<MultinomialOptions>("multinomial", rest, ["replacement"], ["generator"]);
  const { replacement = false } = options;
  if (p.ndim !== 1 && p.ndim !== 2) {
    throw new ShapeError(
      `multinomial: p has shape ${formatShape(p.shape)}, expected [categories] or [rows, categories]`,
    );
  }
  if (!Number.isInteger(numSamples) || numSamples <= 0) {
    throw new ArgumentError(`multinomial: numSamples must be a whole number > 0, found ${String(numSamples)}`);
  }
  const rows = p.ndim === 2 ? p.shape[0] : 1;
  const categories = p.shape[p.ndim - 1];
  const weights = floats(p, "multinomial");
  for (let row = 0; row < rows; row++) {
    checkWeights(weights.subarray(row * categories, (row + 1) * categories), row, numSamples, replacement);
  }
  const drawn = random.multinomial(weights, rows, numSamples, replacement, options.generator);
  const out = make(p.ndim === 2 ? [rows, numSamples] : [numSamples], "int32", {}, "multinomial");
  elements(out).set(drawn);
  return out;
}

function checkWeights(weights: Float32Array, row: number, numSamples: number, replacement: boolean): void {
  let positive = 0;
  for (let i = 0; i < weights.length; i++) {
    const w = weights[i];
    if (!(w >= 0 && w < Number.POSITIVE_INFINITY)) {
      throw new ArgumentError(`multinomial: p is ${w} at [${row}, ${i}], expected finite numbers ≥ 0`);
    }
    if (w > 0) positive++;
  }
  if (positive === 0) throw new ArgumentError(`multinomial: all probabilities of row ${row} are 0`);
  if (!replacement && numSamples > positive) {
    throw new ArgumentError(
      `multinomial: numSamples is ${numSamples}, but row ${row} has only ${positive} of ${weights.length} categories with a ` +
        "probability above 0 (use { replacement: true } to draw a category again)",
    );
  }
}

/** The elements of a float32 tensor, as a copy. */
function floats(t: Tensor, where: string): Float32Array {
  if (t.dtype !== "float32") {
    throw new DTypeError(`${where}: probabilities must be float32, found ${t.dtype}; convert them with .float()`);
  }
  return t.toTypedArray() as Float32Array;
}
