/** Who owns the heap's memory and when it is given back: DESIGN's rules of memory, one by one (docs/memory.md). */
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  autograd,
  cat,
  DisposedError,
  data,
  F,
  full,
  manualSeed,
  memory,
  nn,
  noGrad,
  OutOfMemoryError,
  ones,
  optim,
  randn,
  scope,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";
import { beginPass, endPass } from "../src/storage.js";
import { checkHeap } from "../src/wasm/heap.js";
import { memory as wasmMemory } from "../src/wasm/load.js";

const MB = 2 ** 20;
/** Elements of a tensor of 1 MB. */
const MEGA = MB / 4;

/** Results of 1 MB that nobody holds, enough to pass the soft limit several times over. */
function pressure(megabytes = 400): void {
  noGrad(() => {
    const x = zeros([MEGA]);
    for (let i = 0; i < megabytes; i++) x.add(i);
  });
}

/** backward() calls that have nothing to do with what is tested. */
function passes(count: number): void {
  const w = tensor([1, 2], { requiresGrad: true });
  for (let i = 0; i < count; i++) w.mul(w).sum().backward();
}

const expectFilled = (x: Tensor, value: number) => {
  const values = x.toTypedArray();
  expect(values[0]).toBe(value);
  expect(values.every((v) => v === value)).toBe(true);
};

afterEach(checkHeap);

// The counts come first, while nothing idle is there that an allocation could push out.
describe("memory()", () => {
  test("counts blocks once, whatever the views, and remembers the peak", () => {
    const before = memory();
    const x = ones(MEGA);
    x.reshape(2, -1).T.select(0, 1);
    const during = memory();
    expect(during.liveTensors).toBe(before.liveTensors + 1);
    expect(during.liveBytes).toBe(before.liveBytes + MB);
    expect(during.peakBytes).toBeGreaterThanOrEqual(during.liveBytes);
    expect(during.heapBytes).toBeGreaterThanOrEqual(during.liveBytes);
    x.dispose();
    expect(memory().peakBytes).toBe(during.peakBytes);
    expect(Object.keys(memory()).sort()).toEqual(["heapBytes", "liveBytes", "liveTensors", "peakBytes"]);
  });

  test("dispose() gives the memory back at once, for views too", () => {
    const before = memory();
    const x = tensor(new Float32Array(MEGA));
    const view = x.reshape(2, -1);
    expect(memory().liveBytes - before.liveBytes).toBe(MB);
    expect(memory().liveTensors - before.liveTensors).toBe(1);
    x.dispose();
    x.dispose();
    expect(memory().liveBytes).toBe(before.liveBytes);
    expect(() => view.sum()).toThrow(/^tensor: .*dispose\(\)/);
    expect(() => x.item).not.toThrow();
    const scalar = tensor(3);
    scalar.dispose();
    expect(() => scalar.item()).toThrow(DisposedError);
  });

  test("`using` disposes at the end of the block", () => {
    const before = memory().liveBytes;
    const x = tensor(new Float32Array(1000));
    x[Symbol.dispose]();
    expect(memory().liveBytes).toBe(before);
  });
});

// A process has only one time before its first backward().
describe("before the first backward()", () => {
  const early: Tensor[] = [];

  test("a loop of inference is bounded, and nothing is lost", () => {
    const weights = randn(256, 256);
    const kept = weights.toTypedArray();
    for (let i = 0; i < 100; i++) early.push(ones(1000).mul(i));
    for (let i = 0; i < 600; i++) noGrad(() => ones(256, 256).matmul(weights).softmax(1).argmax(1));
    expect(memory().heapBytes).toBeLessThan(140 * MB);
    expect(weights.toTypedArray()).toEqual(kept);
    for (const [i, x] of early.entries()) expectFilled(x, i);
  });

  test("a recorded graph that is never run is bounded, and can be run all the same", () => {
    const w = randn([64, 64], { requiresGrad: true });
    const first = ones(8, 64).matmul(w).sigmoid().sum();
    for (let i = 0; i < 500; i++) ones(1024, 64).matmul(w).sigmoid().mean();
    expect(memory().heapBytes).toBeLessThan(160 * MB);
    first.backward();
    const again = w.detach().clone().requiresGrad_();
    ones(8, 64).matmul(again).sigmoid().sum().backward();
    expect(w.grad?.toTypedArray()).toEqual(again.grad?.toTypedArray());
  });

  test("what was made for set-up is not lost later either", () => {
    passes(20);
    pressure();
    for (const [i, x] of early.entries()) expectFilled(x, i);
  });
});

