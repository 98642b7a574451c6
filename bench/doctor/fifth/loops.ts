/** Programs of the fifth series that the common loop does not fit. */
import { F, nn, noGrad, optim, type Tensor } from "lanegrad";
import type { Finding } from "lanegrad/doctor";
import { eachWeight, mlp } from "../nets.js";
import { validate, watched } from "../series.js";
import * as third from "../third/tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

/**
 * Sixteen readers, each at a place of its own in the text: their states go from one batch to the next, their gradients do not
 * (truncated backpropagation, Williams & Peng, 1990).
 */
export function stateful(): Finding[] {
  const task = third.nextCharacters({ count: 2000 });
  const net = new nets.StatefulGRU(task.vocabulary);
  const optimizer = new optim.RMSprop(net.parameters(), { lr: 3e-3 });
  const next = tasks.readers(32, 16);
  return watched(net, optimizer, (doctor) => {
    for (let step = 1; step <= 160; step++) {
      const [x, y, again] = next();
      if (again) net.state = null;
      optimizer.zeroGrad();
      const loss = F.crossEntropy(net(x), y);
      loss.backward();
      nn.utils.clipGradNorm_(net.parameters(), 0.25);
      optimizer.step();
      doctor.step(loss);
      if (step % 40 !== 0) continue;
      const state = net.state;
      net.state = null;
      validate(doctor, net, task);
      net.state = state as Tensor | null;
    }
  });
}

/** The rate falls when an epoch has not made validation better. */
export function plateaus(): Finding[] {
  const task = tasks.arm();
  const net = mlp([3, 48, 48, 2], () => new nn.Tanh());
  eachWeight(net, (w) => void nn.init.xavierUniform_(w));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.03, momentum: 0.9, nesterov: true });
  const schedule = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.3, patience: 0 });
  const batches = task.batches(60);
  return watched(net, optimizer, (doctor) => {
    for (let epoch = 0; epoch < 8; epoch++) {
      for (let step = 0; step < 50; step++) {
        const [x, y] = batches();
        optimizer.zeroGrad();
        const loss = task.loss(net(x), y);
        loss.backward();
        optimizer.step();
        doctor.step(noGrad(() => loss.item()));
      }
      schedule.step(validate(doctor, net, task));
    }
  });
}
