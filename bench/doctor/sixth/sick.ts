/**
 * Sick programs of the sixth series: mistakes of which people ask on forums, in their usual form. That the sickness is there, and
 * which other definitions are met, was measured with a recorder in the doctor's place; what else `also` names follows from the cause.
 */
import { F, nn, optim } from "lanegrad";
import { BLOWN, DEAF, SILENT, WILD } from "../consequences.js";
import * as fourthNets from "../fourth/nets.js";
import * as fourth from "../fourth/tasks.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as secondNets from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, normalWeights, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as thirdNets from "../third/nets.js";
import * as third from "../third/tasks.js";
import * as loops from "./loops.js";
import * as nets from "./nets.js";
import { SICK_SETTINGS } from "./settings.js";
import * as tasks from "./tasks.js";

const { loop, sick } = series("sixth");

const tanh = () => new nn.Tanh();
const sigmoid = () => new nn.Sigmoid();

const SICK_NETS: Program[] = [
  sick(
    "vanishing-gradient",
    "garments, sixteen convolutions as in VGG, no BatchNorm",
    [...DEAF, "frozen-parameter", "dead-relu"],
    () => ({
      net: fourthNets.plainCNN(16),
      task: second.garments(),
      optimizer: sgd(0.01, 0.9),
      steps: 150,
    }),
  ),
  sick("vanishing-gradient", "a table, MLP of eight layers of sigmoid, SGD", [...DEAF, "frozen-parameter"], () => ({
    net: firstNets.mlp([20, ...new Array(8).fill(32), 4], sigmoid),
    task: firstTasks.table(),
    optimizer: sgd(0.1),
    steps: 200,
  })),
  sick("exploding-gradient", "points on a line, the squares' sum instead of their mean", BLOWN, () => ({
    net: new nn.Linear(8, 1),
    task: third.line(),
    loss: (outputs, targets) => F.mseLoss(outputs, targets, { reduction: "sum" }),
    optimizer: sgd(8.5e-3),
    batch: 128,
    steps: 100,
  })),
  sick(
    "exploding-gradient",
    "garments, MLP, nllLoss without logarithms: a loss that falls below all bounds",
    ["learning-rate-too-high", "softmax-before-cross-entropy"],
    () => ({
      net: firstNets.mlp([196, 64, 64, 10]),
      task: second.garments(),
      loss: (outputs, targets) => F.nllLoss(outputs, targets),
      optimizer: adam(2e-3),
      steps: 150,
    }),
  ),
  sick(
    "non-finite",
    "prices of houses, columns as in the table, SGD at 0.01",
    [...BLOWN, "dead-relu", "unnormalized-inputs", "poor-initialization"],
    () => ({
      net: firstNets.mlp([8, 32, 1]),
      task: fourth.houses({ columns: "raw" }),
      optimizer: sgd(0.01),
      steps: 100,
    }),
  ),
  sick("non-finite", "customers, a table with empty cells, MLP of tanh", [], () => ({
    net: firstNets.mlp([6, 32, 2], tanh),
    task: tasks.withGaps(second.customers(), 3e-3),
    optimizer: adam(2e-3),
    steps: 120,
  })),
  sick(
    "dead-relu",
    "digits as bytes, CNN, SGD with momentum: never better than guessing",
    [...WILD, "unnormalized-inputs", "poor-initialization", "no-gradient", "frozen-parameter"],
    () => ({
      net: new firstNets.CNN(),
      task: firstTasks.digits({ scale: (x) => x }),
      optimizer: sgd(0.1, 0.9),
      steps: 150,
    }),
  ),
  sick(
    "dead-relu",
    "digits drawn again as values from −1 to 1, a ReLU at the end where a Tanh should be",
    ["underfitting", "loss-plateau"],
    () => ({
      net: nets.endingIn(new nn.ReLU()),
      task: tasks.fromMinusOne(),
      optimizer: adam(4e-3),
      steps: 300,
    }),
  ),
  sick(
    "saturated-activation",
    "digits, MLP of sigmoid whose weights are drawn from randn, mean square of one-hot classes",
    ["poor-initialization", "underfitting"],
    () => ({
      net: normalWeights(firstNets.mlp([196, 48, 10], sigmoid), 1),
      task: tasks.oneHot(firstTasks.digits()),
      optimizer: sgd(0.05),
      steps: 200,
    }),
  ),
  sick(
    "saturated-activation",
    "prices of a share in dollars, LSTM",
    ["unnormalized-inputs", "underfitting", "loss-plateau", "poor-initialization"],
    () => ({
      net: new thirdNets.LSTM(1, 24, 1),
      task: tasks.prices(),
      optimizer: adam(3e-4),
      batch: 64,
      steps: 120,
    }),
  ),
  sick("poor-initialization", "prices of houses, layers made by hand of randn, ReLU", ["underfitting"], () => ({
    net: normalWeights(firstNets.mlp([8, 64, 64, 64, 1]), 1),
    task: fourth.houses(),
    optimizer: adam(1e-3),
    steps: 250,
  })),
  sick(
    "poor-initialization",
    "garments drawn again, a GAN's weights of deviation 0.02 without its BatchNorm",
    DEAF,
    () => ({
      net: normalWeights(secondNets.convAutoencoder(), 0.02),
      task: second.drawing(),
      optimizer: sgd(0.05, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "update-ratio",
    "garments, CNN, losses divided by the batch's size once more",
    ["learning-rate-too-low", "loss-plateau", "underfitting"],
    () => ({
      net: new firstNets.CNN(),
      task: second.garments(),
      loss: (outputs, targets) => F.crossEntropy(outputs, targets).div(64),
      optimizer: sgd(1e-3),
      batch: 64,
      steps: 200,
    }),
  ),
  sick(
    "update-ratio",
    "customers, MLP, 0.9 given as the weights' decay and not as momentum",
    // All weights shrink by a fifth a step, to nothing.
    ["underfitting", "loss-plateau", "vanishing-gradient", "learning-rate-too-high"],
    () => ({
      net: firstNets.mlp([6, 32, 32, 2], tanh),
      task: second.customers(),
      optimizer: sgd(0.25, 0, 0.9),
      steps: 150,
    }),
  ),
  sick("frozen-parameter", "rows written backwards, the optimizer of the encoder forgotten", ["update-ratio"], () => {
    const net = new fourthNets.Seq2Seq();
    return {
      net,
      task: fourth.backwards(),
      optimizer: () =>
        new optim.Adam(
          [net.decoder, net.join, net.head].flatMap((part) => part.parameters()),
          { lr: 4e-3 },
        ),
      // All gradients are zeroed, not only those that the optimizer knows.
      before: () => net.zeroGrad(),
      steps: 120,
      validate: 40,
    };
  }),
  sick(
    "frozen-parameter",
    "garments, CNN, a layer missing in a list of layers written by hand",
    ["missing-zero-grad", "exploding-gradient", "update-ratio"],
    () => {
      const net = new firstNets.CNN();
      return {
        net,
        task: second.garments(),
        optimizer: () =>
          new optim.SGD(
            [net.conv1, net.conv2, net.fc2].map((part) => ({ params: part.parameters(), lr: 0.03 })),
            { lr: 0.03, momentum: 0.9 },
          ),
        steps: 200,
      };
    },
  ),
  sick(
    "no-gradient",
    "which text it is from, characters' vectors that go through an array",
    ["frozen-parameter", "update-ratio"],
    () => ({
      net: new nets.ArrayTextNet(fourth.LETTERS, 3),
      task: fourth.sources({ length: 48 }),
      optimizer: adam(3e-3),
      steps: 200,
    }),
  ),
  sick("no-gradient", "customers who leave, answers rounded before the loss", SILENT, () => ({
    net: new nets.Then(firstNets.mlp([6, 24, 1], tanh), (x) => x.sigmoid().round()),
    task: {
      ...fourth.leavers(),
      loss: (outputs, targets) => F.mseLoss(outputs, targets),
    },
    optimizer: adam(2e-3),
    steps: 150,
  })),
  sick(
    "loss-plateau",
    "customers who leave, a softmax over one output",
    [...SILENT, "softmax-before-cross-entropy"],
    () => ({
      net: nets.softmaxOfOne(firstNets.mlp([6, 24, 1])),
      task: {
        ...fourth.leavers(),
        loss: (outputs, targets) => F.mseLoss(outputs, targets),
        accuracy: (outputs, targets) => outputs.gt(0.5).float().eq(targets).float().mean().item(),
      },
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick(
    "loss-plateau",
    "digits, CNN, bytes divided by 255 as whole numbers: black images",
    [...SILENT, "unnormalized-inputs", "dead-relu"],
    () => ({
      net: new firstNets.CNN(),
      task: firstTasks.digits({ scale: (x) => x.div(256).floor() }),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  loop(
    "diverging: motions of a sensor, GRU, the likelihood falls instead of rising",
    ["diverging"],
    ["learning-rate-too-high", "underfitting", "saturated-activation"],
    loops.likelihoodDown,
  ),
  sick("diverging", "digits, a linear map to one-hot classes, a rate above 2/λ", BLOWN, () => ({
    net: new nn.Sequential(new nn.Flatten(), new nn.Linear(196, 10)),
    task: tasks.oneHot(firstTasks.digits()),
    optimizer: sgd(0.14),
    batch: 128,
    steps: 150,
    validate: 30,
  })),
  sick(
    "oscillating",
    "points on two rings, MLP of tanh, SGD with momentum at 0.6",
    [...BLOWN, "loss-plateau", "saturated-activation"],
    () => ({
      net: firstNets.mlp([2, 32, 32, 2], tanh),
      task: fourth.rings(),
      optimizer: sgd(0.6, 0.9),
      batch: 16,
      steps: 300,
    }),
  ),
  sick("oscillating", "garments, softmax regression, SGD at 1", [...BLOWN, "loss-plateau"], () => ({
    net: new nn.Sequential(new nn.Flatten(), new nn.Linear(196, 10)),
    task: second.garments(),
    optimizer: sgd(1),
    batch: 16,
    steps: 200,
  })),
];

export const SICK: Program[] = [...SICK_NETS, ...SICK_SETTINGS];
