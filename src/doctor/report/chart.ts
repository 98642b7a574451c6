/**
 * Charts as SVG text, drawn by hand: a plotting library would weigh more than all the rest of the package, and the report needs
 * two kinds only. Colours are the page's CSS variables, so that one drawing serves light and dark.
 */
import { number } from "./format.js";

export type Point = readonly [x: number, y: number];

export interface Series {
  name: string;
  /** Any CSS colour. */
  color: string;
  points: readonly Point[];
  /** In the background: single losses behind their mean. */
  faint?: boolean;
  /** With a dot at each point. */
  dots?: boolean;
}

/** A numbered mark at a step. */
export interface Pin {
  step: number;
  label: string;
  /** Its tooltip. */
  title: string;
  color: string;
}

export interface LineChart {
  title: string;
  series: readonly Series[];
  /** The last step, which ends the axis. */
  steps: number;
  log?: boolean;
  height?: number;
  width?: number;
  pins?: readonly Pin[];
  /** Horizontal lines with a word. */
  guides?: readonly { y: number; label: string }[];
}

const LEFT = 58;
const RIGHT = 14;
const BOTTOM = 34;
/** Points of a line; more would be smaller than a pixel. */
const MOST_POINTS = 500;

export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c] as string);

const round = (value: number): string => String(Math.round(value * 10) / 10);

/** Round numbers between low and high, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power;
  const list: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++)
    list.push(Number((i * step).toPrecision(12)));
  return list;
}

/** Means of neighbours, where there are more points than can be seen. */
function thinned(points: readonly Point[]): readonly Point[] {
  const group = Math.ceil(points.length / MOST_POINTS);
  if (group <= 1) return points;
  const out: Point[] = [];
  for (let i = 0; i < points.length; i += group) {
    const part = points.slice(i, i + group);
    const mean = (k: 0 | 1) => part.reduce((sum, p) => sum + p[k], 0) / part.length;
    out.push([mean(0), mean(1)]);
  }
  return out;
}

/** A line, broken where a value cannot be drawn. */
function path(points: readonly Point[], x: (v: number) => number, y: (v: number) => number): string {
  let d = "";
  let pen = "M";
  for (const [px, py] of points) {
    const at = y(py);
    if (!Number.isFinite(at)) {
      pen = "M";
      continue;
    }
    d += `${pen}${round(x(px))} ${round(at)}`;
    pen = "L";
  }
  return d;
}

