/** SGD, parameter groups, state dicts and gradient clipping, against arithmetic in float64. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  manualSeed,
  NonFiniteError,
  nn,
  noGrad,
  ones,
  optim,
  randn,
  StateDictError,
  type Tensor,
  tensor,
} from "../src/index.js";
import { expectClose } from "./support/compare.js";

const { clipGradNorm_, clipGradValue_ } = nn.utils;
const TOLERANCE = { atol: 1e-6, rtol: 1e-5 };

interface Options {
  lr: number;
  momentum?: number;
  dampening?: number;
  weightDecay?: number;
  nesterov?: boolean;
  maximize?: boolean;
}

/** torch.optim.SGD's formulas, one element at a time. */
function naiveSGD({ lr, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false, maximize = false }: Options) {
  let buffer: number[] | null = null;
  return (values: number[], grads: readonly number[]) => {
    const d = grads.map((g, i) => (maximize ? -g : g) + weightDecay * values[i]);
    let update = d;
    if (momentum !== 0) {
      const last: number[] | null = buffer;
      buffer = last === null ? d : d.map((v, i) => momentum * (last as number[])[i] + (1 - dampening) * v);
      const now = buffer;
      update = nesterov ? d.map((v, i) => v + momentum * now[i]) : now;
    }
    return values.map((v, i) => v - lr * update[i]);
  };
}

const leaf = (values: number[]) => tensor(values, { requiresGrad: true });
const withGrad = (values: number[], grad: number[]) => {
  const p = leaf(values);
  p.grad = tensor(grad);
  return p;
};
const numbers = (n: number, seed: number) =>
  Array.from({ length: n }, (_, i) => Math.fround(Math.sin(seed * 97 + i * 1.7)));

