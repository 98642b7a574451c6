/** Guard bytes around what the resampling and color kernels write; their values are in test/augment-values.test.ts. */
import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { randomInts, Slab } from "./slab.js";

const randomBytes = (n: number) => Uint8Array.from(randomInts(n, 256));
const unit = (bytes: Uint8Array) => Float32Array.from(bytes, (v) => v / 255);

describe("resize", () => {
  it("writes the result and its scratch, and nothing else", () => {
    for (const [h, w, oh, ow] of [
      [1, 1, 3, 5],
      [2, 3, 1, 1],
      [3, 5, 2, 7],
      [5, 4, 9, 6],
      [9, 17, 4, 3],
    ]) {
      for (const mode of [0, 1, 2]) {
        const taps = (n: number, m: number) => (mode < 2 ? mode + 1 : 2 * Math.ceil(Math.max(n / m, 1)) + 1);
        const [rowStride, columnStride] = [2 + taps(h, oh), 2 + taps(w, ow)];
        const slab = new Slab();
        const bytes = randomBytes(2 * h * w);
        const [px, pf] = [slab.put(bytes), slab.put(unit(bytes))];
        const rows = slab.ints(oh * rowStride);
        const columns = slab.ints(ow * columnStride);
        const wide = slab.floats((h + 3) * ow + 4 * w + 4);
        const [out, floats] = [slab.bytes(2 * oh * ow), slab.floats(2 * oh * ow)];
        k.resize_weights(rows, h, oh, mode, rowStride);
        k.resize_weights(columns, w, ow, mode, columnStride);
        const bilinear = mode === 1 ? 1 : 0;
        k.resize_u8(out, px, 2, h * w, w, h, w, oh, ow, rows, rowStride, columns, columnStride, bilinear, wide);
        k.resize_f32(
          floats,
          pf,
          2,
          4 * h * w,
          4 * w,
          h,
          w,
          oh,
          ow,
          rows,
          rowStride,
          columns,
          columnStride,
          bilinear,
          wide,
        );
        slab.check();
        const [a, b] = [slab.read<Uint8Array>(out), slab.read(floats)];
        a.forEach((v, i) => {
          expect(Math.abs(v - 255 * b[i])).toBeLessThan(0.501);
        });
      }
    }
  });
});

describe("rotate", () => {
  it("writes the result and nothing else", () => {
    for (const bilinear of [0, 1]) {
      const [channels, h, w, oh, ow] = [3, 5, 7, 9, 3];
      const slab = new Slab();
      const bytes = randomBytes(channels * h * w);
      const theta = slab.put(Float32Array.of(0.2, 0.1, 0.05, -0.1, 0.3, 0));
      const fill = slab.put(Float32Array.of(10, 20, 30));
      const part = slab.put(Float32Array.of(10 / 255, 20 / 255, 30 / 255));
      const [out, floats] = [slab.bytes(channels * oh * ow), slab.floats(channels * oh * ow)];
      k.rotate_u8(out, slab.put(bytes), channels, h, w, oh, ow, theta, bilinear, fill);
      k.rotate_f32(floats, slab.put(unit(bytes)), channels, h, w, oh, ow, theta, bilinear, part);
      slab.check();
      const [a, b] = [slab.read<Uint8Array>(out), slab.read(floats)];
      a.forEach((v, i) => {
        expect(Math.abs(v - 255 * b[i])).toBeLessThan(0.501);
      });
    }
  });
});

describe("erase", () => {
  it("writes the rectangle and nothing else", () => {
    const [channels, h, w] = [2, 6, 21];
    for (const [top, left, eh, ew] of [
      [0, 0, 6, 21],
      [5, 20, 1, 1],
      [2, 3, 3, 17],
      [1, 1, 0, 4],
    ]) {
      const slab = new Slab();
      const size = channels * h * w;
      const [bytes, floats, each] = [slab.bytes(size), slab.floats(size), slab.floats(size)];
      const noise = Float32Array.from({ length: channels * eh * ew }, (_, i) => i + 100);
      k.erase_8(bytes, slab.put(Int32Array.of(8, 9)), channels, h, w, top, left, eh, ew);
      k.erase_32(floats, slab.put(Float32Array.of(8, 9)), 0, channels, h, w, top, left, eh, ew);
      k.erase_32(each, slab.put(noise), 1, channels, h, w, top, left, eh, ew);
      slab.check();
      const value = (i: number, inside: (c: number, y: number, x: number) => number) => {
        const [c, y, x] = [Math.floor(i / (h * w)), Math.floor(i / w) % h, i % w];
        return y >= top && y < top + eh && x >= left && x < left + ew ? inside(c, y - top, x - left) : 7;
      };
      const constant = Array.from({ length: size }, (_, i) => value(i, (c) => 8 + c));
      expect(Array.from(slab.read<Uint8Array>(bytes))).toEqual(constant);
      expect(Array.from(slab.read(floats))).toEqual(constant);
      expect(Array.from(slab.read(each))).toEqual(
        Array.from({ length: size }, (_, i) => value(i, (c, y, x) => 100 + (c * eh + y) * ew + x)),
      );
    }
  });
});

describe("colors", () => {
  it("write the image and nothing else, for every number of pixels left over", () => {
    for (const pixels of [0, 1, 2, 3, 4, 5, 6, 7, 8, 11]) {
      const slab = new Slab();
      const bytes = randomBytes(3 * pixels);
      const [px, pf] = [slab.put(bytes), slab.put(unit(bytes))];
      k.color_scale_u8(px, 3 * pixels, 0.75, 20);
      k.color_saturate_u8(px, pixels, 1.5, -0.5);
      k.color_hue_u8(px, pixels, 0.25);
      k.color_scale_f32(pf, 3 * pixels, 0.75, 20 / 255);
      k.color_saturate_f32(pf, pixels, 1.5, -0.5);
      k.color_hue_f32(pf, pixels, 0.25);
      slab.check();
      const [a, b] = [slab.read<Uint8Array>(px), slab.read(pf)];
      // Three times cut off, which the hue spreads over the range of a pixel.
      a.forEach((v, i) => {
        expect(Math.abs(v - 255 * b[i])).toBeLessThan(6);
      });
    }
  });
});
