/** DataLoader: batches of a dataset, as torch.utils.data.DataLoader with num_workers=0. */

import { optionsOf, type Trailing } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { dataLoaderOrder, drawBaseSeed, endDataLoaderOrder, Generator } from "../random.js";
import { Kind, promote } from "../storage.js";
import { Tensor } from "../tensor.js";
import { collateAs } from "./collate.js";
import { type BatchSource, checkDataset, type DatasetLike } from "./dataset.js";

/** Options of `DataLoader`. */
export interface DataLoaderOptions<Sample = any, Batch = any> {
  /** Samples a batch; the last one may be smaller. Default 1. */
  batchSize?: number;
  /** A new random order every epoch. Default false. */
  shuffle?: boolean;
  /** Leave out a last batch that is smaller than the others. Default false. */
  dropLast?: boolean;
  /** Shuffle from a generator of one's own, so that the same seed gives the same epochs; otherwise from the default one. */
  seed?: number | bigint;
  /** Makes a batch of samples. Default: `collate`. */
  collate?: (samples: Sample[]) => Batch;
}

/** PyTorch's order of arguments after the dataset. */
const ORDER = ["batchSize", "shuffle"] as const;

/** A batch has the structure of a sample: `[input, label]` become `[inputs, labels]`. */
export type DefaultBatch = [inputs: Tensor, labels: Tensor, ...rest: Tensor[]];

/**
 * Batches of a dataset. Each `for…of` over it is one epoch, and gives what `collate` makes of the samples: for samples
 * `[input, label]` pairs `[inputs, labels]`. Batches are durable: they are never reclaimed.
 *
 * The order of shuffling is PyTorch's, and so is what an epoch draws from the generators: after `manualSeed(s)` a program
 * sees the batches, and then the random numbers, that it sees there.
 *
 * @throws ArgumentError for a batchSize that is not a positive whole number, and for shuffling an empty dataset
 */
export class DataLoader<Sample = any, Batch = DefaultBatch> implements Iterable<Batch> {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  private readonly collate: ((samples: Sample[]) => Batch) | null;
  private readonly generator: Generator | undefined;

  constructor(
    readonly dataset: DatasetLike<Sample>,
    ...rest: Trailing<DataLoaderOptions<Sample, Batch>, typeof ORDER>
  ) {
    const {
      batchSize = 1,
      shuffle = false,
      dropLast = false,
      seed,
      collate,
    } = optionsOf<DataLoaderOptions<Sample, Batch>>("DataLoader", rest, ORDER, ["dropLast", "seed", "collate"]);
    checkDataset(dataset, "DataLoader");
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`DataLoader: batchSize must be a positive whole number, found ${String(batchSize)}`);
    }
    if (collate !== undefined && typeof collate !== "function") {
      throw new ArgumentError(`DataLoader: collate must be a function of a list of samples, found ${typeof collate}`);
    }
    if (shuffle && dataset.length === 0) {
      throw new ArgumentError("DataLoader: shuffle needs at least one sample, found a dataset of length 0");
    }
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.collate = collate ?? null;
    this.generator = seed === undefined ? undefined : new Generator(seed);
  }

  /** Batches an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Batch> {
    const { batchSize, generator } = this;
    const n = this.dataset.length;
    const order = this.beginEpoch(n);
    let start = 0;
    for (; start + batchSize <= n; start += batchSize) yield this.load(order.subarray(start, start + batchSize));
    // PyTorch's sampler is asked for one index more before a smaller batch, and at the end.
    if (this.shuffle) endDataLoaderOrder(n, generator);
    if (start < n && !this.dropLast) yield this.load(order.subarray(start));
  }

  private beginEpoch(n: number): Int32Array {
    if (this.shuffle) return dataLoaderOrder(n, this.generator);
    drawBaseSeed(this.generator);
    return Int32Array.from({ length: n }, (_, i) => i);
  }

  private load(indices: Int32Array): Batch {
    if (this.collate === null) {
      const made = (this.dataset as BatchSource).getBatch?.(indices) ?? null;
      if (made !== null) return made as Batch;
    }
    const samples = Array.from(indices, (i) => this.dataset.get(i));
    if (this.collate === null) return collateAs(samples, (i) => `sample ${indices[i]}`);
    const batch = this.collate(samples);
    makeDurable(batch);
    return batch;
  }
}

/** What a user's collate made with ops is data now. */
function makeDurable(batch: unknown): void {
  if (batch instanceof Tensor) promote(batch.block, Kind.Data);
  else if (Array.isArray(batch)) batch.forEach(makeDurable);
  else if (typeof batch === "object" && batch !== null && Object.getPrototypeOf(batch) === Object.prototype) {
    Object.values(batch).forEach(makeDurable);
  }
}
