/** Adam, AdamW, RMSprop, Adagrad, Adadelta: against PyTorch's formulas in float64, and what all optimizers have in common. */
import { afterEach, describe, expect, test } from "vitest";
import { ArgumentError, manualSeed, nn, optim, randn, StateDictError, type Tensor, tensor } from "../src/index.js";
import { expectClose } from "./support/compare.js";

const TOLERANCE = { atol: 2e-6, rtol: 1e-5 };

type Options = Record<string, any>;
/** A step for one parameter: its new values. State is kept in the closure. */
type Step = (values: number[], grads: readonly number[]) => number[];

/** Signed and with its L2 penalty. */
const direction = (o: Options, values: readonly number[], grads: readonly number[]): number[] =>
  grads.map((g, i) => (o.maximize ? -g : g) + (o.weightDecay ?? 0) * values[i]);

function naiveAdam(o: Options, decoupled: boolean): Step {
  const { lr = 0.001, betas = [0.9, 0.999], eps = 1e-8, amsgrad = false } = o;
  const { weightDecay = decoupled ? 0.01 : 0 } = o;
  const [m, v, x]: number[][] = [[], [], []];
  let step = 0;
  return (values, grads) => {
    step++;
    const d = direction({ ...o, weightDecay: decoupled ? 0 : weightDecay }, values, grads);
    return values.map((p, i) => {
      m[i] = betas[0] * (m[i] ?? 0) + (1 - betas[0]) * d[i];
      v[i] = betas[1] * (v[i] ?? 0) + (1 - betas[1]) * d[i] ** 2;
      x[i] = Math.max(x[i] ?? 0, v[i]);
      const kept = decoupled ? p * (1 - lr * weightDecay) : p;
      const mean = m[i] / (1 - betas[0] ** step);
      return kept - (lr * mean) / (Math.sqrt((amsgrad ? x : v)[i] / (1 - betas[1] ** step)) + eps);
    });
  };
}

function naiveRMSprop(o: Options): Step {
  const { lr = 0.01, alpha = 0.99, eps = 1e-8, momentum = 0, centered = false } = o;
  const [v, a, m]: number[][] = [[], [], []];
  return (values, grads) => {
    const d = direction(o, values, grads);
    return values.map((p, i) => {
      v[i] = alpha * (v[i] ?? 0) + (1 - alpha) * d[i] ** 2;
      a[i] = alpha * (a[i] ?? 0) + (1 - alpha) * d[i];
      const scaled = d[i] / (Math.sqrt(centered ? v[i] - a[i] ** 2 : v[i]) + eps);
      m[i] = momentum * (m[i] ?? 0) + scaled;
      return p - lr * (momentum > 0 ? m[i] : scaled);
    });
  };
}

function naiveAdagrad(o: Options): Step {
  const { lr = 0.01, lrDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 } = o;
  const sum: number[] = [];
  let step = 0;
  return (values, grads) => {
    const rate = lr / (1 + step++ * lrDecay);
    const d = direction(o, values, grads);
    return values.map((p, i) => {
      sum[i] = (sum[i] ?? initialAccumulatorValue) + d[i] ** 2;
      return p - (rate * d[i]) / (Math.sqrt(sum[i]) + eps);
    });
  };
}

function naiveAdadelta(o: Options): Step {
  const { lr = 1, rho = 0.9, eps = 1e-6 } = o;
  const [v, a]: number[][] = [[], []];
  return (values, grads) => {
    const d = direction(o, values, grads);
    return values.map((p, i) => {
      v[i] = rho * (v[i] ?? 0) + (1 - rho) * d[i] ** 2;
      const delta = (Math.sqrt((a[i] ?? 0) + eps) / Math.sqrt(v[i] + eps)) * d[i];
      a[i] = rho * (a[i] ?? 0) + (1 - rho) * delta ** 2;
      return p - lr * delta;
    });
  };
}

const NAIVE: Record<string, (o: Options) => Step> = {
  Adam: (o) => naiveAdam(o, false),
  AdamW: (o) => naiveAdam(o, true),
  RMSprop: naiveRMSprop,
  Adagrad: naiveAdagrad,
  Adadelta: naiveAdadelta,
};
const make = (name: string, params: any, ...rest: any[]): optim.Optimizer<any> =>
  new (optim as any)[name](params, ...rest);

