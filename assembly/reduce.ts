/**
 * Reductions. TypeScript brings every reduction to contiguous x [outer, r, inner] → out [outer, inner].
 *
 * inner = 1 is the row case (r neighbours are folded), anything else the column case (rows of `inner` neighbours are
 * folded into each other in strips of 4 columns, the last of 1 to 3; sums take 16 at a time, a whole cache line).
 * Each kernel is one template with a marker class for the operation: asc compiles one function for each marker, and
 * the comparisons of `idof` fold away.
 *
 * r = 0 gives the identity (sum 0, prod 1): TypeScript throws where PyTorch does. Sums follow accumulate.ts. Extrema are in
 * extrema.ts; variance, norms and logsumexp in statistics.ts.
 */
import { Prod, ProdInt, SumInt, fold, high, loadLanes, narrow, storeLanes } from "./accumulate";
import { Id, sums } from "./sums";

// ---- Sums -----------------------------------------------------------------------------------------------------------

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

/** int32: Σ over r, wrapping. */
export function sum_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<SumInt>(out, x, outer, r, inner);
}

// ---- Products -------------------------------------------------------------------------------------------------------

/** Π over r, in float32 as PyTorch. */
export function prod(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<Prod>(out, x, outer, r, inner);
}

/** int32: Π over r, wrapping. */
export function prod_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<ProdInt>(out, x, outer, r, inner);
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
