/** Schedules: arguments, resuming, warnings, refusals. Their learning rates: test/parity/schedules.test.ts. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { ArgumentError, nn, noGrad, ones, optim, StateDictError, type Tensor, tensor } from "../src/index.js";

const {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  StepLR,
} = optim.lrScheduler;

const leaf = () => tensor([1], { requiresGrad: true });
const sgd = (lr = 1) => new optim.SGD([leaf()], { lr, momentum: 0.9 });
const two = () => new optim.SGD([{ params: leaf(), lr: 0.5 }, { params: leaf() }], { lr: 1, momentum: 0.9 });
const lrs = (optimizer: optim.Optimizer<any>): number[] => optimizer.paramGroups.map((g) => g.lr);

/** The learning rates over some steps, the first before any. */
function follow(optimizer: optim.Optimizer<any>, scheduler: { step(): void }, steps: number): number[][] {
  const rates = [lrs(optimizer)];
  for (let i = 0; i < steps; i++) {
    optimizer.step();
    scheduler.step();
    rates.push(lrs(optimizer));
  }
  return rates;
}

type Make = (optimizer: optim.Optimizer<any>) => any;
const MAKERS: Record<string, Make> = {
  StepLR: (o) => new StepLR(o, { stepSize: 2, gamma: 0.5 }),
  MultiStepLR: (o) => new MultiStepLR(o, { milestones: [3, 5] }),
  ExponentialLR: (o) => new ExponentialLR(o, { gamma: 0.9 }),
  ConstantLR: (o) => new ConstantLR(o, { totalIters: 6 }),
  LinearLR: (o) => new LinearLR(o, { totalIters: 7 }),
  PolynomialLR: (o) => new PolynomialLR(o, { totalIters: 9, power: 2 }),
  CosineAnnealingLR: (o) => new CosineAnnealingLR(o, { tMax: 6 }),
  CosineAnnealingWarmRestarts: (o) => new CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 2 }),
  LambdaLR: (o) => new LambdaLR(o, { lrLambda: (e) => 1 / (1 + e) }),
  MultiplicativeLR: (o) => new MultiplicativeLR(o, { lrLambda: (e) => 1 / (1 + e) }),
  OneCycleLR: (o) => new OneCycleLR(o, { maxLr: 2, totalSteps: 12 }),
  CyclicLR: (o) => new CyclicLR(o, { baseLr: 0.1, maxLr: 1, stepSizeUp: 3 }),
  SequentialLR: (o) =>
    new SequentialLR(o, { schedulers: [new LinearLR(o), new CosineAnnealingLR(o, 5)], milestones: [4] }),
  ChainedScheduler: (o) => new ChainedScheduler([new ExponentialLR(o, 0.9), new StepLR(o, 2)]),
};

describe.each(Object.entries(MAKERS))("%s", (_name, make) => {
  test("resumes bit for bit, from state dicts that went through JSON", () => {
    const whole = two();
    const expected = follow(whole, make(whole), 10);
    const first = two();
    const scheduler = make(first);
    const start = follow(first, scheduler, 4);
    const saved = JSON.parse(
      JSON.stringify({ scheduler: scheduler.stateDict(), groups: first.stateDict().paramGroups }),
    );
    const resumed = two();
    const other = make(resumed);
    resumed.loadStateDict({ state: {}, paramGroups: saved.groups });
    other.loadStateDict(saved.scheduler);
    expect(other.getLastLr()).toEqual(start[4]);
    expect([...start, ...follow(resumed, other, 6).slice(1)]).toEqual(expected);
    // Copies: the scheduler that was saved goes on by itself.
    expect([...start, ...follow(first, scheduler, 6).slice(1)]).toEqual(expected);
  });

  test("a state dict that is not its own is refused, and nothing has changed", () => {
    const optimizer = two();
    const scheduler = make(optimizer);
    const before = JSON.stringify(scheduler.stateDict());
    const { lastLr: _, ...rest } = scheduler.stateDict();
    expect(() => scheduler.loadStateDict(rest)).toThrow(/missing lastLr, unexpected nothing/);
    expect(() => scheduler.loadStateDict({ ...rest, lastLr: [1, 2], momentum: 1 })).toThrow(/unexpected momentum/);
    expect(() => scheduler.loadStateDict({ ...rest, lastLr: [1] })).toThrow(/lastLr must be a list of 2/);
    expect(() => scheduler.loadStateDict(null)).toThrow(StateDictError);
    expect(JSON.stringify(scheduler.stateDict())).toBe(before);
  });

  test("a group added later is left alone, or scaled, but never NaN", () => {
    const optimizer = two();
    const scheduler = make(optimizer);
    optimizer.addParamGroup({ params: leaf(), lr: 0.25 });
    for (const rates of follow(optimizer, scheduler, 8)) expect(rates.every(Number.isFinite)).toBe(true);
  });

  test("takes an optimizer and nothing else", () => {
    expect(() => make(new nn.Linear(1, 1) as any)).toThrow(/the first argument must be an optimizer, found a/);
    expect(() => make(undefined as any)).toThrow(ArgumentError);
  });
});

