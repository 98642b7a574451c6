/**
 * Max pooling of planes p0 ≤ p < p1: x [planes, h, w] → out [planes, oh, ow]. Contiguous float32.
 *
 * A later value wins when it is larger or NaN, so ties go to the first and NaN to the last, as in PyTorch. What backward
 * needs is which one won: `codes`, one byte an output: the tap within the window, row·kw + column, counted from the
 * window's own corner (which may lie in the padding); or, where a window has more than 255 taps or the caller wants
 * indices, `indices`, int32: row·w + column within the plane. 255 and −1 say that nobody gets a gradient.
 *
 * ReLU before the pool costs nothing more: with `relu` the result is, to the bit, that of relu and then the pool, and where
 * it is 0 the code is 255, for relu's gradient there is 0. To have one loop for both, values are raised to `floor` (0, or
 * −∞ which changes nothing) and a winner ≤ `limit` (0, or NaN which no number is below) gets no code.
 *
 * The usual windows, 2×2 with stride 2 and 3×3 with stride 2 and padding 1, have SIMD kernels: four outputs a vector; the
 * last vector of a row begins early and writes some outputs again, so rows of any length ≥ 4 have no tail. `max_pool2d`
 * takes any windows, as two lists of three int32 for each row and each column of out: first row (column) that is not
 * padding, the one after the last, and the number of taps that fell into the padding before the first.
 */

// @ts-ignore: decorator
@inline
const NONE: i32 = 255;

