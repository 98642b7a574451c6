/**
 * Transcendental functions, four floats at a time. No tables: WebAssembly data segments are off limits (KERNELS.md), so
 * all is range reduction and polynomials. Every function is within 4 ulp over the whole float32 range, subnormals
 * included, and returns C's (and PyTorch's) values at NaN, ±Inf and ±0; test/kernels/elementwise.test.ts sweeps them.
 *
 * All are `@inline` but the bodies of `sin`, `cos` and `pow`, which are large and rarer than the loops they stand in.
 *
 * Sources: polynomials of exp, log, sin, cos from Cephes (S. Moshier, single precision); erf from N. Juffa's erff; the
 * reduction of sin and cos from FreeBSD's msun (e_rem_pio2f.c), Payne–Hanek beyond it.
 */
import { madd } from "./simd";

/**
 * The same float in every lane, made from a zero that compilers cannot see through (`Opaque` in layout.ts). A
 * `v128.const` costs three instructions wherever it stands, and Node 26 makes it anew for each of several vectors in a
 * step; the splat of a computed value it shares. With zero = 0, the default in the functions below, it folds to the
 * plain constant.
 */
// @ts-ignore: decorator
@inline
function c(value: f32, zero: i32 = 0): v128 {
  return i32x4.splat(reinterpret<i32>(value) ^ zero);
}

/** Lanes of `a` where the mask is all ones, of `b` where it is all zeros. */
// @ts-ignore: decorator
@inline
function select(mask: v128, a: v128, b: v128): v128 {
  return v128.bitselect(a, b, mask);
}

// ---------------------------------------------------------------------------------------------------- exponentials
//
// e^x = 2^n·e^r with n = round(x·log2 e), |r| ≤ ln2/2. Adding 1.5·2^23 rounds, and leaves n in the low bits of the sum:
// shifted left by 23 they are n as an exponent, for the upper bits of 1.5·2^23 fall off.

// @ts-ignore: decorator
@inline
const ROUND: f32 = 12582912.0;
// @ts-ignore: decorator
@inline
const LOG2E: f32 = 1.44269504;
/** ln 2 in two parts (Cody–Waite): the first has so few bits that n·LN2_HI is exact. */
// @ts-ignore: decorator
@inline
const LN2_HI: f32 = 0.693359375;
// @ts-ignore: decorator
@inline
const LN2_LO: f32 = -2.12194440e-4;

/** x·log2 e + 1.5·2^23: n in the low bits. */
// @ts-ignore: decorator
@inline
function expShifted(x: v128, zero: i32 = 0): v128 {
  return madd(x, c(LOG2E, zero), c(ROUND, zero));
}

/** r = x − n·ln 2. */
// @ts-ignore: decorator
@inline
function expRemainder(x: v128, shifted: v128, zero: i32 = 0): v128 {
  const n = f32x4.sub(shifted, c(ROUND, zero));
  return madd(n, c(-LN2_LO, zero), madd(n, c(-LN2_HI, zero), x));
}

/** e^r − 1 for |r| ≤ ln2/2, with small relative error. */
// @ts-ignore: decorator
@inline
function expPolynomial(r: v128, zero: i32 = 0): v128 {
  let p = madd(c(1.9875691500e-4, zero), r, c(1.3981999507e-3, zero));
  p = madd(p, r, c(8.3334519073e-3, zero));
  p = madd(p, r, c(4.1665795894e-2, zero));
  p = madd(p, r, c(1.6666665459e-1, zero));
  p = madd(p, r, c(5.0000001201e-1, zero));
  return madd(p, f32x4.mul(r, r), r);
}

