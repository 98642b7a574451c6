/**
 * Sick programs of the third series. What each `also` names was reasoned from the cause before the doctor was run; that the sickness
 * is there was measured without it.
 */
import { F, nn, optim, type Tensor } from "lanegrad";
import { DEAF, WILD } from "../consequences.js";
import * as firstNets from "../nets.js";
import type { Program } from "../program.js";
import * as second from "../second/tasks.js";
import { adam, adamW, learn, likelihood, series, sgd } from "../series.js";
import * as firstTasks from "../tasks.js";
import { star } from "./loops.js";
import * as nets from "./nets.js";
import * as tasks from "./tasks.js";

const { loop, sick } = series("third");

const tanh = () => new nn.Tanh();

/** Reads a row of pixels four at a time, 49 steps, with a recurrence that is chaotic for gains well above 1. */
class PixelRNN extends firstNets.RNN {
  constructor(gain: number) {
    super(4, 48, 10);
    nn.init.xavierNormal_(this.recurrent.weight, { gain });
  }
  override forward(x: Tensor): Tensor {
    return super.forward(x.reshape([x.shape[0], 49, 4]));
  }
}

/** Fully connected layers with BatchNorm and ReLU and nothing around them. */
const plainNormed = (depth: number, width = 48): nn.Sequential =>
  new nn.Sequential(
    new nn.Flatten(),
    ...Array.from({ length: depth }, (_, i) => [
      new nn.Linear(i === 0 ? 196 : width, width),
      new nn.BatchNorm1d(width),
      new nn.ReLU(),
    ]).flat(),
    new nn.Linear(width, 10),
  );

/** Attention over symbols of which those that are 12 are not read. */
class PaddedEncoder extends nn.Module {
  words = new nn.Embedding(13, 32);
  places = new nn.Embedding(20, 32);
  layer = new nets.Attention(32, 2);
  head = new nn.Linear(32, 2);
  forward(x: Tensor): Tensor {
    const h = this.words(x).add(this.places.weight);
    return this.head(this.layer(h, x.eq(12).reshape([x.shape[0], 1, 1, 20])).mean(1));
  }
}

/** Symbols' vectors are the rows of the last layer, too (Press & Wolf, EACL 2017), without that anything makes them small. */
class Tied extends nn.Module {
  words: nn.Embedding;
  fc: nn.Linear;
  norm = new nn.LayerNorm(64);
  head: nn.Linear;
  constructor(vocabulary: number) {
    super();
    this.words = new nn.Embedding(vocabulary, 64);
    this.fc = new nn.Linear(64 * 4, 64);
    this.head = new nn.Linear(64, vocabulary, { bias: false });
    this.head.weight = this.words.weight;
  }
  forward(x: Tensor): Tensor {
    const last = this.words(x.narrow(1, x.shape[1] - 4, 4)).flatten(1);
    return this.head(this.norm(F.gelu(this.fc(last))));
  }
}

/** A body with a rate of its own. */
const twoRates = (net: nn.Sequential, body: number, head: number) => {
  const all = net.parameters();
  return new optim.Adam([{ params: all.slice(0, -2), lr: body }, { params: all.slice(-2) }], { lr: head });
};

