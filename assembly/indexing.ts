/**
 * Indexing, gathering, scattering, ordering, and the tensors that are made of indices.
 *
 * Every operand is contiguous and seen as [outer, r, inner] around the dimension the op works on: outer and inner are
 * the products of the sizes before and after it. Indices are int32 and must lie in [0, r): `check_indices` finds the
 * one that does not, `wrap_indices` makes negative ones count from the end; the kernels below trust them.
 * What only moves elements knows their size and not their type: `bytes`, or `inner_bytes` where whole rows move.
 * Sums into one element run in the order of the index, so that they are the same for every run.
 */

/** Below this a copy in vectors beats `memory.copy`, which calls out of the module. */
// @ts-ignore: decorator
@inline
const COPY_CALL: usize = 2048;

/** Copies any number of bytes. Rests go as one overlapping vector, so nothing is touched beyond the ends. out may be x. */
function copy_bytes(out: usize, x: usize, bytes: usize): void {
  copy_bytes_here(out, x, bytes);
}

/** The same without the call, which for tiny rows is most of the time. */
// @ts-ignore: decorator
@inline
function copy_bytes_here(out: usize, x: usize, bytes: usize): void {
  if (bytes >= COPY_CALL) {
    memory.copy(out, x, bytes);
  } else if (bytes >= 16) {
    const rest = bytes & 15;
    const last = v128.load(x + bytes - 16);
    const end = x + (bytes - rest);
    const lastOut = out + bytes - 16;
    do {
      v128.store(out, v128.load(x));
      out += 16;
      x += 16;
    } while (x < end);
    if (rest) v128.store(lastOut, last);
  } else if (bytes >= 8) {
    const last = load<u64>(x + bytes - 8);
    store<u64>(out, load<u64>(x));
    store<u64>(out + bytes - 8, last);
  } else if (bytes >= 4) {
    const last = load<u32>(x + bytes - 4);
    store<u32>(out, load<u32>(x));
    store<u32>(out + bytes - 4, last);
  } else {
    while (bytes > 0) {
      store<u8>(out, load<u8>(x));
      out++;
      x++;
      bytes--;
    }
  }
}

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

// Elements by index: gather and scatter

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

// Sorting
//
// An element becomes 64 bits: a key that orders as PyTorch does (NaN above +Inf, −0 equal to 0; complemented for
// descending) over its position. All are different, and equal keys keep their order, so every method is stable.

/** The u32 whose order is the order of the float at p. */
// @ts-ignore: decorator
@inline
function key_f32(p: usize): u32 {
  const bits = load<u32>(p);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0xffffffff;
  if (bits == 0x80000000) return 0x80000000;
  return bits ^ (<u32>(<i32>bits >> 31) | 0x80000000);
}

/** Lines up to this long are sorted by insertion; longer ones by radix. */
// @ts-ignore: decorator
@inline
const INSERTION: i32 = 48;

/** Insertion sort of n u64. */
function insertion_sort(a: usize, n: i32): void {
  const end = a + (<usize>n << 3);
  for (let p = a + 8; p < end; p += 8) {
    const v = load<u64>(p);
    let q = p;
    while (q > a && load<u64>(q - 8) > v) {
      store<u64>(q, load<u64>(q - 8));
      q -= 8;
    }
    store<u64>(q, v);
  }
}

/**
 * Sorts n u64 by their high halves, stably: four passes over a byte each, passes with one bucket left out. `other` has
 * room for n u64, `counts` for 4 × 256 u32. Returns where the result is: a or other.
 */
function radix_sort(a: usize, other: usize, counts: usize, n: i32): usize {
  const bytes = <usize>n << 3;
  memory.fill(counts, 0, 4096);
  for (let p = a, end = a + bytes; p < end; p += 8) {
    const key = load<u32>(p, 4);
    const c0 = counts + ((key & 255) << 2);
    const c1 = counts + (((key >> 8) & 255) << 2);
    const c2 = counts + (((key >> 16) & 255) << 2);
    const c3 = counts + ((key >> 24) << 2);
    store<u32>(c0, load<u32>(c0) + 1);
    store<u32>(c1, load<u32>(c1, 1024) + 1, 1024);
    store<u32>(c2, load<u32>(c2, 2048) + 1, 2048);
    store<u32>(c3, load<u32>(c3, 3072) + 1, 3072);
  }
  for (let shift: u32 = 0; shift < 32; shift += 8) {
    const first = (load<u32>(a, 4) >> shift) & 255;
    if (load<u32>(counts + (first << 2)) != <u32>n) {
      let at = <u32>other;
      for (let c = counts, end = counts + 1024; c < end; c += 4) {
        const count = load<u32>(c);
        store<u32>(c, at);
        at += count << 3;
      }
      for (let p = a, end = a + bytes; p < end; p += 8) {
        const v = load<u64>(p);
        const c = counts + (((<u32>(v >> 32) >> shift) & 255) << 2);
        const to = load<u32>(c);
        store<u64>(<usize>to, v);
        store<u32>(c, to + 8);
      }
      const sorted = other;
      other = a;
      a = sorted;
    }
    counts += 1024;
  }
  return a;
}

