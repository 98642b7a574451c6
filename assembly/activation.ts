/**
 * Activations on float32, (n) → (n), and their backwards dx = dout·f′. `out` may be x, and dx may be dout or the saved
 * tensor. relu's backward wants the output, all others the input. Tails (n % 4) run through the vector code on
 * zero-padded lanes (layout.ts). Values at kinks, NaN and ±Inf are PyTorch's (those of its vectorised kernels, where
 * its scalar remainder loops differ).
 */
import { c, map, mapCompact, mapHeavy, mapWide, Opaque, zip, zipCompact, zipHeavy, zipWide } from "./layout";
import * as math from "./math";
import { madd } from "./simd";

/** Lanes of `a` where the mask is all ones, of `b` where it is all zeros. */
// @ts-ignore: decorator
@inline
function select(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

@unmanaged class Relu {
  // pmax(x, 0) is x < 0 ? 0 : x: one instruction, NaN and −0 pass.
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.pmax(x, p); }
}
/** max(x, 0). */
export function relu(out: usize, x: usize, n: i32): void {
  mapWide<Relu>(out, x, n);
}
@unmanaged class ReluBackward {
  @inline f(d: v128, y: v128, p: v128, q: v128): v128 { return v128.andnot(d, f32x4.le(y, p)); }
}
/** 0 where out ≤ 0, else dout (also where out is NaN), from the output. */
export function relu_backward(dx: usize, dout: usize, out: usize, n: i32): void {
  zipWide<ReluBackward>(dx, dout, out, n);
}

@unmanaged class LeakyRelu {
  @inline f(x: v128, p: v128, q: v128): v128 { return select(f32x4.gt(x, c(0)), x, f32x4.mul(x, p)); }
}
/** x where x > 0, else slope·x. */
export function leaky_relu(out: usize, x: usize, slope: f32, n: i32): void {
  map<LeakyRelu>(out, x, n, c(slope));
}
@unmanaged class LeakyReluBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return select(f32x4.gt(x, c(0)), d, f32x4.mul(d, p)); }
}
/** dout where x > 0, else slope·dout, from the input. */
export function leaky_relu_backward(dx: usize, dout: usize, x: usize, slope: f32, n: i32): void {
  zip<LeakyReluBackward>(dx, dout, x, n, c(slope));
}

@unmanaged class Elu {
  @inline f(x: v128, p: v128, q: v128): v128 { return select(f32x4.gt(x, c(0)), x, f32x4.mul(math.expm1(x), p)); }
}
/** x where x > 0, else alpha·(e^x − 1). */
export function elu(out: usize, x: usize, alpha: f32, n: i32): void {
  mapCompact<Elu>(out, x, n, c(alpha));
}
@unmanaged class EluBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    return f32x4.mul(d, select(f32x4.gt(x, c(0)), c(1), f32x4.mul(math.exp(x), p)));
  }
}
/** dout where x > 0, else dout·alpha·e^x (alpha at 0), from the input. */
export function elu_backward(dx: usize, dout: usize, x: usize, alpha: f32, n: i32): void {
  zipCompact<EluBackward>(dx, dout, x, n, c(alpha));
}

/** Φ(x) = (1 + erf(x/√2)) / 2. */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128, zero: i32): v128 {
  return madd(math.erf(f32x4.mul(x, c(0.7071067811865476)), zero), c(0.5), c(0.5));
}
@unmanaged class Gelu extends Opaque {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, normalCdf(x, this.zero)); }
}
/** x·Φ(x), Φ the distribution function of the normal distribution. */
export function gelu(out: usize, x: usize, n: i32): void {
  mapHeavy<Gelu>(out, x, n);
}
@unmanaged class GeluBackward extends Opaque {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const density = f32x4.mul(math.exp(f32x4.mul(f32x4.mul(x, x), c(-0.5)), this.zero), c(0.3989422804014327));
    return f32x4.mul(d, madd(x, density, normalCdf(x, this.zero)));
  }
}
/** dout·(Φ(x) + x·φ(x)), φ(x) = e^(−x²/2)/√(2π), from the input. */
export function gelu_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipHeavy<GeluBackward>(dx, dout, x, n);
}

/**
 * (1 + tanh u) / 2 with u = √(2/π)·(x + 0.044715·x³), as σ(2u): that keeps the digits which 1 + tanh u loses where x is
 * negative, and is no slower.
 */
