/**
 * Indexing: rows by index, the indices themselves, and those that a mask stands for.
 *
 * Every operand is contiguous and seen as [outer, r, inner] around the dimension the op works on: outer and inner are
 * the products of the sizes before and after it. Indices are int32 and must lie in [0, r): `check_indices` finds the
 * one that does not, `wrap_indices` makes negative ones count from the end; the kernels below, and those of scatter.ts, trust
 * them. What only moves elements knows their size and not their type: `bytes`, or `inner_bytes` where whole rows move.
 * Sums into one element run in the order of the index, so that they are the same for every run.
 */
import { copy_bytes, copy_bytes_here } from "./bytes";

// Checking indices

/** Position of the first index outside [−size, size), or −1. */
export function check_indices(idx: usize, n: i32, size: i32): i32 {
  const low = i32x4.splat(-size);
  const high = i32x4.splat(size);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const v = v128.load(idx + (<usize>i << 2));
    if (v128.any_true(v128.or(i32x4.lt_s(v, low), i32x4.ge_s(v, high)))) break;
  }
  for (; i < n; i++) {
    const v = load<i32>(idx + (<usize>i << 2));
    if (v < -size || v >= size) return i;
  }
  return -1;
}

/** out[i] = idx[i] < 0 ? idx[i] + size : idx[i]. out may be idx. */
export function wrap_indices(out: usize, idx: usize, n: i32, size: i32): void {
  const s = i32x4.splat(size);
  while (n >= 4) {
    const v = v128.load(idx);
    v128.store(out, i32x4.add(v, v128.and(i32x4.shr_s(v, 31), s)));
    out += 16;
    idx += 16;
    n -= 4;
  }
  while (n > 0) {
    const v = load<i32>(idx);
    store<i32>(out, v + ((v >> 31) & size));
    out += 4;
    idx += 4;
    n--;
  }
}

// Rows by index

/**
 * out[o, j, :] = x[o, idx[j], :], x [outer, r, inner_bytes] → out [outer, n, inner_bytes]
 * (torch.index_select, x[idx], and torch.nn.functional.embedding). Backward: index_rows_add or embedding_backward.
 */
export function index_rows(out: usize, x: usize, idx: usize, outer: i32, r: i32, inner_bytes: i32, n: i32): void {
  const end = idx + (<usize>n << 2);
  const size = <usize>inner_bytes;
  for (let o = 0; o < outer; o++) {
    if (size == 4) {
      for (let p = idx; p < end; p += 4) {
        store<u32>(out, load<u32>(x + (<usize>load<i32>(p) << 2)));
        out += 4;
      }
    } else if (size == 16) {
      for (let p = idx; p < end; p += 4) {
        v128.store(out, v128.load(x + (<usize>load<i32>(p) << 4)));
        out += 16;
      }
    } else {
      for (let p = idx; p < end; p += 4) {
        copy_bytes_here(out, x + <usize>load<i32>(p) * size, size);
        out += size;
      }
    }
    x += <usize>r * size;
  }
}

/** out[i] += x[i], n floats. */
function add_row(out: usize, x: usize, n: i32): void {
  while (n >= 4) {
    v128.store(out, f32x4.add(v128.load(out), v128.load(x)));
    out += 16;
    x += 16;
    n -= 4;
  }
  while (n > 0) {
    store<f32>(out, load<f32>(out) + load<f32>(x));
    out += 4;
    x += 4;
    n--;
  }
}

/**
 * dx[o, idx[j], :] += dout[o, j, :] for float32, dx [outer, r, inner], dout [outer, n, inner]: the backward of index_rows
 * (the caller zeroes dx), torch.index_add, and index_put_ with accumulate.
 */
export function index_rows_add(dx: usize, dout: usize, idx: usize, outer: i32, r: i32, inner: i32, n: i32): void {
  const end = idx + (<usize>n << 2);
  const row = <usize>inner << 2;
  for (let o = 0; o < outer; o++) {
    for (let p = idx; p < end; p += 4) {
      const d = dx + <usize>load<i32>(p) * row;
      if (inner == 1) store<f32>(d, load<f32>(d) + load<f32>(dout));
      else add_row(d, dout, inner);
      dout += row;
    }
    dx += <usize>r * row;
  }
}

/**
 * out[o, idx[j], :] = value[o, j, :], out [outer, r, inner_bytes], value [outer, n, inner_bytes] (out[idx] = value).
 * Of rows written twice the last stays. Accumulating: index_rows_add.
 */
export function index_put_rows(
  out: usize, idx: usize, value: usize, outer: i32, r: i32, inner_bytes: i32, n: i32,
): void {
  const end = idx + (<usize>n << 2);
  const size = <usize>inner_bytes;
  for (let o = 0; o < outer; o++) {
    for (let p = idx; p < end; p += 4) {
      const d = out + <usize>load<i32>(p) * size;
      if (size == 4) store<u32>(d, load<u32>(value));
      else copy_bytes(d, value, size);
      value += size;
    }
    out += <usize>r * size;
  }
}

/**
 * dweight[idx[j], :] += dout[j, :] for every j with idx[j] ≠ padding_idx; dweight [·, dim], dout [n, dim]. No padding:
 * padding_idx = −1. The caller zeroes dweight. The forward is index_rows.
 */
export function embedding_backward(dweight: usize, dout: usize, idx: usize, n: i32, dim: i32, padding_idx: i32): void {
  const row = <usize>dim << 2;
  for (let j = 0; j < n; j++) {
    const i = load<i32>(idx + (<usize>j << 2));
    if (i != padding_idx) add_row(dweight + <usize>i * row, dout, dim);
    dout += row;
  }
}

// Bool masks

/** One bit for each of the 16 bytes at p that is not zero. */
// @ts-ignore: decorator
@inline
function mask_bits(p: usize): i32 {
  return i8x16.bitmask(i8x16.ne(v128.load(p), i8x16.splat(0)));
}

/** How many of n bools are true. */
export function mask_count(mask: usize, n: i32): i32 {
  let count = 0;
  while (n >= 16) {
    count += popcnt(mask_bits(mask));
    mask += 16;
    n -= 16;
  }
  while (n > 0) {
    count += i32(load<u8>(mask) != 0);
    mask++;
    n--;
  }
  return count;
}

/** The positions of the true among n bools, ascending: out is int32, mask_count of them. Returns how many. */
export function mask_indices(out: usize, mask: usize, n: i32): i32 {
  const start = out;
  let i = 0;
  for (; i + 16 <= n; i += 16) {
    let bits = mask_bits(mask + <usize>i);
    while (bits != 0) {
      store<i32>(out, i + ctz(bits));
      out += 4;
      bits &= bits - 1;
    }
  }
  for (; i < n; i++) {
    if (load<u8>(mask + <usize>i) != 0) {
      store<i32>(out, i);
      out += 4;
    }
  }
  return <i32>((out - start) >> 2);
}
