/** fit: early stopping, cancellation, and losses that are not finite. */
import { fit, nn, noGrad, optim, type Tensor, tensor } from "lanegrad";
import { describe, expect, test } from "vitest";
import { problem, rest, stateOf } from "./problem.js";

describe("early stopping", () => {
  /** Validation losses as they are told, and the weights after each epoch. */
  async function run(values: number[], options: any, epochs = values.length) {
    const p = problem();
    const weights: unknown[] = [];
    let at = 0;
    const history = await fit(p.net, {
      ...rest(p),
      epochs,
      metrics: { told: () => values[Math.min(at, values.length - 1)] },
      earlyStopping: { monitor: "validation.told", mode: "min", ...options },
      callbacks: {
        onEpochEnd: () => {
          weights.push(stateOf(p.net));
          at++;
        },
      },
    });
    return { history, weights, final: stateOf(p.net) };
  }

  test("stops after patience epochs without improvement, with the weights and buffers of the best one", async () => {
    const { history, weights, final } = await run([3, 2, 2.5, 2, 9, 1], { patience: 3 });
    expect([history.stopReason, history.epochs.length, history.best]).toEqual([
      "early-stopping",
      5,
      { epoch: 2, value: 2 },
    ]);
    expect(final).toEqual(weights[1]);
    expect(final).not.toEqual(weights[4]);
  });

  test("restores the best also when patience never fires", async () => {
    const { history, weights, final } = await run([3, 1, 2], { patience: 5 });
    expect([history.stopReason, history.best]).toEqual(["finished", { epoch: 2, value: 1 }]);
    expect(final).toEqual(weights[1]);
    const never = await run([3, 1, 2, 2, 2, 2, 2], { patience: Number.POSITIVE_INFINITY });
    expect([never.history.stopReason, never.final]).toEqual(["finished", never.weights[1]]);
  });

  test("mode, minDelta, restoreBest; NaN is no improvement", async () => {
    const up = await run([1, 2, 3, 2], { patience: 2, mode: "max" });
    expect([up.history.best, up.final]).toEqual([{ epoch: 3, value: 3 }, up.weights[2]]);
    const small = await run([3, 2.95, 2.9, 1], { patience: 2, minDelta: 0.5 });
    expect(small.history.best).toEqual({ epoch: 1, value: 3 });
    const last = await run([1, 2, 3, 4], { patience: 2, restoreBest: false });
    expect([last.history.stopReason, last.final]).toEqual(["early-stopping", last.weights[2]]);
    const nan = await run([Number.NaN, Number.NaN, 1], { patience: 2 });
    expect([nan.history.stopReason, nan.history.best]).toEqual(["early-stopping", null]);
    const late = await run([Number.NaN, 1, Number.NaN, 2], { patience: 3 });
    expect(late.history.best).toEqual({ epoch: 2, value: 1 });
  });
});

