/** Reads parameters and their gradients when an optimizer uses them, and what has become of them after its step. */
import type { Module } from "../nn/module.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Tensor } from "../tensor.js";
import type { HistogramCounter } from "./histogram-counter.js";
import type { History, ParameterSample } from "./history.js";
import { type Before, copyBefore, firstOf, isReadable, updateOf } from "./probe.js";

interface Watched {
  name: string;
  layer: string;
  tensor: Tensor;
  matrix: boolean;
  optimized: boolean;
  /** From before the step. */
  before: Before | null;
  /** Some step has changed none of what was compared: from then on all of it is. */
  whole: boolean;
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

/** First numbers of a gradient that are remembered. */
const NUMBERS = 32;

export class ParameterReader {
  readonly parameters: Watched[] = [];
  private samples: ParameterSample[] = [];
  private readonly used = new Map<Optimizer<any>, Used>();

  constructor(
    net: Module,
    private readonly optimizers: readonly Optimizer<any>[],
    private readonly history: History,
    private readonly histograms: HistogramCounter,
  ) {
    const owned = this.owned();
    for (const [name, tensor] of net.namedParameters()) {
      const layer = name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "";
      const optimized = owned.has(tensor);
      this.parameters.push({ name, layer, tensor, matrix: tensor.ndim >= 2, optimized, before: null, whole: false });
    }
    this.lookForForgotten();
  }

  /** All parameters of the optimizers. */
  owned(): Set<Tensor> {
    return new Set(this.optimizers.flatMap((o) => o.paramGroups.flatMap((group) => group.params as Tensor[])));
  }

  /** Parameters that are to be learned but belong to no optimizer; they may be thawed, or added to a group, at any step. */
  private lookForForgotten(): void {
    const rest = this.parameters.filter(({ optimized }) => !optimized);
    if (rest.length === 0) return;
    const owned = this.owned();
    const { unoptimized } = this.history;
    for (const watched of rest) {
      const { name, tensor } = watched;
      watched.optimized = owned.has(tensor);
      if (!watched.optimized && tensor.requiresGrad && !unoptimized.includes(name)) unoptimized.push(name);
    }
  }

  /** The optimizer's parameters; the first one's are also those of none. */
  private of(optimizer: Optimizer<any>): Watched[] {
    if (this.optimizers.length === 1) return this.parameters;
    const own = new Set<Tensor>(optimizer.paramGroups.flatMap((group) => group.params));
    const first = optimizer === this.optimizers[0];
    return this.parameters.filter(({ tensor, optimized }) => own.has(tensor) || (first && !optimized));
  }

  /** Copies the parameters, or enough of them, before the optimizer's step. */
  copy(optimizer: Optimizer<any>): void {
    this.lookForForgotten();
    for (const watched of this.of(optimizer)) {
      const { tensor } = watched;
      if (!tensor.requiresGrad || !isReadable(tensor)) continue;
      watched.before = copyBefore(tensor, watched.before, watched.whole);
    }
  }

  /** Compares them with the copies, after the step, and reads the gradients that it used. */
  compare(optimizer: Optimizer<any>): void {
    const own = this.of(optimizer);
    this.rememberGradient(optimizer, own);
    for (const watched of own) {
      const { name, layer, tensor, matrix, optimized, before } = watched;
      if (!tensor.requiresGrad || before === null) continue;
      const grad = isReadable(tensor.gradTensor) ? tensor.gradTensor : null;
      const { norm, ratio, weightNorm, gradNorm, gradMeanAbs, gradNonFinite } = updateOf(tensor, before, grad);
      // Rows of a table that were not looked up stay as they are: that blocks stay is no proof that all does.
      const unknown = norm === 0 && before.every > 1;
      if (unknown) watched.whole = true;
      if (gradNorm !== null && !(matrix && gradNorm === 0)) this.history.received.add(name);
      this.samples.push({
        name,
        layer,
        size: tensor.numel(),
        matrix,
        optimized,
        weightNorm,
        gradNorm,
        gradMeanAbs,
        gradNonFinite,
        updateNorm: unknown ? Number.NaN : norm,
        updateRatio: unknown ? Number.NaN : ratio,
      });
      if (!matrix) continue;
      this.histograms.count(`weight/${name}`, tensor);
      if (grad !== null) this.histograms.count(`gradient/${name}`, grad);
    }
  }

  /** The samples of the step, which is over, and the norm of all gradients, before clipping. */
  take(clip: { norm: number; limit: number } | null): { parameters: ParameterSample[]; gradNorm: number } {
    const parameters = this.samples;
    this.samples = [];
    // Gradients of what no optimizer has are never zeroed by one, and grow for ever.
    const own = parameters.filter((p) => p.optimized);
    if (own.length === parameters.length && clip !== null) return { parameters, gradNorm: clip.norm };
    const cut = clip !== null && clip.norm > clip.limit ? clip.norm / clip.limit : 1;
    return { parameters, gradNorm: cut * Math.hypot(...own.map((p) => p.gradNorm ?? 0)) };
  }

  private rememberGradient(optimizer: Optimizer<any>, own: readonly Watched[]): void {
    for (const { tensor, optimized } of own) {
      if (!optimized || tensor.gradTensor === null || !isReadable(tensor.gradTensor)) continue;
      const values = firstOf(tensor.gradTensor, NUMBERS);
      if (!values.some((value) => value !== 0)) continue;
      this.used.set(optimizer, { leaf: tensor, values, addedTo: false });
      return;
    }
  }

  /** A backward pass is about to add to a leaf's gradient. */
  accumulates(leaf: Tensor): void {
    if (this.used.size === 0) return;
    for (const used of this.used.values()) {
      if (used.leaf !== leaf) continue;
      const now = leaf.gradTensor === null ? null : firstOf(leaf.gradTensor, used.values.length);
      if (now === null || now.every((value) => value === 0)) used.addedTo = false;
      else if (now.every((value, i) => value === used.values[i])) used.addedTo = true;
    }
  }

  /** Whether the optimizer is about to step with a gradient that it has used before, added to. */
  usesAgain(optimizer: Optimizer<any>): boolean {
    return this.used.get(optimizer)?.addedTo === true;
  }

  /** The optimizer has stepped: what it used before is past. */
  forget(optimizer: Optimizer<any>): void {
    this.used.delete(optimizer);
  }

  /** Gives back what is held. */
  release(): void {
    for (const watched of this.parameters) {
      watched.before?.copy.dispose();
      watched.before = null;
    }
    this.used.clear();
  }
}
