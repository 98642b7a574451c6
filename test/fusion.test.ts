/** Ops that wait for their follower (src/defer.ts): nothing can be told from outside but time and memory. */
import { beforeEach, describe, expect, test } from "vitest";
import {
  AutogradError,
  autograd,
  F,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  randn,
  scope,
  type Tensor,
  zeros,
} from "../src/index.js";

const SHAPE = [3, 8, 18, 16];

beforeEach(() => {
  manualSeed(7);
});

/** Everything that a computation leaves, as bits. */
function traces(fn: (x: Tensor, other: Tensor, norm: nn.BatchNorm2d) => Tensor, training = true): Uint32Array[] {
  manualSeed(3);
  const [x, other] = [randn(SHAPE).requiresGrad_(), randn(SHAPE).requiresGrad_()];
  const norm = new nn.BatchNorm2d(8);
  noGrad(() => {
    norm.weight?.copy_(randn(8));
    norm.bias?.copy_(randn(8));
    norm.running_mean?.copy_(randn(8));
  });
  norm.train(training);
  const out = fn(x, other, norm);
  out.backward(randn(out.shape));
  const kept = [out, x.grad, other.grad, norm.weight?.grad, norm.bias?.grad, norm.running_mean, norm.running_var];
  return kept.map((t) => new Uint32Array(((t ?? zeros(1)).toTypedArray() as Float32Array).buffer));
}

/** keep() is a use, so an op that waits runs by itself. */
const apart = (t: Tensor): Tensor => t.keep();
const together = (t: Tensor): Tensor => t;

describe.each([true, false])("to the bit as apart, training %s", (training) => {
  const programs: Record<string, (see: (t: Tensor) => Tensor) => Parameters<typeof traces>[0]> = {
    "batchNorm, relu": (see) => (x, _, norm) => F.relu(see(norm(x))),
    "batchNorm, add, relu": (see) => (x, other, norm) => F.relu(see(see(norm(x)).add(other))),
    "add from the other side": (see) => (x, other, norm) => F.relu(see(other.add(see(norm(x))))),
    "relu, maxPool2d": (see) => (x) => F.maxPool2d(see(F.relu(x)), 2),
    "relu, maxPool2d 3×3": (see) => (x) => F.maxPool2d(see(F.relu(x)), 3, { stride: 2, padding: 1 }),
    "relu, maxPool2d of any windows": (see) => (x) => F.maxPool2d(see(F.relu(x)), [3, 2], { stride: [1, 3] }),
    "batchNorm, relu, maxPool2d": (see) => (x, _, norm) => F.maxPool2d(see(F.relu(see(norm(x)))), 2),
    "batchNorm, add, no relu": (see) => (x, other, norm) => see(norm(x)).add(other).mul(2),
    "batchNorm alone": (see) => (x, _, norm) => see(norm(x)).mul(2),
    "the sum with itself": (see) => (x, _, norm) => {
      const h = see(norm(x));
      return F.relu(h.add(h));
    },
    "a broadcast residual": (see) => (x, other, norm) =>
      F.relu(see(norm(x)).add(other.mean([2, 3], { keepdim: true }))),
    "a skip around a pool": (see) => (x) => {
      const h = see(F.relu(x));
      const small = F.maxPool2d(h, 2);
      return F.interpolate(small, { scaleFactor: 2 }).mul(h);
    },
  };
  test.each(Object.entries(programs))("%s", (_, program) => {
    const [a, b] = [traces(program(together), training), traces(program(apart), training)];
    a.forEach((bits, i) => {
      expect(bits, `trace ${i}`).toEqual(b[i]);
    });
  });
});

test("what was skipped and is used after all has a tape node of its own", () => {
  const program = (see: (t: Tensor) => Tensor) => (x: Tensor, other: Tensor, norm: nn.BatchNorm2d) => {
    const h = see(norm(x));
    const sum = see(h.add(other));
    return F.relu(sum).mul(h).add(sum);
  };
  const [a, b] = [traces(program(together)), traces(program(apart))];
  // Two ways through batchNorm are added up after it, not before: the same sums in another order.
  a.forEach((bits, i) => {
    const [p, q] = [new Float32Array(bits.buffer), new Float32Array(b[i].buffer)];
    const largest = q.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    p.forEach((v, at) => {
      expect(Math.abs(v - q[at])).toBeLessThanOrEqual(1e-6 * largest);
    });
  });
});

test("NaN and infinities pass through as apart", () => {
  const x = randn(SHAPE);
  x.indexPut_([0, 0, 0, 0], Number.NaN);
  x.indexPut_([1, 0, 3, 3], Number.POSITIVE_INFINITY);
  const fused = F.maxPool2d(F.relu(x), 2).toTypedArray();
  expect(fused).toEqual(F.maxPool2d(F.relu(x).keep(), 2).toTypedArray());
  expect(fused[0]).toBeNaN();
});

