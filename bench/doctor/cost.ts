/** What watching costs: steps with the doctor at its default cadence beside the same steps without. */
import { F, manualSeed, nn, optim, randint, randn, type Tensor } from "lanegrad";
import { watch } from "lanegrad/doctor";

export interface Cost {
  name: string;
  /** Of a step's time: the median of all rounds, and the quartiles. */
  share: number;
  quartiles: [number, number];
  bar: number;
}

const BAR = 0.05;

const mlp = (): nn.Module =>
  new nn.Sequential(
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

const cnn = (): nn.Module =>
  new nn.Sequential(
    new nn.Conv2d(1, 32, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 64, 3, { padding: 1 }),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(64 * 49, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );

/** Steps of a period: the default cadence, so one of them is sampled. */
const PERIOD = 10;

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))];

/**
 * In each round some periods of steps with the doctor and as many without, in turn the one and the other first. A round's cost is the ratio
 * of the median periods: what the machine does beside it for a moment is in one of them only. The cost is the median of the rounds'.
 */
function costOf(name: string, net: nn.Module, inputs: Tensor, count: number, rounds: number): Cost {
  const targets = randint(0, 10, [inputs.shape[0]]);
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.001, momentum: 0.9 });
  const step = () => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(net(inputs), targets);
    loss.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
    return loss;
  };
  const period = (end: (loss: Tensor) => void): number => {
    const start = performance.now();
    for (let i = 0; i < PERIOD; i++) end(step());
    return performance.now() - start;
  };
  const periods = (end: (loss: Tensor) => void): number => {
    // Past the first steps, all of which are read.
    period(end);
    return quantile(
      Array.from({ length: count }, () => period(end)),
      0.5,
    );
  };
  const plain = () => periods((loss) => void loss.item());
  const watched = () => {
    const doctor = watch(net, optimizer);
    const time = periods((loss) => doctor.step(loss));
    doctor.stop();
    return time;
  };
  plain();
  watched();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const without = plain();
      ratios.push(watched() / without);
    } else {
      const time = watched();
      ratios.push(time / plain());
    }
  }
  const at = (q: number) => quantile(ratios, q) - 1;
  return { name, share: at(0.5), quartiles: [at(0.25), at(0.75)], bar: BAR };
}

/** The two nets of the project's other measurements, batch 64. */
export function costs(): Cost[] {
  manualSeed(0);
  return [
    costOf("MLP 784-256-128-10", mlp(), randn(64, 784), 4, 71),
    costOf("CNN conv32-pool-conv64-pool-fc128", cnn(), randn(64, 1, 28, 28), 3, 15),
  ];
}
