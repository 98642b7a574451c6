/** Adadelta (Zeiler 2012). */
import {
  COUNT, decay_mask, decayed, ENTRY, exponent_bits, flush, GRAD, load_lanes, PARAM, STATE0, STATE1, store_lanes,
  zero_bits,
} from "./optim";
import { madd } from "./simd";

/**
 * One step in every entry, as torch.optim.Adadelta's:
 *
 *   d = grad                                  negated if maximize
 *   d = d + weight_decay·param                if weight_decay ≠ 0
 *   v = rho·v + (1 − rho)·d²                  v is state0, flushed
 *   u = √(a + eps) / √(v + eps) · d
 *   a = rho·a + (1 − rho)·u²                  a is state1, flushed
 *   param = param − lr·u
 */
export function adadelta(
  table: usize, count: i32, lr: f64, rho: f64, eps: f64, weight_decay: f64, maximize: i32,
): void {
  const rest = <f32>(1 - rho);
  const sign: f32 = maximize ? -1 : 1;
  for (; count > 0; count--) {
    const g = load<usize>(table, GRAD);
    if (g) {
      const n = load<i32>(table, COUNT);
      const p = load<usize>(table, PARAM);
      const v = load<usize>(table, STATE0);
      const a = load<usize>(table, STATE1);
      adadelta_loop(p, g, v, a, n, <f32>-lr, <f32>rho, rest, <f32>eps, <f32>weight_decay, sign);
    }
    table += ENTRY;
  }
}

// Exported so that both builds keep it as a function (scripts/embed.mjs).
export function adadelta_loop(
  p: usize, g: usize, v: usize, a: usize, n: i32, minus_lr: f32, rho: f32, rest: f32, eps: f32, weight_decay: f32,
  sign: f32,
): void {
  const lr = f32x4.splat(minus_lr);
  const keep = f32x4.splat(rho);
  const add = f32x4.splat(rest);
  const epsilon = f32x4.splat(eps);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const signs = f32x4.splat(sign);
  const exponent = exponent_bits(n);
  const zero = zero_bits(n);
  for (const end = p + ((<usize>n & ~3) << 2); p < end; p += 16) {
    adadelta_lanes(p, g, v, a, 4, lr, keep, add, epsilon, decay, mask, signs, exponent, zero);
    g += 16;
    v += 16;
    a += 16;
  }
  if (n & 3) adadelta_lanes(p, g, v, a, n & 3, lr, keep, add, epsilon, decay, mask, signs, exponent, zero);
}

/** The step for the 1 to 4 elements at p, g, v and a. */
// @ts-ignore: decorator
@inline
function adadelta_lanes(
  p: usize, g: usize, v: usize, a: usize, lanes: i32, lr: v128, keep: v128, add: v128, epsilon: v128, decay: v128,
  mask: v128, signs: v128, exponent: v128, zero: v128,
): void {
  const param = load_lanes(p, lanes);
  const d = decayed(f32x4.mul(load_lanes(g, lanes), signs), param, decay, mask);
  const square = flush(madd(f32x4.mul(add, d), d, f32x4.mul(keep, load_lanes(v, lanes))), exponent, zero);
  const last = load_lanes(a, lanes);
  const ratio = f32x4.div(f32x4.sqrt(f32x4.add(last, epsilon)), f32x4.sqrt(f32x4.add(square, epsilon)));
  const delta = f32x4.mul(ratio, d);
  store_lanes(v, square, lanes);
  store_lanes(a, flush(madd(f32x4.mul(add, delta), delta, f32x4.mul(keep, last)), exponent, zero), lanes);
  store_lanes(p, madd(lr, delta, param), lanes);
}
