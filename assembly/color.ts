/**
 * Colors of one image, changed in place, as torchvision's adjust_brightness, adjust_contrast, adjust_saturation and adjust_hue
 * do it on tensors: in float32, every operation rounded in their order (so nothing is fused), bytes cut off and not rounded.
 *
 * Images are [channels, pixels], uint8 (0 … 255) or float32 (0 … 1). Four pixels go at a time; the last pixels % 4 are loaded
 * one by one into a vector of zeros and go the same way. Nothing here needs a gradient.
 */

// @ts-ignore: decorator
@inline
function load4<T>(x: usize, left: i32): v128 {
  if (sizeof<T>() == 4) {
    if (left >= 4) return v128.load(x);
    let v = v128.load32_zero(x);
    if (left > 1) v = v128.load32_lane(x, v, 1, 4);
    if (left > 2) v = v128.load32_lane(x, v, 2, 8);
    return v;
  }
  let bytes: v128;
  if (left >= 4) {
    bytes = v128.load32_zero(x);
  } else {
    bytes = v128.load8_lane(x, i32x4.splat(0), 0);
    if (left > 1) bytes = v128.load8_lane(x, bytes, 1, 1);
    if (left > 2) bytes = v128.load8_lane(x, bytes, 2, 2);
  }
  return f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
}

// @ts-ignore: decorator
@inline
function store4<T>(out: usize, v: v128, left: i32): void {
  if (sizeof<T>() == 4) {
    if (left >= 4) {
      v128.store(out, v);
    } else {
      v128.store32_lane(out, v, 0);
      if (left > 1) v128.store32_lane(out, v, 1, 4);
      if (left > 2) v128.store32_lane(out, v, 2, 8);
    }
    return;
  }
  const words = i32x4.trunc_sat_f32x4_s(v);
  const halves = i16x8.narrow_i32x4_s(words, words);
  const bytes = i8x16.narrow_i16x8_u(halves, halves);
  if (left >= 4) {
    v128.store32_lane(out, bytes, 0);
  } else {
    v128.store8_lane(out, bytes, 0);
    if (left > 1) v128.store8_lane(out, bytes, 1, 1);
    if (left > 2) v128.store8_lane(out, bytes, 2, 2);
  }
}

/** Between 0 and the largest value of the dtype; NaN stays. */
// @ts-ignore: decorator
@inline
function clamped<T>(v: v128): v128 {
  return f32x4.min(f32x4.max(v, f32x4.splat(0)), f32x4.splat(sizeof<T>() == 4 ? 1 : 255));
}

/** 0.2989·r + 0.587·g + 0.114·b, of bytes a whole number. */
// @ts-ignore: decorator
@inline
function gray<T>(r: v128, g: v128, b: v128): v128 {
  const rg = f32x4.add(f32x4.mul(f32x4.splat(0.2989), r), f32x4.mul(f32x4.splat(0.587), g));
  const v = f32x4.add(rg, f32x4.mul(f32x4.splat(0.114), b));
  return sizeof<T>() == 4 ? v : f32x4.trunc(v);
}

// @ts-ignore: decorator
@inline
function scale<T>(x: usize, n: i32, ratio: f32, add: f32): void {
  const r = f32x4.splat(ratio);
  const a = f32x4.splat(add);
  for (; n > 0; n -= 4) {
    store4<T>(x, clamped<T>(f32x4.add(f32x4.mul(r, load4<T>(x, n)), a)), n);
    x += 4 * sizeof<T>();
  }
}

/** x = ratio·x + add, clamped, n elements: brightness with add 0, contrast with the rest of the mean. */
export function color_scale_u8(x: usize, n: i32, ratio: f32, add: f32): void {
  scale<u8>(x, n, ratio, add);
}
export function color_scale_f32(x: usize, n: i32, ratio: f32, add: f32): void {
  scale<f32>(x, n, ratio, add);
}

// @ts-ignore: decorator
@inline
function mean<T>(x: usize, channels: i32, pixels: i32): f32 {
  const plane = <usize>pixels * sizeof<T>();
  // Doubles: exact for bytes, and off by less than a float's last bit for floats.
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let left = pixels; left > 0; left -= 4) {
    let v = load4<T>(x, left);
    if (channels == 3) v = gray<T>(v, load4<T>(x + plane, left), load4<T>(x + 2 * plane, left));
    low = f64x2.add(low, f64x2.promote_low_f32x4(v));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1)));
    x += 4 * sizeof<T>();
  }
  const sum = f64x2.add(low, high);
  return <f32>(f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)) / <f32>pixels;
}

/** The mean of an image of one channel, or of the gray version of one of three. */
export function color_mean_u8(x: usize, channels: i32, pixels: i32): f32 {
  return mean<u8>(x, channels, pixels);
}
export function color_mean_f32(x: usize, channels: i32, pixels: i32): f32 {
  return mean<f32>(x, channels, pixels);
}

