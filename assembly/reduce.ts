/**
 * Reductions. TypeScript brings every reduction to contiguous x [outer, r, inner] → out [outer, inner].
 *
 * inner = 1 is the row case (r neighbours are folded), anything else the column case (rows of `inner` neighbours are
 * folded into each other in strips of 4 columns, the last of 1 to 3; sums take 16 at a time, a whole cache line).
 * Each kernel is one template with a marker class for the operation: asc compiles one function for each marker, and
 * the comparisons of `idof` fold away.
 *
 * r = 0 gives the identity (sum 0, prod 1, amax -Inf): TypeScript throws where PyTorch does. Sums follow accumulate.ts.
 */
import {
  Max,
  MaxInt,
  Min,
  MinInt,
  Prod,
  ProdInt,
  SUM_STEPS,
  SumInt,
  combine,
  expNonPositive,
  expSumRun,
  foldRow,
  foldStrip,
  high,
  hsumF64,
  identity,
  laneMask,
  loadLanes,
  loadPart,
  maxRun,
  narrow,
  storeLanes,
  widenAdd,
} from "./accumulate";
import { log1p, pow } from "./math";
import { loadTail } from "./simd";

// ---- Sums: sum, mean and the norms that are sums -------------------------------------------------------------------

class Id {}
class Abs {}
class Square {}

/** What is summed. Every map takes 0 to 0, so zero lanes of a tail add nothing. */
// @ts-ignore: decorator
@inline
function map<M>(v: v128): v128 {
  if (idof<M>() == idof<Abs>()) return f32x4.abs(v);
  if (idof<M>() == idof<Square>()) return f32x4.mul(v, v);
  return v;
}

