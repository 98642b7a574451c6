/** The weights' gradient by Winograd's F(3×3, 2×2): W = Cᵀ[(D y Dᵀ) ⊙ (Bᵀ d B)]C, see winograd.ts. */
import { laneMask, loadPart } from "./accumulate";
import { conv_dots } from "./conv-product";
import { zeros } from "./conv-image";
import { transform_input } from "./winograd-input";
import { place_bytes, row_floats, tile_pitch, winograd_block } from "./winograd-sizes";

/**
 * D y Dᵀ of `count` tiles of one plane of the output's gradient, without the halves: d[place·stride + tile]. Pixels beyond the
 * plane's odd edges are zeros.
 */
function transform_gradient(
  d: usize,
  stride: usize,
  plane: usize,
  h: i32,
  w: i32,
  tilesX: i32,
  first: i32,
  count: i32,
): void {
  const row = <usize>w << 2;
  let ty = first / tilesX;
  let tx = first - ty * tilesX;
  for (let left = count; left > 0; ) {
    const length = min(left, tilesX - tx);
    let from = plane + ((<usize>(2 * ty) * w + 2 * tx) << 2);
    const below = 2 * ty + 1 < h;
    let columns = w - 2 * tx;
    let at = d;
    for (let i = length; i > 0; i -= 4) {
      let a: v128, b: v128, c: v128, e: v128;
      if (columns >= 8 && below) {
        a = v128.load(from);
        b = v128.load(from, 16);
        c = v128.load(from + row);
        e = v128.load(from + row, 16);
      } else {
        a = load_columns(from, columns);
        b = load_columns(from + 16, columns - 4);
        c = load_columns(from + row, below ? columns : 0);
        e = load_columns(from + row + 16, below ? columns - 4 : 0);
      }
      const a0 = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
      const a1 = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
      const c0 = v128.shuffle<f32>(c, e, 0, 2, 4, 6);
      const c1 = v128.shuffle<f32>(c, e, 1, 3, 5, 7);
      gradient4(at, stride, a0, c0);
      gradient4(at + stride, stride, f32x4.add(a0, a1), f32x4.add(c0, c1));
      gradient4(at + 2 * stride, stride, f32x4.sub(a0, a1), f32x4.sub(c0, c1));
      gradient4(at + 3 * stride, stride, a1, c1);
      at += 16;
      from += 32;
      columns -= 8;
    }
    d += <usize>length << 2;
    left -= length;
    tx = 0;
    ty++;
  }
}

/** The next four columns, of which so many are there; zeros for the others. */
function load_columns(from: usize, columns: i32): v128 {
  if (columns >= 4) return v128.load(from);
  return columns > 0 ? loadPart(from, columns) : f32x4.splat(0);
}

/** D along a column of two, stored four places apart. */
// @ts-ignore: decorator
@inline
function gradient4(d: usize, stride: usize, y0: v128, y1: v128): void {
  const down = stride << 2;
  v128.store(d, y0);
  d += down;
  v128.store(d, f32x4.add(y0, y1));
  d += down;
  v128.store(d, f32x4.sub(y0, y1));
  d += down;
  v128.store(d, y1);
}

/** Zeros in the lanes that fill up the last vector of each row. */
function clear_ends(v: usize, row: usize, rows: i32, count: i32): void {
  const keep = laneMask(count & 3);
  v += <usize>(count & ~3) << 2;
  for (let i = 0; i < rows; i++) {
    v128.store(v, v128.and(v128.load(v), keep));
    v += row;
  }
}

/**
 * The weights' gradient, still transformed, in parts of `images` images each: partial sums [parts][16][oc][ic], of which p0 to p1
 * are written. winograd_weights_backward adds them up and transforms them back. x [n, ic, h, w], dout [n, oc, oh, ow],
 * oh = h + 2·pad − 2. Scratch: winograd_scratch bytes.
 */
export function conv2d_winograd_backward_weight(
  partials: usize,
  dout: usize,
  x: usize,
  n: i32,
  ic: i32,
  h: i32,
  w: i32,
  oc: i32,
  oh: i32,
  ow: i32,
  pad: i32,
  images: i32,
  scratch: usize,
  p0: i32,
  p1: i32,
): void {
  const size = place_bytes(ic * oc) << 4;
  for (let p = p0; p < p1; p++) {
    const n0 = min(p * images, n);
    weight_part(partials + <usize>p * size, dout, x, ic, h, w, oc, oh, ow, pad, scratch, n0, min(n0 + images, n));
  }
}