/**
 * e^x. The scale 2^n goes on in two steps of half the exponent each, so that overflow gives Inf and the subnormal range
 * is rounded once.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128, zero: i32 = 0): v128 {
  // pmax and pmin in this order let NaN through.
  x = f32x4.pmin(f32x4.pmax(x, c(-105.0, zero)), c(89.5, zero));
  const shifted = expShifted(x, zero);
  const y = f32x4.add(expPolynomial(expRemainder(x, shifted, zero), zero), c(1.0, zero));
  const half = i32x4.shr_s(shifted, 1);
  const first = i32x4.add(i32x4.shl(half, 23), c(1.0, zero));
  const second = i32x4.add(i32x4.shl(i32x4.sub(shifted, half), 23), c(1.0, zero));
  // Products, not sums of exponents: those would make numbers of NaN.
  return f32x4.mul(f32x4.mul(y, first), second);
}

/** e^x − 1 without cancellation: 2^n·(e^r − 1) + (2^n − 1). */
// @ts-ignore: decorator
@inline
export function expm1(x: v128, zero: i32 = 0): v128 {
  const z = f32x4.pmin(f32x4.pmax(x, c(-30.0, zero)), c(89.0, zero));
  const shifted = expShifted(z, zero);
  const p = expPolynomial(expRemainder(z, shifted, zero), zero);
  // 2^128 is no float: scale by at most 2^127, and double afterwards where n was 128.
  const exponent = i32x4.add(i32x4.shl(shifted, 23), c(1.0, zero));
  const scale = i32x4.min_u(exponent, i32x4.splat(0x7f000000));
  let y = madd(scale, p, f32x4.sub(scale, c(1.0, zero)));
  y = f32x4.add(y, v128.and(y, i32x4.ne(scale, exponent)));
  // The sign is x's; only −0 has lost it.
  return v128.or(y, v128.and(x, c(-0.0, zero)));
}

/** tanh |x| = −t / (t + 2) with t = e^(−2|x|) − 1, and the sign of x. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128, zero: i32 = 0): v128 {
  const sign = v128.and(x, c(-0.0, zero));
  const z = f32x4.pmax(f32x4.mul(v128.andnot(x, c(-0.0, zero)), c(-2.0, zero)), c(-30.0, zero));
  const shifted = expShifted(z, zero);
  const p = expPolynomial(expRemainder(z, shifted, zero), zero);
  const scale = i32x4.add(i32x4.shl(shifted, 23), c(1.0, zero));
  const t = madd(scale, p, f32x4.sub(scale, c(1.0, zero)));
  return v128.or(v128.andnot(f32x4.div(t, f32x4.add(t, c(2.0, zero))), c(-0.0, zero)), sign);
}

/** 1 / (1 + e^−x), from e^−|x| so that nothing overflows: z / (1 + z) for negative x, exact down to the subnormals. */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128, zero: i32 = 0): v128 {
  const z = exp(v128.or(x, c(-0.0, zero)), zero);
  const numerator = v128.bitselect(z, c(1.0, zero), i32x4.shr_s(x, 31));
  return f32x4.div(numerator, f32x4.add(z, c(1.0, zero)));
}

/**
 * erf x: an odd polynomial up to 475/512, 1 − e^q(|x|) beyond. Both are evaluated and selected, as a branch a vector
 * would mispredict on mixed data.
 */
// @ts-ignore: decorator
@inline
export function erf(x: v128, zero: i32 = 0): v128 {
  const s = f32x4.mul(x, x);
  const t = f32x4.pmin(v128.andnot(x, c(-0.0, zero)), c(4.5, zero));
  let q = madd(c(-1.72853470e-5, zero), t, c(3.83197126e-4, zero));
  q = madd(q, f32x4.mul(t, t), madd(c(-3.88396438e-3, zero), t, c(2.42546219e-2, zero)));
  q = madd(q, t, c(-1.06777877e-1, zero));
  q = madd(q, t, c(-6.34846687e-1, zero));
  q = madd(q, t, c(-1.28717512e-1, zero));
  const large = f32x4.sub(c(1.0, zero), exp(madd(q, t, f32x4.neg(t)), zero));
  let p = madd(c(-5.96761703e-4, zero), s, c(4.99119423e-3, zero));
  p = madd(p, s, c(-2.67681349e-2, zero));
  p = madd(p, s, c(1.12819925e-1, zero));
  p = madd(p, s, c(-3.76125336e-1, zero));
  p = madd(p, s, c(1.28379166e-1, zero));
  const small = madd(p, x, x);
  return select(f32x4.gt(t, c(0.927734375, zero)), v128.or(large, v128.and(x, c(-0.0, zero))), small);
}

// ------------------------------------------------------------------------------------------------------ logarithms
//
// x = 2^e·(1 + f) with 1 + f in [√½, √2); log(1 + f) = f − f²/2 + f³·P(f). The bases differ only in how e, f and the
// rest are put together, each in two parts so that neither small f nor large e loses digits.

/** Base e. */
@unmanaged
class Natural {
  @inline
  combine(e: v128, f: v128, y: v128, zero: i32 = 0): v128 {
    return madd(e, c(LN2_HI, zero), f32x4.add(f, madd(e, c(LN2_LO, zero), y)));
  }
}

