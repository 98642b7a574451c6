/** A training to be examined: what it is, what is wrong with it, and the loop that all of them share. */
import { F, nn as modules, type nn, noGrad, optim, type Tensor } from "lanegrad";
import { type DoctorOptions, type Finding, type RuleId, watch } from "lanegrad/doctor";
import type { Task } from "./tasks.js";

export interface Program {
  name: string;
  /** What must be found; nothing, of a healthy program. */
  sick: readonly RuleId[];
  /** What may be found as well, as it is true: consequences of the sickness. */
  also?: readonly RuleId[];
  /** @param shift is added to the program's seed */
  run(shift?: number): Finding[];
}

export interface Recipe {
  net: nn.Module;
  task: Task;
  optimizer?: (net: nn.Module) => optim.Optimizer<any>;
  steps?: number;
  batch?: number;
  /** From the net's outputs. Default: the task's. */
  loss?: (outputs: Tensor, targets: Tensor) => Tensor;
  clip?: number;
  zeroGrad?: boolean;
  /** Steps between validations; 0 for none. */
  validate?: number;
  /** Switch to evaluation for it, and back. */
  evalMode?: boolean;
  trainMode?: boolean;
  schedule?: (optimizer: optim.Optimizer<any>) => { step(): void };
  options?: DoctorOptions;
  /** Batches whose gradients are summed for one step. */
  accumulate?: number;
  /** Called before each step. */
  before?: (step: number) => void;
  /** Called when the net is in training mode again, at the start and after each validation. */
  training?: () => void;
}

/** Trains by the usual loop and gives the doctor's findings. */
export function examine(recipe: Recipe): Finding[] {
  const { net, task, steps = 200, batch = 32, clip, zeroGrad = true, validate = 50, options } = recipe;
  const { evalMode = true, trainMode = true, accumulate = 1, before, training } = recipe;
  const optimizer = recipe.optimizer?.(net) ?? new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  const loss = recipe.loss ?? task.loss;
  const schedule = recipe.schedule?.(optimizer);
  const doctor = watch(net, optimizer, options);
  const batches = task.batches(batch);
  training?.();
  try {
    for (let step = 1; step <= steps; step++) {
      before?.(step);
      if (zeroGrad) optimizer.zeroGrad();
      let value = 0;
      for (let part = 0; part < accumulate; part++) {
        const [inputs, targets] = batches();
        const share = loss(net(inputs), targets).div(accumulate);
        share.backward();
        value += share.item();
      }
      if (clip !== undefined) modules.utils.clipGradNorm_(net.parameters(), clip);
      optimizer.step();
      schedule?.step();
      doctor.step(value);
      if (validate === 0 || step % validate !== 0) continue;
      if (evalMode) net.eval();
      const [x, y] = task.test;
      const outputs = noGrad(() => net(x));
      const metrics = noGrad(() => ({ loss: loss(outputs, y).item(), accuracy: task.accuracy?.(outputs, y) }));
      doctor.validate(
        metrics.accuracy === undefined ? { loss: metrics.loss } : { loss: metrics.loss, accuracy: metrics.accuracy },
      );
      if (trainMode) net.train();
      training?.();
    }
    return doctor.findings();
  } catch (error) {
    // A loss that refuses its labels ends the training; what the doctor has seen of it counts.
    if (!(error instanceof Error) || error.name !== "IndexError") throw error;
    return doctor.findings();
  } finally {
    doctor.stop();
  }
}

/** Class scores against class indices. */
export const crossEntropy = (outputs: Tensor, targets: Tensor): Tensor => F.crossEntropy(outputs, targets);
