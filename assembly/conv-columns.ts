/**
 * The matrix of columns of a convolution: a block of it gathered from padded rows (conv-image.ts), and what a product gives for such a
 * block added to the rows it stands for.
 */
import { laneMask } from "./accumulate";
import { ConvShape, padded_rows, phase_pitch, split_image } from "./conv-image";

/**
 * Columns of `count` output pixels from pixel `first` on, gathered from padded rows that begin with output row y0's, ld bytes a row.
 * Behind the last, 4 zeros; up to 16 floats behind it are written.
 */
export function gather(
  to: usize,
  ld: usize,
  image: usize,
  rows: i32,
  y0: i32,
  first: i32,
  count: i32,
  s: ConvShape,
): void {
  const pitch = phase_pitch(s);
  const row = <usize>(pitch * s.sw) << 2;
  const zero = f32x4.splat(0);
  const yFirst = first / s.ow;
  const xFirst = first - yFirst * s.ow;
  image += <usize>((yFirst - y0) * s.sh) * row;
  const down = <usize>s.sh * row;
  for (let c = 0; c < s.ic; c++) {
    for (let i = 0; i < s.kh; i++) {
      for (let j = 0; j < s.kw; j++) {
        const column = j * s.dw;
        const phase = column % s.sw;
        let from = image + <usize>(i * s.dh) * row + (<usize>(phase * pitch + column / s.sw + xFirst) << 2);
        let at = to;
        let length = min(count, s.ow - xFirst);
        let left = count;
        for (;;) {
          // Sixteen at a time: what lies behind the end is overwritten by the next run, or nobody's.
          const end = at + (<usize>length << 2);
          let p = from;
          for (let q = at; q < end; q += 64) {
            v128.store(q, v128.load(p));
            v128.store(q, v128.load(p, 16), 16);
            v128.store(q, v128.load(p, 32), 32);
            v128.store(q, v128.load(p, 48), 48);
            p += 64;
          }
          at = end;
          left -= length;
          if (left == 0) break;
          from += down;
          if (xFirst && left + length == count) from -= <usize>xFirst << 2;
          length = min(left, s.ow);
        }
        v128.store(at, zero);
        to += ld;
      }
    }
    image += <usize>rows * row;
  }
}

/** Adds columns to the padded rows they stand for: the transpose of `gather`, over `channels` channels and all rows. */
export function scatter(
  image: usize,
  columns: usize,
  ld: usize,
  channels: i32,
  rows: i32,
  first: i32,
  count: i32,
  s: ConvShape,
): void {
  const pitch = phase_pitch(s);
  const row = <usize>(pitch * s.sw) << 2;
  const yFirst = first / s.ow;
  const xFirst = first - yFirst * s.ow;
  image += <usize>(yFirst * s.sh) * row;
  const down = <usize>s.sh * row;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < s.kh; i++) {
      for (let j = 0; j < s.kw; j++) {
        const column = j * s.dw;
        const phase = column % s.sw;
        let to = image + <usize>(i * s.dh) * row + (<usize>(phase * pitch + column / s.sw + xFirst) << 2);
        let at = columns;
        let length = min(count, s.ow - xFirst);
        let left = count;
        for (;;) {
          let p = to;
          let l = length;
          for (; l >= 4; l -= 4) {
            v128.store(p, f32x4.add(v128.load(p), v128.load(at)));
            p += 16;
            at += 16;
          }
          if (l > 0) {
            // The lanes beyond belong to the next row of pixels.
            v128.store(p, f32x4.add(v128.load(p), v128.and(v128.load(at), laneMask(l))));
            at += <usize>l << 2;
          }
          left -= length;
          if (left == 0) break;
          to += down;
          if (xFirst && left + length == count) to -= <usize>xFirst << 2;
          length = min(left, s.ow);
        }
        columns += ld;
      }
    }
    image += <usize>rows * row;
  }
}
