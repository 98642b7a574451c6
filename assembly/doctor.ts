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

/** Elements whose sums of float32 are taken over into float64: 32 in each lane, so at most 31 · 2⁻²⁴ = 2e-6 is lost. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 128;

/** A sum of squares from which on what float32 cannot square (below 1e-19) is no part of it. */
// @ts-ignore: decorator
@inline
const SMALL: f64 = 1e-24;

/**
 * What is read of a parameter at a step, in one pass. Four float64 at out, of n floats each:
 *
 *   0 Σ(after − before)²   1 Σ after²   2 Σ|grad|   3 Σ grad²
 *
 * 0 is 0 only where no element differs. By float32 in blocks, at half the time of float64 and with 2e-6 of its accuracy; where squares do
 * not fit float32 all is read again in float64. NaN and ±Inf show in the sums. Eight a turn; tail: the last n % 8 one by one.
 */
export function parameter_stats(out: usize, after: usize, before: usize, grad: usize, n: i32): void {
  let change = f64x2.splat(0);
  let squares = change;
  let magnitude = change;
  let slope = change;
  let a = after;
  let b = before;
  let g = grad;
  for (let left = n & ~7; left > 0; left -= BLOCK) {
    let c = f32x4.splat(0);
    let s = c;
    let m = c;
    let q = c;
    for (const end = a + (<usize>min(left, BLOCK) << 2); a < end; a += 32) {
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
      b += 32;
      g += 32;
    }
    change = f64x2.add(change, widened(c));
    squares = f64x2.add(squares, widened(s));
    magnitude = f64x2.add(magnitude, widened(m));
    slope = f64x2.add(slope, widened(q));
  }
  store<f64>(out, hsumF64(change));
  store<f64>(out, hsumF64(squares), 8);
  store<f64>(out, hsumF64(magnitude), 16);
  store<f64>(out, hsumF64(slope), 24);
  parameter_stats_slow(out, a, b, g, n & 7);
  const change_fits = load<f64>(out) == 0 ? same(after, before, n) : fits(load<f64>(out));
  const flat = load<f64>(out, 16) == 0;
  if (change_fits && fits(load<f64>(out, 8)) && (flat || fits(load<f64>(out, 24)))) return;
  memory.fill(out, 0, 32);
  parameter_stats_slow(out, after, before, grad, n);
}

/** Whether no element differs: a square of what is below 1e-23 is 0 in float32. */
function same(x: usize, y: usize, n: i32): bool {
  const end = x + (<usize>n << 2);
  for (const whole = x + ((<usize>n & ~3) << 2); x < whole; x += 16, y += 16) {
    if (v128.any_true(f32x4.ne(v128.load(x), v128.load(y)))) return false;
  }
  for (; x < end; x += 4, y += 4) if (load<f32>(x) != load<f32>(y)) return false;
  return true;
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

/** Adds n elements to parameter_stats' results, one by one and in float64. */
export function parameter_stats_slow(out: usize, after: usize, before: usize, grad: usize, n: i32): void {
  let change: f64 = 0;
  let squares: f64 = 0;
  let magnitude: f64 = 0;
  let slope: f64 = 0;
  for (; n > 0; n--) {
    const v = <f64>load<f32>(after);
    const d = v - <f64>load<f32>(before);
    const x = <f64>load<f32>(grad);
    change += d * d;
    squares += v * v;
    magnitude += abs(x);
    slope += x * x;
    after += 4;
    before += 4;
    grad += 4;
  }
  store<f64>(out, load<f64>(out) + change);
  store<f64>(out, load<f64>(out, 8) + squares, 8);
  store<f64>(out, load<f64>(out, 16) + magnitude, 16);
  store<f64>(out, load<f64>(out, 24) + slope, 24);
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