const CASES: [string, Options][] = [
  ["Adam", {}],
  ["Adam", { lr: 0.1, betas: [0.5, 0.9], eps: 1e-3 }],
  ["Adam", { weightDecay: 0.1, maximize: true }],
  ["Adam", { lr: 0.01, amsgrad: true, weightDecay: 0.01 }],
  ["AdamW", {}],
  ["AdamW", { lr: 0.1, weightDecay: 0.5, amsgrad: true }],
  ["AdamW", { lr: 0.1, weightDecay: 0.5, maximize: true }],
  ["RMSprop", {}],
  ["RMSprop", { lr: 0.1, alpha: 0.8, weightDecay: 0.1, eps: 1e-4 }],
  ["RMSprop", { momentum: 0.9, maximize: true }],
  ["RMSprop", { centered: true, alpha: 0.9, eps: 1e-3 }],
  ["RMSprop", { centered: true, momentum: 0.5, alpha: 0.9, eps: 1e-3, maximize: true, weightDecay: 0.2 }],
  ["Adagrad", {}],
  ["Adagrad", { lr: 0.5, lrDecay: 0.3, weightDecay: 0.1, initialAccumulatorValue: 1, eps: 1e-4 }],
  ["Adagrad", { maximize: true }],
  ["Adadelta", {}],
  ["Adadelta", { lr: 0.3, rho: 0.5, eps: 1e-2, weightDecay: 0.2, maximize: true }],
];
const NAMES = Object.keys(NAIVE);

const leaf = (values: number[]) => tensor(values, { requiresGrad: true });
const numbers = (n: number, seed: number) =>
  Array.from({ length: n }, (_, i) => Math.fround(Math.sin(seed * 97 + i * 1.7) + 0.01));

describe.each(CASES)("%s %o", (name, options) => {
  test("takes PyTorch's steps, each parameter counting its own", () => {
    const sizes = [1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 1000];
    const params = sizes.map((n) => leaf(numbers(n, n)));
    const optimizer = make(name, params, options);
    const naive = sizes.map(() => NAIVE[name](options));
    const expected = sizes.map((n) => numbers(n, n));
    for (let step = 0; step < 12; step++) {
      params.forEach((p, i) => {
        // Every parameter but the first has no gradient now and then.
        const skipped = i > 0 && step % (i + 1) === i - 1;
        const grad = numbers(sizes[i], sizes[i] + step + 1);
        p.grad = skipped ? null : tensor(grad);
        if (!skipped) expected[i] = naive[i](expected[i], grad);
      });
      optimizer.step();
    }
    for (const [i, p] of params.entries())
      expectClose(p.toTypedArray(), expected[i], TOLERANCE, `${sizes[i]} elements`);
  });

  test("resumes bit for bit, in groups, from a state dict that went through JSON's shapes", () => {
    const build = () => {
      manualSeed(4);
      const net = new nn.Sequential(new nn.Linear(6, 5), new nn.Tanh(), new nn.Linear(5, 1));
      const groups = [{ params: net.at(0).parameters(), lr: 0.02 }, { params: net.at(2).parameters() }];
      return { net, optimizer: make(name, groups, options) };
    };
    const x = randn(16, 6);
    const train = ({ net, optimizer }: ReturnType<typeof build>, steps: number) => {
      for (let i = 0; i < steps; i++) {
        optimizer.zeroGrad();
        net(x).sub(0.5).square().mean().backward();
        optimizer.step();
      }
    };
    const whole = build();
    train(whole, 10);
    const first = build();
    train(first, 4);
    const saved = { net: first.net.stateDict(), optimizer: first.optimizer.stateDict() };
    const resumed = build();
    resumed.optimizer.paramGroups[0].lr = 99;
    resumed.net.loadStateDict(saved.net);
    resumed.optimizer.loadStateDict(saved.optimizer);
    train(resumed, 6);
    const bits = ({ net, optimizer }: ReturnType<typeof build>) =>
      net.parameters().map((p) => {
        const state = Object.entries(optimizer.state.get(p) ?? {});
        return [p.toTypedArray(), state.map(([n, s]) => [n, typeof s === "number" ? s : s.toTypedArray()])];
      });
    expect(bits(resumed)).toEqual(bits(whole));
    // The saved tensors were copied, not shared.
    train(first, 6);
    expect(bits(first)).toEqual(bits(whole));
  });
});

