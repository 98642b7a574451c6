/** Stochastic gradient descent, with and without momentum (Polyak 1964), or Nesterov's (Sutskever et al. 2013). */
import {
  COUNT, decay_mask, decayed, ENTRY, exponent_bits, FLAGS, flush, FRESH, GRAD, load_lanes, PARAM, STATE0, store_lanes,
  zero_bits,
} from "./optim";
import { madd } from "./simd";

/**
 * One step in every entry, in PyTorch's order and roundings (torch.optim.SGD):
 *
 *   d = grad·grad_scale             negated if maximize
 *   d = d + weight_decay·param      if weight_decay ≠ 0
 *   m = momentum·m + (1 − dampening)·d, or m = d where FRESH      if momentum ≠ 0; m is state0, flushed
 *   d = nesterov ? d + momentum·m : m
 *   param = param − lr·d
 *
 * grad_scale folds clipping into the step (1 for none) and leaves the gradients as they are. state0 may be 0 where
 * momentum is 0.
 */
export function sgd(
  table: usize, count: i32, lr: f64, momentum: f64, dampening: f64, weight_decay: f64, nesterov: i32, maximize: i32,
  grad_scale: f64,
): void {
  const scale = <f32>(maximize ? -grad_scale : grad_scale);
  const undamped = <f32>(1 - dampening);
  for (; count > 0; count--) {
    const g = load<usize>(table, GRAD);
    if (g) {
      const p = load<usize>(table, PARAM);
      const m = load<usize>(table, STATE0);
      const n = load<i32>(table, COUNT);
      if (momentum == 0) {
        sgd_plain(p, g, n, <f32>-lr, <f32>weight_decay, scale);
      } else if (load<i32>(table, FLAGS) & FRESH) {
        sgd_fresh(p, g, m, n, <f32>-lr, <f32>momentum, <f32>weight_decay, nesterov, scale);
      } else if (nesterov) {
        sgd_nesterov(p, g, m, n, <f32>-lr, <f32>momentum, undamped, <f32>weight_decay, scale);
      } else {
        sgd_momentum(p, g, m, n, <f32>-lr, <f32>momentum, undamped, <f32>weight_decay, scale);
      }
    }
    table += ENTRY;
  }
}

// Exported so that both builds keep them as functions (scripts/embed.mjs).

/** Without momentum. */
export function sgd_plain(p: usize, g: usize, n: i32, minus_lr: f32, weight_decay: f32, grad_scale: f32): void {
  const lr = f32x4.splat(minus_lr);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const scale = f32x4.splat(grad_scale);
  for (; n >= 8; n -= 8) {
    const p0 = v128.load(p);
    const p1 = v128.load(p, 16);
    v128.store(p, madd(lr, decayed(f32x4.mul(v128.load(g), scale), p0, decay, mask), p0));
    v128.store(p, madd(lr, decayed(f32x4.mul(v128.load(g, 16), scale), p1, decay, mask), p1), 16);
    p += 32;
    g += 32;
  }
  for (; n > 0; n -= 4) {
    const lanes = min(n, 4);
    const v = load_lanes(p, lanes);
    store_lanes(p, madd(lr, decayed(f32x4.mul(load_lanes(g, lanes), scale), v, decay, mask), v), lanes);
    p += 16;
    g += 16;
  }
}

/** The first step with momentum: the state is written and not read. */
export function sgd_fresh(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, weight_decay: f32, nesterov: i32, grad_scale: f32,
): void {
  const lr = f32x4.splat(minus_lr);
  const mu = f32x4.splat(momentum);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const scale = f32x4.splat(grad_scale);
  const exponent = exponent_bits(n);
  const zero = zero_bits(n);
  for (; n > 0; n -= 4) {
    const lanes = min(n, 4);
    const v = load_lanes(p, lanes);
    const d = decayed(f32x4.mul(load_lanes(g, lanes), scale), v, decay, mask);
    const buf = flush(d, exponent, zero);
    store_lanes(m, buf, lanes);
    store_lanes(p, madd(lr, nesterov ? madd(mu, buf, d) : buf, v), lanes);
    p += 16;
    g += 16;
    m += 16;
  }
}

export function sgd_momentum(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, undamped: f32, weight_decay: f32, grad_scale: f32,
): void {
  momentum_loop(p, g, m, n, minus_lr, momentum, undamped, weight_decay, grad_scale, false);
}

export function sgd_nesterov(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, undamped: f32, weight_decay: f32, grad_scale: f32,
): void {
  momentum_loop(p, g, m, n, minus_lr, momentum, undamped, weight_decay, grad_scale, true);
}

/**
 * The step with momentum. nesterov is a constant: a branch in the loop would cost a third of its speed. Everything else is
 * done whether asked for or not, since a product with 1 is exact and the loop waits for memory. Offsets are written out,
 * since they then belong to the loads and stores; added to a pointer, each would be an instruction.
 */
// @ts-ignore: decorator
@inline
function momentum_loop(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, undamped: f32, weight_decay: f32, grad_scale: f32,
  nesterov: bool,
): void {
  const lr = f32x4.splat(minus_lr);
  const mu = f32x4.splat(momentum);
  const keep = f32x4.splat(undamped);
  const decay = f32x4.splat(weight_decay);
  const mask = decay_mask(weight_decay);
  const scale = f32x4.splat(grad_scale);
  const exponent = exponent_bits(n);
  const zero = zero_bits(n);
  for (const end = p + ((<usize>n & ~7) << 2); p < end; p += 32) {
    const p0 = v128.load(p);
    const p1 = v128.load(p, 16);
    const d0 = decayed(f32x4.mul(v128.load(g), scale), p0, decay, mask);
    const d1 = decayed(f32x4.mul(v128.load(g, 16), scale), p1, decay, mask);
    const m0 = flush(madd(keep, d0, f32x4.mul(mu, v128.load(m))), exponent, zero);
    const m1 = flush(madd(keep, d1, f32x4.mul(mu, v128.load(m, 16))), exponent, zero);
    v128.store(m, m0);
    v128.store(m, m1, 16);
    v128.store(p, madd(lr, nesterov ? madd(mu, m0, d0) : m0, p0));
    v128.store(p, madd(lr, nesterov ? madd(mu, m1, d1) : m1, p1), 16);
    g += 32;
    m += 32;
  }
  for (n &= 7; n > 0; n -= 4) {
    const lanes = min(n, 4);
    const v = load_lanes(p, lanes);
    const d = decayed(f32x4.mul(load_lanes(g, lanes), scale), v, decay, mask);
    const buf = flush(madd(keep, d, f32x4.mul(mu, load_lanes(m, lanes))), exponent, zero);
    store_lanes(m, buf, lanes);
    store_lanes(p, madd(lr, nesterov ? madd(mu, buf, d) : buf, v), lanes);
    p += 16;
    g += 16;
    m += 16;
  }
}
