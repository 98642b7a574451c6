/**
 * `lanegrad/optim`: optimizers and schedules; the same as `optim` of `lanegrad`. `import * as optim from "lanegrad/optim"` lets every bundler leave
 * out what a page does not use; esbuild cannot look into a namespace that is imported by name.
 */
import "./methods.js";

export * from "./optim/index.js";
