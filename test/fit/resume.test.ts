/** Checkpoints: a run that is stopped anywhere and resumed is, to the bit, the run that was not. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  data,
  type FitOptions,
  fit,
  getRngState,
  type History,
  load,
  manualSeed,
  metrics,
  nn,
  optim,
  randn,
  save,
  tensor,
} from "lanegrad";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Problem, problem, rest, stateOf } from "./problem.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lanegrad-fit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const EPOCHS = 4;

/** What a run leaves behind. */
function outcome(p: Problem, history: History) {
  return {
    net: stateOf(p.net),
    optimizer: [...save(p.optimizer.stateDict())],
    rng: [...getRngState()],
    epochs: history.epochs.map(({ seconds: _, ...log }) => log),
    best: history.best,
    steps: history.steps,
    stopReason: history.stopReason,
  };
}

/** A program that calls fit: it makes everything anew, as a new process would. */
type Program = () => { p: Problem; options: FitOptions };

async function run(program: Program, extra: Partial<FitOptions> = {}) {
  const { p, options } = program();
  return outcome(p, await fit(p.net, { ...options, ...extra }));
}

/** The checkpoint that a run leaves which is aborted when `when` says so. */
async function interrupted(
  program: Program,
  when: (step: number, epoch: number) => boolean,
  place: "onBatchEnd" | "onEpochEnd",
) {
  let bytes = new Uint8Array();
  const controller = new AbortController();
  await run(program, {
    signal: controller.signal,
    checkpoint: {
      save: (b) => {
        bytes = b;
      },
      every: 0,
    },
    callbacks: { [place]: ({ step, epoch }: any) => (when(step, epoch) ? controller.abort() : undefined) },
  });
  return bytes;
}

const everything =
  (loaderSeed?: number): Program =>
  () => {
    const p = problem(loaderSeed === undefined ? {} : { loaderSeed });
    const { OneCycleLR, StepLR, ReduceLROnPlateau } = optim.lrScheduler;
    return {
      p,
      options: {
        ...rest(p),
        epochs: EPOCHS,
        clipNorm: 1,
        metrics: { accuracy: metrics.accuracy },
        earlyStopping: { patience: 3, monitor: "validation.accuracy" },
        scheduler: [
          { scheduler: new OneCycleLR(p.optimizer, { maxLr: 0.2, totalSteps: 100 }), every: "batch" },
          new StepLR(p.optimizer, { stepSize: 2, gamma: 0.9 }),
          new ReduceLROnPlateau(p.optimizer, { patience: 0, factor: 0.7 }),
        ],
      },
    };
  };

/** Takes its batches from generators, at once or not, that draw random numbers and have no state to save. */
const streams: Program = () => {
  const p = problem();
  async function* noisy() {
    for (let i = 0; i < 5; i++) {
      await Promise.resolve();
      const x = randn(6, 2);
      yield [x, x.at(":", 0).gt(0).int()];
    }
  }
  function* validation() {
    for (let i = 0; i < 2; i++) yield [randn(4, 2), tensor([0, 1, 2, 0], { dtype: "int32" })];
  }
  return { p, options: { ...rest(p), train: noisy, validation, epochs: EPOCHS } };
};

const endless: Program = () => {
  const { p, options } = everything()();
  return { p, options: { ...options, stepsPerEpoch: 5 } };
};

