/** Means over the samples of many batches. */
import { show } from "../arguments.js";
import { ArgumentError } from "../errors.js";
import { noGrad } from "../grad-mode.js";
import { Tensor } from "../tensor.js";
import type { Means, Metric } from "./types.js";

/** Sums weighted by samples. */
export class Averages {
  private sums: Means = {};
  private samples = 0;

  add(values: Means, samples: number): void {
    for (const [name, value] of Object.entries(values)) this.sums[name] = (this.sums[name] ?? 0) + value * samples;
    this.samples += samples;
  }

  get means(): Means {
    return Object.fromEntries(Object.entries(this.sums).map(([name, sum]) => [name, sum / this.samples]));
  }

  state(): { sums: Means; samples: number } {
    return { sums: { ...this.sums }, samples: this.samples };
  }

  load(state: { sums: Means; samples: number }): void {
    this.sums = { ...state.sums };
    this.samples = state.samples;
  }
}

/** The metrics of one batch. @throws ArgumentError for what is no number */
export function measure(metrics: Record<string, Metric>, outputs: unknown, targets: unknown): Means {
  const values: Means = {};
  noGrad(() => {
    for (const [name, metric] of Object.entries(metrics)) {
      const value: unknown = metric(outputs, targets);
      const number = value instanceof Tensor && value.numel() === 1 ? Number(value.item()) : value;
      if (typeof number !== "number") {
        throw new ArgumentError(
          `fit: metrics.${name} must return a number or a tensor of one element, found ${
            value instanceof Tensor ? `a tensor of shape [${value.shape.join(", ")}]` : show(value)
          }`,
        );
      }
      values[name] = number;
    }
  });
  return values;
}
