/**
 * Cross entropy with a distribution over the classes for each sample in place of an index. Shapes are those of
 * class-loss.ts; `dloss`, its stride and `scale` are as in loss.ts.
 */
import { expNonPositive, high, hsumF64, laneMask, loadLanes, narrow, storeLanes } from "./accumulate";

/** q = (1 − s)·target + s/c, times the class's weight. */
// @ts-ignore: decorator
@inline
function smoothed(t: v128, weights: v128, hard: v128, smooth: v128): v128 {
  return f32x4.mul(f32x4.add(f32x4.mul(t, hard), smooth), weights);
}

/** Weights of the classes a vector of a run holds: neighbours in a row, one class in a strip. */
// @ts-ignore: decorator
@inline
function classWeights(weight: usize, i: i32, row: bool, width: i32): v128 {
  if (!weight) return f32x4.splat(1);
  return row ? loadLanes(weight + (<usize>i << 4), width) : v128.load32_splat(weight + (<usize>i << 2));
}

/**
 * Cross entropy with a distribution a sample: loss [n, inner] = −Σ_k w_k·q_k·logp_k, q = (1 − s)·target + s/c, from
 * logp = log_softmax(logits) and target, both [n, c, inner]. weight [c] or 0. "mean" divides by n·inner.
 */
export function cross_entropy_probs(
  loss: usize,
  logp: usize,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  label_smoothing: f32,
): void {
  probs(loss, 0, 0, 0, logp, target, weight, n, c, inner, label_smoothing, 1);
}

/**
 * Gradients of cross_entropy_probs, g = dloss·scale: for the logits dx = g·(e^logp·Σ_j w_j·q_j − w·q), and for the
 * probabilities dtarget = −g·(1 − s)·w·logp. Either may be 0: not wanted.
 */
export function cross_entropy_probs_backward(
  dx: usize,
  dtarget: usize,
  dloss: usize,
  dloss_stride: i32,
  logp: usize,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  label_smoothing: f32,
  scale: f32,
): void {
  probs(dx, dtarget, dloss, dloss_stride, logp, target, weight, n, c, inner, label_smoothing, scale);
}

/** Both passes, for they walk alike: dloss = 0 is the forward, and then out is the loss and not dx. */
function probs(
  out: usize,
  dtarget: usize,
  dloss: usize,
  dloss_stride: i32,
  logp: usize,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  label_smoothing: f32,
  scale: f32,
): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(c - 1) * step;
  const smooth = f32x4.splat(label_smoothing / <f32>c);
  const hard = f32x4.splat(1 - label_smoothing);
  let at: usize = 0;
  for (; n > 0; n--, at += back) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? c & 3 : lanes;
      const full = row ? c >> 2 : w == 4 ? c : 0;
      const part = row ? i32(w > 0) : c - full;
      const count = full + part;
      // Forward Σ w·q·logp, backward Σ w·q (which only the logits need).
      let s0 = f64x2.splat(0);
      let s1 = s0;
      if (out) {
        for (let i = 0, p = at; i < count; i++, p += step) {
          const width = i < full ? 4 : w;
          let v = smoothed(loadLanes(target + p, width), classWeights(weight, i, row, width), hard, smooth);
          if (!dloss) v = f32x4.mul(v, loadLanes(logp + p, width));
          v = v128.and(v, laneMask(width));
          s0 = f64x2.add(s0, f64x2.promote_low_f32x4(v));
          s1 = f64x2.add(s1, f64x2.promote_low_f32x4(high(v)));
        }
        if (row) {
          s0 = f64x2.splat(hsumF64(f64x2.add(s0, s1)));
          s1 = s0;
        }
      }
      const s = narrow(s0, s1);
      if (!dloss) {
        storeLanes(out, f32x4.neg(s), lanes);
        out += <usize>lanes << 2;
      } else {
        let g = dloss_stride && !row ? loadLanes(dloss, lanes) : v128.load32_splat(dloss);
        g = f32x4.mul(g, f32x4.splat(scale));
        for (let i = 0, p = at; i < count; i++, p += step) {
          const width = i < full ? 4 : w;
          const weights = classWeights(weight, i, row, width);
          const l = loadLanes(logp + p, width);
          if (out) {
            const q = smoothed(loadLanes(target + p, width), weights, hard, smooth);
            storeLanes(out + p, f32x4.mul(g, f32x4.sub(f32x4.mul(expNonPositive(l), s), q)), width);
          }
          if (dtarget) {
            storeLanes(dtarget + p, f32x4.neg(f32x4.mul(f32x4.mul(g, hard), f32x4.mul(weights, l))), width);
          }
        }
        if (dloss_stride) dloss += <usize>lanes << 2;
      }
      at += <usize>(row ? c : lanes) << 2;
    }
  }
}
