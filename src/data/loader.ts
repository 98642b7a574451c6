/** DataLoader: batches of a dataset, as torch.utils.data.DataLoader with num_workers=0. */

import { inPlaces, isOptions, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { ArgumentError, StateDictError } from "../errors.js";
import { defaultGenerator, Generator } from "../generator.js";
import { dataLoaderOrder, drawBaseSeed, endDataLoaderOrder, repeatLoaderOrder } from "../random.js";
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
  /** Shuffle from this generator, in place of one of `seed`. */
  generator?: Generator;
  /** Makes a batch of samples. Default: `collate`. */
  collate?: (samples: Sample[]) => Batch;
  /** `collate`, under PyTorch's name. */
  collateFn?: (samples: Sample[]) => Batch;
  /** Taken, as in PyTorch, and makes no difference: batches are made when they are asked for. */
  numWorkers?: number;
  /** Taken, as in PyTorch, and makes no difference. */
  pinMemory?: boolean;
  /** Taken, as in PyTorch, and makes no difference. */
  persistentWorkers?: boolean;
}

/** PyTorch's order of arguments after the dataset. */
const ORDER = ["batchSize", "shuffle"] as const;

/** Where a loader stands: what `stateDict()` gives. */
export interface DataLoaderState {
  /** Samples that the epoch under way has given; null between epochs. */
  position: number | null;
  /** The state of the generator that the epoch's order was drawn from, before it was; null when nothing is shuffled. */
  began: Uint8Array | null;
  /** The state of the loader's own generator (option `seed`); null when it draws from the default one. */
  generator: Uint8Array | null;
  /** What the order and the position depend on. */
  samples: number;
  batchSize: number;
  dropLast: boolean;
  shuffle: boolean;
}

