/** What the second series of programs learns: garments, text, tables, series, ratings. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { data, F, noGrad, rand, randint, randn, randperm, stack, type Tensor, tensor, where } from "lanegrad";
import { fashionMnistFiles } from "../../../examples/support/fashion-mnist.js";
import { type Task, task } from "../tasks.js";

type Pair = [Tensor, Tensor];

const pool = new Map<"train" | "test", Pair>();

/** Bytes of Fashion-MNIST, halved in each direction, one class after the other in turn: float32 [n, 1, 14, 14], int32 [n]. */
function bytes(which: "train" | "test", count: number): Pair {
  if (pool.size === 0) {
    const files = fashionMnistFiles();
    for (const [name, most] of [
      ["train", 6000],
      ["test", 1000],
    ] as const) {
      const { data: images, targets } = new data.FashionMNIST(files[name]);
      noGrad(() => {
        // The files have all of one class, then all of the next. No random number, so that a program does not depend on who is first.
        const perClass = images.shape[0] / 10;
        const rows = tensor(Int32Array.from({ length: most }, (_, i) => (i % 10) * perClass + Math.floor(i / 10)));
        const x = F.avgPool2d(images.indexSelect(0, rows).float().reshape([most, 1, 28, 28]), 2);
        pool.set(name, [x.clone().keep(), targets.indexSelect(0, rows).clone().keep()]);
      });
    }
  }
  const [x, y] = pool.get(which) as Pair;
  return [x.narrow(0, 0, count), y.narrow(0, 0, count)];
}

const standard = (x: Tensor): Tensor => x.div(255).sub(0.286).div(0.336);

interface GarmentOptions {
  count?: number;
  tests?: number;
  scale?: (x: Tensor) => Tensor;
  /** Share of the training labels that are drawn at random. */
  noise?: number;
}

/** Garments, 14 × 14, ten kinds. */
export const garments = ({ count = 4000, tests = 500, scale = standard, noise = 0 }: GarmentOptions = {}): Task =>
  noGrad(() => {
    const make = (which: "train" | "test", n: number): Pair => {
      const [x, y] = bytes(which, n);
      const labels = noise > 0 && which === "train" ? where(rand(n).lt(noise), randint(0, 10, [n]), y).int() : y;
      return [scale(x).clone(), labels.clone()];
    };
    return task(make("train", count), make("test", tests), "classes");
  });

/** Garments of a class below `split`, or of the others (whose classes then begin with 0). */
export const someGarments = (upper: boolean, split = 5, count = 4000): Task =>
  noGrad(() => {
    const choose = (which: "train" | "test", n: number): Pair => {
      const [x, y] = bytes(which, n);
      const rows = [...y.toTypedArray().keys()].filter((i) => y.toTypedArray()[i] >= split === upper);
      const index = tensor(Int32Array.from(rows));
      return [
        standard(x.indexSelect(0, index)).clone(),
        y
          .indexSelect(0, index)
          .sub(upper ? split : 0)
          .int()
          .clone(),
      ];
    };
    return task(choose("train", count), choose("test", 1000), "classes");
  });

/** Garments as grey values from 0 to 1, to be drawn again; with noise on the inputs where it is given. */
export const drawing = ({ noise = 0, count = 3000 } = {}): Task =>
  noGrad(() => {
    const make = (which: "train" | "test", n: number): Pair => {
      const y = bytes(which, n)[0].div(255).clone();
      const x = noise > 0 ? y.add(randn(...y.shape).mul(noise)) : y;
      return [x.sub(0.286).div(0.336).clone(), y];
    };
    return task(make("train", count), make("test", 400), "numbers");
  });

/** Which pixels of a garment belong to it: [n, 1, 14, 14] to int32 [n, 14, 14]. */
export const outlines = ({ count = 1500 } = {}): Task =>
  noGrad(() => {
    const make = (which: "train" | "test", n: number): Pair => {
      const [x] = bytes(which, n);
      const noisy = standard(x).add(randn(...x.shape).mul(0.5));
      return [noisy.clone(), x.gt(64).int().reshape([n, 14, 14]).clone()];
    };
    const base = task(make("train", count), make("test", 200), "classes");
    return base;
  });

