/** What the third series of programs learns: sets, graphs, counts, words, motions, strips of digits. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { arange, cat, F, noGrad, rand, randint, randn, stack, type Tensor, tensor, where, zeros } from "lanegrad";
import * as second from "../second/tasks.js";
import { digits, type Task, task, withData } from "../tasks.js";

type Pair = [Tensor, Tensor];

/** A task of made-up numbers; `make` draws so many samples. */
const drawn = (make: (n: number) => Pair, count: number, tests: number, kind: "classes" | "numbers" | "binary"): Task =>
  noGrad(() => task(make(count), make(tests), kind));

/** Two digits beside each other, [n, 1, 14, 28], and which of the ten can be seen, [n, 10]. */
export const strips = ({ count = 2500 } = {}): Task =>
  noGrad(() => {
    const base = digits();
    const make = ([x, y]: Pair, n: number): Pair => {
      const [left, right] = [randint(0, x.shape[0], [n]), randint(0, x.shape[0], [n])];
      const seen = (rows: Tensor) => F.oneHot(y.indexSelect(0, rows), 10).float();
      return [
        cat([x.indexSelect(0, left), x.indexSelect(0, right)], 3).clone(),
        seen(left).maximum(seen(right)).clone(),
      ];
    };
    return task(make(base.train, count), make(base.test, 400), "binary");
  });

/** Garments twice, each with noise of its own and moved by a pixel or not: [n, 2, 1, 14, 14]. */
export const views = ({ count = 6000 } = {}): Task =>
  noGrad(() => {
    const base = second.garments({ count });
    const make = (x: Tensor): Pair => {
      const view = () => x.roll(randint(-1, 2, [1]).item(), 3).add(randn(...x.shape).mul(0.4));
      return [stack([view(), view()], 1).clone(), zeros(x.shape[0])];
    };
    // As many as in a batch, since the loss depends on how many there are to be told apart.
    return task(make(base.train[0]), make(base.test[0].narrow(0, 0, 64)), "numbers");
  });

/** Each view must find its twin among all others (Chen et al., SimCLR, ICML 2020). */
export const findTwin = (views: Tensor): Tensor => {
  const [a, b] = [views.select(1, 0), views.select(1, 1)];
  const alike = a.matmul(b.t()).div(0.2);
  const own = arange(0, alike.shape[0]).int();
  return F.crossEntropy(alike, own).add(F.crossEntropy(alike.t(), own)).div(2);
};

/** Two moons as points without labels: [n, 2]. */
export const cloud = ({ count = 2000 } = {}): Task =>
  drawn(
    (n) => {
      const angle = rand(n).mul(Math.PI);
      const lower = rand(n).lt(0.5).float();
      const sign = lower.mul(-2).add(1);
      const points = stack([angle.cos().mul(sign).add(lower), angle.sin().mul(sign).add(lower.mul(0.5))], 1);
      const x = points
        .add(randn(n, 2).mul(0.08))
        .sub(tensor([0.5, 0.25]))
        .div(tensor([0.87, 0.5]));
      return [x.clone(), zeros(n, 1)];
    },
    count,
    400,
    "numbers",
  );

/** Six measurements and a number of events, Poisson with a rate of their own. */
export const counts = ({ count = 2000 } = {}): Task =>
  drawn(
    (n) => {
      const x = randn(n, 6);
      const rate = x
        .matmul(tensor([0.6, -0.4, 0.3, 0, 0, 0.2]))
        .add(x.select(1, 0).mul(x.select(1, 3)).mul(0.3))
        .add(0.7)
        .clamp({ max: 3 })
        .exp();
      const events = Float32Array.from(rate.toTypedArray(), (r) => {
        // Knuth's way: uniform numbers are multiplied until their product is below e^-rate.
        let k = 0;
        for (let p = rand(1).item(); p > Math.exp(-Number(r)); p *= rand(1).item()) k++;
        return k;
      });
      return [x.clone(), tensor(events).unsqueeze(1).clone()];
    },
    count,
    400,
    "numbers",
  );

