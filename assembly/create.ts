/**
 * Tensors that come of numbers alone: ranges, the identity, and one-hot rows of class indices. Ranges are computed in float64
 * from the first element, not from one to the next, so that no error adds up. Constants are memory.ts's.
 */

/** out[j, c] = c == idx[j] ? 1 : 0, int32, [n, classes]. */
export function one_hot(out: usize, idx: usize, n: i32, classes: i32): void {
  const row = <usize>classes << 2;
  memory.fill(out, 0, <usize>n * row);
  for (let j = 0; j < n; j++) {
    store<i32>(out + (<usize>load<i32>(idx) << 2), 1);
    out += row;
    idx += 4;
  }
}

/** The float32 identity, [rows, cols]. */
export function eye_f32(out: usize, rows: i32, cols: i32): void {
  memory.fill(out, 0, (<usize>rows * <usize>cols) << 2);
  for (let i = min(rows, cols); i > 0; i--) {
    store<f32>(out, 1);
    out += (<usize>cols + 1) << 2;
  }
}

/** out[i] = start + i·step, computed in float64. */
export function arange_f32(out: usize, start: f64, step: f64, n: i32): void {
  for (let i = 0; i < n; i++) {
    store<f32>(out, <f32>(start + <f64>i * step));
    out += 4;
  }
}

/** out[i] = start + i·step. */
export function arange_i32(out: usize, start: i32, step: i32, n: i32): void {
  for (let i = 0; i < n; i++) {
    store<i32>(out, start + i * step);
    out += 4;
  }
}

/**
 * n floats from start to end, both exactly: the first half is counted from start and the second from end, as PyTorch
 * does, in float64. n = 1 gives start.
 */
export function linspace_f32(out: usize, start: f64, end: f64, n: i32): void {
  const step = n > 1 ? (end - start) / <f64>(n - 1) : 0;
  const half = n >> 1;
  for (let i = 0; i < n; i++) {
    const v = i < half || n == 1 ? start + <f64>i * step : end - <f64>(n - 1 - i) * step;
    store<f32>(out, <f32>v);
    out += 4;
  }
}
