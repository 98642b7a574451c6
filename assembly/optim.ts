/**
 * The optimizers' kernels: one call does every tensor of a parameter group.
 *
 * They read a table that TypeScript writes once and touches up when a pointer changes: `count` entries of 8 int32 words,
 *
 *   0 param   1 grad   2 state0   3 state1   4 state2   5 n (floats)   6 flags   7 step
 *
 * Words 0 to 4 are addresses of float32 buffers of n elements, 0 where there is none; an entry whose grad is 0 is passed
 * over. Flag bit 0 (FRESH): the state holds nothing yet (the first step). `step` counts the entry's steps, for the
 * optimizers that correct a bias. The kernels read the table and never write it. SGD keeps its momentum buffer in state0;
 * Adam and its kin will find state0 to state2 (exp_avg, exp_avg_sq, max_exp_avg_sq) and step.
 *
 * Any range of entries may be done apart, and a large tensor may be given as several entries. Elements go four at a time,
 * the last n % 4 through loadTail and storeTail.
 */
import { hsum, loadTail, madd, storeTail } from "./simd";

// @ts-ignore: decorator
@inline
const ENTRY: usize = 32;
// @ts-ignore: decorator
@inline
const PARAM: usize = 0;
// @ts-ignore: decorator
@inline
const GRAD: usize = 4;
// @ts-ignore: decorator
@inline
const STATE0: usize = 8;
// @ts-ignore: decorator
@inline
const COUNT: usize = 20;
// @ts-ignore: decorator
@inline
const FLAGS: usize = 24;
// @ts-ignore: decorator
@inline
const FRESH: i32 = 1;

// Gradients: norm, scale, clamp, zero

/** Elements of a block that is summed in float32; a multiple of 16. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 256;

/** |v| or v². `squares` is a constant at each call. */
// @ts-ignore: decorator
@inline
function power(v: v128, squares: bool): v128 {
  return squares ? f64x2.mul(v, v) : f64x2.abs(v);
}

/** Σ |x| or Σ x² over n floats, in float64 throughout. */
// @ts-ignore: decorator
@inline
function sum_powers(x: usize, n: i32, squares: bool): f64 {
  let a = f64x2.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = x + ((<usize>n & ~7) << 2); x < end; x += 32) {
    const v = v128.load(x);
    const w = v128.load(x, 16);
    a = f64x2.add(a, power(f64x2.promote_low_f32x4(v), squares));
    b = f64x2.add(b, power(f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3)), squares));
    c = f64x2.add(c, power(f64x2.promote_low_f32x4(w), squares));
    d = f64x2.add(d, power(f64x2.promote_low_f32x4(v128.shuffle<i32>(w, w, 2, 3, 2, 3)), squares));
  }
  for (n &= 7; n > 0; n--) {
    a = f64x2.add(a, power(f64x2.promote_low_f32x4(v128.load32_zero(x)), squares));
    x += 4;
  }
  a = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1);
}

/** Σ |x| over n floats. */
function sum_abs(x: usize, n: i32): f64 {
  return sum_powers(x, n, false);
}

/** Σ x² over n floats, every operation in float64. */
function sum_squares_exact(x: usize, n: i32): f64 {
  return sum_powers(x, n, true);
}

