/**
 * What the kernels of max pooling share; not exported to JavaScript.
 *
 * They pool planes p0 ≤ p < p1: x [planes, h, w] → out [planes, oh, ow]. Contiguous float32.
 *
 * A later value wins when it is larger or NaN, so ties go to the first and NaN to the last, as in PyTorch. What backward
 * needs is which one won: `codes`, one byte an output: the tap within the window, row·kw + column, counted from the
 * window's own corner (which may lie in the padding); or, where a window has more than 255 taps or the caller wants
 * indices, `indices`, int32: row·w + column within the plane. 255 and −1 say that nobody gets a gradient.
 *
 * ReLU before the pool costs next to nothing: with `relu` the result is, to the bit, that of relu and then the pool, and
 * where it is 0 nobody gets a gradient, for relu's is 0 there.
 *
 * The usual windows, 2×2 with stride 2 and 3×3 with stride 2 and padding 1, have SIMD kernels (max-pool-2x2.ts,
 * max-pool-3x3.ts): four outputs a vector; the last vector of a row begins early and writes some outputs again, so rows of
 * any length ≥ 4 have no tail. Their codes are the negative ones, as masks of −1 add up, and less than any tap's where
 * nobody gets a gradient. All other windows are max-pool.ts's.
 */

// @ts-ignore: decorator
@inline
export const NONE: i32 = 255;

// @ts-ignore: decorator
@inline
export function even(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
export function odd(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** Where v takes over from the best so far, m. */
// @ts-ignore: decorator
@inline
export function wins(v: v128, m: v128): v128 {
  return v128.or(f32x4.gt(v, m), f32x4.ne(v, v));
}

/** Four codes as int32. */
// @ts-ignore: decorator
@inline
export function loadCodes(codes: usize): v128 {
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(codes)));
}

/** Stores the low bytes of four int32 within ±127: in two instructions and without a mask, which V8 would build anew. */
// @ts-ignore: decorator
@inline
export function storeBytes(p: usize, v: v128): void {
  const words = i16x8.narrow_i32x4_s(v, v);
  v128.store32_lane(p, i8x16.narrow_i16x8_s(words, words), 0);
}

/** The gradients g of the outputs whose winner was tap `code`, else 0. */
// @ts-ignore: decorator
@inline
export function taken(g: v128, codes: v128, code: v128): v128 {
  return v128.and(g, i32x4.eq(codes, code));
}

/** Elements of two vectors in turn, stored as eight neighbours. */
// @ts-ignore: decorator
@inline
export function storeTurns(p: usize, a: v128, b: v128): void {
  v128.store(p, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
  v128.store(p, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
}

/**
 * One output from rows h0, h0 + dh, … < h1 and columns w0, w0 + dw, … < w1 of the plane x. `code0` is the code of the
 * first tap, `kw` how many codes a row of the window has. `code` or `index` is 0, the other where the winner is noted.
 */
export function max_window(
  out: usize, code: usize, index: usize, x: usize, w: i32, h0: i32, h1: i32, dh: i32, w0: i32, w1: i32, dw: i32,
  code0: i32, kw: i32, relu: i32,
): void {
  const floor: f32 = relu ? 0 : -Infinity;
  let best: f32 = -Infinity;
  let bestCode = code0;
  let bestIndex = h0 * w + w0;
  for (let i = h0; i < h1; i += dh) {
    let tap = code0;
    for (let j = w0; j < w1; j += dw) {
      let v = load<f32>(x + (<usize>(i * w + j) << 2));
      if (v < floor) v = floor;
      if (v > best || v != v) {
        best = v;
        bestCode = tap;
        bestIndex = i * w + j;
      }
      tap++;
    }
    code0 += kw;
  }
  // With dilation a window may have no tap outside the padding: −∞, and nobody won.
  const dead = (relu && best <= 0) || h0 >= h1 || w0 >= w1;
  store<f32>(out, best);
  if (index) store<i32>(index, dead ? -1 : bestIndex);
  else store<u8>(code, dead ? NONE : bestCode);
}
