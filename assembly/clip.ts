/**
 * The gradients of all tensors of the optimizers' table (optim.ts) taken as one vector: norm, scaling, clamping.
 * A norm's sum is in float64, block by block in the table's order.
 */
import { COUNT, ENTRY, GRAD } from "./optim";
import { hsum, loadTail, madd, storeTail } from "./simd";

/** Elements of a block that is summed in float32; a multiple of 16. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 256;

/** |v| or v². `squares` is a constant at each call. */
// @ts-ignore: decorator
@inline
function power(v: v128, squares: bool): v128 {
  return squares ? f64x2.mul(v, v) : f64x2.abs(v);
}

/** Σ |x| or Σ x² over n floats, in float64 throughout. */
// @ts-ignore: decorator
@inline
function sum_powers(x: usize, n: i32, squares: bool): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = x + ((<usize>n & ~7) << 2); x < end; x += 32) {
    const v = v128.load(x);
    const w = v128.load(x, 16);
    a = f64x2.add(a, power(f64x2.promote_low_f32x4(v), squares));
    b = f64x2.add(b, power(f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3)), squares));
    c = f64x2.add(c, power(f64x2.promote_low_f32x4(w), squares));
    d = f64x2.add(d, power(f64x2.promote_low_f32x4(v128.shuffle<i32>(w, w, 2, 3, 2, 3)), squares));
  }
  for (n &= 7; n > 0; n--) {
    a = f64x2.add(a, power(f64x2.promote_low_f32x4(v128.load32_zero(x)), squares));
    x += 4;
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** Σ |x| over n floats. */
function sum_abs(x: usize, n: i32): f64 {
  return sum_powers(x, n, false);
}

/** Σ x² over n floats, every operation in float64. */
function sum_squares_exact(x: usize, n: i32): f64 {
  return sum_powers(x, n, true);
}

/** Σ x² over n & ~15 floats in float32, in 16 chains. */
function sum_squares_block(x: usize, n: i32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = x + ((<usize>n & ~15) << 2); x < end; x += 64) {
    const p = v128.load(x);
    const q = v128.load(x, 16);
    const r = v128.load(x, 32);
    const s = v128.load(x, 48);
    a = madd(p, p, a);
    b = madd(q, q, b);
    c = madd(r, r, c);
    d = madd(s, s, d);
  }
  return hsum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/**
 * Σ x² over n floats: blocks in float32, added in float64. A block whose sum float32 cannot hold well, because squares
 * overflow or vanish, is done again in float64; NaN and Inf among the elements come out of that as what they are.
 */
function sum_squares(x: usize, n: i32): f64 {
  let total: f64 = 0;
  while (n >= BLOCK) {
    const s = sum_squares_block(x, BLOCK);
    total += s > 1e-26 && s < Infinity ? <f64>s : sum_squares_exact(x, BLOCK);
    x += <usize>BLOCK << 2;
    n -= BLOCK;
  }
  return total + sum_squares_exact(x, n);
}

/** max |x| over n floats; NaN if one is NaN. As integers, the bits of |x| order as |x| does, and NaN lies above Inf. */
function max_abs(x: usize, n: i32): f64 {
  let a = i32x4.splat(0);
  let b = a;
  for (; n >= 8; n -= 8) {
    a = i32x4.max_s(a, f32x4.abs(v128.load(x)));
    b = i32x4.max_s(b, f32x4.abs(v128.load(x, 16)));
    x += 32;
  }
  for (; n > 0; n--) {
    a = i32x4.max_s(a, f32x4.abs(v128.load32_zero(x)));
    x += 4;
  }
  a = i32x4.max_s(a, b);
  a = i32x4.max_s(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  a = i32x4.max_s(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2));
  return <f64>f32x4.extract_lane(a, 0);
}

/** Σ |x|^p over n floats, for any p > 0. */
function sum_general(x: usize, n: i32, p: f64): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    total += pow_f64(<f64>abs(load<f32>(x)), p);
    x += 4;
  }
  return total;
}

/**
 * x^p for x ≥ 0 and p > 0 to about 1e-14, without the tables of a library's pow (kernels own no static data).
 * log: x = m·2^e with m in [√½, √2), ln m = 2·atanh((m − 1)/(m + 1)); exp: 2^k·e^r with |r| ≤ ½ ln 2.
 */
