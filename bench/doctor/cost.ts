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

/** A training that goes on for as long as it is asked to. */
class Training {
  private readonly net: nn.Module;
  private readonly optimizer: optim.SGD;
  private doctor: ReturnType<typeof watch> | null = null;

  constructor(
    make: () => nn.Module,
    private readonly inputs: Tensor,
    private readonly targets: Tensor,
  ) {
    this.net = make();
    this.optimizer = new optim.SGD(this.net.parameters(), { lr: 0.001, momentum: 0.9 });
  }

  watch(on: boolean): void {
    this.doctor?.stop();
    this.doctor = on ? watch(this.net, this.optimizer) : null;
  }

  /** The time of a period. */
  private period(): number {
    const { net, optimizer, doctor, inputs, targets } = this;
    const start = performance.now();
    for (let i = 0; i < PERIOD; i++) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(net(inputs), targets);
      loss.backward();
      nn.utils.clipGradNorm_(net.parameters(), 1);
      optimizer.step();
      if (doctor === null) loss.item();
      else doctor.step(loss);
    }
    return performance.now() - start;
  }

  /** The median of `count` periods on end, after one that brings the training back into the caches. */
  periods(count: number): number {
    this.period();
    return quantile(
      Array.from({ length: count }, () => this.period()),
      0.5,
    );
  }
}

/**
 * Two trainings of one kind in turn, of which one is watched from its beginning: some periods of the one, some of the other. A round's cost
 * is the ratio of the median periods, so what the machine does beside it for a moment is in one of them only; the cost is the median of the
 * rounds'. Half-way the other is watched, for where a net lies in memory makes a difference as well.
 */
function costOf(name: string, make: () => nn.Module, inputs: Tensor, count: number, rounds: number): Cost {
  const targets = randint(0, 10, [inputs.shape[0]]);
  const [a, b] = [new Training(make, inputs, targets), new Training(make, inputs, targets)];
  const ratios: number[] = [];
  for (const [watched, plain] of [
    [a, b],
    [b, a],
  ]) {
    watched.watch(true);
    plain.watch(false);
    // Not the first steps, in which the engine compiles, and all of which the doctor reads.
    watched.periods(count);
    plain.periods(count);
    for (let round = 0; round < rounds / 2; round++) {
      if (round % 2 === 0) {
        const without = plain.periods(count);
        ratios.push(watched.periods(count) / without);
      } else {
        const time = watched.periods(count);
        ratios.push(time / plain.periods(count));
      }
    }
  }
  a.watch(false);
  b.watch(false);
  const at = (q: number) => quantile(ratios, q) - 1;
  return { name, share: at(0.5), quartiles: [at(0.25), at(0.75)], bar: BAR };
}

/** The two nets of the project's other measurements, batch 64. */
export function costs(): Cost[] {
  manualSeed(0);
  return [
    costOf("MLP 784-256-128-10", mlp, randn(64, 784), 4, 100),
    costOf("CNN conv32-pool-conv64-pool-fc128", cnn, randn(64, 1, 28, 28), 3, 16),
  ];
}
