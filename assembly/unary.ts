/**
 * Functions of one float32 tensor and their backwards.
 *
 * n contiguous elements, (n) → (n); `out` may be an input. Backward kernels write dx = dout·∂op/∂x; `saved` is the op's
 * output where the derivative follows from it, else its input: each says which. Tails (n % 4) run through the vector
 * code on zero-padded lanes (layout.ts, `map`). NaN and ±Inf come out as in PyTorch.
 */
import {
  c,
  Div,
  map,
  mapBool,
  mapCompact,
  mapHeavy,
  mapHeavyWide,
  mapWide,
  Mul,
  Opaque,
  zip,
  zipCompact,
  zipWide,
} from "./layout";
import * as math from "./math";

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

@unmanaged class Scale { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, p); } }
/** alpha·x, n elements. */
export function scale(out: usize, x: usize, alpha: f32, n: i32): void {
  mapWide<Scale>(out, x, n, c(alpha));
}
