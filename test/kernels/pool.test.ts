/** Pooling kernels on raw memory: guard bytes, ranges of planes, and ReLU and the pool as one, to the bit. */
import { describe, expect, it } from "vitest";
import { k } from "../support/kernels.js";
import { random, Slab } from "./slab.js";

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
const SPECIAL = [0, -0, 1, -1, nan, infinity, -infinity, 2, -2];
/** Few different values, so that windows are full of ties, zeros of both signs, NaN and infinities. */
const values = (n: number): Float32Array =>
  Float32Array.from({ length: n }, () => SPECIAL[Math.floor(((random() + 1) / 2) * SPECIAL.length)]);
const gradients = (n: number): Float32Array => Float32Array.from({ length: n }, random);
const bits = (x: Float32Array): string => new Uint32Array(x.buffer, x.byteOffset, x.length).join(" ");

/** Windows as src/ops/windows.ts writes them. */
const lists = (size: number, count: number, kernel: number, stride: number, padding: number, dilation = 1) =>
  Int32Array.from(
    Array.from({ length: count }, (_, i) => {
      const start = i * stride - padding;
      const skipped = start < 0 ? Math.ceil(-start / dilation) : 0;
      return [start + skipped * dilation, Math.min(start + (kernel - 1) * dilation + 1, size), skipped];
    }).flat(),
  );

interface Pool {
  name: string;
  kernel: number;
  padding: number;
  out: (size: number) => number;
  forward: (out: number, codes: number, x: number, p0: number, p1: number, h: number, w: number, relu: number) => void;
  backward: (dx: number, dout: number, codes: number, p0: number, p1: number, h: number, w: number) => void;
  least: number;
  /** A code as the general kernel would write it. */
  decode: (code: number) => number;
}
const POOLS: Pool[] = [
  {
    name: "max_pool2d_2x2",
    kernel: 2,
    padding: 0,
    out: (size) => size >> 1,
    forward: (...args) => k.max_pool2d_2x2(...args),
    backward: (...args) => k.max_pool2d_2x2_backward(...args),
    least: 8,
    decode: (code) => (code === 0 || code > 252 ? (256 - code) % 256 : 255),
  },
  {
    name: "max_pool2d_3x3",
    kernel: 3,
    padding: 1,
    out: (size) => (size + 1) >> 1,
    forward: (...args) => k.max_pool2d_3x3(...args),
    backward: (...args) => k.max_pool2d_3x3_backward(...args),
    least: 1,
    decode: (code) => (code === 0 || code > 247 ? (256 - code) % 256 : 255),
  },
];
const PLANES = 3;
const SIZES: [number, number][] = [2, 3, 4, 5].flatMap((h) =>
  [1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17, 23, 28, 32, 33].map((w): [number, number] => [h, w]),
);

