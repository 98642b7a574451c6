/** The second half of the seventh series' sick programs: data, fits, rates, clipping and modes. */
import { nn } from "lanegrad";
import { WILD } from "../consequences.js";
import * as fifthNets from "../fifth/nets.js";
import * as fifth from "../fifth/tasks.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, adamW, series, sgd } from "../series.js";
import { he, heard, xavier } from "../sixth/nets.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as tasks from "./tasks.js";

const { sick } = series("seventh");

const tanh = () => new nn.Tanh();
const gelu = () => new nn.GELU();

export const SICK_SETTINGS: Program[] = [
  sick("overfitting", "forty-eight noisy samples of a smooth function, wide MLP of GELU", ["overtraining"], () => ({
    net: xavier(firstNets.mlp([8, 96, 96, 1], gelu)),
    task: tasks.standardised(firstTasks.regression({ count: 48, noise: 0.5 })),
    optimizer: adam(3e-3),
    batch: 24,
    steps: 240,
    validate: 24,
  })),
  sick("overfitting", "a hundred and twenty garments, DenseNet", ["overtraining"], () => ({
    net: fifthNets.denseNet(),
    task: second.garments({ count: 120 }),
    optimizer: adam(5e-3),
    batch: 24,
    steps: 200,
    validate: 25,
  })),
  sick("underfitting", "motions of a sensor, softmax regression on the recordings", ["loss-plateau"], () => ({
    net: firstNets.mlp([144, 4]),
    task: fourth.motions({ count: 4000 }),
    optimizer: adam(1e-3),
    batch: 64,
    steps: 300,
  })),
  sick("underfitting", "digits, MLP with BatchNorm, Dropout of 0.9 where 0.9 was to be kept", ["loss-plateau"], () => ({
    net: secondNets.normedMLP([196, 32, 32, 32, 10], 0.9),
    task: firstTasks.digits(),
    optimizer: adam(2e-3),
    batch: 64,
    steps: 250,
  })),
  sick("overtraining", "two hundred garments, CNN, on and on", ["overfitting"], () => ({
    net: xavier(new firstNets.CNN()),
    task: second.garments({ count: 200 }),
    optimizer: adam(3e-3),
    steps: 300,
    validate: 12,
  })),
  sick(
    "overtraining",
    "which kind of word comes most, after a hundred and fifty texts, on and on",
    ["overfitting"],
    () => ({
      net: he(new fourthNets.Bag(50, 3)),
      task: firstTasks.texts({ count: 150 }),
      optimizer: adam(5e-3),
      steps: 400,
      validate: 16,
    }),
  ),
  sick("unnormalized-inputs", "garments as bytes to 255, small ResNet with BatchNorm", ["poor-initialization"], () => ({
    net: new firstNets.SmallResNet(),
    task: second.garments({ scale: (x) => x }),
    optimizer: adam(3e-3),
    steps: 200,
  })),
  sick("unnormalized-inputs", "a robot's hand, angles in degrees, MLP of SiLU", ["exploding-gradient"], () => ({
    net: xavier(firstNets.mlp([3, 48, 48, 2], () => new nn.SiLU())),
    task: tasks.degrees(fifth.arm()),
    optimizer: adam(1e-3),
    steps: 250,
  })),
  sick("class-imbalance", "garments, one kind twenty times as often, DenseNet", [], () => ({
    net: fifthNets.denseNet(6),
    task: firstTasks.imbalanced(second.garments({ count: 6000, tests: 1000 }), 20),
    optimizer: adam(2e-3),
    steps: 150,
  })),
  sick("class-imbalance", "sequences of which few are above zero, LSTM", [], () => ({
    net: heard(xavier(new thirdNets.LSTM(4, 24, 2))),
    task: firstTasks.imbalanced(firstTasks.sequences({ count: 8000 }), 20),
    optimizer: adam(1e-3),
    batch: 64,
    steps: 120,
    validate: 40,
  })),
  sick(
    "learning-rate-too-high",
    "which text it is from, convolutions over characters, Adam at 1",
    [...WILD, "poor-initialization"],
    () => ({
      net: new fourthNets.TextCNN(fourth.LETTERS, 3),
      task: fourth.sources(),
      optimizer: adam(1),
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-high",
    "a smooth function of eight numbers, MLP of GELU, Adam at 0.5",
    [...WILD, "poor-initialization"],
    () => ({
      net: firstNets.mlp([8, 64, 32, 1], gelu),
      task: firstTasks.regression(),
      optimizer: adam(0.5),
      steps: 200,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "digits of full size, LeNet, SGD at 1e-5",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: xavier(new fourthNets.LeNet()),
      task: fourth.fullDigits({ count: 2000, tests: 300 }),
      optimizer: sgd(1e-5),
      batch: 16,
      steps: 120,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "customers, MLP, AdamW at 1e-6",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: xavier(firstNets.mlp([6, 32, 32, 2])),
      task: second.customers(),
      optimizer: adamW(1e-6),
      batch: 64,
      steps: 300,
    }),
  ),
  sick("clipping-always", "digits, DenseNet, Adam, limit 0.001", [], () => ({
    net: fifthNets.denseNet(6),
    task: firstTasks.digits(),
    optimizer: adam(2e-3),
    clip: 1e-3,
    steps: 120,
  })),
  sick(
    "clipping-always",
    "two marked numbers summed, LSTM, SGD, limit 0.01",
    ["loss-plateau", "learning-rate-too-low", "underfitting", "update-ratio"],
    () => ({
      net: heard(xavier(new thirdNets.LSTM(2, 32, 1)), 3.5),
      task: fifth.sums(),
      optimizer: sgd(0.1),
      clip: 0.01,
      batch: 64,
      steps: 150,
    }),
  ),
  sick("clipping-never", "garments, CNN, SGD with momentum, limit 1000", [], () => ({
    net: xavier(new firstNets.CNN()),
    task: second.garments(),
    optimizer: sgd(0.02, 0.9),
    clip: 1000,
    steps: 200,
  })),
  sick("clipping-never", "the next value of a series, LSTM, Adam, limit 10000", [], () => ({
    net: heard(xavier(new thirdNets.LSTM(1, 24, 1)), 5),
    task: fifth.weather(),
    optimizer: adam(5e-3),
    clip: 1e4,
    batch: 64,
    steps: 150,
  })),
  sick("mode-at-validation", "motions of a sensor, convolutions with BatchNorm, no eval()", [], () => ({
    net: fourthNets.signalNet(),
    task: fourth.motions({ count: 4000 }),
    optimizer: adam(2e-3),
    evalMode: false,
    steps: 150,
    validate: 30,
  })),
  sick("mode-at-validation", "garments, MLP with BatchNorm and Dropout, eval() and never train() again", [], () => ({
    net: secondNets.normedMLP([196, 64, 32, 10], 0.2),
    task: second.garments(),
    optimizer: adam(1e-3),
    trainMode: false,
    batch: 64,
    steps: 200,
    validate: 40,
  })),
  sick("missing-zero-grad", "garments, ConvNeXt, SGD with momentum", WILD, () => ({
    net: fifthNets.convNext(),
    task: second.garments(),
    optimizer: sgd(0.02, 0.9),
    zeroGrad: false,
    steps: 120,
  })),
  sick(
    "missing-zero-grad",
    "customers who leave, MLP of GELU, Adam",
    [
      "loss-plateau",
      "oscillating",
      "underfitting",
      "learning-rate-too-high",
      "diverging",
      "exploding-gradient",
      "update-ratio",
    ],
    () => ({
      net: xavier(firstNets.mlp([6, 32, 1], gelu)),
      task: fourth.leavers({ count: 4000 }),
      optimizer: adam(5e-3),
      zeroGrad: false,
      steps: 200,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "digits, depthwise CNN that ends in Softmax",
    ["underfitting", "loss-plateau"],
    () => ({
      net: new nn.Sequential(...thirdNets.depthwiseNet({ depth: 2 }), new nn.Softmax(1)),
      task: firstTasks.digits(),
      optimizer: adam(3e-3),
      steps: 200,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "customers who leave, wide and deep, a Sigmoid before the loss with logits",
    ["underfitting", "loss-plateau", "saturated-activation"],
    () => ({
      net: new nn.Sequential(xavier(new fifthNets.WideAndDeep(6)), new nn.Sigmoid()),
      task: fourth.leavers({ count: 4000 }),
      optimizer: adam(3e-3),
      batch: 64,
      steps: 250,
    }),
  ),
  sick("labels-out-of-range", "garments, small ResNet, a hidden folder counted as the first class", [], () => ({
    net: new firstNets.SmallResNet(),
    task: tasks.fromOne(second.garments()),
    optimizer: adam(2e-3),
    steps: 100,
  })),
  sick(
    "labels-out-of-range",
    "customers who leave, 1 and 2 for no and yes, binary cross entropy",
    ["oscillating", "exploding-gradient"],
    () => ({
      net: xavier(firstNets.mlp([6, 32, 1], tanh)),
      task: tasks.fromOne(fourth.leavers()),
      optimizer: adam(2e-3),
      batch: 64,
      steps: 200,
    }),
  ),
];
