/**
 * Activations on float32, (n) → (n), and their backwards dx = dout·f′. `out` may be x, and dx may be dout or the saved
 * tensor. relu's backward wants the output, all others the input. Tails (n % 4) run through the vector code on zero-padded
 * lanes (layout.ts). Values at kinks, NaN and ±Inf are PyTorch's (those of its vectorised kernels, where its scalar
 * remainder loops differ).
 */
import { map, mapWide, zip, zipWide } from "./layout";
import * as math from "./math";
import { madd } from "./simd";

// @ts-ignore: decorator
@inline
function c(value: f32): v128 {
  return f32x4.splat(value);
}

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
  mapWide<LeakyRelu>(out, x, n, c(slope));
}
@unmanaged class LeakyReluBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 { return select(f32x4.gt(x, c(0)), d, f32x4.mul(d, p)); }
}
/** dout where x > 0, else slope·dout, from the input. */
export function leaky_relu_backward(dx: usize, dout: usize, x: usize, slope: f32, n: i32): void {
  zipWide<LeakyReluBackward>(dx, dout, x, n, c(slope));
}

@unmanaged class Elu {
  @inline f(x: v128, p: v128, q: v128): v128 { return select(f32x4.gt(x, c(0)), x, f32x4.mul(math.expm1(x), p)); }
}
/** x where x > 0, else alpha·(e^x − 1). */
export function elu(out: usize, x: usize, alpha: f32, n: i32): void {
  map<Elu>(out, x, n, c(alpha));
}
@unmanaged class EluBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    return f32x4.mul(d, select(f32x4.gt(x, c(0)), c(1), f32x4.mul(math.exp(x), p)));
  }
}
/** dout where x > 0, else dout·alpha·e^x (alpha at 0), from the input. */
export function elu_backward(dx: usize, dout: usize, x: usize, alpha: f32, n: i32): void {
  zip<EluBackward>(dx, dout, x, n, c(alpha));
}

/** Φ(x) = (1 + erf(x/√2)) / 2. */
// @ts-ignore: decorator
@inline
function normalCdf(x: v128): v128 {
  return madd(math.erf(f32x4.mul(x, c(0.7071067811865476))), c(0.5), c(0.5));
}
@unmanaged class Gelu { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, normalCdf(x)); } }
/** x·Φ(x), Φ the distribution function of the normal distribution. */
export function gelu(out: usize, x: usize, n: i32): void {
  map<Gelu>(out, x, n);
}
@unmanaged class GeluBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const density = f32x4.mul(math.exp(f32x4.mul(f32x4.mul(x, x), c(-0.5))), c(0.3989422804014327));
    return f32x4.mul(d, madd(x, density, normalCdf(x)));
  }
}
/** dout·(Φ(x) + x·φ(x)), φ(x) = e^(−x²/2)/√(2π), from the input. */
export function gelu_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zip<GeluBackward>(dx, dout, x, n);
}

/** tanh(√(2/π)·(x + 0.044715·x³)). */
// @ts-ignore: decorator
@inline
function geluTanh(x: v128): v128 {
  const cubic = madd(f32x4.mul(f32x4.mul(x, x), c(0.044715)), x, x);
  return math.tanh(f32x4.mul(cubic, c(0.7978845608028654)));
}
@unmanaged class GeluTanh {
  @inline f(x: v128, p: v128, q: v128): v128 {
    return f32x4.mul(f32x4.mul(x, c(0.5)), f32x4.add(geluTanh(x), c(1)));
  }
}
/** ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
export function gelu_tanh(out: usize, x: usize, n: i32): void {
  map<GeluTanh>(out, x, n);
}
@unmanaged class GeluTanhBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const t = geluTanh(x);
    const left = madd(t, c(0.5), c(0.5));
    const slope = madd(f32x4.mul(x, x), c(0.10703222440890037), c(0.7978845608028654));
    const right = f32x4.mul(f32x4.mul(f32x4.mul(x, c(0.5)), f32x4.sub(c(1), f32x4.mul(t, t))), slope);
    return f32x4.mul(d, f32x4.add(left, right));
  }
}
/** dout·(½(1 + t) + ½x·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²)), t the tanh above, from the input. */
export function gelu_tanh_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zip<GeluTanhBackward>(dx, dout, x, n);
}

@unmanaged class Silu { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.mul(x, math.sigmoid(x)); } }
/** x·σ(x). */
export function silu(out: usize, x: usize, n: i32): void {
  map<Silu>(out, x, n);
}
@unmanaged class SiluBackward {
  @inline f(d: v128, x: v128, p: v128, q: v128): v128 {
    const s = math.sigmoid(x);
    return f32x4.mul(f32x4.mul(d, s), madd(x, f32x4.sub(c(1), s), c(1)));
  }
}
/** dout·σ(x)·(1 + x·(1 − σ(x))), from the input. */
export function silu_backward(dx: usize, dout: usize, x: usize, n: i32): void {
  zip<SiluBackward>(dx, dout, x, n);
}

@unmanaged class Softplus {
  @inline f(x: v128, beta: v128, threshold: v128): v128 {
    const z = f32x4.mul(x, beta);
    return select(f32x4.gt(z, threshold), x, f32x4.div(math.log1p(math.exp(z)), beta));
  }
}
/** log(1 + e^(beta·x)) / beta; x itself where beta·x > threshold. */
export function softplus(out: usize, x: usize, beta: f32, threshold: f32, n: i32): void {
  map<Softplus>(out, x, n, c(beta), c(threshold));
}
@unmanaged class SoftplusBackward {
  @inline f(d: v128, x: v128, beta: v128, threshold: v128): v128 {
    const z = f32x4.mul(x, beta);
    return select(f32x4.gt(z, threshold), d, f32x4.mul(d, math.sigmoid(z)));
  }
}
/** dout·σ(beta·x); dout where beta·x > threshold. From the input. */
export function softplus_backward(dx: usize, dout: usize, x: usize, beta: f32, threshold: f32, n: i32): void {
  zip<SoftplusBackward>(dx, dout, x, n, c(beta), c(threshold));
}

@unmanaged class Hardtanh {
  @inline f(x: v128, lo: v128, hi: v128): v128 { return f32x4.pmin(f32x4.pmax(x, lo), hi); }
}
/** x bounded to [lo, hi]; NaN passes. */
export function hardtanh(out: usize, x: usize, lo: f32, hi: f32, n: i32): void {
  mapWide<Hardtanh>(out, x, n, c(lo), c(hi));
}
@unmanaged class HardtanhBackward {
  @inline f(d: v128, x: v128, lo: v128, hi: v128): v128 {
    return v128.and(d, v128.and(f32x4.gt(x, lo), f32x4.lt(x, hi)));
  }
}
/** dout where lo < x < hi, else 0 (at the bounds and at NaN too), from the input. */
export function hardtanh_backward(dx: usize, dout: usize, x: usize, lo: f32, hi: f32, n: i32): void {
  zip<HardtanhBackward>(dx, dout, x, n, c(lo), c(hi));
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
  zip<HardswishBackward>(dx, dout, x, n);
}