/** Sum of n neighbours. */
function sumRow<M>(x: usize, n: i32): f64 {
  let total = f64x2.splat(0);
  while (n >= 16) {
    let steps = min(n >> 4, SUM_STEPS);
    n -= steps << 4;
    let a = f32x4.splat(0);
    let b = f32x4.splat(0);
    let c = f32x4.splat(0);
    let d = f32x4.splat(0);
    do {
      a = f32x4.add(a, map<M>(v128.load(x)));
      b = f32x4.add(b, map<M>(v128.load(x, 16)));
      c = f32x4.add(c, map<M>(v128.load(x, 32)));
      d = f32x4.add(d, map<M>(v128.load(x, 48)));
      x += 64;
    } while (--steps > 0);
    total = widenAdd(total, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
  if (n > 0) {
    let a = f32x4.splat(0);
    for (; n >= 4; n -= 4, x += 16) a = f32x4.add(a, map<M>(v128.load(x)));
    if (n > 0) a = f32x4.add(a, map<M>(loadTail(x, n)));
    total = widenAdd(total, a);
  }
  return hsumF64(total);
}

/** (s0, s1) / divisor, after the root for the 2-norm, which so cannot overflow, as four floats. */
// @ts-ignore: decorator
@inline
function finish<M>(s0: v128, s1: v128, divisor: v128): v128 {
  if (idof<M>() == idof<Square>()) return narrow(f64x2.sqrt(s0), f64x2.sqrt(s1));
  if (idof<M>() == idof<Id>()) return narrow(f64x2.div(s0, divisor), f64x2.div(s1, divisor));
  return narrow(s0, s1);
}

/** Columns of one [r, inner] matrix. */
function sumColumns<M>(out: usize, x: usize, r: i32, inner: i32, divisor: f64): void {
  const stride = <usize>inner << 2;
  const by = f64x2.splat(divisor);
  let j = inner;
  for (; j >= 16; j -= 16, x += 64, out += 64) {
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    let s4 = f64x2.splat(0);
    let s5 = f64x2.splat(0);
    let s6 = f64x2.splat(0);
    let s7 = f64x2.splat(0);
    let p = x;
    for (let left = r; left > 0; ) {
      let steps = min(left, 2 * SUM_STEPS);
      left -= steps;
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      do {
        a = f32x4.add(a, map<M>(v128.load(p)));
        b = f32x4.add(b, map<M>(v128.load(p, 16)));
        c = f32x4.add(c, map<M>(v128.load(p, 32)));
        d = f32x4.add(d, map<M>(v128.load(p, 48)));
        p += stride;
      } while (--steps > 0);
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(a)));
      s2 = f64x2.add(s2, f64x2.promote_low_f32x4(b));
      s3 = f64x2.add(s3, f64x2.promote_low_f32x4(high(b)));
      s4 = f64x2.add(s4, f64x2.promote_low_f32x4(c));
      s5 = f64x2.add(s5, f64x2.promote_low_f32x4(high(c)));
      s6 = f64x2.add(s6, f64x2.promote_low_f32x4(d));
      s7 = f64x2.add(s7, f64x2.promote_low_f32x4(high(d)));
    }
    v128.store(out, finish<M>(s0, s1, by));
    v128.store(out, finish<M>(s2, s3, by), 16);
    v128.store(out, finish<M>(s4, s5, by), 32);
    v128.store(out, finish<M>(s6, s7, by), 48);
  }
  for (; j > 0; j -= 4, x += 16, out += 16) {
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let p = x;
    for (let left = r; left > 0; ) {
      let steps = min(left, 4 * SUM_STEPS);
      left -= steps;
      // Four rows at a time: a few columns must not wait for one chain of additions.
      let a = f32x4.splat(0);
      let b = f32x4.splat(0);
      let c = f32x4.splat(0);
      let d = f32x4.splat(0);
      for (; steps >= 4; steps -= 4) {
        a = f32x4.add(a, map<M>(loadLanes(p, j)));
        b = f32x4.add(b, map<M>(loadLanes(p + stride, j)));
        p += stride << 1;
        c = f32x4.add(c, map<M>(loadLanes(p, j)));
        d = f32x4.add(d, map<M>(loadLanes(p + stride, j)));
        p += stride << 1;
      }
      for (; steps > 0; steps--, p += stride) a = f32x4.add(a, map<M>(loadLanes(p, j)));
      a = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
      s0 = f64x2.add(s0, f64x2.promote_low_f32x4(a));
      s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(a)));
    }
    storeLanes(out, finish<M>(s0, s1, by), j);
  }
}

function sums<M>(out: usize, x: usize, outer: i32, r: i32, inner: i32, divisor: f64): void {
  const xStep = (<usize>r * <usize>inner) << 2;
  const outStep = <usize>inner << 2;
  for (; outer > 0; outer--, x += xStep, out += outStep) {
    if (inner != 1) {
      sumColumns<M>(out, x, r, inner, divisor);
      continue;
    }
    const s = sumRow<M>(x, r);
    if (idof<M>() == idof<Square>()) store<f32>(out, <f32>sqrt(s));
    else if (idof<M>() == idof<Id>()) store<f32>(out, <f32>(s / divisor));
    else store<f32>(out, <f32>s);
  }
}

/** out [outer, inner] = Σ over r of x [outer, r, inner]. */
export function sum(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  sums<Id>(out, x, outer, r, inner, 1);
}

/** out = Σ x / divisor, rounded once: divisor = r for the mean, Σ of the weights for a weighted mean. */
export function mean(out: usize, x: usize, outer: i32, r: i32, inner: i32, divisor: f64): void {
  sums<Id>(out, x, outer, r, inner, divisor);
}

