/** Threads: the same bits for every number of them, and what happens where they cannot be had or fail. */
import { spawnSync } from "node:child_process";
import { Worker, type WorkerOptions } from "node:worker_threads";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArgumentError,
  add,
  backend,
  F,
  full,
  getNumThreads,
  manualSeed,
  matmul,
  nn,
  optim,
  rand,
  randint,
  randn,
  setNumThreads,
  type Tensor,
  ThreadError,
  tensor,
  transforms,
} from "../src/index.js";
import { shareOut } from "../src/wasm/threads.js";

afterEach(async () => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  await setNumThreads(1);
});

const COUNTS = [1, 2, 3, 4];

const bits = (t: Tensor): Buffer => Buffer.from((t.toTypedArray() as Float32Array).buffer);

/** Results and gradients, with each number of threads. */
async function sameBits(make: () => Tensor[]): Promise<void> {
  let first: Buffer[] | null = null;
  for (const n of COUNTS) {
    await setNumThreads(n);
    expect(getNumThreads()).toBe(n);
    manualSeed(1);
    const found = make().map(bits);
    first ??= found;
    found.forEach((buffer, i) => {
      expect(buffer.equals(first?.[i] as Buffer), `result ${i} with ${n} threads`).toBe(true);
    });
  }
}

/** The result of fn, and the gradients of its inputs. */
const withGradients =
  (shapes: number[][], fn: (...inputs: Tensor[]) => Tensor): (() => Tensor[]) =>
  () => {
    const inputs = shapes.map((shape) => randn(shape).requiresGrad_());
    const out = fn(...inputs);
    out.backward(randn(out.shape));
    return [out, ...inputs.map((t) => t.grad as Tensor)];
  };

const BIG = [64, 16, 32, 33];

describe("the same bits for 1, 2, 3 and 4 threads", () => {
  const programs: Record<string, () => Tensor[]> = {
    "matmul, by rows": withGradients(
      [
        [513, 130],
        [130, 257],
      ],
      matmul,
    ),
    "matmul, by columns": withGradients(
      [
        [65, 784],
        [784, 259],
      ],
      matmul,
    ),
    linear: withGradients([[64, 784], [256, 784], [256]], F.linear),
    "conv2d through Winograd": withGradients([[7, 16, 21, 23], [20, 16, 3, 3], [20]], (x, w, b) =>
      F.conv2d(x, w, b, { padding: 1 }),
    ),
    "conv2d of stride 2": withGradients([[7, 16, 31, 33], [24, 16, 3, 3], [24]], (x, w, b) =>
      F.conv2d(x, w, b, { padding: 1, stride: 2 }),
    ),
    "conv2d of small images": withGradients(
      [
        [65, 16, 4, 4],
        [32, 16, 3, 3],
      ],
      (x, w) => F.conv2d(x, w, null, { stride: 2 }),
    ),
    "conv2d of groups": withGradients([[9, 16, 32, 32], [32, 4, 5, 5], [32]], (x, w, b) =>
      F.conv2d(x, w, b, { groups: 4 }),
    ),
    "conv2d 1×1": withGradients([[9, 64, 16, 16], [32, 64, 1, 1], [32]], (x, w, b) => F.conv2d(x, w, b)),
    convTranspose2d: withGradients([[9, 16, 16, 16], [16, 8, 4, 4], [8]], (x, w, b) =>
      F.convTranspose2d(x, w, b, { stride: 2 }),
    ),
    "maxPool2d 2×2, 3×3 and others": withGradients([BIG], (x) =>
      add(F.maxPool2d(x, 2).sum(), F.maxPool2d(x, 3, { stride: 2, padding: 1 }).square().sum()).add(
        F.maxPool2d(x, [3, 2], 1).square().sum(),
      ),
    ),
    avgPool2d: withGradients([BIG], (x) =>
      add(F.avgPool2d(x, 2).square().sum(), F.avgPool2d(x, 3, { stride: 2 }).sum()),
    ),
    "batchNorm, alone and fused": withGradients([BIG, [16], [16], BIG], (x, weight, bias, other) => {
      const h = F.batchNorm(x, null, null, { weight, bias, training: true });
      return F.relu(F.batchNorm(h.keep(), null, null, { weight, bias, training: true }).add(other));
    }),
    "batchNorm of a matrix": withGradients([[4096, 37], [37], [37]], (x, weight, bias) =>
      F.relu(F.batchNorm(x, null, null, { weight, bias, training: true })),
    ),
    layerNorm: withGradients([[900, 300], [300], [300]], (x, weight, bias) => F.layerNorm(x, [300], { weight, bias })),
    softmax: withGradients([[900, 301]], (x) => F.softmax(x, 1).add(F.logSoftmax(x, 1))),
    reductions: withGradients([[301, 900]], (x) =>
      x
        .sum(1)
        .add(x.mean(1))
        .add(x.amax(1))
        .add(x.std(1))
        .add(x.logsumexp(1))
        .add(x.norm({ dim: 1 })),
    ),
    "element by element": withGradients(
      [
        [300, 901],
        [300, 901],
      ],
      (x, y) =>
        x
          .exp()
          .add(y.tanh())
          .mul(F.gelu(x))
          .sub(F.silu(y))
          .add(F.leakyRelu(x))
          .add(x.abs().sqrt())
          .add(F.softplus(x))
          .add(x.clamp({ min: -1, max: 1 }))
          .maximum(y),
    ),
    "crop, flip and normalise": () => {
      const images = tensor(
        new Uint8Array(200 * 3 * 32 * 32).map((_, i) => (i * 7919) >> 3),
        { shape: [200, 3, 32, 32] },
      );
      const chain = new transforms.Compose([
        new transforms.RandomCrop(32, { padding: 4 }),
        new transforms.RandomHorizontalFlip(),
        new transforms.ToTensor(),
        new transforms.Normalize([0.5, 0.4, 0.3], [0.2, 0.2, 0.2]),
      ]);
      return [chain(images), new transforms.ToTensor()(images), new transforms.RandomCrop(24)(images).float()];
    },
  };
  test.each(Object.entries(programs))("%s", async (_, make) => {
    await sameBits(make);
  });

  test.each(["SGD", "Adam", "RMSprop", "Adagrad", "Adadelta"] as const)("%s and clipping", async (name) => {
    await sameBits(() => {
      const params = [[301, 900], [17], [900, 300], [64, 64, 3, 3]].map((shape) => new nn.Parameter(randn(shape)));
      const optimizer = new optim[name](params, { lr: 0.01, ...(name === "SGD" ? { momentum: 0.9 } : {}) });
      for (let i = 0; i < 3; i++) {
        for (const p of params) p.grad = randn(p.shape);
        nn.utils.clipGradNorm_(params, 1);
        nn.utils.clipGradValue_(params, 1e-3);
        optimizer.step();
      }
      return params;
    });
  });

  test("a network's training", async () => {
    await sameBits(() => {
      const net = new nn.Sequential(
        new nn.Conv2d(3, 16, 3, { padding: 1, bias: false }),
        new nn.BatchNorm2d(16),
        new nn.ReLU(),
        new nn.Conv2d(16, 16, 3, { padding: 1 }),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Flatten(),
        new nn.Dropout(0.2),
        new nn.Linear(16 * 14 * 14, 10),
      );
      const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3 });
      const [x, y] = [rand(33, 3, 28, 28), randint(0, 10, [33])];
      for (let i = 0; i < 4; i++) {
        optimizer.zeroGrad();
        F.crossEntropy(net(x), y).backward();
        nn.utils.clipGradNorm_(net.parameters(), 1);
        optimizer.step();
      }
      return Object.values(net.stateDict()).map((t) => t.float());
    });
  });
});

