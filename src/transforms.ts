/**
 * `lanegrad/transforms`: transforms of images; the same as `transforms` of `lanegrad`. `import * as transforms from "lanegrad/transforms"` lets every bundler leave
 * out what a page does not use; esbuild cannot look into a namespace that is imported by name.
 */
import "./methods.js";

export * from "./transforms/index.js";
