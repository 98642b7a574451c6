/** fit with the doctor itself, not a stand-in. */
import { F, fit, metrics, nn, optim, randn, type Tensor, tensor } from "lanegrad";
import { type Doctor, type DoctorOptions, watch } from "lanegrad/doctor";
import { afterEach, describe, expect, test, vi } from "vitest";
import { observers } from "../../src/observe.js";
import { problem, rest, stateOf } from "./problem.js";

afterEach(() => {
  vi.restoreAllMocks();
  expect(observers).toHaveLength(0);
});

/** A net whose middle layer takes a root: of a negative number, or of 0, when told to. */
class Root extends nn.Module {
  fc1 = new nn.Linear(2, 8);
  fc2 = new nn.Linear(8, 3);
  calls = 0;
  constructor(
    readonly at: number,
    readonly how: "negative" | "zero",
  ) {
    super();
  }
  forward(x: Tensor): Tensor {
    const h = this.fc1(x).square();
    if (++this.calls !== this.at) return this.fc2(h.add(1).sqrt());
    return this.fc2((this.how === "zero" ? h.mul(0) : h.neg().sub(1)).sqrt());
  }
}

async function watched(net: nn.Module, options: object, doctorOptions: DoctorOptions = {}) {
  const p = problem();
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.05 });
  const doctor: Doctor = watch(net, optimizer, doctorOptions);
  const history = await fit(net, { ...rest(p), optimizer, epochs: 3, doctor, ...options });
  return { history, doctor };
}

describe("fit and lanegrad/doctor", () => {
  test("NaN ends training before the step, with the doctor's own finding: op, layer, step", async () => {
    const net = new Root(9, "negative");
    // Validation calls the net as well, so there is none here.
    const { history, doctor } = await watched(net, { validation: undefined });
    expect(history.stopReason).toBe("non-finite");
    expect(history.steps).toBe(8);
    expect(history.finding).toMatchObject({ rule: "non-finite", step: 9, layer: "fc1", evidence: { op: "sqrt" } });
    expect(history.finding).toBe(doctor.findings().find(({ rule }) => rule === "non-finite"));
    for (const values of Object.values(stateOf(net))) expect((values as number[]).every(Number.isFinite)).toBe(true);
    expect(doctor.report()).toContain("non-finite");
    doctor.stop();
  });

  test("a gradient that is not finite too, in a step that is not read, by the layer it came from", async () => {
    const net = new Root(9, "zero");
    const { history, doctor } = await watched(net, { validation: undefined, clipNorm: 1 });
    expect(history.stopReason).toBe("non-finite");
    expect(history.steps).toBe(8);
    expect(history.finding).toMatchObject({
      rule: "non-finite",
      step: 9,
      layer: "fc1",
      evidence: { gradientNorm: "NaN", op: "backward" },
    });
    expect(history.finding).toBe(doctor.findings().find(({ rule }) => rule === "non-finite"));
    doctor.stop();
  });

  test("the same weights with and without; metrics of any name; early stopping", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const run = async (withDoctor: boolean) => {
      const p = problem();
      const doctor = withDoctor ? watch(p.net, p.optimizer, { every: 3 }) : null;
      const history = await fit(p.net, {
        ...rest(p),
        epochs: 30,
        clipNorm: 1,
        metrics: { accuracy: metrics.accuracy, top2: metrics.topKAccuracy(2) },
        earlyStopping: { patience: 2 },
        scheduler: new optim.lrScheduler.StepLR(p.optimizer, { stepSize: 5 }),
        ...(doctor && { doctor }),
      });
      const lines = doctor?.toJSONLines().trim().split("\n") ?? [];
      doctor?.stop();
      const epochs = history.epochs.map(({ seconds: _, ...epoch }) => epoch);
      return { result: [epochs, history.best, history.stopReason, stateOf(p.net)], lines, epochs };
    };
    const { result, lines, epochs } = await run(true);
    expect(result).toEqual((await run(false)).result);
    expect(warn).not.toHaveBeenCalled();
    const validations = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === "validation");
    expect(validations.map(({ loss, accuracy }) => [loss, accuracy])).toEqual(
      epochs.map(({ validation }) => [validation?.loss, validation?.accuracy]),
    );
    expect(lines.filter((line) => line.includes('"finding"'))).toEqual([]);
  });

  test("what the doctor hears of while fit trains: softmax before the loss, labels out of range", async () => {
    const soft = new nn.Sequential(new nn.Linear(2, 3), new nn.Softmax(1));
    const { doctor } = await watched(soft, {});
    expect(doctor.findings().map(({ rule }) => rule)).toContain("softmax-before-cross-entropy");
    doctor.stop();
    const net = new nn.Linear(2, 2);
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.1 });
    const other = watch(net, optimizer);
    const batch = [randn(4, 2), tensor([0, 1, 2, 1], { dtype: "int32" })];
    const loss = (outputs: Tensor, targets: Tensor) => F.crossEntropy(outputs, targets);
    await expect(fit(net, { train: [batch], loss, optimizer, epochs: 1, doctor: other })).rejects.toThrow("target 2");
    expect(other.findings().map(({ rule }) => rule)).toEqual(["labels-out-of-range"]);
    other.stop();
  });
});
