/** Takes histograms at sampled steps: all those of a step in one piece of memory, and fewer as the training grows longer. */
import { Kind, touch } from "../storage.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/doctor.generated.js";
import { I32 } from "../wasm/heap.js";
import { BUCKETS } from "./histogram.js";
import type { History } from "./history.js";

/** At first they are taken at every so many sampled steps. */
const EVERY = 2;
/** Steps whose histograms are kept; beyond, every other is forgotten, and half as many are taken from then on. */
const MOST_STEPS = 60;
/** Elements of a tensor that are counted, evenly spaced. */
const SAMPLE = 2048;

export class HistogramCounter {
  private every = EVERY;
  private samples = 0;
  /** Steps whose histograms the history has. */
  private steps: number[] = [];
  /** Place of each histogram of the step under way in `held`. */
  private places = new Map<string, number>();
  private held: Tensor | null = null;

  constructor(private readonly history: History) {}

  /** Counts a readable tensor, if the sampled step under way is one of those; what was counted under the name before is forgotten. */
  count(name: string, t: Tensor): void {
    if (this.samples % this.every !== 0) return;
    let place = this.places.get(name);
    if (place === undefined) {
      place = this.places.size;
      this.places.set(name, place);
    }
    const held = this.reserve(place + 1);
    touch(held.block);
    touch(t.block);
    const n = t.numel();
    // An odd stride: one that divides the row length would read few columns only.
    const stride = Math.max(1, Math.floor(n / SAMPLE)) | 1;
    k.tensor_histogram(held.ptr + 4 * BUCKETS * place, t.ptr, n, stride);
  }

  private reserve(places: number): Tensor {
    if (this.held !== null && this.held.numel() >= places * BUCKETS) return this.held;
    const before = this.held;
    const held = Tensor.allocateDurable([Math.max(16, 2 * places) * BUCKETS], "int32", "doctor", Kind.State).keep();
    if (before !== null) {
      touch(before.block);
      touch(held.block);
      I32.copyWithin(held.ptr >>> 2, before.ptr >>> 2, (before.ptr >>> 2) + before.numel());
      before.dispose();
    }
    this.held = held;
    return held;
  }

  /** The sampled step is over: the history gets its histograms. */
  end(step: number): void {
    const { held, places, history } = this;
    this.samples++;
    if (held === null || places.size === 0) return;
    touch(held.block);
    const at = held.ptr >>> 2;
    const counts = new Uint32Array(places.size * BUCKETS);
    counts.set(I32.subarray(at, at + counts.length));
    for (const [name, place] of places) {
      history.addHistogram(name, { step, counts: counts.subarray(place * BUCKETS, (place + 1) * BUCKETS) });
    }
    places.clear();
    if (this.steps.push(step) <= MOST_STEPS) return;
    this.steps = this.steps.filter((_, i) => i % 2 === 0);
    history.keepHistograms(new Set(this.steps));
    this.every *= 2;
  }

  /** Gives back what is held. */
  release(): void {
    this.held?.dispose();
    this.held = null;
    this.places.clear();
  }
}
