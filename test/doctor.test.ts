import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { data, F, manualSeed, memory, nn, noGrad, optim, randint, randn, type Tensor, tensor, zeros } from "lanegrad";
import { type Doctor, type DoctorOptions, type Finding, RULE_IDS, watch } from "lanegrad/doctor";
import { afterEach, describe, expect, test, vi } from "vitest";
import { observers } from "../src/observe.js";

/** Twenty features, three classes that a linear map tells apart. */
function task(seed = 0) {
  manualSeed(seed);
  const w = randn(20, 3);
  return () => {
    const x = randn(32, 20);
    return [x, x.matmul(w).argmax(1)] as const;
  };
}

const mlp = () => new nn.Sequential(new nn.Linear(20, 32), new nn.ReLU(), new nn.Linear(32, 3));

interface Run {
  net: nn.Module;
  optimizer?: (net: nn.Module) => optim.Optimizer<any>;
  steps?: number;
  options?: DoctorOptions;
  zero?: boolean;
  watched?: boolean;
  loss?: (outputs: Tensor, labels: Tensor) => Tensor;
  before?: (step: number) => void;
}

function train({ net, optimizer, steps = 60, options, zero = true, watched = true, loss, before }: Run) {
  const batch = task(1);
  const opt = optimizer?.(net) ?? new optim.SGD(net.parameters(), { lr: 0.1, momentum: 0.9 });
  const doctor = watched ? watch(net, opt, options) : null;
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const [x, y] = batch();
    if (zero) opt.zeroGrad();
    before?.(step);
    const value = (loss ?? ((o, l) => F.crossEntropy(o, l)))(net(x), y);
    value.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    opt.step();
    doctor?.step(value);
    losses.push(value.item());
  }
  return { doctor: doctor as Doctor, losses, net, opt };
}

const ids = (findings: readonly Finding[]) => findings.map(({ rule }) => rule);

afterEach(() => {
  vi.restoreAllMocks();
  const left = observers.splice(0).length;
  expect(left).toBe(0);
});