test("tensors made before stay what they are, and memory is shared", async () => {
  const x = randn(1000);
  const before = x.toArray();
  await setNumThreads(2);
  expect(x.toArray()).toEqual(before);
  expect(backend()).toMatchObject({ threads: 2, shared: true });
  // Growth reaches the workers.
  const large = randn(3000, 2000);
  expect(bits(large.neg().neg()).equals(bits(large))).toBe(true);
});

describe("refused, with nothing lost", () => {
  test.each([0, -1, 1.5, Number.NaN, 10_000, "2" as never])("setNumThreads(%s)", async (n) => {
    await setNumThreads(2);
    await expect(setNumThreads(n)).rejects.toThrow(ArgumentError);
    await expect(setNumThreads(n)).rejects.toThrow(`found ${n}`);
    expect(getNumThreads()).toBe(2);
  });

  test("no shared memory", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    await expect(setNumThreads(2)).rejects.toThrow(ThreadError);
    await expect(setNumThreads(2)).rejects.toThrow(
      /setNumThreads\(2\): .*Cross-Origin-Embedder-Policy.*1 thread goes on/,
    );
    await setNumThreads("auto");
    expect(getNumThreads()).toBe(1);
  });

  test("a constructor of workers that throws", async () => {
    const builtin = process.getBuiltinModule.bind(process);
    const refusing = {
      Worker: class {
        constructor() {
          throw new Error("refused by policy");
        }
      },
    };
    vi.spyOn(process, "getBuiltinModule").mockImplementation(((name: string) =>
      name === "node:worker_threads" ? refusing : builtin(name)) as never);
    await expect(setNumThreads(3)).rejects.toThrow(/could not start 2 workers: refused by policy; 1 thread goes on/);
    expect(randn(512, 512).matmul(randn(512, 512)).shape).toEqual([512, 512]);
  });
});

