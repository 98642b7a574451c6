/**
 * Watches a net and its optimizer and writes down what the rules need. Three sources: forward hooks say which module runs, the
 * engine's observer (src/observe.ts) which ops, and the optimizer's step hooks see gradients and parameters at the moment when
 * they are used. At steps that are not sampled each costs a comparison or a push.
 */
import type { LanegradError } from "../errors.js";
import { isGradEnabled } from "../grad-mode.js";
import type { HookHandle } from "../nn/hooks.js";
import type { Module } from "../nn/module.js";
import { Parameter } from "../nn/parameter.js";
import type { Observer } from "../observe.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Block } from "../storage.js";
import { Tensor } from "../tensor.js";
import { ACTIVATIONS } from "./activations.js";
import { HistogramCounter } from "./histogram-counter.js";
import type { History, Sample } from "./history.js";
import { LayerReader } from "./layer-reader.js";
import { lookForBroadcast, readLoss } from "./loss-inputs.js";
import { readInputs } from "./net-inputs.js";
import { ParameterReader } from "./parameter-reader.js";
import { firstOf, firstRows, isReadable } from "./probe.js";
import { findOrigin, type Ran } from "./trace.js";

/** Which steps are sampled. */
export interface Cadence {
  /** Every how many steps all tensors are read. */
  every: number;
  /** The first steps are read one by one. */
  first: number;
}

/** Ops of a step that are remembered, to find where a NaN came from. */
const MOST_OPS = 20_000;

/** Parameters of other nets that are looked at, to see whether somebody trains them. */
const MOST_STRANGERS = 8;
/** A forward pass of the net. */
interface Pass {
  grad: boolean;
  training: boolean;
  /** The modules that behave differently in training and were in training mode. */
  trainingModules: readonly Module[];
}

/** A module of the net, with what does not change of it. */
interface Station {
  module: Module;
  path: string;
  /** Its class. */
  name: string;
  /** It has a weight of two dims or more. */
  weighted: boolean;
  /** It has neither children nor parameters, so it is the place of the functions that it calls. */
  bare: boolean;
  /** It has run with gradients before. */
  hasRun: boolean;
}

/** Makes a callback harmless: what it throws stays with the doctor. */
export type Guard = <Args extends any[]>(fn: (...args: Args) => void) => (...args: Args) => void;

export class Recorder implements Observer {
  private readonly stations: Station[] = [];
  private readonly modal: Module[];
  private readonly stack: Station[] = [];
  /** The last layer with weights that ran. */
  private lastLayer = "";
  private passes: Pass[] = [];
  private ops: Ran[] = [];
  private readonly histograms: HistogramCounter;
  private readonly layers: LayerReader;
  private readonly parameters: ParameterReader;
  private clip: { norm: number; limit: number } | null = null;
  private readonly probabilities = new WeakSet<Block>();
  private addedToUsed = false;
  private readonly known: Set<Tensor>;
  /** Other nets' parameters as they were seen first. */
  private readonly strangers = new Map<Tensor, Float32Array>();
  /** The optimizer that has stepped last in this iteration, and whether the net ran since. */
  private stepped: Optimizer<any> | null = null;
  private ranSince = false;
  private validated = false;
  /** Whether the step under way is sampled. */
  private due: boolean;

  constructor(
    private readonly net: Module,
    private readonly optimizers: readonly Optimizer<any>[],
    private readonly history: History,
    private readonly cadence: Cadence,
  ) {
    for (const [path, module] of net.namedModules()) this.stations.push(stationOf(module, path));
    this.due = this.isDue(1);
    this.histograms = new HistogramCounter(history);
    this.layers = new LayerReader(this.histograms);
    this.parameters = new ParameterReader(net, optimizers, history, this.histograms);
    this.known = new Set([...this.parameters.owned(), ...this.parameters.parameters.map(({ tensor }) => tensor)]);
    this.modal = [...net.modules()].filter((module) => isModal(module));
  }

