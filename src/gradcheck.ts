/** `autograd.gradcheck`: backward against finite differences. */

import { grad } from "./autograd.js";
import { AutogradError } from "./errors.js";
import { enableGrad, noGrad } from "./grad-mode.js";
import { scope } from "./scope.js";
import { formatShape } from "./shape.js";
import { Tensor } from "./tensor.js";
import { F32 } from "./wasm/heap.js";

/** Options of `gradcheck`, with defaults that suit float32. */
export interface GradcheckOptions {
  /** Step of the differences. */
  eps?: number;
  atol?: number;
  rtol?: number;
  /** Throw (the default) or return false when a gradient is wrong. */
  raiseException?: boolean;
}

/**
 * Compares the gradients of fn at inputs with central differences, element by element, for a fixed random-looking
 * weighting of the outputs. float32 rounds coarsely, so the differences are taken with a large step and Richardson's
 * extrapolation, (4·D(h/2) − D(h)) / 3, whose error falls with h⁴ (Richardson, "The deferred approach to the limit",
 * Phil. Trans. A 226, 1927). Keep inputs away from kinks by more than eps.
 *
 * @returns true when all agree within atol + rtol·|difference|
 * @throws AutogradError naming the input, the element and both values, unless `raiseException` is false
 */
export function gradcheck(
  fn: (...inputs: any[]) => Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  const { eps = 0.02, atol = 2e-3, rtol = 1e-2, raiseException = true } = options;
  const given = inputs instanceof Tensor ? [inputs] : [...inputs];
  const checked = given.filter((t) => t instanceof Tensor && t.requiresGrad);
  if (checked.length === 0) throw new AutogradError("gradcheck: none of the inputs requires a gradient");
  const outputsOf = () => {
    const result = fn(...given);
    return (result instanceof Tensor ? [result] : [...result]).filter((t) => t.dtype === "float32");
  };
  // Weights that no symmetry of fn can cancel: the fractional parts of multiples of the golden ratio.
  const weight = (i: number) => ((i * 0.6180339887498949) % 1) + 0.5;
  const weightedSum = (): number =>
    scope(() =>
      noGrad(() => {
        let total = 0;
        let i = 0;
        for (const output of outputsOf()) for (const v of output.toTypedArray()) total += v * weight(i++);
        return total;
      }),
    );
  const analytic = scope(() =>
    enableGrad(() => {
      const outputs = outputsOf();
      let i = 0;
      const gradOutputs = outputs.map((output) => {
        const w = Tensor.allocate(output.shape, "float32", "gradcheck");
        const start = w.ptr >>> 2;
        for (let j = 0; j < w.numel(); j++) F32[start + j] = weight(i++);
        return w;
      });
      return grad(outputs, checked, { gradOutputs, allowUnused: true }).map((g) => g?.toTypedArray() ?? null);
    }),
  );
  for (let n = 0; n < checked.length; n++) {
    const x = checked[n];
    if (!x.isContiguous()) throw new AutogradError(`gradcheck: input ${n} must be contiguous`);
    for (let j = 0; j < x.numel(); j++) {
      // The address first: bringing x back may grow the heap, and then F32 is another view.
      const read = () => {
        const { ptr } = x;
        return F32[(ptr >>> 2) + j];
      };
      const write = (v: number) => {
        const { ptr } = x;
        F32[(ptr >>> 2) + j] = v;
      };
      const value = read();
      const difference = (h: number): number => {
        write(value + h);
        const high = read();
        const above = weightedSum();
        write(value - h);
        const low = read();
        const below = weightedSum();
        write(value);
        return (above - below) / (high - low);
      };
      const numeric = (4 * difference(eps / 2) - difference(eps)) / 3;
      const found = analytic[n]?.[j] ?? 0;
      if (!(Math.abs(found - numeric) <= atol + rtol * Math.abs(numeric))) {
        if (!raiseException) return false;
        throw new AutogradError(
          `gradcheck: input ${n} (shape ${formatShape(x.shape)}), element ${j}: backward gives ${found}, ` +
            `differences give ${numeric}`,
        );
      }
    }
  }
  return true;
}
