/**
 * Windows of images: cropping, padding and flipping in one copy (torchvision's RandomCrop, CenterCrop, Pad and flips), and
 * the same straight into normalised floats.
 *
 * Images are [channels, h, w], contiguous. A window is [oh, ow] pixels with its corner at (top, left) of the image, and may
 * stick out of it: what lies outside is `fill`, or the image continued by `mode`. `flip`: bit 0 mirrors the window's
 * columns, bit 1 its rows. Windows are a table of three i32 an image: top, left, flip. Each kernel does the images
 * [i0, i1) of a batch; image i comes from row idx[i] of x (int32), or from row i where idx is 0.
 *
 * Rows are copied 16 bytes at a time; the last block of a row overlaps the one before, so nothing is written outside a
 * row. Rows of less than 16 bytes go by elements. Nothing here needs a gradient.
 */
import { normalize_plane_u8, to_tensor_u8 } from "./transforms";

// What lies outside an image; src/transforms/crop.ts has the same numbers.
// @ts-ignore: decorator
@inline
const CONSTANT = 0;
// @ts-ignore: decorator
@inline
const EDGE = 1;
// @ts-ignore: decorator
@inline
const REFLECT = 2;

/** Bytes of a strip of rows between cropping and normalising: they stay in the first-level cache. */
// @ts-ignore: decorator
@inline
const STRIP = 8192;

/** Where element i of a line of n, continued beyond its ends, comes from. */
// @ts-ignore: decorator
@inline
function extend(i: i32, n: i32, mode: i32): i32 {
  if (<u32>i < <u32>n) return i;
  if (mode == EDGE) return i < 0 ? 0 : n - 1;
  if (mode == REFLECT) return i < 0 ? -i : 2 * n - 2 - i;
  return i < 0 ? -1 - i : 2 * n - 1 - i;
}

/** out[i] = x[i], n elements. */
// @ts-ignore: decorator
@inline
function copyRow<T>(out: usize, x: usize, n: i32): void {
  const bytes = n * <i32>sizeof<T>();
  if (bytes >= 16) {
    const last = <usize>bytes - 16;
    for (let i: usize = 0; i < last; i += 16) v128.store(out + i, v128.load(x + i));
    v128.store(out + last, v128.load(x + last));
  } else {
    for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) store<T>(out + i, load<T>(x + i));
  }
}

// @ts-ignore: decorator
@inline
function reversed<T>(v: v128): v128 {
  if (sizeof<T>() == 1) return v128.shuffle<i8>(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  return v128.shuffle<i32>(v, v, 3, 2, 1, 0);
}

/** out[n − 1 − i] = x[i], n elements. */
// @ts-ignore: decorator
@inline
function reverseRow<T>(out: usize, x: usize, n: i32): void {
  const bytes = n * <i32>sizeof<T>();
  if (bytes >= 16) {
    const last = <usize>bytes - 16;
    for (let i: usize = 0; i < last; i += 16) v128.store(out + last - i, reversed<T>(v128.load(x + i)));
    v128.store(out, reversed<T>(v128.load(x + last)));
  } else {
    const last = <usize>(bytes - <i32>sizeof<T>());
    for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) store<T>(out + last - i, load<T>(x + i));
  }
}

/** out[i] = value, n elements. */
// @ts-ignore: decorator
@inline
function fillRow<T>(out: usize, value: i32, n: i32): void {
  const bytes = n * <i32>sizeof<T>();
  if (bytes >= 16) {
    const last = <usize>bytes - 16;
    const v = sizeof<T>() == 1 ? i8x16.splat(<i8>value) : i32x4.splat(value);
    for (let i: usize = 0; i < last; i += 16) v128.store(out + i, v);
    v128.store(out + last, v);
  } else {
    for (let i: usize = 0; i < <usize>bytes; i += sizeof<T>()) store<T>(out + i, <T>value);
  }
}

/** Rows [y0, y1) of the window of one plane; out is the address of row y0. */
// @ts-ignore: decorator
@inline
function cropRows<T>(
  out: usize, x: usize, h: i32, w: i32, top: i32, left: i32, flip: i32, y0: i32, y1: i32, oh: i32, ow: i32,
  mode: i32, fill: i32,
): void {
  // Columns [a, b) of the window lie inside the image.
  const a = max(0, min(ow, -left));
  const b = max(a, min(ow, w - left));
  for (let y = y0; y < y1; y++) {
    let row = top + (flip & 2 ? oh - 1 - y : y);
    if (<u32>row >= <u32>h && mode == CONSTANT) {
      fillRow<T>(out, fill, ow);
      out += <usize>ow * sizeof<T>();
      continue;
    }
    row = extend(row, h, mode);
    const line = x + <usize>row * <usize>w * sizeof<T>();
    const inside = line + <usize>(left + a) * sizeof<T>();
    if (flip & 1) reverseRow<T>(out + <usize>(ow - b) * sizeof<T>(), inside, b - a);
    else copyRow<T>(out + <usize>a * sizeof<T>(), inside, b - a);
    for (let c = 0; c < ow; c++) {
      if (c == a) {
        c = b;
        if (c >= ow) break;
      }
      const value = mode == CONSTANT ? <T>fill : load<T>(line + <usize>extend(left + c, w, mode) * sizeof<T>());
      store<T>(out + <usize>(flip & 1 ? ow - 1 - c : c) * sizeof<T>(), value);
    }
    out += <usize>ow * sizeof<T>();
  }
}

