/**
 * Sums of float32 down rows and columns, which the reductions and the norms share; not exported to JavaScript. Shapes are
 * as in reduce.ts, the order of the additions follows accumulate.ts.
 */
import { SUM_STEPS, high, hsumF64, loadLanes, narrow, storeLanes, widenAdd } from "./accumulate";
import { loadTail } from "./simd";

export class Id {}
export class Abs {}
export class Square {}

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

export function sums<M>(out: usize, x: usize, outer: i32, r: i32, inner: i32, divisor: f64): void {
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
