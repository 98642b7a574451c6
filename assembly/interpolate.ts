/**
 * Resampling of planes p0 ≤ p < p1: x [planes, h, w] → out [planes, oh, ow]. Contiguous float32 (gather_planes: any
 * 4-byte elements).
 *
 * Where out's rows and columns come from, JavaScript says in lists, since PyTorch computes them in a float32 arithmetic of
 * its own: for `gather_planes` (nearest neighbours; borders that mirror, repeat or wrap) one int32 for each row and each
 * column of out; for `interpolate_bilinear` an int32, the lower of two neighbours, and a float32, the weight of the upper
 * one (which is the lower one again at the last row or column). Backward needs the lists and nothing else; it sums in
 * float64, in `scratch`, so that an element that many others came from keeps its digits.
 */
import { narrow } from "./accumulate";
import { madd } from "./simd";

/** n four-byte elements, n ≥ 0. The last vector begins early. */
function copyRow(out: usize, x: usize, n: i32): void {
  if (n < 4) {
    for (; n > 0; n--, out += 4, x += 4) store<u32>(out, load<u32>(x));
    return;
  }
  let left = n;
  do {
    v128.store(out, v128.load(x));
    left -= 4;
    const step = <usize>(left >= 4 ? 4 : left) << 2;
    out += step;
    x += step;
  } while (left > 0);
}

/**
 * out[p, i, j] = x[p, rows[i], cols[j]]. Columns c0 ≤ j < c1 come from neighbours: cols[j] = cols[c0] + j − c0; they are
 * copied in vectors, and so is a row that comes from the same one as the row before it.
 */
export function gather_planes(
  out: usize, x: usize, rows: usize, cols: usize, c0: i32, c1: i32, p0: i32, p1: i32, h: i32, w: i32, oh: i32, ow: i32,
): void {
  const stride = <usize>ow << 2;
  const start = c0 < c1 ? <usize>load<i32>(cols + (<usize>c0 << 2)) << 2 : 0;
  out += <usize>p0 * <usize>oh * stride;
  x += (<usize>p0 * <usize>h * <usize>w) << 2;
  for (let p = p0; p < p1; p++) {
    let before = -1;
    for (let i = 0; i < oh; i++) {
      const r = load<i32>(rows + (<usize>i << 2));
      if (r == before) {
        copyRow(out, out - stride, ow);
      } else {
        const from = x + ((<usize>r * <usize>w) << 2);
        for (let j = 0; j < ow; j++) {
          if (j == c0 && c0 < c1) {
            copyRow(out + (<usize>c0 << 2), from + start, c1 - c0);
            j = c1;
            if (j == ow) break;
          }
          const at = <usize>j << 2;
          store<u32>(out + at, load<u32>(from + (<usize>load<i32>(cols + at) << 2)));
        }
      }
      before = r;
      out += stride;
    }
    x += (<usize>h * <usize>w) << 2;
  }
}

/** out = x, n float64 to float32. */
function demoteRow(out: usize, x: usize, n: i32): void {
  for (; n >= 4; n -= 4, x += 32, out += 16) v128.store(out, narrow(v128.load(x), v128.load(x, 16)));
  for (; n > 0; n--, x += 8, out += 4) store<f32>(out, <f32>load<f64>(x));
}

/** dx[p, rows[i], cols[j]] = Σ dout[p, i, j]; 0 where nothing came from. scratch: h·w float64. */
export function gather_planes_backward(
  dx: usize, dout: usize, rows: usize, cols: usize, scratch: usize, p0: i32, p1: i32, h: i32, w: i32, oh: i32, ow: i32,
): void {
  const plane = h * w;
  dx += (<usize>p0 * <usize>plane) << 2;
  dout += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  for (let p = p0; p < p1; p++) {
    memory.fill(scratch, 0, <usize>plane << 3);
    for (let i = 0; i < oh; i++) {
      const row = scratch + ((<usize>load<i32>(rows + (<usize>i << 2)) * <usize>w) << 3);
      for (let j = 0; j < ow; j++) {
        const to = row + (<usize>load<i32>(cols + (<usize>j << 2)) << 3);
        store<f64>(to, load<f64>(to) + <f64>load<f32>(dout));
        dout += 4;
      }
    }
    demoteRow(dx, scratch, plane);
    dx += <usize>plane << 2;
  }
}

/** out = (1 − t)·x + t·y over n floats. */
function blendRow(out: usize, x: usize, y: usize, t: f32, n: i32): void {
  const upper = f32x4.splat(t);
  const lower = f32x4.splat(1 - t);
  for (; n >= 4; n -= 4, out += 16, x += 16, y += 16) {
    v128.store(out, madd(upper, v128.load(y), f32x4.mul(lower, v128.load(x))));
  }
  for (; n > 0; n--, out += 4, x += 4, y += 4) {
    const v = madd(upper, v128.load32_zero(y), f32x4.mul(lower, v128.load32_zero(x)));
    v128.store32_lane(out, v, 0);
  }
}

