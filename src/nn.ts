/**
 * `lanegrad/nn`: layers and losses as modules; the same as `nn` of `lanegrad`. `import * as nn from "lanegrad/nn"` lets every bundler leave
 * out what a page does not use; esbuild cannot look into a namespace that is imported by name.
 */
import "./methods.js";

export * from "./nn/index.js";
