/** Layer normalisation, forward and backward in one kernel each. */

import { inPlaces, type Named, optionsOf, show, type Trailing } from "../arguments.js";
import { DTypeError, ShapeError } from "../errors.js";
import { defineOp } from "../op.js";
import { formatShape, numelOf, type Shape, sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/norm.generated.js";

type LayerNormInputs = [x: Tensor, weight: Tensor | null | undefined, bias: Tensor | null | undefined];

const normalizeRows = /* @__PURE__ */ defineOp<LayerNormInputs, [cols: number, eps: number]>({
  name: "layerNorm",
  inputs: 3,
  forward: (out, [x, weight, bias], cols, eps) => {
    const rows = cols === 0 ? 0 : x.numel() / cols;
    const mean = Tensor.allocate([rows], "float32", "layerNorm");
    const rstd = Tensor.allocate([rows], "float32", "layerNorm");
    k.layer_norm(out.ptr, mean.ptr, rstd.ptr, x.ptr, weight?.ptr ?? 0, bias?.ptr ?? 0, rows, cols, eps);
    return [mean, rstd];
  },
  save: (_out, [x, weight]) => (weight ? [x, weight] : [x]),
  backward: (dOut, saved, [dX, dWeight, dBias], cols) => {
    const [mean, rstd] = saved.slice(-2);
    const x = saved[0];
    const weight = saved.length === 4 ? saved[1].ptr : 0;
    k.layer_norm_backward(
      dX?.ptr ?? 0,
      dWeight?.ptr ?? 0,
      dBias?.ptr ?? 0,
      dOut.ptr,
      x.ptr,
      mean.ptr,
      rstd.ptr,
      weight,
      mean.numel(),
      cols,
    );
  },
});

/** What `layerNorm` takes beside the shape; tensors of that shape. */
export interface AffineOptions {
  weight?: Tensor | null;
  bias?: Tensor | null;
  eps?: number;
}

/**
 * (x − mean) / √(var + eps) · weight + bias, mean and (biased) variance taken over the last dims, which must be
 * normalizedShape (Ba, Kiros & Hinton, "Layer Normalization", 2016). Shape: (*, …normalizedShape) → same.
 *
 * @param options.weight,options.bias of shape normalizedShape; left out: 1 and 0
 * @param options.eps default 1e-5
 * @throws ShapeError when x, weight or bias do not end in normalizedShape; DTypeError for an x that is not float32
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  ...rest: Trailing<AffineOptions, ["weight", "bias", "eps"]>
): Tensor;
export function layerNorm(
  x: Tensor,
  ...named: Named<{ normalizedShape: number | Shape }, ["normalizedShape"], AffineOptions>
): Tensor;
export function layerNorm(x: Tensor, ...args: any[]): Tensor {
  const [normalizedShape, ...rest] = inPlaces(args, ["normalizedShape"]);
  if (typeof normalizedShape !== "number" && !Array.isArray(normalizedShape)) {
    throw new ShapeError(
      `layerNorm: normalizedShape must be a number or a list of sizes, found ${show(normalizedShape)}`,
    );
  }
  const options = optionsOf<AffineOptions>("layerNorm", rest, ["weight", "bias", "eps"]);
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const { weight, bias, eps = 1e-5 } = options;
  if (shape.length === 0) {
    throw new ShapeError("layerNorm: normalizedShape is []; it must name at least the last dim of the input");
  }
  if (!sameShape(x.shape.slice(-shape.length), shape)) {
    throw new ShapeError(
      `layerNorm: normalizedShape ${formatShape(shape)} needs an input of shape [*, ${shape.join(", ")}], found ${formatShape(x.shape)}`,
    );
  }
  for (const [name, t] of [["weight", weight] as const, ["bias", bias] as const]) {
    if (t && !sameShape(t.shape, shape)) {
      throw new ShapeError(
        `layerNorm: ${name} has shape ${formatShape(t.shape)}, expected normalizedShape ${formatShape(shape)}`,
      );
    }
  }
  if (x.dtype !== "float32")
    throw new DTypeError(`layerNorm: the input must be float32, found ${x.dtype}; convert it with float()`);
  return normalizeRows(x, weight, bias, numelOf(shape), eps);
}
