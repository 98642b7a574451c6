export { Optimizer, type OptimizerStateDict, type ParamGroup, type ParamState, type Params } from "./optimizer.js";
export { SGD, type SGDOptions } from "./sgd.js";
