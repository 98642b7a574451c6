/**
 * Average pooling of planes p0 ≤ p < p1: x [planes, h, w] → out [planes, oh, ow]. Contiguous float32.
 *
 * `avg_pool2d` takes any windows, adaptive ones too, as two lists of three int32 for each row and each column of out: the
 * first row (column) that is not padding, the one after the last, and how many count for the divisor, which is the
 * product of the two counts, or `divisor` where that is not 0. Windows are summed in float64 (long runs in blocks of float32), so
 * that a mean over a large plane keeps its digits. Backward needs the same lists and nothing else.
 */
import { hsumF64, SUM_STEPS, widenAdd } from "./accumulate";

/** Σ x over n floats: float32 in lanes of at most SUM_STEPS additions, float64 beyond. */
function sumRun(x: usize, n: i32): f64 {
  let sum: f64 = 0;
  if (n >= 4) {
    let acc = f64x2.splat(0);
    while (n >= 16) {
      const m = min<i32>(n >> 4, SUM_STEPS);
      const end = x + (<usize>m << 6);
      let a = f32x4.splat(0);
      let b = a;
      let c = a;
      let d = a;
      do {
        a = f32x4.add(a, v128.load(x));
        b = f32x4.add(b, v128.load(x, 16));
        c = f32x4.add(c, v128.load(x, 32));
        d = f32x4.add(d, v128.load(x, 48));
        x += 64;
      } while (x < end);
      acc = widenAdd(acc, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
      n -= m << 4;
    }
    for (; n >= 4; n -= 4, x += 16) acc = widenAdd(acc, v128.load(x));
    sum = hsumF64(acc);
  }
  for (; n > 0; n--, x += 4) sum += <f64>load<f32>(x);
  return sum;
}

/** x = value over n floats. */
function fillRun(x: usize, value: f32, n: i32): void {
  const v = f32x4.splat(value);
  for (; n >= 4; n -= 4, x += 16) v128.store(x, v);
  for (; n > 0; n--, x += 4) store<f32>(x, value);
}

/** x += value over n floats. */
function addRun(x: usize, value: f32, n: i32): void {
  const v = f32x4.splat(value);
  for (; n >= 4; n -= 4, x += 16) v128.store(x, f32x4.add(v128.load(x), v));
  for (; n > 0; n--, x += 4) store<f32>(x, load<f32>(x) + value);
}

// ------------------------------------------------------------------------------------------------ 2×2, stride 2

/** One row of ow ≥ 4 outputs; the last vector begins early. */
function avg_row_2x2(out: usize, x: usize, stride: usize, ow: i32): void {
  const quarter = f32x4.splat(0.25);
  const last = out + (<usize>ow << 2) - 16;
  while (true) {
    const a = f32x4.add(v128.load(x), v128.load(x + stride));
    const b = f32x4.add(v128.load(x, 16), v128.load(x + stride, 16));
    const sum = f32x4.add(v128.shuffle<i32>(a, b, 0, 2, 4, 6), v128.shuffle<i32>(a, b, 1, 3, 5, 7));
    v128.store(out, f32x4.mul(sum, quarter));
    if (out == last) break;
    out += 16;
    x += 32;
    if (out > last) {
      x -= (out - last) << 1;
      out = last;
    }
  }
}

/** 2×2, stride 2, no padding, divisor 4, oh = h / 2, ow = w / 2 rounded down; w ≥ 8. */
export function avg_pool2d_2x2(out: usize, x: usize, p0: i32, p1: i32, h: i32, w: i32): void {
  const oh = h >> 1;
  const ow = w >> 1;
  const stride = <usize>w << 2;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  x += <usize>p0 * <usize>h * stride;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      avg_row_2x2(out, x + <usize>i * 2 * stride, stride, ow);
      out += <usize>ow << 2;
    }
    x += <usize>h * stride;
  }
}

function avg_row_2x2_backward(dx: usize, stride: usize, dout: usize, ow: i32): void {
  const quarter = f32x4.splat(0.25);
  const last = dout + (<usize>ow << 2) - 16;
  while (true) {
    const g = f32x4.mul(v128.load(dout), quarter);
    const a = v128.shuffle<i32>(g, g, 0, 0, 1, 1);
    const b = v128.shuffle<i32>(g, g, 2, 2, 3, 3);
    v128.store(dx, a);
    v128.store(dx, b, 16);
    v128.store(dx + stride, a);
    v128.store(dx + stride, b, 16);
    if (dout == last) break;
    dout += 16;
    dx += 32;
    if (dout > last) {
      dx -= (dout - last) << 1;
      dout = last;
    }
  }
}