/** An epoch under way. */
interface Epoch {
  order: Int32Array;
  began: Uint8Array | null;
  position: number;
}

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
  readonly dataset: DatasetLike<Sample>;
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly dropLast: boolean;
  private readonly collate: ((samples: Sample[]) => Batch) | null;
  private readonly generator: Generator | undefined;
  /** The latest epoch, until it is over; where `loadStateDict` has put one, the next iteration goes on with it. */
  private epoch: Epoch | null = null;
  private resumes = false;

  constructor(dataset: DatasetLike<Sample>, ...rest: Trailing<DataLoaderOptions<Sample, Batch>, typeof ORDER>);
  constructor(...named: Named<{ dataset: DatasetLike<Sample> }, ["dataset"], DataLoaderOptions<Sample, Batch>>);
  constructor(...args: readonly unknown[]) {
    const named = isOptions(args[0]) && "dataset" in args[0];
    const [dataset, ...rest] = (named ? inPlaces(args, ["dataset"]) : args) as [DatasetLike<Sample>, ...unknown[]];
    const options = optionsOf<DataLoaderOptions<Sample, Batch>>("DataLoader", rest, ORDER, [
      ...(["dropLast", "seed", "generator", "collate", "collateFn"] as const),
      ...(["numWorkers", "pinMemory", "persistentWorkers"] as const),
    ]);
    const { batchSize = 1, shuffle = false, dropLast = false, seed, generator } = options;
    const collate = options.collate ?? options.collateFn;
    checkDataset(dataset, "DataLoader");
    if (generator !== undefined && !(generator instanceof Generator)) {
      throw new ArgumentError(`DataLoader: generator must be a Generator, found ${show(generator)}; or give a seed`);
    }
    if (generator !== undefined && seed !== undefined) {
      throw new ArgumentError("DataLoader: give either seed or generator, found both of them");
    }
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new ArgumentError(`DataLoader: batchSize must be a positive whole number, found ${String(batchSize)}`);
    }
    if (collate !== undefined && typeof collate !== "function") {
      throw new ArgumentError(`DataLoader: collate must be a function of a list of samples, found ${typeof collate}`);
    }
    if (shuffle && dataset.length === 0) {
      throw new ArgumentError("DataLoader: shuffle needs at least one sample, found a dataset of length 0");
    }
    this.dataset = dataset;
    this.batchSize = batchSize;
    this.shuffle = shuffle;
    this.dropLast = dropLast;
    this.collate = collate ?? null;
    this.generator = seed === undefined ? generator : new Generator(seed);
  }

  /** Batches an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  *[Symbol.iterator](): Iterator<Batch> {
    const { batchSize, generator } = this;
    const epoch = this.resumes ? (this.epoch as Epoch) : this.beginEpoch();
    this.resumes = false;
    this.epoch = epoch;
    const { order } = epoch;
    const n = order.length;
    const fullBatches = n - (n % batchSize);
    while (epoch.position < fullBatches) {
      const start = epoch.position;
      epoch.position += batchSize;
      yield this.load(order.subarray(start, start + batchSize));
    }
    if (epoch.position === fullBatches) {
      // PyTorch's sampler is asked for one index more before a smaller batch, and at the end.
      if (this.shuffle) endDataLoaderOrder(n, generator);
      epoch.position = n;
      if (fullBatches < n && !this.dropLast) yield this.load(order.subarray(fullBatches));
    }
    if (this.epoch === epoch) this.epoch = null;
  }

  private beginEpoch(): Epoch {
    const n = this.dataset.length;
    if (this.shuffle) {
      const began = (this.generator ?? defaultGenerator()).getState();
      return { order: dataLoaderOrder(n, this.generator), began, position: 0 };
    }
    drawBaseSeed(this.generator);
    return { order: inOrder(n), began: null, position: 0 };
  }

  /**
   * Where the loader stands, as StatefulDataLoader of torchdata: which epoch order, how much of it has been given, and its own
   * generator. Loaders that draw from the default generator (no `seed`) go on exactly when its state is restored as well.
   */
  stateDict(): DataLoaderState {
    const { epoch, generator, batchSize, dropLast, shuffle } = this;
    return {
      position: epoch?.position ?? null,
      began: epoch?.began ?? null,
      generator: generator?.getState() ?? null,
      samples: this.dataset.length,
      batchSize,
      dropLast,
      shuffle,
    };
  }

  /**
   * Goes where a `stateDict()` was taken: the next iteration gives the batches that were still to come.
   *
   * @throws StateDictError when the dataset's length, batchSize, shuffle, dropLast or seed are others; nothing has then changed
   */
  loadStateDict(dict: DataLoaderState): void {
    const { dataset, batchSize, dropLast, shuffle, generator } = this;
    const own = { samples: dataset.length, batchSize, dropLast, shuffle, seed: generator !== undefined };
    const found = { ...dict, seed: dict?.generator != null };
    for (const [name, value] of Object.entries(own)) {
      const given = (found as Record<string, unknown>)[name];
      if (given === value) continue;
      throw new StateDictError(
        `loadStateDict: DataLoader: ${name} is ${String(given)} in the state dict, ${String(value)} in the loader`,
      );
    }
    const { position, began } = dict;
    if (position !== null && !(Number.isInteger(position) && position >= 0 && position <= dataset.length)) {
      throw new StateDictError(
        `loadStateDict: DataLoader: position must be between 0 and ${dataset.length}, found ${position}`,
      );
    }
    if (position !== null && shuffle && !(began instanceof Uint8Array)) {
      throw new StateDictError("loadStateDict: DataLoader: began is missing, the state that the order was drawn from");
    }
    const n = dataset.length;
    const order = began === null ? inOrder(n) : repeatLoaderOrder(n, began, generator !== undefined);
    if (dict.generator !== null) generator?.setState(dict.generator);
    this.resumes = position !== null;
    this.epoch = position === null ? null : { order, began, position };
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

const inOrder = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

/** What a user's collate made with ops is data now. */
function makeDurable(batch: unknown): void {
  if (batch instanceof Tensor) promote(batch.block, Kind.Data);
  else if (Array.isArray(batch)) batch.forEach(makeDurable);
  else if (typeof batch === "object" && batch !== null && Object.getPrototypeOf(batch) === Object.prototype) {
    Object.values(batch).forEach(makeDurable);
  }
}
