/**
 * fit() on MNIST: validation, early stopping, a checkpoint to go on from, and a bar made with cli-progress.
 *
 *   npx tsx examples/fit.ts
 *   npx tsx examples/fit.ts --checkpoint run.safetensors     press Ctrl-C and run it again: it goes on where it was
 *   npx tsx examples/fit.ts --epochs 3 --images 2000
 */
import { SingleBar } from "cli-progress";
import { type Callbacks, data, fit, manualSeed, metrics, nn, optim } from "lanegrad";
import { MLP } from "./models.js";
import { mnist } from "./support/mnist.js";
import { readOptions, text, whole } from "./support/options.js";

const { epochs, images, patience, seed, checkpoint } = readOptions(
  { name: "fit", does: "Learns to read handwritten digits with fit().", usage: "npx tsx examples/fit.ts" },
  {
    epochs: whole(1, 10, "passes over the images, at most"),
    images: whole(100, 20000, "images to learn from; a tenth of them validates"),
    patience: whole(1, 2, "epochs without a better validation loss before it stops"),
    seed: whole(0, 1, "seed of all random numbers"),
    checkpoint: text("FILE", "where to keep the state after each epoch, and to go on from if it is there"),
  },
);
manualSeed(seed);

const all = mnist({ train: true });
const [chosen] = data.randomSplit(all, [Math.min(images, all.length), all.length - Math.min(images, all.length)]);
const [trainSet, validationSet] = data.randomSplit(chosen, [0.9, 0.1]);

const net = new MLP();
const optimizer = new optim.SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });

/** Any display is a set of callbacks. */
function bar(): Callbacks {
  const line = new SingleBar({
    format: "epoch {epoch} {bar} {value}/{total} | loss {loss} | accuracy {accuracy}",
    hideCursor: true,
    clearOnComplete: true,
  });
  return {
    onEpochBegin: ({ batches = 0, batch }) => line.start(batches, batch, { epoch: "", loss: "–", accuracy: "–" }),
    onBatchEnd: ({ epoch, batch, train }) => {
      line.update(batch, { epoch, loss: train.loss.toFixed(4), accuracy: train.accuracy.toFixed(3) });
    },
    onEpochEnd: ({ history }) => {
      line.stop();
      const { epoch, validation, seconds } = history[history.length - 1];
      const percent = (100 * (validation?.accuracy ?? 0)).toFixed(2);
      console.log(
        `epoch ${epoch}: ${percent} % right, validation loss ${validation?.loss.toFixed(4)}, ${seconds.toFixed(1)} s`,
      );
    },
    onFitEnd: () => line.stop(),
  };
}

// Ctrl-C ends training after the batch under way; the checkpoint is then exactly there.
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

const history = await fit(net, {
  train: new data.DataLoader(trainSet, { batchSize: 64, shuffle: true }),
  validation: new data.DataLoader(validationSet, { batchSize: 500 }),
  loss: new nn.CrossEntropyLoss(),
  optimizer,
  epochs,
  clipNorm: 1,
  scheduler: new optim.lrScheduler.ExponentialLR(optimizer, { gamma: 0.8 }),
  metrics: { accuracy: metrics.accuracy },
  earlyStopping: { patience },
  callbacks: bar(),
  progress: false,
  signal: interrupt.signal,
  ...(checkpoint === "" ? {} : { checkpoint, resume: true }),
});

console.log(
  `${history.stopReason} after ${history.steps} steps; best epoch ${history.best?.epoch ?? "none"}, whose weights the net has now`,
);
