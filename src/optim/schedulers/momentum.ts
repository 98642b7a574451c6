/** The momentum of a group: `momentum`, or the first of `betas`. Two schedules cycle it. */
import { ArgumentError } from "../../errors.js";
import type { AnyOptimizer, Group } from "./scheduler.js";

/** Whether it is betas[0] that cycles. @throws ArgumentError when the optimizer has no momentum at all */
export function cyclesBeta(where: string, optimizer: AnyOptimizer): boolean {
  if ("betas" in optimizer.defaults) return true;
  if ("momentum" in optimizer.defaults) return false;
  throw new ArgumentError(
    `${where}: cycleMomentum needs an optimizer with momentum or betas, found ${optimizer.constructor.name}; give ` +
      "cycleMomentum: false",
  );
}

export function setMomentum(optimizer: AnyOptimizer, group: Group, momentum: number): void {
  if ("betas" in optimizer.defaults) group.betas = [momentum, ...group.betas.slice(1)];
  else group.momentum = momentum;
}
