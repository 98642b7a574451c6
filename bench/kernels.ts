/** Kernels through their public calls, against what the machine can do: arithmetic peak, copy bandwidth, Math.*. */
import { F, manualSeed, nn, optim, rand, randint, randn, type Tensor, transforms } from "../src/index.js";
import { k as bench } from "../src/wasm/families/bench.generated.js";
import { k } from "../src/wasm/load.js";
import { race } from "./measure.js";
import { pick, type Row } from "./row.js";

const PEAK_CALLS = 20000;
const PEAK_FLOPS = 96 * PEAK_CALLS;

/** Arithmetic, as a fraction of what a loop that touches only registers reaches. */
export async function ofPeak(name: string, flops: number, run: () => void, atLeast: number): Promise<Row> {
  const { own, other: peak, ratio } = await race({ name, run }, { name: "peak", run: () => bench.peak(PEAK_CALLS) });
  const rate = flops / own / 1e9;
  const limit = PEAK_FLOPS / peak / 1e9;
  return {
    name,
    against: "of peak",
    value: flops / PEAK_FLOPS / ratio,
    bar: { atLeast },
    detail: `${(own * 1e6).toFixed(1)} µs, ${rate.toFixed(1)} of ${limit.toFixed(1)} GFLOP/s`,
  };
}

export async function matmulRows(): Promise<Row[]> {
  const rows: Row[] = [];
  const bars: [number, number, number][] = [
    [64, 0.55, 0.4],
    [128, 0.75, 0.55],
    [256, 0.88, 0.68],
    [512, 0.93, 0.74],
    [1024, 0.93, 0.74],
  ];
  for (const [n, relaxed, simd] of bars) {
    const [a, b] = [randn(n, n), randn(n, n)];
    rows.push(await ofPeak(`matmul ${n}`, 2 * n ** 3, () => a.matmul(b).dispose(), pick(relaxed, simd)));
  }
  const n = 512;
  const [a, b] = [randn(n, n), randn(n, n)];
  const [aT, bT] = [a.T, b.T];
  const flops = 2 * n ** 3;
  for (const [name, run] of [
    ["matmul NT 512", () => a.matmul(bT)],
    ["matmul TN 512", () => aT.matmul(b)],
  ] as const) {
    const {
      own,
      other: plain,
      ratio,
    } = await race({ name, run: () => run().dispose() }, { name: "NN", run: () => a.matmul(b).dispose() });
    rows.push({
      name,
      against: "of NN's time",
      value: ratio,
      bar: { atMost: 1.05 },
      detail: `${(flops / own / 1e9).toFixed(1)} GFLOP/s, NN ${(flops / plain / 1e9).toFixed(1)}`,
    });
  }
  const [x, weight, bias] = [randn(64, 784), randn(256, 784), randn(256)];
  rows.push(
    await ofPeak("linear 64×784→256", 2 * 64 * 784 * 256, () => F.linear(x, weight, bias).dispose(), pick(0.75, 0.55)),
  );
  return rows;
}

const MILLION = 2 ** 20;

/** A memory-bound kernel, as a fraction of the bytes a v128 copy loop moves a second. */
async function moving(name: string, bytesEach: number, run: () => void, atLeast: number | null = 0.8): Promise<Row> {
  const [from, to] = [rand(MILLION), rand(MILLION)];
  const {
    own,
    other: copy,
    ratio,
  } = await race({ name, run }, { name: "copy", run: () => k.copy_loop(to.ptr, from.ptr, MILLION) });
  const rate = (bytesEach * MILLION) / own / 1e9;
  const limit = (8 * MILLION) / copy / 1e9;
  return {
    name,
    against: "of copy",
    value: bytesEach / 8 / ratio,
    bar: atLeast === null ? undefined : { atLeast },
    detail: `${(own * 1e6).toFixed(0)} µs, ${rate.toFixed(1)} of ${limit.toFixed(1)} GB/s`,
  };
}

/**
 * Each with the bytes it must move for a parameter: it reads parameter, gradient and state, and writes parameter and state.
 * Only SGD waits for memory. The others divide by a root, which takes Zen 4 some 8.5 cycles for four elements whatever else
 * is done: 620 µs, more than the copy loop needs for their bytes while these lie in the cache.
 */
