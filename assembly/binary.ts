/**
 * Arithmetic and comparisons of two float32 tensors, with broadcasting, and the sums in place that the tape and the
 * optimizers live on. NaN and ±Inf come out as in PyTorch. Where layout is no argument, n contiguous elements.
 *
 * (out, a, b, layout): operand 0 of the layout table (layout.ts) is a, operand 1 is b, and `out` is written contiguously.
 * `out` may be an operand that has no stride 0. Tails (n % 4) run through the vector code on zero-padded lanes.
 */
import {
  broadcast,
  broadcastScalar,
  c,
  compare,
  Div,
  innerStride,
  map,
  mapCompact,
  Mul,
  next,
  run,
  runLength,
  runOffset,
  zip,
  zipWide,
} from "./layout";
import * as math from "./math";
import { fill_f32 } from "./memory";
import { madd } from "./simd";
import { reciprocal, square } from "./unary";

@unmanaged class Add { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.add(x, y); } }
/** a + b. */
export function add(out: usize, a: usize, b: usize, layout: usize): void {
  broadcast<Add>(out, a, b, layout);
}
@unmanaged class Sub { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.sub(x, y); } }
/** a − b. */
export function sub(out: usize, a: usize, b: usize, layout: usize): void {
  broadcast<Sub>(out, a, b, layout);
}
/** a·b. */
export function mul(out: usize, a: usize, b: usize, layout: usize): void {
  broadcast<Mul>(out, a, b, layout);
}
/** a / b. */
export function div(out: usize, a: usize, b: usize, layout: usize): void {
  broadcast<Div>(out, a, b, layout);
}

@unmanaged class Maximum { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.max(x, y); } }
/** The larger; NaN if either is. */
export function maximum(out: usize, a: usize, b: usize, layout: usize): void {
  broadcast<Maximum>(out, a, b, layout);
}
@unmanaged class Minimum { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.min(x, y); } }
/** The smaller; NaN if either is. */
export function minimum(out: usize, a: usize, b: usize, layout: usize): void {
  broadcast<Minimum>(out, a, b, layout);
}

@unmanaged class Clamp {
  // In this order both let NaN in x through, and hi wins over lo.
  @inline f(x: v128, lo: v128, hi: v128): v128 { return f32x4.pmin(f32x4.pmax(x, lo), hi); }
}
/**
 * min(max(x, lo), hi), n elements; −Inf and Inf for an absent bound. NaN in x, lo or hi gives NaN; lo > hi gives hi.
 */
export function clamp(out: usize, x: usize, lo: f32, hi: f32, n: i32): void {
  if (lo != lo || hi != hi) fill_f32(out, NaN, n);
  else map<Clamp>(out, x, n, c(lo), c(hi));
}
@unmanaged class ClampBackward {
  @inline f(d: v128, x: v128, lo: v128, hi: v128): v128 {
    return v128.and(d, v128.and(f32x4.ge(x, lo), f32x4.le(x, hi)));
  }
}
/** dout where lo ≤ x ≤ hi, else 0 (also where x is NaN), from the input. */
export function clamp_backward(dx: usize, dout: usize, x: usize, lo: f32, hi: f32, n: i32): void {
  zip<ClampBackward>(dx, dout, x, n, c(lo), c(hi));
}

/** C's fmod. Below 2^28 the quotient is exact enough in float64 and the remainder exact. */
function fmod(a: f32, b: f32): f32 {
  const quotient = Math.trunc(<f64>a / <f64>b);
  // A zero quotient also covers b = ±Inf.
  if (quotient == 0) return a;
  if (Math.abs(quotient) < 268435456.0) return copysign<f32>(<f32>(<f64>a - quotient * <f64>b), a);
  return a % b;
}
@unmanaged class Remainder {
  @inline f(a: f32, b: f32): f32 {
    const r = fmod(a, b);
    return r != 0 && r < 0 != b < 0 ? r + b : r;
  }
}
/** a modulo b with the sign of b, as in Python; a multiple keeps the sign of a on its 0, as in PyTorch. */
export function remainder(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastScalar<Remainder, f32>(out, a, b, layout);
}

