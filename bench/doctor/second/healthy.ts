/** Sound programs of the second series, of kinds that the rules were not made with: the doctor must find nothing. */
import { F, manualSeed, nn, noGrad, optim, rand, randn, stack, type Tensor, tensor } from "lanegrad";
import { type Finding, watch } from "lanegrad/doctor";
import * as firstNets from "../nets.js";
import { examine, type Program, type Recipe } from "../program.js";
import * as firstTasks from "../tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const program = (name: string, run: () => Finding[]): Program => ({
  name: `healthy: ${name}`,
  sick: [],
  run: (shift = 0) => {
    manualSeed(33 + shift);
    return run();
  },
});
const healthy = (name: string, recipe: () => Recipe): Program => program(name, () => examine(recipe()));

const adam = (lr: number) => (net: nn.Module) => new optim.Adam(net.parameters(), { lr });
const adamW =
  (lr: number, weightDecay = 1e-2) =>
  (net: nn.Module) =>
    new optim.AdamW(net.parameters(), { lr, weightDecay });
const sgd =
  (lr: number, momentum = 0.9, weightDecay = 0) =>
  (net: nn.Module) =>
    new optim.SGD(net.parameters(), { lr, momentum, weightDecay });

const { LinearLR, CosineAnnealingLR, SequentialLR, OneCycleLR } = optim.lrScheduler;
const warmThenCosine = (warm: number, all: number) => (o: optim.Optimizer<any>) =>
  new SequentialLR(o, {
    schedulers: [
      new LinearLR(o, { startFactor: 0.02, totalIters: warm }),
      new CosineAnnealingLR(o, { tMax: all - warm }),
    ],
    milestones: [warm],
  });

/** Points on a ring, and a net that learns to draw such points from noise (Goodfellow et al., 2014). */
function gan() {
  const ring = (n: number): Tensor => {
    const angle = rand(n).mul(2 * Math.PI);
    return stack([angle.cos(), angle.sin()], 1).add(randn(n, 2).mul(0.05));
  };
  const generator = firstNets.mlp([4, 32, 32, 2]);
  const critic = firstNets.mlp([2, 32, 32, 1], () => new nn.LeakyReLU(0.2));
  const options = { lr: 1e-3, betas: [0.5, 0.999] as [number, number] };
  const optG = new optim.Adam(generator.parameters(), options);
  const optC = new optim.Adam(critic.parameters(), options);
  const judge = (x: Tensor, real: boolean): Tensor => {
    const scores = critic(x);
    return F.binaryCrossEntropyWithLogits(
      scores,
      scores
        .detach()
        .mul(0)
        .add(real ? 1 : 0),
    );
  };
  /** One step of each; gives both losses. */
  const step = (): [Tensor, Tensor] => {
    optC.zeroGrad();
    const fake = generator(randn(64, 4));
    const lossC = judge(ring(64), true).add(judge(fake.detach(), false));
    lossC.backward();
    optC.step();
    optG.zeroGrad();
    const lossG = judge(fake, true);
    lossG.backward();
    optG.step();
    return [lossC, lossG];
  };
  return { generator, critic, optG, optC, step };
}

/** A body that has learned five kinds of garments. */
function learnedBody(): nets.Transfer {
  const net = new nets.Transfer();
  const optimizer = adam(3e-3)(net);
  const batches = tasks.someGarments(false).batches(64);
  for (let step = 0; step < 100; step++) {
    const [x, y] = batches();
    optimizer.zeroGrad();
    F.crossEntropy(net(x), y).backward();
    optimizer.step();
  }
  net.head = new nn.Linear(16 * 16, 5);
  return net;
}

