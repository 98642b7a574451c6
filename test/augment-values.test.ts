/**
 * Transforms that compute new pixel values (resizing, turning, erasing, colors) against references in float64: per image as per
 * batch, from the same draws. What torchvision makes of the same seeds is in test/parity/transforms.test.ts.
 */
import { describe, expect, test } from "vitest";
import { type DType, Generator, manualSeed, randint, type Tensor, tensor, transforms } from "../src/index.js";
import { cropped, mirrored, type Planes, pixels, upsideDown } from "./support/image.js";

const { ColorJitter, Compose, Normalize, RandomErasing, RandomResizedCrop, RandomRotation, Resize, ToTensor } =
  transforms;
const PIXELS: DType[] = ["uint8", "float32"];
const numbers = (x: Tensor): any => x.to("float32").toArray();
const fround = Math.fround;
const halfEven = (x: number) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
const uniform = (gen: Generator, low: number, high: number) => {
  return fround(gen.uniform32() * fround(fround(high) - fround(low)) + fround(low));
};

/** Within 1e-6 of float images; of bytes within half and what float32 makes of a value near a half. */
function expectImage(found: Tensor, expected: any, what = ""): void {
  const [a, b] = [found.toTypedArray(), expected.flat(9) as number[]];
  expect(a.length, what).toBe(b.length);
  const tolerance = found.dtype === "uint8" ? 0.5001 : 1e-6;
  for (let i = 0; i < a.length; i++) {
    if (Math.abs(a[i] - b[i]) > tolerance) expect.fail(`${what} at ${i}: ${a[i]}, expected ${b[i]}`);
  }
}

/** Every image of a batch alone, with the draws of the batch, gives the batch; both leave the generator in one state. */
function expectPerImage(transform: (x: any) => any, x: Tensor): Tensor {
  manualSeed(21);
  const batch = transform(x);
  const next = randint(0, 2 ** 30, [1]).item();
  manualSeed(21);
  const single = Array.from({ length: x.size(0) }, (_, i) => transform(x.at(i)));
  expect(randint(0, 2 ** 30, [1]).item()).toBe(next);
  expect(batch.dtype).toBe(x.dtype);
  expect(numbers(batch)).toEqual(single.map(numbers));
  return batch;
}

// Resizing -----------------------------------------------------------------------------------------------------------

/** Weights of the n elements of a line for element i of m, in float64. */
function weights(n: number, m: number, i: number, mode: string): number[] {
  const out = new Array<number>(n).fill(0);
  const scale = n / m;
  if (mode === "nearest") {
    out[Math.min(Math.floor(fround(i * fround(scale))), n - 1)] = 1;
  } else if (mode === "bilinear") {
    const at = Math.min(Math.max((i + 0.5) * scale - 0.5, 0), n - 1);
    for (let j = 0; j < n; j++) out[j] = Math.max(0, 1 - Math.abs(j - at));
  } else {
    const reach = Math.max(scale, 1);
    for (let j = 0; j < n; j++) out[j] = Math.max(0, 1 - Math.abs((j + 0.5 - (i + 0.5) * scale) / reach));
    const total = out.reduce((a, b) => a + b, 0);
    for (let j = 0; j < n; j++) out[j] /= total;
  }
  return out;
}

function resized(image: Planes, h: number, w: number, mode: string): Planes {
  const rows = Array.from({ length: h }, (_, y) => weights(image[0].length, h, y, mode));
  const columns = Array.from({ length: w }, (_, x) => weights(image[0][0].length, w, x, mode));
  return image.map((plane) =>
    rows.map((r) =>
      columns.map((c) => {
        let sum = 0;
        r.forEach((a, y) => {
          if (a !== 0) for (let x = 0; x < c.length; x++) sum += a * c[x] * plane[y][x];
        });
        return sum;
      }),
    ),
  );
}

const SAMPLING = [
  ["nearest", { interpolation: "nearest" }],
  ["bilinear", { antialias: false }],
  ["antialias", {}],
] as const;

