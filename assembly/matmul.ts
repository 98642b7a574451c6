/**
 * Matrix multiplication: out[i, j] = (accumulate ? out[i, j] : 0) + (bias ? bias[j] : 0) + Σ_p a[i, p]·b[p, j]
 *
 *   a [m, kk] at a[i·ars + p·acs], b [kk, n] at b[p·brs + j·bcs], bias [n] or 0, out [m, n] at out[i·ldc + j]
 *
 * Strides are in elements and serve every form: x·Wᵀ + bias of a linear layer, dY·W, dYᵀ·X, slices of larger tensors.
 * Its own backward: dA = dOut·Bᵀ and dB = Aᵀ·dOut.
 *
 * How. A register tile (matmul-tiles-generated.ts) of MR × 8 outputs stays in registers while p runs: 6×8 with fused
 * multiply-add, 5×8 without, where the product needs a register too. It reads a through row and column strides, so a
 * is copied at most to be kind to the cache, and eight neighbouring columns of b, so b is packed where its columns do
 * not lie side by side (W of a linear layer; four by four, transposed in registers) or where it outgrows the cache.
 * Blocks, as in Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", but with the strip of a in
 * the first cache and the panels of b streaming past it: KC terms, NC columns, a strip of at most MR rows.
 *
 * Edges compute little in vain and never read or write past an end. Rows: tiles of every height from 1 to MR. Columns:
 * a tile of 4, or two; the last reaches back over columns that are done and leaves those as they are, so it needs no
 * padding and NaN in a neighbour cannot leak. Only fewer than 4 columns in all are padded, in the scratch memory. One
 * row or column (up to 4 rows or 3 columns where both operands run along p) is a matrix-vector product and has loops
 * of its own.
 *
 * The order of every sum depends on (m, n, kk) and the strides only (beyond matrix-vector products, on kk only), and
 * any part of out may be computed by itself: see matmul_range, by which threads split the work.
 */
import { hsum, loadTail, madd, storeTail } from "./simd";
import {
  matmul_tile_1x4,
  matmul_tile_1x8,
  matmul_tile_2x4,
  matmul_tile_2x8,
  matmul_tile_3x4,
  matmul_tile_3x8,
  matmul_tile_4x4,
  matmul_tile_4x8,
  matmul_tile_5x4,
  matmul_tile_5x8,
  matmul_tile_6x4,
  matmul_tile_6x8,
} from "./matmul-tiles-generated";

/** The highest tile that does not spill: V8 on x64 has 15 vector registers. */
// @ts-ignore: decorator
@inline
const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

/** Most terms in one pass: a strip of a, MR × KC floats, and a panel of b, 8 × KC, fit in a 32 KB first cache. */
// @ts-ignore: decorator
@inline
const KC: i32 = 512;

/** Most columns in one packed block of b, a multiple of 8: the more the better, since a is copied again for each. */
// @ts-ignore: decorator
@inline
const NC: i32 = 1024;

/** Floats at the start of the scratch memory for a strip of a, and after it for a tile of out (6×4). */
// @ts-ignore: decorator
@inline
const STRIP: i32 = 6 * (KC + 4) + 64;
// @ts-ignore: decorator
@inline
const TILE: i32 = 6 * (KC + 4);

/** Bytes of scratch memory that matmul of these sizes may need: at most 2.1 MB. It should be 64-byte aligned. */
export function matmul_scratch(m: i32, n: i32, kk: i32): i32 {
  return (STRIP + min(kk, KC) * min((n + 7) & ~7, NC)) << 2;
}

/** The whole product. m, n, kk ≥ 0; kk = 0 gives the bias or zeros. out must not overlap a, b or scratch. */
export function matmul(
  out: usize,
  ldc: i32,
  a: usize,
  ars: i32,
  acs: i32,
  b: usize,
  brs: i32,
  bcs: i32,
  m: i32,
  n: i32,
  kk: i32,
  bias: usize,
  accumulate: i32,
  scratch: usize,
): void {
  matmul_range(out, ldc, a, ars, acs, b, brs, bcs, m, n, kk, bias, accumulate, scratch, 0, m, 0, n);
}

/**
 * Rows i0 to i1 and columns j0 to j1 of the product, with the very bits that matmul gives there: pointers and sizes are
 * those of the whole. Threads may compute disjoint ranges at once, each with scratch memory of its own. Split the
 * longer of m and n, at multiples of 24 rows or 16 columns; what both ranges need is then packed twice, which costs
 * less than to wait.
 */
