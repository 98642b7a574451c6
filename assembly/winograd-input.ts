/** Bᵀ d B: tiles of 4×4 inputs, of which the convolution and its weight gradient (winograd.ts) make products. */
import { split_rows } from "./conv-image";
import { tile_pitch } from "./winograd-sizes";

/**
 * Bᵀ d B of `count` tiles of one plane from tile `first` on: v[place·stride + tile]. split is scratch memory for the rows they
 * lie in, its borders zeroed.
 */
export function transform_input(
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
