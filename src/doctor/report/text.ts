/** The report for the terminal. */
import type { History, Sample } from "../history.js";
import type { Finding } from "../types.js";
import { evidenceText, GAME, number, percent, verdict } from "./format.js";

const WIDTH = 100;

/** Breaks text into lines of at most WIDTH characters, each after `indent`. */
function wrap(text: string, indent: string, first = indent): string {
  const lines: string[] = [];
  let line = first;
  let empty = true;
  for (const word of text.split(" ")) {
    if (!empty && line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line].join("\n");
}

/** Columns as wide as their widest cell; the first to the left, the others to the right. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ")}`.trimEnd(),
    )
    .join("\n");
}

function parameterTable({ parameters }: Sample): string {
  const rows = parameters.map((p) => [
    p.name,
    number(p.weightNorm),
    p.gradNorm === null ? "none" : number(p.gradNorm),
    p.gradNorm === null ? "none" : number(p.gradMeanAbs),
    number(p.updateRatio),
  ]);
  return table([["parameter", "norm", "gradient", "mean |g|", "update ratio"], ...rows]);
}

function activationTable({ activations }: Sample): string {
  const rows = activations.map((a) => [
    a.layer,
    number(a.mean),
    number(Math.sqrt(a.variance)),
    percent(a.zeros),
    percent(a.dead),
    percent(a.saturated),
    a.nan + a.inf === 0 ? "–" : String(a.nan + a.inf),
  ]);
  return table([["output of", "mean", "deviation", "zeros", "dead units", "saturated", "NaN/Inf"], ...rows]);
}

function findingText(finding: Finding, i: number): string {
  const { rule, severity, layer, step, evidence, why, advice } = finding;
  const title = `${i + 1}. ${severity.toUpperCase()}  ${rule}${layer === null ? "" : `  ${layer}`}  (since step ${step})`;
  return [
    title,
    wrap(evidenceText(evidence), "             ", "   evidence  "),
    wrap(why, "             ", "   why       "),
    ...advice.map((line, k) => wrap(line, "             ", `   ${k === 0 ? "advice" : "      "}  ${k + 1} `)),
  ].join("\n");
}

function courseText({ losses, validations, samples }: History): string {
  const last = losses.slice(-20);
  const mean = last.reduce((sum, loss) => sum + loss, 0) / last.length;
  const parts = [`loss ${number(losses[0])} → ${number(mean)}`];
  const validation = validations.at(-1);
  if (validation !== undefined) {
    const best = Math.min(...validations.map((v) => v.loss).filter((loss) => !Number.isNaN(loss)));
    parts.push(
      `validation ${number(validation.loss)} (best ${number(best === Number.POSITIVE_INFINITY ? Number.NaN : best)})`,
    );
    if (!Number.isNaN(validation.accuracy)) parts.push(`accuracy ${percent(validation.accuracy)}`);
  }
  const sample = samples.at(-1);
  if (sample !== undefined)
    parts.push(`gradient norm ${number(sample.gradNorm)}`, `learning rate ${number(sample.lr)}`);
  return parts.join(", ");
}

/** Verdict, course, findings, tables of the last sampled step. */
export function textOf(title: string, history: History, findings: readonly Finding[]): string {
  const parts = [wrap(`${title}: ${verdict(findings, history.step)}`, "")];
  if (history.step > 0) parts.push(courseText(history));
  if (history.game) parts.push(wrap(GAME, ""));
  parts.push(...findings.map(findingText));
  const sample = history.samples.at(-1);
  if (sample !== undefined && sample.parameters.length > 0) {
    parts.push(`At step ${sample.step}:\n${parameterTable(sample)}`);
    if (sample.activations.length > 0) parts.push(activationTable(sample));
  }
  return `${parts.join("\n\n")}\n`;
}