describe("arguments", () => {
  test("by position, in PyTorch's order", () => {
    const run = (make: Make, steps = 4) => {
      const optimizer = sgd();
      return follow(optimizer, make(optimizer), steps).map(([lr]) => lr);
    };
    expect(run((o) => new StepLR(o, 2, 0.5))).toEqual([1, 1, 0.5, 0.5, 0.25]);
    expect(run((o) => new StepLR(o, 2, { gamma: 0.5 }))).toEqual([1, 1, 0.5, 0.5, 0.25]);
    expect(run((o) => new MultiStepLR(o, [1, 3], 0.5))).toEqual([1, 0.5, 0.5, 0.25, 0.25]);
    expect(run((o) => new ExponentialLR(o, 0.5))).toEqual([1, 0.5, 0.25, 0.125, 0.0625]);
    expect(run((o) => new LambdaLR(o, (e: number) => 2 ** -e))).toEqual([1, 0.5, 0.25, 0.125, 0.0625]);
    expect(run((o) => new ConstantLR(o, 0.5, 2))).toEqual([0.5, 0.5, 1, 1, 1]);
    expect(run((o) => new LinearLR(o, 0.25, 0.75, 2))).toEqual([0.25, 0.5, 0.75, 0.75, 0.75]);
    expect(run((o) => new SequentialLR(o, [new ConstantLR(o, 0.5, 9), new ExponentialLR(o, 0.5)], [2]))).toEqual([
      0.5, 0.5, 1, 0.5, 0.25,
    ]);
  });

  test("an epoch to go to: the schedule alone", () => {
    const optimizer = sgd();
    const scheduler = new StepLR(optimizer, 2, 0.5);
    scheduler.step(5);
    expect([scheduler.lastEpoch, optimizer.paramGroups[0].lr]).toEqual([5, 0.25]);
    const restarts = new CosineAnnealingWarmRestarts(sgd(), 2, 2);
    restarts.step(3.5);
    expect([restarts.lastEpoch, restarts.tCur, restarts.tI]).toEqual([3, 1.5, 4]);
    expect(() => restarts.step(-1)).toThrow(/epoch must be at least 0, found -1/);
  });

  test("lastEpoch resumes an optimizer whose state dict was loaded", () => {
    const first = sgd();
    const scheduler = new StepLR(first, { stepSize: 3, gamma: 0.5 });
    const expected = follow(first, scheduler, 9);
    const half = sgd();
    follow(half, new StepLR(half, { stepSize: 3, gamma: 0.5 }), 4);
    const resumed = sgd(99);
    expect(() => new StepLR(resumed, { stepSize: 3, lastEpoch: 4 })).toThrow(
      /lastEpoch 4 resumes a schedule, but parameter group 0 has no initialLr/,
    );
    resumed.loadStateDict(half.stateDict());
    // As in PyTorch the constructor makes a step: to epoch 5.
    const rest = follow(resumed, new StepLR(resumed, { stepSize: 3, gamma: 0.5, lastEpoch: 4 }), 4);
    expect(rest).toEqual(expected.slice(5));
    const group = new optim.SGD([{ params: leaf(), lr: 0.1, initialLr: 1 }]);
    expect(new LambdaLR(group, () => 0.5, { lastEpoch: 4 }).getLastLr()).toEqual([0.5]);
  });

  const o = sgd();
  const bad: [string, () => unknown, RegExp][] = [
    ["stepSize missing", () => new StepLR(o), /^StepLR: stepSize is missing/],
    ["stepSize 0", () => new StepLR(o, 0), /^StepLR: stepSize must be a whole number ≥ 1, found 0/],
    ["stepSize 1.5", () => new StepLR(o, 1.5), /found 1.5/],
    ["gamma negative", () => new StepLR(o, 1, -0.1), /^StepLR: gamma must be at least 0, found -0.1/],
    ["gamma NaN", () => new ExponentialLR(o, Number.NaN), /^ExponentialLR: gamma must be a finite number, found NaN/],
    ["gamma missing", () => new ExponentialLR(o), /^ExponentialLR: gamma is missing/],
    ["lastEpoch", () => new StepLR(o, 1, { lastEpoch: -2 }), /lastEpoch must be -1 or a whole number/],
    ["misspelt", () => new StepLR(o, { step_size: 1 } as any), /unknown option step_size \(did you mean stepSize\?\)/],
    ["milestones missing", () => new MultiStepLR(o), /^MultiStepLR: milestones is missing/],
    ["milestones descend", () => new MultiStepLR(o, [3, 1]), /milestones must be increasing, found 3 before 1/],
    ["milestones half", () => new MultiStepLR(o, [1.5]), /milestones\[0\] must be a whole number ≥ 0, found 1.5/],
    ["milestones no list", () => new MultiStepLR(o, 3 as any), /must be a list of epochs, found 3/],
    ["factor 0", () => new ConstantLR(o, 0), /^ConstantLR: factor must be more than 0/],
    ["factor 2", () => new ConstantLR(o, 2), /^ConstantLR: factor must be between 0 and 1, found 2/],
    ["startFactor", () => new LinearLR(o, -1), /^LinearLR: startFactor must be between 0 and 1, found -1/],
    ["endFactor", () => new LinearLR(o, 1, 1.1), /^LinearLR: endFactor must be between 0 and 1, found 1.1/],
    ["totalIters", () => new PolynomialLR(o, -1), /^PolynomialLR: totalIters must be a whole number ≥ 0, found -1/],
    ["tMax", () => new CosineAnnealingLR(o), /^CosineAnnealingLR: tMax is missing/],
    ["etaMin", () => new CosineAnnealingLR(o, 5, -1), /etaMin must be at least 0, found -1/],
    ["t0", () => new CosineAnnealingWarmRestarts(o, 0), /t0 must be a whole number ≥ 1, found 0/],
    ["tMult", () => new CosineAnnealingWarmRestarts(o, 1, 0.5), /tMult must be a whole number ≥ 1, found 0.5/],
    ["no function", () => new LambdaLR(o, 0.5 as any), /^LambdaLR: lrLambda must be a function, found 0.5/],
    [
      "missing function",
      () => new MultiplicativeLR(o),
      /^MultiplicativeLR: lrLambda must be a function, found undefined/,
    ],
    ["functions", () => new LambdaLR(o, [() => 1, () => 1]), /lrLambda has 2 items for 1 parameter groups/],
    [
      "gives no number",
      () => new LambdaLR(o, (() => "1") as any),
      /lrLambda must give a number, found "1" for epoch 0/,
    ],
    ["maxLr", () => new OneCycleLR(o, { totalSteps: 5 }), /^OneCycleLR: maxLr is missing/],
    [
      "totalSteps",
      () => new OneCycleLR(o, 1),
      /^OneCycleLR: totalSteps is missing; give it, or epochs and stepsPerEpoch/,
    ],
    ["stepsPerEpoch", () => new OneCycleLR(o, 1, { epochs: 3 }), /^OneCycleLR: stepsPerEpoch is missing/],
    ["totalSteps 0", () => new OneCycleLR(o, 1, 0), /totalSteps must be a whole number ≥ 1, found 0/],
    ["pctStart", () => new OneCycleLR(o, 1, 9, { pctStart: 1.5 }), /pctStart must be between 0 and 1, found 1.5/],
    ["divFactor", () => new OneCycleLR(o, 1, 9, { divFactor: 0 }), /divFactor must be more than 0, found 0/],
    [
      "annealStrategy",
      () => new OneCycleLR(o, 1, 9, { annealStrategy: "cosine" as any }),
      /annealStrategy must be "cos" or "linear", found "cosine"/,
    ],
    [
      "no momentum",
      () => new OneCycleLR(new optim.Adagrad([leaf()]), 1, 9),
      /needs an optimizer with momentum or betas, found Adagrad/,
    ],
    ["baseLr", () => new CyclicLR(o, { maxLr: 1 }), /^CyclicLR: baseLr is missing/],
    ["maxLrs", () => new CyclicLR(o, 0.1, [1, 2]), /^CyclicLR: maxLr has 2 items for 1 parameter groups/],
    [
      "mode",
      () => new CyclicLR(o, 0.1, 1, { mode: "square" as any }),
      /mode must be one of triangular, triangular2, exp_range, found square/,
    ],
    ["plateau's mode", () => new ReduceLROnPlateau(o, "low" as any), /mode must be "min" or "max", found "low"/],
    ["plateau's factor", () => new ReduceLROnPlateau(o, { factor: 1 }), /factor must be less than 1, found 1/],
    ["patience", () => new ReduceLROnPlateau(o, { patience: -1 }), /patience must be a whole number ≥ 0, found -1/],
    ["minLr", () => new ReduceLROnPlateau(o, { minLr: [0, 0] }), /minLr has 2 items for 1 parameter groups/],
    ["no schedulers", () => new SequentialLR(o), /^SequentialLR: schedulers must be a list of at least one/],
    [
      "milestones",
      () => new SequentialLR(o, [new StepLR(o, 1), new StepLR(o, 1)], []),
      /2 schedulers need 1 milestones, found 0/,
    ],
    [
      "milestones twice",
      () =>
        new SequentialLR(
          o,
          [1, 2, 3].map((n) => new StepLR(o, n)),
          [2, 2],
        ),
      /must be increasing, found 2 before 2/,
    ],
    [
      "another optimizer",
      () => new SequentialLR(o, [new StepLR(sgd(), 1)], []),
      /schedulers\[0\], a StepLR, has another optimizer/,
    ],
    [
      "a plateau",
      () => new ChainedScheduler([new ReduceLROnPlateau(o) as any]),
      /schedulers\[0\] is a ReduceLROnPlateau/,
    ],
    [
      "two optimizers",
      () => new ChainedScheduler([new StepLR(o, 1), new StepLR(sgd(), 1)]),
      /another optimizer than schedulers\[0\]/,
    ],
  ];
  test.each(bad)("refused: %s", (_, run, message) => {
    expect(run).toThrow(ArgumentError);
    expect(run).toThrow(message);
  });

  test("a constructor that throws has changed nothing", () => {
    const optimizer = sgd();
    const before = JSON.stringify({ ...optimizer.paramGroups[0], params: null });
    expect(() => new OneCycleLR(optimizer, 1, 9, { annealStrategy: "no" as any })).toThrow();
    expect(() => new CyclicLR(optimizer, 0.1, 1, { gamma: -1 })).toThrow();
    expect(() => new StepLR(optimizer, -1)).toThrow();
    expect(JSON.stringify({ ...optimizer.paramGroups[0], params: null })).toBe(before);
  });
});

