/**
 * Max pooling by any windows. What codes, indices, `relu` and p0, p1 mean stands in max-pool-common.ts.
 *
 * The windows come as two lists of three int32 for each row and each column of out: first row (column) that is not
 * padding, the one after the last, and the number of taps that fell into the padding before the first.
 */
import { NONE, max_window, wins } from "./max-pool-common";

/**
 * How far apart the windows of four neighbouring columns begin, if it is always as far, all are as wide and none begins in
 * the padding; otherwise 0. `col` is the first one's entry.
 */
function stepOfFour(col: usize): i32 {
  const start = load<i32>(col);
  const width = load<i32>(col, 4) - start;
  const step = load<i32>(col, 12) - start;
  if (load<i32>(col, 24) != start + 2 * step || load<i32>(col, 36) != start + 3 * step) return 0;
  if (load<i32>(col, 16) != start + step + width || load<i32>(col, 28) != start + 2 * step + width) return 0;
  if (load<i32>(col, 40) != start + 3 * step + width || width <= 0) return 0;
  return load<i32>(col, 8) | load<i32>(col, 20) | load<i32>(col, 32) | load<i32>(col, 44) ? 0 : step;
}

/** max_window for four neighbours whose windows begin `step` columns apart: without a branch on what is larger. */
function max_window_4(
  out: usize, code: usize, index: usize, x: usize, w: i32, h0: i32, h1: i32, dh: i32, w0: i32, w1: i32, dw: i32,
  step: i32, code0: i32, kw: i32, relu: i32,
): void {
  const floor = f32x4.splat(relu ? 0 : -Infinity);
  const lanes = i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(step));
  const apart = <usize>step << 2;
  let best = f32x4.splat(-Infinity);
  // Codes and indices both rise from tap to tap, so the largest that ever won is the last that won.
  let winner = index ? i32x4.add(lanes, i32x4.splat(h0 * w + w0)) : i32x4.splat(code0);
  for (let i = h0; i < h1; i += dh) {
    let tap = code0;
    for (let j = w0; j < w1; j += dw) {
      const at = i * w + j;
      const p = x + (<usize>at << 2);
      let v: v128;
      if (step == 1) {
        v = v128.load(p);
      } else {
        v = v128.load32_lane(p + apart, v128.load32_zero(p), 1);
        v = v128.load32_lane(p + 3 * apart, v128.load32_lane(p + 2 * apart, v, 2), 3);
      }
      v = f32x4.pmax(v, floor);
      const win = wins(v, best);
      best = v128.bitselect(v, best, win);
      const mark = index ? i32x4.add(lanes, i32x4.splat(at)) : i32x4.splat(tap);
      winner = i32x4.max_s(winner, v128.and(win, mark));
      tap++;
    }
    code0 += kw;
  }
  const dead = v128.and(f32x4.le(best, f32x4.splat(0)), i32x4.splat(relu ? -1 : 0));
  v128.store(out, best);
  if (index) {
    v128.store(index, v128.or(winner, dead));
  } else {
    const codes = v128.bitselect(i32x4.splat(NONE), winner, dead);
    const words = i16x8.narrow_i32x4_s(codes, codes);
    v128.store32_lane(code, i8x16.narrow_i16x8_u(words, words), 0);
  }
}

/**
 * Any windows, kw taps wide, taps dh rows and dw columns apart, where `rows` and `cols` say (see above). The winners go to
 * `codes` or `indices`, one of which is 0. Backward needs that one.
 */
export function max_pool2d(
  out: usize, codes: usize, indices: usize, x: usize, rows: usize, cols: usize, p0: i32, p1: i32, h: i32, w: i32,
  oh: i32, ow: i32, kw: i32, dh: i32, dw: i32, relu: i32,
): void {
  const first = <usize>p0 * <usize>oh * <usize>ow;
  out += first << 2;
  if (codes) codes += first;
  if (indices) indices += first << 2;
  x += (<usize>p0 * <usize>h * <usize>w) << 2;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      const row = rows + <usize>i * 12;
      const h0 = load<i32>(row);
      const h1 = load<i32>(row, 4);
      const skipped = load<i32>(row, 8) * kw;
      for (let j = 0; j < ow; ) {
        const col = cols + <usize>j * 12;
        const w0 = load<i32>(col);
        const w1 = load<i32>(col, 4);
        const code0 = skipped + load<i32>(col, 8);
        const step = j + 4 <= ow && h0 < h1 ? stepOfFour(col) : 0;
        if (step > 0) max_window_4(out, codes, indices, x, w, h0, h1, dh, w0, w1, dw, step, code0, kw, relu);
        else max_window(out, codes, indices, x, w, h0, h1, dh, w0, w1, dw, code0, kw, relu);
        const done = step > 0 ? 4 : 1;
        j += done;
        out += <usize>done << 2;
        if (codes) codes += <usize>done;
        if (indices) indices += <usize>done << 2;
      }
    }
    x += (<usize>h * <usize>w) << 2;
  }
}

/** dx = Σ of the dout of the windows an element won, of max_pool2d, in the order of the windows. */
export function max_pool2d_backward(
  dx: usize, dout: usize, codes: usize, indices: usize, rows: usize, cols: usize, p0: i32, p1: i32, h: i32, w: i32,
  oh: i32, ow: i32, kw: i32, dh: i32, dw: i32,
): void {
  const first = <usize>p0 * <usize>oh * <usize>ow;
  const plane = (<usize>h * <usize>w) << 2;
  dx += <usize>p0 * plane;
  dout += first << 2;
  if (codes) codes += first;
  if (indices) indices += first << 2;
  for (let p = p0; p < p1; p++) {
    memory.fill(dx, 0, plane);
    for (let i = 0; i < oh; i++) {
      const row = rows + <usize>i * 12;
      const top = load<i32>(row) - load<i32>(row, 8) * dh;
      for (let j = 0; j < ow; j++) {
        let index = -1;
        if (indices) {
          index = load<i32>(indices);
          indices += 4;
        } else {
          const code = <i32>load<u8>(codes++);
          if (code != NONE) {
            const col = cols + <usize>j * 12;
            const tapRow = code / kw;
            const column = load<i32>(col) + (code - tapRow * kw - load<i32>(col, 8)) * dw;
            index = (top + tapRow * dh) * w + column;
          }
        }
        if (index >= 0) {
          const to = dx + (<usize>index << 2);
          store<f32>(to, load<f32>(to) + load<f32>(dout));
        }
        dout += 4;
      }
    }
    dx += plane;
  }
}
