/**
 * Every op as its formula, in float64 on plain arrays (support/nd.ts): what cases.ts compares the kernels with, and what
 * gradients are differences of. PyTorch's choices where a formula leaves one: NaN propagates, ties go to the first.
 */
import {
  alongDim,
  at,
  atBroadcast,
  build,
  dimsOf,
  expand,
  fold,
  map,
  type Nd,
  nd,
  permute,
  sizeOf,
  zip,
} from "./support/nd.js";

type Dim = number | readonly number[] | null | undefined;

// Functions of a number ----------------------------------------------------------------------------------------------

/** 2/√π·e^(−x²)·Σ 2ⁿx^(2n+1)/(2n+1)!!: all terms of one sign, so nothing cancels (Abramowitz & Stegun 7.1.6). */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Halves to the even number. */
export function roundHalfEven(x: number): number {
  if (Math.abs(x) >= 2 ** 52 || !Number.isFinite(x)) return x;
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}

/** C's pow: 1 to any power and anything to the power 0 are 1, and so is (−1)^±∞. */
export const pow = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

/** Python's %: the sign of the divisor. */
export function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Math.min and Math.max let NaN win, as PyTorch. */
export const clamp = (x: number, min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): number =>
  Math.min(Math.max(x, min), max);

export const relu = (x: number): number => Math.max(x, 0);
export const leakyRelu = (slope: number) => (x: number) => (x > 0 ? x : slope * x);
export const elu = (alpha: number) => (x: number) => (x > 0 ? x : alpha * Math.expm1(x));
export const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
export const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
export const silu = (x: number): number => x / (1 + Math.exp(-x));
export const softplus = (beta: number, threshold: number) => (x: number) =>
  beta * x > threshold ? x : Math.log1p(Math.exp(beta * x)) / beta;
export const hardswish = (x: number): number => (x * clamp(x + 3, 0, 6)) / 6;

// Reductions ---------------------------------------------------------------------------------------------------------

const add = (a: number, b: number) => a + b;
export const sumOf = (values: readonly number[]): number => values.reduce(add, 0);
export const meanOf = (values: readonly number[]): number => sumOf(values) / values.length;
export const maxOf = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
export const minOf = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b));
export const varianceOf = (correction: number) => (values: readonly number[]) => {
  const mean = meanOf(values);
  return sumOf(values.map((v) => (v - mean) ** 2)) / Math.max(values.length - correction, 0);
};
export const logsumexpOf = (values: readonly number[]): number => {
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(sumOf(values.map((v) => Math.exp(v - most))));
};
export const normOf = (p: number) => (values: readonly number[]) => {
  const sizes = values.map(Math.abs);
  if (p === Number.POSITIVE_INFINITY) return sizes.reduce((a, b) => Math.max(a, b), 0);
  if (p === Number.NEGATIVE_INFINITY) return minOf(sizes);
  if (p === 0) return sizes.filter((v) => v !== 0).length;
  return sumOf(sizes.map((v) => v ** p)) ** (1 / p);
};
/** The first place of the largest (by `better`); NaN is better than every number. */
export const placeOfBest = (better: (a: number, b: number) => boolean) => (values: readonly number[]) =>
  values.reduce(
    (best, v, i) => ((Number.isNaN(v) && !Number.isNaN(values[best])) || better(v, values[best]) ? i : best),
    0,
  );
export const firstMax = placeOfBest((a, b) => a > b);
export const firstMin = placeOfBest((a, b) => a < b);

export const reduce =
  (f: (values: number[]) => number, dim?: Dim, keepdim = false) =>
  (x: Nd): Nd =>
    fold(x, dim, keepdim, f);

export const cumsum = (x: Nd, dim: number): Nd =>
  alongDim(x, dim, (values) => {
    let total = 0;
    return values.map((v) => {
      total += v;
      return total;
    });
  });

export const softmax = (x: Nd, dim: number): Nd =>
  alongDim(x, dim, (values) => {
    const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const powers = values.map((v) => Math.exp(v - most));
    return powers.map((p) => p / sumOf(powers));
  });

export const logSoftmax = (x: Nd, dim: number): Nd =>
  alongDim(x, dim, (values) => {
    const total = logsumexpOf(values);
    return values.map((v) => v - total);
  });

/** Positions of a stable sort. NaN is larger than every number. */
export function order(values: readonly number[], descending = false): number[] {
  const compare = (a: number, b: number) =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a < b ? -1 : a > b ? 1 : 0;
  const sign = descending ? -1 : 1;
  return values.map((_, i) => i).sort((i, j) => sign * compare(values[i], values[j]) || i - j);
}