/** −log of a Poisson distribution whose rate's logarithm is given, without what does not depend on it. */
export const poisson = (logRate: Tensor, events: Tensor): Tensor => logRate.exp().sub(events.mul(logRate)).mean();

/** A wave of the first of three numbers, with noise that grows with the second; `scale` is the targets' unit. */
export const gusts = ({ count = 2000, scale = 1, noise = 1 } = {}): Task =>
  drawn(
    (n) => {
      const x = randn(n, 3);
      const spread = x
        .select(1, 1)
        .sigmoid()
        .mul(0.8 * noise)
        .add(0.1 * noise);
      const y = x
        .select(1, 0)
        .mul(1.5)
        .sin()
        .add(x.select(1, 2).mul(0.5))
        .add(spread.mul(randn(n)));
      return [x.clone(), y.unsqueeze(1).mul(scale).clone()];
    },
    count,
    400,
    "numbers",
  );

/** The loss of three quantiles, 0.1, 0.5 and 0.9 (Koenker & Bassett, 1978). */
export const quantiles = (outputs: Tensor, targets: Tensor): Tensor => {
  const levels = tensor([0.1, 0.5, 0.9]);
  const above = targets.sub(outputs);
  return above
    .mul(levels)
    .maximum(above.mul(levels.sub(1)))
    .mean();
};

/** Mean and logarithm of a variance against what was seen (Nix & Weigend, 1994). */
export const gaussian = (outputs: Tensor, targets: Tensor): Tensor => {
  const [mean, log] = outputs.chunk(2, 1);
  return targets.sub(mean).square().div(log.exp()).add(log).div(2).mean();
};

/** A damped pendulum: angle and speed, and what they are at so many times after, [n, 2 × steps]. */
export const pendulum = ({ count = 1200, steps = 8, dt = 0.2 } = {}): Task =>
  drawn(
    (n) => {
      const x = randn(n, 2);
      let [angle, speed] = [x.select(1, 0), x.select(1, 1)];
      const states: Tensor[] = [];
      for (let t = 0; t < 10 * steps; t++) {
        angle = angle.add(speed.mul(dt / 10));
        speed = speed.sub(
          angle
            .sin()
            .add(speed.mul(0.2))
            .mul(dt / 10),
        );
        if (t % 10 === 9) states.push(stack([angle, speed], 1));
      }
      return [
        x.clone(),
        cat(states, 1)
          .add(randn(n, 2 * steps).mul(0.02))
          .clone(),
      ];
    },
    count,
    200,
    "numbers",
  );

/** A cooling body: its age in seconds, 0 to 2000, and its temperature; or with both in units that suit a net. */
export const cooling = ({ seconds = true, count = 1500 } = {}): Task =>
  drawn(
    (n) => {
      const t = rand(n, 1).mul(2000);
      const y = t.div(-500).exp().mul(t.div(150).sin().add(1)).add(randn(n, 1).mul(0.05));
      return [(seconds ? t : t.sub(1000).div(577)).clone(), y.sub(0.3).div(0.4).clone()];
    },
    count,
    300,
    "numbers",
  );

/** A gas: temperature in kelvin, pressure in kilopascal, two ratios; and whether it will condense. */
export const gas = ({ count = 2000 } = {}): Task =>
  drawn(
    (n) => {
      const z = randn(n, 4);
      const y = z
        .matmul(tensor([-1.5, 1, 0.5, 0]))
        .add(z.select(1, 0).mul(z.select(1, 2)))
        .gt(0)
        .int();
      return [
        z
          .mul(tensor([6, 3, 1, 1]))
          .add(tensor([293, 101, 0, 0]))
          .clone(),
        y,
      ];
    },
    count,
    400,
    "classes",
  );

/** Points with a linear answer and noise. */
export const line = ({ count = 2000, noise = 0.3 } = {}): Task =>
  noGrad(() => {
    const w = randn(8, 1).div(2);
    const make = (n: number): Pair => {
      const x = randn(n, 8);
      return [x, x.matmul(w).add(randn(n, 1).mul(noise)).clone()];
    };
    return task(make(count), make(400), "numbers");
  });

