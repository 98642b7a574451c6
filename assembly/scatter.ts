/**
 * Elements by index: gather, and the scatters that write where gather reads. Shapes and indices are as in indexing.ts; sums into
 * one element run in the order of the index, so that they are the same for every run.
 */

/** out[o, j, i] = x[o, idx[o, j, i], i]. */
// @ts-ignore: decorator
@inline
function gather<T>(out: usize, x: usize, idx: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  const plane = <usize>r * <usize>inner * sizeof<T>();
  const step = <usize>inner;
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      for (const end = idx + (<usize>n << 2); idx < end; idx += 4) {
        store<T>(out, load<T>(x + <usize>load<i32>(idx) * sizeof<T>()));
        out += sizeof<T>();
      }
    } else {
      for (let j = 0; j < n; j++) {
        for (let i: usize = 0; i < step; i++) {
          store<T>(out, load<T>(x + (<usize>load<i32>(idx) * step + i) * sizeof<T>()));
          out += sizeof<T>();
          idx += 4;
        }
      }
    }
    x += plane;
  }
}

/**
 * out[o, j, i] = x[o, idx[o, j, i], i] for elements of 4 bytes: x [outer, r, inner], idx and out [outer, n, inner]
 * (torch.gather). Where idx is smaller than x in another dimension, narrow x to it first. Backward: gather_backward.
 */
export function gather_4(out: usize, x: usize, idx: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  gather<u32>(out, x, idx, outer, r, inner, n);
}

/** The same for elements of one byte. */
export function gather_1(out: usize, x: usize, idx: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  gather<u8>(out, x, idx, outer, r, inner, n);
}

/** How scatter combines what is there with what comes. */
const enum Scatter {
  put,
  add,
}

/**
 * out[o, idx[o, j, i], i] = src[o, j, i] (put) or += src[o, j, i] (add). `mode` is a constant at every call, so each
 * copy keeps one of the two.
 */
// @ts-ignore: decorator
@inline
function scatter<T>(
  out: usize, idx: usize, src: usize, outer: i32, r: i32, inner: i32, n: i32, mode: Scatter,
): void {
  const plane = <usize>r * <usize>inner * sizeof<T>();
  const step = <usize>inner;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < n; j++) {
      for (let i: usize = 0; i < step; i++) {
        const p = out + (<usize>load<i32>(idx) * step + i) * sizeof<T>();
        if (mode == Scatter.add) store<T>(p, <T>(load<T>(p) + load<T>(src)));
        else store<T>(p, load<T>(src));
        idx += 4;
        src += sizeof<T>();
      }
    }
    out += plane;
  }
}

/** dx[o, idx[o, j, i], i] += dout[o, j, i], float32; the caller zeroes dx. Arguments as gather_4. */
export function gather_backward(dx: usize, dout: usize, idx: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  scatter_add_f32(dx, idx, dout, outer, r, inner, n);
}

/**
 * out[o, idx[o, j, i], i] = src[o, j, i] for elements of 4 bytes: out [outer, r, inner], idx and src [outer, n, inner]
 * (torch.scatter_). Where idx is smaller than src, narrow src; where it is smaller than out in another dimension,
 * scatter into a narrowed copy of out. Of elements written twice the last stays. The gradient of src is
 * gather_4(dsrc, dout, idx); that of out is dout with zeros scattered.
 */
export function scatter_4(out: usize, idx: usize, src: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  scatter<u32>(out, idx, src, outer, r, inner, n, Scatter.put);
}

/** The same for elements of one byte. */
export function scatter_1(out: usize, idx: usize, src: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  scatter<u8>(out, idx, src, outer, r, inner, n, Scatter.put);
}

/** out[o, idx[o, j, i], i] += src[o, j, i] (torch.scatter_add_); the gradient of src is gather_4(dsrc, dout, idx). */
export function scatter_add_f32(out: usize, idx: usize, src: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  scatter<f32>(out, idx, src, outer, r, inner, n, Scatter.add);
}

/** The same for int32. */
export function scatter_add_i32(out: usize, idx: usize, src: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  scatter<i32>(out, idx, src, outer, r, inner, n, Scatter.add);
}
