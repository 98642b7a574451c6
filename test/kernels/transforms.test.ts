import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { randomFloats, randomInts, Slab } from "./slab.js";

const f = Math.fround;
const MEAN = Float32Array.of(0.1307, 0.4914, 0.406);
const STD = Float32Array.of(0.3081, 0.2023, 0.225);
const toTensor = (v: number) => f(v / 255);
const normalize = (t: number, c: number) => f(f(t - MEAN[c]) / STD[c]);
const randomBytes = (n: number) => Uint8Array.from(randomInts(n, 256));
const PIXELS = [0, 1, 3, 4, 15, 16, 17, 31, 32, 33, 784];

describe("to_tensor_u8", () => {
  it("is x/255 rounded, for every byte in every lane", () => {
    const x = Uint8Array.from({ length: 256 * 17 }, (_, i) => Math.floor(i / 17));
    const slab = new Slab();
    const out = slab.floats(x.length);
    k.to_tensor_u8(out, slab.put(x), x.length);
    slab.check();
    expect(slab.read(out)).toEqual(Float32Array.from(x, toTensor));
  });
});

describe("normalize_u8", () => {
  it("is ToTensor and then Normalize, bit for bit", () => {
    for (const pixels of PIXELS) {
      const [images, channels] = [2, 3];
      const slab = new Slab();
      const x = randomBytes(images * channels * pixels);
      const out = slab.floats(x.length);
      k.normalize_u8(out, slab.put(x), images, channels, pixels, slab.put(MEAN), slab.put(STD));
      slab.check();
      const expected = Float32Array.from(x, (v, i) => normalize(toTensor(v), Math.floor(i / pixels) % channels));
      expect(slab.read(out)).toEqual(expected);
    }
  });

  it("holds for every byte", () => {
    const slab = new Slab();
    const x = Uint8Array.from({ length: 256 }, (_, i) => i);
    const out = slab.floats(256);
    k.normalize_u8(out, slab.put(x), 1, 1, 256, slab.put(MEAN), slab.put(STD));
    expect(slab.read(out)).toEqual(Float32Array.from(x, (v) => normalize(toTensor(v), 0)));
  });
});

describe("gather_normalize_u8", () => {
  it("reads images by index, with and without Normalize", () => {
    for (const pixels of PIXELS.slice(1)) {
      const channels = 3;
      const slab = new Slab();
      const x = randomBytes(5 * channels * pixels);
      const idx = Int32Array.of(4, 0, 0, 2);
      const px = slab.put(x);
      const pi = slab.put(idx);
      const size = channels * pixels;
      const [out, plain] = [slab.floats(idx.length * size), slab.floats(idx.length * size)];
      k.gather_normalize_u8(out, px, pi, idx.length, channels, pixels, slab.put(MEAN), slab.put(STD));
      k.gather_normalize_u8(plain, px, pi, idx.length, channels, pixels, 0, 0);
      slab.check();
      const taken = Float32Array.from({ length: idx.length * size }, (_, i) =>
        toTensor(x[idx[Math.floor(i / size)] * size + (i % size)]),
      );
      expect(slab.read(plain)).toEqual(taken);
      expect(slab.read(out)).toEqual(taken.map((t, i) => normalize(t, Math.floor(i / pixels) % channels)));
    }
  });
});

describe("normalize_f32", () => {
  it("subtracts and divides, in place too", () => {
    for (const pixels of PIXELS) {
      const slab = new Slab();
      const x = randomFloats(2 * 3 * pixels, 3);
      if (x.length > 2) x.set([Number.NaN, Number.POSITIVE_INFINITY]);
      const out = slab.floats(x.length);
      const p = slab.put(x);
      const [mean, std] = [slab.put(MEAN), slab.put(STD)];
      k.normalize_f32(out, p, 2, 3, pixels, mean, std);
      k.normalize_f32(p, p, 2, 3, pixels, mean, std);
      slab.check();
      const expected = x.map((v, i) => normalize(v, Math.floor(i / pixels) % 3));
      expect(slab.read(out)).toEqual(expected);
      expect(slab.read(p)).toEqual(expected);
    }
  });
});
