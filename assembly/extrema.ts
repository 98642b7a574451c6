/**
 * The largest and the smallest along r, and where they stand. x is [outer, r, inner], as in reduce.ts. r = 0 gives amax and
 * amin their identity (∓Inf): TypeScript throws where PyTorch does.
 */
import { Max, MaxInt, Min, MinInt, fold, foldRow, laneMask, loadLanes, storeLanes } from "./accumulate";
import { loadTail } from "./simd";

/** max over r; a NaN anywhere gives NaN. */
export function amax(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<Max>(out, x, outer, r, inner);
}

/** min over r; a NaN anywhere gives NaN. */
export function amin(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<Min>(out, x, outer, r, inner);
}

/** int32: max over r. */
export function amax_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<MaxInt>(out, x, outer, r, inner);
}

/** int32: min over r. */
export function amin_i32(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  fold<MinInt>(out, x, outer, r, inner);
}

/**
 * Backward of amax and amin: the gradient goes in equal parts to all elements that equal the extremum,
 * dx = dout / (how many equal out) there, 0 elsewhere. Where out is NaN nothing equals it, and dx is NaN (0/0), as in PyTorch.
 */
export function amax_backward(dx: usize, dout: usize, x: usize, out: usize, outer: i32, r: i32, inner: i32): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(r - 1) * step;
  for (; outer > 0; outer--, x += back, dx += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const count = row ? (r + 3) >> 2 : r;
      const m = row ? v128.load32_splat(out) : loadLanes(out, lanes);
      let ties = i32x4.splat(0);
      for (let i = 0, p = x; i < count; i++, p += step) {
        const width = i < full ? 4 : w;
        ties = i32x4.sub(ties, v128.and(f32x4.eq(loadLanes(p, width), m), laneMask(width)));
      }
      if (row) {
        ties = i32x4.add(ties, v128.shuffle<i32>(ties, ties, 2, 3, 0, 1));
        ties = i32x4.add(ties, v128.shuffle<i32>(ties, ties, 1, 0, 3, 2));
      }
      const among = f32x4.convert_i32x4_s(ties);
      const share = f32x4.div(row ? v128.load32_splat(dout) : loadLanes(dout, lanes), among);
      const none = f32x4.div(f32x4.splat(0), among);
      for (let i = 0, at: usize = 0; i < count; i++, at += step) {
        const width = i < full ? 4 : w;
        storeLanes(dx + at, v128.bitselect(share, none, f32x4.eq(loadLanes(x + at, width), m)), width);
      }
      const run = <usize>(row ? r : lanes) << 2;
      x += run;
      dx += run;
      out += <usize>lanes << 2;
      dout += <usize>lanes << 2;
    }
  }
}

// ---- With their index -----------------------------------------------------------------------------------------------

/** Lanes where v replaces the extremum m so far: strictly better, so that the first of equals stays; the first NaN wins. */
// @ts-ignore: decorator
@inline
function beats<Op>(v: v128, m: v128): v128 {
  if (idof<Op>() == idof<MaxInt>()) return i32x4.gt_s(v, m);
  if (idof<Op>() == idof<MinInt>()) return i32x4.lt_s(v, m);
  const worse = idof<Op>() == idof<Max>() ? f32x4.le(v, m) : f32x4.ge(v, m);
  return v128.andnot(f32x4.eq(m, m), worse);
}

// @ts-ignore: decorator
@inline
function matches<Op>(v: v128, m: v128): v128 {
  if (idof<Op>() == idof<MaxInt>() || idof<Op>() == idof<MinInt>()) return i32x4.eq(v, m);
  // A NaN in the row makes m NaN, which equals nothing: its index is the first NaN's.
  return v128.or(f32x4.eq(v, m), f32x4.ne(v, v));
}

/** Row: the extremum first, then where it first stands; the second pass stops there. */
function withIndexRow<Op>(values: usize, indices: usize, x: usize, n: i32): void {
  const m = foldRow<Op>(x, n);
  if (values) v128.store32_lane(values, m, 0);
  let i = 0;
  for (; i + 4 <= n; i += 4, x += 16) {
    const found = i32x4.bitmask(matches<Op>(v128.load(x), m));
    if (found) {
      store<i32>(indices, i + ctz(found));
      return;
    }
  }
  if (i < n) i += ctz(i32x4.bitmask(matches<Op>(loadTail(x, n - i), m)));
  store<i32>(indices, i);
}

function withIndexColumns<Op>(values: usize, indices: usize, x: usize, r: i32, inner: i32): void {
  const stride = <usize>inner << 2;
  for (let j = inner; j > 0; j -= 4, x += 16, indices += 16) {
    let m = loadLanes(x, j);
    let at = i32x4.splat(0);
    let p = x;
    for (let i = 1; i < r; i++) {
      p += stride;
      const v = loadLanes(p, j);
      const take = beats<Op>(v, m);
      m = v128.bitselect(v, m, take);
      at = v128.bitselect(i32x4.splat(i), at, take);
    }
    storeLanes(indices, at, j);
    if (values) {
      storeLanes(values, m, j);
      values += 16;
    }
  }
}

function withIndex<Op>(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  if (r == 0) return;
  const xStep = (<usize>r * <usize>inner) << 2;
  const outStep = <usize>inner << 2;
  for (; outer > 0; outer--, x += xStep, indices += outStep) {
    if (inner == 1) withIndexRow<Op>(values, indices, x, r);
    else withIndexColumns<Op>(values, indices, x, r, inner);
    if (values) values += outStep;
  }
}

/**
 * values [outer, inner] = max over r, indices (int32) = where it first stands; NaN wins, the first of them.
 * values = 0 asks for the indices only (argmax). r ≥ 1.
 */
export function max_with_index(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<Max>(values, indices, x, outer, r, inner);
}

/** As max_with_index, for the minimum. */
export function min_with_index(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<Min>(values, indices, x, outer, r, inner);
}

/** As max_with_index, of int32. */
export function max_with_index_i32(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<MaxInt>(values, indices, x, outer, r, inner);
}

/** As max_with_index, for the minimum of int32. */
export function min_with_index_i32(values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  withIndex<MinInt>(values, indices, x, outer, r, inner);
}

/** Backward of max(dim) and min(dim): all of dout goes to the index. dx [outer, r, inner], dout and indices [outer, inner]. */
export function scatter_index_backward(dx: usize, dout: usize, indices: usize, outer: i32, r: i32, inner: i32): void {
  const step = (<usize>r * <usize>inner) << 2;
  memory.fill(dx, 0, <usize>outer * step);
  for (; outer > 0; outer--, dx += step) {
    for (let j = 0; j < inner; j++, dout += 4, indices += 4) {
      store<f32>(dx + ((<usize>load<i32>(indices) * <usize>inner + <usize>j) << 2), load<f32>(dout));
    }
  }
}