describe("a synchronous training loop", () => {
  const [BATCH, FEATURES, CLASSES] = [16, 12, 4];
  const images = Float32Array.from({ length: 64 * FEATURES }, (_, i) => ((i * 37) % 101) / 101);
  const labels = Int32Array.from({ length: 64 }, (_, i) => (i * 7) % CLASSES);
  const criterion = new nn.CrossEntropyLoss();

  const makeNet = () => new nn.Sequential(new nn.Linear(FEATURES, 16), new nn.ReLU(), new nn.Linear(16, CLASSES));

  function makeStep() {
    manualSeed(1);
    const net = makeNet();
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    const step = (x: Tensor, y: Tensor) => {
      optimizer.zeroGrad();
      const outputs = net(x);
      const loss = criterion(outputs, y);
      loss.backward();
      nn.utils.clipGradNorm_(net.parameters(), 1);
      optimizer.step();
      return { outputs, loss };
    };
    return { net, optimizer, step };
  }

  const makeLoader = () => {
    const dataset = new data.TensorDataset(tensor(images, { shape: [64, FEATURES] }), tensor(labels));
    return new data.DataLoader(dataset, { batchSize: BATCH, shuffle: true, seed: 3 });
  };

  /** Runs `step` so many times, and gives the heap's size after a tenth of them and at the end. */
  function heapOver(steps: number, step: (i: number) => void): { early: number; late: number } {
    let early = 0;
    for (let i = 0; i < steps; i++) {
      if (i === Math.floor(steps / 10)) early = memory().heapBytes;
      step(i);
    }
    return { early, late: memory().heapBytes };
  }

  /** Batches of a loader without end. */
  function* batches(loader: Iterable<any>): Generator<[Tensor, Tensor]> {
    while (true) yield* loader;
  }

  const nextOf = (source: Generator<[Tensor, Tensor]>) => source.next().value as [Tensor, Tensor];

  test("holds heap and tensors constant over 20,000 steps", () => {
    const { step } = makeStep();
    const source = batches(makeLoader());
    for (let i = 0; i < 50; i++) step(...nextOf(source));
    const before = memory();
    const { early, late } = heapOver(20_000, () => void step(...nextOf(source)));
    expect(early).toBe(before.heapBytes);
    expect(late).toBe(before.heapBytes);
    expect(memory().liveTensors).toBe(before.liveTensors);
    expect(memory().liveBytes).toBe(before.liveBytes);
  });

  test("holds it with batches made by hand", () => {
    const { step } = makeStep();
    const { early, late } = heapOver(3000, (i) => {
      const start = (i % 4) * BATCH;
      const x = tensor(images.subarray(start * FEATURES, (start + BATCH) * FEATURES), { shape: [BATCH, FEATURES] });
      step(x, tensor(labels.subarray(start, start + BATCH)));
    });
    expect(late).toBe(early);
  });

  test("holds it with gradients looked at, cleared by null or filled with zeros", () => {
    const { net, optimizer, step } = makeStep();
    const source = batches(makeLoader());
    let total = 0;
    const { early, late } = heapOver(3000, (i) => {
      step(...nextOf(source));
      for (const p of net.parameters()) total += p.grad?.numel() ?? 0;
      if (i % 3 === 0) for (const p of net.parameters()) p.grad = null;
      if (i % 3 === 1) optimizer.zeroGrad({ setToNone: false });
    });
    expect(total).toBe(3000 * net.parameters().reduce((sum, p) => sum + p.numel(), 0));
    expect(late).toBe(early);
  });

  test("holds it with operands of other dtypes and strides", () => {
    const { net, optimizer } = makeStep();
    const source = batches(makeLoader());
    const { early, late } = heapOver(3000, () => {
      const [x, y] = nextOf(source);
      optimizer.zeroGrad();
      const outputs = net(x).T.relu().T;
      criterion(outputs.add(y.unsqueeze(1)), y).backward();
      optimizer.step();
    });
    expect(late).toBe(early);
  });

  test.each([
    ["under noGrad()", (fn: () => void) => noGrad(fn)],
    ["on the tape", (fn: () => void) => fn()],
  ])("stays within the soft limit with metrics on the side, %s", (_where, mode) => {
    const { net, step } = makeStep();
    const source = batches(makeLoader());
    const losses: Tensor[] = [];
    let correct = 0;
    const big = randn(64, FEATURES).repeat(32, 1);
    passes(1);
    const start = memory().heapBytes;
    for (let i = 0; i < 2500; i++) {
      const [x, y] = nextOf(source);
      const { outputs, loss } = step(x, y);
      losses.push(loss);
      mode(() => {
        correct += outputs.argmax(1).eq(y).sum().item();
        F.softmax(net(big), 1).max(1);
      });
    }
    expect(correct).toBeGreaterThan(0);
    expect(memory().heapBytes - start).toBeLessThan(80 * MB);
    expect(losses.every((loss) => Number.isFinite(loss.item()))).toBe(true);
    expect(losses[0].add(losses[2499]).item()).toBeCloseTo(losses[0].item() + losses[2499].item(), 5);
  });

  test("bounds the number of idle tensors as well as their bytes", () => {
    const x = tensor([1, 2, 3]);
    const first = x.mul(7);
    for (let i = 0; i < 200_000; i++) x.add(i);
    expect(memory().liveTensors).toBeLessThan(150_000);
    expect(first.toArray()).toEqual([7, 14, 21]);
  });

  test("stays within the soft limit with an evaluation after every epoch", () => {
    const { net, step } = makeStep();
    const loader = makeLoader();
    const test = randn(2048, FEATURES);
    const start = memory().heapBytes;
    for (let epoch = 0; epoch < 400; epoch++) {
      for (const [x, y] of loader) step(x, y);
      noGrad(() => net(test).argmax(1));
      net.eval();
      F.softmax(net(test), 1);
      net.train();
    }
    expect(memory().heapBytes - start).toBeLessThan(80 * MB);
  });

  test("does not let the limit creep up when something is brought back in every step", () => {
    const { step } = makeStep();
    const source = batches(makeLoader());
    const start = memory().heapBytes;
    let previous: Tensor | null = null;
    for (let i = 0; i < 1500; i++) {
      const x = zeros(BATCH, FEATURES)
        .add(i % 7)
        .clone();
      step(x, nextOf(source)[1]);
      // The batch before last has been spilled by now; garbage fills the limit.
      previous?.sum();
      previous = x;
      pressure(1);
    }
    expect(memory().heapBytes - start).toBeLessThan(100 * MB);
  });

  test("lets go of nets, optimizers and their state, one after the other", () => {
    const start = memory().heapBytes;
    for (let i = 0; i < 120; i++) {
      const net = new nn.Linear(512, 512);
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
      for (let j = 0; j < 2; j++) {
        optimizer.zeroGrad();
        net(ones(2, 512)).square().mean().backward();
        optimizer.step();
      }
    }
    // 120 nets of 3 MB each would be 360 MB.
    expect(memory().heapBytes - start).toBeLessThan(100 * MB);
  });

  test("two backward passes a step: both losses can be printed at its end", () => {
    const [generator, discriminator] = [new nn.Linear(4, FEATURES), new nn.Linear(FEATURES, 2)];
    const optimizers = [generator, discriminator].map((net) => new optim.SGD(net.parameters(), { lr: 0.01 }));
    const [real, fake] = [new Int32Array(BATCH).fill(1), new Int32Array(BATCH)].map((t) => tensor(t));
    const source = batches(makeLoader());
    const { early, late } = heapOver(2000, () => {
      const [x] = nextOf(source);
      const made = generator(randn(BATCH, 4));
      for (const o of optimizers) o.zeroGrad();
      const outReal = discriminator(x);
      const lossD = criterion(outReal, real).add(criterion(discriminator(made.detach()), fake));
      lossD.backward();
      optimizers[1].step();
      const lossG = criterion(discriminator(made), real);
      lossG.backward();
      optimizers[0].step();
      expect(lossD.item() + lossG.item()).toBeGreaterThan(0);
      expect(outReal.sum().item()).not.toBeNaN();
    });
    expect(late - early).toBeLessThan(2 * MB);
  });
});

