/**
 * Normalisation layers. x, out, dout and dx are [rows, cols] float32, weight and bias [cols], mean and rstd [rows].
 *
 * Statistics take two passes over a row that lies in the first-level cache. Sums run in float32 lanes over blocks of
 * 256 elements, and the blocks are added in float64, so that neither a long row nor a large mean costs accuracy.
 * Absent tensors (weight, bias, gradients nobody wants) are null pointers. Tails: the last cols % 16 elements go in
 * vectors of four, the last cols % 4 through loadTail and storeTail.
 *
 * Room for batch, group and instance normalisation: they share `sum` and `sum_squares_around`.
 */
import { loadTail, madd, storeTail } from "./simd";

/** Elements of a block that is summed in float32; a multiple of 16. */
// @ts-ignore: decorator
@inline
const BLOCK: i32 = 256;

/** Rows of a block that is summed in float32, down the columns. */
// @ts-ignore: decorator
@inline
const ROW_BLOCK: i32 = 32;

/** The four lanes in float64: (0 + 2) + (1 + 3). */
// @ts-ignore: decorator
@inline
function hsum64(v: v128): f64 {
  const s = f64x2.add(f64x2.promote_low_f32x4(v), promoteHigh(v));
  return f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
}

// @ts-ignore: decorator
@inline
function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i32>(v, v, 2, 3, 2, 3));
}

