/**
 * The choice between two tensors by a mask of bools, all three broadcast together. Operands 0, 1, 2 of the layout table
 * (layout.ts) are the mask and the two; `out` is written contiguously.
 */
import { innerStride, loadBytes, loadLast, next, runLength, runOffset, storeLast } from "./layout";

/**
 * a where the bool cond is not 0, else b, over a layout table: operands cond, a, b; a, b and out of 4-byte elements.
 */
export function where_4(out: usize, cond: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepC = innerStride(layout, 0);
  const stepA = innerStride(layout, 1);
  const stepB = innerStride(layout, 2);
  do {
    let w = cond + runOffset(layout, 0);
    let x = a + (runOffset(layout, 1) << 2);
    let y = b + (runOffset(layout, 2) << 2);
    let vc = i32x4.splat(load<u8>(w));
    let va = v128.load32_splat(x);
    let vb = v128.load32_splat(y);
    for (let left = n; left > 0; left -= 4) {
      if (stepC) vc = loadBytes(w, left);
      if (stepA) va = left >= 4 ? v128.load(x) : loadLast(x, left);
      if (stepB) vb = left >= 4 ? v128.load(y) : loadLast(y, left);
      const z = v128.bitselect(vb, va, i32x4.eq(vc, i32x4.splat(0)));
      if (left < 4) {
        storeLast(out, z, left);
        out += <usize>left << 2;
        break;
      }
      v128.store(out, z);
      w += 4;
      x += 16;
      y += 16;
      out += 16;
    }
  } while (next(layout));
}

/** where_4 for a, b and out of 1-byte elements. One at a time: choosing between bools is rare. */
export function where_1(out: usize, cond: usize, a: usize, b: usize, layout: usize): void {
  const n = runLength(layout);
  if (n == 0) return;
  const stepC = innerStride(layout, 0);
  const stepA = innerStride(layout, 1);
  const stepB = innerStride(layout, 2);
  do {
    let w = cond + runOffset(layout, 0);
    let x = a + runOffset(layout, 1);
    let y = b + runOffset(layout, 2);
    const end = out + n;
    while (out < end) {
      store<u8>(out, load<u8>(w) ? load<u8>(x) : load<u8>(y));
      w += stepC;
      x += stepA;
      y += stepB;
      out += 1;
    }
  } while (next(layout));
}
