/** What the doctor sees of nets that change, repeat or leave out layers: each case a few steps, and the findings that follow or do not. */
import { arange, F, manualSeed, nn, noGrad, optim, randint, randn, stack, type Tensor, tensor, zeros } from "lanegrad";
import { type Finding, watch } from "lanegrad/doctor";
import { afterEach, expect, test, vi } from "vitest";
import { observers } from "../src/observe.js";

afterEach(() => {
  vi.restoreAllMocks();
  expect(observers.splice(0)).toHaveLength(0);
});

interface Training {
  net: nn.Module;
  optimizer: optim.Optimizer<any>;
  loss: () => Tensor;
  steps?: number;
  before?: (step: number) => void;
  scheduler?: { step(): void };
  validate?: () => { loss: number; accuracy: number };
}

function findings({ net, optimizer, loss, steps = 40, before, scheduler, validate }: Training): Finding[] {
  const doctor = watch(net, optimizer);
  for (let step = 1; step <= steps; step++) {
    before?.(step);
    optimizer.zeroGrad();
    const value = loss();
    value.backward();
    optimizer.step();
    scheduler?.step();
    doctor.step(value);
    if (validate && step % 20 === 0) doctor.validate(validate());
  }
  doctor.stop();
  return doctor.findings();
}
const rules = (found: readonly Finding[]) => [...new Set(found.map(({ rule }) => rule))];

/** Three classes of eight numbers. */
const batch = (): [Tensor, Tensor] => {
  const x = randn(32, 8);
  return [x, x.narrow(1, 0, 3).argmax(1)];
};
const classify = (net: (x: Tensor) => Tensor) => () => {
  const [x, y] = batch();
  return F.crossEntropy(net(x), y);
};

test("a layer that is thawed during the training but belongs to no optimizer is named", () => {
  manualSeed(0);
  const body = new nn.Linear(8, 16);
  const head = new nn.Linear(16, 3);
  const net = new nn.Sequential(body, new nn.ReLU(), head);
  for (const p of body.parameters()) p.requiresGrad = false;
  const optimizer = new optim.Adam(head.parameters(), { lr: 0.01 });
  const thaw = (step: number) => {
    if (step === 15) for (const p of body.parameters()) p.requiresGrad = true;
  };
  const found = findings({ net, optimizer, loss: classify(net), before: thaw });
  expect(rules(found)).toEqual(["frozen-parameter"]);
  expect(found.map(({ layer }) => layer)).toEqual(["0.weight", "0.bias"]);
  expect(found[0].evidence).toMatchObject({ inOptimizer: "no" });
});

test("one that is thawed and added to the optimizer is none", () => {
  manualSeed(0);
  const body = new nn.Linear(8, 16);
  const head = new nn.Linear(16, 3);
  const net = new nn.Sequential(body, new nn.ReLU(), head);
  for (const p of body.parameters()) p.requiresGrad = false;
  const optimizer = new optim.Adam(head.parameters(), { lr: 0.01 });
  const thaw = (step: number) => {
    if (step !== 15) return;
    for (const p of body.parameters()) p.requiresGrad = true;
    optimizer.addParamGroup({ params: body.parameters(), lr: 0.001 });
  };
  expect(findings({ net, optimizer, loss: classify(net), before: thaw })).toEqual([]);
});

class TwoHeads extends nn.Module {
  body = new nn.Linear(8, 16);
  first = new nn.Linear(16, 3);
  second = new nn.Linear(16, 2);
  forward(x: Tensor): [Tensor, Tensor] {
    const h = F.relu(this.body(x));
    return [this.first(h), this.second(h)];
  }
}

test("a head whose outputs the loss multiplies by 0 or leaves out has no gradient, and nothing explodes beside it", () => {
  for (const rest of [(y: Tensor) => y.mul(0).sum(), () => tensor(0)]) {
    manualSeed(0);
    const net = new TwoHeads();
    const loss = () => {
      const [x, y] = batch();
      const [a, b] = net(x) as unknown as [Tensor, Tensor];
      return F.crossEntropy(a, y).add(rest(b));
    };
    const found = findings({ net, optimizer: new optim.Adam(net.parameters(), { lr: 0.01 }), loss });
    expect(rules(found)).toEqual(["no-gradient"]);
    expect(found.map(({ layer }) => layer)).toContain("second.weight");
  }
});

test("units that are dead from the start are dead, not without gradient", () => {
  manualSeed(0);
  const first = new nn.Linear(8, 16);
  const net = new nn.Sequential(first, new nn.ReLU(), new nn.Linear(16, 3));
  noGrad(() => void first.bias?.fill_(-50));
  const found = findings({ net, optimizer: new optim.SGD(net.parameters(), { lr: 0.1 }), loss: classify(net) });
  expect(rules(found)).toContain("dead-relu");
  expect(rules(found)).not.toContain("no-gradient");
});

