/** MNIST: what is refused, and the fused batches. (Files on a disk: mnist-files.test.ts.) */
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { parseIdx } from "../../src/data/idx.js";
import { DataLoader, type Dataset, MNIST, type MNISTOptions, Subset } from "../../src/data/index.js";
import { ArgumentError, DataError, IndexError } from "../../src/errors.js";
import { scope } from "../../src/scope.js";
import type { Tensor } from "../../src/tensor.js";
import { Compose, Lambda, Normalize, ToTensor } from "../../src/transforms/index.js";
import { errorOf, idxFile, makeFiles } from "./idx.js";

describe("bytes", () => {
  const { images, labels } = makeFiles(5, 3, 2);

  test("plain, packed, as ArrayBuffer, of any size", () => {
    for (const source of [
      { images, labels },
      { images: gzipSync(images), labels: gzipSync(labels, { level: 0 }) },
      { images: images.slice().buffer, labels: labels.slice().buffer },
    ]) {
      const mnist = new MNIST(source);
      expect(mnist.data.shape).toEqual([5, 3, 2]);
      expect(mnist.data.toTypedArray()).toEqual(images.slice(16));
      expect(Array.from(mnist.targets.toTypedArray())).toEqual([0, 7, 4, 1, 8]);
      expect(mnist.get(4)[0].toTypedArray()).toEqual(images.slice(-6));
    }
  });

  test("an empty file is an empty dataset", () => {
    expect(new MNIST(makeFiles(0)).length).toBe(0);
  });

  test("what is neither", () => {
    expect(() => new MNIST({ images: 3 as any, labels })).toThrow(/images must be a path, a Uint8Array .* found 3/);
    expect(() => new MNIST(undefined as any)).toThrow(TypeError);
    expect(() => new MNIST({ images, labels }, { transform: 3 as any })).toThrow(ArgumentError);
  });

  test("survive a scope they were read in", () => {
    let mnist: MNIST | undefined;
    scope(() => {
      mnist = new MNIST({ images, labels });
    });
    expect(mnist?.get(1)[0].toArray()).toBeTruthy();
  });
});

