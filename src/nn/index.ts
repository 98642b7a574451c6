export * from "./activation.js";
export { BatchNorm1d, BatchNorm2d, InstanceNorm1d, InstanceNorm2d } from "./batch-norm.js";
export { ModuleDict, ModuleList, Sequential } from "./container.js";
export {
  Conv2d,
  type Conv2dOptions,
  type ConvPaddingMode,
  ConvTranspose2d,
  type ConvTranspose2dOptions,
} from "./conv.js";
export * as functional from "./functional.js";
export type { BackwardHook, ForwardHook, ForwardPreHook, HookHandle } from "./hooks.js";
export * as init from "./init.js";
export { Dropout, Dropout2d, Flatten, Identity, Unflatten } from "./layers.js";
export { Linear } from "./linear.js";
export * from "./loss.js";
export { Module, type StateDict } from "./module.js";
export { GroupNorm, LayerNorm } from "./normalization.js";
export { CircularPad2d, ConstantPad2d, ReflectionPad2d, ReplicationPad2d, ZeroPad2d } from "./padding.js";
export { Parameter } from "./parameter.js";
export { AdaptiveAvgPool2d, AdaptiveMaxPool2d, AvgPool2d, MaxPool2d } from "./pool.js";
export { Embedding } from "./sparse.js";
export { PixelShuffle, PixelUnshuffle, Upsample } from "./upsample.js";
export * as utils from "./utils.js";
