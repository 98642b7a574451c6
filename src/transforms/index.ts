/** `transforms`: what images go through on their way to the network, under torchvision's names. */
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
export { type FlipOptions, RandomHorizontalFlip, RandomVerticalFlip } from "./flip.js";
export { Transform, type TransformFn } from "./transform.js";