describe("refused files", () => {
  const { images, labels } = makeFiles(4, 3, 3);
  const with_ = (file: Uint8Array, at: number, ...values: number[]) => {
    const copy = file.slice();
    copy.set(values, at);
    return copy;
  };
  const cases: [string, { images?: Uint8Array; labels?: Uint8Array }, RegExp][] = [
    [
      "an empty file",
      { images: new Uint8Array() },
      /images \(bytes\): at byte 0: expected the 4 bytes .* the end of the file/,
    ],
    [
      "a cut header",
      { images: images.slice(0, 9) },
      /at byte 9: expected the sizes of 3 dims, up to byte 16, found the end/,
    ],
    [
      "a cut body",
      { images: images.slice(0, 40) },
      /at byte 40: expected 36 bytes .* \[4, 3, 3\], up to byte 52, .*truncated/,
    ],
    [
      "a longer body",
      { images: with_(images, 7, 3) },
      /at byte 43: expected the end of the file after 27 bytes .* 9 more bytes/,
    ],
    ["bad magic", { images: with_(images, 0, 0x89, 0x50) }, /at byte 0: expected .*0x00000803, found 0x89500803/],
    [
      "a wrong type",
      { images: with_(images, 2, 0x0d) },
      /at byte 2: expected type code 0x08 .* found 0x0d \(float32\)/,
    ],
    [
      "an unknown type",
      { labels: with_(labels, 2, 0x07) },
      /labels \(bytes\): at byte 2: .* found 0x07 \(not a type of IDX\)/,
    ],
    [
      "a wrong number of dims",
      { images: idxFile([6, 6], new Uint8Array(36)) },
      /at byte 3: expected 3 dims .* found 2/,
    ],
    [
      "labels given as images",
      { images: labels },
      /images \(bytes\): at byte 3: expected 3 dims \(a file of images\), found 1 \(a file of labels\); are images and labels swapped/,
    ],
    [
      "images given as labels",
      { labels: images },
      /labels \(bytes\): at byte 3: expected 1 dim \(a file of labels\), found 3/,
    ],
    [
      "a label that is no class",
      { labels: with_(labels, 10, 10) },
      /labels \(bytes\): at byte 10: expected a label of 0 to 9, found 10 \(sample 2\)/,
    ],
    [
      "another count",
      { labels: makeFiles(3).labels },
      /labels \(bytes\): at byte 4: expected 4 labels, .*images \(bytes\), found 3/,
    ],
    [
      "a cut gzip stream",
      { images: gzipSync(images).slice(0, -9) },
      /images \(bytes\): at byte \d+: expected .* \(gzip; is the file cut/,
    ],
    [
      "a cut gzip header",
      { images: gzipSync(images).slice(0, 8) },
      /at byte 8: expected a gzip stream of at least 18 bytes/,
    ],
    [
      "a damaged checksum",
      { images: with_(gzipSync(images), gzipSync(images).length - 8, 1, 2, 3, 4) },
      /at byte \d+: expected checksum 0x\w{8} .* found 0x04030201/,
    ],
    [
      "a bad file in gzip",
      { labels: gzipSync(with_(labels, 9, 77)) },
      /at byte 9: expected a label of 0 to 9, found 77/,
    ],
    [
      "a short file in gzip",
      { images: gzipSync(images.slice(0, 20)) },
      /at byte 20 of the unpacked content: expected 36 bytes/,
    ],
  ];
  test.each(cases)("%s", (_, files, message) => {
    const error = errorOf(() => new MNIST({ images, labels, ...files }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^MNIST: /);
  });

  test("every single flipped bit of a gzip file's content, and every cut, is noticed", () => {
    const packed = gzipSync(images, { level: 0, mtime: 0 });
    for (let i = packed.length - 30; i < packed.length; i++) {
      expect(() => parseIdx(with_(packed, i, packed[i] ^ 16), "file", 3)).toThrow(DataError);
    }
    for (let n = 2; n < packed.length; n++) expect(() => parseIdx(packed.slice(0, n), "file", 3)).toThrow(DataError);
  });
});

describe("batches", () => {
  const { images, labels } = makeFiles(11, 5, 7);
  const make = (options: MNISTOptions = {}) => new MNIST({ images, labels }, options);
  /** The same samples one by one: this override closes the fast path. */
  class OneByOne extends MNIST {
    override get(i: number) {
      return super.get(i);
    }
  }
  const bits = (t: Tensor) => new Uint8Array(t.toTypedArray().buffer);
  const expectSame = (fast: Dataset, slow: Dataset) => {
    const [a, b] = [fast, slow].map((d) => [...new DataLoader(d, { batchSize: 4, shuffle: true, seed: 1 })]);
    expect(a.length).toBe(b.length);
    a.forEach(([x, y], i) => {
      const [u, v] = b[i];
      expect([x.shape, x.dtype, y.shape, y.dtype]).toEqual([u.shape, u.dtype, v.shape, v.dtype]);
      expect(bits(x)).toEqual(bits(u));
      expect(bits(y)).toEqual(bits(v));
    });
  };
  const normalize = new Normalize(0.1307, 0.3081);
  const chains: [string, MNISTOptions["transform"], boolean][] = [
    ["nothing", null, true],
    ["ToTensor", new ToTensor(), true],
    ["Compose of ToTensor", new Compose([new ToTensor()]), true],
    ["ToTensor, Normalize", new Compose([new ToTensor(), normalize]), true],
    ["nested", new Compose([new Compose([new ToTensor()]), new Compose([normalize, new Normalize([0.5], [2])])]), true],
    ["an empty Compose", new Compose([]), true],
    ["a function of one image", (image: Tensor) => new ToTensor().forward(image), false],
    ["a Lambda at the end", new Compose([new ToTensor(), new Lambda((image: Tensor) => normalize(image))]), false],
  ];
  test.each(chains)("%s: bit for bit what single samples give", (_, transform, fused) => {
    const fast = make({ transform });
    expect(fast.getBatch(Int32Array.of(1)) !== null).toBe(fused);
    expectSame(fast, new OneByOne({ images, labels }, { transform }));
    expectSame(
      new Subset(fast, [10, 0, 5, 5, 3]),
      new Subset(new OneByOne({ images, labels }, { transform }), [10, 0, 5, 5, 3]),
    );
  });

  test("targetTransform", () => {
    const options = { transform: new ToTensor(), targetTransform: (label: number) => label % 2 === 0 };
    expectSame(make(options), new OneByOne({ images, labels }, options));
    const [[, y]] = new DataLoader(make(options), { batchSize: 2 });
    expect([y.dtype, y.toArray()]).toEqual(["bool", [true, false]]);
  });

  test("subclasses of transforms are heard", () => {
    class Inverted extends Normalize {
      override forward(image: Tensor): Tensor {
        expect(image.ndim).toBe(3);
        return super.forward(image);
      }
    }
    const transform = new Compose([new ToTensor(), new Inverted(0.5, -1)]);
    expect(make({ transform }).getBatch(Int32Array.of(1))).toBeNull();
    expectSame(make({ transform }), new OneByOne({ images, labels }, { transform }));
  });

  test("indices out of range", () => {
    expect(() => make().get(11)).toThrow(IndexError);
    expect(() => make().get(11)).toThrow(/MNIST: index 11 is out of range .* length 11/);
  });
});