/** Base 2: the factor is 1 + 0.4427, the ones added last. Powers of two come out exact, for f is 0 there. */
@unmanaged
class Binary {
  @inline
  combine(e: v128, f: v128, y: v128, zero: i32 = 0): v128 {
    const low = madd(f, c(0.44269504088896340736, zero), f32x4.mul(y, c(0.44269504088896340736, zero)));
    return f32x4.add(f32x4.add(f32x4.add(low, y), f), e);
  }
}

/** Base 10: log10 e = 0.434375 − 0.00008…, log10 2 = 0.30078125 + 0.00024…. */
@unmanaged
class Decimal {
  @inline
  combine(e: v128, f: v128, y: v128, zero: i32 = 0): v128 {
    let low = f32x4.mul(f32x4.add(f, y), c(7.00731903251827651129e-4, zero));
    low = madd(y, c(4.3359375e-1, zero), low);
    low = madd(e, c(2.48745663981195213739e-4, zero), low);
    return madd(e, c(3.0078125e-1, zero), madd(f, c(4.3359375e-1, zero), low));
  }
}

/** floor(log2(√2·x)), as integers, for normal positive x. */
// @ts-ignore: decorator
@inline
function logExponent(x: v128): v128 {
  return i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23);
}

/** log(1 + f) + e·log 2 in the base given. */
// @ts-ignore: decorator
@inline
function logPolynomial<B>(e: v128, f: v128, zero: i32 = 0): v128 {
  let p = madd(c(7.0376836292e-2, zero), f, c(-1.1514610310e-1, zero));
  p = madd(p, f, c(1.1676998740e-1, zero));
  p = madd(p, f, c(-1.2420140846e-1, zero));
  p = madd(p, f, c(1.4249322787e-1, zero));
  p = madd(p, f, c(-1.6668057665e-1, zero));
  p = madd(p, f, c(2.0000714765e-1, zero));
  p = madd(p, f, c(-2.4999993993e-1, zero));
  p = madd(p, f, c(3.3333331174e-1, zero));
  const s = f32x4.mul(f, f);
  const y = madd(f32x4.mul(p, f), s, f32x4.mul(s, c(-0.5, zero)));
  return changetype<B>(0).combine(e, f, y, zero);
}

/** Where x is not positive and finite: −Inf at 0, NaN below, x itself for Inf and NaN. Elsewhere y. */
function logSpecial(x: v128, y: v128): v128 {
  y = select(f32x4.eq(x, c(0.0)), c(-Infinity), y);
  y = select(f32x4.lt(x, c(0.0)), c(NaN), y);
  return select(f32x4.lt(x, c(Infinity)), y, x);
}

// @ts-ignore: decorator
@inline
function logBase<B>(x: v128, zero: i32 = 0): v128 {
  const subnormal = f32x4.lt(x, c(1.17549435e-38, zero));
  const z = select(subnormal, f32x4.mul(x, c(33554432.0, zero)), x);
  const e = logExponent(z);
  const f = f32x4.sub(i32x4.sub(z, i32x4.shl(e, 23)), c(1.0, zero));
  const y = logPolynomial<B>(f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(subnormal, c(25.0, zero))), f, zero);
  const plain = v128.and(f32x4.gt(x, c(0.0, zero)), f32x4.lt(x, c(Infinity, zero)));
  return i32x4.all_true(plain) ? y : logSpecial(x, y);
}

/** ln x. */
// @ts-ignore: decorator
@inline
export function log(x: v128, zero: i32 = 0): v128 {
  return logBase<Natural>(x, zero);
}

/** log2 x; exact at powers of two. */
// @ts-ignore: decorator
@inline
export function log2(x: v128, zero: i32 = 0): v128 {
  return logBase<Binary>(x, zero);
}

/** log10 x. */
// @ts-ignore: decorator
@inline
export function log10(x: v128, zero: i32 = 0): v128 {
  return logBase<Decimal>(x, zero);
}

/**
 * ln(1 + x). The exponent comes from the rounded sum u = 1 + x, but f from x itself: with s = 2^−e, f = x·s + (s − 1)
 * rounds once, and is x where e is 0. Above 2^24 u is x, and f comes from u (s would leave the float range).
 */
