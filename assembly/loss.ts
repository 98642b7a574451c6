/**
 * Elementwise losses; those of classifiers are in class-loss.ts and class-loss-probs.ts.
 *
 * Every backward takes `dloss` with a stride: 1 for a gradient a sample or element (reduction "none"), 0 for the one
 * gradient of "sum" and "mean", and a `scale` that is 1, or for "mean" 1 / its divisor.
 *
 * value<Op> is the loss and slope<Op> its derivative at prediction x and target t; a is beta or delta. Two drivers
 * make of them X (a loss an element), X_sum (Σ / divisor: 1 for "sum", n for "mean") and X_backward. The gradient for
 * the target of the symmetric losses (mse, l1, smooth_l1, huber) is the negative: X_backward with −scale.
 */
import { SUM_STEPS, expNonPositive, hsumF64, laneMask, loadLanes, storeLanes, widenAdd } from "./accumulate";
import { exp, log, log1p, sigmoid } from "./math";
import { madd } from "./simd";

class Mse {}
class L1 {}
class SmoothL1 {}
class Huber {}
class Bce {}
class BceTarget {}
class Logits {}
class LogitsTarget {}
class Kl {}
class KlTarget {}
class KlLog {}
class KlLogTarget {}

/**
 * log(1 + e^−x) = max(−x, 0) + log(1 + z), z = e^−|x|. As z lies in [0, 1] its logarithm is 2·atanh(s), s = z / (2 + z)
 * ≤ ⅓, by the series to s¹³: relative error below 3e-8, a third of log1p's instructions, and no special cases.
 */
// @ts-ignore: decorator
@inline
function softplusNegative(x: v128, zero: i32): v128 {
  const z = expNonPositive(v128.or(x, f32x4.splat(-0.0)), zero);
  const s = f32x4.div(z, f32x4.add(z, f32x4.splat(2)));
  const q = f32x4.mul(s, s);
  let p = madd(q, f32x4.splat(1.0 / 13), f32x4.splat(1.0 / 11));
  p = madd(p, q, f32x4.splat(1.0 / 9));
  p = madd(p, q, f32x4.splat(1.0 / 7));
  p = madd(p, q, f32x4.splat(1.0 / 5));
  p = madd(p, q, f32x4.splat(1.0 / 3));
  const s2 = f32x4.add(s, s);
  const tail = madd(f32x4.mul(p, q), s2, s2);
  return f32x4.add(tail, f32x4.max(f32x4.neg(x), f32x4.splat(0)));
}

/** `posWeight` counts for bce_with_logits alone. */
// @ts-ignore: decorator
@inline
function value<Op>(x: v128, t: v128, a: v128, posWeight: v128, zero: i32): v128 {
  if (idof<Op>() == idof<Bce>()) {
    // Each logarithm is cut at −100, so that a wrong certainty costs 100 and not Inf.
    const floor = f32x4.splat(-100);
    const yes = f32x4.max(log(x, zero), floor);
    const no = f32x4.max(log1p(f32x4.neg(x), zero), floor);
    return f32x4.sub(f32x4.mul(f32x4.sub(t, f32x4.splat(1)), no), f32x4.mul(t, yes));
  }
  if (idof<Op>() == idof<Logits>()) {
    const one = f32x4.splat(1);
    const w = f32x4.add(f32x4.mul(f32x4.sub(posWeight, one), t), one);
    return f32x4.add(f32x4.mul(f32x4.sub(one, t), x), f32x4.mul(w, softplusNegative(x, zero)));
  }
  if (idof<Op>() == idof<Kl>()) {
    // t·log t is 0 at t = 0; t·x is not when x is −Inf.
    const entropy = v128.andnot(f32x4.mul(t, log(t, zero)), f32x4.eq(t, f32x4.splat(0)));
    return f32x4.sub(entropy, f32x4.mul(t, x));
  }
  const d = f32x4.sub(x, t);
  if (idof<Op>() == idof<KlLog>()) return f32x4.neg(f32x4.mul(exp(t, zero), d));
  if (idof<Op>() == idof<Mse>()) return f32x4.mul(d, d);
  const z = f32x4.abs(d);
  if (idof<Op>() == idof<L1>()) return z;
  const half = f32x4.splat(0.5);
  if (idof<Op>() == idof<Huber>()) {
    const far = f32x4.mul(a, f32x4.sub(z, f32x4.mul(half, a)));
    return v128.bitselect(f32x4.mul(f32x4.mul(half, z), z), far, f32x4.le(z, a));
  }
  const near = f32x4.div(f32x4.mul(f32x4.mul(half, z), z), a);
  return v128.bitselect(near, f32x4.sub(z, f32x4.mul(half, a)), f32x4.lt(z, a));
}