/** Twenty-four points on a circle, a square or a triangle, turned at random and all around 0: [n, 24, 2]. */
export const outlinesOfShapes = ({ count = 1500, noise = 0.05 } = {}): Task =>
  drawn(
    (n) => {
      const y = randint(0, 3, [n]).int();
      const angle = rand(n, 24).mul(2 * Math.PI);
      const turn = rand(n, 1).mul(2 * Math.PI);
      // A regular polygon's outline in polar coordinates; with as many corners as 400 it is a circle.
      const corners = where(y.eq(0), y.mul(0).add(400), where(y.eq(1), y.mul(0).add(4), y.mul(0).add(3)));
      const part = corners
        .float()
        .reciprocal()
        .mul(2 * Math.PI)
        .unsqueeze(1);
      const radius = part
        .div(2)
        .cos()
        .div(angle.remainder(part).sub(part.div(2)).cos());
      const at = angle.add(turn);
      const x = stack([at.cos().mul(radius), at.sin().mul(radius)], 2);
      const centred = x.sub(x.mean(1, { keepdim: true })).add(randn(n, 24, 2).mul(noise));
      return [centred.div(0.55).clone(), y.clone()];
    },
    count,
    300,
    "classes",
  );

/** Twenty bits, −1 or 1, and whether an odd number of the first `odd` is set. */
export const parity = ({ count = 6000, odd = 20 } = {}): Task =>
  drawn(
    (n) => {
      const bits = randint(0, 2, [n, 20]);
      return [bits.float().mul(2).sub(1).clone(), bits.narrow(1, 0, odd).sum(1).remainder(2).int().clone()];
    },
    count,
    500,
    "classes",
  );

/** A graph of three communities, its nodes' noisy features, and the labels of a part of them; those of the others are masked by −100. */
export function communities({ nodes = 240, features = 24 } = {}): Task & { neighbours: Tensor } {
  return noGrad(() => {
    const y = arange(0, nodes).remainder(3).int();
    const same = y.unsqueeze(1).eq(y.unsqueeze(0)).float();
    const upper = rand(nodes, nodes).lt(same.mul(0.1).add(0.015)).float().triu(1);
    const links = upper
      .add(upper.t())
      .maximum(
        tensor(Float32Array.from({ length: nodes * nodes }, (_, i) => (i % (nodes + 1) === 0 ? 1 : 0))).reshape([
          nodes,
          nodes,
        ]),
      );
    const weight = links.sum(1).rsqrt();
    const neighbours = links.mul(weight.unsqueeze(1)).mul(weight.unsqueeze(0)).clone().keep();
    const x = randn(3, features).indexSelect(0, y).mul(0.5).add(randn(nodes, features)).div(1.1).clone();
    const known = rand(nodes).lt(0.5);
    const masked = (keep: Tensor) => where(keep, y, y.mul(0).sub(100)).int().clone();
    const train: Pair = [x, masked(known)];
    const test: Pair = [x, masked(known.logicalNot())];
    return {
      ...task(train, test, "classes"),
      neighbours,
      accuracy: (outputs, targets) => {
        const asked = targets.ge(0).float();
        return outputs.argmax(1).eq(targets).float().mul(asked).sum().item() / asked.sum().item();
      },
      // The graph is one sample.
      batches: () => () => train,
    };
  });
}

