/** Ops that wait for their follower do so while a doctor watches, but where it reads; the bits are the same. */
import { F, manualSeed, nn, noGrad, optim, randint, randn, type Tensor } from "lanegrad";
import { watch } from "lanegrad/doctor";
import { expect, test } from "vitest";

class Net extends nn.Module {
  conv1 = new nn.Conv2d(1, 8, 3, { padding: 1 });
  bn = new nn.BatchNorm2d(8);
  conv2 = new nn.Conv2d(8, 8, 3, { padding: 1 });
  bn2 = new nn.BatchNorm2d(8);
  pool = new nn.MaxPool2d(2);
  fc = new nn.Linear(8 * 36, 3);
  forward(x: Tensor): Tensor {
    const a = F.relu(this.bn(this.conv1(x)));
    const b = F.relu(this.bn2(this.conv2(a)).add(a));
    return this.fc(this.pool(F.relu(b)).flatten(1));
  }
}

function run(every: number | null) {
  manualSeed(1);
  const net = new Net();
  const opt = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  const doctor = every === null ? null : watch(net, opt, { every, first: 1 });
  const losses: number[] = [];
  for (let i = 0; i < 12; i++) {
    const x = randn(16, 1, 12, 12);
    opt.zeroGrad();
    const loss = F.crossEntropy(net(x), randint(0, 3, [16]));
    loss.backward();
    opt.step();
    doctor?.step(loss);
    losses.push(loss.item());
  }
  net.eval();
  const out = noGrad(() => [...net(randn(4, 1, 12, 12)).toTypedArray()]);
  const lines = doctor?.toJSONLines() ?? "";
  doctor?.stop();
  return { result: [losses, out, ...Object.values(net.stateDict()).map((t) => [...t.toTypedArray()])], lines };
}

test("a watched convolutional net trains to the same bits, and every activation is seen", () => {
  const plain = run(null).result;
  for (const every of [1, 4]) {
    const { result, lines } = run(every);
    expect(result).toEqual(plain);
    const sample = JSON.parse(lines.split("\n").findLast((line) => line.includes('"type":"sample"')) as string);
    expect(sample.activations.map((a: any) => a.layer)).toEqual([
      "conv1",
      "conv1 (relu)",
      "conv2",
      "conv2 (relu)",
      "fc",
    ]);
  }
});
