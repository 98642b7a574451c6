/**
 * `npm run bench:doctor`: how well the doctor tells sick trainings from healthy ones, and what it costs.
 *
 *   npm run bench:doctor                      all programs, and the cost
 *   npm run bench:doctor -- --only dead-relu  those whose name contains it
 *   npm run bench:doctor -- --half tuned      one half
 *   npm run bench:doctor -- --shift 1         other random numbers: this is added to each program's seed
 *
 * Precision: of the findings (each rule once a program), those that are right: the sickness, or a consequence that the program
 * names. Consequences count for nothing where the share is taken, neither as right nor as wrong. Recall: of the sicknesses, those
 * found. Thresholds are tuned on one half only.
 */
import { parseArgs } from "node:util";
import { costs } from "./cost.js";
import { type Half, HEALTHY, type Judged, SICK } from "./suite.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    half: { type: "string" },
    shift: { type: "string", default: "0" },
    verbose: { type: "boolean", default: false },
  },
});

interface Score {
  right: number;
  wrong: number;
  missed: number;
  programs: number;
}
const scores: Record<Half, Score> = {
  tuned: { right: 0, wrong: 0, missed: 0, programs: 0 },
  "held-out": { right: 0, wrong: 0, missed: 0, programs: 0 },
};

function judge(program: Judged): void {
  const start = performance.now();
  const findings = program.run(Number(values.shift));
  const found = new Set(findings.map(({ rule }) => rule));
  const right = program.sick.filter((id) => found.has(id));
  const missed = program.sick.filter((id) => !found.has(id));
  const wrong = [...found].filter((id) => !program.sick.includes(id) && !program.also?.includes(id));
  const score = scores[program.half];
  score.programs++;
  score.right += right.length;
  score.missed += missed.length;
  score.wrong += wrong.length;
  const good = missed.length + wrong.length === 0;
  const others = [...found].filter((id) => program.also?.includes(id) && !program.sick.includes(id));
  const details = [
    ...(missed.length > 0 ? [`MISSED ${missed.join(" ")}`] : []),
    ...(wrong.length > 0 ? [`WRONG ${wrong.join(" ")}`] : []),
    ...(others.length > 0 ? [`also ${others.join(" ")}`] : []),
  ];
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${good ? "ok  " : "FAIL"} ${program.half.padEnd(8)} ${seconds.padStart(4)} s  ${program.name}${details.length > 0 ? `  [${details.join("; ")}]` : ""}`,
  );
  if (values.verbose || wrong.length > 0) {
    for (const { rule, layer, step, evidence } of findings) {
      if (values.verbose || wrong.includes(rule))
        console.log(`       ${rule} ${layer ?? ""} since ${step} ${JSON.stringify(evidence)}`);
    }
  }
}

const programs = [...HEALTHY, ...SICK].filter(
  ({ name, half }) => name.includes(values.only) && (values.half === undefined || half === values.half),
);
for (const program of programs) judge(program);

const BAR = 0.95;
let met = true;
console.log();
for (const [half, { right, wrong, missed, programs: count }] of Object.entries(scores)) {
  if (count === 0) continue;
  const precision = right / (right + wrong);
  const recall = right / (right + missed);
  console.log(
    `${half.padEnd(8)} ${count} programs: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)} (bar ${BAR})`,
  );
  if (half === "held-out" && (precision < BAR || recall < BAR)) met = false;
}
if (values.only === "" && values.half === undefined) {
  for (const { name, share, quartiles, bar } of costs()) {
    const [low, high] = quartiles.map((q) => (100 * q).toFixed(1));
    console.log(
      `cost, ${name}: ${(100 * share).toFixed(1)} % of a step (half of the rounds between ${low} and ${high} %; bar ${100 * bar} %)`,
    );
    if (share > bar) met = false;
  }
}
process.exitCode = met ? 0 : 1;