// @ts-ignore: decorator
@inline
function even(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

// @ts-ignore: decorator
@inline
function odd(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/** Where v takes over from the best so far, m. */
// @ts-ignore: decorator
@inline
function wins(v: v128, m: v128): v128 {
  return v128.or(f32x4.gt(v, m), f32x4.ne(v, v));
}

/** The low bytes of four codes; those of lanes whose winner is ≤ limit become 255. */
// @ts-ignore: decorator
@inline
function storeCodes(codes: usize, code: v128, best: v128, limit: v128): void {
  const kept = v128.or(code, f32x4.le(best, limit));
  v128.store32_lane(codes, v128.shuffle<u8>(kept, kept, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
}

/** Four codes as int32. */
// @ts-ignore: decorator
@inline
function loadCodes(codes: usize): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(codes)));
}

/** The gradients g of the outputs whose winner was tap `code`, else 0. */
// @ts-ignore: decorator
@inline
function taken(g: v128, codes: v128, code: i32): v128 {
  return v128.and(g, i32x4.eq(codes, i32x4.splat(code)));
}

/** Elements of two vectors in turn, stored as eight neighbours. */
// @ts-ignore: decorator
@inline
function storeTurns(p: usize, a: v128, b: v128): void {
  v128.store(p, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
  v128.store(p, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
}

/** The floor and the limit that make a kernel apply ReLU or not. */
// @ts-ignore: decorator
@inline
function floorOf(relu: i32): f32 {
  return relu ? 0 : -Infinity;
}
// @ts-ignore: decorator
@inline
function limitOf(relu: i32): f32 {
  return relu ? 0 : NaN;
}

// ------------------------------------------------------------------------------------------------ 2×2, stride 2

/** One row of ow ≥ 4 outputs from the rows at x and x + stride. */
function max_row_2x2(out: usize, codes: usize, x: usize, stride: usize, ow: i32, lowest: f32, most: f32): void {
  const floor = f32x4.splat(lowest);
  const limit = f32x4.splat(most);
  let left = ow;
  do {
    const a = f32x4.pmax(v128.load(x), floor);
    const b = f32x4.pmax(v128.load(x, 16), floor);
    const c = f32x4.pmax(v128.load(x + stride), floor);
    const d = f32x4.pmax(v128.load(x + stride, 16), floor);
    let best = even(a, b);
    let v = odd(a, b);
    let win = wins(v, best);
    best = v128.bitselect(v, best, win);
    // Codes rise from tap to tap, so the largest that ever won is the last that won.
    let code = v128.and(win, i32x4.splat(1));
    v = even(c, d);
    win = wins(v, best);
    best = v128.bitselect(v, best, win);
    code = i32x4.max_s(code, v128.and(win, i32x4.splat(2)));
    v = odd(c, d);
    win = wins(v, best);
    best = v128.bitselect(v, best, win);
    code = i32x4.max_s(code, v128.and(win, i32x4.splat(3)));
    v128.store(out, best);
    storeCodes(codes, code, best, limit);
    left -= 4;
    const step = left >= 4 ? 4 : left;
    out += <usize>step << 2;
    codes += <usize>step;
    x += <usize>step << 3;
  } while (left > 0);
}

/** 2×2, stride 2, no padding, oh = h / 2, ow = w / 2 rounded down; w ≥ 8. Backward needs codes. */
export function max_pool2d_2x2(
  out: usize, codes: usize, x: usize, p0: i32, p1: i32, h: i32, w: i32, relu: i32,
): void {
  const oh = h >> 1;
  const ow = w >> 1;
  const floor = floorOf(relu);
  const limit = limitOf(relu);
  const stride = <usize>w << 2;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  codes += <usize>p0 * <usize>oh * <usize>ow;
  x += <usize>p0 * <usize>h * stride;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      max_row_2x2(out, codes, x + <usize>i * 2 * stride, stride, ow, floor, limit);
      out += <usize>ow << 2;
      codes += <usize>ow;
    }
    x += <usize>h * stride;
  }
}

/** The gradients of two rows of x from ow ≥ 4 outputs. */
function max_row_2x2_backward(dx: usize, stride: usize, dout: usize, codes: usize, ow: i32): void {
  let left = ow;
  do {
    const g = v128.load(dout);
    const code = loadCodes(codes);
    storeTurns(dx, taken(g, code, 0), taken(g, code, 1));
    storeTurns(dx + stride, taken(g, code, 2), taken(g, code, 3));
    left -= 4;
    const step = left >= 4 ? 4 : left;
    dout += <usize>step << 2;
    codes += <usize>step;
    dx += <usize>step << 3;
  } while (left > 0);
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

// ----------------------------------------------------------------------------------- 3×3, stride 2, padding 1

/** One row of outputs; x is the plane, its rows h0 ≤ i < h1 are in the windows, `code0` is the code of h0's first tap. */
function max_row_3x3(
  out: usize, codes: usize, x: usize, h0: i32, h1: i32, code0: i32, w: i32, ow: i32, relu: i32,
): void {
  const floor = f32x4.splat(floorOf(relu));
  const limit = f32x4.splat(limitOf(relu));
  const none = f32x4.splat(-Infinity);
  const stride = <usize>w << 2;
  // Outputs whose windows end within the row; the first one's begins in the padding.
  const whole = w >> 1;
  const first = x + <usize>h0 * stride;
  const end = x + <usize>h1 * stride;
  let j = 0;
  if (whole >= 4) {
    do {
      let best = none;
      // Where all of a window is −∞, its first tap wins.
      let code = i32x4.add(i32x4.splat(code0), v128.and(i32x4(1, 0, 0, 0), i32x4.splat(j == 0 ? -1 : 0)));
      let tap = i32x4.splat(code0);
      let p = first + (<usize>j << 3);
      do {
        const b = f32x4.pmax(v128.load(p), floor);
        const c = f32x4.pmax(v128.load(p, 16), floor);
        const last = odd(b, c);
        let v: v128;
        if (j == 0) {
          v = v128.shuffle<i32>(none, last, 0, 4, 5, 6);
        } else {
          v = even(f32x4.pmax(v128.load(p - 4), floor), f32x4.pmax(v128.load(p + 12), floor));
        }
        let win = wins(v, best);
        best = v128.bitselect(v, best, win);
        code = i32x4.max_s(code, v128.and(win, tap));
        tap = i32x4.add(tap, i32x4.splat(1));
        v = even(b, c);
        win = wins(v, best);
        best = v128.bitselect(v, best, win);
        code = i32x4.max_s(code, v128.and(win, tap));
        tap = i32x4.add(tap, i32x4.splat(1));
        win = wins(last, best);
        best = v128.bitselect(last, best, win);
        code = i32x4.max_s(code, v128.and(win, tap));
        tap = i32x4.add(tap, i32x4.splat(1));
        p += stride;
      } while (p < end);
      v128.store(out + (<usize>j << 2), best);
      storeCodes(codes + <usize>j, code, best, limit);
      j = j + 8 <= whole ? j + 4 : j + 4 < whole ? whole - 4 : whole;
    } while (j < whole);
  }
  for (; j < ow; j++) {
    const at = 2 * j - 1;
    const c0 = max<i32>(at, 0);
    max_window(
      out + (<usize>j << 2), codes + <usize>j, 0, x, w, h0, h1, 1, c0, min<i32>(at + 3, w), 1, code0 + c0 - at, 3, relu,
    );
  }
}

/** 3×3, stride 2, padding 1, oh = (h + 1) / 2, ow = (w + 1) / 2 rounded down. Backward needs codes. */
export function max_pool2d_3x3(
  out: usize, codes: usize, x: usize, p0: i32, p1: i32, h: i32, w: i32, relu: i32,
): void {
  const oh = (h + 1) >> 1;
  const ow = (w + 1) >> 1;
  out += (<usize>p0 * <usize>oh * <usize>ow) << 2;
  codes += <usize>p0 * <usize>oh * <usize>ow;
  x += (<usize>p0 * <usize>h * <usize>w) << 2;
  for (let p = p0; p < p1; p++) {
    for (let i = 0; i < oh; i++) {
      max_row_3x3(out, codes, x, i == 0 ? 0 : 2 * i - 1, min<i32>(2 * i + 2, h), i == 0 ? 3 : 0, w, ow, relu);
      out += <usize>ow << 2;
      codes += <usize>ow;
    }
    x += (<usize>h * <usize>w) << 2;
  }
}

/** g where the code of the output at (p, q) is `code`, else 0. */
// @ts-ignore: decorator
@inline
function takenAt(p: usize, q: usize, code: i32): f32 {
  return load<u8>(q) == code ? load<f32>(p) : 0;
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
  let j = 0;
  if (whole >= 4) {
    do {
      const p = dout + (<usize>j << 2);
      const q = codes + <usize>j;
      const to = dx + (<usize>j << 3);
      const ends = j + 4 == ow;
      const g = v128.load(p);
      const c = loadCodes(q);
      const g1 = nextGradients(p, g, ends);
      const c1 = nextCodes(q, c, ends);
      storeTurns(to, taken(g, c, 4), f32x4.add(taken(g, c, 5), taken(g1, c1, 3)));
      if (pair) {
        let evens = taken(g, c, 7);
        let odds = f32x4.add(taken(g, c, 8), taken(g1, c1, 6));
        if (below) {
          const h = v128.load(p + next);
          const d = loadCodes(q + <usize>ow);
          const h1 = nextGradients(p + next, h, ends);
          const d1 = nextCodes(q + <usize>ow, d, ends);
          evens = f32x4.add(evens, taken(h, d, 1));
          odds = f32x4.add(f32x4.add(odds, taken(h, d, 2)), taken(h1, d1, 0));
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

// ------------------------------------------------------------------------------------------------- any windows

/**
 * One output from rows h0, h0 + dh, … < h1 and columns w0, w0 + dw, … < w1 of the plane x. `code0` is the code of the
 * first tap, `kw` how many codes a row of the window has. `code` or `index` is 0, the other where the winner is noted.
 */
function max_window(
  out: usize, code: usize, index: usize, x: usize, w: i32, h0: i32, h1: i32, dh: i32, w0: i32, w1: i32, dw: i32,
  code0: i32, kw: i32, relu: i32,
): void {
  const floor = floorOf(relu);
  let best: f32 = -Infinity;
  let bestCode = code0;
  let bestIndex = h0 * w + w0;
  for (let i = h0; i < h1; i += dh) {
    let tap = code0;
    for (let j = w0; j < w1; j += dw) {
      let v = load<f32>(x + (<usize>(i * w + j) << 2));
      if (v < floor) v = floor;
      if (v > best || v != v) {
        best = v;
        bestCode = tap;
        bestIndex = i * w + j;
      }
      tap++;
    }
    code0 += kw;
  }
  // With dilation a window may have no tap outside the padding: −∞, and nobody won.
  const dead = best <= limitOf(relu) || h0 >= h1 || w0 >= w1;
  store<f32>(out, best);
  if (index) store<i32>(index, dead ? -1 : bestIndex);
  else store<u8>(code, dead ? NONE : bestCode);
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
      for (let j = 0; j < ow; j++) {
        const col = cols + <usize>j * 12;
        const code0 = skipped + load<i32>(col, 8);
        max_window(out, codes, indices, x, w, h0, h1, dh, load<i32>(col), load<i32>(col, 4), dw, code0, kw, relu);
        out += 4;
        if (codes) codes++;
        if (indices) indices += 4;
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
