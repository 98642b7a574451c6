/** CIFAR-10's binary format: what is refused, and augmented batches. (Files on a disk: cifar-files.test.ts.) */
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { CIFAR10, type CIFAR10Options, DataLoader, type Dataset, Subset } from "../../src/data/index.js";
import { ArgumentError, DataError, IndexError } from "../../src/errors.js";
import { manualSeed } from "../../src/generator.js";
import { Tensor } from "../../src/methods.js";
import { randint } from "../../src/ops/create.js";
import * as transforms from "../../src/transforms/index.js";
import { digest } from "../support/digest.js";
import { batches } from "./cifar.js";

const { Compose, Lambda, Normalize, RandomCrop, RandomHorizontalFlip, RandomVerticalFlip, ToTensor } = transforms;

const labelsOf = (d: CIFAR10) => Array.from(d.targets.toTypedArray());

describe("files", () => {
  test("bytes, and lists of them", () => {
    for (const source of [batches[2], batches[2].slice().buffer, gzipSync(batches[2])]) {
      expect(labelsOf(new CIFAR10(source as any))).toEqual([6, 7, 8]);
    }
    expect(labelsOf(new CIFAR10([batches[1], batches[2]]))).toEqual([3, 4, 5, 6, 7, 8]);
  });

  test("wrong arguments", () => {
    expect(() => new CIFAR10([])).toThrow(ArgumentError);
    expect(() => new CIFAR10(3 as any)).toThrow(/CIFAR10: file 0 must be a path, a Uint8Array/);
    expect(() => new CIFAR10(batches[0], { transform: 3 as any })).toThrow(
      /transform must be a transform or a function/,
    );
    expect(() => new CIFAR10(batches[0], { train: 1 as any })).toThrow(/train must be true or false, found 1/);
    expect(() => new CIFAR10(batches[0]).get(3)).toThrow(IndexError);
  });

  const changed = (at: number, ...values: number[]) => {
    const copy = batches[0].slice();
    copy.set(values, at);
    return copy;
  };
  const refused: [string, Uint8Array, RegExp][] = [
    [
      "a cut file",
      batches[0].slice(0, -1),
      /file 0 \(bytes\): at byte 9218: expected a multiple of 3073 bytes .* 3072 more than 2 records \(truncated\)/,
    ],
    ["less than a record", batches[0].slice(0, 9), /it has 9 bytes, less than one record/],
    ["an empty file", new Uint8Array(), /at byte 0: expected a multiple of 3073/],
    ["a label that is no class", changed(3073, 10), /at byte 3073: expected a label of 0 to 9, found 10 \(record 1\)/],
    ["the Python version", changed(0, 0x80, 2), /a Python pickle: .* take the binary version, cifar-10-binary.tar.gz/],
    ["an archive", changed(257, ...new TextEncoder().encode("ustar")), /a tar archive; unpack it/],
    ["a cut gzip stream", gzipSync(batches[0]).slice(0, -9), /file 0 \(bytes\): at byte .* \(gzip; is the file cut/],
    [
      "a bad file in gzip",
      gzipSync(changed(6146, 77)),
      /at byte 6146 of the unpacked content: .* found 77 \(record 2\)/,
    ],
  ];
  test.each(refused)("%s is refused", (_, file, message) => {
    expect(() => new CIFAR10(file)).toThrow(DataError);
    expect(() => new CIFAR10(file)).toThrow(message);
    expect(() => new CIFAR10([batches[0], file])).toThrow(/^CIFAR10: file 1/);
  });
});

describe("augmented batches", () => {
  class OneByOne extends CIFAR10 {
    override get(i: number) {
      return super.get(i);
    }
  }
  const bits = (t: Tensor) => [t.dtype, t.shape, digest(t)];
  const normalize = new Normalize([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]);
  const chains: [string, CIFAR10Options["transform"], boolean][] = [
    [
      "the article's",
      new Compose([new RandomCrop(32, { padding: 4 }), new RandomHorizontalFlip(), new ToTensor(), normalize]),
      true,
    ],
    ["a single one", new RandomVerticalFlip(), true],
    ["not fused", new Compose([new ToTensor(), new RandomCrop(28), new RandomHorizontalFlip(), normalize]), true],
    [
      "some in front",
      new Compose([new RandomCrop(30), new ToTensor(), new RandomVerticalFlip(), new RandomCrop(9)]),
      true,
    ],
    [
      "with a function",
      new Compose([new RandomCrop(30), new Lambda((x: Tensor) => x), new RandomHorizontalFlip()]),
      false,
    ],
  ];
  test.each(chains)("%s: bit for bit what single samples give, and the same draws", (_, transform, whole) => {
    const run = (dataset: Dataset) => {
      manualSeed(11);
      const out = [...new DataLoader(dataset, { batchSize: 4, shuffle: true })].map(([x, y]) => [bits(x), bits(y)]);
      return [out, randint(0, 2 ** 30, [1]).item()];
    };
    const fast = new CIFAR10(batches, { transform });
    expect(fast.getBatch(Int32Array.of(1)) !== null).toBe(whole);
    const slow = new OneByOne(batches, { transform });
    expect(run(fast)).toEqual(run(slow));
    expect(run(new Subset(fast, [9, 0, 4, 4, 1]))).toEqual(run(new Subset(slow, [9, 0, 4, 4, 1])));
  });

  test("a batch transform of one's own may change shapes in between", () => {
    class Half extends transforms.Transform {
      static override readonly takesBatches = true;
      forward(x: Tensor): Tensor {
        return x.at("...", "::2", "::2");
      }
    }
    const transform = new Compose([new RandomCrop(30), new Half(), new RandomCrop(12), new RandomHorizontalFlip()]);
    const dataset = new CIFAR10(batches, { transform });
    const [[x]] = new DataLoader(dataset, { batchSize: 15 });
    expect(x).toBeInstanceOf(Tensor);
    expect([x.dtype, x.shape]).toEqual(["uint8", [15, 3, 12, 12]]);
  });

  test("a crop that is larger than the images is refused", () => {
    const dataset = new CIFAR10(batches, { transform: new Compose([new RandomCrop(33), new ToTensor()]) });
    expect(() => [...new DataLoader(dataset, { batchSize: 4 })]).toThrow(
      /RandomCrop: the crop of 33×33 is larger than the image of 32×32/,
    );
  });
});
