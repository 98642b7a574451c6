/** fit: callbacks, events, the doctor and the bar. */
import { fit, metrics, type Tensor } from "lanegrad";
import { afterEach, describe, expect, test, vi } from "vitest";
import { problem, rest, stateOf } from "./problem.js";

afterEach(() => {
  vi.restoreAllMocks();
});
const withoutSeconds = (epochs: readonly any[]) => epochs.map(({ seconds: _, ...rest }) => rest);

describe("callbacks and events", () => {
  test("come in order, are waited for, and see the state", async () => {
    const p = problem({ samples: 32 });
    const log: string[] = [];
    const names = [
      "onFitBegin",
      "onEpochBegin",
      "onBatchEnd",
      "onValidationEnd",
      "onEpochEnd",
      "onCheckpoint",
      "onFitEnd",
    ] as const;
    const recorder = (tag: string, wait: boolean) =>
      Object.fromEntries(
        names.map((name) => [
          name,
          async ({ epoch, batch, step }: any) => {
            if (wait) await new Promise((resolve) => setTimeout(resolve, 1));
            log.push(`${tag} ${name} ${epoch}.${batch}.${step}`);
          },
        ]),
      );
    const events = new EventTarget();
    const types: string[] = [];
    for (const type of ["fitbegin", "epochbegin", "batchend", "validationend", "epochend", "checkpoint", "fitend"]) {
      events.addEventListener(type, (event) => types.push(`${type} ${(event as CustomEvent).detail.step}`));
    }
    const saved: Uint8Array[] = [];
    await fit(p.net, {
      ...rest(p),
      epochs: 1,
      events,
      callbacks: [recorder("a", true), recorder("b", false)],
      checkpoint: { save: (bytes) => void saved.push(bytes) },
    });
    expect(log).toEqual(
      [
        "onFitBegin 0.0.0",
        "onEpochBegin 1.0.0",
        "onBatchEnd 1.1.1",
        "onBatchEnd 1.2.2",
        "onValidationEnd 1.2.2",
        "onEpochEnd 1.0.2",
        "onCheckpoint 1.0.2",
        "onFitEnd 1.0.2",
      ].flatMap((line) => [`a ${line}`, `b ${line}`]),
    );
    expect(types).toEqual([
      "fitbegin 0",
      "epochbegin 0",
      "batchend 1",
      "batchend 2",
      "validationend 2",
      "epochend 2",
      "checkpoint 2",
      "fitend 2",
    ]);
    expect(saved).toHaveLength(1);
  });

  test("state: losses, norms, means so far, learning rates", async () => {
    const p = problem();
    const losses: number[] = [];
    await fit(p.net, {
      ...rest(p),
      epochs: 1,
      clipNorm: 1,
      callbacks: {
        onBatchEnd: (s) => {
          losses.push(s.loss);
          expect([s.batches, s.epochs, s.samples]).toEqual([7, 1, s.batch === 7 ? 4 : 16]);
          expect(s.gradNorm).toBeGreaterThan(0);
          if (s.batch <= 2) expect(s.train.loss).toBeCloseTo(losses.reduce((a, b) => a + b) / s.batch, 10);
        },
        onEpochEnd: (s) => expect(s.history[0].train).toEqual(s.train),
      },
    });
    expect(losses).toHaveLength(7);
  });

  test("what a callback, the loss or the data throw comes out, with modes restored and sources closed", async () => {
    const p = problem();
    p.net.eval();
    let closed = false;
    function* source() {
      try {
        yield* p.train;
      } finally {
        closed = true;
      }
    }
    const options = { ...rest(p), train: source, epochs: 1 };
    const fail = () => {
      throw new Error("mine");
    };
    await expect(fit(p.net, { ...options, callbacks: { onBatchEnd: fail } })).rejects.toThrow("mine");
    expect([p.net.training, closed]).toEqual([false, true]);
    await expect(fit(p.net, { ...options, callbacks: { onBatchEnd: async () => fail() } })).rejects.toThrow("mine");
    await expect(fit(p.net, { ...options, loss: fail })).rejects.toThrow("mine");
  });

  test("a doctor is stepped, told of validation, and its failures change nothing", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const run = async (doctor?: any) => {
      const p = problem();
      const history = await fit(p.net, {
        ...rest(p),
        epochs: 2,
        metrics: { accuracy: metrics.accuracy },
        ...(doctor && { doctor }),
      });
      return [withoutSeconds(history.epochs), stateOf(p.net)];
    };
    const losses: number[] = [];
    const validations: any[] = [];
    const plain = await run();
    const good = {
      step: (loss: Tensor) => losses.push(loss.item()),
      validate: (m: any) => validations.push(m),
      findings: () => [],
    };
    expect(await run(good)).toEqual(plain);
    expect(losses).toHaveLength(14);
    expect(validations).toEqual((plain[0] as any[]).map(({ validation }) => validation));
    const bad = () => {
      throw new Error("ill");
    };
    expect(await run({ step: bad, validate: bad, findings: bad })).toEqual(plain);
    expect(warn).toHaveBeenCalledTimes(1);
    const p = problem();
    const found = {
      rule: "non-finite",
      severity: "error",
      layer: "3",
      step: 1,
      evidence: {},
      why: "because",
      advice: [],
    };
    const sick = { step: () => 0, validate: () => 0, findings: () => [found] };
    const history = await fit(p.net, {
      ...rest(p),
      epochs: 1,
      loss: (o: Tensor) => o.sum().mul(Number.NaN),
      doctor: sick,
    });
    expect(history.finding).toBe(found);
  });

  test.skipIf(typeof process === "undefined" || !process.stdout)(
    "progress: a bar on a terminal, a line an epoch elsewhere, nothing unless asked for there",
    async () => {
      const write = vi.spyOn(process.stdout, "write").mockImplementation(() => true);
      const before = process.stdout.isTTY;
      const printed = async (isTTY: boolean, progress?: boolean) => {
        write.mockClear();
        process.stdout.isTTY = isTTY;
        const p = problem();
        await fit(p.net, { ...rest(p), epochs: 2, ...(progress === undefined ? {} : { progress }) });
        return write.mock.calls.map(([text]) => text).join("");
      };
      try {
        expect(await printed(false)).toBe("");
        expect(await printed(true, false)).toBe("");
        const lines = (await printed(false, true)).split("\n");
        expect(lines).toHaveLength(3);
        expect(lines[1]).toMatch(/^epoch 2\/2: loss \d\.\d{4} \| validation loss \d\.\d{4} \| [\d.]+ s$/);
        expect(await printed(true)).toMatch(/epoch 1\/2 [█░]{24} \d+ % \| loss [\d.]+ \| [\d.]+ s left/);
      } finally {
        process.stdout.isTTY = before;
      }
    },
  );
});
