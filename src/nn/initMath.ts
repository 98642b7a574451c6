/** The mathematics of init.ts: the normal distribution and its inverse, and orthonormal vectors. */

/** Of erf(−x) = −erf(x), in double precision: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms are all positive. */
function erf(x: number): number {
  const x2 = x * x;
  if (x2 > 36) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) {
    term *= (2 * x2) / n;
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x2) * sum;
}

/** The probability that a standard normal number is at most x. */
export const normalCdf = (x: number): number => (1 + erf(x / Math.SQRT2)) / 2;

const f = Math.fround;
/** Coefficients of PyTorch's calc_erfinv, in float32. */
const A = [0.886226899, -1.645349621, 0.914624893, -0.140543331].map(f);
const B = [-2.118377725, 1.442710462, -0.329097515, 0.012229801].map(f);
const C = [-1.970840454, -1.624906493, 3.429567803, 1.641345311].map(f);
const D = [3.5438892, 1.6370678].map(f);
/** 2/√π as PyTorch rounds it. */
const SLOPE = f(2 / f(Math.sqrt(Math.PI)));

/**
 * The number whose error function is y, in float32 with the roundings of PyTorch's: a rational approximation, then two
 * steps of Newton's method. A product and the sum that takes it in are rounded once, as its compiler fused them.
 */
export function erfinv(y: number): number {
  const absolute = Math.abs(y);
  if (!(absolute < 1)) return absolute === 1 ? y * Number.POSITIVE_INFINITY : Number.NaN;
  let x: number;
  if (absolute <= 0.7) {
    const z = f(y * y);
    const numerator = f(f(f(A[3] * z + A[2]) * z + A[1]) * z + A[0]);
    const denominator = f(f(f(f(B[3] * z + B[2]) * z + B[1]) * z + B[0]) * z + 1);
    x = f(f(y * numerator) / denominator);
  } else {
    const z = f(Math.sqrt(-f(Math.log(f(f(1 - absolute) / 2)))));
    const numerator = f(f(f(C[3] * z + C[2]) * z + C[1]) * z + C[0]);
    const denominator = f(f(D[1] * z + D[0]) * z + 1);
    x = f((Math.sign(y) * Math.abs(numerator)) / denominator);
  }
  for (let step = 0; step < 2; step++) {
    x = f(x - f(f(f(erf(x)) - y) / f(SLOPE * f(Math.exp(-f(x * x))))));
  }
  return x;
}

/**
 * Replaces `count` vectors of `length` ≥ count numbers, one after the other, by the orthonormal ones that span the same
 * spaces, as Gram and Schmidt's method gives them (each at an acute angle to the one it replaces), but by Householder's
 * reflections, which keep them orthogonal however close the given ones are.
 */
export function orthonormalize(vectors: Float64Array, count: number, length: number): void {
  // LAPACK's geqrf: reflection j maps vector j to `diagonal[j]` at position j, and is I − factors[j]·v·vᵀ, where v has 1 at
  // position j and is kept behind it.
  const factors = new Float64Array(count);
  const diagonal = new Float64Array(count);
  for (let j = 0; j < count; j++) {
    const column = vectors.subarray(j * length, (j + 1) * length);
    let squares = 0;
    for (let i = j; i < length; i++) squares += column[i] * column[i];
    if (squares === 0) continue;
    const head = column[j];
    const norm = head > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    factors[j] = (norm - head) / norm;
    diagonal[j] = norm;
    for (let i = j + 1; i < length; i++) column[i] /= head - norm;
    for (let other = j + 1; other < count; other++) reflect(vectors, length, j, other, factors[j]);
  }
  // The product of the reflections, from the last to the first, applied to the unit vectors (orgqr).
  for (let j = count - 1; j >= 0; j--) {
    for (let other = j + 1; other < count; other++) reflect(vectors, length, j, other, factors[j]);
    const column = vectors.subarray(j * length, (j + 1) * length);
    column.fill(0, 0, j);
    column[j] = 1 - factors[j];
    for (let i = j + 1; i < length; i++) column[i] *= -factors[j];
  }
  // Signs such that the diagonal of R would be positive: then the matrix is distributed uniformly (Mezzadri 2007).
  for (let j = 0; j < count; j++) {
    const sign = Math.sign(diagonal[j]);
    for (let i = j * length; i < (j + 1) * length; i++) vectors[i] *= sign;
  }
}

/** Applies reflection j to another vector. */
function reflect(vectors: Float64Array, length: number, j: number, other: number, factor: number): void {
  const v = vectors.subarray(j * length, (j + 1) * length);
  const x = vectors.subarray(other * length, (other + 1) * length);
  // Four sums, as each addition has to wait for the one before it.
  let [a, b, c, d] = [x[j], 0, 0, 0];
  let i = j + 1;
  for (; i + 3 < length; i += 4) {
    a += v[i] * x[i];
    b += v[i + 1] * x[i + 1];
    c += v[i + 2] * x[i + 2];
    d += v[i + 3] * x[i + 3];
  }
  for (; i < length; i++) a += v[i] * x[i];
  const product = factor * (a + b + (c + d));
  x[j] -= product;
  for (i = j + 1; i < length; i++) x[i] -= product * v[i];
}
