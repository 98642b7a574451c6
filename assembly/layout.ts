/**
 * The loops all elementwise kernels share: over flat arrays (`map`, `zip`, …) and over broadcast or strided operands
 * (`broadcast`, `next`).
 *
 * ## Operators
 * A loop takes its operator as a type: an unmanaged class whose method `f` is @inline, called on a null pointer. So
 * each exported kernel is one specialised loop, without a call and without a function table.
 *   map:  f(x, p, q)       zip, broadcast:  f(x, y, p, q)
 * p and q are parameters of the op (a slope, a bound), splatted before the loop. Operators made of math.ts functions
 * extend `Opaque` and run in `mapHeavy` or `zipHeavy`.
 *
 * ## Layout table
 * Broadcasting and strided kernels read a table of i32 that JavaScript writes. Up to three operands; all strides and
 * offsets are in elements of the operand, and may be negative where "any" is said.
 *
 *   word 0          n: length of the inner run. 0 for an empty tensor.
 *   word 1          dims: number of outer dimensions (0: the whole tensor is one run)
 *   words 2–4       inner stride of operand 0, 1, 2. Elementwise kernels: 0 or 1. Copies: any
 *   words 5–7       running offset of operand 0, 1, 2: JavaScript writes 0
 *   words 8 + 5d …  outer dimension d, innermost first: size (≥ 1), counter (JavaScript writes 0), stride of operand 0,
 *                   1, 2: any
 *
 * Elementwise kernels write a contiguous row-major `out` in the order of the table; operands 0, 1, 2 are those after
 * `out` in the signature. For copies operand 0 is `out` and operand 1 is `x`: both sides are strided, so one kernel
 * gathers, scatters, and copies between two views, and the order of the dimensions is free. Offsets and counters are
 * the odometer's state. A kernel that ran to its end leaves them 0 again, so a table can be kept and used again; two
 * threads need a table each. Words of operands a kernel has not need not be written, but word 5–7 and the strides of an
 * unused operand must be any valid number: they are added, and never used.
 */
import { loadTail, storeTail } from "./simd";

/** Bytes before the first outer dimension, and bytes a dimension. */
// @ts-ignore: decorator
@inline
export const HEADER: usize = 32;
// @ts-ignore: decorator
@inline
export const DIMENSION: usize = 20;

// @ts-ignore: decorator
@inline
export function runLength(layout: usize): i32 {
  return load<i32>(layout);
}

/** Inner stride of an operand. */
// @ts-ignore: decorator
@inline
export function innerStride(layout: usize, operand: i32): i32 {
  return load<i32>(layout + (<usize>operand << 2), 8);
}

/** Where the current run of an operand starts, in elements. */
// @ts-ignore: decorator
@inline
export function runOffset(layout: usize, operand: i32): usize {
  return load<i32>(layout + (<usize>operand << 2), 20);
}

/**
 * Moves the odometer on to the next run, from outer dimension `first` on. False once all are done, and all is 0
 * again.
 */
export function next(layout: usize, first: i32 = 0): bool {
  let dim = layout + HEADER + <usize>first * DIMENSION;
  const end = layout + HEADER + <usize>load<i32>(layout, 4) * DIMENSION;
  let offset0 = load<i32>(layout, 20);
  let offset1 = load<i32>(layout, 24);
  let offset2 = load<i32>(layout, 28);
  let more = false;
  while (dim < end) {
    const counter = load<i32>(dim, 4) + 1;
    more = counter < load<i32>(dim);
    // Forward one step, or back to the start of this dimension and on with the one outside it.
    const steps = more ? 1 : 1 - counter;
    offset0 += steps * load<i32>(dim, 8);
    offset1 += steps * load<i32>(dim, 12);
    offset2 += steps * load<i32>(dim, 16);
    store<i32>(dim, more ? counter : 0, 4);
    if (more) break;
    dim += DIMENSION;
  }
  store<i32>(layout, offset0, 20);
  store<i32>(layout, offset1, 24);
  store<i32>(layout, offset2, 28);
  return more;
}

