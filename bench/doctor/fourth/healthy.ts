/** Sound programs of the fourth series: the doctor must find nothing. */
import { F, nn, optim } from "lanegrad";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as third from "../third/tasks.js";
import * as loops from "./loops.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const { healthy, loop } = series("fourth");

const { CosineAnnealingLR, ExponentialLR, LinearLR, MultiStepLR, OneCycleLR, SequentialLR } = optim.lrScheduler;

const warmThenCosine = (warm: number, steps: number) => (o: optim.Optimizer<any>) =>
  new SequentialLR(
    o,
    [new LinearLR(o, { startFactor: 0.05, totalIters: warm }), new CosineAnnealingLR(o, { tMax: steps - warm })],
    [warm],
  );

export const HEALTHY: Program[] = [
  loop("healthy: digits of full size, LeNet, Adam, epochs with a shorter last batch", [], [], loops.epochs),
  healthy("prices of houses, standardised columns, MLP, Adam, absolute error", () => ({
    net: firstNets.mlp([8, 64, 32, 1]),
    task: tasks.houses(),
    loss: (outputs, targets) => F.l1Loss(outputs, targets),
    optimizer: adam(1e-3),
    steps: 350,
  })),
  healthy("garments, small ResNet, SGD with weight decay, steps of the rate", () => ({
    net: nets.resNet(6),
    task: second.garments(),
    optimizer: sgd(0.05, 0.9, 5e-4),
    schedule: (o) => new MultiStepLR(o, { milestones: [110, 150], gamma: 0.1 }),
    steps: 180,
    validate: 30,
  })),
  healthy("every next character, a tiny GPT, AdamW, clipped at 1, warm-up and cosine", () => {
    const task = third.nextCharacters();
    return {
      net: new nets.GPT(task.vocabulary),
      task,
      optimizer: (net) => new optim.AdamW(net.parameters(), { lr: 5e-3, betas: [0.9, 0.95], weightDecay: 0.1 }),
      schedule: warmThenCosine(30, 250),
      clip: 1,
      steps: 250,
    };
  }),
  healthy("noisy digits cleaned, convolutions to a linear layer", () => ({
    net: new nn.Sequential(
      new nn.Conv2d(1, 12, 3, { stride: 2, padding: 1 }),
      new nn.ReLU(),
      new nn.Conv2d(12, 16, 3, { stride: 2, padding: 1 }),
      new nn.ReLU(),
      new nn.Flatten(),
      new nn.Linear(256, 196),
    ),
    task: tasks.noisyDigits(firstTasks.digits()),
    optimizer: adam(2e-3),
    steps: 300,
  })),
  healthy("a noisy wave, MLP of tanh with Xavier's weights, Adam, a rate that decays", () => ({
    net: firstNets.eachWeight(
      firstNets.mlp([1, 32, 32, 1], () => new nn.Tanh()),
      (w) => void nn.init.xavierNormal_(w),
    ),
    task: tasks.wave(),
    optimizer: adam(5e-3),
    schedule: (o) => new ExponentialLR(o, { gamma: 0.997 }),
    steps: 350,
  })),
  healthy("garments upside down, a new head first, then all of a learned ResNet", () => {
    const net = learn(nets.resNet(6), second.garments(), 80);
    const body = net.parameters().slice(0, -2);
    nn.init.xavierUniform_(net.parameters().at(-2) as nn.Parameter);
    for (const p of body) p.requiresGrad = false;
    return {
      net,
      task: third.upsideDown(),
      optimizer: (net) =>
        new optim.AdamW([{ params: body, lr: 3e-4 }, { params: net.parameters().slice(-2) }], { lr: 3e-3 }),
      // Gradual unfreezing (Howard & Ruder, ULMFiT, ACL 2018).
      before: (step) => {
        if (step === 81) for (const p of body) p.requiresGrad = true;
      },
      steps: 180,
      validate: 30,
    };
  }),
  healthy("customers who leave, logistic regression, Sigmoid and BCELoss, SGD", () => ({
    net: new nn.Sequential(new nn.Linear(6, 1), new nn.Sigmoid()),
    task: {
      ...tasks.leavers(),
      accuracy: (outputs, targets) => outputs.gt(0.5).float().eq(targets).float().mean().item(),
    },
    loss: (outputs, targets) => F.binaryCrossEntropy(outputs, targets),
    optimizer: sgd(0.05),
    batch: 128,
    steps: 200,
  })),
  healthy("digits, CNN, batches of eight, SGD with momentum", () => ({
    net: new firstNets.CNN(),
    task: firstTasks.digits(),
    optimizer: sgd(0.004, 0.9),
    batch: 8,
    steps: 600,
    validate: 100,
  })),
  healthy("garments, batches of 1000, MLP, Adam", () => ({
    net: firstNets.mlp([196, 64, 10]),
    task: second.garments(),
    optimizer: adam(1e-3),
    batch: 1000,
    steps: 150,
    validate: 25,
  })),
  healthy("garments cropped and mirrored, CNN with Dropout, smoothed labels, one cycle", () => ({
    net: firstNets.normedCNN(0.3),
    task: tasks.augmented(second.garments()),
    loss: (outputs, targets) => F.crossEntropy(outputs, targets, { labelSmoothing: 0.1 }),
    optimizer: sgd(0.02, 0.9, 5e-4),
    schedule: (o) => new OneCycleLR(o, { maxLr: 0.1, totalSteps: 300 }),
    steps: 300,
  })),
  healthy("points of two moons, diffusion: the noise is predicted", () => ({
    net: firstNets.eachWeight(
      firstNets.mlp([3, 64, 64, 2], () => new nn.SiLU()),
      (w) => void nn.init.xavierUniform_(w),
    ),
    task: tasks.diffusion(),
    optimizer: adam(1e-3),
    batch: 256,
    steps: 300,
    validate: 60,
  })),
  healthy("hidden characters, Transformer, most places not asked for, AdamW", () => {
    const task = tasks.hidden();
    return {
      net: new nets.GPT(task.vocabulary, { causal: false, depth: 1, deviation: 0.3 }),
      task,
      optimizer: adamW(6e-3),
      schedule: warmThenCosine(30, 300),
      batch: 64,
      steps: 300,
    };
  }),
  loop("healthy: digits moved against the net, CNN with BatchNorm, two passes a step", [], [], loops.adversarial),
  loop("healthy: garments, gradients from where the loss is worst nearby, CNN, SGD", [], [], loops.sharpnessAware),
  healthy("a picture by its pixels' places, Fourier features, Adam", () => ({
    net: firstNets.eachWeight(new nets.Fourier(2), (w) => void nn.init.xavierUniform_(w)),
    task: tasks.picture(),
    optimizer: adam(2e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 300 }),
    batch: 64,
    steps: 300,
  })),
  healthy("garments with a long tail, each kind drawn as often, CNN of LeakyReLU, AdamW", () => ({
    net: nets.plainCNN(3, () => new nn.LeakyReLU(0.1)),
    task: tasks.evenly(third.longTail(12)),
    optimizer: adamW(1e-3, 0.05),
    steps: 300,
  })),
  loop("healthy: prices of houses, the rate falls on plateaus, early stopping", [], [], loops.patient),
  loop("healthy: digits, MLP, four fifths of the weights pruned half-way", [], [], loops.pruned),
  healthy("rows written backwards, GRU with attention, Adam, clipped at 0.5", () => ({
    net: new nets.Seq2Seq(),
    task: tasks.backwards(),
    optimizer: adam(4e-3),
    clip: 0.5,
    batch: 64,
    steps: 250,
  })),
  healthy("which text it is from, convolutions over characters, Adam", () => ({
    net: new nets.TextCNN(tasks.LETTERS, 3),
    task: tasks.sources(),
    optimizer: adam(2e-3),
    steps: 300,
  })),
  healthy("three garments, the two of a kind nearer, Adam", () => ({
    net: new nets.Triplet(),
    task: tasks.triplets({ count: 6000 }),
    loss: nets.nearer,
    optimizer: adam(1e-3),
    batch: 64,
    steps: 200,
  })),
  healthy("motions of a sensor, convolutions over time with BatchNorm, SGD", () => ({
    net: nets.signalNet(),
    task: tasks.motions(),
    optimizer: sgd(0.05, 0.9, 1e-4),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 300 }),
    steps: 300,
  })),
  healthy("what somebody likes better, factors of users and items, Adagrad", () => ({
    net: new nets.Preferences(),
    task: tasks.choices(),
    // Bayesian personalized ranking (Rendle et al., UAI 2009).
    loss: (outputs) => F.softplus(outputs.neg()).mean(),
    optimizer: (net) => new optim.Adagrad(net.parameters(), { lr: 0.1 }),
    batch: 64,
    steps: 300,
  })),
  healthy("digits, MLP, Dropout of one half, RMSprop", () => ({
    net: new nn.Sequential(firstNets.mlp([196, 128]), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(128, 10)),
    task: firstTasks.digits(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 5e-4 }),
    batch: 64,
    steps: 300,
  })),
];