/** Backward of sum (scale 1) and mean (scale 1/r): dx [outer, r, inner] = dout [outer, inner] · scale for every r. */
export function sum_broadcast(dx: usize, dout: usize, outer: i32, r: i32, inner: i32, scale: f32): void {
  const s = f32x4.splat(scale);
  for (; outer > 0; outer--, dout += <usize>inner << 2) {
    if (inner == 1) {
      const v = f32x4.splat(load<f32>(dout) * scale);
      let n = r;
      for (; n >= 4; n -= 4, dx += 16) v128.store(dx, v);
      for (; n > 0; n--, dx += 4) v128.store32_lane(dx, v, 0);
      continue;
    }
    for (let i = 0; i < r; i++) {
      let n = inner;
      let p = dout;
      for (; n >= 4; n -= 4, dx += 16, p += 16) v128.store(dx, f32x4.mul(v128.load(p), s));
      for (; n > 0; n--, dx += 4, p += 4) store<f32>(dx, load<f32>(p) * scale);
    }
  }
}

// ---- Folds of 4-byte elements: products, extrema, integer sums ------------------------------------------------------

function fold<Op>(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
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

/** Π over r, in float32 as PyTorch. */
export function prod(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<Prod>(out, x, outer, r, inner);
}

/** max over r; a NaN anywhere gives NaN. */
export function amax(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<Max>(out, x, outer, r, inner);
}

/** min over r; a NaN anywhere gives NaN. */
export function amin(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<Min>(out, x, outer, r, inner);
}

/** int32: Σ over r, wrapping. */
export function sum_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<SumInt>(out, x, outer, r, inner);
}

/** int32: Π over r, wrapping. */
export function prod_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<ProdInt>(out, x, outer, r, inner);
}

/** int32: max over r. */
export function amax_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<MaxInt>(out, x, outer, r, inner);
}

/** int32: min over r. */
export function amin_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<MinInt>(out, x, outer, r, inner);
}

/**
 * Backward of amax and amin: the gradient goes in equal parts to all elements that equal the extremum,
 * dx = dout / (how many equal out) there, 0 elsewhere. Where out is NaN nothing equals it, and dx is NaN (0/0), as in PyTorch.
 */
export function amax_backward(dx: usize, dout: usize, x: usize, out: usize, outer: i32, r: i32, inner: i32): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(r - 1) * step;
  for (; outer > 0; outer--, x += back, dx += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const count = row ? (r + 3) >> 2 : r;
      const m = row ? v128.load32_splat(out) : loadLanes(out, lanes);
      let ties = i32x4.splat(0);
      for (let i = 0, p = x; i < count; i++, p += step) {
        const width = i < full ? 4 : w;
        ties = i32x4.sub(ties, v128.and(f32x4.eq(loadLanes(p, width), m), laneMask(width)));
      }
      if (row) {
        ties = i32x4.add(ties, v128.shuffle<i32>(ties, ties, 2, 3, 0, 1));
        ties = i32x4.add(ties, v128.shuffle<i32>(ties, ties, 1, 0, 3, 2));
      }
      const among = f32x4.convert_i32x4_s(ties);
      const share = f32x4.div(row ? v128.load32_splat(dout) : loadLanes(dout, lanes), among);
      const none = f32x4.div(f32x4.splat(0), among);
      for (let i = 0, at: usize = 0; i < count; i++, at += step) {
        const width = i < full ? 4 : w;
        storeLanes(dx + at, v128.bitselect(share, none, f32x4.eq(loadLanes(x + at, width), m)), width);
      }
      const run = <usize>(row ? r : lanes) << 2;
      x += run;
      dx += run;
      out += <usize>lanes << 2;
      dout += <usize>lanes << 2;
    }
  }
}

/**
 * Backward of prod: dx_i = dout · Π_{k≠i} x_k, as (product before i) · (product after i), so that zeros need no case of
 * their own and nothing is divided. dx must not overlap x.
 */
export function prod_backward(dx: usize, dout: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const stride = <usize>inner << 2;
  const step = <usize>(r - 1) * stride;
  for (; outer > 0; outer--, x += step, dx += step) {
    for (let j = inner; j > 0; j -= 4) {
      const w = min(j, 4);
      let before = f32x4.splat(1);
      let p = x;
      let q = dx;
      for (let i = r; i > 0; i--, p += stride, q += stride) {
        storeLanes(q, before, w);
        before = f32x4.mul(before, loadLanes(p, w));
      }
      let after = loadLanes(dout, w);
      for (let i = r; i > 0; i--) {
        p -= stride;
        q -= stride;
        storeLanes(q, f32x4.mul(loadLanes(q, w), after), w);
        after = f32x4.mul(after, loadLanes(p, w));
      }
      x += <usize>w << 2;
      dx += <usize>w << 2;
      dout += <usize>w << 2;
    }
  }
}

