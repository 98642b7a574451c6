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
import { gather, scatter } from "./conv-columns";
import { ConvShape, join_row, padded_rows, phase_pitch, split_image, zeros } from "./conv-image";
import { conv_dots, conv_pack, conv_product, conv_product_exact, copy_rows, strip_height } from "./conv-product";

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
