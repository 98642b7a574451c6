/**
 * softmax and log_softmax over the middle of contiguous [outer, r, inner], and their backward passes from the outputs.
 *
 *   softmax      y = e^(x − m) / Σ e^(x − m)        dx = y·(dy − Σ dy·y)
 *   log_softmax  y = x − m − log Σ e^(x − m)        dx = dy − e^y·Σ dy
 *
 * with m the maximum over r. A row that is all −Inf, or has +Inf or NaN, gives NaN, as in PyTorch. Rows (inner = 1) go
 * four neighbours at a time, columns in strips of four; what is left of either goes through partial loads and stores
 * (accumulate.ts, "Runs"). Outputs may be the inputs.
 */
import { Largest, expNonPositive, expSumRun, high, hsumF64, loadPart, maxRun, narrow, storePart } from "./accumulate";
import { log1p } from "./math";

class Plain {}
class Log {}

function forwardRun<Op>(out: usize, x: usize, full: i32, part: i32, step: usize, w: i32, row: bool): void {
  const m = maxRun<Largest>(x, full, part, step, w, row);
  if (idof<Op>() == idof<Plain>()) {
    const one = f32x4.splat(1);
    const scale = f32x4.div(one, f32x4.add(one, expSumRun(out, x, full, part, step, w, row, m)));
    for (; full > 0; full--, out += step) v128.store(out, f32x4.mul(v128.load(out), scale));
    for (; part > 0; part--, out += step) storePart(out, f32x4.mul(loadPart(out, w), scale), w);
  } else {
    const l = log1p(expSumRun(0, x, full, part, step, w, row, m));
    for (; full > 0; full--, x += step, out += step) v128.store(out, f32x4.sub(f32x4.sub(v128.load(x), m), l));
    for (; part > 0; part--, x += step, out += step) {
      storePart(out, f32x4.sub(f32x4.sub(loadPart(x, w), m), l), w);
    }
  }
}

/** Σ dy·y of softmax, Σ dy of log_softmax, along a run. */
// @ts-ignore: decorator
@inline
function term<Op>(dy: v128, y: v128): v128 {
  return idof<Op>() == idof<Plain>() ? f32x4.mul(dy, y) : dy;
}

// @ts-ignore: decorator
@inline
function gradient<Op>(dy: v128, y: v128, s: v128): v128 {
  if (idof<Op>() == idof<Plain>()) return f32x4.mul(y, f32x4.sub(dy, s));
  return f32x4.sub(dy, f32x4.mul(expNonPositive(y), s));
}

function backwardRun<Op>(
  dx: usize,
  dout: usize,
  out: usize,
  full: i32,
  part: i32,
  step: usize,
  w: i32,
  row: bool,
): void {
  let s0 = f64x2.splat(0);
  let s1 = s0;
  let at: usize = 0;
  for (let i = full; i > 0; i--, at += step) {
    const v = term<Op>(v128.load(dout + at), v128.load(out + at));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(v)));
  }
  for (let i = part; i > 0; i--, at += step) {
    const v = term<Op>(loadPart(dout + at, w), loadPart(out + at, w));
    s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
    s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(v)));
  }
  if (row) {
    s0 = f64x2.splat(hsumF64(f64x2.add(s0, s1)));
    s1 = s0;
  }
  const s = narrow(s0, s1);
  at = 0;
  for (; full > 0; full--, at += step) {
    v128.store(dx + at, gradient<Op>(v128.load(dout + at), v128.load(out + at), s));
  }
  for (; part > 0; part--, at += step) {
    storePart(dx + at, gradient<Op>(loadPart(dout + at, w), loadPart(out + at, w), s), w);
  }
}

/** Every run of [outer, r, inner]; y = 0 is the forward pass (out, x), else the backward (dx, dout, y). */
function runs<Op>(a: usize, b: usize, y: usize, outer: i32, r: i32, inner: i32): void {
  const backward = y != 0;
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  let at: usize = 0;
  for (; outer > 0; outer--) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const part = row ? i32(w > 0) : r - full;
      if (backward) backwardRun<Op>(a + at, b + at, y + at, full, part, step, w, row);
      else forwardRun<Op>(a + at, b + at, full, part, step, w, row);
      at += <usize>(row ? r : lanes) << 2;
    }
    if (!row) at += <usize>(r - 1) * step;
  }
}

/** out = softmax of x over r; both [outer, r, inner]. */
export function softmax(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  if (r > 0) runs<Plain>(out, x, 0, outer, r, inner);
}

/** dx = out · (dout − Σ dout·out). */
export function softmax_backward(dx: usize, dout: usize, out: usize, outer: i32, r: i32, inner: i32): void {
  if (r > 0) runs<Plain>(dx, dout, out, outer, r, inner);
}

/** out = log of the softmax of x over r, without forming the softmax. */
export function log_softmax(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  if (r > 0) runs<Log>(out, x, 0, outer, r, inner);
}

/** dx = dout − e^out · Σ dout. */
export function log_softmax_backward(dx: usize, dout: usize, out: usize, outer: i32, r: i32, inner: i32): void {
  if (r > 0) runs<Log>(dx, dout, out, outer, r, inner);
}
