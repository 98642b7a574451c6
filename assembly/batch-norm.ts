/**
 * Batch normalisation, alone or with what usually follows it: relu(y), relu(y + residual).
 *
 * x, out, residual and their gradients are [n, c, plane] float32, contiguous: the plane of a channel is `plane` neighbours,
 * and there are n of them, c·plane apart. plane = 1 is the [n, c] matrix, which is walked in strips of four channels.
 * Kernels take the channels from … to; where plane is 1, `from` is a multiple of 4, and so is `to` unless it is c. Each
 * channel's sums are its own, so results do not depend on how the channels were split.
 *
 * `table` holds what the passes need of each channel, five rows of c float32:
 *   mean, offset (the exact mean less the rounded one), rstd = 1/√(var + eps), scale = weight·rstd,
 *   shift = bias − offset·scale;   out = (x − mean)·scale + shift.
 * `moments` holds mean and biased variance of each channel in float64, [c, 2].
 *
 * The passes run over groups of channels that the last-level cache holds, so that only the first of them waits for
 * memory. Tails: channel-passes.ts.
 */
import {
  ACCUMULATOR, AddRelu, Constant, dx_pass, forward_pass, Masked, Matrix, moments_pass, Plain, Planes, reduce_pass, Relu,
  Shifted, sum_of,
} from "./channel-passes";

/**
 * Bytes of a tensor that a group of channels has: the five tensors of a backward pass then fit a last-level cache of 16 MB.
 * Groups for the second level were 1.2 (relaxed) to 1.5 times (simd) slower at 64×16×32×32, in a run that changed other things
 * too; 1, 2 and 4 MB have not been compared cleanly.
 */
// @ts-ignore: decorator
@inline
const GROUP_BYTES: i32 = 2097152;

/** How many channels make a group. */
// @ts-ignore: decorator
@inline
function group_size(n: i32, plane: i32): i32 {
  const size = GROUP_BYTES / <i32>max(min(4 * <i64>n * <i64>plane, <i64>GROUP_BYTES), 1);
  return plane == 1 ? max(size & ~3, 4) : size;
}

/** Mean and variance from sums around k. Whether they are accurate: k was within two standard deviations of the mean. */
function settle(moment: usize, k: f64, first: f64, second: f64, count: f64): bool {
  const d = first / count;
  const variance = second / count - d * d;
  store<f64>(moment, k + d);
  store<f64>(moment, max(variance, 0), 8);
  return d * d <= 4 * variance;
}

/**
 * [n, c, plane] → moments of the channels from … to. mean = k + Σ(x − k)/N, var = Σ(x − k)²/N − (mean − k)², in one pass
 * with k = 0. Where the mean is so large that this cost digits, a second pass with k = mean. Means that are not finite are
 * final: ±Inf or NaN, with a variance of NaN. shifts: [c] float32, scratch: 64 bytes a channel; both are overwritten.
 */
export function batch_norm_moments(
  moments: usize, shifts: usize, scratch: usize, x: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const count = <f64>n * <f64>plane;
  const width = plane == 1 ? 4 : 1;
  if (plane == 1) moments_pass<Matrix, Plain>(scratch, x, 0, n, c, plane, from, to);
  else moments_pass<Planes, Plain>(scratch, x, 0, n, c, plane, from, to);
  let bad = false;
  for (let ch = from; ch < to; ch++) {
    const j = <usize>(ch - from);
    const moment = moments + (<usize>ch << 4);
    const good = settle(moment, 0, sum_of(scratch, 0, j, plane), sum_of(scratch, 1, j, plane), count);
    let k: f32 = 0;
    if (!good && isFinite<f64>(load<f64>(moment))) k = <f32>load<f64>(moment);
    store<f32>(shifts + (<usize>ch << 2), k);
    bad = bad || k != 0;
  }
  if (!bad) return;
  // A strip is done again as a whole: around 0, its good channels get what they have.
  for (let first = from; first < to; first += width) {
    const end = min(first + width, to);
    let again = false;
    for (let ch = first; ch < end; ch++) again = again || load<f32>(shifts + (<usize>ch << 2)) != 0;
    if (!again) continue;
    if (plane == 1) moments_pass<Matrix, Shifted>(scratch, x, shifts, n, c, plane, first, end);
    else moments_pass<Planes, Shifted>(scratch, x, shifts, n, c, plane, first, end);
    for (let ch = first; ch < end; ch++) {
      const k = <f64>load<f32>(shifts + (<usize>ch << 2));
      const j = <usize>(ch - first);
      settle(moments + (<usize>ch << 4), k, sum_of(scratch, 0, j, plane), sum_of(scratch, 1, j, plane), count);
    }
  }
}

/** The rows of `table` for the channels from … to, from their moments. weight and bias [c] may be null: 1 and 0. */
export function batch_norm_table(
  table: usize, moments: usize, weight: usize, bias: usize, c: i32, eps: f64, from: i32, to: i32,
): void {
  const row = <usize>c << 2;
  for (let ch = from; ch < to; ch++) {
    const o = <usize>ch << 2;
    const mean = load<f64>(moments + (o << 2));
    const rstd = 1 / sqrt(load<f64>(moments + (o << 2), 8) + eps);
    const scale = <f32>(weight ? rstd * <f64>load<f32>(weight + o) : rstd);
    // NaN where the mean is infinite, and then so is everything: as in PyTorch's training.
    const offset = mean - <f64>(<f32>mean);
    const p = table + o;
    store<f32>(p, <f32>mean);
    store<f32>(p + row, <f32>offset);
    store<f32>(p + 2 * row, <f32>rstd);
    store<f32>(p + 3 * row, scale);
    store<f32>(p + 4 * row, <f32>((bias ? <f64>load<f32>(bias + o) : 0) - offset * <f64>scale));
  }
}