export function matmul_range(
  out: usize,
  ldc: i32,
  a: usize,
  ars: i32,
  acs: i32,
  b: usize,
  brs: i32,
  bcs: i32,
  m: i32,
  n: i32,
  kk: i32,
  bias: usize,
  accumulate: i32,
  scratch: usize,
  i0: i32,
  i1: i32,
  j0: i32,
  j1: i32,
): void {
  const rows = i1 - i0;
  const columns = j1 - j0;
  if (rows <= 0 || columns <= 0) return;
  out += (<usize>i0 * ldc + j0) << 2;
  a += (<usize>i0 * ars) << 2;
  b += (<usize>j0 * bcs) << 2;
  if (bias) bias += <usize>j0 << 2;
  const cs = <usize>ldc << 2;
  const ar = <usize>ars << 2;
  const ac = <usize>acs << 2;
  const br = <usize>brs << 2;
  const bc = <usize>bcs << 2;
  if (kk <= 0) {
    constant(out, cs, rows, columns, bias, accumulate);
  } else if (m <= 4 && brs == 1) {
    for (let i = 0; i < rows; i++) {
      dots(out, 4, b, bc, a, ac, columns, kk, bias, 4, accumulate, scratch);
      out += cs;
      a += ar;
    }
  } else if (n <= 3 && acs == 1) {
    for (let j = 0; j < columns; j++) {
      dots(out, cs, a, ar, b, br, rows, kk, bias, 0, accumulate, scratch);
      out += 4;
      b += bc;
      if (bias) bias += 4;
    }
  } else if (m == 1 && bcs == 1) {
    combine(out, b, br, a, ac, columns, kk, bias, 4, accumulate);
  } else if (n == 1 && ars == 1 && ldc == 1) {
    combine(out, a, ac, b, br, rows, kk, bias, 0, accumulate);
  } else {
    blocks(out, cs, a, ar, ac, b, br, bc, rows, columns, kk, bias, accumulate, scratch);
  }
}

// From here on all strides are in bytes.

/** No terms: out = (accumulate ? out : 0) + bias. */
function constant(out: usize, cs: usize, rows: i32, columns: i32, bias: usize, accumulate: i32): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = <usize>j << 2;
      let v: f32 = accumulate ? load<f32>(out + at) : 0;
      if (bias) v += load<f32>(bias + at);
      store<f32>(out + at, v);
    }
    out += cs;
  }
}

/** Blocks of columns, passes of terms, strips of rows. */
function blocks(
  out: usize,
  cs: usize,
  a: usize,
  ar: usize,
  ac: usize,
  b: usize,
  br: usize,
  bc: usize,
  rows: i32,
  columns: i32,
  kk: i32,
  bias: usize,
  accumulate: i32,
  scratch: usize,
): void {
  const packed = scratch + (STRIP << 2);
  const passes = (kk + KC - 1) / KC;
  const kc = (kk + passes - 1) / passes;
  const narrow = columns < 4;
  // Strips take a row stride of 0 for a packed b, so a b whose rows are one row repeated is packed too.
  const packB = narrow || bc != 4 || br == 0 || packs_b(rows, columns, kk);
  // A copied strip is one piece of memory. Where ac == 4 its terms lie side by side already, and only rows that would fall
  // on each other in the cache are copied.
  const packA = ac == 4 ? columns >= 256 && (ar & 1023) == 0 : columns >= 128;
  const nc = packB ? min(NC, columns) : columns;
  for (let j = 0; j < columns; j += nc) {
    const nb = min(nc, columns - j);
    const outJ = out + (<usize>j << 2);
    const bJ = b + <usize>j * bc;
    for (let p = 0; p < kk; p += kc) {
      const kb = min(kc, kk - p);
      const biasP = bias && p == 0 ? bias + (<usize>j << 2) : 0;
      const accumulateP = i32(p > 0) | accumulate;
      let bP = bJ + <usize>p * br;
      if (packB) {
        pack_b(packed, bP, br, bc, nb, kb, narrow);
        bP = packed;
      }
      let outI = outJ;
      let aI = a + <usize>p * ac;
      for (let left = rows; left > 0; ) {
        const h = height(left);
        let aS = aI;
        let arS = ar;
        let acS = ac;
        if (packA) {
          pack_a(scratch, aI, ar, ac, h, kb);
          aS = scratch;
          arS = ac == 4 ? <usize>(kb + 4) << 2 : 4;
          acS = ac == 4 ? 4 : <usize>h << 2;
        }
        if (narrow) {
          matmul_strip_narrow(h, outI, cs, aS, arS, acS, bP, nb, kb, biasP, accumulateP, scratch + (TILE << 2));
        } else {
          matmul_strip(h, outI, cs, aS, arS, acS, bP, packB ? 0 : br, nb, kb, biasP, accumulateP);
        }
        outI += <usize>h * cs;
        aI += <usize>h * ar;
        left -= h;
      }
    }
  }
}