describe("Resize", () => {
  test.each(SAMPLING)("%s: up, down, odd sizes, one row", (mode, options) => {
    for (const dtype of PIXELS) {
      for (const [h, w] of [
        [1, 1],
        [2, 5],
        [3, 7],
        [4, 4],
        [13, 18],
      ]) {
        for (const size of [
          [1, 1],
          [4, 3],
          [5, 17],
          [13, 18],
          [29, 2],
        ]) {
          const x = pixels([2, h, w], dtype);
          const out = new Resize(size, options as any)(x);
          expect([out.dtype, out.shape]).toEqual([dtype, [2, ...size]]);
          expectImage(out, resized(numbers(x), size[0], size[1], mode), `${dtype} ${h}×${w} to ${size}`);
        }
      }
    }
  });

  test("batches, also of none, and views", () => {
    const resize = new Resize([5, 9]);
    for (const dtype of PIXELS) expectPerImage(resize, pixels([17, 3, 8, 7], dtype));
    expect(resize(pixels([0, 3, 8, 7])).shape).toEqual([0, 3, 5, 9]);
    const view = pixels([8, 7, 3]).permute(2, 0, 1);
    expect(numbers(resize(view))).toEqual(numbers(resize(view.contiguous())));
  });

  test("a single size is that of the smaller edge", () => {
    expect(new Resize(6)(pixels([1, 10, 13])).shape).toEqual([1, 6, 7]);
    expect(new Resize([6])(pixels([1, 13, 10])).shape).toEqual([1, 7, 6]);
    expect(new Resize(6, { maxSize: 9 })(pixels([1, 20, 10])).shape).toEqual([1, 9, 4]);
    const x = pixels([3, 5, 6]);
    expect(new Resize([5, 6])(x)).toBe(x);
  });

  test("errors", () => {
    expect(() => new Resize(0)).toThrow(/Resize: size must be a whole number > 0/);
    expect(() => new Resize([1, 2, 3])).toThrow(/found \[1, 2, 3\]/);
    expect(() => new Resize(3, { interpolation: "cubic" as any })).toThrow(
      /Resize: interpolation must be one of "nearest", "bilinear", found "cubic"/,
    );
    expect(() => new Resize(3, { antialias: 1 as any })).toThrow(/antialias must be true or false, found 1/);
    expect(() => new Resize([3, 4], { maxSize: 9 })).toThrow(/maxSize 9 goes with a single size.* \[3, 4\]/);
    expect(() => new Resize(9, { maxSize: 9 })).toThrow(/maxSize must be a whole number larger than size 9, found 9/);
    expect(() => new Resize(3)(pixels([1, 4, 4], "int32"))).toThrow(
      /Resize: image is int32, expected uint8 or float32/,
    );
    expect(() => new Resize(3)(pixels([1, 0, 4]))).toThrow(/an image of 0×4 .* has no pixels/);
    expect(() => new Resize(3, { size: 4 } as any)).toThrow(/unknown option size/);
  });
});

describe("RandomResizedCrop", () => {
  /** torchvision's get_params. */
  function draw(gen: Generator, h: number, w: number, scale: number[], ratio: number[]) {
    for (let i = 0; i < 10; i++) {
      const area = h * w * uniform(gen, scale[0], scale[1]);
      const aspect = fround(Math.exp(uniform(gen, Math.log(ratio[0]), Math.log(ratio[1]))));
      const [cw, ch] = [halfEven(Math.sqrt(area * aspect)), halfEven(Math.sqrt(area / aspect))];
      if (cw < 1 || cw > w || ch < 1 || ch > h) continue;
      const top = gen.random32() % (h - ch + 1);
      return [top, gen.random32() % (w - cw + 1), ch, cw];
    }
    throw new Error("no rectangle fits");
  }

  test.each(SAMPLING)("%s: the drawn rectangle, resized", (mode, options) => {
    for (const dtype of PIXELS) {
      const x = pixels([17, 3, 13, 16], dtype);
      const out = expectPerImage(new RandomResizedCrop([7, 6], options as any), x);
      const gen = new Generator(21);
      const expected = numbers(x).map((image: Planes) => {
        const [top, left, h, w] = draw(gen, 13, 16, [0.08, 1], [3 / 4, 4 / 3]);
        return resized(cropped(image, top, left, h, w), 7, 6, mode);
      });
      expectImage(out, expected, mode);
    }
  });

  test("none, and one image of a batch", () => {
    expect(new RandomResizedCrop(4)(pixels([0, 3, 8, 8])).shape).toEqual([0, 3, 4, 4]);
    expect(new RandomResizedCrop(4)(pixels([1, 3, 8, 8])).shape).toEqual([1, 3, 4, 4]);
    const x = pixels([3, 6, 6]);
    expect(new RandomResizedCrop(6, { scale: [1, 1], ratio: [1, 1] })(x)).toBe(x);
  });

  test("errors", () => {
    const make = (options: any) => () => new RandomResizedCrop(4, options);
    expect(make({ scale: [0.5, 0.1] })).toThrow(
      /RandomResizedCrop: scale must be \[low, high\] with 0 < low ≤ high, found \[0.5, 0.1\]/,
    );
    expect(make({ scale: [0, 1] })).toThrow(/scale must be/);
    expect(make({ scale: 0.5 })).toThrow(/found 0.5/);
    expect(make({ ratio: [0, 1] })).toThrow(/ratio must be \[low, high\] with 0 < low/);
    expect(make({ ratio: [1, Number.NaN] })).toThrow(/found \[1, NaN\]/);
    expect(make({ interpolation: "lanczos" })).toThrow(/interpolation must be one of/);
    expect(() => new RandomResizedCrop(4)(pixels([1, 4, 0]))).toThrow(/has no pixels to resize/);
  });
});

