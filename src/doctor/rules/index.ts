/** All rules, in the order in which they are asked: causes first, what follows from them later. */
import {
  classImbalance,
  clippingAlways,
  clippingNever,
  labelsOutOfRange,
  softmaxBeforeCrossEntropy,
  unnormalizedInputs,
} from "./data.js";
import { explodingGradient, missingZeroGrad, noGradient, nonFinite, vanishingGradient } from "./gradients.js";
import { deadRelu, frozenParameter, poorInitialization, saturatedActivation, updateRatio } from "./layers.js";
import { diverging, learningRateTooHigh, learningRateTooLow, lossPlateau, oscillating } from "./loss.js";
import type { Rule } from "./rule.js";
import { modeAtValidation, overfitting, overtraining, underfitting } from "./validation.js";

export const RULES: readonly Rule[] = [
  labelsOutOfRange,
  softmaxBeforeCrossEntropy,
  missingZeroGrad,
  modeAtValidation,
  unnormalizedInputs,
  classImbalance,
  poorInitialization,
  noGradient,
  nonFinite,
  explodingGradient,
  vanishingGradient,
  frozenParameter,
  deadRelu,
  saturatedActivation,
  updateRatio,
  diverging,
  oscillating,
  lossPlateau,
  learningRateTooHigh,
  learningRateTooLow,
  clippingAlways,
  clippingNever,
  overfitting,
  underfitting,
  overtraining,
];

/** Every rule's thresholds with their defaults. */
export type RuleOptions = Partial<Record<Rule["id"], Record<string, number> | false>>;