// @ts-ignore: decorator
@inline
function slope<Op>(x: v128, t: v128, a: v128, posWeight: v128, zero: i32): v128 {
  const one = f32x4.splat(1);
  if (idof<Op>() == idof<Bce>()) {
    const room = f32x4.max(f32x4.mul(f32x4.sub(one, x), x), f32x4.splat(1e-12));
    return f32x4.div(f32x4.sub(x, t), room);
  }
  if (idof<Op>() == idof<BceTarget>()) return f32x4.sub(log1p(f32x4.neg(x), zero), log(x, zero));
  if (idof<Op>() == idof<Logits>()) {
    const w = f32x4.mul(posWeight, t);
    return f32x4.sub(f32x4.mul(f32x4.sub(f32x4.add(w, one), t), sigmoid(x, zero)), w);
  }
  if (idof<Op>() == idof<LogitsTarget>()) {
    // Without posWeight exactly −x, also where 0·softplus would be NaN.
    const extra = f32x4.mul(f32x4.sub(posWeight, one), softplusNegative(x, zero));
    return f32x4.sub(v128.andnot(extra, f32x4.eq(posWeight, one)), x);
  }
  if (idof<Op>() == idof<Kl>()) return f32x4.neg(t);
  // t/t is 1, and NaN at t = 0, as PyTorch has it.
  if (idof<Op>() == idof<KlTarget>()) return f32x4.sub(f32x4.add(log(t, zero), f32x4.div(t, t)), x);
  if (idof<Op>() == idof<KlLog>()) return f32x4.neg(exp(t, zero));
  const d = f32x4.sub(x, t);
  if (idof<Op>() == idof<KlLogTarget>()) return f32x4.mul(exp(t, zero), f32x4.sub(one, d));
  if (idof<Op>() == idof<Mse>()) return f32x4.add(d, d);
  if (idof<Op>() == idof<L1>()) {
    // sign(d): 0 at 0 and for NaN.
    const zero = f32x4.splat(0);
    return v128.or(
      v128.and(f32x4.gt(d, zero), one),
      v128.and(f32x4.lt(d, zero), f32x4.splat(-1)),
    );
  }
  if (idof<Op>() == idof<Huber>()) return f32x4.max(f32x4.min(d, a), f32x4.neg(a));
  return f32x4.max(f32x4.min(f32x4.div(d, a), one), f32x4.splat(-1));
}

/** Elements that have weights: bce, and bce_with_logits, whose positives may have one more. 0 stands for all ones. */
// @ts-ignore: decorator
@inline
function weighted<Op>(): bool {
  return (
    idof<Op>() == idof<Bce>() ||
    idof<Op>() == idof<BceTarget>() ||
    idof<Op>() == idof<Logits>() ||
    idof<Op>() == idof<LogitsTarget>()
  );
}

// @ts-ignore: decorator
@inline
function loadOr1(p: usize, at: usize, w: i32): v128 {
  return p ? loadLanes(p + at, w) : f32x4.splat(1);
}

