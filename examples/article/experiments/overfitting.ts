/**
 * Overfitting: a network with hundreds of thousands of weights learns a few hundred pictures of clothes by heart; then the same one with one
 * cure each.
 *
 * Srivastava et al., "Dropout", JMLR 2014; Krogh & Hertz, "A simple weight decay can improve generalization", NeurIPS 1991; Prechelt, "Early
 * stopping — but when?", 1998; Goodfellow, Bengio & Courville, "Deep Learning", chapter 7.
 */
import { data, F, manualSeed, nn, randperm, type Tensor, transforms } from "lanegrad";
import type { Finding } from "lanegrad/doctor";
import { allOf, learn, type Outcome, type Setting } from "../../support/experiment.js";
import { fashionMnistFiles, normalizeFashion } from "../../support/fashion-mnist.js";
import { above, all, below } from "../claims.js";

// #region net
/** Two hidden layers, dropout after each: [N, 1, 28, 28] → [N, 10]. */
class Net extends nn.Module {
  fc1 = new nn.Linear(28 * 28, 256);
  fc2 = new nn.Linear(256, 128);
  fc3 = new nn.Linear(128, 10);
  dropout: nn.Dropout;

  constructor(p = 0) {
    super();
    this.dropout = new nn.Dropout(p);
  }

  forward(x: Tensor): Tensor {
    x = this.dropout(F.relu(this.fc1(x.flatten(1))));
    x = this.dropout(F.relu(this.fc2(x)));
    return this.fc3(x);
  }
}
// #endregion

export const WEIGHTS = [...new Net().parameters()].reduce((n: number, p: Tensor) => n + p.numel(), 0);
/** How many times as many images "more data" has. */
export const MORE = 10;

export const SIZES = {
  full: { images: 500, tests: 2000, validations: 500, epochs: 80, scoreEvery: 2, patience: 8 },
  quick: { images: 300, tests: 400, validations: 200, epochs: 50, scoreEvery: 5, patience: 10 },
};

export const CURES = [
  "nothing",
  "augmentation",
  "weightDecay",
  "dropout",
  "earlyStopping",
  "moreData",
  "together",
] as const;
export type Cure = (typeof CURES)[number];
export type Overfitting = Record<Cure, Outcome>;

export function overfitting(
  size: keyof typeof SIZES,
  seed: number,
  onRun: (cure: Cure) => void = () => {},
): Overfitting {
  const { images, tests, validations, epochs, scoreEvery, patience } = SIZES[size];
  const files = fashionMnistFiles();
  const clothes = new data.FashionMNIST(files.train, { transform: normalizeFashion() });
  const others = new data.FashionMNIST(files.test, { transform: normalizeFashion() });

  // The package has its images sorted by class.
  manualSeed(seed);
  const order = [...randperm(clothes.length).toTypedArray()];
  const few = order.slice(0, images);
  const test = allOf(new data.Subset(others, [...randperm(others.length).toTypedArray()].slice(0, tests)));
  const plain = new data.Subset(clothes, few);

  // #region cures
  const augment = normalizeFashion(
    new transforms.RandomHorizontalFlip(),
    new transforms.RandomCrop(28, { padding: 2 }),
  );
  const moved = new data.FashionMNIST(files.train, { transform: augment });
  const augmented = new data.Subset(moved, few);
  const many = new data.Subset(clothes, order.slice(0, MORE * images));
  const cures: Record<Cure, Partial<Setting>> = {
    nothing: {},
    augmentation: { trainSet: augmented },
    weightDecay: { weightDecay: 0.01 },
    dropout: { net: () => new Net(0.5) },
    earlyStopping: { patience },
    // As many steps as the others have.
    moreData: {
      trainSet: many,
      train: allOf(many),
      epochs: epochs / MORE,
      scoreEvery: 1,
    },
    together: {
      trainSet: augmented,
      weightDecay: 0.003,
      net: () => new Net(0.2),
      patience,
    },
  };
  // #endregion

  const common: Setting = {
    net: () => new Net(),
    trainSet: plain,
    train: allOf(plain),
    validation: allOf(new data.Subset(clothes, order.slice(-validations))),
    test,
    epochs,
    scoreEvery,
    lr: 0.02,
    clipNorm: Number.POSITIVE_INFINITY,
    doctor: true,
    seed,
  };
  const outcomes = CURES.map((cure) => {
    onRun(cure);
    return [cure, learn({ ...common, ...cures[cure] })];
  });
  return Object.fromEntries(outcomes) as Overfitting;
}

/** How much better it does on what it has learned from. */
export const gap = ({ final: { train, test } }: Outcome): number => train.accuracy - test.accuracy;

export const lowestTestLoss = ({ curve }: Outcome): number => Math.min(...curve.map(({ test }) => test.loss));

export const diagnosed = ({ findings }: Outcome, rule: Finding["rule"]): boolean =>
  findings.some((finding) => finding.rule === rule);

export function claims(outcomes: Overfitting) {
  const { nothing, augmentation, weightDecay, dropout, earlyStopping, moreData, together } = outcomes;
  const loss = ({ final }: Outcome) => final.test.loss;
  return [
    above("learnedByHeart", nothing.final.train.accuracy, 0.98),
    above("gap", gap(nothing), 0.12),
    above("testLossRises", loss(nothing) / lowestTestLoss(nothing), 1.25),
    below("augmentation", gap(augmentation), 0.9 * gap(nothing)),
    below("augmentationLoss", loss(augmentation), 0.9 * loss(nothing)),
    below("weightDecay", loss(weightDecay), 0.9 * loss(nothing)),
    below("dropout", loss(dropout), 0.9 * loss(nothing)),
    below("earlyStopping", loss(earlyStopping), 0.85 * loss(nothing)),
    below("moreData", gap(moreData), 0.65 * gap(nothing)),
    below("moreDataLoss", loss(moreData), 0.7 * loss(nothing)),
    below("together", gap(together), 0.75 * gap(nothing)),
    all("doctor", [diagnosed(nothing, "overfitting"), !diagnosed(moreData, "overfitting")]),
  ] as const;
}