const OPTIMIZERS: [name: string, bytesEach: number, make: (params: Tensor[]) => { step(): unknown }][] = [
  ["SGD with momentum", 20, (params) => new optim.SGD(params, { lr: 1e-6, momentum: 0.9 })],
  ["SGD with dampening", 20, (params) => new optim.SGD(params, { lr: 1e-6, momentum: 0.9, dampening: 0.1 })],
  ["Adam", 28, (params) => new optim.Adam(params, { lr: 1e-6 })],
  ["AdamW, amsgrad", 36, (params) => new optim.AdamW(params, { lr: 1e-6, amsgrad: true })],
  ["RMSprop", 20, (params) => new optim.RMSprop(params, { lr: 1e-6 })],
  ["RMSprop, centered, momentum", 36, (params) => new optim.RMSprop(params, 1e-6, { centered: true, momentum: 0.9 })],
  ["Adagrad", 20, (params) => new optim.Adagrad(params, { lr: 1e-6 })],
  ["Adadelta", 28, (params) => new optim.Adadelta(params, { lr: 1e-6 })],
];

export async function memoryRows(): Promise<Row[]> {
  const [x, y] = [randn(MILLION), randn(MILLION)];
  const rows = [
    await moving("relu 1 M", 8, () => F.relu(x).dispose()),
    await moving("add 1 M", 12, () => x.add(y).dispose()),
  ];
  for (const [name, bytesEach, make] of OPTIMIZERS) {
    const weight = new nn.Parameter(randn(MILLION));
    weight.grad = randn(MILLION);
    const optimizer = make([weight]);
    optimizer.step();
    const bar = name.startsWith("SGD") ? 0.8 : null;
    rows.push(await moving(`${name} 1 M`, bytesEach, () => optimizer.step(), bar));
  }
  return rows;
}

/** A function against a loop over a Float32Array with JavaScript's own Math. */
export async function functionRows(): Promise<Row[]> {
  manualSeed(0);
  const x = randn(MILLION);
  const values = x.toTypedArray() as Float32Array;
  const out = new Float32Array(MILLION);
  const contestants: [string, () => Tensor, (v: number) => number][] = [
    ["exp 1 M", () => x.exp(), Math.exp],
    ["tanh 1 M", () => x.tanh(), Math.tanh],
    ["sigmoid 1 M", () => x.sigmoid(), (v) => 1 / (1 + Math.exp(-v))],
  ];
  const rows: Row[] = [];
  for (const [name, run, scalar] of contestants) {
    // A loop of its own for each, so that V8 inlines the function into it.
    const loop = new Function("f", "x", "out", "for (let i = 0; i < x.length; i++) out[i] = f(x[i]);");
    const {
      own,
      other: plain,
      ratio,
    } = await race({ name, run: () => run().dispose() }, { name: "Math", run: () => loop(scalar, values, out) });
    rows.push({
      name,
      against: "× Math.* loop",
      value: 1 / ratio,
      bar: { atLeast: 8 },
      detail: `${(own * 1e6).toFixed(0)} µs, Math ${(plain * 1e6).toFixed(0)} µs`,
    });
  }
  return rows;
}

/**
 * The usual augmentation of CIFAR's images, as one call on a uint8 batch: images a second, and the bytes that must move (pixels
 * read, floats written) as a fraction of what a copy moves.
 */
export async function augmentationRows(): Promise<Row[]> {
  const { Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor } = transforms;
  const augment = new Compose([
    new RandomCrop(32, { padding: 4 }),
    new RandomHorizontalFlip(),
    new ToTensor(),
    new Normalize([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]),
  ]);
  const pixels = 3 * 32 * 32;
  const rows: Row[] = [];
  for (const batch of [64, 256, 1024]) {
    const name = `augmentation, ${batch} × 3×32×32`;
    const images = randint(0, 256, [batch, 3, 32, 32]).to("uint8");
    const [from, to] = [rand(batch * pixels), rand(batch * pixels)];
    const { own, ratio } = await race(
      { name, run: () => augment(images).dispose() },
      { name: "copy", run: () => k.copy_loop(to.ptr, from.ptr, batch * pixels) },
    );
    rows.push({
      name,
      against: "images/s",
      value: batch / own,
      bar: { atLeast: 200000 },
      detail: `${(own * 1e6).toFixed(0)} µs, ${((100 * 5) / 8 / ratio).toFixed(0)} % of copy's bytes`,
    });
  }
  return rows;
}
