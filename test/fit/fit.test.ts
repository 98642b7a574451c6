/** fit: the loop itself, schedules, metrics. */
import {
  ArgumentError,
  F,
  fit,
  manualSeed,
  metrics,
  nn,
  noGrad,
  optim,
  randn,
  type Tensor,
  tensor,
  zeros,
} from "lanegrad";
import { afterEach, describe, expect, test, vi } from "vitest";
import { problem, rest, stateOf } from "./problem.js";

afterEach(() => {
  vi.restoreAllMocks();
});
describe("the loop", () => {
  test("learns, and returns the losses and metrics of every epoch", async () => {
    const p = problem();
    const { epochs, stopReason, steps, best, finding } = await fit(p.net, {
      ...rest(p),
      epochs: 8,
      metrics: { accuracy: metrics.accuracy },
    });
    expect([stopReason, steps, best, finding]).toEqual(["finished", 8 * 7, null, null]);
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    const [first, last] = [epochs[0], epochs[7]];
    expect(last.train.loss).toBeLessThan(0.6 * first.train.loss);
    expect(last.validation?.loss).toBeLessThan(0.6 * (first.validation?.loss as number));
    expect(last.validation?.accuracy).toBeGreaterThan(0.7);
    expect(last).toMatchObject({ lr: [0.1], step: 56 });
    expect(last.seconds).toBeGreaterThan(0);
  });

  test("does what the bare loop does, to the bit", async () => {
    const options = { loaderSeed: 4 };
    const a = problem(options);
    const scheduler = (optimizer: optim.SGD) => new optim.lrScheduler.StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
    const { epochs } = await fit(a.net, {
      ...rest(a),
      epochs: 3,
      clipNorm: 0.5,
      clipValue: 0.2,
      scheduler: scheduler(a.optimizer),
    });

    const b = problem(options);
    const schedule = scheduler(b.optimizer);
    const losses: [number, number][] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      b.net.train();
      let sum = 0;
      for (const [x, y] of b.train) {
        b.optimizer.zeroGrad();
        const loss = b.loss(b.net(x), y);
        loss.backward();
        nn.utils.clipGradNorm_(b.net.parameters(), 0.5);
        nn.utils.clipGradValue_(b.net.parameters(), 0.2);
        b.optimizer.step();
        sum += loss.item() * x.size(0);
      }
      b.net.eval();
      let validation = 0;
      noGrad(() => {
        for (const [x, y] of b.validation) validation += b.loss(b.net(x), y).item() * x.size(0);
      });
      schedule.step();
      losses.push([sum / 100, validation / 50]);
    }
    expect(stateOf(a.net)).toEqual(stateOf(b.net));
    expect(epochs.map(({ train, validation }) => [train.loss, validation?.loss])).toEqual(losses);
    expect(epochs.map(({ lr }) => lr)).toEqual([[0.1], [0.1], [0.05]]);
  });

  test("leaves modes as they were, and trains and validates in the right ones", async () => {
    const p = problem();
    layer(p.net, 1).eval();
    const seen: string[] = [];
    await fit(p.net, {
      ...rest(p),
      epochs: 2,
      forward: (net, [x, y]) => {
        seen.push(`${net.training}${layer(net, 1).training}${layer(net, 3).training}`);
        return [net(x), y];
      },
      callbacks: { onEpochBegin: () => void layer(p.net, 1).eval() },
    });
    expect(new Set(seen.slice(0, 7))).toEqual(new Set(["truefalsetrue"]));
    expect(new Set(seen.slice(7, 10))).toEqual(new Set(["falsefalsefalse"]));
    expect([p.net.training, layer(p.net, 1).training, layer(p.net, 3).training]).toEqual([true, false, true]);
  });

  test("takes any optimizer, iterables at once or asynchronous, functions that make them, other batches", async () => {
    manualSeed(0);
    for (const make of [optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad, optim.Adadelta]) {
      const net = new nn.Linear(2, 1);
      const x = randn(8, 2);
      async function* later() {
        for (let i = 0; i < 3; i++) {
          await Promise.resolve();
          yield { input: x };
        }
      }
      const { epochs, steps } = await fit(net, {
        train: later,
        loss: F.mseLoss,
        optimizer: new make(net.parameters(), { lr: 0.05 }),
        epochs: 2,
        forward: (model, { input }) => [model(input), input.sum(1, { keepdim: true })],
      });
      expect(steps).toBe(6);
      expect(epochs[1].train.loss).toBeLessThan(epochs[0].train.loss);
      expect(epochs[1].validation).toBeNull();
    }
  });

  test("means weigh batches by their samples", async () => {
    const net = new nn.Linear(1, 1);
    const sizes = [1, 3];
    const { epochs } = await fit(net, {
      train: sizes.map((n) => [zeros(n, 1), zeros(n, 1)]),
      loss: (outputs: Tensor) => outputs.sum().mul(0).add(outputs.size(0)),
      optimizer: new optim.SGD(net.parameters()),
      metrics: { size: (outputs: Tensor) => tensor(outputs.size(0)) },
      epochs: 1,
    });
    expect(epochs[0].train).toEqual({ loss: (1 * 1 + 3 * 3) / 4, size: 2.5 });
  });

  test("stepsPerEpoch cuts an endless source into epochs, and goes on where the last one ended", async () => {
    const net = new nn.Linear(1, 1);
    const seen: number[] = [];
    function* endless() {
      for (let i = 0; ; i++) yield [tensor([[i]]), zeros(1, 1)];
    }
    const optimizer = new optim.SGD(net.parameters(), { lr: 0 });
    const forward = (model: nn.Module, [x, y]: Tensor[]) => {
      seen.push(x.item());
      return [model(x), y] as const;
    };
    const options = { loss: F.mseLoss, optimizer, forward, stepsPerEpoch: 3, epochs: 3 };
    expect((await fit(net, { ...options, train: endless })).steps).toBe(9);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    // One that is shorter begins again.
    seen.length = 0;
    const four = [0, 1, 2, 3].map((i) => [tensor([[i]]), zeros(1, 1)]);
    await fit(net, { ...options, train: four, epochs: 2 });
    expect(seen).toEqual([0, 1, 2, 3, 0, 1]);
  });

  test("lets the event loop breathe", async () => {
    const p = problem();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const slow = (model: nn.Module, [x, y]: Tensor[]) => {
      const until = performance.now() + 3;
      while (performance.now() < until);
      return [model(x), y] as const;
    };
    await fit(p.net, { ...rest(p), validation: undefined, epochs: 1, forward: slow, yieldEvery: 4 });
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(2);
  });
});

