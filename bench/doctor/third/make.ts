/** How the third series writes down its programs. */
import { F, manualSeed, type nn, optim, type Tensor } from "lanegrad";
import type { Finding, RuleId } from "lanegrad/doctor";
import { examine, type Program, type Recipe } from "../program.js";
import type { Task } from "../tasks.js";

const SEED = 59;

/** A program with a loop of its own. */
export const loop = (
  name: string,
  sick: readonly RuleId[],
  also: readonly RuleId[],
  run: () => Finding[],
): Program => ({
  name,
  sick,
  also,
  run: (shift = 0) => {
    manualSeed(SEED + shift);
    return run();
  },
});

export const healthy = (name: string, recipe: () => Recipe): Program =>
  loop(`healthy: ${name}`, [], [], () => examine(recipe()));
export const sick = (id: RuleId, name: string, also: readonly RuleId[], recipe: () => Recipe): Program =>
  loop(`${id}: ${name}`, [id], also, () => examine(recipe()));

export const adam = (lr: number) => (net: nn.Module) => new optim.Adam(net.parameters(), { lr });
export const adamW =
  (lr: number, weightDecay = 1e-2) =>
  (net: nn.Module) =>
    new optim.AdamW(net.parameters(), { lr, weightDecay });
export const sgd =
  (lr: number, momentum = 0, weightDecay = 0) =>
  (net: nn.Module) =>
    new optim.SGD(net.parameters(), { lr, momentum, weightDecay });

/** Of log-likelihoods. */
export const likelihood = (outputs: Tensor): Tensor => outputs.mean().neg();

/** Trains without being watched, for programs that begin with a net that has learned something. */
export function learn<Net extends nn.Module>(net: Net, task: Task, steps: number, lr = 3e-3): Net {
  const optimizer = adam(lr)(net);
  const batches = task.batches(64);
  for (let step = 0; step < steps; step++) {
    const [x, y] = batches();
    optimizer.zeroGrad();
    F.crossEntropy(net(x), y).backward();
    optimizer.step();
  }
  return net;
}
