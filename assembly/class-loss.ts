/**
 * Losses of classifiers whose targets are class indices: [n, c, inner] with the classes in the middle (inner = 1 for
 * [N, C]), one loss for each of the n·inner samples. `dloss`, its stride and `scale` are as in loss.ts.
 */
import { Largest, expSumRun, laneMask, loadLanes, maxRun, storeLanes } from "./accumulate";
import { log1p } from "./math";

/** Index of the first of n targets (int32) that is neither in [0, c) nor ignore_index; −1 when all are good. */
export function check_targets(target: usize, n: i32, c: i32, ignore_index: i32): i32 {
  for (let i = 0; i < n; i += 4) {
    const t = loadLanes(target + (<usize>i << 2), n - i);
    const bad = v128.and(i32x4.ge_u(t, i32x4.splat(c)), i32x4.ne(t, i32x4.splat(ignore_index)));
    const lanes = i32x4.bitmask(v128.and(bad, laneMask(n - i)));
    if (lanes) return i + ctz(lanes);
  }
  return -1;
}

// @ts-ignore: decorator
@inline
function weightOf(weight: usize, t: i32): f32 {
  return weight ? load<f32>(weight + (<usize>t << 2)) : 1;
}

/** Σ of the class weights; c without weights. */
function weightSum(weight: usize, c: i32): f32 {
  if (!weight) return <f32>c;
  let s: f64 = 0;
  for (let i = 0; i < c; i++) s += <f64>load<f32>(weight + (<usize>i << 2));
  return <f32>s;
}

/**
 * Cross entropy of logits x [n, c, inner] with class indices target (int32 [n, inner]), s = label_smoothing:
 *
 *   loss [n, inner] = (1 − s)·w_t·(L − x_t) + s/c·Σ_k w_k·(L − x_k),   L = log Σ_k e^(x_k),
 *
 * 0 where target is ignore_index (torch/csrc LossNLL.cpp, cross_entropy_loss_label_smoothing). weight [c] or 0.
 * Saves for the backward e = e^(x − max) [n, c, inner] and gain [n, inner] = 1 / Σ e; e = 0 and gain = 0 save nothing.
 * Returns Σ w_t over the samples not ignored: the divisor of reduction "mean". Targets must have passed check_targets.
 */
export function cross_entropy(
  loss: usize,
  e: usize,
  gain: usize,
  x: usize,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  ignore_index: i32,
  label_smoothing: f32,
): f64 {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const classStep = <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(c - 1) * step;
  const smooth = <f64>label_smoothing / <f64>c;
  let total: f64 = 0;
  for (; n > 0; n--) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? c & 3 : lanes;
      const full = row ? c >> 2 : w == 4 ? c : 0;
      const part = row ? i32(w > 0) : c - full;
      const m = maxRun<Largest>(x, full, part, step, w, row);
      const excess = expSumRun(e, x, full, part, step, w, row, m);
      const logs = log1p(excess);
      for (let i = 0; i < lanes; i++, target += 4, loss += 4) {
        const t = load<i32>(target);
        if (t == ignore_index) {
          store<f32>(loss, 0);
          continue;
        }
        const wt = weightOf(weight, t);
        const p = x + (<usize>i << 2);
        const mi = lane(m, i);
        const li = lane(logs, i);
        total += <f64>wt;
        let l = <f64>wt * (<f64>(mi - load<f32>(p + <usize>t * classStep)) + <f64>li);
        if (label_smoothing != 0) {
          l *= 1 - <f64>label_smoothing;
          let s: f64 = 0;
          for (let k = 0; k < c; k++) {
            s += <f64>weightOf(weight, k) * (<f64>(mi - load<f32>(p + <usize>k * classStep)) + <f64>li);
          }
          l += smooth * s;
        }
        store<f32>(loss, <f32>l);
      }
      if (gain) {
        const one = f32x4.splat(1);
        storeLanes(gain, f32x4.div(one, f32x4.add(one, excess)), lanes);
        gain += <usize>lanes << 2;
      }
      const run = <usize>(row ? c : lanes) << 2;
      x += run;
      if (e) e += run;
    }
    x += back;
    if (e) e += back;
  }
  return total;
}

/** Lane i, known only at run time. */
function lane(v: v128, i: i32): f32 {
  if (i == 0) return f32x4.extract_lane(v, 0);
  if (i == 1) return f32x4.extract_lane(v, 1);
  return i == 2 ? f32x4.extract_lane(v, 2) : f32x4.extract_lane(v, 3);
}

/**
 * dx [n, c, inner] = g·((1 − s)·w_t·(p − onehot) + s/c·(W·p − w)) with g = dloss·scale, p = e·gain the softmax, W = Σ w;
 * 0 for the samples ignored. dx may be e.
 */
