/** Underfitting on real digits, and that capacity and larger steps cure it: examples/underfitting.ts in small. */
import { describe, expect, test } from "vitest";
import { MLP } from "../examples/models.js";
import { allOf, learn, type Setting } from "../examples/support/experiment.js";
import { mnist } from "../examples/support/mnist.js";
import { data } from "../src/index.js";

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const trainSet = new data.Subset(mnist({ train: true }), range(500));
const common: Omit<Setting, "net"> = {
  trainSet,
  train: allOf(trainSet),
  test: allOf(new data.Subset(mnist({ train: false }), range(1000))),
  epochs: 10,
  lr: 0.05,
  seed: 1,
};

describe("500 digits, ten epochs", () => {
  const good = learn({ ...common, net: () => new MLP(64) }).final;

  test("are learned by a network that is large enough", () => {
    expect(good.train.accuracy).toBeGreaterThan(0.97);
    expect(good.test.accuracy).toBeGreaterThan(0.7);
  });

  test("are too much for four hidden units, on the images learned from as on others", () => {
    const small = learn({ ...common, net: () => new MLP(4) }).final;
    expect(small.train.accuracy).toBeLessThan(0.6);
    expect(small.test.accuracy).toBeLessThan(0.5);
    expect(small.train.accuracy - small.test.accuracy).toBeLessThan(good.train.accuracy - good.test.accuracy);
  });

  test("are too much for steps too small", () => {
    const slow = learn({ ...common, net: () => new MLP(64), lr: 1e-4 }).final;
    expect(slow.train.accuracy).toBeLessThan(0.5);
    expect(slow.train.loss).toBeGreaterThan(10 * good.train.loss);
  });
});
