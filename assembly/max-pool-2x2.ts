/** Max pooling by windows of 2×2 with stride 2. What codes, `relu` and p0, p1 mean stands in max-pool-common.ts. */
import { even, loadCodes, odd, storeBytes, storeTurns, taken, wins } from "./max-pool-common";

/**
 * One row of ow ≥ 4 outputs from the rows at x and x + stride; `relu` and `careful` are constants. `careful` sees to NaN,
 * which costs a third more; without it the row is right unless the result says that something in it was NaN (or, by way
 * of infinities, may have been). Codes are −code, and 4 less where nobody gets a gradient: masks are −1, so that is what
 * adding them gives.
 */
// @ts-ignore: decorator
@inline
function max_row_2x2(out: usize, codes: usize, x: usize, stride: usize, ow: i32, relu: bool, careful: bool): bool {
  const zero = f32x4.splat(0);
  const last = out + (<usize>ow << 2) - 16;
  // A sum that a NaN never leaves again; the adders have nothing else to do.
  let s0 = zero;
  let s1 = zero;
  let s2 = zero;
  let s3 = zero;
  while (true) {
    const a0 = v128.load(x);
    const a1 = v128.load(x, 16);
    const b0 = v128.load(x + stride);
    const b1 = v128.load(x + stride, 16);
    const a = even(a0, a1);
    const b = odd(a0, a1);
    const c = even(b0, b1);
    const d = odd(b0, b1);
    let best: v128;
    let code: v128;
    if (careful) {
      let win = wins(b, a);
      best = v128.bitselect(b, a, win);
      code = win;
      win = wins(c, best);
      best = v128.bitselect(c, best, win);
      code = i32x4.min_s(code, i32x4.add(win, win));
      win = wins(d, best);
      best = v128.bitselect(d, best, win);
      code = i32x4.min_s(code, i32x4.add(i32x4.add(win, win), win));
    } else {
      s0 = f32x4.add(s0, a0);
      s1 = f32x4.add(s1, a1);
      s2 = f32x4.add(s2, b0);
      s3 = f32x4.add(s3, b1);
      // Row against row: what is equal stays with the first.
      const top = f32x4.pmax(a, b);
      const bottom = f32x4.pmax(c, d);
      const lower = f32x4.gt(bottom, top);
      best = f32x4.pmax(top, bottom);
      code = i32x4.add(v128.bitselect(f32x4.gt(d, c), f32x4.gt(b, a), lower), i32x4.add(lower, lower));
    }
    if (relu) {
      // All of relu's values are zeros here, and the first one's sign is a's.
      const dead = f32x4.le(best, zero);
      best = v128.bitselect(f32x4.pmax(a, zero), best, dead);
      code = i32x4.add(code, i32x4.shl(dead, 2));
    }
    v128.store(out, best);
    storeBytes(codes, code);
    if (out == last) break;
    out += 16;
    codes += 4;
    x += 32;
    if (out > last) {
      // The last vector begins early.
      const back = out - last;
      out = last;
      codes -= back >> 2;
      x -= back << 1;
    }
  }
  if (careful) return false;
  const sum = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
  return v128.any_true(f32x4.ne(sum, sum));
}

function max_row_2x2_plain(out: usize, codes: usize, x: usize, stride: usize, ow: i32): bool {
  return max_row_2x2(out, codes, x, stride, ow, false, false);
}
function max_row_2x2_relu(out: usize, codes: usize, x: usize, stride: usize, ow: i32): bool {
  return max_row_2x2(out, codes, x, stride, ow, true, false);
}
function max_row_2x2_careful(out: usize, codes: usize, x: usize, stride: usize, ow: i32, relu: i32): void {
  if (relu) max_row_2x2(out, codes, x, stride, ow, true, true);
  else max_row_2x2(out, codes, x, stride, ow, false, true);
}

/** 2×2, stride 2, no padding, oh = h / 2, ow = w / 2 rounded down; w ≥ 8. Backward needs codes. */
export function max_pool2d_2x2(
  out: usize, codes: usize, x: usize, p0: i32, p1: i32, h: i32, w: i32, relu: i32,
): void {
  const oh = h >> 1;
  const ow = w >> 1;
  const stride = <usize>w << 2;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  codes += <usize>p0 * <usize>oh * <usize>ow;
  x += <usize>p0 * <usize>h * stride;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      const from = x + <usize>i * 2 * stride;
      const dirty = relu
        ? max_row_2x2_relu(out, codes, from, stride, ow)
        : max_row_2x2_plain(out, codes, from, stride, ow);
      if (dirty) max_row_2x2_careful(out, codes, from, stride, ow, relu);
      out += <usize>ow << 2;
      codes += <usize>ow;
    }
    x += <usize>h * stride;
  }
}

/** The gradients of two rows of x from ow ≥ 4 outputs. */
function max_row_2x2_backward(dx: usize, stride: usize, dout: usize, codes: usize, ow: i32): void {
  const last = dout + (<usize>ow << 2) - 16;
  // Not constants to the compiler, which would build those anew for every vector.
  const nought = ow >> 31;
  const two = i32x4.splat(nought - 2);
  const three = i32x4.splat(nought - 3);
  while (true) {
    const g = v128.load(dout);
    const code = loadCodes(codes);
    storeTurns(dx, taken(g, code, i32x4.splat(0)), taken(g, code, i32x4.splat(-1)));
    storeTurns(dx + stride, taken(g, code, two), taken(g, code, three));
    if (dout == last) break;
    dout += 16;
    codes += 4;
    dx += 32;
    if (dout > last) {
      const back = dout - last;
      dout = last;
      codes -= back >> 2;
      dx -= back << 1;
    }
  }
}

/** dx[tap] = dout, 0 elsewhere, of max_pool2d_2x2; every element of dx is written. */
export function max_pool2d_2x2_backward(
  dx: usize, dout: usize, codes: usize, p0: i32, p1: i32, h: i32, w: i32,
): void {
  const oh = h >> 1;
  const ow = w >> 1;
  const stride = <usize>w << 2;
  dx += <usize>p0 * <usize>h * stride;
  dout += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  codes += <usize>p0 * <usize>oh * <usize>ow;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      max_row_2x2_backward(dx, stride, dout, codes, ow);
      dx += 2 * stride;
      if (w & 1) {
        store<f32>(dx - stride - 4, 0);
        store<f32>(dx - 4, 0);
      }
      dout += <usize>ow << 2;
      codes += <usize>ow;
    }
    if (h & 1) {
      memory.fill(dx, 0, stride);
      dx += stride;
    }
  }
}
