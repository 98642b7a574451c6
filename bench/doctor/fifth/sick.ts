/**
 * Sick programs of the fifth series, of nets: what keeps signals and gradients from flowing. That the sickness is there, and which other definitions are met, was measured with a recorder
 * in the doctor's place; what else `also` names follows from the cause.
 */
import { F, nn, noGrad, optim, type Tensor } from "lanegrad";
import { DEAF, THROWN } from "../consequences.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, learn, normalWeights, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as third from "../third/tasks.js";
import * as nets from "./nets.js";
import { SICK_SETTINGS } from "./settings.js";
import * as tasks from "./tasks.js";

const { sick } = series("fifth");

const tanh = () => new nn.Tanh();
const sigmoid = () => new nn.Sigmoid();
const silu = () => new nn.SiLU();

/** Brings each row of each weight back to length 1. */
const unitRows = (net: nn.Module): void => {
  firstNets.eachWeight(
    net,
    (w) =>
      void w.div_(
        w
          .square()
          .sum(
            w.shape.slice(1).map((_, i) => i + 1),
            { keepdim: true },
          )
          .sqrt(),
      ),
  );
};

const SICK_NETS: Program[] = [
  sick(
    "vanishing-gradient",
    "garments, CNN of eight convolutions, sigmoid after each",
    [...DEAF, "frozen-parameter"],
    () => ({
      net: fourthNets.plainCNN(8, sigmoid, 8),
      task: second.garments(),
      optimizer: sgd(0.05, 0.9),
      steps: 150,
    }),
  ),
  sick(
    "vanishing-gradient",
    "motions of a sensor, Softmax as the hidden layers' activation",
    [...DEAF, "frozen-parameter"],
    () => ({
      net: firstNets.mlp([144, 64, 64, 64, 64, 4], () => new nn.Softmax(1)),
      task: fourth.motions(),
      optimizer: sgd(0.05, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "exploding-gradient",
    "a wave by powers to the fifth of numbers up to 3, linear regression",
    [...THROWN, "unnormalized-inputs"],
    () => ({ net: new nn.Linear(5, 1), task: tasks.powers(), optimizer: sgd(3e-4), steps: 100 }),
  ),
  sick(
    "exploding-gradient",
    "digits, MLP of twenty-four layers of tanh, normal weights of deviation 0.35",
    // Chaos: what tanh keeps small on the way forward has nothing to keep it small on the way back (Poole et al., NIPS 2016).
    ["saturated-activation", "underfitting", "loss-plateau", "oscillating"],
    () => ({
      net: normalWeights(firstNets.mlp([196, ...new Array(24).fill(64), 10], tanh), 0.35),
      task: firstTasks.digits(),
      optimizer: sgd(1e-3),
      steps: 150,
    }),
  ),
  sick(
    "non-finite",
    "digits as bytes, a softmax as in books and its logarithm",
    ["unnormalized-inputs", "dead-relu"],
    () => ({
      net: new nets.BookSoftmax(
        firstNets.eachWeight(firstNets.mlp([196, 64, 10]), (w) => void nn.init.kaimingNormal_(w)),
      ),
      task: firstTasks.digits({ scale: (x) => x }),
      loss: (outputs, targets) => F.nllLoss(outputs.log(), targets),
      optimizer: adam(1e-3),
      steps: 150,
    }),
  ),
  sick("non-finite", "counts of events, the root of what may be below 0", ["poor-initialization"], () => ({
    net: firstNets.mlp([6, 32, 32, 1], silu),
    task: third.counts(),
    // Roots of counts have about the same variance (Anscombe, 1948).
    loss: (outputs, targets) => F.mseLoss(outputs.sqrt(), targets.sqrt()),
    optimizer: adam(2e-3),
    batch: 64,
    steps: 120,
  })),
  sick(
    "dead-relu",
    "prices of houses, an MLP that is to fall monotonously, all of its weights kept below 0",
    // What is above 0 comes out below 0 of such a layer: from the second on no unit is ever active.
    [...DEAF, "vanishing-gradient", "frozen-parameter", "no-gradient"],
    () => {
      const net = firstNets.eachBias(firstNets.mlp([8, 48, 48, 48, 1]), (b) => void b.zero_());
      return {
        net,
        task: fourth.houses(),
        optimizer: adam(1e-3),
        before: () => void firstNets.eachWeight(net, (w) => void w.clamp_({ max: 0 })),
        steps: 200,
      };
    },
  ),
  sick(
    "dead-relu",
    "a robot's hand, a ReLU MLP of sixteen layers of four units",
    // Born dead (Lu, Shin, Su & Karniadakis, 2019); of one seed only in part, and then gradients grow from next to nothing.
    [...DEAF, "vanishing-gradient", "exploding-gradient", "frozen-parameter", "no-gradient"],
    () => ({
      net: firstNets.mlp([3, ...new Array(16).fill(4), 2]),
      task: tasks.arm(),
      optimizer: adam(2e-3),
      steps: 250,
    }),
  ),
  sick(
    "saturated-activation",
    "motions of a sensor, RNN of tanh, normal weights of deviation 1",
    ["poor-initialization", "exploding-gradient", "oscillating", "underfitting", "loss-plateau"],
    () => ({
      net: normalWeights(new nets.SignalRNN(3, 48, 4), 1),
      task: fourth.motions(),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick(
    "saturated-activation",
    "garments drawn again as bytes, a Sigmoid at the end",
    // All that a sigmoid can say about 0 to 255 is 1.
    ["loss-plateau", "underfitting", "poor-initialization", "vanishing-gradient", "learning-rate-too-low"],
    () => ({
      net: secondNets.convAutoencoder(),
      task: (() => {
        const base = second.drawing();
        const up = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [x, noGrad(() => y.mul(255).clone())];
        return firstTasks.task(up(base.train), up(base.test), "numbers");
      })(),
      optimizer: adam(3e-3),
      steps: 200,
    }),
  ),
  sick(
    "poor-initialization",
    "digits, convolutions of 5 × 5, He's deviation without the kernel's 25 places",
    ["exploding-gradient", "oscillating", "overfitting", "underfitting"],
    () => ({
      net: firstNets.eachWeight(
        nets.wideKernels(4, () => new nn.ReLU()),
        (w) => void (w.ndim === 4 && w.normal_(0, Math.sqrt(2 / w.shape[1]))),
      ),
      task: firstTasks.digits(),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick(
    "poor-initialization",
    "what customers buy, MLP of tanh, all weights of deviation 0.001",
    // Gradients begin at next to nothing and grow a thousandfold, which does not make them long.
    [...DEAF, "vanishing-gradient", "exploding-gradient"],
    () => ({
      net: firstNets.eachBias(normalWeights(firstNets.mlp([10, 48, 48, 48, 5], tanh), 1e-3), (b) => void b.zero_()),
      task: tasks.baskets(),
      optimizer: sgd(0.05, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "update-ratio",
    "garments, rows of weights brought back to length 1 after steps of Adam at 0.1",
    ["learning-rate-too-high", "oscillating", "underfitting", "loss-plateau", "poor-initialization"],
    () => {
      const net = firstNets.mlp([196, 64, 48, 10], silu);
      return {
        net,
        task: second.garments(),
        optimizer: adam(0.1),
        before: () => unitRows(net),
        steps: 150,
      };
    },
  ),
  sick(
    "update-ratio",
    "the other half of the garments, a learned ResNet, rates a hundred times smaller from layer to layer",
    ["learning-rate-too-low", "frozen-parameter"],
    () => {
      const net = learn(fourthNets.resNet(6, 5), second.someGarments(false), 40);
      const parts = [...net].filter((layer) => layer.parameters().length > 0);
      return {
        net,
        task: second.someGarments(true),
        optimizer: () =>
          new optim.Adam(
            parts.map((layer, i) => ({ params: layer.parameters(), lr: 3e-3 / 100 ** (parts.length - 1 - i) })),
            { lr: 3e-3 },
          ),
        steps: 150,
      };
    },
  ),
  sick(
    "frozen-parameter",
    "the other half of the garments, a body thawed that the optimizer was never given",
    // zeroGrad() does not reach what the optimizer was not given, either: gradients add up.
    ["missing-zero-grad", "exploding-gradient", "update-ratio"],
    () => {
      const net = learn(new secondNets.Transfer(), second.someGarments(false), 60);
      for (const p of net.body.parameters()) p.requiresGrad = false;
      net.head = new nn.Linear(16 * 16, 5);
      return {
        net,
        task: second.someGarments(true),
        optimizer: (net) =>
          new optim.Adam(
            net.parameters().filter((p) => p.requiresGrad),
            { lr: 2e-3 },
          ),
        before: (step) => {
          if (step === 41) for (const p of net.body.parameters()) p.requiresGrad = true;
        },
        steps: 200,
      };
    },
  ),
  sick(
    "frozen-parameter",
    "digits, variational autoencoder, the decoder left out of the optimizer",
    ["underfitting", "loss-plateau", "missing-zero-grad", "exploding-gradient", "poor-initialization", "update-ratio"],
    () => {
      const net = new nets.ConvVAE();
      return {
        net,
        task: tasks.grey(),
        loss: (outputs, targets) =>
          F.binaryCrossEntropyWithLogits(outputs, targets, { reduction: "sum" })
            .div(targets.shape[0])
            .add(net.divergence as Tensor),
        optimizer: () =>
          new optim.Adam(
            [net.encoder, net.mean, net.logVariance].flatMap((part) => part.parameters()),
            { lr: 2e-3 },
          ),
        steps: 150,
      };
    },
  ),
  sick(
    "no-gradient",
    "garments, two heads, the second one's loss forgotten",
    ["frozen-parameter", "update-ratio"],
    () => ({
      net: new secondNets.TwoHeads(),
      task: second.garments(),
      loss: (outputs, targets) => F.crossEntropy(outputs.narrow(1, 0, 10), targets),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick(
    "no-gradient",
    "which text it is from, attention whose second norm is never called",
    ["frozen-parameter", "update-ratio"],
    () => ({
      net: new nets.PooledEncoder(fourth.LETTERS, 24, 3, { copied: true }),
      task: fourth.sources({ count: 4000 }),
      optimizer: adam(2e-3),
      steps: 150,
    }),
  ),
];

export const SICK: Program[] = [...SICK_NETS, ...SICK_SETTINGS];
