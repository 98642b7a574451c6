/**
 * Images read between their pixels: resizing (torchvision's Resize and RandomResizedCrop) and rotating (RandomRotation).
 * Planes are uint8 or float32; the arithmetic is float32, and bytes are rounded half to even, as torchvision does on
 * tensors. Nothing here needs a gradient.
 */

// How a pixel of the result is made; src/transforms/resize.ts has the same numbers.
// @ts-ignore: decorator
@inline
const NEAREST = 0;
// @ts-ignore: decorator
@inline
const BILINEAR = 1;

/**
 * The weights of a line of n elements resized to m: for each element of the result one row of `stride` words: where it begins
 * to read, how many elements it reads (at most stride − 2), and their weights. How PyTorch's F.interpolate makes them, with
 * alignCorners false: mode 0 takes the nearest element below, 1 the two around, 2 (antialias) a triangle as wide as an
 * element of the result.
 */
export function resize_weights(table: usize, n: i32, m: i32, mode: i32, stride: i32): void {
  const scale = <f32>n / <f32>m;
  for (let i = 0; i < m; i++) {
    if (mode == NEAREST) {
      store<i32>(table, min(<i32>(<f32>i * scale), n - 1));
      store<i32>(table, 1, 4);
      store<f32>(table, 1, 8);
    } else if (mode == BILINEAR) {
      const at = max<f64>(<f64>scale * (<f64>i + 0.5) - 0.5, 0);
      const first = min(<i32>at, n - 1);
      const part = <f32>(at - <f64>first);
      const last = first == n - 1;
      store<i32>(table, first);
      store<i32>(table, last ? 1 : 2, 4);
      store<f32>(table, last ? <f32>1 : <f32>1 - part, 8);
      if (!last) store<f32>(table, part, 12);
    } else {
      triangle(table, n, i, scale);
    }
    table += <usize>stride << 2;
  }
}

/** Row i of the weights with antialias, normalised to a sum of 1. */
function triangle(row: usize, n: i32, i: i32, scale: f32): void {
  const support: f32 = scale >= 1 ? scale : 1;
  const inverse: f32 = scale >= 1 ? <f32>1 / scale : 1;
  const center = <f32>(<f64>scale * (<f64>i + 0.5));
  const first = max(<i32>(<f64>(center - support) + 0.5), 0);
  const count = min(<i32>(<f64>(center + support) + 0.5), n) - first;
  let total: f32 = 0;
  const weights = row + 8;
  for (let j = 0; j < count; j++) {
    const x = abs<f32>(<f32>((<f64>(<f32>(j + first) - center) + 0.5) * <f64>inverse));
    const weight: f32 = x < 1 ? 1 - x : 0;
    store<f32>(weights + (<usize>j << 2), weight);
    total += weight;
  }
  for (let j = 0; j < count; j++) {
    const at = weights + (<usize>j << 2);
    store<f32>(at, load<f32>(at) / total);
  }
  store<i32>(row, first);
  store<i32>(row, count, 4);
}

/**
 * a·b + c rounded once, in both builds: what PyTorch's compiler makes of it, on which it depends to which side half a byte
 * is rounded. The product of two floats is exact in a double.
 */
// @ts-ignore: decorator
@inline
function fusedFour(a: v128, b: v128, c: v128): v128 {
  const low = f64x2.add(f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b)), f64x2.promote_low_f32x4(c));
  const high = f64x2.add(f64x2.mul(upper(a), upper(b)), upper(c));
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline
function upper(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 1));
}

/**
 * Σ weight·x over a row of the weights, of four floats every `step` bytes from p: from the first on, but of the two of plain
 * bilinear interpolation the second one first, as PyTorch's two kernels do it.
 */
// @ts-ignore: decorator
@inline
function weigh(p: usize, step: usize, row: usize, bilinear: i32): v128 {
  const count = load<i32>(row, 4);
  if (count == 1) return f32x4.mul(v128.load(p), v128.load32_splat(row, 8));
  if (bilinear) {
    return fusedFour(v128.load(p), v128.load32_splat(row, 8), f32x4.mul(v128.load(p + step), v128.load32_splat(row, 12)));
  }
  let sum = f32x4.mul(v128.load(p), v128.load32_splat(row, 8));
  for (let j = 1; j < count; j++) {
    p += step;
    row += 4;
    sum = fusedFour(v128.load(p), v128.load32_splat(row, 8), sum);
  }
  return sum;
}

/**
 * Lines across: four rows of x, w columns each, resized to m columns, into out [4, m] float32. The rows begin `step` bytes
 * apart. They are interleaved in `lanes` (w × 16 bytes) first, so that four go through the same weights at a time.
 */
