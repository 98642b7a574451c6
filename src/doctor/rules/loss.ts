/** Rules about the course of the training loss. */
import type { History } from "../history.js";
import { median } from "../history.js";
import { defineRule, type Symptom } from "./rule.js";

/** An update ratio that works. */
const USUAL = 1e-3;

/** Deviation of the values from `from` to `to` (without it) from their own straight line. */
function deviation(values: readonly number[], from: number, to: number): number {
  const n = to - from;
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i];
  const mean = sum / n;
  const middle = from + (n - 1) / 2;
  let slope = 0;
  let spread = 0;
  for (let i = from; i < to; i++) {
    const t = i - middle;
    slope += t * (values[i] - mean);
    spread += t * t;
  }
  slope /= spread;
  let squares = 0;
  for (let i = from; i < to; i++) squares += (values[i] - mean - slope * (i - middle)) ** 2;
  return Math.sqrt(squares / n);
}

/** That of the losses of steps from + 1 to `to`. */
export const wobble = ({ losses }: History, from: number, to: number): number =>
  deviation(losses, Math.max(0, from), Math.min(to, losses.length));

/** Standard error of the loss that the training began with, a median of five. */
const startError = (history: History): number => wobble(history, 0, 10) / Math.sqrt(5);

/** Whether all losses of the last `count` steps are finite. */
function finite({ losses }: History, count: number): boolean {
  for (let i = Math.max(0, losses.length - count); i < losses.length; i++)
    if (!Number.isFinite(losses[i])) return false;
  return true;
}

/**
 * Plateau: the mean loss of the last `window` steps (more where batches are small) is not `drop` (0.1 %) below that of the window two before, nor is that of the window
 * between, both within `errors` standard errors; and it is still at least `level` of what it was at the start, so has not begun to fall; or outputs [n, 1] are compared with targets [n]. A
 * loss that has fallen and then rests is no plateau, nor is one that has risen to `rising` times its start, or
 * what it was two windows before.
 *
 * Source: Amazon SageMaker Debugger, rule LossNotDecreasing (diff_percent 0.1 %).
 */
export const lossPlateau = defineRule({
  id: "loss-plateau",
  descent: true,
  severity: "warning",
  defaults: { window: 40, drop: 1e-3, level: 0.9, rising: 2, errors: 2 },
  check(history, { window: least, drop, level, rising, errors }) {
    const n = history.step;
    const window = Math.max(least, history.chunk);
    if (n < 3 * window || !finite(history, 3 * window)) return null;
    const now = history.meanLoss(n - window, n);
    const before = history.meanLoss(n - 3 * window, n - 2 * window);
    const middle = history.meanLoss(n - 2 * window, n - window);
    const start = history.startLoss;
    // Batches differ: a fall within two standard errors of the two means would show in one of twenty trainings that do not fall.
    const error =
      Math.hypot(wobble(history, n - window, n), wobble(history, n - 3 * window, n - 2 * window)) / Math.sqrt(window);
    const flat = history.times(1 - drop, before) - errors * error;
    // Compared with every target, the outputs can only learn the targets' mean.
    const [broadcast] = history.incidents.get("broadcast") ?? [];
    if ((now < history.level(level) && broadcast === undefined) || now < flat || middle < flat) return null;
    if (now > history.level(rising) || now > history.times(rising, before)) return null;
    const step = n - 3 * window + 1;
    const evidence = { loss: now, windowBefore: before, startLoss: start, steps: 3 * window, threshold: drop };
    if (broadcast === undefined) return { step, evidence };
    return {
      step,
      evidence: { ...evidence, ...broadcast.evidence },
      why: "Outputs of shape [n, 1] and targets of shape [n] are broadcast to [n, n]: every output is compared with every target, and can only learn the targets' mean.",
      advice: ["give both one shape: outputs.squeeze(1), or targets.unsqueeze(1)"],
    };
  },
  why: "Nothing is being learned: the steps are too small (or so large that they undo each other), no gradient arrives, or the labels have nothing to do with the inputs.",
  advice: [
    "try to learn 16 samples by heart: if that fails, there is a mistake in the model, the loss or the loop",
    "try learning rates ten times as large and ten times as small",
    "check that inputs and labels belong together (shuffled apart?) and that the loss is computed from the outputs",
    "normalise the inputs and use the default initialisation",
  ],
});

