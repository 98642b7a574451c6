/** What a number of rounds says, and whether it says anything: medians, quartiles, verdicts. */

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Linear interpolation between the order statistics, as numpy's default. NaN of no values. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = Math.floor(at);
  if (sorted.length === 0) return Number.NaN;
  return sorted[below] + (at - below) * (sorted[Math.ceil(at)] - sorted[below]);
}

export interface Spread {
  readonly median: number;
  /** Quartiles; of fewer than five values the least and the greatest. */
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const q = values.length < 5 ? 0 : 0.25;
  return { median: median(values), low: quantile(values, q), high: quantile(values, 1 - q) };
}

/**
 * What rounds' ratios (the other's time over ours) allow to say:
 * "faster" or "slower": the quartiles lie on one side of 1, and the median more than 2 % from it;
 * "even": no more than noise, and the noise is small;
 * "too noisy": the quartiles contain 1 and lie more than 10 % apart, so that neither can be said.
 */
export type Verdict = "faster" | "slower" | "even" | "too noisy";

/** Below it the order in which a linker lays out the same code decides. */
const LEAST_DIFFERENCE = 0.02;
const MOST_NOISE = 1.1;

export function judge(ratios: readonly number[]): Verdict {
  if (ratios.length === 0 || ratios.some((ratio) => !(ratio > 0))) return "too noisy";
  const { median: middle, low, high } = spreadOf(ratios);
  const undecided = low <= 1 && high >= 1;
  if (undecided && high / low > MOST_NOISE) return "too noisy";
  if (undecided || Math.abs(middle - 1) < LEAST_DIFFERENCE) return "even";
  return middle > 1 ? "faster" : "slower";
}
