/** Reductions that are more than a fold: variance, norms, logsumexp. Rows and columns are walked as in reduce.ts. */
import {
  Max,
  expNonPositive,
  expSumRun,
  high,
  hsumF64,
  laneMask,
  loadLanes,
  loadPart,
  maxRun,
  narrow,
  storeLanes,
} from "./accumulate";
import { log1p, pow } from "./math";
import { Abs, Square, sums } from "./sums";

// ---- Variance -------------------------------------------------------------------------------------------------------

/**
 * out = Σ (x − mean)² / max(0, r − correction) over r; out and mean [outer, inner], mean = 0 leaves the mean out.
 * correction 1 is PyTorch's default (unbiased). Two passes in float64 throughout, so that a mean of any size costs no
 * accuracy. r ≤ correction gives NaN or Inf, as PyTorch.
 */
export function variance(out: usize, mean: usize, x: usize, outer: i32, r: i32, inner: i32, correction: f64): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(r - 1) * step;
  const divisor = f64x2.splat(max(0, <f64>r - correction));
  const count = f64x2.splat(<f64>r);
  for (; outer > 0; outer--, x += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const part = row ? i32(w > 0) : r - full;
      let m0 = f64x2.splat(0);
      let m1 = m0;
      let p = x;
      for (let i = full; i > 0; i--, p += step) {
        const v = v128.load(p);
        m0 = f64x2.add(m0, f64x2.promote_low_f32x4(v));
        m1 = f64x2.add(m1, f64x2.promote_low_f32x4(high(v)));
      }
      for (let i = part; i > 0; i--, p += step) {
        const v = loadPart(p, w);
        m0 = f64x2.add(m0, f64x2.promote_low_f32x4(v));
        m1 = f64x2.add(m1, f64x2.promote_low_f32x4(high(v)));
      }
      if (row) {
        m0 = f64x2.splat(hsumF64(f64x2.add(m0, m1)));
        m1 = m0;
      }
      m0 = f64x2.div(m0, count);
      m1 = f64x2.div(m1, count);
      let s0 = f64x2.splat(0);
      let s1 = s0;
      p = x;
      for (let i = full; i > 0; i--, p += step) {
        const v = v128.load(p);
        const d0 = f64x2.sub(f64x2.promote_low_f32x4(v), m0);
        const d1 = f64x2.sub(f64x2.promote_low_f32x4(high(v)), m1);
        s0 = f64x2.add(s0, f64x2.mul(d0, d0));
        s1 = f64x2.add(s1, f64x2.mul(d1, d1));
      }
      // The mask's lanes are doubled for the two halves of v.
      const mask = laneMask(w);
      const low = v128.shuffle<i32>(mask, mask, 0, 0, 1, 1);
      const up = v128.shuffle<i32>(mask, mask, 2, 2, 3, 3);
      for (let i = part; i > 0; i--, p += step) {
        const v = loadPart(p, w);
        const d0 = v128.and(f64x2.sub(f64x2.promote_low_f32x4(v), m0), low);
        const d1 = v128.and(f64x2.sub(f64x2.promote_low_f32x4(high(v)), m1), up);
        s0 = f64x2.add(s0, f64x2.mul(d0, d0));
        s1 = f64x2.add(s1, f64x2.mul(d1, d1));
      }
      if (row) {
        s0 = f64x2.splat(hsumF64(f64x2.add(s0, s1)));
        s1 = s0;
      }
      storeLanes(out, narrow(f64x2.div(s0, divisor), f64x2.div(s1, divisor)), lanes);
      out += <usize>lanes << 2;
      if (mean) {
        storeLanes(mean, narrow(m0, m1), lanes);
        mean += <usize>lanes << 2;
      }
      x += <usize>(row ? r : lanes) << 2;
    }
  }
}

/** dx = dout · 2/(r − correction) · (x − mean), with mean [outer, inner] from the forward pass. */
export function variance_backward(
  dx: usize,
  dout: usize,
  x: usize,
  mean: usize,
  outer: i32,
  r: i32,
  inner: i32,
  correction: f64,
): void {
  const scale = <f32>(2 / (<f64>r - correction));
  const row = inner == 1;
  for (; outer > 0; outer--) {
    for (let i = row ? 1 : r; i > 0; i--) {
      // One run of neighbours: the whole row with one mean, or one row of `inner` with a mean each.
      let n = row ? r : inner;
      let g = dout;
      let m = mean;
      for (; n > 0; n -= 4, x += 16, dx += 16) {
        const gain = f32x4.mul(f32x4.splat(scale), row ? v128.load32_splat(g) : loadLanes(g, n));
        const d = f32x4.sub(loadLanes(x, n), row ? v128.load32_splat(m) : loadLanes(m, n));
        storeLanes(dx, f32x4.mul(gain, d), n);
        g += 16 * usize(!row);
        m += 16 * usize(!row);
      }
      x += <usize>(n << 2);
      dx += <usize>(n << 2);
    }
    dout += <usize>inner << 2;
    mean += <usize>inner << 2;
  }
}

// ---- Norms ----------------------------------------------------------------------------------------------------------

