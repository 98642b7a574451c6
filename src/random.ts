/**
 * Random numbers: PyTorch's CPU distributions and the orders of its DataLoader, number for number.
 *
 * After `manualSeed(s)` (generator.ts) every function here draws what PyTorch 1.13 draws after `torch.manual_seed(s)` on a CPU
 * with AVX2: the uniform, integer, Bernoulli and permutation draws bit for bit, and the normal ones as well, because the
 * polynomials of its vectorised Box–Muller are evaluated here in the same order with the same roundings. What remains
 * is double-precision libm (`sin`, `cos`, `log`) in the paths that PyTorch computes in float64 and rounds to float32
 * once: a difference in the last bit of a double shows there about once in 10⁸ numbers.
 *
 * The functions fill plain typed arrays (a view of the heap as well as any other) and know nothing of tensors.
 */
import { ArgumentError } from "./errors.js";
import { defaultGenerator, Generator, N, TWO_32, TWO_M24 } from "./generator.js";

const fround = Math.fround;

/** Fills with float32 uniforms of [from, to), one draw each: `tensor.uniform_(from, to)`, and `rand` with 0 and 1. */
export function fillUniform(out: Float32Array, from = 0, to = 1, gen: Generator = defaultGenerator()): void {
  if (!(from <= to)) throw new ArgumentError(`uniform_: expected from <= to, got from ${from}, to ${to}`);
  const low = fround(from);
  // PyTorch's u × (to − from) + from is one fused multiply-add. The product of two float32 is exact in a double, so
  // the rounding to float32 as it is stored is the only one.
  const scale = fround(fround(to) - low) * TWO_M24;
  const words = gen.block();
  const n = out.length;
  for (let i = 0; i < n; ) {
    let at = gen.open();
    const end = Math.min(n, i + N - at);
    for (; i < end; i++) out[i] = (words[at++] & 0xffffff) * scale + low;
    gen.close(at);
  }
}

/**
 * Fills with normals: `tensor.normal_(mean, std)`, and `randn` with 0 and 1.
 *
 * From 16 numbers on PyTorch turns groups of 16 float32 uniforms into normals, and draws the last 16 anew where the
 * size is no multiple of 16. Below 16 it draws singly, in double precision.
 */
export function fillNormal(out: Float32Array, mean = 0, std = 1, gen: Generator = defaultGenerator()): void {
  if (!(std >= 0)) throw new ArgumentError(`normal_: expected std >= 0, got ${std}`);
  const n = out.length;
  if (n < 16) {
    for (let i = 0; i < n; i++) out[i] = gen.normal64() * std + mean;
    return;
  }
  const mean32 = fround(mean);
  const std32 = fround(std);
  fillUniform(out, 0, 1, gen);
  for (let i = 0; i + 16 <= n; i += 16) normals16(out, i, mean32, std32);
  if (n % 16 !== 0) {
    fillUniform(out.subarray(n - 16), 0, 1, gen);
    normals16(out, n - 16, mean32, std32);
  }
}

/** Fills with integers of [low, high): `torch.randint(low, high, …)`. */
export function fillRandint(out: Int32Array, low: number, high: number, gen: Generator = defaultGenerator()): void {
  if (!Number.isInteger(low) || !Number.isInteger(high) || low < -(2 ** 31) || high > 2 ** 31) {
    throw new ArgumentError(`randint: low ${low} and high ${high} must be integers of int32's range`);
  }
  if (low >= high) throw new ArgumentError(`randint: expected low < high, got low ${low}, high ${high}`);
  const range = high - low;
  const words = gen.block();
  const n = out.length;
  if (range === TWO_32) {
    // From 2³² on PyTorch takes 64 bits modulo the range: here the low half, which is drawn second.
    for (let i = 0; i < n; i++) {
      gen.skip(1);
      out[i] = gen.random32() + low;
    }
    return;
  }
  for (let i = 0; i < n; ) {
    let at = gen.open();
    const end = Math.min(n, i + N - at);
    for (; i < end; i++) out[i] = modulo(words[at++] >>> 0, range) + low;
    gen.close(at);
  }
}