export const SICK: Program[] = [
  sick("vanishing-gradient", "garments, twelve gated linear layers without skips", DEAF, () => ({
    net: nets.gatedStack(12),
    task: second.garments(),
    optimizer: sgd(0.05, 0.9),
    steps: 150,
  })),
  sick("vanishing-gradient", "digits, depthwise CNN of six tanh blocks without norms, usual weights", DEAF, () => ({
    net: nets.depthwiseNet({ depth: 6, normalized: false, activation: tanh }),
    task: firstTasks.digits(),
    optimizer: sgd(0.05, 0.9),
    steps: 150,
  })),
  sick(
    "exploding-gradient",
    "digits four pixels at a time, chaotic RNN",
    // Chaotic states swing from one end of tanh to the other; a clip or a small rate is missing, so the loss does not settle.
    [...WILD, "poor-initialization"],
    () => ({ net: new PixelRNN(2.4), task: firstTasks.digits(), optimizer: sgd(1e-4), steps: 150 }),
  ),
  sick(
    "exploding-gradient",
    "garments, thirty layers of BatchNorm and ReLU without skips",
    // Gradients grow by a factor a layer towards the input (Yang et al., A mean field theory of batch normalization, ICLR 2019).
    [...WILD, "poor-initialization"],
    () => ({ net: plainNormed(30), task: second.garments(), optimizer: sgd(1e-3), batch: 64, steps: 150 }),
  ),
  sick("non-finite", "padded rows, attention where everything is masked", [], () => ({
    net: new PaddedEncoder(),
    task: tasks.padded(),
    optimizer: adam(2e-3),
    steps: 150,
  })),
  sick(
    "non-finite",
    "gusts, a variance that nothing keeps above 0",
    // Near 0 the variance divides, before its logarithm is taken below it.
    ["exploding-gradient", "diverging", "oscillating"],
    () => ({
      net: firstNets.mlp([3, 48, 48, 2], tanh),
      task: tasks.gusts({ noise: 0.4 }),
      loss: (outputs, targets) => {
        const [mean, more] = outputs.chunk(2, 1);
        const variance = more.add(1);
        return targets.sub(mean).square().div(variance).add(variance.log()).div(2).mean();
      },
      optimizer: adam(3e-3),
      batch: 64,
      steps: 200,
    }),
  ),
  sick("dead-relu", "garments, a sparse code whose price is too high", ["loss-plateau", "underfitting"], () => {
    const net = new nets.SparseCode(196, 256);
    return {
      net,
      task: second.drawing(),
      // Of the dictionaries of Bricken et al. (Towards monosemanticity, 2023), with much too large a coefficient.
      loss: (outputs, targets) => F.mseLoss(outputs, targets.flatten(1)).add((net.price as Tensor).mul(0.003)),
      optimizer: adam(2e-3),
      steps: 250,
    };
  }),
  sick(
    "dead-relu",
    "shapes of points, deep sets that sum instead of averaging",
    // A sum of 24 points has gradients 24 times as large: the rate that suited a mean is too high.
    WILD,
    () => ({ net: new nets.SetNet(3, "sum"), task: tasks.outlinesOfShapes(), optimizer: sgd(0.1, 0.9), steps: 200 }),
  ),
  sick(
    "saturated-activation",
    "garments, highway net whose gates begin shut",
    // What is behind shut gates gets hardly a gradient, and its weights hardly change.
    [
      "vanishing-gradient",
      "update-ratio",
      "underfitting",
      "poor-initialization",
      "loss-plateau",
      "learning-rate-too-low",
    ],
    () => ({ net: nets.highway(6, -10), task: second.garments(), optimizer: sgd(0.03, 0.9), steps: 200 }),
  ),
  sick(
    "saturated-activation",
    "a cooling body, tanh of seconds up to 2000",
    // Units at their ends have no slope, so the layer before them hardly learns; what gets through is multiplied by the inputs.
    [
      "unnormalized-inputs",
      "exploding-gradient",
      "underfitting",
      "loss-plateau",
      "vanishing-gradient",
      "poor-initialization",
      "learning-rate-too-low",
    ],
    () => ({ net: firstNets.mlp([1, 48, 48, 1], tanh), task: tasks.cooling(), optimizer: adam(3e-3), steps: 200 }),
  ),
  sick(
    "poor-initialization",
    "garments, depthwise CNN, the fan out of a depthwise convolution",
    // fan out counts all output channels, though a depthwise kernel feeds one: variances fall by the number of channels a layer. Two thirds
    // of the last layers' units come to rest below 0.
    [...DEAF, "vanishing-gradient", "dead-relu"],
    () => ({
      net: firstNets.eachBias(
        firstNets.eachWeight(
          nets.depthwiseNet({ channels: 24, normalized: false, activation: () => new nn.ReLU() }),
          (w) => void (w.ndim === 4 && nn.init.kaimingNormal_(w, { mode: "fanOut" })),
        ),
        (b) => void b.zero_(),
      ),
      task: second.garments(),
      optimizer: sgd(0.02, 0.9),
      steps: 150,
    }),
  ),
  sick(
    "poor-initialization",
    "the next character, vectors of deviation 1 as the last layer's rows",
    // Scores of deviation 8: a first loss far above that of guessing, and long gradients.
    ["exploding-gradient", "oscillating", "overfitting"],
    () => {
      const task = second.characters();
      return { net: new Tied(task.vocabulary), task, optimizer: adam(1e-3), steps: 150 };
    },
  ),
  sick(
    "update-ratio",
    "garments, weights clipped to 0.02 after steps of 0.01",
    [...WILD, "overfitting", "poor-initialization"],
    () => {
      // Clipped before the first step already, so the signal fades from the start.
      // As a Wasserstein critic's weights are (Arjovsky et al., 2017), with a rate that takes them from one end to the other:
      // BatchNorm's running statistics are of other weights than those that are validated.
      const net = nets.depthwiseNet({ depth: 1 });
      return {
        net,
        task: second.garments(),
        optimizer: (net) => new optim.RMSprop(net.parameters(), { lr: 1e-2 }),
        before: () => void firstNets.eachWeight(net, (w) => void w.clamp_({ min: -0.02, max: 0.02 })),
        steps: 150,
      };
    },
  ),
  sick(
    "update-ratio",
    "garments upside down, a body fine-tuned with 1e-8",
    // The body's own rate is too low; the head learns.
    ["learning-rate-too-low", "frozen-parameter"],
    () => {
      const net = learn(nets.depthwiseNet({ depth: 1 }), second.garments(), 80);
      return { net, task: tasks.upsideDown(), optimizer: () => twoRates(net, 1e-8, 2e-3), steps: 150 };
    },
  ),
  sick("frozen-parameter", "garments, experts that the optimizer was not given", ["underfitting"], () => {
    const net = new nets.Experts(196, 32, 10);
    return {
      net,
      task: second.garments(),
      // The fourth expert was added when the optimizer was there already.
      optimizer: () =>
        new optim.Adam([...net.gate.parameters(), ...[...net.experts].slice(0, 3).flatMap((e) => e.parameters())], {
          lr: 2e-3,
        }),
      steps: 150,
    };
  }),
  sick("no-gradient", "garments, experts chosen by the highest score alone", ["underfitting"], () => ({
    net: new nets.Experts(196, 32, 10, 4, "hardest"),
    task: second.garments(),
    optimizer: adam(2e-3),
    steps: 150,
  })),
  sick(
    "no-gradient",
    "garments through a code of bits, nothing goes through",
    ["underfitting", "loss-plateau"],
    () => ({
      net: new nets.BitCode(false),
      task: second.drawing(),
      loss: (outputs, targets) => F.mseLoss(outputs, targets),
      optimizer: adam(2e-3),
      steps: 150,
    }),
  ),
  sick(
    "loss-plateau",
    "the parity of twenty bits",
    // No subset of the bits says anything, so gradients are noise (Shalev-Shwartz, Shamir & Shammah, ICML 2017).
    ["underfitting", "overfitting"],
    () => ({ net: firstNets.mlp([20, 32, 2]), task: tasks.parity(), optimizer: sgd(0.05, 0.9), batch: 64, steps: 300 }),
  ),
  loop(
    "diverging: a star of states, values learned from their own guesses",
    ["diverging"],
    // The features are not centred. A slow, exponential growth of values and gradients.
    ["exploding-gradient", "unnormalized-inputs", "learning-rate-too-high", "non-finite"],
    star,
  ),
  sick("oscillating", "garments, a rate that goes up and down and much too far", [...WILD], () => ({
    net: firstNets.mlp([196, 64, 10], () => new nn.GELU()),
    task: second.garments(),
    optimizer: sgd(0.01, 0.9),
    schedule: (o) =>
      new optim.lrScheduler.CyclicLR(o, { baseLr: 0.01, maxLr: 1, stepSizeUp: 10, cycleMomentum: false }),
    steps: 200,
  })),
  sick("overfitting", "two hundred digits with wrong labels among them, MLP-Mixer", ["overtraining"], () => ({
    net: new nets.Mixer(),
    task: firstTasks.digits({ count: 200, noise: 0.3 }),
    optimizer: adam(3e-3),
    steps: 250,
    validate: 25,
  })),
  sick("overfitting", "the next character after few examples, LSTM", ["overtraining"], () => {
    const task = second.characters({ count: 300 });
    return {
      net: new nets.LSTM(16, 48, task.vocabulary, { vocabulary: task.vocabulary }),
      task,
      optimizer: adam(8e-3),
      steps: 300,
      validate: 25,
    };
  }),
  sick(
    "underfitting",
    "shapes of points, deep sets whose first layer is linear",
    // The mean of a linear map of centred points is its bias: nothing of the shape is left.
    ["loss-plateau"],
    () => ({
      net: new nets.SetNet(3, "mean", { linear: true }),
      task: tasks.outlinesOfShapes(),
      optimizer: adam(3e-3),
      steps: 400,
      validate: 40,
    }),
  ),
  sick("underfitting", "every next character, convolutions of one channel", ["loss-plateau"], () => {
    const task = tasks.nextCharacters();
    return { net: new nets.Causal(task.vocabulary, 1, [1]), task, optimizer: adam(2e-2), steps: 400, validate: 40 };
  }),
  sick("overtraining", "garments, depthwise CNN that goes on and on", ["overfitting"], () => ({
    net: nets.depthwiseNet({ depth: 1, excite: true }),
    task: second.garments({ count: 400 }),
    optimizer: adam(4e-3),
    steps: 500,
    validate: 20,
  })),
  sick(
    "unnormalized-inputs",
    "a gas, kelvin and kilopascal",
    // All samples look alike to the first layer: large steps along their mean, hardly any across.
    [
      "poor-initialization",
      "oscillating",
      "loss-plateau",
      "underfitting",
      "exploding-gradient",
      "dead-relu",
      "learning-rate-too-high",
    ],
    () => ({ net: firstNets.mlp([4, 32, 2]), task: tasks.gas(), optimizer: adam(1e-3), steps: 200 }),
  ),
  sick("unnormalized-inputs", "garments from 0 to 1, not centred, vision Transformer", [], () => ({
    net: new nets.ViT(),
    task: second.garments({ scale: (x) => x.div(255) }),
    optimizer: adamW(1e-3),
    steps: 200,
  })),
  sick("class-imbalance", "garments with a long tail, MLP-Mixer", [], () => ({
    net: new nets.Mixer(),
    task: tasks.longTail(100),
    optimizer: adamW(1e-3),
    steps: 200,
  })),
  sick("class-imbalance", "faults of a machine, one row in thirty, LSTM", [], () => ({
    net: new nets.LSTM(16, 24, 2, { vocabulary: 10 }),
    task: tasks.faults(),
    optimizer: adam(5e-3),
    steps: 200,
  })),
  sick("learning-rate-too-high", "digits read row by row, LSTM, Adam at 0.3", WILD, () => ({
    net: new nets.LSTM(14, 40, 10),
    task: firstTasks.digits(),
    optimizer: adam(0.3),
    steps: 150,
  })),
  sick("learning-rate-too-high", "garments, depthwise CNN without norms, SGD at 2", WILD, () => ({
    net: nets.depthwiseNet({ normalized: false }),
    task: second.garments(),
    optimizer: sgd(2, 0.9),
    steps: 150,
  })),
  sick(
    "learning-rate-too-low",
    "digits, MLP-Mixer, AdamW at 2e-6",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: new nets.Mixer(),
      task: firstTasks.digits(),
      optimizer: adamW(2e-6),
      steps: 150,
    }),
  ),
  sick(
    "learning-rate-too-low",
    "strips of digits, highway net, SGD at 3e-5",
    ["update-ratio", "loss-plateau", "underfitting"],
    () => ({
      net: new nn.Sequential(new nn.AvgPool2d([1, 2]), nets.highway(4)),
      task: tasks.strips(),
      optimizer: sgd(3e-5),
      steps: 150,
    }),
  ),
  sick("clipping-always", "points of two moons, a flow, Adam, limit 0.02", [], () => ({
    net: new nets.Flow(),
    task: tasks.cloud(),
    loss: likelihood,
    optimizer: adam(3e-3),
    clip: 0.02,
    batch: 64,
    steps: 200,
  })),
  sick(
    "clipping-always",
    "digits read row by row, LSTM, SGD, limit 0.01",
    ["learning-rate-too-low", "loss-plateau", "underfitting", "update-ratio"],
    () => ({ net: new nets.LSTM(14, 40, 10), task: firstTasks.digits(), optimizer: sgd(0.3), clip: 0.01, steps: 150 }),
  ),
  sick("clipping-never", "garments, vision Transformer, limit 100", [], () => ({
    net: new nets.ViT(),
    task: second.garments(),
    optimizer: adamW(1e-3),
    clip: 100,
    steps: 150,
  })),
  sick("mode-at-validation", "digits, depthwise CNN with BatchNorm, no eval()", [], () => ({
    net: nets.depthwiseNet({ depth: 1 }),
    task: firstTasks.digits(),
    optimizer: adam(3e-3),
    evalMode: false,
    steps: 150,
  })),
  sick("mode-at-validation", "garments, SGD, train() was never called again", [], () => ({
    net: nets.depthwiseNet({ depth: 2 }),
    task: second.garments(),
    optimizer: sgd(0.02, 0.9),
    trainMode: false,
    steps: 150,
  })),
  sick("missing-zero-grad", "garments, four experts, SGD", WILD, () => ({
    net: new nets.Experts(196, 32, 10),
    task: second.garments(),
    optimizer: sgd(0.02),
    zeroGrad: false,
    steps: 150,
  })),
  sick("missing-zero-grad", "points of two moons, a flow, Adam", WILD, () => ({
    net: new nets.Flow(4),
    task: tasks.cloud(),
    loss: likelihood,
    optimizer: adam(3e-3),
    batch: 64,
    zeroGrad: false,
    steps: 150,
  })),
  sick(
    "softmax-before-cross-entropy",
    "garments, the experts' probabilities averaged and given to crossEntropy",
    ["underfitting", "loss-plateau"],
    () => ({
      net: new nets.Experts(196, 32, 10, 3, "of probabilities"),
      task: second.garments(),
      optimizer: adam(2e-3),
      steps: 200,
    }),
  ),
  sick(
    "softmax-before-cross-entropy",
    "digits, vision Transformer that ends in Softmax",
    ["underfitting", "loss-plateau"],
    () => ({
      net: new nn.Sequential(new nets.ViT(), new nn.Softmax(1)),
      task: firstTasks.digits(),
      optimizer: adamW(2e-3),
      steps: 150,
    }),
  ),
  sick("labels-out-of-range", "every next character, one class too few", [], () => {
    const task = tasks.nextCharacters();
    const net = new nets.Causal(task.vocabulary);
    net.head = new nn.Conv2d(32, task.vocabulary - 1, 1);
    return { net, task, optimizer: adam(3e-3), steps: 150 };
  }),
  sick(
    "labels-out-of-range",
    "strips of digits, targets in percent for a binary loss",
    // Binary cross entropy of a target of 100 has no lower bound: the loss falls below 0 and on; scores and gradients
    // grow, and push gates and units to their ends.
    [
      "saturated-activation",
      "dead-relu",
      "exploding-gradient",
      "diverging",
      "learning-rate-too-high",
      "update-ratio",
      "oscillating",
      "non-finite",
      "vanishing-gradient",
    ],
    () => ({
      net: new nn.Sequential(new nn.AvgPool2d([1, 2]), nets.highway(2)),
      task: tasks.strips(),
      loss: (outputs, targets) => F.binaryCrossEntropyWithLogits(outputs, targets.mul(100)),
      optimizer: adam(1e-3),
      steps: 150,
    }),
  ),
];