test("running statistics move when batchNorm is called, and once", () => {
  const norm = new nn.BatchNorm2d(8, { momentum: 1 });
  const x = randn(SHAPE).add(5);
  const h = norm(x);
  const moved = norm.running_mean?.toArray();
  expect(moved[0]).toBeCloseTo(5, 0);
  F.relu(h);
  h.toArray();
  expect(norm.running_mean?.toArray()).toEqual(moved);
  // The result that nobody uses: its statistics count.
  norm(x.add(4)).dispose();
  expect(norm.running_mean?.toArray()[0]).toBeCloseTo(9, 0);
});

test("a write in place comes after what was called before it", () => {
  const x = randn(SHAPE);
  const before = F.relu(x).toArray();
  const h = F.relu(x);
  x.mul_(-1);
  expect(h.toArray()).toEqual(before);
});

test("computed late from what has changed since: refused, and said how", () => {
  const x = randn(SHAPE);
  const h = F.relu(x);
  F.maxPool2d(h, 2);
  x.add_(1);
  expect(() => h.toArray()).toThrow(AutogradError);
  expect(() => h.toArray()).toThrow(/relu: .*fused.*in-place.*keep\(\)/s);
  const kept = F.relu(x).keep();
  F.maxPool2d(kept, 2);
  x.add_(1);
  expect(kept.toArray()[0][0][0][0]).toBeGreaterThanOrEqual(0);
});

test("recording is as it was at the call", () => {
  const x = randn(SHAPE).requiresGrad_();
  const silent = noGrad(() => F.relu(x));
  expect(silent.requiresGrad).toBe(false);
  const loud = F.relu(x);
  noGrad(() => expect(loud.requiresGrad).toBe(true));
  const late = F.relu(x);
  noGrad(() => F.maxPool2d(late, 2));
  expect(late.requiresGrad).toBe(true);
  expect(late.isLeaf).toBe(false);
  late.sum().backward();
  expect(x.grad?.shape).toEqual(SHAPE);
});

test("hooks see the result and its gradient", () => {
  const relu = new nn.ReLU();
  const seen: string[] = [];
  relu.registerForwardHook((_module, _inputs, output) => {
    seen.push(`forward ${output.sum().item() > 0}`);
  });
  relu.registerFullBackwardHook((_module, _gradInput, gradOutput) => {
    seen.push(`backward ${gradOutput[0]?.shape}`);
  });
  const x = randn(SHAPE).requiresGrad_();
  F.maxPool2d(relu(x), 2).sum().backward();
  expect(seen).toEqual(["forward true", `backward ${SHAPE}`]);
  const h = F.relu(x);
  const shapes: number[][] = [];
  h.registerHook((grad: Tensor) => {
    shapes.push(grad.size());
  });
  F.maxPool2d(h, 2).sum().backward();
  expect(shapes).toEqual([SHAPE]);
});

test("views and detach() of a result that waits, or was skipped", () => {
  const x = randn(SHAPE).requiresGrad_();
  const expected = x.clamp({ min: 0 }).toArray();
  expect(F.relu(x).detach().toArray()).toEqual(expected);
  expect(F.relu(x).reshape(-1).reshape(SHAPE).toArray()).toEqual(expected);
  const h = F.relu(x);
  const view = h.detach();
  F.maxPool2d(h, 2);
  expect(view.toArray()).toEqual(expected);
  const [g] = autograd.grad(h.sum(), [x]);
  expect(g?.toArray()).toEqual(x.gt(0).float().toArray());
});

test("scopes free what waits, keep what is returned, and nothing leaks", () => {
  const norm = new nn.BatchNorm2d(8);
  const x = randn(SHAPE);
  scope(() =>
    F.maxPool2d(F.relu(norm(x)), 2)
      .sum()
      .item(),
  );
  const { liveTensors } = memory();
  for (let i = 0; i < 3; i++) {
    scope(() => {
      F.relu(norm(x).add(x));
      F.relu(x);
      norm(x);
    });
    expect(memory().liveTensors).toBe(liveTensors);
  }
  const out = scope(() => F.relu(x));
  expect(out.toArray()[0][0][0][0]).toBeGreaterThanOrEqual(0);
  const outer = F.relu(x);
  scope(() => F.maxPool2d(outer, 2));
  expect(outer.shape).toEqual(SHAPE);
  expect(outer.sum().item()).toBeGreaterThan(0);
});

test("fused, a step takes less memory", () => {
  const norm = new nn.BatchNorm2d(8);
  const x = ones(8, 8, 64, 64).requiresGrad_();
  const used = (see: (t: Tensor) => Tensor): number => {
    const before = memory().liveBytes;
    F.relu(see(see(norm(x)).add(x)));
    return memory().liveBytes - before;
  };
  const bytes = x.numel() * 4;
  expect(used(together)).toBeLessThan(1.1 * bytes);
  expect(used(apart)).toBeGreaterThan(2.9 * bytes);
});

test("anomaly mode sees every op by itself", () => {
  const x = randn(SHAPE).requiresGrad_();
  autograd.detectAnomaly(() => {
    const h = F.relu(x);
    expect(h.gradFn?.name).toBe("relu");
    const pooled = F.maxPool2d(h, 2);
    expect(pooled.gradFn?.inputs[0]).toBe(h);
  });
});
