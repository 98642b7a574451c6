/**
 * Products of which convolutions are made, through tiles of matmul's kind (conv-tiles-generated.ts): packed weights with columns, and
 * rows with rows. Strides are in bytes.
 */
import {
  conv_dots_1,
  conv_dots_2,
  conv_dots_3,
  conv_dots_4,
  conv_dots_5,
  conv_dots_6,
  conv_strip_1,
  conv_strip_2,
  conv_strip_3,
  conv_strip_4,
  conv_strip_5,
  conv_strip_6,
} from "./conv-tiles-generated";

/** The most rows of a strip, and columns of dot products, that do not spill: V8 on x64 has 15 vector registers. */
// @ts-ignore: decorator
@inline
const HIGHEST: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** The next strip's height when so many rows are left: strips as equal as can be, the higher ones first. */
// @ts-ignore: decorator
@inline
export function strip_height(left: i32): i32 {
  const strips = (left + HIGHEST - 1) / HIGHEST;
  return (left + strips - 1) / strips;
}

/** Packs a [rows, kk], strides in bytes, for conv_product: strip by strip, each as [kk][height]. */
export function conv_pack(to: usize, a: usize, ar: usize, ac: usize, rows: i32, kk: i32): void {
  while (rows > 0) {
    const h = strip_height(rows);
    let column = a;
    for (let p = 0; p < kk; p++) {
      let from = column;
      for (let i = 0; i < h; i++) {
        store<f32>(to, load<f32>(from));
        to += 4;
        from += ar;
      }
      column += ac;
    }
    a += <usize>h * ar;
    rows -= h;
  }
}

/** out [rows, columns] = a (packed by conv_pack) · b [kk, columns]; columns a multiple of 8, strides in bytes. */
export function conv_product(
  out: usize,
  ldo: usize,
  rows: i32,
  a: usize,
  b: usize,
  ldb: usize,
  columns: i32,
  kk: i32,
): void {
  while (rows > 0) {
    const h = strip_height(rows);
    switch (h) {
      case 6:
        conv_strip_6(out, ldo, a, b, ldb, kk, columns);
        break;
      case 5:
        conv_strip_5(out, ldo, a, b, ldb, kk, columns);
        break;
      case 4:
        conv_strip_4(out, ldo, a, b, ldb, kk, columns);
        break;
      case 3:
        conv_strip_3(out, ldo, a, b, ldb, kk, columns);
        break;
      case 2:
        conv_strip_2(out, ldo, a, b, ldb, kk, columns);
        break;
      default:
        conv_strip_1(out, ldo, a, b, ldb, kk, columns);
    }
    out += <usize>h * ldo;
    a += <usize>(h * kk) << 2;
    rows -= h;
  }
}

/** conv_product for any number of columns: the last few by way of temp [rows, 8]. b may be read 7 floats behind its rows. */
export function conv_product_exact(
  out: usize,
  ldo: usize,
  rows: i32,
  a: usize,
  b: usize,
  ldb: usize,
  columns: i32,
  kk: i32,
  temp: usize,
): void {
  const whole = columns & ~7;
  conv_product(out, ldo, rows, a, b, ldb, whole, kk);
  if (whole == columns) return;
  const at = <usize>whole << 2;
  conv_product(temp, 32, rows, a, b + at, ldb, 8, kk);
  copy_rows(out + at, ldo, temp, 32, rows, columns - whole);
}

/** out [rows, columns] += a [rows, 4n] · b [columns, 4n]ᵀ, strides in bytes. */
export function conv_dots(
  out: usize,
  ldo: usize,
  rows: i32,
  columns: i32,
  a: usize,
  lda: usize,
  b: usize,
  ldb: usize,
  n: i32,
): void {
  while (columns > 0) {
    const w = strip_height(columns);
    switch (w) {
      case 6:
        conv_dots_6(out, ldo, rows, a, lda, b, ldb, n);
        break;
      case 5:
        conv_dots_5(out, ldo, rows, a, lda, b, ldb, n);
        break;
      case 4:
        conv_dots_4(out, ldo, rows, a, lda, b, ldb, n);
        break;
      case 3:
        conv_dots_3(out, ldo, rows, a, lda, b, ldb, n);
        break;
      case 2:
        conv_dots_2(out, ldo, rows, a, lda, b, ldb, n);
        break;
      default:
        conv_dots_1(out, ldo, rows, a, lda, b, ldb, n);
    }
    out += <usize>w << 2;
    b += <usize>w * ldb;
    columns -= w;
  }
}

/** Rows of n floats, strides in bytes. */
export function copy_rows(to: usize, toStride: usize, from: usize, fromStride: usize, rows: i32, n: i32): void {
  for (let i = 0; i < rows; i++) {
    memory.copy(to, from, <usize>n << 2);
    to += toStride;
    from += fromStride;
  }
}