// Turning ------------------------------------------------------------------------------------------------------------

/** The image turned counter-clockwise around (x, y), in float64. */
function turned(image: Planes, degrees: number, bilinear: boolean, fill: number, center?: [number, number]): Planes {
  const [h, w] = [image[0].length, image[0][0].length];
  const [cx, cy] = center ?? [w / 2, h / 2];
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return image.map((plane) => {
    const at = (y: number, x: number) => (y >= 0 && y < h && x >= 0 && x < w ? plane[y][x] : 0);
    const inside = (y: number, x: number) => Number(y >= 0 && y < h && x >= 0 && x < w);
    return plane.map((row, r) =>
      row.map((_, c) => {
        const [dx, dy] = [c + 0.5 - cx, r + 0.5 - cy];
        const x = cos * dx - sin * dy + cx - 0.5;
        const y = sin * dx + cos * dy + cy - 0.5;
        if (!bilinear) {
          const [i, j] = [halfEven(y), halfEven(x)];
          return inside(i, j) ? plane[i][j] : fill;
        }
        const [t, l] = [Math.floor(y), Math.floor(x)];
        const [s, e] = [y - t, x - l];
        const mix = (f: (y: number, x: number) => number) =>
          (1 - s) * ((1 - e) * f(t, l) + e * f(t, l + 1)) + s * ((1 - e) * f(t + 1, l) + e * f(t + 1, l + 1));
        return mix(at) * mix(inside) + (1 - mix(inside)) * fill;
      }),
    );
  });
}

