/**
 * The 3×3 convolutions of the CNN and of ResNet-20, each pass by itself: the direct method's flop a second, over what a loop
 * that touches only registers reaches. Winograd's filtering needs fewer flop than it is credited with, so figures above 1 are right.
 */
import { F, noGrad, randn, type Tensor, zeros } from "../src/index.js";
import { type ConvSizes, convolveBackwardInput, convolveBackwardWeight } from "../src/ops/conv-passes.js";
import { ofPeak } from "./kernels.js";
import { pick, type Row } from "./row.js";

const BATCH = 64;

/** Channels in and out, the image's side, the stride. */
const LAYERS: readonly [ic: number, oc: number, side: number, stride: number][] = [
  // The CNN's
  [1, 32, 28, 1],
  [32, 64, 14, 1],
  // ResNet-20's
  [3, 16, 32, 1],
  [16, 16, 32, 1],
  [16, 32, 32, 2],
  [32, 32, 16, 1],
  [32, 64, 16, 2],
  [64, 64, 8, 1],
];

function sizesOf(ic: number, oc: number, side: number, stride: number): ConvSizes {
  const out = side / stride;
  return {
    ...{ n: BATCH, ic, h: side, w: side, oc, kh: 3, kw: 3, sh: stride, sw: stride, ph: 1, pw: 1, dh: 1, dw: 1 },
    ...{ oh: out, ow: out, groups: 1 },
  };
}

export async function convRows(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [ic, oc, side, stride] of LAYERS) {
    const sizes = sizesOf(ic, oc, side, stride);
    const x = randn(BATCH, ic, side, side);
    const weight = randn(oc, ic, 3, 3);
    const dOut = randn(BATCH, oc, sizes.oh, sizes.ow);
    const [dX, dWeight] = [zeros(x.shape), zeros(weight.shape)];
    const flops = 2 * 9 * ic * oc * sizes.oh * sizes.ow * BATCH;
    const bar = stride === 1 && ic >= 16 ? pick(1.2, 0.95) : pick(0.65, 0.45);
    const name = `conv ${ic}→${oc}, ${side}×${side}${stride > 1 ? `, stride ${stride}` : ""}`;
    const forward = () => noGrad(() => F.conv2d(x, weight, null, { stride, padding: 1 })).dispose();
    rows.push(await ofPeak(name, flops, forward, bar));
    // Nothing asks a first layer for the gradient of the images.
    if (ic >= 16) {
      const backwardInput = () => convolveBackwardInput(dX, dOut, weight, sizes);
      rows.push(await ofPeak(`${name}: input gradient`, flops, backwardInput, bar));
    }
    rows.push(
      await ofPeak(`${name}: weight gradient`, flops, () => convolveBackwardWeight(dWeight, dOut, x, sizes), bar),
    );
    for (const t of [x, weight, dOut, dX, dWeight] satisfies Tensor[]) t.dispose();
  }
  return rows;
}
