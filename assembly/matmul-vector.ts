/** Matrix-vector products, for matmul of one row or column. Strides are in bytes. */
import { hsum, loadTail, madd, storeTail } from "./simd";
import { STRIP } from "./matmul-sizes";

/**
 * Matrix times vector, both along p: out[l·os] = (accumulate ? out : 0) + (bias[l·bs] + Σ_p rows[l·rs + p]·x[p·xs]),
 * l < count. Eight partial sums an output, two vectors of them, and the tail (kk % 4) in the first.
 */
export function dots(
  out: usize,
  os: usize,
  rows: usize,
  rs: usize,
  x: usize,
  xs: usize,
  count: i32,
  kk: i32,
  bias: usize,
  bs: usize,
  accumulate: i32,
  scratch: usize,
): void {
  for (let p = 0; p < kk; p += STRIP) {
    const kb = min(kk - p, STRIP);
    let xp = x + <usize>p * xs;
    if (xs != 4) {
      for (let i = 0; i < kb; i++) {
        store<f32>(scratch + (<usize>i << 2), load<f32>(xp));
        xp += xs;
      }
      xp = scratch;
    }
    let row = rows + (<usize>p << 2);
    let to = out;
    let biasL = p == 0 ? bias : 0;
    const add = i32(p > 0) | accumulate;
    for (let left = count; left > 0; left -= 4) {
      matmul_dot4(to, os, row, rs, xp, min(left, 4), kb, biasL, bs, add);
      to += os << 2;
      row += rs << 2;
      if (biasL) biasL += bs << 2;
    }
  }
}

/** `dots` for up to 4 rows; where there are fewer, the last stands in for the missing. */
export function matmul_dot4(
  out: usize,
  os: usize,
  r0: usize,
  rs: usize,
  x: usize,
  count: i32,
  kk: i32,
  bias: usize,
  bs: usize,
  accumulate: i32,
): void {
  let r1 = count > 1 ? r0 + rs : r0;
  let r2 = count > 2 ? r1 + rs : r1;
  let r3 = count > 3 ? r2 + rs : r2;
  let c00 = f32x4.splat(0);
  let c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0);
  let c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0);
  let c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0);
  let c31 = f32x4.splat(0);
  for (; kk >= 8; kk -= 8) {
    const x0 = v128.load(x);
    const x1 = v128.load(x, 16);
    c00 = madd(x0, v128.load(r0), c00);
    c01 = madd(x1, v128.load(r0, 16), c01);
    c10 = madd(x0, v128.load(r1), c10);
    c11 = madd(x1, v128.load(r1, 16), c11);
    if (!ASC_FEATURE_RELAXED_SIMD && kk == -1) break; // never; or V8 loads all operands first, and spills
    c20 = madd(x0, v128.load(r2), c20);
    c21 = madd(x1, v128.load(r2, 16), c21);
    c30 = madd(x0, v128.load(r3), c30);
    c31 = madd(x1, v128.load(r3, 16), c31);
    x += 32;
    r0 += 32;
    r1 += 32;
    r2 += 32;
    r3 += 32;
  }
  if (kk >= 4) {
    const x0 = v128.load(x);
    c00 = madd(x0, v128.load(r0), c00);
    c10 = madd(x0, v128.load(r1), c10);
    c20 = madd(x0, v128.load(r2), c20);
    c30 = madd(x0, v128.load(r3), c30);
    kk -= 4;
    x += 16;
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
  }
  if (kk) {
    const x0 = loadTail(x, kk);
    c00 = madd(x0, loadTail(r0, kk), c00);
    c10 = madd(x0, loadTail(r1, kk), c10);
    c20 = madd(x0, loadTail(r2, kk), c20);
    c30 = madd(x0, loadTail(r3, kk), c30);
  }
  put(out, hsum(f32x4.add(c00, c01)), bias, accumulate);
  if (count > 1) put(out + os, hsum(f32x4.add(c10, c11)), bias ? bias + bs : 0, accumulate);
  if (count > 2) put(out + 2 * os, hsum(f32x4.add(c20, c21)), bias ? bias + 2 * bs : 0, accumulate);
  if (count > 3) put(out + 3 * os, hsum(f32x4.add(c30, c31)), bias ? bias + 3 * bs : 0, accumulate);
}