describe.each(POOLS.map((pool) => [pool.name, pool] as const))("%s", (_, pool) => {
  const { kernel, padding } = pool;
  const sizes = SIZES.filter(([, w]) => w >= pool.least);

  it.each([0, 1])("is the general kernel, faster, and fills what it says (relu %i)", (relu) => {
    for (const [h, w] of sizes) {
      const [oh, ow] = [pool.out(h), pool.out(w)];
      const [n, m] = [PLANES * h * w, PLANES * oh * ow];
      const slab = new Slab();
      const x = slab.put(values(n));
      const dout = slab.put(gradients(m));
      const rows = slab.put(lists(h, oh, kernel, 2, padding));
      const cols = slab.put(lists(w, ow, kernel, 2, padding));
      const [out, codes, dx] = [slab.floats(m), slab.bytes(m), slab.floats(n)];
      const [out2, codes2, dx2] = [slab.floats(m), slab.bytes(m), slab.floats(n)];
      const [out3, indices, dx3] = [slab.floats(m), slab.ints(m), slab.floats(n)];
      pool.forward(out, codes, x, 0, PLANES, h, w, relu);
      pool.backward(dx, dout, codes, 0, PLANES, h, w);
      k.max_pool2d(out2, codes2, 0, x, rows, cols, 0, PLANES, h, w, oh, ow, kernel, 1, 1, relu);
      k.max_pool2d_backward(dx2, dout, codes2, 0, rows, cols, 0, PLANES, h, w, oh, ow, kernel, 1, 1);
      k.max_pool2d(out3, 0, indices, x, rows, cols, 0, PLANES, h, w, oh, ow, kernel, 1, 1, relu);
      k.max_pool2d_backward(dx3, dout, 0, indices, rows, cols, 0, PLANES, h, w, oh, ow, kernel, 1, 1);
      slab.check();
      const what = `${h}×${w}`;
      expect(Array.from(slab.read<Uint8Array>(codes), pool.decode), what).toEqual([...slab.read<Uint8Array>(codes2)]);
      expect(bits(slab.read(out)), what).toBe(bits(slab.read(out2)));
      expect(bits(slab.read(out3)), what).toBe(bits(slab.read(out2)));
      expect(slab.read(dx), what).toEqual(slab.read(dx2));
      expect(slab.read(dx3), what).toEqual(slab.read(dx2));
    }
  });

  it("with relu is relu and then the pool, to the bit, forward and backward", () => {
    for (const [h, w] of sizes) {
      const [oh, ow] = [pool.out(h), pool.out(w)];
      const [n, m] = [PLANES * h * w, PLANES * oh * ow];
      const slab = new Slab();
      const x = slab.put(values(n));
      const dout = slab.put(gradients(m));
      const [positive, dPositive, dx] = [slab.floats(n), slab.floats(n), slab.floats(n)];
      const [out, codes] = [slab.floats(m), slab.bytes(m)];
      k.relu(positive, x, n);
      pool.forward(out, codes, positive, 0, PLANES, h, w, 0);
      pool.backward(dPositive, dout, codes, 0, PLANES, h, w);
      k.relu_backward(dx, dPositive, positive, n);
      const [fused, fusedCodes, fusedDx] = [slab.floats(m), slab.bytes(m), slab.floats(n)];
      pool.forward(fused, fusedCodes, x, 0, PLANES, h, w, 1);
      pool.backward(fusedDx, dout, fusedCodes, 0, PLANES, h, w);
      slab.check();
      expect(bits(slab.read(fused)), `${h}×${w}`).toBe(bits(slab.read(out)));
      expect(bits(slab.read(fusedDx)), `${h}×${w}`).toBe(bits(slab.read(dx)));
    }
  });

  it("does planes in any portions", () => {
    const [h, w] = [7, 15];
    const [oh, ow] = [pool.out(h), pool.out(w)];
    const [n, m] = [PLANES * h * w, PLANES * oh * ow];
    const slab = new Slab();
    const x = slab.put(values(n));
    const dout = slab.put(gradients(m));
    const [out, codes, dx] = [slab.floats(m), slab.bytes(m), slab.floats(n)];
    const [out2, codes2, dx2] = [slab.floats(m), slab.bytes(m), slab.floats(n)];
    pool.forward(out, codes, x, 0, PLANES, h, w, 0);
    pool.backward(dx, dout, codes, 0, PLANES, h, w);
    for (const [p0, p1] of [
      [1, 3],
      [1, 1],
      [0, 1],
    ]) {
      pool.forward(out2, codes2, x, p0, p1, h, w, 0);
      pool.backward(dx2, dout, codes2, p0, p1, h, w);
    }
    slab.check();
    expect(bits(slab.read(out2))).toBe(bits(slab.read(out)));
    expect(bits(slab.read(dx2))).toBe(bits(slab.read(dx)));
  });
});

describe("max_pool2d", () => {
  it("gives windows without a tap −∞ and no gradient", () => {
    const slab = new Slab();
    const x = slab.put(Float32Array.of(5));
    const list = slab.put(lists(1, 1, 2, 1, 1, 2));
    const [out, codes, dx, dout] = [slab.floats(1), slab.bytes(1), slab.floats(1), slab.floats(1)];
    k.max_pool2d(out, codes, 0, x, list, list, 0, 1, 1, 1, 1, 1, 2, 2, 2, 0);
    k.max_pool2d_backward(dx, dout, codes, 0, list, list, 0, 1, 1, 1, 1, 1, 2, 2, 2);
    slab.check();
    expect(slab.read(out)[0]).toBe(-infinity);
    expect(slab.read<Uint8Array>(codes)[0]).toBe(255);
    expect(slab.read(dx)[0]).toBe(0);
  });
});

