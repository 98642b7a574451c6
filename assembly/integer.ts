/**
 * int32 arithmetic and comparisons, logic on bools, and casts.
 *
 * Shapes: unary kernels and casts (n) → (n); binary ones take a layout table (layout.ts) and write a contiguous `out`.
 * int32 wraps around, as in PyTorch. uint8 arithmetic has no kernels: the caller casts to int32 and back, which wraps
 * alike. Tails (n % 4) run through the vector code on zero-padded lanes; they are never stored. Integers have no
 * gradients.
 */
import {
  broadcastBytes,
  broadcastCompact,
  broadcastScalar,
  compare,
  loadBytes,
  loadLast,
  mapBool,
  mapCompact,
  storeLast,
  storeLastBytes,
} from "./layout";

// ----------------------------------------------------------------------------------------------------------- unary

@unmanaged class Neg { @inline f(x: v128, p: v128, q: v128): v128 { return i32x4.neg(x); } }
/** −x. */
export function neg_i32(out: usize, x: usize, n: i32): void {
  mapCompact<Neg>(out, x, n);
}
@unmanaged class Abs { @inline f(x: v128, p: v128, q: v128): v128 { return i32x4.abs(x); } }
/** |x|. */
export function abs_i32(out: usize, x: usize, n: i32): void {
  mapCompact<Abs>(out, x, n);
}
@unmanaged class Sign {
  @inline f(x: v128, p: v128, q: v128): v128 {
    return i32x4.max_s(i32x4.min_s(x, i32x4.splat(1)), i32x4.splat(-1));
  }
}
/** −1, 0 or 1. */
export function sign_i32(out: usize, x: usize, n: i32): void {
  mapCompact<Sign>(out, x, n);
}
@unmanaged class Square { @inline f(x: v128, p: v128, q: v128): v128 { return i32x4.mul(x, x); } }
/** x². */
export function square_i32(out: usize, x: usize, n: i32): void {
  mapCompact<Square>(out, x, n);
}
@unmanaged class Clamp {
  @inline f(x: v128, lo: v128, hi: v128): v128 { return i32x4.min_s(i32x4.max_s(x, lo), hi); }
}
/** min(max(x, lo), hi); the ends of int32 for an absent bound. */
export function clamp_i32(out: usize, x: usize, lo: i32, hi: i32, n: i32): void {
  mapCompact<Clamp>(out, x, n, i32x4.splat(lo), i32x4.splat(hi));
}

// ---------------------------------------------------------------------------------------------- binary, broadcasting

@unmanaged class Add { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return i32x4.add(x, y); } }
/** a + b. */
export function add_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastCompact<Add>(out, a, b, layout);
}
@unmanaged class Sub { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return i32x4.sub(x, y); } }
/** a − b. */
export function sub_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastCompact<Sub>(out, a, b, layout);
}
@unmanaged class Mul { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return i32x4.mul(x, y); } }
/** a·b. */
export function mul_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastCompact<Mul>(out, a, b, layout);
}
@unmanaged class Maximum { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return i32x4.max_s(x, y); } }
/** The larger. */
export function maximum_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastCompact<Maximum>(out, a, b, layout);
}
@unmanaged class Minimum { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return i32x4.min_s(x, y); } }
/** The smaller. */
export function minimum_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastCompact<Minimum>(out, a, b, layout);
}

@unmanaged class Remainder {
  @inline f(a: i32, b: i32): i32 {
    const r = a % b;
    return r != 0 && (r ^ b) < 0 ? r + b : r;
  }
}
/** a modulo b with the sign of b, as in Python. A zero in b traps (PyTorch throws ZeroDivisionError). */
export function remainder_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastScalar<Remainder, i32>(out, a, b, layout);
}

/** a^b modulo 2^32 by squaring; for b < 0 what is left of 1 / a^|b| as an integer, 0 but for a = ±1. */
function power(a: i32, b: i32): i32 {
  if (b < 0) return a == 1 ? 1 : a == -1 ? 1 - ((b & 1) << 1) : 0;
  let y = 1;
  for (; b; b >>= 1) {
    if (b & 1) y *= a;
    a *= a;
  }
  return y;
}
@unmanaged class Pow { @inline f(a: i32, b: i32): i32 { return power(a, b); } }
/** a^b as PyTorch has it for integer tensors (negative exponents: 0 but for a = ±1). */
export function pow_i32(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastScalar<Pow, i32>(out, a, b, layout);
}

@unmanaged class Eq { @inline f(x: v128, y: v128): v128 { return i32x4.eq(x, y); } }
/** bool a = b. */
export function eq_i32(out: usize, a: usize, b: usize, layout: usize): void {
  compare<Eq>(out, a, b, layout, 0, 1);
}
@unmanaged class Ne { @inline f(x: v128, y: v128): v128 { return i32x4.ne(x, y); } }
/** bool a ≠ b. */
export function ne_i32(out: usize, a: usize, b: usize, layout: usize): void {
  compare<Ne>(out, a, b, layout, 0, 1);
}
@unmanaged class Lt { @inline f(x: v128, y: v128): v128 { return i32x4.lt_s(x, y); } }
function less(out: usize, a: usize, b: usize, layout: usize, slotA: i32, slotB: i32): void {
  compare<Lt>(out, a, b, layout, slotA, slotB);
}
@unmanaged class Le { @inline f(x: v128, y: v128): v128 { return i32x4.le_s(x, y); } }
function lessOrEqual(out: usize, a: usize, b: usize, layout: usize, slotA: i32, slotB: i32): void {
  compare<Le>(out, a, b, layout, slotA, slotB);
}
/** bool a < b. */
export function lt_i32(out: usize, a: usize, b: usize, layout: usize): void {
  less(out, a, b, layout, 0, 1);
}
/** bool a ≤ b. */
export function le_i32(out: usize, a: usize, b: usize, layout: usize): void {
  lessOrEqual(out, a, b, layout, 0, 1);
}
/** bool a > b. */
export function gt_i32(out: usize, a: usize, b: usize, layout: usize): void {
  less(out, b, a, layout, 1, 0);
}
/** bool a ≥ b. */
export function ge_i32(out: usize, a: usize, b: usize, layout: usize): void {
  lessOrEqual(out, b, a, layout, 1, 0);
}

