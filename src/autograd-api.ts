/** `autograd`: custom functions, gradients without `.grad`, and checks. */
import { optionsOf, type Trailing } from "./arguments.js";
import { backwardFrom, refuseCreateGraph } from "./autograd.js";
import type { Tensor } from "./tensor.js";

export type { Anomaly, ValueRange } from "./anomaly.js";
export { type GradOptions, grad } from "./autograd.js";
export { Context, Function } from "./function.js";
export { type AnomalyChecks, detectAnomaly, enableGrad, noGrad } from "./grad-mode.js";
export { type GradcheckOptions, gradcheck } from "./gradcheck.js";

/** Options of `autograd.backward`. */
export interface BackwardFromOptions {
  /** Gradients of the tensors; may be left out for scalars. */
  gradTensors?: Tensor | readonly (Tensor | null)[] | null;
  retainGraph?: boolean;
  createGraph?: boolean;
}

/** `backward()` of one or several tensors, in one pass; as torch.autograd.backward. */
export function backward(
  tensors: Tensor | readonly Tensor[],
  ...rest: Trailing<BackwardFromOptions, ["gradTensors", "retainGraph", "createGraph"]>
): void {
  const names = ["gradTensors", "retainGraph", "createGraph"] as const;
  const options = optionsOf<BackwardFromOptions>("autograd.backward", rest, names);
  refuseCreateGraph("autograd.backward", options.createGraph);
  const given = options.gradTensors ?? [];
  backwardFrom(
    Array.isArray(tensors) ? tensors : [tensors as Tensor],
    Array.isArray(given) ? given : [given as Tensor],
    options.retainGraph ?? false,
  );
}