describe("RandomRotation", () => {
  test.each(["nearest", "bilinear"] as const)("%s: the drawn angle, each image its own", (interpolation) => {
    for (const dtype of PIXELS) {
      for (const center of [undefined, [2.5, 7] as [number, number]]) {
        const x = pixels([17, 2, 11, 14], dtype);
        const fill = dtype === "uint8" ? 100 : 0.5;
        const out = expectPerImage(new RandomRotation(70, { interpolation, fill, center }), x);
        const gen = new Generator(21);
        const expected = numbers(x).map((image: Planes) =>
          turned(image, uniform(gen, -70, 70), interpolation === "bilinear", fill, center),
        );
        const [a, b] = [out.toTypedArray(), expected.flat(9)];
        const tolerance = dtype === "uint8" ? 0.51 : 1e-4;
        const wrong = Array.from(a).filter((v, i) => Math.abs(v - b[i]) > tolerance).length;
        // A position that rounding moves to the other side of a half takes the neighbour.
        expect(wrong).toBeLessThanOrEqual(interpolation === "nearest" ? 2 : 0);
      }
    }
  });

  test("quarters and halves, with expand", () => {
    // Sides of different parity would get a pixel more, as in torchvision.
    const x = pixels([3, 4, 8]);
    const half = new RandomRotation([180, 180], { expand: true })(x);
    expect(numbers(half)).toEqual(upsideDown(mirrored(numbers(x))));
    const quarter = new RandomRotation([90, 90], { expand: true })(x);
    // Counter-clockwise: the right edge becomes the upper one.
    expect(numbers(quarter)).toEqual(numbers(x.transpose(1, 2).flip([1])));
    expect(new RandomRotation([45, 45], { expand: true })(pixels([2, 1, 10, 10])).shape).toEqual([2, 1, 16, 16]);
    expect(new RandomRotation(10)(pixels([0, 1, 10, 9])).shape).toEqual([0, 1, 10, 9]);
  });

  test("one fill a channel", () => {
    const out = new RandomRotation([45, 45], { fill: [1, 2, 3] })(pixels([3, 9, 9]));
    expect(numbers(out).map((plane: number[][]) => plane[0][0])).toEqual([1, 2, 3]);
  });

  test("errors", () => {
    expect(() => new RandomRotation(-1)).toThrow(
      /RandomRotation: degrees must be a number ≥ 0, or \[low, high\], found -1/,
    );
    expect(() => new RandomRotation([3, 1])).toThrow(/degrees must be \[low, high\]/);
    expect(() => new RandomRotation(3, { interpolation: "area" as any })).toThrow(/found "area"/);
    expect(() => new RandomRotation(3, { center: [1] as any })).toThrow(/center must be \[x, y\]/);
    expect(() => new RandomRotation(3, { fill: "red" as any })).toThrow(/fill must be a number or a list/);
    expect(() => new RandomRotation(3, { expand: 1 as any })).toThrow(/expand must be true or false/);
    expect(() => new RandomRotation(3, { fill: [1, 2] })(pixels([3, 4, 4]))).toThrow(
      /has 3 channels, fill has 2 values/,
    );
    expect(() => new RandomRotation(3, { fill: 256 })(pixels([3, 4, 4]))).toThrow(/fill is 256, which is no uint8/);
    expect(() => new RandomRotation(60, { expand: true })(pixels([9, 1, 40, 8]))).toThrow(
      /with expand images become of different sizes: image 0 is \d+×\d+ .* one image at a time/,
    );
  });
});

// Erasing ------------------------------------------------------------------------------------------------------------

describe("RandomErasing", () => {
  const erased = (
    image: Planes,
    [top, left, h, w]: number[],
    value: (c: number, y: number, x: number) => number,
  ): Planes =>
    image.map((plane, c) =>
      plane.map((row, y) =>
        row.map((v, x) => (y >= top && y < top + h && x >= left && x < left + w ? value(c, y - top, x - left) : v)),
      ),
    );
  /** torchvision's get_params; null where nothing is erased. */
  function draw(gen: Generator, h: number, w: number, p: number): number[] | null {
    if (!(gen.uniform32() < fround(p))) return null;
    for (let i = 0; i < 10; i++) {
      const area = h * w * uniform(gen, 0.02, 0.33);
      const aspect = fround(Math.exp(uniform(gen, Math.log(0.3), Math.log(3.3))));
      const [eh, ew] = [halfEven(Math.sqrt(area * aspect)), halfEven(Math.sqrt(area / aspect))];
      if (eh >= h || ew >= w) continue;
      const top = gen.random32() % (h - eh + 1);
      return [top, gen.random32() % (w - ew + 1), eh, ew];
    }
    return null;
  }

  test("a rectangle of each image, or none", () => {
    for (const dtype of PIXELS) {
      for (const value of [0, 7, [1, 2, 3]]) {
        const x = pixels([17, 3, 12, 21], dtype);
        const before = numbers(x);
        const out = expectPerImage(new RandomErasing({ p: 0.7, value }), x);
        const gen = new Generator(21);
        const expected = before.map((image: Planes) => {
          const box = draw(gen, 12, 21, 0.7);
          return box === null ? image : erased(image, box, (c) => (Array.isArray(value) ? value[c] : value));
        });
        expect(numbers(out)).toEqual(expected);
        expect(numbers(x)).toEqual(before);
      }
    }
  });

  test("random values are normal", () => {
    const x = pixels([64, 3, 32, 32], "float32").mul(0).sub(100);
    const values = Array.from(expectPerImage(new RandomErasing({ p: 1, value: "random" }), x).toTypedArray()).filter(
      (v) => v > -50,
    );
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    expect(values.length).toBeGreaterThan(10000);
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(values.length));
    expect(Math.abs(variance - 1)).toBeLessThan(5 * Math.sqrt(2 / values.length));
  });

  test("what is not erased is the same tensor", () => {
    const x = pixels([3, 5, 5]);
    expect(new RandomErasing({ p: 0 })(x)).toBe(x);
    // No rectangle of nine tenths and a ratio of 0.1 is smaller than the image.
    expect(new RandomErasing({ p: 1, scale: [0.9, 1], ratio: [0.1, 0.1] })(x)).toBe(x);
    expect(new RandomErasing({ p: 1 })(pixels([0, 3, 5, 5])).shape).toEqual([0, 3, 5, 5]);
  });

  test("errors", () => {
    expect(() => new RandomErasing({ p: 2 })).toThrow(/RandomErasing: p must be a probability from 0 to 1, found 2/);
    expect(() => new RandomErasing({ scale: [0.1, 1.1] })).toThrow(
      /scale must be \[low, high\] with 0 ≤ low ≤ high ≤ 1, found \[0.1, 1.1\]/,
    );
    expect(() => new RandomErasing({ ratio: [0, 3] })).toThrow(/ratio must be \[low, high\] with 0 < low/);
    expect(() => new RandomErasing({ value: "black" as any })).toThrow(
      /value must be a number, .* or "random", found "black"/,
    );
    expect(() => new RandomErasing({ p: 1, value: [1, 2] })(pixels([3, 5, 5]))).toThrow(
      /has 3 channels, value has 2 values/,
    );
    expect(() => new RandomErasing({ p: 1, value: -1 })(pixels([3, 5, 5]))).toThrow(/value is -1, which is no uint8/);
    expect(() => new RandomErasing({ p: 1, value: "random" })(pixels([3, 5, 5]))).toThrow(
      /"random" .* put ToTensor\(\) first/,
    );
  });
});

