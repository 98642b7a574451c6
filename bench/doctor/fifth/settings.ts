/** Sick programs of the fifth series, of settings, data and the loop; sick.ts says how they were measured. */
import { F, nn, noGrad, optim, type Tensor } from "lanegrad";
import { DEAF, THROWN } from "../consequences.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, adamW, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as third from "../third/tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const { sick } = series("fifth");

const { LambdaLR, LinearLR } = optim.lrScheduler;
const tanh = () => new nn.Tanh();
const silu = () => new nn.SiLU();

/** Absolute values of all weights, added up. */
const absolutes = (net: nn.Module): Tensor =>
  net
    .parameters()
    .map((p) => p.abs().sum())
    .reduce((a, b) => a.add(b));

export const SICK_SETTINGS: Program[] = [
  sick(
    "loss-plateau",
    "prices of houses, answers [n, 1] less prices [n]",
    // Each answer is compared with each price, so that the mean price is the best.
    ["underfitting", "poor-initialization"],
    () => ({
      net: firstNets.mlp([8, 64, 32, 1]),
      task: fourth.houses(),
      loss: (outputs, targets) => outputs.sub(targets.squeeze(1)).square().mean(),
      optimizer: adam(1e-3),
      steps: 250,
    }),
  ),
  sick(
    "loss-plateau",
    "digits, CNN of tanh, all weights 0",
    // Only the last biases learn.
    [...DEAF, "vanishing-gradient", "no-gradient", "frozen-parameter"],
    () => ({
      net: firstNets.eachBias(
        firstNets.eachWeight(new firstNets.CNN(10, (x) => x.tanh()), (w) => void w.zero_()),
        (b) => void b.zero_(),
      ),
      task: firstTasks.digits(),
      optimizer: sgd(0.05, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "diverging",
    "garments, plain CNN, an optimizer that maximizes",
    ["exploding-gradient", "oscillating", "learning-rate-too-high", "underfitting", "poor-initialization"],
    () => ({
      net: fourthNets.plainCNN(3),
      task: second.garments(),
      optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-3, maximize: true }),
      steps: 150,
    }),
  ),
  sick(
    "diverging",
    "a robot's hand, MLP of tanh, Huber loss, a warm-up that never ends",
    ["oscillating", "learning-rate-too-high", "update-ratio", "underfitting", "saturated-activation"],
    () => ({
      net: firstNets.mlp([3, 48, 48, 2], tanh),
      task: tasks.arm(),
      loss: (outputs, targets) => F.huberLoss(outputs, targets),
      optimizer: sgd(6e-3, 0.9),
      schedule: (o) => new LambdaLR(o, { lrLambda: (t) => t + 1 }),
      steps: 250,
    }),
  ),
  sick(
    "oscillating",
    "garments of one class after the other, never shuffled, CNN",
    ["class-imbalance", "learning-rate-too-high", "update-ratio"],
    () => ({
      net: firstNets.eachWeight(
        fourthNets.plainCNN(3, () => new nn.LeakyReLU(0.1)),
        (w) => void nn.init.kaimingNormal_(w),
      ),
      task: tasks.inFolders(second.garments({ count: 800 })),
      optimizer: sgd(0.05),
      batch: 40,
      steps: 200,
    }),
  ),
  sick(
    "oscillating",
    "garments, MLP of tanh, two at a time with the rate for sixty-four",
    ["learning-rate-too-high", "loss-plateau", "update-ratio", "underfitting", "saturated-activation", "diverging"],
    () => ({
      net: firstNets.mlp([196, 64, 10], tanh),
      task: second.garments(),
      optimizer: sgd(0.03, 0.9),
      batch: 2,
      steps: 400,
    }),
  ),
  sick("overfitting", "a hundred and twenty pieces of text, attention without Dropout", ["overtraining"], () => ({
    net: new nets.PooledEncoder(fourth.LETTERS, 24, 3, { dropout: 0 }),
    task: fourth.sources({ count: 120 }),
    optimizer: adam(2e-3),
    steps: 250,
    validate: 25,
  })),
  sick("overfitting", "eighty customers who leave or stay, wide MLP", ["overtraining"], () => ({
    net: firstNets.eachWeight(
      firstNets.mlp([6, 128, 128, 1], () => new nn.GELU()),
      (w) => void nn.init.xavierUniform_(w),
    ),
    task: tasks.standardised(fourth.leavers({ count: 80 })),
    optimizer: adam(2e-3),
    batch: 16,
    steps: 300,
    validate: 25,
  })),
  sick("underfitting", "points on two rings, a line to part them", ["loss-plateau"], () => ({
    net: new nn.Linear(2, 2),
    task: fourth.rings(),
    optimizer: adam(1e-2),
    batch: 64,
    steps: 300,
    validate: 30,
  })),
  sick(
    "underfitting",
    "garments, strided CNN, a price on absolute weights that leaves none of them",
    ["loss-plateau", "poor-initialization", "update-ratio"],
    () => {
      const net = secondNets.stridedCNN();
      return {
        net,
        task: second.garments(),
        loss: (outputs, targets) => F.crossEntropy(outputs, targets).add(absolutes(net).mul(0.01)),
        optimizer: adam(2e-3),
        steps: 400,
        validate: 40,
      };
    },
  ),
  sick("overtraining", "what customers buy, after three hundred of them, wide MLP, on and on", ["overfitting"], () => ({
    net: firstNets.eachWeight(firstNets.mlp([10, 128, 5], silu), (w) => void nn.init.xavierUniform_(w)),
    task: tasks.standardised(tasks.baskets({ count: 300 })),
    optimizer: adam(1.5e-2),
    steps: 400,
    validate: 16,
  })),
  sick("overtraining", "a few garments, ConvNeXt, on and on", ["overfitting"], () => ({
    net: nets.convNext(12, 1),
    task: second.garments({ count: 200 }),
    optimizer: adam(3e-3),
    steps: 400,
    validate: 16,
  })),
  sick(
    "unnormalized-inputs",
    "motions as the sensor gives them, convolutions with BatchNorm",
    ["poor-initialization", "update-ratio"],
    () => ({
      net: fourthNets.signalNet(),
      task: tasks.rawMotions(),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick("unnormalized-inputs", "temperatures in degrees, GRU", ["saturated-activation", "poor-initialization"], () => ({
    net: new nets.NumberGRU(1, 32, 1),
    task: tasks.weather({ degrees: true }),
    optimizer: adam(2e-3),
    steps: 200,
  })),
  sick("class-imbalance", "highlights of garments, one pixel in thirty, dilated convolutions", [], () => ({
    net: nets.dilatedNet(2),
    task: tasks.highlights(),
    optimizer: adam(3e-3),
    batch: 16,
    steps: 150,
  })),
  sick("class-imbalance", "motions of somebody who mostly rests, GRU", [], () => ({
    net: new nets.NumberGRU(3, 24, 4),
    task: tasks.mostlyResting(),
    optimizer: adam(4e-3),
    steps: 150,
  })),
  sick(
    "learning-rate-too-high",
    "prices of houses, wide and deep, RMSprop at 0.3",
    [...THROWN, "exploding-gradient", "poor-initialization", "loss-plateau"],
    () => ({
      net: new nets.WideAndDeep(8),
      task: fourth.houses(),
      optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 0.3 }),
      steps: 200,
    }),
  ),
  sick(
    "learning-rate-too-high",
    "digits, ConvNeXt, AdamW at 0.3",
    [
      "exploding-gradient",
      "diverging",
      "oscillating",
      "update-ratio",
      "loss-plateau",
      "underfitting",
      "poor-initialization",
    ],
    () => ({
      net: nets.convNext(12, 2),
      task: firstTasks.digits(),
      optimizer: adamW(0.3),
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "garments, CNN, Adadelta at Adam's 0.001",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: new firstNets.CNN(),
      task: second.garments(),
      optimizer: (net) => new optim.Adadelta(net.parameters(), { lr: 1e-3 }),
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "which text it is from, attention, a warm-up of a million steps",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: new nets.PooledEncoder(fourth.LETTERS, 24, 3),
      task: fourth.sources({ count: 4000 }),
      optimizer: adamW(1e-3),
      schedule: (o) => new LinearLR(o, { startFactor: 1e-4, totalIters: 1_000_000 }),
      steps: 200,
    }),
  ),
  sick(
    "clipping-always",
    "tags of symbols, GRUs in both directions, SGD, limit 0.005",
    ["learning-rate-too-low", "loss-plateau", "underfitting", "update-ratio"],
    () => ({
      net: new nets.Tagger(8, 4),
      task: tasks.tags(),
      optimizer: sgd(0.2, 0.9),
      clip: 0.005,
      steps: 120,
    }),
  ),
  sick(
    "clipping-always",
    "garments, stochastic depth, AdamW, limit 0.05",
    // Adam does not mind how long gradients are as long as all are cut alike.
    [],
    () => ({
      net: firstNets.eachWeight(nets.stochasticDepth(), (w) => void nn.init.xavierUniform_(w)),
      task: second.garments(),
      optimizer: adamW(2e-3),
      clip: 0.05,
      steps: 150,
    }),
  ),
  sick("clipping-never", "signals drawn again, convolutions over time, limit 500", [], () => ({
    net: nets.signalCoder(),
    task: tasks.signals(),
    optimizer: adam(3e-3),
    clip: 500,
    steps: 200,
  })),
  sick("clipping-never", "two marked numbers summed, GRU, limit 100", [], () => ({
    net: new nets.NumberGRU(2, 32, 1),
    task: tasks.sums(),
    optimizer: adam(4e-3),
    clip: 100,
    batch: 64,
    steps: 200,
  })),
  sick("mode-at-validation", "garments, DenseNet with BatchNorm and Dropout, no eval()", [], () => ({
    net: nets.denseNet(6, 2, 0.3),
    task: second.garments(),
    optimizer: adam(3e-3),
    evalMode: false,
    steps: 150,
    validate: 30,
  })),
  sick("mode-at-validation", "shapes of points, PointNet, train() was never called again", [], () => ({
    net: new nets.PointNet(3),
    task: third.outlinesOfShapes(),
    optimizer: adam(2e-3),
    trainMode: false,
    steps: 200,
    validate: 40,
  })),
  sick(
    "missing-zero-grad",
    "outlines, dilated convolutions, SGD with momentum",
    [
      "exploding-gradient",
      "diverging",
      "oscillating",
      "learning-rate-too-high",
      "update-ratio",
      "dead-relu",
      "underfitting",
      "loss-plateau",
    ],
    () => ({
      net: nets.dilatedNet(),
      task: tasks.grainy(),
      optimizer: sgd(0.05, 0.9),
      zeroGrad: false,
      batch: 16,
      steps: 120,
    }),
  ),
  sick(
    "missing-zero-grad",
    "which text it is from, attention with a learned pool, AdamW",
    [
      "exploding-gradient",
      "diverging",
      "oscillating",
      "learning-rate-too-high",
      "update-ratio",
      "underfitting",
      "loss-plateau",
    ],
    () => ({
      net: new nets.PooledEncoder(fourth.LETTERS, 24, 3),
      task: fourth.sources(),
      optimizer: adamW(3e-3),
      zeroGrad: false,
      steps: 150,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "which text it is from, convolutions over characters, a Softmax at the end",
    ["underfitting", "loss-plateau"],
    () => ({
      net: new nn.Sequential(new fourthNets.TextCNN(fourth.LETTERS, 3), new nn.Softmax(1)),
      task: fourth.sources(),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "what customers buy, a Sigmoid before the loss that has its own",
    ["underfitting", "loss-plateau", "poor-initialization"],
    () => ({
      net: new nn.Sequential(firstNets.mlp([10, 32, 5]), new nn.Sigmoid()),
      task: {
        ...tasks.baskets(),
        accuracy: (outputs, targets) => outputs.gt(0.5).float().eq(targets).float().mean().item(),
      },
      optimizer: adam(3e-3),
      steps: 200,
    }),
  ),
  sick("labels-out-of-range", "the upper half of the garments, still called 5 to 9, DenseNet", [], () => ({
    net: nets.denseNet(6, 2, 0, 5),
    task: (() => {
      const base = second.someGarments(true);
      const up = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [x, noGrad(() => y.add(5).int().clone())];
      return firstTasks.withData(base, up(base.train), up(base.test));
    })(),
    optimizer: adam(2e-3),
    steps: 100,
  })),
  sick("labels-out-of-range", "outlines with a border of 255, U-Net", [], () => ({
    net: new secondNets.UNet(),
    task: tasks.withBorders(),
    optimizer: adam(3e-3),
    batch: 16,
    steps: 100,
  })),
];