describe("watching", () => {
  class Conv extends nn.Module {
    norm = new nn.BatchNorm2d(3);
    conv1 = new nn.Linear(12, 8);
    drop = new nn.Dropout(0.3);
    fc = new nn.Linear(8, 3);
    forward(x: Tensor): Tensor {
      const image = x.narrow(1, 0, 12).reshape([-1, 3, 2, 2]);
      return this.fc(this.drop(F.relu(this.conv1(F.relu(this.norm(image)).flatten(1)))));
    }
  }

  test("leaves the training as it is, to the bit", () => {
    for (const make of [mlp, () => new Conv()]) {
      for (const optimizer of [undefined, (net: nn.Module) => new optim.Adam(net.parameters(), { lr: 0.01 })]) {
        const run = (watched: boolean) => {
          manualSeed(7);
          const net = make();
          const { losses, doctor } = train({ net, watched, ...(optimizer && { optimizer }), options: { every: 3 } });
          doctor?.report();
          doctor?.stop();
          return { losses, state: Object.values(net.stateDict()).map((t) => [...t.toTypedArray()]) };
        };
        expect(run(true)).toEqual(run(false));
      }
    }
  });

  test("finds nothing wrong with a sound training", () => {
    manualSeed(0);
    const { doctor } = train({ net: mlp(), steps: 200 });
    expect(doctor.findings()).toEqual([]);
    expect(doctor.report()).toContain("Healthy");
    doctor.stop();
  });

  test("keeps the heap as it is, and gives back what it held", () => {
    manualSeed(0);
    const net = mlp();
    const { doctor, opt } = train({ net, steps: 30 });
    const batch = task(2);
    const settled = memory().heapBytes;
    for (let i = 0; i < 500; i++) {
      const [x, y] = batch();
      opt.zeroGrad();
      const loss = F.crossEntropy(net(x), y);
      loss.backward();
      opt.step();
      doctor.step(loss);
    }
    expect(memory().heapBytes).toBe(settled);
    const { liveTensors } = memory();
    doctor.stop();
    // Copies of the parameters, and the histograms' counts.
    expect(memory().liveTensors).toBe(liveTensors - net.parameters().length - 1);
  });

  test("stop() removes every hook", () => {
    manualSeed(0);
    const net = mlp();
    const { doctor, opt } = train({ net, steps: 3 });
    doctor.stop();
    expect(observers).toHaveLength(0);
    const steps = doctor.toJSONLines().length;
    net(randn(2, 20)).sum().backward();
    opt.step();
    expect(doctor.toJSONLines().length).toBe(steps);
    expect(() => doctor.step(1)).toThrow("doctor.step: the doctor was stopped");
    expect(() => doctor.validate({ loss: 1 })).toThrow("stopped");
  });

  test("a doctor that fails is silent after one word, and the training goes on", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const run = (watched: boolean) => {
      manualSeed(7);
      const onFinding = () => {
        throw new Error("boom");
      };
      return train({ net: mlp(), watched, zero: false, options: { every: 1, onFinding } });
    };
    const plain = run(false).losses;
    const { losses, doctor } = run(true);
    expect(losses).toEqual(plain);
    expect(doctor.findings().length).toBe(warn.mock.calls.length);
    expect(warn.mock.calls[0][0]).toContain("boom");
    warn.mockClear();
    (doctor as any).recorder.endStep = () => {
      throw new Error("broken");
    };
    doctor.step(1);
    doctor.step(1);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0][0]).toContain("broken");
    doctor.stop();
  });

  test("takes several optimizers, and steps with a closure", () => {
    manualSeed(0);
    const net = mlp();
    const [w1, b1, w2, b2] = net.parameters();
    const first = new optim.SGD([w1, b1], { lr: 0.1 });
    const second = new optim.Adam([w2, b2], { lr: 0.01 });
    const doctor = watch(net, [first, second], { every: 1 });
    const batch = task(1);
    for (let i = 0; i < 20; i++) {
      const [x, y] = batch();
      let loss: Tensor | undefined;
      first.step(() => {
        net.zeroGrad();
        loss = F.crossEntropy(net(x), y);
        loss.backward();
      });
      second.step();
      doctor.step(loss as Tensor);
    }
    expect(doctor.findings()).toEqual([]);
    const sample = JSON.parse(
      doctor
        .toJSONLines()
        .trim()
        .split("\n")
        .findLast((line) => line.includes('"sample"')) as string,
    );
    expect(sample.parameters).toHaveLength(4);
    for (const { updateRatio } of sample.parameters) expect(updateRatio).toBeGreaterThan(0);
    doctor.stop();
  });
});

describe("what is measured", () => {
  test("norms, means, ratios and activations are those of the tensors", () => {
    manualSeed(3);
    const net = new nn.Sequential(new nn.Linear(20, 16), new nn.ReLU(), new nn.Linear(16, 3));
    const opt = new optim.SGD(net.parameters(), { lr: 0.5 });
    const doctor = watch(net, opt);
    const [x, y] = task(1)();
    const before = net.parameters()[0].clone();
    const loss = F.crossEntropy(net(x), y);
    loss.backward();
    opt.step();
    doctor.step(loss);
    const [weight] = net.parameters();
    const grad = weight.grad as Tensor;
    const lines = doctor
      .toJSONLines()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const sample = lines.find(({ type }) => type === "sample");
    const [own] = sample.parameters;
    expect(own.name).toBe("0.weight");
    expect(own.gradNorm).toBeCloseTo(grad.norm().item(), 6);
    expect(own.gradMeanAbs).toBeCloseTo(grad.abs().mean().item(), 7);
    expect(own.weightNorm).toBeCloseTo(weight.norm().item(), 5);
    expect(own.updateRatio).toBeCloseTo(weight.sub(before).norm().item() / weight.norm().item(), 6);
    expect(sample.lr).toBe(0.5);
    const hidden = noGrad(() => F.linear(x, before, tensor(new Array(16).fill(0))));
    expect(sample.activations.map((a: any) => a.layer)).toEqual(["0", "1 (relu)", "2"]);
    expect(sample.activations[0].gain).toBeGreaterThan(0.1);
    expect(hidden.shape).toEqual([32, 16]);
    expect(sample.activations[1].zeros).toBeGreaterThan(0.2);
    expect(lines[1]).toEqual({ type: "step", step: 1, loss: loss.item() });
    doctor.stop();
  });
});

