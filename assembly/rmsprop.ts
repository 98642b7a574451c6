/**
 * RMSprop (Hinton, "Neural Networks for Machine Learning", lecture 6e, 2012), centered as in Graves 2013, or not.
 */
import {
  COUNT, decay_mask, decayed, ENTRY, exponent_bits, flush, GRAD, load_lanes, PARAM, STATE0, STATE1, STATE2, store_lanes,
  zero_bits,
} from "./optim";
import { madd } from "./simd";

/**
 * One step in every entry, as torch.optim.RMSprop's:
 *
 *   d = grad                               negated if maximize
 *   d = d + weight_decay·param             if weight_decay ≠ 0
 *   v = alpha·v + (1 − alpha)·d²           v is state0, flushed
 *   a = alpha·a + (1 − alpha)·d            if centered; a is state1, flushed
 *   r = √(v − a²) + eps                    or √v + eps; see rmsprop_lanes for v < a²
 *   m = momentum·m + d/r                   if momentum ≠ 0; m is state2, flushed
 *   param = param − lr·m                   or param − lr·d/r
 */
export function rmsprop(
  table: usize, count: i32, lr: f64, alpha: f64, eps: f64, weight_decay: f64, momentum: f64, centered: i32, maximize: i32,
): void {
  const rest = <f32>(1 - alpha);
  const sign: f32 = maximize ? -1 : 1;
  for (; count > 0; count--) {
    const g = load<usize>(table, GRAD);
    if (g) {
      const p = load<usize>(table, PARAM);
      const v = load<usize>(table, STATE0);
      const a = load<usize>(table, STATE1);
      const m = load<usize>(table, STATE2);
      const n = load<i32>(table, COUNT);
      const mu = <f32>momentum;
      const l = <f32>-lr;
      const e = <f32>eps;
      const w = <f32>weight_decay;
      if (centered) {
        if (mu != 0) rmsprop_centered_momentum(p, g, v, a, m, n, l, <f32>alpha, rest, e, w, mu, sign);
        else rmsprop_centered(p, g, v, a, n, l, <f32>alpha, rest, e, w, sign);
      } else {
        if (mu != 0) rmsprop_momentum(p, g, v, m, n, l, <f32>alpha, rest, e, w, mu, sign);
        else rmsprop_plain(p, g, v, n, l, <f32>alpha, rest, e, w, sign);
      }
    }
    table += ENTRY;
  }
}

// Exported so that both builds keep them as functions (scripts/embed.mjs).

export function rmsprop_plain(
  p: usize, g: usize, v: usize, n: i32, minus_lr: f32, alpha: f32, rest: f32, eps: f32, weight_decay: f32, sign: f32,
): void {
  rmsprop_loop(p, g, v, 0, 0, n, minus_lr, alpha, rest, eps, weight_decay, 0, sign, false, false);
}

export function rmsprop_momentum(
  p: usize, g: usize, v: usize, m: usize, n: i32, minus_lr: f32, alpha: f32, rest: f32, eps: f32, weight_decay: f32,
  momentum: f32, sign: f32,
): void {
  rmsprop_loop(p, g, v, 0, m, n, minus_lr, alpha, rest, eps, weight_decay, momentum, sign, false, true);
}

export function rmsprop_centered(
  p: usize, g: usize, v: usize, a: usize, n: i32, minus_lr: f32, alpha: f32, rest: f32, eps: f32, weight_decay: f32,
  sign: f32,
): void {
  rmsprop_loop(p, g, v, a, 0, n, minus_lr, alpha, rest, eps, weight_decay, 0, sign, true, false);
}

export function rmsprop_centered_momentum(
  p: usize, g: usize, v: usize, a: usize, m: usize, n: i32, minus_lr: f32, alpha: f32, rest: f32, eps: f32,
  weight_decay: f32, momentum: f32, sign: f32,
): void {
  rmsprop_loop(p, g, v, a, m, n, minus_lr, alpha, rest, eps, weight_decay, momentum, sign, true, true);
}

// @ts-ignore: decorator
@inline
function rmsprop_loop(
  p: usize, g: usize, v: usize, a: usize, m: usize, n: i32, minus_lr: f32, alpha: f32, rest: f32, eps: f32,
  weight_decay: f32, momentum: f32, sign: f32, centered: bool, moving: bool,
): void {
  const lr = f32x4.splat(minus_lr);
  const keep = f32x4.splat(alpha);
  const add = f32x4.splat(rest);
  const epsilon = f32x4.splat(eps);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const mu = f32x4.splat(momentum);
  const signs = f32x4.splat(sign);
  const exponent = exponent_bits(n);
  const zero = zero_bits(n);
  for (const end = p + ((<usize>n & ~3) << 2); p < end; p += 16) {
    rmsprop_lanes(
      p, g, v, a, m, 4, lr, keep, add, epsilon, decay, mask, mu, signs, exponent, zero, centered, moving,
    );
    g += 16;
    v += 16;
    if (centered) a += 16;
    if (moving) m += 16;
  }
  if (n & 3) {
    rmsprop_lanes(
      p, g, v, a, m, n & 3, lr, keep, add, epsilon, decay, mask, mu, signs, exponent, zero, centered, moving,
    );
  }
}

/** The step for the 1 to 4 elements at p, g, v, a and m. */
// @ts-ignore: decorator
@inline
function rmsprop_lanes(
  p: usize, g: usize, v: usize, a: usize, m: usize, lanes: i32, lr: v128, keep: v128, add: v128, epsilon: v128,
  decay: v128, mask: v128, mu: v128, signs: v128, exponent: v128, zero: v128, centered: bool, moving: bool,
): void {
  const param = load_lanes(p, lanes);
  const d = decayed(f32x4.mul(load_lanes(g, lanes), signs), param, decay, mask);
  const square = flush(madd(f32x4.mul(add, d), d, f32x4.mul(keep, load_lanes(v, lanes))), exponent, zero);
  store_lanes(v, square, lanes);
  let variance = square;
  if (centered) {
    const mean = flush(madd(add, d, f32x4.mul(keep, load_lanes(a, lanes))), exponent, zero);
    store_lanes(a, mean, lanes);
    // Where gradients hardly vary, rounding may leave less than 0, whose root is NaN: that is 0. pmax(a, b) is a < b ? b : a
    // and keeps a NaN of the gradients.
    variance = f32x4.pmax(f32x4.sub(square, f32x4.mul(mean, mean)), zero);
  }
  const root = f32x4.add(f32x4.sqrt(variance), epsilon);
  if (moving) {
    const moved = flush(f32x4.add(f32x4.mul(mu, load_lanes(m, lanes)), f32x4.div(d, root)), exponent, zero);
    store_lanes(m, moved, lanes);
    store_lanes(p, madd(lr, moved, param), lanes);
  } else {
    store_lanes(p, f32x4.add(param, f32x4.div(f32x4.mul(lr, d), root)), lanes);
  }
}
