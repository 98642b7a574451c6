/**
 * Adam and AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019), with or without AMSGrad (Reddi, Kale & Kumar 2018).
 * Bound by the divider, for which a root and a quotient of four elements are 8.5 of the 10 to 13 cycles they take.
 */
import {
  COUNT, decay_mask, decayed, ENTRY, exponent_bits, flush, GRAD, load_lanes, PARAM, SCALAR0, SCALAR1, STATE0, STATE1,
  STATE2, store_lanes, zero_bits,
} from "./optim";
import { madd } from "./simd";

/**
 * One step in every entry, as torch.optim.Adam's:
 *
 *   d = grad                                    negated if maximize
 *   d = d + weight_decay·param                  if weight_decay ≠ 0 (Adam)
 *   param = param·keep                          keep = 1 − lr·weightDecay (AdamW), else 1
 *   m = beta1·m + (1 − beta1)·d                 m is state0, flushed
 *   v = beta2·v + (1 − beta2)·d²                v is state1, flushed
 *   x = max(x, v)                               if amsgrad; x is state2; else x stands for v below
 *   param = param + scalar0·m / (√x·scalar1 + eps)
 *
 * scalar0 is −lr / (1 − beta1^step), scalar1 is 1 / √(1 − beta2^step).
 */
export function adam(
  table: usize, count: i32, beta1: f64, beta2: f64, eps: f64, weight_decay: f64, keep: f64, amsgrad: i32, maximize: i32,
): void {
  // With −d in the place of d only m changes its sign: into the constants with it, and the loops need not know.
  const rest1 = <f32>(maximize ? beta1 - 1 : 1 - beta1);
  const decay = <f32>(maximize ? -weight_decay : weight_decay);
  const rest2 = <f32>(1 - beta2);
  for (; count > 0; count--) {
    const g = load<usize>(table, GRAD);
    if (g) {
      const p = load<usize>(table, PARAM);
      const m = load<usize>(table, STATE0);
      const v = load<usize>(table, STATE1);
      const n = load<i32>(table, COUNT);
      const a = load<f32>(table, SCALAR0);
      const b = load<f32>(table, SCALAR1);
      if (amsgrad) {
        const x = load<usize>(table, STATE2);
        adam_amsgrad(p, g, m, v, x, n, a, b, <f32>beta1, rest1, <f32>beta2, rest2, <f32>eps, decay, <f32>keep);
      } else {
        adam_plain(p, g, m, v, n, a, b, <f32>beta1, rest1, <f32>beta2, rest2, <f32>eps, decay, <f32>keep);
      }
    }
    table += ENTRY;
  }
}

// Exported so that both builds keep them as functions (scripts/embed.mjs).

export function adam_plain(
  p: usize, g: usize, m: usize, v: usize, n: i32, a: f32, b: f32, beta1: f32, rest1: f32, beta2: f32, rest2: f32,
  eps: f32, decay: f32, keep: f32,
): void {
  adam_loop(p, g, m, v, 0, n, a, b, beta1, rest1, beta2, rest2, eps, decay, keep, false);
}

export function adam_amsgrad(
  p: usize, g: usize, m: usize, v: usize, x: usize, n: i32, a: f32, b: f32, beta1: f32, rest1: f32, beta2: f32,
  rest2: f32, eps: f32, decay: f32, keep: f32,
): void {
  adam_loop(p, g, m, v, x, n, a, b, beta1, rest1, beta2, rest2, eps, decay, keep, true);
}

// @ts-ignore: decorator
@inline
function adam_loop(
  p: usize, g: usize, m: usize, v: usize, x: usize, n: i32, a: f32, b: f32, beta1: f32, rest1: f32, beta2: f32,
  rest2: f32, eps: f32, weight_decay: f32, keep: f32, amsgrad: bool,
): void {
  const a4 = f32x4.splat(a);
  const b4 = f32x4.splat(b);
  const first = f32x4.splat(beta1);
  const rest_first = f32x4.splat(rest1);
  const second = f32x4.splat(beta2);
  const rest_second = f32x4.splat(rest2);
  const epsilon = f32x4.splat(eps);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const kept = f32x4.splat(keep);
  const exponent = exponent_bits(n);
  const zero = zero_bits(n);
  for (const end = p + ((<usize>n & ~3) << 2); p < end; p += 16) {
    adam_lanes(
      p, g, m, v, x, 4, a4, b4, first, rest_first, second, rest_second, epsilon, decay, mask, kept, exponent, zero,
      amsgrad,
    );
    g += 16;
    m += 16;
    v += 16;
    if (amsgrad) x += 16;
  }
  if (n & 3) {
    adam_lanes(
      p, g, m, v, x, n & 3, a4, b4, first, rest_first, second, rest_second, epsilon, decay, mask, kept, exponent, zero,
      amsgrad,
    );
  }
}

/** The step for the 1 to 4 elements at p, g, m, v and x. */
// @ts-ignore: decorator
@inline
function adam_lanes(
  p: usize, g: usize, m: usize, v: usize, x: usize, lanes: i32, a: v128, b: v128, first: v128, rest_first: v128,
  second: v128, rest_second: v128, epsilon: v128, decay: v128, mask: v128, kept: v128, exponent: v128, zero: v128,
  amsgrad: bool,
): void {
  const param = load_lanes(p, lanes);
  const d = decayed(load_lanes(g, lanes), param, decay, mask);
  const mean = flush(madd(rest_first, d, f32x4.mul(first, load_lanes(m, lanes))), exponent, zero);
  const square = flush(madd(f32x4.mul(rest_second, d), d, f32x4.mul(second, load_lanes(v, lanes))), exponent, zero);
  store_lanes(m, mean, lanes);
  store_lanes(v, square, lanes);
  let largest = square;
  if (amsgrad) {
    // pmax(a, b) is a < b ? b : a: a NaN of v stays, and once there it is in every later v.
    largest = f32x4.pmax(square, load_lanes(x, lanes));
    store_lanes(x, largest, lanes);
  }
  const denominator = madd(f32x4.sqrt(largest), b, epsilon);
  store_lanes(p, f32x4.add(f32x4.mul(param, kept), f32x4.div(f32x4.mul(a, mean), denominator)), lanes);
}
