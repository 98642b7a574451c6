/** What the fifth series of programs learns: finer images, robot arms, sums over time, tags, habits of customers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arange, cat, F, noGrad, rand, randint, randn, stack, type Tensor, tensor, transforms, where } from "lanegrad";
import * as fourth from "../fourth/tasks.js";
import * as second from "../second/tasks.js";
import { digits, type Task, task, withData } from "../tasks.js";
import * as third from "../third/tasks.js";

type Pair = [Tensor, Tensor];
type Kind = "classes" | "numbers" | "binary";

const drawn = (make: (n: number) => Pair, count: number, tests: number, kind: Kind): Task =>
  noGrad(() => task(make(count), make(tests), kind));

/** Digits at half the size, [n, 1, 7, 7], and as they are, [n, 1, 14, 14]. */
export const finer = ({ count = 2000 } = {}): Task =>
  noGrad(() => {
    const { train, test } = digits({ count, tests: 300 });
    const coarse = ([x]: Pair): Pair => [F.avgPool2d(x, 2).clone(), x];
    return task(coarse(train), coarse(test), "numbers");
  });

/** Digits as grey values from 0 to 1, to be drawn again from what has mean 0 and deviation 1. */
export const grey = ({ count = 3000 } = {}): Task =>
  noGrad(() => {
    const { train, test } = digits({ count, tests: 300 });
    const both = ([x]: Pair): Pair => [x, x.mul(0.2807).add(0.1307).clamp({ min: 0, max: 1 }).clone()];
    return task(both(train), both(test), "numbers");
  });

/** Three angles of a robot's arm, and where its hand is. */
export const arm = ({ count = 3000 } = {}): Task =>
  drawn(
    (n) => {
      const angles = rand(n, 3)
        .mul(2 * Math.sqrt(3))
        .sub(Math.sqrt(3));
      const [a, b, c] = [0, 1, 2].map((i) => angles.select(1, i));
      const [first, second, third] = [a, a.add(b), a.add(b).add(c)];
      const x = first.cos().add(second.cos()).add(third.cos().mul(0.5));
      const y = first.sin().add(second.sin()).add(third.sin().mul(0.5));
      return [angles.clone(), stack([x, y], 1).add(randn(n, 2).mul(0.02)).clone()];
    },
    count,
    400,
    "numbers",
  );

/** Numbers and marks at two of them, whose sum is asked for: [n, steps, 2] (Hochreiter & Schmidhuber, 1997). */
export const sums = ({ count = 4000, steps = 12 } = {}): Task =>
  drawn(
    (n) => {
      const values = rand(n, steps)
        .sub(0.5)
        .mul(2 * Math.sqrt(3));
      const place = (from: number, to: number) => F.oneHot(randint(from, to, [n]).int(), steps).float();
      const marks = place(0, steps / 2).add(place(steps / 2, steps));
      const y = values.mul(marks).sum(1, { keepdim: true }).div(Math.SQRT2);
      // Marks as −0.45 and 2.2, which have mean 0 and deviation 1 where two of twelve are set.
      const share = 2 / steps;
      return [stack([values, marks.sub(share).div(Math.sqrt(share * (1 - share)))], 2).clone(), y.clone()];
    },
    count,
    400,
    "numbers",
  );

/** A symbol's tag, of four, says whether the one before and the one after are below four (at the ends: it itself): int32 [n, 12] twice. */
export const tags = ({ count = 3000, steps = 12 } = {}): Task =>
  drawn(
    (n) => {
      const x = randint(0, 8, [n, steps]).int();
      const kind = x.lt(4).int();
      const before = cat([kind.narrow(1, 0, 1), kind.narrow(1, 0, steps - 1)], 1);
      const after = cat([kind.narrow(1, 1, steps - 1), kind.narrow(1, steps - 1, 1)], 1);
      return [x.clone(), before.mul(2).add(after).int().clone()];
    },
    count,
    300,
    "classes",
  );

/** Ten measurements of a customer, and whether he buys each of five things: [n, 10], [n, 5]. */
export const baskets = ({ count = 3000 } = {}): Task =>
  noGrad(() => {
    const taste = randn(10, 5).div(2);
    const make = (n: number): Pair => {
      const x = randn(n, 10);
      const score = x.matmul(taste).add(x.select(1, 0).mul(x.select(1, 1)).unsqueeze(1).mul(0.7));
      return [x.clone(), rand(n, 5).lt(score.mul(2).sigmoid()).float().clone()];
    };
    return task(make(count), make(400), "binary");
  });