describe.each(NAMES)("%s", (name) => {
  const step = (options: Options, values: number[], grads: number[], times = 1) => {
    const p = leaf(values);
    const optimizer = make(name, [p], options);
    for (let i = 0; i < times; i++) {
      p.grad = tensor(grads);
      optimizer.step();
    }
    return { p, state: optimizer.state.get(p) as Record<string, Tensor> };
  };

  test("NaN and infinity stay in their own elements", () => {
    const values = numbers(11, 3);
    const grads = numbers(11, 4);
    const clean = step({}, values, grads, 2).p.toTypedArray();
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [at, value] of [0, 5, 10].map((at, i) => [at, bad[i]])) {
      const spoilt = [...grads];
      spoilt[at] = value;
      const found = step({}, values, spoilt, 2).p.toTypedArray();
      expect(found[at]).toBeNaN();
      found[at] = clean[at];
      expect(found).toEqual(clean);
    }
  });

  test("without weight decay an infinite parameter spoils no state", () => {
    const { p, state } = step({ weightDecay: 0 }, new Array(9).fill(Number.POSITIVE_INFINITY), new Array(9).fill(1));
    expect([...p.toTypedArray()]).toEqual(new Array(9).fill(Number.POSITIVE_INFINITY));
    for (const value of Object.values(state)) {
      if (typeof value !== "number") expect([...value.toTypedArray()].every(Number.isFinite)).toBe(true);
    }
  });

  test("flushes subnormal state to zero", () => {
    // 1e-20² is subnormal, and so is the smallest of these in a mean.
    const { state } = step({}, new Array(7).fill(1), [1e-20, -1e-20, 1e-19, 1e-38, -1e-38, 1e-30, 0]);
    for (const [key, value] of Object.entries(state)) {
      if (typeof value === "number") continue;
      const subnormal = [...value.toTypedArray()].filter((v) => v !== 0 && Math.abs(v) < 2 ** -126);
      expect(subnormal, key).toEqual([]);
    }
    expect(Object.keys(state)).toContain("step");
  });

  test("a parameter without a gradient has no state and stays", () => {
    const [a, b] = [leaf([1, 2]), leaf([3, 4])];
    const optimizer = make(name, [a, b], { weightDecay: 0.1 });
    a.grad = tensor([1, 1]);
    optimizer.step();
    expect(optimizer.state.has(b)).toBe(false);
    expect(b.toArray()).toEqual([3, 4]);
  });

  test("an empty parameter, a later group and changed options", () => {
    const [a, b, empty] = [leaf([1]), leaf([1]), tensor([], { requiresGrad: true })];
    const optimizer = make(name, [a, empty], { lr: 0.1 });
    optimizer.addParamGroup({ params: b, lr: 0 });
    for (const p of [a, b]) p.grad = tensor([1]);
    empty.grad = tensor([]);
    optimizer.step();
    expect(a.item()).not.toBe(1);
    expect(b.item()).toBe(1);
    optimizer.paramGroups[1].lr = 0.1;
    const before = a.item();
    optimizer.paramGroups[0].lr = 0;
    optimizer.step();
    expect(a.item()).toBe(before);
    expect(b.item()).not.toBe(1);
  });

  test("refuses negative options, by name and number", () => {
    const { defaults } = make(name, [leaf([1])]);
    for (const [option, value] of Object.entries(defaults)) {
      if (typeof value !== "number") continue;
      const expected = new RegExp(`^${name}: ${option} must not be negative, found -0.5`);
      expect(() => make(name, [leaf([1])], { [option]: -0.5 })).toThrow(expected);
      expect(() => make(name, [leaf([1])], { [option]: Number.NaN })).toThrow(ArgumentError);
      expect(() => make(name, [{ params: [leaf([1])], [option]: -0.5 }])).toThrow(expected);
    }
    expect(() => make(name, [leaf([1])], { weight_decay: 0 })).toThrow(/did you mean weightDecay/);
  });

  test("refuses another optimizer's state dict, and nothing has changed", () => {
    const p = leaf([1]);
    const optimizer = make(name, [p], { lr: 0.5 });
    const other = new optim.SGD([leaf([1])], { lr: 0.25 });
    expect(() => optimizer.loadStateDict(other.stateDict())).toThrow(StateDictError);
    expect(() => optimizer.loadStateDict(other.stateDict())).toThrow(/group 0 lacks .*another optimizer/);
    expect(optimizer.paramGroups[0].lr).toBe(0.5);
  });
});