describe("what backward() consumed", () => {
  const run = (size: number) => {
    const x = ones(size);
    const w = tensor([3], { requiresGrad: true });
    const hidden = x.mul(w);
    const outputs = hidden.exp();
    const loss = outputs.sum();
    return { hidden, outputs, loss };
  };

  test("stays readable until the next backward(), whatever its size", () => {
    const { hidden, outputs, loss } = run(MEGA);
    loss.backward();
    expectFilled(hidden, 3);
    expectFilled(outputs, Math.fround(Math.exp(3)));
    expect(loss.item()).toBeGreaterThan(MEGA);
  });

  test("is then used again, and says so; small results stay several passes longer; scalars for ever", () => {
    const [large, small] = [run(MEGA), run(100)];
    large.loss.backward();
    small.loss.backward();
    passes(1);
    expect(() => large.outputs.toArray()).toThrow(DisposedError);
    expect(() => large.outputs.toArray()).toThrow(/^exp: .*backward\(\).*keep\(\).*clone\(\)/s);
    passes(4);
    expectFilled(small.hidden, 3);
    passes(20);
    expect(() => small.hidden.sum()).toThrow(/^mul: .*keep\(\).*clone\(\)/s);
    expect(small.loss.item()).toBeCloseTo(100 * Math.exp(3), 2);
    expect(small.loss.add(large.loss).item()).toBeGreaterThan(0);
  });

  test("small outputs that were detached are there at the end of the epoch", () => {
    const collected = Array.from({ length: 30 }, () => {
      const { hidden, loss } = run(100);
      loss.backward();
      return hidden.detach();
    });
    passes(20);
    expectFilled(cat(collected), 3);
  });

  test("stays while it is used between passes, and with keep()", () => {
    const { hidden, outputs, loss } = run(MEGA);
    outputs.keep();
    loss.backward();
    for (let i = 0; i < 5; i++) {
      expectFilled(hidden, 3);
      passes(1);
    }
    passes(20);
    pressure();
    expectFilled(outputs, Math.fround(Math.exp(3)));
    outputs.dispose();
    expect(() => outputs.sum()).toThrow(/dispose\(\)/);
  });

  test("with retainGraph nothing is consumed", () => {
    const { hidden, loss } = run(5000);
    loss.backward(null, { retainGraph: true });
    passes(20);
    pressure();
    expectFilled(hidden, 3);
    loss.backward();
  });
});

