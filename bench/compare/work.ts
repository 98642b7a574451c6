/** What is compared: the rows, and the numbers that go into them, the same for every peer. */

export type NetName = "mlp" | "small" | "cnn" | "resnet20";
export type Elementwise = "add" | "relu" | "exp" | "tanh";

export type Work =
  /** [m, k] × [k, n]; both may change from call to call. */
  | { kind: "matmul"; m: number; k: number; n: number }
  /** [batch, inputs] → [batch, outputs] with a fixed weight and bias. */
  | { kind: "linear"; batch: number; inputs: number; outputs: number }
  | { kind: "elementwise"; op: Elementwise; n: number }
  | { kind: "softmax"; rows: number; columns: number }
  /** Logits of a fixed net. */
  | { kind: "forward"; net: NetName }
  /** Forward, cross entropy, backward, clipping to norm 1, SGD with momentum. */
  | { kind: "step"; net: NetName }
  /** RandomCrop(32, padding 4), RandomHorizontalFlip, ToTensor, Normalize of a batch of uint8 images, 3×32×32. */
  | { kind: "augmentation"; batch: number }
  /** The sum of [1, 2] + 1. */
  | { kind: "first" };

export interface Task {
  /** What the command line calls it. */
  readonly name: string;
  readonly title: string;
  readonly work: Work | { kind: "startup" | "size" };
  /** How far a result may be from ours: |a − b| ≤ atol + rtol·|b|. */
  readonly atol?: number;
  readonly rtol?: number;
}

const product = (n: number): Task => ({
  name: `matmul${n}`,
  title: `matmul ${n}×${n}`,
  work: { kind: "matmul", m: n, k: n, n },
  atol: 1e-6 * n,
});
const linear = (inputs: number, outputs: number): Task => ({
  name: `linear${inputs}`,
  title: `linear 64×${inputs} → ${outputs}`,
  work: { kind: "linear", batch: 64, inputs, outputs },
  atol: 1e-4,
});
const million = (op: Elementwise): Task => ({
  name: op,
  title: `${op}, 1 M elements`,
  work: { kind: "elementwise", op, n: 2 ** 20 },
  atol: 1e-6,
  rtol: 1e-5,
});
const NET_TITLES: Record<NetName, string> = {
  mlp: "MLP 784-256-128-10, batch 64",
  small: "net 10-100-100-10, batch 32",
  cnn: "CNN, batch 64",
  resnet20: "ResNet-20, batch 64",
};
const forward = (net: NetName): Task => ({
  name: `${net}-forward`,
  title: `${NET_TITLES[net]}: forward`,
  work: { kind: "forward", net },
  atol: 1e-4,
  rtol: 1e-4,
});
const step = (net: NetName): Task => ({
  name: `${net}-step`,
  title: `${NET_TITLES[net]}: training step`,
  work: { kind: "step", net },
  rtol: net === "resnet20" ? 2e-3 : 2e-4,
});

export const TASKS: readonly Task[] = [
  ...[64, 128, 256, 512, 1024].map(product),
  linear(784, 256),
  linear(256, 128),
  linear(128, 10),
  ...(["add", "relu", "exp", "tanh"] as const).map(million),
  {
    name: "softmax",
    title: "softmax, 1024 rows of 1024",
    work: { kind: "softmax", rows: 1024, columns: 1024 },
    atol: 1e-8,
    rtol: 1e-4,
  },
  ...(["mlp", "cnn", "resnet20"] as const).map(forward),
  ...(["mlp", "small", "cnn", "resnet20"] as const).map(step),
  { name: "augmentation", title: "augmentation of 64 images, 3×32×32", work: { kind: "augmentation", batch: 64 } },
  { name: "startup", title: "import to first result", work: { kind: "startup" } },
  { name: "size", title: "a page that uses it, gzip", work: { kind: "size" } },
];

/**
 * Numbers in [low, high), the same in every language: mulberry32, whose i-th draw is a function of seed and i alone
 * (pytorch_peer.py has it too).
 */
export function uniform(seed: number, n: number, low: number, high: number): Float32Array {
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const a = (seed + Math.imul(i + 1, 0x6d2b79f5)) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    out[i] = low + ((t ^ (t >>> 14)) >>> 0) * 2 ** -32 * (high - low);
  }
  return out;
}

/** Class labels 0 … 9. */
export const labels = (n: number): Int32Array => Int32Array.from(uniform(3, n, 0, 10), Math.floor);

/** Bytes of images. */
export const pixels = (n: number): Uint8Array => Uint8Array.from(uniform(4, n, 0, 256), Math.floor);

export const MEAN = [0.4914, 0.4822, 0.4465];
export const STD = [0.2023, 0.1994, 0.201];

export const LR = 0.05;
export const MOMENTUM = 0.9;
/** The losses of so many steps are compared before the clock runs. */
export const CHECKED_STEPS = 3;

/** What a peer's module gives: jobs for works, or an error that says why not. */
export interface Peer {
  /** Version and whatever else decides its speed: build, BLAS, threads. */
  readonly description: string;
  open(work: Work): Job | Promise<Job>;
}

export interface Job {
  /** One call of the work; has finished all arithmetic when it returns or resolves. */
  run(): unknown;
  /** What must agree with ours; called once, before the first `run`. */
  check(): Float32Array | Promise<Float32Array>;
  dispose?(): void;
}
