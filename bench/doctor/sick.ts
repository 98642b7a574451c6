/** Sick programs of the first series: each sickness in two architectures. */
import { F, manualSeed, nn, optim, randperm, type Tensor } from "lanegrad";
import type { RuleId } from "lanegrad/doctor";
import { DEAF, WILD } from "./consequences.js";
import * as nets from "./nets.js";
import { examine, type Program, type Recipe } from "./program.js";
import * as tasks from "./tasks.js";

function sick(id: RuleId, name: string, also: readonly RuleId[], recipe: () => Recipe): Program {
  const run = (shift = 0) => {
    manualSeed(5 + shift);
    return examine(recipe());
  };
  return { name: `${id}: ${name}`, sick: [id], also, run };
}

const sgd =
  (lr: number, momentum = 0) =>
  (net: nn.Module) =>
    new optim.SGD(net.parameters(), { lr, momentum });
const adam = (lr: number) => (net: nn.Module) => new optim.Adam(net.parameters(), { lr });

/** Inputs and targets that have nothing to do with each other: the targets' rows in another order. */
function apart(base: tasks.Task): tasks.Task {
  const mix = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [x, y.indexSelect(0, randperm(y.shape[0])).clone()];
  return tasks.withData(base, mix(base.train), mix(base.test));
}

class LogNet extends nn.Module {
  fc1 = new nn.Linear(196, 32);
  fc2 = new nn.Linear(32, 10);
  forward(x: Tensor): Tensor {
    return this.fc2(F.relu(this.fc1(x.flatten(1))).log());
  }
}

/** Normalises each image's features by their own length, whose slope at 0 is infinite. */
class LengthNet extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { stride: 2 });
  fc = new nn.Linear(4 * 36, 10);
  empty = false;
  /** Gives what makes the inputs of one step empty. */
  emptyAt(at: number): (step: number) => void {
    return (step) => {
      this.empty = step === at;
    };
  }
  forward(x: Tensor): Tensor {
    const h = F.relu(this.conv(x)).flatten(1);
    const length = (this.empty ? h.mul(0) : h).square().sum(1, { keepdim: true }).sqrt();
    return this.fc(h.div(length.add(1)));
  }
}

/** Scales each sequence by its own size, which may be 0. */
class ScaledRNN extends nn.Module {
  rnn = new nets.GatedRNN(4, 16, 2);
  empty = false;
  /** Gives what makes the inputs of one step empty. */
  emptyAt(at: number): (step: number) => void {
    return (step) => {
      this.empty = step === at;
    };
  }
  forward(x: Tensor): Tensor {
    const input = this.empty ? x.mul(0) : x;
    return this.rnn(input.div(input.abs().mean([1, 2], { keepdim: true })));
  }
}

class Detached extends nn.Module {
  fc1 = new nn.Linear(20, 32);
  fc2 = new nn.Linear(32, 32);
  fc3 = new nn.Linear(32, 4);
  forward(x: Tensor): Tensor {
    const h = F.relu(this.fc2(F.relu(this.fc1(x))));
    return this.fc3(h.detach());
  }
}

/** A branch that was built and is never called. */
class Unused extends nets.CNN {
  extra = new nn.Conv2d(8, 16, 1);
}

