/**
 * What the convolution kernels share: the sizes of a convolution, and images as they read them, padded with zeros and
 * split into phases.
 *
 * Phases. A kernel of stride s wants every s-th column of a row in neighbouring lanes. A padded row is therefore stored as s rows,
 * one after the other: phase q holds columns q, q + s, q + 2s … With that every tap of every convolution reads runs of
 * neighbours, and nobody but the copy into this form shuffles or asks where the border is.
 */
import { loadPart, storePart } from "./accumulate";

/** The sizes of a convolution, as src/ops/conv.ts writes them: i32 words in this order. */
@unmanaged
export class ConvShape {
  /** Images. */
  n: i32;
  /** Channels in, of one group. */
  ic: i32;
  h: i32;
  w: i32;
  /** Channels out, of one group. */
  oc: i32;
  kh: i32;
  kw: i32;
  /** Strides. */
  sh: i32;
  sw: i32;
  /** Padding above and to the left; what lies below and to the right follows from oh and ow. */
  ph: i32;
  pw: i32;
  /** Dilations. */
  dh: i32;
  dw: i32;
  oh: i32;
  ow: i32;
  groups: i32;
}

/** Columns of the padded image that are read, and all that hold a pixel. */
// @ts-ignore: decorator
@inline
function padded_columns(s: ConvShape): i32 {
  return max((s.ow - 1) * s.sw + (s.kw - 1) * s.dw + 1, s.w + s.pw);
}

/** Floats of one phase of a padded row: vectors may reach 3 floats over its end. */
// @ts-ignore: decorator
@inline
export function phase_pitch(s: ConvShape): i32 {
  return ((padded_columns(s) + s.sw - 1) / s.sw + 6) & ~3;
}

/** Padded rows that so many rows of the output read. */
// @ts-ignore: decorator
@inline
export function padded_rows(s: ConvShape, rows: i32): i32 {
  return (rows - 1) * s.sh + (s.kh - 1) * s.dh + 1;
}

/** n floats of zeros, n a multiple of 4. */
export function zeros(to: usize, n: i32): void {
  const zero = f32x4.splat(0);
  for (const end = to + (<usize>n << 2); to < end; to += 16) v128.store(to, zero);
}

/**
 * Rows y0 to y1 of a plane [h, w], a row of zeros where there is none, into phases of `pitch` floats each, `pad` columns to the
 * right. w: columns that are wanted, of rows of `stride` bytes. The border at the sides is left as it is: it was zeroed once,
 * and every row of a convolution has the same.
 */
export function split_rows(
  to: usize,
  pitch: i32,
  phases: i32,
  plane: usize,
  stride: usize,
  h: i32,
  w: i32,
  pad: i32,
  y0: i32,
  y1: i32,
): void {
  const floats = phases * pitch;
  const next = <usize>floats << 2;
  let row = plane + <usize>y0 * stride;
  // Pixel x falls on column x + pad: even pixels into the phase of pad's parity.
  const odd = pad & 1;
  const even = phases == 2 ? <usize>(odd * pitch + (pad >> 1)) << 2 : <usize>pad << 2;
  const other = <usize>((odd ^ 1) * pitch + ((pad + 1) >> 1)) << 2;
  for (let y = y0; y < y1; y++) {
    if (<u32>y >= <u32>h) zeros(to, floats);
    else if (phases == 2) split_two(to + even, to + other, row, w);
    else if (phases == 1) copy_floats(to + even, row, w);
    else split_any(to, pitch, phases, row, w, pad);
    to += next;
    row += stride;
  }
}

/** Even pixels of a row to one place, odd ones to another. */
// @ts-ignore: decorator
@inline
function split_two(even: usize, odd: usize, row: usize, w: i32): void {
  let i = w;
  for (; i >= 8; i -= 8) {
    const a = v128.load(row);
    const b = v128.load(row, 16);
    v128.store(even, v128.shuffle<f32>(a, b, 0, 2, 4, 6));
    v128.store(odd, v128.shuffle<f32>(a, b, 1, 3, 5, 7));
    row += 32;
    even += 16;
    odd += 16;
  }
  for (; i >= 2; i -= 2) {
    store<f32>(even, load<f32>(row));
    store<f32>(odd, load<f32>(row, 4));
    row += 8;
    even += 4;
    odd += 4;
  }
  if (i) store<f32>(even, load<f32>(row));
}

/** n floats. */
export function copy_floats(to: usize, from: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(to, v128.load(from));
    to += 16;
    from += 16;
  }
  if (n) storePart(to, loadPart(from, n), n);
}

/** A row in three or more phases. */
function split_any(to: usize, pitch: i32, phases: i32, row: usize, w: i32, pad: i32): void {
  for (let column = pad; column < w + pad; column++) {
    store<f32>(to + (<usize>((column % phases) * pitch + column / phases) << 2), load<f32>(row));
    row += 4;
  }
}

/** The inverse of split_rows for one row: a row of w pixels out of phases. */
export function join_row(to: usize, row: usize, pitch: i32, phases: i32, w: i32, pad: i32): void {
  if (phases == 1) {
    copy_floats(to, row + (<usize>pad << 2), w);
    return;
  }
  let i = 0;
  if (phases == 2) {
    const odd = pad & 1;
    let even = row + (<usize>(odd * pitch + (pad >> 1)) << 2);
    let next = row + (<usize>((odd ^ 1) * pitch + ((pad + 1) >> 1)) << 2);
    for (; i + 8 <= w; i += 8) {
      const a = v128.load(even);
      const b = v128.load(next);
      v128.store(to, v128.shuffle<f32>(a, b, 0, 4, 1, 5));
      v128.store(to, v128.shuffle<f32>(a, b, 2, 6, 3, 7), 16);
      to += 32;
      even += 16;
      next += 16;
    }
  }
  for (; i < w; i++) {
    const column = i + pad;
    store<f32>(to, load<f32>(row + (<usize>((column % phases) * pitch + column / phases) << 2)));
    to += 4;
  }
}

/**
 * Rows r0 to r1 of the padded images of `channels` planes, each channel's rows together; row r is image row r − ph, and a
 * row of zeros where there is none.
 */
export function split_image(to: usize, x: usize, channels: i32, r0: i32, r1: i32, s: ConvShape): void {
  const pitch = phase_pitch(s);
  const next = <usize>((r1 - r0) * pitch * s.sw) << 2;
  const plane = (<usize>s.h * s.w) << 2;
  for (let c = 0; c < channels; c++) {
    split_rows(to, pitch, s.sw, x, <usize>s.w << 2, s.h, s.w, s.pw, r0 - s.ph, r1 - s.ph);
    to += next;
    x += plane;
  }
}
