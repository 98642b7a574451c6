/**
 * Moving and filling bytes.
 *
 * Strided kernels take a layout table (layout.ts) whose operand 0 is `out` and operand 1 is `x`, both with any strides,
 * in elements. One kernel thus gathers a view into a contiguous tensor, scatters a contiguous tensor into a view, and
 * copies view to view. The order of the dimensions is free, and two choices make it fast: an inner run that has
 * stride 1 on both sides (memory.copy), or, where there is none, one side with inner stride 1 and the other with
 * stride 1 in outer dimension 0 (a blocked transpose of that plane; 4-byte elements).
 */
import { innerStride, next, runLength, runOffset } from "./layout";
import { loadTail, storeTail } from "./simd";

// ------------------------------------------------------------------------------------------------------------ fill

function fillWords(out: usize, v: v128, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(out, v);
    out += 16;
  }
  if (n > 0) storeTail(out, v, n);
}

/** Fill n floats with value. */
export function fill_f32(out: usize, value: f32, n: i32): void {
  fillWords(out, f32x4.splat(value), n);
}

/** Fill n int32 with value. */
export function fill_i32(out: usize, value: i32, n: i32): void {
  fillWords(out, i32x4.splat(value), n);
}

/** Fill n bytes with value. */
export function fill_u8(out: usize, value: i32, n: i32): void {
  memory.fill(out, <u8>value, n);
}

// ------------------------------------------------------------------------------------------------------------ copy

/**
 * The register of copy bandwidth that memory-bound kernels are measured against: out[i] = x[i], n floats, n % 16 ==
 * 0.
 */
export function copy_loop(out: usize, x: usize, n: i32): void {
  const end = out + (<usize>n << 2);
  while (out < end) {
    v128.store(out, v128.load(x));
    v128.store(out, v128.load(x, 16), 16);
    v128.store(out, v128.load(x, 32), 32);
    v128.store(out, v128.load(x, 48), 48);
    out += 64;
    x += 64;
  }
}

/** n bytes that do not overlap. memory.copy is a call out of WebAssembly, so short runs are copied here. */
function copyBytes(out: usize, x: usize, n: usize): void {
  if (n >= 256) {
    memory.copy(out, x, n);
    return;
  }
  for (; n >= 16; n -= 16) {
    v128.store(out, v128.load(x));
    out += 16;
    x += 16;
  }
  for (; n >= 4; n -= 4) {
    store<u32>(out, load<u32>(x));
    out += 4;
    x += 4;
  }
  for (; n > 0; n--) {
    store<u8>(out, load<u8>(x));
    out += 1;
    x += 1;
  }
}

/** n elements of type E with byte strides. */
// @ts-ignore: decorator
@inline
function copyRun<E>(out: usize, x: usize, n: i32, stepOut: usize, stepX: usize): void {
  for (; n > 0; n--) {
    store<E>(out, load<E>(x));
    out += stepOut;
    x += stepX;
  }
}

/** A 4×4 block: four rows of x, rowX bytes apart, become four columns of out, rowOut bytes apart. */
// @ts-ignore: decorator
@inline
function transposeBlock(out: usize, x: usize, rowOut: usize, rowX: usize): void {
  const a = v128.load(x);
  const b = v128.load(x + rowX);
  const c = v128.load(x + 2 * rowX);
  const d = v128.load(x + 3 * rowX);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const ef = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const gh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(out, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(out + rowOut, v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(out + 2 * rowOut, v128.shuffle<i64>(ef, gh, 0, 2));
  v128.store(out + 3 * rowOut, v128.shuffle<i64>(ef, gh, 1, 3));
}

/**
 * A transpose goes by tiles of this many rows and columns of out, so that the cache lines of both sides are used up
 * before they are evicted. Measured: with row lengths of a power of two all lines of a tile fall in few cache sets,
 * and more columns would push each other out.
 */
// @ts-ignore: decorator
@inline
const TILE_ROWS: i32 = 16;
// @ts-ignore: decorator
@inline
const TILE_COLUMNS: i32 = 8;

/**
 * out[i, j] = x[j, i] for i < rows, j < columns, four-byte elements; rows of out and of x contiguous, rowOut and rowX
 * bytes apart. Whole 4×4 blocks by shuffles, the edges one by one.
 */
function transposePlane(out: usize, x: usize, rows: i32, columns: i32, rowOut: usize, rowX: usize): void {
  const wholeRows = rows & ~3;
  const wholeColumns = columns & ~3;
  for (let i0 = 0; i0 < wholeRows; i0 += TILE_ROWS) {
    const i1 = min<i32>(i0 + TILE_ROWS, wholeRows);
    for (let j0 = 0; j0 < wholeColumns; j0 += TILE_COLUMNS) {
      const j1 = min<i32>(j0 + TILE_COLUMNS, wholeColumns);
      for (let i = i0; i < i1; i += 4) {
        let target = out + <usize>i * rowOut + (<usize>j0 << 2);
        let source = x + <usize>j0 * rowX + (<usize>i << 2);
        for (let j = j0; j < j1; j += 4) {
          transposeBlock(target, source, rowOut, rowX);
          target += 16;
          source += 4 * rowX;
        }
      }
    }
  }
  const right = columns - wholeColumns;
  for (let i = 0; i < rows; i++) {
    const from = i < wholeRows ? wholeColumns : 0;
    copyRun<u32>(
      out + <usize>i * rowOut + (<usize>from << 2),
      x + <usize>from * rowX + (<usize>i << 2),
      i < wholeRows ? right : columns,
      4,
      rowX,
    );
  }
}

/** out = x over a layout table (operands out, x), 4-byte elements. The sides must not overlap. */
export function copy_strided_4(out: usize, x: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepOut = innerStride(layout, 0);
  const stepX = innerStride(layout, 1);
  const contiguous = stepOut == 1 && stepX == 1;
  // Outer dimension 0: words 8 (size), 10 (stride of out), 11 (stride of x).
  const outer = load<i32>(layout, 4) > 0;
  const gathers = outer && stepOut == 1 && stepX > 1 && load<i32>(layout, 44) == 1;
  const scatters = outer && stepX == 1 && stepOut > 1 && load<i32>(layout, 40) == 1;
  do {
    const target = out + (runOffset(layout, 0) << 2);
    const source = x + (runOffset(layout, 1) << 2);
    const size = load<i32>(layout, 32);
    if (contiguous) copyBytes(target, source, <usize>n << 2);
    else if (gathers) transposePlane(target, source, size, n, load<i32>(layout, 40) << 2, stepX << 2);
    else if (scatters) transposePlane(target, source, n, size, stepOut << 2, load<i32>(layout, 44) << 2);
    else copyRun<u32>(target, source, n, stepOut << 2, stepX << 2);
  } while (next(layout, <i32>(gathers || scatters)));
}

/** copy_strided_4 for 1-byte elements. */
export function copy_strided_1(out: usize, x: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepOut = innerStride(layout, 0);
  const stepX = innerStride(layout, 1);
  const contiguous = stepOut == 1 && stepX == 1;
  do {
    const target = out + runOffset(layout, 0);
    const source = x + runOffset(layout, 1);
    if (contiguous) copyBytes(target, source, n);
    else copyRun<u8>(target, source, n, stepOut, stepX);
  } while (next(layout));
}
