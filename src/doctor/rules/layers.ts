/** Rules about activations, initialisation and updates. */
import { isTiny, median, type ParameterSample, parameterIn } from "../history.js";
import { defineRule, type Symptom } from "./rule.js";

/**
 * Dead ReLUs: more than `layer` of a layer's units were active in less than 1 % of the last few hundred samples; in `samples`
 * sampled steps in a row. Where the loss has halved, more than `sparse` of them: many a net does well with units that rest.
 *
 * Source: Amazon SageMaker Debugger, rule DyingRelu (threshold_inactivity 1 %, threshold_layer 50 %); Lu et al., "Dying ReLU and
 * Initialization", 2020.
 */
export const deadRelu = defineRule({
  id: "dead-relu",
  severity: "error",
  defaults: { layer: 0.5, sparse: 0.75, samples: 2 },
  check(history, { layer, sparse, samples }) {
    const recent = history.last(samples);
    if (recent === null) return null;
    const well = history.meanLoss(history.step - 10, history.step) < history.level(0.5);
    const share = well ? Math.max(layer, sparse) : layer;
    return recent[recent.length - 1].activations
      .filter(
        ({ layer, dead }) =>
          dead > share &&
          recent.every((s) => s.activations.some((a) => a.layer === layer && a.dead > share && a.nan === 0)),
      )
      .map(({ layer, dead, zeros }) => ({
        layer,
        step: recent[0].step,
        evidence: { deadUnits: dead, threshold: share, zeros },
      }));
  },
  why: "A unit whose input is negative for every sample gives 0 and gets no gradient, so it stays as it is for ever. A large step, a negative bias or inputs far from 0 push units there.",
  advice: [
    "lower the learning rate (large steps kill units), or warm it up",
    "use leakyRelu, gelu or silu, whose slope below 0 is not 0",
    "initialise with nn.init.kaimingNormal_ and biases of 0",
    "put BatchNorm before the ReLU, and normalise the inputs",
  ],
});

/**
 * Saturated sigmoid or tanh: more than `layer` of a hidden layer's outputs have less than 5 % of the largest slope, in `samples`
 * sampled steps in a row. Of what runs several times in a step more than `recurrent`, and while the loss is above half of its start: recurrent
 * nets open and close their gates and remember by such outputs. Of the net's own outputs more than `output`, likewise: they cannot reach their targets.
 *
 * Source: Amazon SageMaker Debugger, rules SaturatedActivation and TanhSaturation; Glorot & Bengio, AISTATS 2010.
 */
export const saturatedActivation = defineRule({
  id: "saturated-activation",
  severity: "warning",
  defaults: { layer: 0.5, recurrent: 0.65, output: 0.9, samples: 3 },
  check(history, { layer: share, recurrent, output, samples }) {
    const recent = history.last(samples);
    if (recent === null) return null;
    const learned = history.game || history.meanLoss(history.step - 10, history.step) < history.level(0.5);
    const limit = ({ hidden, runs }: { hidden: boolean; runs: number }) => {
      if (hidden && runs === 1) return share;
      if (learned) return 1;
      return hidden ? recurrent : output;
    };
    const saturated = (s: (typeof recent)[number], name: string) =>
      s.activations.some((a) => a.layer === name && a.saturated > limit(a));
    return recent[recent.length - 1].activations
      .filter((a) => a.saturated > limit(a) && recent.every((s) => saturated(s, a.layer)))
      .map((a) => ({
        layer: a.layer,
        step: recent[0].step,
        evidence: { saturated: a.saturated, threshold: limit(a), variance: a.variance },
      }));
  },
  why: "Far from 0 a sigmoid or tanh is flat: its slope, and with it the gradient of everything before, is nearly 0. Large weights or large inputs drive units there.",
  advice: [
    "normalise the inputs to mean 0 and deviation 1",
    "initialise with nn.init.xavierNormal_ (weights of variance 2 / (in + out))",
    "put BatchNorm or LayerNorm before the activation",
    "use ReLU or GELU in hidden layers",
    "as the net's last step only where all targets lie between its bounds: else leave it out, or scale the targets",
  ],
});

/**
 * Poor initialisation: by their weights, the layers make the signal's mean square `ratio` times larger or smaller each, on average over
 * the hidden layers (geometric mean of Σw²/outputs, which for independent weights is the ratio of the outputs' variance to the inputs'
 * mean square); or `single` times `ratio` in one layer. 1/3 (PyTorch's default) to 2 (He) counts as 1. The last layer may begin
 * small, but not so large that its outputs' variance is `outputs`, and `outputs` times its inputs' mean square; and branches around a skip may begin with zeros (Zhang et al., "Fixup Initialization", ICLR 2019).
 *
 * Source: Amazon SageMaker Debugger, rule PoorWeightInitialization (threshold 10); Glorot & Bengio, AISTATS 2010; He et al., ICCV 2015;
 * Mishkin & Matas, "All you need is a good init", ICLR 2016.
 */