/**
 * Diverging: the mean loss of the last `window` steps (more where batches are small, 320 samples at least), and of those before, is above `factor` times that of the best window before and above the start's;
 * or `collapse` times the best one and above half of the start's; or `factor` times the best one and back at 0.9 of the start; or the last losses before a NaN or infinity are above `factor` times the
 * start's.
 *
 * Source: Smith, "Cyclical Learning Rates", WACV 2017 (the range test ends where the loss rises); AutoTrainer, ICSE 2021.
 */
export const diverging = defineRule({
  id: "diverging",
  descent: true,
  severity: "error",
  defaults: { window: 10, factor: 1.5, collapse: 2.5 },
  check(history, { window, factor, collapse }): Symptom | null {
    const whole = history.firstNonFinite - 1;
    if (whole >= 0) {
      // It ends in NaN or infinity: was it on its way there?
      const last = Math.min(3, whole);
      const now = history.meanLoss(whole - last, whole);
      if (last === 0 || !(now > history.level(factor))) return null;
      return {
        step: whole,
        evidence: {
          loss: now,
          startLoss: history.startLoss,
          factor: now / history.startLoss,
          threshold: factor,
          afterwards: String(history.losses[whole]),
        },
      };
    }
    const n = history.step;
    const steps = Math.max(window, history.chunk);
    if (n < 2 * steps) return null;
    const start = history.startLoss;
    const now = history.meanLoss(n - steps, n);
    const best = Math.min(start, history.bestLevel);
    // Batches differ, and those of the start may have been the lucky ones.
    const error = 2 * Math.hypot(wobble(history, n - steps, n) / Math.sqrt(steps), startError(history));
    const risen = (loss: number) => loss - error > history.times(factor, best) && loss - error > history.level(factor);
    const collapsed = (loss: number) =>
      (loss - error > history.times(collapse, best) && loss > history.level(0.5)) ||
      (loss - error > history.times(factor, best) && loss > history.level(0.9));
    // Not a bump: it must last.
    const before = history.meanLoss(n - 2 * steps, n - steps);
    if (!(risen(now) && risen(before)) && !(collapsed(now) && collapsed(before))) return null;
    // A single bad batch is no divergence.
    if (median(history.losses.slice(-steps)) < 0.5 * now) return null;
    return {
      step: n - steps + 1,
      evidence: { loss: now, bestBefore: best, startLoss: start, factor: now / best, threshold: factor },
    };
  },
  why: "The steps are longer than the valley is wide: each ends higher than it began, and the next gradient is larger still.",
  advice: [
    "lower the learning rate by a factor of 3 to 10",
    "clip the gradient's norm: nn.utils.clipGradNorm_(net.parameters(), 1)",
    "warm the rate up over the first few hundred steps",
    "check that zeroGrad() is called in every step, and the sign of the loss",
  ],
});

/** Whether the means of ten steps go up and down by `least`, and by more than the single losses' deviation explains, over four windows. */
function swings(history: History, window: number, least: number): boolean {
  const n = history.step;
  const from = n - 4 * window;
  if (from < 10 || !finite(history, 4 * window)) return false;
  const means = Array.from({ length: (4 * window) / 10 }, (_, i) =>
    history.meanLoss(from + 10 * i, from + 10 * i + 10),
  );
  const spread = deviation(means, 0, means.length);
  const white = median(means.map((_, i) => wobble(history, from + 10 * i, from + 10 * i + 10))) / Math.sqrt(10);
  const [early, late] = [history.meanLoss(from, n - 2 * window), history.meanLoss(n - 2 * window, n)];
  return spread > least && spread > 3 * white && late > history.times(0.9, early);
}

/**
 * Oscillating: in two windows of `window` steps the losses deviate from their own trend by more than `amplitude` of the loss the training
 * began with, the mean does not fall, and it is not the batches that differ: the deviation is above `noise` times what is expected of them, and
 * the steps are long (the median update ratio is above `ratio`, ten times the usual); or it is above four times that, in batches of `samples`
 * samples at least; or the mean, in both windows, rests above the start's by `above`, and two standard errors: worse than at first, and no batch of its own does that. Losses below 0, whose size says nothing, must deviate by three times as much of their fall. A loss of `rising` times its start diverges.
 *
 * Source: AutoTrainer (Zhang et al., ICSE 2021), problem "oscillating loss".
 */
