/** `F`: layers, activations and losses as functions, as torch.nn.functional. */
export * from "../ops/activation.js";
export { dropout } from "../ops/dropout.js";
export { sigmoid, tanh } from "../ops/elementwise.js";
export { embedding } from "../ops/embedding.js";
export { oneHot } from "../ops/indexing.js";
export * from "../ops/loss.js";
export { linear } from "../ops/matmul.js";
export { layerNorm } from "../ops/norm.js";
export { pad } from "../ops/pad.js";
export * from "../ops/softmax.js";
