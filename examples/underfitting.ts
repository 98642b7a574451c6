/**
 * Underfitting, and what helps against it: networks too small for their task, and one that learns too slowly, do not even get
 * the images right that they learn from. More capacity, and larger steps, cure it.
 *
 *   npx tsx examples/underfitting.ts
 */
import { data } from "lanegrad";
import { MLP } from "./models.js";
import { saveChart } from "./support/charts.js";
import { allOf, HEADER, learn, line, type Moment, type Setting } from "./support/experiment.js";
import { mnist } from "./support/mnist.js";
import { readOptions, whole } from "./support/options.js";

const { images, tests, epochs, seed } = readOptions(
  { name: "underfitting", does: "Underfitting, and its cures.", usage: "npx tsx examples/underfitting.ts" },
  {
    images: whole(10, 2000, "images to learn from"),
    tests: whole(10, 2000, "images to test with"),
    epochs: whole(1, 10, "passes over the images"),
    seed: whole(0, 1, "seed of all random numbers"),
  },
);

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const trainSet = new data.Subset(mnist({ train: true }), range(images));
const common: Omit<Setting, "net"> = {
  trainSet,
  train: allOf(trainSet),
  test: allOf(new data.Subset(mnist({ train: false }), range(tests))),
  epochs,
  lr: 0.05,
  seed,
};

const WIDTHS = [4, 8, 16, 32, 64, 128];
console.log(
  `${images.toLocaleString("en")} digits to learn from, ${tests.toLocaleString("en")} others to test with.\n`,
);
console.log(HEADER);
const byWidth = WIDTHS.map((width) => {
  const { final } = learn({ ...common, net: () => new MLP(width) });
  console.log(line(`${width} and ${width / 2} hidden`, final));
  return { width, final };
});
console.log();
const RATES = [0.0001, 0.001, 0.01, 0.05];
const byRate = RATES.map((lr) => {
  const { curve, final } = learn({ ...common, lr, net: () => new MLP(128) });
  console.log(line(`learning rate ${lr}`, final));
  return { lr, curve };
});
console.log(`\nPicture: ${await saveCurves()}`);

function saveCurves(): Promise<string> {
  const both = ({ train, test }: Moment) => [
    { of: "training images", accuracy: train.accuracy },
    { of: "test images", accuracy: test.accuracy },
  ];
  const accuracy = {
    field: "accuracy",
    type: "quantitative" as const,
    title: "right",
    scale: { domain: [0, 1] },
    axis: { format: ".0%", tickCount: 5 },
  };
  const size = { width: 420, height: 240 };
  return saveChart("underfitting", {
    hconcat: [
      {
        ...size,
        title: "Capacity: hidden units against accuracy",
        data: { values: byWidth.flatMap(({ width, final }) => both(final).map((point) => ({ width, ...point }))) },
        mark: { type: "line", point: true },
        encoding: {
          x: {
            field: "width",
            type: "quantitative",
            title: "units of the first hidden layer",
            scale: { type: "log", base: 2 },
            axis: { values: WIDTHS, grid: false },
          },
          y: accuracy,
          color: {
            field: "of",
            title: null,
            scale: { domain: ["training images", "test images"], range: ["#4c78a8", "#e45756"] },
          },
        },
      },
      {
        ...size,
        title: "Learning rate: accuracy on the training images",
        data: {
          values: byRate.flatMap(({ lr, curve }) =>
            curve.map(({ epoch, train }) => ({ rate: String(lr), epoch, accuracy: train.accuracy })),
          ),
        },
        mark: { type: "line", point: true },
        encoding: {
          x: {
            field: "epoch",
            type: "quantitative",
            scale: { domain: [1, epochs], nice: false },
            axis: { grid: false, tickMinStep: 1 },
          },
          y: accuracy,
          color: { field: "rate", title: "learning rate", sort: RATES.map(String), scale: { scheme: "viridis" } },
        },
      },
    ],
    resolve: { scale: { color: "independent" } },
  });
}