/** Writes keys over positions of a line of r elements, `step` bytes apart. `flip` is −1 for descending, else 0. */
// @ts-ignore: decorator
@inline
function make_keys<T>(a: usize, x: usize, r: i32, step: usize, flip: u32): void {
  for (let j = 0; j < r; j++) {
    const key = isFloat<T>() ? key_f32(x) : load<u32>(x) ^ 0x80000000;
    store<u32>(a, j);
    store<u32>(a, key ^ flip, 4);
    a += 8;
    x += step;
  }
}

/** Sorts the r u64 at scratch (16·r + 4096 bytes). Returns where they are then. */
function sort_keys(scratch: usize, r: i32): usize {
  if (r > INSERTION) return radix_sort(scratch, scratch + (<usize>r << 3), scratch + (<usize>r << 4), r);
  insertion_sort(scratch, r);
  return scratch;
}

/** Takes count sorted keys apart: positions to indices, the elements they stand for to values, `step` bytes apart. */
function take_sorted(values: usize, indices: usize, x: usize, keys: usize, count: i32, step: usize): void {
  for (let j = 0; j < count; j++) {
    const i = load<u32>(keys);
    store<u32>(indices, i);
    store<u32>(values, load<u32>(x + <usize>i * step));
    keys += 8;
    indices += step;
    values += step;
  }
}

// @ts-ignore: decorator
@inline
function sort<T>(
  values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32, descending: i32, scratch: usize,
): void {
  const step = <usize>inner << 2;
  const skip = <usize>max(r - 1, 0) * step;
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      make_keys<T>(scratch, x, r, step, descending ? -1 : 0);
      take_sorted(values, indices, x, sort_keys(scratch, r), r, step);
      x += 4;
      values += 4;
      indices += 4;
    }
    x += skip;
    values += skip;
    indices += skip;
  }
}

/**
 * Sorts [outer, r, inner] along r; values like x, indices int32. Stable; NaN is the largest (first when descending).
 * values must not be x. scratch: 16·r + 4096 bytes, aligned to 8. Backward: scatter_add of dvalues by indices.
 */
export function sort_f32(
  values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32, descending: i32, scratch: usize,
): void {
  sort<f32>(values, indices, x, outer, r, inner, descending, scratch);
}

/** The same for int32. */
export function sort_i32(
  values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32, descending: i32, scratch: usize,
): void {
  sort<i32>(values, indices, x, outer, r, inner, descending, scratch);
}

/** Moves `v` down from the top of a max-heap of n u64, whose top is vacant. */
function sift_down(heap: usize, n: i32, v: u64): void {
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= n) break;
    let c = load<u64>(heap + (<usize>child << 3));
    if (child + 1 < n) {
      const d = load<u64>(heap + (<usize>child << 3), 8);
      if (d > c) {
        c = d;
        child++;
      }
    }
    if (c <= v) break;
    store<u64>(heap + (<usize>i << 3), c);
    i = child;
  }
  store<u64>(heap + (<usize>i << 3), v);
}

/** Leaves the `count` least of the r keys of a line, sorted, at scratch: a heap of the least so far, worst on top. */
function select_keys(scratch: usize, x: usize, r: i32, step: usize, flip: u32, count: i32): void {
  make_keys<f32>(scratch, x, count, step, flip);
  // A sorted array the wrong way round is a max-heap already; building it costs no more than sorting `count` keys.
  const sorted = sort_keys(scratch, count);
  if (sorted != scratch) memory.copy(scratch, sorted, <usize>count << 3);
  reverse_u64(scratch, count);
  let worst = load<u64>(scratch);
  x += <usize>count * step;
  for (let j = count; j < r; j++) {
    const v = ((<u64>(key_f32(x) ^ flip)) << 32) | <u64>j;
    if (v < worst) {
      sift_down(scratch, count, v);
      worst = load<u64>(scratch);
    }
    x += step;
  }
  for (let n = count - 1; n > 0; n--) {
    const p = scratch + (<usize>n << 3);
    const top = load<u64>(scratch);
    sift_down(scratch, n, load<u64>(p));
    store<u64>(p, top);
  }
}

/** Reverses n u64 in place. */
function reverse_u64(a: usize, n: i32): void {
  let b = a + (<usize>n << 3) - 8;
  while (a < b) {
    const v = load<u64>(a);
    store<u64>(a, load<u64>(b));
    store<u64>(b, v);
    a += 8;
    b -= 8;
  }
}

