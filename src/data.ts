/**
 * `lanegrad/data`: data sets and loaders; the same as `data` of `lanegrad`. `import * as data from "lanegrad/data"` lets every bundler leave
 * out what a page does not use; esbuild cannot look into a namespace that is imported by name.
 */
import "./methods.js";

export * from "./data/index.js";
