/** Curves over epochs, drawn by uPlot at most once a frame, some ten times a second. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { History, Points } from "../history.js";
import { revision } from "../state.js";
import { cssColor, dark } from "./theme.js";

export interface Curve {
  label: string;
  /** A CSS variable. */
  color: string;
  /** Few points, each worth a mark. */
  points?: boolean;
}

interface ChartProps {
  title: string;
  about: string;
  curves: readonly Curve[];
  history: () => History;
  /** A curve of the run before, drawn faintly; null while there is none. */
  before?: () => Points | null;
  /** What the legend shows. */
  newest: readonly (number | undefined)[];
  /** Epochs there is room for at least: as far as other charts reach. */
  reach: () => number;
  format: (value: number) => string;
  /** Powers of ten, or a part of the whole, which widens towards 1. */
  scale: "log" | "part";
  /** Where a logarithmic scale ends below: a loss of 0 has no place on it. */
  least?: number;
  height?: number;
}

const REDRAW_EVERY = 100;

export const Chart = (props: ChartProps) => {
  const { title, about, curves, newest, format, height = 190 } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const current = useRef(props);
  current.current = props;
  /** The point under the pointer, of this chart or of another. */
  const [pointed, setPointed] = useState<number | null>(null);
  const shape = curves.map(({ label }) => label).join();

  useEffect(() => {
    const element = box.current as HTMLDivElement;
    const made = new uPlot(
      optionsOf(current.current, element.clientWidth, height, setPointed),
      dataOf(current.current),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, height]);

  const drawn = useRef({ at: 0, timer: 0 });
  useSignalEffect(() => {
    revision.value;
    const due = drawn.current;
    if (due.timer !== 0) return;
    const draw = () => {
      due.timer = 0;
      due.at = performance.now();
      if (plot.current?.series.length === seriesOf(current.current)) {
        plot.current.setData(dataOf(current.current) as uPlot.AlignedData);
      }
    };
    const wait = Math.max(0, REDRAW_EVERY - (performance.now() - due.at));
    due.timer = window.setTimeout(() => requestAnimationFrame(draw), wait);
  });
  useSignalEffect(() => {
    dark.value;
    // After the attribute that chooses the colours has changed.
    requestAnimationFrame(() => plot.current?.redraw(false, true));
  });

  const past = props.before?.() ?? null;
  const spoken = curves
    .map(({ label }, i) => (newest[i] === undefined ? null : `${label} ${format(newest[i] as number)}`))
    .filter((text) => text !== null);
  return (
    <figure class="card chart">
      <figcaption>
        <h2>
          {title} <small>{about}</small>
        </h2>
        <ul class="legend">
          {curves.map(({ label, color }, i) => {
            const value = valueAt(plot.current, i + 1, pointed) ?? newest[i];
            return (
              <li key={label}>
                <i style={{ background: `var(${color})` }} />
                {label} <b>{value === undefined ? "–" : format(value)}</b>
              </li>
            );
          })}
          {past !== null && (
            <li>
              <i class="faint" />
              {BEFORE} <b>{format(valueAt(plot.current, curves.length + 1, pointed) ?? (past[1].at(-1) as number))}</b>
            </li>
          )}
        </ul>
      </figcaption>
      <div
        ref={box}
        class="plot"
        style={{ height }}
        role="img"
        aria-label={`${title} over epochs: ${spoken.join(", ") || "nothing yet"}`}
      />
    </figure>
  );
};

/** A curve's value at a point, or the last one before it where it has none there. */
function valueAt(plot: uPlot | null, series: number, point: number | null): number | undefined {
  if (plot === null || point === null) return undefined;
  const values = plot.data[series] as (number | null | undefined)[] | undefined;
  return values?.slice(0, point + 1).findLast((value) => value != null) ?? undefined;
}

/** What the curve of the run before is called. */
const BEFORE = "last run";

/** The number of series that the plot has: x, the curves, and the curve of the run before. */
const seriesOf = ({ history, before }: ChartProps): number => history().curves + (before === undefined ? 1 : 2);

function dataOf(props: ChartProps): uPlot.AlignedData {
  const { history, scale, least = 0, curves, before } = props;
  const { columns } = history();
  const count = curves.length + (before === undefined ? 1 : 2);
  if (seriesOf(props) !== count) return Array.from({ length: count }, () => []) as unknown as uPlot.AlignedData;
  // Logarithms want positive numbers; a network that has gone astray gives numbers that have no place on any scale.
  const shown = (column: readonly (number | null)[]) =>
    column.map((value) => {
      if (value === null || !Number.isFinite(value)) return null;
      return scale === "log" ? Math.max(value, least) : value;
    });
  const [x, ...values] = columns;
  const now = [x.slice(), ...values.map(shown)] as uPlot.AlignedData;
  if (before === undefined) return now;
  const [pastX, pastY] = before() ?? [[], []];
  return uPlot.join([now, [pastX.slice(), shown(pastY)] as uPlot.AlignedData]);
}

/** Room for the first points, before there is anything to see. */
const FIRST_EPOCHS = 1;

/** Accuracies that are worth a line. The scale between them is that of a logarithm of what is missing to the whole. */
const PARTS = [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1];
/** How much the whole is worth on that scale, which would else be infinitely far away. */
const WHOLE = 1.005;

function optionsOf(
  { curves, format, scale, before, reach }: ChartProps,
  width: number,
  height: number,
  pointAt: (point: number | null) => void,
): uPlot.Options {
  const font = "11px 'Inter Variable', system-ui, sans-serif";
  const axis = { stroke: () => cssColor("--muted"), font, ticks: { show: false } };
  const log = scale === "log";
  return {
    width,
    height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 }, sync: { key: "epochs" } },
    hooks: { setCursor: [({ cursor }) => pointAt(cursor.idx ?? null)] },
    scales: {
      x: { time: false, range: (_plot, _min, max) => [0, Math.max(FIRST_EPOCHS, reach(), max ?? 0)] },
      y: log
        ? { distr: 3, log: 10, range: (_plot, min, max) => decades(min, max) }
        : {
            distr: 100,
            fwd: (part) => -Math.log(WHOLE - part),
            bwd: (value) => WHOLE - Math.exp(-value),
            range: (_plot, min) => [PARTS.findLast((part) => part <= (min ?? 0)) ?? 0, 1],
          },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        gap: 8,
        space: 60,
        values: (_plot, splits) => splits.map((value, i) => (i === 0 ? `epoch ${value}` : String(value))),
      },
      {
        ...axis,
        grid: { stroke: () => cssColor("--grid"), width: 1 },
        size: 52,
        gap: 6,
        splits: (_plot, _axis, min, max) => (log ? powers(min, max) : PARTS.filter((part) => part >= min)),
        // What uPlot leaves out of logarithmic axes by itself is left in: there are few.
        filter: (_plot, splits) => splits,
        values: (_plot, splits) => splits.map((value) => (log ? power(value) : format(value).replace(".0", ""))),
      },
    ],
    series: [
      {},
      ...curves.map(({ color, points, label }) => ({
        label,
        stroke: () => cssColor(color),
        width: points ? 2 : 1.75,
        spanGaps: true,
        points: points ? { show: true, size: 5, fill: () => cssColor(color) } : { show: false },
      })),
      ...(before === undefined ? [] : [faint]),
    ],
  };
}