/** Two neighbours of the row at the place that a column's entry names. */
// @ts-ignore: decorator
@inline
function placeOf(row: usize, cols: usize, j: usize): usize {
  return row + (<usize>load<i32>(cols + (j << 3)) << 2);
}

/**
 * Bilinear: with lower row and column r, c and weights s, t of the upper ones,
 * out = (1−t)·((1−s)·x[r, c] + s·x[r+1, c]) + t·((1−s)·x[r, c+1] + s·x[r+1, c+1]).
 * A row is first blended down (in vectors) into `scratch`, w + 1 floats whose last repeats the one before it, then across.
 */
export function interpolate_bilinear(
  out: usize, x: usize, rows: usize, cols: usize, scratch: usize, p0: i32, p1: i32, h: i32, w: i32, oh: i32, ow: i32,
): void {
  const stride = <usize>w << 2;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  x += <usize>p0 * <usize>h * stride;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      const r = load<i32>(rows + (<usize>i << 3));
      const s = load<f32>(rows + (<usize>i << 3), 4);
      const lower = x + <usize>r * stride;
      blendRow(scratch, lower, r + 1 < h ? lower + stride : lower, s, w);
      store<f32>(scratch + stride, load<f32>(scratch + stride - 4));
      blendAcross(out, scratch, cols, ow);
      out += <usize>ow << 2;
    }
    x += <usize>h * stride;
  }
}

function blendAcross(out: usize, row: usize, cols: usize, ow: i32): void {
  const n = <usize>ow;
  let j: usize = 0;
  for (; j + 4 <= n; j += 4) {
    const a = v128.load64_lane(placeOf(row, cols, j + 1), v128.load64_zero(placeOf(row, cols, j)), 1);
    const b = v128.load64_lane(placeOf(row, cols, j + 3), v128.load64_zero(placeOf(row, cols, j + 2)), 1);
    const t = v128.shuffle<i32>(v128.load(cols + (j << 3)), v128.load(cols + (j << 3), 16), 1, 3, 5, 7);
    const lower = f32x4.mul(f32x4.sub(f32x4.splat(1), t), v128.shuffle<i32>(a, b, 0, 2, 4, 6));
    v128.store(out + (j << 2), madd(t, v128.shuffle<i32>(a, b, 1, 3, 5, 7), lower));
  }
  for (; j < n; j++) {
    const p = placeOf(row, cols, j);
    const t = load<f32>(cols + (j << 3), 4);
    const lower = f32x4.mul(f32x4.splat(1 - t), v128.load32_zero(p));
    v128.store32_lane(out + (j << 2), madd(f32x4.splat(t), v128.load32_zero(p, 4), lower), 0);
  }
}

/** x += t·y, n float64. */
function addScaled(x: usize, y: usize, t: f64, n: i32): void {
  for (; n > 0; n--, x += 8, y += 8) store<f64>(x, load<f64>(x) + t * load<f64>(y));
}

/**
 * The transpose of interpolate_bilinear: each dout is shared out among its four neighbours by their weights.
 * scratch: h·w + w + 1 float64.
 */
export function interpolate_bilinear_backward(
  dx: usize, dout: usize, rows: usize, cols: usize, scratch: usize, p0: i32, p1: i32, h: i32, w: i32, oh: i32, ow: i32,
): void {
  const plane = h * w;
  const across = scratch + (<usize>plane << 3);
  const stride = <usize>w << 3;
  dx += (<usize>p0 * <usize>plane) << 2;
  dout += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  for (let p = p0; p < p1; p++) {
    memory.fill(scratch, 0, <usize>plane << 3);
    for (let i = 0; i < oh; i++) {
      memory.fill(across, 0, stride + 8);
      for (let j = 0; j < ow; j++) {
        const col = cols + (<usize>j << 3);
        const to = across + (<usize>load<i32>(col) << 3);
        const t = <f64>load<f32>(col, 4);
        const g = <f64>load<f32>(dout);
        store<f64>(to, load<f64>(to) + (1 - t) * g);
        store<f64>(to, load<f64>(to, 8) + t * g, 8);
        dout += 4;
      }
      // The neighbour behind the last column is the last column.
      const last = across + stride;
      store<f64>(last - 8, load<f64>(last - 8) + load<f64>(last));
      const r = load<i32>(rows + (<usize>i << 3));
      const s = <f64>load<f32>(rows + (<usize>i << 3), 4);
      const lower = scratch + <usize>r * stride;
      addScaled(lower, across, 1 - s, w);
      addScaled(r + 1 < h ? lower + stride : lower, across, s, w);
    }
    demoteRow(dx, scratch, plane);
    dx += <usize>plane << 2;
  }
}