/**
 * Whether b, though its columns lie side by side, is better copied: when it is read often and outgrows the first
 * cache.
 */
// @ts-ignore: decorator
@inline
function packs_b(rows: i32, columns: i32, kk: i32): bool {
  return rows >= 48 && <i64>columns * kk > 32768;
}

/** The next strip's height: as high as can be, but no low one at the end where two of middle height do. */
// @ts-ignore: decorator
@inline
function height(left: i32): i32 {
  if (left <= MR) return left;
  if (left >= 2 * MR) return MR;
  // MR < left < 2·MR: two strips. 6-row tiles: 7 = 4+3, 8 = 4+4, 9 = 5+4, 10 = 6+4, 11 = 6+5.
  return left >= MR + 4 ? MR : (left + 1) >> 1;
}

/**
 * Pack kb rows and nb columns of b into panels, one for each tile that matmul_strip makes: [kb][8] each, at the end
 * one or two of [kb][4], the last of the last 4 columns (which may begin before this block, in columns of b that are
 * done).
 */
function pack_b(to: usize, b: usize, br: usize, bc: usize, nb: i32, kb: i32, narrow: bool): void {
  let j = 0;
  for (; j + 8 <= nb; j += 8) {
    if (bc == 4) {
      let from = b;
      for (let p = 0; p < kb; p++) {
        v128.store(to, v128.load(from));
        v128.store(to, v128.load(from, 16), 16);
        to += 32;
        from += br;
      }
    } else {
      pack4(to, 32, b, br, bc, kb);
      pack4(to + 16, 32, b + 4 * bc, br, bc, kb);
      to += <usize>kb << 5;
    }
    b += bc << 3;
  }
  if (narrow) {
    for (let p = 0; p < kb; p++) {
      v128.store(to, f32x4.splat(0));
      for (let i = 0; i < nb; i++) store<f32>(to + (<usize>i << 2), load<f32>(b + <usize>i * bc));
      to += 16;
      b += br;
    }
    return;
  }
  if (nb - j > 4) {
    pack4(to, 16, b, br, bc, kb);
    to += <usize>kb << 4;
  }
  if (nb > j) pack4(to, 16, b - (<usize>(j + 4 - nb)) * bc, br, bc, kb);
}

/** to[p·step] = the 4 columns of b's row p, for any strides; steps of 4 rows transpose in registers. */
function pack4(to: usize, step: usize, b: usize, br: usize, bc: usize, kb: i32): void {
  if (bc == 4) {
    for (; kb > 0; kb--) {
      v128.store(to, v128.load(b));
      b += br;
      to += step;
    }
    return;
  }
  let b1 = b + bc;
  let b2 = b1 + bc;
  let b3 = b2 + bc;
  if (br == 4) {
    for (; kb >= 4; kb -= 4) {
      const r0 = v128.load(b);
      const r1 = v128.load(b1);
      const r2 = v128.load(b2);
      const r3 = v128.load(b3);
      const s0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const s1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const s2 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const s3 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      v128.store(to, v128.shuffle<f32>(s0, s1, 0, 1, 4, 5));
      to += step;
      v128.store(to, v128.shuffle<f32>(s0, s1, 2, 3, 6, 7));
      to += step;
      v128.store(to, v128.shuffle<f32>(s2, s3, 0, 1, 4, 5));
      to += step;
      v128.store(to, v128.shuffle<f32>(s2, s3, 2, 3, 6, 7));
      to += step;
      b += 16;
      b1 += 16;
      b2 += 16;
      b3 += 16;
    }
  }
  for (; kb > 0; kb--) {
    let v = v128.load32_zero(b);
    v = v128.load32_lane(b1, v, 1);
    v = v128.load32_lane(b2, v, 2);
    v128.store(to, v128.load32_lane(b3, v, 3));
    to += step;
    b += br;
    b1 += br;
    b2 += br;
    b3 += br;
  }
}

/**
 * Copy a strip of a, h rows of kb terms: where they run along p as [h][kb + 4] (so that rows 4 KB apart do not fall on
 * each other in the cache), else as [kb][h].
 */
function pack_a(to: usize, a: usize, ar: usize, ac: usize, h: i32, kb: i32): void {
  if (ac == 4) {
    for (let i = 0; i < h; i++) {
      let p = 0;
      for (; p + 4 <= kb; p += 4) v128.store(to + (<usize>p << 2), v128.load(a + (<usize>p << 2)));
      for (; p < kb; p++) store<f32>(to + (<usize>p << 2), load<f32>(a + (<usize>p << 2)));
      to += <usize>(kb + 4) << 2;
      a += ar;
    }
    return;
  }
  for (let p = 0; p < kb; p++) {
    let from = a;
    let i = 0;
    if (ar == 4) {
      for (; i + 4 <= h; i += 4) {
        v128.store(to, v128.load(from));
        to += 16;
        from += 16;
      }
    }
    for (; i < h; i++) {
      store<f32>(to, load<f32>(from));
      to += 4;
      from += ar;
    }
    a += ac;
  }
}

