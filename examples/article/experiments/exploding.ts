/**
 * Exploding gradients: a recurrent network reads a digit row by row. Its state is multiplied by the same matrix in every row, so going back
 * through the rows the gradient is too. The matrix is g times an orthogonal one and there is no activation: each row multiplies the
 * gradient's norm by g exactly. Clipping bounds the step, whatever the gradient.
 *
 * Pascanu, Mikolov & Bengio, "On the difficulty of training recurrent neural networks", ICML 2013; Saxe, McClelland & Ganguli, "Exact
 * solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014.
 */
import { autograd, data, manualSeed, nn, optim, type Tensor, zeros } from "lanegrad";
import { type Finding, watch } from "lanegrad/doctor";
import { allOf, range, type Score, score } from "../../support/experiment.js";
import { mnist } from "../../support/mnist.js";
import { above, all, below } from "../claims.js";

export const ROWS = 28;
const WIDTH = 64;

// #region net
/** Linear and recurrent over the rows of an image: [N, 1, 28, 28] → [N, 10]. */
class RecurrentNet extends nn.Module {
  input = new nn.Linear(28, WIDTH);
  recurrent = new nn.Linear(WIDTH, WIDTH, { bias: false });
  head = new nn.Linear(WIDTH, 10);

  constructor(gain: number) {
    super();
    nn.init.orthogonal_(this.recurrent.weight, { gain });
  }

  /** The state after each row. */
  states(x: Tensor): Tensor[] {
    const states: Tensor[] = [];
    let h: Tensor = zeros(x.size(0), WIDTH);
    for (let row = 0; row < ROWS; row++) {
      h = this.input(x.at(":", 0, row)).add(this.recurrent(h));
      states.push(h);
    }
    return states;
  }

  forward(x: Tensor): Tensor {
    return this.head(this.states(x)[ROWS - 1]);
  }
}
// #endregion

export const GAINS = [0.8, 1, 1.2] as const;
/** The gain that is trained with. */
export const GAIN = 1.2;
export const CLIP = 1;
export const RATES = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1] as const;
/** The rate at which the courses of both are shown. */
export const RATE = 1e-2;
/** The rate at which the other cure is tried: an orthogonal matrix, g = 1. */
export const CALM_RATE = 1e-3;

export const SIZES = {
  full: { images: 5000, tests: 2000, epochs: 6, batchSize: 64, rates: RATES },
  quick: { images: 1200, tests: 500, epochs: 4, batchSize: 32, rates: [1e-4, CALM_RATE, RATE] },
} satisfies Record<
  string,
  { images: number; tests: number; epochs: number; batchSize: number; rates: readonly number[] }
>;

export interface ExplodingRun {
  lr: number;
  losses: number[];
  /** Norm of the whole gradient in each step, before it is clipped. */
  gradNorms: number[];
  test: Score;
  findings: Finding[];
}

export interface Exploding {
  /** For each gain: norm of the gradient with respect to the state after each row, in the first step; the first row comes first. */
  byRow: { gain: number; norms: number[] }[];
  /** At each learning rate, the slowest first. */
  plain: ExplodingRun[];
  clipped: ExplodingRun[];
  /** Not clipped, but begun with g = 1, at CALM_RATE. */
  orthogonal: ExplodingRun;
}

export type Exploded = "rows" | `${"plain" | "clipped"} ${number}` | "orthogonal";

