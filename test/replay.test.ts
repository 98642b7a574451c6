/** Consumed results give their bytes up and are computed again when somebody reads them (src/replay.ts). */
import { beforeEach, describe, expect, test } from "vitest";
import {
  autograd,
  F,
  manualSeed,
  memory,
  nn,
  noGrad,
  optim,
  rand,
  randint,
  randn,
  scope,
  type Tensor,
  zeros,
} from "../src/index.js";
import { observe } from "../src/observe.js";
import { hasGivenUp } from "../src/storage.js";

beforeEach(() => {
  manualSeed(0);
  // What an earlier test has read is held for some passes.
  for (let i = 0; i < 20; i++) zeros(1).requiresGrad_().sum().backward();
});

const bitsOf = (t: Tensor): Uint32Array => new Uint32Array((t.toTypedArray() as Float32Array).buffer);
/** As they are now, without a trace of the reading. */
const copyOf = (t: Tensor): Uint32Array => noGrad(() => bitsOf(t.clone()));
const same = (a: Uint32Array, b: Uint32Array): boolean => a.length === b.length && a.every((bits, i) => bits === b[i]);

/** Results of its forward by name, as the user's code sees them. */
class Watched extends nn.Module {
  conv1 = new nn.Conv2d(3, 16, 3, { padding: 1, bias: false });
  bn1 = new nn.BatchNorm2d(16);
  conv2 = new nn.Conv2d(16, 16, 3, { padding: 1 });
  bn2 = new nn.BatchNorm2d(16);
  up = new nn.ConvTranspose2d(16, 8, 4, 2, 1);
  fc = new nn.Linear(8 * 16 * 16, 5);
  seen: Record<string, Tensor> = {};

  forward(x: Tensor): Tensor {
    const note = (name: string, t: Tensor): Tensor => {
      this.seen[name] = t;
      return t;
    };
    const a = note("a conv", this.conv1(x));
    const b = note("b relu(bn)", F.relu(this.bn1(a)));
    const c = note("c conv", this.conv2(b));
    const d = note("d relu(bn + residual)", F.relu(this.bn2(c).add(b)));
    const e = note("e pool", F.maxPool2d(d, 2));
    const f = note("f average", F.avgPool2d(d, 2).mul(e));
    const g = note("g transposed", this.up(f));
    const h = note("h sigmoid", g.sigmoid());
    const i = note("i interpolated", F.interpolate(h, { scaleFactor: 2, mode: "bilinear" }).tanh());
    const j = note("j dropout", F.dropout(F.adaptiveAvgPool2d(i, 16), 0.5));
    return this.fc(note("k silu", F.silu(j)).flatten(1));
  }
}

function training(): { net: Watched; step: (onForward?: () => void) => void } {
  const net = new Watched();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.5, momentum: 0.9 });
  const step = (onForward?: () => void) => {
    const [x, y] = [rand(8, 3, 16, 16), randint(0, 5, [8])];
    optimizer.zeroGrad();
    const loss = F.crossEntropy(net(x), y);
    onForward?.();
    loss.backward();
    optimizer.step();
  };
  return { net, step };
}

