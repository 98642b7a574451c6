/** Programs of the sixth series that the common loop does not fit. */
import { F, nn, noGrad, optim, type Tensor } from "lanegrad";
import type { Finding } from "lanegrad/doctor";
import { NumberGRU } from "../fifth/nets.js";
import * as fourth from "../fourth/tasks.js";
import { mlp } from "../nets.js";
import { validate, watched } from "../series.js";
import * as firstTasks from "../tasks.js";

/** Epochs as in a course's notebook: a mean of the epoch's losses is printed, the best weights are kept and put back at the end. */
export function bestKept(): Finding[] {
  const task = firstTasks.table({ count: 8000 });
  const net = mlp([20, 32, 16, 4], () => new nn.LeakyReLU(0.05));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.02, momentum: 0.9, nesterov: true });
  const batches = task.batches(80);
  let best = Infinity;
  let kept: Tensor[] = [];
  return watched(net, optimizer, (doctor) => {
    for (let epoch = 0; epoch < 6; epoch++) {
      for (let step = 0; step < 50; step++) {
        const [x, y] = batches();
        optimizer.zeroGrad();
        const loss = F.crossEntropy(net(x), y);
        loss.backward();
        optimizer.step();
        doctor.step(noGrad(() => loss.item()));
      }
      const now = validate(doctor, net, task);
      if (now >= best) continue;
      best = now;
      kept = noGrad(() => net.parameters().map((p) => p.clone().keep()));
    }
    noGrad(() => {
      net.parameters().forEach((p, i) => {
        p.copy_(kept[i]);
      });
    });
  });
}

/** What is to rise is the likelihood: but backward() was called on it, and the optimizer goes down. What is printed is the loss. */
export function likelihoodDown(): Finding[] {
  const task = fourth.motions();
  const net = new NumberGRU(3, 24, 4);
  const optimizer = new optim.Adam(net.parameters(), { lr: 2e-3 });
  const batches = task.batches(32);
  return watched(net, optimizer, (doctor) => {
    for (let step = 1; step <= 120; step++) {
      const [x, y] = batches();
      optimizer.zeroGrad();
      const likelihood = F.nllLoss(F.logSoftmax(net(x), 1), y).neg();
      likelihood.backward();
      optimizer.step();
      doctor.step(-likelihood.item());
      if (step % 24 === 0) validate(doctor, net, task);
    }
  });
}