describe("OneCycleLR", () => {
  test("beyond its last step", () => {
    const optimizer = sgd();
    const scheduler = new OneCycleLR(optimizer, 1, 3);
    follow(optimizer, scheduler, 3);
    const last = scheduler.getLastLr();
    for (let i = 0; i < 2; i++) {
      expect(() => scheduler.step()).toThrow(/^OneCycleLR: step 4 of a schedule of 3 steps/);
      expect([scheduler.lastEpoch, scheduler.getLastLr(), lrs(optimizer)]).toEqual([3, last, last]);
    }
  });

  test("a phase without length ends at once", () => {
    // PyTorch divides by zero here: 0.1·10 − 1 steps up.
    const optimizer = sgd();
    const rates = follow(optimizer, new OneCycleLR(optimizer, 1, 10, { pctStart: 0.1 }), 9);
    expect(rates[0]).toEqual([1]);
    expect(rates.flat().every(Number.isFinite)).toBe(true);
  });

  test("cycles the first beta and leaves the second", () => {
    const optimizer = new optim.Adam([leaf()], { betas: [0.5, 0.99] });
    new OneCycleLR(optimizer, 1, 10);
    expect(optimizer.paramGroups[0].betas).toEqual([0.95, 0.99]);
    expect(optimizer.defaults.betas).toEqual([0.5, 0.99]);
  });
});

