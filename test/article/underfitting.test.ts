/** The article's experiment on underfitting, in small. */
import { claims, underfitting } from "../../examples/article/experiments/underfitting.js";
import { underfittingSection } from "../../examples/article/sections/underfitting.js";
import { testExperiment } from "./experiment.js";

testExperiment(
  (seed) => underfitting("quick", seed),
  claims,
  (result) => underfittingSection(result, "quick"),
);