// @ts-ignore: decorator
@inline
function tanhCdf(x: v128, zero: i32): v128 {
  const cubic = madd(f32x4.mul(f32x4.mul(x, x), c(0.044715)), x, x);
  return math.sigmoid(f32x4.mul(cubic, c(1.5957691216057308)), zero);
}
@unmanaged class GeluTanh extends Opaque {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, tanhCdf(x, this.zero)); }
}
/** ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export function gelu_tanh(out: usize, x: usize, n: i32): void {
  mapHeavy<GeluTanh>(out, x, n);
}
@unmanaged class GeluTanhBackward extends Opaque {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const s = tanhCdf(x, this.zero);
    const slope = madd(f32x4.mul(x, x), c(0.21406444881780074), c(1.5957691216057308));
    return f32x4.mul(d, madd(f32x4.mul(f32x4.mul(x, s), f32x4.sub(c(1), s)), slope, s));
  }
}
/** dout·(s + x·s·(1 − s)·2√(2/π)·(1 + 3·0.044715·x²)), s = σ(2u) as above, from the input. */
export function gelu_tanh_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipHeavy<GeluTanhBackward>(dx, dout, x, n);
}

@unmanaged class Silu extends Opaque {
  @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, math.sigmoid(x, this.zero)); }
}
/** x·σ(x). */
export function silu(out: usize, x: usize, n: i32): void {
  mapHeavy<Silu>(out, x, n);
}
@unmanaged class SiluBackward extends Opaque {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const s = math.sigmoid(x, this.zero);
    return f32x4.mul(f32x4.mul(d, s), madd(x, f32x4.sub(c(1), s), c(1)));
  }
}
/** dout·σ(x)·(1 + x·(1 − σ(x))), from the input. */
export function silu_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipHeavy<SiluBackward>(dx, dout, x, n);
}

@unmanaged class Softplus {
  @inline f(x: v128, beta: v128, threshold: v128): v128 {
    const z = f32x4.mul(x, beta);
    return select(f32x4.gt(z, threshold), x, f32x4.div(math.log1p(math.exp(z)), beta));
  }
}
/** log(1 + e^(beta·x)) / beta; x itself where beta·x > threshold. */
export function softplus(out: usize, x: usize, beta: f32, threshold: f32, n: i32): void {
  mapCompact<Softplus>(out, x, n, c(beta), c(threshold));
}
@unmanaged class SoftplusBackward {
  @inline f(d: v128, x: v128, beta: v128, threshold: v128): v128 {
    const z = f32x4.mul(x, beta);
    return select(f32x4.gt(z, threshold), d, f32x4.mul(d, math.sigmoid(z)));
  }
}
/** dout·σ(beta·x); dout where beta·x > threshold. From the input. */
export function softplus_backward(dx: usize, dout: usize, x: usize, beta: f32, threshold: f32, n: i32): void {
  zipCompact<SoftplusBackward>(dx, dout, x, n, c(beta), c(threshold));
}

@unmanaged class Hardtanh {
  @inline f(x: v128, lo: v128, hi: v128): v128 { return f32x4.pmin(f32x4.pmax(x, lo), hi); }
}
/** x bounded to [lo, hi]; NaN passes. */
export function hardtanh(out: usize, x: usize, lo: f32, hi: f32, n: i32): void {
  map<Hardtanh>(out, x, n, c(lo), c(hi));
}
@unmanaged class HardtanhBackward {
  @inline f(d: v128, x: v128, lo: v128, hi: v128): v128 {
    return v128.and(d, v128.and(f32x4.gt(x, lo), f32x4.lt(x, hi)));
  }
}
/** dout where lo < x < hi, else 0 (at the bounds and at NaN too), from the input. */
export function hardtanh_backward(dx: usize, dout: usize, x: usize, lo: f32, hi: f32, n: i32): void {
  zipCompact<HardtanhBackward>(dx, dout, x, n, c(lo), c(hi));
}

@unmanaged class Hardswish {
  @inline f(x: v128, p: v128, q: v128): v128 {
    const bounded = f32x4.pmin(f32x4.pmax(f32x4.add(x, c(3)), c(0)), c(6));
    return f32x4.div(f32x4.mul(x, bounded), c(6));
  }
}
/** x·min(max(x + 3, 0), 6) / 6. */
export function hardswish(out: usize, x: usize, n: i32): void {
  map<Hardswish>(out, x, n);
}
@unmanaged class HardswishBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const middle = f32x4.mul(d, f32x4.add(f32x4.div(x, c(3)), c(0.5)));
    return v128.andnot(select(f32x4.ge(x, c(3)), d, middle), f32x4.lt(x, c(-3)));
  }
}
/** 0 where x < −3, dout where x ≥ 3, dout·(x/3 + ½) between; from the input. */
export function hardswish_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zipCompact<HardswishBackward>(dx, dout, x, n);
}
