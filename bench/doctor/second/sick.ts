/** Sick programs of the second series: each sickness once more, in another architecture and on another task. */
import { F, manualSeed, nn, optim, randperm, type Tensor, where, zeros } from "lanegrad";
import type { RuleId } from "lanegrad/doctor";
import { DEAF, WILD } from "../consequences.js";
import * as firstNets from "../nets.js";
import { examine, type Program, type Recipe } from "../program.js";
import { withData } from "../tasks.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

function sick(id: RuleId, name: string, also: readonly RuleId[], recipe: () => Recipe): Program {
  const run = (shift = 0) => {
    manualSeed(21 + shift);
    return examine(recipe());
  };
  return { name: `${id}: ${name}`, sick: [id], also, run };
}

const sgd =
  (lr: number, momentum = 0, weightDecay = 0) =>
  (net: nn.Module) =>
    new optim.SGD(net.parameters(), { lr, momentum, weightDecay });
const adam = (lr: number) => (net: nn.Module) => new optim.Adam(net.parameters(), { lr });

/** Plain recurrence with a ReLU over embedded characters. */
class ReluRNN extends nn.Module {
  words: nn.Embedding;
  input = new nn.Linear(16, 32);
  recurrent = new nn.Linear(32, 32, { bias: false });
  head: nn.Linear;
  constructor(vocabulary: number) {
    super();
    this.words = new nn.Embedding(vocabulary, 16);
    this.head = new nn.Linear(32, vocabulary);
  }
  forward(x: Tensor): Tensor {
    const words = this.words(x);
    let h = zeros(x.shape[0], 32);
    for (let t = 0; t < x.shape[1]; t++) h = F.relu(this.input(words.select(1, t)).add(this.recurrent(h)));
    return this.head(h);
  }
}

/** Scores of each pixel, made probabilities at the end. */
class SoftUNet extends nets.UNet {
  override forward(x: Tensor): Tensor {
    return F.softmax(super.forward(x), 1);
  }
}

