/**
 * Elementwise ops on float32: unary ops and their backwards, binary ops and comparisons with broadcasting, and the
 * small fused updates the tape and the optimizers live on.
 *
 * Shapes: unary and fused kernels see n contiguous elements, (n) → (n); `out` may be an input. Binary kernels take a
 * layout table (layout.ts) and write a contiguous `out`. Backward kernels write dx = dout·∂op/∂x; `saved` is the op's
 * output where the derivative follows from it, else its input: each says which. Tails (n % 4) run through the vector
 * code on zero-padded lanes (layout.ts, `map`). NaN and ±Inf come out as in PyTorch.
 */
import {
  broadcast,
  broadcastScalar,
  compare,
  innerStride,
  loadBytes,
  loadLast,
  map,
  mapBool,
  mapCompact,
  mapHeavy,
  mapHeavyWide,
  mapWide,
  next,
  Opaque,
  run,
  runLength,
  runOffset,
  storeLast,
  zip,
  zipCompact,
  zipWide,
} from "./layout";
import * as math from "./math";
import { fill_f32 } from "./memory";
import { madd } from "./simd";

// @ts-ignore: decorator
@inline
function c(value: f32): v128 {
  return f32x4.splat(value);
}

// ----------------------------------------------------------------------------------------------------------- unary

@unmanaged class Neg { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.neg(x); } }
/** −x. */
export function neg(out: usize, x: usize, n: i32): void {
  mapWide<Neg>(out, x, n);
}

@unmanaged class Sign {
  @inline f(x: v128, p: v128, q: v128): v128 {
    return f32x4.sub(v128.and(f32x4.gt(x, c(0)), c(1)), v128.and(f32x4.lt(x, c(0)), c(1)));
  }
}
/** −1, 0 or 1; 0 for NaN and ±0, as PyTorch has it. Its gradient is 0. */
export function sign(out: usize, x: usize, n: i32): void {
  mapCompact<Sign>(out, x, n);
}

@unmanaged class Abs { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.abs(x); } }
/** |x|. */
export function abs(out: usize, x: usize, n: i32): void {
  mapWide<Abs>(out, x, n);
}
@unmanaged class AbsBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    return f32x4.mul(d, changetype<Sign>(0).f(x, p, q));
  }
}
/** dout·sign(x), from the input: 0 at 0. */
export function abs_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<AbsBackward>(dx, dout, x, n);
}

@unmanaged class Exp extends Opaque { @inline f(x: v128, p: v128, q: v128): v128 { return math.exp(x, this.zero); } }
/** e^x. */
export function exp(out: usize, x: usize, n: i32): void {
  mapHeavyWide<Exp>(out, x, n);
}
@unmanaged class Mul { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.mul(x, y); } }
/** dout·out, from the output. */
export function exp_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zipWide<Mul>(dx, dout, out, n);
}

@unmanaged class Expm1 { @inline f(x: v128, p: v128, q: v128): v128 { return math.expm1(x); } }
/** e^x − 1. */
export function expm1(out: usize, x: usize, n: i32): void {
  mapCompact<Expm1>(out, x, n);
}
@unmanaged class Expm1Backward {
  @inline f(d: v128, y: v128, p: v128, q: v128): v128 { return f32x4.mul(d, f32x4.add(y, c(1))); }
}
/** dout·(out + 1), from the output. */
export function expm1_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zipCompact<Expm1Backward>(dx, dout, out, n);
}

@unmanaged class Log extends Opaque { @inline f(x: v128, p: v128, q: v128): v128 { return math.log(x, this.zero); } }
/** ln x. */
export function log(out: usize, x: usize, n: i32): void {
  mapHeavy<Log>(out, x, n);
}
@unmanaged class Div { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.div(x, y); } }
/** dout / x, from the input. */
export function log_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zip<Div>(dx, dout, x, n);
}

@unmanaged class Log1p { @inline f(x: v128, p: v128, q: v128): v128 { return math.log1p(x); } }
/** ln(1 + x). */
export function log1p(out: usize, x: usize, n: i32): void {
  mapCompact<Log1p>(out, x, n);
}
@unmanaged class Log1pBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return f32x4.div(d, f32x4.add(x, c(1))); }
}
/** dout / (x + 1), from the input. */
export function log1p_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<Log1pBackward>(dx, dout, x, n);
}

@unmanaged class DivScaled {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return f32x4.div(d, f32x4.mul(x, p)); }
}
@unmanaged class Log2 { @inline f(x: v128, p: v128, q: v128): v128 { return math.log2(x); } }
/** log2 x. */
export function log2(out: usize, x: usize, n: i32): void {
  mapCompact<Log2>(out, x, n);
}
/** dout / (x·ln 2), from the input. */
export function log2_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<DivScaled>(dx, dout, x, n, c(0.6931471805599453));
}

