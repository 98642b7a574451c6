/** Results as a chart: how many times as long as lanegrad each peer takes, on a logarithmic scale. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { PEERS } from "./peers.js";
import { isMeasured, type Results } from "./results.js";

export async function chartOf(results: Results): Promise<string> {
  const values = results.rows.flatMap(({ title, cells }) =>
    PEERS.flatMap(({ name, title: peer }) => {
      const cell = cells[name];
      return isMeasured(cell) && cell.ratio !== undefined ? [{ row: title, peer, ratio: cell.ratio.median }] : [];
    }),
  );
  const peers = PEERS.map(({ title }) => title);
  const x = {
    field: "ratio",
    type: "quantitative",
    scale: { type: "log" },
    title: null,
    axis: { format: "~r" },
  } as const;
  const rows = results.rows.map(({ title }) => title);
  const y = { field: "row", type: "nominal", title: null, axis: { grid: true }, sort: rows } as const;
  const peer = { field: "peer", type: "nominal", title: null, sort: peers } as const;
  const spec: TopLevelSpec = {
    title: {
      text: "How many times as long as lanegrad",
      subtitle: "right of the line: lanegrad is faster (last row: smaller)",
      anchor: "start",
    },
    config: { background: "white", font: "sans-serif", view: { stroke: null }, padding: 12, axis: { labelLimit: 300 } },
    width: 620,
    height: { step: 20 },
    layer: [
      {
        data: { values: [{ ratio: 1 }] },
        mark: { type: "rule", color: "#444", strokeWidth: 1.5 },
        encoding: { x },
      },
      {
        data: { values },
        mark: { type: "point", filled: true, size: 70, opacity: 0.85 },
        encoding: { x, y, color: { ...peer, legend: { orient: "top", columns: 3 } }, shape: peer },
      },
    ],
  };
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
