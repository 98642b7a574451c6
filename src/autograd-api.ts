/** `autograd`: custom functions, gradients without `.grad`, and checks. */
export { backward, detectAnomaly, enableGrad, grad, noGrad } from "./autograd.js";
export { Context, Function } from "./function.js";
export { type GradcheckOptions, gradcheck } from "./gradcheck.js";
