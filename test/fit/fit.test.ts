/** fit: the loop itself, its options, callbacks, stopping, and what it refuses. */
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
import { problem, stateOf } from "./problem.js";

afterEach(() => {
  vi.restoreAllMocks();
});
const withoutSeconds = (epochs: readonly any[]) => epochs.map(({ seconds: _, ...rest }) => rest);

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

describe("early stopping", () => {
  /** Validation losses as they are told, and the weights after each epoch. */
  async function run(values: number[], options: any, epochs = values.length) {
    const p = problem();
    const weights: unknown[] = [];
    let at = 0;
    const history = await fit(p.net, {
      ...rest(p),
      epochs,
      metrics: { told: () => values[Math.min(at, values.length - 1)] },
      earlyStopping: { monitor: "validation.told", mode: "min", ...options },
      callbacks: {
        onEpochEnd: () => {
          weights.push(stateOf(p.net));
          at++;
        },
      },
    });
    return { history, weights, final: stateOf(p.net) };
  }

  test("stops after patience epochs without improvement, with the weights and buffers of the best one", async () => {
    const { history, weights, final } = await run([3, 2, 2.5, 2, 9, 1], { patience: 3 });
    expect([history.stopReason, history.epochs.length, history.best]).toEqual([
      "early-stopping",
      5,
      { epoch: 2, value: 2 },
    ]);
    expect(final).toEqual(weights[1]);
    expect(final).not.toEqual(weights[4]);
  });

  test("restores the best also when patience never fires", async () => {
    const { history, weights, final } = await run([3, 1, 2], { patience: 5 });
    expect([history.stopReason, history.best]).toEqual(["finished", { epoch: 2, value: 1 }]);
    expect(final).toEqual(weights[1]);
    const never = await run([3, 1, 2, 2, 2, 2, 2], { patience: Number.POSITIVE_INFINITY });
    expect([never.history.stopReason, never.final]).toEqual(["finished", never.weights[1]]);
  });

  test("mode, minDelta, restoreBest; NaN is no improvement", async () => {
    const up = await run([1, 2, 3, 2], { patience: 2, mode: "max" });
    expect([up.history.best, up.final]).toEqual([{ epoch: 3, value: 3 }, up.weights[2]]);
    const small = await run([3, 2.95, 2.9, 1], { patience: 2, minDelta: 0.5 });
    expect(small.history.best).toEqual({ epoch: 1, value: 3 });
    const last = await run([1, 2, 3, 4], { patience: 2, restoreBest: false });
    expect([last.history.stopReason, last.final]).toEqual(["early-stopping", last.weights[2]]);
    const nan = await run([Number.NaN, Number.NaN, 1], { patience: 2 });
    expect([nan.history.stopReason, nan.history.best]).toEqual(["early-stopping", null]);
    const late = await run([Number.NaN, 1, Number.NaN, 2], { patience: 3 });
    expect(late.history.best).toEqual({ epoch: 2, value: 1 });
  });
});