// @ts-ignore: decorator
@inline
function resizeRows<T>(
  out: usize, x: usize, step: usize, w: i32, m: i32, table: usize, stride: i32, bilinear: i32, lanes: usize,
): void {
  for (let r: usize = 0; r < 4; r++) {
    let p = x + r * step;
    for (let c: usize = 0; c < <usize>w; c++) {
      store<f32>(lanes + (c << 4) + (r << 2), <f32>load<T>(p));
      p += sizeof<T>();
    }
  }
  const row = <usize>m << 2;
  for (let i = 0; i < m; i++) {
    const sum = weigh(lanes + (<usize>load<i32>(table) << 4), 16, table, bilinear);
    v128.store32_lane(out, sum, 0);
    v128.store32_lane(out + row, sum, 1);
    v128.store32_lane(out + 2 * row, sum, 2);
    v128.store32_lane(out + 3 * row, sum, 3);
    out += 4;
    table += <usize>stride << 2;
  }
}

/** Rounded half to even and saturated; four bytes. */
// @ts-ignore: decorator
@inline
function bytesOf(v: v128): v128 {
  const words = i32x4.trunc_sat_f32x4_s(f32x4.nearest(v));
  const halves = i16x8.narrow_i32x4_s(words, words);
  return i8x16.narrow_i16x8_u(halves, halves);
}

/**
 * One plane [h, w], whose rows begin `step` bytes apart, to [oh, ow]: first across, then down. `columns` and `rows` are the
 * tables of resize_weights with these strides, `bilinear` is 1 for those of its mode 1. Scratch: `wide` (h + 3) × ow floats, then w × 16 bytes.
 */
// @ts-ignore: decorator
@inline
function resize<T>(
  out: usize, x: usize, step: usize, h: i32, w: i32, oh: i32, ow: i32,
  rows: usize, rowStride: i32, columns: usize, columnStride: i32, bilinear: i32, wide: usize,
): void {
  const line = <usize>ow << 2;
  const lanes = wide + <usize>(h + 3) * line;
  for (let y = 0; y < h; y += 4) {
    // The last four rows begin earlier where h is not a multiple of 4; of fewer than four the first is read again.
    const from = h < 4 ? 0 : min(y, h - 4);
    const advance = h < 4 ? <usize>0 : step;
    if (h < 4) {
      for (let r = 0; r < h; r++) {
        resizeRows<T>(wide + <usize>r * line, x + <usize>r * step, advance, w, ow, columns, columnStride, bilinear, lanes);
      }
    } else {
      resizeRows<T>(wide + <usize>from * line, x + <usize>from * step, advance, w, ow, columns, columnStride, bilinear, lanes);
    }
  }
  for (let y = 0; y < oh; y++) {
    const first = wide + <usize>load<i32>(rows) * line;
    let c = 0;
    for (; c < ow; c += 4) {
      // The last block may read beyond the row, into the next one or the scratch behind, and keeps only what is asked for.
      const sum = weigh(first + (<usize>c << 2), line, rows, bilinear);
      const left = ow - c;
      if (sizeof<T>() == 4) {
        if (left >= 4) v128.store(out, sum);
        else {
          v128.store32_lane(out, sum, 0);
          if (left > 1) v128.store32_lane(out, sum, 1, 4);
          if (left > 2) v128.store32_lane(out, sum, 2, 8);
        }
      } else {
        const bytes = bytesOf(sum);
        if (left >= 4) v128.store32_lane(out, bytes, 0);
        else {
          v128.store8_lane(out, bytes, 0);
          if (left > 1) v128.store8_lane(out, bytes, 1, 1);
          if (left > 2) v128.store8_lane(out, bytes, 2, 2);
        }
      }
      out += <usize>min(left, 4) * sizeof<T>();
    }
    rows += <usize>rowStride << 2;
  }
}

/** `planes` planes [h, w] of bytes, `plane` bytes apart and with rows `step` bytes apart, to [planes, oh, ow]; see resize. */
export function resize_u8(
  out: usize, x: usize, planes: i32, plane: usize, step: usize, h: i32, w: i32, oh: i32, ow: i32,
  rows: usize, rowStride: i32, columns: usize, columnStride: i32, bilinear: i32, wide: usize,
): void {
  for (; planes > 0; planes--) {
    resize<u8>(out, x, step, h, w, oh, ow, rows, rowStride, columns, columnStride, bilinear, wide);
    out += <usize>oh * <usize>ow;
    x += plane;
  }
}

/** The same of floats; plane and step in bytes. */
export function resize_f32(
  out: usize, x: usize, planes: i32, plane: usize, step: usize, h: i32, w: i32, oh: i32, ow: i32,
  rows: usize, rowStride: i32, columns: usize, columnStride: i32, bilinear: i32, wide: usize,
): void {
  for (; planes > 0; planes--) {
    resize<f32>(out, x, step, h, w, oh, ow, rows, rowStride, columns, columnStride, bilinear, wide);
    out += (<usize>oh * <usize>ow) << 2;
    x += plane;
  }
}

// Rotating -----------------------------------------------------------------------------------------------------------

