/** Rules about the flow of gradients. */
import { defineRule, type Symptom } from "./rule.js";

/**
 * Vanishing gradient: a layer's mean |g| is below `meanAbs` while the last layer's is a hundred times as large; or the first
 * layer's gradient norm is below `norm` and below `ratio` of the last layer's; in `samples` sampled steps in a row. A net whose
 * loss has gone to 0 has small gradients everywhere, and no problem; one whose weights have shrunk to nothing has another.
 *
 * Sources: mean |g| < 1e-7, Amazon SageMaker Debugger, rule VanishingGradient; first-to-last ratio < 1e-3, AutoTrainer (Zhang et al.,
 * ICSE 2021). Cause and cures: Hochreiter 1991; Glorot & Bengio, AISTATS 2010; He et al., ICCV 2015 and CVPR 2016.
 */
export const vanishingGradient = defineRule({
  id: "vanishing-gradient",
  severity: "error",
  defaults: { meanAbs: 1e-7, ratio: 1e-3, norm: 1e-4, samples: 3 },
  check(history, { meanAbs, ratio, norm, samples }) {
    const recent = history.last(samples);
    if (recent === null) return null;
    const learning = history.meanLoss(history.step - 5, history.step) > history.level(0.05);
    const found = recent.map((sample) => {
      const weights = history.weights(sample);
      const [first, last] = [weights[0], weights[weights.length - 1]];
      if (weights.length < 2 || !weights.every((w) => Number.isFinite(w.gradNorm))) return null;
      // Exactly 0 is a branch that was not taken, or cut off.
      const tiny = weights.find(
        ({ gradMeanAbs: mean }) => mean > 0 && mean < meanAbs && (mean < 0.01 * last.gradMeanAbs || learning),
      );
      const fallen = first.gradNorm > 0 && first.gradNorm < norm && first.gradNorm < ratio * last.gradNorm;
      const weight = tiny ?? (fallen ? first : null);
      // Exactly 0 in every layer is a gradient that is cut off, not one that has vanished on its way.
      return weight === null || last.gradNorm === 0 ? null : { weight, first, last };
    });
    const worst = found[found.length - 1];
    if (worst === null || found.includes(null) || history.weightsCollapsed) return null;
    const { weight, first, last } = worst;
    return {
      layer: weight.layer,
      step: recent[0].step,
      evidence: {
        meanAbsGradient: weight.gradMeanAbs,
        threshold: meanAbs,
        firstLayerNorm: first.gradNorm,
        lastLayerNorm: last.gradNorm,
        firstToLastRatio: first.gradNorm / last.gradNorm,
      },
    };
  },
  why: "Going back through the layers, the gradient is multiplied by each one's slope and weights; where these are below 1, it shrinks exponentially with depth, and the layers near the input hardly learn.",
  advice: [
    "use ReLU (or GELU, SiLU) instead of sigmoid or tanh in hidden layers",
    "put BatchNorm or LayerNorm between the layers",
    "initialise for the activation: nn.init.kaimingNormal_ for ReLU, xavierNormal_ for tanh",
    "add residual connections (x + f(x)), or use fewer layers",
  ],
});

/**
 * Exploding gradient: the first layer's gradient norm is more than `ratio` times the last layer's (and above 1); the total norm
 * has grown to `growth` times that of the first samples (and above 10), or is above `norm` and neither inputs nor initial weights
 * explain it; or the loss has grown to `lossFactor` times its start. The norms must hold in `samples` sampled steps in a row; the loss, once.
 *
 * Sources: ratio > 70 and loss ≥ 1e3 × start, AutoTrainer (Zhang et al., ICSE 2021) and DeepDiagnosis (Wardat et al., ICSE 2022);
 * Pascanu, Mikolov & Bengio, ICML 2013, for growth and the cure.
 */
export const explodingGradient = defineRule({
  id: "exploding-gradient",
  severity: "error",
  defaults: { ratio: 70, growth: 100, norm: 1000, lossFactor: 1e3, samples: 2 },
  check(history, { ratio, growth, norm, lossFactor, samples }, asked) {
    const { startLoss, losses } = history;
    const loss = losses[losses.length - 1];
    if (history.step > 1 && startLoss > 0 && loss >= lossFactor * Math.max(startLoss, 1e-3)) {
      return { evidence: { loss, startLoss, factor: loss / startLoss, threshold: lossFactor } };
    }
    const recent = history.last(samples);
    if (recent === null) return null;
    const early = history.startGradNorm;
    // Large inputs, or large weights, make large gradients, without any growth.
    const explained = asked.has("unnormalized-inputs") || asked.has("poor-initialization");
    const found = recent.map((sample): Symptom | null => {
      // A branch that was not taken has a gradient of 0, and says nothing.
      const weights = history.weights(sample).filter((w) => w.gradNorm !== 0);
      if (weights.length === 0) return null;
      const [first, last] = [weights[0], weights[weights.length - 1]];
      const { gradNorm } = sample;
      if (weights.length > 1 && first.gradNorm > ratio * last.gradNorm && first.gradNorm > 1) {
        return {
          layer: first.layer,
          evidence: { firstLayerNorm: first.gradNorm, lastLayerNorm: last.gradNorm, threshold: ratio },
        };
      }
      if (!(gradNorm <= norm) && !explained)
        return { layer: null, evidence: { gradientNorm: gradNorm, threshold: norm } };
      if (gradNorm > growth * early && gradNorm > 10) {
        return {
          layer: null,
          evidence: { gradientNorm: gradNorm, atStart: early, growth: gradNorm / early, threshold: growth },
        };
      }
      return null;
    });
    const worst = found[found.length - 1];
    if (worst === null || found.includes(null)) return null;
    // NaN alone is no explosion; NaN after a norm that was too large is one.
    if (recent.every(({ gradNorm }) => !Number.isFinite(gradNorm))) return null;
    return { ...worst, step: recent[0].step };
  },
  why: "Going back through the layers (or through the steps of a recurrent net), the gradient is multiplied by each one's weights; where these are above 1, it grows exponentially, and a single step throws the weights far away.",
  advice: [
    "clip: nn.utils.clipGradNorm_(net.parameters(), 1) between backward() and step()",
    "lower the learning rate, or warm it up over the first steps",
    "initialise smaller (nn.init.kaimingNormal_, xavierNormal_; orthogonal_ for recurrent weights)",
    "normalise inputs and targets to mean 0 and deviation 1, and put BatchNorm or LayerNorm between the layers",
  ],
});

