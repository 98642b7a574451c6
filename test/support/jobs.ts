/** Jobs of a worker, for test/worker.test.ts in Node and playground/test/worker.test.ts in Chromium; the module that the worker starts. */
import { F, fit, manualSeed, nn, optim, randn, ShapeError, tensor } from "lanegrad";
import type { JobContext } from "lanegrad/worker";
import { serve, transfer } from "lanegrad/worker";

let net: nn.Sequential | undefined;
let cleaned = 0;

const jobs = serve({
  /** Learns y = x₀·x₁; an event every 50 steps; returns the weights, moved. */
  async train(
    { steps, seed }: { steps: number; seed: number },
    { report, proceed }: JobContext<{ step: number; loss: number }>,
  ) {
    manualSeed(seed);
    net = new nn.Sequential(new nn.Linear(2, 32), new nn.ReLU(), new nn.Linear(32, 1));
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
    try {
      for (let step = 1; step <= steps; step++) {
        await proceed();
        const inputs = randn(64, 2);
        const targets = inputs.at(":", 0).mul(inputs.at(":", 1)).unsqueeze(1);
        optimizer.zeroGrad();
        const loss = F.mseLoss(net(inputs), targets);
        loss.backward();
        optimizer.step();
        if (step % 50 === 0) report({ step, loss: loss.item() });
      }
    } finally {
      cleaned++;
    }
    const weights = Object.entries(net.stateDict()).map(([name, t]) => [
      name,
      { shape: [...t.shape], data: t.toTypedArray() },
    ]);
    return transfer(Object.fromEntries(weights) as Record<string, { shape: number[]; data: Float32Array }>);
  },

  /** Until it is cancelled, by fit's own means: it hears of that only if it lets messages in. */
  async fitted(_: unknown, { report, signal }: JobContext<string>) {
    const [inputs, targets] = [randn(64, 2), randn(64, 1)];
    const layer = new nn.Linear(2, 1);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.01 });
    report("begins");
    const { stopReason } = await fit(layer, {
      train: [[inputs, targets]],
      loss: new nn.MSELoss(),
      optimizer,
      epochs: 1e9,
      progress: false,
      signal,
    });
    cleaned++;
    throw new Error(`fit: ${stopReason}`);
  },

  /** The answer of the network that is being trained. */
  ask: (x: Float32Array) => net?.(tensor(x).unsqueeze(0)).item() ?? null,

  cleaned: () => cleaned,
  sum: (values: Float32Array) => values.reduce((a, b) => a + b, 0),
  moved: (values: Float32Array) => transfer(values),
  returnsTensor: () => ({ weights: [tensor([1])] }),

  fail({ kind }: { kind: string }) {
    if (kind === "shape") return tensor([1, 2]).add(tensor([1, 2, 3]));
    if (kind === "range") throw new RangeError("out of range", { cause: new ShapeError("the cause") });
    if (kind === "string") throw "just a string";
    if (kind === "later") {
      setTimeout(() => {
        throw new Error("nobody catches this");
      });
      return new Promise(() => {});
    }
    return (globalThis as any).process.exit(3);
  },

  aborted: (_: unknown, { signal, report }: JobContext<string>) => {
    report("waiting");
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  },
});

export type TestJobs = typeof jobs;
