/** Datasets: what has a length and gives a sample by its index, as torch.utils.data.Dataset. */

import { checkOptions, inPlaces, show } from "../arguments.js";
import { ArgumentError, IndexError, ShapeError } from "../errors.js";
import { Generator } from "../generator.js";
import { isGradEnabled } from "../grad-mode.js";
import { select } from "../ops/view.js";
import { randperm } from "../random.js";
import { formatShape } from "../shape.js";
import { Kind, promote } from "../storage.js";
import { Tensor } from "../tensor.js";
import { gatherRows } from "./rows.js";

/** All that a loader asks of a dataset: any object with a length and a `get` will do. */
export interface DatasetLike<Sample = any> {
  readonly length: number;
  get(index: number): Sample;
}

/** A dataset that may know how to make a whole batch faster than sample by sample. */
export interface BatchSource extends DatasetLike {
  /**
   * @internal The samples of these indices (in [0, length)) collated, or null when they must be got one by one. An
   * override of `get` in a subclass must be heard, so implementations look whether `get` is still their own.
   */
  getBatch?(indices: Int32Array): unknown[] | null;
}

/**
 * Base of datasets. A subclass defines `length` and `get(i)`, which returns one sample, most often `[input, label]`.
 * Iterating over a dataset gives its samples in order.
 */
export abstract class Dataset<Sample = any> implements BatchSource, Iterable<Sample> {
  /** Number of samples. */
  abstract readonly length: number;

  /** The sample at an index. */
  abstract get(index: number): Sample;

  /** @internal */
  getBatch(_indices: Int32Array): unknown[] | null {
    return null;
  }

  *[Symbol.iterator](): Iterator<Sample> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }
}

/** An index from the end when negative. @throws IndexError unless it is a whole number in [−length, length). */
export function normalizeIndex(index: number, length: number, where: string): number {
  if (!Number.isInteger(index) || index < -length || index >= length) {
    const range = length === 0 ? "it is empty" : `its indices go from ${-length} to ${length - 1}`;
    throw new IndexError(`${where}: index ${index} is out of range for a dataset of length ${length}: ${range}`);
  }
  return index < 0 ? index + length : index;
}

/** @throws ArgumentError unless it has a length and a get. */
export function checkDataset(dataset: unknown, where: string): void {
  const { length, get } = (dataset ?? {}) as Partial<DatasetLike>;
  if (typeof get === "function" && Number.isInteger(length) && (length as number) >= 0) return;
  const hint = dataset instanceof Tensor ? "; wrap tensors in new TensorDataset(inputs, labels)" : "";
  throw new ArgumentError(
    `${where}: dataset must have a length and a get(i), found ${
      typeof get === "function" ? `length ${String(length)}` : dataset === null ? "null" : typeof dataset
    }${hint}`,
  );
}

/**
 * Samples that are rows of tensors: sample i is [t₀[i], t₁[i], …].
 *
 * @throws ShapeError for tensors without dims or whose first sizes differ
 */
export class TensorDataset extends Dataset<Tensor[]> {
  readonly tensors: readonly Tensor[];
  /** Contiguous copies of tensors that are not, with the version they were made of. */
  private readonly copies = new Map<Tensor, { version: number; copy: Tensor }>();

  constructor(...tensors: Tensor[]) {
    super();
    if (tensors.length === 0) throw new ArgumentError("TensorDataset: expected at least one tensor");
    tensors.forEach((t, i) => {
      if (!(t instanceof Tensor)) {
        const found = Array.isArray(t) ? "an array (tensors are separate arguments)" : t === null ? "null" : typeof t;
        throw new ArgumentError(`TensorDataset: argument ${i + 1} must be a Tensor, found ${found}`);
      }
      if (t.ndim === 0)
        throw new ShapeError(`TensorDataset: tensor ${i} is 0-d: a dataset needs a first dim of samples`);
      if (t.shape[0] !== tensors[0].shape[0]) {
        throw new ShapeError(
          `TensorDataset: sizes of the first dim differ: tensor 0 is ${formatShape(tensors[0].shape)}, ` +
            `tensor ${i} is ${formatShape(t.shape)}`,
        );
      }
    });
    // What a dataset holds is data, even if an op made it.
    for (const t of tensors) promote(t.block, Kind.Data);
    this.tensors = tensors;
  }

  get length(): number {
    return this.tensors[0].shape[0];
  }

  get(index: number): Tensor[] {
    const i = normalizeIndex(index, this.length, "TensorDataset");
    return this.tensors.map((t) => select(t, 0, i));
  }