/** Losses of a few instructions, whose loop is worth having twice: without tails, and for the end. */
// @ts-ignore: decorator
@inline
function light<Op>(): bool {
  return (
    idof<Op>() == idof<Mse>() ||
    idof<Op>() == idof<L1>() ||
    idof<Op>() == idof<SmoothL1>() ||
    idof<Op>() == idof<Huber>()
  );
}

/** each: a loss an element in out; else out is one float, Σ / divisor. */
function forward<Op>(
  out: usize,
  x: usize,
  t: usize,
  weight: usize,
  posWeight: usize,
  a: f32,
  n: i32,
  each: bool,
  divisor: f64,
): void {
  const parameter = f32x4.splat(a);
  let s = f64x2.splat(0);
  if (light<Op>()) {
    while (n >= 8) {
      let steps = min(n >> 3, SUM_STEPS);
      n -= steps << 3;
      let sum = f32x4.splat(0);
      do {
        const v = value<Op>(v128.load(x), v128.load(t), parameter, parameter, 0);
        const u = value<Op>(v128.load(x, 16), v128.load(t, 16), parameter, parameter, 0);
        x += 32;
        t += 32;
        if (each) {
          v128.store(out, v);
          v128.store(out, u, 16);
          out += 32;
        } else {
          sum = f32x4.add(sum, f32x4.add(v, u));
        }
      } while (--steps > 0);
      s = widenAdd(s, sum);
    }
  }
  if (n > 0) {
    // One way out, at the end, and constants out of an opaque zero: math.ts, layout.ts.
    const zero = n >> 31;
    let at: usize = 0;
    do {
      const pw = idof<Op>() == idof<Logits>() ? loadOr1(posWeight, at, n) : parameter;
      let v = value<Op>(loadLanes(x + at, n), loadLanes(t + at, n), parameter, pw, zero);
      if (weighted<Op>()) v = f32x4.mul(v, loadOr1(weight, at, n));
      if (each) storeLanes(out + at, v, n);
      else s = widenAdd(s, v128.and(v, laneMask(n)));
      at += 16;
      n -= 4;
    } while (n > 0);
  }
  if (!each) store<f32>(out, <f32>(hsumF64(s) / divisor));
}

function backward<Op>(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  weight: usize,
  posWeight: usize,
  a: f32,
  scale: f32,
  n: i32,
): void {
  if (n <= 0) return;
  const parameter = f32x4.splat(a);
  const factor = f32x4.splat(dloss_stride ? scale : load<f32>(dloss) * scale);
  let at: usize = 0;
  if (light<Op>() && !dloss_stride) {
    for (; n >= 8; n -= 8, at += 32) {
      const v = slope<Op>(v128.load(x + at), v128.load(t + at), parameter, parameter, 0);
      const u = slope<Op>(v128.load(x + at, 16), v128.load(t + at, 16), parameter, parameter, 0);
      v128.store(dx + at, f32x4.mul(factor, v));
      v128.store(dx + at, f32x4.mul(factor, u), 16);
    }
    if (n == 0) return;
  }
  const zero = n >> 31;
  const logits = idof<Op>() == idof<Logits>() || idof<Op>() == idof<LogitsTarget>();
  do {
    const pw = logits ? loadOr1(posWeight, at, n) : parameter;
    let v = slope<Op>(loadLanes(x + at, n), loadLanes(t + at, n), parameter, pw, zero);
    if (weighted<Op>()) v = f32x4.mul(v, loadOr1(weight, at, n));
    let g = factor;
    if (dloss_stride) g = f32x4.mul(g, loadLanes(dloss + at, n));
    storeLanes(dx + at, f32x4.mul(g, v), n);
    at += 16;
    n -= 4;
  } while (n > 0);
}

/** out = (x − t)²; n elements. */
export function mse_loss(out: usize, x: usize, t: usize, n: i32): void {
  forward<Mse>(out, x, t, 0, 0, 0, n, true, 1);
}