export const oscillating = defineRule({
  id: "oscillating",
  descent: true,
  severity: "warning",
  defaults: { window: 30, amplitude: 0.2, ratio: 1e-2, noise: 1.7, samples: 16, above: 1.1, rising: 10 },
  check(history, { window, amplitude, ratio, noise, samples, above, rising }, found) {
    const n = history.step;
    if (n < 2 * window + 10 || !finite(history, 2 * window)) return null;
    const { scale } = history;
    const now = wobble(history, n - window, n);
    const before = wobble(history, n - 2 * window, n - window);
    const mean = history.meanLoss(n - window, n);
    const meanBefore = history.meanLoss(n - 2 * window, n - window);
    if (mean < history.times(0.8, meanBefore) || mean > history.level(rising)) return null;
    const updates = history.typicalRatio(10);
    const least = (history.negative ? 3 * amplitude : amplitude) * scale;
    const { batch } = history;
    // Squared errors deviate by √2 of their mean, so a batch's mean by that over √batch; where one class is rare, more.
    const expected = history.negative ? wobble(history, 0, 10) : (mean * Math.SQRT2) / Math.sqrt(Math.max(batch, 1));
    const alike = batch >= samples && !found.has("class-imbalance") && !history.negative;
    const long = updates > ratio;
    const quick = Math.min(now, before) > least && now > (long ? noise : 4 * noise) * expected && (long || alike);
    const error = 2 * Math.hypot(Math.max(now, before) / Math.sqrt(window), startError(history));
    const worse = Math.min(mean, meanBefore) - error > history.level(above);
    if (!quick && !(worse && now > Math.max(least, amplitude * mean)) && !(long && swings(history, window, least / 2)))
      return null;
    return {
      step: n - 2 * window + 1,
      evidence: {
        amplitude: now,
        mean,
        startLoss: history.startLoss,
        relative: now / scale,
        threshold: least / scale,
        updateRatio: updates,
      },
    };
  },
  why: "Every step overshoots the valley's floor and lands on the other wall: the learning rate is too large for its steepest direction, or the batches are too small to agree.",
  advice: [
    "lower the learning rate by a factor of 3 to 10, or let a schedule do so",
    "lower the momentum, or clip the gradient's norm",
    "use larger batches",
  ],
});

/**
 * Learning rate too high, by evidence: the loss diverges, oscillates or exceeds `jump` times its start twice within the first 30
 * steps, while the steps change the weights by more than `ratio` of their norm (median), ten times what works (1e-3); or it becomes NaN after a
 * step that replaced a weight; or it rests above half of its start while the steps change the weights by ten times `ratio`, or after first steps
 * that did, by which units are dead or saturated or the loss rose by half; or both of these came of such first steps.
 *
 * Source: Karpathy, CS231n ("if the ratio is higher, the rate is likely too high"); Smith, WACV 2017.
 */
export const learningRateTooHigh = defineRule({
  id: "learning-rate-too-high",
  severity: "error",
  defaults: { ratio: 1e-2, jump: 3 },
  check(history, { ratio, jump }, found) {
    const n = history.step;
    const jumped = !history.game && n <= 60 && jumps(history, jump, 2);
    const risen = (["diverging", "oscillating", "exploding-gradient"] as const).find((id) => found.has(id));
    const typical = Math.max(history.typicalRatio(5), history.typicalRatio(10));
    const largest = history.largestRatio;
    let sign: string | undefined;
    if (risen !== undefined || jumped) {
      if (typical > ratio || largest > 10 * ratio) sign = risen ?? "loss jumped";
    } else if (found.has("non-finite") && largest > 100 * ratio) sign = "non-finite";
    else {
      const broken = found.has("saturated-activation") || found.has("dead-relu");
      const bumped = jumps(history, 1.5, 1);
      const thrown = (broken || bumped) && firstRatio(history) > 10 * ratio;
      const rest = rests(history) && (thrown || history.typicalRatio(10) > 10 * ratio);
      if (rest) sign = "the loss rests";
      else if (thrown && broken && bumped && n >= 10 && !history.game) sign = "the first steps broke units";
    }
    if (sign === undefined) return null;
    return {
      evidence: {
        updateRatio: typical,
        largest,
        threshold: ratio,
        usual: USUAL,
        sign,
        learningRate: history.samples.at(-1)?.lr ?? 0,
      },
    };
  },
  why: "The loss goes up where steps along the gradient should bring it down, and each step changes a large part of the weights: the steps are too long.",
  advice: [
    "lower the learning rate tenfold, then find the largest that works",
    "warm the rate up over the first few hundred steps and let it decay later (optim.lrScheduler)",
    "clip the gradient's norm",
  ],
});

