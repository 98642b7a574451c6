/** What to say when the loss is not finite: the step is run once more in anomaly mode, which knows the op and the layer. */
import type { ValueRange } from "../anomaly.js";
import { NonFiniteError } from "../errors.js";
import { getRngState, setRngState } from "../generator.js";
import { detectAnomaly, noGrad } from "../grad-mode.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor.js";
import type { Finding } from "./types.js";

/**
 * Runs a step again to see where the first value that is not finite appears. The net's buffers and the random numbers are
 * afterwards what they were; gradients are forgotten.
 */
function findOrigin(net: Module, zeroGrad: () => void, loss: () => Tensor): NonFiniteError | null {
  const rng = getRngState();
  const buffers = net.buffers().map((buffer) => [buffer, buffer.clone()] as const);
  try {
    zeroGrad();
    detectAnomaly(() => loss().backward());
    return null;
  } catch (error) {
    return error instanceof NonFiniteError ? error : null;
  } finally {
    zeroGrad();
    setRngState(rng);
    noGrad(() => {
      for (const [buffer, before] of buffers) {
        buffer.copy_(before);
        before.dispose();
      }
    });
  }
}

const describe = ({ min, max, nan, inf }: ValueRange): string =>
  [
    Number.isNaN(min) ? "no finite value" : `${min} to ${max}`,
    ...(nan > 0 ? [`${nan} NaN`] : []),
    ...(inf > 0 ? [`${inf} ±Infinity`] : []),
  ].join(", ");

/** The finding of a step whose loss, or gradients' norm, is not finite. */
export function diagnose(
  what: "loss" | "gradNorm",
  value: number,
  step: number,
  net: Module,
  zeroGrad: () => void,
  loss: () => Tensor,
): Finding {
  const origin = findOrigin(net, zeroGrad, loss);
  const anomaly = origin?.anomaly;
  const name = what === "loss" ? "loss" : "gradients' norm";
  return {
    rule: "non-finite",
    severity: "error",
    layer: anomaly?.layer ?? null,
    step,
    evidence: {
      [what]: value,
      ...(anomaly && { op: anomaly.op, phase: anomaly.phase, nan: anomaly.result.nan, inf: anomaly.result.inf }),
      ...Object.fromEntries(anomaly?.inputs.map((range) => [range.name, describe(range)]) ?? []),
    },
    why:
      `the ${name} of step ${step} is ${value}` +
      (origin === null ? "" : `: in anomaly mode, ${origin.message.split("\nits forward was called")[0]}`),
    advice: [
      "look at the ranges: inputs that are not finite or far from 0 have to be cleaned or normalised",
      "lower the learning rate, or warm it up",
      "clip the gradients: clipNorm: 1",
      "keep logarithms, divisions and square roots away from 0 (eps, F.logSoftmax instead of log of softmax)",
    ],
  };
}
