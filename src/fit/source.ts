/** Where batches come from: any iterable, from whose middle a checkpoint can go on. */
import { show } from "../arguments.js";
import { ArgumentError, StateDictError } from "../errors.js";
import { getRngState, setRngState } from "../generator.js";
import { Tensor } from "../tensor.js";
import type { Batches, BatchesSource } from "./types.js";

/** Where a source stands. */
export interface SourceState {
  /** The loader's own state, where it has a stateDict(). */
  loader: object | null;
  /** Batches given by the iteration under way. */
  given: number;
  /** The default generator as that iteration began; null when none is under way. */
  began: Uint8Array | null;
}

interface Stateful {
  stateDict(): object;
  loadStateDict(dict: any): void;
}
type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

const isIterable = (value: any): value is Batches =>
  typeof value?.[Symbol.iterator] === "function" || typeof value?.[Symbol.asyncIterator] === "function";

export class Source {
  private iterator: AnyIterator | null = null;
  private given = 0;
  private began: Uint8Array | null = null;
  /** Batches that a checkpoint had seen of an iteration that cannot be told where to begin. */
  private toSkip = 0;

  /** @throws ArgumentError for what gives no batches */
  constructor(
    readonly name: "train" | "validation",
    private readonly source: BatchesSource,
  ) {
    const where = `fit: ${name}`;
    if (
      typeof source === "string" ||
      source instanceof Tensor ||
      !(isIterable(source) || typeof source === "function")
    ) {
      throw new ArgumentError(
        `${where} must give batches: a DataLoader, an iterable, an async iterable, or a function that makes one; found ${show(source)}`,
      );
    }
    if (isIterable(source) && typeof (source as { get?: unknown }).get === "function" && !(source instanceof Map)) {
      throw new ArgumentError(
        `${where} is a dataset, which gives samples; wrap it: new data.DataLoader(dataset, { batchSize: 32, shuffle: true })`,
      );
    }
  }

  /** Batches in one iteration, where it is known. */
  get length(): number | undefined {
    const { length } = this.source as { length?: unknown };
    return typeof this.source === "object" && typeof length === "number" ? length : undefined;
  }

  private get stateful(): Stateful | null {
    const { stateDict, loadStateDict } = this.source as Partial<Stateful>;
    return typeof stateDict === "function" && typeof loadStateDict === "function"
      ? (this.source as unknown as Stateful)
      : null;
  }

  /** Whether an iteration has begun and is not over. */
  get open(): boolean {
    return this.iterator !== null || this.given > 0;
  }

  /** The next batch, of a new iteration when none is under way; null at its end. */
  next(): { batch: unknown } | null | Promise<{ batch: unknown } | null> {
    if (this.toSkip > 0) return this.skip().then(() => this.next());
    this.iterator ??= this.begin();
    const result = this.iterator.next();
    return "then" in result ? result.then((r) => this.take(r)) : this.take(result);
  }

  private begin(): AnyIterator {
    const { source } = this;
    // What a checkpoint goes on with has begun before.
    this.began ??= getRngState();
    const batches: unknown = typeof source === "function" ? source() : source;
    if (!isIterable(batches)) {
      throw new ArgumentError(`fit: ${this.name}() returned ${show(batches)}, expected an iterable of batches`);
    }
    const iterable = batches as AsyncIterable<unknown> | Iterable<unknown>;
    return Symbol.asyncIterator in iterable ? iterable[Symbol.asyncIterator]() : iterable[Symbol.iterator]();
  }

  private take(result: IteratorResult<unknown>): { batch: unknown } | null {
    if (result.done) {
      this.forget();
      return null;
    }
    this.given++;
    return { batch: result.value };
  }

  private forget(): void {
    this.iterator = null;
    this.given = 0;
    this.began = null;
  }

  /** Draws again what a checkpoint had seen, with the random numbers it had seen it with. */
  private async skip(): Promise<void> {
    const count = this.toSkip;
    this.toSkip = 0;
    const now = getRngState();
    setRngState(this.began as Uint8Array);
    this.iterator = this.begin();
    for (let i = 0; i < count; i++) {
      if ((await this.iterator.next()).done) {
        throw new StateDictError(
          `fit: resume: ${this.name} ended after ${i} batches, the checkpoint has seen ${count}`,
        );
      }
    }
    this.given = count;
    setRngState(now);
  }

  /** Gives up the iteration under way. */
  close(): void {
    const { iterator } = this;
    this.forget();
    // Not waited for: an iterator that hangs is a reason to close it.
    const closed: unknown = iterator?.return?.();
    if (closed instanceof Promise) closed.catch(() => undefined);
  }

  state(): SourceState {
    return { loader: this.stateful?.stateDict() ?? null, given: this.given, began: this.began };
  }

  /** @throws StateDictError when the state is not this source's */
  load(state: SourceState): void {
    const { stateful } = this;
    if ((stateful === null) !== (state.loader === null)) {
      throw new StateDictError(
        `fit: resume: ${this.name} ${stateful === null ? "is no DataLoader" : "is a DataLoader"}, in the checkpoint it ${
          stateful === null ? "was one" : "was none"
        }`,
      );
    }
    this.close();
    stateful?.loadStateDict(state.loader);
    this.given = state.given;
    this.began = state.began;
    this.toSkip = stateful === null ? state.given : 0;
  }
}

/** Samples of a batch: the first size of its first tensor; 1 where there is none. */
export function samplesOf(batch: unknown): number {
  if (batch instanceof Tensor) return batch.ndim === 0 ? 1 : batch.shape[0];
  if (typeof batch === "object" && batch !== null && !ArrayBuffer.isView(batch)) {
    for (const item of Object.values(batch)) {
      const found = samplesOf(item);
      if (found !== 1 || item instanceof Tensor) return found;
    }
  }
  return 1;
}