// @ts-ignore: decorator
@inline
function saturate<T>(x: usize, pixels: i32, ratio: f32, rest: f32): void {
  const plane = <usize>pixels * sizeof<T>();
  const a = f32x4.splat(ratio);
  const q = f32x4.splat(rest);
  for (; pixels > 0; pixels -= 4) {
    const r = load4<T>(x, pixels);
    const g = load4<T>(x + plane, pixels);
    const b = load4<T>(x + 2 * plane, pixels);
    const add = f32x4.mul(q, gray<T>(r, g, b));
    store4<T>(x, clamped<T>(f32x4.add(f32x4.mul(a, r), add)), pixels);
    store4<T>(x + plane, clamped<T>(f32x4.add(f32x4.mul(a, g), add)), pixels);
    store4<T>(x + 2 * plane, clamped<T>(f32x4.add(f32x4.mul(a, b), add)), pixels);
    x += 4 * sizeof<T>();
  }
}

/** x = ratio·x + rest·gray, clamped; three channels. */
export function color_saturate_u8(x: usize, pixels: i32, ratio: f32, rest: f32): void {
  saturate<u8>(x, pixels, ratio, rest);
}
export function color_saturate_f32(x: usize, pixels: i32, ratio: f32, rest: f32): void {
  saturate<f32>(x, pixels, ratio, rest);
}

// @ts-ignore: decorator
@inline
function unit(v: v128): v128 {
  return f32x4.min(f32x4.max(v, f32x4.splat(0)), f32x4.splat(1));
}

// @ts-ignore: decorator
@inline
function choose(a: v128, b: v128, mask: v128): v128 {
  return v128.bitselect(a, b, mask);
}

/** Through hue, saturation and value, after Pillow; the hue turns by `shift` of the circle. */
// @ts-ignore: decorator
@inline
function turnHue<T>(x: usize, pixels: i32, shift: f32): void {
  const plane = <usize>pixels * sizeof<T>();
  const one = f32x4.splat(1);
  const zero = f32x4.splat(0);
  const six = f32x4.splat(6);
  for (; pixels > 0; pixels -= 4) {
    let r = load4<T>(x, pixels);
    let g = load4<T>(x + plane, pixels);
    let b = load4<T>(x + 2 * plane, pixels);
    if (sizeof<T>() == 1) {
      const full = f32x4.splat(255);
      r = f32x4.div(r, full);
      g = f32x4.div(g, full);
      b = f32x4.div(b, full);
    }
    const value = f32x4.max(f32x4.max(r, g), b);
    const least = f32x4.min(f32x4.min(r, g), b);
    const grey = f32x4.eq(value, least);
    const range = f32x4.sub(value, least);
    const s = f32x4.div(range, choose(one, value, grey));
    const divisor = choose(one, range, grey);
    const rc = f32x4.div(f32x4.sub(value, r), divisor);
    const gc = f32x4.div(f32x4.sub(value, g), divisor);
    const bc = f32x4.div(f32x4.sub(value, b), divisor);
    const fromRed = f32x4.sub(bc, gc);
    const fromGreen = f32x4.sub(f32x4.add(f32x4.splat(2), rc), bc);
    const fromBlue = f32x4.sub(f32x4.add(f32x4.splat(4), gc), rc);
    let h = choose(fromRed, choose(fromGreen, fromBlue, f32x4.eq(value, g)), f32x4.eq(value, r));
    h = f32x4.add(f32x4.div(h, six), one);
    h = f32x4.sub(h, f32x4.trunc(h));
    h = f32x4.add(h, f32x4.splat(shift));
    h = f32x4.sub(h, f32x4.trunc(h));
    h = f32x4.add(h, v128.and(one, f32x4.lt(h, zero)));

    const h6 = f32x4.mul(h, six);
    const sector = f32x4.floor(h6);
    const f = f32x4.sub(h6, sector);
    const p = unit(f32x4.mul(value, f32x4.sub(one, s)));
    const q = unit(f32x4.mul(value, f32x4.sub(one, f32x4.mul(s, f))));
    const t = unit(f32x4.mul(value, f32x4.sub(one, f32x4.mul(s, f32x4.sub(one, f)))));
    // A hue of 1, which rounding makes of the last below 0, is sector 6 and the same as 0.
    const i1 = f32x4.eq(sector, one);
    const i2 = f32x4.eq(sector, f32x4.splat(2));
    const i3 = f32x4.eq(sector, f32x4.splat(3));
    const i4 = f32x4.eq(sector, f32x4.splat(4));
    const i5 = f32x4.eq(sector, f32x4.splat(5));
    r = choose(q, choose(p, choose(t, value, i4), v128.or(i2, i3)), i1);
    g = choose(value, choose(q, choose(p, t, v128.or(i4, i5)), i3), v128.or(i1, i2));
    b = choose(t, choose(value, choose(q, p, i5), v128.or(i3, i4)), i2);
    if (sizeof<T>() == 1) {
      const full = f32x4.splat(255);
      r = f32x4.mul(r, full);
      g = f32x4.mul(g, full);
      b = f32x4.mul(b, full);
    }
    store4<T>(x, r, pixels);
    store4<T>(x + plane, g, pixels);
    store4<T>(x + 2 * plane, b, pixels);
    x += 4 * sizeof<T>();
  }
}

/** The hue turned by a shift in [−0.5, 0.5]; three channels. */
export function color_hue_u8(x: usize, pixels: i32, shift: f32): void {
  turnHue<u8>(x, pixels, shift);
}
export function color_hue_f32(x: usize, pixels: i32, shift: f32): void {
  turnHue<f32>(x, pixels, shift);
}
