/** Adam, AdamW, RMSprop, Adagrad and Adadelta, step by step, against PyTorch: parameters and state. */
import { describe, expect, test } from "vitest";
import { optim, type Tensor } from "../../src/index.js";
import { expectTensor, type Tolerance } from "../support/compare.js";
import { elementsOf, loadFixture, type Recorded, tensorOf } from "../support/fixtures.js";

/** A dozen steps of a few float32 roundings each; parameters are of the size of 1. */
const TOLERANCE: Tolerance = { atol: 1e-6, rtol: 5e-6 };

const [start, ...records] = loadFixture("optim").records;

describe("optim", () => {
  test.each(records.map((r, i) => [`${i + 1} ${r.op} ${JSON.stringify(r.options)}`, r] as const))("%s", (_, r) => {
    const parameters: Tensor[] = start.params.map((p: Recorded) => tensorOf(p, { requiresGrad: true }));
    const optimizer = new (optim as any)[r.op](parameters, r.options) as optim.Optimizer;
    start.grads.forEach((grads: (Recorded | null)[], step: number) => {
      parameters.forEach((p, i) => {
        const grad = grads[i];
        p.grad = grad === null ? null : tensorOf(grad);
      });
      optimizer.step();
      const recorded = r.steps.find((s: { step: number }) => s.step === step);
      recorded?.params.forEach((expected: Recorded, i: number) => {
        const what = `step ${step}, parameter ${i}`;
        expectTensor(parameters[i].detach(), { ...expected, data: elementsOf(expected) }, TOLERANCE, what);
      });
    });
    r.states.forEach((expected: Record<string, Recorded | number>, i: number) => {
      const found = optimizer.state.get(parameters[i]) ?? {};
      expect(Object.keys(found).sort(), `state of parameter ${i}`).toEqual(Object.keys(expected).sort());
      for (const [name, value] of Object.entries(expected)) {
        if (typeof value === "number") expect(found[name], `${name} of parameter ${i}`).toBe(value);
        else {
          const data = elementsOf(value);
          expectTensor(found[name] as Tensor, { ...value, data }, TOLERANCE, `${name} of parameter ${i}`);
        }
      }
    });
  });
});