// ---- Extrema with their index ---------------------------------------------------------------------------------------

/** Lanes where v replaces the extremum m so far: strictly better, so that the first of equals stays; the first NaN wins. */
// @ts-ignore: decorator
@inline
function beats<Op>(v: v128, m: v128): v128 {
  if (idof<Op>() == idof<MaxInt>()) return i32x4.gt_s(v, m);
  if (idof<Op>() == idof<MinInt>()) return i32x4.lt_s(v, m);
  const worse = idof<Op>() == idof<Max>() ? f32x4.le(v, m) : f32x4.ge(v, m);
  return v128.andnot(f32x4.eq(m, m), worse);
}

// @ts-ignore: decorator
@inline
function matches<Op>(v: v128, m: v128): v128 {
  if (idof<Op>() == idof<MaxInt>() || idof<Op>() == idof<MinInt>()) return i32x4.eq(v, m);
  // A NaN in the row makes m NaN, which equals nothing: its index is the first NaN's.
  return v128.or(f32x4.eq(v, m), f32x4.ne(v, v));
}

/** Row: the extremum first, then where it first stands; the second pass stops there. */
function withIndexRow<Op>(values: usize, indices: usize, x: usize, n: i32): void {
  const m = foldRow<Op>(x, n);
  if (values) v128.store32_lane(values, m, 0);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) {
    const found = i32x4.bitmask(matches<Op>(v128.load(x), m));
    if (found) {
      store<i32>(indices, i + ctz(found));
      return;
    }
  }
  if (i < n) i += ctz(i32x4.bitmask(matches<Op>(loadTail(x, n - i), m)));
  store<i32>(indices, i);
}

function withIndexColumns<Op>(values: usize, indices: usize, x: usize, r: i32, inner: i32): void {
  const stride = <usize>inner << 2;
  for (let j = inner; j > 0; j -= 4, x += 16, indices += 16) {
    let m = loadLanes(x, j);
    let at = i32x4.splat(0);
    let p = x;
    for (let i = 1; i < r; i++) {
      p += stride;
      const v = loadLanes(p, j);
      const take = beats<Op>(v, m);
      m = v128.bitselect(v, m, take);
      at = v128.bitselect(i32x4.splat(i), at, take);
    }
    storeLanes(indices, at, j);
    if (values) {
      storeLanes(values, m, j);
      values += 16;
    }
  }
}

function withIndex<Op>(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  if (r == 0) return;
  const xStep = (<usize>r * <usize>inner) << 2;
  const outStep = <usize>inner << 2;
  for (; outer > 0; outer--, x += xStep, indices += outStep) {
    if (inner == 1) withIndexRow<Op>(values, indices, x, r);
    else withIndexColumns<Op>(values, indices, x, r, inner);
    if (values) values += outStep;
  }
}

/**
 * values [outer, inner] = max over r, indices (int32) = where it first stands; NaN wins, the first of them.
 * values = 0 asks for the indices only (argmax). r ≥ 1.
 */
export function max_with_index(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<Max>(values, indices, x, outer, r, inner);
}

/** As max_with_index, for the minimum. */
export function min_with_index(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<Min>(values, indices, x, outer, r, inner);
}

/** As max_with_index, of int32. */
export function max_with_index_i32(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<MaxInt>(values, indices, x, outer, r, inner);
}

/** As max_with_index, for the minimum of int32. */
export function min_with_index_i32(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<MinInt>(values, indices, x, outer, r, inner);
}