describe("ReduceLROnPlateau", () => {
  test("takes numbers and tensors of one element, and nothing else", () => {
    const optimizer = sgd();
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
    expect(scheduler.getLastLr()).toEqual([1]);
    scheduler.step(1);
    scheduler.step(tensor(0.5) as Tensor);
    scheduler.step(tensor([0.25]));
    expect([scheduler.best, scheduler.numBadEpochs]).toEqual([0.25, 0]);
    scheduler.step(Number.NaN);
    expect(scheduler.getLastLr()).toEqual([0.5]);
    expect(() => (scheduler as any).step()).toThrow(/step takes the metric, .* found undefined/);
    expect(() => scheduler.step("1" as any)).toThrow(ArgumentError);
    expect(() => scheduler.step(ones(2))).toThrow();
    expect(scheduler.lastEpoch).toBe(4);
  });

  test("resumes", () => {
    const metrics = [5, 4, 4, 4, 4, 3, 3, 3, 3, 3];
    const [whole, half] = [sgd(), sgd()];
    const options = { patience: 1, cooldown: 1 };
    const [a, b] = [new ReduceLROnPlateau(whole, options), new ReduceLROnPlateau(half, options)];
    for (const metric of metrics) a.step(metric);
    for (const metric of metrics.slice(0, 4)) b.step(metric);
    const resumed = sgd();
    resumed.loadStateDict(half.stateDict());
    const c = new ReduceLROnPlateau(resumed, options);
    c.loadStateDict(JSON.parse(JSON.stringify(b.stateDict())));
    for (const metric of metrics.slice(4)) c.step(metric);
    expect([c.stateDict(), lrs(resumed)]).toEqual([a.stateDict(), lrs(whole)]);
    expect(() => c.loadStateDict({})).toThrow(StateDictError);
    c.loadStateDict(JSON.parse(JSON.stringify(new ReduceLROnPlateau(sgd(), options).stateDict())));
    expect(c.best).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("order of calls", () => {
  afterEach(() => vi.restoreAllMocks());

  test("a schedule stepped before its optimizer says so, once", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const optimizer = sgd();
    const [a, b] = [new StepLR(optimizer, 1), new ExponentialLR(optimizer, 0.9)];
    expect(warn).not.toHaveBeenCalled();
    for (let i = 0; i < 3; i++) for (const s of [a, b]) s.step();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toMatch(
      /^StepLR: step\(\) called before the optimizer's step\(\); call optimizer.step/,
    );
    const other = sgd();
    const good = new StepLR(other, 1);
    other.step();
    for (let i = 0; i < 3; i++) good.step();
    expect(warn).toHaveBeenCalledTimes(1);
  });

  test("the step uses the rate that was set", () => {
    const p = leaf();
    const optimizer = new optim.SGD([p], { lr: 1 });
    const scheduler = new ExponentialLR(optimizer, 0.5);
    p.grad = tensor([1]);
    const values: number[] = [];
    for (let i = 0; i < 3; i++) {
      optimizer.step();
      scheduler.step();
      values.push(noGrad(() => p.item()) as number);
    }
    expect(values).toEqual([0, -0.5, -0.75]);
  });
});
