/** What the doctor knows about activation functions. */
import type { Tensor } from "../tensor.js";
import { activityOf, layoutOf } from "./probe.js";

/** Bounds of the outputs with some slope left, and whether outputs beyond count as saturated or units that are 0 as dead. */
export interface ActivationFacts {
  low: number;
  high: number;
  saturates: boolean;
  dies: boolean;
}

/**
 * Saturated: the slope is below 5 % of the function's largest. Sigmoid: y(1 − y) < 0.0125, so y < 0.01266 or y > 0.98734;
 * tanh: 1 − y² < 0.05, so |y| > 0.97468.
 */
export const ACTIVATIONS: Record<string, ActivationFacts> = {
  relu: { low: -1, high: Number.POSITIVE_INFINITY, saturates: false, dies: true },
  batchNormRelu: { low: -1, high: Number.POSITIVE_INFINITY, saturates: false, dies: true },
  sigmoid: { low: 0.01266, high: 0.98734, saturates: true, dies: false },
  tanh: { low: -0.97468, high: 0.97468, saturates: true, dies: false },
};

/** Samples after which a unit's activity is judged: a unit active 1 % of the time is idle in all of 256 with p = 8 %. */
const ENOUGH = 256;

/** A unit active for less than this share of the samples is dead. */
const ALIVE = 0.01;

/** How often each unit of a layer was active, over several sampled steps. */
export class UnitActivity {
  private counts: Float64Array | null = null;
  private seen = 0;
  private share = Number.NaN;

  /** Adds a batch; gives the share of dead units, of the last few hundred samples, or NaN while fewer were seen. */
  add(out: Tensor): number {
    const layout = layoutOf(out);
    const active = activityOf(out, layout);
    if (this.counts === null || this.counts.length !== layout.units) {
      this.counts = new Float64Array(layout.units);
      this.seen = 0;
    }
    const { counts } = this;
    for (let u = 0; u < counts.length; u++) counts[u] += active[u];
    this.seen += layout.outer * layout.inner;
    if (this.seen >= ENOUGH) {
      let dead = 0;
      for (let u = 0; u < counts.length; u++) if (counts[u] < ALIVE * this.seen) dead++;
      this.share = dead / counts.length;
      counts.fill(0);
      this.seen = 0;
    }
    return this.share;
  }
}