/** Backward of max(dim) and min(dim): all of dout goes to the index. dx [outer, r, inner], dout and indices [outer, inner]. */
export function scatter_index_backward(dx: usize, dout: usize, indices: usize, outer: i32, r: i32, inner: i32): void {
  const step = (<usize>r * <usize>inner) << 2;
  memory.fill(dx, 0, <usize>outer * step);
  for (; outer > 0; outer--, dx += step) {
    for (let j = 0; j < inner; j++, dout += 4, indices += 4) {
      store<f32>(dx + ((<usize>load<i32>(indices) * <usize>inner + <usize>j) << 2), load<f32>(dout));
    }
  }
}

// ---- Bytes: any, all and counts of bool and uint8 -------------------------------------------------------------------

class Any {}
class All {}

/** Bytes that decide: nonzero for any, zero for all. */
// @ts-ignore: decorator
@inline
function decisive<Op>(v: v128): v128 {
  return idof<Op>() == idof<Any>() ? v : i8x16.eq(v, i8x16.splat(0));
}

// @ts-ignore: decorator
@inline
function decisiveByte<Op>(v: u32): u32 {
  return idof<Op>() == idof<Any>() ? v : u32(v == 0);
}

function logical<Op>(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const undecided = idof<Op>() == idof<Any>() ? 0 : 1;
  const step = <usize>r * <usize>inner;
  for (; outer > 0; outer--, x += step) {
    if (inner == 1) {
      let p = x;
      const end = x + step;
      while (p + 16 <= end && !v128.any_true(decisive<Op>(v128.load(p)))) p += 16;
      while (p < end && !decisiveByte<Op>(load<u8>(p))) p++;
      store<u8>(out++, p < end ? 1 - undecided : undecided);
      continue;
    }
    let j = 0;
    for (; j + 16 <= inner; j += 16, out += 16) {
      let a = i8x16.splat(0);
      for (let i = r, p = x + <usize>j; i > 0; i--, p += <usize>inner) a = v128.or(a, decisive<Op>(v128.load(p)));
      a = idof<Op>() == idof<Any>() ? i8x16.ne(a, i8x16.splat(0)) : i8x16.eq(a, i8x16.splat(0));
      v128.store(out, v128.and(a, i8x16.splat(1)));
    }
    for (; j < inner; j++) {
      let a: u32 = 0;
      for (let i = r, p = x + <usize>j; i > 0; i--, p += <usize>inner) a |= decisiveByte<Op>(load<u8>(p));
      store<u8>(out++, a ? 1 - undecided : undecided);
    }
  }
}

/** bool or uint8 → bool: is one of the r nonzero? r = 0 gives 0. */
export function any(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  logical<Any>(out, x, outer, r, inner);
}

/** bool or uint8 → bool: are all r nonzero? r = 0 gives 1. */
export function all(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  logical<All>(out, x, outer, r, inner);
}

/** bool or uint8 → int32: Σ over r. */
export function sum_u8(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const step = <usize>r * <usize>inner;
  for (; outer > 0; outer--, x += step) {
    if (inner == 1) {
      let a = i32x4.splat(0);
      let p = x;
      const end = x + step;
      for (; p + 16 <= end; p += 16) {
        a = i32x4.add(a, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(v128.load(p))));
      }
      let s = i32x4.extract_lane(a, 0) + i32x4.extract_lane(a, 1) + i32x4.extract_lane(a, 2) + i32x4.extract_lane(a, 3);
      for (; p < end; p++) s += load<u8>(p);
      store<i32>(out, s);
      out += 4;
      continue;
    }
    let j = 0;
    for (; j + 4 <= inner; j += 4, out += 16) {
      let a = i32x4.splat(0);
      for (let i = r, p = x + <usize>j; i > 0; i--, p += <usize>inner) {
        a = i32x4.add(a, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p))));
      }
      v128.store(out, a);
    }
    for (; j < inner; j++, out += 4) {
      let s = 0;
      for (let i = r, p = x + <usize>j; i > 0; i--, p += <usize>inner) s += load<u8>(p);
      store<i32>(out, s);
    }
  }
}