/** dx = dout / 4 within the windows of avg_pool2d_2x2, 0 outside; every element of dx is written. */
export function avg_pool2d_2x2_backward(dx: usize, dout: usize, p0: i32, p1: i32, h: i32, w: i32): void {
  const oh = h >> 1;
  const ow = w >> 1;
  const stride = <usize>w << 2;
  dx += <usize>p0 * <usize>h * stride;
  dout += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      avg_row_2x2_backward(dx, stride, dout, ow);
      dx += 2 * stride;
      if (w & 1) {
        store<f32>(dx - stride - 4, 0);
        store<f32>(dx - 4, 0);
      }
      dout += <usize>ow << 2;
    }
    if (h & 1) {
      memory.fill(dx, 0, stride);
      dx += stride;
    }
  }
}

// ------------------------------------------------------------------------------------------------- any windows

/** Any windows: out = Σ window / divisor. */
export function avg_pool2d(
  out: usize, x: usize, rows: usize, cols: usize, p0: i32, p1: i32, h: i32, w: i32, oh: i32, ow: i32, divisor: i32,
): void {
  const stride = <usize>w << 2;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  x += <usize>p0 * <usize>h * stride;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      const row = rows + <usize>i * 12;
      const h0 = load<i32>(row);
      const h1 = load<i32>(row, 4);
      for (let j = 0; j < ow; j++) {
        const col = cols + <usize>j * 12;
        const w0 = load<i32>(col);
        const n = load<i32>(col, 4) - w0;
        let sum: f64 = 0;
        // Windows as wide as the plane are one run.
        if (n == w) sum = sumRun(x + <usize>h0 * stride, (h1 - h0) * w);
        else for (let r = h0; r < h1; r++) sum += sumRun(x + <usize>r * stride + (<usize>w0 << 2), n);
        const count = divisor ? divisor : load<i32>(row, 8) * load<i32>(col, 8);
        store<f32>(out, <f32>(sum / <f64>count));
        out += 4;
      }
    }
    x += <usize>h * stride;
  }
}

/** dx = Σ dout / divisor over the windows an element lies in, in the order of the windows. */
export function avg_pool2d_backward(
  dx: usize, dout: usize, rows: usize, cols: usize, p0: i32, p1: i32, h: i32, w: i32, oh: i32, ow: i32, divisor: i32,
): void {
  const stride = <usize>w << 2;
  dx += <usize>p0 * <usize>h * stride;
  dout += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  // One window that is the whole plane: nothing to add up.
  const whole = oh == 1 && ow == 1 && load<i32>(rows, 4) - load<i32>(rows) == h && load<i32>(cols, 4) - load<i32>(cols) == w;
  for (let p = p0; p < p1; p++) {
    if (whole) {
      const count = divisor ? divisor : load<i32>(rows, 8) * load<i32>(cols, 8);
      fillRun(dx, load<f32>(dout) / <f32>count, h * w);
      dout += 4;
      dx += <usize>h * stride;
      continue;
    }
    memory.fill(dx, 0, <usize>h * stride);
    for (let i = 0; i < oh; i++) {
      const row = rows + <usize>i * 12;
      const h0 = load<i32>(row);
      const h1 = load<i32>(row, 4);
      for (let j = 0; j < ow; j++) {
        const col = cols + <usize>j * 12;
        const w0 = load<i32>(col);
        const n = load<i32>(col, 4) - w0;
        const count = divisor ? divisor : load<i32>(row, 8) * load<i32>(col, 8);
        const share = load<f32>(dout) / <f32>count;
        if (n == w) addRun(dx + <usize>h0 * stride, share, (h1 - h0) * w);
        else for (let r = h0; r < h1; r++) addRun(dx + <usize>r * stride + (<usize>w0 << 2), share, n);
        dout += 4;
      }
    }
    dx += <usize>h * stride;
  }
}
