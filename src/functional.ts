/**
 * `lanegrad/nn/functional`: layers, activations and losses as functions; the same as `F` of `lanegrad`. `import * as F from "lanegrad/nn/functional"` lets every bundler leave
 * out what a page does not use; esbuild cannot look into a namespace that is imported by name.
 */
import "./methods.js";

export * from "./nn/functional.js";
