/** Every schedule, step by step, against PyTorch's learning rates and momenta. */
import { describe, expect, test } from "vitest";
import { optim, zeros } from "../../src/index.js";
import { decode, loadFixture } from "../support/fixtures.js";

const { records } = loadFixture("schedules");

const LAMBDAS: Record<string, (x: number) => number> = {
  "0.95^e": (e) => 0.95 ** e,
  "e//3": (e) => Math.floor(e / 3),
  "1/(1+e)": (e) => 1 / (1 + e),
  "2^-x": (x) => 2 ** -x,
};

type Spec = [name: string, options: Record<string, any>];

function build(optimizer: optim.Optimizer<any>, [name, given]: Spec): any {
  const value = (v: any): any => (Array.isArray(v) ? v.map(value) : (LAMBDAS[v] ?? v));
  const options = Object.fromEntries(Object.entries(given).map(([k, v]) => [k, k === "schedulers" ? v : value(v)]));
  if (given.schedulers) options.schedulers = given.schedulers.map((part: Spec) => build(optimizer, part));
  const Scheduler = (optim.lrScheduler as any)[name];
  return name === "ChainedScheduler" ? new Scheduler(options.schedulers) : new Scheduler(optimizer, options);
}

function optimizerOf(kind: string): optim.Optimizer<any> {
  const groups = [
    { params: [zeros(1, { requiresGrad: true })], lr: 0.1 },
    { params: [zeros(1, { requiresGrad: true })] },
  ];
  return kind === "Adam" ? new optim.Adam(groups, { lr: 0.4 }) : new optim.SGD(groups, { lr: 0.4, momentum: 0.9 });
}

/**
 * The same operations on the same doubles: PyTorch's numbers but for an ulp of cos or pow, which differ between C libraries
 * and JavaScript engines and are carried from step to step. Near a cosine's foot 1 + cos loses digits: hence the absolute part.
 */
const RELATIVE = 2e-15;
const ABSOLUTE = 1e-17;

function expectSame(found: number[], expected: number[], what: string): void {
  expect(found.length, what).toBe(expected.length);
  found.forEach((value, i) => {
    const off = Math.abs(value - expected[i]);
    if (!(off <= ABSOLUTE + RELATIVE * Math.abs(expected[i]))) {
      expect.fail(`${what}, group ${i}: ${value}, expected ${expected[i]}, off by ${off / Math.abs(expected[i])}`);
    }
  });
}

describe("schedules", () => {
  test.each(records.map((r, i) => [`${i} ${JSON.stringify(r.schedulers)}, ${r.optimizer}`, r] as const))(
    "%s",
    (_, r) => {
      const optimizer = optimizerOf(r.optimizer);
      const schedulers = r.schedulers.map((spec: Spec) => build(optimizer, spec));
      const metrics = decode(r.metrics);
      r.lrs.forEach((lrs: number[], step: number) => {
        if (step > 0) {
          optimizer.step();
          for (const s of schedulers) s.step(...(metrics ? [metrics[step - 1]] : []));
        }
        const what = `after ${step} steps`;
        expectSame(
          optimizer.paramGroups.map((group) => group.lr),
          lrs,
          what,
        );
        expect(schedulers.at(-1).getLastLr(), what).toEqual(optimizer.paramGroups.map((group) => group.lr));
        const momentums = optimizer.paramGroups.map((group) =>
          r.optimizer === "Adam" ? group.betas[0] : group.momentum,
        );
        expectSame(momentums, r.momentums?.[step] ?? [0.9, 0.9], `momentum ${what}`);
      });
    },
  );
});
