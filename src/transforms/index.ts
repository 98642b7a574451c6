/** `transforms`: what images go through on their way to the network, under torchvision's names. */
export { ColorJitter, type ColorJitterOptions } from "./color.js";
export { Compose, Lambda } from "./compose.js";
export { Normalize, ToTensor } from "./convert.js";
export {
  CenterCrop,
  Pad,
  type Padding,
  type PaddingMode,
  type PadOptions,
  RandomCrop,
  type RandomCropOptions,
} from "./crop.js";
export { RandomErasing, type RandomErasingOptions } from "./erase.js";
export { type FlipOptions, RandomHorizontalFlip, RandomVerticalFlip } from "./flip.js";
export {
  type Interpolation,
  RandomResizedCrop,
  type RandomResizedCropOptions,
  Resize,
  type ResizeOptions,
} from "./resize.js";
export { RandomRotation, type RandomRotationOptions } from "./rotate.js";
export { Transform, type TransformFn } from "./transform.js";