/** Curves over the steps of a training. */
export function lineChart(chart: LineChart): string {
  const { title, steps, log = false, height = 250, width = 900, pins = [], guides = [] } = chart;
  const series = chart.series.map((s) => ({ ...s, points: thinned(s.points) }));
  const drawn = (v: number) => Number.isFinite(v) && (!log || v > 0);
  const values = series.flatMap((s) => s.points.map(([, v]) => v)).filter(drawn);
  const top = pins.length > 0 ? 26 : 10;
  const scale = (v: number) => (log ? Math.log10(v) : v);
  let low = scale(Math.min(...values));
  let high = scale(Math.max(...values));
  if (values.length === 0) [low, high] = [0, 1];
  if (!log && low > 0 && low < 0.5 * high) low = 0;
  if (high - low < 1e-9) [low, high] = [low - 0.5, high + 0.5];
  if (log) [low, high] = [Math.floor(low), Math.ceil(high)];
  else high += 0.04 * (high - low);
  const x = (step: number) => LEFT + ((step - 1) / Math.max(steps - 1, 1)) * (width - LEFT - RIGHT);
  const y = (v: number) => (drawn(v) ? top + ((high - scale(v)) / (high - low)) * (height - top - BOTTOM) : Number.NaN);
  const parts: string[] = [];
  const every = Math.max(1, Math.ceil((high - low) / 6));
  const decades = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, i) => 10 ** (low + i * every));
  const yTicks = log ? decades : ticks(low, high, 4);
  for (const tick of yTicks) {
    const at = round(y(tick));
    parts.push(`<path class="grid" d="M${LEFT} ${at}H${width - RIGHT}"/>`);
    parts.push(
      `<text class="tick" x="${LEFT - 8}" y="${at}" text-anchor="end" dominant-baseline="middle">${log ? power(tick) : number(tick)}</text>`,
    );
  }
  for (const tick of ticks(1, steps, 6).filter((t) => t >= 1 && Number.isInteger(t))) {
    parts.push(
      `<text class="tick" x="${round(x(tick))}" y="${height - BOTTOM + 18}" text-anchor="middle">${tick.toLocaleString("en")}</text>`,
    );
  }
  parts.push(`<text class="tick" x="${width - RIGHT}" y="${height - 3}" text-anchor="end">step</text>`);
  for (const { name, color, points, faint, dots } of series) {
    const d = path(points, x, y);
    parts.push(
      `<path class="line${faint ? " faint" : ""}" style="stroke:${color}" d="${d}"><title>${escapeText(name)}</title></path>`,
    );
    const single = points.length === 1;
    if (!dots && !single) continue;
    for (const [px, py] of points) {
      if (!Number.isFinite(y(py))) continue;
      parts.push(
        `<circle cx="${round(x(px))}" cy="${round(y(py))}" r="3" style="fill:${color}"><title>${escapeText(name)}, step ${Math.round(px)}: ${number(py)}</title></circle>`,
      );
    }
  }
  for (const { y: value, label } of guides) {
    const at = y(value);
    if (!(at > top && at < height - BOTTOM)) continue;
    parts.push(`<path class="guide" d="M${LEFT} ${round(at)}H${width - RIGHT}"/>`);
    parts.push(
      `<text class="tick halo" x="${width - RIGHT - 4}" y="${round(at - 6)}" text-anchor="end">${escapeText(label)}</text>`,
    );
  }
  parts.push(...pinMarks(pins, x, height));
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${parts.join("")}</svg>`;
}

/** Pins side by side where several findings began together. */
function pinMarks(pins: readonly Pin[], x: (step: number) => number, height: number): string[] {
  let last = Number.NEGATIVE_INFINITY;
  return [...pins]
    .sort((a, b) => a.step - b.step)
    .map(({ step, label, title, color }) => {
      const place = x(step);
      const at = Math.max(place, last + 19);
      last = at;
      return (
        `<path class="pin" style="stroke:${color}" d="M${round(at)} 20L${round(place)} 26V${height - BOTTOM}"/>` +
        `<circle cx="${round(at)}" cy="11" r="9" style="fill:${color}"><title>${escapeText(title)}</title></circle>` +
        `<text class="pin-label" x="${round(at)}" y="11.5" text-anchor="middle" dominant-baseline="middle">${escapeText(label)}</text>`
      );
    });
}

/** A power of ten. */
function power(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (exponent >= -2 && exponent <= 3) return number(value);
  return `10<tspan dy="-5" font-size="9">${exponent < 0 ? `−${-exponent}` : exponent}</tspan>`;
}

export interface HeatMap {
  title: string;
  /** Counts of each column, from low to high. */
  columns: readonly Float64Array[];
  steps: readonly number[];
  low: number;
  high: number;
}

const LEVELS = 9;

/** How a distribution changes over time: darker is more. One path a shade keeps it small. */
export function heatMap({ title, columns, steps, low, high }: HeatMap): string {
  const [width, height] = [290, 150];
  const [left, right, top, bottom] = [46, 6, 6, 20];
  const bins = columns[0].length;
  const w = (width - left - right) / columns.length;
  const h = (height - top - bottom) / bins;
  const shades = Array.from({ length: LEVELS + 1 }, () => "");
  columns.forEach((column, i) => {
    // The fullest bin (the zeros of a ReLU) would leave no shade to the others: the second one sets the scale.
    const most = [...column].sort((a, b) => b - a)[1] || Math.max(...column);
    column.forEach((count, bin) => {
      // The square root shows the tails beside a peak.
      const level = most > 0 ? Math.ceil(LEVELS * Math.sqrt(Math.min(1, count / most))) : 0;
      if (level === 0) return;
      const x = left + i * w;
      const y = height - bottom - (bin + 1) * h;
      shades[level] += `M${round(x)} ${round(y)}h${round(w + 0.3)}v${round(h + 0.3)}h${round(-w - 0.3)}z`;
    });
  });
  const parts = shades.map((d, level) =>
    d === "" ? "" : `<path class="heat" fill-opacity="${(level / LEVELS).toFixed(2)}" d="${d}"/>`,
  );
  const y = (v: number) => height - bottom - ((v - low) / (high - low)) * (height - top - bottom);
  for (const tick of ticks(low, high, 4)) {
    parts.push(
      `<text class="tick" x="${left - 5}" y="${round(y(tick))}" text-anchor="end" dominant-baseline="middle">${number(tick)}</text>`,
    );
  }
  parts.push(`<path class="grid" d="M${left} ${top}V${height - bottom}H${width - right}"/>`);
  parts.push(`<text class="tick" x="${left}" y="${height - 5}">${steps[0].toLocaleString("en")}</text>`);
  parts.push(
    `<text class="tick" x="${width - right}" y="${height - 5}" text-anchor="end">${steps[steps.length - 1].toLocaleString("en")}</text>`,
  );
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeText(title)}">${parts.join("")}</svg>`;
}
