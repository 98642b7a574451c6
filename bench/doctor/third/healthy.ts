/** Sound programs of the third series: the doctor must find nothing. */
import { F, nn, optim, type Tensor } from "lanegrad";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, likelihood, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import { averaged, bandit } from "./loops.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const { healthy, loop } = series("third");

const { LinearLR, CosineAnnealingLR, CosineAnnealingWarmRestarts } = optim.lrScheduler;
const cosine = (steps: number) => (o: optim.Optimizer<any>) => new CosineAnnealingLR(o, { tMax: steps });

/** Images against themselves. */
const redraw = (outputs: Tensor, targets: Tensor): Tensor => F.mseLoss(outputs, targets);

export const HEALTHY: Program[] = [
  healthy("garments, four experts and a gate, Adam", () => ({
    net: new nets.Experts(196, 32, 10),
    task: second.garments(),
    optimizer: adam(1.5e-3),
    batch: 48,
    steps: 250,
  })),
  healthy("digits, depthwise CNN with squeeze-and-excitation, RMSprop", () => ({
    net: nets.depthwiseNet({ excite: true, depth: 2 }),
    task: firstTasks.digits(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1.5e-3 }),
    steps: 250,
  })),
  healthy("garments, highway net of eight layers, SGD with momentum", () => ({
    net: nets.highway(8),
    task: second.garments(),
    optimizer: sgd(0.03, 0.9),
    schedule: cosine(300),
    steps: 300,
  })),
  healthy("digits, MLP-Mixer, AdamW, warm-up", () => ({
    net: new nets.Mixer(),
    task: firstTasks.digits(),
    optimizer: adamW(2e-3),
    schedule: (o) => new LinearLR(o, { startFactor: 0.05, totalIters: 40 }),
    steps: 250,
  })),
  healthy("digits read row by row, LSTM, clipped at 4", () => ({
    net: new nets.LSTM(14, 40, 10),
    task: firstTasks.digits(),
    optimizer: adam(4e-3),
    clip: 4,
    steps: 300,
  })),
  healthy("garments, vision Transformer, two batches to a step, cosine", () => ({
    net: new nets.ViT(),
    task: second.garments(),
    optimizer: adamW(2e-3, 0.05),
    schedule: cosine(200),
    batch: 16,
    accumulate: 2,
    steps: 200,
  })),
  healthy("garments without labels, views that find their twins, cosine", () => ({
    net: new nets.Views(),
    task: tasks.views(),
    loss: tasks.findTwin,
    optimizer: adam(1e-3),
    schedule: cosine(200),
    batch: 64,
    steps: 200,
  })),
  healthy("points of two moons, a normalizing flow, clipped at 5", () => ({
    net: new nets.Flow(),
    task: tasks.cloud(),
    loss: likelihood,
    optimizer: adam(3e-3),
    clip: 5,
    batch: 64,
    steps: 300,
  })),
  healthy("gusts in hundredths, small targets, MLP of SiLU, Adam", () => ({
    net: firstNets.mlp([3, 48, 48, 1], () => new nn.SiLU()),
    task: tasks.gusts({ scale: 0.03, noise: 0.3 }),
    optimizer: adam(2e-3),
    batch: 64,
    steps: 300,
  })),
  healthy("a pendulum, its motion learned through eight steps", () => ({
    net: new nets.Unrolled(8, 0.2),
    task: tasks.pendulum(),
    optimizer: adam(5e-3),
    steps: 300,
  })),
  healthy("strips of two digits, ten questions at once, CNN, SGD with Nesterov", () => ({
    net: new nn.Sequential(
      new nn.Conv2d(1, 12, 5, { stride: 2, padding: 2 }),
      new nn.ELU(),
      new nn.Conv2d(12, 24, 3, { stride: 2, padding: 1 }),
      new nn.ELU(),
      new nn.Flatten(),
      new nn.Linear(24 * 28, 10),
    ),
    task: tasks.strips(),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    steps: 300,
  })),
  healthy("gusts, three quantiles, AdamW", () => ({
    net: firstNets.mlp([3, 48, 48, 3], () => new nn.GELU()),
    task: tasks.gusts(),
    loss: tasks.quantiles,
    optimizer: adamW(3e-3),
    batch: 64,
    steps: 300,
  })),
  loop("healthy: a bandit with contexts, the policy's gradient", [], [], bandit),
  healthy("words of licences, skip-gram with negative samples, gradients of few rows", () => {
    const task = tasks.neighbours();
    return {
      net: new nets.SkipGram(task.vocabulary),
      task,
      optimizer: (net) => new optim.Adagrad(net.parameters(), { lr: 0.1 }),
      batch: 64,
      steps: 250,
    };
  }),
  healthy("digits, a fifth of the labels drawn at random, log-softmax and nllLoss", () => ({
    net: nets.depthwiseNet({ depth: 1, activation: () => new nn.ReLU() }),
    task: firstTasks.digits({ noise: 0.2 }),
    loss: (outputs, targets) => F.nllLoss(F.logSoftmax(outputs, 1), targets),
    optimizer: sgd(0.05, 0.9, 5e-4),
    schedule: cosine(250),
    steps: 250,
  })),
  healthy("digits, batches of 512, a large rate and warm-up", () => ({
    net: firstNets.mlp([196, 64, 10], () => new nn.LeakyReLU(0.1)),
    task: firstTasks.digits({ count: 6000 }),
    optimizer: sgd(0.2, 0.9, 1e-3),
    schedule: (o) => new LinearLR(o, { startFactor: 0.05, totalIters: 30 }),
    batch: 512,
    steps: 150,
    validate: 30,
  })),
  healthy("shapes of points, deep sets, batches of four", () => ({
    net: new nets.SetNet(3),
    task: tasks.outlinesOfShapes(),
    optimizer: adam(2e-3),
    schedule: cosine(500),
    batch: 4,
    steps: 500,
    validate: 100,
  })),
  healthy("garments, depthwise CNN, SGD with warm restarts", () => ({
    net: nets.depthwiseNet({ depth: 2 }),
    task: second.garments(),
    optimizer: sgd(0.1, 0.9),
    schedule: (o) => new CosineAnnealingWarmRestarts(o, { t0: 75 }),
    steps: 300,
  })),
  healthy("a line through noisy points, a long quiet tail", () => ({
    net: new nn.Linear(8, 1),
    task: tasks.line(),
    optimizer: sgd(0.03),
    batch: 64,
    steps: 500,
    validate: 50,
  })),
  healthy("garments upside down, fine-tuned with a small rate", () => ({
    net: learn(nets.depthwiseNet({ depth: 2 }), second.garments(), 120),
    task: tasks.upsideDown(),
    optimizer: adamW(4e-4),
    steps: 200,
  })),
  healthy("garments upside down, thin matrices beside frozen layers", () => {
    const learned = learn(firstNets.mlp([196, 64, 48, 10]), second.garments(), 150);
    const adapted = [...learned].map((layer, i) =>
      layer instanceof nn.Linear ? (i === 5 ? new nn.Linear(48, 10) : new nets.Adapter(layer, 8)) : layer,
    );
    return {
      net: new nn.Sequential(...adapted),
      task: tasks.upsideDown(),
      optimizer: (net) =>
        new optim.AdamW(
          net.parameters().filter((p) => p.requiresGrad),
          { lr: 3e-3 },
        ),
      steps: 250,
    };
  }),
  loop("healthy: garments, validated with a running mean of the weights", [], [], averaged),
  healthy("garments through a code of 24 bits, straight through", () => ({
    net: new nets.BitCode(),
    task: second.drawing(),
    loss: redraw,
    optimizer: adam(2e-3),
    steps: 250,
  })),
  healthy("a graph of three communities, half of the labels masked", () => {
    const task = tasks.communities();
    return {
      net: new nets.GraphNet(task.neighbours, 24, 16, 3),
      task,
      optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-2, weightDecay: 5e-4 }),
      steps: 200,
      validate: 20,
    };
  }),
  healthy("every next character, dilated convolutions over the past", () => {
    const task = tasks.nextCharacters();
    return { net: new nets.Causal(task.vocabulary), task, optimizer: adam(4e-3), steps: 200, validate: 40 };
  }),
  healthy("counts of events, Poisson, RMSprop with momentum", () => ({
    net: firstNets.mlp([6, 32, 1], () => new nn.Softplus()),
    task: tasks.counts(),
    loss: tasks.poisson,
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 5e-4, momentum: 0.9 }),
    batch: 64,
    steps: 300,
  })),
  healthy("gusts, a mean and a variance, a loss that falls below 0", () => ({
    net: firstNets.mlp([3, 48, 48, 2], () => new nn.Tanh()),
    task: tasks.gusts({ noise: 0.8 }),
    loss: tasks.gaussian,
    optimizer: adam(3e-3),
    batch: 64,
    steps: 300,
  })),
  healthy("digits, a linear machine with margins, averaged over classes", () => ({
    net: firstNets.mlp([196, 10]),
    task: firstTasks.digits(),
    // Each wrong class must stay one below the right one (Weston & Watkins, 1999).
    loss: (outputs, targets) =>
      outputs
        .sub(outputs.gather(1, targets.unsqueeze(1)))
        .add(1)
        .clamp({ min: 0 })
        .mean()
        .sub(0.1),
    optimizer: sgd(0.02, 0.9, 1e-3),
    steps: 250,
  })),
];