  /** Hooks of the net and the optimizers; every callback goes through `guard`. */
  attach(guard: Guard): HookHandle[] {
    const handles: HookHandle[] = [];
    for (const station of this.stations) {
      const enter = guard((_: Module, inputs: readonly unknown[]) => this.enter(station, inputs));
      const leave = guard((_: Module, inputs: readonly unknown[], output: unknown) =>
        this.leave(station, inputs, output),
      );
      handles.push(station.module.registerForwardPreHook(enter));
      handles.push(station.module.registerForwardHook(leave));
    }
    for (const optimizer of this.optimizers) {
      handles.push(
        optimizer.registerStepPreHook(guard(() => this.beforeUpdate(optimizer))),
        optimizer.registerStepPostHook(guard(() => this.afterUpdate(optimizer))),
      );
    }
    return handles;
  }

  private isDue(step: number): boolean {
    return step <= this.cadence.first || step % this.cadence.every === 0;
  }

  get reading(): boolean {
    return this.stack.length > 0 && this.due && isGradEnabled();
  }

  // The net ------------------------------------------------------------------------------------------------------------

  private enter(station: Station, inputs: readonly unknown[]): void {
    // Parts of a net may be called by themselves: an encoder and its decoder, the two nets of a GAN.
    if (station.module === this.net || this.stack.length === 0) this.beginPass(inputs);
    this.stack.push(station);
  }

  private beginPass(inputs: readonly unknown[]): void {
    this.stack.length = 0;
    this.lastLayer = "";
    const grad = isGradEnabled();
    this.ranSince = true;
    this.passes.push({
      grad,
      training: this.net.training,
      trainingModules: this.modal.filter((m) => m.training),
    });
    if (this.passes.length > 64) this.passes.shift();
    if (!grad || !this.due || this.passes.filter((pass) => pass.grad).length > 1) return;
    readInputs(inputs, this.history);
  }

  private leave(station: Station, inputs: readonly unknown[], output: unknown): void {
    const sampled = this.reading;
    // A forward that threw has left its modules behind.
    const at = this.stack.lastIndexOf(station);
    if (at >= 0) this.stack.length = at;
    if (station.weighted && isGradEnabled()) {
      const { path, name } = station;
      this.lastLayer = path;
      if (!station.hasRun) {
        station.hasRun = true;
        this.history.order.set(path, this.history.order.size);
        if (name.startsWith("Embedding")) this.history.vocabularies.add(weightOf(station.module).shape[0]);
      }
      if (sampled && isReadable(output)) {
        const weight = weightOf(station.module);
        this.layers.readLayer(path, name, weight, inputs[0], firstRows(output));
      }
    }
    if (this.stack.length === 0 && sampled) this.layers.markOutput();
  }

  // Ops ----------------------------------------------------------------------------------------------------------------

  ran(op: string, out: Tensor, inputs: readonly (Tensor | null | undefined)[]): void {
    if (op === "softmax" || op === "sigmoid") this.probabilities.add(out.block);
    const inside = this.stack.length > 0;
    if (!inside && this.due && !this.history.game) this.lookForOthers(inputs);
    if (!isGradEnabled()) return;
    const station = inside ? this.stack[this.stack.length - 1] : null;
    if (this.ops.length < MOST_OPS) this.ops.push({ op, out, path: station?.path ?? null, layer: this.lastLayer });
    if (station === null) readLoss(op, out, inputs, this.history, this.probabilities, this.due);
    else if (this.due && op in ACTIVATIONS && isReadable(out)) {
      const { path, bare } = station;
      const place = path !== "" && bare ? path : this.lastLayer || path || "net";
      this.layers.readActivation(op, firstRows(out), place, this.lastLayer);
    }
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
    this.parameters.accumulates(leaf);
  }

  clipped(norm: number, maxNorm: number): void {
    this.clip = { norm, limit: maxNorm };
    // Now, for scaling by such a norm spoils all the other gradients too.
    if (!Number.isFinite(norm)) this.traceNonFinite(this.history.step + 1, { gradientNorm: String(norm) });
  }

  unequal(input: Tensor, target: Tensor): void {
    if (this.due && isGradEnabled()) lookForBroadcast(input, target, this.history);
  }

  refused(error: LanegradError): void {
    const step = this.history.step + 1;
    this.history.addIncident("labels", { step, layer: null, evidence: { message: error.message } });
  }

