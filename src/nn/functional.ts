/** `F`: layers, activations and losses as functions, as torch.nn.functional. */
export * from "../ops/activation.js";
export { adaptiveAvgPool2d, avgPool2d } from "../ops/avg-pool.js";
export { batchNorm } from "../ops/batch-norm.js";
export { conv2d, convTranspose2d } from "../ops/conv.js";
export { dropout, dropout2d } from "../ops/dropout.js";
export { embedding } from "../ops/embedding.js";
export { groupNorm, instanceNorm } from "../ops/group-norm.js";
export { oneHot } from "../ops/indexing.js";
export { interpolate } from "../ops/interpolate.js";
export * from "../ops/loss.js";
export { linear } from "../ops/matmul.js";
export { adaptiveMaxPool2d, maxPool2d } from "../ops/max-pool.js";
export { layerNorm } from "../ops/norm.js";
export { pad } from "../ops/pad.js";
export { pixelShuffle, pixelUnshuffle } from "../ops/pixel-shuffle.js";
export * from "../ops/softmax.js";
export { sigmoid, tanh } from "../ops/unary.js";
