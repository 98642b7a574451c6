export { Adadelta, type AdadeltaOptions } from "./adadelta.js";
export { Adagrad, type AdagradOptions } from "./adagrad.js";
export { Adam, type AdamOptions, AdamW } from "./adam.js";
export {
  type NewGroup,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamState,
  type Params,
  type StepHook,
} from "./optimizer.js";
export { RMSprop, type RMSpropOptions } from "./rmsprop.js";
export * as lrScheduler from "./schedulers/index.js";
export { SGD, type SGDOptions } from "./sgd.js";