test("outputs [n, 1] compared with targets [n] are told from a plateau", () => {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(4, 16), new nn.Tanh(), new nn.Linear(16, 1));
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  const byHand = (outputs: Tensor, targets: Tensor) => outputs.sub(targets).square().mean();
  const run = (shape: number[], compare = byHand) => {
    const loss = () => {
      const x = randn(32, 4);
      return compare(net(x), x.sum(1).reshape(shape));
    };
    const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
    return findings({ net, optimizer, loss, steps: 150 }).find(({ rule }) => rule === "loss-plateau");
  };
  for (const compare of [byHand, (outputs: Tensor, targets: Tensor) => F.mseLoss(outputs, targets)]) {
    const found = run([32], compare);
    expect(found?.evidence).toMatchObject({ outputs: "[32,1]", targets: "[32]", together: "[32,32]" });
    expect(found?.advice.join()).toContain("squeeze(1)");
  }
  expect(run([32, 1])).toBeUndefined();
});

test("outputs compared with one another, as in a loss of ranks, are no such mistake", () => {
  manualSeed(0);
  const net = new nn.Linear(4, 1);
  // Which of two comes first (RankNet), half of which are drawn at random: the loss falls, then rests.
  const loss = () => {
    const x = randn(32, 4);
    const before = x.sum(1).unsqueeze(1).sub(x.sum(1)).add(randn(32, 32)).gt(0).float();
    const scores = net(x).squeeze(1);
    return F.binaryCrossEntropyWithLogits(scores.unsqueeze(1).sub(scores), before);
  };
  expect(rules(findings({ net, optimizer: new optim.Adam(net.parameters(), { lr: 0.05 }), loss, steps: 250 }))).toEqual(
    [],
  );
});

test("a net's sigmoid outputs that cannot reach their targets are saturated; those that are right are not", () => {
  const run = (scale: number) => {
    manualSeed(0);
    const net = new nn.Sequential(new nn.Linear(4, 1), new nn.Sigmoid());
    const loss = () => {
      const x = randn(64, 4);
      return F.mseLoss(
        net(x),
        x
          .sum(1, { keepdim: true })
          .gt(0)
          .float()
          .mul(scale)
          .add(scale - 1),
      );
    };
    return rules(findings({ net, optimizer: new optim.Adam(net.parameters(), { lr: 0.5 }), loss, steps: 120 }));
  };
  expect(run(100)).toContain("saturated-activation");
  expect(run(1)).not.toContain("saturated-activation");
});

/** One ReLU module for all layers, as many nets are written. */
class Shared extends nn.Module {
  fc1 = new nn.Linear(8, 32);
  fc2 = new nn.Linear(32, 32);
  fc3 = new nn.Linear(32, 3);
  relu = new nn.ReLU();
  forward(x: Tensor): Tensor {
    return this.fc3(this.relu(this.fc2(this.relu(this.fc1(x)))));
  }
}

test("a module that is used after several layers is looked at after each", () => {
  manualSeed(0);
  const net = new Shared();
  noGrad(() => void net.fc2.bias?.fill_(-50));
  const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
  const found = findings({ net, optimizer, loss: classify(net), steps: 60 });
  expect(found.filter(({ rule }) => rule === "dead-relu").map(({ layer }) => layer)).toEqual(["relu after fc2 (relu)"]);
});

class Recurrent extends nn.Module {
  input = new nn.Linear(2, 32);
  hidden = new nn.Linear(32, 32, { bias: false });
  output = new nn.Linear(32, 2);
  forward(x: Tensor): Tensor {
    let h = zeros(x.shape[0], 32);
    for (let t = 0; t < x.shape[1]; t++) h = this.input(x.select(1, t)).add(this.hidden(h)).tanh();
    return this.output(h);
  }
}

test("of a recurrent net the later steps are looked at, in which its state has saturated", () => {
  const run = (deviation: number) => {
    manualSeed(0);
    const net = new Recurrent();
    noGrad(() => void nn.init.normal_(net.hidden.weight, 0, deviation));
    // The labels have nothing to do with the inputs, so the loss stays.
    const loss = () => F.crossEntropy(net(randn(32, 12, 2)), randint(0, 2, [32]));
    return findings({ net, optimizer: new optim.SGD(net.parameters(), { lr: 1e-3 }), loss, steps: 30 });
  };
  expect(
    run(1)
      .filter(({ rule }) => rule === "saturated-activation")
      .map(({ layer }) => layer),
  ).toHaveLength(1);
  expect(rules(run(0.1))).not.toContain("saturated-activation");
});