describe("under pressure", () => {
  beforeAll(() => passes(1));

  test("results go by last use, oldest first, and say what to do", () => {
    const old = ones(5000).mul(2);
    const used = ones(5000).mul(3);
    for (let i = 0; i < 8; i++) {
      pressure(40);
      used.sum();
    }
    expect(() => old.toArray()).toThrow(DisposedError);
    expect(() => old.add(1)).toThrow(/^mul: .*memory pressure.*keep\(\).*clone\(\)/s);
    expect(() => old.narrow(0, 0, 5).toArray()).toThrow(DisposedError);
    expectFilled(used, 3);
  });

  test("small results are set aside, not lost: the outputs of an evaluation, joined at its end", () => {
    const outputs = noGrad(() =>
      Array.from({ length: 40 }, (_, i) => {
        const output = full([100, 10], i).add(0.5);
        pressure(8);
        return output;
      }),
    );
    for (let i = 0; i < 8; i++) pressure(40);
    const all = cat(outputs);
    expect(all.shape).toEqual([4000, 10]);
    expect(
      all
        .mean(1)
        .toArray()
        .filter((_: number, i: number) => i % 100 === 0),
    ).toEqual(outputs.map((_, i) => i + 0.5));
  });

  test("a use of a view is a use", () => {
    const base = ones(5000).mul(4);
    const view = base.reshape(10, 500).select(0, 3);
    for (let i = 0; i < 8; i++) {
      pressure(40);
      view.sum();
    }
    expectFilled(base, 4);
  });

  test("data, clones, parameters, buffers, kept results and scalars survive", () => {
    const weights = ones(1000).mul(5);
    const survivors = {
      data: tensor(new Float32Array(1000).fill(5)),
      ints: tensor(new Int32Array(1000).fill(5)),
      bytes: tensor(new Uint8Array(1003).fill(5)),
      clone: weights.clone(),
      best: weights.detach().clone(),
      parameter: new nn.Parameter(ones(1000).mul(5)),
      kept: ones(1000).mul(5).keep(),
      scalar: ones(1000).mul(0.005).sum().round(),
      empty: ones(0, 5).mul(5),
    };
    const norm = new nn.Identity();
    norm.registerBuffer("running", ones(1000).mul(5));
    for (let i = 0; i < 3; i++) pressure();
    for (const [name, x] of Object.entries(survivors)) {
      expect([...new Set(x.toTypedArray())], name).toEqual(name === "empty" ? [] : [5]);
    }
    expectFilled((norm as any).running, 5);
    expectFilled(survivors.best.add(survivors.clone), 10);
  });

  test("best weights, optimizer state and gradients survive", () => {
    const net = new nn.Linear(64, 64);
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    net(ones(2, 64)).square().sum().backward();
    optimizer.step();
    const momentum = (optimizer.state.get(net.weight) as any).momentumBuffer as Tensor;
    const before = [net.weight, net.weight.grad as Tensor, momentum].map((t) => t.toTypedArray());
    const best = Object.entries(net.stateDict()).map(([name, t]) => [name, t.clone()]);
    pressure();
    expect([net.weight, net.weight.grad as Tensor, momentum].map((t) => t.toTypedArray())).toEqual(before);
    noGrad(() => net.weight.zero_());
    net.loadStateDict(Object.fromEntries(best));
    expect(net.weight.toTypedArray()).toEqual(before[0]);
  });

  test("what a tape saved comes back: gradients are the same", () => {
    const gradients = (between: () => void) => {
      manualSeed(5);
      const net = new nn.Sequential(new nn.Linear(32, 64), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(64, 8));
      const x = randn(256, 32);
      const loss = F.softmax(net(x.mul(2).relu()), 1)
        .square()
        .mean();
      between();
      loss.backward();
      return net.parameters().map((p) => (p.grad as Tensor).toTypedArray());
    };
    expect(gradients(() => pressure())).toEqual(gradients(() => undefined));
  });

  test("a working set beyond the soft limit is slow, not lost: skip connections of large evaluations", () => {
    noGrad(() => {
      const skips: Tensor[] = [];
      let x = ones(8 * MEGA);
      for (let i = 0; i < 12; i++) {
        skips.push(x);
        x = x.add(1).relu();
      }
      for (let i = 11; i >= 0; i--) x = x.sub(skips[i]);
      // 13 − (1 + 2 + … + 12)
      expect(x.amax().item()).toBe(13 - 78);
      expect(x.amin().item()).toBe(13 - 78);
    });
    // Larger than anything yet, so that both operands must stay while the result is made.
    const a = noGrad(() => ones(30 * MEGA).add(1));
    const b = noGrad(() => a.mul(3));
    expect(noGrad(() => a.add(b).amax()).item()).toBe(8);
  });

  test("never another tensor's bytes", () => {
    const live: { x: Tensor; value: number; lossless: boolean }[] = [];
    let lost = 0;
    for (let i = 0; i < 4000; i++) {
      const size = 1 + ((i * 7919) % 60_000);
      const lossless = i % 5 === 0;
      const x = lossless ? ones(size).mul(i).clone() : ones(size).mul(i);
      live.push({ x, value: i, lossless });
      if (i % 50 === 0) passes(1);
      const looked = live[(i * 104_729) % live.length];
      try {
        expectFilled(looked.x, looked.value);
      } catch (error) {
        expect(error).toBeInstanceOf(DisposedError);
        expect(looked.lossless || looked.x.numel() === 1).toBe(false);
        lost++;
      }
    }
    expect(lost).toBeGreaterThan(0);
    expect(memory().heapBytes).toBeLessThan(700 * MB);
  });

  test("a mask or features computed once and used in every step survive", () => {
    const [mask, features] = noGrad(() => [ones(400, 64).mul(0.5).gt(0.2), ones(400, 64).mul(2)]);
    const w = tensor(new Float32Array(64).fill(1), { requiresGrad: true });
    for (let i = 0; i < 60; i++) {
      w.grad = null;
      features.mul(w).mul(mask).sum().backward();
      pressure(20);
    }
    expectFilled(features, 2);
    expectFilled(w.grad as unknown as Tensor, 800);
  });
});

