/**
 * What reductions, softmax and losses share; not exported to JavaScript.
 *
 * Accuracy: sums run in float32 lanes for at most SUM_STEPS additions and are then widened into float64, so the
 * error of a sum does not grow with its length. Block borders depend on the shape alone, so results do not depend
 * on who computes them.
 */
import { loadTail, madd, storeTail } from "./simd";

/** Additions in one float32 lane before it is widened: long enough to hide the cost of widening, short enough for 1e-7. */
// @ts-ignore: decorator
@inline
export const SUM_STEPS: i32 = 16;

/** acc (f64x2) + the four f32 lanes of v, pairwise. */
// @ts-ignore: decorator
@inline
export function widenAdd(acc: v128, v: v128): v128 {
  return f64x2.add(acc, f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(high(v))));
}

/** Lanes 2 and 3 moved to 0 and 1. */
// @ts-ignore: decorator
@inline
export function high(v: v128): v128 {
  return v128.shuffle<i32>(v, v, 2, 3, 2, 3);
}

/** Two f64x2 rounded to one f32x4. */
// @ts-ignore: decorator
@inline
export function narrow(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline
export function hsumF64(v: v128): f64 {
  return f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1);
}

/** The first n (0 to 4) lanes set. */
// @ts-ignore: decorator
@inline
export function laneMask(n: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(n));
}

/**
 * loadTail and storeTail out of line: what is rare should cost a call, not its size in every kernel. asc lets Binaryen
 * inline whatever is this small unless it calls, so each has a call it never makes (w is 1 to 3).
 */
export function loadPart(p: usize, w: i32): v128 {
  return w > 3 ? loadPart(p, 3) : loadTail(p, w);
}

export function storePart(p: usize, v: v128, w: i32): void {
  if (w > 3) storePart(p, v, 3);
  else storeTail(p, v, w);
}

/** Load 4 lanes, or the w (1 to 3) that are left. */
// @ts-ignore: decorator
@inline
export function loadLanes(p: usize, w: i32): v128 {
  return w >= 4 ? v128.load(p) : loadPart(p, w);
}

/** Store 4 lanes, or the w (1 to 3) that are left. */
// @ts-ignore: decorator
@inline
export function storeLanes(p: usize, v: v128, w: i32): void {
  if (w >= 4) v128.store(p, v);
  else storePart(p, v, w);
}

// ---- Folds of 4-byte elements ---------------------------------------------------------------------------------------
//
// A marker class names the operation: asc compiles one function for each marker, and comparisons of idof fold away.

export class Prod {}
export class Max {}
export class Min {}
export class Largest {}
export class SumInt {}
export class ProdInt {}
export class MaxInt {}
export class MinInt {}

// @ts-ignore: decorator
@inline
export function identity<Op>(): v128 {
  if (idof<Op>() == idof<Prod>()) return f32x4.splat(1);
  if (idof<Op>() == idof<Max>() || idof<Op>() == idof<Largest>()) return f32x4.splat(-Infinity);
  if (idof<Op>() == idof<Min>()) return f32x4.splat(Infinity);
  if (idof<Op>() == idof<ProdInt>()) return i32x4.splat(1);
  if (idof<Op>() == idof<MaxInt>()) return i32x4.splat(i32.MIN_VALUE);
  if (idof<Op>() == idof<MinInt>()) return i32x4.splat(i32.MAX_VALUE);
  return i32x4.splat(0);
}

/** f32x4.max and min propagate NaN, as PyTorch's do; Largest passes over it, in one instruction instead of eight. */
// @ts-ignore: decorator
@inline
export function combine<Op>(a: v128, v: v128): v128 {
  if (idof<Op>() == idof<Prod>()) return f32x4.mul(a, v);
  if (idof<Op>() == idof<Max>()) return f32x4.max(a, v);
  if (idof<Op>() == idof<Min>()) return f32x4.min(a, v);
  if (idof<Op>() == idof<Largest>()) return f32x4.pmax(a, v);
  if (idof<Op>() == idof<ProdInt>()) return i32x4.mul(a, v);
  if (idof<Op>() == idof<MaxInt>()) return i32x4.max_s(a, v);
  if (idof<Op>() == idof<MinInt>()) return i32x4.min_s(a, v);
  return i32x4.add(a, v);
}

/** n neighbours folded into every lane of the result. */
export function foldRow<Op>(x: usize, n: i32): v128 {
  let a = identity<Op>();
  if (n >= 32) {
    let b = a;
    let c = a;
    let d = a;
    for (; n >= 16; n -= 16, x += 64) {
      a = combine<Op>(a, v128.load(x));
      b = combine<Op>(b, v128.load(x, 16));
      c = combine<Op>(c, v128.load(x, 32));
      d = combine<Op>(d, v128.load(x, 48));
    }
    a = combine<Op>(combine<Op>(a, b), combine<Op>(c, d));
  }
  for (; n >= 4; n -= 4, x += 16) a = combine<Op>(a, v128.load(x));
  for (; n > 0; n--, x += 4) a = combine<Op>(a, v128.load32_lane(x, identity<Op>(), 0));
  a = combine<Op>(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  return combine<Op>(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2));
}

