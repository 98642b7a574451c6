/** Sound programs of the sixth series: trainings as tutorials, courses and forums show them. */
import { F, nn, optim, type Tensor } from "lanegrad";
import * as fifthNets from "../fifth/nets.js";
import * as fifth from "../fifth/tasks.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as third from "../third/tasks.js";
import * as loops from "./loops.js";
import * as nets from "./nets.js";
import { encoder, he, heard, xavier } from "./nets.js";
import * as tasks from "./tasks.js";

const { healthy, loop } = series("sixth");

const { CosineAnnealingLR, ExponentialLR, LambdaLR, OneCycleLR, StepLR } = optim.lrScheduler;

export const HEALTHY: Program[] = [
  healthy("digits, one hidden layer and Dropout, Adam, as in a first tutorial", () => ({
    net: nets.firstSteps(),
    task: firstTasks.digits(),
    optimizer: adam(1e-3),
    steps: 300,
  })),
  healthy("garments, MLP of two hidden layers, plain SGD at 0.1, batches of 64", () => ({
    net: firstNets.mlp([196, 128, 64, 10]),
    task: second.garments(),
    optimizer: sgd(0.1),
    batch: 64,
    steps: 300,
  })),
  healthy("garments, CNN of two convolutions, RMSprop", () => ({
    net: xavier(new firstNets.CNN()),
    task: second.garments(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 5e-4 }),
    steps: 300,
  })),
  healthy("digits, small ResNet, SGD with momentum, cosine, batches of 64", () => ({
    net: new firstNets.SmallResNet(),
    task: firstTasks.digits(),
    optimizer: sgd(0.05, 0.9, 5e-4),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 250 }),
    batch: 64,
    steps: 250,
  })),
  healthy("garments, CNN with BatchNorm and Dropout, AdamW, steps of the rate", () => ({
    net: firstNets.normedCNN(0.25),
    task: second.garments(),
    optimizer: adamW(2e-3),
    schedule: (o) => new StepLR(o, { stepSize: 80, gamma: 0.5 }),
    batch: 48,
    steps: 240,
    validate: 40,
  })),
  healthy("prices of houses, MLP with BatchNorm, AdamW, batches of 64", () => ({
    net: secondNets.normedMLP([8, 48, 24, 1], 0.05),
    task: fourth.houses({ count: 3000 }),
    optimizer: adamW(1e-3),
    batch: 64,
    steps: 250,
  })),
  healthy("garments through a bottleneck, MLP, AdamW", () => ({
    net: he(firstNets.autoencoder()),
    task: tasks.itself(second.garments({ count: 3000 })),
    optimizer: adamW(1e-3),
    batch: 64,
    steps: 250,
  })),
  healthy("digits drawn again, convolutions and transposed ones, Adam, squares", () => ({
    net: he(secondNets.convAutoencoder()),
    task: fifth.grey(),
    optimizer: adam(3e-3),
    steps: 250,
  })),
  healthy("which text it is from, the mean of characters' vectors, Adam", () => ({
    net: he(new fourthNets.Bag(fourth.LETTERS, 3)),
    task: fourth.sources({ length: 48, count: 4000 }),
    optimizer: adam(3e-3),
    batch: 64,
    steps: 250,
  })),
  healthy("which text it is from, LSTM with Dropout, Adam, clipped", () => ({
    net: heard(new thirdNets.LSTM(16, 32, 3, { vocabulary: fourth.LETTERS, dropout: 0.2 }), 3),
    task: fourth.sources({ count: 4000 }),
    optimizer: adam(4e-3),
    clip: 2,
    steps: 200,
    validate: 40,
  })),
  healthy("the next value of a series, LSTM, Adam", () => ({
    net: heard(xavier(new thirdNets.LSTM(1, 24, 1))),
    task: fifth.weather(),
    optimizer: adam(8e-3),
    batch: 64,
    steps: 200,
    validate: 40,
  })),
  healthy("the next value of a series, RNN of tanh, RMSprop, a rate that decays", () => ({
    net: heard(xavier(new firstNets.RNN(1, 32, 1))),
    task: fifth.weather(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 2e-3 }),
    schedule: (o) => new ExponentialLR(o, { gamma: 0.99 }),
    batch: 64,
    steps: 250,
  })),
  healthy("which kind of word comes most, Transformer's encoder, Adam, warm-up", () => ({
    net: encoder(),
    task: firstTasks.texts({ count: 4000 }),
    optimizer: adam(2e-3),
    schedule: (o) => new LambdaLR(o, { lrLambda: (t) => Math.min(1, (t + 1) / 30) }),
    steps: 200,
    validate: 40,
  })),
  healthy("digits, vision Transformer, AdamW, one cycle, clipped", () => ({
    net: nets.vision(),
    task: firstTasks.digits(),
    optimizer: adamW(1e-3),
    schedule: (o) => new OneCycleLR(o, { maxLr: 5e-3, totalSteps: 200 }),
    clip: 3.5,
    steps: 200,
    validate: 40,
  })),
  healthy("ratings, vectors of users and items and an MLP, Adam", () => ({
    net: he(new nets.Recommender()),
    task: second.ratings({ count: 10000, noise: 0.3 }),
    optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-2, weightDecay: 1e-4 }),
    batch: 128,
    steps: 400,
  })),
  healthy("digits, convolutions of a CNN that learned garments, frozen, SGD with momentum", () => {
    const net = learn(new firstNets.CNN(10, F.gelu), second.garments(), 100);
    for (const part of [net.conv1, net.conv2]) part.requiresGrad_(false);
    net.fc1 = new nn.Linear(144, 32);
    net.fc2 = xavier(new nn.Linear(32, 10));
    return {
      net,
      task: firstTasks.digits(),
      optimizer: (net) =>
        new optim.SGD(
          net.parameters().filter((p) => p.requiresGrad),
          { lr: 5e-3, momentum: 0.9 },
        ),
      steps: 250,
    };
  }),
  healthy("customers who leave, MLP with Dropout, Adam with weight decay", () => ({
    net: xavier(new nn.Sequential(new nn.Linear(6, 24), new nn.ReLU(), new nn.Dropout(0.2), new nn.Linear(24, 1))),
    task: fourth.leavers({ count: 4000 }),
    optimizer: (net) => new optim.Adam(net.parameters(), { lr: 2e-3, weightDecay: 1e-3 }),
    steps: 300,
  })),
  healthy("outlines, U-Net, RMSprop, batches of eight", () => ({
    net: xavier(new secondNets.UNet()),
    task: second.outlines(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }),
    batch: 8,
    steps: 200,
    validate: 40,
  })),
  healthy("digits, variational autoencoder, Adam, batches of 128", () => {
    const net = xavier(new secondNets.VAE());
    return {
      net,
      task: fifth.grey({ count: 4000 }),
      loss: (outputs, targets) =>
        F.binaryCrossEntropyWithLogits(outputs, targets, { reduction: "sum" })
          .div(targets.shape[0])
          .add(net.divergence as Tensor),
      optimizer: adam(1e-3),
      batch: 128,
      steps: 250,
    };
  }),
  healthy("digits of full size, LeNet with Dropout, Adadelta, log-softmax and nllLoss", () => ({
    net: xavier(new fourthNets.LeNet(0.25)),
    task: fourth.fullDigits(),
    loss: (outputs, targets) => F.nllLoss(F.logSoftmax(outputs, 1), targets),
    optimizer: (net) => new optim.Adadelta(net.parameters(), { lr: 0.7 }),
    schedule: (o) => new StepLR(o, { stepSize: 60, gamma: 0.7 }),
    steps: 200,
    validate: 40,
  })),
  healthy("motions of a sensor, GRU, AdamW", () => ({
    net: new fifthNets.NumberGRU(3, 24, 4),
    task: fourth.motions(),
    optimizer: adamW(4e-3),
    batch: 48,
    steps: 120,
    validate: 24,
  })),
  healthy("shapes of points, deep sets, Adam, cosine", () => ({
    net: he(new thirdNets.SetNet(3, "mean", { width: 48 })),
    task: third.outlinesOfShapes({ count: 3000 }),
    optimizer: adam(4e-3),
    schedule: (o) => new CosineAnnealingLR(o, { tMax: 300 }),
    batch: 64,
    steps: 300,
  })),
  healthy("garments, ResNet, four batches of eight to a step, AdamW", () => ({
    net: fourthNets.resNet(6),
    task: second.garments(),
    optimizer: adamW(3e-3),
    batch: 8,
    accumulate: 4,
    steps: 120,
    validate: 24,
  })),
  loop("healthy: a table, MLP of LeakyReLU, epochs, the best weights put back", [], [], loops.bestKept),
];