describe("dispose, using and scope", () => {
  test("a result that its own graph saved can be disposed; backward() then refuses before it changes anything", () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    const probabilities = F.softmax(w, 0);
    const loss = w.square().add(probabilities).sum();
    probabilities.dispose();
    expect(() => loss.backward()).toThrow(/^softmax: .*dispose\(\)/);
    expect(w.grad).toBeNull();
    w.sum().backward();
    expect(w.grad?.toArray()).toEqual([1, 1, 1]);
  });

  test("scope() frees all but what it returns", () => {
    const before = memory();
    const result = scope(() => {
      const a = ones(1000);
      const b = a.mul(2);
      return { list: [b.add(1), { deep: b.add(2) }], map: new Map([["c", b.add(3)]]), text: "x", none: null };
    });
    expect(memory().liveTensors - before.liveTensors).toBe(3);
    expectFilled(result.list[0] as Tensor, 3);
    expectFilled((result.list[1] as { deep: Tensor }).deep, 4);
    expectFilled(result.map.get("c") as Tensor, 5);
  });

  test("scope() says so when what it freed is used, and keep() exempts", () => {
    let inside = ones(1);
    let kept = ones(1);
    const value = scope(() => {
      inside = tensor(new Float32Array(10).fill(1));
      kept = ones(10).mul(2).keep();
      return 7;
    });
    expect(value).toBe(7);
    expect(() => inside.sum()).toThrow(/^tensor: .*scope\(\).*keep\(\) or clone\(\)/s);
    expectFilled(kept, 2);
    kept.dispose();
  });

  test("scopes nest: what the inner returns belongs to the outer", () => {
    const before = memory().liveTensors;
    let middle = ones(1);
    scope(() => {
      middle = scope(() => ones(10).mul(2));
      expectFilled(middle, 2);
    });
    expect(() => middle.sum()).toThrow(DisposedError);
    expect(memory().liveTensors).toBe(before + 1);
  });

  test("a returned loss can run backward(); training inside a scope leaves parameters, gradients and state", () => {
    const net = new nn.Linear(3, 2);
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
    const loss = scope(() =>
      net(tensor([[1, 2, 3]]))
        .exp()
        .square()
        .mean(),
    );
    loss.backward();
    const expected = (net.weight.grad as Tensor).toArray();
    net.zeroGrad();
    scope(() => {
      net(tensor([[1, 2, 3]]))
        .exp()
        .square()
        .mean()
        .backward();
      expect((net.weight.grad as Tensor).toArray()).toEqual(expected);
      optimizer.step();
    });
    expect((net.weight.grad as Tensor).toArray()).toEqual(expected);
    expect((optimizer.state.get(net.weight) as any).momentumBuffer.toArray()).toEqual(expected);
    const made = scope(() => new nn.Linear(4, 4));
    expect(made(ones(1, 4)).shape).toEqual([1, 4]);
  });

  test("a scope that throws frees everything and passes the error on; the mode before it is in force again", () => {
    const before = memory().liveTensors;
    expect(() =>
      scope(() => {
        ones(10).mul(2);
        throw new RangeError("mine");
      }),
    ).toThrow("mine");
    expect(memory().liveTensors).toBe(before);
    expectFilled(ones(10).mul(3), 3);
  });

  test("a scope around a promise is refused", () => {
    expect(() => scope(async () => ones(3))).toThrow(/^scope: the function must be synchronous/);
    expect(() => noGrad(async () => ones(3))).toThrow(/^noGrad: the function must be synchronous/);
  });

  test("noGrad() frees nothing", () => {
    let inside = ones(1);
    noGrad(() => {
      inside = ones(10).mul(2);
    });
    expectFilled(inside, 2);
  });
});

