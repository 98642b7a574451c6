/** Sound programs of the fifth series: the doctor must find nothing. */
import { F, nn, optim, type Tensor } from "lanegrad";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as third from "../third/tasks.js";
import * as loops from "./loops.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const { healthy, loop } = series("fifth");

/** He's weights (He et al., ICCV 2015). */
const he = <Net extends nn.Module>(net: Net): Net => {
  firstNets.eachWeight(net, (w) => void nn.init.kaimingNormal_(w));
  return net;
};
/** Those of Glorot & Bengio (2010). */
const xavier = <Net extends nn.Module>(net: Net): Net => {
  firstNets.eachWeight(net, (w) => void nn.init.xavierUniform_(w));
  return net;
};

const { CosineAnnealingLR, CyclicLR, ExponentialLR, LambdaLR, LinearLR, MultiStepLR, OneCycleLR, PolynomialLR } =
  optim.lrScheduler;

/** Cross entropy of each pixel and what is missing of an overlap (Milletari, Navab & Ahmadi, V-Net, 2016). */
const overlap = (outputs: Tensor, wanted: Tensor): Tensor => {
  const p = outputs.sigmoid();
  const dice = p.mul(wanted).sum().mul(2).add(1).div(p.sum().add(wanted.sum()).add(1));
  return F.binaryCrossEntropyWithLogits(outputs, wanted).add(dice.neg().add(1));
};