/** out (one float) = Σ mse_loss / divisor. */
export function mse_loss_sum(out: usize, x: usize, t: usize, n: i32, divisor: f64): void {
  forward<Mse>(out, x, t, 0, 0, 0, n, false, divisor);
}

/** dx = dloss·scale·slope. */
export function mse_loss_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  scale: f32,
  n: i32,
): void {
  backward<Mse>(dx, dloss, dloss_stride, x, t, 0, 0, 0, scale, n);
}

/** out = |x − t|; its slope at 0 is 0; n elements. */
export function l1_loss(out: usize, x: usize, t: usize, n: i32): void {
  forward<L1>(out, x, t, 0, 0, 0, n, true, 1);
}

/** out (one float) = Σ l1_loss / divisor. */
export function l1_loss_sum(out: usize, x: usize, t: usize, n: i32, divisor: f64): void {
  forward<L1>(out, x, t, 0, 0, 0, n, false, divisor);
}

/** dx = dloss·scale·slope. */
export function l1_loss_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  scale: f32,
  n: i32,
): void {
  backward<L1>(dx, dloss, dloss_stride, x, t, 0, 0, 0, scale, n);
}

/** out = ½d²/beta for |d| < beta, else |d| − ½beta; d = x − t. beta = 0 is l1_loss: call that; n elements. */
export function smooth_l1_loss(out: usize, x: usize, t: usize, beta: f32, n: i32): void {
  forward<SmoothL1>(out, x, t, 0, 0, beta, n, true, 1);
}

/** out (one float) = Σ smooth_l1_loss / divisor. */
export function smooth_l1_loss_sum(out: usize, x: usize, t: usize, beta: f32, n: i32, divisor: f64): void {
  forward<SmoothL1>(out, x, t, 0, 0, beta, n, false, divisor);
}

/** dx = dloss·scale·slope. */
export function smooth_l1_loss_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  beta: f32,
  scale: f32,
  n: i32,
): void {
  backward<SmoothL1>(dx, dloss, dloss_stride, x, t, 0, 0, beta, scale, n);
}

/** out = ½d² for |d| ≤ delta, else delta·(|d| − ½delta); d = x − t; n elements. */
export function huber_loss(out: usize, x: usize, t: usize, delta: f32, n: i32): void {
  forward<Huber>(out, x, t, 0, 0, delta, n, true, 1);
}

/** out (one float) = Σ huber_loss / divisor. */
export function huber_loss_sum(out: usize, x: usize, t: usize, delta: f32, n: i32, divisor: f64): void {
  forward<Huber>(out, x, t, 0, 0, delta, n, false, divisor);
}

/** dx = dloss·scale·slope. */
export function huber_loss_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  delta: f32,
  scale: f32,
  n: i32,
): void {
  backward<Huber>(dx, dloss, dloss_stride, x, t, 0, 0, delta, scale, n);
}

/** Index of the first of n floats outside [0, 1] (or NaN), which binary_cross_entropy refuses; −1 when all are good. */
export function check_unit_interval(x: usize, n: i32): i32 {
  for (let i = 0; i < n; i++, x += 4) {
    const v = load<f32>(x);
    if (!(v >= 0 && v <= 1)) return i;
  }
  return -1;
}

/** out = −w·(t·log x + (1 − t)·log(1 − x)), logarithms cut at −100; weight (n floats) or 0. */
export function binary_cross_entropy(out: usize, x: usize, t: usize, weight: usize, n: i32): void {
  forward<Bce>(out, x, t, weight, 0, 0, n, true, 1);
}

/** out (one float) = Σ binary_cross_entropy / divisor. */
export function binary_cross_entropy_sum(
  out: usize,
  x: usize,
  t: usize,
  weight: usize,
  n: i32,
  divisor: f64,
): void {
  forward<Bce>(out, x, t, weight, 0, 0, n, false, divisor);
}

