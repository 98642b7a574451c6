/**
 * The SIMD vocabulary of the kernels. The only file that asks which build this is: everything else
 * says `madd` and lets the build decide.
 *
 * Two builds come from the same sources (asconfig.json): `simd` (WebAssembly 2.0's fixed-width SIMD) and
 * `relaxed`, whose fused multiply-add rounds once where the plain one rounds twice.
 */

/** a·b + c in every lane: one fused instruction in the relaxed build, two in the simd build. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Sum of the four f32 lanes, in the fixed order (0+1) + (2+3). */
// @ts-ignore: decorator
@inline
export function hsum(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}

/** Load the last n (1 to 3) floats at p; the other lanes are zero. Never reads past p + 4n. */
// @ts-ignore: decorator
@inline
export function loadTail(p: usize, n: i32): v128 {
  if (n == 1) return v128.load32_zero(p);
  const v = v128.load64_zero(p);
  return n == 2 ? v : v128.load32_lane(p, v, 2, 8);
}

/** Store the first n (1 to 3) lanes of v at p. Never writes past p + 4n. */
// @ts-ignore: decorator
@inline
export function storeTail(p: usize, v: v128, n: i32): void {
  if (n == 1) {
    v128.store32_lane(p, v, 0);
  } else {
    v128.store64_lane(p, v, 0);
    if (n == 3) v128.store32_lane(p, v, 2, 8);
  }
}