/** loadTail and storeTail as calls: every kernel needs them, none often. (asc warns of v128 in exported functions.) */
// @ts-ignore: decorator
@inline
export function loadLast(p: usize, n: i32): v128 {
  return loadLastCall(p, n);
}
function loadLastCall(p: usize, n: i32): v128 {
  return loadTail(p, n);
}

// @ts-ignore: decorator
@inline
export function storeLast(p: usize, v: v128, n: i32): void {
  storeLastCall(p, v, n);
}
function storeLastCall(p: usize, v: v128, n: i32): void {
  storeTail(p, v, n);
}

/** A zero that no compiler can see through, for n > 0. */
// @ts-ignore: decorator
@inline
function opaqueZero(n: i32): i32 {
  return n >> 31;
}

/**
 * An operator that wants such a zero (math.ts, `c`). The heavy loops call it not on null but on the opaque zero: its
 * own address, in a manner of speaking.
 */
@unmanaged
export class Opaque {
  @inline get zero(): i32 {
    return <i32>changetype<usize>(this);
  }
}

/** Operators that are ops of their own and other ops' backwards as well. */
@unmanaged export class Mul { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.mul(x, y); } }
@unmanaged export class Div { @inline f(x: v128, y: v128, p: v128, q: v128): v128 { return f32x4.div(x, y); } }

/** The same float in every lane. One letter, for operators are formulas. */
// @ts-ignore: decorator
@inline
export function c(value: f32): v128 {
  return f32x4.splat(value);
}

/**
 * out[i] = f(x[i], p, q), n four-byte elements, one vector a step. The body stands once in the binary: the tail (n % 4)
 * goes through it too, zero-padded. Finishes the loops below, and serves large operators that are called less.
 */
// @ts-ignore: decorator
@inline
export function mapCompact<T>(out: usize, x: usize, n: i32, p: v128 = f32x4.splat(0), q: v128 = f32x4.splat(0)): void {
  if (n <= 0) return;
  do {
    const y = changetype<T>(0).f(n >= 4 ? v128.load(x) : loadLast(x, n), p, q);
    if (n >= 4) v128.store(out, y);
    else storeLast(out, y, n);
    x += 16;
    out += 16;
    n -= 4;
  } while (n > 0);
}

/** out[i] = f(x[i], p, q), n four-byte elements, two vectors a step. */
// @ts-ignore: decorator
@inline
export function map<T>(out: usize, x: usize, n: i32, p: v128 = f32x4.splat(0), q: v128 = f32x4.splat(0)): void {
  const op = changetype<T>(0);
  for (; n >= 8; n -= 8) {
    v128.store(out, op.f(v128.load(x), p, q));
    v128.store(out, op.f(v128.load(x, 16), p, q), 16);
    x += 32;
    out += 32;
  }
  mapCompact<T>(out, x, n, p, q);
}

/** `map`, four vectors a step: for what is called most and costs least, where the loop itself would show. */
// @ts-ignore: decorator
@inline
export function mapWide<T>(out: usize, x: usize, n: i32, p: v128 = f32x4.splat(0), q: v128 = f32x4.splat(0)): void {
  const op = changetype<T>(0);
  for (; n >= 16; n -= 16) {
    v128.store(out, op.f(v128.load(x), p, q));
    v128.store(out, op.f(v128.load(x, 16), p, q), 16);
    v128.store(out, op.f(v128.load(x, 32), p, q), 32);
    v128.store(out, op.f(v128.load(x, 48), p, q), 48);
    x += 64;
    out += 64;
  }
  mapCompact<T>(out, x, n, p, q);
}

/**
 * `map` for operators of many instructions and constants, which two vectors share. The loop has one way out, at its
 * end, for only then does Node 20 move the constants out of it.
 */
// @ts-ignore: decorator
@inline
export function mapHeavy<T>(out: usize, x: usize, n: i32, p: v128 = f32x4.splat(0), q: v128 = f32x4.splat(0)): void {
  const op = changetype<T>(<usize>opaqueZero(n));
  if (n >= 8) {
    do {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      const y = op.f(a, p, q);
      const z = op.f(b, p, q);
      v128.store(out, y);
      v128.store(out, z, 16);
      x += 32;
      out += 32;
      n -= 8;
    } while (n >= 8);
  }
  mapCompact<T>(out, x, n, p, q);
}

