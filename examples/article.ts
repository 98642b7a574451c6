/**
 * The article, run: performs its experiments on MNIST and Fashion-MNIST and writes it, with the figures and numbers of this very run, in English
 * and in Chinese.
 *
 *   npm run article                  some minutes; out/article/index.html and out/article/zh.html
 *   npm run article -- --quick       smaller, the size of the tests
 *   npm run article -- --help        shows all options
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { SingleBar } from "cli-progress";
import { backend } from "lanegrad";
import { LANGUAGES } from "./article/page/language.js";
import { FILES, pageOf } from "./article/page/page.js";
import type { Section } from "./article/page/section.js";
import { EXPERIMENTS } from "./article/perform.js";
import { flag, readOptions, text, whole } from "./support/options.js";

const { seed, quick, out } = readOptions(
  {
    name: "article",
    does: "Performs the article's experiments, and writes it with what they gave, in English and in Chinese.",
    usage: "npm run article --",
  },
  {
    seed: whole(0, 1, "seed of all random numbers: the same seed gives the same numbers"),
    quick: flag("fewer images and trainings: the size that the tests have"),
    out: text("FOLDER", "where the two pages are written (default out/article)"),
  },
);
const folder = out === "" ? fileURLToPath(new URL("../out/article/", import.meta.url)) : out;

/** Ends with what is wrong: a folder that cannot be written is told before minutes of work, not after them. */
function tryToWrite(write: () => void): void {
  try {
    write();
  } catch (error) {
    console.error(`article: cannot write into ${JSON.stringify(folder)}: ${(error as Error).message}`);
    process.exit(1);
  }
}
tryToWrite(() => {
  mkdirSync(folder, { recursive: true });
  for (const file of Object.values(FILES)) writeFileSync(join(folder, file), "", { flag: "a" });
});

const size = quick ? "quick" : "full";
const began = performance.now();
const seconds = (since: number): number => (performance.now() - since) / 1000;

const bar = new SingleBar({
  format: "{experiment} {bar} training {value} of {total} | {run} | {eta_formatted} left",
  barCompleteChar: "█",
  barIncompleteChar: "░",
  barsize: 24,
  hideCursor: true,
  clearOnComplete: true,
});
const total = EXPERIMENTS.reduce((sum, { runs }) => sum + runs(size), 0);
const terminal = process.stdout.isTTY;
let done = 0;
if (terminal) bar.start(total, 0, { experiment: "", run: "" });

const sections: Section[] = [];
for (const { name, perform, runs } of EXPERIMENTS) {
  const since = performance.now();
  const first = done;
  const section = perform(size, seed, (run) => {
    if (terminal) bar.update(done, { experiment: name, run });
    done++;
  });
  sections.push(section);
  done = first + runs(size);
  const unmet = section.claims.filter(({ claim }) => !claim.met);
  const met = `${section.claims.length - unmet.length} of ${section.claims.length} expectations met`;
  const missed = unmet.length === 0 ? "" : ` (not: ${unmet.map(({ claim }) => claim.id).join(", ")})`;
  if (terminal) bar.stop();
  console.log(`${name}: ${runs(size)} trainings in ${seconds(since).toFixed(0)} s, ${met}${missed}`);
  if (terminal && done < total) bar.start(total, done, { experiment: name, run: "" });
}

const { simd, threads } = backend();
const facts = {
  seed,
  quick,
  backend: `lanegrad (${simd}, ${threads} ${threads === 1 ? "thread" : "threads"})`,
  node: process.versions.node,
  seconds: seconds(began),
  date: new Date().toISOString().slice(0, 10),
};
for (const language of LANGUAGES) {
  const page = await pageOf(sections, facts, language);
  tryToWrite(() => writeFileSync(join(folder, FILES[language]), page));
}
const shown = LANGUAGES.map((language) => relative(process.cwd(), join(folder, FILES[language])) || ".");
console.log(`\nThe article: ${shown.join(" and ")}`);