/** The sixteen characters before, and the next one, of the Apache License. */
export function characters({ length = 16, count = 6000 } = {}): Task & { vocabulary: number } {
  const text = readFileSync(createRequire(import.meta.url).resolve("assemblyscript/LICENSE"), "utf8")
    .toLowerCase()
    .replace(/[^a-z,.;]+/g, " ");
  const alphabet = [...new Set(text)].sort();
  const ids = Int32Array.from(text, (c) => alphabet.indexOf(c));
  return noGrad(() => {
    const make = (n: number, from: number, to: number): Pair => {
      const starts = [...randint(from, to - length - 1, [n]).toTypedArray()];
      const x = Int32Array.from(starts.flatMap((s) => [...ids.subarray(s, s + length)]));
      const y = Int32Array.from(starts.map((s) => ids[s + length]));
      return [tensor(x).reshape([n, length]).clone(), tensor(y).clone()];
    };
    const cut = Math.floor(0.9 * ids.length);
    const base = task(make(count, 0, cut), make(500, cut, ids.length), "classes");
    return { ...base, vocabulary: alphabet.length };
  });
}

/** Which of two marks comes first in a row of twenty symbols: int32 [n, 20], two classes. */
export const marks = ({ count = 3000, labels = (y: Tensor) => y } = {}): Task =>
  noGrad(() => {
    const make = (n: number): Pair => {
      const x = randint(2, 12, [n, 20]).int();
      const first = randint(0, 10, [n]).int();
      const second = randint(10, 20, [n]).int();
      const y = randint(0, 2, [n]).int();
      const rows = [...Array(n).keys()];
      x.indexPut_([rows, first], y);
      x.indexPut_([rows, second], y.mul(-1).add(1).int());
      return [x.clone(), labels(y).clone()];
    };
    return task(make(count), make(400), "classes");
  });

/** Twenty-four values of a noisy sum of two waves, [n, 1, 1, 24], and the next one, [n, 1]. */
export const series = ({ count = 2000, noise = 0.1, scale = 1 } = {}): Task =>
  noGrad(() => {
    const make = (n: number): Pair => {
      const t = tensor(Float32Array.from({ length: 25 }, (_, i) => i)).unsqueeze(0);
      const wave = () => {
        const speed = rand(n, 1).mul(0.6).add(0.2);
        return t
          .mul(speed)
          .add(rand(n, 1).mul(2 * Math.PI))
          .sin();
      };
      const values = wave().add(wave()).add(randn(n, 25).mul(noise));
      return [values.narrow(1, 0, 24).reshape([n, 1, 1, 24]).clone(), values.narrow(1, 24, 1).mul(scale).clone()];
    };
    return task(make(count), make(300), "numbers");
  });

export const USERS = 60;
export const ITEMS = 80;

/** A user and an item, int32 [n, 2], and how much the one likes the other, [n, 1]: of rank three, with noise. */
export const ratings = ({ count = 3000, noise = 0.3 } = {}): Task =>
  noGrad(() => {
    const users = randn(USERS, 3);
    const items = randn(ITEMS, 3);
    const make = (n: number): Pair => {
      const u = randint(0, USERS, [n]);
      const i = randint(0, ITEMS, [n]);
      const score = users.indexSelect(0, u).mul(items.indexSelect(0, i)).sum(1).div(Math.sqrt(3));
      return [stack([u, i], 1).int().clone(), score.add(randn(n).mul(noise)).unsqueeze(1).clone()];
    };
    return task(make(count), make(500), "numbers");
  });

/** Eight measurements and whether something rare (a share of `rare`) has happened: [n, 8], [n, 1]. */
export const alarms = ({ count = 4000, rare = 0.03 } = {}): Task =>
  noGrad(() => {
    const make = (n: number): Pair => {
      const y = rand(n, 1).lt(rare).float();
      return [
        randn(n, 8)
          .add(y.mul(tensor([1.5, -1, 0.5, 0, 1, 0, 0, -1.5])))
          .clone(),
        y,
      ];
    };
    return task(make(count), make(600), "binary");
  });

