/** The article's experiment on overfitting, in small. */
import { claims, overfitting } from "../../examples/article/experiments/overfitting.js";
import { overfittingSection } from "../../examples/article/sections/overfitting.js";
import { testExperiment } from "./experiment.js";

testExperiment(
  (seed) => overfitting("quick", seed),
  claims,
  (result) => overfittingSection(result, "quick"),
);