/** The numbers 0 … n − 1 in random order: `torch.randperm(n)`. n − 1 draws. */
export function randperm(n: number, gen: Generator = defaultGenerator()): Int32Array {
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError(`randperm: expected a size, got ${n}`);
  const order = new Int32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  const words = gen.block();
  for (let i = 0; i < n - 1; ) {
    let at = gen.open();
    const end = Math.min(n - 1, i + N - at);
    for (; i < end; i++) {
      const j = i + modulo(words[at++] >>> 0, n - i);
      const swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    gen.close(at);
  }
  return order;
}

/**
 * Fills with ones of probability `p`, else zeros: `tensor.bernoulli_(p)`, and with p = 1 − dropout's p the mask of
 * `F.dropout` (which then divides it by 1 − p). Two draws each, as in PyTorch builds without Intel's MKL.
 */
export function fillBernoulli(out: Float32Array | Uint8Array, p: number, gen: Generator = defaultGenerator()): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`bernoulli_: expected 0 <= p <= 1, got ${p}`);
  // u = k / 2⁵³ with k = high·2³² + low, so u < p is k < ⌈p·2⁵³⌉, which the high words decide but for 1 in 2²¹. The
  // sign bit of their difference is the answer without a branch, which would be mispredicted half the time.
  const limit = Math.ceil(p * 2 ** 53);
  const limitHigh = Math.floor(limit / TWO_32);
  const limitLow = limit % TWO_32;
  const words = gen.block();
  const n = out.length;
  for (let i = 0; i < n; ) {
    let at = gen.open();
    if (at === N - 1) {
      // The pair lies across two blocks.
      out[i++] = gen.uniform64() < p ? 1 : 0;
      continue;
    }
    const end = Math.min(n, i + ((N - at) >> 1));
    for (; i < end; i++) {
      const high = words[at] & 0x1fffff;
      let bit = (high - limitHigh) >>> 31;
      if (high === limitHigh && words[at + 1] >>> 0 < limitLow) bit = 1;
      out[i] = bit;
      at += 2;
    }
    gen.close(at);
  }
}

/** Fills with ones of the probabilities given, else zeros: `torch.bernoulli(p)` of a float32 tensor. One draw each. */
export function fillBernoulliEach(
  out: Float32Array | Uint8Array,
  p: Float32Array,
  gen: Generator = defaultGenerator(),
): void {
  for (let i = 0; i < out.length; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) throw new ArgumentError(`bernoulli: expected 0 <= p <= 1, got ${p[i]} at ${i}`);
  }
  for (let i = 0; i < out.length; i++) out[i] = gen.uniform32() < p[i] ? 1 : 0;
}

/** Fills with exponentials of rate `lambda`: `tensor.exponential_(lambda)`. Two draws each. */
export function fillExponential(out: Float32Array, lambda = 1, gen: Generator = defaultGenerator()): void {
  if (!(lambda > 0)) throw new ArgumentError(`exponential_: expected lambda > 0, got ${lambda}`);
  for (let i = 0; i < out.length; i++) out[i] = (-1 / lambda) * Math.log(1 - gen.uniform64());
}

/**
 * Draws `count` indices of each row of probabilities [rows, categories] (they need not sum to 1):
 * `torch.multinomial(p, count, replacement)`. Returns [rows, count].
 *
 * Without replacement the `count` largest of p / q with exponential q (the exponential race); with replacement by
 * bisection of the cumulated probabilities. (PyTorch 2 takes the race for one index of either kind.)
 */
