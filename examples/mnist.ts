/**
 * Learns to read handwritten digits: PyTorch's MNIST example, line by line, in TypeScript on the CPU.
 *
 *   npm start                      a convolutional network: two epochs, 99 of 100 digits right in the end
 *   npm start -- --model mlp       fully connected: an epoch takes seconds, 98 of 100 right
 *   npm start -- --help            shows all options
 */
import { data, F, manualSeed, nn, noGrad, optim, type Tensor } from "lanegrad";
import { watch } from "lanegrad/doctor";
import { drawDigits, type Mistake } from "./mnist/digits.js";
import { saveMistakes } from "./mnist/pictures.js";
import { CNN, MLP } from "./models.js";
import { saveLearningCurve } from "./support/charts.js";
import { mnist } from "./support/mnist.js";
import { oneOf, optional, positive, readOptions, text, whole } from "./support/options.js";
import { Progress } from "./support/progress.js";

/** What each network is best trained with. */
const RECIPES = { cnn: { epochs: 2, lr: 0.1 }, mlp: { epochs: 5, lr: 0.05 } };

const options = readOptions(
  { name: "mnist", does: "Learns to read handwritten digits (MNIST).", usage: "npm start --" },
  {
    model: oneOf(["cnn", "mlp"], "cnn", "cnn: two convolutions; mlp: fully connected"),
    epochs: optional(whole(1, 0, "passes over the 60,000 images (default 2 for cnn, 5 for mlp)")),
    batchSize: whole(1, 64, "images a step"),
    lr: optional(positive(0, "largest learning rate (default 0.1 for cnn, 0.05 for mlp)")),
    seed: whole(0, 1, "seed of all random numbers: the same seed gives the same run"),
    width: whole(2, 256, "mlp: size of the first hidden layer; the second has half of it"),
    doctor: text(
      "FILE",
      "let the doctor watch, and write its report: a page (.html), text (.txt) or JSON lines (.jsonl)",
    ),
  },
);
const { model, batchSize, seed, width } = options;
const { epochs, lr } = { epochs: options.epochs ?? RECIPES[model].epochs, lr: options.lr ?? RECIPES[model].lr };
manualSeed(seed);

const trainSet = mnist({ train: true });
const testSet = mnist({ train: false });
const trainLoader = new data.DataLoader(trainSet, { batchSize, shuffle: true });
const testLoader = new data.DataLoader(testSet, { batchSize: 1000 });

const net = model === "cnn" ? new CNN() : new MLP(width);
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9, weightDecay: model === "cnn" ? 1e-4 : 0 });
// The learning rate rises, and falls to nothing in the end: larger steps find what smaller ones settle.
const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: lr, totalSteps: epochs * trainLoader.length });

const doctor = options.doctor === "" ? null : watch(net, optimizer, { title: `MNIST, ${model}` });

function train(progress: Progress): void {
  net.train();
  for (const [images, labels] of trainLoader) {
    optimizer.zeroGrad();
    const outputs = net(images);
    const loss = criterion(outputs, labels);
    loss.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
    scheduler.step();
    doctor?.step(loss);
    progress.step(loss.item(), images.size(0));
  }
}

/** What the network reads in the test images, and how sure it is, from 0 to 1. */
function test(): { read: number[]; sure: number[]; accuracy: number; loss: number } {
  net.eval();
  const read: number[] = [];
  const sure: number[] = [];
  let correct = 0;
  let loss = 0;
  noGrad(() => {
    for (const [images, labels] of testLoader) {
      const outputs = net(images);
      loss += F.crossEntropy(outputs, labels, { reduction: "sum" }).item();
      const { values, indices } = F.softmax(outputs, 1).max(1);
      correct += indices.eq(labels).sum().item();
      read.push(...indices.toTypedArray());
      sure.push(...values.toTypedArray());
    }
  });
  return { read, sure, accuracy: correct / testSet.length, loss: loss / testSet.length };
}

const weights = [...net.parameters()].reduce((n: number, p: Tensor) => n + p.numel(), 0);
console.log(`${net}\n${weights.toLocaleString("en")} weights, ${trainSet.length.toLocaleString("en")} images\n`);

const progress = new Progress(epochs, trainLoader.length);
for (let epoch = 1; epoch <= epochs; epoch++) {
  progress.beginEpoch();
  train(progress);
  const { accuracy, loss } = test();
  doctor?.validate({ loss, accuracy });
  progress.endEpoch(accuracy);
}

const { read, sure, accuracy } = test();
console.log(`\naccuracy on the ${testSet.length.toLocaleString("en")} test images: ${(100 * accuracy).toFixed(2)} %`);

// The mistakes it was surest of tell most.
const targets = testSet.targets.toTypedArray();
const mistakes: Mistake[] = read
  .map((digit, i) => ({ i, read: digit, is: targets[i], sure: sure[i] }))
  .filter((answer) => answer.read !== answer.is)
  .sort((a, b) => b.sure - a.sure)
  .slice(0, 24)
  .map((answer) => ({ ...answer, pixels: testSet.data.at(answer.i).toTypedArray() as Uint8Array }));
console.log(`\nWrongly read, the surest first:\n\n${drawDigits(mistakes, 6)}`);

const curve = await saveLearningCurve("mnist-learning-curve", progress.history);
console.log(`Pictures: ${curve} and ${await saveMistakes("mnist-mistakes", mistakes)}`);
if (doctor !== null) {
  console.log(`\n${doctor.report()}\n`);
  console.log(`The doctor's report: ${doctor.save(options.doctor)}`);
}