/** Points of three spiral arms: [n, 2], three classes. */
export const spirals = ({ count = 1500, noise = 0.05 } = {}): Task =>
  noGrad(() => {
    const make = (n: number): Pair => {
      const y = randint(0, 3, [n]);
      const radius = rand(n);
      const angle = radius
        .mul(5)
        .add(y.float().mul((2 * Math.PI) / 3))
        .add(randn(n).mul(noise * 4));
      const x = stack([angle.cos().mul(radius), angle.sin().mul(radius)], 1).div(0.41);
      return [x.clone(), y.int().clone()];
    };
    return task(make(count), make(400), "classes");
  });

/** A table of customers whose second column is an income: [n, 6], two classes. */
export const customers = ({ income = (x: Tensor) => x, count = 2000 } = {}): Task =>
  noGrad(() => {
    const make = (n: number): Pair => {
      const x = randn(n, 6);
      const y = x
        .matmul(tensor([1, 1.5, -1, 0.5, 0, -0.5]))
        .add(x.select(1, 0).mul(x.select(1, 2)))
        .add(randn(n).mul(0.3))
        .gt(0)
        .int();
      const columns = [0, 1, 2, 3, 4, 5].map((i) => (i === 1 ? income(x.select(1, 1)) : x.select(1, i)));
      return [stack(columns, 1).clone(), y.clone()];
    };
    return task(make(count), make(400), "classes");
  });

/** Pairs of garments, [n, 2, 196], and whether they are of one kind, [n, 1]; some pairs are one image twice. */
export const pairs = ({ count = 3000, same = 0.02 } = {}): Task =>
  noGrad(() => {
    const make = (which: "train" | "test", n: number): Pair => {
      const [x, y] = bytes(which, which === "train" ? 3000 : 1000);
      const labels = y.toTypedArray();
      const byKind = Array.from({ length: 10 }, (_, k) => [...labels.keys()].filter((i) => labels[i] === k));
      const draw = (list: readonly number[]) => list[Math.floor(rand(1).item() * 0.999999 * list.length)];
      const left: number[] = [];
      const right: number[] = [];
      const alike: number[] = [];
      for (let k = 0; k < n; k++) {
        const a = Math.floor(rand(1).item() * 0.999999 * labels.length);
        const one = rand(1).item() < 0.5;
        const others = byKind[(labels[a] + 1 + Math.floor(rand(1).item() * 8.99)) % 10];
        const b = one ? (rand(1).item() < 2 * same ? a : draw(byKind[labels[a]])) : draw(others);
        left.push(a);
        right.push(b);
        alike.push(one ? 1 : 0);
      }
      const flat = standard(x).flatten(1);
      const rows = (list: number[]) => flat.indexSelect(0, tensor(Int32Array.from(list)));
      return [stack([rows(left), rows(right)], 1).clone(), tensor(Float32Array.from(alike)).unsqueeze(1).clone()];
    };
    return task(make("train", count), make("test", 400), "numbers");
  });

/** Garments with two questions: its kind, and whether it is one of the first five: int32 [n, 2]. */
export const twoQuestions = (): Task =>
  noGrad(() => {
    const { train, test } = garments();
    const both = ([x, y]: Pair): Pair => [
      x,
      stack([y, y.lt(5).int()], 1)
        .int()
        .clone(),
    ];
    return task(both(train), both(test), "numbers");
  });

/** Garments, and the probabilities of ten kinds instead of one kind: two images mixed at random. */
export const mixtures = ({ count = 3000 } = {}): Task =>
  noGrad(() => {
    const { train, test } = garments({ count });
    const mix = ([x, y]: Pair): Pair => {
      const n = x.shape[0];
      const other = randperm(n);
      const share = rand(n, 1).mul(0.4);
      const hot = F.oneHot(y, 10).float();
      const image = share.reshape([n, 1, 1, 1]);
      return [
        x.mul(image.neg().add(1)).add(x.indexSelect(0, other).mul(image)).clone(),
        hot.mul(share.neg().add(1)).add(hot.indexSelect(0, other).mul(share)).clone(),
      ];
    };
    const hot = ([x, y]: Pair): Pair => [x, F.oneHot(y, 10).float().clone()];
    return task(mix(train), hot(test), "numbers");
  });
