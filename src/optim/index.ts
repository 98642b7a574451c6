export { Optimizer, type OptimizerStateDict, type ParamGroup, type Params, type ParamState } from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";
