/** Sound programs of the first series: the doctor must find nothing. */
import { F, manualSeed, nn, optim, type Tensor } from "lanegrad";
import * as nets from "./nets.js";
import { examine, type Program, type Recipe } from "./program.js";
import * as tasks from "./tasks.js";

const healthy = (name: string, recipe: () => Recipe): Program => ({
  name: `healthy: ${name}`,
  sick: [],
  run: (shift = 0) => {
    manualSeed(11 + shift);
    return examine(recipe());
  },
});

const adam =
  (lr = 1e-3) =>
  (net: nn.Module) =>
    new optim.Adam(net.parameters(), { lr });
const tanh = () => new nn.Tanh();

export const HEALTHY: Program[] = [
  healthy("digits, MLP, SGD with momentum", () => ({
    net: nets.mlp([196, 64, 32, 10]),
    task: tasks.digits(),
    steps: 300,
  })),
  healthy("digits, CNN, Adam", () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: adam(),
    steps: 250,
  })),
  healthy("table, MLP with tanh, Xavier", () => {
    const net = nets.eachWeight(nets.mlp([20, 48, 48, 4], tanh), (w) => nn.init.xavierNormal_(w));
    return { net, task: tasks.table(), steps: 400, validate: 80 };
  }),
  healthy("regression, MLP, Adam", () => ({
    net: nets.mlp([8, 64, 64, 1]),
    task: tasks.regression(),
    optimizer: adam(3e-3),
    steps: 400,
    validate: 80,
  })),
  healthy("moons, binary, Adam", () => ({
    net: nets.mlp([2, 32, 32, 1]),
    task: tasks.moons(),
    optimizer: adam(5e-3),
    steps: 300,
  })),
  healthy("digits, residual MLP with LayerNorm, AdamW, cosine", () => ({
    net: new nets.ResidualMLP(196, 48, 4, 10),
    task: tasks.digits(),
    optimizer: (net) => new optim.AdamW(net.parameters(), { lr: 2e-3 }),
    schedule: (o) => new optim.lrScheduler.CosineAnnealingLR(o, { tMax: 300 }),
    steps: 300,
  })),
  healthy("sequences, RNN with tanh, clipped", () => ({
    net: new nets.RNN(4, 32, 2),
    task: tasks.sequences(),
    optimizer: adam(3e-3),
    clip: 1,
    steps: 300,
  })),
  healthy("digits, CNN with BatchNorm and Dropout, steps of the rate", () => ({
    net: nets.normedCNN(),
    task: tasks.digits(),
    schedule: (o) => new optim.lrScheduler.StepLR(o, { stepSize: 100, gamma: 0.3 }),
    steps: 250,
  })),
  healthy("table, frozen first layer", () => {
    const net = nets.mlp([20, 64, 32, 4]);
    for (const p of net.parameters().slice(0, 2)) p.requiresGrad = false;
    return {
      net,
      task: tasks.table(),
      optimizer: (n) => new optim.SGD(n.parameters().slice(2), { lr: 0.05, momentum: 0.9 }),
      steps: 300,
    };
  }),

  healthy("digits, MLP with GELU, AdamW, warm-up", () => ({
    net: nets.mlp([196, 64, 64, 10], () => new nn.GELU()),
    task: tasks.digits(),
    optimizer: (net) => new optim.AdamW(net.parameters(), { lr: 2e-3 }),
    schedule: (o) => new optim.lrScheduler.LinearLR(o, { startFactor: 0.05, totalIters: 60 }),
    steps: 300,
  })),
  healthy("digits, CNN with BatchNorm, Nesterov", () => ({
    net: nets.normedCNN(0),
    task: tasks.digits(),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.03, momentum: 0.9, nesterov: true, weightDecay: 5e-4 }),
    steps: 250,
  })),
  healthy("autoencoder, Adam", () => ({
    net: nets.autoencoder(),
    task: tasks.autoencoding(),
    optimizer: adam(2e-3),
    steps: 300,
  })),
  healthy("texts, embedding, Adam", () => ({
    net: new nets.TextNet(),
    task: tasks.texts(),
    optimizer: adam(1e-2),
    steps: 300,
  })),
  healthy("regression, MLP with tanh, weight decay", () => ({
    net: nets.mlp([8, 48, 48, 1], tanh),
    task: tasks.regression(),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.02, momentum: 0.9, weightDecay: 1e-4 }),
    steps: 400,
    validate: 80,
  })),
  healthy("digits, small ResNet, Adam", () => ({
    net: new nets.SmallResNet(),
    task: tasks.digits(),
    optimizer: adam(5e-3),
    steps: 250,
  })),
  healthy("sequences, gated RNN, RMSprop, clipped", () => ({
    net: new nets.GatedRNN(4, 24, 2),
    task: tasks.sequences(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 2e-3 }),
    clip: 0.5,
    steps: 300,
  })),
  healthy("table, logistic regression", () => ({
    net: nets.mlp([20, 3]),
    task: tasks.table({ classes: 3 }),
    optimizer: (net) => new optim.SGD(net.parameters(), { lr: 0.1 }),
    steps: 250,
  })),
  healthy("moons, Sigmoid and binary cross entropy", () => ({
    net: new nn.Sequential(nets.mlp([2, 32, 1], tanh), new nn.Sigmoid()),
    task: tasks.moons(),
    loss: (outputs: Tensor, targets: Tensor) => F.binaryCrossEntropy(outputs, targets),
    optimizer: adam(1e-2),
    steps: 300,
  })),
];
