/** One way to train a network on few images, watched on the images it learns from and on others: what overfitting is about. */
import { data, F, manualSeed, nn, noGrad, optim, type Tensor } from "lanegrad";
import { type Finding, watch } from "lanegrad/doctor";

/** Images ready for the network, and their classes. */
export interface Labelled {
  images: Tensor;
  labels: Tensor;
}

/** What a network makes of some images. */
export interface Score {
  /** The part it gets right. */
  accuracy: number;
  /** Mean cross entropy. */
  loss: number;
}

/** After an epoch. */
export interface Moment {
  epoch: number;
  train: Score;
  test: Score;
}

export interface Setting {
  /** Makes the network; called after the seed is set, so that networks of one shape start alike. */
  net: () => nn.Module;
  /** What is learned from: batches are drawn anew in every epoch, and with them what its transform draws. */
  trainSet: data.DatasetLike;
  /** The same images as they are, others to decide by, and others again to judge by. */
  train: Labelled;
  validation?: Labelled;
  test: Labelled;
  epochs: number;
  lr: number;
  momentum?: number;
  weightDecay?: number;
  /** Stop after so many epochs in which the loss on the validation images did not fall, and go back to the best one. */
  patience?: number;
  batchSize?: number;
  /** Limit of the gradient's norm (default 1); Infinity does not clip. */
  clipNorm?: number;
  /** Made from the optimizer and the number of all steps; stepped after each of them. */
  scheduler?: (optimizer: optim.SGD, steps: number) => { step(): void };
  /** The scores are taken after every so many epochs (default 1). */
  scoreEvery?: number;
  /** Lets the doctor watch; it validates by the validation images, or by the test images where there are none. */
  doctor?: boolean;
  seed: number;
}

export interface Outcome {
  curve: Moment[];
  /** Of the network as it is in the end: after early stopping, that of the best epoch. */
  final: Moment;
  /** The doctor's, where it watched. */
  findings: Finding[];
}

/** The whole numbers from `from` to `to` − 1. */
export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** All samples of a dataset as one batch. */
export function allOf(dataset: data.DatasetLike): Labelled {
  const [[images, labels]] = new data.DataLoader(dataset, { batchSize: dataset.length });
  return { images: images.keep(), labels: labels.keep() };
}

const CHUNK = 500;

/** Scores without training, chunk by chunk. */
export function score(net: nn.Module, { images, labels }: Labelled): Score {
  net.eval();
  let right = 0;
  let loss = 0;
  noGrad(() => {
    images.split(CHUNK).forEach((chunk, i) => {
      const targets = labels.narrow(0, i * CHUNK, chunk.size(0));
      const outputs = net(chunk);
      right += outputs.argmax(1).eq(targets).sum().item();
      loss += F.crossEntropy(outputs, targets, { reduction: "sum" }).item();
    });
  });
  return { accuracy: right / images.size(0), loss: loss / images.size(0) };
}

/** Trains by SGD with momentum and, unless it is told otherwise, clipping. */
export function learn(setting: Setting): Outcome {
  const { trainSet, epochs, lr, momentum = 0.9, weightDecay = 0, patience, batchSize = 32, seed } = setting;
  const { clipNorm = 1, scoreEvery = 1 } = setting;
  manualSeed(seed);
  const net = setting.net();
  const criterion = new nn.CrossEntropyLoss();
  const optimizer = new optim.SGD(net.parameters(), { lr, momentum, weightDecay });
  const loader = new data.DataLoader(trainSet, { batchSize, shuffle: true });
  const scheduler = setting.scheduler?.(optimizer, epochs * loader.length);
  const doctor = setting.doctor ? watch(net, optimizer) : null;
  const curve: Moment[] = [];
  let best: { moment: Moment; loss: number } | null = null;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    net.train();
    for (const [inputs, labels] of loader) {
      optimizer.zeroGrad();
      const loss = criterion(net(inputs), labels);
      loss.backward();
      if (clipNorm < Number.POSITIVE_INFINITY) nn.utils.clipGradNorm_(net.parameters(), clipNorm);
      optimizer.step();
      scheduler?.step();
      doctor?.step(loss);
    }
    if (epoch % scoreEvery !== 0 && epoch !== epochs) continue;
    const moment = { epoch, train: score(net, setting.train), test: score(net, setting.test) };
    curve.push(moment);
    const validation = setting.validation === undefined ? moment.test : score(net, setting.validation);
    doctor?.validate(validation);
    if (patience === undefined || setting.validation === undefined) continue;
    if (best === null || validation.loss < best.loss) best = { moment, loss: validation.loss };
    else if (epoch - best.moment.epoch >= patience) break;
  }
  doctor?.stop();
  return { curve, final: best?.moment ?? curve[curve.length - 1], findings: doctor?.findings() ?? [] };
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;

/** A line of the table: a name, and the scores. */
export function line(name: string, { epoch, train, test }: Moment): string {
  const cells = [
    percent(train.accuracy),
    percent(test.accuracy),
    percent(train.accuracy - test.accuracy),
    train.loss.toFixed(3),
    test.loss.toFixed(3),
    String(epoch),
  ];
  return `${name.padEnd(22)}${cells.map((cell) => cell.padStart(13)).join("")}`;
}

export const HEADER = `${"".padEnd(22)}${["training", "test", "gap", "train. loss", "test loss", "epoch"].map((title) => title.padStart(13)).join("")}`;