// @ts-ignore: decorator
@inline
export function log1p(x: v128, zero: i32 = 0): v128 {
  const u = f32x4.add(x, c(1.0, zero));
  const e = logExponent(u);
  const shift = i32x4.shl(e, 23);
  const s = i32x4.sub(c(1.0, zero), shift);
  const near = madd(x, s, f32x4.sub(s, c(1.0, zero)));
  const far = f32x4.sub(i32x4.sub(u, shift), c(1.0, zero));
  const f = select(f32x4.lt(x, c(16777216.0, zero)), near, far);
  const y = logPolynomial<Natural>(f32x4.convert_i32x4_s(e), f, zero);
  const plain = v128.and(f32x4.gt(u, c(0.0, zero)), f32x4.lt(u, c(Infinity, zero)));
  return v128.or(i32x4.all_true(plain) ? y : logSpecial(u, y), v128.and(x, c(-0.0, zero)));
}

// ----------------------------------------------------------------------------------------------------- sin and cos
//
// x = n·π/2 + r, |r| ≤ π/4, with r computed in float64 so that its float32 value has full relative precision even next
// to a multiple of π/2. Up to 2^27 two constants do (π/2 in 33 + 53 bits, n·PIO2_HI exact); beyond, `phase` below.

// @ts-ignore: decorator
@inline
const PIO2_HI: f64 = 1.57079631090164184570;
// @ts-ignore: decorator
@inline
const PIO2_LO: f64 = 1.58932547735281966916e-8;
// @ts-ignore: decorator
@inline
const ROUND64: f64 = 6755399441055744.0;
// @ts-ignore: decorator
@inline
const HUGE: f32 = 134217728.0;

/** 64 bits of 2/π from the given bit after the binary point on (0 ≤ bit ≤ 191). */
function twoOverPi(bit: i32): u64 {
  const index = bit >> 6;
  const offset = bit & 63;
  const high: u64 = index == 0 ? 0xa2f9836e4e441529 : index == 1 ? 0xfc2757d1f534ddc0 : 0xdb6295993c439041;
  const low: u64 = index == 0 ? 0xfc2757d1f534ddc0 : index == 1 ? 0xdb6295993c439041 : 0xfe5163abdebbc561;
  return offset == 0 ? high : (high << offset) | (low >> (64 - offset));
}

/**
 * |x|·2/π modulo 4 in units of 2^−62, for finite |x| ≥ 2^27 (Payne–Hanek): x = m·2^e with m of 24 bits, and of 2/π only
 * the 96 bits count that are neither a multiple of 4 once multiplied by 2^e nor below the precision wanted.
 */
function phase(x: f32): u64 {
  const bits = reinterpret<u32>(x);
  const m = <u64>((bits & 0x7fffff) | 0x800000);
  const start = <i32>((bits >> 23) & 0xff) - 152;
  return m * twoOverPi(start) + ((m * (twoOverPi(start + 64) >> 32)) >> 32);
}

// @ts-ignore: decorator
@inline
function isHuge(x: f32): bool {
  const size = abs<f32>(x);
  return size >= HUGE && size < Infinity;
}

/** n modulo 4 for huge x, else the n given. */
function hugeQuadrant(x: f32, n: i32): i32 {
  if (!isHuge(x)) return n;
  const quadrant = <i32>((phase(x) + (<u64>1 << 61)) >> 62);
  return x < 0 ? -quadrant : quadrant;
}

/** r for huge x, else the r given. */
function hugeRemainder(x: f32, r: f32): f32 {
  if (!isHuge(x)) return r;
  // What exceeds the nearest multiple of 2^62, as a signed number: the upper two bits are shifted out and back.
  const fraction = <f32>(<f64>((<i64>(phase(x) << 2)) >> 2) * (1.57079632679489661923 / 4611686018427387904.0));
  return x < 0 ? -fraction : fraction;
}

function hugeQuadrants(x: v128, n: v128): v128 {
  n = i32x4.replace_lane(n, 0, hugeQuadrant(f32x4.extract_lane(x, 0), i32x4.extract_lane(n, 0)));
  n = i32x4.replace_lane(n, 1, hugeQuadrant(f32x4.extract_lane(x, 1), i32x4.extract_lane(n, 1)));
  n = i32x4.replace_lane(n, 2, hugeQuadrant(f32x4.extract_lane(x, 2), i32x4.extract_lane(n, 2)));
  return i32x4.replace_lane(n, 3, hugeQuadrant(f32x4.extract_lane(x, 3), i32x4.extract_lane(n, 3)));
}

