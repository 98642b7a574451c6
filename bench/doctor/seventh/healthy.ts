/** Sound programs of the seventh series: tutorials, course notebooks and answers in forums, each well set up. */
import { F, nn, optim } from "lanegrad";
import * as fifthNets from "../fifth/nets.js";
import * as fifth from "../fifth/tasks.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, series, sgd } from "../series.js";
import { firstSteps, he, heard, xavier } from "../sixth/nets.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as third from "../third/tasks.js";
import * as loops from "./loops.js";

const { healthy, loop } = series("seventh");

const { CosineAnnealingLR, ExponentialLR, LambdaLR, MultiStepLR, OneCycleLR, StepLR } = optim.lrScheduler;

export const HEALTHY: Program[] = [
  healthy("digits, MLP of two hidden layers, SGD with momentum, log-softmax and nllLoss, batches of 64", () => ({
    net: he(firstNets.mlp([196, 128, 64, 10])),
    task: firstTasks.digits(),
    loss: (outputs, targets) => F.nllLoss(F.logSoftmax(outputs, 1), targets),
    optimizer: sgd(0.01, 0.9),
    batch: 64,
    steps: 300,
  })),
  healthy("garments, CNN of two convolutions, AdamW, cosine, batches of 64", () => ({
    net: xavier(new firstNets.CNN()),
    task: second.garments(),
    optimizer: adamW(2e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 250 }),
    batch: 64,
    steps: 250,
  })),
  healthy("digits, DenseNet, SGD with Nesterov, the rate falls twice", () => ({
    net: fifthNets.denseNet(6),
    task: firstTasks.digits(),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-4 }),
    schedule: (o) => new MultiStepLR(o, { milestones: [120, 160], gamma: 0.1 }),
    batch: 64,
    steps: 200,
    validate: 40,
  })),
  healthy("garments, InstanceNorm, Adam, the rate decays", () => ({
    net: fifthNets.instanceNet(),
    task: second.garments(),
    optimizer: adam(2e-3),
    schedule: (o) => new ExponentialLR(o, { gamma: 0.99 }),
    steps: 250,
  })),
  healthy("digits, depthwise CNN with BatchNorm, AdamW, one cycle", () => ({
    net: thirdNets.depthwiseNet({ depth: 2 }),
    task: firstTasks.digits(),
    optimizer: adamW(1e-3),
    schedule: (o) => new OneCycleLR(o, { maxLr: 1e-2, totalSteps: 200 }),
    steps: 200,
    validate: 40,
  })),
  healthy("garments, MLP-Mixer, Adam, batches of 64, warm-up", () => ({
    net: heard(he(new thirdNets.Mixer(24, 1))),
    task: second.garments(),
    optimizer: adam(3e-3),
    schedule: (o) => new LambdaLR(o, { lrLambda: (t) => Math.min(1, (t + 1) / 20) }),
    batch: 64,
    steps: 200,
    validate: 40,
  })),
  healthy("digits, strided CNN with GroupNorm, RMSprop", () => ({
    net: secondNets.stridedCNN(true),
    task: firstTasks.digits(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }),
    steps: 250,
  })),
  healthy("customers, MLP of two hidden layers, Adam, batches of 64", () => ({
    net: he(firstNets.mlp([6, 32, 16, 2])),
    task: second.customers({ count: 4000 }),
    optimizer: adam(2e-3),
    batch: 64,
    steps: 300,
  })),
  healthy("what customers buy, MLP with BatchNorm and Dropout, AdamW", () => ({
    net: secondNets.normedMLP([10, 48, 24, 5], 0.1),
    task: fifth.baskets({ count: 5000 }),
    optimizer: adamW(3e-3),
    batch: 64,
    steps: 250,
  })),
  healthy("alarms as frequent as not, wide and deep, RMSprop, batches of 64", () => ({
    net: xavier(new fifthNets.WideAndDeep(8)),
    task: fifth.standardised(second.alarms({ count: 5000, rare: 0.5 })),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }),
    batch: 64,
    steps: 250,
  })),
  healthy("prices of houses, MLP of LeakyReLU, SGD with Nesterov, Huber loss", () => ({
    net: he(firstNets.mlp([8, 48, 24, 1], () => new nn.LeakyReLU(0.01))),
    task: fourth.houses({ count: 3000 }),
    loss: (outputs, targets) => F.huberLoss(outputs, targets),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9, nesterov: true }),
    batch: 64,
    steps: 250,
  })),
  healthy("where a robot's hand is, MLP of SiLU, AdamW, cosine", () => ({
    net: xavier(firstNets.mlp([3, 48, 48, 2], () => new nn.SiLU())),
    task: fifth.arm(),
    optimizer: adamW(5e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 300 }),
    batch: 64,
    steps: 300,
  })),
  healthy("a smooth function of eight numbers, MLP of GELU, Adam, absolute error", () => ({
    net: xavier(firstNets.mlp([8, 64, 32, 1], () => new nn.GELU())),
    task: firstTasks.regression({ count: 4000 }),
    loss: (outputs, targets) => F.l1Loss(outputs, targets),
    optimizer: adam(3e-3),
    batch: 64,
    steps: 400,
  })),
  healthy("motions of a sensor, convolutions over time with BatchNorm, Adam, one cycle", () => ({
    net: fourthNets.signalNet(),
    task: fourth.motions({ count: 4000 }),
    optimizer: adam(1e-3),
    schedule: (o) => new OneCycleLR(o, { maxLr: 5e-3, totalSteps: 150 }),
    batch: 64,
    steps: 150,
    validate: 30,
  })),
  healthy("whether a sequence's sum is positive, LSTM, Adam, cosine, batches of 64", () => ({
    net: heard(xavier(new thirdNets.LSTM(4, 24, 2))),
    task: firstTasks.sequences({ count: 5000 }),
    optimizer: adam(3e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 150 }),
    batch: 64,
    steps: 150,
    validate: 30,
  })),
  healthy("which kind of word comes most, the mean of words' vectors, AdamW", () => ({
    net: he(new fourthNets.Bag(50, 3)),
    task: firstTasks.texts({ count: 5000 }),
    optimizer: adamW(5e-3),
    batch: 64,
    steps: 300,
  })),
  healthy("tags of symbols, GRUs in both directions, AdamW, cosine", () => ({
    net: new fifthNets.Tagger(8, 4, 20),
    task: fifth.tags({ count: 4000 }),
    optimizer: adamW(6e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 180 }),
    batch: 64,
    steps: 180,
    validate: 45,
  })),
  healthy("two marked numbers summed, LSTM, Adam, clipped at 1", () => ({
    net: heard(xavier(new thirdNets.LSTM(2, 32, 1)), 3.5),
    task: fifth.sums(),
    optimizer: adam(5e-3),
    clip: 1,
    batch: 64,
    steps: 250,
  })),
  healthy("two half moons, MLP of tanh, Adam, binary cross entropy with logits", () => ({
    net: xavier(firstNets.mlp([2, 24, 24, 1], () => new nn.Tanh())),
    task: firstTasks.moons({ count: 3000 }),
    optimizer: adam(5e-3),
    batch: 64,
    steps: 250,
  })),
  healthy("outlines, U-Net, AdamW, one cycle, batches of 16", () => ({
    net: xavier(new secondNets.UNet()),
    task: second.outlines(),
    optimizer: adamW(1e-3),
    schedule: (o) => new OneCycleLR(o, { maxLr: 5e-3, totalSteps: 150 }),
    batch: 16,
    steps: 150,
    validate: 30,
  })),
  healthy("signals drawn again, convolutions over time, RMSprop, absolute error", () => ({
    net: xavier(fifthNets.signalCoder()),
    task: fifth.signals(),
    loss: (outputs, targets) => F.l1Loss(outputs, targets),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }),
    batch: 64,
    steps: 250,
  })),
  healthy("garments, a CNN that learned them upside down, a new head, all of it fine-tuned, AdamW", () => {
    const net = learn(he(fourthNets.plainCNN(3, () => new nn.LeakyReLU(0.1))), third.upsideDown(), 150);
    nn.init.xavierUniform_(([...net].at(-1) as nn.Linear).weight, { gain: 0.5 });
    return { net, task: second.garments({ count: 3000 }), optimizer: adamW(1e-3), steps: 200, validate: 40 };
  }),
  healthy("garments, one hidden layer and Dropout, Adagrad, steps of the rate", () => ({
    net: firstSteps(128, 0.3),
    task: second.garments(),
    optimizer: (net) => new optim.Adagrad(net.parameters(), { lr: 0.02 }),
    schedule: (o) => new StepLR(o, { stepSize: 100, gamma: 0.7 }),
    batch: 64,
    steps: 300,
  })),
  loop("healthy: garments, small ResNet, epochs of a loader, cosine by epochs", [], [], loops.byEpochs),
];