/** dx = dloss·scale·w·(x − t) / max(x·(1 − x), 1e-12). */
export function binary_cross_entropy_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  weight: usize,
  scale: f32,
  n: i32,
): void {
  backward<Bce>(dx, dloss, dloss_stride, x, t, weight, 0, 0, scale, n);
}

/** dt = dloss·scale·w·(log(1 − x) − log x), not cut, as in PyTorch. */
export function binary_cross_entropy_target_backward(
  dt: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  weight: usize,
  scale: f32,
  n: i32,
): void {
  backward<BceTarget>(dt, dloss, dloss_stride, x, x, weight, 0, 0, scale, n);
}

/** out = w·((1 − t)·x + (1 + (pw − 1)·t)·log(1 + e^−x)); weight and pos_weight (n floats each) or 0. */
export function binary_cross_entropy_with_logits(
  out: usize,
  x: usize,
  t: usize,
  weight: usize,
  pos_weight: usize,
  n: i32,
): void {
  forward<Logits>(out, x, t, weight, pos_weight, 0, n, true, 1);
}

/** out (one float) = Σ binary_cross_entropy_with_logits / divisor. */
export function binary_cross_entropy_with_logits_sum(
  out: usize,
  x: usize,
  t: usize,
  weight: usize,
  pos_weight: usize,
  n: i32,
  divisor: f64,
): void {
  forward<Logits>(out, x, t, weight, pos_weight, 0, n, false, divisor);
}

/** dx = dloss·scale·w·((pw·t + 1 − t)·sigmoid(x) − pw·t). */
export function binary_cross_entropy_with_logits_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  weight: usize,
  pos_weight: usize,
  scale: f32,
  n: i32,
): void {
  backward<Logits>(dx, dloss, dloss_stride, x, t, weight, pos_weight, 0, scale, n);
}

/** dt = dloss·scale·w·((pw − 1)·log(1 + e^−x) − x). */
export function binary_cross_entropy_with_logits_target_backward(
  dt: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  weight: usize,
  pos_weight: usize,
  scale: f32,
  n: i32,
): void {
  backward<LogitsTarget>(dt, dloss, dloss_stride, x, x, weight, pos_weight, 0, scale, n);
}

/** out = t·(log t − x), or e^t·(t − x) where log_target: x holds log-probabilities, t probabilities or their logarithms. */
export function kl_div(out: usize, x: usize, t: usize, log_target: i32, n: i32): void {
  if (log_target) forward<KlLog>(out, x, t, 0, 0, 0, n, true, 1);
  else forward<Kl>(out, x, t, 0, 0, 0, n, true, 1);
}

/** out (one float) = Σ kl_div / divisor. */
export function kl_div_sum(out: usize, x: usize, t: usize, log_target: i32, n: i32, divisor: f64): void {
  if (log_target) forward<KlLog>(out, x, t, 0, 0, 0, n, false, divisor);
  else forward<Kl>(out, x, t, 0, 0, 0, n, false, divisor);
}

/** dx = −dloss·scale·t, or −dloss·scale·e^t where log_target. */
export function kl_div_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  t: usize,
  log_target: i32,
  scale: f32,
  n: i32,
): void {
  if (log_target) backward<KlLog>(dx, dloss, dloss_stride, t, t, 0, 0, 0, scale, n);
  else backward<Kl>(dx, dloss, dloss_stride, t, t, 0, 0, 0, scale, n);
}

/** dt = dloss·scale·(log t + 1 − x), or dloss·scale·e^t·(t + 1 − x) where log_target. */
export function kl_div_target_backward(
  dt: usize,
  dloss: usize,
  dloss_stride: i32,
  x: usize,
  t: usize,
  log_target: i32,
  scale: f32,
  n: i32,
): void {
  if (log_target) backward<KlLogTarget>(dt, dloss, dloss_stride, x, t, 0, 0, 0, scale, n);
  else backward<KlTarget>(dt, dloss, dloss_stride, x, t, 0, 0, 0, scale, n);
}