/** `mapHeavy`, four vectors a step: for the transcendental functions that are called most. */
// @ts-ignore: decorator
@inline
export function mapHeavyWide<T>(out: usize, x: usize, n: i32): void {
  const op = changetype<T>(<usize>opaqueZero(n));
  const zero = f32x4.splat(0);
  if (n >= 16) {
    do {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      const c = v128.load(x, 32);
      const d = v128.load(x, 48);
      const e = op.f(a, zero, zero);
      const f = op.f(b, zero, zero);
      const g = op.f(c, zero, zero);
      const h = op.f(d, zero, zero);
      v128.store(out, e);
      v128.store(out, f, 16);
      v128.store(out, g, 32);
      v128.store(out, h, 48);
      x += 64;
      out += 64;
      n -= 16;
    } while (n >= 16);
  }
  mapCompact<T>(out, x, n, zero, zero);
}

/** out[i] = f(x[i], y[i], p, q), n four-byte elements, one vector a step, as `mapCompact`. */
// @ts-ignore: decorator
@inline
export function zipCompact<T>(
  out: usize,
  x: usize,
  y: usize,
  n: i32,
  p: v128 = f32x4.splat(0),
  q: v128 = f32x4.splat(0),
): void {
  if (n <= 0) return;
  do {
    const a = n >= 4 ? v128.load(x) : loadLast(x, n);
    const b = n >= 4 ? v128.load(y) : loadLast(y, n);
    const z = changetype<T>(0).f(a, b, p, q);
    if (n >= 4) v128.store(out, z);
    else storeLast(out, z, n);
    x += 16;
    y += 16;
    out += 16;
    n -= 4;
  } while (n > 0);
}

/** out[i] = f(x[i], y[i], p, q), n four-byte elements, two vectors a step. */
// @ts-ignore: decorator
@inline
export function zip<T>(
  out: usize,
  x: usize,
  y: usize,
  n: i32,
  p: v128 = f32x4.splat(0),
  q: v128 = f32x4.splat(0),
): void {
  const op = changetype<T>(0);
  for (; n >= 8; n -= 8) {
    v128.store(out, op.f(v128.load(x), v128.load(y), p, q));
    v128.store(out, op.f(v128.load(x, 16), v128.load(y, 16), p, q), 16);
    x += 32;
    y += 32;
    out += 32;
  }
  zipCompact<T>(out, x, y, n, p, q);
}

/** `zip`, four vectors a step. */
// @ts-ignore: decorator
@inline
export function zipWide<T>(
  out: usize,
  x: usize,
  y: usize,
  n: i32,
  p: v128 = f32x4.splat(0),
  q: v128 = f32x4.splat(0),
): void {
  const op = changetype<T>(0);
  for (; n >= 16; n -= 16) {
    v128.store(out, op.f(v128.load(x), v128.load(y), p, q));
    v128.store(out, op.f(v128.load(x, 16), v128.load(y, 16), p, q), 16);
    v128.store(out, op.f(v128.load(x, 32), v128.load(y, 32), p, q), 32);
    v128.store(out, op.f(v128.load(x, 48), v128.load(y, 48), p, q), 48);
    x += 64;
    y += 64;
    out += 64;
  }
  zipCompact<T>(out, x, y, n, p, q);
}

/** `zip` for large operators, as `mapHeavy`. */
// @ts-ignore: decorator
@inline
export function zipHeavy<T>(
  out: usize,
  x: usize,
  y: usize,
  n: i32,
  p: v128 = f32x4.splat(0),
  q: v128 = f32x4.splat(0),
): void {
  const op = changetype<T>(<usize>opaqueZero(n));
  if (n >= 8) {
    do {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      const c = v128.load(y);
      const d = v128.load(y, 16);
      const e = op.f(a, c, p, q);
      const f = op.f(b, d, p, q);
      v128.store(out, e);
      v128.store(out, f, 16);
      x += 32;
      y += 32;
      out += 32;
      n -= 8;
    } while (n >= 8);
  }
  zipCompact<T>(out, x, y, n, p, q);
}

/**
 * One run of n ≥ 1 four-byte elements whose operands have inner stride 0 (one value for the run) or 1, in any
 * mixture.
 */