// ---- Variance -------------------------------------------------------------------------------------------------------

/**
 * out = Σ (x − mean)² / max(0, r − correction) over r; out and mean [outer, inner], mean = 0 leaves the mean out.
 * correction 1 is PyTorch's default (unbiased). Two passes in float64 throughout, so that a mean of any size costs no
 * accuracy. r ≤ correction gives NaN or Inf, as PyTorch.
 */
export function variance(out: usize, mean: usize, x: usize, outer: i32, r: i32, inner: i32, correction: f64): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(r - 1) * step;
  const divisor = f64x2.splat(max(0, <f64>r - correction));
  const count = f64x2.splat(<f64>r);
  for (; outer > 0; outer--, x += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const part = row ? i32(w > 0) : r - full;
      let m0 = f64x2.splat(0);
      let m1 = m0;
      let p = x;
      for (let i = full; i > 0; i--, p += step) {
        const v = v128.load(p);
        m0 = f64x2.add(m0, f64x2.promote_low_f32x4(v));
        m1 = f64x2.add(m1, f64x2.promote_low_f32x4(high(v)));
      }
      for (let i = part; i > 0; i--, p += step) {
        const v = loadPart(p, w);
        m0 = f64x2.add(m0, f64x2.promote_low_f32x4(v));
        m1 = f64x2.add(m1, f64x2.promote_low_f32x4(high(v)));
      }
      if (row) {
        m0 = f64x2.splat(hsumF64(f64x2.add(m0, m1)));
        m1 = m0;
      }
      m0 = f64x2.div(m0, count);
      m1 = f64x2.div(m1, count);
      let s0 = f64x2.splat(0);
      let s1 = s0;
      p = x;
      for (let i = full; i > 0; i--, p += step) {
        const v = v128.load(p);
        const d0 = f64x2.sub(f64x2.promote_low_f32x4(v), m0);
        const d1 = f64x2.sub(f64x2.promote_low_f32x4(high(v)), m1);
        s0 = f64x2.add(s0, f64x2.mul(d0, d0));
        s1 = f64x2.add(s1, f64x2.mul(d1, d1));
      }
      // The mask's lanes are doubled for the two halves of v.
      const mask = laneMask(w);
      const low = v128.shuffle<i32>(mask, mask, 0, 0, 1, 1);
      const up = v128.shuffle<i32>(mask, mask, 2, 2, 3, 3);
      for (let i = part; i > 0; i--, p += step) {
        const v = loadPart(p, w);
        const d0 = v128.and(f64x2.sub(f64x2.promote_low_f32x4(v), m0), low);
        const d1 = v128.and(f64x2.sub(f64x2.promote_low_f32x4(high(v)), m1), up);
        s0 = f64x2.add(s0, f64x2.mul(d0, d0));
        s1 = f64x2.add(s1, f64x2.mul(d1, d1));
      }
      if (row) {
        s0 = f64x2.splat(hsumF64(f64x2.add(s0, s1)));
        s1 = s0;
      }
      storeLanes(out, narrow(f64x2.div(s0, divisor), f64x2.div(s1, divisor)), lanes);
      out += <usize>lanes << 2;
      if (mean) {
        storeLanes(mean, narrow(m0, m1), lanes);
        mean += <usize>lanes << 2;
      }
      x += <usize>(row ? r : lanes) << 2;
    }
  }
}

