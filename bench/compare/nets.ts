/** The nets, once for all peers: their parameters in PyTorch's layout, and their forward pass over any library's ops. */
import { type NetName, uniform } from "./work.js";

/**
 * "linear" [out, in]; "flattened", a linear layer on what was [channels, 7, 7] images (the library may have its channels elsewhere);
 * "conv" [out, in, 3, 3]; "vector".
 */
export type Layout = "linear" | "flattened" | "conv" | "vector";

export interface Parameter {
  readonly layout: Layout;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface NetData {
  readonly parameters: readonly Parameter[];
  /** [N, C, H, W] or [N, features]. */
  readonly inputShape: readonly number[];
  readonly inputs: Float32Array;
}

const STAGES = [
  [16, 16, 1],
  [16, 32, 2],
  [32, 64, 2],
] as const;

export function netData(net: NetName): NetData {
  const parameters: Parameter[] = [];
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b);
  const draw = (layout: Layout, shape: number[], bound: number) =>
    parameters.push({ layout, shape, values: uniform(100 + parameters.length, size(shape), -bound, bound) });
  const constant = (shape: number[], value: number) =>
    parameters.push({ layout: "vector", shape, values: new Float32Array(size(shape)).fill(value) });
  const linear = (inputs: number, outputs: number, layout: Layout = "linear") => {
    draw(layout, [outputs, inputs], inputs ** -0.5);
    draw("vector", [outputs], inputs ** -0.5);
  };
  const conv = (inputs: number, outputs: number) => draw("conv", [outputs, inputs, 3, 3], (9 * inputs) ** -0.5);
  const norm = (channels: number) => {
    constant([channels], 1);
    constant([channels], 0);
  };
  const data = (...inputShape: number[]): NetData => ({
    parameters,
    inputShape,
    inputs: uniform(2, size(inputShape), -1.7, 1.7),
  });
  switch (net) {
    case "mlp":
      linear(784, 256);
      linear(256, 128);
      linear(128, 10);
      return data(64, 784);
    case "small":
      linear(10, 100);
      linear(100, 100);
      linear(100, 10);
      return data(32, 10);
    case "cnn":
      conv(1, 32);
      draw("vector", [32], 1 / 3);
      conv(32, 64);
      draw("vector", [64], 288 ** -0.5);
      linear(64 * 49, 128, "flattened");
      linear(128, 10);
      return data(64, 1, 28, 28);
    case "resnet20":
      conv(3, 16);
      norm(16);
      for (const [inputs, outputs] of STAGES) {
        for (let block = 0; block < 3; block++) {
          conv(block === 0 ? inputs : outputs, outputs);
          norm(outputs);
          conv(outputs, outputs);
          norm(outputs);
        }
      }
      linear(64, 10);
      return data(64, 3, 32, 32);
  }
}

/** What the nets are made of. Parameters are passed as the library holds them. */
export interface Ops<T> {
  linear(x: T, weight: T, bias: T): T;
  relu(x: T): T;
  /** 3×3, padding 1. */
  conv(x: T, weight: T, bias: T | null, stride: number): T;
  /** 2×2, stride 2. */
  maxPool(x: T): T;
  /** Batch norm: by the batch's statistics when training, by running ones of 0 and 1 otherwise. */
  norm(x: T, weight: T, bias: T): T;
  /** a + b. */
  add(a: T, b: T): T;
  /** Every second pixel, and `extra` channels of zeros on both sides. */
  shrink(x: T, extra: number): T;
  /** [N, C, H, W] → [N, C]. */
  globalAverage(x: T): T;
  flatten(x: T): T;
  /** One more owner of x, for libraries whose ops consume their operands. */
  share(x: T): T;
}

export function forward<T>(net: NetName, ops: Ops<T>, parameters: readonly T[], x: T): T {
  let at = 0;
  const next = () => parameters[at++];
  const linear = () => {
    x = ops.linear(x, next(), next());
  };
  if (net === "mlp" || net === "small") {
    linear();
    x = ops.relu(x);
    linear();
    x = ops.relu(x);
    linear();
    return x;
  }
  if (net === "cnn") {
    x = ops.maxPool(ops.relu(ops.conv(x, next(), next(), 1)));
    x = ops.maxPool(ops.relu(ops.conv(x, next(), next(), 1)));
    x = ops.flatten(x);
    linear();
    x = ops.relu(x);
    linear();
    return x;
  }
  const normed = (y: T, stride: number) => ops.norm(ops.conv(y, next(), null, stride), next(), next());
  x = ops.relu(normed(x, 1));
  for (const [inputs, outputs, firstStride] of STAGES) {
    for (let block = 0; block < 3; block++) {
      const stride = block === 0 ? firstStride : 1;
      const around = ops.share(x);
      const out = normed(ops.relu(normed(x, stride)), 1);
      x = ops.relu(ops.add(out, stride === 1 ? around : ops.shrink(around, (outputs - inputs) / 2)));
    }
  }
  x = ops.globalAverage(x);
  linear();
  return x;
}

/** Moves axes of values: out's axis d is the input's axis order[d]. */
export function permuted(values: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
  const out = new Float32Array(values.length);
  const at = order.map(() => 0);
  for (let i = 0; i < out.length; i++) {
    out[i] = values[order.reduce((sum, d, axis) => sum + at[axis] * strides[d], 0)];
    for (let axis = order.length - 1; axis >= 0 && ++at[axis] === shape[order[axis]]; axis--) at[axis] = 0;
  }
  return out;
}
