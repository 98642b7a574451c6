/** Where a NaN or infinity came from. */
import type { Tensor } from "../tensor.js";
import { isReadable, statsOf } from "./probe.js";

/** An op of the step under way. */
export interface Ran {
  op: string;
  out: Tensor;
  /** Path of the module it ran in, null outside the net. */
  path: string | null;
  /** The last layer with weights before it. */
  layer: string;
}

/** Its memory is there: to bring bytes back that were set aside would be too much ado. */
const isResident = (t: Tensor): boolean => isReadable(t) && t.block.chunk !== null;

export interface Origin {
  layer: string | null;
  evidence: Record<string, number | string>;
}

/**
 * The first op of the step whose result is not finite; if all results are, the last layer with a gradient that is not, as
 * gradients come from behind. What the tape has consumed is still there when the step ends.
 */
export function findOrigin(
  ops: readonly Ran[],
  parameters: readonly { name: string; layer: string; tensor: Tensor }[],
): Origin {
  for (const { op, out, path, layer } of ops) {
    if (!isResident(out)) continue;
    const { nan, inf, size } = statsOf(out);
    if (nan + inf === 0) continue;
    const place = path === null ? null : path || layer || null;
    return {
      layer: place,
      evidence: { op, in: path === null ? "the loss" : `layer ${place ?? "net"}`, nan, inf, of: size },
    };
  }
  for (const { name, layer, tensor } of [...parameters].reverse()) {
    const grad = tensor.gradTensor;
    if (grad === null || !isResident(grad)) continue;
    const { nan, inf, size } = statsOf(grad);
    if (nan + inf > 0) return { layer, evidence: { op: "backward", in: `gradient of ${name}`, nan, inf, of: size } };
  }
  for (const { name, layer, tensor } of parameters) {
    if (!isResident(tensor)) continue;
    const { nan, inf, size } = statsOf(tensor);
    if (nan + inf > 0) return { layer, evidence: { op: "step", in: `parameter ${name}`, nan, inf, of: size } };
  }
  return { layer: null, evidence: { op: "unknown" } };
}
