/** The held-out sick programs, each by itself; `npm run bench:doctor` runs all, the healthy ones too, and sets the bar. */
import { expect, test } from "vitest";
import { HEALTHY, SICK } from "../bench/doctor/suite.js";
import { RULE_IDS, type RuleId } from "../src/doctor/types.js";

test("every sickness has two programs in each half, and there are healthy ones in both", () => {
  for (const half of ["tuned", "held-out"] as const) {
    const sick = SICK.filter((p) => p.half === half).flatMap((p) => p.sick);
    for (const id of RULE_IDS) expect(sick.filter((rule) => rule === id).length, id).toBeGreaterThanOrEqual(2);
    expect(HEALTHY.filter((p) => p.half === half).length).toBeGreaterThanOrEqual(6);
  }
});

const quick = [
  ...SICK.filter(({ half }) => half === "held-out"),
  ...HEALTHY.filter(({ half, name }) => half === "held-out" || /GAN|in parts|one by one|by heart/.test(name)),
  // Missed on one build once, by rounding that took the run another way.
  ...SICK.filter(({ name }) => name === "loss-plateau: CNN, labels of other images"),
];

/** What was missed, and found too much, when the held-out half was run for the first time. Rules are not to be tuned on it. */
const MISSED = [
  "update-ratio: prices of houses, MLP, a decay for epochs applied after each step",
  "oscillating: customers, MLP of GELU, one customer at a time, SGD at 0.15",
];
const TOO_MUCH: Record<string, readonly RuleId[]> = {
  "loss-plateau: which kind of word comes most, every word unknown to the vocabulary": ["dead-relu"],
};

test.each(quick.map((program) => [program.name, program] as const))("%s", (_, program) => {
  const found = new Set(program.run().map(({ rule }) => rule));
  const allowed = new Set([...program.sick, ...(program.also ?? []), ...(TOO_MUCH[program.name] ?? [])]);
  expect([...found].filter((rule) => !allowed.has(rule))).toEqual([]);
  if (!MISSED.includes(program.name)) for (const rule of program.sick) expect(found).toContain(rule);
});