describe("out of memory", () => {
  afterEach(() => vi.restoreAllMocks());

  test("names the op and the sizes, and leaves every tensor intact", () => {
    const held = Array.from({ length: 50 }, (_, i) => ones(1000 + i).mul(i));
    const x = ones(100);
    const before = memory().heapBytes;
    vi.spyOn(wasmMemory, "grow").mockImplementation(() => {
      throw new RangeError("WebAssembly.Memory.grow(): Maximum memory size exceeded");
    });
    const size = Math.ceil(before / 4) + 1;
    expect(() => zeros([size])).toThrow(OutOfMemoryError);
    expect(() => zeros([size])).toThrow(/^zeros: out of memory: asked for [\d.]+ MB, [\d.]+ MB in use of a heap of/);
    expect(() => x.unsqueeze(1).add(ones(1, size))).toThrow(OutOfMemoryError);
    expect(() => x.expand(2 ** 24, 100).add(1)).toThrow(/^add: out of memory: asked for 6400.0 MB/);
    vi.restoreAllMocks();
    expect(memory().heapBytes).toBe(before);
    for (const [i, t] of held.entries()) expectFilled(t, i);
    expectFilled(x, 1);
    checkHeap();
  });

  test("within backward(): the library goes on", () => {
    const w = ones(MEGA).requiresGrad_();
    const loss = w.mul(2).exp().sum();
    pressure(30);
    const spy = vi.spyOn(wasmMemory, "grow").mockImplementation(() => {
      throw new RangeError("no more");
    });
    try {
      loss.backward();
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError);
    }
    spy.mockRestore();
    const again = tensor([2], { requiresGrad: true });
    again.square().sum().backward();
    expect(again.grad?.toArray()).toEqual([4]);
  });
});

test("passes of autograd.grad count as passes", () => {
  const w = tensor([1, 2], { requiresGrad: true });
  const y = w.mul(w);
  autograd.grad(y.sum(), w);
  expect(y.toArray()).toEqual([1, 4]);
  beginPass();
  endPass();
  for (let i = 0; i < 12; i++) autograd.grad(w.mul(w).sum(), w);
  expect(() => y.toArray()).toThrow(DisposedError);
});