export const sort = (x: Nd, dim: number, descending = false, count = x.shape.at(dim) ?? 1): [Nd, Nd] => [
  alongDim(x, dim, (values) =>
    order(values, descending)
      .slice(0, count)
      .map((i) => values[i]),
  ),
  alongDim(x, dim, (values) => order(values, descending).slice(0, count)),
];

// Shapes -------------------------------------------------------------------------------------------------------------

export const transpose = (x: Nd, a: number, b: number): Nd => {
  const [p, q] = [a, b].map((d) => (d + x.shape.length) % x.shape.length);
  return permute(
    x,
    x.shape.map((_, d) => (d === p ? q : d === q ? p : d)),
  );
};

/** The elements along dim at these places. */
export const take = (x: Nd, dim: number, places: readonly number[]): Nd => {
  const [d] = dimsOf(x.shape, dim);
  return build(x.shape.with(d, places.length), (c) => at(x, c.with(d, places[c[d]])));
};

export const narrow = (x: Nd, dim: number, start: number, length: number): Nd =>
  take(
    x,
    dim,
    Array.from({ length }, (_, i) => start + i),
  );

export const cat = (xs: readonly Nd[], dim: number): Nd => {
  const [d] = dimsOf(xs[0].shape, dim);
  const total = sumOf(xs.map((x) => x.shape[d]));
  return build(xs[0].shape.with(d, total), (c) => {
    let i = c[d];
    const x = xs.find(({ shape }) => {
      if (i < shape[d]) return true;
      i -= shape[d];
      return false;
    }) as Nd;
    return at(x, c.with(d, i));
  });
};

export const repeat = (x: Nd, times: readonly number[]): Nd => {
  const lead = times.length - x.shape.length;
  return build(
    times.map((n, d) => n * (x.shape[d - lead] ?? 1)),
    (c) =>
      at(
        x,
        x.shape.map((size, d) => c[d + lead] % size),
      ),
  );
};

export const gather = (x: Nd, dim: number, indices: Nd): Nd =>
  build(indices.shape, (c) => at(x, c.with(dim, at(indices, c))));

export type PadMode = "constant" | "reflect" | "replicate" | "circular";
/** padding as F.pad's: [left, right, top, bottom, …] from the last dim on. */
export function pad(x: Nd, padding: readonly number[], mode: PadMode = "constant", value = 0): Nd {
  const ndim = x.shape.length;
  const before = x.shape.map((_, d) => padding[2 * (ndim - 1 - d)] ?? 0);
  const after = x.shape.map((_, d) => padding[2 * (ndim - 1 - d) + 1] ?? 0);
  return build(
    x.shape.map((size, d) => before[d] + size + after[d]),
    (c) => {
      const from = c.map((i, d) => {
        const size = x.shape[d];
        const place = i - before[d];
        if (mode === "replicate") return Math.min(Math.max(place, 0), size - 1);
        if (mode === "circular") return (place + size) % size;
        if (mode === "reflect") return place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
        return place;
      });
      return from.some((i, d) => i < 0 || i >= x.shape[d]) ? value : at(x, from);
    },
  );
}

// Products -----------------------------------------------------------------------------------------------------------

export function matmul(a: Nd, b: Nd): Nd {
  const p = a.shape.length === 1 ? nd([1, ...a.shape], a.data) : a;
  const q = b.shape.length === 1 ? nd([...b.shape, 1], b.data) : b;
  const [m, inner] = p.shape.slice(-2);
  const n = q.shape[q.shape.length - 1];
  // The batch dims' sizes are those of the sum of two arrays that have them.
  const zeros = (x: Nd) => build(x.shape.slice(0, -2), () => 0);
  const batch = zip(add, zeros(p), zeros(q)).shape;
  const product = build([...batch, m, n], (c) => {
    const lead = c.slice(0, -2);
    const [i, j] = c.slice(-2);
    let total = 0;
    for (let l = 0; l < inner; l++) total += matrixAt(p, lead, i, l) * matrixAt(q, lead, l, j);
    return total;
  });
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return nd(shape, product.data);
}

/** Element [i, j] of the matrix that batch coordinates name, broadcast. */
function matrixAt(x: Nd, lead: readonly number[], i: number, j: number): number {
  const own = x.shape.slice(0, -2).map((size, d) => (size === 1 ? 0 : lead[lead.length - (x.shape.length - 2) + d]));
  return at(x, [...own, i, j]);
}

export const linear = (x: Nd, weight: Nd, bias?: Nd): Nd => {
  const product = matmul(x, transpose(weight, 0, 1));
  return bias ? zip(add, product, bias) : product;
};

