/** Programs of the fourth series that the common loop does not fit. */
import { data, F, nn, noGrad, optim, type Tensor } from "lanegrad";
import type { Finding } from "lanegrad/doctor";
import { normedCNN } from "../nets.js";
import * as second from "../second/tasks.js";
import { validate, watched } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

/** As in a tutorial: a loader, epochs, a last batch that is shorter, a validation after each epoch. */
export function epochs(): Finding[] {
  const task = tasks.fullDigits({ count: 2100 });
  const net = new nets.LeNet();
  const optimizer = new optim.Adam(net.parameters(), { lr: 1e-3 });
  const [images, labels] = task.train;
  const loader = new data.DataLoader(new data.TensorDataset(images, labels), { batchSize: 32, shuffle: true, seed: 3 });
  return watched(net, optimizer, (doctor) => {
    for (let epoch = 0; epoch < 4; epoch++) {
      for (const [x, y] of loader) {
        optimizer.zeroGrad();
        const loss = F.crossEntropy(net(x), y);
        loss.backward();
        optimizer.step();
        doctor.step(loss);
      }
      validate(doctor, net, task);
    }
  });
}

/**
 * Half of each batch is moved against the net first (Goodfellow, Shlens & Szegedy, ICLR 2015). The gradient towards the images is
 * taken by a backward() of its own, whose gradients of the weights are zeroed.
 */
export function adversarial(): Finding[] {
  const task = firstTasks.digits();
  const net = normedCNN(0);
  const optimizer = new optim.Adam(net.parameters(), { lr: 2e-3 });
  const batches = task.batches(48);
  return watched(net, optimizer, (doctor) => {
    for (let step = 1; step <= 250; step++) {
      const [x, y] = batches();
      const moved = x.clone().requiresGrad_();
      F.crossEntropy(net(moved), y).backward();
      const attacked = noGrad(() => x.add((moved.grad as Tensor).sign().mul(0.15)).clone());
      optimizer.zeroGrad();
      const loss = F.crossEntropy(net(x), y)
        .add(F.crossEntropy(net(attacked), y))
        .div(2);
      loss.backward();
      optimizer.step();
      doctor.step(loss);
      if (step % 50 === 0) validate(doctor, net, task);
    }
  });
}

/** Gradients are taken where the loss is worst nearby: two passes a step, the weights moved in between and moved back (Foret et al., SAM, ICLR 2021). */
export function sharpnessAware(): Finding[] {
  const task = second.garments();
  const net = nets.plainCNN(3);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  const batches = task.batches(32);
  return watched(net, optimizer, (doctor) => {
    for (let step = 1; step <= 250; step++) {
      const [x, y] = batches();
      optimizer.zeroGrad();
      const loss = F.crossEntropy(net(x), y);
      loss.backward();
      const value = loss.item();
      const parameters = net.parameters();
      const [own, away] = noGrad(() => {
        const grads = parameters.map((p) => p.grad as Tensor);
        const length = Math.sqrt(grads.reduce((sum, g) => sum + g.square().sum().item(), 0)) + 1e-12;
        return [parameters.map((p) => p.clone()), grads.map((g) => g.mul(0.05 / length).clone())];
      });
      noGrad(() => {
        parameters.forEach((p, i) => {
          p.add_(away[i]);
        });
      });
      optimizer.zeroGrad();
      F.crossEntropy(net(x), y).backward();
      noGrad(() => {
        parameters.forEach((p, i) => {
          p.copy_(own[i]);
        });
      });
      optimizer.step();
      doctor.step(value);
      if (step % 50 === 0) validate(doctor, net, task);
    }
  });
}

/** The rate falls when validation has not become better; and the training ends when it has not for long. */
export function patient(): Finding[] {
  const task = tasks.houses({ count: 1200, noise: 0.25 });
  const net = new nn.Sequential(
    new nn.Linear(8, 48),
    new nn.ReLU(),
    new nn.Dropout(0.2),
    new nn.Linear(48, 24),
    new nn.ReLU(),
    new nn.Linear(24, 1),
  );
  for (const p of net.parameters()) if (p.ndim === 2) nn.init.xavierUniform_(p);
  const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3, weightDecay: 1e-2 });
  const schedule = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { factor: 0.3, patience: 1 });
  const batches = task.batches(64);
  let best = Infinity;
  let worse = 0;
  return watched(net, optimizer, (doctor) => {
    for (let step = 1; step <= 600 && worse < 3; step++) {
      const [x, y] = batches();
      optimizer.zeroGrad();
      const loss = F.huberLoss(net(x), y);
      loss.backward();
      optimizer.step();
      doctor.step(loss);
      if (step % 30 !== 0) continue;
      const now = validate(doctor, net, { ...task, loss: (a, b) => F.huberLoss(a, b) });
      schedule.step(now);
      worse = now < best - 1e-4 ? 0 : worse + 1;
      best = Math.min(best, now);
    }
  });
}

/** Every weight but the largest fifth is zero, and stays so (Han et al., Learning both weights and connections, NIPS 2015). */
export function pruned(): Finding[] {
  const task = firstTasks.digits();
  const net = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(196, 96),
    new nn.ReLU(),
    new nn.Linear(96, 48),
    new nn.ReLU(),
    new nn.Linear(48, 10),
  );
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  const batches = task.batches(32);
  const weights = net.parameters().filter((p) => p.ndim === 2);
  let masks: Tensor[] = [];
  return watched(net, optimizer, (doctor) => {
    for (let step = 1; step <= 300; step++) {
      if (step === 150) {
        masks = noGrad(() =>
          weights.map((w) => {
            const sizes = [...w.abs().toTypedArray()].map(Number).sort((a, b) => a - b);
            return w
              .abs()
              .ge(sizes[Math.floor(0.8 * sizes.length)])
              .float()
              .clone();
          }),
        );
      }
      const [x, y] = batches();
      optimizer.zeroGrad();
      const loss = F.crossEntropy(net(x), y);
      loss.backward();
      optimizer.step();
      noGrad(() => {
        masks.forEach((mask, i) => {
          weights[i].mul_(mask);
        });
      });
      doctor.step(loss);
      if (step % 50 === 0) validate(doctor, net, task);
    }
  });
}