export const SICK: Program[] = [
  sick("vanishing-gradient", "autoencoder of sixteen sigmoid layers", [...DEAF], () => ({
    net: firstNets.mlp([196, ...new Array(15).fill(32), 196], () => new nn.Sigmoid()),
    task: tasks.drawing(),
    loss: (outputs, targets) => F.mseLoss(outputs, targets.flatten(1)),
    optimizer: sgd(0.05, 0.9),
    steps: 150,
  })),
  sick(
    "exploding-gradient",
    "the next character, ReLU RNN of large recurrent weights",
    [...WILD, "poor-initialization", "class-imbalance"],
    () => {
      const task = tasks.characters();
      const net = new ReluRNN(task.vocabulary);
      nn.init.orthogonal_(net.recurrent.weight, { gain: 3 });
      return { net, task, optimizer: sgd(1e-7), steps: 80 };
    },
  ),
  sick("non-finite", "pairs, the root of a distance of 0", ["learning-rate-too-high"], () => ({
    net: new nets.Siamese(0),
    task: tasks.pairs(),
    loss: nets.contrastive,
    optimizer: adam(1e-3),
    steps: 80,
  })),
  sick("dead-relu", "a series, targets in thousands", [...WILD, "unnormalized-inputs"], () => ({
    net: firstNets.mlp([24, 64, 64, 1]),
    task: tasks.series({ scale: 1000 }),
    optimizer: sgd(1e-4),
    steps: 150,
  })),
  sick(
    "saturated-activation",
    "the next character, GRU, embedded characters scaled by 60",
    [...WILD, "learning-rate-too-low", "class-imbalance", "overfitting", "poor-initialization"],
    () => {
      const task = tasks.characters();
      return { net: new nets.GRU(task.vocabulary, 32, task.vocabulary, 60), task, optimizer: adam(1e-3), steps: 120 };
    },
  ),
  sick("poor-initialization", "strided CNN, normal weights of deviation 1", [...WILD, "overfitting"], () => ({
    net: firstNets.eachWeight(nets.stridedCNN(), (w) => w.normal_(0, 1)),
    task: tasks.garments(),
    optimizer: adam(1e-4),
    steps: 120,
  })),
  sick("update-ratio", "matrix factorization, Adam at 1", [...WILD, "overfitting"], () => ({
    net: new nets.Factors(4),
    task: tasks.ratings(),
    optimizer: adam(1),
    steps: 150,
  })),
  sick("update-ratio", "forecaster, Adam at 1e-7", ["learning-rate-too-low", "loss-plateau", "underfitting"], () => ({
    net: nets.forecaster(),
    task: tasks.series(),
    optimizer: adam(1e-7),
    steps: 150,
  })),
  sick("frozen-parameter", "a head that was replaced after the optimizer was made", ["underfitting"], () => {
    const net = new nets.Transfer();
    const optimizer = adam(1e-3)(net);
    net.head = new nn.Linear(16 * 16, 10);
    return { net, task: tasks.garments(), optimizer: () => optimizer, steps: 120 };
  }),
  sick("no-gradient", "Transformer that attends by argmax", ["underfitting"], () => ({
    net: new nets.Encoder(12, 20, 2, { hard: true }),
    task: tasks.marks(),
    optimizer: adam(2e-3),
    steps: 120,
  })),
  sick("loss-plateau", "Transformer, labels of other rows", ["overfitting", "underfitting"], () => {
    const base = tasks.marks();
    const mix = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => [x, y.indexSelect(0, randperm(y.shape[0])).clone()];
    return {
      net: new nets.Encoder(12, 20, 2),
      task: withData(base, mix(base.train), mix(base.test)),
      optimizer: adam(1e-3),
      steps: 200,
    };
  }),
  sick("diverging", "a line through a series, a rate beyond 2/λ", [...WILD], () => ({
    net: firstNets.mlp([24, 1]),
    task: tasks.series(),
    optimizer: sgd(0.35),
    batch: 64,
    steps: 100,
  })),
  sick("oscillating", "spirals, tanh MLP, SGD at 2", [...WILD, "overfitting"], () => ({
    net: firstNets.mlp([2, 48, 48, 3], () => new nn.Tanh()),
    task: tasks.spirals(),
    optimizer: sgd(2),
    steps: 150,
  })),
  sick("overfitting", "ratings, sixty-four factors for six hundred noisy ones", ["overtraining"], () => ({
    net: new nets.Factors(64),
    task: tasks.ratings({ count: 600, noise: 1 }),
    optimizer: adam(1e-2),
    steps: 400,
    validate: 25,
  })),
  sick("underfitting", "garments, MLP held back by weight decay", ["vanishing-gradient"], () => ({
    net: firstNets.mlp([196, 64, 32, 10]),
    task: tasks.garments(),
    optimizer: sgd(0.05, 0.9, 0.1),
    steps: 500,
    validate: 60,
  })),
  sick("overtraining", "garments, MLP with BatchNorm that goes on and on", ["overfitting"], () => ({
    net: nets.normedMLP([196, 64, 10], 0.2),
    task: tasks.garments({ count: 600 }),
    optimizer: adam(2e-3),
    steps: 700,
    validate: 20,
  })),
  sick("unnormalized-inputs", "customers, income in full", [...WILD, "poor-initialization"], () => ({
    net: firstNets.mlp([6, 32, 2], () => new nn.ELU()),
    task: tasks.customers({ income: (x) => x.mul(12_000).add(40_000) }),
    optimizer: adam(1e-3),
    steps: 150,
  })),
  sick("class-imbalance", "alarms, one in forty", [], () => ({
    net: firstNets.mlp([8, 24, 1]),
    task: tasks.alarms({ rare: 0.025 }),
    optimizer: adam(3e-3),
    batch: 64,
    steps: 200,
  })),
  sick("learning-rate-too-high", "Transformer, Adam at 1", [...WILD, "overfitting"], () => ({
    net: new nets.Encoder(12, 20, 2),
    task: tasks.marks(),
    optimizer: adam(1),
    steps: 150,
  })),
  sick(
    "learning-rate-too-low",
    "strided CNN with GroupNorm, SGD at 2e-5",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({ net: nets.stridedCNN(true), task: tasks.garments(), optimizer: sgd(2e-5), steps: 150 }),
  ),
  sick(
    "clipping-always",
    "Transformer, limit 0.001, SGD",
    ["learning-rate-too-low", "loss-plateau", "underfitting", "update-ratio"],
    () => ({ net: new nets.Encoder(12, 20, 2), task: tasks.marks(), optimizer: sgd(0.5), clip: 0.001, steps: 150 }),
  ),
  sick("clipping-never", "the next character, GRU, limit 300", ["class-imbalance"], () => {
    const task = tasks.characters();
    return {
      net: new nets.GRU(task.vocabulary, 32, task.vocabulary),
      task,
      optimizer: adam(3e-3),
      clip: 300,
      steps: 130,
    };
  }),
  sick("mode-at-validation", "Transformer with Dropout, no eval()", [], () => ({
    net: new nets.Encoder(12, 20, 2, { dropout: 0.2 }),
    task: tasks.marks(),
    optimizer: adam(1e-3),
    evalMode: false,
    steps: 120,
  })),
  sick("missing-zero-grad", "the next character, GRU, RMSprop", [...WILD, "class-imbalance", "overfitting"], () => {
    const task = tasks.characters();
    return {
      net: new nets.GRU(task.vocabulary, 32, task.vocabulary),
      task,
      optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-3 }),
      zeroGrad: false,
      steps: 120,
    };
  }),
  sick(
    "softmax-before-cross-entropy",
    "outlines, U-Net with softmax at its end",
    ["underfitting", "loss-plateau"],
    () => ({ net: new SoftUNet(), task: tasks.outlines(), optimizer: adam(3e-3), batch: 16, steps: 80 }),
  ),
  sick("softmax-before-cross-entropy", "Transformer, nllLoss of softmax", [...WILD, "learning-rate-too-low"], () => ({
    net: new nets.Encoder(12, 20, 2),
    task: tasks.marks(),
    loss: (outputs, targets) => F.nllLoss(F.softmax(outputs, 1), targets),
    optimizer: adam(2e-3),
    steps: 120,
  })),
  sick("labels-out-of-range", "marks, −1 for rows nobody has labelled", [], () => ({
    net: new nets.GRU(12, 24, 2),
    task: tasks.marks({ labels: (y) => where(zeros(y.shape[0]).uniform_().lt(0.02), y.mul(0).sub(1), y).int() }),
    optimizer: adam(2e-3),
    steps: 60,
  })),
];
