/** The arithmetic limit of one core, which matmul and convolution are measured against. */
import { madd } from "./simd";

/**
 * Multiply-adds in registers only, no memory: 96·n flops a call (n even), in either build. Returns a value that depends
 * on all of it, so that nothing can be left out, and starts from n, so that nothing can be computed beforehand.
 *
 * Fused, 12 accumulators x = x·c + d keep both multiply-add pipes busy. Unfused, such a chain is a multiply and an
 * add long, and no number of accumulators that fits 15 registers hides that; so there the products stand outside the
 * chains, as in a matmul tile: 8 accumulators x += c·f.
 */
export function peak(n: i32): f32 {
  return ASC_FEATURE_RELAXED_SIMD ? peak_fused(n) : peak_unfused(n);
}

// In both, what is invariant in the inner loop is a variable of the outer one: V8 would compute it again in the loop.

function peak_fused(n: i32): f32 {
  const seed = <f32>1 / (<f32>n + 2);
  let c = f32x4.splat(<f32>0.5 - seed);
  let d = f32x4.splat(<f32>0.25 + seed);
  let x0 = f32x4.splat(seed);
  let x1 = f32x4.splat(seed + 1);
  let x2 = f32x4.splat(seed + 2);
  let x3 = f32x4.splat(seed + 3);
  let x4 = f32x4.splat(seed + 4);
  let x5 = f32x4.splat(seed + 5);
  let x6 = f32x4.splat(seed + 6);
  let x7 = f32x4.splat(seed + 7);
  let x8 = f32x4.splat(seed + 8);
  let x9 = f32x4.splat(seed + 9);
  let x10 = f32x4.splat(seed + 10);
  let x11 = f32x4.splat(seed + 11);
  for (; n > 0; n -= 64) {
    for (let i = min(n, 64); i > 0; i--) {
      x0 = madd(x0, c, d);
      x1 = madd(x1, c, d);
      x2 = madd(x2, c, d);
      x3 = madd(x3, c, d);
      x4 = madd(x4, c, d);
      x5 = madd(x5, c, d);
      x6 = madd(x6, c, d);
      x7 = madd(x7, c, d);
      x8 = madd(x8, c, d);
      x9 = madd(x9, c, d);
      x10 = madd(x10, c, d);
      x11 = madd(x11, c, d);
    }
    const t = c;
    c = d;
    d = t;
  }
  const s0 = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
  const s1 = f32x4.add(f32x4.add(x4, x5), f32x4.add(x6, x7));
  const s2 = f32x4.add(f32x4.add(x8, x9), f32x4.add(x10, x11));
  return f32x4.extract_lane(f32x4.add(f32x4.add(s0, s1), s2), 0);
}

function peak_unfused(n: i32): f32 {
  const seed = <f32>1 / (<f32>n + 2);
  let c = f32x4.splat(<f32>0.5 - seed);
  let d = f32x4.splat(<f32>0.5 * seed - <f32>0.5);
  let f0 = f32x4.splat(seed);
  let f1 = f32x4.splat(seed + 1);
  let f2 = f32x4.splat(seed + 2);
  let f3 = f32x4.splat(seed + 3);
  let x0 = f0;
  let x1 = f1;
  let x2 = f2;
  let x3 = f3;
  let x4 = f0;
  let x5 = f1;
  let x6 = f2;
  let x7 = f3;
  // 64 flops a round here, so half as many rounds again.
  for (n += n >> 1; n > 0; n -= 64) {
    for (let i = min(n, 64); i > 0; i--) {
      x0 = madd(c, f0, x0);
      x1 = madd(d, f0, x1);
      x2 = madd(c, f1, x2);
      x3 = madd(d, f1, x3);
      x4 = madd(c, f2, x4);
      x5 = madd(d, f2, x5);
      x6 = madd(c, f3, x6);
      x7 = madd(d, f3, x7);
      // So that no product is the same in two rounds.
      const t = c;
      c = d;
      d = t;
    }
    const t = f0;
    f0 = f1;
    f1 = f2;
    f2 = f3;
    f3 = t;
  }
  const s0 = f32x4.add(f32x4.add(x0, x1), f32x4.add(x2, x3));
  const s1 = f32x4.add(f32x4.add(x4, x5), f32x4.add(x6, x7));
  return f32x4.extract_lane(f32x4.add(s0, s1), 0);
}
