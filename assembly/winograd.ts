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
 */
import { laneMask, loadPart } from "./accumulate";
import { conv_dots, conv_product, strip_height } from "./conv";
import { split_rows, zeros } from "./conv-image";

/** Bytes of transformed input and products of a block that is worked on at once. */
// @ts-ignore: decorator
@inline
const BLOCK_BYTES: i32 = 786432;

/** Tiles in a block, a multiple of 8. */
export function winograd_block(channels: i32): i32 {
  return min(max((BLOCK_BYTES / 64 / channels) & ~7, 32), 256);
}

/** Floats of a row of tiles: with room for the lanes behind the last. */
// @ts-ignore: decorator
@inline
function row_floats(block: i32): i32 {
  return block + 8;
}

/** Floats of one phase of a row of the split image, for so many tiles. */
// @ts-ignore: decorator
@inline
function tile_pitch(tiles: i32): i32 {
  return (tiles + 7) & ~3;
}

/** Bytes of scratch memory that a pass with so many channels in and out and so wide an image (in tiles) needs. */
export function winograd_scratch(ic: i32, oc: i32, tilesX: i32): i32 {
  const block = winograd_block(ic + oc);
  const rows = 2 * ((block - 2) / tilesX + 2) + 2;
  return (16 * (ic + oc) * row_floats(block) + rows * 2 * tile_pitch(tilesX) + 64) * 4;
}

/** Bytes from one of the 16 places to the next, for so many filters: not a power of two, or all would fall on each other in the cache. */
// @ts-ignore: decorator
@inline
function place_bytes(filters: i32): usize {
  return (<usize>filters << 2) + 64;
}

/** Bytes of so many transformed filters, or of their gradients. */
export function winograd_transformed(filters: i32): i32 {
  return <i32>place_bytes(filters) << 4;
}

/**
 * u [16][oc·ic] = G w Gᵀ of the filters w [oc][ic][3][3], packed for conv_product: as weights from ic to oc channels or, transposed,
 * from oc to ic channels with every filter turned by 180°. Of the channels that come in c0 to c1.
 */
export function winograd_weights(u: usize, w: usize, oc: i32, ic: i32, transposed: i32, c0: i32, c1: i32): void {
  const place = place_bytes(oc * ic);
  const rows = transposed ? ic : oc;
  const columns = transposed ? oc : ic;
  const ar = transposed ? 36 : ic * 36;
  const ac = transposed ? ic * 36 : 36;
  for (let left = rows; left > 0; ) {
    const h = strip_height(left);
    let to = u + (<usize>(c0 * h) << 2);
    for (let p = c0; p < c1; p++) {
      let from = w + <usize>p * ac;
      for (let i = 0; i < h; i++) {
        transform_filter(to, place, from, transposed);
        to += 4;
        from += ar;
      }
    }
    u += <usize>(h * columns) << 2;
    w += <usize>h * ar;
    left -= h;
  }
}

/** One filter: rows of G w in vectors, transposed, so that columns of the result are. Turned, places 0 and 3 are exchanged both ways. */
function transform_filter(u: usize, place: usize, w: usize, turned: i32): void {
  const half = f32x4.splat(0.5);
  const w0 = v128.load(w);
  const w1 = v128.load(w, 12);
  const end = v128.load(w, 20);
  const w2 = v128.shuffle<f32>(end, end, 1, 2, 3, 3);
  const even = f32x4.mul(half, f32x4.add(w0, w2));
  const odd = f32x4.mul(half, w1);
  const r1 = f32x4.add(even, odd);
  const r2 = f32x4.sub(even, odd);
  const low = v128.shuffle<f32>(w0, r1, 0, 4, 1, 5);
  const high = v128.shuffle<f32>(r2, w2, 0, 4, 1, 5);
  const c0 = v128.shuffle<f32>(low, high, 0, 1, 4, 5);
  const c1 = v128.shuffle<f32>(low, high, 2, 3, 6, 7);
  const c2 = v128.shuffle<f32>(v128.shuffle<f32>(w0, r1, 2, 6, 2, 6), v128.shuffle<f32>(r2, w2, 2, 6, 2, 6), 0, 1, 4, 5);
  const evenColumns = f32x4.mul(half, f32x4.add(c0, c2));
  const oddColumns = f32x4.mul(half, c1);
  const last: usize = 3 * place;
  const outer = turned ? last : 0;
  store_places(u + outer, place, outer << 2, c0);
  store_places(u + place, place, outer << 2, f32x4.add(evenColumns, oddColumns));
  store_places(u + 2 * place, place, outer << 2, f32x4.sub(evenColumns, oddColumns));
  store_places(u + last - outer, place, outer << 2, c2);
}