@unmanaged class Log10 { @inline f(x: v128, p: v128, q: v128): v128 { return math.log10(x); } }
/** log10 x. */
export function log10(out: usize, x: usize, n: i32): void {
  mapCompact<Log10>(out, x, n);
}
/** dout / (x·ln 10), from the input. */
export function log10_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<DivScaled>(dx, dout, x, n, c(2.302585092994046));
}

@unmanaged class Sqrt { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.sqrt(x); } }
/** √x. */
export function sqrt(out: usize, x: usize, n: i32): void {
  map<Sqrt>(out, x, n);
}
/** dout / (2·out), from the output. */
export function sqrt_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zipCompact<DivScaled>(dx, dout, out, n, c(2));
}

@unmanaged class Rsqrt {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.div(c(1), f32x4.sqrt(x)); }
}
/** 1 / √x. */
export function rsqrt(out: usize, x: usize, n: i32): void {
  mapCompact<Rsqrt>(out, x, n);
}
@unmanaged class RsqrtBackward {
  @inline f(d: v128, y: v128, p: v128, q: v128): v128 {
    return f32x4.mul(f32x4.mul(d, c(-0.5)), f32x4.mul(f32x4.mul(y, y), y));
  }
}
/** −½·dout·out³, from the output. */
export function rsqrt_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zipCompact<RsqrtBackward>(dx, dout, out, n);
}

@unmanaged class Square { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, x); } }
/** x². */
export function square(out: usize, x: usize, n: i32): void {
  mapWide<Square>(out, x, n);
}
@unmanaged class SquareBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return f32x4.mul(d, f32x4.add(x, x)); }
}
/** dout·2x, from the input. */
export function square_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zip<SquareBackward>(dx, dout, x, n);
}

@unmanaged class Reciprocal { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.div(c(1), x); } }
/** 1 / x. */
export function reciprocal(out: usize, x: usize, n: i32): void {
  mapCompact<Reciprocal>(out, x, n);
}
@unmanaged class ReciprocalBackward {
  @inline f(d: v128, y: v128, p: v128, q: v128): v128 { return f32x4.mul(f32x4.neg(d), f32x4.mul(y, y)); }
}
/** −dout·out², from the output. */
export function reciprocal_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zipCompact<ReciprocalBackward>(dx, dout, out, n);
}

@unmanaged class Sin { @inline f(x: v128, p: v128, q: v128): v128 { return math.sin(x); } }
/** sin x. */
export function sin(out: usize, x: usize, n: i32): void {
  mapCompact<Sin>(out, x, n);
}
@unmanaged class Cos { @inline f(x: v128, p: v128, q: v128): v128 { return math.cos(x); } }
/** cos x. */
export function cos(out: usize, x: usize, n: i32): void {
  mapCompact<Cos>(out, x, n);
}
@unmanaged class SinBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return f32x4.mul(d, math.cos(x)); }
}
/** dout·cos x, from the input. */
export function sin_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<SinBackward>(dx, dout, x, n);
}
@unmanaged class CosBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return f32x4.neg(f32x4.mul(d, math.sin(x))); }
}
/** −dout·sin x, from the input. */
export function cos_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<CosBackward>(dx, dout, x, n);
}

@unmanaged class Tanh extends Opaque { @inline f(x: v128, p: v128, q: v128): v128 { return math.tanh(x, this.zero); } }
/** tanh x. */
export function tanh(out: usize, x: usize, n: i32): void {
  mapHeavyWide<Tanh>(out, x, n);
}
@unmanaged class TanhBackward {
  @inline f(d: v128, y: v128, p: v128, q: v128): v128 { return f32x4.mul(d, f32x4.sub(c(1), f32x4.mul(y, y))); }
}
/** dout·(1 − out²), from the output. */
export function tanh_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zip<TanhBackward>(dx, dout, out, n);
}

@unmanaged class Sigmoid extends Opaque {
  @inline f(x: v128, p: v128, q: v128): v128 { return math.sigmoid(x, this.zero); }
}
/** 1 / (1 + e^−x). */
export function sigmoid(out: usize, x: usize, n: i32): void {
  mapHeavyWide<Sigmoid>(out, x, n);
}
@unmanaged class SigmoidBackward {
  @inline f(d: v128, y: v128, p: v128, q: v128): v128 { return f32x4.mul(f32x4.mul(d, f32x4.sub(c(1), y)), y); }
}
/** dout·out·(1 − out), from the output. */
export function sigmoid_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zip<SigmoidBackward>(dx, dout, out, n);
}

