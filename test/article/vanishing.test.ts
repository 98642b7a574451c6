/** The article's experiment on vanishing gradients, in small. */
import { claims, vanishing } from "../../examples/article/experiments/vanishing.js";
import { vanishingSection } from "../../examples/article/sections/vanishing.js";
import { testExperiment } from "./experiment.js";

testExperiment(
  (seed) => vanishing("quick", seed),
  claims,
  (result) => vanishingSection(result, "quick"),
);
