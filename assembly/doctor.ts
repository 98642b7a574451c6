/**
 * What the doctor (src/doctor) reads of tensors: one pass each, nothing is written but the results. All operands are
 * contiguous float32; sums are in float64, so that neither the length nor the size of the values costs accuracy.
 * Every function takes a range (pointer and count), results of ranges may be added up.
 *
 * NaN and ±Inf: a sum of |x| that is not finite tells that some element is not, as float64 cannot overflow from float32
 * elements. The range is then read again with care: non-finite elements are counted and left out of all sums.
 */
import { high, hsumF64 } from "./accumulate";
import { hsum } from "./simd";

/** Buckets of a histogram to each side of 0: four to an octave, from 2⁻²⁴ to 2¹⁶ (src/doctor/histogram.ts says so too). */
// @ts-ignore: decorator
@inline
const SIDE: i32 = 160;

/** Exponent and upper two bits of the mantissa of 2⁻²⁴. */
// @ts-ignore: decorator
@inline
const SMALLEST: i32 = (127 - 24) << 2;

/** Additions of 1 in a lane of int32; far below 2³¹. */
// @ts-ignore: decorator
@inline
function lanes_sum(v: v128): f64 {
  return (
    <f64>i32x4.extract_lane(v, 0) +
    <f64>i32x4.extract_lane(v, 1) +
    <f64>i32x4.extract_lane(v, 2) +
    <f64>i32x4.extract_lane(v, 3)
  );
}

/**
 * Eight float64 at out, of x of n floats:
 *
 *   0 Σx   1 Σx²   2 min   3 max   4 zeros   5 how many lie outside [low, high]   6 NaN   7 ±Inf
 *
 * 0 to 5 are of the finite elements (min = Inf and max = −Inf when there are none). Eight a turn; tail: the last n % 8 one by one.
 */
export function tensor_stats(out: usize, x: usize, n: i32, low: f32, high_: f32): void {
  let sum = f64x2.splat(0);
  let sum2 = sum;
  let squares = sum;
  let squares2 = sum;
  let least = f32x4.splat(Infinity);
  let most = f32x4.splat(-Infinity);
  let zeros = i32x4.splat(0);
  let outside = zeros;
  const lower = f32x4.splat(low);
  const upper = f32x4.splat(high_);
  const nought = f32x4.splat(0);
  let p = x;
  for (const end = x + ((<usize>n & ~7) << 2); p < end; p += 32) {
    const v = v128.load(p);
    const w = v128.load(p, 16);
    let a = f64x2.promote_low_f32x4(v);
    let b = f64x2.promote_low_f32x4(high(v));
    sum = f64x2.add(sum, a);
    sum2 = f64x2.add(sum2, b);
    squares = f64x2.add(squares, f64x2.mul(a, a));
    squares2 = f64x2.add(squares2, f64x2.mul(b, b));
    a = f64x2.promote_low_f32x4(w);
    b = f64x2.promote_low_f32x4(high(w));
    sum = f64x2.add(sum, a);
    sum2 = f64x2.add(sum2, b);
    squares = f64x2.add(squares, f64x2.mul(a, a));
    squares2 = f64x2.add(squares2, f64x2.mul(b, b));
    least = f32x4.pmin(f32x4.pmin(least, v), w);
    most = f32x4.pmax(f32x4.pmax(most, v), w);
    zeros = i32x4.sub(i32x4.sub(zeros, f32x4.eq(v, nought)), f32x4.eq(w, nought));
    outside = i32x4.sub(outside, v128.or(f32x4.lt(v, lower), f32x4.gt(v, upper)));
    outside = i32x4.sub(outside, v128.or(f32x4.lt(w, lower), f32x4.gt(w, upper)));
  }
  const total = hsumF64(f64x2.add(squares, squares2));
  store<f64>(out, hsumF64(f64x2.add(sum, sum2)));
  store<f64>(out, total, 8);
  store<f64>(
    out,
    <f64>min(
      min(f32x4.extract_lane(least, 0), f32x4.extract_lane(least, 1)),
      min(f32x4.extract_lane(least, 2), f32x4.extract_lane(least, 3)),
    ),
    16,
  );
  store<f64>(
    out,
    <f64>max(
      max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
      max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
    ),
    24,
  );
  store<f64>(out, lanes_sum(zeros), 32);
  store<f64>(out, lanes_sum(outside), 40);
  store<f64>(out, 0, 48);
  store<f64>(out, 0, 56);
  // Inf − Inf is NaN, which is not 0 either.
  if (total - total != 0) {
    memory.fill(out, 0, 64);
    store<f64>(out, Infinity, 16);
    store<f64>(out, -Infinity, 24);
    p = x;
  }
  stats_one_by_one(out, p, x + (<usize>n << 2), low, high_);
}

