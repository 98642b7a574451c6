/**
 * The passes of batch normalisation over [n, c, plane]; not exported to JavaScript.
 *
 * A pass goes over runs: what one set of statistics is applied to in one go. In layout Planes a run is a plane: its
 * neighbours four at a time, the statistics the same in every lane. In layout Matrix (plane = 1) it is a strip of up to four
 * columns of the [n, c] matrix: one vector a row, each lane with statistics of its own. Both are `full` whole vectors,
 * `step` bytes apart, and then `part` vectors of only w lanes, so that one text serves both; each is compiled by itself, as
 * planes want constant offsets. All loops stand in one function a pass and go over several small planes of a channel in a
 * row, as small planes cannot pay for a call each, nor for what is done once a run.
 *
 * Sums run in float32 lanes for about SUM_STEPS additions and are then added in float64 to an accumulator in memory: four
 * lanes of the first sum, four of the second, 64 bytes a run. Runs are always whole and images are in order, so the order
 * of every sum depends on the shape only.
 */
import { high, laneMask, loadLanes, loadPart, storeLanes, storePart, SUM_STEPS } from "./accumulate";
import { madd } from "./simd";

/** Bytes of an accumulator: two sums of four float64 lanes. */
// @ts-ignore: decorator
@inline
export const ACCUMULATOR: usize = 64;

export class Planes {}
export class Matrix {}
/** Modes, one function for each (idof). Forward: nothing follows, relu(y), relu(y + residual). */
export class Plain {}
export class Relu {}
export class AddRelu {}
/** Of the moments: around given shifts (Plain: around 0). Of the sums: under a mask. Of dx: with constant statistics. */
export class Shifted {}
export class Masked {}
export class Constant {}

// @ts-ignore: decorator
@inline
function load1<Layout>(p: usize, step: usize): v128 {
  return idof<Layout>() == idof<Matrix>() ? v128.load(p + step) : v128.load(p, 16);
}
// @ts-ignore: decorator
@inline
function load2<Layout>(p: usize, step: usize): v128 {
  return idof<Layout>() == idof<Matrix>() ? v128.load(p + step * 2) : v128.load(p, 32);
}
// @ts-ignore: decorator
@inline
function load3<Layout>(p: usize, step: usize): v128 {
  return idof<Layout>() == idof<Matrix>() ? v128.load(p + step * 3) : v128.load(p, 48);
}

/** Four vectors of a run. */
// @ts-ignore: decorator
@inline
function store4<Layout>(p: usize, step: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(p, a);
  if (idof<Layout>() == idof<Matrix>()) {
    v128.store(p + step, b);
    v128.store(p + step * 2, c);
    v128.store(p + step * 3, d);
  } else {
    v128.store(p, b, 16);
    v128.store(p, c, 32);
    v128.store(p, d, 48);
  }
}

/** Bytes from one vector of a run to the next. */
// @ts-ignore: decorator
@inline
function step_of<Layout>(c: i32): usize {
  return idof<Layout>() == idof<Matrix>() ? <usize>c << 2 : 16;
}

/** Channels of a run. */
// @ts-ignore: decorator
@inline
function width_of<Layout>(): i32 {
  return idof<Layout>() == idof<Matrix>() ? 4 : 1;
}

/** How many planes of a channel are walked in a row: so many that a float32 lane gets some SUM_STEPS additions of them. */
// @ts-ignore: decorator
@inline
function images_at_once(plane: i32): i32 {
  const vectors = plane >> 2;
  return max(SUM_STEPS / ((vectors >> 2) + (vectors & 3) + i32((plane & 3) > 0)), 1);
}

/** A channel's value in every lane, or those of `lanes` neighbouring channels. */
// @ts-ignore: decorator
@inline
function spread<Layout>(p: usize, lanes: i32): v128 {
  return idof<Layout>() == idof<Matrix>() ? loadLanes(p, lanes) : v128.load32_splat(p);
}

/** Lanes of the part vectors of a run at channel ch. */
// @ts-ignore: decorator
@inline
function lanes_of<Layout>(plane: i32, ch: i32, to: i32): i32 {
  return idof<Layout>() == idof<Matrix>() ? min(to - ch, 4) : plane & 3;
}

// @ts-ignore: decorator
@inline
function full_of<Layout>(n: i32, plane: i32, w: i32): i32 {
  return idof<Layout>() == idof<Matrix>() ? (w == 4 ? n : 0) : plane >> 2;
}

