/**
 * Vanishing gradients: networks of twenty layers that differ only in what stands between their layers and in how their weights begin.
 * Going back through a layer, the gradient is multiplied by its weights and by the slope of its activation. A sigmoid's slope is 1/4 at most.
 *
 * Hochreiter 1991; Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010; He et al.,
 * "Delving deep into rectifiers", ICCV 2015, and "Deep residual learning for image recognition", CVPR 2016; Ioffe & Szegedy, "Batch
 * normalization", ICML 2015.
 */
import { data, manualSeed, nn, optim, type Tensor } from "lanegrad";
import { type Finding, watch } from "lanegrad/doctor";
import { CustomReLU } from "../../custom-relu.js";
import { allOf, range, type Score, score } from "../../support/experiment.js";
import { mnist } from "../../support/mnist.js";
import { above, all, below } from "../claims.js";

export const DEPTH = 20;
export const WIDTH = 64;

// #region nets
const relu = new nn.ReLU();
const sigmoid = new nn.Sigmoid();
const he = (w: Tensor) => nn.init.kaimingNormal_(w, { nonlinearity: "relu" });
const xavier = (w: Tensor) => nn.init.xavierNormal_(w);

/** Each differs from the first, or from another, in one thing. */
export const NETS = {
  sigmoid: { activation: sigmoid },
  sigmoidXavier: { activation: sigmoid, init: xavier },
  sigmoidResidual: { activation: sigmoid, residual: true },
  sigmoidBatchNorm: { activation: sigmoid, batchNorm: true },
  relu: { activation: relu },
  reluHe: { activation: relu, init: he },
  reluHeCustom: { activation: new CustomReLU(), init: he },
  // Not with He's weights: every block would then triple the variance.
  reluResidual: { activation: relu, residual: true },
} satisfies Record<string, DeepOptions>;
// #endregion
export type NetName = keyof typeof NETS;

interface DeepOptions {
  activation: nn.Module;
  /** Of the weights; biases then begin with 0. Without it: PyTorch's default. */
  init?: (weight: Tensor) => Tensor;
  /** Adds the input of every two layers to their output. */
  residual?: boolean;
  /** Before every activation. */
  batchNorm?: boolean;
}

// #region net
/** Twenty linear layers: [N, 1, 28, 28] → [N, 10]. */
class DeepNet extends nn.Module {
  first: nn.Linear;
  hidden: nn.ModuleList;
  norms: nn.ModuleList;
  last = new nn.Linear(WIDTH, 10);
  activation: nn.Module;
  residual: boolean;

  constructor({ activation, init, residual = false, batchNorm = false }: DeepOptions) {
    super();
    this.first = new nn.Linear(28 * 28, WIDTH);
    this.hidden = new nn.ModuleList(range(0, DEPTH - 2).map(() => new nn.Linear(WIDTH, WIDTH)));
    this.norms = new nn.ModuleList(
      range(0, DEPTH - 1).map(() => (batchNorm ? new nn.BatchNorm1d(WIDTH) : new nn.Identity())),
    );
    this.activation = activation;
    this.residual = residual;
    if (init === undefined) return;
    for (const layer of this.layers()) {
      init(layer.weight);
      nn.init.zeros_(layer.bias as Tensor);
    }
  }

  layers(): nn.Linear[] {
    return [this.first, ...(this.hidden as Iterable<nn.Linear>), this.last];
  }

  forward(x: Tensor): Tensor {
    const { hidden, norms, activation } = this;
    let h: Tensor = activation(norms.at(0)(this.first(x.flatten(1))));
    for (let i = 0; i < DEPTH - 2; i += 2) {
      if (this.residual) {
        h = h.add(hidden.at(i + 1)(activation(hidden.at(i)(h))));
      } else {
        h = activation(norms.at(i + 1)(hidden.at(i)(h)));
        h = activation(norms.at(i + 2)(hidden.at(i + 1)(h)));
      }
    }
    return this.last(h);
  }
}
// #endregion

export const SIZES = {
  full: { images: 10000, tests: 2000, epochs: 5, batchSize: 64, lr: 0.01 },
  quick: { images: 1500, tests: 500, epochs: 3, batchSize: 32, lr: 0.01 },
};