/** Σ x over n floats. */
function sum(x: usize, n: i32): f64 {
  let total: f64 = 0;
  while (n >= 16) {
    const m = min(n, BLOCK) & ~15;
    const end = x + (<usize>m << 2);
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
    total += hsum64(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
    n -= m;
  }
  let rest = f32x4.splat(0);
  while (n >= 4) {
    rest = f32x4.add(rest, v128.load(x));
    x += 16;
    n -= 4;
  }
  if (n > 0) rest = f32x4.add(rest, loadTail(x, n));
  return total + hsum64(rest);
}

/** Σ (x − mean)² over n floats. */
function sum_squares_around(x: usize, n: i32, mean: f32): f64 {
  const m = f32x4.splat(mean);
  let total: f64 = 0;
  while (n >= 16) {
    const block = min(n, BLOCK) & ~15;
    const end = x + (<usize>block << 2);
    let q0 = f32x4.splat(0);
    let q1 = q0;
    let q2 = q0;
    let q3 = q0;
    do {
      const a = f32x4.sub(v128.load(x), m);
      const b = f32x4.sub(v128.load(x, 16), m);
      const c = f32x4.sub(v128.load(x, 32), m);
      const d = f32x4.sub(v128.load(x, 48), m);
      q0 = madd(a, a, q0);
      q1 = madd(b, b, q1);
      q2 = madd(c, c, q2);
      q3 = madd(d, d, q3);
      x += 64;
    } while (x < end);
    total += hsum64(f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
    n -= block;
  }
  let rest = f32x4.splat(0);
  while (n >= 4) {
    const d = f32x4.sub(v128.load(x), m);
    rest = madd(d, d, rest);
    x += 16;
    n -= 4;
  }
  total += hsum64(rest);
  while (n > 0) {
    const d = load<f32>(x) - mean;
    total += <f64>d * <f64>d;
    x += 4;
    n--;
  }
  return total;
}

/** One vector of (x − mean)·rstd·weight + bias. */
// @ts-ignore: decorator
@inline
function affine(v: v128, m: v128, r: v128, weight: usize, bias: usize, scales: bool, shifts: bool): v128 {
  const y = f32x4.mul(f32x4.sub(v, m), r);
  if (scales && shifts) return madd(y, v128.load(weight), v128.load(bias));
  if (scales) return f32x4.mul(y, v128.load(weight));
  return shifts ? f32x4.add(y, v128.load(bias)) : y;
}

/** The whole vectors of a row; scales and shifts are constants: a branch in the loop would halve its speed. */
// @ts-ignore: decorator
@inline
function normalize_vectors(
  out: usize, x: usize, weight: usize, bias: usize, end: usize, m: v128, r: v128, scales: bool, shifts: bool,
): void {
  while (out + 64 <= end) {
    v128.store(out, affine(v128.load(x), m, r, weight, bias, scales, shifts));
    v128.store(out, affine(v128.load(x, 16), m, r, weight + 16, bias + 16, scales, shifts), 16);
    v128.store(out, affine(v128.load(x, 32), m, r, weight + 32, bias + 32, scales, shifts), 32);
    v128.store(out, affine(v128.load(x, 48), m, r, weight + 48, bias + 48, scales, shifts), 48);
    out += 64;
    x += 64;
    weight += 64;
    bias += 64;
  }
  while (out < end) {
    v128.store(out, affine(v128.load(x), m, r, weight, bias, scales, shifts));
    out += 16;
    x += 16;
    weight += 16;
    bias += 16;
  }
}

/** out = (x − mean)·rstd·weight + bias over one row. */
function normalize_row(out: usize, x: usize, weight: usize, bias: usize, cols: i32, mean: f32, rstd: f32): void {
  const m = f32x4.splat(mean);
  const r = f32x4.splat(rstd);
  const bytes = <usize>(cols & ~3) << 2;
  const end = out + bytes;
  if (weight && bias) normalize_vectors(out, x, weight, bias, end, m, r, true, true);
  else if (weight) normalize_vectors(out, x, weight, 0, end, m, r, true, false);
  else if (bias) normalize_vectors(out, x, 0, bias, end, m, r, false, true);
  else normalize_vectors(out, x, 0, 0, end, m, r, false, false);
  const n = cols & 3;
  if (n > 0) {
    const y = f32x4.mul(f32x4.sub(loadTail(x + bytes, n), m), r);
    const b = bias ? loadTail(bias + bytes, n) : f32x4.splat(0);
    storeTail(end, weight ? madd(y, loadTail(weight + bytes, n), b) : f32x4.add(y, b), n);
  }
}

/**
 * [rows, cols] → out, mean, rstd. out = (x − mean)·rstd·weight + bias, rstd = 1/√(var + eps), var biased
 * (torch.nn.functional.layer_norm). weight and bias may be null. out may be x. Backward needs x, mean, rstd and weight.
 */
export function layer_norm(
  out: usize, mean: usize, rstd: usize, x: usize, weight: usize, bias: usize, rows: i32, cols: i32, eps: f64,
): void {
  const stride = <usize>cols << 2;
  for (let i = 0; i < rows; i++) {
    const mean64 = sum(x, cols) / <f64>cols;
    const m = <f32>mean64;
    // Around the rounded mean: its rounding counts where |mean| is large against the deviation.
    const off = mean64 - <f64>m;
    const r = <f32>(1 / sqrt(max(sum_squares_around(x, cols, m) / <f64>cols - off * off, 0) + eps));
    store<f32>(mean, m);
    store<f32>(rstd, r);
    normalize_row(out, x, weight, bias, cols, m, r);
    mean += 4;
    rstd += 4;
    out += stride;
    x += stride;
  }
}

/**
 * With g = dout·weight and x̂ = (x − mean)·rstd:
 * dx = rstd·(g − mean(g) − x̂·mean(g·x̂)), dweight = Σ_rows dout·x̂, dbias = Σ_rows dout.
 * All three outputs are overwritten; any of them may be null, and so may weight. dx may be dout.
 */
export function layer_norm_backward(
  dx: usize, dweight: usize, dbias: usize, dout: usize, x: usize, mean: usize, rstd: usize, weight: usize,
  rows: i32, cols: i32,
): void {
  if (dweight || dbias) layer_norm_columns(dweight, dbias, dout, x, mean, rstd, rows, cols);
  if (!dx) return;
  const stride = <usize>cols << 2;
  for (let i = 0; i < rows; i++) {
    const m = load<f32>(mean);
    const r = load<f32>(rstd);
    if (weight) layer_norm_dx_weighted(dx, dout, x, weight, cols, m, r);
    else layer_norm_dx_plain(dx, dout, x, cols, m, r);
    dx += stride;
    dout += stride;
    x += stride;
    mean += 4;
    rstd += 4;
  }
}

/** One vector of g = dout·weight. */
// @ts-ignore: decorator
@inline
function weighted(g: usize, w: usize, scales: bool): v128 {
  return scales ? f32x4.mul(v128.load(g), v128.load(w)) : v128.load(g);
}

/** dx of one row. Two passes: Σg and Σg·(x − mean) in blocks, then the row itself. `scales`: there is a weight. */
// @ts-ignore: decorator
@inline
function layer_norm_dx(
  dx: usize, dout: usize, x: usize, weight: usize, cols: i32, mean: f32, rstd: f32, scales: bool,
): void {
  const m = f32x4.splat(mean);
  let first: f64 = 0;
  let second: f64 = 0;
  let n = cols;
  let g = dout;
  let p = x;
  let w = weight;
  while (n >= 8) {
    const block = min(n, BLOCK) & ~7;
    const end = g + (<usize>block << 2);
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let q0 = s0;
    let q1 = s0;
    do {
      const a = weighted(g, w, scales);
      const b = weighted(g + 16, w + 16, scales);
      s0 = f32x4.add(s0, a);
      s1 = f32x4.add(s1, b);
      q0 = madd(a, f32x4.sub(v128.load(p), m), q0);
      q1 = madd(b, f32x4.sub(v128.load(p, 16), m), q1);
      g += 32;
      p += 32;
      w += 32;
    } while (g < end);
    first += hsum64(f32x4.add(s0, s1));
    second += hsum64(f32x4.add(q0, q1));
    n -= block;
  }
  while (n > 0) {
    const a = scales ? load<f32>(g) * load<f32>(w) : load<f32>(g);
    first += <f64>a;
    second += <f64>a * <f64>(load<f32>(p) - mean);
    g += 4;
    p += 4;
    w += 4;
    n--;
  }
  // dx = g·rstd + (x − mean)·scale + shift
  const r64 = <f64>rstd;
  const r = f32x4.splat(rstd);
  const shift = f32x4.splat(<f32>((-r64 * first) / <f64>cols));
  const scale = f32x4.splat(<f32>((-r64 * r64 * r64 * second) / <f64>cols));
  const end = dx + (<usize>(cols & ~3) << 2);
  while (dx + 32 <= end) {
    const a = madd(weighted(dout, weight, scales), r, madd(f32x4.sub(v128.load(x), m), scale, shift));
    const b = madd(weighted(dout + 16, weight + 16, scales), r, madd(f32x4.sub(v128.load(x, 16), m), scale, shift));
    v128.store(dx, a);
    v128.store(dx, b, 16);
    dx += 32;
    dout += 32;
    x += 32;
    weight += 32;
  }
  if (dx < end) {
    v128.store(dx, madd(weighted(dout, weight, scales), r, madd(f32x4.sub(v128.load(x), m), scale, shift)));
    dx += 16;
    dout += 16;
    x += 16;
    weight += 16;
  }
  n = cols & 3;
  if (n > 0) {
    const a = scales ? f32x4.mul(loadTail(dout, n), loadTail(weight, n)) : loadTail(dout, n);
    storeTail(dx, madd(a, r, madd(f32x4.sub(loadTail(x, n), m), scale, shift)), n);
  }
}

function layer_norm_dx_weighted(
  dx: usize, dout: usize, x: usize, weight: usize, cols: i32, mean: f32, rstd: f32,
): void {
  layer_norm_dx(dx, dout, x, weight, cols, mean, rstd, true);
}

function layer_norm_dx_plain(dx: usize, dout: usize, x: usize, cols: i32, mean: f32, rstd: f32): void {
  layer_norm_dx(dx, dout, x, 0, cols, mean, rstd, false);
}

/** dweight and dbias, in strips of 16 columns (a cache line: each line is read once) and then of 4. */
function layer_norm_columns(
  dweight: usize, dbias: usize, dout: usize, x: usize, mean: usize, rstd: usize, rows: i32, cols: i32,
): void {
  let c = 0;
  for (; c + 16 <= cols; c += 16) {
    const o = <usize>c << 2;
    strip_16(dweight ? dweight + o : 0, dbias ? dbias + o : 0, dout + o, x + o, mean, rstd, rows, <usize>cols << 2);
  }
  for (; c < cols; c += 4) {
    const o = <usize>c << 2;
    const lanes = min(cols - c, 4);
    strip_4(dweight ? dweight + o : 0, dbias ? dbias + o : 0, dout + o, x + o, mean, rstd, rows, <usize>cols << 2, lanes);
  }
}

/** Four column sums from float64 to float32. */
// @ts-ignore: decorator
@inline
function demote(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/** dweight and dbias of 16 columns: blocks of rows in float32, added in float64. */
function strip_16(
  dweight: usize, dbias: usize, dout: usize, x: usize, mean: usize, rstd: usize, rows: i32, stride: usize,
): void {
  const zero = f32x4.splat(0);
  let w0l = zero;
  let w0h = zero;
  let w1l = zero;
  let w1h = zero;
  let w2l = zero;
  let w2h = zero;
  let w3l = zero;
  let w3h = zero;
  let b0l = zero;
  let b0h = zero;
  let b1l = zero;
  let b1h = zero;
  let b2l = zero;
  let b2h = zero;
  let b3l = zero;
  let b3h = zero;
  while (rows > 0) {
    let n = min(rows, ROW_BLOCK);
    rows -= n;
    let w0 = zero;
    let w1 = zero;
    let w2 = zero;
    let w3 = zero;
    let b0 = zero;
    let b1 = zero;
    let b2 = zero;
    let b3 = zero;
    do {
      const m = v128.load32_splat(mean);
      const r = v128.load32_splat(rstd);
      const g0 = v128.load(dout);
      b0 = f32x4.add(b0, g0);
      w0 = madd(g0, f32x4.mul(f32x4.sub(v128.load(x), m), r), w0);
      const g1 = v128.load(dout, 16);
      b1 = f32x4.add(b1, g1);
      w1 = madd(g1, f32x4.mul(f32x4.sub(v128.load(x, 16), m), r), w1);
      const g2 = v128.load(dout, 32);
      b2 = f32x4.add(b2, g2);
      w2 = madd(g2, f32x4.mul(f32x4.sub(v128.load(x, 32), m), r), w2);
      const g3 = v128.load(dout, 48);
      b3 = f32x4.add(b3, g3);
      w3 = madd(g3, f32x4.mul(f32x4.sub(v128.load(x, 48), m), r), w3);
      dout += stride;
      x += stride;
      mean += 4;
      rstd += 4;
    } while (--n > 0);
    w0l = f64x2.add(w0l, f64x2.promote_low_f32x4(w0));
    w0h = f64x2.add(w0h, promoteHigh(w0));
    w1l = f64x2.add(w1l, f64x2.promote_low_f32x4(w1));
    w1h = f64x2.add(w1h, promoteHigh(w1));
    w2l = f64x2.add(w2l, f64x2.promote_low_f32x4(w2));
    w2h = f64x2.add(w2h, promoteHigh(w2));
    w3l = f64x2.add(w3l, f64x2.promote_low_f32x4(w3));
    w3h = f64x2.add(w3h, promoteHigh(w3));
    b0l = f64x2.add(b0l, f64x2.promote_low_f32x4(b0));
    b0h = f64x2.add(b0h, promoteHigh(b0));
    b1l = f64x2.add(b1l, f64x2.promote_low_f32x4(b1));
    b1h = f64x2.add(b1h, promoteHigh(b1));
    b2l = f64x2.add(b2l, f64x2.promote_low_f32x4(b2));
    b2h = f64x2.add(b2h, promoteHigh(b2));
    b3l = f64x2.add(b3l, f64x2.promote_low_f32x4(b3));
    b3h = f64x2.add(b3h, promoteHigh(b3));
  }
  if (dweight) {
    v128.store(dweight, demote(w0l, w0h));
    v128.store(dweight, demote(w1l, w1h), 16);
    v128.store(dweight, demote(w2l, w2h), 32);
    v128.store(dweight, demote(w3l, w3h), 48);
  }
  if (dbias) {
    v128.store(dbias, demote(b0l, b0h));
    v128.store(dbias, demote(b1l, b1h), 16);
    v128.store(dbias, demote(b2l, b2h), 32);
    v128.store(dbias, demote(b3l, b3h), 48);
  }
}

/** The same for the last columns, 1 to 4 at a time: `lanes` of them. */
function strip_4(
  dweight: usize, dbias: usize, dout: usize, x: usize, mean: usize, rstd: usize, rows: i32, stride: usize, lanes: i32,
): void {
  const zero = f32x4.splat(0);
  let wl = zero;
  let wh = zero;
  let bl = zero;
  let bh = zero;
  while (rows > 0) {
    let n = min(rows, ROW_BLOCK);
    rows -= n;
    let w = zero;
    let b = zero;
    do {
      const g = lanes == 4 ? v128.load(dout) : loadTail(dout, lanes);
      const v = lanes == 4 ? v128.load(x) : loadTail(x, lanes);
      b = f32x4.add(b, g);
      w = madd(g, f32x4.mul(f32x4.sub(v, v128.load32_splat(mean)), v128.load32_splat(rstd)), w);
      dout += stride;
      x += stride;
      mean += 4;
      rstd += 4;
    } while (--n > 0);
    wl = f64x2.add(wl, f64x2.promote_low_f32x4(w));
    wh = f64x2.add(wh, promoteHigh(w));
    bl = f64x2.add(bl, f64x2.promote_low_f32x4(b));
    bh = f64x2.add(bh, promoteHigh(b));
  }
  if (dweight) store_lanes(dweight, demote(wl, wh), lanes);
  if (dbias) store_lanes(dbias, demote(bl, bh), lanes);
}

/** Store the first 1 to 4 lanes. */
function store_lanes(p: usize, v: v128, lanes: i32): void {
  if (lanes == 4) v128.store(p, v);
  else storeTail(p, v, lanes);
}