describe("findings", () => {
  test("name the layer, the evidence, why, and what to do", () => {
    const deep = () => {
      const layers: nn.Module[] = [];
      for (let i = 0; i < 12; i++) layers.push(new nn.Linear(20, 20), new nn.Sigmoid());
      return new nn.Sequential(...layers, new nn.Linear(20, 3));
    };
    manualSeed(0);
    const { doctor } = train({ net: deep() });
    const finding = doctor.findings().find(({ rule }) => rule === "vanishing-gradient") as Finding;
    expect(finding).toMatchObject({ severity: "error", layer: "0", step: 1 });
    expect(finding.evidence.meanAbsGradient).toBeLessThan(1e-7);
    expect(finding.why).toContain("depth");
    expect(finding.advice[0]).toContain("ReLU");
    const report = doctor.report();
    for (const part of ["vanishing-gradient", "evidence", "mean abs gradient", "advice", "0.weight", "1 (sigmoid)"]) {
      expect(report).toContain(part);
    }
    doctor.stop();
  });

  test("a NaN is traced to the op and layer where it appeared first", () => {
    class Root extends nn.Module {
      fc1 = new nn.Linear(20, 8);
      fc2 = new nn.Linear(8, 3);
      poison = false;
      forward(x: Tensor): Tensor {
        const h = this.fc1(x);
        return this.fc2((this.poison ? h.abs().neg() : h.abs()).add(0.1).sqrt());
      }
    }
    const poison = (root: Root, yes: boolean) => {
      root.poison = yes;
    };
    manualSeed(0);
    const net = new Root();
    const { doctor } = train({ net, steps: 18, before: (step) => poison(net, step === 17) });
    const finding = doctor.findings().find(({ rule }) => rule === "non-finite") as Finding;
    expect(finding).toMatchObject({ step: 17, layer: "fc1", evidence: { op: "sqrt" } });
    doctor.stop();
  });

  test("thresholds can be changed and rules switched off", () => {
    manualSeed(0);
    const { doctor } = train({ net: mlp(), zero: false, options: { rules: { "missing-zero-grad": false } } });
    expect(ids(doctor.findings())).not.toContain("missing-zero-grad");
    doctor.stop();
    manualSeed(0);
    const strict = train({
      net: mlp(),
      options: { rules: { "dead-relu": { layer: -1, sparse: -1, samples: 1 } } },
      steps: 100,
    });
    expect(ids(strict.doctor.findings())).toContain("dead-relu");
    strict.doctor.stop();
  });

  test("symbols of an embedding, weighted classes and grey values are no unequal classes", () => {
    const imbalanced = (net: nn.Module, input: () => Tensor, loss: (outputs: Tensor) => Tensor) => {
      const opt = new optim.SGD(net.parameters(), { lr: 0.01 });
      const doctor = watch(net, opt);
      for (let i = 0; i < 40; i++) {
        opt.zeroGrad();
        const value = loss(net(input()));
        value.backward();
        opt.step();
        doctor.step(value);
      }
      const found = ids(doctor.findings());
      doctor.stop();
      return found.includes("class-imbalance");
    };
    manualSeed(0);
    const rare = () => randint(0, 60, [64]).lt(1).int();
    const table = () => randn(64, 4);
    expect(imbalanced(new nn.Linear(4, 2), table, (o) => F.crossEntropy(o, rare()))).toBe(true);
    const weight = tensor([0.02, 1]);
    expect(imbalanced(new nn.Linear(4, 2), table, (o) => F.crossEntropy(o, rare(), { weight }))).toBe(false);
    const words = () => new nn.Sequential(new nn.Embedding(2, 4), new nn.Flatten(), new nn.Linear(8, 2));
    expect(
      imbalanced(
        words(),
        () => randint(0, 2, [64, 2]),
        (o) => F.crossEntropy(o, rare()),
      ),
    ).toBe(false);
    const grey = (o: Tensor) => F.binaryCrossEntropyWithLogits(o, randn(64, 2).clamp({ min: 0, max: 0.5 }));
    expect(imbalanced(new nn.Linear(4, 2), table, grey)).toBe(false);
  });

  test("onFinding hears each once", () => {
    const heard: string[] = [];
    manualSeed(0);
    const { doctor } = train({ net: mlp(), zero: false, options: { onFinding: ({ rule }) => heard.push(rule) } });
    expect(heard.filter((rule) => rule === "missing-zero-grad")).toHaveLength(1);
    doctor.stop();
  });

  test("labels that a loss refuses are a finding, and the loss's own error comes through", () => {
    manualSeed(0);
    const net = mlp();
    const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
    const doctor = watch(net, opt);
    expect(() => F.crossEntropy(net(randn(4, 20)), tensor([1, 2, 3, 1], { dtype: "int32" }))).toThrow("target 3");
    expect(ids(doctor.findings())).toEqual(["labels-out-of-range"]);
    doctor.stop();
  });

  test("there are 25 rules", () => {
    expect(new Set(RULE_IDS).size).toBe(25);
  });
});

