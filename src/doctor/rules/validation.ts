/** Rules about training against validation. */
import { mean, type Validation } from "../history.js";
import type { RuleId } from "../types.js";
import { defineRule, type Symptom } from "./rule.js";

/**
 * Overfitting: the best validation loss is `patience` validations old or older, those since are all worse, the training loss has fallen
 * since; and the gap, (validation − training) / validation, is above `gap`. What counts as worse: more than `rise` above the best; or
 * more than `creep` above it, where the gap is `chasm` or more and the validation loss itself is still above `level` of the loss the training
 * began with (a net that is right nearly always loses a little by being ever surer, which is no harm).
 *
 * Source: Amazon SageMaker Debugger, rule Overfit (ratio_threshold 0.1); Goodfellow, Bengio & Courville, "Deep Learning", 5.2.
 */
export const overfitting = defineRule({
  id: "overfitting",
  descent: true,
  severity: "warning",
  defaults: { gap: 0.1, rise: 0.25, patience: 3, creep: 0.05, chasm: 0.5, level: 0.25 },
  check(history, { gap, rise, patience, creep, chasm, level }) {
    const { validations } = history;
    if (validations.length < patience + 1) return null;
    const best = validations.reduce((b, v, i) => (v.loss < validations[b].loss ? i : b), 0);
    const last = validations[validations.length - 1];
    const since = validations.length - 1 - best;
    const found = (last.loss - last.trainLoss) / (history.negative ? history.scale : last.loss);
    const { loss: bestLoss, trainLoss: trainThen } = validations[best];
    const worse = (by: number) =>
      last.loss > history.times(1 + by, bestLoss) &&
      validations.slice(-patience).every((v) => v.loss > history.times(1 + by / 2, bestLoss));
    const crept = found > chasm && last.loss > history.level(level) && worse(creep);
    if (since < patience || !(worse(rise) || crept)) return null;
    // A training loss above the best validation loss is that of a training that has come loose.
    if (!(last.trainLoss < trainThen && last.trainLoss < bestLoss) || !(found > gap)) return null;
    return {
      step: validations[best].step,
      evidence: {
        validationLoss: last.loss,
        best: bestLoss,
        trainingLoss: last.trainLoss,
        gap: found,
        threshold: gap,
        validationsSinceBest: since,
      },
    };
  },
  why: "The net learns the training samples themselves, noise included, rather than what they have in common: it has more capacity than the data can bind.",
  advice: [
    "stop at the best validation and go back to its weights (early stopping)",
    "more data, or augmentation (transforms.RandomCrop, RandomHorizontalFlip …)",
    "weight decay (optim.AdamW, weightDecay 1e-2; SGD, 5e-4)",
    "dropout (nn.Dropout(0.5) before the last layers), or a smaller net",
  ],
});

/** What holds a net back that could learn more. */
const OTHER_CAUSES = [
  ...(["vanishing-gradient", "exploding-gradient", "non-finite", "dead-relu"] as const),
  ...(["poor-initialization", "frozen-parameter", "no-gradient", "missing-zero-grad", "labels-out-of-range"] as const),
  ...(["softmax-before-cross-entropy", "learning-rate-too-high", "learning-rate-too-low"] as const),
  ...(["diverging", "update-ratio", "clipping-always"] as const),
] as const;

/**
 * Underfitting: over the last `validations` validations (or more, `span` steps at least) training and validation loss are both flat (the mean of the later half less than
 * `drop` below that of the earlier), both above `level` of the loss the training began with, and close together (gap below `gap`),
 * accuracy below `accuracy` where it is given (where the weights have shrunk to a tenth, the accuracy of a guess will do); where it is not, nobody knows how low the loss can be, and `unknown` takes the place of `level`, or, of squared errors, `explained` of the targets' variance. It has learned something, and then no more: the model is too weak for its task. Or, with
 * validation or without: a handful of samples that comes again and again (`samples` at most) is not learned by heart; the loss is
 * flat for `steps` steps and above `level` of its start.
 *
 * Source: Goodfellow, Bengio & Courville, "Deep Learning", 5.2; Karpathy, "A Recipe for Training Neural Networks", 2019 (overfit a
 * few samples first).
 */
