/** What the doctor remembers of a training: the rules and reports read it, the recorder writes it. */
import type { Histogram } from "./histogram.js";

/** A parameter at a sampled step. */
export interface ParameterSample {
  /** Dotted path of the parameter, and of the module that owns it. */
  name: string;
  layer: string;
  size: number;
  /** Of two dims or more: a weight, not a bias or a norm's gain. */
  matrix: boolean;
  /** In a group of the optimizer. */
  optimized: boolean;
  weightNorm: number;
  /** Norm and mean |g| of the gradient that the step used (after clipping); null when there was none. */
  gradNorm: number | null;
  gradMeanAbs: number;
  gradNonFinite: number;
  /**
   * Norm of the step's change, 0 only where no element has changed, and its ratio to the weights' norm. Of more than 65,535 elements both are
   * estimates, from 32,768 or more of them; NaN where none of those has changed.
   */
  updateNorm: number;
  updateRatio: number;
}

/** A layer's output, or an activation function's, at a sampled step. */
export interface ActivationSample {
  /** Dotted path of the module, or of the layer before with the function's name: `fc1 (relu)`. */
  layer: string;
  /** The op that made it: `relu`, `linear` … */
  op: string;
  /** Whether layers with weights follow; the net's output may well be saturated. */
  hidden: boolean;
  /** How often it has run in the step so far: more than once in a recurrent net. */
  runs: number;
  mean: number;
  variance: number;
  /** Of layers with weights, else NaN: Σw² over the number of outputs, see `gainOf` in layer-reader.ts. */
  gain: number;
  /** Share of zeros. */
  zeros: number;
  /** Share with less than 5 % of the largest slope (sigmoid, tanh); NaN for others. */
  saturated: number;
  /** Share of units that were hardly ever active in the last few hundred samples (relu); NaN while too few were seen. */
  dead: number;
  nan: number;
  inf: number;
}

/** Everything read at one step. */
export interface Sample {
  step: number;
  /** Of the optimizer's first group. */
  lr: number;
  /** Of all gradients together, before clipping where clipGradNorm_ was seen. */
  gradNorm: number;
  parameters: ParameterSample[];
  activations: ActivationSample[];
}

/** A pass over the validation data. */
export interface Validation {
  step: number;
  loss: number;
  accuracy: number;
  /** Mean of the training losses since the validation before. */
  trainLoss: number;
}

/** Something seen at one moment, for a rule to report. */
export interface Incident {
  step: number;
  layer: string | null;
  evidence: Record<string, number | string>;
}

export type IncidentKind = "non-finite" | "mode" | "zero-grad" | "softmax" | "labels" | "broadcast";

/** Sampled steps that are remembered; beyond, every other of the older ones is forgotten. */
const MOST_SAMPLES = 768;
/** Clippings that are remembered. */
const MOST_CLIPS = 2048;
/** Losses of which the means are compared, to know the best level so far: of ten steps, and of 320 samples at least. */
const CHUNK = 10;
const CHUNK_SAMPLES = 320;
/** A handful of samples: see `few`. */
export const MOST_FEW = 64;
/** Samples whose mean loss is the one the training began with. */
const START_SAMPLES = 64;

/** Forgets every other of the older half. */
function thin<T>(list: T[]): void {
  const half = list.length >> 1;
  list.splice(0, half, ...list.slice(0, half).filter((_, i) => i % 2 === 0));
}

/** One training as it was seen. */
export class History {
  /** When the watch began and when the last step ended, in milliseconds since 1970. */
  readonly began = Date.now();
  ended = this.began;
  /** The loss of every step; step 1 comes first. */
  readonly losses: number[] = [];
  readonly samples: Sample[] = [];
  readonly validations: Validation[] = [];
  /** By tensor: `activation/fc1 (relu)`, `weight/fc1.weight`, `gradient/fc1.weight`. */
  readonly histograms = new Map<string, Histogram[]>();
  /** Layers with weights, with their places in the order in which they ran first. */
  readonly order = new Map<string, number>();
  readonly incidents = new Map<IncidentKind, Incident[]>();
  /** Of the nets' inputs at sampled steps. */
  readonly inputs = {
    rows: 0,
    size: 0,
    sum: 0,
    squares: 0,
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
  };
  /** Hashes of input rows, of how many rows they are, and rows of a batch: see `few`. */
  readonly distinct = new Set<number>();
  recognized = 0;
  batch = 0;
  /** How often each class was seen among the targets. */
  classes: number[] = [];
  /** Of numbers that squared errors are measured from. */
  readonly targets = { size: 0, sum: 0, squares: 0 };
  /** The loss was given weights for its classes. */
  weighted = false;
  /** Numbers of symbols that the net's embeddings know. */
  readonly vocabularies = new Set<number>();
  /**
   * Another net is trained against this one, or beside it (a GAN): two optimizers step after passes of their own, or parameters that
   * belong to neither net nor optimizer take part and change. The loss is then nothing that training brings down.
   */
  game = false;
  /** Norms that clipGradNorm_ found, and the limits it was given. */
  readonly clips: { step: number; norm: number; limit: number }[] = [];
  /** Steps whose losses are averaged to tell one level from another: with small batches more. */
  chunk = CHUNK;
  /** Lowest mean loss of `chunk` steps on end, without the last of them. */
  bestLevel = Number.POSITIVE_INFINITY;
  private nextBestLevel = Number.POSITIVE_INFINITY;
  /** Of the learning rates at the sampled steps. */
  largestLr = 0;
  /** Steps of the optimizer. */
  updates = 0;
  /** Dotted names of the parameters that are to be learned but belong to no optimizer. */
  readonly unoptimized: string[] = [];
  /** The first step whose loss was not finite; 0 while there is none. */
  firstNonFinite = 0;
  /** A loss fell below 0: a log-likelihood, a reward. Its size then says nothing, only how far it falls. */
  negative = false;
  private readonly ordered = new WeakMap<Sample, (ParameterSample & { gradNorm: number })[]>();
  /** Largest update ratio of each weight so far, and medians of the last samples, which are asked for again and again. */
  private readonly largestRatios = new Map<string, number>();
  private readonly typicalRatios = new Map<number, number>();
  private readonly start = { steps: 0, count: 0, loss: Number.NaN };
  private readonly startNorm = { count: 0, median: Number.NaN };
  /** Dotted names of weights that began with zeros. */
  readonly fromZero = new Set<string>();
  /** Dotted names of parameters that have had a gradient; of weights, one that is not 0 throughout. */
  readonly received = new Set<string>();