export interface VanishingRun {
  /** Norm of each layer's gradient in the first step, before anything has been learned; the layer at the input comes first. */
  gradNorms: number[];
  /** The loss of each step. */
  losses: number[];
  test: Score;
  findings: Finding[];
}
export type Vanishing = Record<NetName, VanishingRun>;

/** Trains all networks on the same digits, in the same order. */
export function vanishing(
  size: keyof typeof SIZES,
  seed: number,
  onRun: (name: NetName) => void = () => {},
): Vanishing {
  const { images, tests, epochs, batchSize, lr } = SIZES[size];
  const trainSet = new data.Subset(mnist({ train: true }), range(0, images));
  const test = allOf(new data.Subset(mnist({ train: false }), range(0, tests)));

  const run = (options: DeepOptions): VanishingRun => {
    // #region loop
    manualSeed(seed);
    const net = new DeepNet(options);
    const criterion = new nn.CrossEntropyLoss();
    const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9 });
    const loader = new data.DataLoader(trainSet, { batchSize, shuffle: true });
    const doctor = watch(net, optimizer);

    let gradNorms: number[] | null = null;
    const losses: number[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      net.train();
      for (const [inputs, labels] of loader) {
        optimizer.zeroGrad();
        const loss = criterion(net(inputs), labels);
        loss.backward();
        gradNorms ??= net.layers().map((layer) => (layer.weight.grad as Tensor).norm().item());
        optimizer.step();
        doctor.step(loss);
        losses.push(loss.item());
      }
      doctor.validate(score(net, test));
    }
    doctor.stop();
    // #endregion
    return { gradNorms: gradNorms ?? [], losses, test: score(net, test), findings: doctor.findings() };
  };

  const entries = Object.entries(NETS).map(([name, options]) => {
    onRun(name as NetName);
    return [name, run(options)];
  });
  return Object.fromEntries(entries) as Vanishing;
}

/** First layer's gradient norm over the last layer's: what is left of the gradient at the input. */
export const left = ({ gradNorms }: VanishingRun): number => gradNorms[0] / gradNorms[gradNorms.length - 1];

/** What a layer does to the gradient, on average: the geometric mean over the layers. */
export const perLayer = (run: VanishingRun): number => left(run) ** (1 / (DEPTH - 1));

export const diagnosed = ({ findings }: { findings: Finding[] }, rule: Finding["rule"]): boolean =>
  findings.some((finding) => finding.rule === rule);

const CURED = ["sigmoidResidual", "sigmoidBatchNorm", "reluHe", "reluResidual"] as const;
const SICK = ["sigmoid", "sigmoidXavier", "relu"] as const;

export function claims(runs: Vanishing) {
  const accuracy = (name: NetName) => runs[name].test.accuracy;
  return [
    // Each layer multiplies by 1/4 at most where the weights do not enlarge: (1/4)^19 is 4e-12.
    below("sigmoidVanishes", left(runs.sigmoid), 1e-10),
    below("sigmoidLearnsNothing", accuracy("sigmoid"), 0.2),
    below("xavierIsNotEnough", Math.max(left(runs.sigmoidXavier), accuracy("sigmoidXavier") - 0.2), 1e-8),
    below("reluIsNotEnough", left(runs.relu), 1e-3),
    above("reluHe", left(runs.reluHe), 0.1),
    above("reluHeLearns", accuracy("reluHe"), accuracy("relu") + 0.2),
    above("residual", left(runs.sigmoidResidual), 0.05),
    above("residualLearns", accuracy("sigmoidResidual"), accuracy("sigmoid") + 0.2),
    above("batchNorm", left(runs.sigmoidBatchNorm), 0.1),
    above("batchNormLearns", accuracy("sigmoidBatchNorm"), accuracy("sigmoid") + 0.2),
    above("reluResidual", left(runs.reluResidual), 0.1),
    above("reluResidualLearns", accuracy("reluResidual"), accuracy("relu") + 0.2),
    // The two gradients differ at an input of exactly 0 alone.
    below("customRelu", largestDifference(runs.reluHe.losses, runs.reluHeCustom.losses), 1e-6),
    all("doctor", [
      ...SICK.map((name) => diagnosed(runs[name], "vanishing-gradient")),
      ...CURED.map((name) => !diagnosed(runs[name], "vanishing-gradient")),
    ]),
  ] as const;
}

const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - b[i])));
