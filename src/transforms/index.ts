/** `transforms`: what images go through on their way to the network, under torchvision's names. */
export { Compose, Lambda } from "./compose.js";
export { Normalize, ToTensor } from "./convert.js";
export { Transform, type TransformFn } from "./transform.js";
