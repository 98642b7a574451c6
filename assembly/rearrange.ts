/** Triangles of matrices, and elements in reverse order along a dimension. They know elements' size and not their type. */
import { copy_bytes, zero_bytes } from "./bytes";

/** Keeps columns [from, to) of each row and zeroes the others; the bounds move right by one a row. */
// @ts-ignore: decorator
@inline
function triangle(out: usize, x: usize, batch: i32, rows: i32, cols: i32, diagonal: i32, bytes: i32, upper: bool): void {
  const row = <usize>cols * <usize>bytes;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < rows; i++) {
      const bound = max<i64>(0, min<i64>(cols, <i64>i + <i64>diagonal + (upper ? 0 : 1)));
      const split = <usize>bound * <usize>bytes;
      if (upper) {
        zero_bytes(out, split);
        if (out != x) copy_bytes(out + split, x + split, row - split);
      } else {
        if (out != x) copy_bytes(out, x, split);
        zero_bytes(out + split, row - split);
      }
      out += row;
      x += row;
    }
  }
}

/**
 * out[b, i, j] = j − i ≤ diagonal ? x[b, i, j] : 0, elements of `bytes` bytes. out may be x. Backward is tril of dout.
 */
export function tril(out: usize, x: usize, batch: i32, rows: i32, cols: i32, diagonal: i32, bytes: i32): void {
  triangle(out, x, batch, rows, cols, diagonal, bytes, false);
}

/** out[b, i, j] = j − i ≥ diagonal ? x[b, i, j] : 0, elements of `bytes` bytes. out may be x. Backward is triu of dout. */
export function triu(out: usize, x: usize, batch: i32, rows: i32, cols: i32, diagonal: i32, bytes: i32): void {
  triangle(out, x, batch, rows, cols, diagonal, bytes, true);
}

/** out = the n elements of 4 bytes at x in reverse. */
function reverse_4(out: usize, x: usize, n: i32): void {
  let p = x + (<usize>n << 2);
  while (n >= 4) {
    p -= 16;
    const v = v128.load(p);
    v128.store(out, v128.shuffle<i32>(v, v, 3, 2, 1, 0));
    out += 16;
    n -= 4;
  }
  while (n > 0) {
    p -= 4;
    store<u32>(out, load<u32>(p));
    out += 4;
    n--;
  }
}

/** out = the n bytes at x in reverse. */
function reverse_1(out: usize, x: usize, n: i32): void {
  let p = x + <usize>n;
  while (n >= 16) {
    p -= 16;
    const v = v128.load(p);
    v128.store(out, v128.shuffle<i8>(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    out += 16;
    n -= 16;
  }
  while (n > 0) {
    p--;
    store<u8>(out, load<u8>(p));
    out++;
    n--;
  }
}

/**
 * out[o, j, :] = x[o, r − 1 − j, :], [outer, r, inner_bytes] (torch.flip of one dimension; several: one after the
 * other). out must not be x. Backward is flip of dout.
 */
export function flip(out: usize, x: usize, outer: i32, r: i32, inner_bytes: i32): void {
  const row = <usize>inner_bytes;
  const plane = <usize>r * row;
  for (let o = 0; o < outer; o++) {
    if (inner_bytes == 4) {
      reverse_4(out, x, r);
      out += plane;
    } else if (inner_bytes == 1) {
      reverse_1(out, x, r);
      out += plane;
    } else {
      for (let p = x + plane; p > x; ) {
        p -= row;
        copy_bytes(out, p, row);
        out += row;
      }
    }
    x += plane;
  }
}
