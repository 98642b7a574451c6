/**
 * Convolution of images [n, groups·ic, h, w] with weights [groups·oc, ic, kh, kw], as PyTorch's conv2d (a cross-correlation):
 *
 *   out[n, o, y, x] = bias[o] + Σ_{c,i,j} weight[o, c, i, j] · in[n, c, y·sh + i·dh − ph, x·sw + j·dw − pw]
 *
 * with any stride, padding, dilation and number of groups. Sizes come as a `ConvShape` (conv-image.ts). 3×3 kernels of stride 1
 * with many channels go through winograd.ts instead, depthwise ones through depthwise.ts.
 *
 * How. A convolution is a product with the matrix of columns: column p holds the kk = ic·kh·kw pixels that output pixel p reads.
 * That matrix is never made. A block of at most a few hundred of its columns is gathered from the padded image into scratch
 * memory that stays in the cache, and goes through the tiles of matmul:
 *
 *   forward          out[oc, pixels]   = weight[oc, kk] · columns[kk, pixels]
 *   input gradient   columns[kk, pixels] = weightᵀ · dOut, which are then added to where they came from
 *   weight gradient  dWeight[oc, kk]  += dOut[oc, pixels] · columnsᵀ, in tiles of dot products (conv-tiles-generated.ts)
 *
 * (cf. Chellapilla, Puri & Simard, "High performance convolutional neural networks for document processing", 2006; blocks
 * instead of the whole as in cuDNN, Chetlur et al. 2014.) 1×1 kernels of stride 1 need no columns: the image is the matrix.
 *
 * Every kernel takes a range of units, so that threads may share the work. No sum depends on the split: forward and input
 * gradient sum within one output, and weight gradients come as partial sums of fixed chunks of images.
 */
import { laneMask } from "./accumulate";
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
import { ConvShape, join_row, padded_rows, phase_pitch, split_image, zeros } from "./conv-image";

/** Bytes of a padded image (or of some of its rows or channels) that is worked on at once: half of a second cache of 512 KB. */
// @ts-ignore: decorator
@inline
const IMAGE_BYTES: i32 = 262144;
/** Bytes of a block of columns. */
// @ts-ignore: decorator
@inline
const BLOCK_BYTES: i32 = 131072;
/** Planes of fewer pixels than this are worked on several images at a time. */
// @ts-ignore: decorator
@inline
const SMALL_PLANE: i32 = 64;

// @ts-ignore: decorator
@inline
function taps(s: ConvShape): i32 {
  return s.ic * s.kh * s.kw;
}

/** The image itself is the matrix of columns. */
// @ts-ignore: decorator
@inline
function pointwise(s: ConvShape): bool {
  return (s.kh | s.kw | s.sh | s.sw) == 1 && s.oh == s.h && s.ow == s.w && s.oh * s.ow >= 4;
}

/** Columns in a block, a multiple of 8. */
function block_columns(s: ConvShape): i32 {
  return min(max((BLOCK_BYTES / 4 / (taps(s) + 1)) & ~7, 64), 256);
}

/** Images of a unit of the forward pass: one, or as many small ones as fill a block. */
// @ts-ignore: decorator
@inline
function images_at_once(s: ConvShape): i32 {
  const plane = s.oh * s.ow;
  return plane >= SMALL_PLANE || pointwise(s) ? 1 : max(1, min(s.n, block_columns(s) / max(plane, 1)));
}

/** Output rows of a unit: as many as their padded input leaves in the cache. */
// @ts-ignore: decorator
@inline
function band_rows(s: ConvShape): i32 {
  const row = s.ic * s.sw * phase_pitch(s) * 4;
  const rows = (IMAGE_BYTES / row - (s.kh - 1) * s.dh - 1) / s.sh + 1;
  return min(max(rows, 1), s.oh);
}