/** Whether at least `times` of the first 30 losses are above `factor` times the start's. */
function jumps(history: History, factor: number, times: number): boolean {
  const { losses } = history;
  const limit = history.jumpLevel(factor);
  let count = 0;
  for (let i = 0; i < Math.min(30, losses.length); i++) if (losses[i] > limit) count++;
  return count >= times;
}

/** Median of the weights' update ratios in the first five steps. */
function firstRatio(history: History): number {
  const ratios: number[] = [];
  for (const { step, parameters } of history.samples) {
    if (step > 5) break;
    for (const p of parameters) {
      if (p.matrix && !history.fromZero.has(p.name) && Number.isFinite(p.updateRatio)) ratios.push(p.updateRatio);
    }
  }
  return median(ratios);
}

/** Whether the loss has not fallen in 60 steps and is above half of its start. */
function rests(history: History): boolean {
  const n = history.step;
  if (history.game || n < 100 || !finite(history, 60)) return false;
  const now = history.meanLoss(n - 30, n);
  return now > history.level(0.5) && now > history.times(0.95, history.meanLoss(n - 60, n - 30));
}

/** What makes a step small beside a weight, or a loss slow to fall, at any rate. */
const OTHER_CAUSES = [
  "vanishing-gradient",
  "frozen-parameter",
  "saturated-activation",
  "poor-initialization",
  "dead-relu",
] as const;

/**
 * Learning rate too low, by evidence: after `steps` steps the loss is still above `level` of its start, the median update ratio is below
 * `ratio`, and the gradient has not shrunk: there is a slope to go down, but the steps are tiny, and always were. Not while a schedule warms up or
 * has decayed the rate, unless it took all but a thousandth of it, or warms up so slowly that the ratio is below a tenth of `ratio` and the rate
 * grows by less than half in five samples.
 *
 * Source: Karpathy, CS231n ("if it is lower, the rate might be too low").
 */
export const learningRateTooLow = defineRule({
  id: "learning-rate-too-low",
  descent: true,
  severity: "warning",
  defaults: { steps: 100, level: 0.8, ratio: 1e-4 },
  check(history, { steps, level, ratio }, found) {
    const n = history.step;
    if (n < steps || !finite(history, 20)) return null;
    const loss = history.meanLoss(n - 20, n);
    const typical = history.typicalRatio(5);
    const recent = history.samples.slice(-5);
    const lr = recent[recent.length - 1]?.lr ?? Number.NaN;
    const starved = lr < 1e-3 * history.largestLr;
    if (!starved && (OTHER_CAUSES.some((id) => found.has(id)) || history.largestRatio > 10 * USUAL)) return null;
    const steady = recent.every((s) => s.lr === lr) && lr >= 0.99 * history.largestLr;
    const creeping = typical < ratio / 10 && lr > recent[0].lr && lr < 1.5 * recent[0].lr;
    const gradient = median(recent.map((s) => s.gradNorm));
    const atStart = history.startGradNorm;
    if (!steady && !starved && !creeping) return null;
    if (!(loss > history.level(starved ? 0.75 * level : level)) || !(typical < ratio)) return null;
    if ((typical === 0 && !starved) || gradient < 0.3 * atStart) return null;
    const evidence = {
      updateRatio: typical,
      threshold: ratio,
      usual: USUAL,
      loss,
      startLoss: history.startLoss,
      gradientNorm: gradient,
      learningRate: lr,
    };
    if (!starved) return { evidence };
    return {
      evidence: { ...evidence, largestRate: history.largestLr },
      why: "The schedule has taken the rate away while there was a slope to go down.",
      advice: [
        "look at how often the schedule is stepped: most are meant to be stepped once an epoch",
        "let the rate fall later, or less far",
      ],
    };
  },
  why: "There is a slope to go down, but the steps are so short that the loss hardly moves.",
  advice: [
    "raise the learning rate tenfold, and again until the loss becomes unsteady",
    "use Adam, or momentum 0.9",
    "train for longer",
  ],
});