/** Words of licences: a word, one within two places of it, and three others; whether each is the one beside it. */
export function neighbours({ others = 3 } = {}): Task & { vocabulary: number } {
  const folder = dirname(createRequire(import.meta.url).resolve("typescript/package.json"));
  const text = readFileSync(`${folder}/NOTICE.txt`, "utf8").toLowerCase();
  const list = text.match(/[a-z]+/g) as string[];
  const alphabet = [...new Set(list)];
  const ids = list.map((word) => alphabet.indexOf(word));
  return noGrad(() => {
    const rows: number[] = [];
    const drawn = randint(0, ids.length, [4 * others * ids.length]).toTypedArray();
    let at = 0;
    for (let i = 0; i < ids.length; i++) {
      for (const d of [-2, -1, 1, 2]) {
        if (ids[i + d] === undefined) continue;
        // Others as often as they come in the text, so that how frequent a word is says nothing.
        const wrong = Array.from({ length: others }, () => ids[Number(drawn[at++ % drawn.length])]);
        rows.push(ids[i], ids[i + d], ...wrong);
      }
    }
    const x = tensor(Int32Array.from(rows)).reshape([-1, 2 + others]);
    const y = cat([zeros(x.shape[0], 1).add(1), zeros(x.shape[0], others)], 1);
    const chosen = rand(x.shape[0]).lt(0.9);
    const part = (mask: Tensor): Pair => {
      const index = mask.nonzero().squeeze(1).int();
      return [x.indexSelect(0, index).clone(), y.indexSelect(0, index).clone()];
    };
    return { ...task(part(chosen), part(chosen.logicalNot()), "binary"), vocabulary: alphabet.length };
  });
}

/** Sixteen characters, and for each of them the next: int32 [n, 16] twice. */
export function nextCharacters({ count = 4000 } = {}): Task & { vocabulary: number } {
  const { train, test, vocabulary } = second.characters({ count });
  return noGrad(() => {
    const shift = ([x, y]: Pair): Pair => [x, cat([x.narrow(1, 1, 15), y.unsqueeze(1)], 1).clone()];
    return { ...withData(second.characters({ count: 16 }), shift(train), shift(test)), vocabulary };
  });
}

/** Garments of which each kind is rarer than the one before, the last `ratio` times (Cui et al., CVPR 2019). */
export const longTail = (ratio: number, count = 6000): Task =>
  noGrad(() => {
    const base = second.garments({ count });
    const [x, y] = base.train;
    const seen = new Array<number>(10).fill(0);
    const rows = [...y.toTypedArray()].map(Number).flatMap((label, i) => {
      const most = (count / 10) * ratio ** (-label / 9);
      return seen[label]++ < most ? [i] : [];
    });
    const index = tensor(Int32Array.from(rows));
    return withData(base, [x.indexSelect(0, index).clone(), y.indexSelect(0, index).clone()], base.test);
  });

/** Symbols of a machine, [n, 16], of which a share of `rare` ends in a fault: there two certain ones follow each other. */
export const faults = ({ count = 3000, rare = 0.03 } = {}): Task =>
  drawn(
    (n) => {
      const x = randint(0, 8, [n, 16]).int();
      const y = rand(n).lt(rare).int();
      const at = randint(0, 15, [n]).int();
      const rows = arange(0, n).int();
      for (const [symbol, d] of [
        [8, 0],
        [9, 1],
      ]) {
        const there = at.add(d).int();
        const old = x.gather(1, there.unsqueeze(1)).squeeze(1);
        x.indexPut_([rows, there], where(y.eq(1), y.mul(0).add(symbol), old).int());
      }
      return [x.clone(), y];
    },
    count,
    500,
    "classes",
  );

/** The marks of the second series in rows of which the end is padding (12); some rows have nothing else, as happens in logs. */
export const padded = ({ empty = 0.01, count = 2000 } = {}): Task =>
  noGrad(() => {
    const { train, test } = second.marks({ count });
    const pad = ([x, y]: Pair, share: number): Pair => {
      const n = x.shape[0];
      const length = where(rand(n).lt(share), zeros(n), randint(12, 21, [n]).float());
      const beyond = arange(0, 20).unsqueeze(0).ge(length.unsqueeze(1));
      return [where(beyond, x.mul(0).add(12), x).int().clone(), y];
    };
    return task(pad(train, empty), pad(test, 0), "classes");
  });

/** Garments upside down: another task for which the first one's features are of use. */
export const upsideDown = ({ count = 3000 } = {}): Task =>
  noGrad(() => {
    const base = second.garments({ count });
    const turn = ([x, y]: Pair): Pair => [x.flip(2).clone(), y];
    return withData(base, turn(base.train), turn(base.test));
  });
