/** Programs of the seventh series that the common loop does not fit. */
import { data, F, optim } from "lanegrad";
import type { Finding } from "lanegrad/doctor";
import { SmallResNet } from "../nets.js";
import * as second from "../second/tasks.js";
import { validate, watched } from "../series.js";

/** As in a tutorial's train() and test(): a loader whose last batch is dropped, and a rate that falls after each epoch. */
export function byEpochs(): Finding[] {
  const task = second.garments({ count: 3000 });
  const net = new SmallResNet();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9, weightDecay: 5e-4 });
  const schedule = new optim.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 5 });
  const [images, labels] = task.train;
  const loader = new data.DataLoader(new data.TensorDataset(images, labels), {
    batchSize: 64,
    shuffle: true,
    dropLast: true,
    seed: 7,
  });
  return watched(net, optimizer, (doctor) => {
    for (let epoch = 0; epoch < 5; epoch++) {
      for (const [x, y] of loader) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(net(x), y);
        loss.backward();
        optimizer.step();
        doctor.step(loss);
      }
      schedule.step();
      validate(doctor, net, task);
    }
  });
}