describe("ending", () => {
  test("an aborted signal ends training after the batch, and the history is returned", async () => {
    const p = problem();
    const controller = new AbortController();
    const history = await fit(p.net, {
      ...rest(p),
      epochs: 5,
      signal: controller.signal,
      callbacks: { onBatchEnd: ({ step }) => (step === 10 ? controller.abort() : undefined) },
    });
    expect([history.stopReason, history.steps, history.epochs.length]).toEqual(["aborted", 10, 1]);
    expect(p.net.training).toBe(true);
    const q = problem();
    const before = stateOf(q.net);
    const none = await fit(q.net, { ...rest(q), epochs: 5, signal: AbortSignal.abort() });
    expect([none.stopReason, none.steps, stateOf(q.net)]).toEqual(["aborted", 0, before]);
  });

  test("a timer can abort, also while a source keeps waiting", async () => {
    const p = problem();
    const busy = await fit(p.net, { ...rest(p), epochs: 1e6, signal: AbortSignal.timeout(60) });
    expect(busy.stopReason).toBe("aborted");
    let closed = 0;
    const hanging = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => {
          closed++;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const stuck = await fit(p.net, { ...rest(p), train: hanging, epochs: 1, signal: AbortSignal.timeout(20) });
    expect([stuck.stopReason, stuck.steps, closed]).toEqual(["aborted", 0, 1]);
  });

  test("stop() of a callback", async () => {
    const p = problem();
    const atEpoch = await fit(p.net, {
      ...rest(p),
      epochs: 5,
      callbacks: { onEpochEnd: (s) => (s.epoch === 2 ? s.stop() : undefined) },
    });
    expect([atEpoch.stopReason, atEpoch.epochs.length]).toEqual(["callback", 2]);
    const atBatch = await fit(p.net, {
      ...rest(p),
      epochs: 5,
      callbacks: { onBatchEnd: (s) => (s.step === 3 ? s.stop() : undefined) },
    });
    expect([atBatch.stopReason, atBatch.steps, atBatch.epochs.length]).toEqual(["callback", 3, 0]);
  });

  test("a loss that is not finite ends training before the weights change, and says where it came from", async () => {
    const p = problem({ dropout: 0 });
    let batches = 0;
    let before: unknown;
    const poisoned = (model: nn.Module, [x, y]: Tensor[]) => {
      if (++batches >= 9) x = tensor(new Float32Array(x.numel()).fill(Number.NaN), { shape: x.shape });
      before = stateOf(p.net);
      return [model(x), y] as const;
    };
    const history = await fit(p.net, { ...rest(p), validation: undefined, epochs: 3, forward: poisoned });
    expect([history.stopReason, history.steps, history.epochs.length]).toEqual(["non-finite", 8, 1]);
    expect(history.finding).toMatchObject({ rule: "non-finite", severity: "error", layer: "0", step: 9 });
    expect(history.finding?.why).toMatch(/the loss of step 9 is NaN: in anomaly mode, linear: .*in 0 \(Linear\)/);
    expect(history.finding?.evidence).toMatchObject({
      loss: Number.NaN,
      op: "linear",
      phase: "forward",
      nan: 256,
      "input 0": "NaN to NaN",
    });
    // Running statistics are those from before the diagnosis, weights those from before the step.
    expect(stateOf(p.net)["0.weight"]).toEqual((before as any)["0.weight"]);
    expect((stateOf(p.net)["1.num_batches_tracked"] as number[] | undefined)?.[0] ?? 9).toBe(9);
  });

  test("so does a gradient norm that is not finite, with clipNorm; neither does with terminateOnNaN: false", async () => {
    const run = async (options: object) => {
      const net = new nn.Linear(1, 1, { bias: false });
      noGrad(() => net.weight.fill_(0));
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const loss = (outputs: Tensor) => outputs.abs().sqrt().sum();
      const history = await fit(net, { train: [[tensor([[1]]), tensor([0])]], loss, optimizer, epochs: 2, ...options });
      return { history, weight: net.weight.item() };
    };
    const clipped = await run({ clipNorm: 1 });
    expect([clipped.history.stopReason, clipped.history.steps, clipped.weight]).toEqual(["non-finite", 0, 0]);
    expect(clipped.history.finding?.why).toMatch(
      /the gradients' norm of step 1 is .*: in anomaly mode, sqrt: its backward returned/,
    );
    const loose = await run({ terminateOnNaN: false });
    expect([loose.history.stopReason, loose.history.steps]).toEqual(["finished", 2]);
  });

  test("the best weights are restored, however it ends", async () => {
    const p = problem();
    let at: unknown;
    const history = await fit(p.net, {
      ...rest(p),
      epochs: 9,
      metrics: { told: () => (p.optimizer.paramGroups[0].lr < 0.1 ? 2 : 1) },
      earlyStopping: { patience: 5, monitor: "validation.told", mode: "min" },
      forward: (model, [x, y]) => [model(p.optimizer.paramGroups[0].lr < 0.06 ? x.mul(Number.NaN) : x), y],
      terminateOnNaN: true,
      callbacks: {
        onEpochEnd: (s) => {
          if (s.epoch === 1) at = stateOf(p.net);
          p.optimizer.paramGroups[0].lr *= 0.7;
        },
      },
    });
    expect([history.stopReason, history.best?.epoch]).toEqual(["non-finite", 1]);
    expect(stateOf(p.net)).toEqual(at);
  });
});

describe("callbacks and events", () => {
  test("come in order, are waited for, and see the state", async () => {
    const p = problem({ samples: 32 });
    const log: string[] = [];
    const names = [
      "onFitBegin",
      "onEpochBegin",
      "onBatchEnd",
      "onValidationEnd",
      "onEpochEnd",
      "onCheckpoint",
      "onFitEnd",
    ] as const;
    const recorder = (tag: string, wait: boolean) =>
      Object.fromEntries(
        names.map((name) => [
          name,
          async ({ epoch, batch, step }: any) => {
            if (wait) await new Promise((resolve) => setTimeout(resolve, 1));
            log.push(`${tag} ${name} ${epoch}.${batch}.${step}`);
          },
        ]),
      );
    const events = new EventTarget();
    const types: string[] = [];
    for (const type of ["fitbegin", "epochbegin", "batchend", "validationend", "epochend", "checkpoint", "fitend"]) {
      events.addEventListener(type, (event) => types.push(`${type} ${(event as CustomEvent).detail.step}`));
    }
    const saved: Uint8Array[] = [];
    await fit(p.net, {
      ...rest(p),
      epochs: 1,
      events,
      callbacks: [recorder("a", true), recorder("b", false)],
      checkpoint: { save: (bytes) => void saved.push(bytes) },
    });
    expect(log).toEqual(
      [
        "onFitBegin 0.0.0",
        "onEpochBegin 1.0.0",
        "onBatchEnd 1.1.1",
        "onBatchEnd 1.2.2",
        "onValidationEnd 1.2.2",
        "onEpochEnd 1.0.2",
        "onCheckpoint 1.0.2",
        "onFitEnd 1.0.2",
      ].flatMap((line) => [`a ${line}`, `b ${line}`]),
    );
    expect(types).toEqual([
      "fitbegin 0",
      "epochbegin 0",
      "batchend 1",
      "batchend 2",
      "validationend 2",
      "epochend 2",
      "checkpoint 2",
      "fitend 2",
    ]);
    expect(saved).toHaveLength(1);
  });

  test("state: losses, norms, means so far, learning rates", async () => {
    const p = problem();
    const losses: number[] = [];
    await fit(p.net, {
      ...rest(p),
      epochs: 1,
      clipNorm: 1,
      callbacks: {
        onBatchEnd: (s) => {
          losses.push(s.loss);
          expect([s.batches, s.epochs, s.samples]).toEqual([7, 1, s.batch === 7 ? 4 : 16]);
          expect(s.gradNorm).toBeGreaterThan(0);
          if (s.batch <= 2) expect(s.train.loss).toBeCloseTo(losses.reduce((a, b) => a + b) / s.batch, 10);
        },
        onEpochEnd: (s) => expect(s.history[0].train).toEqual(s.train),
      },
    });
    expect(losses).toHaveLength(7);
  });

  test("what a callback, the loss or the data throw comes out, with modes restored and sources closed", async () => {
    const p = problem();
    p.net.eval();
    let closed = false;
    function* source() {
      try {
        yield* p.train;
      } finally {
        closed = true;
      }
    }
    const options = { ...rest(p), train: source, epochs: 1 };
    const fail = () => {
      throw new Error("mine");
    };
    await expect(fit(p.net, { ...options, callbacks: { onBatchEnd: fail } })).rejects.toThrow("mine");
    expect([p.net.training, closed]).toEqual([false, true]);
    await expect(fit(p.net, { ...options, callbacks: { onBatchEnd: async () => fail() } })).rejects.toThrow("mine");
    await expect(fit(p.net, { ...options, loss: fail })).rejects.toThrow("mine");
  });

  test("a doctor is stepped, told of validation, and its failures change nothing", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const run = async (doctor?: any) => {
      const p = problem();
      const history = await fit(p.net, {
        ...rest(p),
        epochs: 2,
        metrics: { accuracy: metrics.accuracy },
        ...(doctor && { doctor }),
      });
      return [withoutSeconds(history.epochs), stateOf(p.net)];
    };
    const losses: number[] = [];
    const validations: any[] = [];
    const plain = await run();
    const good = {
      step: (loss: Tensor) => losses.push(loss.item()),
      validate: (m: any) => validations.push(m),
      findings: () => [],
    };
    expect(await run(good)).toEqual(plain);
    expect(losses).toHaveLength(14);
    expect(validations).toEqual((plain[0] as any[]).map(({ validation }) => validation));
    const bad = () => {
      throw new Error("ill");
    };
    expect(await run({ step: bad, validate: bad, findings: bad })).toEqual(plain);
    expect(warn).toHaveBeenCalledTimes(1);
    const p = problem();
    const found = {
      rule: "non-finite",
      severity: "error",
      layer: "3",
      step: 1,
      evidence: {},
      why: "because",
      advice: [],
    };
    const sick = { step: () => 0, validate: () => 0, findings: () => [found] };
    const history = await fit(p.net, {
      ...rest(p),
      epochs: 1,
      loss: (o: Tensor) => o.sum().mul(Number.NaN),
      doctor: sick,
    });
    expect(history.finding).toBe(found);
  });

  test("progress: a bar on a terminal, a line an epoch elsewhere, nothing unless asked for there", async () => {
    const write = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
    const before = process.stdout.isTTY;
    const printed = async (isTTY: boolean, progress?: boolean) => {
      write.mockClear();
      process.stdout.isTTY = isTTY;
      const p = problem();
      await fit(p.net, { ...rest(p), epochs: 2, ...(progress === undefined ? {} : { progress }) });
      return write.mock.calls.map(([text]) => text).join("");
    };
    try {
      expect(await printed(false)).toBe("");
      expect(await printed(true, false)).toBe("");
      const lines = (await printed(false, true)).split("\n");
      expect(lines).toHaveLength(3);
      expect(lines[1]).toMatch(/^epoch 2\/2: loss \d\.\d{4} \| validation loss \d\.\d{4} \| [\d.]+ s$/);
      expect(await printed(true)).toMatch(/epoch 1\/2 [█░]{24} \d+ % \| loss [\d.]+ \| [\d.]+ s left/);
    } finally {
      process.stdout.isTTY = before;
    }
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

test("wrong options are refused by name before anything happens", async () => {
  const p = problem();
  const good = { ...rest(p), epochs: 1 };
  const before = stateOf(p.net);
  const other = problem();
  const { StepLR, OneCycleLR, ReduceLROnPlateau } = optim.lrScheduler;
  const cases: [any, RegExp][] = [
    [{ train: undefined }, /train is missing/],
    [{ epoch: 3 }, /unknown option epoch/],
    [{ clip_norm: 3 }, /unknown option clip_norm \(did you mean clipNorm\?\)/],
    [{ epochs: 0 }, /epochs must be a whole number ≥ 1, found 0/],
    [{ epochs: 1.5 }, /epochs must be/],
    [{ loss: "mse" }, /loss must be a function of outputs and targets.*found "mse"/],
    [{ optimizer: {} }, /optimizer must be an optimizer/],
    [{ optimizer: other.optimizer }, /the optimizer updates none of the net's parameters/],
    [{ train: p.train.dataset }, /train is a dataset, which gives samples; wrap it/],
    [{ train: 5 }, /train must give batches: .* found 5/],
    [{ train: zeros(3) }, /train must give batches: .* found a Tensor/],
    [{ validation: "x" }, /validation must give batches/],
    [{ train: () => 3 }, /train\(\) returned 3, expected an iterable/],
    [{ train: [] }, /train gave no batches in epoch 1; is the dataset empty/],
    [{ validation: [] }, /validation gave no batches in epoch 1/],
    [{ train: [[zeros(1, 2)]] }, /expected batches \[inputs, targets\], found a list of 1/],
    [{ clipNorm: -1 }, /clipNorm must be a number > 0, found -1/],
    [{ clipValue: "a" }, /clipValue must be/],
    [{ metrics: { accuracy: 3 } }, /metrics\.accuracy must be a function/],
    [{ metrics: { loss: () => 1 } }, /metrics\.loss: the loss has that name already/],
    [{ metrics: { a: () => "x" } }, /metrics\.a must return a number or a tensor of one element, found "x"/],
    [{ loss: (o: Tensor) => o }, /loss must return a tensor of one element, found one of shape \[\d+, 3\]; reduce it/],
    [{ loss: () => 3 }, /loss must return a tensor of one element, found 3/],
    [{ earlyStopping: 3 }, /earlyStopping must be an object, as \{ patience: 5 \}, found 3/],
    [{ earlyStopping: { patience: 0 } }, /earlyStopping: patience must be/],
    [{ earlyStopping: { patience: 1, minDelta: -1 } }, /minDelta/],
    [{ earlyStopping: { patience: 1, wait: 1 } }, /unknown option wait/],
    [{ earlyStopping: { patience: 1, monitor: "validation.f1" } }, /mode must be "min" or "max"/],
    [
      { earlyStopping: { patience: 1, monitor: "validation.f1", mode: "max" } },
      /monitor "validation\.f1" is not there/,
    ],
    [
      { earlyStopping: { patience: 1, monitor: "validation.loss" }, validation: undefined },
      /needs validation, which is not given/,
    ],
    [{ scheduler: {} }, /scheduler must be a scheduler/],
    [
      { scheduler: { scheduler: new StepLR(p.optimizer, { stepSize: 1 }), every: "step" } },
      /every must be "epoch" or "batch", found "step"/,
    ],
    [{ scheduler: new StepLR(other.optimizer, { stepSize: 1 }) }, /another optimizer/],
    [{ scheduler: new OneCycleLR(problem().optimizer, { maxLr: 1, totalSteps: 10 }) }, /another optimizer/],
    [{ scheduler: { scheduler: new ReduceLROnPlateau(p.optimizer), every: "batch" } }, /known once an epoch/],
    [{ checkpoint: {} }, /checkpoint: give a path, or a function save/],
    [{ checkpoint: { path: "x", every: -1 } }, /every must be a whole number ≥ 0/],
    [{ resume: true }, /resume: true needs a checkpoint/],
    [{ callbacks: { onEpoch: () => 1 } }, /unknown option onEpoch/],
    [{ callbacks: { onEpochEnd: 1 } }, /callbacks\.onEpochEnd must be a function, found 1/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ events: {} }, /events must be an EventTarget/],
    [{ doctor: {} }, /doctor must be what watch\(\)/],
    [{ stepsPerEpoch: 0 }, /stepsPerEpoch must be/],
    [{ yieldEvery: -1 }, /yieldEvery must be/],
    [{ progress: "bar" }, /progress must be true or false/],
    [{ terminateOnNaN: 1 }, /terminateOnNaN must be true or false/],
  ];
  for (const [options, message] of cases) {
    p.optimizer.paramGroups[0].lr = 0;
    await expect(fit(p.net, { ...good, ...options }), String(message)).rejects.toThrow(message);
  }
  await expect(fit({} as any, good)).rejects.toThrow(
    /the first argument must be the net, an nn\.Module, found a Object/,
  );
  await expect(fit(new nn.ReLU(), good)).rejects.toThrow(/the net has no parameters/);
  await expect(fit(p.net, 3 as any)).rejects.toThrow(/the second argument must be an object of options/);
  const one = problem();
  const cycle = new OneCycleLR(one.optimizer, { maxLr: 1, totalSteps: 10 });
  await expect(fit(one.net, { ...rest(one), epochs: 2, scheduler: cycle })).rejects.toThrow(
    /OneCycleLR has 10 steps, for 2 epochs; say/,
  );
  const generator = p.train[Symbol.iterator]();
  await expect(fit(p.net, { ...good, train: generator as any, epochs: 2 })).rejects.toThrow(
    /in epoch 2; a generator runs only once/,
  );
  expect(stateOf(p.net)["0.weight"]).toEqual(before["0.weight"]);
});

const layer = (net: nn.Module, i: number): nn.Module => [...net.children()][i];

/** A problem as options. */
function rest(p: ReturnType<typeof problem>) {
  const { net: _, ...options } = p;
  return options;
}