export const HEALTHY: Program[] = [
  healthy("garments, strided CNN with GELU, AdamW, one cycle", () => ({
    net: nets.stridedCNN(),
    task: tasks.garments(),
    optimizer: adamW(1e-3),
    schedule: (o) => new OneCycleLR(o, { maxLr: 6e-3, totalSteps: 300 }),
    steps: 300,
  })),
  healthy("garments, MLP with BatchNorm and Dropout, label smoothing", () => ({
    net: nets.normedMLP([196, 96, 48, 10]),
    task: tasks.garments(),
    loss: (outputs, targets) => F.crossEntropy(outputs, targets, { labelSmoothing: 0.1 }),
    optimizer: adam(2e-3),
    batch: 64,
    steps: 300,
  })),
  healthy("the next character, GRU, clipped", () => {
    const task = tasks.characters();
    return {
      net: new nets.GRU(task.vocabulary, 48, task.vocabulary),
      task,
      optimizer: adam(4e-3),
      clip: 0.5,
      steps: 250,
      batch: 64,
    };
  }),
  healthy("marks, Transformer, AdamW, warm-up and cosine", () => ({
    net: new nets.Encoder(12, 20, 2),
    task: tasks.marks(),
    optimizer: adamW(3e-3),
    schedule: warmThenCosine(40, 300),
    clip: 1,
    steps: 300,
  })),
  healthy("ratings, matrix factorization, Adam with weight decay", () => ({
    net: new nets.Factors(4),
    task: tasks.ratings(),
    optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-2, weightDecay: 1e-4 }),
    batch: 64,
    steps: 500,
    validate: 100,
  })),
  healthy("garments, variational autoencoder", () => {
    const net = new nets.VAE();
    return {
      net,
      task: tasks.drawing(),
      loss: (outputs, targets) =>
        F.binaryCrossEntropyWithLogits(outputs, targets, { reduction: "sum" })
          .div(targets.shape[0])
          .add(net.divergence as Tensor),
      optimizer: adam(2e-3),
      steps: 300,
    };
  }),
  program("a GAN, both nets and both optimizers under one doctor", () => {
    const { generator, critic, optG, optC, step } = gan();
    const doctor = watch(new nn.ModuleDict({ generator, critic }), [optC, optG]);
    for (let i = 0; i < 400; i++) {
      const [lossC, lossG] = step();
      doctor.step(lossC.add(lossG));
    }
    const findings = doctor.findings();
    doctor.stop();
    return findings;
  }),
  program("a GAN, a doctor for each net", () => {
    const { generator, critic, optG, optC, step } = gan();
    const doctors = [watch(critic, optC), watch(generator, optG)];
    for (let i = 0; i < 400; i++) {
      const losses = step();
      doctors.forEach((doctor, d) => {
        doctor.step(losses[d]);
      });
    }
    const findings = doctors.flatMap((doctor) => doctor.findings());
    for (const doctor of doctors) doctor.stop();
    return findings;
  }),
  healthy("garments, a new head on a frozen body, its BatchNorm in evaluation mode", () => {
    const net = learnedBody();
    for (const p of net.body.parameters()) p.requiresGrad = false;
    return {
      net,
      task: tasks.someGarments(true),
      optimizer: () => new optim.SGD(net.head.parameters(), { lr: 0.02, momentum: 0.9 }),
      training: () => void net.body.eval(),
      steps: 200,
    };
  }),
  healthy("garments, fine-tuning with a small rate for the body", () => {
    const net = learnedBody();
    return {
      net,
      task: tasks.someGarments(true),
      optimizer: () =>
        new optim.AdamW([{ params: net.body.parameters(), lr: 5e-5 }, { params: net.head.parameters() }], { lr: 2e-3 }),
      steps: 200,
    };
  }),
  healthy("garments, strided CNN with GroupNorm, batches of four", () => ({
    net: nets.stridedCNN(true),
    task: tasks.garments(),
    optimizer: sgd(0.004),
    batch: 4,
    steps: 600,
    validate: 150,
  })),
  healthy("garments, four batches to a step", () => ({
    net: firstNets.mlp([196, 64, 10], () => new nn.SiLU()),
    task: tasks.garments(),
    optimizer: sgd(0.05),
    batch: 16,
    accumulate: 4,
    steps: 200,
  })),
  healthy("outlines, U-Net, Adam", () => ({
    net: new nets.UNet(),
    task: tasks.outlines(),
    optimizer: adam(3e-3),
    batch: 16,
    steps: 150,
  })),
  healthy("a series, convolutions over time, Huber loss, RMSprop", () => ({
    net: nets.forecaster(),
    task: tasks.series(),
    loss: (outputs, targets) => F.huberLoss(outputs, targets),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }),
    steps: 400,
    validate: 100,
  })),
  healthy("garments, a small net that learns from a larger one's answers", () => {
    const { train, test } = tasks.garments();
    const teacher = firstNets.mlp([196, 96, 10]);
    const optimizer = adam(2e-3)(teacher);
    const lessons = tasks.garments().batches(64);
    for (let step = 0; step < 150; step++) {
      const [x, y] = lessons();
      optimizer.zeroGrad();
      F.crossEntropy(teacher(x), y).backward();
      optimizer.step();
    }
    const answers = ([x]: [Tensor, Tensor]): [Tensor, Tensor] => [
      x,
      noGrad(() => F.softmax(teacher(x).div(2), 1).clone()),
    ];
    return {
      net: firstNets.mlp([196, 24, 10]),
      task: firstTasks.task(answers(train), answers(test), "numbers"),
      loss: (outputs, targets) => F.klDiv(F.logSoftmax(outputs.div(2), 1), targets, { reduction: "batchmean" }).mul(4),
      optimizer: adam(2e-3),
      steps: 250,
    };
  }),
  healthy("pairs of garments, Siamese net, contrastive loss", () => ({
    net: new nets.Siamese(),
    task: tasks.pairs(),
    loss: nets.contrastive,
    optimizer: adam(1e-3),
    steps: 250,
  })),
  healthy("sixteen garments learned by heart, to see that the net can", () => ({
    net: firstNets.mlp([196, 64, 32, 10]),
    task: tasks.garments({ count: 16 }),
    optimizer: adam(3e-3),
    batch: 16,
    steps: 300,
    validate: 0,
  })),
  healthy("alarms, rare ones weighted", () => ({
    net: firstNets.mlp([8, 24, 1]),
    task: tasks.alarms({ rare: 0.05 }),
    loss: (outputs, targets) => F.binaryCrossEntropyWithLogits(outputs, targets, { posWeight: tensor([19]) }),
    optimizer: adam(3e-3),
    batch: 64,
    steps: 300,
  })),
  healthy("noisy garments drawn clean, convolutions and transposed ones", () => ({
    net: nets.convAutoencoder(),
    task: tasks.drawing({ noise: 0.2 }),
    optimizer: adam(3e-3),
    steps: 250,
  })),
  healthy("mixed garments with mixed labels, residual MLP, cosine", () => ({
    net: new firstNets.ResidualMLP(196, 48, 2, 10),
    task: tasks.mixtures(),
    loss: (outputs, targets) => F.crossEntropy(outputs, targets),
    optimizer: adamW(2e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 250 }),
    steps: 250,
  })),
  healthy("spirals, deep MLP of ReLU, Adam", () => ({
    net: firstNets.mlp([2, 48, 48, 48, 3]),
    task: tasks.spirals(),
    optimizer: adam(3e-3),
    steps: 500,
    validate: 100,
  })),
  healthy("customers, a line through the data, plain SGD, one batch for all", () => ({
    net: firstNets.mlp([6, 2]),
    task: tasks.customers(),
    optimizer: sgd(0.5, 0),
    batch: 2000,
    steps: 150,
  })),
  healthy("garments, one body for two questions", () => ({
    net: new nets.TwoHeads(),
    task: tasks.twoQuestions(),
    loss: (outputs, targets) =>
      F.crossEntropy(outputs.narrow(1, 0, 10), targets.select(1, 0)).add(
        F.crossEntropy(outputs.narrow(1, 10, 2), targets.select(1, 1)).mul(0.5),
      ),
    optimizer: sgd(0.03, 0.9, 1e-4),
    steps: 250,
  })),
];
