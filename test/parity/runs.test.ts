/** Whole trainings of runs.json through the public API: after the same manualSeed the same losses, norms and weights. */
import { describe, expect, test } from "vitest";
import { autograd, data, manualSeed, nn, noGrad, optim, randint, randn, type Tensor } from "../../src/index.js";
import { EXACT, expectClose, expectTensor, isClose, type Tolerance } from "../support/compare.js";
import { decode, elementsOf, loadFixture, type Recorded, tensorOf } from "../support/fixtures.js";

const records: any[] = loadFixture("runs").records;
const recordOf = (run: string) => records.find((r) => r.run === run);

/** Twenty steps carry the rounding of the first along; PyTorch's own builds (MKL, OpenBLAS) differ by as much. */
const RUN: Tolerance = { atol: 1e-6, rtol: 1e-4 };

class ArticleNet extends nn.Module {
  fc1 = new nn.Linear(10, 100);
  relu = new nn.ReLU();
  fc2 = new nn.Linear(100, 100);
  fc3 = new nn.Linear(100, 1);

  override forward(x: Tensor): Tensor {
    let h = this.relu(this.fc1(x));
    h = this.relu(this.fc2(h));
    return this.fc3(h);
  }
}

interface Training {
  net: nn.Module;
  criterion: (output: Tensor, target: Tensor) => Tensor;
  inputs: Tensor;
  targets: Tensor;
}

/** PyTorch's loop: an epoch after the other until `steps` are done. */
function train(r: any, { net, criterion, inputs, targets }: Training): { losses: number[]; norms: number[] } {
  const optimizer = new optim.SGD(net.parameters(), r.sgd);
  const loader = new data.DataLoader(new data.TensorDataset(inputs, targets), {
    batchSize: r.batchSize,
    shuffle: true,
  });
  const losses: number[] = [];
  const norms: number[] = [];
  while (losses.length < r.steps) {
    for (const [x, y] of loader) {
      optimizer.zeroGrad();
      const loss = criterion(net(x), y);
      loss.backward();
      norms.push(nn.utils.clipGradNorm_(net.parameters(), r.clip));
      optimizer.step();
      losses.push(loss.item());
      if (losses.length === r.steps) break;
    }
  }
  return { losses, norms };
}

function expectRun(found: { losses: number[]; norms: number[] }, r: any): void {
  expectClose(found.losses, r.losses, RUN, "losses");
  expectClose(found.norms, r.norms, RUN, "norms before clipping");
}

describe.each(["article", "article-momentum"])("%s", (run) => {
  test("follows PyTorch for 20 steps", () => {
    const r = recordOf(run);
    manualSeed(r.seed);
    const net = new ArticleNet();
    const training = { net, criterion: new nn.MSELoss(), inputs: randn(64, 10), targets: randn(64, 1) };
    expectRun(train(r, training), r);
    const weights = net.stateDict() as Record<string, Tensor>;
    expect(Object.keys(weights)).toEqual(Object.keys(r.weights));
    for (const [name, expected] of Object.entries<Recorded>(r.weights)) {
      expectTensor(weights[name], { ...expected, data: elementsOf(expected) }, RUN, name);
    }
  });
});

describe("mlp", () => {
  test("follows PyTorch for 20 steps", () => {
    const r = recordOf("mlp");
    manualSeed(r.seed);
    const net = new nn.Sequential(
      new nn.Linear(784, 256),
      new nn.ReLU(),
      new nn.Linear(256, 128),
      new nn.ReLU(),
      new nn.Linear(128, 10),
    );
    const inputs = randn(640, 784);
    const targets = randint(0, 10, [640]);
    expectClose(inputs.toTypedArray().slice(0, 4), elementsOf(r.firstInputs), EXACT, "the data");
    expectClose(targets.toTypedArray().slice(0, 8), elementsOf(r.firstLabels), EXACT, "the labels");
    expectRun(train(r, { net, criterion: new nn.CrossEntropyLoss(), inputs, targets }), r);
    const weights = net.stateDict() as Record<string, Tensor>;
    for (const [name, norm] of Object.entries<number>(r.weightNorms)) {
      const found = weights[name].norm().item();
      expect(isClose(found, norm, RUN), `norm of ${name} is ${found}, expected ${norm}`).toBe(true);
      const first = weights[name].toTypedArray().slice(0, 8);
      expectClose(first, elementsOf(r.firstWeights[name]), RUN, `first weights of ${name}`);
    }
  });
});

/** The ReLU of PyTorch's tutorial on autograd.Function. */
class CustomReLU extends autograd.Function {
  static override forward(ctx: autograd.Context, input: Tensor): Tensor {
    ctx.saveForBackward(input);
    return input.clamp({ min: 0 });
  }

  static override backward(ctx: autograd.Context, gradOutput: Tensor): Tensor {
    const [input] = ctx.savedTensors;
    const gradInput = gradOutput.clone();
    return gradInput.maskedFill(input.lt(0), 0);
  }
}

describe("custom-relu", () => {
  test("NaN and 0 keep their gradient", () => {
    const r = recordOf("custom-relu");
    const x = tensorOf(r.input, { requiresGrad: true });
    const out = CustomReLU.apply(x);
    expectTensor(out, { ...r.output, data: elementsOf(r.output) }, EXACT, "output");
    out.backward(tensorOf(r.gradOutput));
    expectTensor(x.grad as Tensor, { ...r.grad, data: elementsOf(r.grad) }, EXACT, "gradient");
  });

  test("trains a two-layer net as PyTorch does", () => {
    const r = recordOf("custom-relu-training");
    manualSeed(r.seed);
    const [n, inSize, hidden, outSize] = r.sizes;
    const x = randn(n, inSize);
    const y = randn(n, outSize);
    const w1 = randn(inSize, hidden, { requiresGrad: true });
    const w2 = randn(hidden, outSize, { requiresGrad: true });
    const losses: number[] = [];
    for (let step = 0; step < r.steps; step++) {
      const loss = CustomReLU.apply(x.mm(w1)).mm(w2).sub(y).pow(2).sum();
      losses.push(loss.item());
      loss.backward();
      noGrad(() => {
        for (const w of [w1, w2]) {
          w.sub_((w.grad as Tensor).mul(r.lr));
          w.grad = null;
        }
      });
    }
    expectClose(losses, decode(r.losses), RUN, "losses");
    expectClose(w1.detach().toTypedArray().slice(0, 8), elementsOf(r.w1), RUN, "w1");
    expectClose(w2.detach().toTypedArray().slice(0, 8), elementsOf(r.w2), RUN, "w2");
  });
});

test("every run is replayed", () => {
  const replayed = ["article", "article-momentum", "mlp", "custom-relu", "custom-relu-training"];
  expect(records.map((r) => r.run)).toEqual(replayed);
});