// Colors -------------------------------------------------------------------------------------------------------------

type Pixel = number[];
const gray = ([r, g, b]: Pixel) => 0.2989 * r + 0.587 * g + 0.114 * b;

/** Python's colorsys, turned by a shift. */
function hueTurned([r, g, b]: Pixel, shift: number): Pixel {
  const [high, low] = [Math.max(r, g, b), Math.min(r, g, b)];
  if (high === low) return [r, g, b];
  const s = (high - low) / high;
  const [rc, gc, bc] = [r, g, b].map((v) => (high - v) / (high - low));
  let h = (r === high ? bc - gc : g === high ? 2 + rc - bc : 4 + gc - rc) / 6 + shift;
  h -= Math.floor(h);
  const i = Math.floor(h * 6);
  const f = h * 6 - i;
  const [p, q, t] = [high * (1 - s), high * (1 - s * f), high * (1 - s * (1 - f))];
  return [
    [high, t, p],
    [q, high, p],
    [p, high, t],
    [p, q, high],
    [t, p, high],
    [high, p, q],
  ][i % 6];
}

describe("ColorJitter", () => {
  const bound = (dtype: DType) => (dtype === "uint8" ? 255 : 1);
  const clamp = (v: number, dtype: DType) => Math.min(Math.max(v, 0), bound(dtype));
  /** Bytes are cut off, so an expected value may be up to one above. */
  function expectColors(out: Tensor, expected: number[]): void {
    Array.from(out.toTypedArray()).forEach((v, i) => {
      const off = expected[i] - v;
      const fine = out.dtype === "uint8" ? off > -1e-3 && off < 1.001 : Math.abs(off) < 2e-6;
      if (!fine) expect.fail(`at ${i}: ${v}, expected ${expected[i]}`);
    });
  }
  const changes: [string, (image: Pixel[], factor: number, dtype: DType) => Pixel[]][] = [
    ["brightness", (image, f, dtype) => image.map((p) => p.map((v) => clamp(f * v, dtype)))],
    [
      "contrast",
      (image, f, dtype) => {
        const cut = (v: number) => (dtype === "uint8" ? Math.floor(fround(v)) : v);
        const mean = image.reduce((sum, p) => sum + cut(p.length === 3 ? gray(p) : p[0]), 0) / image.length;
        return image.map((p) => p.map((v) => clamp(f * v + (1 - f) * mean, dtype)));
      },
    ],
    [
      "saturation",
      (image, f, dtype) =>
        image.map((p) => {
          if (p.length === 1) return p;
          const g = dtype === "uint8" ? Math.floor(fround(gray(p))) : gray(p);
          return p.map((v) => clamp(f * v + (1 - f) * g, dtype));
        }),
    ],
    [
      "hue",
      (image, f, dtype) =>
        image.map((p) =>
          p.length === 1
            ? p
            : hueTurned(
                p.map((v) => v / bound(dtype)),
                f,
              ).map((v) => v * bound(dtype)),
        ),
    ],
  ];
  test.each(changes)("%s, each image its own factor", (name, reference) => {
    for (const dtype of PIXELS) {
      for (const channels of [1, 3]) {
        for (const width of [1, 2, 3, 4, 9]) {
          const x = pixels([5, channels, 3, width], dtype);
          const range = name === "hue" ? [-0.5, 0.5] : [0.3, 2.5];
          const out = expectPerImage(new ColorJitter({ [name]: range }), x);
          const gen = new Generator(21);
          numbers(x).forEach((image: Planes, i: number) => {
            for (let d = 0; d < 3; d++) gen.random32(); // the order of the four
            const factor = uniform(gen, range[0], range[1]);
            const list = Array.from({ length: 3 * width }, (_, p) => image.map((plane) => plane.flat()[p]));
            const expected = reference(list, factor, dtype);
            expectColors(
              out.at(i),
              image.flatMap((_, c) => expected.map((p) => p[c])),
            );
          });
        }
      }
    }
  });

  test("all four, in an order of each image's own", () => {
    for (const dtype of PIXELS) {
      const jitter = new ColorJitter(0.4, 0.4, 0.4, 0.1);
      const x = pixels([17, 3, 6, 5], dtype);
      const before = numbers(x);
      expectPerImage(jitter, x);
      expect(numbers(x)).toEqual(before);
    }
  });

  test("without anything to change the image is the same tensor", () => {
    const x = pixels([3, 4, 4]);
    expect(new ColorJitter()(x)).toBe(x);
    expect(new ColorJitter({ brightness: [1, 1], hue: 0 })(x)).toBe(x);
    expect(new ColorJitter({ hue: 0.1 })(pixels([0, 3, 4, 4])).shape).toEqual([0, 3, 4, 4]);
    expect(String(new ColorJitter(0.25))).toBe(
      "ColorJitter(brightness=[0.75, 1.25], contrast=None, saturation=None, hue=None)",
    );
  });

  test("a large image: the mean is exact", () => {
    const x = tensor(new Uint8Array(2000 * 2000).fill(255), { shape: [1, 2000, 2000] });
    const out = new ColorJitter({ contrast: [0.5, 0.5] })(x);
    expect(out.toTypedArray().every((v) => v === 255)).toBe(true);
  });

  test("errors", () => {
    expect(() => new ColorJitter({ brightness: -0.1 })).toThrow(
      /ColorJitter: brightness must be a number from 0, .* found -0.1/,
    );
    expect(() => new ColorJitter({ contrast: [2, 1] })).toThrow(/contrast must be .* found \[2, 1\]/);
    expect(() => new ColorJitter({ hue: 0.6 })).toThrow(/hue must be a number from 0 to 0.5, .* found 0.6/);
    expect(() => new ColorJitter({ hue: [-0.6, 0] })).toThrow(/found \[-0.6, 0\]/);
    expect(() => new ColorJitter({ saturation: "1" as any })).toThrow(/saturation must be .* found "1"/);
    expect(() => new ColorJitter(0.1)(pixels([2, 4, 4]))).toThrow(/the image has 2 channels, expected 1 \(gray\) or 3/);
    expect(() => new ColorJitter(0.1)(pixels([3, 4, 4], "bool"))).toThrow(/image is bool, expected uint8 or float32/);
  });
});

test("a whole chain, per image as per batch of one transform after the other", () => {
  const chain = new Compose([
    new RandomResizedCrop(9),
    new ColorJitter(0.4, 0.4, 0.4, 0.1),
    new RandomRotation(15),
    new ToTensor(),
    new Normalize(0.5, 0.25),
    new RandomErasing(),
  ]);
  const x = pixels([6, 3, 12, 12]);
  manualSeed(4);
  const fused = chain(x);
  manualSeed(4);
  expect(numbers(fused)).toEqual(numbers(chain.transforms.reduce((y, step) => step(y), x)));
  expect(fused.shape).toEqual([6, 3, 9, 9]);
});