describe("SGD", () => {
  const options: Options[] = [
    { lr: 0.1 },
    { lr: 0.1, weightDecay: 0.01 },
    { lr: 0.1, maximize: true, weightDecay: 0.1 },
    { lr: 0.05, momentum: 0.9 },
    { lr: 0.05, momentum: 0.9, dampening: 0.3 },
    { lr: 0.05, momentum: 0.9, nesterov: true },
    { lr: 0.05, momentum: 0.9, dampening: 0.5, weightDecay: 0.1, maximize: true },
    { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.1 },
    { lr: 0, momentum: 0.5 },
  ];
  test.each(options)("is PyTorch's formula with %o", (given) => {
    const sizes = [1, 3, 4, 17, 1000];
    const params = sizes.map((n) => leaf(numbers(n, n)));
    const optimizer = new optim.SGD(params, given);
    const naive = sizes.map(() => naiveSGD(given));
    let expected = sizes.map((n) => numbers(n, n));
    for (let step = 0; step < 8; step++) {
      const grads = sizes.map((n) => numbers(n, n + step + 1));
      params.forEach((p, i) => {
        p.grad = tensor(grads[i]);
      });
      optimizer.step();
      expected = expected.map((values, i) => naive[i](values, grads[i]));
    }
    for (const [i, p] of params.entries())
      expectClose(p.toTypedArray(), expected[i], TOLERANCE, `${sizes[i]} elements`);
  });

  test("groups have options of their own, which may change between steps", () => {
    const [a, b, c] = [withGrad([1], [1]), withGrad([1], [1]), withGrad([1], [1])];
    const optimizer = new optim.SGD([{ params: [a] }, { params: b, lr: 0.5, weightDecay: 1 }], { lr: 0.1 });
    optimizer.addParamGroup({ params: [c], lr: 0.25 });
    optimizer.step();
    expectClose(
      [a, b, c].map((p) => p.item()),
      [0.9, 0, 0.75],
      TOLERANCE,
      "first step",
    );
    optimizer.paramGroups[0].lr = 1;
    optimizer.paramGroups[1].lr = 0;
    optimizer.step();
    expectClose(
      [a, b, c].map((p) => p.item()),
      [-0.1, 0, 0.5],
      TOLERANCE,
      "second step",
    );
  });

  test("parameters without a gradient stay as they are, whatever the weight decay", () => {
    const [a, b] = [withGrad([1], [1]), leaf([1])];
    const optimizer = new optim.SGD([a, b], { lr: 0.1, momentum: 0.9, weightDecay: 0.1 });
    optimizer.step();
    expect(b.item()).toBe(1);
    expect(optimizer.state.has(b)).toBe(false);
    optimizer.zeroGrad();
    expect(a.grad).toBeNull();
    const before = a.item();
    optimizer.step();
    expect(a.item()).toBe(before);
  });

  test("a step changes what a tape saved: backward() says so", () => {
    const w = leaf([2]);
    const loss = w.square().sum();
    w.grad = tensor([1]);
    new optim.SGD([w], { lr: 0.1 }).step();
    expect(() => loss.backward()).toThrow(/modified by an in-place operation/);
  });

  test("step(closure) runs it with recording on, and returns its loss", () => {
    const w = leaf([2]);
    const optimizer = new optim.SGD([w], { lr: 0.5 });
    const loss = optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = w.square().sum();
      loss.backward();
      return loss;
    });
    expect([loss?.item(), w.item()]).toEqual([4, 0]);
    expect(noGrad(() => optimizer.step())).toBeUndefined();
  });

  test("resumes bit for bit from a state dict", () => {
    const build = () => {
      manualSeed(4);
      const net = new nn.Sequential(new nn.Linear(6, 5), new nn.Tanh(), new nn.Linear(5, 1));
      const optimizer = new optim.SGD(
        [{ params: net.at(0).parameters(), lr: 0.02 }, { params: net.at(2).parameters() }],
        { lr: 0.1, momentum: 0.9, nesterov: true },
      );
      return { net, optimizer };
    };
    const x = randn(16, 6);
    const train = ({ net, optimizer }: ReturnType<typeof build>, steps: number) => {
      for (let i = 0; i < steps; i++) {
        optimizer.zeroGrad();
        net(x).square().mean().backward();
        optimizer.step();
      }
    };
    const whole = build();
    train(whole, 10);
    const first = build();
    train(first, 4);
    first.optimizer.paramGroups[0].lr = 0.02;
    const saved = { net: first.net.stateDict(), optimizer: first.optimizer.stateDict() };
    expect(saved.optimizer.paramGroups.map((g) => [g.params, g.lr])).toEqual([
      [[0, 1], 0.02],
      [[2, 3], 0.1],
    ]);
    const resumed = build();
    resumed.optimizer.paramGroups[0].lr = 99;
    resumed.net.loadStateDict(saved.net);
    resumed.optimizer.loadStateDict(saved.optimizer);
    train(resumed, 6);
    const bits = (net: nn.Module) => net.parameters().map((p) => p.toTypedArray());
    expect(bits(resumed.net)).toEqual(bits(whole.net));
    // The saved tensors were copied, not shared.
    train(first, 6);
    expect(bits(first.net)).toEqual(bits(whole.net));
    first.optimizer.loadStateDict(first.optimizer.stateDict());
  });

  test("a state dict that does not fit is refused, and nothing has changed", () => {
    const make = (n: number) => {
      const p = withGrad(new Array(n).fill(1), new Array(n).fill(1));
      const optimizer = new optim.SGD([p], { lr: 0.1, momentum: 0.9 });
      optimizer.step();
      return { p, optimizer };
    };
    const { optimizer, p } = make(2);
    const momentum = () => (optimizer.state.get(p) as any).momentumBuffer.toArray();
    const before = momentum();
    const load = (dict: any) => () => optimizer.loadStateDict(dict);
    expect(load(make(3).optimizer.stateDict())).toThrow(StateDictError);
    expect(load(make(3).optimizer.stateDict())).toThrow(
      /momentumBuffer of parameter 0 has shape \[3\], the parameter \[2\]/,
    );
    const own = optimizer.stateDict();
    expect(load({ ...own, paramGroups: [] })).toThrow(/0 parameter groups in the state dict, 1 in the optimizer/);
    expect(load({ ...own, paramGroups: [{ ...own.paramGroups[0], params: [0, 1] }] })).toThrow(
      /group 0 has 2 parameters/,
    );
    expect(load({ ...own, paramGroups: [{ ...own.paramGroups[0], lr: -1 }] })).toThrow(ArgumentError);
    expect(load({ ...own, state: { 7: {} } })).toThrow(/state of parameter 7/);
    expect(load({})).toThrow(StateDictError);
    const gone = make(2).optimizer.stateDict();
    (gone.state[0].momentumBuffer as Tensor).dispose();
    expect(load(gone)).toThrow(/dispose\(\)/);
    expect([momentum(), optimizer.paramGroups[0].lr]).toEqual([before, 0.1]);
  });

  test("options and parameters that make no sense are refused by name", () => {
    const p = leaf([1]);
    const make =
      (params: any, given: any = {}) =>
      () =>
        new optim.SGD(params, given);
    expect(make([p], { lr: -1 })).toThrow(/^SGD: lr must not be negative, found -1/);
    expect(make([p], { lr: Number.NaN })).toThrow(ArgumentError);
    expect(make([p], { momentum: -0.1 })).toThrow(/momentum/);
    expect(make([p], { weightDecay: -1 })).toThrow(/weightDecay/);
    expect(make([p], { nesterov: true })).toThrow(/nesterov needs a momentum and no dampening/);
    expect(make([p], { nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow(ArgumentError);
    expect(make([])).toThrow(/empty list of parameters/);
    expect(make(p)).toThrow(/found a Tensor/);
    expect(make([p, 5])).toThrow(ArgumentError);
    expect(make([p, p])).toThrow(/in another group, or twice/);
    expect(make([{ params: [p] }, { params: [p] }])).toThrow(/parameter 0 of group 1/);
    expect(make([p.mul(2)])).toThrow(/result of an op/);
    expect(make([tensor([1], { dtype: "int32" })])).toThrow(/int32, expected float32/);
    expect(make([{ lr: 1 }])).toThrow(/params/);
  });
});

describe("clipGradNorm_", () => {
  const grads = [[3, -4], [12], [0, 0, 84]];
  const make = () => grads.map((g) => withGrad(new Array(g.length).fill(0), g));
  const values = (params: Tensor[]) => params.flatMap((p) => (p.grad as Tensor).toArray() as number[]);

  test("gives the norm before clipping, and scales all gradients together", () => {
    const params = make();
    expect(clipGradNorm_([...params, leaf([1])], 8.5)).toBe(85);
    expectClose(
      values(params),
      grads.flat().map((v) => v * (8.5 / (85 + 1e-6))),
      TOLERANCE,
      "clipped",
    );
  });

  test("leaves smaller gradients as they are, to the bit", () => {
    const params = make();
    expect(clipGradNorm_(params, 86)).toBe(85);
    expect(values(params)).toEqual(grads.flat());
  });

  test("takes other norms", () => {
    expect(clipGradNorm_(make(), 1e9, { normType: 1 })).toBeCloseTo(103, 4);
    expect(clipGradNorm_(make(), 1e9, { normType: Number.POSITIVE_INFINITY })).toBe(84);
    expect(clipGradNorm_(make(), 1e9, { normType: 3 })).toBeCloseTo(Math.cbrt(27 + 64 + 1728 + 84 ** 3), 3);
    const params = make();
    clipGradNorm_(params, 42, { normType: Number.POSITIVE_INFINITY });
    expectClose(
      values(params),
      grads.flat().map((v) => v / 2),
      TOLERANCE,
      "clipped",
    );
  });

  test("takes one tensor, a generator, or nothing at all", () => {
    expect(clipGradNorm_(withGrad([0, 0], [3, 4]), 1)).toBe(5);
    expect(clipGradNorm_(new nn.Linear(1, 1).parameters(), 1)).toBe(0);
    expect(clipGradNorm_([], 1)).toBe(0);
    const net = new nn.Linear(2, 2);
    net(ones(1, 2)).sum().backward();
    const parameters = function* () {
      for (const [, p] of net.namedParameters()) yield p;
    };
    expect(clipGradNorm_(parameters(), 1)).toBeCloseTo(Math.sqrt(6), 5);
    expect(clipGradNorm_(net.parameters(), 1)).toBeCloseTo(1, 5);
  });

  test("does not overflow where the norm does not", () => {
    expect(clipGradNorm_(withGrad([0, 0], [3e30, 4e30]), 1)).toBeCloseTo(5e30, -25);
  });

  test("NaN and infinity: an error if asked for, before anything is scaled; else as PyTorch", () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const params = [withGrad([0, 0], [1, bad]), withGrad([0], [2])];
      const run = () => clipGradNorm_(params, 1, { errorIfNonfinite: true });
      expect(run).toThrow(NonFiniteError);
      expect(run).toThrow(/^clipGradNorm_: the norm \(p = 2\) of the gradients is (NaN|Infinity)/);
      expect(values(params)).toEqual([1, bad, 2]);
      const norm = clipGradNorm_(params, 1);
      expect(norm).toBe(Number.isNaN(bad) ? Number.NaN : Number.POSITIVE_INFINITY);
      // norm NaN: everything becomes NaN; norm ∞: finite gradients become 0, infinite ones NaN.
      expect(values(params)).toEqual(Number.isNaN(bad) ? [NaN, NaN, NaN] : [0, NaN, 0]);
    }
  });

  test("refuses a negative maxNorm and other norms", () => {
    expect(() => clipGradNorm_(make(), -1)).toThrow(/^clipGradNorm_: maxNorm must be a number ≥ 0, found -1/);
    expect(() => clipGradNorm_(make(), Number.NaN)).toThrow(ArgumentError);
    expect(() => clipGradNorm_(make(), 1, { normType: 0 })).toThrow(/normType/);
  });
});

describe("clipGradValue_", () => {
  test("limits every element, and leaves NaN", () => {
    const p = withGrad([0, 0, 0, 0, 0], [-3, -0.5, 0, 2, Number.NaN]);
    clipGradValue_([p, leaf([1])], 1);
    expect(p.grad?.toArray()).toEqual([-1, -0.5, 0, 1, Number.NaN]);
    clipGradValue_(p, 0.25);
    expect(p.grad?.toArray()).toEqual([-0.25, -0.25, 0, 0.25, Number.NaN]);
    expect(() => clipGradValue_(p, -1)).toThrow(ArgumentError);
    clipGradValue_([], 1);
  });
});
