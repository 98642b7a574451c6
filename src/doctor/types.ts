/** What the doctor says: findings. */

export const RULE_IDS = [
  "vanishing-gradient",
  "exploding-gradient",
  "non-finite",
  "dead-relu",
  "saturated-activation",
  "poor-initialization",
  "update-ratio",
  "frozen-parameter",
  "no-gradient",
  "loss-plateau",
  "diverging",
  "oscillating",
  "overfitting",
  "underfitting",
  "overtraining",
  "unnormalized-inputs",
  "class-imbalance",
  "learning-rate-too-high",
  "learning-rate-too-low",
  "clipping-always",
  "clipping-never",
  "mode-at-validation",
  "missing-zero-grad",
  "softmax-before-cross-entropy",
  "labels-out-of-range",
] as const;

/** A rule's name. */
export type RuleId = (typeof RULE_IDS)[number];

/** How bad it is: an error spoils the training, a warning costs quality or time, an info is worth knowing. */
export type Severity = "info" | "warning" | "error";

/** Numbers (and a few words) that show what was found, by name; what they were compared with is among them. */
export type Evidence = Record<string, number | string>;

/** One thing that is wrong with a training. */
export interface Finding {
  rule: RuleId;
  severity: Severity;
  /** Dotted path of the layer or parameter, or null where it concerns the whole training. */
  layer: string | null;
  /** The step in which it was first seen (1 is the first). */
  step: number;
  evidence: Evidence;
  /** Why this happens, and what it does to the training. */
  why: string;
  /** What to change, the likeliest help first. */
  advice: readonly string[];
}
