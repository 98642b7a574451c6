/** Sizes of the blocks that matmul works on, which fit caches. */

/** Most terms in one pass: a strip of a, MR × KC floats, and a panel of b, 8 × KC, fit in a 32 KB first cache. */
// @ts-ignore: decorator
@inline
export const KC: i32 = 512;

/** Most columns in one packed block of b, a multiple of 8: the more the better, since a is copied again for each. */
// @ts-ignore: decorator
@inline
export const NC: i32 = 1024;

/** Floats at the start of the scratch memory for a strip of a, and after it for a tile of out (6×4). */
// @ts-ignore: decorator
@inline
export const STRIP: i32 = 6 * (KC + 4) + 64;
// @ts-ignore: decorator
@inline
export const TILE: i32 = 6 * (KC + 4);