function hugeRemainders(x: v128, r: v128): v128 {
  r = f32x4.replace_lane(r, 0, hugeRemainder(f32x4.extract_lane(x, 0), f32x4.extract_lane(r, 0)));
  r = f32x4.replace_lane(r, 1, hugeRemainder(f32x4.extract_lane(x, 1), f32x4.extract_lane(r, 1)));
  r = f32x4.replace_lane(r, 2, hugeRemainder(f32x4.extract_lane(x, 2), f32x4.extract_lane(r, 2)));
  return f32x4.replace_lane(r, 3, hugeRemainder(f32x4.extract_lane(x, 3), f32x4.extract_lane(r, 3)));
}

/** x·2/π + 1.5·2^52 of two doubles: n in the low bits. */
// @ts-ignore: decorator
@inline
function trigShifted(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, f64x2.splat(0.63661977236758134308)), f64x2.splat(ROUND64));
}

// @ts-ignore: decorator
@inline
function trigRemainder(x: v128, shifted: v128): v128 {
  const n = f64x2.sub(shifted, f64x2.splat(ROUND64));
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(n, f64x2.splat(PIO2_HI))), f64x2.mul(n, f64x2.splat(PIO2_LO)));
  return f32x4.demote_f64x2_zero(r);
}

/** The upper two floats as doubles. */
// @ts-ignore: decorator
@inline
function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/**
 * sin(x + turn·π/2): turn 0 is the sine, 1 the cosine. Four kernels share this function, none so hot that the call
 * would count.
 */
function sine(x: v128, turn: i32): v128 {
  const low = f64x2.promote_low_f32x4(x);
  const high = promoteHigh(x);
  const lowShifted = trigShifted(low);
  const highShifted = trigShifted(high);
  let n = v128.shuffle<i32>(lowShifted, highShifted, 0, 2, 4, 6);
  let r = v128.shuffle<i64>(trigRemainder(low, lowShifted), trigRemainder(high, highShifted), 0, 2);
  if (v128.any_true(f32x4.ge(v128.andnot(x, c(-0.0)), c(HUGE)))) {
    n = hugeQuadrants(x, n);
    r = hugeRemainders(x, r);
  }
  n = i32x4.add(n, i32x4.splat(turn));
  const z = f32x4.mul(r, r);
  let s = madd(c(-1.9515295891e-4), z, c(8.3321608736e-3));
  s = madd(s, z, c(-1.6666654611e-1));
  // r·(1 + …) and not r + …: the latter would lose the sign of −0.
  s = f32x4.mul(r, madd(s, z, c(1.0)));
  let k = madd(c(2.443315711809948e-5), z, c(-1.388731625493765e-3));
  k = madd(k, z, c(4.166664568298827e-2));
  k = madd(k, f32x4.mul(z, z), madd(z, c(-0.5), c(1.0)));
  const odd = i32x4.shr_s(i32x4.shl(n, 31), 31);
  const negative = i32x4.shl(i32x4.shr_u(n, 1), 31);
  return v128.xor(select(odd, k, s), negative);
}

/** sin x. */
// @ts-ignore: decorator
@inline
export function sin(x: v128): v128 {
  return sine(x, 0);
}

/** cos x. */
// @ts-ignore: decorator
@inline
export function cos(x: v128): v128 {
  return sine(x, 1);
}

// ------------------------------------------------------------------------------------------------------------- pow

/**
 * 2^(b·(e + log2 m + special)) of the lower two lanes, in float64: e an integer, m in [√½, √2). `special` is 0, ±Inf or
 * NaN. Relative error below 2^−30; the conversion to float32 rounds, overflows and goes subnormal by itself.
 */