describe("resuming is exact to the bit: dropout, shuffling, batch norm, momentum, schedules, best weights", () => {
  for (const [name, program] of Object.entries({
    "loader on the default generator": everything(),
    "loader with a seed": everything(7),
    "asynchronous generator": streams,
    "epochs cut out of a loader's": endless,
  })) {
    describe(name, () => {
      let whole: Awaited<ReturnType<typeof run>>;
      beforeAll(async () => {
        whole = await run(program);
      });

      test("the run repeats itself, and checkpoints do not change it", async () => {
        expect(await run(program)).toEqual(whole);
        expect(await run(program, { checkpoint: { save: () => undefined, everySteps: 2 } })).toEqual(whole);
      });

      test("stopped after epoch 2", async () => {
        const bytes = await interrupted(program, (_, epoch) => epoch === 2, "onEpochEnd");
        manualSeed(12345);
        expect(await run(program, { resume: bytes })).toEqual(whole);
      });

      for (const stop of [1, 4, 5, 7, 8, 13, 14]) {
        test(`stopped after step ${stop}`, async () => {
          const bytes = await interrupted(program, (step) => step === stop, "onBatchEnd");
          expect(load(bytes).step).toBe(stop);
          expect(await run(program, { resume: bytes })).toEqual(whole);
        });
      }

      test("stopped twice, and within validation", async () => {
        const first = await interrupted(program, (step) => step === 3, "onBatchEnd");
        const second = await interrupted(
          () => {
            const { p, options } = program();
            return { p, options: { ...options, resume: first } };
          },
          (step) => step === 9,
          "onBatchEnd",
        );
        const controller = new AbortController();
        let third = new Uint8Array();
        let evaluated = 0;
        await run(program, {
          resume: second,
          signal: controller.signal,
          checkpoint: {
            save: (b) => {
              third = b;
            },
            every: 0,
          },
          forward: (net, [x, y]) => {
            if (!net.training && ++evaluated === 2) controller.abort();
            return [net(x), y];
          },
        });
        expect(load(third).trained).toBe(true);
        expect(await run(program, { resume: third })).toEqual(whole);
      });
    });
  }

  test("stop() in the last batch of an epoch, resumed", async () => {
    const whole = await run(everything());
    let bytes = new Uint8Array();
    const stopped = await run(everything(), {
      checkpoint: {
        save: (b) => {
          bytes = b;
        },
      },
      callbacks: { onBatchEnd: (s) => (s.step === 7 ? s.stop() : undefined) },
    });
    expect([stopped.stopReason, stopped.steps, stopped.epochs.length]).toEqual(["callback", 7, 0]);
    expect(await run(everything(), { resume: bytes })).toEqual(whole);
  });

  test("Adam, a loader that augments, more epochs than planned", async () => {
    const program: Program = () => {
      manualSeed(3);
      const images = tensor(
        Uint8Array.from({ length: 20 * 36 }, (_, i) => (i * 37) % 251),
        { shape: [20, 1, 6, 6] },
      );
      class Noisy extends data.Dataset {
        length = 20;
        get(i: number) {
          const noise = randn(1, 6, 6);
          return [images.at(i).float().div(255).add(noise.mul(0.1)), i % 2];
        }
      }
      const net = new nn.Sequential(
        new nn.Flatten(),
        new nn.Linear(36, 8),
        new nn.Tanh(),
        new nn.Dropout(0.5),
        new nn.Linear(8, 2),
      );
      const optimizer = new optim.Adam(net.parameters(), { lr: 0.01, amsgrad: true } as any) as any;
      const train = new data.DataLoader(new Noisy(), { batchSize: 6, shuffle: true, dropLast: true }) as any;
      const p: any = { net, optimizer, train, loss: new nn.CrossEntropyLoss() };
      return { p, options: { ...rest(p), epochs: 5 } };
    };
    const whole = await run(program);
    let bytes = new Uint8Array();
    await run(program, {
      epochs: 2,
      checkpoint: {
        save: (b) => {
          bytes = b;
        },
      },
    });
    expect(await run(program, { resume: bytes })).toEqual(whole);
    const middle = await interrupted(program, (step) => step === 8, "onBatchEnd");
    expect(await run(program, { resume: middle })).toEqual(whole);
  });

  test("early stopping: patience and best weights go on; a run that had ended stays so", async () => {
    const values = [1, 5, 4, 3, 2, 6];
    const program: Program = () => {
      const p = problem();
      return {
        p,
        options: {
          ...rest(p),
          epochs: 6,
          metrics: { told: () => values[Math.floor((p.optimizer.paramGroups[0].lr - 1) / 1)] },
          earlyStopping: { patience: 2, monitor: "validation.told", mode: "max" },
          callbacks: { onEpochEnd: () => void p.optimizer.paramGroups[0].lr++ },
        },
      };
    };
    const start = () => {
      const made = program();
      made.p.optimizer.paramGroups[0].lr = 1;
      return made;
    };
    const whole = await run(start);
    expect([whole.stopReason, whole.best, whole.epochs.length]).toEqual(["early-stopping", { epoch: 2, value: 5 }, 4]);
    const saved: Uint8Array<ArrayBuffer>[] = [];
    await run(start, { checkpoint: { save: (b) => void saved.push(b) } });
    expect(saved).toHaveLength(4);
    for (const bytes of saved) expect(await run(start, { resume: bytes })).toEqual(whole);
  });
});

