/** What a row of test/cases.ts is made of. */
import { type DType, type Tensor, tensor } from "../../src/index.js";
import { EXACT, type Tolerance } from "./compare.js";
import { map, type Nd, nd, sizeOf, zip } from "./nd.js";

/** A tensor to call an op with: random in [low, high], or the values given. */
export interface Input {
  shape: readonly number[];
  dtype: DType;
  low: number;
  high: number;
  values?: readonly number[];
  /** Gradients with regard to it are not checked (a mask, indices, a weight). */
  constant?: boolean;
}

export interface OpCase {
  /** What is particular about it. */
  note?: string;
  inputs: readonly Input[];
  call(...inputs: Tensor[]): Tensor | Iterable<Tensor>;
  /** The same in float64. */
  reference(...inputs: Nd[]): Nd | readonly Nd[];
  /** Of the elements against the reference rounded to float32. */
  tolerance: Tolerance;
  /** Of gradients against differences of the reference; false where there are none to check. */
  gradients: Tolerance | false;
  /** Of the (first) result. */
  dtype: DType;
  /** Works element by element: run with many sizes (of two operands, broadcasts), and with these values. */
  elementwise?: { special: readonly number[] };
  /** Strides decide in which order it adds up, so that other strides may round otherwise. */
  strided?: boolean;
  /** Works along a dim: run with many sizes of the last dim and of the first. */
  lines?: boolean;
}

/** One unit in the last place of a float32 is at most this part of it. */
export const ULP = 2 ** -23;
/** n units in the last place, of subnormal numbers too. */
export const ulps = (n: number): Tolerance => ({ atol: n * 2 ** -149, rtol: n * ULP });
/** Correctly rounded: what IEEE 754 asks of + − × ÷ and √, and what moving elements keeps. */
export const ROUNDED = EXACT;
/** exp, log, tanh, erf and what is made of one of them (DESIGN.md §5). */
export const FUNCTION = ulps(4);
/**
 * A gradient is a product of at most four factors, each within 4 ulp and rounded once more: 20 ulp; 1 − out² and the like
 * cancel, which leaves an absolute error of 4 ulp of 1, times an upstream gradient of at most 2 and the width of a line.
 */
export const GRADIENT: Tolerance = { atol: 16 * ULP, rtol: 20 * ULP };
/**
 * Sums are float32 for 16 additions at a time (assembly/accumulate.ts), float64 beyond: 16 roundings, each of half an ulp
 * of a partial sum, which for 16 numbers of either sign within ±2 stays below 8. Rounded once more at the end.
 */
export const SUMMED: Tolerance = { atol: 16 * 2 ** -25 * 8, rtol: ULP };
/** A float32 inner product of n terms of at most `size`: n·2⁻²⁴·Σ|terms| (Higham, Accuracy and Stability, §3.1). */
export const inner = (n: number, size: number): Tolerance => ({ atol: n * 2 ** -24 * n * size, rtol: ULP });

/** Where functions have their edges: zeros, subnormals, the largest, infinities, NaN. */
export const SPECIAL: readonly number[] = [
  ...[0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3, -3, 1e-8, -1e-8, 1e-40, -1e-40, 88, -88, 100.25],
  ...[3.4e38, -3.4e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
];

// Inputs -------------------------------------------------------------------------------------------------------------

export const real = (shape: readonly number[], low = -2, high = 2): Input => ({ shape, dtype: "float32", low, high });
export const whole = (shape: readonly number[], low = -5, high = 5, dtype: DType = "int32"): Input => ({
  shape,
  dtype,
  low,
  high,
  constant: true,
});
export const mask = (shape: readonly number[]): Input => whole(shape, 0, 1, "bool");
export const given = (shape: readonly number[], values: readonly number[], dtype: DType = "float32"): Input => ({
  shape,
  dtype,
  low: 0,
  high: 0,
  values,
});
export const constant = (input: Input): Input => ({ ...input, constant: true });

/** Random numbers of one's own, so that tests do not depend on what they test (mulberry32). */
export function randomSource(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The values of an input, as its dtype holds them. */
export function draw(input: Input, random: () => number): Nd {
  const { shape, dtype, low, high, values } = input;
  if (values) return nd(shape, Array.from(values, dtype === "float32" ? Math.fround : Number));
  return nd(
    shape,
    Array.from({ length: sizeOf(shape) }, () => {
      const v = low + random() * (high - low);
      return dtype === "float32" ? Math.fround(v) : Math.min(Math.floor(low + random() * (high - low + 1)), high);
    }),
  );
}

export const toTensor = (x: Nd, dtype: DType, requiresGrad = false): Tensor =>
  tensor(Array.from(x.data), { shape: [...x.shape], dtype, requiresGrad });

// Rows ---------------------------------------------------------------------------------------------------------------

type Options = Partial<Omit<OpCase, "inputs" | "call" | "reference">>;

/** A row: correctly rounded and differentiable unless the options say otherwise. */
export const row = (
  inputs: readonly Input[],
  call: OpCase["call"],
  reference: (...inputs: any[]) => Nd | readonly Nd[],
  options: Options = {},
): OpCase => ({ inputs, call, reference, tolerance: ROUNDED, gradients: GRADIENT, dtype: "float32", ...options });

interface Range {
  low?: number;
  high?: number;
  special?: readonly number[];
}

/** A function of each element. */
export function unary(op: (x: Tensor) => Tensor, f: (v: number) => number, options: Options & Range = {}): OpCase {
  const { low = -3, high = 3, special = SPECIAL, ...rest } = options;
  return row([real([3, 4, 5], low, high)], op, (x: Nd) => map(x, f), { elementwise: { special }, ...rest });
}

/** A function of two elements. */
export function binary(
  op: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
  options: Options & Range = {},
): OpCase {
  const { low = -3, high = 3, special = SPECIAL, ...rest } = options;
  return row([real([3, 4, 5], low, high), real([3, 4, 5], low, high)], op, (a: Nd, b: Nd) => zip(f, a, b), {
    elementwise: { special },
    ...rest,
  });
}

/** What whole numbers give stays whole, and has no gradient. */
export const INTEGERS = { gradients: false, dtype: "int32" } as const;
/** Answers have no gradient. */
export const ANSWERS = { gradients: false, dtype: "bool" } as const;

/** All tensors of a result, in order. */
export function outputsOf(result: any): Tensor[] {
  if (typeof result.toTypedArray === "function") return [result];
  return [...result];
}

/** Numbers with ties, ±0, infinities and NaN in some lines. */
export const EDGES = given(
  [4, 5],
  [
    ...[1, 3, 3, -2, 0],
    ...[Number.NaN, 1, Number.NaN, 2, 0],
    ...[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 1],
    ...[-0, 0, -1, -1, -0],
  ],
);
/** The same function at EDGES. */
export const edges = (
  op: (x: Tensor) => Tensor | Iterable<Tensor>,
  f: (x: Nd) => Nd | Nd[],
  options: Partial<OpCase>,
): OpCase => row([EDGES], op, f, { ...options, gradients: false, lines: false, note: "edges" });
/** Rows of n: exponentials and their float32 sum, 4 ulp each and n·2⁻²⁴, n ≤ 65; the logarithm of it is as exact as its size. */
export const SOFTMAX = { tolerance: { atol: 8 * ULP, rtol: 12 * ULP }, lines: true } as const;