describe("arguments", () => {
  const params = () => [leaf([1])];
  const group = (optimizer: optim.Optimizer<any>) => {
    const { params: _, ...options } = optimizer.paramGroups[0];
    return options;
  };

  test("defaults are PyTorch's", () => {
    const [adam, shared] = [new optim.Adam(params()), { eps: 1e-8, amsgrad: false, maximize: false }];
    expect(group(adam)).toEqual({ lr: 0.001, betas: [0.9, 0.999], weightDecay: 0, ...shared });
    expect(group(new optim.AdamW(params()))).toEqual({ ...group(adam), weightDecay: 0.01 });
    expect(group(new optim.RMSprop(params()))).toEqual({
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-8,
      weightDecay: 0,
      momentum: 0,
      centered: false,
      maximize: false,
    });
    expect(group(new optim.Adagrad(params()))).toEqual({
      lr: 0.01,
      lrDecay: 0,
      weightDecay: 0,
      initialAccumulatorValue: 0,
      eps: 1e-10,
      maximize: false,
    });
    expect(group(new optim.Adadelta(params()))).toEqual({
      lr: 1,
      rho: 0.9,
      eps: 1e-6,
      weightDecay: 0,
      maximize: false,
    });
  });

  test("go by position in PyTorch's order, the rest in an object", () => {
    expect(group(new optim.Adam(params(), 0.5, [0.1, 0.2], 1e-4, 0.3, true, { maximize: true }))).toEqual({
      lr: 0.5,
      betas: [0.1, 0.2],
      eps: 1e-4,
      weightDecay: 0.3,
      amsgrad: true,
      maximize: true,
    });
    expect(group(new optim.AdamW(params(), 0.5, { weightDecay: 0.2 }))).toMatchObject({ lr: 0.5, weightDecay: 0.2 });
    const rms = new optim.RMSprop(params(), 0.1, 0.2, 0.3, 0.4, 0.5, true);
    expect(group(rms)).toMatchObject({
      lr: 0.1,
      alpha: 0.2,
      eps: 0.3,
      weightDecay: 0.4,
      momentum: 0.5,
      centered: true,
    });
    const adagrad = new optim.Adagrad(params(), 0.1, 0.2, 0.3, 0.4, 0.5);
    expect(group(adagrad)).toMatchObject({ lrDecay: 0.2, weightDecay: 0.3, initialAccumulatorValue: 0.4, eps: 0.5 });
    expect(group(new optim.Adadelta(params(), 0.1, 0.2, 0.3, 0.4))).toMatchObject({
      rho: 0.2,
      eps: 0.3,
      weightDecay: 0.4,
    });
    expect(() => new optim.Adadelta(params(), 0.1, 0.2, 0.3, 0.4, 0.5 as any)).toThrow(/one too many/);
  });

  test("betas and rho out of range are refused", () => {
    const betas = (value: any) => () => new optim.Adam(params(), { betas: value });
    expect(betas([1, 0.999])).toThrow(
      /^Adam: betas must be two numbers, each at least 0 and less than 1, found \[1, 0.999\]/,
    );
    expect(betas([0.9, -0.1])).toThrow(/found \[0.9, -0.1\]/);
    expect(betas([0.9, Number.NaN])).toThrow(ArgumentError);
    expect(betas([0.9])).toThrow(/found \[0.9\]/);
    expect(betas(0.9)).toThrow(/found 0.9/);
    expect(() => new optim.AdamW(params(), { betas: [0, 1] })).toThrow(/^AdamW: betas/);
    expect(() => new optim.Adadelta(params(), { rho: 1.5 })).toThrow(/^Adadelta: rho must be at most 1, found 1.5/);
  });

  test("betas are no group's to share", () => {
    const betas: [number, number] = [0.9, 0.99];
    const optimizer = new optim.Adam([{ params: params() }, { params: params() }], { betas });
    (optimizer.paramGroups[0].betas as unknown as number[])[0] = 0.5;
    (optimizer.stateDict().paramGroups[1].betas as unknown as number[])[0] = 0.25;
    expect([betas[0], optimizer.paramGroups[1].betas[0], optimizer.defaults.betas[0]]).toEqual([0.9, 0.9, 0.9]);
  });
});

describe("RMSprop, centered", () => {
  afterEach(() => manualSeed(0));
  test("a constant gradient, whose variance is 0 but for rounding, gives no NaN", () => {
    const p = leaf(numbers(64, 1));
    const optimizer = new optim.RMSprop([p], { centered: true, alpha: 0.5 });
    p.grad = tensor(numbers(64, 2));
    for (let i = 0; i < 200; i++) optimizer.step();
    expect([...p.toTypedArray()].every(Number.isFinite)).toBe(true);
  });
});