export function layerNorm(x: Nd, dims: number, eps: number, weight?: Nd, bias?: Nd): Nd {
  const over = x.shape.map((_, d) => d).slice(-dims);
  const mean = fold(x, over, true, meanOf);
  const variance = fold(x, over, true, varianceOf(0));
  const normal = zip((v, m, s) => (v - m) / Math.sqrt(s + eps), x, mean, variance);
  const scaled = weight ? zip((a, b) => a * b, normal, weight) : normal;
  return bias ? zip(add, scaled, bias) : scaled;
}

export const embedding = (indices: Nd, weight: Nd): Nd =>
  build([...indices.shape, weight.shape[1]], (c) => at(weight, [at(indices, c.slice(0, -1)), c[c.length - 1]]));

// Losses -------------------------------------------------------------------------------------------------------------

export type Reduction = "mean" | "sum" | "none";
export const reduceLoss = (x: Nd, reduction: Reduction): Nd =>
  reduction === "none" ? x : fold(x, null, false, reduction === "sum" ? sumOf : meanOf);

/** A loss of pairs of elements. */
export const pairLoss =
  (f: (input: number, target: number) => number, reduction: Reduction = "mean") =>
  (input: Nd, target: Nd): Nd =>
    reduceLoss(zip(f, input, target), reduction);

export const squared = (x: number, t: number): number => (x - t) ** 2;
export const absolute = (x: number, t: number): number => Math.abs(x - t);
export const smoothL1 = (beta: number) => (x: number, t: number) =>
  Math.abs(x - t) < beta ? (0.5 * (x - t) ** 2) / beta : Math.abs(x - t) - 0.5 * beta;
export const huber = (delta: number) => (x: number, t: number) =>
  Math.abs(x - t) <= delta ? 0.5 * (x - t) ** 2 : delta * (Math.abs(x - t) - 0.5 * delta);
/** PyTorch bounds the logarithms at −100. */
export const binaryCrossEntropy = (x: number, t: number): number =>
  -(t * Math.max(Math.log(x), -100) + (1 - t) * Math.max(Math.log1p(-x), -100));
export const withLogits =
  (posWeight = 1) =>
  (x: number, t: number) => {
    const weight = 1 + (posWeight - 1) * t;
    return (1 - t) * x + weight * (Math.log1p(Math.exp(-Math.abs(x))) + Math.max(-x, 0));
  };
export const divergence = (x: number, t: number): number => (t === 0 ? 0 : t * (Math.log(t) - x));
export const divergenceOfLogs = (x: number, t: number): number => Math.exp(t) * (t - x);

interface ClassOptions {
  weight?: Nd;
  ignoreIndex?: number;
  labelSmoothing?: number;
  reduction?: Reduction;
}

/** logProbs [N, C, …], target [N, …] of classes. */
export function nllLoss(logProbs: Nd, target: Nd, options: ClassOptions = {}): Nd {
  const { weight, ignoreIndex = -100, labelSmoothing = 0, reduction = "mean" } = options;
  const classes = logProbs.shape.length === 1 ? 0 : 1;
  const count = logProbs.shape[classes];
  const weightOf = (c: number) => (weight ? weight.data[c] : 1);
  let total = 0;
  const losses = build(target.shape, (place) => {
    const t = at(target, place);
    if (t === ignoreIndex) return 0;
    const logProb = (c: number) => at(logProbs, place.toSpliced(classes, 0, c));
    total += weightOf(t);
    let smooth = 0;
    for (let c = 0; c < count; c++) smooth -= weightOf(c) * logProb(c);
    return -(1 - labelSmoothing) * weightOf(t) * logProb(t) + (labelSmoothing / count) * smooth;
  });
  if (reduction === "none") return losses;
  return nd([], [sumOf([...losses.data]) / (reduction === "mean" ? total : 1)]);
}

/** target of classes, or of probabilities in the shape of logits. */
export function crossEntropy(logits: Nd, target: Nd, options: ClassOptions = {}): Nd {
  const classes = logits.shape.length === 1 ? 0 : 1;
  const logProbs = logSoftmax(logits, classes);
  if (target.shape.length !== logits.shape.length) return nllLoss(logProbs, target, options);
  const { weight, labelSmoothing = 0, reduction = "mean" } = options;
  const count = logits.shape[classes];
  const terms = build(logits.shape, (c) => {
    const t = at(target, c) * (1 - labelSmoothing) + labelSmoothing / count;
    return -t * at(logProbs, c) * (weight ? weight.data[c[classes]] : 1);
  });
  const losses = fold(terms, classes, false, sumOf);
  if (reduction === "none") return losses;
  const examples = sizeOf(logits.shape) / count;
  return nd([], [sumOf([...losses.data]) / (reduction === "mean" ? examples : 1)]);
}

export { atBroadcast, expand, map };
