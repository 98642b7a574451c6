/** Trainings of runs-conv.json: after the same manualSeed the CNN and ResNet-20 lose what PyTorch's lose, step by step. */
import { describe, expect, test } from "vitest";
import { CNN, ResNet } from "../../examples/models.js";
import { manualSeed, nn, noGrad, optim, randint, randn, type Tensor } from "../../src/index.js";
import { EXACT, expectClose, expectTensor, isClose, type Tolerance } from "../support/compare.js";
import { elementsOf, loadFixture } from "../support/fixtures.js";

const { records } = loadFixture("runs-conv");

const NETS: Record<string, () => any> = {
  cnn: () => new CNN(),
  resnet20: () => new ResNet(),
  "resnet8-projection": () => new ResNet({ blocks: 1, shortcut: "projection" }),
};

/**
 * Rounding grows from step to step: a ReLU or a pool that decides otherwise takes a run some 1e-4 further at once. The fixture
 * has PyTorch's run in float64 too, so that its own float32 shows how far: 4e-5 (cnn), 1.3e-4 (resnet20) and 4e-7
 * (resnet8-projection) after 20 steps. Winograd's rounding is at most twice that of a direct sum, and which element crosses a
 * kink is luck, so ten times as much, and at least the three kinks that may be crossed without any luck.
 */
const drift = (r: any): Tolerance => {
  const most = Math.max(...r.losses.map((loss: number, i: number) => Math.abs(loss / r.trueLosses[i] - 1)));
  return { atol: 0, rtol: Math.max(10 * most, 3e-4) };
};
/** Before anything has been carried along: sums in float32. */
const FIRST: Tolerance = { atol: 1e-6, rtol: 1e-5 };

describe.each(records.map((r) => [r.run as string, r] as const))("%s", (name, r) => {
  test("follows PyTorch for 20 steps", () => {
    manualSeed(r.seed);
    const net: nn.Module = NETS[name]();
    const batch: number = r.batchSize;
    const x = randn([4 * batch, ...r.shape]);
    const y = randint(0, 10, [4 * batch]);
    expectClose(x.toTypedArray().slice(0, 4), elementsOf(r.firstInputs), EXACT, "the data");
    expectClose(y.toTypedArray().slice(0, 8), elementsOf(r.firstLabels), EXACT, "the labels");
    expect(Object.keys(net.stateDict()).filter((key) => !key.endsWith("num_batches_tracked"))).toEqual(
      Object.keys(r.norms64),
    );

    const criterion = new nn.CrossEntropyLoss();
    const optimizer = new optim.SGD(net.parameters(), r.sgd);
    const losses: number[] = [];
    const norms: number[] = [];
    for (let step = 0; step < r.losses.length; step++) {
      const start = (step % 4) * batch;
      optimizer.zeroGrad();
      const loss = criterion(net(x.narrow(0, start, batch)), y.narrow(0, start, batch));
      loss.backward();
      norms.push(nn.utils.clipGradNorm_(net.parameters(), r.clip));
      optimizer.step();
      losses.push(loss.item());
    }
    const tolerance = drift(r);
    expectClose(losses.slice(0, 3), r.losses.slice(0, 3), FIRST, "first losses");
    expectClose(losses, r.losses, tolerance, "losses");
    expectClose(losses, r.trueLosses, tolerance, "losses, against float64");
    // One pixel of thousands that rounding takes across the kink of a ReLU changes what its channel's bias learns by 7e-4
    // (resnet20's layer1.0.bn1, against float64 in PyTorch; all other gradients of that step agree to 2e-6).
    expectClose(norms.slice(0, 3), r.norms.slice(0, 3), { atol: 0, rtol: 1e-3 }, "first norms");

    const state = net.stateDict() as Record<string, Tensor>;
    for (const [key, norm] of Object.entries<number>(r.norms64)) {
      const found = state[key].norm().item();
      // Biases start at 0 and are small still: what they differ by is a part of all steps together, lr·clip / (1 − momentum).
      const close: Tolerance = { atol: 5e-3 * r.sgd.lr * r.clip * 10, rtol: 20 * tolerance.rtol };
      expect(isClose(found, norm, close), `norm of ${key} is ${found}, expected ${norm}`).toBe(true);
    }
    net.eval();
    const outputs = noGrad(() => net(x.narrow(0, 0, 2)));
    const scale = Math.max(...elementsOf(r.evalOutputs).map(Math.abs));
    const close = { atol: 20 * tolerance.rtol * scale, rtol: 0 };
    expectTensor(outputs, { ...r.evalOutputs, data: elementsOf(r.evalOutputs) }, close, "outputs in eval mode");
  });
});