export const poorInitialization = defineRule({
  id: "poor-initialization",
  severity: "warning",
  defaults: { ratio: 10, single: 10, outputs: 20 },
  check(history, { ratio, single, outputs }) {
    const [first] = history.samples;
    if (first === undefined || first.step > 5 || history.samples.length > 2) return null;
    const layers = first.activations.filter((a) => Number.isFinite(a.gain));
    const before = layers.length > 1 ? layers.slice(0, -1) : layers;
    const last = layers[layers.length - 1];
    // A single layer has no depth to grow with: there, and in the last layer, only what begins much too large is sick.
    const output = last !== undefined && last.gain > outputs && last.variance > outputs ? last : null;
    // Zeros in some layers are meant: the branch around a skip then begins as nothing. Zeros in all of them are not.
    const hidden = before.every((a) => a.gain === 0) ? before : before.filter((a) => a.gain > 0);
    if (hidden.length === 0) return null;
    const gains = hidden.map((a) => (a.gain < 1 ? Math.min(1, a.gain * 3) : Math.max(1, a.gain / 2)));
    const mean = Math.exp(gains.reduce((sum, g) => sum + Math.log(Math.max(g, 1e-30)), 0) / gains.length);
    const far = (g: number) => Math.max(g, 1 / Math.max(g, 1e-30));
    const worst = gains.reduce((w, g, i) => (far(g) > far(gains[w]) ? i : w), 0);
    const deep = layers.length > 1 && (far(mean) > ratio || far(gains[worst]) > ratio * single);
    const nothing = hidden.every((a) => a.gain === 0);
    if (!deep && !nothing && output === null) return null;
    const { layer, gain, variance } = deep || nothing ? hidden[worst] : (output as typeof last);
    return {
      layer,
      step: first.step,
      evidence: {
        varianceRatio: gain,
        meanRatio: mean,
        threshold: ratio,
        outputVariance: variance,
        layers: hidden.length,
      },
    };
  },
  why: "If every layer makes the signal larger (or smaller), it grows (or fades) exponentially with depth, and so do the gradients on their way back: the net begins saturated, exploding or deaf.",
  advice: [
    "nn.init.kaimingNormal_(weight) for layers followed by ReLU, nn.init.xavierNormal_(weight) for tanh and sigmoid",
    "leave the initialisation to the layers: PyTorch's default is sound",
    "put BatchNorm or LayerNorm between the layers, which undoes the scale",
  ],
});

const latest = <T>(list: readonly T[]): T => list[list.length - 1];

/** Root mean square of a weight beside which steps of the usual length are nothing. */
const LARGE = 3;
/** By how much a weight's norm must grow over the samples that are judged, for its long steps to be growth. */
const GROWTH = 1.3;

/**
 * Update ratio: norm of a step's change over norm of the weight, median of `samples` sampled steps, above `high` for some weight (in the
 * first ten steps ten times that, or three where the loss rises; then twice that while the loss is below its start, and not where the weight grows); or below `low` for all weights while neither rate nor gradient
 * have decayed and the loss has not halved; or, while the rate has not decayed, below a tenth of `low` and a thousandth of the largest for a weight
 * whose gradient is at least a hundredth of the largest: its own rate is too small; or whose elements are above 3 in the root mean square.
 *
 * Source: Karpathy, CS231n, "Ratio of weights:updates": about 1e-3; Amazon SageMaker Debugger, rule WeightUpdateRatio.
 */