export function exploding(
  size: keyof typeof SIZES,
  seed: number,
  onRun: (name: Exploded) => void = () => {},
): Exploding {
  const { images, tests, epochs, batchSize, rates } = SIZES[size];
  const trainSet = new data.Subset(mnist({ train: true }), range(0, images));
  const train = allOf(trainSet);
  const test = allOf(new data.Subset(mnist({ train: false }), range(0, tests)));
  const criterion = new nn.CrossEntropyLoss();

  /** One batch, no training: how the gradient changes on its way back through the rows. */
  const gradientsByRow = (gain: number): number[] => {
    manualSeed(seed);
    const net = new RecurrentNet(gain);
    const states = net.states(train.images.narrow(0, 0, 64));
    const loss = criterion(net.head(states[ROWS - 1]), train.labels.narrow(0, 0, 64));
    return autograd.grad(loss, states).map((gradient) => (gradient as Tensor).norm().item());
  };

  const run = (gain: number, lr: number, clipNorm: number): ExplodingRun => {
    // #region loop
    manualSeed(seed);
    const net = new RecurrentNet(gain);
    const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9 });
    const loader = new data.DataLoader(trainSet, { batchSize, shuffle: true });
    const doctor = watch(net, optimizer);

    const losses: number[] = [];
    const gradNorms: number[] = [];
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const [inputs, labels] of loader) {
        optimizer.zeroGrad();
        const loss = criterion(net(inputs), labels);
        loss.backward();
        gradNorms.push(gradNorm(net));
        if (clipNorm < Infinity) nn.utils.clipGradNorm_(net.parameters(), clipNorm);
        optimizer.step();
        doctor.step(loss);
        losses.push(loss.item());
      }
      doctor.validate(score(net, test));
    }
    doctor.stop();
    // #endregion
    return { lr, losses, gradNorms, test: score(net, test), findings: doctor.findings() };
  };

  onRun("rows");
  const byRow = GAINS.map((gain) => ({ gain, norms: gradientsByRow(gain) }));
  const sweep = (name: "plain" | "clipped", clipNorm: number) =>
    rates.map((lr) => {
      onRun(`${name} ${lr}`);
      return run(GAIN, lr, clipNorm);
    });
  const plain = sweep("plain", Number.POSITIVE_INFINITY);
  const clipped = sweep("clipped", CLIP);
  onRun("orthogonal");
  return { byRow, plain, clipped, orthogonal: run(1, CALM_RATE, Number.POSITIVE_INFINITY) };
}

/** Norm of all gradients as one vector. */
const gradNorm = (net: nn.Module): number =>
  Math.hypot(...[...net.parameters()].map((p: Tensor) => (p.grad as Tensor).norm().item()));

export const runsOf = (size: keyof typeof SIZES): number => 2 + 2 * SIZES[size].rates.length;

export const at = (runs: readonly ExplodingRun[], rate: number): ExplodingRun =>
  runs.find(({ lr }) => lr === rate) as ExplodingRun;

/** What a row does to the gradient's norm on the way back, on average. */
export const perRow = (norms: readonly number[]): number =>
  (norms[0] / norms[norms.length - 1]) ** (1 / (norms.length - 1));

/** The training is lost: the loss is no number any more. */
export const broken = ({ losses }: ExplodingRun): boolean => !Number.isFinite(losses[losses.length - 1]);

/** The first step whose loss is no finite number; 0 when there is none. */
export const brokenAt = ({ losses }: ExplodingRun): number => losses.findIndex((loss) => !Number.isFinite(loss)) + 1;

export const bestAccuracy = (runs: readonly ExplodingRun[]): number =>
  Math.max(...runs.map(({ test }) => test.accuracy));

const diagnosed = ({ findings }: ExplodingRun, rules: readonly Finding["rule"][]): boolean =>
  findings.some(({ rule }) => rules.includes(rule));

export function claims({ byRow, plain, clipped, orthogonal }: Exploding) {
  const [without, with_] = [at(plain, RATE), at(clipped, RATE)];
  return [
    // Float32 rounding in 27 products of 64 terms stays far below a thousandth.
    below("perRow", Math.max(...byRow.map(({ gain, norms }) => Math.abs(perRow(norms) - gain))), 1e-3),
    above("breaks", broken(without) ? 1 : 0, 0.5),
    above("clippingLearns", with_.test.accuracy, 0.4),
    below("clippingFinite", with_.losses.filter((loss) => !Number.isFinite(loss)).length, 0.5),
    above("beatsEveryRate", bestAccuracy(clipped), bestAccuracy(plain) + 0.02),
    all("orthogonal", [broken(at(plain, CALM_RATE)), !broken(orthogonal), orthogonal.test.accuracy > 0.4]),
    all("doctor", [
      diagnosed(without, ["exploding-gradient"]),
      diagnosed(with_, ["clipping-always"]),
      !diagnosed(with_, ["exploding-gradient", "non-finite"]),
      !diagnosed(orthogonal, ["exploding-gradient", "non-finite"]),
    ]),
  ] as const;
}