const faint: uPlot.Series = {
  label: BEFORE,
  stroke: () => cssColor("--faint"),
  width: 1.75,
  dash: [5, 4],
  spanGaps: true,
  points: { show: false },
};

/** Whole thirds of powers of ten around the values. */
function decades(min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || !(max > 0)) return [0.01, 3];
  return [10 ** (Math.floor(3 * Math.log10(min)) / 3), 10 ** (Math.ceil(3 * Math.log10(max * 1.02)) / 3)];
}

/** Numbers that the height of a chart has room for. */
const LABELS = 6;

/** Powers of ten within a range; where they are few, 2 and 5 of each as well, or 3; where they are many, every second, third … */
function powers(min: number, max: number): number[] {
  const span = Math.log10(max / min);
  const digits = span < 1.4 ? [1, 2, 5] : span < 2.7 ? [1, 3] : [1];
  const step = Math.ceil(span / LABELS);
  const found: number[] = [];
  for (let exponent = step * Math.floor(Math.log10(min) / step); 10 ** exponent <= max; exponent += step) {
    for (const digit of digits) found.push(Number(`${digit}e${exponent}`));
  }
  return found.filter((value) => value >= min && value <= max);
}

const power = (value: number): string =>
  value >= 0.001 && value < 1e5 ? String(value) : value.toExponential(0).replace("+", "");
