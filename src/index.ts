/** lanegrad's public API: re-exports only. */

// Of these a bundler keeps what is used, and puts it where it is first named: side by side the kernels' texts compress 3 % better
// (everything, gzip) than between the modules that use them, whose text they would push out of the compressor's window.
import "./wasm/families/activation.generated.js";
import "./wasm/families/batch-norm.generated.js";
import "./wasm/families/conv.generated.js";
import "./wasm/families/images.generated.js";
import "./wasm/families/interpolate.generated.js";
import "./wasm/families/loss.generated.js";
import "./wasm/families/norm.generated.js";
import "./wasm/families/optim.generated.js";
import "./wasm/families/pool.generated.js";

export * as autograd from "./autograd-api.js";
export * as data from "./data/index.js";
export type { DType, TypedArray } from "./dtype.js";
export * from "./errors.js";
export * from "./fit/index.js";
export { Generator, getRngState, manualSeed, setRngState } from "./generator.js";
export { enableGrad, isGradEnabled, noGrad } from "./grad-mode.js";
// Through methods.js, so that a bundler that takes any tensor takes the methods with it.
export { Tensor, type TensorMethods } from "./methods.js";
export * as F from "./nn/functional.js";
export * as nn from "./nn/index.js";
export { relu } from "./ops/activation.js";
export { add, clamp, div, eq, ge, gt, le, lt, maximum, minimum, mul, ne, pow, remainder, sub } from "./ops/binary.js";
export * from "./ops/create.js";
export { flip, gather, indexSelect, maskedSelect, nonzero, roll, take, tril, triu } from "./ops/indexing.js";
export { bmm, dot, matmul, mm, outer, trace } from "./ops/matmul.js";
export {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  countNonzero,
  cumsum,
  logsumexp,
  max,
  mean,
  min,
  norm,
  prod,
  std,
  sum,
  var,
} from "./ops/reduce.js";
export { logSoftmax, softmax } from "./ops/softmax.js";
export { argsort, sort, topk } from "./ops/sort.js";
export {
  abs,
  ceil,
  cos,
  erf,
  exp,
  expm1,
  floor,
  isfinite,
  isinf,
  isnan,
  log,
  log1p,
  log2,
  log10,
  neg,
  reciprocal,
  round,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  tanh,
} from "./ops/unary.js";
export {
  cat,
  chunk,
  diagonal,
  expand as broadcastTo,
  flatten,
  narrow,
  permute,
  reshape,
  select,
  split,
  squeeze,
  stack,
  t,
  transpose,
  unbind,
  unflatten,
  unsqueeze,
} from "./ops/view.js";
export { logicalAnd, logicalNot, logicalOr, logicalXor, maskedFill, where } from "./ops/where.js";
export * as optim from "./optim/index.js";
export { scope } from "./scope.js";
export { load, loadMetadata, type Saved, type SaveOptions, save } from "./serialize/index.js";
export { type MemoryInfo, memory } from "./storage.js";
export type { NestedArray, TensorLike } from "./tensor.js";
export * as transforms from "./transforms/index.js";
export { setModule } from "./wasm/load.js";
export { backend, getNumThreads, setNumThreads } from "./wasm/threads.js";
