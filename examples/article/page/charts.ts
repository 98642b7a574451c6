/** Curves as SVG in the page's own colours (CSS variables), so that one drawing serves light and dark. Drawn by Vega without a browser. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { escapeText, type Language, powerOfTen, type Text } from "./language.js";

export interface Series {
  name: Text;
  /** Which of the page's colours, 1 to 8. */
  color: number;
  dashed?: boolean;
  points: readonly (readonly [x: number, y: number])[];
  /** A cross at the last point: here the training broke down. */
  broken?: boolean;
}

export interface Axis {
  title: Text;
  log?: boolean;
  /** Where a value beyond it is not drawn. */
  domain?: readonly [number, number];
  percent?: boolean;
  /** Ticks, where not what the scale would choose. */
  values?: readonly number[];
}

export interface Chart {
  x: Axis;
  y: Axis;
  series: readonly Series[];
  /** With a dot at each point. */
  dots?: boolean;
  height?: number;
}

/** Points of a curve; more would be smaller than a pixel. */
const MOST_POINTS = 240;
const WIDE = 720;
const NARROW = 350;

/** The chart, drawn for wide pages and for phones, and its legend. */
export async function drawChart(chart: Chart, language: Language, label: string): Promise<string> {
  const { series, height = 320 } = chart;
  const draw = async (width: number, tall: number) => (await svg(specOf(chart, language, width, tall))).trim();
  const keys = series.map(
    ({ name, color, dashed }) =>
      `<li><svg viewBox="0 0 26 6" aria-hidden="true"><path d="M1 3H25" stroke="var(--s${color})"${dashed ? ' stroke-dasharray="5 3"' : ""}/></svg>${name[language]}</li>`,
  );
  return (
    `<div role="img" aria-label="${escapeText(label)}"><div class="wide" aria-hidden="true">${await draw(WIDE, height)}</div>` +
    `<div class="narrow" aria-hidden="true">${await draw(NARROW, Math.round(0.85 * height))}</div></div>` +
    (series.length > 1 ? `<ul class="legend">${keys.join("")}</ul>` : "")
  );
}

let drawings = 0;

async function svg(spec: TopLevelSpec): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  const text = await view.toSVG();
  view.finalize();
  // Ids are a drawing's own in Vega, and a page holds many; fonts are the page's.
  const prefix = `d${++drawings}-`;
  return text
    .replace(/ id="/g, ` id="${prefix}`)
    .replace(/url\(#/g, `url(#${prefix}`)
    .replace(/ font-family="[^"]*"/g, "")
    .replace(/ (?:width|height)="[\d.]+"(?= |>)/, "")
    .replace(/ (?:width|height)="[\d.]+"(?= |>)/, "");
}

/** Every so many points, the last of them always. */
function thinned<T>(points: readonly T[]): T[] {
  const every = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

function specOf(
  { x, y, series, dots = false }: Chart,
  language: Language,
  width: number,
  height: number,
): TopLevelSpec {
  const inside = (value: number, { log, domain }: Axis) =>
    Number.isFinite(value) &&
    (!log || value > 0) &&
    (domain === undefined || (value >= domain[0] && value <= domain[1]));
  const values = series.flatMap(({ name, points, dashed, broken }) => {
    const seen = thinned(points.filter(([px, py]) => inside(px, x) && inside(py, y)));
    return seen.map(([px, py], i) => ({
      name: name.en,
      x: px,
      y: py,
      dashed: dashed === true,
      broken: broken === true && i === seen.length - 1,
    }));
  });
  const color = {
    field: "name",
    type: "nominal" as const,
    legend: null,
    scale: { domain: series.map(({ name }) => name.en), range: series.map(({ color }) => `var(--s${color})`) },
  };
  const xEncoding = {
    field: "x",
    type: "quantitative" as const,
    ...axisOf(
      x,
      values.map((v) => v.x),
      language,
      width / 90,
      false,
    ),
  };
  const yEncoding = {
    field: "y",
    type: "quantitative" as const,
    ...axisOf(
      y,
      values.map((v) => v.y),
      language,
      height / 55,
      true,
    ),
  };
  const spec = {
    width,
    height,
    autosize: { type: "fit", contains: "padding" },
    padding: { left: 2, right: 8, top: 6, bottom: 2 },
    data: { values },
    layer: [
      {
        mark: {
          type: "line",
          clip: true,
          strokeWidth: 2,
          strokeJoin: "round",
          point: dots ? { size: 34, opacity: 1 } : false,
        },
        encoding: {
          x: xEncoding,
          y: yEncoding,
          color,
          strokeDash: {
            field: "dashed",
            type: "nominal",
            legend: null,
            scale: {
              domain: [false, true],
              range: [
                [1, 0],
                [6, 4],
              ],
            },
          },
          detail: { field: "name" },
        },
      },
      {
        transform: [{ filter: "datum.broken" }],
        mark: { type: "point", shape: "M-1,-1L1,1M1,-1L-1,1", size: 90, strokeWidth: 2.5, opacity: 1, clip: false },
        encoding: { x: xEncoding, y: yEncoding, color },
      },
    ],
    config: {
      aria: false,
      background: null,
      view: { stroke: null },
      axis: {
        labelColor: "var(--soft)",
        titleColor: "var(--soft)",
        domainColor: "var(--line)",
        tickColor: "var(--line)",
        gridColor: "var(--grid)",
        labelFontSize: 12,
        titleFontSize: 12.5,
        titleFontWeight: "normal",
        titlePadding: 8,
        labelPadding: 5,
      },
    },
  };
  return spec as unknown as TopLevelSpec;
}

function axisOf(axis: Axis, values: readonly number[], language: Language, count: number, vertical: boolean) {
  const { title, log = false, domain, percent = false } = axis;
  const look = {
    title: title[language],
    grid: vertical,
    ticks: !vertical,
    domain: !vertical,
    // Titles of vertical axes lie above, where they are read without turning the head.
    ...(vertical
      ? { titleAngle: 0, titleAlign: "left", titleAnchor: "start", titleX: 0, titleY: -10, titleBaseline: "bottom" }
      : {}),
  };
  if (!log) {
    const ticks = axis.values === undefined ? { tickCount: Math.round(count) } : { values: axis.values };
    return {
      scale: domain === undefined ? { zero: false, nice: vertical } : { domain, nice: false },
      axis: { ...look, ...ticks, format: percent ? ".0%" : "~r", ...(percent ? {} : { format: ",~r" }) },
    };
  }
  const exponents = values.map((v) => Math.log10(v));
  const low = domain ? Math.log10(domain[0]) : Math.min(...exponents);
  const high = domain ? Math.log10(domain[1]) : Math.max(...exponents);
  const [from, to] = vertical ? [Math.floor(low), Math.ceil(high)] : [low, high];
  const every = Math.max(1, Math.ceil((to - from) / count));
  const decades = Array.from(
    { length: Math.floor((to - from) / every + 1e-9) + 1 },
    (_, i) => Math.round(from) + i * every,
  );
  const ticks = axis.values ?? decades.map((e) => 10 ** e);
  const names = axis.values?.map(String) ?? decades.map(powerOfTen);
  return {
    scale: { type: "log", domain: [10 ** from, 10 ** to], nice: false, ...(vertical ? {} : { padding: 8 }) },
    axis: {
      ...look,
      values: ticks,
      labelExpr: `[${names.map((n) => `'${n}'`).join(",")}][indexof([${ticks.join(",")}], datum.value)]`,
    },
  };
}
