/** Rules about data, losses and clipping. */
import { median } from "../history.js";
import { defineRule } from "./rule.js";

/**
 * Unnormalised inputs: over the sampled steps the inputs' mean is beyond ±`mean` (by three standard errors), or values lie beyond
 * ±`range`, or their deviation is below 1/`deviation` or above `deviation`.
 *
 * Source: Amazon SageMaker Debugger, rule NotNormalizedData (threshold_mean 0.2); LeCun et al., "Efficient BackProp", 1998.
 */
export const unnormalizedInputs = defineRule({
  id: "unnormalized-inputs",
  severity: "warning",
  defaults: { mean: 0.2, range: 20, deviation: 10, samples: 2 },
  check(history, { mean: limit, range, deviation: factor, samples }) {
    const { rows, size, sum, squares, min, max } = history.inputs;
    if (history.samples.length < samples || size === 0) return null;
    const mean = sum / size;
    const deviation = Math.sqrt(Math.max(0, squares / size - mean * mean));
    const error = deviation / Math.sqrt(rows);
    const off = Math.abs(mean) > limit + 3 * error;
    const wide = Math.max(-min, max) > range || deviation > factor || deviation < 1 / factor;
    if (!off && !wide) return null;
    return { step: 1, evidence: { mean, deviation, min, max, thresholdMean: limit, thresholdRange: range } };
  },
  why: "Inputs far from mean 0 and deviation 1 make the gradients of a unit's weights point the same way and the loss's valley long and narrow: small rates crawl, large ones diverge, and units die or saturate at the start.",
  advice: [
    "images: transforms.ToTensor(), then transforms.Normalize(mean, std) with the training set's own mean and deviation",
    "tables: subtract each column's mean and divide by its deviation (of the training set)",
    "or begin the net with a BatchNorm layer",
  ],
});

/**
 * Class imbalance: among the targets seen (at least `samples`, and 20 for each class) the commonest class comes more than `ratio` times
 * as often as the rarest. Not where the loss is given weights for its classes, where the classes are the symbols that an embedding reads, or
 * nearly as many (a language has its own frequencies), nor where a handful of samples is learned by heart.
 *
 * Source: Amazon SageMaker Debugger, rule ClassImbalance (threshold_imbalance 10, samples 500).
 */
export const classImbalance = defineRule({
  id: "class-imbalance",
  severity: "warning",
  defaults: { ratio: 10, samples: 500, classes: 200 },
  check(history, { ratio, samples, classes: most }) {
    const { classes, weighted, vocabularies, few } = history;
    const symbols = [...vocabularies].some((size) => Math.abs(size - classes.length) <= Math.max(1, 0.1 * size));
    if (weighted || symbols || few !== null) return null;
    const total = classes.reduce((a, b) => a + b, 0);
    if (classes.length < 2 || classes.length > most || total < Math.max(samples, 20 * classes.length)) return null;
    const commonest = classes.indexOf(Math.max(...classes));
    const rarest = classes.indexOf(Math.min(...classes));
    if (!(classes[commonest] > ratio * classes[rarest])) return null;
    return {
      evidence: {
        commonest,
        rarest,
        countCommonest: classes[commonest],
        countRarest: classes[rarest],
        ratio: classes[commonest] / classes[rarest],
        threshold: ratio,
      },
    };
  },
  why: "The loss is a mean over samples, so the common classes decide it: a net that never names the rare ones looks good.",
  advice: [
    "shuffle the data, if they come sorted by class (DataLoader, shuffle: true)",
    "weight the classes: F.crossEntropy(outputs, labels, { weight }), with weights of 1/frequency; posWeight for the binary loss",
    "draw the rare classes more often",
    "judge by accuracy a class, not by overall accuracy",
  ],
});

/**
 * Softmax before cross entropy: the scores given to F.crossEntropy, or to binaryCrossEntropyWithLogits, come from softmax or sigmoid (or
 * their rows sum to 1); nllLoss was given probabilities and not their logarithms.
 *
 * Source: Karpathy, "most common neural net mistakes", 2018: "you passed softmaxed outputs to a loss that expects raw logits".
 */