function pow1(x: f32, p: f32): f32 {
  return f32x4.extract_lane(pow(f32x4.splat(x), f32x4.splat(p)), 0);
}

/**
 * out = (Σ |x|ᵖ)^(1/p) over r; p = ∞ max |x|, −∞ min |x|, 0 the number of nonzeros. Only 1 and 2 are vectorised.
 */
export function norm_p(out: usize, x: usize, outer: i32, r: i32, inner: i32, p: f64): void {
  if (p == 2) return sums<Square>(out, x, outer, r, inner, 1);
  if (p == 1) return sums<Abs>(out, x, outer, r, inner, 1);
  const stride = <usize>inner << 2;
  const step = <usize>(r - 1) * stride;
  for (; outer > 0; outer--, x += step) {
    for (let j = inner; j > 0; j--, x += 4, out += 4) {
      let s: f64 = p == -Infinity ? Infinity : 0;
      for (let i = r, q = x; i > 0; i--, q += stride) {
        const a = <f64>abs(load<f32>(q));
        if (p == 0) s += f64(a != 0);
        else if (p == Infinity) s = max(s, a);
        else if (p == -Infinity) s = min(s, a);
        else s += <f64>pow1(<f32>a, <f32>p);
      }
      store<f32>(out, <f32>(p == 0 || abs(p) == Infinity ? s : pow1(<f32>s, <f32>(1 / p))));
    }
  }
}

/**
 * dx = dout · sign(x) · (|x| / out)^(p−1), 0 where x is 0 (p < 2) or out is 0; p = ±∞ shares among ties as amax_backward.
 * x [outer, r, inner]; dout, out [outer, inner].
 */
export function norm_p_backward(
  dx: usize,
  dout: usize,
  x: usize,
  out: usize,
  outer: i32,
  r: i32,
  inner: i32,
  p: f64,
): void {
  const stride = <usize>inner << 2;
  const step = <usize>(r - 1) * stride;
  const extreme = abs(p) == Infinity;
  for (; outer > 0; outer--, x += step, dx += step) {
    for (let j = inner; j > 0; j--, x += 4, dx += 4, dout += 4, out += 4) {
      const norm = load<f32>(out);
      const g = load<f32>(dout);
      let ties: f32 = 0;
      if (extreme) {
        for (let i = r, q = x; i > 0; i--, q += stride) {
          const a = abs(load<f32>(q));
          if (a == norm || (a != a && norm != norm)) ties++;
        }
      }
      for (let i = r, q = x, d = dx; i > 0; i--, q += stride, d += stride) {
        const v = load<f32>(q);
        const a = abs(v);
        let slope: f32;
        if (p == 2) slope = norm == 0 ? 0 : v / norm;
        else if (p == 1) slope = v == 0 ? 0 : copysign<f32>(1, v);
        else if (p == 0) slope = 0;
        else if (extreme) slope = a == norm || (a != a && norm != norm) ? (v == 0 ? 0 : copysign<f32>(1, v)) / ties : 0;
        else slope = a == 0 || norm == 0 ? 0 : copysign<f32>(pow1(a / norm, <f32>(p - 1)), v);
        store<f32>(d, g * slope);
      }
    }
  }
}

// ---- logsumexp ------------------------------------------------------------------------------------------------------

/**
 * out = m + log Σ e^(x − m), m the maximum; m alone where it is infinite, as in PyTorch.
 */
export function logsumexp(out: usize, x: usize, outer: i32, r: i32, inner: i32): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(r - 1) * step;
  for (; outer > 0; outer--, x += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? r & 3 : lanes;
      const full = row ? r >> 2 : w == 4 ? r : 0;
      const part = row ? i32(w > 0) : r - full;
      const m = maxRun<Max>(x, full, part, step, w, row);
      const l = log1p(expSumRun(0, x, full, part, step, w, row, m));
      // x − m is NaN there, but the answer is m itself.
      const infinite = f32x4.eq(f32x4.abs(m), f32x4.splat(Infinity));
      storeLanes(out, f32x4.add(m, v128.andnot(l, infinite)), lanes);
      out += <usize>lanes << 2;
      x += <usize>(row ? r : lanes) << 2;
    }
  }
}

/** dx = dout · e^(x − out), with dout and out [outer, inner]. */
export function logsumexp_backward(
  dx: usize,
  dout: usize,
  x: usize,
  out: usize,
  outer: i32,
  r: i32,
  inner: i32,
): void {
  const row = inner == 1;
  for (; outer > 0; outer--, dout += <usize>inner << 2, out += <usize>inner << 2) {
    for (let i = row ? 1 : r; i > 0; i--) {
      let n = row ? r : inner;
      for (let at: usize = 0; n > 0; n -= 4, at += 16, x += 16, dx += 16) {
        const g = row ? v128.load32_splat(dout) : loadLanes(dout + at, n);
        const m = row ? v128.load32_splat(out) : loadLanes(out + at, n);
        storeLanes(dx, f32x4.mul(g, expNonPositive(f32x4.sub(loadLanes(x, n), m))), n);
      }
      x += <usize>(n << 2);
      dx += <usize>(n << 2);
    }
  }
}
