/** Rows of cases.ts for the convolutions: small, for finite differences run the reference twice an element. */
import type { ConvOptions, ConvTransposeOptions } from "../src/ops/conv.js";
import { conv2d, convTranspose2d } from "../src/ops/conv.js";
import { inner, type OpCase, real, row } from "./support/case.js";
import * as ref from "./support/conv.js";
import type { Nd } from "./support/nd.js";

/** Inner products of n terms within 1, Winograd's transforms among them; gradients of at most 1.5 times that. */
const products = (n: number) => ({ tolerance: inner(n, 1), gradients: { ...inner(n, 4), rtol: 1e-6 }, strided: true });

type Shape = readonly number[];

const conv = (x: Shape, w: Shape, options: ConvOptions = {}, bias = true): OpCase => {
  const inputs = [real(x, -1, 1), real(w, -1, 1), ...(bias ? [real([w[0]], -1, 1)] : [])];
  const batched = x.length === 4;
  return row(
    inputs,
    (x, w, b) => conv2d(x, w, b ?? null, options),
    (x: Nd, w: Nd, b?: Nd) => {
      if (batched) return ref.conv2d(x, w, b, options);
      const out = ref.conv2d({ ...x, shape: [1, ...x.shape] }, w, b, options);
      return { ...out, shape: out.shape.slice(1) };
    },
    { note: `[${x}] * [${w}] ${JSON.stringify(options)}`, ...products(Math.max(16, w[1] * w[2] * w[3])) },
  );
};

const transposed = (x: Shape, w: Shape, options: ConvTransposeOptions = {}, bias = true): OpCase => {
  const channels = w[1] * (options.groups ?? 1);
  const inputs = [real(x, -1, 1), real(w, -1, 1), ...(bias ? [real([channels], -1, 1)] : [])];
  return row(
    inputs,
    (x, w, b) => convTranspose2d(x, w, b ?? null, options),
    (x: Nd, w: Nd, b?: Nd) => ref.convTranspose2d(x, w, b, options),
    { note: `[${x}] * [${w}] ${JSON.stringify(options)}`, ...products(Math.max(16, w[0] * w[2] * w[3])) },
  );
};

export const convCases = {
  conv2d: [
    conv([2, 2, 5, 4], [3, 2, 3, 3], { padding: 1 }),
    conv([1, 2, 5, 6], [2, 2, 2, 3], { stride: 2, padding: [1, 0] }, false),
    conv([1, 4, 4, 3], [4, 1, 3, 3], { padding: "same", groups: 4 }),
    conv([1, 1, 6, 6], [2, 1, 3, 2], { dilation: 2, padding: [2, 1] }),
    conv([2, 3, 3, 3], [2, 3, 1, 1]),
    conv([1, 1, 7, 5], [3, 1, 3, 3], { stride: [3, 2], padding: "valid" }, false),
    conv([2, 4, 3], [2, 2, 3, 3], { padding: 1 }),
    // Winograd's: 16 channels or more, 3×3, stride 1.
    conv([1, 12, 2, 3], [12, 12, 3, 3], { padding: 1 }),
  ],
  convTranspose2d: [
    transposed([2, 2, 3, 4], [2, 3, 3, 3]),
    transposed([1, 3, 3, 2], [3, 2, 4, 4], { stride: 2, padding: 1 }),
    transposed(
      [1, 4, 3, 2],
      [4, 2, 3, 2],
      { stride: [2, 3], padding: [1, 0], outputPadding: [1, 2], groups: 2 },
      false,
    ),
    transposed([1, 2, 3, 3], [2, 2, 2, 2], { dilation: 2, padding: 1 }),
  ],
} satisfies Record<string, OpCase[]>;
