/** What follows from common causes, and is true of a training as well. */
import type { RuleId } from "lanegrad/doctor";

/** When nothing gets through, or the steps are tiny. */
export const DEAF: readonly RuleId[] = [
  "loss-plateau",
  "poor-initialization",
  "underfitting",
  "update-ratio",
  "learning-rate-too-low",
];

/** When steps are too long. */
export const WILD: readonly RuleId[] = [
  "exploding-gradient",
  "non-finite",
  "diverging",
  "oscillating",
  "update-ratio",
  "learning-rate-too-high",
  "dead-relu",
  "saturated-activation",
  "loss-plateau",
  "vanishing-gradient",
  "underfitting",
];

/** When not even the last layer hears anything of the loss. */
export const SILENT: readonly RuleId[] = [...DEAF, "vanishing-gradient", "frozen-parameter", "no-gradient"];

/** When steps throw the weights further and further, in a net that has no ReLU. */
export const THROWN: readonly RuleId[] = [
  "non-finite",
  "diverging",
  "oscillating",
  "update-ratio",
  "learning-rate-too-high",
  "underfitting",
];

/** The same, where the gradients grow as well. */
export const BLOWN: readonly RuleId[] = ["exploding-gradient", ...THROWN];
