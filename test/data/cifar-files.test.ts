/** CIFAR-10's binary files on a disk: where they are found, and what is said of missing ones. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "fflate";
import { afterAll, expect, test } from "vitest";
import { CIFAR10 } from "../../src/data/index.js";
import { DataError } from "../../src/errors.js";
import { batches, makeFile } from "./cifar.js";

const folder = mkdtempSync(join(tmpdir(), "lanegrad-cifar-"));
afterAll(() => rmSync(folder, { recursive: true }));
const labelsOf = (d: CIFAR10) => Array.from(d.targets.toTypedArray());

mkdirSync(join(folder, "cifar-10-batches-bin"));
batches.forEach((file, i) => {
  writeFileSync(join(folder, `cifar-10-batches-bin/data_batch_${i + 1}.bin`), file);
});
writeFileSync(join(folder, "cifar-10-batches-bin/test_batch.bin.gz"), gzipSync(makeFile(2, 7)));

test("five training batches and the test batch of a folder", () => {
  const train = new CIFAR10(folder);
  expect([train.length, train.data.dtype, train.data.shape]).toEqual([15, "uint8", [15, 3, 32, 32]]);
  expect(train.targets.dtype).toBe("int32");
  expect(labelsOf(train)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4]);
  const [image, label] = train.get(4);
  expect([image.shape, image.dtype, label]).toEqual([[3, 32, 32], "uint8", 4]);
  expect(image.toTypedArray()).toEqual(batches[1].slice(3073 + 1, 2 * 3073));
  for (const root of [`${folder}/`, join(folder, "cifar-10-batches-bin")]) {
    expect(labelsOf(new CIFAR10(root, { train: false }))).toEqual([7, 8]);
    expect(labelsOf(new CIFAR10(root, false))).toEqual([7, 8]);
  }
  expect([train.classes.length, train.classes[6], train.classToIdx.truck, train.train]).toEqual([10, "frog", 9, true]);
});

test("paths and lists of them", () => {
  const path = join(folder, "cifar-10-batches-bin/data_batch_3.bin");
  for (const source of [path, pathToFileURL(path), [path]]) {
    expect(labelsOf(new CIFAR10(source as any))).toEqual([6, 7, 8]);
  }
  expect(labelsOf(new CIFAR10([batches[1], path]))).toEqual([3, 4, 5, 6, 7, 8]);
});

test("what is missing is named, with where it was looked for", () => {
  expect(() => new CIFAR10(join(folder, "nowhere"))).toThrow(DataError);
  expect(() => new CIFAR10(join(folder, "nowhere"))).toThrow(
    /CIFAR10: found no data_batch_1.bin \(nor data_batch_1.bin.gz.*\) in .*nowhere, .*\/cifar-10-batches-bin.*\[batch1, …, batch5\]/,
  );
});
