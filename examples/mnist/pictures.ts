/** The example's pictures: SVG files, drawn by Vega without a browser. */
import { writeFileSync } from "node:fs";
import { encode } from "fast-png";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { caption, type Mistake } from "./digits.js";
import type { History } from "./progress.js";

const CONFIG = { background: "white", font: "sans-serif", view: { stroke: null } };

async function save(path: string, spec: TopLevelSpec): Promise<void> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  writeFileSync(path, await view.toSVG());
  view.finalize();
}

/** Training loss and test accuracy, one above the other. */
export async function saveLearningCurve(path: string, history: History): Promise<void> {
  const epochs = history.accuracy.length;
  const x = {
    field: "epoch",
    type: "quantitative" as const,
    title: "epoch",
    scale: { domain: [0, epochs] },
    axis: { tickMinStep: 1, grid: false },
  };
  const curve = { width: 560, height: 180 };
  await save(path, {
    config: CONFIG,
    vconcat: [
      {
        ...curve,
        title: "Loss on the training images",
        data: { values: history.loss },
        mark: { type: "line", color: "#4c78a8" },
        encoding: {
          x,
          y: {
            field: "value",
            type: "quantitative",
            title: "cross entropy",
            scale: { type: "log", nice: false },
            axis: { tickCount: 5 },
          },
        },
      },
      {
        ...curve,
        title: "Accuracy on the test images",
        data: { values: history.accuracy },
        mark: { type: "line", point: { color: "#e45756" }, color: "#e45756" },
        encoding: {
          x,
          y: {
            field: "value",
            type: "quantitative",
            title: "right",
            scale: { zero: false },
            axis: { format: ".1%" },
          },
        },
      },
    ],
  });
}

const DIGIT = 84;
const COLUMNS = 6;

/** The digits with what was read in them, as ink on paper. */
export async function saveMistakes(path: string, mistakes: readonly Mistake[]): Promise<void> {
  const values = mistakes.map((mistake, i) => ({
    image: imageUrl(mistake.pixels),
    caption: caption(mistake),
    column: i % COLUMNS,
    row: Math.floor(i / COLUMNS),
  }));
  await save(path, {
    config: CONFIG,
    title: "Wrongly read, the surest first",
    data: { values },
    width: { step: DIGIT + 16 },
    height: { step: DIGIT + 32 },
    encoding: {
      x: { field: "column", type: "ordinal", axis: null },
      y: { field: "row", type: "ordinal", axis: null },
    },
    layer: [
      {
        mark: { type: "image", width: DIGIT, height: DIGIT, aria: false },
        encoding: { url: { field: "image" } },
      },
      {
        mark: { type: "text", dy: DIGIT / 2 + 8, fontSize: 12 },
        encoding: { text: { field: "caption" } },
      },
    ],
  });
}

/** Pixels as a data URL, three times as large: viewers blur what they enlarge themselves. */
function imageUrl(pixels: Uint8Array): string {
  const scale = DIGIT / 28;
  const ink = new Uint8Array(DIGIT * DIGIT);
  for (let y = 0; y < DIGIT; y++) {
    for (let x = 0; x < DIGIT; x++) {
      ink[y * DIGIT + x] = 255 - pixels[Math.floor(y / scale) * 28 + Math.floor(x / scale)];
    }
  }
  const png = encode({ width: DIGIT, height: DIGIT, data: ink, channels: 1, depth: 8 });
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}