export function cross_entropy_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  e: usize,
  gain: usize,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  ignore_index: i32,
  label_smoothing: f32,
  scale: f32,
): void {
  const row = inner == 1;
  const step = row ? <usize>16 : <usize>inner << 2;
  const classStep = <usize>inner << 2;
  const back = row ? <usize>0 : <usize>(c - 1) * step;
  const smooth = label_smoothing / <f32>c;
  const hard: f32 = 1 - label_smoothing;
  const spread = smooth * weightSum(weight, c);
  for (; n > 0; n--) {
    for (let j = inner; j > 0; j -= 4) {
      const lanes = min(j, 4);
      const w = row ? c & 3 : lanes;
      const full = row ? c >> 2 : w == 4 ? c : 0;
      const part = row ? i32(w > 0) : c - full;
      const one = row ? 1 : lanes;
      const t = loadLanes(target, one);
      const kept = i32x4.ne(t, i32x4.splat(ignore_index));
      let g = dloss_stride ? loadLanes(dloss, one) : v128.load32_splat(dloss);
      g = v128.and(f32x4.mul(g, f32x4.splat(scale)), kept);
      // w_t of each lane; ignored ones and those beyond the last read class 0, whose g is or counts 0.
      let wt = f32x4.splat(1);
      if (weight) {
        const at = i32x4.shl(v128.and(t, kept), 2);
        wt = v128.load32_splat(weight + <usize>i32x4.extract_lane(at, 0));
        wt = v128.load32_lane(weight + <usize>i32x4.extract_lane(at, 1), wt, 1);
        wt = v128.load32_lane(weight + <usize>i32x4.extract_lane(at, 2), wt, 2);
        wt = v128.load32_lane(weight + <usize>i32x4.extract_lane(at, 3), wt, 3);
      }
      const drop = f32x4.mul(g, f32x4.mul(f32x4.splat(hard), wt));
      let a = f32x4.mul(f32x4.add(drop, f32x4.mul(g, f32x4.splat(spread))), loadLanes(gain, one));
      let k = f32x4.mul(g, f32x4.splat(smooth));
      let mask = kept;
      if (row) {
        a = v128.shuffle<i32>(a, a, 0, 0, 0, 0);
        k = v128.shuffle<i32>(k, k, 0, 0, 0, 0);
        mask = v128.shuffle<i32>(kept, kept, 0, 0, 0, 0);
      }
      let p = e;
      let q = dx;
      let u = weight;
      for (let i = full + part; i > 0; i--, p += step, q += step) {
        const width = i > part ? 4 : w;
        let v = f32x4.mul(loadLanes(p, width), a);
        if (label_smoothing != 0) {
          let share = k;
          if (weight) {
            share = f32x4.mul(k, row ? loadLanes(u, width) : v128.load32_splat(u));
            u += row ? 16 : 4;
          }
          v = f32x4.sub(v, share);
        }
        // An ignored sample's gradient is 0 whatever its logits were.
        storeLanes(q, v128.and(v, mask), width);
      }
      for (let i = 0; i < one; i++, target += 4) {
        const index = load<i32>(target);
        if (index == ignore_index) continue;
        const at = dx + (<usize>i << 2) + <usize>index * classStep;
        store<f32>(at, load<f32>(at) - lane(drop, i));
      }
      const run = <usize>(row ? c : lanes) << 2;
      e += run;
      dx += run;
      gain += <usize>one << 2;
      if (dloss_stride) dloss += <usize>one << 2;
    }
    e += back;
    dx += back;
  }
}

/** loss [n, inner] = −w_t·x_t of log-probabilities x [n, c, inner]; 0 where ignored. Returns Σ w_t as cross_entropy. */
export function nll_loss(
  loss: usize,
  x: usize,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  ignore_index: i32,
): f64 {
  let total: f64 = 0;
  for (; n > 0; n--, x += (<usize>c * <usize>inner) << 2) {
    for (let i = 0; i < inner; i++, target += 4, loss += 4) {
      const t = load<i32>(target);
      let l: f32 = 0;
      if (t != ignore_index) {
        const wt = weightOf(weight, t);
        total += <f64>wt;
        l = -wt * load<f32>(x + ((<usize>t * <usize>inner + <usize>i) << 2));
      }
      store<f32>(loss, l);
    }
  }
  return total;
}

/** dx [n, c, inner] = −dloss·scale·w_t at the target, 0 elsewhere. */
export function nll_loss_backward(
  dx: usize,
  dloss: usize,
  dloss_stride: i32,
  target: usize,
  weight: usize,
  n: i32,
  c: i32,
  inner: i32,
  ignore_index: i32,
  scale: f32,
): void {
  const size = (<usize>c * <usize>inner) << 2;
  memory.fill(dx, 0, <usize>n * size);
  for (; n > 0; n--, dx += size) {
    for (let i = 0; i < inner; i++, target += 4, dloss += <usize>dloss_stride << 2) {
      const t = load<i32>(target);
      if (t == ignore_index) continue;
      store<f32>(dx + ((<usize>t * <usize>inner + <usize>i) << 2), -load<f32>(dloss) * scale * weightOf(weight, t));
    }
  }
}