@unmanaged class Pow { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return math.pow(x, y); } }
@unmanaged class Cube {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(f32x4.mul(x, x), x); }
}
@unmanaged class ReciprocalSquare {
  @inline f(x: v128, p: v128, q: v128): v128 {
    const y = f32x4.div(c(1), x);
    return f32x4.mul(y, y);
  }
}
/** √x with pow's special cases: pow(−0, ½) is +0 and pow(−Inf, ½) is +Inf. */
@unmanaged class Root {
  @inline f(x: v128, p: v128, q: v128): v128 {
    return f32x4.sqrt(v128.bitselect(f32x4.abs(x), f32x4.add(x, c(0)), f32x4.eq(x, c(-Infinity))));
  }
}
/** Exponents with a short cut of at most 1.5 ulp. False: there is none. */
function powShort(out: usize, x: usize, n: i32, exponent: f32): bool {
  if (exponent == 2) square(out, x, n);
  else if (exponent == 3) mapCompact<Cube>(out, x, n);
  else if (exponent == 0.5) mapCompact<Root>(out, x, n);
  else if (exponent == -1) reciprocal(out, x, n);
  else if (exponent == -2) mapCompact<ReciprocalSquare>(out, x, n);
  else return false;
  return true;
}
/** a^b with the special cases of C's pow. A single exponent of 2, 3, ½, −1 or −2 takes a short cut. */
export function pow(out: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepA = innerStride(layout, 0);
  const stepB = innerStride(layout, 1);
  do {
    const x = a + (runOffset(layout, 0) << 2);
    const y = b + (runOffset(layout, 1) << 2);
    if (stepB != 0 || stepA == 0 || !powShort(out, x, n, load<f32>(y))) run<Pow>(out, x, y, n, stepA, stepB);
    out += <usize>n << 2;
  } while (next(layout));
}

@unmanaged class Eq { @inline f(x: v128, y: v128): v128 { return f32x4.eq(x, y); } }
/** bool a = b. */
export function eq(out: usize, a: usize, b: usize, layout: usize): void {
  compare<Eq>(out, a, b, layout, 0, 1);
}
@unmanaged class Ne { @inline f(x: v128, y: v128): v128 { return f32x4.ne(x, y); } }
/** bool a ≠ b. */
export function ne(out: usize, a: usize, b: usize, layout: usize): void {
  compare<Ne>(out, a, b, layout, 0, 1);
}
@unmanaged class Lt { @inline f(x: v128, y: v128): v128 { return f32x4.lt(x, y); } }
function less(out: usize, a: usize, b: usize, layout: usize, slotA: i32, slotB: i32): void {
  compare<Lt>(out, a, b, layout, slotA, slotB);
}
@unmanaged class Le { @inline f(x: v128, y: v128): v128 { return f32x4.le(x, y); } }
function lessOrEqual(out: usize, a: usize, b: usize, layout: usize, slotA: i32, slotB: i32): void {
  compare<Le>(out, a, b, layout, slotA, slotB);
}
/** bool a < b. */
export function lt(out: usize, a: usize, b: usize, layout: usize): void {
  less(out, a, b, layout, 0, 1);
}
/** bool a ≤ b. */
export function le(out: usize, a: usize, b: usize, layout: usize): void {
  lessOrEqual(out, a, b, layout, 0, 1);
}
/** bool a > b. */
export function gt(out: usize, a: usize, b: usize, layout: usize): void {
  less(out, b, a, layout, 1, 0);
}
/** bool a ≥ b. */
export function ge(out: usize, a: usize, b: usize, layout: usize): void {
  lessOrEqual(out, b, a, layout, 1, 0);
}

// ------------------------------------------------------------------------------------------------- sums in place
//
// What the tape and the optimizers live on.

@unmanaged class Axpy { @inline f(y: v128, x: v128, p: v128, q: v128): v128 { return madd(x, p, y); } }
/** y += alpha·x, n elements. */
export function axpy(y: usize, x: usize, alpha: f32, n: i32): void {
  zipWide<Axpy>(y, y, x, n, c(alpha));
}
/** y += x, n elements. */
export function accumulate(y: usize, x: usize, n: i32): void {
  zipWide<Add>(y, y, x, n);
}
