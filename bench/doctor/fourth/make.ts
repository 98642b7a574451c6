/** How the fourth series writes down its programs: as the third does, with seeds of its own. */
import { nn, noGrad, type optim } from "lanegrad";
import { type Doctor, type Finding, type RuleId, watch } from "lanegrad/doctor";
import type { Program, Recipe } from "../program.js";
import type { Task } from "../tasks.js";
import * as third from "../third/make.js";

export { adam, adamW, learn, sgd } from "../third/make.js";

/** Is added to the third series' seed. */
const APART = 40;
const apart = (program: Program): Program => ({ ...program, run: (shift = 0) => program.run(APART + shift) });

export const loop = (name: string, sick: readonly RuleId[], also: readonly RuleId[], run: () => Finding[]): Program =>
  apart(third.loop(name, sick, also, run));
export const healthy = (name: string, recipe: () => Recipe): Program => apart(third.healthy(name, recipe));
export const sick = (id: RuleId, name: string, also: readonly RuleId[], recipe: () => Recipe): Program =>
  apart(third.sick(id, name, also, recipe));

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
