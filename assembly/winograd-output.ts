/** Aᵀ m A: products of the convolution (winograd.ts) as tiles of 2×2 outputs. */

/** Aᵀ m A + bias of `count` tiles of one plane from tile `first` on: m[place·stride + tile]. */
export function transform_output(
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
