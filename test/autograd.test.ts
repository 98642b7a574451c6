/** The tape: which gradients come out, when backward() refuses, hooks, and the checks. */
import { describe, expect, test } from "vitest";
import {
  AutogradError,
  autograd,
  enableGrad,
  F,
  isGradEnabled,
  manualSeed,
  NonFiniteError,
  nn,
  noGrad,
  ones,
  randn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";

const leaf = (values: number[] | number[][] | number) => tensor(values, { requiresGrad: true });
const gradOf = (x: Tensor) => x.grad?.toArray() ?? null;

describe("gradients", () => {
  test("follow the chain rule", () => {
    const x = leaf([0.5, -1, 2]);
    x.mul(3).exp().add(x.square()).sum().backward();
    const expected = [0.5, -1, 2].map((v) => 3 * Math.exp(3 * v) + 2 * v);
    for (const [i, v] of (gradOf(x) as number[]).entries()) expect(v).toBeCloseTo(expected[i], i === 2 ? 2 : 5);
  });

  test("of one leaf used many times are summed", () => {
    const x = leaf([1, 2, 3]);
    x.mul(x).add(x).sub(x.mul(2)).sum().backward();
    expect(gradOf(x)).toEqual([1, 3, 5]);
    const y = leaf([
      [1, 2],
      [3, 4],
    ]);
    y.matmul(y).sum().backward();
    // d/dY sum(Y·Y) = 1·Yᵀ + Yᵀ·1
    expect(gradOf(y)).toEqual([
      [7, 11],
      [9, 13],
    ]);
    const s = leaf(2);
    s.add(s).add(s).add(s.detach()).backward();
    expect(gradOf(s)).toBe(3);
  });

  test("through a diamond are computed once for each node", () => {
    const x = leaf([1, 2]);
    let calls = 0;
    const shared = x.mul(2);
    shared.registerHook(() => void calls++);
    const [a, b] = [shared.mul(3), shared.square()];
    a.add(b).mul(shared).sum().backward();
    // s = 2x: (3s + s²)·s → 2·(6s + 3s²)
    expect(gradOf(x)).toEqual([48, 144]);
    expect(calls).toBe(1);
  });

  test("through a long chain do not exhaust the stack", () => {
    const x = leaf(1);
    let y: Tensor = x;
    for (let i = 0; i < 20_000; i++) y = y.add(1);
    y.backward();
    expect(gradOf(x)).toBe(1);
  });

  test("of broadcast operands are summed back", () => {
    const [a, b, c] = [leaf([[1], [2]]), leaf([10, 20, 30]), leaf(2)];
    a.mul(b).mul(c).sum().backward();
    expect(gradOf(a)).toEqual([[120], [120]]);
    expect(gradOf(b)).toEqual([6, 6, 6]);
    expect(gradOf(c)).toBe(180);
    const d = leaf([5]);
    ones(3, 4).div(d).sum().backward();
    expect((gradOf(d) as number[])[0]).toBeCloseTo(-12 / 25, 6);
  });

  test("of views come together in the leaf", () => {
    const x = leaf([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const parts = [x.select(0, 1), x.T.select(0, 1).mul(10), x.narrow(1, 0, 2).reshape(-1).mul(100), x.flatten()];
    parts
      .map((p) => p.sum())
      .reduce((a, b) => a.add(b))
      .backward();
    expect(gradOf(x)).toEqual([
      [101, 111, 1],
      [102, 112, 2],
    ]);
    const y = leaf([1, 2]);
    y.expand(3, 2)
      .mul(
        tensor([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      )
      .sum()
      .backward();
    expect(gradOf(y)).toEqual([9, 12]);
  });

  test("are added over several backward() calls, until they are cleared", () => {
    const x = leaf([1, 2]);
    for (let i = 1; i <= 3; i++) {
      x.mul(i).sum().backward();
    }
    expect(gradOf(x)).toEqual([6, 6]);
    const seen = x.grad as Tensor;
    x.sum().backward();
    expect(seen.toArray()).toEqual([7, 7]);
    x.grad = null;
    x.mul(5).sum().backward();
    expect(gradOf(x)).toEqual([5, 5]);
    expect(seen.toArray()).toEqual([7, 7]);
    x.grad = tensor([100, 100]);
    x.sum().backward();
    expect(gradOf(x)).toEqual([101, 101]);
    expect(() => {
      x.grad = tensor([1, 2, 3]);
    }).toThrow(ShapeError);
    expect(gradOf(x)).toEqual([101, 101]);
  });

  test("written over by the next step are not those somebody holds", () => {
    const x = leaf([1, 2]);
    const history: Tensor[] = [];
    for (let i = 1; i <= 4; i++) {
      x.grad = null;
      x.mul(i).sum().backward();
      history.push(x.grad as unknown as Tensor);
    }
    expect(history.map((g) => g.toArray())).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ]);
  });

  test("do not flow through detach(), integers, comparisons or noGrad()", () => {
    const x = leaf([1, 2]);
    x.detach().mul(x).sum().backward();
    expect(gradOf(x)).toEqual([1, 2]);
    expect(x.detach().requiresGrad).toBe(false);
    expect(x.int().requiresGrad).toBe(false);
    expect(x.gt(1).requiresGrad).toBe(false);
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    expect(noGrad(() => enableGrad(() => x.mul(2))).requiresGrad).toBe(true);
  });

  test("of a gradient given for a tensor of any shape", () => {
    const x = leaf([1, 2, 3]);
    x.square().backward(tensor([1, 10, 100]));
    expect(gradOf(x)).toEqual([2, 40, 600]);
    expect(() => x.square().backward(tensor([1, 2]))).toThrow(/^backward: gradient has shape \[2\], the tensor \[3\]/);
    x.grad = null;
    x.backward(tensor([7, 8, 9]));
    expect(gradOf(x)).toEqual([7, 8, 9]);
  });

  test("of empty tensors are empty", () => {
    const x = tensor([], { shape: [0, 3], requiresGrad: true });
    x.mul(2).sum().backward();
    expect(x.grad?.shape).toEqual([0, 3]);
  });

  test("of non-contiguous inputs are those of their copies", () => {
    manualSeed(2);
    const run = (copy: boolean) => {
      const w = leaf([
        [1, -2, 3],
        [4, 5, -6],
      ]);
      const view = copy ? w.T.clone() : w.T;
      F.linear(
        view.relu(),
        leaf([
          [1, 2],
          [3, 4],
          [5, 6],
        ]),
      )
        .sigmoid()
        .sum()
        .backward();
      return gradOf(w);
    };
    expect(run(false)).toEqual(run(true));
  });
});

describe("backward() refuses", () => {
  test("a tensor that is no scalar, before anything changes", () => {
    const x = leaf([1, 2]);
    expect(() => x.mul(2).backward()).toThrow(AutogradError);
    expect(() => x.mul(2).backward()).toThrow(/only for a scalar.*shape \[2\].*mean\(\) or sum\(\)/s);
    expect(x.grad).toBeNull();
  });

  test("a tensor without history", () => {
    expect(() => tensor(1).backward()).toThrow(/does not require grad and has no history/);
    expect(() => noGrad(() => leaf(1).mul(2)).backward()).toThrow(/noGrad/);
  });

  test("a second pass, unless the first retained the graph", () => {
    const x = leaf([1, 2, 3]);
    const loss = x.square().sum();
    loss.backward(null, { retainGraph: true });
    loss.backward();
    expect(gradOf(x)).toEqual([4, 8, 12]);
    expect(() => loss.backward()).toThrow(AutogradError);
    expect(() => loss.backward()).toThrow(/second time.*retainGraph: true/s);
    const shared = x.square();
    shared.sum().backward();
    expect(() => shared.mean().backward()).toThrow(/^square: backward through the graph a second time/);
    expect(gradOf(x)).toEqual([6, 12, 18]);
  });

  test("a saved tensor that was changed in place, exactly where PyTorch does", () => {
    const change = (t: Tensor) => noGrad(() => t.add_(1));
    const refuses = (build: () => { loss: Tensor; change: Tensor }) => {
      const built = build();
      change(built.change);
      return () => built.loss.backward();
    };
    const cases: [string, () => { loss: Tensor; change: Tensor }, boolean][] = [
      ["exp saves its result", () => ((y) => ({ loss: y.sum(), change: y }))(leaf([1]).exp()), true],
      ["add saves nothing", () => ((y) => ({ loss: y.sum(), change: y }))(leaf([1]).add(1)), false],
      ["mul saves the other operand", () => ((w) => ({ loss: leaf([1]).mul(w).sum(), change: w }))(tensor([2])), true],
      ["but not its own", () => ((x) => ({ loss: x.mul(tensor([2])).sum(), change: x }))(leaf([1])), false],
      ["log saves its input", () => ((x) => ({ loss: x.log().sum(), change: x }))(leaf([1])), true],
      [
        "a view of what was saved",
        () => ((x) => ({ loss: x.log().sum(), change: x.detach().narrow(0, 0, 1) }))(leaf([1, 2])),
        true,
      ],
      [
        "linear of data does not need its weight",
        () => ((w) => ({ loss: F.linear(ones(1, 1), w).sum(), change: w }))(leaf([[2]])),
        false,
      ],
      [
        "linear of a result does",
        () => ((w) => ({ loss: F.linear(leaf([[1]]), w).sum(), change: w }))(leaf([[2]])),
        true,
      ],
    ];
    for (const [what, build, expected] of cases) {
      const run = refuses(build);
      if (expected)
        expect(run, what).toThrow(/modified by an in-place operation: it is at version \d+, expected version \d+/);
      else expect(run, what).not.toThrow();
    }
  });

  test("and leaves gradients and graph as they were", () => {
    const [x, w] = [leaf([1, 2]), leaf([3, 4])];
    const hidden = w.exp();
    const loss = x.mul(5).sum().add(hidden.sum());
    noGrad(() => hidden.mul_(2));
    expect(() => loss.backward()).toThrow(/^exp: .*shape \[2\], made by exp/s);
    expect([x.grad, w.grad]).toEqual([null, null]);
  });
});

describe("requiresGrad", () => {
  test("is for float leaves", () => {
    expect(() => tensor([1], { dtype: "int32", requiresGrad: true })).toThrow(/float32/);
    expect(() => tensor([true]).requiresGrad_()).toThrow(AutogradError);
    const y = leaf([1]).mul(2);
    expect(y.isLeaf).toBe(false);
    expect(() => y.requiresGrad_(false)).toThrow(/leaf.*detach\(\)/);
    const frozen = leaf([1]).requiresGrad_(false);
    expect(frozen.mul(2).requiresGrad).toBe(false);
  });
});

describe("noGrad and enableGrad", () => {
  test("nest, return what the function returns, and end with an exception", () => {
    expect(isGradEnabled()).toBe(true);
    expect(noGrad(() => [isGradEnabled(), enableGrad(() => isGradEnabled()), isGradEnabled()])).toEqual([
      false,
      true,
      false,
    ]);
    expect(() =>
      noGrad(() =>
        enableGrad(() => {
          throw new Error("mine");
        }),
      ),
    ).toThrow("mine");
    expect(isGradEnabled()).toBe(true);
  });
});

describe("autograd.grad", () => {
  test("gives gradients of leaves and results, and leaves .grad alone", () => {
    const x = leaf([1, 2]);
    const h = x.square();
    const y = h.mul(3).sum();
    const [dx, dh] = autograd.grad(y, [x, h], { retainGraph: true }) as Tensor[];
    expect([dx.toArray(), dh.toArray()]).toEqual([
      [6, 12],
      [3, 3],
    ]);
    expect(x.grad).toBeNull();
    expect(autograd.grad(y, x).map((g) => g?.toArray())).toEqual([[6, 12]]);
    expect(() => y.backward()).toThrow(/second time/);
  });

  test("takes several outputs and their gradients", () => {
    const x = leaf([1, 2]);
    const outputs = [x.mul(2), x.square()];
    const [dx] = autograd.grad(outputs, x, { gradOutputs: [tensor([1, 10]), ones(2)] });
    expect(dx?.toArray()).toEqual([4, 24]);
    expect(() => autograd.grad(x.mul(2), x)).toThrow(/only for a scalar/);
    const other = leaf([1, 2]);
    other.sum().backward();
    const [both] = autograd.grad([other.sum(), other.mul(3).sum()], other);
    expect(both?.toArray()).toEqual([4, 4]);
    expect(gradOf(other)).toEqual([1, 1]);
  });

  test("runs only what lies between, and says what is not reached", () => {
    const [x, unused] = [leaf([1, 2]), leaf([1])];
    const y = x.square().sum();
    expect(() => autograd.grad(y, [x, unused], { retainGraph: true })).toThrow(
      /do not depend on input 1.*allowUnused/s,
    );
    const [, none] = autograd.grad(y, [x, unused], { allowUnused: true });
    expect(none).toBeNull();
    expect(() => autograd.grad(x.sum(), tensor([1]))).toThrow(/input 0 does not require grad/);
    // What lies before the input may have been used already.
    const hidden = x.exp();
    hidden.sum().backward();
    expect(autograd.grad(hidden.square().sum(), hidden)[0]?.toArray()[0]).toBeCloseTo(2 * Math.E, 5);
    expect(() => autograd.grad(hidden.square().sum(), x)).toThrow(/^exp: backward through the graph a second time/);
    // The part that did not run can still be used.
    const again = x.mul(2);
    const z = again.square().sum();
    autograd.grad(z, again);
    again.sum().backward();
  });

  test("refuses createGraph, which would silently train nothing, and options it does not know", () => {
    const x = leaf([1, 2]);
    const y = x.square().sum();
    expect(() => autograd.grad(y, x, { createGraph: true })).toThrow(
      /autograd.grad: createGraph is not supported.*penalty/,
    );
    expect(() => y.backward(null, { createGraph: true })).toThrow(/backward: createGraph is not supported/);
    expect(() => autograd.backward(y, null, false, true)).toThrow(/autograd.backward: createGraph/);
    expect(() => autograd.grad(y, x, { create_graph: true } as any)).toThrow(/did you mean createGraph/);
    expect(() => autograd.grad(3 as any, x)).toThrow(/outputs must be a Tensor or a list of Tensors, found 3/);
    expect(autograd.grad(y, x, { createGraph: false })[0]?.toArray()).toEqual([2, 4]);
    expect(gradOf(x)).toBe(null);
  });

  test("the same input twice, and an output as its own input", () => {
    const x = leaf(3);
    const y = x.mul(2);
    expect(autograd.grad(y, [x, x, y]).map((g) => g?.item())).toEqual([2, 2, 1]);
  });
});

describe("autograd.backward", () => {
  test("takes one tensor or several, with gradients where they are no scalars", () => {
    const x = leaf([1, 2]);
    autograd.backward(x.square().sum());
    expect(gradOf(x)).toEqual([2, 4]);
    // Shared work is done once, as in torch.autograd.backward.
    const y = x.mul(3);
    autograd.backward([y.sum(), y], [null, tensor([1, 10])]);
    expect(gradOf(x)).toEqual([2 + 3 + 3, 4 + 3 + 30]);
    const z = x.mul(2);
    autograd.backward(z, ones(2), true);
    autograd.backward(z, { gradTensors: ones(2) });
    expect(gradOf(x)).toEqual([12, 41]);
    expect(() => autograd.backward([x.mul(1)])).toThrow(AutogradError);
  });
});

describe("retainGrad", () => {
  test("keeps the gradient of a result, after its other hooks, summed over passes", () => {
    const x = leaf([1, 2]);
    const y = x.mul(3);
    y.registerHook((g) => g.mul(2));
    y.retainGrad();
    y.retainGrad();
    const z = y.sum();
    z.backward(null, true);
    expect(gradOf(y)).toEqual([2, 2]);
    expect(gradOf(x)).toEqual([6, 6]);
    z.backward();
    expect(gradOf(y)).toEqual([4, 4]);
    x.retainGrad();
    expect(() => tensor([1]).retainGrad()).toThrow(/does not require a gradient/);
  });
});

describe("hooks", () => {
  test("of a leaf see the whole gradient once, and may replace it", () => {
    const x = leaf([1, 2]);
    const seen: unknown[] = [];
    const handle = x.registerHook((g) => {
      seen.push(g.toArray());
      return g.mul(10);
    });
    x.mul(2).add(x).sum().backward();
    expect(seen).toEqual([[3, 3]]);
    expect(gradOf(x)).toEqual([30, 30]);
    handle.remove();
    x.sum().backward();
    expect(seen.length).toBe(1);
    expect(gradOf(x)).toEqual([31, 31]);
    x.grad = null;
    x.registerHook((g) => g.neg());
    x.backward(ones(2));
    expect(gradOf(x)).toEqual([-1, -1]);
  });

  test("of a result change what flows on; several run in order", () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    y.registerHook((g) => g.add(1));
    const second = y.registerHook((g) => g.mul(10));
    y.sum().backward();
    expect(gradOf(x)).toEqual([40, 40]);
    second.remove();
    expect(() => tensor([1]).registerHook(() => undefined)).toThrow(/does not require a gradient/);
  });

  test("what they were given stays readable", () => {
    const x = leaf([1, 2]);
    const held: Tensor[] = [];
    for (let i = 0; i < 20; i++) {
      const y = x.mul(i);
      y.registerHook((g) => void held.push(g));
      y.sum().backward();
    }
    expect(held.every((g) => g.toArray().join() === "1,1")).toBe(true);
  });

  test("a replacement of another shape, or an error, leaves the library usable", () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    y.registerHook(() => tensor([1, 2, 3]));
    expect(() => y.sum().backward()).toThrow(/^hook: returned a gradient of shape \[3\], expected \[2\]/);
    const z = x.mul(2);
    z.registerHook(() => {
      throw new Error("mine");
    });
    expect(() => z.sum().backward()).toThrow("mine");
    expect(isGradEnabled()).toBe(true);
    x.grad = null;
    x.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([3, 3]);
  });

  test("may run another backward()", () => {
    const [x, w] = [leaf([1, 2]), leaf([3])];
    const y = x.mul(2);
    y.registerHook(() => {
      enableGrad(() => w.square().sum()).backward();
    });
    y.mul(3).sum().backward();
    expect(gradOf(x)).toEqual([6, 6]);
    expect(gradOf(w)).toEqual([6]);
  });
});

describe("detectAnomaly", () => {
  test("names the op whose backward made a NaN, and where it was called", () => {
    const x = leaf([0, 1]);
    const culprit = () => x.sqrt();
    let caught: unknown;
    try {
      autograd.detectAnomaly(() => culprit().mul(0).sum().backward());
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(NonFiniteError);
    expect((caught as Error).message).toMatch(/^sqrt: its backward returned NaN in the gradient of input 0/);
    expect((caught as Error).message).toMatch(/autograd\.test/);
    expect(x.grad).toBeNull();
    x.sqrt().mul(0).sum().backward();
    expect((gradOf(x) as number[])[0]).toBeNaN();
    expect(autograd.detectAnomaly(() => 7)).toBe(7);
  });
});

describe("gradcheck", () => {
  class Wrong extends autograd.Function {
    static override forward(ctx: autograd.Context, x: Tensor) {
      ctx.saveForBackward(x);
      return x.square();
    }
    static override backward(ctx: autograd.Context, g: Tensor) {
      return g.mul(ctx.savedTensors[0]).mul(2.1);
    }
  }

  test("passes what is right", () => {
    manualSeed(0);
    const [a, b] = [randn([3, 4], { requiresGrad: true }), randn([4, 2], { requiresGrad: true })];
    expect(autograd.gradcheck((x, y) => x.matmul(y).sigmoid(), [a, b])).toBe(true);
    expect(autograd.gradcheck((x) => [x.exp(), x.gt(0), x.sum(1)], a)).toBe(true);
    const net = new nn.Linear(4, 2);
    expect(autograd.gradcheck((x) => net(x).tanh(), a)).toBe(true);
    expect(a.grad).toBeNull();
  });

  test("finds what is wrong", () => {
    const x = leaf([1, 2]);
    expect(() => autograd.gradcheck((t) => Wrong.apply(t), x)).toThrow(
      /input 0 \(shape \[2\]\), element 0: backward gives 1\./,
    );
    expect(autograd.gradcheck((t) => Wrong.apply(t), x, { raiseException: false })).toBe(false);
    expect(x.toArray()).toEqual([1, 2]);
    expect(() => autograd.gradcheck((t) => t.square(), zeros(2))).toThrow(/none of the inputs requires a gradient/);
  });
});
