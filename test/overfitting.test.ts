/** Overfitting on real digits, and that its cures work: examples/overfitting.ts in small. */
import { describe, expect, test } from "vitest";
import { SmallCNN } from "../examples/models.js";
import { allOf, learn, type Setting } from "../examples/support/experiment.js";
import { mnist } from "../examples/support/mnist.js";
import { data, transforms } from "../src/index.js";

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const augment = new transforms.Compose([
  new transforms.RandomCrop(28, { padding: 3 }),
  new transforms.ToTensor(),
  new transforms.Normalize([0.1307], [0.3081]),
]);
const digits = mnist({ train: true });
const plain = new data.Subset(digits, range(0, 200));
const common: Setting = {
  net: () => new SmallCNN(),
  trainSet: plain,
  train: allOf(plain),
  validation: allOf(new data.Subset(digits, range(1000, 1300))),
  test: allOf(new data.Subset(mnist({ train: false }), range(0, 500))),
  epochs: 30,
  lr: 0.02,
  seed: 1,
};

describe("200 digits, thirty epochs", () => {
  const overfitted = learn(common);
  const { train, test: others } = overfitted.final;
  const gap = train.accuracy - others.accuracy;

  test("are learned by heart, and others read badly", () => {
    expect(train.accuracy).toBeGreaterThan(0.99);
    expect(gap).toBeGreaterThan(0.15);
    expect(others.loss).toBeGreaterThan(20 * train.loss);
  });

  const cures: [name: string, setting: Partial<Setting>, gapFactor: number, lossFactor: number][] = [
    [
      "augmentation",
      { trainSet: new data.Subset(mnist({ train: true, transform: augment }), range(0, 200)) },
      0.8,
      0.7,
    ],
    ["dropout", { net: () => new SmallCNN(0.5) }, 0.9, 0.8],
    ["weight decay", { weightDecay: 0.01 }, 1.1, 0.9],
    ["early stopping", { patience: 8 }, 1.2, 0.95],
  ];
  test.each(cures)("%s reduces it", (_name, setting, gapFactor, lossFactor) => {
    const { final } = learn({ ...common, ...setting });
    expect(final.train.accuracy - final.test.accuracy).toBeLessThan(gapFactor * gap);
    expect(final.test.loss).toBeLessThan(lossFactor * others.loss);
  });
});
