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

/** The median of the rounds' ratios, each of two neighbours in time; in turn the one and the other comes first. */
function costOf(name: string, net: nn.Module, inputs: Tensor, steps: number, rounds: number): Cost {
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
  const plain = () => {
    for (let i = 0; i < 10; i++) step();
    const start = performance.now();
    for (let i = 0; i < steps; i++) step().item();
    return performance.now() - start;
  };
  const watched = () => {
    const doctor = watch(net, optimizer);
    // Past the first steps, all of which are read.
    for (let i = 0; i < 10; i++) doctor.step(step());
    const start = performance.now();
    for (let i = 0; i < steps; i++) doctor.step(step());
    const time = performance.now() - start;
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
  ratios.sort((a, b) => a - b);
  const at = (q: number) => ratios[Math.floor(q * (rounds - 1))] - 1;
  return { name, share: at(0.5), quartiles: [at(0.25), at(0.75)], bar: BAR };
}

/** The two nets of the project's other measurements, batch 64. */
export function costs(): Cost[] {
  manualSeed(0);
  return [
    costOf("MLP 784-256-128-10", mlp(), randn(64, 784), 40, 71),
    costOf("CNN conv32-pool-conv64-pool-fc128", cnn(), randn(64, 1, 28, 28), 10, 21),
  ];
}
