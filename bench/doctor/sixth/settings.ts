/** The second half of the sixth series' sick programs: data, fits, rates, clipping and modes. */
import { F, nn, optim } from "lanegrad";
import { WILD } from "../consequences.js";
import * as fifthNets from "../fifth/nets.js";
import * as fifth from "../fifth/tasks.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, learn, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as nets from "./nets.js";
import { encoder, he, xavier } from "./nets.js";
import * as tasks from "./tasks.js";

const { sick } = series("sixth");

const tanh = () => new nn.Tanh();

export const SICK_SETTINGS: Program[] = [
  sick("overfitting", "a hundred and sixty digits, vision Transformer", ["overtraining"], () => ({
    net: nets.vision(),
    task: firstTasks.digits({ count: 160 }),
    optimizer: adam(4e-3),
    batch: 24,
    steps: 250,
    validate: 25,
  })),
  sick("overfitting", "eighty recordings of a sensor, GRU", ["overtraining"], () => ({
    net: new fifthNets.NumberGRU(3, 32, 4),
    task: fourth.motions({ count: 80, noise: 1 }),
    optimizer: adam(6e-3),
    batch: 16,
    steps: 200,
    validate: 20,
  })),
  sick("underfitting", "a fast wave, two hidden units", ["loss-plateau", "poor-initialization"], () => ({
    net: xavier(firstNets.mlp([1, 2, 1], tanh)),
    task: fourth.wave({ speed: 6 }),
    optimizer: adam(1e-2),
    steps: 400,
    validate: 40,
  })),
  sick("underfitting", "garments, CNN, Adam with a weight decay of 0.3", ["loss-plateau", "dead-relu"], () => ({
    net: new firstNets.CNN(),
    task: second.garments(),
    optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-3, weightDecay: 0.3 }),
    steps: 300,
  })),
  sick("overtraining", "ratings, sixteen factors, on and on", ["overfitting"], () => ({
    net: new secondNets.Factors(16),
    task: second.ratings({ count: 1500, noise: 0.6 }),
    optimizer: adam(2e-2),
    batch: 64,
    steps: 400,
    validate: 16,
  })),
  sick(
    "overtraining",
    "which text it is from, LSTM, after two hundred pieces, on and on",
    ["overfitting", "poor-initialization"],
    () => ({
      net: new thirdNets.LSTM(16, 32, 3, { vocabulary: fourth.LETTERS }),
      task: fourth.sources({ length: 16, count: 200 }),
      optimizer: adam(1e-2),
      steps: 300,
      validate: 12,
    }),
  ),
  sick(
    "unnormalized-inputs",
    "customers who leave, logistic regression on ages and incomes as they are",
    ["underfitting", "oscillating", "loss-plateau"],
    () => ({
      net: new nn.Linear(6, 1),
      task: tasks.changed(fourth.leavers(), ([x, y]) => [tasks.asInTable(x), y]),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick("unnormalized-inputs", "a questionnaire's points from 0 to 20, MLP of GELU", ["poor-initialization"], () => ({
    net: firstNets.mlp([20, 48, 4], () => new nn.GELU()),
    task: tasks.changed(firstTasks.table(), ([x, y]) => [tasks.points(x), y]),
    optimizer: adam(2e-3),
    steps: 200,
  })),
  sick("class-imbalance", "one customer in forty leaves, MLP with Dropout", [], () => ({
    net: xavier(new nn.Sequential(new nn.Linear(6, 24), new nn.ReLU(), new nn.Dropout(0.1), new nn.Linear(24, 1))),
    task: fourth.leavers({ count: 6000, odds: -5 }),
    optimizer: adam(2e-3),
    batch: 64,
    steps: 250,
  })),
  sick("class-imbalance", "texts of which most are of one kind, convolutions over characters", [], () => ({
    net: new fourthNets.TextCNN(fourth.LETTERS, 3),
    task: firstTasks.imbalanced(fourth.sources({ count: 8000 }), 20),
    optimizer: adam(2e-3),
    steps: 150,
  })),
  sick(
    "learning-rate-too-high",
    "digits, a CNN that learned garments, fine-tuned at a rate of 1",
    [...WILD, "poor-initialization", "no-gradient"],
    () => ({
      net: learn(new firstNets.CNN(), second.garments(), 100),
      task: firstTasks.digits(),
      optimizer: sgd(1, 0.9),
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-high",
    "garments through a bottleneck, MLP of ELU, Adam at 0.3",
    [...WILD.filter((id) => id !== "dead-relu" && id !== "saturated-activation"), "poor-initialization"],
    () => ({
      net: nets.endingIn(new nn.Identity()),
      task: tasks.itself(second.garments({ count: 3000 })),
      optimizer: adam(0.3),
      batch: 64,
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "outlines, U-Net, SGD at 1e-5",
    ["update-ratio", "loss-plateau", "underfitting", "frozen-parameter"],
    () => ({
      net: xavier(new secondNets.UNet()),
      task: second.outlines(),
      optimizer: sgd(1e-5),
      batch: 16,
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "motions of a sensor, GRU, Adam at 1e-6",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: new fifthNets.NumberGRU(3, 24, 4),
      task: fourth.motions(),
      optimizer: adam(1e-6),
      steps: 120,
      validate: 24,
    }),
  ),
  sick("clipping-always", "which text it is from, LSTM, Adam, limit 0.01", ["poor-initialization"], () => ({
    net: new thirdNets.LSTM(16, 32, 3, { vocabulary: fourth.LETTERS }),
    task: fourth.sources({ count: 4000 }),
    optimizer: adam(4e-3),
    clip: 0.01,
    steps: 150,
  })),
  sick(
    "clipping-always",
    "prices of houses, MLP, SGD, limit 0.01",
    ["learning-rate-too-low", "loss-plateau", "underfitting", "update-ratio"],
    () => ({
      net: he(firstNets.mlp([8, 32, 32, 1])),
      task: fourth.houses(),
      optimizer: sgd(0.05),
      clip: 0.01,
      steps: 200,
    }),
  ),
  sick("clipping-never", "which kind of word comes most, Transformer's encoder, limit 1000", [], () => ({
    net: encoder(),
    task: firstTasks.texts({ count: 4000 }),
    optimizer: adam(2e-3),
    clip: 1000,
    steps: 200,
    validate: 40,
  })),
  sick("clipping-never", "outlines, U-Net, limit 100", [], () => ({
    net: xavier(new secondNets.UNet()),
    task: second.outlines(),
    optimizer: adam(2e-3),
    clip: 100,
    batch: 16,
    steps: 120,
    validate: 30,
  })),
  sick("mode-at-validation", "garments, ResNet with BatchNorm, no eval()", [], () => ({
    net: fourthNets.resNet(6),
    task: second.garments(),
    optimizer: adam(3e-3),
    evalMode: false,
    steps: 120,
    validate: 30,
  })),
  sick(
    "mode-at-validation",
    "prices of houses, MLP with BatchNorm and Dropout, eval() and never train() again",
    [],
    () => ({
      net: secondNets.normedMLP([8, 48, 24, 1], 0.1),
      task: fourth.houses({ count: 3000 }),
      optimizer: adam(1e-3),
      trainMode: false,
      batch: 64,
      steps: 200,
      validate: 40,
    }),
  ),
  sick("missing-zero-grad", "garments, small ResNet, SGD with momentum", [...WILD, "overfitting"], () => ({
    net: new firstNets.SmallResNet(),
    task: second.garments(),
    optimizer: sgd(0.05, 0.9),
    zeroGrad: false,
    steps: 150,
  })),
  sick(
    "missing-zero-grad",
    "garments through a bottleneck, MLP, Adam",
    ["exploding-gradient", "oscillating", "update-ratio", "learning-rate-too-high", "dead-relu", "underfitting"],
    () => ({
      net: he(firstNets.autoencoder()),
      task: tasks.itself(second.garments({ count: 2000 })),
      optimizer: adam(3e-3),
      zeroGrad: false,
      steps: 150,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "motions of a sensor, GRU, forward() ends in softmax",
    ["underfitting", "loss-plateau"],
    () => ({
      net: new nets.Then(new fifthNets.NumberGRU(3, 24, 4), (x) => F.softmax(x, 1)),
      task: fourth.motions(),
      optimizer: adam(4e-3),
      steps: 120,
      validate: 24,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "garments, CNN, a Sigmoid before cross entropy",
    ["underfitting", "loss-plateau", "saturated-activation"],
    () => ({
      net: new nn.Sequential(new firstNets.CNN(), new nn.Sigmoid()),
      task: second.garments(),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick("labels-out-of-range", "digits, small ResNet, nine outputs for ten digits", [], () => {
    const net = new firstNets.SmallResNet();
    net.fc = new nn.Linear(12, 9);
    return { net, task: firstTasks.digits(), optimizer: adam(2e-3), steps: 100 };
  }),
  sick(
    "labels-out-of-range",
    "outlines whose masks are bytes of 0 and 255, binary cross entropy",
    ["exploding-gradient"],
    () => ({
      net: fifthNets.dilatedNet(),
      task: tasks.changed(fifth.grainy(), ([x, y]) => [x, y.mul(255)]),
      optimizer: adam(3e-3),
      batch: 16,
      steps: 120,
      validate: 30,
    }),
  ),
];
