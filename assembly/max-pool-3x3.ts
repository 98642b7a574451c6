/**
 * Max pooling by windows of 3×3 with stride 2 and padding 1. What codes, `relu` and p0, p1 mean stands in
 * max-pool-common.ts.
 */
import { NONE, even, loadCodes, max_window, odd, storeBytes, storeTurns, taken, wins } from "./max-pool-common";

/** The first of four lanes in the first vector of a row, whose window begins in the padding. */
// @ts-ignore: decorator
@inline
function instead(first: v128, others: v128): v128 {
  return v128.shuffle<i32>(first, others, 0, 4, 5, 6);
}

/**
 * The outputs j < w / 2 (if there are four), whose windows end within the row, from the rows at x, `height` bytes of them.
 * `code0` is the first row's first code; codes, `relu`, `careful` and the result are as in max_row_2x2, dead codes 16 less.
 */
// @ts-ignore: decorator
@inline
function max_row_3x3(
  out: usize, codes: usize, x: usize, height: usize, stride: usize, whole: i32, code0: i32, relu: bool, careful: bool,
): bool {
  const zero = f32x4.splat(0);
  const none = f32x4.splat(-Infinity);
  // Not constants to the compiler, which would build them anew for every vector.
  const start = i32x4.splat(code0);
  const three = i32x4.splat((whole >> 31) + 3);
  let s0 = zero;
  let s1 = zero;
  let j = 0;
  do {
    let best = none;
    let code = start;
    let row = start;
    let p = x + (<usize>j << 3);
    const behind = p + height;
    let sign = zero;
    // Where all of a window is −∞, its first tap wins.
    if (j == 0) code = i32x4.add(code, i32x4(-1, 0, 0, 0));
    if (relu) {
      const first = v128.load(p);
      const second = v128.load(p, 16);
      sign = j == 0 ? instead(first, odd(first, second)) : even(v128.load(p - 4), v128.load(p + 12));
    }
    do {
      const a = v128.load(p);
      const b = v128.load(p, 16);
      const middle = even(a, b);
      const right = odd(a, b);
      let left: v128;
      if (j == 0) left = instead(none, right);
      else left = even(v128.load(p - 4), v128.load(p + 12));
      if (careful) {
        let win = wins(left, best);
        best = v128.bitselect(left, best, win);
        code = i32x4.min_s(code, v128.and(win, row));
        win = wins(middle, best);
        best = v128.bitselect(middle, best, win);
        code = i32x4.min_s(code, v128.and(win, i32x4.add(row, win)));
        win = wins(right, best);
        best = v128.bitselect(right, best, win);
        code = i32x4.min_s(code, v128.and(win, i32x4.add(row, i32x4.add(win, win))));
      } else {
        s0 = f32x4.add(s0, a);
        s1 = f32x4.add(s1, b);
        const two = f32x4.pmax(left, middle);
        const rightWins = f32x4.gt(right, two);
        const most = f32x4.pmax(two, right);
        const tap = i32x4.min_s(f32x4.gt(middle, left), i32x4.add(rightWins, rightWins));
        code = i32x4.min_s(code, v128.and(f32x4.gt(most, best), i32x4.add(row, tap)));
        best = f32x4.pmax(best, most);
      }
      row = i32x4.sub(row, three);
      p += stride;
    } while (p < behind);
    if (relu) {
      const dead = f32x4.le(best, zero);
      best = v128.bitselect(f32x4.pmax(sign, zero), best, dead);
      code = i32x4.add(code, i32x4.shl(dead, 4));
    }
    v128.store(out + (<usize>j << 2), best);
    storeBytes(codes + <usize>j, code);
    // The last vector begins early.
    j = j + 8 <= whole ? j + 4 : j + 4 < whole ? whole - 4 : whole;
  } while (j < whole);
  if (careful) return false;
  const sum = f32x4.add(s0, s1);
  return v128.any_true(f32x4.ne(sum, sum));
}

function max_row_3x3_plain(
  out: usize, codes: usize, x: usize, height: usize, stride: usize, whole: i32, code0: i32,
): bool {
  return max_row_3x3(out, codes, x, height, stride, whole, code0, false, false);
}
function max_row_3x3_relu(
  out: usize, codes: usize, x: usize, height: usize, stride: usize, whole: i32, code0: i32,
): bool {
  return max_row_3x3(out, codes, x, height, stride, whole, code0, true, false);
}
function max_row_3x3_careful(
  out: usize, codes: usize, x: usize, height: usize, stride: usize, whole: i32, code0: i32, relu: i32,
): void {
  if (relu) max_row_3x3(out, codes, x, height, stride, whole, code0, true, true);
  else max_row_3x3(out, codes, x, height, stride, whole, code0, false, true);
}

/** 3×3, stride 2, padding 1, oh = (h + 1) / 2, ow = (w + 1) / 2 rounded down. Backward needs codes. */
export function max_pool2d_3x3(
  out: usize, codes: usize, x: usize, p0: i32, p1: i32, h: i32, w: i32, relu: i32,
): void {
  const oh = (h + 1) >> 1;
  const ow = (w + 1) >> 1;
  const whole = w >> 1;
  const stride = <usize>w << 2;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  codes += <usize>p0 * <usize>oh * <usize>ow;
  x += <usize>p0 * <usize>h * stride;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      const h0 = i == 0 ? 0 : 2 * i - 1;
      const h1 = min<i32>(2 * i + 2, h);
      const code0 = i == 0 ? 3 : 0;
      let j = 0;
      if (whole >= 4) {
        const from = x + <usize>h0 * stride;
        const height = <usize>(h1 - h0) * stride;
        const dirty = relu
          ? max_row_3x3_relu(out, codes, from, height, stride, whole, -code0)
          : max_row_3x3_plain(out, codes, from, height, stride, whole, -code0);
        if (dirty) max_row_3x3_careful(out, codes, from, height, stride, whole, -code0, relu);
        j = whole;
      }
      for (; j < ow; j++) {
        const at = 2 * j - 1;
        const w0 = max<i32>(at, 0);
        const code = codes + <usize>j;
        max_window(
          out + (<usize>j << 2), code, 0, x, w, h0, h1, 1, w0, min<i32>(at + 3, w), 1, code0 + w0 - at, 3, relu,
        );
        const tap = <i32>load<u8>(code);
        store<i8>(code, <i8>(tap == NONE ? -16 : -tap));
      }
      out += <usize>ow << 2;
      codes += <usize>ow;
    }
    x += <usize>h * stride;
  }
}