export const softmaxBeforeCrossEntropy = defineRule({
  id: "softmax-before-cross-entropy",
  severity: "error",
  defaults: { times: 2 },
  check(history, { times }) {
    const seen = history.incidents.get("softmax") ?? [];
    return seen.length < times ? null : { step: seen[0].step, evidence: { ...seen[0].evidence, times: seen.length } };
  },
  why: "The loss does the softmax itself. Done twice, the scores lie between 0 and 1, so even a sure and right answer has a high loss, and the gradients are small: it learns slowly and never becomes sure.",
  advice: [
    "remove the softmax (or sigmoid) from the net's end: give the loss raw scores",
    "for nllLoss use logSoftmax, not softmax",
    "apply softmax only where probabilities are shown",
  ],
});

/**
 * Labels out of range: a loss refused a class that the scores have no column for, or a binary loss was given targets outside 0 to 1.
 *
 * Source: DeepLocalize (Wardat et al., ICSE 2021); PyTorch's own check on the GPU, "device-side assert", is the classic riddle.
 */
export const labelsOutOfRange = defineRule({
  id: "labels-out-of-range",
  severity: "error",
  defaults: { times: 1 },
  check(history, { times }) {
    const seen = history.incidents.get("labels") ?? [];
    return seen.length < times ? null : { step: seen[0].step, evidence: { ...seen[0].evidence, times: seen.length } };
  },
  why: "Classes count from 0, and C classes need C scores; a binary loss takes targets from 0 to 1. Other targets have no meaning: the loss is refused, or is computed and misleads (a binary cross entropy can then fall below 0 without end).",
  advice: [
    "count classes from 0: labels.sub(1) where they begin with 1",
    "give the last layer one output for each class",
    "binary targets: 0 and 1, not −1 and 1",
  ],
});

/**
 * Clipping always: clipGradNorm_ has scaled the gradient in more than `share` of the last `steps` steps, and the median norm is above
 * `excess` times the limit; or above `gross` times it in `window` steps already. The norm decides nothing any more, only the limit does.
 * (That the first steps are clipped is what clipping is for.)
 *
 * Source: Pascanu, Mikolov & Bengio, ICML 2013 (limits from half to ten times the average norm work); Zhang et al., "Why Gradient Clipping
 * Accelerates Training", ICLR 2020.
 */
export const clippingAlways = defineRule({
  id: "clipping-always",
  severity: "info",
  defaults: { window: 100, share: 0.98, excess: 2, steps: 500, gross: 20 },
  check({ clips }, { window, share, excess, steps, gross }) {
    const always = (count: number, factor: number) => {
      const recent = clips.slice(-count);
      if (recent.length < count) return null;
      let active = 0;
      for (const { norm, limit } of recent) if (!(norm <= limit)) active += 1 / count;
      if (active < share) return null;
      const { limit } = recent[count - 1];
      const medianNorm = median(recent.map(({ norm }) => norm));
      if (medianNorm <= factor * limit) return null;
      return { step: recent[0].step, evidence: { active, threshold: share, medianNorm, limit } };
    };
    return always(window, gross) ?? always(steps, excess);
  },
  why: "Every step has the same length, whatever the gradient says: near the minimum the steps do not become shorter, and the learning rate no longer means what it seems to.",
  advice: [
    "raise the limit to about the median norm given here, and lower the learning rate in proportion",
    "find out why the gradients are so large: inputs and targets not normalised, initialisation, a loss that is summed and not averaged",
  ],
});

/**
 * Clipping never: in at least `window` steps clipGradNorm_ has not scaled the gradient in more than `share` of them, and the largest
 * norm stayed below `margin` of the limit.
 *
 * Source: Pascanu, Mikolov & Bengio, ICML 2013.
 */
export const clippingNever = defineRule({
  id: "clipping-never",
  severity: "info",
  defaults: { window: 100, share: 0.01, margin: 0.2 },
  check({ clips }, { window, share, margin }) {
    if (clips.length < window) return null;
    const { limit } = clips[clips.length - 1];
    let active = 0;
    let largest = 0;
    // From the last one: most often that alone tells.
    for (let i = clips.length - 1; i >= 0; i--) {
      const clip = clips[i];
      if (clip.norm > margin * limit) return null;
      largest = Math.max(largest, clip.norm);
      if (clip.norm > clip.limit) active += 1 / clips.length;
    }
    if (active > share) return null;
    return { step: clips[0].step, evidence: { active, largestNorm: largest, limit, threshold: share } };
  },
  why: "The limit lies far above every norm seen: it protects from nothing but the worst.",
  advice: ["lower the limit to a few times the usual norm", "or leave the clipping out, if the training is steady"],
});
