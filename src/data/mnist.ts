/** MNIST and what comes in its format. */

import { optionsOf, type Trailing } from "../arguments.js";
import { DataError } from "../errors.js";
import { type FileSource, findFile, type NamedBytes, readSource } from "./files.js";
import { type IdxArray, parseIdx } from "./idx.js";
import { bytesTensor, ImageDataset, type ImageOptions } from "./images.js";

/** The two files themselves: paths or bytes, plain or gzipped. */
export interface ImageFiles {
  images: FileSource;
  labels: FileSource;
}

/** Options of `MNIST`. */
export interface MNISTOptions extends ImageOptions {
  /** The training set, or the test set (`t10k-…`). For a folder only. Default true. */
  train?: boolean;
}

/** torchvision's order of arguments after the first. */
const ORDER = ["train", "transform", "targetTransform"] as const;

/** "train-images-idx3-ubyte", and as it is also written, each with and without .gz. */
function fileNames(part: string, dims: number): string[] {
  const names = [`${part}-idx${dims}-ubyte`, `${part}.idx${dims}-ubyte`];
  return names.flatMap((name) => [name, `${name}.gz`]);
}

/** Where torchvision keeps a dataset, and where people put the files. */
const foldersIn = (root: string, name: string): string[] => {
  const base = root === "" ? "." : root.replace(/(?<=.)\/+$/, "");
  return [base, `${base}/${name}/raw`, `${base}/data`];
};

/**
 * MNIST, handwritten digits of 28 × 28 pixels (LeCun, Bottou, Bengio & Haffner, "Gradient-based learning applied to
 * document recognition", Proc. IEEE 1998), as torchvision.datasets.MNIST; nothing is downloaded.
 *
 * `data` is uint8 [N, 28, 28], `targets` int32 [N]; a sample is `[image, label]`, the image uint8 [1, 28, 28] (a view of
 * `data`) or what `transform` makes of it, the label a number.
 *
 * @param source a folder that holds the files (itself, or in `MNIST/raw` or `data`), or the files: `{ images, labels }`,
 * each a path or bytes, gzipped or not
 * @throws DataError naming the file, the byte offset, what was expected there and what was found, when a file is
 * missing, truncated, corrupt, mislabelled, or of another count than its companion
 */
export class MNIST extends ImageDataset {
  /** In error messages, and in the folder `MNIST/raw`. */
  static readonly datasetName: string = "MNIST";
  readonly classes: readonly string[] = [
    "0 - zero",
    "1 - one",
    "2 - two",
    "3 - three",
    "4 - four",
    "5 - five",
    "6 - six",
    "7 - seven",
    "8 - eight",
    "9 - nine",
  ];
  readonly train: boolean;

  constructor(source: string | ImageFiles, ...rest: Trailing<MNISTOptions, typeof ORDER>) {
    const where = new.target.datasetName;
    const options = optionsOf<MNISTOptions>(new.target.datasetName, rest, ORDER);
    const train = options.train ?? true;
    const files = typeof source === "string" ? filesIn(source, train, where) : source;
    if (typeof files !== "object" || files === null) {
      throw new TypeError(`${where}: expected a folder or the files { images, labels }, found ${String(files)}`);
    }
    const images = parse(readSource(files.images, "images", where), 3, where);
    const labels = parse(readSource(files.labels, "labels", where), 1, where);
    checkTogether(images, labels, where);
    const [count, height, width] = images.shape;
    super(
      bytesTensor(images.data, [count, height, width], "uint8", where),
      bytesTensor(labels.data, [count], "int32", where),
      [1, height, width],
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

/** Fashion-MNIST, articles of clothing in MNIST's format (Xiao, Rasul & Vollgraf, arXiv:1708.07747, 2017). */
export class FashionMNIST extends MNIST {
  static override readonly datasetName = "FashionMNIST";
  override readonly classes: readonly string[] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
  ];
}

function filesIn(root: string, train: boolean, where: string): ImageFiles {
  const part = train ? "train" : "t10k";
  const folders = foldersIn(root, where);
  return {
    images: findFile(folders, fileNames(`${part}-images`, 3), where),
    labels: findFile(folders, fileNames(`${part}-labels`, 1), where),
  };
}

type Parsed = IdxArray & { name: string };

const parse = ({ name, bytes }: NamedBytes, dims: number, where: string): Parsed => ({
  ...parseIdx(bytes, `${where}: ${name}`, dims),
  name: `${where}: ${name}`,
});

/** @throws DataError unless there are as many labels as images, and all are classes. */
function checkTogether(images: Parsed, labels: Parsed, where: string): void {
  if (images.shape[0] !== labels.shape[0]) {
    throw new DataError(
      `${labels.name}: at byte 4: expected ${images.shape[0]} labels, as many as there are images in ` +
        `${images.name.slice(where.length + 2)}, found ${labels.shape[0]}; do the two files belong together?`,
    );
  }
  const bad = labels.data.findIndex((label) => label > 9);
  if (bad >= 0) {
    throw new DataError(
      `${labels.name}: at byte ${labels.offset + bad}: expected a label of 0 to 9, found ${labels.data[bad]} (sample ${bad})`,
    );
  }
}