/** Half of the images have a rectangle taken out (Zhong et al., Random erasing, AAAI 2020). */
export const erased = (base: Task): Task => {
  const erase = new transforms.RandomErasing({ p: 0.5, scale: [0.02, 0.2], value: 0 });
  return fourth.remade(base, ([x, y]) => [erase(x), y]);
};

/** Waves of the second series as sequences, [n, 24, 1], and the next value; in degrees around a mild day if so wanted. */
export const weather = ({ count = 2000, degrees = false } = {}): Task =>
  noGrad(() => {
    const base = second.series({ count });
    const make = ([x, y]: Pair): Pair => {
      const values = x.reshape([x.shape[0], 24, 1]);
      return [(degrees ? values.mul(8).add(15) : values).clone(), y];
    };
    return task(make(base.train), make(base.test), "numbers");
  });

/** A number and its powers to the fifth, as for a polynomial: [n, 5], a wave of it. */
export const powers = ({ count = 1000 } = {}): Task =>
  drawn(
    (n) => {
      const x = rand(n, 1).mul(6).sub(3);
      const all = stack(
        [1, 2, 3, 4, 5].map((k) => x.squeeze(1).pow(k)),
        1,
      );
      return [all.clone(), x.sin().add(randn(n, 1).mul(0.1)).clone()];
    },
    count,
    200,
    "numbers",
  );

/** The motions of the fourth series from somebody who rests most of the time. */
export const mostlyResting = (rest = 0.9): Task =>
  noGrad(() => {
    const base = fourth.motions({ count: 6000 });
    const thin = ([x, y]: Pair): Pair => {
      const labels = [...y.toTypedArray()].map(Number);
      // Of the others so many that the share of those who rest is as asked for.
      const keep = (1 - rest) / rest / 3;
      let seen = 0;
      const rows = labels.flatMap((label, i) =>
        label === 0 || Math.floor(++seen * keep) > Math.floor((seen - 1) * keep) ? [i] : [],
      );
      const index = tensor(Int32Array.from(rows));
      return [x.indexSelect(0, index).clone(), y.indexSelect(0, index).clone()];
    };
    return withData(base, thin(base.train), thin(base.test));
  });

/** The motions as a sensor gives them: thousandths of the earth's pull, which is on the third axis. */
export const rawMotions = (): Task =>
  noGrad(() => {
    const base = fourth.motions();
    const raw = ([x, y]: Pair): Pair => [
      x
        .mul(400)
        .add(tensor([0, 0, 1000]).reshape([1, 3, 1, 1]))
        .clone(),
      y,
    ];
    return withData(base, raw(base.train), raw(base.test));
  });

/** Spots of a garment that are nearly white, few as they are: int32 [n, 14, 14]. */
export const highlights = ({ count = 1500, above = 1.83 } = {}): Task =>
  noGrad(() => {
    const { train, test } = second.garments({ count, tests: 200 });
    const make = ([x]: Pair): Pair => [
      x.add(randn(...x.shape).mul(0.1)).clone(),
      x.gt(above).int().reshape([x.shape[0], 14, 14]).clone(),
    ];
    return task(make(train), make(test), "classes");
  });

/** Outlines of the second series in which the border between inside and outside is 255, as in PASCAL VOC. */
export const withBorders = (): Task =>
  noGrad(() => {
    const base = second.outlines({ count: 800 });
    const border = ([x, y]: Pair): Pair => {
      const edge = y.ne(y.roll(1, 2)).logicalOr(y.ne(y.roll(1, 1)));
      return [x, where(edge, y.mul(0).add(255), y).int().clone()];
    };
    return withData(base, border(base.train), border(base.test));
  });

/** All of one class, then all of the next, as the samples lie in folders, and never in another order. */
export const inFolders = (base: Task): Task => {
  const [x, y] = base.train;
  const labels = [...y.toTypedArray()].map(Number);
  const rows = [...labels.keys()].sort((a, b) => labels[a] - labels[b]);
  const sorted = noGrad(() => {
    const index = tensor(Int32Array.from(rows));
    return [x.indexSelect(0, index).clone().keep(), y.indexSelect(0, index).clone().keep()] as const;
  });
  return {
    ...base,
    batches: (size) => {
      let at = 0;
      return () =>
        noGrad(() => {
          if (at + size > labels.length) at = 0;
          at += size;
          return [sorted[0].narrow(0, at - size, size).clone(), sorted[1].narrow(0, at - size, size).clone()];
        });
    },
  };
};

