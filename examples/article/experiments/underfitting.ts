/**
 * Underfitting: networks too narrow for their task, and networks that are trained with steps too short or too long, do not even get the pictures
 * right that they learn from. Width, the learning rate and its schedule cure it.
 *
 * Goodfellow, Bengio & Courville, "Deep Learning", 5.2; Loshchilov & Hutter, "SGDR", ICLR 2017 (cosine); Smith & Topin, "Super-convergence",
 * 2018 (one cycle).
 */
import { data, manualSeed, optim, randperm } from "lanegrad";
import type { Finding } from "lanegrad/doctor";
import { MLP } from "../../models.js";
import { allOf, learn, type Outcome, range, type Setting } from "../../support/experiment.js";
import { fashionMnistFiles, normalizeFashion } from "../../support/fashion-mnist.js";
import { above, all, below } from "../claims.js";

const { CosineAnnealingLR, OneCycleLR } = optim.lrScheduler;

/** Of the wide network, and the rate that suits it. */
export const WIDTH = 128;
export const RATE = 0.01;
/** The rate that the schedules begin with, or rise to. */
export const TOP_RATE = 0.1;

export const SIZES = {
  full: {
    images: 5000,
    tests: 2000,
    epochs: 12,
    batchSize: 64,
    widths: [2, 4, 8, 16, 32, 64, WIDTH],
    rates: [1e-5, 1e-4, 1e-3, RATE, TOP_RATE, 1],
  },
  quick: { images: 2000, tests: 500, epochs: 15, batchSize: 64, widths: [2, WIDTH], rates: [1e-5, RATE, TOP_RATE, 1] },
};

export const SCHEDULES = {
  constant: undefined,
  cosine: (optimizer, steps) => new CosineAnnealingLR(optimizer, { tMax: steps }),
  oneCycle: (optimizer, steps) => new OneCycleLR(optimizer, { maxLr: TOP_RATE, totalSteps: steps }),
} satisfies Record<string, Setting["scheduler"]>;
export type Schedule = keyof typeof SCHEDULES;

export interface Underfitting {
  /** At RATE, from narrow to wide. */
  byWidth: { width: number; outcome: Outcome }[];
  /** Of the wide network, from slow to fast. */
  byRate: { lr: number; outcome: Outcome }[];
  /** Of the wide network with TOP_RATE. */
  bySchedule: Record<Schedule, Outcome>;
}

export function underfitting(
  size: keyof typeof SIZES,
  seed: number,
  onRun: (name: string) => void = () => {},
): Underfitting {
  const { images, tests, epochs, batchSize, widths, rates } = SIZES[size];
  const files = fashionMnistFiles();
  const clothes = new data.FashionMNIST(files.train, { transform: normalizeFashion() });
  const others = new data.FashionMNIST(files.test, { transform: normalizeFashion() });
  manualSeed(seed);
  const trainSet = new data.Subset(clothes, [...randperm(clothes.length).toTypedArray()].slice(0, images));
  const test = allOf(new data.Subset(others, [...randperm(others.length).toTypedArray()].slice(0, tests)));
  const train = allOf(trainSet);

  const common = { trainSet, train, test, epochs, batchSize, clipNorm: Number.POSITIVE_INFINITY, doctor: true, seed };
  const run = (name: string, width: number, lr: number, scheduler?: Setting["scheduler"]): Outcome => {
    onRun(name);
    return learn({ ...common, net: () => new MLP(width), lr, scheduler });
  };
  // #region run
  const byWidth = widths.map((width) => ({
    width,
    outcome: run(`width ${width}`, width, RATE),
  }));
  const byRate = rates.map((lr) => ({ lr, outcome: run(`rate ${lr}`, WIDTH, lr) }));
  const bySchedule = {
    constant: at(byRate, TOP_RATE),
    cosine: run("cosine", WIDTH, TOP_RATE, SCHEDULES.cosine),
    oneCycle: run("one cycle", WIDTH, TOP_RATE, SCHEDULES.oneCycle),
  };
  // #endregion
  return { byWidth, byRate, bySchedule };
}

export const at = (byRate: Underfitting["byRate"], rate: number): Outcome =>
  (byRate.find(({ lr }) => lr === rate) as Underfitting["byRate"][number]).outcome;

export const runsOf = (size: keyof typeof SIZES): number => SIZES[size].widths.length + SIZES[size].rates.length + 2;

/** The learning rate of each step under a schedule. */
export function ratesOf(schedule: Schedule, steps: number): number[] {
  const optimizer = new optim.SGD(new MLP(2).parameters(), { lr: TOP_RATE });
  const scheduler = schedule === "constant" ? null : SCHEDULES[schedule](optimizer, steps);
  return range(0, steps).map(() => {
    const { lr } = optimizer.paramGroups[0];
    optimizer.step();
    scheduler?.step();
    return lr;
  });
}

const diagnosed = ({ findings }: Outcome, ...rules: Finding["rule"][]): boolean =>
  findings.some(({ rule }) => rules.includes(rule));

export function claims({ byWidth, byRate, bySchedule }: Underfitting) {
  const narrow = byWidth[0].outcome;
  const wide = byWidth[byWidth.length - 1].outcome;
  const [slow, good, fast] = [byRate[0].outcome, at(byRate, RATE), byRate[byRate.length - 1].outcome];
  const { constant, cosine, oneCycle } = bySchedule;
  const bestConstant = Math.min(...byRate.map(({ outcome }) => outcome.final.train.loss).filter(Number.isFinite));
  const trained = ({ final }: Outcome) => final.train.accuracy;
  return [
    below("narrow", trained(narrow), trained(wide) - 0.2),
    below("narrowAlike", Math.abs(trained(narrow) - narrow.final.test.accuracy), 0.08),
    above("capacity", wide.final.test.accuracy, narrow.final.test.accuracy + 0.15),
    above("tooSlow", slow.final.train.loss, 3 * good.final.train.loss),
    below("tooFast", trained(fast), trained(good) - 0.3),
    below("cosine", cosine.final.train.loss, 0.9 * constant.final.train.loss),
    below("oneCycle", oneCycle.final.train.loss, 0.9 * constant.final.train.loss),
    below("beatsConstants", Math.min(cosine.final.train.loss, oneCycle.final.train.loss), 0.9 * bestConstant),
    all("doctor", [
      // So narrow a network may die altogether: its loss then never falls, and that is what is found.
      diagnosed(narrow, "underfitting", "loss-plateau"),
      diagnosed(slow, "learning-rate-too-low"),
      diagnosed(fast, "learning-rate-too-high"),
      !diagnosed(wide, "underfitting", "learning-rate-too-low", "learning-rate-too-high"),
    ]),
  ] as const;
}