function weight_part(
  partial: usize,
  dout: usize,
  x: usize,
  ic: i32,
  h: i32,
  w: i32,
  oc: i32,
  oh: i32,
  ow: i32,
  pad: i32,
  scratch: usize,
  n0: i32,
  n1: i32,
): void {
  const tilesX = (ow + 1) >> 1;
  const perImage = ((oh + 1) >> 1) * tilesX;
  const end = n1 * perImage;
  const block = winograd_block(ic + oc);
  const inPlane = (<usize>h * w) << 2;
  const outPlane = (<usize>oh * ow) << 2;
  const row = <usize>row_floats(block) << 2;
  const vStride = <usize>ic * row;
  const dStride = <usize>oc * row;
  const d = scratch + (vStride << 4);
  const split = d + (dStride << 4);
  const splitFloats = (2 * ((block - 2) / tilesX + 2) + 2) * 2 * tile_pitch(tilesX);
  const place = place_bytes(ic * oc);
  memory.fill(partial, 0, place << 4);
  zeros(split, splitFloats);
  for (let t0 = n0 * perImage; t0 < end; t0 += block) {
    const count = min(block, end - t0);
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
    for (let t = t0; t < t0 + count; ) {
      const image = t / perImage;
      const first = t - image * perImage;
      const length = min(t0 + count - t, perImage - first);
      let plane = dout + <usize>(image * oc) * outPlane;
      let to = d + (<usize>(t - t0) << 2);
      for (let o = 0; o < oc; o++) {
        transform_gradient(to, dStride, plane, oh, ow, tilesX, first, length);
        plane += outPlane;
        to += row;
      }
      t += length;
    }
    if (count & 3) {
      clear_ends(scratch, row, 16 * ic, count);
      clear_ends(d, row, 16 * oc, count);
    }
    for (let i: usize = 0; i < 16; i++) {
      conv_dots(partial + i * place, <usize>ic << 2, oc, ic, d + i * dStride, row, scratch + i * vStride, row, (count + 3) >> 2);
    }
  }
}

/**
 * dw [oc·ic][3][3] = Cᵀ (Σ partial [chunks][16][oc·ic]) C, for filters f0 to f1 of `count`; f0 a multiple of 4.
 */
export function winograd_weights_backward(dw: usize, partial: usize, chunks: i32, count: i32, f0: i32, f1: i32): void {
  const place = place_bytes(count);
  const half = f32x4.splat(0.5);
  dw += <usize>f0 * 36;
  for (let f = f0; f < f1; f += 4) {
    let from = partial + (<usize>f << 2);
    const lanes = f1 - f;
    // Four filters in the lanes; rows of Cᵀ m first, one column of the sixteen places after the other.
    let a0 = f32x4.splat(0);
    let a1 = f32x4.splat(0);
    let a2 = f32x4.splat(0);
    let b0 = f32x4.splat(0);
    let b1 = f32x4.splat(0);
    let b2 = f32x4.splat(0);
    let c0 = f32x4.splat(0);
    let c1 = f32x4.splat(0);
    let c2 = f32x4.splat(0);
    for (let j = 0; j < 4; j++) {
      let m = from;
      let m0 = v128.load(m);
      let m1 = v128.load(m + 4 * place);
      let m2 = v128.load(m + 8 * place);
      let m3 = v128.load(m + 12 * place);
      for (let chunk = 1; chunk < chunks; chunk++) {
        m += place << 4;
        m0 = f32x4.add(m0, v128.load(m));
        m1 = f32x4.add(m1, v128.load(m + 4 * place));
        m2 = f32x4.add(m2, v128.load(m + 8 * place));
        m3 = f32x4.add(m3, v128.load(m + 12 * place));
      }
      from += place;
      const sum = f32x4.mul(half, f32x4.add(m1, m2));
      let r0 = f32x4.add(m0, sum);
      let r1 = f32x4.mul(half, f32x4.sub(m1, m2));
      let r2 = f32x4.sub(sum, m3);
      if (j == 0) {
        a0 = r0;
        b0 = r1;
        c0 = r2;
      } else if (j == 3) {
        a2 = f32x4.sub(a2, r0);
        b2 = f32x4.sub(b2, r1);
        c2 = f32x4.sub(c2, r2);
      } else {
        r0 = f32x4.mul(half, r0);
        r1 = f32x4.mul(half, r1);
        r2 = f32x4.mul(half, r2);
        a0 = f32x4.add(a0, r0);
        b0 = f32x4.add(b0, r1);
        c0 = f32x4.add(c0, r2);
        a1 = j == 1 ? r0 : f32x4.sub(a1, r0);
        b1 = j == 1 ? r1 : f32x4.sub(b1, r1);
        c1 = j == 1 ? r2 : f32x4.sub(c1, r2);
        a2 = f32x4.add(a2, r0);
        b2 = f32x4.add(b2, r1);
        c2 = f32x4.add(c2, r2);
      }
    }
    spread(dw, a0, lanes);
    spread(dw + 4, a1, lanes);
    spread(dw + 8, a2, lanes);
    spread(dw + 12, b0, lanes);
    spread(dw + 16, b1, lanes);
    spread(dw + 20, b2, lanes);
    spread(dw + 24, c0, lanes);
    spread(dw + 28, c1, lanes);
    spread(dw + 32, c2, lanes);
    dw += 144;
  }
}

/** One weight of up to four filters. */
// @ts-ignore: decorator
@inline
function spread(to: usize, v: v128, lanes: i32): void {
  v128.store32_lane(to, v, 0);
  if (lanes > 1) v128.store32_lane(to, v, 1, 36);
  if (lanes > 2) v128.store32_lane(to, v, 2, 72);
  if (lanes > 3) v128.store32_lane(to, v, 3, 108);
}
