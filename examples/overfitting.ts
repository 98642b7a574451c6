/**
 * Overfitting, and what helps against it: a network that learns 300 digits by heart and reads others badly; then the same one
 * with augmentation, weight decay, dropout, early stopping, and all of them together. Augmentation and dropout let it read more
 * digits right; weight decay and early stopping keep it from being sure of what is wrong, which the loss on test images shows.
 *
 *   npx tsx examples/overfitting.ts
 */
import { data, type Tensor, transforms } from "lanegrad";
import { SmallCNN } from "./models.js";
import { saveChart } from "./support/charts.js";
import { allOf, HEADER, learn, line, type Outcome, type Setting } from "./support/experiment.js";
import { mnist } from "./support/mnist.js";
import { readOptions, whole } from "./support/options.js";

const { images, tests, epochs, seed } = readOptions(
  { name: "overfitting", does: "Overfitting on few digits, and its cures.", usage: "npx tsx examples/overfitting.ts" },
  {
    images: whole(10, 300, "images to learn from"),
    tests: whole(10, 1000, "images to test with"),
    epochs: whole(1, 40, "passes over the images"),
    seed: whole(0, 1, "seed of all random numbers"),
  },
);

// The same few images twice: as they are, and moved by up to three pixels, every time to another place.
const augment = new transforms.Compose([
  new transforms.RandomCrop(28, { padding: 3 }),
  new transforms.ToTensor(),
  new transforms.Normalize([0.1307], [0.3081]),
]);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const digits = mnist({ train: true });
const plain = new data.Subset(digits, range(0, images));
const augmented = new data.Subset(mnist({ train: true, transform: augment }), range(0, images));

const common: Setting = {
  net: () => new SmallCNN(),
  trainSet: plain,
  train: allOf(plain),
  validation: allOf(new data.Subset(digits, range(images, 2 * images))),
  test: allOf(new data.Subset(mnist({ train: false }), range(0, tests))),
  epochs,
  lr: 0.015,
  seed,
};
const settings: [name: string, Partial<Setting>][] = [
  ["nothing done", {}],
  ["augmentation", { trainSet: augmented }],
  ["weight decay 0.005", { weightDecay: 0.005 }],
  ["dropout 0.5", { net: () => new SmallCNN(0.5) }],
  ["early stopping", { patience: 8 }],
  ["all together", { trainSet: augmented, weightDecay: 0.001, net: () => new SmallCNN(0.2), patience: 8 }],
];

const weights = new SmallCNN().parameters().reduce((n: number, p: Tensor) => n + p.numel(), 0);
console.log(
  `${weights.toLocaleString("en")} weights learn ${images} digits, and read ${tests.toLocaleString("en")} others.\n`,
);
console.log(HEADER);
const outcomes = settings.map(([name, setting]): [string, Outcome] => {
  const outcome = learn({ ...common, ...setting });
  console.log(line(name, outcome.final));
  return [name, outcome];
});

console.log(`\nPicture: ${await saveCurves(outcomes)}`);

/** Accuracy on both kinds of images, a panel a cure; below, the loss on the test images of all of them. */
function saveCurves(outcomes: [name: string, outcome: Outcome][]): Promise<string> {
  const names = outcomes.map(([name]) => name);
  const epoch = {
    field: "epoch",
    type: "quantitative" as const,
    title: "epoch",
    scale: { domain: [1, epochs], nice: false },
    axis: { grid: false, tickMinStep: 1 },
  };
  const accuracies = outcomes.flatMap(([name, { curve, final }]) =>
    curve.flatMap(({ epoch, train, test }) =>
      [
        { of: "training images", accuracy: train.accuracy },
        { of: "test images", accuracy: test.accuracy },
      ].map((point) => ({
        ...point,
        name,
        epoch,
        gap: test.accuracy,
        text: epoch === final.epoch ? `${(100 * point.accuracy).toFixed(1)} %` : null,
      })),
    ),
  );
  const losses = outcomes.flatMap(([name, { curve }]) =>
    curve.map(({ epoch, test }) => ({ name, epoch, loss: test.loss })),
  );
  return saveChart("overfitting", {
    vconcat: [
      {
        title: "Right answers: what was learned by heart, and what was understood",
        data: { values: accuracies },
        columns: 3,
        facet: {
          field: "name",
          type: "nominal",
          title: null,
          sort: names,
          header: { labelFontSize: 13, labelPadding: 16 },
        },
        spec: {
          width: 220,
          height: 150,
          layer: [
            {
              transform: [{ filter: "datum.of == 'training images'" }],
              mark: { type: "area", color: "#e45756", opacity: 0.12, clip: true },
              encoding: {
                x: epoch,
                y: { field: "accuracy", type: "quantitative" },
                y2: { field: "gap" },
              },
            },
            {
              mark: { type: "line", clip: true },
              encoding: {
                x: epoch,
                y: {
                  field: "accuracy",
                  type: "quantitative",
                  title: "right",
                  scale: { domain: [0.4, 1] },
                  axis: { format: ".0%", tickCount: 4 },
                },
                color: {
                  field: "of",
                  title: null,
                  scale: { domain: ["training images", "test images"], range: ["#4c78a8", "#e45756"] },
                },
              },
            },
            {
              transform: [{ filter: "datum.text != null" }],
              mark: { type: "point", filled: true, size: 40, opacity: 1 },
              encoding: {
                x: epoch,
                y: { field: "accuracy", type: "quantitative" },
                color: { field: "of" },
              },
            },
            {
              transform: [{ filter: "datum.text != null" }],
              mark: {
                type: "text",
                align: "right",
                dy: { expr: "datum.of == 'test images' ? 16 : -10" },
                fontSize: 11,
              },
              encoding: {
                x: epoch,
                y: { field: "accuracy", type: "quantitative" },
                text: { field: "text" },
                color: { field: "of" },
              },
            },
          ],
        },
      },
      {
        title: "Loss on the test images: how sure it is of what is wrong",
        data: { values: losses },
        width: 740,
        height: 220,
        mark: { type: "line" },
        encoding: {
          x: epoch,
          y: {
            field: "loss",
            type: "quantitative",
            title: "cross entropy",
            scale: { type: "log", nice: false },
            axis: { tickCount: 5 },
          },
          color: { field: "name", title: null, sort: names, scale: { scheme: "tableau10" } },
        },
      },
    ],
    resolve: { scale: { color: "independent" } },
  });
}
