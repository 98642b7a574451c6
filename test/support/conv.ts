/** Convolutions in float64, term by term. */
import { type Nd, nd, sizeOf } from "./nd.js";

export interface ConvOptions {
  stride?: number | readonly number[];
  padding?: number | readonly number[] | "same" | "valid";
  dilation?: number | readonly number[];
  groups?: number;
  outputPadding?: number | readonly number[];
}

const pair = (v: number | readonly number[] | undefined, otherwise: number): readonly number[] =>
  typeof v === "object" ? v : [v ?? otherwise, v ?? otherwise];

/** How much is padded before and after each dim. */
function sides(kernel: readonly number[], { padding, dilation }: ConvOptions): [number, number][] {
  return kernel.map((k, d) => {
    const total = pair(dilation, 1)[d] * (k - 1);
    if (padding === "same") return [Math.floor(total / 2), Math.ceil(total / 2)];
    const p = padding === "valid" ? 0 : pair(padding, 0)[d];
    return [p, p];
  });
}

/** The shape of conv2d(x, w). */
export function convShape(x: readonly number[], w: readonly number[], options: ConvOptions = {}): number[] {
  const [stride, dilation] = [pair(options.stride, 1), pair(options.dilation, 1)];
  const size = sides(w.slice(2), options).map(([before, after], d) =>
    Math.floor((x[2 + d] + before + after - dilation[d] * (w[2 + d] - 1) - 1) / stride[d] + 1),
  );
  return [x[0], w[0], ...size];
}

/** The shape of convTranspose2d(x, w). */
export function convTransposeShape(x: readonly number[], w: readonly number[], options: ConvOptions = {}): number[] {
  const [stride, dilation, extra] = [
    pair(options.stride, 1),
    pair(options.dilation, 1),
    pair(options.outputPadding, 0),
  ];
  const size = sides(w.slice(2), options).map(
    ([before, after], d) => (x[2 + d] - 1) * stride[d] - before - after + dilation[d] * (w[2 + d] - 1) + extra[d] + 1,
  );
  return [x[0], w[1] * (options.groups ?? 1), ...size];
}

/**
 * Calls visit with the places (row-major) of an element of out, of x and of w for every product x·w that is part of that
 * element of out = conv2d(x, w). All else follows from this list: the three gradients, and the transposed convolution, where
 * out and x change places.
 */
function eachProduct(
  xShape: readonly number[],
  wShape: readonly number[],
  outShape: readonly number[],
  options: ConvOptions,
  visit: (out: number, x: number, w: number) => void,
): void {
  const [images, channels, height, width] = xShape;
  const [outChannels, perGroup, kernelHeight, kernelWidth] = wShape;
  const [stride, dilation] = [pair(options.stride, 1), pair(options.dilation, 1)];
  const [[top], [left]] = sides([kernelHeight, kernelWidth], options);
  const outPerGroup = outChannels / (channels / perGroup);
  for (let n = 0; n < images; n++) {
    for (let o = 0; o < outChannels; o++) {
      const first = Math.floor(o / outPerGroup) * perGroup;
      for (let i = 0; i < outShape[2]; i++) {
        for (let j = 0; j < outShape[3]; j++) {
          const out = ((n * outChannels + o) * outShape[2] + i) * outShape[3] + j;
          for (let c = 0; c < perGroup; c++) {
            for (let ki = 0; ki < kernelHeight; ki++) {
              const y = i * stride[0] - top + ki * dilation[0];
              if (y < 0 || y >= height) continue;
              for (let kj = 0; kj < kernelWidth; kj++) {
                const x = j * stride[1] - left + kj * dilation[1];
                if (x < 0 || x >= width) continue;
                const xPlace = ((n * channels + first + c) * height + y) * width + x;
                visit(out, xPlace, ((o * perGroup + c) * kernelHeight + ki) * kernelWidth + kj);
              }
            }
          }
        }
      }
    }
  }
}

const zerosOf = (shape: readonly number[]): Nd => nd(shape, new Float64Array(sizeOf(shape)));

/** For every channel of [N, C, H, W]: the sum of its elements. */
function channelSums({ shape, data }: Nd): Nd {
  const sums = zerosOf([shape[1]]);
  const plane = shape[2] * shape[3];
  data.forEach((v, i) => {
    sums.data[Math.floor(i / plane) % shape[1]] += v;
  });
  return sums;
}

function addBias(out: Nd, bias: Nd | null | undefined): Nd {
  if (!bias) return out;
  const plane = out.shape[2] * out.shape[3];
  return nd(
    out.shape,
    out.data.map((v, i) => v + bias.data[Math.floor(i / plane) % out.shape[1]]),
  );
}

export function conv2d(x: Nd, w: Nd, bias?: Nd | null, options: ConvOptions = {}): Nd {
  const out = zerosOf(convShape(x.shape, w.shape, options));
  eachProduct(x.shape, w.shape, out.shape, options, (o, i, k) => {
    out.data[o] += x.data[i] * w.data[k];
  });
  return addBias(out, bias);
}

/** The gradients of Σ conv2d(x, w, b)·dOut. */
export function conv2dGradients(x: Nd, w: Nd, dOut: Nd, options: ConvOptions = {}): { dX: Nd; dW: Nd; dB: Nd } {
  const [dX, dW] = [zerosOf(x.shape), zerosOf(w.shape)];
  eachProduct(x.shape, w.shape, dOut.shape, options, (o, i, k) => {
    dX.data[i] += dOut.data[o] * w.data[k];
    dW.data[k] += dOut.data[o] * x.data[i];
  });
  return { dX, dW, dB: channelSums(dOut) };
}

export function convTranspose2d(x: Nd, w: Nd, bias?: Nd | null, options: ConvOptions = {}): Nd {
  const out = zerosOf(convTransposeShape(x.shape, w.shape, options));
  eachProduct(out.shape, w.shape, x.shape, options, (i, o, k) => {
    out.data[o] += x.data[i] * w.data[k];
  });
  return addBias(out, bias);
}

/** The gradients of Σ convTranspose2d(x, w, b)·dOut. */
export function convTranspose2dGradients(
  x: Nd,
  w: Nd,
  dOut: Nd,
  options: ConvOptions = {},
): { dX: Nd; dW: Nd; dB: Nd } {
  const [dX, dW] = [zerosOf(x.shape), zerosOf(w.shape)];
  eachProduct(dOut.shape, w.shape, x.shape, options, (i, o, k) => {
    dX.data[i] += dOut.data[o] * w.data[k];
    dW.data[k] += dOut.data[o] * x.data[i];
  });
  return { dX, dW, dB: channelSums(dOut) };
}