// @ts-ignore: decorator
@inline
export function run<T>(out: usize, x: usize, y: usize, n: i32, stepX: i32, stepY: i32): void {
  let a = v128.load32_splat(x);
  let b = v128.load32_splat(y);
  const zero = f32x4.splat(0);
  while (n > 0) {
    if (stepX) a = n >= 4 ? v128.load(x) : loadLast(x, n);
    if (stepY) b = n >= 4 ? v128.load(y) : loadLast(y, n);
    const z = changetype<T>(0).f(a, b, zero, zero);
    if (n >= 4) v128.store(out, z);
    else storeLast(out, z, n);
    x += 16;
    y += 16;
    out += 16;
    n -= 4;
  }
}

/** `run` with a loop of its own for each mixture that occurs; `run` then does the rest. */
// @ts-ignore: decorator
@inline
function runFast<T>(out: usize, x: usize, y: usize, n: i32, stepX: i32, stepY: i32): void {
  const op = changetype<T>(0);
  const zero = f32x4.splat(0);
  if (stepX & stepY) {
    // All loads before the first store: the engine keeps that order, and the two streams in come ahead.
    for (; n >= 16; n -= 16) {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      const c = v128.load(x, 32);
      const d = v128.load(x, 48);
      const e = v128.load(y);
      const f = v128.load(y, 16);
      const g = v128.load(y, 32);
      const h = v128.load(y, 48);
      v128.store(out, op.f(a, e, zero, zero));
      v128.store(out, op.f(b, f, zero, zero), 16);
      v128.store(out, op.f(c, g, zero, zero), 32);
      v128.store(out, op.f(d, h, zero, zero), 48);
      x += 64;
      y += 64;
      out += 64;
    }
  } else if (stepX) {
    const b = v128.load32_splat(y);
    for (; n >= 8; n -= 8) {
      v128.store(out, op.f(v128.load(x), b, zero, zero));
      v128.store(out, op.f(v128.load(x, 16), b, zero, zero), 16);
      x += 32;
      out += 32;
    }
  } else if (stepY) {
    const a = v128.load32_splat(x);
    for (; n >= 8; n -= 8) {
      v128.store(out, op.f(a, v128.load(y), zero, zero));
      v128.store(out, op.f(a, v128.load(y, 16), zero, zero), 16);
      y += 32;
      out += 32;
    }
  }
  if (n > 0) run<T>(out, x, y, n, stepX, stepY);
}

/** out = f(a, b) over a layout table, four-byte elements. */
// @ts-ignore: decorator
@inline
export function broadcast<T>(out: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepA = innerStride(layout, 0);
  const stepB = innerStride(layout, 1);
  do {
    runFast<T>(out, a + (runOffset(layout, 0) << 2), b + (runOffset(layout, 1) << 2), n, stepA, stepB);
    out += <usize>n << 2;
  } while (next(layout));
}

/** Element by element, for operators that have no vector form: f(a: E, b: E): E on four-byte elements. */
// @ts-ignore: decorator
@inline
export function broadcastScalar<T, E>(out: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepA = <usize>innerStride(layout, 0) << 2;
  const stepB = <usize>innerStride(layout, 1) << 2;
  do {
    let x = a + (runOffset(layout, 0) << 2);
    let y = b + (runOffset(layout, 1) << 2);
    const end = out + (<usize>n << 2);
    while (out < end) {
      store<E>(out, changetype<T>(0).f(load<E>(x), load<E>(y)));
      x += stepA;
      y += stepB;
      out += 4;
    }
  } while (next(layout));
}

/** The four lanes of a mask as bools at p, or the first n of them. */
// @ts-ignore: decorator
@inline
export function storeBools(p: usize, mask: v128, n: i32): void {
  const words = v128.and(mask, i32x4.splat(1));
  const halves = i16x8.narrow_i32x4_u(words, words);
  const bytes = i8x16.narrow_i16x8_u(halves, halves);
  if (n >= 4) v128.store32_lane(p, bytes, 0);
  else storeLastBytes(p, i32x4.extract_lane(bytes, 0), n);
}