/** A column of four places, the first one `outer` from u, the last one as far from the end. */
// @ts-ignore: decorator
@inline
function store_places(u: usize, place: usize, outer: usize, v: v128): void {
  v128.store32_lane(u + outer, v, 0);
  v128.store32_lane(u + 4 * place, v, 1);
  v128.store32_lane(u + 8 * place, v, 2);
  v128.store32_lane(u + 12 * place - outer, v, 3);
}

/**
 * Bᵀ d B of `count` tiles of one plane from tile `first` on: v[place·stride + tile]. split is scratch memory for the rows they
 * lie in, its borders zeroed.
 */
function transform_input(
  v: usize,
  stride: usize,
  plane: usize,
  h: i32,
  w: i32,
  pad: i32,
  tilesX: i32,
  first: i32,
  count: i32,
  split: usize,
): void {
  let ty = first / tilesX;
  let tx = first - ty * tilesX;
  if (pad == 1 && w == 2 * tilesX && (tilesX & 3) == 0 && tx == 0 && count % tilesX == 0) {
    transform_columns(v, stride, plane, h, w, ty, ty + count / tilesX);
    return;
  }
  const pitch = tile_pitch(tilesX);
  const phase = <usize>pitch << 2;
  const row = phase << 1;
  const last = (first + count - 1) / tilesX;
  const columns = min(w, 2 * tilesX + 2 - pad);
  split_rows(split, pitch, 2, plane, <usize>w << 2, h, columns, pad, 2 * ty - pad, 2 * last + 4 - pad);
  for (let left = count; left > 0; ) {
    const length = min(left, tilesX - tx);
    for (let i = 0; i < length; i += 4) {
      const from = split + (<usize>(tx + i) << 2);
      transform_input4(v + (<usize>i << 2), stride, from, phase);
    }
    v += <usize>length << 2;
    left -= length;
    tx = 0;
    split += row << 1;
  }
}

/**
 * transform_input where rows of tiles fill vectors and images are padded by one: w = 2·tilesX, tilesX a multiple of 4, and whole
 * rows of tiles, ty0 ≤ ty < ty1. It goes down the image four tiles wide: a row of pixels lies in two rows of tiles, and is
 * shuffled and transformed along itself once for both. (What is done to a row stands here four times: a function returns one value,
 * and by way of memory it would cost what it saves.)
 */
