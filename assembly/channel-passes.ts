/**
 * The passes of batch and group normalisation over [n, c, plane]; not exported to JavaScript.
 *
 * A pass goes over runs: what one set of statistics is applied to in one go. A run is a plane (its neighbours four at a
 * time, the statistics the same in every lane), or, where plane is 1, a strip of up to four columns of the [n, c] matrix
 * (one vector a row, each lane with statistics of its own). Both are `full` whole vectors, `step` bytes apart, and then
 * `part` vectors of only w lanes, so that one loop serves both. All loops stand in one function a pass, as small planes
 * cannot pay for a call each.
 *
 * Sums run in float32 lanes for at most SUM_STEPS additions and are then added in float64 to an accumulator in memory: four
 * lanes of the first sum, four of the second, 64 bytes a run. Runs are always whole and images are in order, so the order
 * of every sum depends on the shape only.
 */
import { high, laneMask, loadLanes, loadPart, storeLanes, storePart, SUM_STEPS } from "./accumulate";
import { madd } from "./simd";

/** Bytes of an accumulator: two sums of four float64 lanes. */
// @ts-ignore: decorator
@inline
export const ACCUMULATOR: usize = 64;

/** What follows the normalisation in the same pass: nothing, relu(y), relu(y + residual). One function for each (idof). */
export class Plain {}
export class Relu {}
export class AddRelu {}
/** Of the moments: around given shifts (Plain: around 0). Of dx: with constant statistics. */
export class Shifted {}
export class Constant {}
export class ConstantRelu {}

/** A channel's value in every lane, or those of `lanes` neighbouring channels. */
// @ts-ignore: decorator
@inline
function spread(p: usize, matrix: bool, lanes: i32): v128 {
  return matrix ? loadLanes(p, lanes) : v128.load32_splat(p);
}

/** Adds the float32 lanes of both sums to an accumulator. */
// @ts-ignore: decorator
@inline
function widen(acc: usize, s: v128, q: v128): void {
  v128.store(acc, f64x2.add(v128.load(acc), f64x2.promote_low_f32x4(s)));
  v128.store(acc, f64x2.add(v128.load(acc, 16), f64x2.promote_low_f32x4(high(s))), 16);
  v128.store(acc, f64x2.add(v128.load(acc, 32), f64x2.promote_low_f32x4(q)), 32);
  v128.store(acc, f64x2.add(v128.load(acc, 48), f64x2.promote_low_f32x4(high(q))), 48);
}

/** Sum `which` (0 or 1) of channel `from` + j: all lanes of a plane's accumulator, or one lane of a strip's. */
export function sumOf(scratch: usize, which: usize, j: usize, plane: i32): f64 {
  if (plane == 1) return load<f64>(scratch + (j >> 2) * ACCUMULATOR + (which << 5) + ((j & 3) << 3));
  const acc = scratch + j * ACCUMULATOR + (which << 5);
  return load<f64>(acc) + load<f64>(acc, 8) + (load<f64>(acc, 16) + load<f64>(acc, 24));
}

// @ts-ignore: decorator
@inline
function from_shift<Mode>(x: v128, k: v128): v128 {
  return idof<Mode>() == idof<Shifted>() ? f32x4.sub(x, k) : x;
}