/** Workers of which the first `silent` never start, and how many were asked for and ended. */
function silentWorkers(silent: number): { asked: number; ended: number } {
  const builtin = process.getBuiltinModule.bind(process);
  const count = { asked: 0, ended: 0 };
  // Ten seconds' patience made two.
  const wait = setTimeout;
  vi.spyOn(globalThis, "setTimeout").mockImplementation(((fn: () => void, ms: number) => wait(fn, ms / 5)) as never);
  class Sometimes extends Worker {
    constructor(source: string, options: WorkerOptions) {
      super(++count.asked <= silent ? "setInterval(() => {}, 1000)" : source, options);
    }
    override terminate(): Promise<number> {
      count.ended++;
      return super.terminate();
    }
  }
  vi.spyOn(process, "getBuiltinModule").mockImplementation(((name: string) =>
    name === "node:worker_threads" ? { Worker: Sometimes } : builtin(name)) as never);
  return count;
}

describe("a worker that does not start", () => {
  test("is started anew", async () => {
    const count = silentWorkers(1);
    await setNumThreads(2);
    expect(getNumThreads()).toBe(2);
    expect(count).toEqual({ asked: 2, ended: 1 });
  }, 60_000);

  test("twice, is an error, and one thread goes on", async () => {
    const count = silentWorkers(2);
    await expect(setNumThreads(2)).rejects.toThrow(
      /could not start 1 worker: the worker does not start; 1 thread goes on/,
    );
    expect(getNumThreads()).toBe(1);
    expect(count).toEqual({ asked: 2, ended: 2 });
  }, 60_000);
});

/** The workers that setNumThreads starts. */
async function startedWorkers(n: number): Promise<Worker[]> {
  const builtin = process.getBuiltinModule.bind(process);
  const found: Worker[] = [];
  class Recorded extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      found.push(this);
    }
  }
  vi.spyOn(process, "getBuiltinModule").mockImplementation(((name: string) =>
    name === "node:worker_threads" ? { Worker: Recorded } : builtin(name)) as never);
  await setNumThreads(n);
  return found;
}

/** Until the workers sleep, so that the calling thread is the first to claim a share. */
const untilWorkersSleep = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("failing workers", () => {
  const outside = 0xfffffff0;
  /** Shares of relu of two threads until what is thrown is such an error: who takes which share is the system's affair. */
  async function trap(shares: number[][], expected: new () => Error): Promise<void> {
    let error: unknown = null;
    for (let i = 0; i < 100 && !(error instanceof expected); i++) {
      await setNumThreads(2);
      await untilWorkersSleep();
      error = null;
      try {
        shareOut("relu", shares);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).not.toBeNull();
    }
    expect(error).toBeInstanceOf(expected);
  }

  test("a kernel that traps in a worker is an error here, and one thread goes on", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await setNumThreads(2);
    const long = randn(1 << 22);
    // The calling thread is busy with the first share, so the worker takes the other, if it gets a processor.
    const shares = [
      [long.ptr, long.ptr, long.numel()],
      [outside, outside, 1000],
    ];
    await trap(shares, ThreadError);
    expect(getNumThreads()).toBe(1);
    expect(warn).toHaveBeenCalledOnce();
    const [a, b] = [randn(512, 512), randn(512, 512)];
    expect(a.matmul(b).shape).toEqual([512, 512]);
  });

  test("a kernel that traps in the calling thread throws there, when all shares are done", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await setNumThreads(2);
    const x = full([1 << 22], -1);
    const half = x.numel() / 2;
    const shares = [
      [outside, outside, 1000],
      [x.ptr, x.ptr, half],
      [x.ptr + 4 * half, x.ptr + 4 * half, half],
    ];
    await trap(shares, WebAssembly.RuntimeError);
    expect(getNumThreads()).toBe(2);
    expect(x.eq(0).all().item()).toBe(true);
  });

  test("a worker that dies between steps", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const [worker] = await startedWorkers(2);
    await worker.terminate();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(getNumThreads()).toBe(1);
    expect(warn.mock.calls[0][0]).toMatch(/worker thread ended.*one thread/);
    await setNumThreads(2);
    expect(getNumThreads()).toBe(2);
  });

  test("a worker that is dead when its share comes: the calling thread does it", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const [a, b] = [randn(256, 256), randn(256, 256)];
    const expected = a.matmul(b).toTypedArray();
    const [worker] = await startedWorkers(2);
    // Not awaited: nothing is heard of its end before the product is made.
    const end = worker.terminate();
    expect(a.matmul(b).toTypedArray()).toEqual(expected);
    await end;
  }, 20_000);
});

test("a process ends with its script, workers or not", () => {
  const program = `
    import { setNumThreads, randn } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
    await setNumThreads(3);
    console.log(randn(300, 300).matmul(randn(300, 300)).shape.join());
  `;
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--import", "tsx", "--input-type=module", "-e", program],
    { encoding: "utf8", timeout: 30_000 },
  );
  expect(stderr).toBe("");
  expect(stdout.trim()).toBe("300,300");
  expect(status).toBe(0);
  expect(performance.now() - started).toBeLessThan(20_000);
}, 40_000);