/** Σ x² over n & ~15 floats in float32, in 16 chains. */
function sum_squares_block(x: usize, n: i32): f32 {
  let a = f32x4.splat(0);
  let b = a;
  let c = a;
  let d = a;
  for (const end = x + ((<usize>n & ~15) << 2); x < end; x += 64) {
    const p = v128.load(x);
    const q = v128.load(x, 16);
    const r = v128.load(x, 32);
    const s = v128.load(x, 48);
    a = madd(p, p, a);
    b = madd(q, q, b);
    c = madd(r, r, c);
    d = madd(s, s, d);
  }
  return hsum(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

/**
 * Σ x² over n floats: blocks in float32, added in float64. A block whose sum float32 cannot hold well, because squares
 * overflow or vanish, is done again in float64; NaN and Inf among the elements come out of that as what they are.
 */
function sum_squares(x: usize, n: i32): f64 {
  let total: f64 = 0;
  while (n >= BLOCK) {
    const s = sum_squares_block(x, BLOCK);
    total += s > 1e-26 && s < Infinity ? <f64>s : sum_squares_exact(x, BLOCK);
    x += <usize>BLOCK << 2;
    n -= BLOCK;
  }
  return total + sum_squares_exact(x, n);
}

/** max |x| over n floats; NaN if one is NaN. As integers, the bits of |x| order as |x| does, and NaN lies above Inf. */
function max_abs(x: usize, n: i32): f64 {
  let a = i32x4.splat(0);
  let b = a;
  for (; n >= 8; n -= 8) {
    a = i32x4.max_s(a, f32x4.abs(v128.load(x)));
    b = i32x4.max_s(b, f32x4.abs(v128.load(x, 16)));
    x += 32;
  }
  for (; n > 0; n--) {
    a = i32x4.max_s(a, f32x4.abs(v128.load32_zero(x)));
    x += 4;
  }
  a = i32x4.max_s(a, b);
  a = i32x4.max_s(a, v128.shuffle<i32>(a, a, 2, 3, 0, 1));
  a = i32x4.max_s(a, v128.shuffle<i32>(a, a, 1, 0, 3, 2));
  return <f64>f32x4.extract_lane(a, 0);
}

/** Σ |x|^p over n floats, for any p > 0. */
function sum_general(x: usize, n: i32, p: f64): f64 {
  let total: f64 = 0;
  for (; n > 0; n--) {
    total += pow_f64(<f64>abs(load<f32>(x)), p);
    x += 4;
  }
  return total;
}

/**
 * x^p for x ≥ 0 and p > 0 to about 1e-14, without the tables of a library's pow (kernels own no static data).
 * log: x = m·2^e with m in [√½, √2), ln m = 2·atanh((m − 1)/(m + 1)); exp: 2^k·e^r with |r| ≤ ½ ln 2.
 */
function pow_f64(x: f64, p: f64): f64 {
  if (!(x > 0) || x == Infinity) return x;
  let bits = reinterpret<u64>(x);
  let e = <i32>(bits >> 52) - 1023;
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e++;
  }
  const s = (m - 1) / (m + 1);
  const y = p * (<f64>e * 0.6931471805599453 + 2 * s * atanh_series(s * s));
  if (y > 709) return Infinity;
  if (y < -708) return 0;
  const k = nearest(y * 1.4426950408889634);
  const t = exp_series(y - k * 0.6931471803691238 - k * 1.9082149292705877e-10);
  return t * reinterpret<f64>((<u64>(<i64>k + 1023)) << 52);
}

/** atanh(s)/s from q = s², for q < 0.0295. */
function atanh_series(q: f64): f64 {
  let t: f64 = 0.047619047619047616; // 1/21, 1/19, …
  t = t * q + 0.05263157894736842;
  t = t * q + 0.058823529411764705;
  t = t * q + 0.06666666666666667;
  t = t * q + 0.07692307692307693;
  t = t * q + 0.09090909090909091;
  t = t * q + 0.1111111111111111;
  t = t * q + 0.14285714285714285;
  t = t * q + 0.2;
  t = t * q + 0.3333333333333333;
  return t * q + 1;
}

/** e^r for |r| ≤ ½ ln 2. */
function exp_series(r: f64): f64 {
  let t: f64 = 1.6059043836821613e-10; // 1/13!, 1/12!, …
  t = t * r + 2.08767569878681e-9;
  t = t * r + 2.505210838544172e-8;
  t = t * r + 2.755731922398589e-7;
  t = t * r + 2.7557319223985893e-6;
  t = t * r + 2.48015873015873e-5;
  t = t * r + 0.0001984126984126984;
  t = t * r + 0.001388888888888889;
  t = t * r + 0.008333333333333333;
  t = t * r + 0.041666666666666664;
  t = t * r + 0.16666666666666666;
  t = t * r + 0.5;
  t = t * r + 1;
  return t * r + 1;
}

/**
 * The p-norm of all gradients of the table taken as one vector (clip_grad_norm_): p = 2, 1, Infinity or any other
 * p > 0. Accumulated in float64, so that no square overflows; NaN and Inf among the gradients show in the result.
 */
export function grad_norm(table: usize, count: i32, p: f64): f64 {
  let total: f64 = 0;
  for (; count > 0; count--) {
    const grad = load<usize>(table, GRAD);
    if (grad) {
      const n = load<i32>(table, COUNT);
      if (p == 2) total += sum_squares(grad, n);
      else if (p == 1) total += sum_abs(grad, n);
      else if (p == Infinity) total = max(total, max_abs(grad, n));
      else total += sum_general(grad, n, p);
    }
    table += ENTRY;
  }
  if (p == 2) return sqrt(total);
  return p == 1 || p == Infinity ? total : pow_f64(total, 1 / p);
}

/** grad *= factor in every entry (clip_grad_norm_; with the factor from grad_norm). */
export function grad_scale(table: usize, count: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (; count > 0; count--) {
    let g = load<usize>(table, GRAD);
    if (g) {
      let n = load<i32>(table, COUNT);
      for (; n >= 8; n -= 8) {
        v128.store(g, f32x4.mul(v128.load(g), f));
        v128.store(g, f32x4.mul(v128.load(g, 16), f), 16);
        g += 32;
      }
      for (; n > 0; n--) {
        store<f32>(g, load<f32>(g) * factor);
        g += 4;
      }
    }
    table += ENTRY;
  }
}

/** grad = min(max(grad, −limit), limit) in every entry; NaN stays (clip_grad_value_). */
export function grad_clamp(table: usize, count: i32, limit: f32): void {
  const high = f32x4.splat(limit);
  const low = f32x4.neg(high);
  for (; count > 0; count--) {
    let g = load<usize>(table, GRAD);
    if (g) {
      let n = load<i32>(table, COUNT);
      // pmax(x, low) is low > x ? low : x, which keeps a NaN in x.
      for (; n >= 4; n -= 4) {
        v128.store(g, f32x4.pmin(f32x4.pmax(v128.load(g), low), high));
        g += 16;
      }
      if (n > 0) storeTail(g, f32x4.pmin(f32x4.pmax(loadTail(g, n), low), high), n);
    }
    table += ENTRY;
  }
}

/** grad = 0 in every entry. */
export function grad_zero(table: usize, count: i32): void {
  for (; count > 0; count--) {
    const g = load<usize>(table, GRAD);
    if (g) memory.fill(g, 0, <usize>load<i32>(table, COUNT) << 2);
    table += ENTRY;
  }
}

// SGD

/**
 * One SGD step in every entry, in PyTorch's order and roundings (torch.optim.SGD):
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
  for (; count > 0; count--) {
    const grad = load<usize>(table, GRAD);
    if (grad) {
      const p = load<usize>(table, PARAM);
      const n = load<i32>(table, COUNT);
      if (momentum == 0) {
        sgd_plain(p, grad, n, <f32>-lr, <f32>weight_decay, scale);
      } else {
        const fresh = load<i32>(table, FLAGS) & FRESH;
        const m = load<usize>(table, STATE0);
        sgd_momentum(
          p, grad, m, n, <f32>-lr, <f32>momentum, <f32>(1 - dampening), <f32>weight_decay, nesterov, fresh, scale,
        );
      }
    }
    table += ENTRY;
  }
}

// State is flushed: WebAssembly has no such mode, and the momentum of a unit that no longer gets gradient decays into
// subnormals, at some 100 cycles an operation for ever after.

/**
 * The bits of a float's exponent. Of `n` only the sign is used, which is 0: a constant known to the compiler would be
 * rebuilt in every round of a loop.
 */
// @ts-ignore: decorator
@inline
function exponent_bits(n: i32): v128 {
  return i32x4.splat(0x7f800000 | (n >> 31));
}

/**
 * Subnormal lanes, whose exponent is 0, to zero; NaN stays. Fewer instructions than comparing |v|, for which V8 makes a
 * mask each time.
 */
// @ts-ignore: decorator
@inline
function flush(v: v128, exponent: v128, zero: v128): v128 {
  return v128.andnot(v, i32x4.eq(v128.and(v, exponent), zero));
}

/** d of the first two lines. With no weight decay param stays out of it: 0·Inf would be NaN. */
// @ts-ignore: decorator
@inline
function decayed(g: v128, p: v128, scale: v128, decay: v128, decays: bool): v128 {
  const d = f32x4.mul(g, scale);
  return decays ? madd(decay, p, d) : d;
}

/** Without momentum. */
function sgd_plain(p: usize, g: usize, n: i32, minus_lr: f32, weight_decay: f32, grad_scale: f32): void {
  const lr = f32x4.splat(minus_lr);
  const decay = f32x4.splat(weight_decay);
  const scale = f32x4.splat(grad_scale);
  const decays = weight_decay != 0;
  for (; n >= 8; n -= 8) {
    const p0 = v128.load(p);
    const p1 = v128.load(p, 16);
    v128.store(p, madd(lr, decayed(v128.load(g), p0, scale, decay, decays), p0));
    v128.store(p, madd(lr, decayed(v128.load(g, 16), p1, scale, decay, decays), p1), 16);
    p += 32;
    g += 32;
  }
  for (; n > 0; n -= 4) {
    const lanes = min(n, 4);
    const v = load_lanes(p, lanes);
    store_lanes(p, madd(lr, decayed(load_lanes(g, lanes), v, scale, decay, decays), v), lanes);
    p += 16;
    g += 16;
  }
}

/**
 * The step with momentum for n & ~7 floats of unscaled gradients. decays and nesterov are constants: a branch in the loop
 * would cost a third of its speed. Offsets are written out, since they then belong to the loads and stores; added to a
 * pointer, each would be an instruction.
 */
// @ts-ignore: decorator
@inline
function momentum_loop(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, weight_decay: f32, decays: bool, nesterov: bool,
): void {
  const lr = f32x4.splat(minus_lr);
  const mu = f32x4.splat(momentum);
  const decay = f32x4.splat(weight_decay);
  const exponent = exponent_bits(n);
  const zero = i32x4.splat(n >> 31);
  for (const end = p + ((<usize>n & ~7) << 2); p < end; p += 32) {
    let d0 = v128.load(g);
    let d1 = v128.load(g, 16);
    const p0 = v128.load(p);
    const p1 = v128.load(p, 16);
    if (decays) {
      d0 = madd(decay, p0, d0);
      d1 = madd(decay, p1, d1);
    }
    const m0 = flush(f32x4.add(f32x4.mul(mu, v128.load(m)), d0), exponent, zero);
    const m1 = flush(f32x4.add(f32x4.mul(mu, v128.load(m, 16)), d1), exponent, zero);
    v128.store(m, m0);
    v128.store(m, m1, 16);
    v128.store(p, madd(lr, nesterov ? madd(mu, m0, d0) : m0, p0));
    v128.store(p, madd(lr, nesterov ? madd(mu, m1, d1) : m1, p1), 16);
    g += 32;
    m += 32;
  }
}

function momentum_bare(p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32): void {
  momentum_loop(p, g, m, n, minus_lr, momentum, 0, false, false);
}

function momentum_decay(p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, weight_decay: f32): void {
  momentum_loop(p, g, m, n, minus_lr, momentum, weight_decay, true, false);
}

// Exported so that both builds keep them as functions (scripts/embed.mjs).

export function momentum_nesterov(p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32): void {
  momentum_loop(p, g, m, n, minus_lr, momentum, 0, false, true);
}

export function momentum_nesterov_decay(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, weight_decay: f32,
): void {
  momentum_loop(p, g, m, n, minus_lr, momentum, weight_decay, true, true);
}

/** With momentum: fast loops for 8 floats at a time; first steps, dampening, scaling and the last n % 8 in the loop for all. */
function sgd_momentum(
  p: usize, g: usize, m: usize, n: i32, minus_lr: f32, momentum: f32, undamped: f32, weight_decay: f32,
  nesterov: i32, fresh: i32, grad_scale: f32,
): void {
  const decays = weight_decay != 0;
  if (undamped == 1 && !fresh && grad_scale == 1) {
    if (nesterov) {
      if (decays) momentum_nesterov_decay(p, g, m, n, minus_lr, momentum, weight_decay);
      else momentum_nesterov(p, g, m, n, minus_lr, momentum);
    } else {
      if (decays) momentum_decay(p, g, m, n, minus_lr, momentum, weight_decay);
      else momentum_bare(p, g, m, n, minus_lr, momentum);
    }
    const done = (<usize>n & ~7) << 2;
    p += done;
    g += done;
    m += done;
    n &= 7;
  }
  const lr = f32x4.splat(minus_lr);
  const mu = f32x4.splat(momentum);
  const keep = f32x4.splat(undamped);
  const decay = f32x4.splat(weight_decay);
  const scale = f32x4.splat(grad_scale);
  const exponent = exponent_bits(n);
  const zero = i32x4.splat(n >> 31);
  for (; n > 0; n -= 4) {
    const lanes = min(n, 4);
    const v = load_lanes(p, lanes);
    const d = decayed(load_lanes(g, lanes), v, scale, decay, decays);
    const buf = flush(fresh ? d : madd(keep, d, f32x4.mul(mu, load_lanes(m, lanes))), exponent, zero);
    store_lanes(m, buf, lanes);
    store_lanes(p, madd(lr, nesterov ? madd(mu, buf, d) : buf, v), lanes);
    p += 16;
    g += 16;
    m += 16;
  }
}

/** Load the first 1 to 4 floats. */
// @ts-ignore: decorator
@inline
function load_lanes(p: usize, lanes: i32): v128 {
  return lanes == 4 ? v128.load(p) : loadTail(p, lanes);
}

/** Store the first 1 to 4 lanes. */
// @ts-ignore: decorator
@inline
function store_lanes(p: usize, v: v128, lanes: i32): void {
  if (lanes == 4) v128.store(p, v);
  else storeTail(p, v, lanes);
}