function powLow(e: v128, m: v128, special: v128, b: v128): v128 {
  const one = f64x2.splat(1.0);
  const mantissa = f64x2.promote_low_f32x4(m);
  const s = f64x2.div(f64x2.sub(mantissa, one), f64x2.add(mantissa, one));
  const z = f64x2.mul(s, s);
  // log2 m = 2/ln2·(s + s³/3 + s⁵/5 + …)
  let l = f64x2.add(f64x2.mul(z, f64x2.splat(0.22195308321368667)), f64x2.splat(0.2623081892525388));
  l = f64x2.add(f64x2.mul(l, z), f64x2.splat(0.3205988979753252));
  l = f64x2.add(f64x2.mul(l, z), f64x2.splat(0.4121985831111324));
  l = f64x2.add(f64x2.mul(l, z), f64x2.splat(0.5770780163555853));
  l = f64x2.add(f64x2.mul(l, z), f64x2.splat(0.9617966939259756));
  l = f64x2.add(f64x2.mul(l, z), f64x2.splat(2.8853900817779268));
  l = f64x2.add(f64x2.mul(l, s), f64x2.add(f64x2.convert_low_i32x4_s(e), f64x2.promote_low_f32x4(special)));
  let t = f64x2.mul(l, f64x2.promote_low_f32x4(b));
  t = f64x2.pmin(f64x2.pmax(t, f64x2.splat(-200.0)), f64x2.splat(200.0));
  const shifted = f64x2.add(t, f64x2.splat(ROUND64));
  const f = f64x2.sub(t, f64x2.sub(shifted, f64x2.splat(ROUND64)));
  // 2^f = Σ (f·ln2)^i / i!
  let y = f64x2.add(f64x2.mul(f, f64x2.splat(1.3215486790144305e-6)), f64x2.splat(1.5252733804059838e-5));
  y = f64x2.add(f64x2.mul(y, f), f64x2.splat(1.5403530393381606e-4));
  y = f64x2.add(f64x2.mul(y, f), f64x2.splat(1.3333558146428441e-3));
  y = f64x2.add(f64x2.mul(y, f), f64x2.splat(9.6181291076284769e-3));
  y = f64x2.add(f64x2.mul(y, f), f64x2.splat(5.5504108664821576e-2));
  y = f64x2.add(f64x2.mul(y, f), f64x2.splat(2.4022650695910069e-1));
  y = f64x2.add(f64x2.mul(y, f), f64x2.splat(6.9314718055994529e-1));
  y = f64x2.add(f64x2.mul(y, f), one);
  // Scaling by adding to the exponent would turn NaN into a number: multiply.
  return f32x4.demote_f64x2_zero(f64x2.mul(y, i64x2.add(i64x2.shl(shifted, 52), one)));
}

/**
 * a^b with the special cases of C's pow (Annex F): 1 for b = 0 and for a = 1 whatever the other is, a negative base
 * with whole exponents only, signed zeros and infinities by the parity of b.
 */
// @ts-ignore: decorator
@inline
export function pow(a: v128, b: v128): v128 {
  return powCall(a, b);
}
function powCall(a: v128, b: v128): v128 {
  const one = c(1.0);
  const sign = v128.and(a, c(-0.0));
  const size = v128.andnot(a, c(-0.0));
  const subnormal = f32x4.lt(size, c(1.17549435e-38));
  const z = select(subnormal, f32x4.mul(size, c(33554432.0)), size);
  const exponent = logExponent(z);
  const m = i32x4.sub(z, i32x4.shl(exponent, 23));
  const e = i32x4.sub(exponent, v128.and(subnormal, i32x4.splat(25)));
  const zero = f32x4.eq(size, c(0.0));
  const special = select(zero, c(-Infinity), v128.andnot(size, f32x4.lt(size, c(Infinity))));
  // What has no logarithm must not reach the polynomial: mantissa 1 there.
  const mantissa = select(f32x4.eq(special, c(0.0)), m, one);
  const low = powLow(e, mantissa, special, b);
  const high = powLow(
    v128.shuffle<i64>(e, e, 1, 1),
    v128.shuffle<i64>(mantissa, mantissa, 1, 1),
    v128.shuffle<i64>(special, special, 1, 1),
    v128.shuffle<i64>(b, b, 1, 1),
  );
  let y = v128.shuffle<i64>(low, high, 0, 2);
  // (±1)^±Inf is 1.
  y = select(v128.and(f32x4.eq(size, one), f32x4.eq(b, b)), one, y);
  const half = f32x4.mul(b, c(0.5));
  const whole = f32x4.eq(f32x4.trunc(b), b);
  const odd = v128.andnot(whole, f32x4.eq(f32x4.trunc(half), half));
  y = v128.xor(y, v128.and(sign, odd));
  const negative = v128.and(f32x4.lt(a, c(0.0)), f32x4.gt(a, c(-Infinity)));
  y = select(v128.andnot(negative, whole), c(NaN), y);
  return select(v128.or(f32x4.eq(a, one), f32x4.eq(b, c(0.0))), one, y);
}