describe("files", () => {
  test("resume: true goes on from the checkpoint's file, or begins", async () => {
    const path = join(folder, "run.safetensors");
    const checkpoint = { path, every: 2 };
    const whole = await run(everything());
    await run(everything(), { epochs: 3, checkpoint, resume: true });
    expect(load(path).epoch).toBe(3);
    expect(await run(everything(), { checkpoint, resume: true })).toEqual(whole);
    expect(await run(everything(), { checkpoint, resume: true })).toEqual(whole);
    expect(await run(everything(), { resume: path })).toEqual(whole);
    expect(existsSync(`${path}.partial`)).toBe(false);
    await run(everything(), { epochs: 2, checkpoint: join(folder, "epoch-{epoch}-step-{step}") });
    expect(readdirSync(folder).filter((name) => name.startsWith("epoch"))).toEqual([
      "epoch-1-step-7",
      "epoch-2-step-14",
    ]);
    await expect(run(everything(), { checkpoint: join(folder, "{epoch}"), resume: true })).rejects.toThrow(
      /without \{epoch\}/,
    );
    await expect(run(everything(), { checkpoint: join(folder, "no", "folder") })).rejects.toThrow(
      /fit: checkpoint: cannot write/,
    );
    await expect(run(everything(), { resume: join(folder, "none") })).rejects.toThrow(/cannot read/);
  });

  test("what does not fit is refused, and nothing has changed", async () => {
    let bytes = new Uint8Array();
    await run(everything(), {
      epochs: 1,
      checkpoint: {
        save: (b) => {
          bytes = b;
        },
      },
    });
    const refuse = async (program: Program, message: RegExp, source: any = bytes) => {
      const { p, options } = program();
      const read = () => [stateOf(p.net), [...save(p.optimizer.stateDict())], p.train.stateDict()];
      const before = read();
      await expect(fit(p.net, { ...options, resume: source })).rejects.toThrow(message);
      expect(read()).toEqual(before);
    };
    const change =
      (edit: (made: ReturnType<Program>) => void): Program =>
      () => {
        const made = everything()();
        edit(made);
        return made;
      };
    await refuse(everything(), /truncated/, bytes.subarray(0, bytes.length - 5));
    await refuse(everything(), /is no checkpoint of fit's/, save({ w: tensor([1]) }));
    await refuse(everything(), /has version 9 of the format, this is version 1/, save({ ...load(bytes), version: 9 }));
    await refuse(
      change((made) => {
        made.options.scheduler = undefined;
      }),
      /the checkpoint has 3 schedulers, fit was given 0/,
    );
    await refuse(
      change((made) => {
        made.options.validation = undefined;
        made.options.earlyStopping = undefined;
      }),
      /the checkpoint was written with validation, fit was called without it/,
    );
    await refuse(
      change((made) => {
        made.options.train = [[randn(2, 2), tensor([0, 1], { dtype: "int32" })]];
      }),
      /train is no DataLoader, in the checkpoint it was one/,
    );
    await refuse(everything(9), /DataLoader: seed is false in the state dict, true in the loader/);
    await refuse(
      change((made) => {
        const [scheduler] = made.options.scheduler as any[];
        made.options.scheduler = [scheduler, scheduler, scheduler];
      }),
      /loadStateDict: OneCycleLR: missing/,
    );
    const other: Program = () => {
      const made = everything()();
      made.p.optimizer.addParamGroup({ params: [tensor([1]).requiresGrad_()] });
      return made;
    };
    await refuse(other, /1 parameter groups in the state dict, 2 in the optimizer/);
    const wide = save({ ...load(bytes), net: { ...load(bytes).net, "0.bias": randn(3) } });
    await refuse(everything(), /0\.bias: shape \[3\] in the state dict, \[16\] in the module/, wide);
    const path = join(folder, "text");
    writeFileSync(path, "no tensors here at all");
    await refuse(everything(), /not a safetensors file/, path);
  });

  test("the weights of a checkpoint are where Python finds them", async () => {
    const path = join(folder, "weights.safetensors");
    const p = problem();
    await fit(p.net, { ...rest(p), epochs: 1, checkpoint: path });
    const length = Number(readFileSync(path).readBigUInt64LE(0));
    const names = Object.keys(
      JSON.parse(
        readFileSync(path)
          .subarray(8, 8 + length)
          .toString(),
      ),
    );
    expect(names).toEqual(
      expect.arrayContaining(["net.0.weight", "net.1.running_mean", "optimizer.state.0.momentumBuffer", "rng"]),
    );
  });
});
