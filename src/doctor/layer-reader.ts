/** Reads what layers and activation functions give in a step that is sampled. */
import type { Tensor } from "../tensor.js";
import { ACTIVATIONS, UnitActivity } from "./activations.js";
import type { HistogramCounter } from "./histogram-counter.js";
import type { ActivationSample } from "./history.js";
import { isReadable, statsOf } from "./probe.js";

export class LayerReader {
  /** Of the step under way, by name, in the order in which they ran first. */
  private samples = new Map<string, ActivationSample>();
  /** How often each activation has run in this step, and after which layer it ran first. */
  private runs = new Map<string, { count: number; after: string }>();
  private readonly units = new Map<string, UnitActivity>();
  private readonly gains = new Map<string, number>();

  constructor(private readonly histograms: HistogramCounter) {}

  /** The samples of the step, which is over. */
  take(): ActivationSample[] {
    const samples = [...this.samples.values()];
    this.samples = new Map();
    this.runs = new Map();
    return samples;
  }

  /** What comes after the last layer with weights is the net's output, not a hidden layer. */
  markOutput(): void {
    let hidden = false;
    for (const sample of [...this.samples.values()].reverse()) {
      sample.hidden = hidden;
      if (!Number.isNaN(sample.gain)) hidden = true;
    }
  }

  /** Reads the output of a layer with weights; of one that runs several times, the first. */
  readLayer(layer: string, op: string, weight: Tensor, input: unknown, output: Tensor): void {
    if (this.samples.has(layer)) return;
    const { mean, variance, zeros, nan, inf } = statsOf(output);
    const gain = isReadable(input) ? this.gainOf(layer, op, weight) : Number.POSITIVE_INFINITY;
    const unknown = { saturated: Number.NaN, dead: Number.NaN };
    this.samples.set(layer, { layer, op, hidden: true, runs: 1, mean, variance, gain, zeros, ...unknown, nan, inf });
    this.histograms.count(`activation/${layer}`, output);
  }

  /**
   * How many times larger than the mean square of the inputs the weights make the outputs' variance, as the layer was initialised:
   * Σw² / outputs, for a bias adds to all outputs of a unit alike. Layers that look up (Embedding) have no such number.
   */
  private gainOf(layer: string, op: string, weight: Tensor): number {
    let gain = this.gains.get(layer);
    if (gain === undefined) {
      const outputs = op.includes("Transpose") ? weight.shape[1] : weight.shape[0];
      gain = isReadable(weight) ? (statsOf(weight).meanSquare * weight.numel()) / outputs : Number.POSITIVE_INFINITY;
      this.gains.set(layer, gain);
    }
    return gain;
  }

  /**
   * Reads the result of an activation function.
   *
   * @param place path of the function's own module, or else of the layer that it follows
   * @param after the last layer with weights before it
   */
  readActivation(op: string, out: Tensor, place: string, after: string): void {
    const label = this.labelOf(op, place, after);
    if (label === null) return;
    const runs = this.runs.get(label)?.count ?? 1;
    const { low, high, saturates, dies } = ACTIVATIONS[op];
    const { mean, variance, zeros, outside, nan, inf } = statsOf(out, low, high);
    const dead = dies ? this.activityOf(label).add(out) : Number.NaN;
    const saturated = saturates ? outside : Number.NaN;
    const found = { mean, variance, gain: Number.NaN, zeros, saturated, dead, nan, inf };
    this.samples.set(label, { layer: label, op, hidden: true, runs, ...found });
    this.histograms.count(`activation/${label}`, out);
  }

  /**
   * Under what name an activation is read; null where it is not. A module that is used in several places has a name for each. Of a sigmoid or
   * tanh that runs again and again after the same layer, as in a recurrent net, the first run is read, the second, fourth, eighth …, and the
   * latest stands for all; of others the first.
   */
  private labelOf(op: string, place: string, after: string): string | null {
    let label = `${place} (${op})`;
    const first = this.runs.get(label);
    if (first !== undefined && first.after !== after) label = `${place} after ${after} (${op})`;
    const run = this.runs.get(label) ?? { count: 0, after };
    run.count++;
    this.runs.set(label, run);
    const read = ACTIVATIONS[op].saturates ? (run.count & (run.count - 1)) === 0 : run.count === 1;
    return read ? label : null;
  }

  private activityOf(label: string): UnitActivity {
    let activity = this.units.get(label);
    if (activity === undefined) {
      activity = new UnitActivity();
      this.units.set(label, activity);
    }
    return activity;
  }
}
