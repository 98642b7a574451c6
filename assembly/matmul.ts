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
import { pack_a, pack_b } from "./matmul-pack";
import { KC, NC, STRIP, TILE } from "./matmul-sizes";
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
import { combine, dots } from "./matmul-vector";

/** The highest tile that does not spill: V8 on x64 has 15 vector registers. */
// @ts-ignore: decorator
@inline
const MR: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 5;

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