/** Accumulators of Σ (x − k), Σ (x − k)². Shifted: k of each channel at `shifts`, [c]; Plain: k = 0. */
export function moments_pass<Mode>(
  scratch: usize, x: usize, shifts: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const matrix = plane == 1;
  const images = matrix ? 1 : n;
  const width = matrix ? 4 : 1;
  const step = matrix ? <usize>c << 2 : 16;
  memory.fill(scratch, 0, <usize>(to - from) * ACCUMULATOR);
  for (let i = 0; i < images; i++) {
    let acc = scratch;
    for (let ch = from; ch < to; ch += width) {
      let p = x + (<usize>((i * c + ch) * plane) << 2);
      let full = matrix ? n : plane >> 2;
      let w = plane & 3;
      let part = i32(w > 0);
      if (matrix) {
        w = min(to - ch, 4);
        part = w < 4 ? n : 0;
        if (part) full = 0;
      }
      let k = f32x4.splat(0);
      if (idof<Mode>() == idof<Shifted>()) k = spread(shifts + (<usize>ch << 2), matrix, w);
      while (full > 0 || part > 0) {
        let s = f32x4.splat(0);
        let q0 = s;
        let q1 = s;
        let q2 = s;
        let q3 = s;
        let quads = min(full >> 2, SUM_STEPS);
        full -= quads << 2;
        for (; quads > 0; quads--) {
          const a = from_shift<Mode>(v128.load(p), k);
          const b = from_shift<Mode>(v128.load(p + step), k);
          p += step << 1;
          const d = from_shift<Mode>(v128.load(p), k);
          const e = from_shift<Mode>(v128.load(p + step), k);
          p += step << 1;
          s = f32x4.add(s, f32x4.add(f32x4.add(a, b), f32x4.add(d, e)));
          q0 = madd(a, a, q0);
          q1 = madd(b, b, q1);
          q2 = madd(d, d, q2);
          q3 = madd(e, e, q3);
        }
        if (full < 4) {
          for (; full > 0; full--, p += step) {
            const a = from_shift<Mode>(v128.load(p), k);
            s = f32x4.add(s, a);
            q0 = madd(a, a, q0);
          }
          let rest = min(part, SUM_STEPS);
          part -= rest;
          for (; rest > 0; rest--, p += step) {
            const a = v128.and(from_shift<Mode>(loadPart(p, w), k), laneMask(w));
            s = f32x4.add(s, a);
            q1 = madd(a, a, q1);
          }
        }
        widen(acc, s, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
      }
      acc += ACCUMULATOR;
    }
  }
}

/** (x − m)·s + b: subtracting first keeps the digits of values far from 0, which x·s + (b − m·s) loses. */
// @ts-ignore: decorator
@inline
function normalized(x: v128, m: v128, s: v128, b: v128): v128 {
  return madd(f32x4.sub(x, m), s, b);
}

/** pmax(y, 0) lets NaN and −0 pass, as relu does. */
// @ts-ignore: decorator
@inline
function forward<Mode>(x: v128, residual: v128, m: v128, s: v128, b: v128): v128 {
  const y = normalized(x, m, s, b);
  if (idof<Mode>() == idof<Relu>()) return f32x4.pmax(y, f32x4.splat(0));
  if (idof<Mode>() == idof<AddRelu>()) return f32x4.pmax(f32x4.add(y, residual), f32x4.splat(0));
  return y;
}

/** A vector of the third operand, the residual or the result; never read where there is none. */
// @ts-ignore: decorator
@inline
function third<Mode>(p: usize): v128 {
  return idof<Mode>() == idof<AddRelu>() ? v128.load(p) : f32x4.splat(0);
}

/**
 * out = (x − mean)·scale + shift and what Mode says; the rows of the table are `row` bytes long. Images go from the last to
 * the first: what the pass before met last is still in the cache.
 */
export function forward_pass<Mode>(
  out: usize, x: usize, residual: usize, table: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const matrix = plane == 1;
  const width = matrix ? 4 : 1;
  const step = matrix ? <usize>c << 2 : 16;
  const step2 = step << 1;
  const step3 = step + step2;
  const step4 = step << 2;
  const row = <usize>c << 2;
  for (let i = matrix ? 0 : n - 1; i >= 0; i--) {
    for (let ch = from; ch < to; ch += width) {
      const at = <usize>((i * c + ch) * plane) << 2;
      let o = out + at;
      let p = x + at;
      let r = residual + at;
      let full = matrix ? n : plane >> 2;
      let w = plane & 3;
      let part = i32(w > 0);
      if (matrix) {
        w = min(to - ch, 4);
        part = w < 4 ? n : 0;
        if (part) full = 0;
      }
      const t = table + (<usize>ch << 2);
      const m = spread(t, matrix, w);
      const s = spread(t + 3 * row, matrix, w);
      const b = spread(t + 4 * row, matrix, w);
      for (; full >= 4; full -= 4) {
        const y0 = forward<Mode>(v128.load(p), third<Mode>(r), m, s, b);
        const y1 = forward<Mode>(v128.load(p + step), third<Mode>(r + step), m, s, b);
        const y2 = forward<Mode>(v128.load(p + step2), third<Mode>(r + step2), m, s, b);
        const y3 = forward<Mode>(v128.load(p + step3), third<Mode>(r + step3), m, s, b);
        v128.store(o, y0);
        v128.store(o + step, y1);
        v128.store(o + step2, y2);
        v128.store(o + step3, y3);
        p += step4;
        o += step4;
        if (idof<Mode>() == idof<AddRelu>()) r += step4;
      }
      for (; full > 0; full--) {
        v128.store(o, forward<Mode>(v128.load(p), third<Mode>(r), m, s, b));
        p += step;
        o += step;
        if (idof<Mode>() == idof<AddRelu>()) r += step;
      }
      for (; part > 0; part--) {
        const more = idof<Mode>() == idof<AddRelu>() ? loadPart(r, w) : f32x4.splat(0);
        storePart(o, forward<Mode>(loadPart(p, w), more, m, s, b), w);
        p += step;
        o += step;
        if (idof<Mode>() == idof<AddRelu>()) r += step;
      }
    }
  }
}

/**
 * The gradient of the normalised value, given x − m: dout where the result is not ≤ 0, as relu_backward has it. Without a
 * residual the result is computed again from x, which is read anyway: a stream of memory less.
 */
// @ts-ignore: decorator
@inline
function upstream<Mode>(dout: v128, centred: v128, out: v128, s: v128, b: v128): v128 {
  if (idof<Mode>() == idof<Relu>()) return v128.andnot(dout, f32x4.le(madd(centred, s, b), f32x4.splat(0)));
  if (idof<Mode>() == idof<AddRelu>()) return v128.andnot(dout, f32x4.le(out, f32x4.splat(0)));
  return dout;
}

/**
 * Accumulators of Σ d, Σ d·(x − mean), where d is dout as Mode lets it through. With AddRelu d is also stored at `masked`,
 * unless null: it is the residual's gradient, and the next pass then reads one tensor instead of two.
 */
export function reduce_pass<Mode>(
  scratch: usize, masked: usize, dout: usize, x: usize, out: usize, table: usize,
  n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const matrix = plane == 1;
  const images = matrix ? 1 : n;
  const width = matrix ? 4 : 1;
  const step = matrix ? <usize>c << 2 : 16;
  const step2 = step << 1;
  const row = <usize>c << 2;
  memory.fill(scratch, 0, <usize>(to - from) * ACCUMULATOR);
  for (let i = 0; i < images; i++) {
    let acc = scratch;
    for (let ch = from; ch < to; ch += width) {
      const at = <usize>((i * c + ch) * plane) << 2;
      let g = dout + at;
      let p = x + at;
      let y = out + at;
      let k = masked + at;
      let full = matrix ? n : plane >> 2;
      let w = plane & 3;
      let part = i32(w > 0);
      if (matrix) {
        w = min(to - ch, 4);
        part = w < 4 ? n : 0;
        if (part) full = 0;
      }
      const t = table + (<usize>ch << 2);
      const m = spread(t, matrix, w);
      const s = idof<Mode>() == idof<Relu>() ? spread(t + 3 * row, matrix, w) : m;
      const b = idof<Mode>() == idof<Relu>() ? spread(t + 4 * row, matrix, w) : m;
      while (full > 0 || part > 0) {
        let sum = f32x4.splat(0);
        let q0 = sum;
        let q1 = sum;
        let q2 = sum;
        let q3 = sum;
        let quads = min(full >> 2, SUM_STEPS);
        full -= quads << 2;
        for (; quads > 0; quads--) {
          const v0 = f32x4.sub(v128.load(p), m);
          const d0 = upstream<Mode>(v128.load(g), v0, third<Mode>(y), s, b);
          q0 = madd(d0, v0, q0);
          const v1 = f32x4.sub(v128.load(p + step), m);
          const d1 = upstream<Mode>(v128.load(g + step), v1, third<Mode>(y + step), s, b);
          q1 = madd(d1, v1, q1);
          const a = f32x4.add(d0, d1);
          p += step2;
          g += step2;
          if (idof<Mode>() == idof<AddRelu>()) y += step2;
          const v2 = f32x4.sub(v128.load(p), m);
          const d2 = upstream<Mode>(v128.load(g), v2, third<Mode>(y), s, b);
          q2 = madd(d2, v2, q2);
          const v3 = f32x4.sub(v128.load(p + step), m);
          const d3 = upstream<Mode>(v128.load(g + step), v3, third<Mode>(y + step), s, b);
          q3 = madd(d3, v3, q3);
          sum = f32x4.add(sum, f32x4.add(a, f32x4.add(d2, d3)));
          p += step2;
          g += step2;
          if (idof<Mode>() == idof<AddRelu>()) y += step2;
          if (idof<Mode>() == idof<AddRelu>()) {
            if (masked) {
              v128.store(k, d0);
              v128.store(k + step, d1);
              k += step2;
              v128.store(k, d2);
              v128.store(k + step, d3);
              k += step2;
            }
          }
        }
        if (full < 4) {
          // The vectors that are left, then those of w lanes.
          const whole = full > 0;
          const lanes = whole ? 4 : w;
          let rest = whole ? full : min(part, SUM_STEPS);
          if (whole) full = 0;
          else part -= rest;
          for (; rest > 0; rest--) {
            const v = f32x4.sub(loadLanes(p, lanes), m);
            const more = idof<Mode>() == idof<AddRelu>() ? loadLanes(y, lanes) : f32x4.splat(0);
            const d = upstream<Mode>(loadLanes(g, lanes), v, more, s, b);
            if (idof<Mode>() == idof<AddRelu>()) {
              if (masked) storeLanes(k, d, lanes);
              k += step;
            }
            sum = f32x4.add(sum, d);
            q0 = madd(d, v, q0);
            p += step;
            g += step;
            if (idof<Mode>() == idof<AddRelu>()) y += step;
          }
        }
        widen(acc, sum, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
      }
      acc += ACCUMULATOR;
    }
  }
}

// @ts-ignore: decorator
@inline
function has_lines<Mode>(): bool {
  return idof<Mode>() != idof<Constant>() && idof<Mode>() != idof<ConstantRelu>();
}

// @ts-ignore: decorator
@inline
function gradient<Mode>(
  dout: v128, x: v128, m: v128, s: v128, b: v128, slope: v128, level: v128,
): v128 {
  if (idof<Mode>() == idof<Constant>()) return f32x4.mul(dout, s);
  const v = f32x4.sub(x, m);
  if (idof<Mode>() == idof<ConstantRelu>()) return f32x4.mul(upstream<Relu>(dout, v, x, s, b), s);
  return madd(upstream<Mode>(dout, v, x, s, b), s, madd(v, slope, level));
}

/** A vector of x; not read where the statistics are constant. */
// @ts-ignore: decorator
@inline
function input<Mode>(p: usize): v128 {
  return idof<Mode>() == idof<Constant>() ? f32x4.splat(0) : v128.load(p);
}

/**
 * dx = d·scale + (x − mean)·slope + level, slope and level at `lines`, [2, to − from]. Relu: d is dout where the result was
 * not ≤ 0; Plain: d = dout; Constant and ConstantRelu: the same without slope and level. dx may be dout. Images from the last to the first.
 */
export function dx_pass<Mode>(
  dx: usize, dout: usize, x: usize, table: usize, lines: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const matrix = plane == 1;
  const width = matrix ? 4 : 1;
  const step = matrix ? <usize>c << 2 : 16;
  const step2 = step << 1;
  const step3 = step + step2;
  const step4 = step << 2;
  const row = <usize>c << 2;
  for (let i = matrix ? 0 : n - 1; i >= 0; i--) {
    for (let ch = from; ch < to; ch += width) {
      const at = <usize>((i * c + ch) * plane) << 2;
      let o = dx + at;
      let p = x + at;
      let g = dout + at;
      let full = matrix ? n : plane >> 2;
      let w = plane & 3;
      let part = i32(w > 0);
      if (matrix) {
        w = min(to - ch, 4);
        part = w < 4 ? n : 0;
        if (part) full = 0;
      }
      const t = table + (<usize>ch << 2);
      const line = lines + (<usize>(ch - from) << 2);
      const s = spread(t + 3 * row, matrix, w);
      const m = idof<Mode>() == idof<Constant>() ? s : spread(t, matrix, w);
      const b =
        idof<Mode>() == idof<Relu>() || idof<Mode>() == idof<ConstantRelu>() ? spread(t + 4 * row, matrix, w) : s;
      const slope = has_lines<Mode>() ? spread(line, matrix, w) : s;
      const level = has_lines<Mode>() ? spread(line + (<usize>(to - from) << 2), matrix, w) : s;
      for (; full >= 4; full -= 4) {
        const y0 = gradient<Mode>(v128.load(g), input<Mode>(p), m, s, b, slope, level);
        const y1 = gradient<Mode>(v128.load(g + step), input<Mode>(p + step), m, s, b, slope, level);
        const y2 = gradient<Mode>(v128.load(g + step2), input<Mode>(p + step2), m, s, b, slope, level);
        const y3 = gradient<Mode>(v128.load(g + step3), input<Mode>(p + step3), m, s, b, slope, level);
        v128.store(o, y0);
        v128.store(o + step, y1);
        v128.store(o + step2, y2);
        v128.store(o + step3, y3);
        p += step4;
        g += step4;
        o += step4;
      }
      for (; full > 0; full--) {
        v128.store(o, gradient<Mode>(v128.load(g), input<Mode>(p), m, s, b, slope, level));
        p += step;
        g += step;
        o += step;
      }
      for (; part > 0; part--) {
        const v = idof<Mode>() == idof<Constant>() ? s : loadPart(p, w);
        storePart(o, gradient<Mode>(loadPart(g, w), v, m, s, b, slope, level), w);
        p += step;
        g += step;
        o += step;
      }
    }
  }
}