function transform_columns(v: usize, stride: usize, plane: usize, h: i32, w: i32, ty0: i32, ty1: i32): void {
  const row = <usize>w << 2;
  const down = stride << 2;
  const next = <usize>w << 1;
  const zero = f32x4.splat(0);
  for (let x = 0; x < w; x += 8) {
    let y = 2 * ty0 - 1;
    let from = plane + <usize>((y * w + x - 1) << 2);
    let to = v + (<usize>x << 1);
    const inside = i32(x > 0) | (i32(x + 8 < w) << 1);
    let p0 = zero;
    let p1 = zero;
    let p2 = zero;
    let p3 = zero;
    if (<u32>y < <u32>h) {
      let a = v128.load(from);
      if (!(inside & 1)) a = f32x4.replace_lane(a, 0, 0);
      const b = v128.load(from, 16);
      const even = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
      const odd = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
      const evenNext = v128.shuffle<f32>(even, v128.load32_zero(from, 32), 1, 2, 3, 4);
      const oddNext = v128.shuffle<f32>(odd, inside & 2 ? v128.load32_zero(from, 36) : zero, 1, 2, 3, 4);
      p0 = f32x4.sub(even, evenNext);
      p1 = f32x4.add(odd, evenNext);
      p2 = f32x4.sub(evenNext, odd);
      p3 = f32x4.sub(odd, oddNext);
    }
    y++;
    from += row;
    let q0 = zero;
    let q1 = zero;
    let q2 = zero;
    let q3 = zero;
    if (<u32>y < <u32>h) {
      let a = v128.load(from);
      if (!(inside & 1)) a = f32x4.replace_lane(a, 0, 0);
      const b = v128.load(from, 16);
      const even = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
      const odd = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
      const evenNext = v128.shuffle<f32>(even, v128.load32_zero(from, 32), 1, 2, 3, 4);
      const oddNext = v128.shuffle<f32>(odd, inside & 2 ? v128.load32_zero(from, 36) : zero, 1, 2, 3, 4);
      q0 = f32x4.sub(even, evenNext);
      q1 = f32x4.add(odd, evenNext);
      q2 = f32x4.sub(evenNext, odd);
      q3 = f32x4.sub(odd, oddNext);
    }
    for (let ty = ty0; ty < ty1; ty++) {
      y++;
      from += row;
      let r0 = zero;
      let r1 = zero;
      let r2 = zero;
      let r3 = zero;
      if (<u32>y < <u32>h) {
        let a = v128.load(from);
        if (!(inside & 1)) a = f32x4.replace_lane(a, 0, 0);
        const b = v128.load(from, 16);
        const even = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
        const odd = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
        const evenNext = v128.shuffle<f32>(even, v128.load32_zero(from, 32), 1, 2, 3, 4);
        const oddNext = v128.shuffle<f32>(odd, inside & 2 ? v128.load32_zero(from, 36) : zero, 1, 2, 3, 4);
        r0 = f32x4.sub(even, evenNext);
        r1 = f32x4.add(odd, evenNext);
        r2 = f32x4.sub(evenNext, odd);
        r3 = f32x4.sub(odd, oddNext);
      }
      let at = to;
      v128.store(at, f32x4.sub(p0, r0));
      at += stride;
      v128.store(at, f32x4.sub(p1, r1));
      at += stride;
      v128.store(at, f32x4.sub(p2, r2));
      at += stride;
      v128.store(at, f32x4.sub(p3, r3));
      at += stride;
      v128.store(at, f32x4.add(q0, r0));
      v128.store(at + down, f32x4.sub(r0, q0));
      at += stride;
      v128.store(at, f32x4.add(q1, r1));
      v128.store(at + down, f32x4.sub(r1, q1));
      at += stride;
      v128.store(at, f32x4.add(q2, r2));
      v128.store(at + down, f32x4.sub(r2, q2));
      at += stride;
      v128.store(at, f32x4.add(q3, r3));
      v128.store(at + down, f32x4.sub(r3, q3));
      at += stride + down;
      p0 = r0;
      p1 = r1;
      p2 = r2;
      p3 = r3;
      y++;
      from += row;
      r0 = zero;
      r1 = zero;
      r2 = zero;
      r3 = zero;
      if (<u32>y < <u32>h) {
        let a = v128.load(from);
        if (!(inside & 1)) a = f32x4.replace_lane(a, 0, 0);
        const b = v128.load(from, 16);
        const even = v128.shuffle<f32>(a, b, 0, 2, 4, 6);
        const odd = v128.shuffle<f32>(a, b, 1, 3, 5, 7);
        const evenNext = v128.shuffle<f32>(even, v128.load32_zero(from, 32), 1, 2, 3, 4);
        const oddNext = v128.shuffle<f32>(odd, inside & 2 ? v128.load32_zero(from, 36) : zero, 1, 2, 3, 4);
        r0 = f32x4.sub(even, evenNext);
        r1 = f32x4.add(odd, evenNext);
        r2 = f32x4.sub(evenNext, odd);
        r3 = f32x4.sub(odd, oddNext);
      }
      v128.store(at, f32x4.sub(q0, r0));
      at += stride;
      v128.store(at, f32x4.sub(q1, r1));
      at += stride;
      v128.store(at, f32x4.sub(q2, r2));
      at += stride;
      v128.store(at, f32x4.sub(q3, r3));
      q0 = r0;
      q1 = r1;
      q2 = r2;
      q3 = r3;
      to += next;
    }
  }
}