@unmanaged class Erf { @inline f(x: v128, p: v128, q: v128): v128 { return math.erf(x); } }
/** erf x = 2/√π·∫₀ˣ e^(−t²) dt. */
export function erf(out: usize, x: usize, n: i32): void {
  mapCompact<Erf>(out, x, n);
}
@unmanaged class ErfBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    return f32x4.mul(d, f32x4.mul(c(1.1283791670955126), math.exp(f32x4.neg(f32x4.mul(x, x)))));
  }
}
/** dout·2/√π·e^(−x²), from the input. */
export function erf_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<ErfBackward>(dx, dout, x, n);
}

@unmanaged class Floor { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.floor(x); } }
/** The largest whole number ≤ x. Its gradient is 0, as those of ceil and round. */
export function floor(out: usize, x: usize, n: i32): void {
  map<Floor>(out, x, n);
}
@unmanaged class Ceil { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.ceil(x); } }
/** The smallest whole number ≥ x. */
export function ceil(out: usize, x: usize, n: i32): void {
  mapCompact<Ceil>(out, x, n);
}
@unmanaged class Round { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.nearest(x); } }
/** The nearest whole number, halves to even. */
export function round(out: usize, x: usize, n: i32): void {
  mapCompact<Round>(out, x, n);
}

@unmanaged class IsNan { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.ne(x, x); } }
/** bool out: x is NaN. */
export function isnan(out: usize, x: usize, n: i32): void {
  mapBool<IsNan>(out, x, n);
}
@unmanaged class IsInf {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.eq(f32x4.abs(x), c(Infinity)); }
}
/** bool out: x is ±Inf. */
export function isinf(out: usize, x: usize, n: i32): void {
  mapBool<IsInf>(out, x, n);
}
@unmanaged class IsFinite {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.lt(f32x4.abs(x), c(Infinity)); }
}
/** bool out: x is neither NaN nor ±Inf. */
export function isfinite(out: usize, x: usize, n: i32): void {
  mapBool<IsFinite>(out, x, n);
}

// ---------------------------------------------------------------------------------------------- binary, broadcasting
//
// (out, a, b, layout): operand 0 is a, operand 1 is b. `out` may be an operand that has no stride 0.

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

// --------------------------------------------------------------------------------------------------- fused updates

@unmanaged class Axpy { @inline f(y: v128, x: v128, p: v128, q: v128): v128 { return madd(x, p, y); } }
/** y += alpha·x, n elements. */
export function axpy(y: usize, x: usize, alpha: f32, n: i32): void {
  zipWide<Axpy>(y, y, x, n, c(alpha));
}
/** y += x, n elements. */
export function accumulate(y: usize, x: usize, n: i32): void {
  zipWide<Add>(y, y, x, n);
}
@unmanaged class Scale { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, p); } }
/** alpha·x, n elements. */
export function scale(out: usize, x: usize, alpha: f32, n: i32): void {
  mapWide<Scale>(out, x, n, c(alpha));
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

/**
 * a where the bool cond is not 0, else b, over a layout table: operands cond, a, b; a, b and out of 4-byte elements.
 */
export function where_4(out: usize, cond: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepC = innerStride(layout, 0);
  const stepA = innerStride(layout, 1);
  const stepB = innerStride(layout, 2);
  do {
    let w = cond + runOffset(layout, 0);
    let x = a + (runOffset(layout, 1) << 2);
    let y = b + (runOffset(layout, 2) << 2);
    let vc = i32x4.splat(load<u8>(w));
    let va = v128.load32_splat(x);
    let vb = v128.load32_splat(y);
    for (let left = n; left > 0; left -= 4) {
      if (stepC) vc = loadBytes(w, left);
      if (stepA) va = left >= 4 ? v128.load(x) : loadLast(x, left);
      if (stepB) vb = left >= 4 ? v128.load(y) : loadLast(y, left);
      const z = v128.bitselect(vb, va, i32x4.eq(vc, i32x4.splat(0)));
      if (left < 4) {
        storeLast(out, z, left);
        out += <usize>left << 2;
        break;
      }
      v128.store(out, z);
      w += 4;
      x += 16;
      y += 16;
      out += 16;
    }
  } while (next(layout));
}

/** where_4 for a, b and out of 1-byte elements. One at a time: choosing between bools is rare. */
export function where_1(out: usize, cond: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepC = innerStride(layout, 0);
  const stepA = innerStride(layout, 1);
  const stepB = innerStride(layout, 2);
  do {
    let w = cond + runOffset(layout, 0);
    let x = a + runOffset(layout, 1);
    let y = b + runOffset(layout, 2);
    const end = out + n;
    while (out < end) {
      store<u8>(out, load<u8>(w) ? load<u8>(x) : load<u8>(y));
      w += stepC;
      x += stepA;
      y += stepB;
      out += 1;
    }
  } while (next(layout));
}