/** h rows × nb ≥ 1 columns, of a range of at least 4: tiles of 8 columns, then of 4. br = 0: b is packed by pack_b. */
export function matmul_strip(
  h: i32,
  out: usize,
  cs: usize,
  a: usize,
  ar: usize,
  ac: usize,
  b: usize,
  br: usize,
  nb: i32,
  kb: i32,
  bias: usize,
  accumulate: i32,
): void {
  const br8: usize = br ? br : 32;
  const next8: usize = br ? 32 : <usize>kb << 5;
  const biasNext = bias ? 32 : 0;
  for (; nb >= 8; nb -= 8) {
    switch (h) {
      case 6:
        matmul_tile_6x8(out, cs, a, ar, ac, b, br8, kb, bias, accumulate);
        break;
      case 5:
        matmul_tile_5x8(out, cs, a, ar, ac, b, br8, kb, bias, accumulate);
        break;
      case 4:
        matmul_tile_4x8(out, cs, a, ar, ac, b, br8, kb, bias, accumulate);
        break;
      case 3:
        matmul_tile_3x8(out, cs, a, ar, ac, b, br8, kb, bias, accumulate);
        break;
      case 2:
        matmul_tile_2x8(out, cs, a, ar, ac, b, br8, kb, bias, accumulate);
        break;
      default:
        matmul_tile_1x8(out, cs, a, ar, ac, b, br8, kb, bias, accumulate);
    }
    out += 32;
    b += next8;
    bias += biasNext;
  }
  if (nb == 0) return;
  const br4: usize = br ? br : 16;
  if (nb > 4) {
    matmul_tile4(h, out, cs, a, ar, ac, b, br4, kb, bias, accumulate, 0);
    out += 16;
    b += br ? 16 : <usize>kb << 4;
    bias += biasNext >> 1;
    nb -= 4;
  }
  const back = <usize>(4 - nb) << 2;
  matmul_tile4(h, out - back, cs, a, ar, ac, br ? b - back : b, br4, kb, bias ? bias - back : 0, accumulate, 4 - nb);
}

/** h × 4, leaving the first `keep` columns as they are. */
function matmul_tile4(
  h: i32,
  out: usize,
  cs: usize,
  a: usize,
  ar: usize,
  ac: usize,
  b: usize,
  br: usize,
  kb: i32,
  bias: usize,
  accumulate: i32,
  keep: i32,
): void {
  switch (h) {
    case 6:
      matmul_tile_6x4(out, cs, a, ar, ac, b, br, kb, bias, accumulate, keep);
      break;
    case 5:
      matmul_tile_5x4(out, cs, a, ar, ac, b, br, kb, bias, accumulate, keep);
      break;
    case 4:
      matmul_tile_4x4(out, cs, a, ar, ac, b, br, kb, bias, accumulate, keep);
      break;
    case 3:
      matmul_tile_3x4(out, cs, a, ar, ac, b, br, kb, bias, accumulate, keep);
      break;
    case 2:
      matmul_tile_2x4(out, cs, a, ar, ac, b, br, kb, bias, accumulate, keep);
      break;
    default:
      matmul_tile_1x4(out, cs, a, ar, ac, b, br, kb, bias, accumulate, keep);
  }
}

/** h rows × nb < 4 columns, all there are: b is packed and padded to 4, and the tile goes to temp first. */
function matmul_strip_narrow(
  h: i32,
  out: usize,
  cs: usize,
  a: usize,
  ar: usize,
  ac: usize,
  b: usize,
  nb: i32,
  kb: i32,
  bias: usize,
  accumulate: i32,
  temp: usize,
): void {
  matmul_tile4(h, temp, 16, a, ar, ac, b, 16, kb, 0, 0, 0);
  for (let i = 0; i < h; i++) {
    for (let j = 0; j < nb; j++) {
      const at = <usize>j << 2;
      let v = load<f32>(temp + at);
      if (bias) v += load<f32>(bias + at);
      if (accumulate) v = load<f32>(out + at) + v;
      store<f32>(out + at, v);
    }
    out += cs;
    temp += 16;
  }
}

/**
 * Matrix times vector, both along p: out[l·os] = (accumulate ? out : 0) + (bias[l·bs] + Σ_p rows[l·rs + p]·x[p·xs]),
 * l < count. Eight partial sums an output, two vectors of them, and the tail (kk % 4) in the first.
 */
function dots(
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
function combine(
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