/** The fold of the w ≥ 1 (at most 4 count) columns at x; rows are `stride` bytes apart. */
export function foldStrip<Op>(x: usize, r: i32, stride: usize, w: i32): v128 {
  let a = identity<Op>();
  let b = a;
  for (; r >= 2; r -= 2) {
    a = combine<Op>(a, loadLanes(x, w));
    b = combine<Op>(b, loadLanes(x + stride, w));
    x += stride << 1;
  }
  if (r > 0) a = combine<Op>(a, loadLanes(x, w));
  return combine<Op>(a, b);
}

/** out [outer, inner] = the fold over r of x [outer, r, inner]. */
export function fold<Op>(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const xStep = (<usize>r * <usize>inner) << 2;
  const outStep = <usize>inner << 2;
  for (; outer > 0; outer--, x += xStep, out += outStep) {
    if (inner == 1) {
      v128.store32_lane(out, foldRow<Op>(x, r), 0);
      continue;
    }
    for (let j = 0; j < inner; j += 4) {
      const at = <usize>j << 2;
      storeLanes(out + at, foldStrip<Op>(x + at, r, outStep, inner - j), inner - j);
    }
  }
}

/**
 * e^x for x ≤ 0 (NaN propagates), what softmax needs: a relative error below 2e-7, and 0 instead of subnormals. Two
 * thirds of the instructions of math.ts's exp, and so few constants that they stay in registers. XNNPACK's rr2-p5:
 * n = round(x / ln 2) by adding a magic number whose low bits then hold n + 127, r = x − n·ln 2 in two parts,
 * e^x = 2ⁿ·(1 + r·P(r)).
 */
// @ts-ignore: decorator
@inline
export function expNonPositive(x: v128, zero: i32 = 0): v128 {
  const shifted = madd(x, constant(1.44269504, zero), constant(12583039, zero));
  const scale = i32x4.shl(shifted, 23);
  const n = f32x4.sub(shifted, constant(12583039, zero));
  const r = madd(n, constant(-1.42860677e-6, zero), madd(n, constant(-0.693145752, zero), x));
  let p = madd(r, constant(0.00828929059, zero), constant(0.0418978221, zero));
  p = madd(p, r, constant(0.166676521, zero));
  p = madd(p, r, constant(0.499991506, zero));
  p = madd(p, r, constant(0.999999702, zero));
  return v128.andnot(madd(f32x4.mul(r, scale), p, scale), f32x4.lt(x, constant(-87.3365402, zero)));
}

/** A splat out of an opaque zero, which engines share between the vectors of a step; see `c` in math.ts. */
// @ts-ignore: decorator
@inline
function constant(value: f32, zero: i32): v128 {
  return i32x4.splat(reinterpret<i32>(value) ^ zero);
}

// ---- Runs: what softmax and the losses walk along -------------------------------------------------------------------
//
// A run is either one row (its neighbours four at a time; results are summed across the lanes) or a strip of up to four
// columns of an [r, inner] matrix (one vector a row; each lane has a result of its own). Both are `full` whole vectors
// and then `part` vectors of only w lanes, `step` bytes apart, so that one function serves both.

/**
 * max along a run, in every lane that counts. Op is Max, or Largest where a NaN shows in what follows anyway.
 */
export function maxRun<Op>(x: usize, full: i32, part: i32, step: usize, w: i32, row: bool): v128 {
  if (row) return foldRow<Op>(x, (full << 2) + (part > 0 ? w : 0));
  return part > 0 ? foldStrip<Op>(x, part, step, w) : foldStrip<Op>(x, full, step, 4);
}

/**
 * Σ e^(x − m) along a run, less 1: the maximum alone gives 1, and what exceeds it keeps its digits, so that
 * log1p of it is accurate for confident predictions too. e != 0 stores the exponentials there.
 */
export function expSumRun(e: usize, x: usize, full: i32, part: i32, step: usize, w: i32, row: bool, m: v128): v128 {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  if (full >= 4) {
    // Four vectors a step share the constants, and their sum is widened once. One way out, at the end: math.ts, layout.ts.
    const zero = full >> 31;
    do {
      const a = expNonPositive(f32x4.sub(v128.load(x), m), zero);
      const b = expNonPositive(f32x4.sub(v128.load(x + step), m), zero);
      x += step << 1;
      const c = expNonPositive(f32x4.sub(v128.load(x), m), zero);
      const d = expNonPositive(f32x4.sub(v128.load(x + step), m), zero);
      x += step << 1;
      if (e) {
        v128.store(e, a);
        v128.store(e + step, b);
        e += step << 1;
        v128.store(e, c);
        v128.store(e + step, d);
        e += step << 1;
      }
      const v = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(v)));
      full -= 4;
    } while (full >= 4);
  }
  for (; full > 0; full--, x += step) {
    const v = expNonPositive(f32x4.sub(v128.load(x), m));
    if (e) {
      v128.store(e, v);
      e += step;
    }
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(v)));
  }
  for (; part > 0; part--, x += step) {
    const v = v128.and(expNonPositive(f32x4.sub(loadPart(x, w), m)), laneMask(w));
    if (e) {
      storePart(e, v, w);
      e += step;
    }
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(v)));
  }
  if (row) {
    s0 = f64x2.splat(hsumF64(f64x2.add(s0, s1)));
    s1 = s0;
  }
  const one = f64x2.splat(1);
  return narrow(f64x2.sub(s0, one), f64x2.sub(s1, one));
}