/** Adds the elements from x to end to the eight results. */
export function stats_one_by_one(out: usize, x: usize, end: usize, low: f32, high_: f32): void {
  for (; x < end; x += 4) {
    const v = load<f32>(x);
    if (v != v) store<f64>(out, load<f64>(out, 48) + 1, 48);
    else if (abs(v) == Infinity) store<f64>(out, load<f64>(out, 56) + 1, 56);
    else {
      const w = <f64>v;
      store<f64>(out, load<f64>(out) + w);
      store<f64>(out, load<f64>(out, 8) + w * w, 8);
      store<f64>(out, min(load<f64>(out, 16), w), 16);
      store<f64>(out, max(load<f64>(out, 24), w), 24);
      if (v == 0) store<f64>(out, load<f64>(out, 32) + 1, 32);
      if (v < low || v > high_) store<f64>(out, load<f64>(out, 40) + 1, 40);
    }
  }
}

/**
 * Elements of a block: what is copied and compared as a whole, and whose sums of float32 are taken over into float64: 32 in each lane,
 * so at most 31 · 2⁻²⁴ = 2e-6 is lost.
 */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 128;

/**
 * Whether a block is one of those compared: one of every `every` on end, which one by chance (multiplicative hashing: Knuth, "The Art of
 * Computer Programming", vol. 3, 6.4), so that blocks and the rows of a matrix never keep step.
 */
// @ts-ignore: decorator
@inline
function compared(block: i32, every: i32): bool {
  const group = block / every;
  return block - group * every == <i32>((<u32>(group * 0x9e3779b1) >>> 16) % <u32>every);
}

/** Copies the blocks of n floats that will be compared, one after the other, and the last n % 8; gives how many floats. */
export function copy_blocks(to: usize, from: usize, n: i32, every: i32): i32 {
  const begin = to;
  for (let left = n & ~7, block = 0; left > 0; left -= BLOCK, block++) {
    const length = <usize>min(left, BLOCK) << 2;
    if (!compared(block, every)) {
      from += length;
      continue;
    }
    for (const end = from + length; from < end; from += 32, to += 32) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    }
  }
  for (let i = n & 7; i > 0; i--, from += 4, to += 4) store<f32>(to, load<f32>(from));
  return <i32>((to - begin) >>> 2);
}

/** A sum of squares from which on what float32 cannot square (below 1e-19) is no part of it. */
// @ts-ignore: decorator
@inline
const SMALL: f64 = 1e-24;

/**
 * What is read of a parameter at a step, in one pass. Five float64 at out:
 *
 *   0 Σ(after − before)²   1 Σ after², both over the blocks that are compared   2 Σ after²   3 Σ|grad|   4 Σ grad², over all n
 *
 * before is what copy_blocks has made. 0 is 0 only where no element compared differs. By float32 in blocks, at half the time of float64
 * and with 2e-6 of its accuracy; what does not fit float32's squares is summed again in float64. NaN and ±Inf show in the sums.
 */
export function parameter_stats(out: usize, after: usize, before: usize, grad: usize, n: i32, every: i32): void {
  let change = f64x2.splat(0);
  let beside = change;
  let squares = change;
  let magnitude = change;
  let slope = change;
  let a = after;
  let b = before;
  let g = grad;
  for (let left = n & ~7, block = 0; left > 0; left -= BLOCK, block++) {
    const end = a + (<usize>min(left, BLOCK) << 2);
    let s = f32x4.splat(0);
    let m = s;
    let q = s;
    if (compared(block, every)) {
      let c = f32x4.splat(0);
      for (; a < end; a += 32, b += 32, g += 32) {
        const v = v128.load(a);
        const d = f32x4.sub(v, v128.load(b));
        const x = v128.load(g);
        c = f32x4.add(c, f32x4.mul(d, d));
        s = f32x4.add(s, f32x4.mul(v, v));
        m = f32x4.add(m, f32x4.abs(x));
        q = f32x4.add(q, f32x4.mul(x, x));
        const w = v128.load(a, 16);
        const e = f32x4.sub(w, v128.load(b, 16));
        const y = v128.load(g, 16);
        c = f32x4.add(c, f32x4.mul(e, e));
        s = f32x4.add(s, f32x4.mul(w, w));
        m = f32x4.add(m, f32x4.abs(y));
        q = f32x4.add(q, f32x4.mul(y, y));
      }
      change = f64x2.add(change, widened(c));
      beside = f64x2.add(beside, widened(s));
    } else {
      for (; a < end; a += 32, g += 32) {
        const v = v128.load(a);
        const x = v128.load(g);
        s = f32x4.add(s, f32x4.mul(v, v));
        m = f32x4.add(m, f32x4.abs(x));
        q = f32x4.add(q, f32x4.mul(x, x));
        const w = v128.load(a, 16);
        const y = v128.load(g, 16);
        s = f32x4.add(s, f32x4.mul(w, w));
        m = f32x4.add(m, f32x4.abs(y));
        q = f32x4.add(q, f32x4.mul(y, y));
      }
    }
    squares = f64x2.add(squares, widened(s));
    magnitude = f64x2.add(magnitude, widened(m));
    slope = f64x2.add(slope, widened(q));
  }
  const rest = n & 7;
  let changed = hsumF64(change) + difference(a, b, rest);
  let length = hsumF64(beside) + sum_squares(a, rest);
  let total = hsumF64(squares) + sum_squares(a, rest);
  let absolute = hsumF64(magnitude) + sum_abs(g, rest);
  let steep = hsumF64(slope) + sum_squares(g, rest);
  // 0 says nothing yet: a difference below 1e-23 has a square of 0 in float32.
  if (!fits(changed) || !fits(length)) {
    a = after;
    b = before;
    changed = 0;
    length = 0;
    for (let left = n & ~7, block = 0; left > 0; left -= BLOCK, block++) {
      const count = min(left, BLOCK);
      if (compared(block, every)) {
        changed += difference(a, b, count);
        length += sum_squares(a, count);
        b += <usize>count << 2;
      }
      a += <usize>count << 2;
    }
    changed += difference(a, b, rest);
    length += sum_squares(a, rest);
  }
  if (!fits(total)) total = sum_squares(after, n);
  if (absolute != 0 && !fits(steep)) {
    absolute = sum_abs(grad, n);
    steep = sum_squares(grad, n);
  }
  store<f64>(out, changed);
  store<f64>(out, length, 8);
  store<f64>(out, total, 16);
  store<f64>(out, absolute, 24);
  store<f64>(out, steep, 32);
}

