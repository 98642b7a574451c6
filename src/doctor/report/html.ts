/** The report as one page that needs nothing else: verdict, findings, curves, distributions, tables. */
import { quantile, rebin } from "../histogram.js";
import type { History, Sample } from "../history.js";
import type { Evidence, Finding } from "../types.js";
import { escapeText, heatMap, lineChart, type Pin, type Point, type Series } from "./chart.js";
import { GAME, number, percent, verdict, words } from "./format.js";
import { STYLE } from "./style.js";

/** Distributions that are drawn: of the activation functions first, and of at most so many. */
const MOST_MAPS = 12;
const BINS = 28;

const tone = (severity: string): string => `var(--${severity})`;

const figure = (title: string, remark: string, chart: string, legend = ""): string =>
  `<figure class="card"><figcaption>${escapeText(title)} <span>${escapeText(remark)}</span></figcaption>${chart}${legend}</figure>`;

const legend = (series: readonly { name: string; color: string }[]): string =>
  `<ul class="legend">${series.map(({ name, color }) => `<li><i style="background:${color}"></i>${escapeText(name)}</li>`).join("")}</ul>`;

function facts(history: History): string {
  const { losses, validations, samples } = history;
  const last = losses.slice(-20);
  const list: [string, string][] = [["steps", history.step.toLocaleString("en")]];
  if (last.length > 0) {
    list.push(["loss, first step", number(losses[0])]);
    list.push(["loss, last 20 steps", number(last.reduce((a, b) => a + b, 0) / last.length)]);
  }
  const validation = validations.at(-1);
  if (validation !== undefined) {
    list.push(["validation loss", number(validation.loss)]);
    if (!Number.isNaN(validation.accuracy)) list.push(["accuracy", percent(validation.accuracy)]);
  }
  const sample = samples.at(-1);
  if (sample !== undefined) list.push(["gradient norm", number(sample.gradNorm)], ["learning rate", number(sample.lr)]);
  return `<dl class="facts">${list.map(([name, value]) => `<div><dt>${name}</dt><dd>${escapeText(value)}</dd></div>`).join("")}</dl>`;
}

const evidenceList = (evidence: Evidence): string =>
  `<dl class="evidence">${Object.entries(evidence)
    .map(
      ([name, value]) =>
        `<div><dt>${words(name)}</dt><dd>${escapeText(typeof value === "number" ? number(value) : value)}</dd></div>`,
    )
    .join("")}</dl>`;

function findingCard({ rule, severity, layer, step, evidence, why, advice }: Finding, i: number): string {
  const place = layer === null ? "" : ` in <code>${escapeText(layer)}</code>`;
  return (
    `<li class="card" style="--tone:${tone(severity)}"><div class="head"><span class="number">${i + 1}</span><h3>${rule}${place}</h3>` +
    `<span class="severity">${severity}</span><span class="since">since step ${step.toLocaleString("en")}</span></div>` +
    `<p>${escapeText(why)}</p>${evidenceList(evidence)}<ol class="advice">${advice.map((line) => `<li>${escapeText(line)}</li>`).join("")}</ol></li>`
  );
}

/** Running mean over about a fiftieth of the run; on a log scale the geometric one, which a single peak does not dominate. */
function smooth(losses: readonly number[], log: boolean): Point[] {
  const width = Math.max(1, Math.round(losses.length / 50));
  const out: Point[] = [];
  let mean = Number.NaN;
  losses.forEach((loss, i) => {
    const value = log ? Math.log(loss) : loss;
    mean = Number.isFinite(mean) ? mean + (value - mean) / Math.min(width, i + 1) : value;
    out.push([i + 1, log ? Math.exp(mean) : mean]);
  });
  return out;
}

