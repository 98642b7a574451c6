/** Schedules of learning rates: `torch.optim.lr_scheduler`. */
export {
  CosineAnnealingLR,
  type CosineAnnealingLROptions,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingWarmRestartsOptions,
} from "./cosine.js";
export { CyclicLR, type CyclicLROptions } from "./cyclic.js";
export { LambdaLR, type LambdaLROptions, type LRLambda, MultiplicativeLR } from "./lambda.js";
export {
  ConstantLR,
  type ConstantLROptions,
  LinearLR,
  type LinearLROptions,
  PolynomialLR,
  type PolynomialLROptions,
} from "./linear.js";
export { OneCycleLR, type OneCycleLROptions } from "./onecycle.js";
export { ReduceLROnPlateau, type ReduceLROnPlateauOptions } from "./plateau.js";
export { LRScheduler, type SchedulerStateDict } from "./scheduler.js";
export { ChainedScheduler, SequentialLR, type SequentialLROptions } from "./sequential.js";
export {
  ExponentialLR,
  type ExponentialLROptions,
  MultiStepLR,
  type MultiStepLROptions,
  StepLR,
  type StepLROptions,
} from "./step.js";
