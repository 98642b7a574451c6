/**
 * Sorting the lines of [outer, r, inner] along r, and the largest of each line.
 *
 * An element becomes 64 bits: a key that orders as PyTorch does (NaN above +Inf, −0 equal to 0; complemented for
 * descending) over its position. All are different, and equal keys keep their order, so every method is stable.
 */

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