export function multinomial(
  p: Float32Array,
  rows: number,
  count: number,
  replacement = false,
  gen: Generator = defaultGenerator(),
): Int32Array {
  const categories = rows === 0 ? 0 : p.length / rows;
  if (!Number.isInteger(count) || count <= 0)
    throw new ArgumentError(`multinomial: expected numSamples > 0, got ${count}`);
  if (!replacement && count > categories && rows > 0) {
    throw new ArgumentError(`multinomial: ${count} samples without replacement from ${categories} categories`);
  }
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let j = row * categories; j < (row + 1) * categories; j++) {
      if (!(p[j] >= 0 && p[j] < Number.POSITIVE_INFINITY)) {
        throw new ArgumentError(`multinomial: probabilities must be finite and >= 0, got ${p[j]}`);
      }
      sum += p[j];
    }
    if (sum === 0) throw new ArgumentError("multinomial: the probabilities of a row are all 0");
  }
  const out = new Int32Array(rows * count);
  if (!replacement) {
    const race = new Float32Array(p.length);
    fillExponential(race, 1, gen);
    for (let j = 0; j < race.length; j++) race[j] = p[j] / race[j];
    for (let row = 0; row < rows; row++) {
      const scores = race.subarray(row * categories, (row + 1) * categories);
      out.set(largest(scores, count), row * count);
    }
    return out;
  }
  const cumulated = new Float32Array(categories);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let j = 0; j < categories; j++) {
      sum = fround(sum + p[row * categories + j]);
      cumulated[j] = sum;
    }
    for (let j = 0; j < categories; j++) cumulated[j] /= sum;
    cumulated[categories - 1] = 1;
    for (let s = 0; s < count; s++) {
      const u = gen.uniform64();
      let left = 0;
      let right = categories;
      while (left < right) {
        const middle = (left + right) >> 1;
        if (cumulated[middle] < u) left = middle + 1;
        else right = middle;
      }
      out[row * count + s] = left;
    }
  }
  return out;
}

/**
 * The order in which PyTorch's `DataLoader(dataset, shuffle=True, num_workers=0)` visits a dataset of `n` in the epoch
 * that begins now, drawing what it draws: at `iter(loader)` a base seed for workers (63 bits, used or not), then at the
 * first batch, without a `generator`, a seed for a generator of its own, which gives the permutation; with a
 * `generator` the permutation comes from that one, see `endDataLoaderOrder`.
 */
export function dataLoaderOrder(n: number, gen?: Generator): Int32Array {
  if (gen === undefined) return sharedLoaderOrder(n, defaultGenerator());
  drawBaseSeed(gen);
  return randperm(n, gen);
}

/** The same, when the default generator is (or was) in the state of `gen`. */
function sharedLoaderOrder(n: number, gen: Generator): Int32Array {
  drawBaseSeed(gen);
  return randperm(n, new Generator(gen.randomInt64()));
}

/** The order that `dataLoaderOrder` gave, from the state that the generator it drew from was in before. */
export function repeatLoaderOrder(n: number, state: Uint8Array, ownGenerator: boolean): Int32Array {
  const gen = new Generator().setState(state);
  return ownGenerator ? dataLoaderOrder(n, gen) : sharedLoaderOrder(n, gen);
}

/** What an unshuffled DataLoader draws as an epoch begins: the base seed for workers, two 32-bit draws. */
export function drawBaseSeed(gen: Generator = defaultGenerator()): void {
  gen.skip(2);
}

/**
 * What PyTorch's RandomSampler draws after the last index of an epoch: it makes one more permutation, of which it uses
 * nothing. With a `generator` of the loader's own the next epoch depends on it; without, it comes from the throw-away
 * generator and leaves no trace. An epoch left by `break` does not draw it.
 */
export function endDataLoaderOrder(n: number, gen?: Generator): void {
  if (gen !== undefined && n > 1) gen.skip(n - 1);
}

/**
 * a mod b for integers below 2³². V8 does `%` of unsigned numbers in floating point and slowly; the quotient rounded to
 * a double never reaches the next integer, which is at least 2⁻³² of it away, so this is exact.
 */