export const SICK: Program[] = [
  sick("vanishing-gradient", "20 layers of sigmoid", DEAF, () => ({
    net: nets.mlp([196, ...new Array(19).fill(24), 10], () => new nn.Sigmoid()),
    task: tasks.digits(),
    steps: 150,
  })),
  sick("vanishing-gradient", "deep CNN of small weights, tanh", DEAF, () => {
    const layers: nn.Module[] = [new nn.Conv2d(1, 6, 3, { stride: 2, padding: 1 }), new nn.Tanh()];
    for (let i = 0; i < 10; i++) layers.push(new nn.Conv2d(6, 6, 3, { padding: 1 }), new nn.Tanh());
    const net = new nn.Sequential(...layers, new nn.Flatten(), new nn.Linear(6 * 49, 10));
    return {
      net: nets.eachWeight(net, (w, name) => void (name === "23.weight" || w.mul_(0.5))),
      task: tasks.digits(),
      steps: 100,
    };
  }),

  sick("exploding-gradient", "12 linear layers of large weights", [...WILD, "poor-initialization"], () => {
    const net = nets.mlp([20, ...new Array(11).fill(24), 4], () => new nn.Identity());
    return { net: nets.eachWeight(net, (w) => w.mul_(4)), task: tasks.table(), optimizer: sgd(1e-4), steps: 100 };
  }),
  sick("exploding-gradient", "linear RNN of large weights, 30 steps", [...WILD, "poor-initialization"], () => {
    const net = new nets.RNN(4, 24, 2, (h) => h);
    nets.eachWeight(net, (w, name) => void (name.startsWith("recurrent") && nn.init.orthogonal_(w).mul_(1.5)));
    return { net, task: tasks.sequences({ steps: 30 }), optimizer: sgd(1e-3), steps: 100 };
  }),

  sick("exploding-gradient", "eight convolutions of large weights", [...WILD, "poor-initialization"], () => {
    const layers: nn.Module[] = [new nn.Conv2d(1, 6, 3, { stride: 2, padding: 1 }), new nn.LeakyReLU(0.2)];
    for (let i = 0; i < 7; i++) layers.push(new nn.Conv2d(6, 6, 3, { padding: 1 }), new nn.LeakyReLU(0.2));
    const net = new nn.Sequential(...layers, new nn.Flatten(), new nn.Linear(6 * 49, 10));
    return { net: nets.eachWeight(net, (w) => w.mul_(6)), task: tasks.digits(), optimizer: sgd(1e-7), steps: 60 };
  }),

  sick("non-finite", "the logarithm of a ReLU", ["learning-rate-too-high"], () => ({
    net: new LogNet(),
    task: tasks.digits(),
    steps: 60,
  })),
  sick("non-finite", "CNN, the slope of a length at 0", ["learning-rate-too-high"], () => {
    const net = new LengthNet();
    return { net, task: tasks.digits(), steps: 60, before: net.emptyAt(37) };
  }),

  sick("non-finite", "gated RNN, an empty sequence divided by its length", ["learning-rate-too-high"], () => {
    const net = new ScaledRNN();
    return {
      net,
      task: tasks.sequences(),
      optimizer: adam(1e-3),
      steps: 60,
      before: net.emptyAt(23),
    };
  }),

  sick("dead-relu", "MLP with biases of −3", [...DEAF, "vanishing-gradient"], () => {
    const net = nets.mlp([20, 64, 64, 4]);
    return {
      net: nets.eachBias(net, (b, name) => void (name !== "5.bias" && b.fill_(-3))),
      task: tasks.table(),
      optimizer: sgd(0.02),
      steps: 150,
    };
  }),
  sick("dead-relu", "CNN killed by its first steps", WILD, () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: adam(0.1),
    schedule: (o) => new optim.lrScheduler.ExponentialLR(o, { gamma: 0.97 }),
    steps: 150,
  })),

  sick("saturated-activation", "MLP with tanh, weights × 20", [...WILD, "poor-initialization", "underfitting"], () => ({
    net: nets.eachWeight(
      nets.mlp([20, 48, 48, 4], () => new nn.Tanh()),
      (w, name) => void (name !== "5.weight" && w.mul_(20)),
    ),
    task: tasks.table(),
    optimizer: sgd(0.01),
    steps: 120,
  })),
  sick(
    "saturated-activation",
    "CNN with sigmoid, inputs to 255",
    [
      "unnormalized-inputs",
      "poor-initialization",
      "loss-plateau",
      "underfitting",
      "vanishing-gradient",
      "learning-rate-too-low",
    ],
    () => ({
      net: nets.eachWeight(new nets.CNN(10, (x) => x.sigmoid()), (w, name) => void (/conv/.test(name) && w.mul_(4))),
      task: tasks.digits({ scale: (x) => x.neg().add(255) }),
      optimizer: sgd(0.01),
      steps: 120,
    }),
  ),

  sick(
    "poor-initialization",
    "MLP, normal weights of deviation 1",
    [...WILD, "underfitting", "overfitting", "overtraining"],
    () => ({
      net: nets.eachWeight(nets.mlp([196, 64, 64, 10]), (w) => w.normal_(0, 1)),
      task: tasks.digits(),
      optimizer: sgd(1e-4),
      steps: 120,
    }),
  ),
  sick("poor-initialization", "CNN, weights of deviation 0.001", [...DEAF, "vanishing-gradient", "dead-relu"], () => ({
    net: nets.eachWeight(new nets.CNN(), (w) => w.normal_(0, 0.001)),
    task: tasks.digits(),
    optimizer: sgd(0.01),
    steps: 120,
  })),

  sick("poor-initialization", "autoencoder, uniform weights to ±2", [...WILD, "underfitting"], () => ({
    net: nets.eachWeight(nets.autoencoder(), (w) => w.uniform_(-2, 2)),
    task: tasks.autoencoding(),
    optimizer: adam(1e-4),
    steps: 100,
  })),

  sick("update-ratio", "MLP, Adam at 0.3", [...WILD, "underfitting"], () => ({
    net: nets.mlp([196, 64, 32, 10]),
    task: tasks.digits(),
    optimizer: adam(0.3),
    steps: 100,
  })),
  sick("update-ratio", "residual MLP, RMSprop at 0.1", [...WILD, "underfitting", "overfitting"], () => ({
    net: new nets.ResidualMLP(20, 32, 3, 4),
    task: tasks.table(),
    optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 0.1 }),
    steps: 100,
  })),

  sick("frozen-parameter", "MLP, the optimizer has the last layer only", ["underfitting"], () => ({
    net: nets.mlp([20, 48, 48, 4]),
    task: tasks.table(),
    optimizer: (net) => new optim.SGD(net.parameters().slice(4), { lr: 0.05, momentum: 0.9 }),
    steps: 100,
  })),
  sick("frozen-parameter", "CNN, a group with a rate of 0", ["underfitting"], () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: (net) => {
      const all = net.parameters();
      return new optim.Adam([{ params: all.slice(0, 2), lr: 0 }, { params: all.slice(2) }], { lr: 1e-3 });
    },
    steps: 120,
  })),

  sick("no-gradient", "MLP, detached before the head", ["underfitting"], () => ({
    net: new Detached(),
    task: tasks.table(),
    steps: 100,
  })),
  sick("no-gradient", "CNN with a branch that is never called", [], () => ({
    net: new Unused(),
    task: tasks.digits(),
    optimizer: adam(1e-3),
    steps: 100,
  })),

  sick("loss-plateau", "MLP, labels of other samples", ["overfitting", "underfitting"], () => ({
    net: nets.mlp([20, 16, 4]),
    task: apart(tasks.table()),
    optimizer: sgd(0.02),
    steps: 200,
  })),
  sick("loss-plateau", "CNN, labels of other images", ["overfitting", "underfitting"], () => ({
    net: new nets.CNN(),
    task: apart(tasks.digits()),
    optimizer: adam(3e-4),
    steps: 200,
  })),

  sick("diverging", "regression, MLP, a rate too large", WILD, () => ({
    net: nets.mlp([8, 64, 64, 1], () => new nn.Tanh()),
    task: tasks.regression(),
    optimizer: sgd(0.7, 0.9),
    steps: 100,
  })),
  sick("diverging", "CNN, a schedule that grows", [...WILD, "overfitting"], () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: sgd(0.005, 0.9),
    schedule: (o) => new optim.lrScheduler.ExponentialLR(o, { gamma: 1.04 }),
    steps: 200,
  })),

  sick("oscillating", "regression, MLP, at the edge of stability", [...WILD, "underfitting"], () => ({
    net: nets.mlp([8, 64, 1]),
    task: tasks.regression(),
    optimizer: sgd(0.3),
    steps: 150,
  })),
  sick("oscillating", "RNN, long steps on small batches", [...WILD, "underfitting"], () => ({
    net: new nets.RNN(4, 32, 2),
    task: tasks.sequences(),
    optimizer: adam(0.08),
    batch: 8,
    steps: 150,
  })),

  sick("overfitting", "MLP, 150 digits with wrong labels", ["overtraining"], () => ({
    net: nets.mlp([196, 128, 64, 10]),
    task: tasks.digits({ count: 150, noise: 0.3 }),
    optimizer: sgd(0.02, 0.9),
    steps: 300,
    validate: 25,
  })),
  sick("overfitting", "CNN, 100 digits with wrong labels", ["overtraining"], () => ({
    net: new nets.CNN(),
    task: tasks.digits({ count: 100, noise: 0.3 }),
    optimizer: adam(3e-3),
    steps: 300,
    validate: 25,
  })),

  sick("underfitting", "MLP with two hidden units", ["saturated-activation"], () => ({
    net: nets.mlp([196, 2, 10], () => new nn.Tanh()),
    task: tasks.digits(),
    optimizer: adam(1e-2),
    steps: 500,
    validate: 60,
  })),
  sick("underfitting", "two feature maps and their means", [], () => ({
    net: new nn.Sequential(
      new nn.Conv2d(1, 2, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(2, 10),
    ),
    task: tasks.digits(),
    optimizer: adam(3e-2),
    steps: 500,
    validate: 60,
  })),

  sick("overtraining", "MLP that goes on and on", ["overfitting"], () => ({
    net: nets.mlp([20, 64, 4]),
    task: tasks.table({ count: 1000 }),
    optimizer: adam(5e-3),
    steps: 800,
    validate: 25,
  })),
  sick("overtraining", "CNN that goes on and on", ["overfitting"], () => ({
    net: new nets.CNN(),
    task: tasks.digits({ count: 500 }),
    optimizer: adam(2e-3),
    steps: 800,
    validate: 20,
  })),

  sick("unnormalized-inputs", "MLP, bytes to 255", [...WILD, "poor-initialization"], () => ({
    net: nets.mlp([196, 64, 10]),
    task: tasks.digits({ scale: (x) => x.clone() }),
    optimizer: adam(1e-3),
    steps: 120,
  })),
  sick("unnormalized-inputs", "CNN, dark digits on white", ["underfitting"], () => ({
    net: new nets.CNN(),
    task: tasks.digits({ scale: (x) => x.div(-255).add(1) }),
    optimizer: adam(1e-3),
    steps: 120,
  })),

  sick("class-imbalance", "MLP, one class 25 times as often", [], () => ({
    net: nets.mlp([20, 32, 4]),
    task: tasks.imbalanced(tasks.table({ count: 6000 }), 25),
    steps: 120,
  })),
  sick("class-imbalance", "CNN, one digit 20 times as often", [], () => ({
    net: new nets.CNN(),
    task: tasks.imbalanced(tasks.digits({ count: 6000 }), 20),
    optimizer: adam(1e-3),
    steps: 120,
  })),

  sick("learning-rate-too-high", "MLP, SGD at 3", [...WILD, "underfitting"], () => ({
    net: nets.mlp([196, 64, 32, 10]),
    task: tasks.digits(),
    optimizer: sgd(3, 0.9),
    steps: 120,
  })),
  sick("learning-rate-too-high", "CNN, Adam at 0.3", [...WILD, "underfitting"], () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: adam(0.3),
    steps: 120,
  })),

  sick("learning-rate-too-high", "residual MLP, Adam at 0.5", [...WILD, "underfitting"], () => ({
    net: new nets.ResidualMLP(20, 32, 3, 4),
    task: tasks.table(),
    optimizer: adam(0.5),
    steps: 120,
  })),

  sick("learning-rate-too-low", "MLP, SGD at 1e-5", ["update-ratio", "loss-plateau", "underfitting"], () => ({
    net: nets.mlp([196, 64, 32, 10]),
    task: tasks.digits(),
    optimizer: sgd(1e-5, 0.9),
    steps: 150,
  })),
  sick("learning-rate-too-low", "CNN, Adam at 1e-6", ["update-ratio", "loss-plateau", "underfitting"], () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: adam(1e-6),
    steps: 150,
  })),

  sick("clipping-always", "MLP, limit 0.01", ["learning-rate-too-low", "loss-plateau", "underfitting"], () => ({
    net: nets.mlp([196, 64, 10]),
    task: tasks.digits(),
    clip: 0.01,
    steps: 150,
  })),
  sick("clipping-always", "RNN, limit 0.001", ["learning-rate-too-low", "loss-plateau", "underfitting"], () => ({
    net: new nets.RNN(4, 32, 2),
    task: tasks.sequences(),
    optimizer: adam(3e-3),
    clip: 0.001,
    steps: 150,
  })),

  sick("clipping-never", "MLP, limit 1000", [], () => ({
    net: nets.mlp([196, 64, 10]),
    task: tasks.digits(),
    clip: 1000,
    steps: 150,
  })),
  sick("clipping-never", "CNN, limit 100", [], () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    optimizer: adam(1e-3),
    clip: 100,
    steps: 150,
  })),

  sick("mode-at-validation", "CNN with BatchNorm, no eval()", [], () => ({
    net: nets.normedCNN(),
    task: tasks.digits(),
    evalMode: false,
    steps: 120,
  })),
  sick("mode-at-validation", "MLP with Dropout, no train() after eval()", ["overfitting"], () => ({
    net: new nn.Sequential(nets.mlp([196, 64, 64]), new nn.ReLU(), new nn.Dropout(0.5), new nn.Linear(64, 10)),
    task: tasks.digits(),
    trainMode: false,
    steps: 120,
  })),

  sick("missing-zero-grad", "MLP", WILD, () => ({
    net: nets.mlp([196, 64, 10]),
    task: tasks.digits(),
    zeroGrad: false,
    optimizer: sgd(0.01),
    steps: 120,
  })),
  sick("missing-zero-grad", "CNN, Adam", WILD, () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    zeroGrad: false,
    optimizer: adam(1e-3),
    steps: 120,
  })),

  sick("softmax-before-cross-entropy", "MLP that ends in nn.Softmax", ["underfitting", "loss-plateau"], () => ({
    net: new nn.Sequential(nets.mlp([196, 64, 10]), new nn.Softmax(1)),
    task: tasks.digits(),
    steps: 120,
  })),
  sick("softmax-before-cross-entropy", "CNN, softmax in the loss", ["underfitting", "loss-plateau"], () => ({
    net: new nets.CNN(),
    task: tasks.digits(),
    loss: (outputs, targets) => F.crossEntropy(outputs.exp().div(outputs.exp().sum(1, { keepdim: true })), targets),
    optimizer: adam(1e-3),
    steps: 120,
  })),

  sick("labels-out-of-range", "MLP, classes from 1 to 10", [], () => ({
    net: nets.mlp([196, 64, 10]),
    task: tasks.digits({ labels: (y) => y.add(1).int() }),
    steps: 50,
  })),
  sick("labels-out-of-range", "moons, targets −1 and 1 for a binary loss", [...WILD, "loss-plateau"], () => ({
    net: nets.mlp([2, 32, 1]),
    task: tasks.moons({ labels: (y) => y.mul(2).sub(1) }),
    optimizer: adam(1e-2),
    steps: 120,
  })),
  sick("labels-out-of-range", "texts, a fourth class for three outputs", [], () => {
    const base = tasks.texts();
    const [x, y] = base.train;
    return {
      net: new nets.TextNet(),
      task: tasks.withData(base, [x, y.maximum(x.select(1, 0).eq(7).int().mul(3)).int().clone()], base.test),
      optimizer: adam(1e-2),
      steps: 100,
    };
  }),
];