/**
 * NaN or Inf in the loss, an activation, a gradient or a weight, with the op and the layer where it appeared first: the first op of
 * the step, in the order of execution, whose result is not finite; if all are finite, the last layer whose gradient is not.
 *
 * Source: Amazon SageMaker Debugger, rules ExplodingTensor and AllZero; PyTorch, torch.autograd.detect_anomaly.
 */
export const nonFinite = defineRule({
  id: "non-finite",
  severity: "error",
  defaults: {},
  check(history) {
    const [first] = history.incidents.get("non-finite") ?? [];
    return first ?? null;
  },
  why: "Overflow (an exponential, a square, weights that have exploded), the logarithm or reciprocal of 0, or 0/0. Everything computed from a NaN is NaN, so after one more step all weights are lost.",
  advice: [
    "look at the op named here: add a small eps inside log, sqrt and divisions; use the losses that take logits (crossEntropy, binaryCrossEntropyWithLogits)",
    "lower the learning rate and clip the gradient's norm (nn.utils.clipGradNorm_)",
    "check the data for NaN and infinities: isfinite(x).all()",
    "go back to a checkpoint from before: these weights cannot be repaired",
  ],
});

/**
 * No gradient: a parameter that is to be learned (requiresGrad, in the optimizer) has had no gradient in any of the sampled steps,
 * `samples` at least; or a weight one that was 0 throughout in all of them, `zeros` at least, which no dead or saturated unit explains.
 *
 * Source: PyTorch, DistributedDataParallel's find_unused_parameters; Karpathy, "A Recipe for Training Neural Networks", 2019.
 */
export const noGradient = defineRule({
  id: "no-gradient",
  severity: "error",
  defaults: { samples: 5, zeros: 7 },
  check(history, { samples, zeros }, found) {
    const recent = history.last(samples);
    if (recent === null || history.updates === 0) return null;
    const last = recent[recent.length - 1];
    const explained =
      (["dead-relu", "saturated-activation", "vanishing-gradient"] as const).some((id) => found.has(id)) ||
      last.activations.some((a) => a.zeros > 0.99);
    const cut = history.samples.length >= zeros && !explained;
    const never = last.parameters.filter(
      (p) => (p.gradNorm === null || (cut && p.matrix && p.gradNorm === 0)) && !history.received.has(p.name),
    );
    return never.slice(0, 10).map(({ name }) => ({
      layer: name,
      step: history.samples[0].step,
      evidence: { parameter: name, sampledSteps: history.samples.length, withoutGradient: never.length },
    }));
  },
  why: "The loss does not depend on this parameter: its layer is not called in forward, its result is not used in the loss, or goes through detach(), noGrad() or an op without gradient (argmax, round, a conversion to numbers).",
  advice: [
    "call the layer in forward and use its result",
    "remove detach(), noGrad() and item() between the layer and the loss",
    "if it is meant to be frozen, say so: parameter.requiresGrad = false",
  ],
});

/**
 * Missing zeroGrad: backward() has added to a gradient that the optimizer had already used, `times` times.
 *
 * Source: Karpathy, "most common neural net mistakes", 2018: "you forgot to .zero_grad() before .backward()".
 */
export const missingZeroGrad = defineRule({
  id: "missing-zero-grad",
  severity: "error",
  defaults: { times: 2 },
  check(history, { times }) {
    const seen = history.incidents.get("zero-grad") ?? [];
    if (seen.length < times) return null;
    return { step: seen[0].step, evidence: { ...seen[0].evidence, times: seen.length } };
  },
  why: "backward() adds to the gradients that are there. Without zeroGrad() each step uses the sum of all gradients so far: directions long out of date, and a step that grows and grows.",
  advice: [
    "call optimizer.zeroGrad() in every iteration, before backward()",
    "to sum the gradients of several batches on purpose, call zeroGrad() after each optimizer.step()",
  ],
});