/** Four tiles: even columns at d, odd ones a phase after, rows two phases apart. */
// @ts-ignore: decorator
@inline
function transform_input4(v: usize, stride: usize, d: usize, phase: usize): void {
  const o = d + phase;
  const d1 = o + phase;
  const o1 = d1 + phase;
  const d2 = o1 + phase;
  const o2 = d2 + phase;
  const d3 = o2 + phase;
  const o3 = d3 + phase;
  // Column by column of the transform: d0 − d2, d1 + d2, d2 − d1, d1 − d3, where d0, d2 are even columns and d1, d3 odd ones.
  put4(
    v,
    stride,
    f32x4.sub(v128.load(d), v128.load(d, 4)),
    f32x4.sub(v128.load(d1), v128.load(d1, 4)),
    f32x4.sub(v128.load(d2), v128.load(d2, 4)),
    f32x4.sub(v128.load(d3), v128.load(d3, 4)),
  );
  put4(
    v + stride,
    stride,
    f32x4.add(v128.load(o), v128.load(d, 4)),
    f32x4.add(v128.load(o1), v128.load(d1, 4)),
    f32x4.add(v128.load(o2), v128.load(d2, 4)),
    f32x4.add(v128.load(o3), v128.load(d3, 4)),
  );
  put4(
    v + 2 * stride,
    stride,
    f32x4.sub(v128.load(d, 4), v128.load(o)),
    f32x4.sub(v128.load(d1, 4), v128.load(o1)),
    f32x4.sub(v128.load(d2, 4), v128.load(o2)),
    f32x4.sub(v128.load(d3, 4), v128.load(o3)),
  );
  put4(
    v + 3 * stride,
    stride,
    f32x4.sub(v128.load(o), v128.load(o, 4)),
    f32x4.sub(v128.load(o1), v128.load(o1, 4)),
    f32x4.sub(v128.load(o2), v128.load(o2, 4)),
    f32x4.sub(v128.load(o3), v128.load(o3, 4)),
  );
}

/** Bᵀ along a column of four, stored four places apart. */
// @ts-ignore: decorator
@inline
function put4(v: usize, stride: usize, t0: v128, t1: v128, t2: v128, t3: v128): void {
  const down = stride << 2;
  v128.store(v, f32x4.sub(t0, t2));
  v += down;
  v128.store(v, f32x4.add(t1, t2));
  v += down;
  v128.store(v, f32x4.sub(t2, t1));
  v += down;
  v128.store(v, f32x4.sub(t1, t3));
}

/** Aᵀ m A + bias of `count` tiles of one plane from tile `first` on: m[place·stride + tile]. */
function transform_output(
  plane: usize,
  h: i32,
  w: i32,
  tilesX: i32,
  first: i32,
  count: i32,
  m: usize,
  stride: usize,
  bias: v128,
): void {
  let ty = first / tilesX;
  let tx = first - ty * tilesX;
  for (let left = count; left > 0; ) {
    const length = min(left, tilesX - tx);
    const to = plane + ((<usize>(2 * ty) * w + 2 * tx) << 2);
    const below = 2 * ty + 1 < h ? <usize>w << 2 : 0;
    const columns = min(2 * length, w - 2 * tx);
    let i = 0;
    for (; i + 8 <= columns; i += 8) output_tiles(to + (<usize>i << 2), below, 8, m + (<usize>i << 1), stride, bias);
    if (i < columns) transform_output4(to + (<usize>i << 2), below, columns - i, m + (<usize>i << 1), stride, bias);
    m += <usize>length << 2;
    left -= length;
    tx = 0;
    ty++;
  }
}

