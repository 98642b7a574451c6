/**
 * What the optimizers' kernels share: the table they read, flushing of subnormals, the last lanes of a tensor. One call of
 * a kernel (sgd.ts, adam.ts, …) does every tensor of a parameter group.
 *
 * The table is written by TypeScript before each call (src/optim/table.ts): `count` entries of 10 words of 4 bytes,
 *
 *   0 param   1 grad   2 state0   3 state1   4 state2   5 n (floats)   6 flags   7 scalar0   8 scalar1   9 scalar2
 *
 * Words 0 to 4 are addresses of float32 buffers of n elements, 0 where there is none; an entry whose grad is 0 is passed
 * over. Flag bit 0 (FRESH): the state holds nothing yet (SGD's first step). The scalars are float32 numbers that differ
 * from parameter to parameter, as bias corrections do, each parameter counting its own steps: they are computed in
 * float64 in TypeScript. The kernels read the table and never write it.
 *
 * Every element is on its own: any range of entries may be done apart, and a large tensor may be given as several entries.
 * Elements go four at a time, the last n % 4 through the same lines with loadTail and storeTail.
 */
import { loadTail, madd, storeTail } from "./simd";

// @ts-ignore: decorator
@inline
export const ENTRY: usize = 40;
// @ts-ignore: decorator
@inline
export const PARAM: usize = 0;
// @ts-ignore: decorator
@inline
export const GRAD: usize = 4;
// @ts-ignore: decorator
@inline
export const STATE0: usize = 8;
// @ts-ignore: decorator
@inline
export const STATE1: usize = 12;
// @ts-ignore: decorator
@inline
export const STATE2: usize = 16;
// @ts-ignore: decorator
@inline
export const COUNT: usize = 20;
// @ts-ignore: decorator
@inline
export const FLAGS: usize = 24;
// @ts-ignore: decorator
@inline
export const SCALAR0: usize = 28;
// @ts-ignore: decorator
@inline
export const SCALAR1: usize = 32;
// @ts-ignore: decorator
@inline
export const FRESH: i32 = 1;

// State is flushed: WebAssembly has no such mode, and the momentum of a unit that no longer gets gradient decays into
// subnormals, at some 100 cycles an operation for ever after.

/**
 * The bits of a float's exponent. Of `n` only the sign is used, which is 0: a constant known to the compiler would be
 * rebuilt in every round of a loop.
 */
// @ts-ignore: decorator
@inline
export function exponent_bits(n: i32): v128 {
  return i32x4.splat(0x7f800000 | (n >> 31));
}

/** 0 in every lane, for `flush`; n as in exponent_bits. */
// @ts-ignore: decorator
@inline
export function zero_bits(n: i32): v128 {
  return i32x4.splat(n >> 31);
}

/**
 * Subnormal lanes, whose exponent is 0, to zero; NaN stays. Fewer instructions than comparing |v|, for which V8 makes a
 * mask each time.
 */
// @ts-ignore: decorator
@inline
export function flush(v: v128, exponent: v128, zero: v128): v128 {
  return v128.andnot(v, i32x4.eq(v128.and(v, exponent), zero));
}

/** All bits where there is a weight decay, none where there is none. */
// @ts-ignore: decorator
@inline
export function decay_mask(weight_decay: f32): v128 {
  return i32x4.splat(weight_decay != 0 ? -1 : 0);
}

/**
 * grad + decay·param. Without decay the mask takes param out of it, as 0·Inf would be NaN: one instruction instead of a
 * second copy of the loop.
 */
// @ts-ignore: decorator
@inline
export function decayed(grad: v128, param: v128, decay: v128, mask: v128): v128 {
  return madd(decay, v128.and(param, mask), grad);
}

/** Load the first 1 to 4 floats. `lanes` is the constant 4 in loops. */
// @ts-ignore: decorator
@inline
export function load_lanes(p: usize, lanes: i32): v128 {
  return lanes == 4 ? v128.load(p) : loadTail(p, lanes);
}

/** Store the first 1 to 4 lanes. */
// @ts-ignore: decorator
@inline
export function store_lanes(p: usize, v: v128, lanes: i32): void {
  if (lanes == 4) v128.store(p, v);
  else storeTail(p, v, lanes);
}
