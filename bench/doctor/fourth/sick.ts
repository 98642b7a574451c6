/**
 * Sick programs of the fourth series. That the sickness is there, and which other definitions are met, was measured with a recorder
 * in the doctor's place; what else `also` names follows from the cause.
 */
import { nn, noGrad, optim, rand, type Tensor, where } from "lanegrad";
import { DEAF, WILD } from "../consequences.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import { stridedCNN } from "../second/nets.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, normalWeights, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import * as third from "../third/tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const { sick } = series("fourth");

const { ExponentialLR, StepLR } = optim.lrScheduler;
const tanh = () => new nn.Tanh();

export const SICK: Program[] = [
  sick("vanishing-gradient", "prices of houses, nine layers of sigmoid", [...DEAF, "frozen-parameter"], () => ({
    net: firstNets.mlp([8, ...new Array(9).fill(32), 1], () => new nn.Sigmoid()),
    task: tasks.houses(),
    optimizer: sgd(0.005, 0.9),
    steps: 200,
  })),
  sick("vanishing-gradient", "garments, ten blocks whose skips were forgotten", [...DEAF, "dead-relu"], () => ({
    net: nets.branches(10, { skip: false }),
    task: second.garments(),
    optimizer: sgd(0.05, 0.9),
    steps: 200,
  })),
  sick(
    "exploding-gradient",
    "garments, twelve residual blocks of He's weights without norms",
    // Each block adds a branch as large as what comes in, or larger: variances grow with a power of the depth.
    [...WILD, "poor-initialization"],
    () => ({ net: nets.branches(12, { gain: 1.4 }), task: second.garments(), optimizer: sgd(1e-3), steps: 150 }),
  ),
  sick(
    "exploding-gradient",
    "prices of houses in dollars, mean squared error, SGD",
    [...WILD, "poor-initialization"],
    () => ({
      net: firstNets.mlp([8, 32, 1]),
      task: tasks.houses({ prices: "dollars" }),
      optimizer: sgd(1e-3),
      steps: 150,
    }),
  ),
  sick(
    "exploding-gradient",
    "signals, a ReLU recurrence that begins as 1.25 times the identity",
    [...WILD, "poor-initialization"],
    () => ({
      net: new nets.IRNN(3, 32, 4, 1.25),
      task: tasks.motions(),
      optimizer: sgd(1e-3),
      steps: 150,
    }),
  ),
  sick(
    "non-finite",
    "points on two rings, the logarithm of a sigmoid by hand",
    // 0 · log(0) once an answer is so sure that in float32 it is 1.
    ["saturated-activation", "poor-initialization", "exploding-gradient"],
    () => ({
      net: new nn.Sequential(firstNets.mlp([2, 64, 64, 1]), new nn.Sigmoid()),
      task: {
        ...tasks.rings(),
        accuracy: (outputs, targets) => outputs.squeeze(1).gt(0.5).int().eq(targets).float().mean().item(),
      },
      loss: (outputs, targets) => {
        const [p, y] = [outputs, targets.float().unsqueeze(1)];
        return y
          .mul(p.log())
          .add(y.sub(1).neg().mul(p.neg().add(1).log()))
          .mean()
          .neg();
      },
      optimizer: adam(8e-3),
      steps: 300,
    }),
  ),
  sick(
    "non-finite",
    "customers who leave, a column that is constant in some batches, divided by its deviation",
    ["poor-initialization", "exploding-gradient"],
    () => ({
      net: new nets.BatchScaled(firstNets.mlp([6, 32, 1])),
      task: tasks.leavers({ flag: 0.12 }),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick(
    "dead-relu",
    "motions of a sensor, the prior's bias in all layers instead of the last",
    // −log((1 − π) / π), as for focal loss (Lin et al., ICCV 2017), for convolutions and the hidden layer.
    [...DEAF, "vanishing-gradient", "frozen-parameter", "no-gradient"],
    () => ({
      net: firstNets.eachBias(
        new nn.Sequential(
          new nn.Conv2d(3, 16, [1, 5], { stride: [1, 2] }),
          new nn.ReLU(),
          new nn.Conv2d(16, 24, [1, 5], { stride: [1, 2] }),
          new nn.ReLU(),
          new nn.Flatten(),
          new nn.Linear(24 * 9, 48),
          new nn.ReLU(),
          new nn.Linear(48, 4),
        ),
        (b) => void b.fill_(-2.2),
      ),
      task: tasks.motions(),
      optimizer: sgd(0.01, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "dead-relu",
    "prices below the dearest, a ReLU after the last layer",
    [...DEAF, "vanishing-gradient", "frozen-parameter"],
    () => ({
      net: new nn.Sequential(firstNets.mlp([8, 32, 1]), new nn.ReLU()),
      task: tasks.houses({ prices: "below the dearest" }),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick("saturated-activation", "garments, MLP of tanh, normal weights of deviation 1", ["poor-initialization"], () => ({
    net: normalWeights(firstNets.mlp([196, 64, 64, 10], tanh), 1),
    task: second.garments(),
    optimizer: sgd(0.01),
    steps: 200,
  })),
  sick(
    "poor-initialization",
    "garments, plain CNN, normal weights of deviation 0.01",
    [...DEAF, "vanishing-gradient", "dead-relu"],
    () => ({
      // AlexNet's (Krizhevsky, Sutskever & Hinton, 2012), whose layers had many more inputs.
      net: firstNets.eachBias(normalWeights(nets.plainCNN(5), 0.01), (b) => void b.zero_()),
      task: second.garments(),
      optimizer: sgd(0.01, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "poor-initialization",
    "digits, MLP, weights drawn from 0 to 1",
    ["exploding-gradient", "oscillating", "underfitting", "dead-relu"],
    () => ({
      net: firstNets.eachWeight(firstNets.mlp([196, 64, 32, 10]), (w) => void w.uniform_(0, 1)),
      task: firstTasks.digits(),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick(
    "update-ratio",
    "every next character, a tiny GPT, AdamW at 0.1 with a decay of 1",
    [
      "learning-rate-too-high",
      "oscillating",

      "loss-plateau",
      "underfitting",
      "class-imbalance",
      "poor-initialization",
    ],
    () => {
      const task = third.nextCharacters();
      return { net: new nets.GPT(task.vocabulary), task, optimizer: adamW(0.1, 1), steps: 150 };
    },
  ),
  sick(
    "update-ratio",
    "garments, BatchNorm after huge weights, SGD",
    // The norm hides the weights' size from the loss, and divides the gradient by it (van Laarhoven, 2017).
    ["learning-rate-too-low", "poor-initialization"],
    () => ({
      net: firstNets.eachWeight(firstNets.normedCNN(0), (w) => void (w.ndim === 4 && w.normal_(0, 30))),
      task: second.garments(),
      optimizer: sgd(0.02, 0.9),
      steps: 200,
    }),
  ),
  sick(
    "frozen-parameter",
    "every next character, a tiny GPT, LayerNorms in no group of the optimizer",
    ["class-imbalance", "poor-initialization"],
    () => {
      const task = third.nextCharacters();
      return {
        net: new nets.GPT(task.vocabulary),
        task,
        // Decay for matrices, none for biases; gains of norms are neither.
        optimizer: (net) => {
          const named = [...net.namedParameters()];
          const biases = named.filter(([name]) => name.endsWith("bias")).map(([, p]) => p);
          const matrices = named.filter(([, p]) => p.ndim >= 2).map(([, p]) => p);
          return new optim.AdamW(
            [
              { params: matrices, weightDecay: 0.1 },
              { params: biases, weightDecay: 0 },
            ],
            { lr: 3e-3 },
          );
        },
        steps: 150,
      };
    },
  ),
  sick(
    "no-gradient",
    "rows written backwards, the encoder runs under noGrad",
    ["frozen-parameter", "underfitting"],
    () => ({
      net: new nets.Seq2Seq(10, 32, true),
      task: tasks.backwards(),
      optimizer: adam(3e-3),
      steps: 150,
    }),
  ),
  sick("loss-plateau", "digits of full size, LeNet, images and labels shuffled apart", ["underfitting"], () => ({
    net: new nets.LeNet(),
    task: tasks.shuffledApart(tasks.fullDigits({ count: 2000 })),
    optimizer: adam(1e-3),
    steps: 300,
  })),
  sick(
    "diverging",
    "prices of houses, a rate multiplied by 1.04 each step instead of 0.96",
    [
      "exploding-gradient",
      "non-finite",
      "oscillating",
      "update-ratio",
      "learning-rate-too-high",
      "saturated-activation",
      "underfitting",
    ],
    () => ({
      net: firstNets.mlp([8, 32, 1], tanh),
      task: tasks.houses(),
      optimizer: sgd(0.005, 0.9),
      schedule: (o) => new ExponentialLR(o, { gamma: 1.04 }),
      steps: 200,
    }),
  ),
  sick(
    "oscillating",
    "prices of houses, linear regression just below 2/λ",
    ["learning-rate-too-high", "loss-plateau", "diverging", "exploding-gradient", "update-ratio", "underfitting"],
    () => ({
      net: new nn.Linear(8, 1),
      task: tasks.houses(),
      optimizer: sgd(0.5),
      batch: 64,
      steps: 200,
    }),
  ),
  sick(
    "oscillating",
    "garments, strided CNN, a momentum of 0.99 with the rate of 0.9",
    ["learning-rate-too-high", "diverging", "loss-plateau", "exploding-gradient", "underfitting"],
    () => ({
      net: stridedCNN(),
      task: second.garments(),
      optimizer: sgd(0.03, 0.99),
      steps: 200,
    }),
  ),
  sick("overfitting", "sixty prices of houses, wide MLP", ["overtraining", "poor-initialization"], () => ({
    net: firstNets.mlp([8, 128, 128, 1]),
    task: tasks.houses({ count: 60, noise: 0.4 }),
    optimizer: adam(2e-3),
    steps: 400,
    validate: 25,
  })),
  sick("overfitting", "two hundred garments, small ResNet, no decay", ["overtraining"], () => ({
    net: nets.resNet(6),
    task: second.garments({ count: 200, noise: 0.2 }),
    optimizer: adam(3e-3),
    steps: 240,
    validate: 20,
  })),
  sick(
    "underfitting",
    "a noisy wave, layers without activations between them",
    ["loss-plateau", "poor-initialization"],
    () => ({
      net: firstNets.mlp([1, 64, 64, 1], () => new nn.Identity()),
      task: tasks.wave(),
      optimizer: adam(3e-3),
      steps: 400,
      validate: 40,
    }),
  ),
  sick(
    "underfitting",
    "which mark comes first, from the mean of a row",
    ["loss-plateau", "poor-initialization"],
    () => ({
      net: new nets.Bag(12, 2),
      task: second.marks(),
      optimizer: adam(2e-3),
      batch: 64,
      steps: 400,
      validate: 40,
    }),
  ),
  sick("overtraining", "which text it is from, convolutions over characters, on and on", ["overfitting"], () => ({
    net: new nets.TextCNN(tasks.LETTERS, 3, { dropout: 0 }),
    task: tasks.sources({ count: 500 }),
    optimizer: adam(3e-3),
    steps: 500,
    validate: 20,
  })),
  sick("unnormalized-inputs", "digits of full size, bytes to 255, LeNet, Adam", [], () => ({
    net: new nets.LeNet(),
    task: tasks.fullDigits({ scale: (x) => x }),
    optimizer: adam(1e-3),
    steps: 200,
  })),
  sick(
    "unnormalized-inputs",
    "prices of houses, columns as they are, MLP, Adam",
    ["poor-initialization", "exploding-gradient", "oscillating", "underfitting"],
    () => ({
      net: firstNets.mlp([8, 32, 1]),
      task: tasks.houses({ columns: "raw" }),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick("class-imbalance", "digits, CNN, one digit fifty times as often as the others", [], () => ({
    net: new firstNets.CNN(),
    task: firstTasks.imbalanced(firstTasks.digits({ count: 6000 }), 50),
    optimizer: adam(1e-3),
    steps: 150,
  })),
  sick("learning-rate-too-high", "digits, CNN, Adam at 0.05", WILD, () => ({
    net: new firstNets.CNN(),
    task: firstTasks.digits(),
    optimizer: adam(0.05),
    steps: 200,
  })),
  sick("learning-rate-too-high", "motions of a sensor, MLP of ReLU, SGD at 1", WILD, () => ({
    net: firstNets.mlp([144, 64, 32, 4]),
    task: tasks.motions(),
    optimizer: sgd(1, 0.9),
    steps: 200,
  })),
  sick(
    "learning-rate-too-high",
    "every next character, a tiny GPT, AdamW at 0.3",
    [
      "oscillating",
      "diverging",
      "exploding-gradient",
      "loss-plateau",
      "underfitting",
      "class-imbalance",
      "poor-initialization",
      "update-ratio",
    ],
    () => {
      const task = third.nextCharacters();
      return { net: new nets.GPT(task.vocabulary), task, optimizer: adamW(0.3), steps: 150 };
    },
  ),
  sick("learning-rate-too-low", "digits, CNN, SGD at 1e-6", ["update-ratio", "loss-plateau", "underfitting"], () => ({
    net: new firstNets.CNN(),
    task: firstTasks.digits(),
    optimizer: sgd(1e-6, 0.9),
    steps: 150,
  })),
  sick(
    "learning-rate-too-low",
    "motions of a sensor, a rate that falls by ten every five steps, not epochs",
    ["update-ratio", "loss-plateau", "underfitting", "frozen-parameter"],
    () => ({
      net: nets.signalNet(),
      task: tasks.motions(),
      optimizer: sgd(0.05, 0.9),
      schedule: (o) => new StepLR(o, { stepSize: 5, gamma: 0.1 }),
      steps: 200,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "garments upside down, all of a learned ResNet, AdamW at 1e-6",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: learn(nets.resNet(6), second.garments(), 60),
      task: third.upsideDown(),
      optimizer: adamW(1e-6),
      steps: 150,
      validate: 30,
    }),
  ),
  sick(
    "clipping-always",
    "garments, small ResNet, SGD, limit 0.001",
    ["learning-rate-too-low", "loss-plateau", "underfitting", "update-ratio"],
    () => ({
      net: nets.resNet(6),
      task: second.garments(),
      optimizer: sgd(0.05, 0.9),
      clip: 1e-3,
      steps: 150,
    }),
  ),
  sick("clipping-never", "rows written backwards, GRU with attention, limit 1e6", [], () => ({
    net: new nets.Seq2Seq(),
    task: tasks.backwards(),
    optimizer: adam(4e-3),
    clip: 1e6,
    steps: 150,
  })),
  sick("mode-at-validation", "digits of full size, LeNet with Dropout, no eval()", [], () => ({
    net: new nets.LeNet(0.5),
    task: tasks.fullDigits(),
    optimizer: adam(1e-3),
    evalMode: false,
    steps: 150,
    validate: 30,
  })),
  sick("missing-zero-grad", "prices of houses, MLP, SGD with momentum", [...WILD, "poor-initialization"], () => ({
    net: firstNets.mlp([8, 32, 1]),
    task: tasks.houses(),
    optimizer: sgd(0.01, 0.9),
    zeroGrad: false,
    steps: 150,
  })),
  sick(
    "missing-zero-grad",
    "motions of a sensor, convolutions with BatchNorm, AdamW",
    [...WILD, "overfitting"],
    () => ({
      net: nets.signalNet(),
      task: tasks.motions(),
      optimizer: adamW(1e-3),
      zeroGrad: false,
      steps: 200,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "digits of full size, LeNet that ends in Softmax",
    ["underfitting", "loss-plateau", "exploding-gradient"],
    () => ({
      net: new nn.Sequential(new nets.LeNet(), new nn.Softmax(1)),
      task: tasks.fullDigits(),
      optimizer: adam(1e-3),
      steps: 200,
    }),
  ),
  sick("labels-out-of-range", "which text it is from, classes from 1 to 3", [], () => ({
    net: new nets.TextCNN(tasks.LETTERS, 3),
    task: (() => {
      const base = tasks.sources();
      const up = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [x, noGrad(() => y.add(1).int().clone())];
      return firstTasks.withData(base, up(base.train), up(base.test));
    })(),
    optimizer: adam(2e-3),
    steps: 100,
  })),
  sick(
    "labels-out-of-range",
    "digits of full size, LeNet, 255 for what nobody could read",
    ["class-imbalance"],
    () => ({
      net: new nets.LeNet(),
      task: tasks.fullDigits({ labels: (y) => where(rand(y.shape[0]).lt(0.001), y.mul(0).add(255), y) }),
      optimizer: adam(1e-3),
      steps: 150,
    }),
  ),
];