/** The lanes of two masks as eight bools at p. */
// @ts-ignore: decorator
@inline
function storeEightBools(p: usize, low: v128, high: v128): void {
  const halves = i16x8.narrow_i32x4_s(low, high);
  v128.store64_lane(p, v128.and(i8x16.narrow_i16x8_s(halves, halves), i8x16.splat(1)), 0);
}

/** The lowest n (1 to 3) bytes of a word at p. */
export function storeLastBytes(p: usize, word: i32, n: i32): void {
  store<u8>(p, word);
  if (n > 1) store<u8>(p, word >> 8, 1);
  if (n > 2) store<u8>(p, word >> 16, 2);
}

/** The first n (1 to 3) bytes at p, the rest 0. */
export function loadLastBytes(p: usize, n: i32): i32 {
  let word = <i32>load<u8>(p);
  if (n > 1) word |= <i32>load<u8>(p, 1) << 8;
  if (n > 2) word |= <i32>load<u8>(p, 2) << 16;
  return word;
}

/** Four bytes at p (the first n, if n < 4) as unsigned words. */
// @ts-ignore: decorator
@inline
export function loadBytes(p: usize, n: i32): v128 {
  const bytes = n >= 4 ? v128.load32_zero(p) : i32x4.replace_lane(i32x4.splat(0), 0, loadLastBytes(p, n));
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
}

/** bool out[i] = f(x[i]) ≠ 0, n four-byte elements. */
// @ts-ignore: decorator
@inline
export function mapBool<T>(out: usize, x: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (; n > 0; n -= 4) {
    storeBools(out, changetype<T>(0).f(n >= 4 ? v128.load(x) : loadLast(x, n), zero, zero), n);
    x += 16;
    out += 4;
  }
}

/**
 * bool out = f(a, b) over a layout table, four-byte operands; f gives a mask. slotA and slotB are the operands'
 * places in the table: a > b is b < a with both changed over.
 */
// @ts-ignore: decorator
@inline
export function compare<T>(out: usize, a: usize, b: usize, layout: usize, slotA: i32, slotB: i32): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepA = innerStride(layout, slotA);
  const stepB = innerStride(layout, slotB);
  do {
    let x = a + (runOffset(layout, slotA) << 2);
    let y = b + (runOffset(layout, slotB) << 2);
    let va = v128.load32_splat(x);
    let vb = v128.load32_splat(y);
    let left = n;
    if (stepA & stepB) {
      for (; left >= 8; left -= 8) {
        const low = changetype<T>(0).f(v128.load(x), v128.load(y));
        storeEightBools(out, low, changetype<T>(0).f(v128.load(x, 16), v128.load(y, 16)));
        x += 32;
        y += 32;
        out += 8;
      }
    }
    for (; left > 0; left -= 4) {
      if (stepA) va = left >= 4 ? v128.load(x) : loadLast(x, left);
      if (stepB) vb = left >= 4 ? v128.load(y) : loadLast(y, left);
      storeBools(out, changetype<T>(0).f(va, vb), left);
      x += 16;
      y += 16;
      out += <usize>min<i32>(left, 4);
    }
  } while (next(layout));
}

/** out = f(a, b, p, q) over a layout table, one-byte elements, sixteen at a time and the tail (n % 16) one by one. */
// @ts-ignore: decorator
@inline
export function broadcastBytes<T>(out: usize, a: usize, b: usize, layout: usize, p: v128, q: v128): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepA = innerStride(layout, 0);
  const stepB = innerStride(layout, 1);
  do {
    let x = a + runOffset(layout, 0);
    let y = b + runOffset(layout, 1);
    let va = v128.load8_splat(x);
    let vb = v128.load8_splat(y);
    let left = n;
    while (left > 0) {
      const wide = left >= 16;
      if (stepA) va = wide ? v128.load(x) : v128.load8_splat(x);
      if (stepB) vb = wide ? v128.load(y) : v128.load8_splat(y);
      const z = changetype<T>(0).f(va, vb, p, q);
      if (wide) v128.store(out, z);
      else v128.store8_lane(out, z, 0);
      const step = wide ? 16 : 1;
      x += step;
      y += step;
      out += step;
      left -= step;
    }
  } while (next(layout));
}
