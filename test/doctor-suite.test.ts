/** The held-out sick programs, each by itself; `npm run bench:doctor` runs all, the healthy ones too, and sets the bar. */
import { expect, test } from "vitest";
import { HEALTHY, SICK } from "../bench/doctor/suite.js";
import { RULE_IDS } from "../src/doctor/types.js";

test("every sickness has a program in each half, and there are healthy ones in both", () => {
  for (const half of ["tuned", "held-out"] as const) {
    expect(new Set(SICK.filter((p) => p.half === half).flatMap((p) => p.sick))).toEqual(new Set(RULE_IDS));
    expect(HEALTHY.filter((p) => p.half === half).length).toBeGreaterThanOrEqual(6);
  }
});

const quick = [
  ...SICK.filter(({ half }) => half === "held-out"),
  ...HEALTHY.filter(({ name }) => /tanh|logistic|texts|frozen|GAN|in parts|one by one|by heart|weight/.test(name)),
  // Missed on one build once, by rounding that took the run another way.
  ...SICK.filter(({ name }) => name === "loss-plateau: CNN, labels of other images"),
];

/** Of the held-out ones, what the rules do not find; docs/doctor.md says why. */
const MISSED = ["oscillating: garments, strided CNN, a momentum of 0.99 with the rate of 0.9"];

test.each(quick.map((program) => [program.name, program] as const))("%s", (_, program) => {
  const found = new Set(program.run().map(({ rule }) => rule));
  const allowed = new Set([...program.sick, ...(program.also ?? [])]);
  expect([...found].filter((rule) => !allowed.has(rule))).toEqual([]);
  if (!MISSED.includes(program.name)) for (const rule of program.sick) expect(found).toContain(rule);
});