/** Input channels whose padded gradient is worked on at once. */
// @ts-ignore: decorator
@inline
function channels_at_once(s: ConvShape): i32 {
  const plane = padded_rows(s, s.oh) * s.sw * phase_pitch(s) * 4;
  return min(max(IMAGE_BYTES / plane, 1), s.ic);
}

/** How many units the forward pass has. */
export function conv2d_units(shape: usize): i32 {
  const s = changetype<ConvShape>(shape);
  const images = images_at_once(s);
  if (images > 1) return (s.n + images - 1) / images;
  const rows = band_rows(s);
  return s.n * ((s.oh + rows - 1) / rows);
}

/** Bytes of scratch memory that any pass of this convolution needs. */
export function conv2d_scratch(shape: usize): i32 {
  const s = changetype<ConvShape>(shape);
  const pitch = s.sw * phase_pitch(s) * 4;
  const band = s.ic * padded_rows(s, band_rows(s)) * pitch;
  const image = channels_at_once(s) * padded_rows(s, s.oh) * pitch;
  const ld = (block_columns(s) + 16) * 4;
  return max(band, image) + (taps(s) + s.oc + 2) * ld + 256;
}

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
function conv_product_exact(
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

/**
 * Columns of `count` output pixels from pixel `first` on, gathered from padded rows that begin with output row y0's, ld bytes a row.
 * Behind the last, 4 zeros; up to 16 floats behind it are written.
 */
function gather(
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
function scatter(
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

/** Bytes of the packed weights of one group. */
// @ts-ignore: decorator
@inline
function packed_bytes(s: ConvShape): i32 {
  return (s.oc * (taps(s) + 1)) << 2;
}

/**
 * Packs the weights for conv2d; with a bias (or 0), it is one term more, which meets a row of ones. to: conv2d_packed bytes.
 */
export function conv2d_pack(to: usize, weight: usize, bias: usize, shape: usize): void {
  const s = changetype<ConvShape>(shape);
  const kk = taps(s);
  for (let g = 0; g < s.groups; g++) {
    let at = to;
    for (let rows = s.oc; rows > 0; ) {
      const h = strip_height(rows);
      conv_pack(at, weight, <usize>kk << 2, 4, h, kk);
      at += <usize>(h * kk) << 2;
      weight += <usize>(h * kk) << 2;
      if (bias) {
        memory.copy(at, bias, <usize>h << 2);
        at += <usize>h << 2;
        bias += <usize>h << 2;
      }
      rows -= h;
    }
    to += packed_bytes(s);
  }
}

/** Packs the weights for conv2d_backward_input. to: conv2d_packed bytes. */
export function conv2d_pack_transposed(to: usize, weight: usize, shape: usize): void {
  const s = changetype<ConvShape>(shape);
  const kk = taps(s);
  const kernel = s.kh * s.kw;
  const chunk = channels_at_once(s);
  for (let g = 0; g < s.groups; g++) {
    let at = to;
    for (let c = 0; c < s.ic; c += chunk) {
      const rows = min(chunk, s.ic - c) * kernel;
      conv_pack(at, weight + (<usize>(c * kernel) << 2), 4, <usize>kk << 2, rows, s.oc);
      at += <usize>(rows * s.oc) << 2;
    }
    weight += <usize>(s.oc * kk) << 2;
    to += packed_bytes(s);
  }
}

/** Bytes of packed weights. */
export function conv2d_packed(shape: usize): i32 {
  const s = changetype<ConvShape>(shape);
  return s.groups * packed_bytes(s);
}

/**
 * Units u0 to u1 (of conv2d_units) of the forward pass. packed: the weights, by conv2d_pack; bias: whether it is among them.
 * Scratch: conv2d_scratch bytes, aligned to 16, one for each thread.
 */
export function conv2d(
  out: usize,
  x: usize,
  packed: usize,
  bias: i32,
  shape: usize,
  scratch: usize,
  u0: i32,
  u1: i32,
): void {
  const s = changetype<ConvShape>(shape);
  const kk = taps(s);
  const terms = kk + bias;
  const plane = s.oh * s.ow;
  const direct = pointwise(s);
  const images = images_at_once(s);
  const bandRows = band_rows(s);
  const bands = (s.oh + bandRows - 1) / bandRows;
  const rows = padded_rows(s, bandRows);
  const imageFloats = direct ? 0 : s.ic * rows * s.sw * phase_pitch(s);
  const block = block_columns(s);
  const ld = <usize>(block + 16) << 2;

  const columns = scratch + (<usize>imageFloats << 2);
  const result = columns + <usize>(kk + 1) * ld;
  if (!direct) zeros(scratch, imageFloats);
  if (bias) {
    // A row of ones, which the bias meets.
    const one = f32x4.splat(1);
    const ones = columns + <usize>kk * ld;
    for (let i = 0; i < block; i += 4) v128.store(ones + (<usize>i << 2), one);
  }

  for (let g = 0; g < s.groups; g++) {
    for (let u = u0; u < u1; u++) {
      const n0 = images > 1 ? u * images : u / bands;
      const y0 = images > 1 ? 0 : (u % bands) * bandRows;
      const y1 = min(y0 + bandRows, s.oh);
      const group = (<usize>(n0 * s.groups + g)) << 2;
      const xG = x + group * s.ic * s.h * s.w;
      const outG = out + group * s.oc * plane;
      if (images > 1) {
        // Small planes: one block of several images, by way of scratch memory.
        const count = min(images, s.n - n0);
        for (let m = 0; m < count; m++) {
          const xM = xG + ((<usize>(m * s.groups * s.ic) * s.h * s.w) << 2);
          split_image(scratch, xM, s.ic, 0, rows, s);
          gather(columns + (<usize>(m * plane) << 2), ld, scratch, rows, 0, 0, plane, s);
        }
        conv_product(result, ld, s.oc, packed, columns, ld, (count * plane + 7) & ~7, terms);
        for (let m = 0; m < count; m++) {
          const outM = outG + ((<usize>(m * s.groups * s.oc) * plane) << 2);
          copy_rows(outM, <usize>plane << 2, result + (<usize>(m * plane) << 2), ld, s.oc, plane);
        }
        continue;
      }
      if (!direct) split_image(scratch, xG, s.ic, y0 * s.sh, y0 * s.sh + rows, s);
      const pixels = (y1 - y0) * s.ow;
      const blocks = (pixels + block - 1) / block;
      const size = ((pixels + blocks - 1) / blocks + 7) & ~7;
      for (let p = 0; p < pixels; p += size) {
        const count = min(size, pixels - p);
        const first = y0 * s.ow + p;
        const to = outG + (<usize>first << 2);
        if (direct && bias == 0 && (count & 7) == 0) {
          conv_product(to, <usize>plane << 2, s.oc, packed, xG + (<usize>first << 2), <usize>plane << 2, count, kk);
          continue;
        }
        if (direct) copy_rows(columns, ld, xG + (<usize>first << 2), <usize>plane << 2, kk, count);
        else gather(columns, ld, scratch, rows, y0, first, count, s);
        conv_product_exact(to, <usize>plane << 2, s.oc, packed, columns, ld, count, terms, result);
      }
    }
    packed += packed_bytes(s);
  }
}

/** Rows of n floats, strides in bytes. */
function copy_rows(to: usize, toStride: usize, from: usize, fromStride: usize, rows: i32, n: i32): void {
  for (let i = 0; i < rows; i++) {
    memory.copy(to, from, <usize>n << 2);
    to += toStride;
    from += fromStride;
  }
}

/**
 * The gradient of the input, of images n0 to n1: dx is written. packed: the weights, by conv2d_pack_transposed. Scratch:
 * conv2d_scratch bytes.
 */
export function conv2d_backward_input(
  dx: usize,
  dout: usize,
  packed: usize,
  shape: usize,
  scratch: usize,
  n0: i32,
  n1: i32,
): void {
  const s = changetype<ConvShape>(shape);
  const kk = taps(s);
  const kernel = s.kh * s.kw;
  const plane = s.oh * s.ow;
  const inPlane = s.h * s.w;
  const pitch = phase_pitch(s);
  const rows = padded_rows(s, s.oh);
  const chunk = channels_at_once(s);
  const block = block_columns(s);
  const ld = <usize>(block + 16) << 2;
  const columns = scratch + ((<usize>chunk * rows * s.sw * pitch) << 2);
  const temp = columns + <usize>kk * ld;
  const whole = pointwise(s);
  for (let n = n0; n < n1; n++) {
    for (let g = 0; g < s.groups; g++) {
      const index = n * s.groups + g;
      const b = dout + ((<usize>index * s.oc * plane) << 2);
      let a = packed + <usize>g * packed_bytes(s);
      for (let c0 = 0; c0 < s.ic; c0 += chunk) {
        const channels = min(chunk, s.ic - c0);
        let to = dx + ((<usize>(index * s.ic + c0) * inPlane) << 2);
        if (!whole) zeros(scratch, channels * rows * s.sw * pitch);
        for (let p = 0; p < plane; p += block) {
          const count = min(block, plane - p);
          let bP = b + (<usize>p << 2);
          let br = <usize>plane << 2;
          if (count & 7) {
            // The last columns of a panel must not come from beyond the tensor.
            copy_rows(temp, ld, bP, br, s.oc, count);
            bP = temp;
            br = ld;
          }
          const padded = (count + 7) & ~7;
          if (whole && padded == count) {
            conv_product(to + (<usize>p << 2), <usize>plane << 2, channels, a, bP, br, count, s.oc);
            continue;
          }
          conv_product(columns, ld, channels * kernel, a, bP, br, padded, s.oc);
          if (whole) {
            copy_rows(to + (<usize>p << 2), <usize>plane << 2, columns, ld, channels, count);
            continue;
          }
          scatter(scratch, columns, ld, channels, rows, p, count, s);
        }
        a += <usize>(channels * kernel * s.oc) << 2;
        if (whole) continue;
        let from = scratch;
        const row = <usize>(pitch * s.sw) << 2;
        for (let c = 0; c < channels; c++) {
          for (let y = 0; y < s.h; y++) {
            const r = y + s.ph;
            if (r < rows) join_row(to, from + <usize>r * row, pitch, s.sw, s.w, s.pw);
            else memory.fill(to, 0, <usize>s.w << 2);
            to += <usize>s.w << 2;
          }
          from += <usize>rows * row;
        }
      }
    }
  }
}

/**
 * The gradient of the weights in parts of `images` images each: partial sums [parts][groups·oc, ic, kh, kw], of which p0 to p1
 * are written. conv2d_sum adds them up. Scratch: conv2d_scratch bytes.
 */
export function conv2d_backward_weight(
  partials: usize,
  dout: usize,
  x: usize,
  shape: usize,
  images: i32,
  scratch: usize,
  p0: i32,
  p1: i32,
): void {
  const s = changetype<ConvShape>(shape);
  const size = (<usize>(s.groups * s.oc) * taps(s)) << 2;
  for (let p = p0; p < p1; p++) {
    const n0 = min(p * images, s.n);
    weight_part(partials + <usize>p * size, dout, x, s, scratch, n0, min(n0 + images, s.n));
  }
}

function weight_part(
  partial: usize,
  dout: usize,
  x: usize,
  s: ConvShape,
  scratch: usize,
  n0: i32,
  n1: i32,
): void {
  const kk = taps(s);
  const plane = s.oh * s.ow;
  const bandRows = band_rows(s);
  const rows = padded_rows(s, bandRows);
  const imageFloats = s.ic * rows * s.sw * phase_pitch(s);
  const block = block_columns(s);
  const ld = <usize>(block + 16) << 2;
  const columns = scratch + (<usize>imageFloats << 2);
  const packed = columns + <usize>(kk + 1) * ld;
  const size = s.oc * kk;
  memory.fill(partial, 0, (<usize>s.groups * size) << 2);
  // Where four pixels always lie in one plane the gradient of the output, and a 1×1 kernel's image, are read in place.
  const inPlace = (plane & 3) == 0 && (s.ow & 3) == 0;
  const direct = inPlace && pointwise(s);
  const small = !direct && plane < SMALL_PLANE;
  if (!direct) zeros(scratch, imageFloats);
  for (let g = 0; g < s.groups; g++) {
    let filled = 0;
    const to = partial + ((<usize>g * size) << 2);
    for (let n = n0; n < n1; n++) {
      const index = n * s.groups + g;
      const xN = x + ((<usize>index * s.ic * s.h * s.w) << 2);
      const a = dout + ((<usize>index * s.oc * plane) << 2);
      for (let y0 = 0; y0 < s.oh; y0 += bandRows) {
        const y1 = min(y0 + bandRows, s.oh);
        if (!direct) split_image(scratch, xN, s.ic, y0 * s.sh, y0 * s.sh + rows, s);
        const pixels = (y1 - y0) * s.ow;
        const blocks = (pixels + block - 1) / block;
        const length = ((pixels + blocks - 1) / blocks + 7) & ~7;
        for (let p = 0; p < pixels; p += length) {
          const count = min(length, pixels - p);
          const first = y0 * s.ow + p;
          const from = a + (<usize>first << 2);
          if (direct) {
            conv_dots(to, <usize>kk << 2, s.oc, kk, from, <usize>plane << 2, xN + (<usize>first << 2), <usize>plane << 2, count >> 2);
            continue;
          }
          gather(columns + (<usize>filled << 2), ld, scratch, rows, y0, first, count, s);
          if (small || !inPlace) {
            copy_ending(packed + (<usize>filled << 2), ld, from, <usize>plane << 2, s.oc, count);
            filled += count;
            // Small planes: go on until the block is full.
            if (small && n + 1 < n1 && filled + plane <= block) continue;
            conv_dots(to, <usize>kk << 2, s.oc, kk, packed, ld, columns, ld, (filled + 3) >> 2);
            filled = 0;
          } else {
            conv_dots(to, <usize>kk << 2, s.oc, kk, from, <usize>plane << 2, columns, ld, count >> 2);
          }
        }
      }
    }
  }
}

/** copy_rows, with four zeros after each row. */
function copy_ending(to: usize, toStride: usize, from: usize, fromStride: usize, rows: i32, n: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < rows; i++) {
    memory.copy(to, from, <usize>n << 2);
    v128.store(to + (<usize>n << 2), zero);
    to += toStride;
    from += fromStride;
  }
}

/** out [n] = the sum of `chunks` partial sums [chunks, n], in their order. Elements i0 to i1, i0 a multiple of 4. */
export function conv2d_sum(out: usize, partial: usize, chunks: i32, n: i32, i0: i32, i1: i32): void {
  const stride = <usize>n << 2;
  let i = i0;
  for (; i + 4 <= i1; i += 4) {
    let from = partial + (<usize>i << 2);
    let sum = v128.load(from);
    for (let chunk = 1; chunk < chunks; chunk++) {
      from += stride;
      sum = f32x4.add(sum, v128.load(from));
    }
    v128.store(out + (<usize>i << 2), sum);
  }
  for (; i < i1; i++) {
    let from = partial + (<usize>i << 2);
    let sum = load<f32>(from);
    for (let chunk = 1; chunk < chunks; chunk++) {
      from += stride;
      sum += load<f32>(from);
    }
    store<f32>(out + (<usize>i << 2), sum);
  }
}