// @ts-ignore: decorator
@inline
function part_of<Layout>(n: i32, w: i32): i32 {
  return idof<Layout>() == idof<Matrix>() ? (w == 4 ? 0 : n) : i32(w > 0);
}

/** Adds the float32 lanes of both sums to an accumulator. */
function widen(acc: usize, s: v128, q: v128): void {
  v128.store(acc, f64x2.add(v128.load(acc), f64x2.promote_low_f32x4(s)));
  v128.store(acc, f64x2.add(v128.load(acc, 16), f64x2.promote_low_f32x4(high(s))), 16);
  v128.store(acc, f64x2.add(v128.load(acc, 32), f64x2.promote_low_f32x4(q)), 32);
  v128.store(acc, f64x2.add(v128.load(acc, 48), f64x2.promote_low_f32x4(high(q))), 48);
}

/** Sum `which` (0 or 1) of channel `from` + j: all lanes of a plane's accumulator, or one lane of a strip's. */
export function sum_of(scratch: usize, which: usize, j: usize, plane: i32): f64 {
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
export function moments_pass<Layout, Mode>(
  scratch: usize, x: usize, shifts: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const step = step_of<Layout>(c);
  const images = idof<Layout>() == idof<Matrix>() ? 1 : n;
  const block = images_at_once(plane);
  const image = <usize>(c * plane) << 2;
  memory.fill(scratch, 0, <usize>(to - from) * ACCUMULATOR);
  for (let i = 0; i < images; i += block) {
    let acc = scratch;
    for (let ch = from; ch < to; ch += width_of<Layout>()) {
      let first = x + (<usize>((i * c + ch) * plane) << 2);
      const w = lanes_of<Layout>(plane, ch, to);
      let k = f32x4.splat(0);
      if (idof<Mode>() == idof<Shifted>()) k = spread<Layout>(shifts + (<usize>ch << 2), w);
      let s = f32x4.splat(0);
      let q0 = s;
      let q1 = s;
      let q2 = s;
      let q3 = s;
      for (let left = min(block, images - i); left > 0; left--) {
        let p = first;
        let full = full_of<Layout>(n, plane, w);
        let part = part_of<Layout>(n, w);
        while (true) {
          let quads = min(full >> 2, SUM_STEPS);
          full -= quads << 2;
          for (; quads > 0; quads--) {
            const a = from_shift<Mode>(v128.load(p), k);
            const b = from_shift<Mode>(load1<Layout>(p, step), k);
            const d = from_shift<Mode>(load2<Layout>(p, step), k);
            const e = from_shift<Mode>(load3<Layout>(p, step), k);
            p += step << 2;
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
            if (part == 0) break;
          }
          widen(acc, s, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
          s = f32x4.splat(0);
          q0 = s;
          q1 = s;
          q2 = s;
          q3 = s;
        }
        first += image;
      }
      widen(acc, s, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
      acc += ACCUMULATOR;
    }
  }
}

/**
 * (x − m)·s + b and what Mode says. Subtracting first keeps the digits of values far from 0, which x·s + (b − m·s) loses.
 * pmax(y, 0) lets NaN and −0 pass, as relu does.
 */
// @ts-ignore: decorator
@inline
function forward<Mode>(x: v128, residual: v128, m: v128, s: v128, b: v128): v128 {
  const y = madd(f32x4.sub(x, m), s, b);
  if (idof<Mode>() == idof<Relu>()) return f32x4.pmax(y, f32x4.splat(0));
  if (idof<Mode>() == idof<AddRelu>()) return f32x4.pmax(f32x4.add(y, residual), f32x4.splat(0));
  return y;
}

/** Whether the pass reads the residual, or the result. */
// @ts-ignore: decorator
@inline
function has_third<Mode>(): bool {
  return idof<Mode>() == idof<AddRelu>() || idof<Mode>() == idof<Masked>();
}

/**
 * out = (x − mean)·scale + shift and what Mode says; the rows of the table are c floats long. Images go from the last to
 * the first: what the pass before met last is still in the cache.
 */
export function forward_pass<Layout, Mode>(
  out: usize, x: usize, residual: usize, table: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const step = step_of<Layout>(c);
  const block = images_at_once(plane);
  const image = <usize>(c * plane) << 2;
  const row = <usize>c << 2;
  const zero = f32x4.splat(0);
  for (let end = idof<Layout>() == idof<Matrix>() ? 1 : n; end > 0; end -= block) {
    const i = max(end - block, 0);
    for (let ch = from; ch < to; ch += width_of<Layout>()) {
      let at = <usize>((i * c + ch) * plane) << 2;
      const w = lanes_of<Layout>(plane, ch, to);
      const t = table + (<usize>ch << 2);
      const m = spread<Layout>(t, w);
      const s = spread<Layout>(t + 3 * row, w);
      const b = spread<Layout>(t + 4 * row, w);
      for (let left = end - i; left > 0; left--) {
        let o = out + at;
        let p = x + at;
        let r = residual + at;
        at += image;
        let full = full_of<Layout>(n, plane, w);
        for (; full >= 4; full -= 4) {
          const r0 = has_third<Mode>() ? v128.load(r) : zero;
          const r1 = has_third<Mode>() ? load1<Layout>(r, step) : zero;
          const r2 = has_third<Mode>() ? load2<Layout>(r, step) : zero;
          const r3 = has_third<Mode>() ? load3<Layout>(r, step) : zero;
          const y0 = forward<Mode>(v128.load(p), r0, m, s, b);
          const y1 = forward<Mode>(load1<Layout>(p, step), r1, m, s, b);
          const y2 = forward<Mode>(load2<Layout>(p, step), r2, m, s, b);
          const y3 = forward<Mode>(load3<Layout>(p, step), r3, m, s, b);
          store4<Layout>(o, step, y0, y1, y2, y3);
          p += step << 2;
          o += step << 2;
          if (has_third<Mode>()) r += step << 2;
        }
        for (; full > 0; full--) {
          v128.store(o, forward<Mode>(v128.load(p), has_third<Mode>() ? v128.load(r) : zero, m, s, b));
          p += step;
          o += step;
          if (has_third<Mode>()) r += step;
        }
        for (let part = part_of<Layout>(n, w); part > 0; part--) {
          storePart(o, forward<Mode>(loadPart(p, w), has_third<Mode>() ? loadPart(r, w) : zero, m, s, b), w);
          p += step;
          o += step;
          if (has_third<Mode>()) r += step;
        }
      }
    }
  }
}

/** The gradient of the normalised value: dout where the result is not ≤ 0, as relu_backward has it. */
// @ts-ignore: decorator
@inline
function upstream<Mode>(dout: v128, out: v128): v128 {
  return idof<Mode>() == idof<Masked>() ? v128.andnot(dout, f32x4.le(out, f32x4.splat(0))) : dout;
}

/**
 * Accumulators of Σ d, Σ d·(x − mean). Plain: d = dout. Masked: d is dout where out is not ≤ 0, and is also stored at
 * `masked`, unless null: the next pass then reads one tensor instead of two, and it is the residual's gradient.
 */
export function reduce_pass<Layout, Mode>(
  scratch: usize, masked: usize, dout: usize, x: usize, out: usize, table: usize,
  n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const step = step_of<Layout>(c);
  const images = idof<Layout>() == idof<Matrix>() ? 1 : n;
  const block = images_at_once(plane);
  const image = <usize>(c * plane) << 2;
  const zero = f32x4.splat(0);
  memory.fill(scratch, 0, <usize>(to - from) * ACCUMULATOR);
  for (let i = 0; i < images; i += block) {
    let acc = scratch;
    for (let ch = from; ch < to; ch += width_of<Layout>()) {
      let at = <usize>((i * c + ch) * plane) << 2;
      const w = lanes_of<Layout>(plane, ch, to);
      const m = spread<Layout>(table + (<usize>ch << 2), w);
      let sum = zero;
      let q0 = zero;
      let q1 = zero;
      let q2 = zero;
      let q3 = zero;
      for (let left = min(block, images - i); left > 0; left--) {
        let g = dout + at;
        let p = x + at;
        let y = out + at;
        let k = masked + at;
        at += image;
        let full = full_of<Layout>(n, plane, w);
        let part = part_of<Layout>(n, w);
        while (true) {
          let quads = min(full >> 2, SUM_STEPS);
          full -= quads << 2;
          for (; quads > 0; quads--) {
            const d0 = upstream<Mode>(v128.load(g), has_third<Mode>() ? v128.load(y) : zero);
            const d1 = upstream<Mode>(load1<Layout>(g, step), has_third<Mode>() ? load1<Layout>(y, step) : zero);
            const d2 = upstream<Mode>(load2<Layout>(g, step), has_third<Mode>() ? load2<Layout>(y, step) : zero);
            const d3 = upstream<Mode>(load3<Layout>(g, step), has_third<Mode>() ? load3<Layout>(y, step) : zero);
            if (has_third<Mode>()) {
              if (masked) {
                store4<Layout>(k, step, d0, d1, d2, d3);
                k += step << 2;
              }
              y += step << 2;
            }
            q0 = madd(d0, f32x4.sub(v128.load(p), m), q0);
            q1 = madd(d1, f32x4.sub(load1<Layout>(p, step), m), q1);
            q2 = madd(d2, f32x4.sub(load2<Layout>(p, step), m), q2);
            q3 = madd(d3, f32x4.sub(load3<Layout>(p, step), m), q3);
            sum = f32x4.add(sum, f32x4.add(f32x4.add(d0, d1), f32x4.add(d2, d3)));
            p += step << 2;
            g += step << 2;
          }
          if (full < 4) {
            let rest = full + min(part, SUM_STEPS);
            part -= rest - full;
            for (; rest > 0; rest--) {
              const lanes = full > 0 ? 4 : w;
              const d = upstream<Mode>(loadLanes(g, lanes), has_third<Mode>() ? loadLanes(y, lanes) : zero);
              if (has_third<Mode>()) {
                if (masked) storeLanes(k, d, lanes);
                k += step;
                y += step;
              }
              sum = f32x4.add(sum, d);
              q0 = madd(d, f32x4.sub(loadLanes(p, lanes), m), q0);
              p += step;
              g += step;
              full--;
            }
            if (part == 0) break;
            full = 0;
          }
          widen(acc, sum, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
          sum = zero;
          q0 = zero;
          q1 = zero;
          q2 = zero;
          q3 = zero;
        }
      }
      widen(acc, sum, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
      acc += ACCUMULATOR;
    }
  }
}

// @ts-ignore: decorator
@inline
function gradient<Mode>(d: v128, x: v128, m: v128, s: v128, slope: v128, level: v128): v128 {
  if (idof<Mode>() == idof<Constant>()) return f32x4.mul(d, s);
  return madd(d, s, madd(f32x4.sub(x, m), slope, level));
}

/**
 * dx = d·scale + (x − mean)·slope + level, slope and level at `lines`, [2, to − from]; Constant: dx = d·scale. dx may be d.
 * Images from the last to the first.
 */
export function dx_pass<Layout, Mode>(
  dx: usize, d: usize, x: usize, table: usize, lines: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const step = step_of<Layout>(c);
  const block = images_at_once(plane);
  const image = <usize>(c * plane) << 2;
  const row = <usize>c << 2;
  const constant = idof<Mode>() == idof<Constant>();
  for (let end = idof<Layout>() == idof<Matrix>() ? 1 : n; end > 0; end -= block) {
    const i = max(end - block, 0);
    for (let ch = from; ch < to; ch += width_of<Layout>()) {
      let at = <usize>((i * c + ch) * plane) << 2;
      const w = lanes_of<Layout>(plane, ch, to);
      const t = table + (<usize>ch << 2);
      const line = lines + (<usize>(ch - from) << 2);
      const s = spread<Layout>(t + 3 * row, w);
      const m = constant ? s : spread<Layout>(t, w);
      const slope = constant ? s : spread<Layout>(line, w);
      const level = constant ? s : spread<Layout>(line + (<usize>(to - from) << 2), w);
      for (let left = end - i; left > 0; left--) {
        let o = dx + at;
        let p = x + at;
        let g = d + at;
        at += image;
        let full = full_of<Layout>(n, plane, w);
        for (; full >= 4; full -= 4) {
          const x0 = constant ? s : v128.load(p);
          const x1 = constant ? s : load1<Layout>(p, step);
          const x2 = constant ? s : load2<Layout>(p, step);
          const x3 = constant ? s : load3<Layout>(p, step);
          const y0 = gradient<Mode>(v128.load(g), x0, m, s, slope, level);
          const y1 = gradient<Mode>(load1<Layout>(g, step), x1, m, s, slope, level);
          const y2 = gradient<Mode>(load2<Layout>(g, step), x2, m, s, slope, level);
          const y3 = gradient<Mode>(load3<Layout>(g, step), x3, m, s, slope, level);
          store4<Layout>(o, step, y0, y1, y2, y3);
          p += step << 2;
          g += step << 2;
          o += step << 2;
        }
        let rest = full + part_of<Layout>(n, w);
        for (; rest > 0; rest--) {
          const lanes = full > 0 ? 4 : w;
          const v = constant ? s : loadLanes(p, lanes);
          storeLanes(o, gradient<Mode>(loadLanes(g, lanes), v, m, s, slope, level), lanes);
          p += step;
          g += step;
          o += step;
          full--;
        }
      }
    }
  }
}