describe("avg_pool2d_2x2", () => {
  it("is the general kernel within rounding, writes no byte beside, and does planes in any portions", () => {
    for (const [h, w] of SIZES.filter(([, width]) => width >= 8)) {
      const [oh, ow] = [h >> 1, w >> 1];
      const [n, m] = [PLANES * h * w, PLANES * oh * ow];
      const slab = new Slab();
      const x = slab.put(gradients(n));
      const dout = slab.put(gradients(m));
      const list = (count: number) =>
        slab.put(Int32Array.from(Array.from({ length: count }, (_, i) => [2 * i, 2 * i + 2, 2]).flat()));
      const [rows, cols] = [list(oh), list(ow)];
      const [out, dx, out2, dx2] = [slab.floats(m), slab.floats(n), slab.floats(m), slab.floats(n)];
      for (const [p0, p1] of [
        [2, 3],
        [0, 2],
      ]) {
        k.avg_pool2d_2x2(out, x, p0, p1, h, w);
        k.avg_pool2d_2x2_backward(dx, dout, p0, p1, h, w);
        k.avg_pool2d(out2, x, rows, cols, p0, p1, h, w, oh, ow, 0);
        k.avg_pool2d_backward(dx2, dout, rows, cols, p0, p1, h, w, oh, ow, 0);
      }
      slab.check();
      slab.read(out).forEach((v, i) => {
        expect(Math.abs(v - slab.read(out2)[i])).toBeLessThan(1e-7);
      });
      expect(slab.read(dx)).toEqual(slab.read(dx2));
    }
  });

  it("keeps the digits of a mean over a large plane", () => {
    const n = 1 << 20;
    const slab = new Slab();
    const x = slab.put(new Float32Array(n).fill(1.1));
    const list = slab.put(Int32Array.of(0, 1024, 1024));
    const out = slab.floats(1);
    k.avg_pool2d(out, x, list, list, 0, 1, 1024, 1024, 1, 1, 0);
    expect(Math.abs(slab.read(out)[0] / Math.fround(1.1) - 1)).toBeLessThan(2e-7);
  });
});

describe("planes resampled", () => {
  it("writes no byte beside, whatever the widths, in any portions", () => {
    for (const [h, w, oh, ow] of [
      [2, 3, 5, 4],
      [3, 5, 3, 9],
      [1, 1, 3, 3],
      [4, 9, 2, 7],
      [5, 4, 11, 17],
    ]) {
      const [n, m] = [PLANES * h * w, PLANES * oh * ow];
      const slab = new Slab();
      const x = slab.put(gradients(n));
      const dout = slab.put(gradients(m));
      const nearest = (size: number, count: number) =>
        slab.put(Int32Array.from({ length: count }, (_, i) => Math.floor((i * size) / count)));
      const blend = (size: number, count: number) => {
        const list = new Int32Array(2 * count);
        for (let i = 0; i < count; i++) {
          const at = (i * (size - 1)) / Math.max(count - 1, 1);
          list[2 * i] = Math.floor(at);
          new Float32Array(list.buffer)[2 * i + 1] = at - Math.floor(at);
        }
        return slab.put(list);
      };
      const [rows, cols, rows2, cols2] = [nearest(h, oh), nearest(w, ow), blend(h, oh), blend(w, ow)];
      const scratch = slab.put(new Float64Array(h * w + w + 1));
      const whole = [slab.floats(m), slab.floats(n), slab.floats(m), slab.floats(n)];
      const parts = [slab.floats(m), slab.floats(n), slab.floats(m), slab.floats(n)];
      for (const [[a, b, c, d], p0, p1] of [
        [whole, 0, PLANES],
        [parts, 1, PLANES],
        [parts, 0, 1],
      ] as const) {
        k.gather_planes(a, x, rows, cols, 0, 0, p0, p1, h, w, oh, ow);
        k.gather_planes_backward(b, dout, rows, cols, scratch, p0, p1, h, w, oh, ow);
        k.interpolate_bilinear(c, x, rows2, cols2, scratch, p0, p1, h, w, oh, ow);
        k.interpolate_bilinear_backward(d, dout, rows2, cols2, scratch, p0, p1, h, w, oh, ow);
      }
      slab.check();
      whole.forEach((at, i) => {
        expect(bits(slab.read(parts[i]))).toBe(bits(slab.read(at)));
      });
    }
  });
});
