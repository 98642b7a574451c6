import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { randomInts, Slab } from "./slab.js";

const f = Math.fround;
const MEAN = Float32Array.of(0.1307, 0.4914);
const STD = Float32Array.of(0.3081, 0.2023);
/** Windows inside, sticking out on each side, and wholly outside; each with another flip. */
const WINDOWS = [
  [0, 0, 0],
  [1, 2, 1],
  [-2, -3, 2],
  [3, 4, 3],
  [-9, 1, 0],
  [2, -40, 1],
];
const WIDTHS = [1, 3, 4, 15, 16, 17, 31, 32, 33];

/** Constant padding only: the modes are the business of test/augment.test.ts. */
function reference(
  x: ArrayLike<number>,
  idx: number[],
  c: number,
  h: number,
  w: number,
  oh: number,
  ow: number,
  fill: number,
) {
  const out: number[] = [];
  WINDOWS.forEach(([top, left, flip], i) => {
    for (let plane = 0; plane < c; plane++) {
      for (let y = 0; y < oh; y++) {
        for (let column = 0; column < ow; column++) {
          const sy = top + (flip & 2 ? oh - 1 - y : y);
          const sx = left + (flip & 1 ? ow - 1 - column : column);
          const inside = sy >= 0 && sy < h && sx >= 0 && sx < w;
          out.push(inside ? x[((idx[i] * c + plane) * h + sy) * w + sx] : fill);
        }
      }
    }
  });
  return out;
}

describe("crop", () => {
  it("copies windows, in any split of the images, and writes nothing else", () => {
    const n = WINDOWS.length;
    const idx = [3, 0, 0, 5, 1, 2];
    for (const w of WIDTHS) {
      for (const ow of [1, 8, 16, 19, 35]) {
        const [c, h, oh] = [2, 4, 5];
        const bytes = Uint8Array.from(randomInts(n * c * h * w, 256));
        const ints = randomInts(n * c * h * w, 1 << 30);
        const slab = new Slab();
        const [px, pi] = [slab.put(bytes), slab.put(ints)];
        const [windows, rows] = [slab.put(Int32Array.from(WINDOWS.flat())), slab.put(Int32Array.from(idx))];
        const size = n * c * oh * ow;
        const [out8, out32, plain] = [slab.bytes(size), slab.ints(size), slab.bytes(size)];
        const [mean, std] = [slab.put(MEAN), slab.put(STD)];
        const [floats, thirds] = [slab.floats(size), slab.floats(size)];
        const strip = slab.bytes(8192);
        for (const [i0, i1] of [
          [0, 2],
          [2, 2],
          [2, n],
        ]) {
          k.crop_8(out8, px, rows, windows, i0, i1, c, h, w, oh, ow, 0, 9);
          k.crop_8(plain, px, 0, windows, i0, i1, c, h, w, oh, ow, 0, 9);
          k.crop_32(out32, pi, rows, windows, i0, i1, c, h, w, oh, ow, 0, -7);
          k.crop_normalize_u8(floats, px, rows, windows, i0, i1, c, h, w, oh, ow, 0, 9, mean, std, strip);
          k.crop_normalize_u8(thirds, px, rows, windows, i0, i1, c, h, w, oh, ow, 0, 9, 0, 0, strip);
        }
        slab.check();
        const expected = reference(bytes, idx, c, h, w, oh, ow, 9);
        const channel = (i: number) => Math.floor(i / (oh * ow)) % c;
        expect(Array.from(slab.read<Uint8Array>(out8))).toEqual(expected);
        expect(Array.from(slab.read<Uint8Array>(plain))).toEqual(
          reference(
            bytes,
            idx.map((_, i) => i),
            c,
            h,
            w,
            oh,
            ow,
            9,
          ),
        );
        expect(Array.from(slab.read<Int32Array>(out32))).toEqual(reference(ints, idx, c, h, w, oh, ow, -7));
        expect(slab.read(thirds)).toEqual(Float32Array.from(expected, (v) => v / 255));
        expect(slab.read(floats)).toEqual(
          Float32Array.from(expected, (v, i) => f(f(f(v / 255) - MEAN[channel(i)]) / STD[channel(i)])),
        );
      }
    }
  });

  it("windows larger than a strip", () => {
    const [h, w] = [3, 9001];
    const x = Uint8Array.from(randomInts(h * w, 256));
    const slab = new Slab();
    const out = slab.floats(h * w);
    k.crop_normalize_u8(
      out,
      slab.put(x),
      0,
      slab.put(Int32Array.of(0, 0, 2)),
      0,
      1,
      1,
      h,
      w,
      h,
      w,
      0,
      0,
      0,
      0,
      slab.bytes(w),
    );
    slab.check();
    expect(slab.read(out)).toEqual(
      Float32Array.from({ length: h * w }, (_, i) => x[(h - 1 - Math.floor(i / w)) * w + (i % w)] / 255),
    );
  });
});
