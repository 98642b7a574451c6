/** Charts as SVG files, drawn by Vega without a browser. */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";

const CONFIG = { background: "white", font: "sans-serif", view: { stroke: null }, padding: 12 };

/** Draws into out/NAME.svg; returns the path. */
export async function saveChart(name: string, spec: TopLevelSpec): Promise<string> {
  const folder = fileURLToPath(new URL("../../out/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const view = new View(parse(compile({ ...spec, config: CONFIG }).spec), { renderer: "none" });
  const path = `${folder}${name}.svg`;
  writeFileSync(path, await view.toSVG());
  view.finalize();
  return path;
}

/** A point of the learning curve: `epoch` 1.5 is half through the second. */
export interface Point {
  epoch: number;
  value: number;
}

export interface History {
  /** Training loss, each the mean of some steps. */
  loss: Point[];
  /** Accuracy on the test images after each epoch, from 0 to 1. */
  accuracy: Point[];
}

/** Training loss and test accuracy, one above the other. */
export function saveLearningCurve(name: string, history: History): Promise<string> {
  const epochs = history.accuracy.length;
  const x = {
    field: "epoch",
    type: "quantitative" as const,
    title: "epoch",
    scale: { domain: [0, epochs] },
    axis: { tickMinStep: 1, grid: false },
  };
  const curve = { width: 560, height: 180 };
  return saveChart(name, {
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