/**
 * The `count` largest (largest = 0: smallest) of each line of [outer, r, inner], best first; values and indices
 * [outer, count, inner]. NaN is the largest; of equal elements the first comes first. 0 ≤ count ≤ r.
 * scratch: 16·r + 4096 bytes, aligned to 8. Backward: scatter_add of dvalues by indices.
 */
export function topk_f32(
  values: usize, indices: usize, x: usize, outer: i32, r: i32, inner: i32, count: i32, largest: i32, scratch: usize,
): void {
  if (count <= 0) return;
  const step = <usize>inner << 2;
  const flip: u32 = largest ? -1 : 0;
  // A heap costs log₂(count) for each element it lets in: with many let in, sorting all is cheaper (measured).
  const heap = r > INSERTION && count <= max(16, r >> 4);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      let keys = scratch;
      if (heap) {
        select_keys(scratch, x, r, step, flip, count);
      } else {
        make_keys<f32>(scratch, x, r, step, flip);
        keys = sort_keys(scratch, r);
      }
      take_sorted(values, indices, x, keys, count, step);
      x += 4;
      values += 4;
      indices += 4;
    }
    x += <usize>(r - 1) * step;
    values += <usize>(count - 1) * step;
    indices += <usize>(count - 1) * step;
  }
}

// Triangles, flips

/** Zeroes any number of bytes. */
function zero_bytes(out: usize, bytes: usize): void {
  if (bytes >= 64) {
    memory.fill(out, 0, bytes);
    return;
  }
  const end = out + bytes;
  while (out + 4 <= end) {
    store<u32>(out, 0);
    out += 4;
  }
  while (out < end) {
    store<u8>(out, 0);
    out++;
  }
}

/** Keeps columns [from, to) of each row and zeroes the others; the bounds move right by one a row. */
// @ts-ignore: decorator
@inline
function triangle(out: usize, x: usize, batch: i32, rows: i32, cols: i32, diagonal: i32, bytes: i32, upper: bool): void {
  const row = <usize>cols * <usize>bytes;
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < rows; i++) {
      const bound = max<i64>(0, min<i64>(cols, <i64>i + <i64>diagonal + (upper ? 0 : 1)));
      const split = <usize>bound * <usize>bytes;
      if (upper) {
        zero_bytes(out, split);
        if (out != x) copy_bytes(out + split, x + split, row - split);
      } else {
        if (out != x) copy_bytes(out, x, split);
        zero_bytes(out + split, row - split);
      }
      out += row;
      x += row;
    }
  }
}

/**
 * out[b, i, j] = j − i ≤ diagonal ? x[b, i, j] : 0, elements of `bytes` bytes. out may be x. Backward is tril of dout.
 */
export function tril(out: usize, x: usize, batch: i32, rows: i32, cols: i32, diagonal: i32, bytes: i32): void {
  triangle(out, x, batch, rows, cols, diagonal, bytes, false);
}

/** out[b, i, j] = j − i ≥ diagonal ? x[b, i, j] : 0, elements of `bytes` bytes. out may be x. Backward is triu of dout. */
export function triu(out: usize, x: usize, batch: i32, rows: i32, cols: i32, diagonal: i32, bytes: i32): void {
  triangle(out, x, batch, rows, cols, diagonal, bytes, true);
}

/** out = the n elements of 4 bytes at x in reverse. */
function reverse_4(out: usize, x: usize, n: i32): void {
  let p = x + (<usize>n << 2);
  while (n >= 4) {
    p -= 16;
    const v = v128.load(p);
    v128.store(out, v128.shuffle<i32>(v, v, 3, 2, 1, 0));
    out += 16;
    n -= 4;
  }
  while (n > 0) {
    p -= 4;
    store<u32>(out, load<u32>(p));
    out += 4;
    n--;
  }
}

/** out = the n bytes at x in reverse. */
function reverse_1(out: usize, x: usize, n: i32): void {
  let p = x + <usize>n;
  while (n >= 16) {
    p -= 16;
    const v = v128.load(p);
    v128.store(out, v128.shuffle<i8>(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    out += 16;
    n -= 16;
  }
  while (n > 0) {
    p--;
    store<u8>(out, load<u8>(p));
    out++;
    n--;
  }
}

/**
 * out[o, j, :] = x[o, r − 1 − j, :], [outer, r, inner_bytes] (torch.flip of one dimension; several: one after the
 * other). out must not be x. Backward is flip of dout.
 */
export function flip(out: usize, x: usize, outer: i32, r: i32, inner_bytes: i32): void {
  const row = <usize>inner_bytes;
  const plane = <usize>r * row;
  for (let o = 0; o < outer; o++) {
    if (inner_bytes == 4) {
      reverse_4(out, x, r);
      out += plane;
    } else if (inner_bytes == 1) {
      reverse_1(out, x, r);
      out += plane;
    } else {
      for (let p = x + plane; p > x; ) {
        p -= row;
        copy_bytes(out, p, row);
        out += row;
      }
    }
    x += plane;
  }
}

// Made of indices

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