describe("bad input", () => {
  test("watch", () => {
    const net = mlp();
    const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
    expect(() => watch(new nn.ReLU(), opt)).toThrow("watch: the net (ReLU) has no parameters");
    expect(() => watch({} as never, opt)).toThrow("watch: the net must be a Module, found a Object");
    expect(() => watch(net, null as never)).toThrow(
      "watch: expected an optimizer (or a list of them) after the net, found null",
    );
    expect(() => watch(net, opt, { every: 0 })).toThrow("watch: every must be a whole number ≥ 1, found 0");
    expect(() => watch(net, opt, { cadence: 1 } as never)).toThrow("watch: unknown option cadence");
    expect(() => watch(net, opt, { rules: { "dead-rely": {} } as never })).toThrow('there is no rule "dead-rely"');
    expect(() => watch(net, opt, { rules: { "dead-relu": { share: 1 } } })).toThrow(
      'rule dead-relu has no threshold "share"; it has: layer, sparse, samples',
    );
  });

  test("step and validate", () => {
    const net = mlp();
    const doctor = watch(net, new optim.SGD(net.parameters(), { lr: 0.1 }));
    expect(() => doctor.step("1" as never)).toThrow('doctor.step: loss must be a number, found "1"');
    expect(() => doctor.step(zeros(3))).toThrow("doctor.step: loss must be one number, found a tensor of shape [3]");
    expect(() => doctor.validate({ loss: 1 })).toThrow("called before the first step()");
    doctor.step(1, { step: 5 });
    expect(() => doctor.step(1, { step: 5 })).toThrow("must be a whole number above that of the last call, 5, found 5");
    expect(() => doctor.validate({ loss: 1, accuracy: 97 })).toThrow(
      "accuracy must be a share between 0 and 1, found 97; divide percentages by 100",
    );
    expect(() => doctor.validate(0.5 as never)).toThrow("doctor.validate: expected { loss, accuracy? }, found 0.5");
    doctor.validate({ loss: Number.NaN });
    expect(doctor.findings()[0]).toMatchObject({ rule: "non-finite", step: 1, evidence: { validationLoss: "NaN" } });
    doctor.stop();
  });

  test("save", () => {
    const folder = mkdtempSync(join(tmpdir(), "lanegrad-doctor-"));
    const { doctor } = train({ net: mlp(), steps: 12 });
    expect(() => doctor.save(join(folder, "none", "x.txt"))).toThrow("doctor.save: cannot write");
    expect(() => doctor.save(join(folder, "x.pdf"))).toThrow("the name must end in");
    const path = doctor.save(join(folder, "x.txt"));
    expect(readFileSync(path, "utf8")).toBe(doctor.report());
    for (const line of readFileSync(doctor.save(join(folder, "x.jsonl")), "utf8")
      .trim()
      .split("\n"))
      JSON.parse(line);
    rmSync(folder, { recursive: true });
    doctor.stop();
  });
});

