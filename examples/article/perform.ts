/** All experiments, one after the other, as sections of the article. */
import { exploding, runsOf as explodingRuns } from "./experiments/exploding.js";
import { CURES, overfitting } from "./experiments/overfitting.js";
import { underfitting, runsOf as underfittingRuns } from "./experiments/underfitting.js";
import { NETS, vanishing } from "./experiments/vanishing.js";
import type { Section } from "./page/section.js";
import { explodingSection } from "./sections/exploding.js";
import { overfittingSection } from "./sections/overfitting.js";
import { underfittingSection } from "./sections/underfitting.js";
import { vanishingSection } from "./sections/vanishing.js";

export type Size = "full" | "quick";
/** Told before each training. */
export type OnRun = (run: string) => void;

export interface Experiment {
  name: string;
  /** How many trainings it takes. */
  runs: (size: Size) => number;
  perform: (size: Size, seed: number, onRun: OnRun) => Section;
}

export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: "vanishing gradients",
    runs: () => Object.keys(NETS).length,
    perform: (size, seed, onRun) => vanishingSection(vanishing(size, seed, onRun), size),
  },
  {
    name: "exploding gradients",
    runs: explodingRuns,
    perform: (size, seed, onRun) => explodingSection(exploding(size, seed, onRun), size),
  },
  {
    name: "overfitting",
    runs: () => CURES.length,
    perform: (size, seed, onRun) => overfittingSection(overfitting(size, seed, onRun), size),
  },
  {
    name: "underfitting",
    runs: underfittingRuns,
    perform: (size, seed, onRun) => underfittingSection(underfitting(size, seed, onRun), size),
  },
];