  /** @internal */
  override getBatch(indices: Int32Array): Tensor[] | null {
    if (this.get !== TensorDataset.prototype.get) return null;
    // Gradients go through stack().
    if (isGradEnabled() && this.tensors.some((t) => t.requiresGrad)) return null;
    return this.tensors.map((t) => gatherRows(this.contiguous(t), indices));
  }

  private contiguous(t: Tensor): Tensor {
    if (t.isContiguous()) return t;
    const { version } = t.block;
    let entry = this.copies.get(t);
    if (entry?.version !== version) {
      entry = { version, copy: t.detach().clone().keep() };
      this.copies.set(t, entry);
    }
    return entry.copy;
  }
}

type Indices = readonly number[] | Int32Array | Tensor;

/**
 * The samples of another dataset at some indices.
 *
 * @throws IndexError for an index the dataset does not have; negative ones count from the end
 */
export class Subset<Sample = any> extends Dataset<Sample> {
  readonly indices: Int32Array;

  constructor(
    readonly dataset: DatasetLike<Sample>,
    given: Indices | { indices: Indices },
  ) {
    super();
    checkDataset(dataset, "Subset");
    const [indices] = inPlaces([given as Indices], ["indices"]);
    const list = indices instanceof Tensor ? indices.toTypedArray() : indices;
    this.indices = new Int32Array(list.length);
    for (let i = 0; i < list.length; i++) this.indices[i] = normalizeIndex(list[i], dataset.length, "Subset");
  }

  get length(): number {
    return this.indices.length;
  }

  get(index: number): Sample {
    return this.dataset.get(this.indices[normalizeIndex(index, this.length, "Subset")]);
  }

  /** @internal */
  override getBatch(indices: Int32Array): unknown[] | null {
    if (this.get !== Subset.prototype.get) return null;
    return (this.dataset as BatchSource).getBatch?.(indices.map((i) => this.indices[i])) ?? null;
  }
}

/** Lengths from fractions, as torch.utils.data.random_split: rounded down, what remains goes to the first ones. */
function lengthsOf(fractions: readonly number[], n: number): number[] {
  fractions.forEach((fraction, i) => {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new ArgumentError(`randomSplit: fraction ${fraction} at index ${i} is not between 0 and 1`);
    }
  });
  const lengths = fractions.map((fraction) => Math.floor(n * fraction));
  const rest = n - lengths.reduce((a, b) => a + b, 0);
  for (let i = 0; i < rest; i++) lengths[i % lengths.length]++;
  return lengths;
}

/** Options of `randomSplit`. */
export interface RandomSplitOptions {
  seed?: number | bigint;
  generator?: Generator;
}

/**
 * Splits a dataset at random into subsets of these lengths, or of these fractions of its length when they sum to 1.
 * The order is torch.utils.data.random_split's.
 *
 * @param options.seed draw from a generator of this seed; otherwise from the default one, which `manualSeed` governs
 * @param options.generator draw from this generator, in place of one of a seed; may stand in the options' place, as in PyTorch
 * @throws ArgumentError when the lengths do not sum to the dataset's
 */
export function randomSplit<Sample = any>(
  dataset: DatasetLike<Sample>,
  lengths: readonly number[],
  options?: RandomSplitOptions | Generator,
): Subset<Sample>[];
export function randomSplit<Sample = any>(
  dataset: DatasetLike<Sample>,
  named: { lengths: readonly number[] } & RandomSplitOptions,
): Subset<Sample>[];
export function randomSplit<Sample = any>(dataset: DatasetLike<Sample>, ...args: any[]): Subset<Sample>[] {
  const [lengths, options = {}] = inPlaces<[readonly number[], (RandomSplitOptions | Generator)?]>(args, ["lengths"]);
  checkDataset(dataset, "randomSplit");
  const { seed, generator } = options instanceof Generator ? { generator: options } : options;
  if (!(options instanceof Generator)) checkOptions("randomSplit", options, ["seed", "generator"]);
  if (!Array.isArray(lengths)) {
    throw new ArgumentError(`randomSplit: lengths must be a list of numbers, found ${show(lengths)}`);
  }
  const n = dataset.length;
  const total = lengths.reduce((a, b) => a + b, 0);
  const fractional = Math.abs(total - 1) <= 1e-9 && total <= 1;
  const sizes = fractional ? lengthsOf(lengths, n) : lengths;
  if (!sizes.every((size) => Number.isInteger(size) && size >= 0) || sizes.reduce((a, b) => a + b, 0) !== n) {
    throw new ArgumentError(
      `randomSplit: lengths [${lengths.join(", ")}] sum to ${total}, expected whole numbers that sum to the dataset's ` +
        `length ${n}, or fractions that sum to 1`,
    );
  }
  const order = randperm(n, seed === undefined ? generator : new Generator(seed));
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return new Subset(dataset, order.subarray(start - size, start));
  });
}
