/** Adagrad (Duchi, Hazan & Singer 2011). */
import {
  COUNT, decay_mask, decayed, ENTRY, exponent_bits, flush, GRAD, load_lanes, PARAM, SCALAR0, STATE0, store_lanes,
  zero_bits,
} from "./optim";
import { madd } from "./simd";

/**
 * One step in every entry, as torch.optim.Adagrad's:
 *
 *   d = grad                                  negated if maximize
 *   d = d + weight_decay·param                if weight_decay ≠ 0
 *   s = s + d²                                s is state0, flushed
 *   param = param + scalar0·d / (√s + eps)
 *
 * scalar0 is −lr / (1 + (step − 1)·lrDecay).
 */
export function adagrad(table: usize, count: i32, eps: f64, weight_decay: f64, maximize: i32): void {
  const sign: f32 = maximize ? -1 : 1;
  for (; count > 0; count--) {
    const g = load<usize>(table, GRAD);
    if (g) {
      const n = load<i32>(table, COUNT);
      const p = load<usize>(table, PARAM);
      const s = load<usize>(table, STATE0);
      adagrad_loop(p, g, s, n, load<f32>(table, SCALAR0), <f32>eps, <f32>weight_decay, sign);
    }
    table += ENTRY;
  }
}

// Exported so that both builds keep it as a function (scripts/embed.mjs).
export function adagrad_loop(
  p: usize, g: usize, s: usize, n: i32, rate: f32, eps: f32, weight_decay: f32, sign: f32,
): void {
  const rates = f32x4.splat(rate);
  const epsilon = f32x4.splat(eps);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const signs = f32x4.splat(sign);
  const exponent = exponent_bits(n);
  const zero = zero_bits(n);
  for (const end = p + ((<usize>n & ~3) << 2); p < end; p += 16) {
    adagrad_lanes(p, g, s, 4, rates, epsilon, decay, mask, signs, exponent, zero);
    g += 16;
    s += 16;
  }
  if (n & 3) adagrad_lanes(p, g, s, n & 3, rates, epsilon, decay, mask, signs, exponent, zero);
}

/** The step for the 1 to 4 elements at p, g and s. */
// @ts-ignore: decorator
@inline
function adagrad_lanes(
  p: usize, g: usize, s: usize, lanes: i32, rates: v128, epsilon: v128, decay: v128, mask: v128, signs: v128,
  exponent: v128, zero: v128,
): void {
  const param = load_lanes(p, lanes);
  const d = decayed(f32x4.mul(load_lanes(g, lanes), signs), param, decay, mask);
  const sum = flush(madd(d, d, load_lanes(s, lanes)), exponent, zero);
  store_lanes(s, sum, lanes);
  const root = f32x4.add(f32x4.sqrt(sum), epsilon);
  store_lanes(p, f32x4.add(param, f32x4.div(f32x4.mul(rates, d), root)), lanes);
}
