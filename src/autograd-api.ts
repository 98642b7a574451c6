/** `autograd`: custom functions, gradients without `.grad`, and checks. */
export type { Anomaly, ValueRange } from "./anomaly.js";
export { backward, grad } from "./autograd.js";
export { Context, Function } from "./function.js";
export { type AnomalyChecks, detectAnomaly, enableGrad, noGrad } from "./grad-mode.js";
export { type GradcheckOptions, gradcheck } from "./gradcheck.js";