export const updateRatio = defineRule({
  id: "update-ratio",
  severity: "warning",
  defaults: { low: 1e-5, high: 1e-1, samples: 5 },
  check(history, { low, high, samples }): Symptom | null {
    const recent = history.last(samples);
    if (recent === null) return null;
    // Fresh weights take long steps at first, the last layer above all.
    const falls = history.meanLoss(history.step - 10, history.step) < history.startLoss;
    const jumped = history.jumpLevel(1.2);
    const risen = history.losses.slice(-5).some((loss) => loss > jumped);
    const limit = recent[0].step < 10 ? (risen ? 3 : 10) * high : falls ? 2 * high : high;
    const ratios: { name: string; ratio: number; of: ParameterSample[] }[] = [];
    for (const [place, parameter] of recent[0].parameters.entries()) {
      const { name } = parameter;
      if (!parameter.matrix || parameter.gradNorm === null || isTiny(parameter)) continue;
      // A weight that began with zeros takes its first steps from nothing.
      if (recent[0].step < 10 && history.fromZero.has(name)) continue;
      const of: ParameterSample[] = [];
      const values: number[] = [];
      for (const sample of recent) {
        const p = parameterIn(sample, name, place);
        if (p === undefined) continue;
        of.push(p);
        if (!Number.isNaN(p.updateRatio)) values.push(p.updateRatio);
      }
      const ratio = median(values);
      if (!Number.isNaN(ratio)) ratios.push({ name, ratio, of });
    }
    if (ratios.length === 0) return null;
    const step = recent[0].step;
    const largest = ratios.reduce((a, b) => (b.ratio > a.ratio ? b : a));
    // What begins small grows by long steps. They are none too many while the loss falls.
    const grows = latest(largest.of).weightNorm > GROWTH * largest.of[0].weightNorm;
    if (largest.ratio > limit && !(grows && falls)) {
      return { layer: largest.name, step, evidence: { updateRatio: largest.ratio, threshold: limit, usual: 1e-3 } };
    }
    const lr = recent[recent.length - 1].lr;
    if (recent[0].step < 10 || lr < 0.5 * history.largestLr) return null;
    const begun = history.meanLoss(history.step - 10, history.step) > history.level(0.5);
    // At a minimum steps are short because the gradient is, and that is as it should be.
    const arrived = median(recent.map((s) => s.gradNorm)) < 0.3 * history.startGradNorm;
    const all = largest.ratio > 0 && largest.ratio < low && begun && !arrived;
    const alone = ({ name, ratio, of }: (typeof ratios)[number]): boolean => {
      if (!(ratio > 0 && ratio < low / 10 && ratio < largest.ratio / 1000)) return false;
      if (latest(of).weightNorm > LARGE * Math.sqrt(latest(of).size)) return true;
      const shares = recent.flatMap(({ parameters }) => {
        const steepest = Math.max(...parameters.map((p) => p.gradNorm ?? 0));
        return parameters.filter((p) => p.name === name).map((p) => (p.gradNorm ?? 0) / steepest);
      });
      return median(shares) > 0.01;
    };
    const slow = all ? largest : ratios.find(alone);
    if (slow === undefined) return null;
    return {
      layer: slow.name,
      step,
      evidence: { updateRatio: slow.ratio, threshold: all ? low : low / 10, usual: 1e-3, learningRate: lr },
      why: "The weights change by so little that nothing can be learned in reasonable time: the learning rate is too small, or hardly any gradient arrives.",
      advice: [
        "raise the learning rate tenfold, until the ratio is near 1e-3",
        "use Adam, which makes steps of the rate's size whatever the gradient's",
        "look for a vanishing gradient",
      ],
    };
  },
  why: "Each step replaces a large part of the weights: what was learned is thrown away, and the loss jumps about or diverges.",
  advice: [
    "lower the learning rate, until the ratio is near 1e-3",
    "clip the gradient's norm, or warm the rate up over the first steps",
    "check that the gradients are zeroed in every step",
  ],
});

/**
 * Frozen parameter: a weight has a gradient, but no element of it changed in `samples` sampled steps in a row; or it belongs to
 * no optimizer. A bias before a BatchNorm has no gradient but rounding errors, so vectors are judged by their optimizer only.
 *
 * Source: Amazon SageMaker Debugger, rule UnchangedTensor; DeepLocalize (Wardat et al., ICSE 2021).
 */
export const frozenParameter = defineRule({
  id: "frozen-parameter",
  severity: "error",
  defaults: { samples: 3 },
  check(history, { samples }, found) {
    const recent = history.last(samples);
    if (recent === null || history.updates === 0) return null;
    const symptoms: Symptom[] = history.unoptimized.slice(0, 10).map((name) => ({
      layer: name,
      step: 1,
      evidence: { parameter: name, changed: 0, inOptimizer: "no", frozen: history.unoptimized.length },
    }));
    const last = recent[recent.length - 1];
    // A gradient that has all but gone moves nothing either, and is no sign that the parameter was forgotten.
    const gone = 1e-4 * history.startGradNorm;
    const still = (name: string, place: number) =>
      recent.every((s) => {
        const p = parameterIn(s, name, place);
        return p !== undefined && p.updateNorm === 0 && (p.gradNorm ?? 0) > gone;
      });
    for (const [place, { name, matrix, optimized, updateNorm, gradNorm }] of last.parameters.entries()) {
      if (updateNorm > 0 || !matrix || !optimized || found.has("vanishing-gradient") || !still(name, place)) continue;
      const evidence = { parameter: name, changed: 0, gradientNorm: gradNorm ?? 0, learningRate: last.lr };
      symptoms.push({ layer: name, step: recent[0].step, evidence });
    }
    return symptoms;
  },
  why: "The parameter is to be learned, but stays as it is: no optimizer has it, its group's learning rate is 0, or the steps are too small for float32 to show.",
  advice: [
    "give the optimizer all parameters: new optim.SGD(net.parameters(), …), made after the net has all its layers",
    "check the learning rate of its group (optimizer.paramGroups[i].lr) and the schedule",
    "if it is meant to be frozen, say so: parameter.requiresGrad = false",
  ],
});