export const HEALTHY: Program[] = [
  healthy("digits made finer, convolutions and a pixel shuffle, absolute error, Adam", () => ({
    net: he(nets.finerNet()),
    task: tasks.finer(),
    loss: (outputs, targets) => F.l1Loss(outputs, targets),
    optimizer: adam(2e-3),
    steps: 250,
  })),
  healthy("garments, DenseNet, Adadelta", () => ({
    net: nets.denseNet(6),
    task: second.garments(),
    optimizer: (net) => new optim.Adadelta(net.parameters(), { lr: 0.7 }),
    schedule: (o) => new ExponentialLR(o, { gamma: 0.99 }),
    steps: 200,
  })),
  healthy("digits of full size, LeNet, SGD with Nesterov and decay, a polynomial rate", () => ({
    net: xavier(new fourthNets.LeNet()),
    task: fourth.fullDigits(),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    schedule: (o) => new PolynomialLR(o, { totalIters: 200, power: 1.5 }),
    steps: 200,
    validate: 40,
  })),
  healthy("points on two rings, MLP of GELU, a cyclic rate", () => ({
    net: xavier(firstNets.mlp([2, 32, 32, 2], () => new nn.GELU())),
    task: fourth.rings(),
    optimizer: sgd(0.01, 0.9),
    schedule: (o) => new CyclicLR(o, { baseLr: 0.01, maxLr: 0.05, stepSizeUp: 30, cycleMomentum: false }),
    batch: 64,
    steps: 180,
    validate: 30,
  })),
  healthy("garments, residual MLP that leaves out blocks at random, AdamW, cosine", () => ({
    net: xavier(nets.stochasticDepth()),
    task: second.garments(),
    optimizer: adamW(2e-3, 0.05),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 250 }),
    batch: 64,
    steps: 250,
  })),
  healthy("signals drawn again, convolutions over time and transposed ones, Adam", () => ({
    net: xavier(nets.signalCoder()),
    task: tasks.signals(),
    optimizer: adam(3e-3),
    steps: 250,
  })),
  healthy("digits, variational autoencoder of convolutions, AdamW", () => {
    const net = he(new nets.ConvVAE());
    for (const { weight } of [net.mean, net.logVariance]) nn.init.xavierUniform_(weight, { gain: 0.7 });
    return {
      net,
      task: tasks.grey(),
      loss: (outputs, targets) =>
        F.binaryCrossEntropyWithLogits(outputs, targets, { reduction: "sum" })
          .div(targets.shape[0])
          .add(net.divergence as Tensor),
      optimizer: adamW(2e-3),
      steps: 250,
    };
  }),
  healthy("outlines, dilated convolutions, cross entropy and overlap, SGD with momentum", () => ({
    net: nets.dilatedNet(),
    task: tasks.grainy(),
    loss: overlap,
    optimizer: sgd(0.02, 0.9),
    batch: 16,
    steps: 150,
    validate: 30,
  })),
  healthy("what customers buy, five questions, MLP of ELU, Adagrad", () => ({
    net: firstNets.mlp([10, 32, 5], () => new nn.ELU()),
    task: tasks.baskets(),
    optimizer: (net) => new optim.Adagrad(net.parameters(), { lr: 0.03 }),
    batch: 64,
    steps: 300,
  })),
  healthy("garments as directions, a proxy for each kind, Adam, cosine", () => ({
    net: new nets.Cosine(xavier(firstNets.mlp([196, 64, 24], () => new nn.SiLU())), 24),
    task: second.garments(),
    optimizer: adam(1.5e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 250 }),
    batch: 48,
    steps: 250,
  })),
  healthy("two marked numbers summed, GRU, Adam, cosine, clipped at 1", () => ({
    net: new nets.NumberGRU(2, 32, 1),
    task: tasks.sums(),
    optimizer: adam(3e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 300 }),
    clip: 1,
    batch: 64,
    steps: 300,
  })),
  healthy("which kind of word comes most, attention with a learned pool, the inverse root of the step", () => ({
    net: new nets.PooledEncoder(50, 12, 3),
    task: firstTasks.texts({ count: 4000 }),
    optimizer: adamW(4e-3),
    // Vaswani et al. (2017).
    schedule: (o) => new LambdaLR(o, { lrLambda: (t) => Math.min((t + 1) / 40, Math.sqrt(40 / (t + 1))) }),
    batch: 64,
    steps: 200,
  })),
  loop("healthy: characters of one text, GRU whose state goes on, RMSprop, clipped", [], [], loops.stateful),
  loop("healthy: where a robot's hand is, MLP of tanh, a rate that falls on plateaus", [], [], loops.plateaus),
  healthy("the other half of the garments, all of a learned ResNet, rates that grow from layer to layer", () => {
    const net = learn(fourthNets.resNet(6, 5), second.someGarments(false), 80);
    const parts = [...net].filter((layer) => layer.parameters().length > 0);
    nn.init.xavierUniform_((parts.at(-1) as nn.Linear).weight);
    return {
      net,
      task: second.someGarments(true),
      // Discriminative fine-tuning (Howard & Ruder, ULMFiT, ACL 2018).
      optimizer: () =>
        new optim.SGD(
          parts.map((layer, i) => ({ params: layer.parameters(), lr: 0.03 / 1.6 ** (parts.length - 1 - i) })),
          { lr: 0.03, momentum: 0.9 },
        ),
      schedule: (o) => new CosineAnnealingLR(o, { tMax: 150 }),
      steps: 150,
      validate: 30,
    };
  }),
  healthy("which text it is from, letters' vectors learned before and kept", () => {
    const learned = learn(new fourthNets.TextCNN(fourth.LETTERS, 3), fourth.sources(), 100, 5e-3);
    const net = new fourthNets.TextCNN(fourth.LETTERS, 3);
    net.words = learned.words;
    net.words.requiresGrad_(false);
    return {
      net,
      task: fourth.sources({ count: 4000 }),
      optimizer: (net) =>
        new optim.Adam(
          net.parameters().filter((p) => p.requiresGrad),
          { lr: 1.5e-3 },
        ),
      steps: 250,
    };
  }),
  healthy("prices of houses, wide and deep, Huber loss, RMSprop, four batches to a step", () => ({
    net: new nets.WideAndDeep(8),
    task: fourth.houses({ count: 3000 }),
    loss: (outputs, targets) => F.huberLoss(outputs, targets),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 7e-4 }),
    batch: 16,
    accumulate: 4,
    steps: 200,
  })),
  healthy("tags of symbols, GRUs in both directions, Adam with AMSGrad", () => ({
    net: new nets.Tagger(8, 4),
    task: tasks.tags(),
    optimizer: (net) => new optim.Adam(net.parameters(), { lr: 5e-3, amsgrad: true }),
    batch: 48,
    steps: 200,
    validate: 40,
  })),
  healthy("digits, ConvNeXt, AdamW, one cycle, clipped at 2", () => ({
    net: nets.convNext(),
    task: firstTasks.digits(),
    optimizer: adamW(1e-3, 0.05),
    schedule: (o) => new OneCycleLR(o, { maxLr: 6e-3, totalSteps: 200 }),
    clip: 2,
    steps: 200,
    validate: 40,
  })),
  healthy("digits with rectangles taken out, InstanceNorm, SGD, steps of the rate", () => ({
    net: nets.instanceNet(),
    task: tasks.erased(firstTasks.digits()),
    optimizer: sgd(0.02, 0.9, 1e-4),
    schedule: (o) => new MultiStepLR(o, { milestones: [130, 180], gamma: 0.2 }),
    steps: 220,
  })),
  healthy("digits, softmax regression, batches of 128, a rate that falls linearly", () => ({
    net: firstNets.mlp([196, 10]),
    task: firstTasks.digits(),
    optimizer: sgd(0.1, 0, 1e-3),
    schedule: (o) => new LinearLR(o, { startFactor: 1, endFactor: 0.05, totalIters: 250 }),
    batch: 128,
    steps: 250,
  })),
  healthy("a graph of three communities, a node and its neighbours' mean, Adam", () => {
    const task = tasks.communities();
    return {
      net: new nets.Sage(task.neighbours, 24, 16, 3),
      task,
      optimizer: (net) => new optim.Adam(net.parameters(), { lr: 5e-3, weightDecay: 5e-3 }),
      steps: 100,
      validate: 10,
    };
  }),
  healthy("shapes of points, PointNet with BatchNorm, Adam, a rate that decays", () => ({
    net: new nets.PointNet(3),
    task: third.outlinesOfShapes({ count: 2500 }),
    optimizer: adam(3e-3),
    schedule: (o) => new ExponentialLR(o, { gamma: 0.99 }),
    steps: 250,
  })),
  healthy("garments without labels, what twins' features have in common, AdamW", () => ({
    net: new thirdNets.Views(),
    task: tasks.views(),
    loss: tasks.twins,
    optimizer: adamW(1.5e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 200 }),
    batch: 64,
    steps: 200,
  })),
];