/** output_tiles for the last few of a row, which need not be inlined. */
export function transform_output4(to: usize, below: usize, columns: i32, m: usize, stride: usize, bias: v128): void {
  output_tiles(to, below, columns, m, stride, bias);
}

/** Four tiles: two rows of `columns` outputs. below = 0: there is only one row. */
// @ts-ignore: decorator
@inline
function output_tiles(to: usize, below: usize, columns: i32, m: usize, stride: usize, bias: v128): void {
  let m0 = v128.load(m);
  m += stride;
  let m1 = v128.load(m);
  m += stride;
  let m2 = v128.load(m);
  m += stride;
  let m3 = v128.load(m);
  m += stride;
  // Place (i, j): along j first. a: the left output, b: the right one.
  let a0 = f32x4.add(f32x4.add(m0, m1), m2);
  let b0 = f32x4.sub(f32x4.sub(m1, m2), m3);
  m0 = v128.load(m);
  m += stride;
  m1 = v128.load(m);
  m += stride;
  m2 = v128.load(m);
  m += stride;
  m3 = v128.load(m);
  m += stride;
  const a1 = f32x4.add(f32x4.add(m0, m1), m2);
  const b1 = f32x4.sub(f32x4.sub(m1, m2), m3);
  m0 = v128.load(m);
  m += stride;
  m1 = v128.load(m);
  m += stride;
  m2 = v128.load(m);
  m += stride;
  m3 = v128.load(m);
  m += stride;
  const a2 = f32x4.add(f32x4.add(m0, m1), m2);
  const b2 = f32x4.sub(f32x4.sub(m1, m2), m3);
  a0 = f32x4.add(f32x4.add(a0, bias), f32x4.add(a1, a2));
  b0 = f32x4.add(f32x4.add(b0, bias), f32x4.add(b1, b2));
  if (columns == 8) {
    v128.store(to, v128.shuffle<f32>(a0, b0, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<f32>(a0, b0, 2, 6, 3, 7), 16);
  } else {
    store_columns(to, a0, b0, columns);
  }
  if (below == 0) return;
  m0 = v128.load(m);
  m += stride;
  m1 = v128.load(m);
  m += stride;
  m2 = v128.load(m);
  m += stride;
  m3 = v128.load(m);
  const a3 = f32x4.add(f32x4.add(m0, m1), m2);
  const b3 = f32x4.sub(f32x4.sub(m1, m2), m3);
  a0 = f32x4.sub(f32x4.add(f32x4.sub(a1, a2), bias), a3);
  b0 = f32x4.sub(f32x4.add(f32x4.sub(b1, b2), bias), b3);
  to += below;
  if (columns == 8) {
    v128.store(to, v128.shuffle<f32>(a0, b0, 0, 4, 1, 5));
    v128.store(to, v128.shuffle<f32>(a0, b0, 2, 6, 3, 7), 16);
  } else {
    store_columns(to, a0, b0, columns);
  }
}

/** The first `columns` (1 to 7) of the columns a0 b0 a1 b1 … */
// @ts-ignore: decorator
@inline
function store_columns(to: usize, a: v128, b: v128, columns: i32): void {
  let v = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  if (columns & 4) {
    v128.store(to, v);
    to += 16;
    v = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  }
  if (columns & 2) {
    v128.store64_lane(to, v, 0);
    to += 8;
    v = v128.shuffle<f32>(v, v, 2, 3, 2, 3);
  }
  if (columns & 1) v128.store32_lane(to, v, 0);
}

/** Blocks of tiles that conv2d_winograd works through. */
export function winograd_units(n: i32, ic: i32, oc: i32, oh: i32, ow: i32): i32 {
  const block = winograd_block(ic + oc);
  return (n * ((oh + 1) >> 1) * ((ow + 1) >> 1) + block - 1) / block;
}

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