describe("read after backward() and the optimizer's step", () => {
  test.each(["forwards", "backwards"])("every result has the bits it had, read %s", (order) => {
    const { net, step } = training();
    step();
    let expected: [string, Uint32Array][] = [];
    step(() => {
      expected = Object.entries(net.seen).map(([name, t]) => [name, copyOf(t)]);
    });
    const statistics = copyOf(net.bn1.runningMean as Tensor);
    // Reading them in the forward pass was no reason to hold them.
    const givenUp = Object.values(net.seen).filter((t) => hasGivenUp(t.block)).length;
    expect(givenUp).toBeGreaterThanOrEqual(8);
    if (order === "backwards") expected.reverse();
    for (const [name, bits] of expected) expect(same(bitsOf(net.seen[name]), bits), name).toBe(true);
    // Running statistics moved in the forward pass, and not again.
    expect(same(copyOf(net.bn1.runningMean as Tensor), statistics)).toBe(true);
  });

  test("training goes on to the bit as if nobody had read", () => {
    const run = (reads: boolean): Uint32Array[] => {
      manualSeed(3);
      const { net, step } = training();
      for (let i = 0; i < 4; i++) {
        step();
        if (reads) for (const t of Object.values(net.seen)) t.sum().item();
      }
      return net.parameters().map(copyOf);
    };
    const [plain, read] = [run(false), run(true)];
    plain.forEach((bits, i) => {
      expect(same(read[i], bits)).toBe(true);
    });
  });

  test("until the next backward(), and not longer", () => {
    const { net, step } = training();
    step();
    const before = net.seen["c conv"];
    step();
    expect(() => before.sum()).toThrow(/consumed by backward\(\).*readable only until the next backward\(\)/);
  });

  test("keep(), clone(), detach() and a new graph work on it", () => {
    const { net, step } = training();
    let expected: Uint32Array = new Uint32Array();
    const fresh = () => {
      step(() => {
        expected = copyOf(net.seen["c conv"]);
      });
      const c = net.seen["c conv"];
      return c;
    };
    const kept = fresh().keep();
    const keptBits = expected;
    const clone = fresh().clone();
    const cloneBits = expected;
    const parameter = new nn.Parameter(fresh().detach());
    const parameterBits = expected;
    const features = fresh().detach();
    const featureBits = expected;
    const w = randn(16, 16, 1, 1, { requiresGrad: true });
    F.conv2d(features, w).square().mean().backward();
    step();
    expect(same(bitsOf(kept), keptBits)).toBe(true);
    expect(same(bitsOf(clone), cloneBits)).toBe(true);
    expect(same(bitsOf(parameter), parameterBits)).toBe(true);
    expect(featureBits.length).toBe(features.numel());
    expect((w.grad as Tensor).abs().sum().item()).toBeGreaterThan(0);
  });

  test("a result that leaves a scope is computed before what it needs is gone", () => {
    const { net, step } = training();
    let expected: Uint32Array = new Uint32Array();
    const c = scope(() => {
      step(() => {
        expected = copyOf(net.seen["c conv"]);
      });
      return net.seen["c conv"];
    });
    expect(same(bitsOf(c), expected)).toBe(true);
  });

  test("a second loss on the detached results of a graph that has run", () => {
    const [first, second] = [new nn.Conv2d(3, 16, 3, { padding: 1 }), new nn.Conv2d(16, 16, 3, { padding: 1 })];
    for (let i = 0; i < 3; i++) {
      const features = F.relu(first(randn(4, 3, 16, 16)));
      const probe = second(features.detach());
      const expected = copyOf(probe);
      features.mean().backward();
      probe.square().mean().backward();
      expect(same(bitsOf(probe), expected)).toBe(true);
    }
  });

  test("a chain of a thousand large results", () => {
    const x = randn(64, 128, { requiresGrad: true });
    const chain = [x];
    for (let i = 0; i < 1000; i++) chain.push(chain[i].mul(1.001).sin());
    const expected = [1, 500, 999, 1000].map((i) => copyOf(chain[i]));
    chain[1000].sum().backward();
    for (const i of [3, 0, 1, 2]) expect(same(bitsOf(chain[[1, 500, 999, 1000][i]]), expected[i])).toBe(true);
  });

  test("autograd.grad, retainGraph, and results that another graph still needs", () => {
    const conv = new nn.Conv2d(3, 16, 3, { padding: 1 });
    const h = conv(randn(4, 3, 16, 16));
    const expected = copyOf(h);
    const squares = h.square();
    const sines = h.sin();
    squares.sum().backward(null, { retainGraph: true });
    expect(hasGivenUp(h.block)).toBe(false);
    autograd.grad(squares.mean(), [conv.weight]);
    // sin's gradient needs h, and has not been asked for.
    expect(hasGivenUp(h.block)).toBe(false);
    expect(same(bitsOf(h), expected)).toBe(true);
    sines.sum();
  });
});

test("a tensor that was written over since is an error that says so; parameters are set aside", () => {
  const conv = new nn.Conv2d(3, 16, 3, { padding: 1 });
  const x = randn(4, 3, 16, 16);
  const h = conv(x);
  h.mean().backward();
  noGrad(() => x.zero_());
  expect(() => h.sum()).toThrow(/conv2d: .*modified since; call keep\(\)/);
});

test("weights larger than the result are not set aside: the result is held", () => {
  const conv = new nn.Conv2d(64, 64, 3, { padding: 1 });
  const h = conv(randn(4, 64, 8, 8));
  const expected = copyOf(h);
  h.mean().backward();
  expect(hasGivenUp(h.block)).toBe(false);
  noGrad(() => conv.weight.zero_());
  expect(same(bitsOf(h), expected)).toBe(true);
});

test("what is read in every step is held in every step, what lies before it is not", () => {
  const { net, step } = training();
  const states: boolean[][] = [];
  for (let i = 0; i < 4; i++) {
    step();
    states.push(["h sigmoid", "c conv"].map((name) => hasGivenUp(net.seen[name].block)));
    net.seen["h sigmoid"].mean().item();
  }
  expect(states).toEqual([
    [true, true],
    [false, true],
    [false, true],
    [false, true],
  ]);
  // And given up again when nobody has read it for long.
  for (let i = 0; i < 20; i++) step();
  expect(hasGivenUp(net.seen["h sigmoid"].block)).toBe(true);
});

test("observers are told once", () => {
  const conv = new nn.Conv2d(3, 16, 3, { padding: 1 });
  const ran: string[] = [];
  const stop = observe({
    ran: (op) => ran.push(op),
    accumulates: () => undefined,
    unequal: () => undefined,
    clipped: () => undefined,
    refused: () => undefined,
    reading: false,
  });
  try {
    const h = conv(randn(4, 3, 16, 16));
    h.mean().backward();
    expect(hasGivenUp(h.block)).toBe(true);
    h.toTypedArray();
    expect(ran.filter((op) => op === "conv2d")).toHaveLength(1);
  } finally {
    stop();
  }
});

test("the memory of two steps is not needed at once", () => {
  const net = new nn.Sequential(
    ...Array.from({ length: 12 }, (_, i) => [
      new nn.Conv2d(i === 0 ? 3 : 16, 16, 3, { padding: 1 }),
      new nn.ReLU(),
    ]).flat(),
  );
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
  const one = 16 * 16 * 24 * 24 * 4;
  const before = memory().liveBytes;
  for (let i = 0; i < 3; i++) {
    optimizer.zeroGrad();
    net(zeros(16, 3, 24, 24))
      .square()
      .mean()
      .backward();
    optimizer.step();
    // Twenty-four results were made.
    expect(memory().liveBytes - before).toBeLessThan(4 * one);
  }
});