// @ts-ignore: decorator
@inline
function crop<T>(
  out: usize, x: usize, idx: usize, windows: usize, i0: i32, i1: i32, channels: i32, h: i32, w: i32, oh: i32, ow: i32,
  mode: i32, fill: i32,
): void {
  const from = <usize>h * <usize>w * sizeof<T>();
  const to = <usize>oh * <usize>ow * sizeof<T>();
  out += <usize>i0 * <usize>channels * to;
  for (let i = i0; i < i1; i++) {
    const source = idx ? load<i32>(idx + (<usize>i << 2)) : i;
    const window = windows + <usize>i * 12;
    let plane = x + <usize>source * <usize>channels * from;
    for (let c = 0; c < channels; c++) {
      cropRows<T>(
        out, plane, h, w, load<i32>(window), load<i32>(window, 4), load<i32>(window, 8), 0, oh, oh, ow, mode, fill,
      );
      out += to;
      plane += from;
    }
  }
}

/** The windows of images of single bytes (uint8, bool). */
export function crop_8(
  out: usize, x: usize, idx: usize, windows: usize, i0: i32, i1: i32, channels: i32, h: i32, w: i32, oh: i32, ow: i32,
  mode: i32, fill: i32,
): void {
  crop<u8>(out, x, idx, windows, i0, i1, channels, h, w, oh, ow, mode, fill);
}

/** The windows of images of 4-byte elements (float32, int32); fill is given by its bits. */
export function crop_32(
  out: usize, x: usize, idx: usize, windows: usize, i0: i32, i1: i32, channels: i32, h: i32, w: i32, oh: i32, ow: i32,
  mode: i32, fill: i32,
): void {
  crop<i32>(out, x, idx, windows, i0, i1, channels, h, w, oh, ow, mode, fill);
}

/**
 * The windows of uint8 images as floats: out = (window/255 − mean[c])/std[c], or window/255 where mean is 0; float32
 * [·, channels, oh, ow]. The arithmetic is that of normalize_u8 and to_tensor_u8, on strips of rows that crop_8 would have
 * made, so the result is that of the steps one by one, bit for bit. `strip` is scratch of max(8192, ow) bytes.
 */
export function crop_normalize_u8(
  out: usize, x: usize, idx: usize, windows: usize, i0: i32, i1: i32, channels: i32, h: i32, w: i32, oh: i32, ow: i32,
  mode: i32, fill: i32, mean: usize, std: usize, strip: usize,
): void {
  const from = <usize>h * <usize>w;
  const rows = max(1, STRIP / max(1, ow));
  out += (<usize>i0 * <usize>channels * <usize>oh * <usize>ow) << 2;
  for (let i = i0; i < i1; i++) {
    const source = idx ? load<i32>(idx + (<usize>i << 2)) : i;
    const window = windows + <usize>i * 12;
    const top = load<i32>(window);
    const left = load<i32>(window, 4);
    const flip = load<i32>(window, 8);
    const whole = (top | left | flip) == 0 && oh == h && ow == w;
    let plane = x + <usize>source * <usize>channels * from;
    for (let c: usize = 0; c < <usize>channels; c++) {
      for (let y = 0; y < oh; y += rows) {
        const end = min(oh, y + rows);
        const n = (end - y) * ow;
        let pixels = strip;
        if (whole) pixels = plane + <usize>(y * ow);
        else cropRows<u8>(strip, plane, h, w, top, left, flip, y, end, oh, ow, mode, fill);
        if (mean) normalize_plane_u8(out, pixels, n, load<f32>(mean + (c << 2)), load<f32>(std + (c << 2)));
        else to_tensor_u8(out, pixels, n);
        out += <usize>n << 2;
      }
      plane += from;
    }
  }
}

/**
 * Overwrites the rectangle of h × w pixels at (top, left) of one image [channels, height, width] of 4-byte elements
 * (RandomErasing). values: one a channel, or, where `each` is not 0, [channels, h, w].
 */
export function erase_32(
  image: usize, values: usize, each: i32, channels: i32, height: i32, width: i32, top: i32, left: i32, h: i32, w: i32,
): void {
  for (let c = 0; c < channels; c++) {
    let row = image + (<usize>((c * height + top) * width + left) << 2);
    for (let y = 0; y < h; y++) {
      if (each) {
        copyRow<i32>(row, values, w);
        values += <usize>w << 2;
      } else {
        fillRow<i32>(row, load<i32>(values), w);
      }
      row += <usize>width << 2;
    }
    if (!each) values += 4;
  }
}

/** The same of single bytes; values is one i32 a channel. */
export function erase_8(
  image: usize, values: usize, channels: i32, height: i32, width: i32, top: i32, left: i32, h: i32, w: i32,
): void {
  for (let c = 0; c < channels; c++) {
    let row = image + <usize>((c * height + top) * width + left);
    for (let y = 0; y < h; y++) {
      fillRow<u8>(row, load<i32>(values + (<usize>c << 2)), w);
      row += <usize>width;
    }
  }
}