// ----------------------------------------------------------------------------------------------------------- logic
//
// On bools: bytes that are 0 or 1. Other dtypes are cast to bool first.

@unmanaged class And { @inline f(x: v128, y: v128): v128 { return v128.and(x, y); } }
/** a and b. */
export function logical_and(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastBytes<And>(out, a, b, layout);
}
@unmanaged class Or { @inline f(x: v128, y: v128): v128 { return v128.or(x, y); } }
/** a or b. */
export function logical_or(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastBytes<Or>(out, a, b, layout);
}
@unmanaged class Xor { @inline f(x: v128, y: v128): v128 { return v128.xor(x, y); } }
/** a or b, not both. */
export function logical_xor(out: usize, a: usize, b: usize, layout: usize): void {
  broadcastBytes<Xor>(out, a, b, layout);
}

/** Sixteen bytes at a time and the tail one by one: out = (x == 0) ? 1 − yes : yes, n bytes. */
function byteIsSet(out: usize, x: usize, n: i32, yes: i32): void {
  const flip = i8x16.splat(<i8>(1 - yes));
  const one = i8x16.splat(1);
  while (n > 0) {
    const wide = n >= 16;
    const v = wide ? v128.load(x) : v128.load8_splat(x);
    const y = v128.xor(i8x16.min_u(v, one), flip);
    if (wide) v128.store(out, y);
    else v128.store8_lane(out, y, 0);
    const step = wide ? 16 : 1;
    out += step;
    x += step;
    n -= step;
  }
}

/** bool x = 0, n bytes (bool or uint8). */
export function logical_not(out: usize, x: usize, n: i32): void {
  byteIsSet(out, x, n, 0);
}

// ----------------------------------------------------------------------------------------------------------- casts

@unmanaged class TruncF32 { @inline f(x: v128, p: v128, q: v128): v128 { return i32x4.trunc_sat_f32x4_s(x); } }
/** float32 → int32, towards zero. Out of range, where C is undefined: the nearest int32, and 0 for NaN. */
export function cast_f32_i32(out: usize, x: usize, n: i32): void {
  mapCompact<TruncF32>(out, x, n);
}
@unmanaged class ConvertI32 { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.convert_i32x4_s(x); } }
/** int32 → float32, to the nearest. */
export function cast_i32_f32(out: usize, x: usize, n: i32): void {
  mapCompact<ConvertI32>(out, x, n);
}

@unmanaged class Identity { @inline f(x: v128, p: v128, q: v128): v128 { return x; } }
/** Four-byte words made from bytes; never in place, for the output is larger. */
// @ts-ignore: decorator
@inline
function widen<T>(out: usize, x: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (; n > 0; n -= 4) {
    const y = changetype<T>(0).f(loadBytes(x, n), zero, zero);
    if (n >= 4) v128.store(out, y);
    else storeLast(out, y, n);
    x += 4;
    out += 16;
  }
}
/** uint8 or bool → float32. */
export function cast_u8_f32(out: usize, x: usize, n: i32): void {
  widen<ConvertI32>(out, x, n);
}
/** uint8 or bool → int32. */
export function cast_u8_i32(out: usize, x: usize, n: i32): void {
  widen<Identity>(out, x, n);
}

/** The lowest byte of four-byte words. */
// @ts-ignore: decorator
@inline
function narrow<T>(out: usize, x: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (; n > 0; n -= 4) {
    const words = changetype<T>(0).f(n >= 4 ? v128.load(x) : loadLast(x, n), zero, zero);
    const bytes = i8x16.shuffle(words, words, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
    if (n >= 4) v128.store32_lane(out, bytes, 0);
    else storeLastBytes(out, i32x4.extract_lane(bytes, 0), n);
    x += 16;
    out += 4;
  }
}
/** float32 → uint8: towards zero to int32, then modulo 256. */
export function cast_f32_u8(out: usize, x: usize, n: i32): void {
  narrow<TruncF32>(out, x, n);
}
/** int32 → uint8, modulo 256. */
export function cast_i32_u8(out: usize, x: usize, n: i32): void {
  narrow<Identity>(out, x, n);
}

@unmanaged class NonZeroF32 { @inline f(x: v128, p: v128, q: v128): v128 { return f32x4.ne(x, p); } }
/** float32 → bool: x ≠ 0, so NaN is true and −0 false. */
export function cast_f32_bool(out: usize, x: usize, n: i32): void {
  mapBool<NonZeroF32>(out, x, n);
}
@unmanaged class NonZeroI32 { @inline f(x: v128, p: v128, q: v128): v128 { return i32x4.ne(x, p); } }
/** int32 → bool: x ≠ 0. */
export function cast_i32_bool(out: usize, x: usize, n: i32): void {
  mapBool<NonZeroI32>(out, x, n);
}
/** uint8 → bool: x ≠ 0, n bytes. */
export function cast_u8_bool(out: usize, x: usize, n: i32): void {
  byteIsSet(out, x, n, 1);
}