function lossChart(history: History, findings: readonly Finding[]): string {
  const { losses, validations, step: steps } = history;
  const finite = losses.filter((loss) => Number.isFinite(loss) && loss > 0);
  // Over two decades a linear axis would show the peak alone.
  const log = finite.length > 0 && finite.reduce((most, loss) => Math.max(most, loss), 0) > 100 * median(finite);
  const series: Series[] = [
    {
      name: "training, each step",
      color: "var(--train)",
      points: losses.map((loss, i): Point => [i + 1, loss]),
      faint: true,
    },
    { name: "training, running mean", color: "var(--train)", points: smooth(losses, log) },
  ];
  if (validations.length > 0) {
    const points = validations.map((v): Point => [v.step, v.loss]);
    series.push({ name: "validation", color: "var(--validation)", points, dots: true });
  }
  const pins = findings.map(
    (f, i): Pin => ({
      step: Math.max(1, Math.min(f.step, steps)),
      label: String(i + 1),
      title: `${f.rule}${f.layer === null ? "" : ` in ${f.layer}`}, since step ${f.step}`,
      color: tone(f.severity),
    }),
  );
  const draw = (size: { width: number; height: number }): string =>
    lineChart({ title: "Loss by step", series, steps, pins, log, ...size });
  // A wide chart scaled to a phone's width could not be read: there a narrow one takes its place.
  const chart =
    `<div class="wide">${draw({ width: 900, height: 300 })}</div>` +
    `<div class="narrow">${draw({ width: 420, height: 280 })}</div>`;
  return figure("Loss", log ? "log scale" : "", chart, legend(series.slice(1)));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** From the first layer (blue) to the last (red), of a lightness that shows on white and on black. */
function layerColors(count: number): (i: number) => string {
  return (i) => `hsl(${Math.round(225 - (215 * i) / Math.max(count - 1, 1))} 70% 52%)`;
}

/** A curve for each weight, in the order of the layers. */
function weightSeries(history: History, value: (p: Sample["parameters"][number]) => number): Series[] {
  const sample = history.samples.at(-1);
  if (sample === undefined) return [];
  const weights = sample.parameters.filter((p) => p.matrix);
  history.inOrder(weights);
  const names = weights.map((p) => p.name);
  const color = layerColors(names.length);
  return names.map((name, i) => ({
    name,
    color: color(i),
    points: history.samples.map((s): Point => {
      const found = s.parameters.find((p) => p.name === name);
      return [s.step, found === undefined ? Number.NaN : value(found)];
    }),
  }));
}

function gradientCharts(history: History): string {
  const steps = history.step;
  const gradients = weightSeries(history, (p) => p.gradNorm ?? Number.NaN);
  const updates = weightSeries(history, (p) => p.updateRatio);
  if (gradients.length === 0) return "";
  const size = { steps, log: true, width: 420, height: 260 };
  const guides = [
    { y: 1e-1, label: "too large" },
    { y: 1e-3, label: "usual" },
    { y: 1e-5, label: "too small" },
  ];
  // Many layers: the ends tell which colour is which.
  const named =
    gradients.length <= 10
      ? gradients
      : [gradients[0], gradients[gradients.length >> 1], gradients[gradients.length - 1]];
  return (
    `<h2>Gradients and updates</h2><div class="pair">` +
    figure(
      "Gradient norm by layer",
      "log scale",
      lineChart({ title: "Norm of each weight's gradient", series: gradients, ...size }),
      legend(named),
    ) +
    figure(
      "Update ratio by layer",
      "norm of the step ÷ norm of the weight, log scale",
      lineChart({ title: "Update ratios", series: updates, guides, ...size }),
      legend(named),
    ) +
    "</div>"
  );
}

function distributions(history: History): string {
  const all = [...history.histograms].filter(([name, list]) => name.startsWith("activation/") && list.length > 1);
  const functions = all.filter(([name]) => name.endsWith(")"));
  const chosen = (functions.length > 0 ? functions : all).slice(0, MOST_MAPS);
  if (chosen.length === 0) return "";
  const maps = chosen.map(([name, list]) => {
    const low = Math.min(0, ...list.map(({ counts }) => quantile(counts, 0.005)).filter(Number.isFinite));
    const high = Math.max(0, ...list.map(({ counts }) => quantile(counts, 0.995)).filter(Number.isFinite));
    const margin = 0.04 * (high - low) || 0.5;
    const [from, to] = [low - margin, high + margin];
    const layer = name.slice("activation/".length);
    const chart = heatMap({
      title: `Distribution of the outputs of ${layer} over the steps`,
      columns: list.map(({ counts }) => rebin(counts, from, to, BINS)),
      steps: list.map(({ step }) => step),
      low: from,
      high: to,
    });
    return figure(layer, "", chart);
  });
  return `<h2>Activations over time</h2><div class="maps">${maps.join("")}</div>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeText(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="card scroll"><table><thead>${row(head, "th")}</thead><tbody>${rows.map((r) => row(r, "td")).join("")}</tbody></table></div>`;
}

function tables(sample: Sample | undefined): string {
  if (sample === undefined || sample.parameters.length === 0) return "";
  const parameters = sample.parameters.map((p) => [
    p.name,
    number(p.weightNorm),
    p.gradNorm === null ? "none" : number(p.gradNorm),
    p.gradNorm === null ? "none" : number(p.gradMeanAbs),
    number(p.updateRatio),
  ]);
  const activations = sample.activations.map((a) => [
    a.layer,
    number(a.mean),
    number(Math.sqrt(a.variance)),
    percent(a.zeros),
    percent(a.dead),
    percent(a.saturated),
    String(a.nan + a.inf),
  ]);
  return (
    `<h2>Parameters at step ${sample.step.toLocaleString("en")}</h2>${table(["parameter", "norm", "gradient", "mean |g|", "update ratio"], parameters)}` +
    (activations.length === 0
      ? ""
      : `<h2>Activations at step ${sample.step.toLocaleString("en")}</h2>${table(["output of", "mean", "deviation", "zeros", "dead units", "saturated", "NaN/Inf"], activations)}`)
  );
}

/** The whole page. */
export function htmlOf(title: string, history: History, findings: readonly Finding[]): string {
  const worst = findings[0]?.severity ?? (history.step > 0 ? "healthy" : "info");
  const list =
    findings.length === 0 ? "" : `<h2>Findings</h2><ol class="findings">${findings.map(findingCard).join("")}</ol>`;
  const curves = history.step === 0 ? "" : `<h2>Course</h2>${lossChart(history, findings)}`;
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<title>${escapeText(title)}: training report</title><style>${STYLE}</style></head><body><main>` +
    `<header class="card verdict" style="--tone:${tone(worst)}"><p class="eyebrow">Training report</p><h1>${escapeText(title)}</h1>` +
    `<p>${escapeText(verdict(findings, history.step))}</p>${history.game ? `<p>${escapeText(GAME)}</p>` : ""}${facts(history)}</header>` +
    `${curves}${list}${gradientCharts(history)}${distributions(history)}${tables(history.samples.at(-1))}` +
    "</main></body></html>\n"
  );
}