/** dx = dout · 2/(r − correction) · (x − mean), with mean [outer, inner] from the forward pass. */
export function variance_backward(
  dx: usize,
  dout: usize,
  x: usize,
  mean: usize,
  outer: i32,
  r: i32,
  inner: i32,
  correction: f64,
): void {
  const scale = <f32>(2 / (<f64>r - correction));
  const row = inner == 1;
  for (; outer > 0; outer--) {
    for (let i = row ? 1 : r; i > 0; i--) {
      // One run of neighbours: the whole row with one mean, or one row of `inner` with a mean each.
      let n = row ? r : inner;
      let g = dout;
      let m = mean;
      for (; n > 0; n -= 4, x += 16, dx += 16) {
        const gain = f32x4.mul(f32x4.splat(scale), row ? v128.load32_splat(g) : loadLanes(g, n));
        const d = f32x4.sub(loadLanes(x, n), row ? v128.load32_splat(m) : loadLanes(m, n));
        storeLanes(dx, f32x4.mul(gain, d), n);
        g += 16 * usize(!row);
        m += 16 * usize(!row);
      }
      x += <usize>(n << 2);
      dx += <usize>(n << 2);
    }
    dout += <usize>inner << 2;
    mean += <usize>inner << 2;
  }
}

// ---- Norms ----------------------------------------------------------------------------------------------------------

function pow1(x: f32, p: f32): f32 {
  return f32x4.extract_lane(pow(f32x4.splat(x), f32x4.splat(p)), 0);
}

/**
 * out = (Σ |x|ᵖ)^(1/p) over r; p = ∞ max |x|, −∞ min |x|, 0 the number of nonzeros. Only 1 and 2 are vectorised.
 */
export function norm_p(out: usize, x: usize, outer: i32, r: i32, inner: i32, p: f64): void {
  if (p == 2) return sums<Square>(out, x, outer, r, inner, 1);
  if (p == 1) return sums<Abs>(out, x, outer, r, inner, 1);
  const stride = <usize>inner << 2;
  const step = <usize>(r - 1) * stride;
  for (; outer > 0; outer--, x += step) {
    for (let j = inner; j > 0; j--, x += 4, out += 4) {
      let s: f64 = p == -Infinity ? Infinity : 0;
      for (let i = r, q = x; i > 0; i--, q += stride) {
        const a = <f64>abs(load<f32>(q));
        if (p == 0) s += f64(a != 0);
        else if (p == Infinity) s = max(s, a);
        else if (p == -Infinity) s = min(s, a);
        else s += <f64>pow1(<f32>a, <f32>p);
      }
      store<f32>(out, <f32>(p == 0 || abs(p) == Infinity ? s : pow1(<f32>s, <f32>(1 / p))));
    }
  }
}

/**
 * dx = dout · sign(x) · (|x| / out)^(p−1), 0 where x is 0 (p < 2) or out is 0; p = ±∞ shares among ties as amax_backward.
 * x [outer, r, inner]; dout, out [outer, inner].
 */
export function norm_p_backward(
  dx: usize,
  dout: usize,
  x: usize,
  out: usize,
  outer: i32,
  r: i32,
  inner: i32,
  p: f64,
): void {
  const stride = <usize>inner << 2;
  const step = <usize>(r - 1) * stride;
  const extreme = abs(p) == Infinity;
  for (; outer > 0; outer--, x += step, dx += step) {
    for (let j = inner; j > 0; j--, x += 4, dx += 4, dout += 4, out += 4) {
      const norm = load<f32>(out);
      const g = load<f32>(dout);
      let ties: f32 = 0;
      if (extreme) {
        for (let i = r, q = x; i > 0; i--, q += stride) {
          const a = abs(load<f32>(q));
          if (a == norm || (a != a && norm != norm)) ties++;
        }
      }
      for (let i = r, q = x, d = dx; i > 0; i--, q += stride, d += stride) {
        const v = load<f32>(q);
        const a = abs(v);
        let slope: f32;
        if (p == 2) slope = norm == 0 ? 0 : v / norm;
        else if (p == 1) slope = v == 0 ? 0 : copysign<f32>(1, v);
        else if (p == 0) slope = 0;
        else if (extreme) slope = a == norm || (a != a && norm != norm) ? (v == 0 ? 0 : copysign<f32>(1, v)) / ties : 0;
        else slope = a == 0 || norm == 0 ? 0 : copysign<f32>(pow1(a / norm, <f32>(p - 1)), v);
        store<f32>(d, g * slope);
      }
    }
  }
}