describe("ending", () => {
  test("an aborted signal ends training after the batch, and the history is returned", async () => {
    const p = problem();
    const controller = new AbortController();
    const history = await fit(p.net, {
      ...rest(p),
      epochs: 5,
      signal: controller.signal,
      callbacks: { onBatchEnd: ({ step }) => (step === 10 ? controller.abort() : undefined) },
    });
    expect([history.stopReason, history.steps, history.epochs.length]).toEqual(["aborted", 10, 1]);
    expect(p.net.training).toBe(true);
    const q = problem();
    const before = stateOf(q.net);
    const none = await fit(q.net, { ...rest(q), epochs: 5, signal: AbortSignal.abort() });
    expect([none.stopReason, none.steps, stateOf(q.net)]).toEqual(["aborted", 0, before]);
  });

  test("a timer can abort, also while a source keeps waiting", async () => {
    const p = problem();
    const busy = await fit(p.net, { ...rest(p), epochs: 1e6, signal: AbortSignal.timeout(60) });
    expect(busy.stopReason).toBe("aborted");
    let closed = 0;
    const hanging = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => {
          closed++;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const stuck = await fit(p.net, { ...rest(p), train: hanging, epochs: 1, signal: AbortSignal.timeout(20) });
    expect([stuck.stopReason, stuck.steps, closed]).toEqual(["aborted", 0, 1]);
  });

  test("stop() of a callback", async () => {
    const p = problem();
    const atEpoch = await fit(p.net, {
      ...rest(p),
      epochs: 5,
      callbacks: { onEpochEnd: (s) => (s.epoch === 2 ? s.stop() : undefined) },
    });
    expect([atEpoch.stopReason, atEpoch.epochs.length]).toEqual(["callback", 2]);
    const atBatch = await fit(p.net, {
      ...rest(p),
      epochs: 5,
      callbacks: { onBatchEnd: (s) => (s.step === 3 ? s.stop() : undefined) },
    });
    expect([atBatch.stopReason, atBatch.steps, atBatch.epochs.length]).toEqual(["callback", 3, 0]);
  });

  test("a loss that is not finite ends training before the weights change, and says where it came from", async () => {
    const p = problem({ dropout: 0 });
    let batches = 0;
    let before: unknown;
    const poisoned = (model: nn.Module, [x, y]: Tensor[]) => {
      if (++batches >= 9) x = tensor(new Float32Array(x.numel()).fill(Number.NaN), { shape: x.shape });
      before = stateOf(p.net);
      return [model(x), y] as const;
    };
    const history = await fit(p.net, { ...rest(p), validation: undefined, epochs: 3, forward: poisoned });
    expect([history.stopReason, history.steps, history.epochs.length]).toEqual(["non-finite", 8, 1]);
    expect(history.finding).toMatchObject({ rule: "non-finite", severity: "error", layer: "0", step: 9 });
    expect(history.finding?.why).toMatch(/the loss of step 9 is NaN: in anomaly mode, linear: .*in 0 \(Linear\)/);
    expect(history.finding?.evidence).toMatchObject({
      loss: Number.NaN,
      op: "linear",
      phase: "forward",
      nan: 256,
      "input 0": "no finite value, 32 NaN",
    });
    // Running statistics are those from before the diagnosis, weights those from before the step.
    expect(stateOf(p.net)["0.weight"]).toEqual((before as any)["0.weight"]);
    expect((stateOf(p.net)["1.num_batches_tracked"] as number[] | undefined)?.[0] ?? 9).toBe(9);
  });

  test("so does a gradient norm that is not finite, with clipNorm; neither does with terminateOnNaN: false", async () => {
    const run = async (options: object) => {
      const net = new nn.Linear(1, 1, { bias: false });
      noGrad(() => net.weight.fill_(0));
      const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
      const loss = (outputs: Tensor) => outputs.abs().sqrt().sum();
      const history = await fit(net, { train: [[tensor([[1]]), tensor([0])]], loss, optimizer, epochs: 2, ...options });
      return { history, weight: net.weight.item() };
    };
    const clipped = await run({ clipNorm: 1 });
    expect([clipped.history.stopReason, clipped.history.steps, clipped.weight]).toEqual(["non-finite", 0, 0]);
    expect(clipped.history.finding?.why).toMatch(
      /the gradients' norm of step 1 is .*: in anomaly mode, sqrt: its backward returned/,
    );
    const loose = await run({ terminateOnNaN: false });
    expect([loose.history.stopReason, loose.history.steps]).toEqual(["finished", 2]);
  });

  test("the best weights are restored, however it ends", async () => {
    const p = problem();
    let at: unknown;
    const history = await fit(p.net, {
      ...rest(p),
      epochs: 9,
      metrics: { told: () => (p.optimizer.paramGroups[0].lr < 0.1 ? 2 : 1) },
      earlyStopping: { patience: 5, monitor: "validation.told", mode: "min" },
      forward: (model, [x, y]) => [model(p.optimizer.paramGroups[0].lr < 0.06 ? x.mul(Number.NaN) : x), y],
      terminateOnNaN: true,
      callbacks: {
        onEpochEnd: (s) => {
          if (s.epoch === 1) at = stateOf(p.net);
          p.optimizer.paramGroups[0].lr *= 0.7;
        },
      },
    });
    expect([history.stopReason, history.best?.epoch]).toEqual(["non-finite", 1]);
    expect(stateOf(p.net)).toEqual(at);
  });
});
