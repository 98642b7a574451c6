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
  innerStride,
  loadBytes,
  loadLast,
  mapBool,
  mapCompact,
  next,
  runLength,
  runOffset,
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
// ---------------------------------------------------------------------------------------------- binary, broadcasting

/** The binary ops. Those from `Eq` on give bools. */
const enum Op { Add, Sub, Mul, Maximum, Minimum, Remainder, Pow, Eq, Ne, Lt, Le }

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

function remainder(a: i32, b: i32): i32 {
  const r = a % b;
  return r != 0 && (r ^ b) < 0 ? r + b : r;
}

function apply(op: Op, a: i32, b: i32): i32 {
  switch (op) {
    case Op.Add: return a + b;
    case Op.Sub: return a - b;
    case Op.Mul: return a * b;
    case Op.Maximum: return max(a, b);
    case Op.Minimum: return min(a, b);
    case Op.Remainder: return remainder(a, b);
    case Op.Pow: return power(a, b);
    case Op.Eq: return i32(a == b);
    case Op.Ne: return i32(a != b);
    case Op.Lt: return i32(a < b);
    default: return i32(a <= b);
  }
}

/**
 * out = a op b over a layout table. One loop for all, element by element: integers are indices and counts, seldom many,
 * and a vector loop for each of the ops would be a twentieth of all kernels' code. slotA and slotB are the operands' places
 * in the table: a > b is b < a with both changed over.
 */
function binary(op: Op, out: usize, a: usize, b: usize, layout: usize, slotA: i32 = 0, slotB: i32 = 1): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepA = <usize>innerStride(layout, slotA) << 2;
  const stepB = <usize>innerStride(layout, slotB) << 2;
  do {
    let x = a + (runOffset(layout, slotA) << 2);
    let y = b + (runOffset(layout, slotB) << 2);
    for (let left = n; left > 0; left--) {
      const z = apply(op, load<i32>(x), load<i32>(y));
      if (op < Op.Eq) {
        store<i32>(out, z);
        out += 4;
      } else {
        store<u8>(out, z);
        out++;
      }
      x += stepA;
      y += stepB;
    }
  } while (next(layout));
}

/** a + b. */
export function add_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Add, out, a, b, layout);
}
/** a − b. */
export function sub_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Sub, out, a, b, layout);
}
/** a·b, the low 32 bits. */
export function mul_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Mul, out, a, b, layout);
}
/** The larger one. */
export function maximum_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Maximum, out, a, b, layout);
}
/** The smaller one. */
export function minimum_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Minimum, out, a, b, layout);
}
/** a modulo b with the sign of b, as in Python. A zero in b traps (PyTorch throws ZeroDivisionError). */
export function remainder_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Remainder, out, a, b, layout);
}
/** a^b as PyTorch has it for integer tensors (negative exponents: 0 but for a = ±1). */
export function pow_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Pow, out, a, b, layout);
}
/** bool a = b. */
export function eq_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Eq, out, a, b, layout);
}
/** bool a ≠ b. */
export function ne_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Ne, out, a, b, layout);
}
/** bool a < b. */
export function lt_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Lt, out, a, b, layout);
}
/** bool a ≤ b. */
export function le_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Le, out, a, b, layout);
}
/** bool a > b. */
export function gt_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Lt, out, b, a, layout, 1, 0);
}
/** bool a ≥ b. */
export function ge_i32(out: usize, a: usize, b: usize, layout: usize): void {
  binary(Op.Le, out, b, a, layout, 1, 0);
}

// ----------------------------------------------------------------------------------------------------------- logic
//
// On bools: bytes that are 0 or 1. Other dtypes are cast to bool first.

/** Where both are set, p decides; where one is, q. */
@unmanaged class Logic {
  @inline f(x: v128, y: v128, p: v128, q: v128): v128 {
    return v128.or(v128.and(v128.and(x, y), p), v128.and(v128.xor(x, y), q));
  }
}
function logic(out: usize, a: usize, b: usize, layout: usize, both: i8, one: i8): void {
  broadcastBytes<Logic>(out, a, b, layout, i8x16.splat(both), i8x16.splat(one));
}
/** a and b. */
export function logical_and(out: usize, a: usize, b: usize, layout: usize): void {
  logic(out, a, b, layout, 1, 0);
}
/** a or b. */
export function logical_or(out: usize, a: usize, b: usize, layout: usize): void {
  logic(out, a, b, layout, 1, 1);
}
/** a or b, not both. */
export function logical_xor(out: usize, a: usize, b: usize, layout: usize): void {
  logic(out, a, b, layout, 0, 1);
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