describe("schedules", () => {
  test("are stepped after each epoch, or each batch where that is said", async () => {
    const p = problem();
    const { OneCycleLR, ExponentialLR } = optim.lrScheduler;
    const perBatch = new OneCycleLR(p.optimizer, { maxLr: 0.5, totalSteps: 14 });
    const rates: number[] = [];
    await fit(p.net, {
      ...rest(p),
      epochs: 2,
      scheduler: { scheduler: perBatch, every: "batch" },
      callbacks: { onBatchEnd: ({ optimizer }) => void rates.push(optimizer.paramGroups[0].lr) },
    }).catch(() => undefined);
    const q = problem();
    const reference = new OneCycleLR(q.optimizer, { maxLr: 0.5, totalSteps: 14 });
    q.optimizer.step();
    const expected: number[] = [];
    for (let i = 0; i < 13; i++) {
      reference.step();
      expected.push(reference.getLastLr()[0]);
    }
    expect(rates.slice(0, 13)).toEqual(expected);
    const r = problem();
    await fit(r.net, { ...rest(r), epochs: 3, scheduler: [new ExponentialLR(r.optimizer, { gamma: 0.5 })] });
    expect(r.optimizer.paramGroups[0].lr).toBeCloseTo(0.0125, 10);
  });

  test("ReduceLROnPlateau is fed with the validation loss, or what is said", async () => {
    for (const [metric, means] of [
      [undefined, "validation"],
      ["train.loss", "train"],
    ] as const) {
      const p = problem();
      const plateau = new optim.lrScheduler.ReduceLROnPlateau(p.optimizer);
      const step = vi.spyOn(plateau, "step");
      const { epochs } = await fit(p.net, {
        ...rest(p),
        epochs: 2,
        scheduler: metric ? { scheduler: plateau, metric } : plateau,
      });
      expect(step.mock.calls.map(([value]) => value)).toEqual(epochs.map((log) => log[means]?.loss));
    }
    const p = problem();
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(p.optimizer);
    const wrong = fit(p.net, { ...rest(p), epochs: 1, scheduler: { scheduler: plateau, metric: "validation.f1" } });
    await expect(wrong).rejects.toThrow(
      /metric "validation\.f1" is not there; there are train\.loss, validation\.loss/,
    );
  });
});

describe("metrics", () => {
  test("accuracy, top k, binary accuracy, mean absolute error", () => {
    const scores = tensor([
      [1, 3, 2],
      [5, 1, 4],
      [0, 1, 2],
      [2, 1, 0],
    ]);
    const labels = tensor([1, 2, 0, 0], { dtype: "int32" });
    expect(metrics.accuracy(scores, labels)).toBe(0.5);
    expect(metrics.topKAccuracy(2)(scores, labels)).toBe(0.75);
    expect(metrics.topKAccuracy(3)(scores, labels)).toBe(1);
    expect(metrics.accuracy(zeros(2, 3, 4), zeros(2, 4).int())).toBe(1);
    expect(metrics.binaryAccuracy(tensor([-1, 0, 2, 3]), tensor([0, 1, 1, 0]))).toBe(0.75);
    expect(metrics.binaryAccuracy(tensor([0.2, 0.7]), tensor([0, 1]), 0.5)).toBe(1);
    expect(metrics.meanAbsoluteError(tensor([1, 2]), tensor([3, 2]))).toBe(1);
    expect(() => metrics.accuracy(zeros(2, 3), zeros(3).int())).toThrow(/accuracy: .*found \[2, 3\] and \[3\]/);
    expect(() => metrics.topKAccuracy(0)).toThrow(ArgumentError);
    expect(() => metrics.meanAbsoluteError(zeros(2), zeros(2, 1))).toThrow(/must have one shape/);
  });
});

const layer = (net: nn.Module, i: number): nn.Module => [...net.children()][i];