function pow_f64(x: f64, p: f64): f64 {
  if (!(x > 0) || x == Infinity) return x;
  let bits = reinterpret<u64>(x);
  let e = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e++;
  }
  const s = (m - 1) / (m + 1);
  const y = p * (<f64>e * 0.6931471805599453 + 2 * s * atanh_series(s * s));
  if (y > 709) return Infinity;
  if (y < -708) return 0;
  const k = nearest(y * 1.4426950408889634);
  const t = exp_series(y - k * 0.6931471803691238 - k * 1.9082149292705877e-10);
  return t * reinterpret<f64>((<u64>(<i64>k + 1023)) << 52);
}

/** atanh(s)/s from q = s², for q < 0.0295. */
function atanh_series(q: f64): f64 {
  let t: f64 = 0.047619047619047616; // 1/21, 1/19, …
  t = t * q + 0.05263157894736842;
  t = t * q + 0.058823529411764705;
  t = t * q + 0.06666666666666667;
  t = t * q + 0.07692307692307693;
  t = t * q + 0.09090909090909091;
  t = t * q + 0.1111111111111111;
  t = t * q + 0.14285714285714285;
  t = t * q + 0.2;
  t = t * q + 0.3333333333333333;
  return t * q + 1;
}

/** e^r for |r| ≤ ½ ln 2. */
function exp_series(r: f64): f64 {
  let t: f64 = 1.6059043836821613e-10; // 1/13!, 1/12!, …
  t = t * r + 2.08767569878681e-9;
  t = t * r + 2.505210838544172e-8;
  t = t * r + 2.755731922398589e-7;
  t = t * r + 2.7557319223985893e-6;
  t = t * r + 2.48015873015873e-5;
  t = t * r + 0.0001984126984126984;
  t = t * r + 0.001388888888888889;
  t = t * r + 0.008333333333333333;
  t = t * r + 0.041666666666666664;
  t = t * r + 0.16666666666666666;
  t = t * r + 0.5;
  t = t * r + 1;
  return t * r + 1;
}

/**
 * The p-norm of all gradients of the table taken as one vector (clip_grad_norm_): p = 2, 1, Infinity or any other
 * p > 0. Accumulated in float64, so that no square overflows; NaN and Inf among the gradients show in the result.
 */
export function grad_norm(table: usize, count: i32, p: f64): f64 {
  let total: f64 = 0;
  for (; count > 0; count--) {
    const grad = load<usize>(table, GRAD);
    if (grad) {
      const n = load<i32>(table, COUNT);
      if (p == 2) total += sum_squares(grad, n);
      else if (p == 1) total += sum_abs(grad, n);
      else if (p == Infinity) total = max(total, max_abs(grad, n));
      else total += sum_general(grad, n, p);
    }
    table += ENTRY;
  }
  if (p == 2) return sqrt(total);
  return p == 1 || p == Infinity ? total : pow_f64(total, 1 / p);
}

/** grad *= factor in every entry (clip_grad_norm_; with the factor from grad_norm). */
export function grad_scale(table: usize, count: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (; count > 0; count--) {
    let g = load<usize>(table, GRAD);
    if (g) {
      let n = load<i32>(table, COUNT);
      for (; n >= 8; n -= 8) {
        v128.store(g, f32x4.mul(v128.load(g), f));
        v128.store(g, f32x4.mul(v128.load(g, 16), f), 16);
        g += 32;
      }
      for (; n > 0; n--) {
        store<f32>(g, load<f32>(g) * factor);
        g += 4;
      }
    }
    table += ENTRY;
  }
}

/** grad = min(max(grad, −limit), limit) in every entry; NaN stays (clip_grad_value_). */
export function grad_clamp(table: usize, count: i32, limit: f32): void {
  const high = f32x4.splat(limit);
  const low = f32x4.neg(high);
  for (; count > 0; count--) {
    let g = load<usize>(table, GRAD);
    if (g) {
      let n = load<i32>(table, COUNT);
      // pmax(x, low) is low > x ? low : x, which keeps a NaN in x.
      for (; n >= 4; n -= 4) {
        v128.store(g, f32x4.pmin(f32x4.pmax(v128.load(g), low), high));
        g += 16;
      }
      if (n > 0) storeTail(g, f32x4.pmin(f32x4.pmax(loadTail(g, n), low), high), n);
    }
    table += ENTRY;
  }
}
