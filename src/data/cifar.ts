/** CIFAR-10 in its binary version. */
import { optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, DataError } from "../errors.js";
import { type FileSource, findFile, type NamedBytes, readSource } from "./files.js";
import { gunzip, isGzip } from "./gzip.js";
import { bytesTensor, ImageDataset, type ImageOptions } from "./images.js";

/** Options of `CIFAR10`. */
export interface CIFAR10Options extends ImageOptions {
  /** The five training batches, or the test batch. For a folder only. Default true. */
  train?: boolean;
}

/** torchvision's order of arguments after the first. */
const ORDER = ["train", "transform", "targetTransform"] as const;

const IMAGE = [3, 32, 32] as const;
const PIXELS = 3 * 32 * 32;
/** A label and the pixels of the red, the green and the blue plane. */
const RECORD = 1 + PIXELS;
const CLASSES = 10;
/** How bytes are passed, for error messages. */
const EXAMPLE = "[batch1, …, batch5]";

/**
 * CIFAR-10, color photographs of 32 × 32 pixels (Krizhevsky, "Learning multiple layers of features from tiny images", 2009),
 * as torchvision.datasets.CIFAR10, from the binary version (`cifar-10-binary.tar.gz`, unpacked); nothing is downloaded.
 * The Python version's files are pickles, which are not read.
 *
 * `data` is uint8 [N, 3, 32, 32], `targets` int32 [N]; a sample is `[image, label]`, the image uint8 [3, 32, 32] (a view of
 * `data`) or what `transform` makes of it, the label a number.
 *
 * @param source a folder that holds data_batch_1.bin … data_batch_5.bin and test_batch.bin (itself, or in
 * `cifar-10-batches-bin`), or a file or a list of files, whose records are taken in order: each a path or bytes, gzipped or not
 * @throws DataError naming the file, the byte offset, what was expected there and what was found, when a file is missing,
 * truncated, mislabelled, or in another format
 */
export class CIFAR10 extends ImageDataset {
  readonly classes: readonly string[] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
  ];
  readonly train: boolean;

  constructor(source: FileSource | readonly FileSource[], ...rest: Trailing<CIFAR10Options, typeof ORDER>) {
    const where = "CIFAR10";
    const options = optionsOf<CIFAR10Options>(where, rest, ORDER);
    const train = options.train ?? true;
    if (typeof train !== "boolean") {
      throw new ArgumentError(`${where}: train must be true or false, found ${show(train)}`);
    }
    const files = sourcesOf(source, train, where).map((file, i) =>
      parse(readSource(file, `file ${i}`, where, EXAMPLE), where),
    );
    const count = files.reduce((sum, { length }) => sum + length / RECORD, 0);
    const pixels = new Uint8Array(count * PIXELS);
    const labels = new Uint8Array(count);
    let i = 0;
    for (const bytes of files) {
      for (let at = 0; at < bytes.length; at += RECORD) {
        labels[i] = bytes[at];
        pixels.set(bytes.subarray(at + 1, at + RECORD), i * PIXELS);
        i++;
      }
    }
    super(
      bytesTensor(pixels, [count, ...IMAGE], "uint8", where),
      bytesTensor(labels, [count], "int32", where),
      IMAGE,
      where,
      options,
    );
    this.train = train;
  }

  /** Numbers of the classes by name. */
  get classToIdx(): Record<string, number> {
    return Object.fromEntries(this.classes.map((name, i) => [name, i]));
  }
}

/** The files themselves: those of a folder, when the source is one. */
function sourcesOf(source: unknown, train: boolean, where: string): readonly FileSource[] {
  if (Array.isArray(source)) {
    if (source.length > 0) return source;
    throw new ArgumentError(`${where}: expected at least one file, found an empty list`);
  }
  if (typeof source !== "string" || /\.(bin|gz)$/.test(source)) return [source as FileSource];
  const base = source === "" ? "." : source.replace(/(?<=.)\/+$/, "");
  const folders = [base, `${base}/cifar-10-batches-bin`, `${base}/data`];
  const parts = train ? [1, 2, 3, 4, 5].map((n) => `data_batch_${n}`) : ["test_batch"];
  return parts.map((part) => findFile(folders, [`${part}.bin`, `${part}.bin.gz`, part], where, EXAMPLE));
}

/** The records of a file. @throws DataError */
function parse({ name, bytes: file }: NamedBytes, where: string): Uint8Array {
  const packed = isGzip(file);
  const bytes = packed ? gunzip(file, `${where}: ${name}`) : file;
  const fail = (offset: number, expected: string, found: string): never => {
    throw new DataError(
      `${where}: ${name}: at byte ${offset}${packed ? " of the unpacked content" : ""}: expected ${expected}, found ${found}`,
    );
  };
  // A pickle of protocol 2 and above begins with 0x80 and its number: no label.
  if (bytes[0] === 0x80 && bytes[1] <= 5) {
    fail(
      0,
      "a label of 0 to 9",
      "a Python pickle: this is CIFAR-10's Python version; take the binary version, cifar-10-binary.tar.gz, unpacked",
    );
  }
  if (isTar(bytes)) fail(257, "records of a label and 3072 pixels", "a tar archive; unpack it and pass its .bin files");
  for (let at = 0; at < bytes.length; at += RECORD) {
    if (bytes[at] >= CLASSES) fail(at, "a label of 0 to 9", `${bytes[at]} (record ${at / RECORD})`);
  }
  const over = bytes.length % RECORD;
  if (over !== 0 || bytes.length === 0) {
    fail(
      bytes.length,
      `a multiple of ${RECORD} bytes (records of a label and 3072 pixels)`,
      `the end of the file: it has ${bytes.length} bytes, ${
        bytes.length < RECORD ? "less than one record" : `${over} more than ${(bytes.length - over) / RECORD} records`
      } (truncated)`,
    );
  }
  return bytes;
}

const isTar = (bytes: Uint8Array): boolean => String.fromCharCode(...bytes.subarray(257, 262)) === "ustar";