/** Each column less its mean in the training data, divided by its deviation there. */
export const standardised = (base: Task): Task =>
  noGrad(() => {
    const [mean, deviation] = [base.train[0].mean(0, { keepdim: true }), base.train[0].std(0, { keepdim: true })];
    const make = ([x, y]: Pair): Pair => [x.sub(mean).div(deviation).clone(), y];
    return withData(base, make(base.train), make(base.test));
  });

/** Signals to be drawn again: [n, 3, 1, 48] twice. */
export const signals = ({ count = 2500 } = {}): Task =>
  noGrad(() => {
    const { train, test } = fourth.motions({ count, noise: 0.2 });
    const make = ([x]: Pair): Pair => {
      const scaled = x.div(0.7);
      return [scaled.clone(), scaled.clone()];
    };
    return task(make(train), make(test), "numbers");
  });

/** The communities of the third series, their nodes' features standardised. */
export const communities = (): ReturnType<typeof third.communities> =>
  noGrad(() => {
    const base = third.communities({ nodes: 300 });
    const [x, y] = base.train;
    const features = x
      .sub(x.mean(0, { keepdim: true }))
      .div(x.std(0, { keepdim: true }))
      .clone()
      .keep();
    return { ...base, train: [features, y], test: [features, base.test[1]], batches: () => () => [features, y] };
  });

/** Outlines seen through more noise, and whether each pixel is inside, as one number: [n, 1, 14, 14] twice. */
export const grainy = ({ count = 1500, noise = 1.7 } = {}): Task =>
  noGrad(() => {
    const { train, test } = second.outlines({ count });
    const make = ([x, y]: Pair): Pair => [
      x
        .add(randn(...x.shape).mul(noise))
        .div(Math.hypot(1.1, noise))
        .clone(),
      y.float().unsqueeze(1).clone(),
    ];
    return task(make(train), make(test), "binary");
  });

/** The views of the third series, those for tests as many as the statistics of features need. */
export const views = (): Task =>
  noGrad(() => {
    const base = third.views();
    const part = (from: number, count: number): Pair => [
      base.train[0].narrow(0, from, count).clone(),
      base.train[1].narrow(0, from, count).clone(),
    ];
    return task(part(0, 5400), part(5400, 600), "numbers");
  });

/** Features of two views, over the batch: each is to agree with its twin and with no other (Zbontar et al., Barlow Twins, ICML 2021). */
export const twins = (views: Tensor): Tensor => {
  const [a, b] = [0, 1].map((i) => {
    const z = views.select(1, i);
    const centred = z.sub(z.mean(0, { keepdim: true }));
    return centred.div(centred.square().mean(0, { keepdim: true }).add(1e-6).sqrt());
  });
  const alike = a.t().matmul(b).div(a.shape[0]);
  const own = F.oneHot(arange(0, alike.shape[0]).int(), alike.shape[0]).float();
  // What is off the diagonal counts less: there is more of it.
  return alike.sub(own).square().mul(own.mul(0.95).add(0.05)).sum();
};

/** So many readers of one text, each going on where it was: characters and those that follow, int32 [readers, length] twice, and whether they have begun again. */
export function readers(count: number, length: number): () => [Tensor, Tensor, boolean] {
  const text = readFileSync(createRequire(import.meta.url).resolve("assemblyscript/LICENSE"), "utf8")
    .toLowerCase()
    .replace(/[^a-z,.;]+/g, " ");
  const alphabet = [...new Set(text)].sort();
  // The last tenth is for tests (second/tasks.ts).
  const ids = Int32Array.from(text, (c) => alphabet.indexOf(c)).subarray(0, Math.floor(0.9 * text.length));
  const apart = Math.floor((ids.length - 1) / count);
  let at = -length;
  return () => {
    at += length;
    const again = at + length > apart;
    if (again) at = 0;
    const rows = (from: number) =>
      tensor(
        Int32Array.from(
          Array.from({ length: count }, (_, i) => [
            ...ids.subarray(i * apart + at + from, i * apart + at + from + length),
          ]).flat(),
        ),
      ).reshape([count, length]);
    return noGrad(() => [rows(0), rows(1), again]);
  };
}
