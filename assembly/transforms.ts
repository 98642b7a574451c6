/**
 * Images from bytes to normalised floats, as torchvision's ToTensor and Normalize do it, bit for bit: t = x/255 and
 * then (t − mean)/std, each operation rounded to float32 in that order.
 *
 * Images are [channels, pixels], contiguous; mean and std are tables of `channels` floats. Nothing here needs a gradient.
 * 16 pixels go at a time; the last pixels % 16 one at a time, in the same arithmetic.
 *
 * x/255 takes no division. 1/255 = HIGH + LOW with HIGH of 9 bits: for a byte x, x·HIGH is exact, x·LOW is off by far
 * less than the last bit of x/255, and so their rounded sum is x/255 rounded for all 256 values (the test tries them).
 */

// @ts-ignore: decorator
@inline
const HIGH: f32 = 0.0039215087890625; // 257/65536
// @ts-ignore: decorator
@inline
const LOW: f32 = 5.983839201917363e-8; // 1/255 − HIGH

/**
 * A constant in every lane. Of `n` only the sign is used, which is 0: a constant known to the compiler would be rebuilt
 * in every round of a loop.
 */
// @ts-ignore: decorator
@inline
function constant(value: f32, n: i32): v128 {
  return i32x4.splat(reinterpret<i32>(value) | (n >> 31));
}

/** Four bytes, widened to i32, to x/255. */
// @ts-ignore: decorator
@inline
function over255(x: v128, high: v128, low: v128): v128 {
  const v = f32x4.convert_i32x4_s(x);
  return f32x4.add(f32x4.mul(v, high), f32x4.mul(v, low));
}

/** One channel: out = (x/255 − mean)/std, n pixels. */
export function normalize_plane_u8(out: usize, x: usize, n: i32, mean: f32, std: f32): void {
  const m = f32x4.splat(mean);
  const s = f32x4.splat(std);
  const h = constant(HIGH, n);
  const l = constant(LOW, n);
  for (; n >= 16; n -= 16) {
    const v = v128.load(x);
    const a = i16x8.extend_low_i8x16_u(v);
    const b = i16x8.extend_high_i8x16_u(v);
    v128.store(out, f32x4.div(f32x4.sub(over255(i32x4.extend_low_i16x8_u(a), h, l), m), s));
    v128.store(out, f32x4.div(f32x4.sub(over255(i32x4.extend_high_i16x8_u(a), h, l), m), s), 16);
    v128.store(out, f32x4.div(f32x4.sub(over255(i32x4.extend_low_i16x8_u(b), h, l), m), s), 32);
    v128.store(out, f32x4.div(f32x4.sub(over255(i32x4.extend_high_i16x8_u(b), h, l), m), s), 48);
    out += 64;
    x += 16;
  }
  for (; n > 0; n--) {
    store<f32>(out, (<f32>load<u8>(x) / 255 - mean) / std);
    out += 4;
    x++;
  }
}

/** out = x/255 over n bytes (ToTensor). */
export function to_tensor_u8(out: usize, x: usize, n: i32): void {
  const h = constant(HIGH, n);
  const l = constant(LOW, n);
  for (; n >= 16; n -= 16) {
    const v = v128.load(x);
    const a = i16x8.extend_low_i8x16_u(v);
    const b = i16x8.extend_high_i8x16_u(v);
    v128.store(out, over255(i32x4.extend_low_i16x8_u(a), h, l));
    v128.store(out, over255(i32x4.extend_high_i16x8_u(a), h, l), 16);
    v128.store(out, over255(i32x4.extend_low_i16x8_u(b), h, l), 32);
    v128.store(out, over255(i32x4.extend_high_i16x8_u(b), h, l), 48);
    out += 64;
    x += 16;
  }
  for (; n > 0; n--) {
    store<f32>(out, <f32>load<u8>(x) / 255);
    out += 4;
    x++;
  }
}

/** out[i, c, :] = (x[i, c, :]/255 − mean[c])/std[c]; x uint8, out float32, [images, channels, pixels]. */
export function normalize_u8(
  out: usize, x: usize, images: i32, channels: i32, pixels: i32, mean: usize, std: usize,
): void {
  for (; images > 0; images--) {
    for (let c: usize = 0; c < <usize>channels; c++) {
      normalize_plane_u8(out, x, pixels, load<f32>(mean + (c << 2)), load<f32>(std + (c << 2)));
      out += <usize>pixels << 2;
      x += <usize>pixels;
    }
  }
}

/**
 * A batch straight from the data set: out[b, c, :] = (x[idx[b], c, :]/255 − mean[c])/std[c]; x uint8
 * [·, channels, pixels], idx int32 [batch], out float32 [batch, channels, pixels]. With mean 0 it is ToTensor alone.
 */
export function gather_normalize_u8(
  out: usize, x: usize, idx: usize, batch: i32, channels: i32, pixels: i32, mean: usize, std: usize,
): void {
  const size = <usize>channels * <usize>pixels;
  for (; batch > 0; batch--) {
    const image = x + <usize>load<i32>(idx) * size;
    if (mean) normalize_u8(out, image, 1, channels, pixels, mean, std);
    else to_tensor_u8(out, image, <i32>size);
    out += size << 2;
    idx += 4;
  }
}

/** out[i, c, :] = (x[i, c, :] − mean[c])/std[c], float32 [images, channels, pixels] (Normalize). out may be x. */
export function normalize_f32(
  out: usize, x: usize, images: i32, channels: i32, pixels: i32, mean: usize, std: usize,
): void {
  for (; images > 0; images--) {
    for (let c: usize = 0; c < <usize>channels; c++) {
      normalize_plane_f32(out, x, pixels, load<f32>(mean + (c << 2)), load<f32>(std + (c << 2)));
      out += <usize>pixels << 2;
      x += <usize>pixels << 2;
    }
  }
}

function normalize_plane_f32(out: usize, x: usize, n: i32, mean: f32, std: f32): void {
  const m = f32x4.splat(mean);
  const s = f32x4.splat(std);
  for (; n >= 8; n -= 8) {
    const a = f32x4.div(f32x4.sub(v128.load(x), m), s);
    const b = f32x4.div(f32x4.sub(v128.load(x, 16), m), s);
    v128.store(out, a);
    v128.store(out, b, 16);
    out += 32;
    x += 32;
  }
  for (; n > 0; n--) {
    store<f32>(out, (load<f32>(x) - mean) / std);
    out += 4;
    x += 4;
  }
}
