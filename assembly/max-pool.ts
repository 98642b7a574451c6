/**
 * Max pooling of planes p0 ≤ p < p1: x [planes, h, w] → out [planes, oh, ow]. Contiguous float32.
 *
 * A later value wins when it is larger or NaN, so ties go to the first and NaN to the last, as in PyTorch. What backward
 * needs is which one won: `codes`, one byte an output: the tap within the window, row·kw + column, counted from the
 * window's own corner (which may lie in the padding); or, where a window has more than 255 taps or the caller wants
 * indices, `indices`, int32: row·w + column within the plane. 255 and −1 say that nobody gets a gradient.
 *
 * ReLU before the pool costs next to nothing: with `relu` the result is, to the bit, that of relu and then the pool, and
 * where it is 0 nobody gets a gradient, for relu's is 0 there.
 *
 * The usual windows, 2×2 with stride 2 and 3×3 with stride 2 and padding 1, have SIMD kernels: four outputs a vector; the
 * last vector of a row begins early and writes some outputs again, so rows of any length ≥ 4 have no tail. Their codes are
 * the negative ones, as masks of −1 add up, and less than any tap's where nobody gets a gradient. `max_pool2d`
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

/** Four codes as int32. */
// @ts-ignore: decorator
@inline
function loadCodes(codes: usize): v128 {
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(v128.load32_zero(codes)));
}

/** The gradients g of the outputs whose winner was tap `code`, else 0. */
// @ts-ignore: decorator
@inline
function taken(g: v128, codes: v128, code: v128): v128 {
  return v128.and(g, i32x4.eq(codes, code));
}

/** Elements of two vectors in turn, stored as eight neighbours. */
// @ts-ignore: decorator
@inline
function storeTurns(p: usize, a: v128, b: v128): void {
  v128.store(p, v128.shuffle<i32>(a, b, 0, 4, 1, 5));
  v128.store(p, v128.shuffle<i32>(a, b, 2, 6, 3, 7), 16);
}

// ------------------------------------------------------------------------------------------------ 2×2, stride 2

/** Stores the low bytes of four int32 within ±127: in two instructions and without a mask, which V8 would build anew. */
// @ts-ignore: decorator
@inline
function storeBytes(p: usize, v: v128): void {
  const words = i16x8.narrow_i32x4_s(v, v);
  v128.store32_lane(p, i8x16.narrow_i16x8_s(words, words), 0);
}

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

// ----------------------------------------------------------------------------------- 3×3, stride 2, padding 1

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

// ------------------------------------------------------------------------------------------------- any windows

/**
 * One output from rows h0, h0 + dh, … < h1 and columns w0, w0 + dw, … < w1 of the plane x. `code0` is the code of the
 * first tap, `kw` how many codes a row of the window has. `code` or `index` is 0, the other where the winner is noted.
 */
function max_window(
  out: usize, code: usize, index: usize, x: usize, w: i32, h0: i32, h1: i32, dh: i32, w0: i32, w1: i32, dw: i32,
  code0: i32, kw: i32, relu: i32,
): void {
  const floor: f32 = relu ? 0 : -Infinity;
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
  const dead = (relu && best <= 0) || h0 >= h1 || w0 >= w1;
  store<f32>(out, best);
  if (index) store<i32>(index, dead ? -1 : bestIndex);
  else store<u8>(code, dead ? NONE : bestCode);
}

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
