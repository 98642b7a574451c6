/** The article's experiment on exploding gradients, in small. */
import { claims, exploding } from "../../examples/article/experiments/exploding.js";
import { explodingSection } from "../../examples/article/sections/exploding.js";
import { testExperiment } from "./experiment.js";

testExperiment(
  (seed) => exploding("quick", seed),
  claims,
  (result) => explodingSection(result, "quick"),
);
