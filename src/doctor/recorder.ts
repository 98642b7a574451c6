/**
 * Watches a net and its optimizer and writes down what the rules need. Three sources: forward hooks say which module runs, the
 * engine's observer (src/observe.ts) which ops, and the optimizer's step hooks see gradients and parameters at the moment when
 * they are used. At steps that are not sampled each costs a comparison or a push.
 */
import type { LanegradError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import type { HookHandle, Module } from "../nn/module.js";
import { Parameter } from "../nn/parameter.js";
import type { Observer } from "../observe.js";
import type { Optimizer } from "../optim/optimizer.js";
import { type Block, Kind } from "../storage.js";
import { Tensor } from "../tensor.js";
import { ACTIVATIONS, UnitActivity } from "./activations.js";
import { type ActivationSample, type History, MOST_FEW, type ParameterSample, type Sample } from "./history.js";
import { readLoss } from "./loss-inputs.js";
import { copyInto, firstOf, firstRows, histogramOf, isReadable, statsOf, updateOf, viewOf } from "./probe.js";
import { findOrigin, type Ran } from "./trace.js";

/** Which steps are sampled. */
export interface Cadence {
  /** Every how many steps all tensors are read. */
  every: number;
  /** The first steps are read one by one. */
  first: number;
}

/** Histograms are taken at every so many sampled steps. */
const HISTOGRAM_EVERY = 2;
/** Ops of a step that are remembered, to find where a NaN came from. */
const MOST_OPS = 20_000;

interface Watched {
  name: string;
  layer: string;
  tensor: Tensor;
  matrix: boolean;
  optimized: boolean;
  /** A copy from before the step. */
  before: Tensor | null;
}

/**
 * A gradient as an optimizer used it, its first numbers. If backward() adds to these very numbers and the optimizer uses the sum,
 * nobody has zeroed it.
 */
interface Used {
  leaf: Tensor;
  values: Float32Array;
  addedTo: boolean;
}

/** Parameters of other nets that are looked at, to see whether somebody trains them. */
const MOST_STRANGERS = 8;
/** Numbers of the inputs after which their range is known. */
const MOST_INPUTS = 2 ** 22;
/** Rows of a batch, and numbers of a row, that tell whether the same samples come again and again. */
const ROWS = 16;
const NUMBERS = 256;

/** A forward pass of the net. */
interface Pass {
  grad: boolean;
  training: boolean;
  /** Paths of the modules that behave differently in training and were in training mode. */
  trainingModules: string[];
}

export class Recorder implements Observer {
  readonly parameters: Watched[] = [];
  private readonly paths = new Map<Module, string>();
  private readonly modal: Module[];
  private readonly stack: { module: Module; path: string }[] = [];
  /** The last layer with weights that ran. */
  private lastLayer = "";
  private passes: Pass[] = [];
  private ops: Ran[] = [];
  private activations = new Map<string, ActivationSample>();
  /** How often each activation has run in this step, and after which layer it ran first. */
  private runs = new Map<string, { count: number; after: string }>();
  private parameterSamples: ParameterSample[] = [];
  private clip: { norm: number; limit: number } | null = null;
  private readonly units = new Map<string, UnitActivity>();
  private readonly gains = new Map<string, number>();
  private readonly probabilities = new WeakSet<Block>();
  private readonly used = new Map<Optimizer<any>, Used>();
  private addedToUsed = false;
  private readonly known: Set<Tensor>;
  /** Other nets' parameters as they were seen first. */
  private readonly strangers = new Map<Tensor, Float32Array>();
  /** The optimizer that has stepped last in this iteration, and whether the net ran since. */
  private stepped: Optimizer<any> | null = null;
  private ranSince = false;
  private validated = false;
  private samplesTaken = 0;

  constructor(
    private readonly net: Module,
    private readonly optimizers: readonly Optimizer<any>[],
    private readonly history: History,
    private readonly cadence: Cadence,
  ) {
    const owned = this.owned();
    for (const [path, module] of net.namedModules()) this.paths.set(module, path);
    for (const [name, tensor] of net.namedParameters()) {
      const layer = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "";
      const optimized = owned.has(tensor);
      this.parameters.push({ name, layer, tensor, matrix: tensor.ndim >= 2, optimized, before: null });
    }
    this.lookForForgotten();
    this.known = new Set([...owned, ...this.parameters.map(({ tensor }) => tensor)]);
    this.modal = [...net.modules()].filter((module) => isModal(module));
  }

  /** All parameters of the optimizers. */
  private owned(): Set<Tensor> {
    return new Set(this.optimizers.flatMap((o) => o.paramGroups.flatMap((group) => group.params as Tensor[])));
  }

  /** Parameters that are to be learned but belong to no optimizer; they may be thawed, or added to a group, at any step. */
  private lookForForgotten(): void {
    const rest = this.parameters.filter(({ optimized }) => !optimized);
    if (rest.length === 0) return;
    const owned = this.owned();
    for (const watched of rest) watched.optimized = owned.has(watched.tensor);
    const { unoptimized } = this.history;
    for (const { name, tensor, optimized } of rest) {
      if (!optimized && tensor.requiresGrad && !unoptimized.includes(name)) unoptimized.push(name);
    }
  }

  /** Hooks of the net and the optimizers; every callback goes through `guard`. */
  attach(guard: (fn: () => void) => void): HookHandle[] {
    const handles: HookHandle[] = [];
    for (const [module, path] of this.paths) {
      handles.push(
        module.registerForwardPreHook((_, inputs) => guard(() => this.enter(module, path, inputs))),
        module.registerForwardHook((_, inputs, output) => guard(() => this.leave(module, path, inputs, output))),
      );
    }
    for (const optimizer of this.optimizers) {
      handles.push(
        optimizer.registerStepPreHook(() => guard(() => this.beforeUpdate(optimizer))),
        optimizer.registerStepPostHook(() => guard(() => this.afterUpdate(optimizer))),
      );
    }
    return handles;
  }

  /** Whether the step under way is sampled. */
  private get due(): boolean {
    const step = this.history.step + 1;
    return step <= this.cadence.first || step % this.cadence.every === 0;
  }

  get reading(): boolean {
    return this.stack.length > 0 && this.due && isGradEnabled();
  }

  private get takesHistogram(): boolean {
    return this.samplesTaken % HISTOGRAM_EVERY === 0;
  }

  // The net ------------------------------------------------------------------------------------------------------------

  private enter(module: Module, path: string, inputs: readonly unknown[]): void {
    // Parts of a net may be called by themselves: an encoder and its decoder, the two nets of a GAN.
    if (module === this.net || this.stack.length === 0) this.beginPass(inputs);
    this.stack.push({ module, path });
  }

  private beginPass(inputs: readonly unknown[]): void {
    this.stack.length = 0;
    this.lastLayer = "";
    const grad = isGradEnabled();
    this.ranSince = true;
    this.passes.push({
      grad,
      training: this.net.training,
      trainingModules: this.modal.filter((m) => m.training).map((m) => this.paths.get(m) as string),
    });
    if (this.passes.length > 64) this.passes.shift();
    if (!grad || !this.due || this.passes.filter((pass) => pass.grad).length > 1) return;
    for (const input of inputs) if (isReadable(input) && !input.requiresGrad) this.readInput(firstRows(input));
    if (inputs[0] instanceof Tensor) this.recognize(inputs[0]);
  }

  /** Counts the different samples: of a net that learns a few of them by heart, or of one batch that comes always. */
  private recognize(input: Tensor): void {
    const { shape, dtype } = input;
    if (dtype !== "float32" && dtype !== "int32") return;
    if (shape.length < 2 || !input.isContiguous() || input.numel() === 0 || input.block.fate !== null) return;
    const { distinct } = this.history;
    this.history.batch = shape[0];
    if (distinct.size > MOST_FEW) return;
    const values = viewOf(input);
    const words = new Int32Array(values.buffer, values.byteOffset, values.length);
    const rows = Math.min(shape[0], ROWS);
    const perRow = words.length / shape[0];
    // An odd stride: one that divides the row length of an image would read few columns only.
    const stride = Math.max(1, Math.floor(perRow / NUMBERS)) | 1;
    for (let row = 0; row < rows; row++) {
      let hash = 0x811c9dc5;
      for (let i = row * perRow; i < (row + 1) * perRow; i += stride) hash = Math.imul(hash ^ words[i], 0x01000193);
      distinct.add(hash);
    }
    this.history.recognized += rows;
  }

  private readInput(input: Tensor): void {
    const { inputs } = this.history;
    if (inputs.size >= MOST_INPUTS) return;
    const { size, mean, meanSquare, min, max } = statsOf(input);
    inputs.rows += input.ndim > 1 ? input.shape[0] : 1;
    inputs.size += size;
    inputs.sum += mean * size;
    inputs.squares += meanSquare * size;
    inputs.min = Math.min(inputs.min, min);
    inputs.max = Math.max(inputs.max, max);
  }

  private leave(module: Module, path: string, inputs: readonly unknown[], output: unknown): void {
    // A forward that threw has left its modules behind.
    const at = this.stack.findLastIndex((entry) => entry.module === module);
    const sampled = this.reading;
    if (at >= 0) this.stack.length = at;
    const weight: unknown = (module as { weight?: unknown }).weight;
    if (isGradEnabled() && weight instanceof Tensor && weight.ndim >= 2) {
      this.lastLayer = path;
      if (module.constructor.name.startsWith("Embedding")) this.history.vocabularies.add(weight.shape[0]);
      if (!this.history.order.includes(path)) this.history.order.push(path);
      if (sampled && isReadable(output))
        this.readLayer(path, module.constructor.name, weight, inputs[0], firstRows(output));
    }
    if (this.stack.length === 0 && sampled) this.markOutput();
  }

  /** What comes after the last layer with weights is the net's output, not a hidden layer. */
  private markOutput(): void {
    let hidden = false;
    for (const sample of [...this.activations.values()].reverse()) {
      sample.hidden = hidden;
      if (!Number.isNaN(sample.gain)) hidden = true;
    }
  }

  private readLayer(layer: string, op: string, weight: Tensor, input: unknown, output: Tensor): void {
    if (this.activations.has(layer)) return;
    const { mean, variance, zeros, nan, inf } = statsOf(output);
    const gain = isReadable(input) ? this.gainOf(layer, op, weight) : Number.POSITIVE_INFINITY;
    this.put({
      layer,
      op,
      hidden: true,
      runs: 1,
      mean,
      variance,
      gain,
      zeros,
      saturated: Number.NaN,
      dead: Number.NaN,
      nan,
      inf,
    });
    if (this.takesHistogram) this.histogram(`activation/${layer}`, output);
  }

  /**
   * How many times larger than the mean square of the inputs the weights make the outputs' variance, as the layer was initialised:
   * Σw² / outputs, for a bias adds to all outputs of a unit alike. Layers that look up (Embedding) have no such number.
   */
  private gainOf(layer: string, op: string, weight: Tensor): number {
    let gain = this.gains.get(layer);
    if (gain === undefined) {
      const outputs = op.includes("Transpose") ? weight.shape[1] : weight.shape[0];
      gain = isReadable(weight) ? statsOf(weight).norm ** 2 / outputs : Number.POSITIVE_INFINITY;
      this.gains.set(layer, gain);
    }
    return gain;
  }

  private put(sample: ActivationSample): void {
    this.activations.set(sample.layer, sample);
  }

  private histogram(name: string, t: Tensor): void {
    this.history.addHistogram(name, { step: this.history.step + 1, counts: histogramOf(t) });
  }

  // Ops ----------------------------------------------------------------------------------------------------------------

  ran(op: string, out: Tensor, inputs: readonly (Tensor | null | undefined)[]): void {
    if (op === "softmax" || op === "sigmoid") this.probabilities.add(out.block);
    const inside = this.stack.length > 0;
    if (!inside && this.due && !this.history.game) this.lookForOthers(inputs);
    if (!isGradEnabled()) return;
    const path = inside ? this.stack[this.stack.length - 1].path : null;
    if (this.ops.length < MOST_OPS) this.ops.push({ op, out, path, layer: this.lastLayer });
    if (!inside) {
      readLoss(op, inputs, this.history, this.probabilities, this.due);
      if (this.due) this.lookForBroadcast(out, inputs);
    } else if (this.due && op in ACTIVATIONS && isReadable(out))
      this.readActivation(op, firstRows(out), path as string);
  }

  private readActivation(op: string, out: Tensor, path: string): void {
    // The function's own module, or else the layer that it follows.
    const { module } = this.stack[this.stack.length - 1];
    const own = path !== "" && !hasChildren(module) && !ownsParameters(module);
    const label = this.labelOf(op, own ? path : this.lastLayer || path || "net");
    if (label === null) return;
    const runs = this.runs.get(label)?.count ?? 1;
    const { low, high, saturates, dies } = ACTIVATIONS[op];
    const { mean, variance, zeros, outside, nan, inf } = statsOf(out, low, high);
    let dead = Number.NaN;
    if (dies) {
      let activity = this.units.get(label);
      if (activity === undefined) {
        activity = new UnitActivity();
        this.units.set(label, activity);
      }
      dead = activity.add(out);
    }
    const saturated = saturates ? outside : Number.NaN;
    this.put({
      layer: label,
      op,
      hidden: true,
      runs,
      mean,
      variance,
      gain: Number.NaN,
      zeros,
      saturated,
      dead,
      nan,
      inf,
    });
    if (this.takesHistogram) this.histogram(`activation/${label}`, out);
  }

  /**
   * Under what name an activation is read that runs after `lastLayer`; null where it is not. A module that is used in several places has a
   * name for each. Of a sigmoid or tanh that runs again and again after the same layer, as in a recurrent net, the first run is read, the second,
   * fourth, eighth …, and the latest stands for all; of others the first.
   */
  private labelOf(op: string, place: string): string | null {
    const after = this.lastLayer;
    let label = `${place} (${op})`;
    const first = this.runs.get(label);
    if (first !== undefined && first.after !== after) label = `${place} after ${after} (${op})`;
    const run = this.runs.get(label) ?? { count: 0, after };
    run.count++;
    this.runs.set(label, run);
    const read = ACTIVATIONS[op].saturates ? (run.count & (run.count - 1)) === 0 : run.count === 1;
    return read ? label : null;
  }

  /** Outputs [n, 1] and targets [n] make [n, n]: each output is compared with every target. */
  private lookForBroadcast(out: Tensor, inputs: readonly (Tensor | null | undefined)[]): void {
    const [a, b] = inputs;
    if (!(a instanceof Tensor) || !(b instanceof Tensor) || out.ndim !== 2 || a.ndim + b.ndim !== 3) return;
    const [column, row] = a.ndim === 2 ? [a, b] : [b, a];
    const n = row.shape[0];
    if (n < 2 || column.shape[0] !== n || column.shape[1] !== 1 || out.shape[1] !== n) return;
    const evidence = { outputs: `[${a.shape}]`, targets: `[${b.shape}]`, together: `[${out.shape}]` };
    this.history.addIncident("broadcast", { step: this.history.step + 1, layer: null, evidence });
  }

  /** Parameters of another net that takes part: when they change as well, somebody trains it beside this one. */
  private lookForOthers(inputs: readonly (Tensor | null | undefined)[]): void {
    for (const input of inputs) {
      if (!(input instanceof Parameter) || this.known.has(input) || !isReadable(input)) continue;
      const before = this.strangers.get(input);
      if (before === undefined) {
        if (this.strangers.size < MOST_STRANGERS) this.strangers.set(input, firstOf(input, 32));
      } else if (firstOf(input, 32).some((value, i) => value !== before[i])) this.history.game = true;
    }
  }

  accumulates(leaf: Tensor): void {
    if (this.used.size === 0) return;
    for (const used of this.used.values()) {
      if (used.leaf !== leaf) continue;
      const now = leaf.gradTensor === null ? null : firstOf(leaf.gradTensor, used.values.length);
      if (now === null || now.every((value) => value === 0)) used.addedTo = false;
      else if (now.every((value, i) => value === used.values[i])) used.addedTo = true;
    }
  }

  clipped(norm: number, maxNorm: number): void {
    this.clip = { norm, limit: maxNorm };
    // Now, for scaling by such a norm spoils all the other gradients too.
    if (!Number.isFinite(norm)) this.traceNonFinite(this.history.step + 1, { gradientNorm: String(norm) });
  }

  refused(error: LanegradError): void {
    const step = this.history.step + 1;
    this.history.addIncident("labels", { step, layer: null, evidence: { message: error.message } });
  }

  // The optimizer ------------------------------------------------------------------------------------------------------

  private of(optimizer: Optimizer<any>): Watched[] {
    if (this.optimizers.length === 1) return this.parameters;
    const own = new Set<Tensor>(optimizer.paramGroups.flatMap((group) => group.params));
    const first = optimizer === this.optimizers[0];
    return this.parameters.filter(({ tensor, optimized }) => own.has(tensor) || (first && !optimized));
  }

  private beforeUpdate(optimizer: Optimizer<any>): void {
    if (this.used.get(optimizer)?.addedTo) this.addedToUsed = true;
    // Several optimizers, each after a pass of its own: they have different aims.
    if (this.stepped !== null && this.stepped !== optimizer && this.ranSince) this.history.game = true;
    if (!this.due) return;
    this.lookForForgotten();
    for (const watched of this.of(optimizer)) {
      const { tensor } = watched;
      if (!tensor.requiresGrad || !isReadable(tensor)) continue;
      watched.before ??= Tensor.allocateDurable(tensor.shape, "float32", "doctor", Kind.State);
      copyInto(watched.before, tensor);
    }
  }

  private afterUpdate(optimizer: Optimizer<any>): void {
    this.history.updates++;
    const own = this.of(optimizer);
    this.stepped = optimizer;
    this.ranSince = false;
    this.used.delete(optimizer);
    if (!this.due) return;
    this.rememberGradient(optimizer, own);
    for (const watched of own) {
      const { name, layer, tensor, matrix, optimized, before } = watched;
      if (!tensor.requiresGrad || before === null) continue;
      const grad = isReadable(tensor.gradTensor) ? tensor.gradTensor : null;
      const { norm, weightNorm, changed, gradient } = updateOf(tensor, before, grad);
      if (gradient !== null && !(matrix && gradient.norm === 0)) this.history.received.add(name);
      this.parameterSamples.push({
        name,
        layer,
        size: tensor.numel(),
        matrix,
        optimized,
        weightNorm,
        gradNorm: gradient === null ? null : gradient.nonFinite > 0 ? Number.NaN : gradient.norm,
        gradMeanAbs: gradient?.meanAbs ?? 0,
        gradNonFinite: gradient?.nonFinite ?? 0,
        updateNorm: norm,
        updateRatio: norm / weightNorm,
        changed,
      });
      if (this.takesHistogram && matrix) {
        this.histogram(`weight/${name}`, tensor);
        if (grad !== null) this.histogram(`gradient/${name}`, grad);
      }
    }
  }

  private rememberGradient(optimizer: Optimizer<any>, own: readonly Watched[]): void {
    for (const { tensor, optimized } of own) {
      if (!optimized || tensor.gradTensor === null || !isReadable(tensor.gradTensor)) continue;
      const values = firstOf(tensor.gradTensor, 32);
      if (!values.some((value) => value !== 0)) continue;
      this.used.set(optimizer, { leaf: tensor, values, addedTo: false });
      return;
    }
  }

  // The loop -----------------------------------------------------------------------------------------------------------

  /** Closes step number `step`, whose loss the history has. Gives the sample if it was a sampled one. */
  endStep(step: number, loss: number): Sample | null {
    const due = step <= this.cadence.first || step % this.cadence.every === 0;
    if (this.clip !== null) this.history.addClip({ step, ...this.clip });
    this.checkTrainingMode(step);
    if (this.addedToUsed) {
      const evidence = { addedTo: "a gradient that the optimizer had used already" };
      this.history.addIncident("zero-grad", { step, layer: null, evidence });
      this.addedToUsed = false;
    }
    if (!Number.isFinite(loss)) this.traceNonFinite(step, { loss: String(loss) });
    const sample = due ? this.takeSample(step) : null;
    if (sample !== null && Number.isFinite(loss)) this.lookForNonFinite(sample, loss);
    this.clip = null;
    this.passes = [];
    this.ops = [];
    this.stack.length = 0;
    this.stepped = null;
    return sample;
  }

  private takeSample(step: number): Sample {
    // Gradients of what no optimizer has are never zeroed by one, and grow for ever.
    const own = this.parameterSamples.filter((p) => p.optimized);
    const norm = Math.hypot(...own.map((p) => p.gradNorm ?? 0));
    const clipped = this.clip !== null && this.clip.norm > this.clip.limit ? this.clip.norm / this.clip.limit : 1;
    const all = own.length === this.parameterSamples.length;
    const gradNorm = all && this.clip !== null ? this.clip.norm : norm * clipped;
    const sample: Sample = {
      step,
      lr: (this.optimizers[0].paramGroups[0] as { lr?: number }).lr ?? Number.NaN,
      gradNorm,
      parameters: this.parameterSamples,
      activations: [...this.activations.values()],
    };
    this.history.addSample(sample);
    this.parameterSamples = [];
    this.activations = new Map();
    this.runs = new Map();
    this.samplesTaken++;
    return sample;
  }

  private traceNonFinite(step: number, seen: Record<string, string>): void {
    if (this.history.incidents.has("non-finite")) return;
    const { layer, evidence } = findOrigin(this.ops, this.parameters);
    this.history.addIncident("non-finite", { step, layer, evidence: { ...seen, ...evidence } });
  }

  /** A loss can be finite while a gradient is not: log's at 0, say. */
  private lookForNonFinite(sample: Sample, loss: number): void {
    if (this.history.incidents.has("non-finite")) return;
    if (!sample.parameters.some((p) => p.gradNonFinite > 0 || !Number.isFinite(p.weightNorm))) return;
    const { layer, evidence } = findOrigin(this.ops, this.parameters);
    this.history.addIncident("non-finite", { step: sample.step, layer, evidence: { loss, ...evidence } });
  }

  private checkTrainingMode(step: number): void {
    const pass = this.passes.findLast(({ grad }) => grad);
    if (pass === undefined || pass.training || !this.validated || this.modal.length === 0) return;
    const evidence = { mode: "eval", during: "training steps", layers: this.modal.length };
    this.history.addIncident("mode", { step, layer: this.paths.get(this.modal[0]) ?? null, evidence });
  }

  /** The passes since the last step were those of a validation. */
  endValidation(): void {
    const pass = this.passes.at(-1);
    if (pass !== undefined && pass.trainingModules.length > 0) {
      const evidence = { mode: "train", during: "validation", layers: pass.trainingModules.length };
      this.history.addIncident("mode", { step: this.history.step, layer: pass.trainingModules[0], evidence });
    }
    this.validated = true;
    this.passes = [];
  }

  /** Gives back what is held. */
  release(): void {
    for (const watched of this.parameters) {
      watched.before?.dispose();
      watched.before = null;
    }
    this.ops = [];
    this.stack.length = 0;
    this.used.clear();
    this.strangers.clear();
  }
}

const hasChildren = (module: Module): boolean => !module.children().next().done;

const ownsParameters = (module: Module): boolean => module.parameters().length > 0;

/** Whether a module does something else in training than in evaluation. */
function isModal(module: Module): boolean {
  const { name } = module.constructor;
  if (/^(Batch|Instance)Norm/.test(name)) return (module as { trackRunningStats?: boolean }).trackRunningStats === true;
  return /^(Alpha|Feature)?(Alpha)?Dropout/.test(name) && (module as { p?: number }).p !== 0;
}
