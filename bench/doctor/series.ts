/** How the later series write down their programs. */
import { F, manualSeed, nn, noGrad, optim, type Tensor } from "lanegrad";
import { type Doctor, type Finding, type RuleId, watch } from "lanegrad/doctor";
import { examine, type Program, type Recipe } from "./program.js";
import type { Task } from "./tasks.js";

export interface Series {
  /** A program with a loop of its own. */
  loop(name: string, sick: readonly RuleId[], also: readonly RuleId[], run: () => Finding[]): Program;
  healthy(name: string, recipe: () => Recipe): Program;
  /** @param ids two where both are one mistake */
  sick(ids: RuleId | readonly RuleId[], name: string, also: readonly RuleId[], recipe: () => Recipe): Program;
}

/** Each series has its own random numbers. */
const SEEDS = { third: 59, fourth: 99, fifth: 149, sixth: 199, seventh: 249 };

export function series(name: keyof typeof SEEDS): Series {
  const loop: Series["loop"] = (title, sick, also, run) => ({
    name: title,
    sick,
    also,
    run: (shift = 0) => {
      manualSeed(SEEDS[name] + shift);
      return run();
    },
  });
  return {
    loop,
    healthy: (title, recipe) => loop(`healthy: ${title}`, [], [], () => examine(recipe())),
    sick: (ids, title, also, recipe) => {
      const all = typeof ids === "string" ? [ids] : ids;
      const others = also.filter((id) => !all.includes(id));
      return loop(`${all.join(", ")}: ${title}`, all, others, () => examine(recipe()));
    },
  };
}

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

/** Watches what `train` does. */
export function watched(net: nn.Module, optimizer: optim.Optimizer<any>, train: (doctor: Doctor) => void): Finding[] {
  const doctor = watch(net, optimizer);
  try {
    train(doctor);
    return doctor.findings();
  } finally {
    doctor.stop();
  }
}

/** Loss on the test data, told to the doctor as well. */
export function validate(doctor: Doctor, net: nn.Module, { test: [x, y], loss, accuracy }: Task): number {
  net.eval();
  const metrics = noGrad(() => {
    const outputs = net(x);
    return { loss: loss(outputs, y).item(), ...(accuracy && { accuracy: accuracy(outputs, y) }) };
  });
  doctor.validate(metrics);
  net.train();
  return metrics.loss;
}

/** Weights of a net as somebody sets them who has not heard of fans. */
export const normalWeights = <Net extends nn.Module>(net: Net, deviation: number): Net => {
  for (const p of net.parameters()) if (p.ndim >= 2) nn.init.normal_(p, 0, deviation);
  return net;
};