describe("two nets that play against each other", () => {
  const play = (watched: "both" | "each", zero: boolean, free: boolean) => {
    manualSeed(0);
    const generator = new nn.Linear(2, 2);
    const critic = new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Linear(16, 1));
    const optG = new optim.Adam(generator.parameters(), { lr: 1e-3 });
    const optC = new optim.Adam(critic.parameters(), { lr: 1e-3 });
    const doctors =
      watched === "both"
        ? [watch(new nn.ModuleDict({ generator, critic }), [optC, optG])]
        : [watch(critic, optC), watch(generator, optG)];
    for (let step = 0; step < 30; step++) {
      if (zero) optC.zeroGrad();
      const make = () => generator(randn(16, 2));
      const fake = free ? noGrad(make) : make().detach();
      const lossC = critic(fake)
        .mean()
        .sub(critic(randn(16, 2).add(1)).mean());
      lossC.backward();
      optC.step();
      if (zero) optG.zeroGrad();
      const lossG = critic(generator(randn(16, 2)))
        .mean()
        .neg();
      // This adds to the critic's gradients as well, which are zeroed before they are used.
      lossG.backward();
      optG.step();
      doctors.forEach((doctor, i) => {
        doctor.step(watched === "both" ? lossC.add(lossG) : [lossC, lossG][i]);
      });
    }
    const result = doctors.map((doctor) => ({ found: ids(doctor.findings()), report: doctor.report() }));
    for (const doctor of doctors) doctor.stop();
    return result;
  };

  test.each([
    ["both", false],
    ["each", false],
    ["each", true],
  ] as const)("doctor of %s, noGrad %s: it is known as a game, and no zeroGrad is missed", (watched, free) => {
    for (const { found, report } of play(watched, true, free)) {
      expect(found).not.toContain("missing-zero-grad");
      expect(report).toContain("Another net is trained against this one");
    }
  });

  test("a zeroGrad that is missing is found all the same", () => {
    for (const { found } of play("each", false, false)) expect(found).toContain("missing-zero-grad");
  });

  test("a teacher that stays as it is, or two optimizers of one loss, are no game", () => {
    manualSeed(0);
    const teacher = mlp();
    const { doctor } = train({
      net: mlp(),
      loss: (o) =>
        F.mseLoss(
          o,
          noGrad(() => teacher(randn(32, 20))),
        ),
    });
    expect(doctor.report()).not.toContain("Another net");
    doctor.stop();
  });
});

test("a forgotten eval() and a forgotten train() are found", () => {
  const net = new nn.Sequential(new nn.Linear(20, 16), new nn.BatchNorm1d(16), new nn.ReLU(), new nn.Linear(16, 3));
  const batch = task(1);
  const loader = new data.DataLoader(new data.TensorDataset(...batch()), { batchSize: 16 });
  const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
  for (const mistake of ["eval", "train", "none"]) {
    const doctor = watch(net, opt);
    for (let epoch = 0; epoch < 2; epoch++) {
      if (mistake !== "train" || epoch === 0) net.train();
      for (const [x, y] of loader) {
        opt.zeroGrad();
        const loss = F.crossEntropy(net(x), y);
        loss.backward();
        opt.step();
        doctor.step(loss);
      }
      if (mistake !== "eval") net.eval();
      noGrad(() => doctor.validate({ loss: F.crossEntropy(net(randn(8, 20)), randint(0, 3, [8])) }));
      if (mistake === "eval") break;
    }
    const found = doctor.findings().filter(({ rule }) => rule === "mode-at-validation");
    expect(found.map(({ evidence, layer }) => [evidence.during, layer])).toEqual(
      { eval: [["validation", "1"]], train: [["training steps", "1"]], none: [] }[mistake],
    );
    doctor.stop();
    if (mistake === "eval") net.train();
  }
});