test("a warm-up that takes for ever is a rate that is too low; one of ordinary length is not", () => {
  const run = (totalIters: number) => {
    manualSeed(0);
    const net = new nn.Sequential(new nn.Linear(8, 64), new nn.ReLU(), new nn.Linear(64, 3));
    const optimizer = new optim.AdamW(net.parameters(), { lr: 1e-3 });
    const scheduler = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 1e-4, totalIters });
    return rules(findings({ net, optimizer, loss: classify(net), steps: 200, scheduler }));
  };
  expect(run(1_000_000)).toContain("learning-rate-too-low");
  expect(run(300)).toEqual([]);
});

test("a penalty that has taken the weights underfits, and the advice is about the penalty", () => {
  manualSeed(0);
  const net = new nn.Sequential(new nn.Linear(8, 32), new nn.ReLU(), new nn.Linear(32, 3));
  const weights = net.parameters().filter((p) => p.ndim === 2);
  const answer = classify(net);
  const loss = () => weights.reduce((sum, w) => sum.add(w.abs().sum().mul(0.3)), answer());
  const validate = () =>
    noGrad(() => {
      const [xs, ys] = [batch(), batch(), batch(), batch()].reduce<[Tensor[], Tensor[]]>(
        ([a, b], [x, y]) => [
          [...a, x],
          [...b, y],
        ],
        [[], []],
      );
      const [x, y] = [stack(xs).flatten(0, 1), stack(ys).flatten(0, 1)];
      const outputs = net(x);
      return { loss: F.crossEntropy(outputs, y).item(), accuracy: outputs.argmax(1).eq(y).float().mean().item() };
    });
  const optimizer = new optim.Adam(net.parameters(), { lr: 0.003 });
  const found = findings({ net, optimizer, loss, steps: 400, validate });
  const underfitting = found.find(({ rule }) => rule === "underfitting");
  expect(underfitting?.why).toContain("penalty");
  expect(underfitting?.advice[0]).toContain("weight decay");
});

/** A table of 4,096 rows of 32 numbers, of which only those are looked up that share a block: it is large, so blocks of it are compared. */
class Lookup extends nn.Module {
  readonly table = new nn.Parameter(randn(4096, 32));
  readonly head = new nn.Linear(32, 3);
  constructor(readonly from: number) {
    super();
  }
  override forward(): Tensor {
    return this.head(this.table.narrow(0, this.from, 4));
  }
}

test("a large table of which few rows are used is not frozen, whichever they are; one without a rate is", () => {
  for (const from of [0, 4, 8, 4088]) {
    manualSeed(0);
    const net = new Lookup(from);
    const y = tensor([0, 1, 2, 0], { dtype: "int32" });
    const loss = () => F.crossEntropy(net(), y);
    const optimizer = new optim.SGD(net.parameters(), { lr: 0.01 });
    expect(findings({ net, optimizer, loss, steps: 30 }).filter(({ rule }) => rule === "frozen-parameter")).toEqual([]);
    const still = new optim.SGD(
      [
        { params: [net.table], lr: 0 },
        { params: net.head.parameters(), lr: 0.01 },
      ],
      { lr: 0.01 },
    );
    const found = findings({ net, optimizer: still, loss, steps: 30 });
    expect(found.filter(({ rule }) => rule === "frozen-parameter").map(({ layer }) => layer)).toEqual(["table"]);
  }
});

test("the update ratio of a large weight is the one of all its elements, but for chance", () => {
  manualSeed(0);
  const net = new nn.Linear(768, 400);
  const optimizer = new optim.SGD(net.parameters(), { lr: 1e-6 });
  const doctor = watch(net, optimizer, { every: 1 });
  // Inputs of very different sizes: so are the columns' updates.
  const scale = arange(768).div(100).exp();
  for (let step = 0; step < 12; step++) {
    const before = net.weight.detach().clone();
    optimizer.zeroGrad();
    const loss = net(randn(16, 768).mul(scale)).square().mean();
    loss.backward();
    optimizer.step();
    doctor.step(loss.item());
    const samples = doctor
      .toJSONLines()
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === "sample");
    const [weight] = samples.at(-1).parameters;
    const exact = net.weight.detach().sub(before).norm().item() / net.weight.detach().norm().item();
    expect(weight.name).toBe("weight");
    // Most of the change is in one block of a row; of 400 rows one in nine has it compared: 44 blocks, so by a deviation of 1/√44 of the
    // squares' sum, 8 % of its root. Three of these.
    expect(Math.abs(weight.updateRatio / exact - 1)).toBeLessThan(0.25);
    expect(Math.abs(weight.weightNorm / net.weight.detach().norm().item() - 1)).toBeLessThan(1e-5);
  }
  doctor.stop();
});