function modulo(a: number, b: number): number {
  return a - Math.floor(a / b) * b;
}

/** The indices of the `count` largest scores, largest first. */
function largest(scores: Float32Array, count: number): number[] {
  if (count === 1) {
    let best = 0;
    for (let j = 1; j < scores.length; j++) if (scores[j] > scores[best]) best = j;
    return [best];
  }
  const order = Array.from(scores.keys());
  return order.sort((a, b) => scores[b] - scores[a]).slice(0, count);
}

/**
 * Box–Muller on 16 uniforms in place: [0, 8) become the radii, [8, 16) the angles, as in `normal_fill_16_AVX2` of
 * PyTorch, with log, sin and cos of Cephes' single-precision library as its avx_mathfun.h has them. Every line is one
 * float32 instruction of that code. Products that its compiler fused with a sum stay unrounded here, in a double,
 * where they are exact; the others are rounded by `fround`.
 */
function normals16(data: Float32Array, start: number, mean: number, std: number): void {
  const twoPi = fround(2 * Math.PI);
  const fourOverPi = fround(1.27323954473516);
  for (let i = start; i < start + 8; i++) {
    const radius = fround(Math.sqrt(fround(-2 * logUnit(16777216 - data[i] * 16777216))));

    // The angle in [0, 2π) less an even multiple j of π/4, in three steps (Cody–Waite), lies in [−π/4, π/4].
    let x = fround(twoPi * data[i + 8]);
    const j = (Math.trunc(fround(x * fourOverPi)) + 1) & ~1;
    x = fround(x - j * 0.78515625);
    x = fround(x - j * fround(2.4187564849853516e-4));
    x = fround(x - j * fround(3.774894977445941e-8));
    const z = fround(x * x);
    let cosine = fround(z * fround(2.443315711809948e-5) + fround(-1.388731625493765e-3));
    cosine = fround(cosine * z + fround(4.166664568298827e-2));
    cosine = fround(cosine * z);
    cosine = fround(cosine * z - z * 0.5);
    cosine = fround(cosine + 1);
    let sine = fround(z * fround(-1.9515295891e-4) + fround(8.3321608736e-3));
    sine = fround(sine * z + fround(-1.6666654611e-1));
    sine = fround(sine * z);
    sine = fround(sine * x + x);
    if ((j & 2) !== 0) {
      const swapped = sine;
      sine = cosine;
      cosine = swapped;
    }
    if ((j & 4) !== 0) sine = -sine;
    if (((j + 2) & 4) !== 0) cosine = -cosine;

    data[i] = fround(radius * cosine) * std + mean;
    data[i + 8] = fround(radius * sine) * std + mean;
  }
}

/** log(k·2⁻²⁴) for an integer k of [1, 2²⁴]: Cephes' logf on the significand in [√½, √2). */
function logUnit(k: number): number {
  const top = 31 - Math.clz32(k);
  let x = k / (2 << top);
  let e = top - 23;
  if (x < fround(Math.SQRT1_2)) {
    e -= 1;
    x = fround(fround(x - 1) + x);
  } else {
    x = fround(x - 1);
  }
  const z = fround(x * x);
  let y = fround(x * fround(7.0376836292e-2) + fround(-1.151461031e-1));
  y = fround(y * x + fround(1.167699874e-1));
  y = fround(y * x + fround(-1.2420140846e-1));
  y = fround(y * x + fround(1.4249322787e-1));
  y = fround(y * x + fround(-1.6668057665e-1));
  y = fround(y * x + fround(2.0000714765e-1));
  y = fround(y * x + fround(-2.4999993993e-1));
  y = fround(y * x + fround(3.3333331174e-1));
  y = fround(y * x);
  y = fround(y * z + fround(e * fround(-2.1219444e-4)));
  y = fround(y - z * 0.5);
  return fround(fround(x + y) + e * 0.693359375);
}