/** Σ(x − y)² of n floats, in float64. */
function difference(x: usize, y: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (; n > 0; n--, x += 4, y += 4) {
    const d = <f64>load<f32>(x) - <f64>load<f32>(y);
    sum += d * d;
  }
  return sum;
}

/** Σx² of n floats, in float64. */
function sum_squares(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (; n > 0; n--, x += 4) sum += <f64>load<f32>(x) * <f64>load<f32>(x);
  return sum;
}

/** Σ|x| of n floats, in float64. */
function sum_abs(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  for (; n > 0; n--, x += 4) sum += abs(<f64>load<f32>(x));
  return sum;
}

/** Whether a sum of squares was one that float32 can take. */
// @ts-ignore: decorator
@inline
function fits(sum: f64): bool {
  return sum >= SMALL && sum < Infinity;
}

/** The upper two lanes' and the lower two lanes' sums. */
// @ts-ignore: decorator
@inline
function widened(v: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(high(v)));
}

/**
 * counts[u] += how many x of unit u are above 0, for x [outer, units, inner]; counts are units float32, which hold whole
 * numbers up to 2²⁴ (the caller begins anew before). Along inner where that is long, else down the units.
 */
export function unit_activity(counts: usize, x: usize, outer: i32, units: i32, inner: i32): void {
  const nought = f32x4.splat(0);
  const one = f32x4.splat(1);
  for (; outer > 0; outer--) {
    if (inner == 1) {
      let c = counts;
      for (const end = counts + ((<usize>units & ~3) << 2); c < end; c += 16) {
        const active = v128.and(one, f32x4.gt(v128.load(x), nought));
        v128.store(c, f32x4.add(v128.load(c), active));
        x += 16;
      }
      for (let i = units & 3; i > 0; i--) {
        if (load<f32>(x) > 0) store<f32>(c, load<f32>(c) + 1);
        x += 4;
        c += 4;
      }
    } else {
      for (let u = 0; u < units; u++) {
        let active = nought;
        for (const end = x + ((<usize>inner & ~3) << 2); x < end; x += 16) {
          active = f32x4.add(active, v128.and(one, f32x4.gt(v128.load(x), nought)));
        }
        let count = hsum(active);
        for (let i = inner & 3; i > 0; i--) {
          if (load<f32>(x) > 0) count += 1;
          x += 4;
        }
        const c = counts + (<usize>u << 2);
        store<f32>(c, load<f32>(c) + count);
      }
    }
  }
}

/**
 * counts[bucket] (int32, 2·SIDE + 1 of them) = how many of every stride-th of n floats belong there: negative ones from large to
 * small, what is smaller than 2⁻²⁴, positive ones from small to large. What is beyond 2¹⁶ counts in the outermost; NaN nowhere.
 */
export function tensor_histogram(counts: usize, x: usize, n: i32, stride: i32): void {
  memory.fill(counts, 0, <usize>(2 * SIDE + 1) << 2);
  for (let i = 0; i < n; i += stride) {
    const bits = load<i32>(x + (<usize>i << 2));
    const size = bits & 0x7fffffff;
    if (size <= 0x7f800000) {
      const key = min((size >> 21) - SMALLEST, SIDE - 1);
      const bucket = key < 0 ? SIDE : bits < 0 ? SIDE - 1 - key : SIDE + 1 + key;
      const c = counts + (<usize>bucket << 2);
      store<i32>(c, load<i32>(c) + 1);
    }
  }
}

/**
 * A hash (FNV-1a, of words instead of bytes) of each of `rows` rows of `words` int32 or float32: every stride-th word of it.
 * Equal rows have equal hashes; int32 at out.
 */
export function row_hashes(out: usize, x: usize, rows: i32, words: i32, stride: i32): void {
  for (; rows > 0; rows--) {
    let hash: i32 = 0x811c9dc5;
    for (let i = 0; i < words; i += stride) hash = (hash ^ load<i32>(x + (<usize>i << 2))) * 0x01000193;
    store<i32>(out, hash);
    out += 4;
    x += <usize>words << 2;
  }
}