/**
 * out = (x − mean)·scale + shift; relu of that where relu is 1; relu of that + residual where residual is not null (relu
 * is then 1). The statistics are the table's. out may be x or the residual.
 */
export function batch_norm_apply(
  out: usize, x: usize, residual: usize, relu: i32, table: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  if (plane == 1) {
    if (residual) forward_pass<Matrix, AddRelu>(out, x, residual, table, n, c, plane, from, to);
    else if (relu) forward_pass<Matrix, Relu>(out, x, 0, table, n, c, plane, from, to);
    else forward_pass<Matrix, Plain>(out, x, 0, table, n, c, plane, from, to);
  } else {
    if (residual) forward_pass<Planes, AddRelu>(out, x, residual, table, n, c, plane, from, to);
    else if (relu) forward_pass<Planes, Relu>(out, x, 0, table, n, c, plane, from, to);
    else forward_pass<Planes, Plain>(out, x, 0, table, n, c, plane, from, to);
  }
}

/**
 * Training: moments and table of the channels from … to out of x itself, and out as batch_norm_apply has it
 * (torch.nn.functional.batch_norm with training=True; the running statistics are the caller's). scratch: 64 bytes a
 * channel.
 */
export function batch_norm_train(
  out: usize, x: usize, residual: usize, relu: i32, table: usize, moments: usize, scratch: usize, weight: usize,
  bias: usize, eps: f64, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const size = group_size(n, plane);
  while (from < to) {
    const end = min(from + size, to);
    batch_norm_moments(moments, table, scratch, x, n, c, plane, from, end);
    batch_norm_table(table, moments, weight, bias, c, eps, from, end);
    batch_norm_apply(out, x, residual, relu, table, n, c, plane, from, end);
    from = end;
  }
}

/**
 * From the sums S = Σ d and Q = Σ d·(x − mean): dweight = (Q − offset·S)·rstd, dbias = S, and slope and level of
 * dx = scale·(d − S/N − x̂·Σ(d·x̂)/N) = d·scale + (x − mean)·slope + level, stored at `lines`, [2, to − from].
 */
function batch_norm_lines(
  lines: usize, dweight: usize, dbias: usize, scratch: usize, table: usize, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const row = <usize>c << 2;
  const count = <f64>n * <f64>plane;
  const second = <usize>(to - from) << 2;
  for (let ch = from; ch < to; ch++) {
    const o = <usize>ch << 2;
    const j = <usize>(ch - from);
    const s = sum_of(scratch, 0, j, plane);
    const offset = <f64>load<f32>(table + o + row);
    const rstd = <f64>load<f32>(table + o + 2 * row);
    const scale = <f64>load<f32>(table + o + 3 * row);
    const dot = sum_of(scratch, 1, j, plane) - offset * s;
    if (dweight) store<f32>(dweight + o, <f32>(dot * rstd));
    if (dbias) store<f32>(dbias + o, <f32>s);
    const slope = (-scale * rstd * rstd * dot) / count;
    const line = lines + (j << 2);
    store<f32>(line, <f32>slope);
    store<f32>(line + second, <f32>((-scale * s) / count - offset * slope));
  }
}

/**
 * The gradients of what batch_norm_train (training = 1) or batch_norm_apply (0: the statistics are constants) computed:
 * d = dout, where relu is 1 only where the result was not ≤ 0; dbias = Σ d, dweight = Σ d·x̂, dresidual = d and
 * dx = scale·(d − mean(d) − x̂·mean(d·x̂)), or scale·d for constant statistics.
 *
 * `out`, the result, is given where there was a relu, and null otherwise. All outputs are overwritten, and any may be null;
 * dresidual wants `out`. scratch: 72 bytes a channel.
 */
export function batch_norm_backward(
  dx: usize, dweight: usize, dbias: usize, dresidual: usize, dout: usize, x: usize, out: usize, table: usize,
  scratch: usize, training: i32, n: i32, c: i32, plane: i32, from: i32, to: i32,
): void {
  const size = group_size(n, plane);
  // With a relu the first pass leaves d in dresidual, or in dx's own place.
  const masked = dresidual ? dresidual : dx;
  const sums = out != 0 || training != 0 || dweight != 0 || dbias != 0;
  while (from < to) {
    const end = min(from + size, to);
    const lines = scratch + <usize>(end - from) * ACCUMULATOR;
    if (sums) {
      if (plane == 1) {
        if (out) reduce_pass<Matrix, Masked>(scratch, masked, dout, x, out, table, n, c, plane, from, end);
        else reduce_pass<Matrix, Plain>(scratch, 0, dout, x, 0, table, n, c, plane, from, end);
      } else {
        if (out) reduce_pass<Planes, Masked>(scratch, masked, dout, x, out, table, n, c, plane, from, end);
        else reduce_pass<Planes, Plain>(scratch, 0, dout, x, 0, table, n, c, plane, from, end);
      }
      batch_norm_lines(lines, dweight, dbias, scratch, table, n, c, plane, from, end);
    }
    if (dx) {
      const d = out ? masked : dout;
      if (plane == 1) {
        if (training) dx_pass<Matrix, Plain>(dx, d, x, table, lines, n, c, plane, from, end);
        else dx_pass<Matrix, Constant>(dx, d, 0, table, 0, n, c, plane, from, end);
      } else {
        if (training) dx_pass<Planes, Plain>(dx, d, x, table, lines, n, c, plane, from, end);
        else dx_pass<Planes, Constant>(dx, d, 0, table, 0, n, c, plane, from, end);
      }
    }
    from = end;
  }
}