// ---- logsumexp ------------------------------------------------------------------------------------------------------

/**
 * out = m + log Σ e^(x − m), m the maximum; m alone where it is infinite, as in PyTorch.
 */
export function logsumexp(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(r - 1) * step;
  for (; outer > 0; outer--, x += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const part = row ? i32(w > 0) : r - full;
      const m = maxRun<Max>(x, full, part, step, w, row);
      const l = log1p(expSumRun(0, x, full, part, step, w, row, m));
      // x − m is NaN there, but the answer is m itself.
      const infinite = f32x4.eq(f32x4.abs(m), f32x4.splat(Infinity));
      storeLanes(out, f32x4.add(m, v128.andnot(l, infinite)), lanes);
      out += <usize>lanes << 2;
      x += <usize>(row ? r : lanes) << 2;
    }
  }
}

/** dx = dout · e^(x − out), with dout and out [outer, inner]. */
export function logsumexp_backward(
  dx: usize,
  dout: usize,
  x: usize,
  out: usize,
  outer: i32,
  r: i32,
  inner: i32,
): void {
  const row = inner == 1;
  for (; outer > 0; outer--, dout += <usize>inner << 2, out += <usize>inner << 2) {
    for (let i = row ? 1 : r; i > 0; i--) {
      let n = row ? r : inner;
      for (let at: usize = 0; n > 0; n -= 4, at += 16, x += 16, dx += 16) {
        const g = row ? v128.load32_splat(dout) : loadLanes(dout + at, n);
        const m = row ? v128.load32_splat(out) : loadLanes(out + at, n);
        storeLanes(dx, f32x4.mul(g, expNonPositive(f32x4.sub(loadLanes(x, n), m))), n);
      }
      x += <usize>(n << 2);
      dx += <usize>(n << 2);
    }
  }
}

// ---- Cumulative sums ------------------------------------------------------------------------------------------------

/**
 * out_i = x_0 + … + x_i along r, accumulated in float64 as PyTorch's. reverse != 0 sums from the other end,
 * which is the backward. In place works.
 */
export function cumsum(out: usize, x: usize, outer: i32, r: i32, inner: i32, reverse: i32): void {
  let stride = <usize>inner << 2;
  const step = (<usize>r * <usize>inner) << 2;
  const first = reverse ? <usize>(r - 1) * stride : 0;
  if (reverse) stride = 0 - stride;
  for (; outer > 0; outer--, x += step, out += step) {
    let j = 0;
    for (; j + 4 <= inner; j += 4) {
      let a = f64x2.splat(0);
      let b = a;
      let at = first + (<usize>j << 2);
      for (let i = r; i > 0; i--, at += stride) {
        const v = v128.load(x + at);
        a = f64x2.add(a, f64x2.promote_low_f32x4(v));
        b = f64x2.add(b, f64x2.promote_low_f32x4(high(v)));
        v128.store(out + at, narrow(a, b));
      }
    }
    for (; j < inner; j++) {
      let s: f64 = 0;
      let at = first + (<usize>j << 2);
      for (let i = r; i > 0; i--, at += stride) {
        s += <f64>load<f32>(x + at);
        store<f32>(out + at, <f32>s);
      }
    }
  }
}

/** int32: out_i = x_0 + … + x_i along r, wrapping. In place works. */
export function cumsum_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const stride = <usize>inner << 2;
  const step = (<usize>r * <usize>inner) << 2;
  for (; outer > 0; outer--, x += step, out += step) {
    for (let j: usize = 0; j < stride; j += 4) {
      let s = 0;
      let at = j;
      for (let i = r; i > 0; i--, at += stride) {
        s += load<i32>(x + at);
        store<i32>(out + at, s);
      }
    }
  }
}