/** g where the code of the output at (p, q) is `code`, else 0. */
// @ts-ignore: decorator
@inline
function takenAt(p: usize, q: usize, code: i32): f32 {
  return load<i8>(q) == <i8>-code ? load<f32>(p) : 0;
}

/** Four outputs' gradients and codes one column on; nobody's behind the row's end. */
// @ts-ignore: decorator
@inline
function nextGradients(p: usize, g: v128, ends: bool): v128 {
  return ends ? v128.shuffle<i32>(g, g, 1, 2, 3, 3) : v128.load(p, 4);
}
// @ts-ignore: decorator
@inline
function nextCodes(q: usize, codes: v128, ends: bool): v128 {
  return ends ? v128.shuffle<i32>(codes, i32x4.splat(NONE), 1, 2, 3, 4) : loadCodes(q + 1);
}

/**
 * The gradients of rows 2i and, if `below` is not 0, 2i + 1 of x from row i of the outputs and row i + 1, which is `below`
 * bytes behind (0: neither is there; `pair` alone: row 2i + 1 is, row i + 1 is not). Each element gathers from the one, two
 * or four windows it lies in, in the order of the windows.
 */
function max_rows_3x3_backward(
  dx: usize, w: i32, dout: usize, codes: usize, ow: i32, pair: bool, below: bool,
): void {
  const stride = <usize>w << 2;
  const next = <usize>ow << 2;
  // Columns 2j and 2j + 1 are both there for j < whole.
  const whole = w >> 1;
  const nought = i32x4.splat(0);
  const one = i32x4.splat(-1);
  // Not constants to the compiler, which would build them anew for every vector.
  const two = i32x4.splat((ow >> 31) - 2);
  const three = i32x4.splat((ow >> 31) + 3);
  let j = 0;
  if (whole >= 4) {
    do {
      const p = dout + (<usize>j << 2);
      const q = codes + <usize>j;
      const to = dx + (<usize>j << 3);
      const ends = j + 4 == ow;
      const g = v128.load(p);
      const g1 = nextGradients(p, g, ends);
      let c = loadCodes(q);
      let c1 = nextCodes(q, c, ends);
      // Each row of the window in turn becomes codes 0, −1, −2.
      c = i32x4.add(c, three);
      c1 = i32x4.add(c1, three);
      storeTurns(to, taken(g, c, one), f32x4.add(taken(g, c, two), taken(g1, c1, nought)));
      if (pair) {
        c = i32x4.add(c, three);
        c1 = i32x4.add(c1, three);
        let evens = taken(g, c, one);
        let odds = f32x4.add(taken(g, c, two), taken(g1, c1, nought));
        if (below) {
          const h = v128.load(p + next);
          const d = loadCodes(q + <usize>ow);
          const h1 = nextGradients(p + next, h, ends);
          const d1 = nextCodes(q + <usize>ow, d, ends);
          evens = f32x4.add(evens, taken(h, d, one));
          odds = f32x4.add(f32x4.add(odds, taken(h, d, two)), taken(h1, d1, nought));
        }
        storeTurns(to + stride, evens, odds);
      }
      j = j + 8 <= whole ? j + 4 : j + 4 < whole ? whole - 4 : whole;
    } while (j < whole);
  }
  for (; j < ow; j++) {
    const p = dout + (<usize>j << 2);
    const q = codes + <usize>j;
    const to = dx + (<usize>j << 3);
    const right = j + 1 < ow;
    store<f32>(to, takenAt(p, q, 4));
    if (j < whole) store<f32>(to, takenAt(p, q, 5) + (right ? takenAt(p + 4, q + 1, 3) : 0), 4);
    if (!pair) continue;
    const r = q + <usize>ow;
    store<f32>(to + stride, takenAt(p, q, 7) + (below ? takenAt(p + next, r, 1) : 0));
    if (j >= whole) continue;
    let sum = takenAt(p, q, 8) + (right ? takenAt(p + 4, q + 1, 6) : 0);
    if (below) sum = sum + takenAt(p + next, r, 2) + (right ? takenAt(p + next + 4, r + 1, 0) : 0);
    store<f32>(to + stride, sum, 4);
  }
}

/** dx = Σ of the dout of the windows an element won, of max_pool2d_3x3; every element of dx is written. */
export function max_pool2d_3x3_backward(
  dx: usize, dout: usize, codes: usize, p0: i32, p1: i32, h: i32, w: i32,
): void {
  const oh = (h + 1) >> 1;
  const ow = (w + 1) >> 1;
  const stride = <usize>w << 2;
  dx += <usize>p0 * <usize>h * stride;
  dout += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  codes += <usize>p0 * <usize>oh * <usize>ow;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      max_rows_3x3_backward(dx + <usize>i * 2 * stride, w, dout, codes, ow, 2 * i + 1 < h, i + 1 < oh);
      dout += <usize>ow << 2;
      codes += <usize>ow;
    }
    dx += <usize>h * stride;
  }
}