function put(out: usize, v: f32, bias: usize, accumulate: i32): void {
  if (bias) v += load<f32>(bias);
  if (accumulate) v = load<f32>(out) + v;
  store<f32>(out, v);
}

/**
 * Matrix times vector, a combination of rows: out[l] = (accumulate ? out : 0) + bias[l·bs] + Σ_p rows[p·rs +
 * l]·x[p·xs], l < count, four rows at a time. The terms are added to the rest in the order of p.
 */
export function combine(
  out: usize,
  rows: usize,
  rs: usize,
  x: usize,
  xs: usize,
  count: i32,
  kk: i32,
  bias: usize,
  bs: usize,
  accumulate: i32,
): void {
  for (let l = 0; l < count; l++) {
    const at = out + (<usize>l << 2);
    let v: f32 = accumulate ? load<f32>(at) : 0;
    if (bias) v += load<f32>(bias + <usize>l * bs);
    store<f32>(at, v);
  }
  for (; kk >= 4; kk -= 4) {
    matmul_add4(out, rows, rs, x, xs, count);
    rows += rs << 2;
    x += xs << 2;
  }
  for (; kk > 0; kk--) {
    matmul_add1(out, rows, load<f32>(x), count);
    rows += rs;
    x += xs;
  }
}

/** out[l] += Σ_{p<4} rows[p·rs + l]·x[p·xs], l < count; the tail (count % 4) by itself. */
export function matmul_add4(out: usize, r0: usize, rs: usize, x: usize, xs: usize, count: i32): void {
  const x0 = v128.load32_splat(x);
  const x1 = v128.load32_splat(x + xs);
  const x2 = v128.load32_splat(x + 2 * xs);
  const x3 = v128.load32_splat(x + 3 * xs);
  let r1 = r0 + rs;
  let r2 = r1 + rs;
  let r3 = r2 + rs;
  for (; count >= 8; count -= 8) {
    const v = madd(x1, v128.load(r1), madd(x0, v128.load(r0), v128.load(out)));
    const w = madd(x1, v128.load(r1, 16), madd(x0, v128.load(r0, 16), v128.load(out, 16)));
    v128.store(out, madd(x3, v128.load(r3), madd(x2, v128.load(r2), v)));
    v128.store(out, madd(x3, v128.load(r3, 16), madd(x2, v128.load(r2, 16), w)), 16);
    out += 32;
    r0 += 32;
    r1 += 32;
    r2 += 32;
    r3 += 32;
  }
  if (count >= 4) {
    const v = madd(x1, v128.load(r1), madd(x0, v128.load(r0), v128.load(out)));
    v128.store(out, madd(x3, v128.load(r3), madd(x2, v128.load(r2), v)));
    count -= 4;
    out += 16;
    r0 += 16;
    r1 += 16;
    r2 += 16;
    r3 += 16;
  }
  if (count) {
    const v = madd(x1, loadTail(r1, count), madd(x0, loadTail(r0, count), loadTail(out, count)));
    storeTail(out, madd(x3, loadTail(r3, count), madd(x2, loadTail(r2, count), v)), count);
  }
}

/** out[l] += row[l]·x, l < count; the tail by itself. */
function matmul_add1(out: usize, row: usize, x: f32, count: i32): void {
  const v = f32x4.splat(x);
  for (; count >= 4; count -= 4) {
    v128.store(out, madd(v, v128.load(row), v128.load(out)));
    out += 16;
    row += 16;
  }
  if (count) storeTail(out, madd(v, loadTail(row, count), loadTail(out, count)), count);
}