  // The optimizer ------------------------------------------------------------------------------------------------------

  private beforeUpdate(optimizer: Optimizer<any>): void {
    if (this.parameters.usesAgain(optimizer)) this.addedToUsed = true;
    // Several optimizers, each after a pass of its own: they have different aims.
    if (this.stepped !== null && this.stepped !== optimizer && this.ranSince) this.history.game = true;
    if (this.due) this.parameters.copy(optimizer);
  }

  private afterUpdate(optimizer: Optimizer<any>): void {
    this.history.updates++;
    this.stepped = optimizer;
    this.ranSince = false;
    this.parameters.forget(optimizer);
    if (this.due) this.parameters.compare(optimizer);
  }

  // The loop -----------------------------------------------------------------------------------------------------------

  /** Closes step number `step`, whose loss the history has. Gives the sample if it was a sampled one. */
  endStep(step: number, loss: number): Sample | null {
    const due = this.isDue(step);
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
    this.due = this.isDue(step + 1);
    return sample;
  }

  private takeSample(step: number): Sample {
    const { lr = Number.NaN } = this.optimizers[0].paramGroups[0] as { lr?: number };
    const sample: Sample = { step, lr, ...this.parameters.take(this.clip), activations: this.layers.take() };
    this.history.addSample(sample);
    this.histograms.end(step);
    return sample;
  }

  private traceNonFinite(step: number, seen: Record<string, string>): void {
    if (this.history.incidents.has("non-finite")) return;
    const { layer, evidence } = findOrigin(this.ops, this.parameters.parameters);
    this.history.addIncident("non-finite", { step, layer, evidence: { ...seen, ...evidence } });
  }

  /** A loss can be finite while a gradient is not: log's at 0, say. */
  private lookForNonFinite(sample: Sample, loss: number): void {
    if (this.history.incidents.has("non-finite")) return;
    if (!sample.parameters.some((p) => p.gradNonFinite > 0 || !Number.isFinite(p.weightNorm))) return;
    const { layer, evidence } = findOrigin(this.ops, this.parameters.parameters);
    this.history.addIncident("non-finite", { step: sample.step, layer, evidence: { loss, ...evidence } });
  }

  private checkTrainingMode(step: number): void {
    const pass = this.passes.findLast(({ grad }) => grad);
    if (pass === undefined || pass.training || !this.validated || this.modal.length === 0) return;
    const evidence = { mode: "eval", during: "training steps", layers: this.modal.length };
    this.history.addIncident("mode", { step, layer: this.pathOf(this.modal[0]), evidence });
  }

  /** The passes since the last step were those of a validation. */
  endValidation(): void {
    const pass = this.passes.at(-1);
    if (pass !== undefined && pass.trainingModules.length > 0) {
      const evidence = { mode: "train", during: "validation", layers: pass.trainingModules.length };
      const layer = this.pathOf(pass.trainingModules[0]);
      this.history.addIncident("mode", { step: this.history.step, layer, evidence });
    }
    this.validated = true;
    this.passes = [];
  }

  private pathOf(module: Module): string | null {
    return this.stations.find((station) => station.module === module)?.path ?? null;
  }

  /** Gives back what is held. */
  release(): void {
    this.parameters.release();
    this.histograms.release();
    this.ops = [];
    this.stack.length = 0;
    this.strangers.clear();
  }
}

const weightOf = (module: Module): Tensor => (module as unknown as { weight: Tensor }).weight;

function stationOf(module: Module, path: string): Station {
  const weight: unknown = (module as { weight?: unknown }).weight;
  const weighted = weight instanceof Tensor && weight.ndim >= 2;
  const bare = module.children().next().done === true && module.parameters().length === 0;
  return { module, path, name: module.constructor.name, weighted, bare, hasRun: false };
}

/** Whether a module does something else in training than in evaluation. */
function isModal(module: Module): boolean {
  const { name } = module.constructor;
  if (/^(Batch|Instance)Norm/.test(name)) return (module as { trackRunningStats?: boolean }).trackRunningStats === true;
  return /^(Alpha|Feature)?(Alpha)?Dropout/.test(name) && (module as { p?: number }).p !== 0;
}