export const underfitting = defineRule({
  id: "underfitting",
  descent: true,
  severity: "warning",
  defaults: {
    level: 0.4,
    unknown: 0.7,
    explained: 0.8,
    drop: 0.04,
    gap: 0.2,
    validations: 4,
    accuracy: 0.75,
    span: 150,
    samples: 32,
    steps: 200,
  },
  check(history, options, found): Symptom | null {
    const { level, unknown, explained, drop, gap, validations: least, accuracy, span, samples, steps } = options;
    // Beside weights that have all but gone any step is long, and no gradient gets through them.
    const follows = (id: RuleId) => (id === "update-ratio" || id === "vanishing-gradient") && history.weightsCollapsed;
    if (OTHER_CAUSES.some((id) => found.has(id) && !follows(id))) return null;
    const flat = (then: number, now: number) => now > history.times(1 - drop, then);
    const { few, step, validations } = history;
    const told = few !== null || !Number.isNaN(validations.at(-1)?.accuracy ?? Number.NaN);
    const threshold = history.level(told ? level : unknown);
    // A penalty on the weights is part of the loss; when it has taken them, the loss is low and the answers are guesses.
    const guesses = () => {
      const classes = history.classes.filter((count) => count > 0).length;
      return (validations.at(-1)?.accuracy ?? 1) < 1.5 / classes && history.weightsCollapsed;
    };
    // Squared errors near the targets' variance are those of a constant answer.
    const high = (loss: number) => loss > threshold || loss > explained * history.targetVariance || guesses();
    if (few !== null && few <= samples && step >= 2 * steps) {
      const [then, now] = [history.meanLoss(step - steps, step - steps / 2), history.meanLoss(step - steps / 2, step)];
      if (flat(then, now) && high(now)) {
        return {
          step: step - steps,
          evidence: { samples: few, loss: now, startLoss: history.startLoss, threshold },
          why: "So few samples any net that is large enough learns by heart, and the loss goes to 0. This one's does not: it cannot represent them, the loss is computed from something else, or equal inputs have different targets.",
        };
      }
    }
    // Few steps say little, however many validations there were between them.
    const since = validations.findLastIndex((v) => v.step <= step - span);
    const recent = validations.slice(Math.min(since, validations.length - least));
    const count = recent.length;
    if (since < 0 || count < least) return null;
    const [first, last] = [recent[0], recent[count - 1]];
    const halves = (of: (v: Validation) => number): [number, number] => [
      mean(recent.slice(0, count >> 1).map(of)),
      mean(recent.slice(count >> 1).map(of)),
    ];
    if (!flat(...halves((v) => v.loss)) || !flat(...halves((v) => v.trainLoss))) return null;
    if (!high(last.loss) || !high(last.trainLoss) || last.accuracy > accuracy) return null;
    if ((last.loss - last.trainLoss) / (history.negative ? history.scale : last.loss) > gap) return null;
    return {
      step: first.step,
      evidence: {
        trainingLoss: last.trainLoss,
        validationLoss: last.loss,
        startLoss: history.startLoss,
        threshold,
        accuracy: Number.isNaN(last.accuracy) ? "not given" : last.accuracy,
      },
      ...(history.weightsCollapsed && {
        why: "The weights have shrunk to a small part of what they were: the penalty on them (weight decay, L1, L2) outweighs what the data say.",
        advice: [
          "lower the weight decay, or the factor of the penalty, tenfold",
          "take biases and norms' gains out of it",
        ],
      }),
    };
  },
  why: "Training and validation loss rest at the same high level: the model cannot represent what is to be learned, or is held back from it.",
  advice: [
    "more capacity: wider or more layers, or a model that suits the data (convolutions for images)",
    "less regularisation: lower weight decay and dropout",
    "a larger learning rate, or a better optimizer (Adam, momentum 0.9)",
    "try to learn 16 samples by heart: if that fails too, look for a mistake in the model or the loss",
  ],
});

/**
 * Overtraining: the best validation loss is `patience` validations old (an improvement below `delta` counts as none), and yet the
 * training goes on, with a training loss below half of its start.
 *
 * Source: Amazon SageMaker Debugger, rule Overtraining (patience_validation 10, delta 1 %); Prechelt, "Early Stopping — But When?",
 * 1998.
 */
export const overtraining = defineRule({
  id: "overtraining",
  descent: true,
  severity: "info",
  defaults: { patience: 10, delta: 0.01 },
  check(history, { patience, delta }) {
    const { validations } = history;
    let best = 0;
    for (let i = 1; i < validations.length; i++)
      if (validations[i].loss < history.times(1 - delta, validations[best].loss)) best = i;
    const since = validations.length - 1 - best;
    const last = validations[validations.length - 1];
    if (since < patience || !(last.trainLoss < history.level(0.5))) return null;
    return {
      step: validations[best].step,
      evidence: { best: validations[best].loss, now: last.loss, validationsSinceBest: since, threshold: patience },
    };
  },
  why: "The validation loss has long stopped improving: further steps cost time and, at best, change nothing.",
  advice: [
    "stop early: keep the weights of the best validation, and end after so many without improvement",
    "lower the learning rate when the validation loss rests (optim.lrScheduler.ReduceLROnPlateau)",
  ],
});

/**
 * Mode at validation: layers that behave differently in training (BatchNorm, Dropout) were in training mode in the pass before validate();
 * or the net stayed in evaluation mode for the training steps after one. Seen `times` times.
 *
 * Source: Karpathy, "most common neural net mistakes", 2018: "you forgot to toggle train/eval mode for the net".
 */
export const modeAtValidation = defineRule({
  id: "mode-at-validation",
  severity: "error",
  defaults: { times: 1 },
  check(history, { times }) {
    const seen = history.incidents.get("mode") ?? [];
    return seen.length < times ? null : seen[0];
  },
  why: "In training mode BatchNorm normalises with the batch's own statistics (and moves its running ones by the validation data), and Dropout drops: the metrics are not those of the net that will be used. In evaluation mode neither does its work in training.",
  advice: [
    "net.eval() before the validation pass, net.train() before the next training step",
    "run the validation under noGrad(() => …), which saves its memory as well",
  ],
});