  get step(): number {
    return this.losses.length;
  }

  addLoss(loss: number): void {
    this.ended = Date.now();
    const n = this.losses.push(loss);
    if (this.firstNonFinite === 0 && !Number.isFinite(loss)) this.firstNonFinite = n;
    if (loss < 0) this.negative = true;
    if (n === 1 && this.batch > 0) this.chunk = Math.max(CHUNK, Math.ceil(CHUNK_SAMPLES / this.batch));
    if (n % this.chunk !== 0) return;
    this.bestLevel = this.nextBestLevel;
    const mean = this.meanLoss(n - this.chunk, n);
    if (mean < this.nextBestLevel) this.nextBestLevel = mean;
  }

  addClip(clip: { step: number; norm: number; limit: number }): void {
    if (this.clips.push(clip) > MOST_CLIPS) this.clips.splice(0, MOST_CLIPS / 2);
  }

  addSample(sample: Sample): void {
    if (this.samples.length < 10) {
      // A weight that has moved by as much as it is long was zeros before.
      for (const p of sample.parameters) {
        if (p.weightNorm === 0 || Math.abs(p.updateRatio - 1) < 1e-4) this.fromZero.add(p.name);
      }
    }
    this.samples.push(sample);
    this.typicalRatios.clear();
    for (const p of sample.parameters) {
      if (!p.matrix || !Number.isFinite(p.updateRatio) || isTiny(p)) continue;
      if (p.updateRatio > (this.largestRatios.get(p.name) ?? 0)) this.largestRatios.set(p.name, p.updateRatio);
    }
    this.largestLr = Math.max(this.largestLr, sample.lr);
    if (this.samples.length > MOST_SAMPLES) thin(this.samples);
  }

  addHistogram(name: string, histogram: Histogram): void {
    let list = this.histograms.get(name);
    if (list === undefined) {
      list = [];
      this.histograms.set(name, list);
    }
    list.push(histogram);
  }

  /** Forgets the histograms of all other steps. */
  keepHistograms(steps: ReadonlySet<number>): void {
    for (const [name, list] of this.histograms) {
      this.histograms.set(
        name,
        list.filter(({ step }) => steps.has(step)),
      );
    }
  }

  addIncident(kind: IncidentKind, incident: Incident): void {
    const list = this.incidents.get(kind);
    if (list === undefined) this.incidents.set(kind, [incident]);
    else if (list.length < 100) list.push(incident);
  }

  /** Mean loss of steps from + 1 to `to`. */
  meanLoss(from: number, to: number): number {
    const first = Math.max(0, from);
    let sum = 0;
    for (let i = first; i < to; i++) sum += this.losses[i];
    return sum / (to - first);
  }

  /**
   * The loss that the training began with: the median of its first five, unless it has jumped by then; with batches of a few samples the
   * mean over the first 64 samples.
   */
  get startLoss(): number {
    const { start, losses } = this;
    const steps = Math.max(5, this.batch > 0 ? Math.ceil(START_SAMPLES / this.batch) : 0);
    const count = Math.min(steps, losses.length);
    if (start.steps === steps && start.count === count) return start.loss;
    const early = losses.slice(0, count).filter(Number.isFinite);
    const few = steps > 5;
    const middle = few ? mean(early) : median(early);
    const first = few ? mean(early.slice(0, (early.length + 1) >> 1)) : early[0];
    start.steps = steps;
    start.count = count;
    start.loss = middle > 1.6 * first ? first : middle;
    return start.loss;
  }

