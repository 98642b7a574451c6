/**
 * 3×3 convolution of stride 1 by Winograd's minimal filtering F(2×2, 3×3) (Winograd 1980; Lavin & Gray, "Fast algorithms for
 * convolutional neural networks", CVPR 2016), in all three passes. A tile of 2×2 outputs takes 16 products where the direct
 * method takes 36:
 *
 *   forward, input gradient   Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A     d: 4×4 inputs, g: 3×3 weights, Y: 2×2 outputs
 *   weight gradient           W = Cᵀ[(D y Dᵀ) ⊙ (Bᵀ d B)]C     y: 2×2 output gradients, W: 3×3 weights: F(3×3, 2×2)
 *
 *   Bᵀ = 1  0 −1  0    G =  1  0  0     Aᵀ = 1 1  1  0    D = 1  0    Cᵀ = 1 ½  ½  0
 *        0  1  1  0         ½  ½  ½          0 1 −1 −1        1  1         0 ½ −½  0
 *        0 −1  1  0         ½ −½  ½                           1 −1         0 ½  ½ −1
 *        0  1  0 −1         0  0  1                           0  1
 *
 * (the halves of the weight gradient stand in C, where they cost nothing: powers of two round nothing.) The points 0, ±1, ∞ need
 * sums only, and with them the error stays that of the direct method; F(4×4, 3×3) would lose two digits in the gradients.
 *
 * How. Tiles are numbered through all images, row by row. A block of them is transformed into V [16][channels][tiles], four
 * tiles at a time in the lanes of a vector: images are split into even and odd columns first (conv-image.ts), so that the
 * four columns of neighbouring tiles are four plain loads; where rows of tiles fill vectors that is done in registers, once
 * for the two rows of tiles that a row of pixels lies in. Then each of the 16 places is a product of matrices, through
 * matmul's tiles. Rows of tiles are written one after the other without regard to vectors: what a row leaves in the lanes
 * behind it the next row overwrites, so a width of 7 tiles wastes nothing in the products.
 *
 * The input gradient is a convolution of the output's gradient with the weights turned by 180° and channels exchanged. Turned
 * weights have the transform of the plain ones with places 0 and 3 exchanged in both directions, so it reads the same
 * transformed weights.
 *
 * winograd-weights.ts, winograd-input.ts and winograd-output.ts have the transforms of g, d and Y, winograd-weight-gradient.ts
 * the whole of the last pass, and this file the two before it.
 */
import { conv_product } from "./conv-product";
import { zeros } from "./conv-image";
import { transform_input } from "./winograd-input";
import { transform_output } from "./winograd-output";
import { place_bytes, row_floats, tile_pitch, winograd_block } from "./winograd-sizes";

/**
 * Blocks u0 to u1 of out [n, oc, oh, ow] = x [n, ic, h, w] ∗ w + bias, with u = winograd_weights(w), oh = h + 2·pad − 2. The
 * gradient of the input is the same with transposed weights, 2 − pad and no bias. Scratch: winograd_scratch bytes, one for
 * each thread.
 */
export function conv2d_winograd(
  out: usize,
  x: usize,
  u: usize,
  bias: usize,
  n: i32,
  ic: i32,
  h: i32,
  w: i32,
  oc: i32,
  oh: i32,
  ow: i32,
  pad: i32,
  scratch: usize,
  u0: i32,
  u1: i32,
): void {
  const tilesX = (ow + 1) >> 1;
  const perImage = ((oh + 1) >> 1) * tilesX;
  const total = n * perImage;
  const block = winograd_block(ic + oc);
  const inPlane = (<usize>h * w) << 2;
  const outPlane = (<usize>oh * ow) << 2;
  const row = <usize>row_floats(block) << 2;
  const vStride = <usize>ic * row;
  const mStride = <usize>oc * row;
  const m = scratch + (vStride << 4);
  const split = m + (mStride << 4);
  zeros(split, (2 * ((block - 2) / tilesX + 2) + 2) * 2 * tile_pitch(tilesX));
  const place = place_bytes(ic * oc);
  for (let b = u0; b < u1; b++) {
    const t0 = b * block;
    const count = min(block, total - t0);
    for (let t = t0; t < t0 + count; ) {
      const image = t / perImage;
      const first = t - image * perImage;
      const length = min(t0 + count - t, perImage - first);
      let plane = x + <usize>(image * ic) * inPlane;
      let to = scratch + (<usize>(t - t0) << 2);
      for (let c = 0; c < ic; c++) {
        transform_input(to, vStride, plane, h, w, pad, tilesX, first, length, split);
        plane += inPlane;
        to += row;
      }
      t += length;
    }
    const columns = (count + 7) & ~7;
    for (let i: usize = 0; i < 16; i++) {
      conv_product(m + i * mStride, row, oc, u + i * place, scratch + i * vStride, row, columns, ic);
    }
    for (let t = t0; t < t0 + count; ) {
      const image = t / perImage;
      const first = t - image * perImage;
      const length = min(t0 + count - t, perImage - first);
      let plane = out + <usize>(image * oc) * outPlane;
      let from = m + (<usize>(t - t0) << 2);
      for (let o = 0; o < oc; o++) {
        const add = bias ? v128.load32_splat(bias + (<usize>o << 2)) : f32x4.splat(0);
        transform_output(plane, oh, ow, tilesX, first, length, from, mStride, add);
        plane += outPlane;
        from += row;
      }
      t += length;
    }
  }
}
