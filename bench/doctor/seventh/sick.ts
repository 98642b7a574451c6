/**
 * Sick programs of the seventh series: mistakes of which people ask on forums and which studies of bugs list, in their usual form.
 * That the sickness is there, and which other definitions are met, was measured without a doctor; what else `also` names follows
 * from the cause.
 */
import { F, nn, optim } from "lanegrad";
import { BLOWN, DEAF, SILENT, WILD } from "../consequences.js";
import * as fifthNets from "../fifth/nets.js";
import * as fifth from "../fifth/tasks.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, learn, normalWeights, series, sgd } from "../series.js";
import { encoder, he, heard, Recommender, xavier } from "../sixth/nets.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as third from "../third/tasks.js";
import * as nets from "./nets.js";
import { SICK_SETTINGS } from "./settings.js";
import * as tasks from "./tasks.js";

const { sick } = series("seventh");

const { ExponentialLR, LambdaLR, StepLR } = optim.lrScheduler;
const tanh = () => new nn.Tanh();
const sigmoid = () => new nn.Sigmoid();
const gelu = () => new nn.GELU();

const SICK_NETS: Program[] = [
  sick(
    "vanishing-gradient",
    "customers, MLP of twenty layers of ReLU, usual weights",
    [...DEAF, "frozen-parameter", "dead-relu"],
    () => ({
      net: firstNets.mlp([6, ...new Array(20).fill(32), 2]),
      task: second.customers(),
      optimizer: sgd(0.05, 0.9),
      steps: 200,
    }),
  ),
  sick("vanishing-gradient", "what customers buy, MLP of ten layers of sigmoid, Adam", DEAF, () => ({
    net: firstNets.mlp([10, ...new Array(10).fill(32), 5], sigmoid),
    task: fifth.baskets(),
    optimizer: adam(1e-4),
    steps: 200,
  })),
  sick("exploding-gradient", "outlines, U-Net, cross entropy summed over all pixels", [...WILD, ...SILENT], () => ({
    net: new secondNets.UNet(),
    task: second.outlines(),
    loss: (outputs, targets) => F.crossEntropy(outputs, targets, { reduction: "sum" }),
    optimizer: sgd(1e-3),
    batch: 16,
    steps: 120,
    validate: 30,
  })),
  sick(
    "exploding-gradient",
    "two marked numbers summed, RNN of ReLU, recurrent weights of deviation 0.5",
    [...WILD, "poor-initialization"],
    () => {
      const net = new firstNets.RNN(2, 32, 1, F.relu);
      nn.init.normal_(net.recurrent.weight, 0, 0.5);
      return { net, task: fifth.sums(), optimizer: adam(1e-3), steps: 120 };
    },
  ),
  sick("non-finite", "counts of events, errors in percent of counts that can be 0", [], () => ({
    net: xavier(firstNets.mlp([6, 32, 16, 1], gelu)),
    task: third.counts(),
    loss: (outputs, targets) => outputs.sub(targets).div(targets).abs().mean(),
    optimizer: adam(2e-3),
    steps: 120,
  })),
  sick("non-finite", "prices of houses, the logarithm of standardised prices, wide and deep", [], () => ({
    net: new fifthNets.WideAndDeep(8),
    task: fourth.houses(),
    // Root mean squared logarithmic error, as competitions ask for it.
    loss: (outputs, targets) => F.mseLoss(outputs.add(1).log(), targets.add(1).log()).sqrt(),
    optimizer: adam(1e-3),
    steps: 120,
  })),
  sick("dead-relu", "a robot's hand, MLP of ReLU, Adam at 1", [...WILD, ...SILENT], () => ({
    net: firstNets.mlp([3, 48, 48, 48, 2]),
    task: fifth.arm(),
    optimizer: adam(1),
    steps: 200,
  })),
  sick("dead-relu", "garments, four plain convolutions, SGD with momentum at 0.5", [...WILD, ...SILENT], () => ({
    net: fourthNets.plainCNN(4),
    task: second.garments(),
    optimizer: sgd(0.5, 0.9),
    steps: 150,
  })),
  sick(
    "saturated-activation",
    "prices of houses, columns as they are, MLP of tanh",
    [
      "learning-rate-too-high",
      "unnormalized-inputs",
      "poor-initialization",
      "exploding-gradient",
      "underfitting",
      "loss-plateau",
    ],
    () => ({
      net: firstNets.mlp([8, 48, 48, 1], tanh),
      task: fourth.houses({ columns: "raw" }),
      loss: (outputs, targets) => F.huberLoss(outputs, targets),
      optimizer: adam(1e-3),
      batch: 128,
      steps: 200,
    }),
  ),
  sick(
    "saturated-activation",
    "garments, CNN of tanh, Adam at 0.1",
    [...WILD, "poor-initialization", "overfitting"],
    () => ({
      net: new firstNets.CNN(10, (x) => x.tanh()),
      task: second.garments(),
      optimizer: adam(0.1),
      steps: 150,
    }),
  ),
  sick(
    "poor-initialization",
    "a robot's hand, MLP of GELU, weights from −1 to 1 as from 2 · rand − 1",
    ["exploding-gradient", "underfitting"],
    () => ({
      net: firstNets.eachWeight(firstNets.mlp([3, 96, 96, 96, 2], gelu), (w) => void w.uniform_(-1, 1)),
      task: fifth.arm(),
      optimizer: adam(1e-3),
      steps: 250,
    }),
  ),
  sick(
    "poor-initialization",
    "digits, depthwise CNN without norms, all weights of deviation 0.02",
    [...DEAF, "vanishing-gradient", "frozen-parameter"],
    () => ({
      net: firstNets.eachBias(
        normalWeights(thirdNets.depthwiseNet({ depth: 2, normalized: false, activation: () => new nn.SiLU() }), 0.02),
        (b) => void b.zero_(),
      ),
      task: firstTasks.digits(),
      optimizer: sgd(0.05, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "update-ratio",
    "garments, strided CNN, Adam's eps of 1 from another model's settings",
    ["learning-rate-too-low", "loss-plateau", "underfitting"],
    () => ({
      net: xavier(secondNets.stridedCNN()),
      task: second.garments(),
      optimizer: (net) => new optim.Adam(net.parameters(), { lr: 1e-4, eps: 1 }),
      steps: 200,
    }),
  ),
  sick(
    "update-ratio",
    "prices of houses, MLP, a decay for epochs applied after each step",
    ["learning-rate-too-low", "frozen-parameter", "loss-plateau", "underfitting"],
    () => ({
      net: xavier(firstNets.mlp([8, 48, 24, 1])),
      task: fourth.houses(),
      loss: (outputs, targets) => F.huberLoss(outputs, targets),
      optimizer: adam(1e-3),
      schedule: (o) => new ExponentialLR(o, { gamma: 0.9 }),
      batch: 128,
      steps: 250,
    }),
  ),
  sick(
    "frozen-parameter",
    "ratings, the optimizer has the MLP and not the vectors",
    ["update-ratio", "underfitting"],
    () => {
      const net = he(new Recommender());
      return {
        net,
        task: second.ratings({ count: 10000 }),
        optimizer: () => new optim.Adam(net.body.parameters(), { lr: 5e-3 }),
        before: () => net.zeroGrad(),
        batch: 128,
        steps: 200,
      };
    },
  ),
  sick(
    "frozen-parameter",
    "which kind of word comes most, Transformer, a warm-up divided as whole numbers",
    DEAF,
    () => ({
      net: encoder(),
      task: firstTasks.texts({ count: 4000 }),
      optimizer: adam(2e-3),
      // The rate is 0 until the warm-up's end, which this training does not reach.
      schedule: (o) => new LambdaLR(o, { lrLambda: (t) => Math.floor(t / 1000) }),
      steps: 150,
    }),
  ),
  sick(
    "no-gradient",
    "customers, forward() calls one layer twice and the copied one never",
    ["frozen-parameter", "update-ratio"],
    () => ({
      net: he(new nets.CalledTwice()),
      task: second.customers({ count: 4000 }),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick(
    "no-gradient",
    "garments upside down, a body under noGrad in an optimizer of all",
    ["frozen-parameter", "update-ratio", "vanishing-gradient"],
    () => ({
      net: new nets.WithoutTape(learn(new secondNets.Transfer(), second.someGarments(false), 100).body),
      task: third.upsideDown(),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick("loss-plateau", "motions of a sensor, recordings and labels shuffled apart", ["underfitting"], () => ({
    net: fourthNets.signalNet(),
    task: fourth.shuffledApart(fourth.motions()),
    optimizer: adam(3e-4),
    batch: 64,
    steps: 150,
    validate: 30,
  })),
  sick("loss-plateau", "which kind of word comes most, every word unknown to the vocabulary", SILENT, () => ({
    net: new fourthNets.TextCNN(50, 3),
    task: tasks.unknown(firstTasks.texts()),
    optimizer: adam(1e-3),
    batch: 64,
    steps: 200,
  })),
  sick("diverging", "ratings, factors, Huber loss summed over the batch, SGD", [...BLOWN, "loss-plateau"], () => ({
    net: new secondNets.Factors(8),
    task: second.ratings(),
    loss: (outputs, targets) => F.huberLoss(outputs, targets, { reduction: "sum" }),
    optimizer: sgd(0.6),
    batch: 128,
    steps: 120,
  })),
  sick(
    "diverging",
    "the next value of a series, LSTM, a rate multiplied by ten where it was to be divided",
    [...BLOWN, "saturated-activation", "loss-plateau"],
    () => ({
      net: heard(xavier(new thirdNets.LSTM(1, 24, 1)), 5),
      task: fifth.weather(),
      optimizer: adam(3e-3),
      schedule: (o) => new StepLR(o, { stepSize: 40, gamma: 10 }),
      batch: 64,
      steps: 160,
      validate: 40,
    }),
  ),
  sick(
    "oscillating",
    "customers, MLP of GELU, one customer at a time, SGD at 0.15",
    [...BLOWN, "loss-plateau"],
    () => ({
      net: he(firstNets.mlp([6, 32, 2], gelu)),
      task: second.customers(),
      optimizer: sgd(0.15),
      batch: 1,
      steps: 400,
      validate: 0,
    }),
  ),
  sick(
    "oscillating",
    "motions of a sensor, GRU, SGD with momentum at 0.5",
    [...BLOWN, "loss-plateau", "saturated-activation"],
    () => ({
      net: new fifthNets.NumberGRU(3, 24, 4),
      task: fourth.motions(),
      optimizer: sgd(0.5, 0.9),
      batch: 16,
      steps: 150,
      validate: 0,
    }),
  ),
];

export const SICK: Program[] = [...SICK_NETS, ...SICK_SETTINGS];