  /** Norm of all gradients in the first five samples, their median. */
  get startGradNorm(): number {
    const { startNorm, samples } = this;
    const count = Math.min(5, samples.length);
    if (startNorm.count !== count) {
      startNorm.count = count;
      startNorm.median = median(samples.slice(0, count).map((s) => s.gradNorm));
    }
    return startNorm.median;
  }

  /** What a change of the loss is measured by: the loss it began with; of losses below 0, how far they have fallen if that is more. */
  get scale(): number {
    const start = this.startLoss;
    return this.negative ? Math.max(Math.abs(start), start - Math.min(this.nextBestLevel, start)) : start;
  }

  /** `factor` times a loss, such as the best one; of losses below 0 as far above (below) it as that is of `scale`. */
  times(factor: number, loss: number): number {
    return this.negative ? loss + (factor - 1) * this.scale : factor * loss;
  }

  /** `factor` times the loss that the training began with. */
  level(factor: number): number {
    return this.times(factor, this.startLoss);
  }

  /** A loss above this is above `factor` times the start's: where the loss falls at once, its first is above what `startLoss` says. */
  jumpLevel(factor: number): number {
    return this.times(factor, Math.max(this.startLoss, this.losses[0]));
  }

  /** How many different samples the training has, if it is a handful (MOST_FEW at most) that comes again and again; else null. */
  get few(): number | null {
    const { size } = this.distinct;
    return size > 0 && size <= MOST_FEW && this.recognized >= 3 * size ? size : null;
  }

  /** Whether the weights (their median) have shrunk to a tenth of their first norms: a penalty on them has taken all. */
  get weightsCollapsed(): boolean {
    const [first, last] = [this.samples[0], this.samples[this.samples.length - 1]];
    const weights = first?.parameters.filter((p) => p.matrix && p.weightNorm > 0) ?? [];
    const norms = new Map(weights.map((p) => [p.name, p.weightNorm]));
    const shares = last?.parameters.flatMap(({ name, weightNorm }) => weightNorm / (norms.get(name) ?? Number.NaN));
    return median(shares?.filter((share) => !Number.isNaN(share)) ?? []) < 0.1;
  }

  /** Variance of the targets of squared errors, which a constant answer leaves; NaN where the loss is another. */
  get targetVariance(): number {
    const { size, sum, squares } = this.targets;
    return size > 0 ? squares / size - (sum / size) ** 2 : Number.NaN;
  }

  /** The last `count` samples, or null while there are fewer. */
  last(count: number): Sample[] | null {
    return this.samples.length < count ? null : this.samples.slice(-count);
  }

  /** Sorts parameters by the order in which their layers run. */
  inOrder(parameters: ParameterSample[]): void {
    const rank = (p: ParameterSample) => this.order.get(p.layer) ?? Number.MAX_SAFE_INTEGER;
    // Most nets define their layers in this order.
    for (let i = 1; i < parameters.length; i++) {
      if (rank(parameters[i]) >= rank(parameters[i - 1])) continue;
      parameters.sort((a, b) => rank(a) - rank(b));
      return;
    }
  }

  /** Median of the weights' update ratios in the last samples; NaN when there are none. */
  typicalRatio(samples: number): number {
    let found = this.typicalRatios.get(samples);
    if (found === undefined) {
      const ratios: number[] = [];
      for (const { parameters } of this.samples.slice(-samples)) {
        for (const p of parameters) {
          if (p.matrix && p.gradNorm !== null && Number.isFinite(p.updateRatio)) ratios.push(p.updateRatio);
        }
      }
      found = median(ratios);
      this.typicalRatios.set(samples, found);
    }
    return found;
  }

  /** The largest update ratio that any weight has had that did not begin with zeros; 0 when there is none. */
  get largestRatio(): number {
    let largest = 0;
    for (const [name, ratio] of this.largestRatios) {
      if (ratio > largest && !this.fromZero.has(name)) largest = ratio;
    }
    return largest;
  }

  /** A sample's weights (no biases, no gains) that an optimizer has and that have a gradient, in the order in which their layers run. */
  weights(sample: Sample): readonly (ParameterSample & { gradNorm: number })[] {
    let found = this.ordered.get(sample);
    if (found === undefined) {
      found = sample.parameters.filter(
        (p): p is ParameterSample & { gradNorm: number } => p.matrix && p.optimized && p.gradNorm !== null,
      );
      this.inOrder(found);
      this.ordered.set(sample, found);
    }
    return found;
  }
}

/** Elements below 1e-3 in the root mean square, or NaN: beside such a weight any step is long. */
export const isTiny = ({ weightNorm, size }: ParameterSample): boolean => !(weightNorm > 1e-3 * Math.sqrt(size));

/** The parameter of that name in a sample: most often at the same place as in others. */
export function parameterIn({ parameters }: Sample, name: string, place: number): ParameterSample | undefined {
  const found = parameters[place];
  return found?.name === name ? found : parameters.find((p) => p.name === name);
}

/** The mean; NaN of nothing. */
export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The median; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = new Float64Array(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