/** a·b + c rounded once: the product of two floats is exact in a double. */
// @ts-ignore: decorator
@inline
function fused(a: f32, b: f32, c: f32): f32 {
  return <f32>(<f64>a * <f64>b + <f64>c);
}

/** The pixel at (x, y), or 0 outside. */
// @ts-ignore: decorator
@inline
function pixel<T>(plane: usize, x: i32, y: i32, w: i32, h: i32): f32 {
  if (<u32>x >= <u32>w || <u32>y >= <u32>h) return 0;
  return <f32>load<T>(plane + <usize>(y * w + x) * sizeof<T>());
}

// @ts-ignore: decorator
@inline
function keep<T>(out: usize, value: f32): void {
  if (sizeof<T>() == 4) store<f32>(out, value);
  else store<u8>(out, <u8>min<f32>(max<f32>(nearest<f32>(value), 0), 255));
}

/**
 * One image [channels, h, w] turned into [channels, oh, ow], as torchvision's affine grid and grid_sample do it: the pixel
 * (x, y) of the result, from the middle, comes from (θ₀x + θ₁y + θ₂, θ₃x + θ₄y + θ₅) of the image, in halves of its sides.
 * `theta`: these six floats; `fill`: one float a channel for what lies outside. Bilinear results are, as there, the four
 * pixels (0 outside) times how much of them is inside, plus the rest of the fill.
 */
// @ts-ignore: decorator
@inline
function rotate<T>(
  out: usize, x: usize, channels: i32, h: i32, w: i32, oh: i32, ow: i32, theta: usize, bilinear: i32, fill: usize,
): void {
  const size = <usize>h * <usize>w * sizeof<T>();
  const outSize = <usize>oh * <usize>ow * sizeof<T>();
  const one: f32 = 1;
  const halfW = <f32>w * <f32>0.5;
  const halfH = <f32>h * <f32>0.5;
  for (let r = 0; r < oh; r++) {
    const v = <f32>r - <f32>oh * <f32>0.5 + <f32>0.5;
    for (let c = 0; c < ow; c++) {
      const u = <f32>c - <f32>ow * <f32>0.5 + <f32>0.5;
      const gx = fused(v, load<f32>(theta, 4), u * load<f32>(theta)) + load<f32>(theta, 8);
      const gy = fused(v, load<f32>(theta, 16), u * load<f32>(theta, 12)) + load<f32>(theta, 20);
      const px = fused(gx + one, halfW, -0.5);
      const py = fused(gy + one, halfH, -0.5);
      let plane = x;
      let to = out;
      if (bilinear) {
        const left = floor<f32>(px);
        const top = floor<f32>(py);
        const e = px - left;
        const s = py - top;
        const l = <i32>left;
        const t = <i32>top;
        const nw: f32 = (one - e) * (one - s);
        const ne: f32 = e * (one - s);
        const sw: f32 = (one - e) * s;
        const se: f32 = e * s;
        let inside: f32 = 0;
        if (inImage(l, t, w, h)) inside += nw;
        if (inImage(l + 1, t, w, h)) inside += ne;
        if (inImage(l, t + 1, w, h)) inside += sw;
        if (inImage(l + 1, t + 1, w, h)) inside += se;
        for (let k: usize = 0; k < <usize>channels; k++) {
          const value =
            pixel<T>(plane, l, t, w, h) * nw + pixel<T>(plane, l + 1, t, w, h) * ne +
            pixel<T>(plane, l, t + 1, w, h) * sw + pixel<T>(plane, l + 1, t + 1, w, h) * se;
          keep<T>(to, value * inside + (one - inside) * load<f32>(fill + (k << 2)));
          plane += size;
          to += outSize;
        }
      } else {
        const i = <i32>nearest<f32>(px);
        const j = <i32>nearest<f32>(py);
        const inside = inImage(i, j, w, h);
        for (let k: usize = 0; k < <usize>channels; k++) {
          keep<T>(to, inside ? pixel<T>(plane, i, j, w, h) : load<f32>(fill + (k << 2)));
          plane += size;
          to += outSize;
        }
      }
      out += sizeof<T>();
    }
  }
}

// @ts-ignore: decorator
@inline
function inImage(x: i32, y: i32, w: i32, h: i32): bool {
  return <u32>x < <u32>w && <u32>y < <u32>h;
}

/** An image of bytes turned; see rotate. */
export function rotate_u8(
  out: usize, x: usize, channels: i32, h: i32, w: i32, oh: i32, ow: i32, theta: usize, bilinear: i32, fill: usize,
): void {
  rotate<u8>(out, x, channels, h, w, oh, ow, theta, bilinear, fill);
}

/** An image of floats turned; see rotate. */
export function rotate_f32(
  out: usize, x: usize, channels: i32, h: i32, w: i32, oh: i32, ow: i32, theta: usize, bilinear: i32, fill: usize,
): void {
  rotate<f32>(out, x, channels, h, w, oh, ow, theta, bilinear, fill);
}
