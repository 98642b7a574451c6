/** TensorFlow.js: eager ops on the cpu (plain JavaScript), wasm (XNNPACK, SIMD) or webgl backend; NHWC, its native layout. */
import * as tf from "@tensorflow/tfjs";
import { forward, netData, type Ops, type Parameter, permuted } from "../nets.js";
import {
  CHECKED_STEPS,
  type Elementwise,
  type Job,
  LR,
  labels,
  MEAN,
  MOMENTUM,
  type NetName,
  type Peer,
  pixels,
  STD,
  uniform,
  type Work,
} from "../work.js";

type T = any;

/** In the layouts that its kernels take without transposing. */
function held({ layout, shape, values }: Parameter): T {
  if (layout === "conv")
    return tf.tensor(
      permuted(values, shape, [2, 3, 1, 0]),
      [2, 3, 1, 0].map((d) => shape[d]),
    );
  if (layout === "linear") return tf.tensor(permuted(values, shape, [1, 0]), [shape[1], shape[0]]);
  if (layout === "flattened") {
    const [out, features] = shape;
    return tf.tensor(permuted(values, [out, features / 49, 7, 7], [2, 3, 1, 0]), [features, out]);
  }
  return tf.tensor(values, [...shape]);
}

const opsOf = (training: boolean): Ops<T> => ({
  linear: (x, weight, bias) => tf.add(tf.matMul(x, weight), bias),
  relu: tf.relu,
  conv: (x, weight, bias, stride) => {
    // Padding 1 on all sides; "same" would pad only below and to the right for stride 2.
    const out = tf.conv2d(x, weight, stride, 1);
    return bias === null ? out : tf.add(out, bias);
  },
  maxPool: (x) => tf.maxPool(x, 2, 2, "valid"),
  norm: (x, weight, bias) => {
    if (!training) return tf.batchNorm(x, tf.zerosLike(bias), tf.onesLike(weight), bias, weight, 1e-5);
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(x, mean, variance, bias, weight, 1e-5);
  },
  add: tf.add,
  shrink: (x, extra) => {
    const none = [0, 0];
    return tf.pad(tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, 2, 2, 1]), [none, none, none, [extra, extra]]);
  },
  globalAverage: (x) => tf.mean(x, [1, 2]),
  flatten: (x) => tf.reshape(x, [x.shape[0], -1]),
  share: (x) => x,
});

function netOf(name: NetName) {
  const { parameters, inputShape, inputs } = netData(name);
  const images = inputShape.length === 4;
  const x = images
    ? tf.tensor(
        permuted(inputs, inputShape, [0, 2, 3, 1]),
        [0, 2, 3, 1].map((d) => inputShape[d]),
      )
    : tf.tensor(inputs, [...inputShape]);
  return { parameters: parameters.map(held), x };
}

/** A graphics card works on after the call returns: only reading waits for it. */
let finish: (t: T) => unknown = () => {};

function resultOf(compute: () => T): Job {
  const run = () => {
    const out = tf.tidy(compute);
    const done = finish(out);
    out.dispose();
    return done;
  };
  return { run, check: () => tf.tidy(compute).data() };
}

function step(name: NetName): Job {
  const { parameters, x } = netOf(name);
  const variables = parameters.map((p) => tf.variable(p));
  const targets = tf.oneHot(tf.tensor1d(labels(x.shape[0]), "int32"), 10);
  const optimizer = tf.train.momentum(LR, MOMENTUM);
  const ops = opsOf(true);
  const lossOf = () => tf.losses.softmaxCrossEntropy(targets, forward(name, ops, variables, x));
  const compute = () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(lossOf, variables);
      const squares = Object.values(grads).map((g: T) => tf.sum(tf.square(g)));
      const scale = tf.minimum(1, tf.div(1, tf.add(tf.sqrt(tf.addN(squares)), 1e-6)));
      const clipped = Object.fromEntries(Object.entries(grads).map(([key, g]) => [key, tf.mul(g, scale)]));
      optimizer.applyGradients(clipped);
      return value;
    });
  return {
    ...resultOf(compute),
    check: () => Float32Array.from({ length: CHECKED_STEPS }, () => compute().dataSync()[0]),
  };
}

/** It has no random crop: one slice an image, reversed for half of them. */
function augmentation(batch: number): Job {
  const bytes = Float32Array.from(pixels(batch * 3 * 32 * 32));
  const images = tf.tensor(permuted(bytes, [batch, 3, 32, 32], [0, 2, 3, 1]), [batch, 32, 32, 3]);
  const mean = tf.tensor(MEAN.map((m) => 255 * m));
  const std = tf.tensor(STD.map((s) => 255 * s));
  const compute = () => {
    const around = [4, 4];
    const padded = tf.pad(images, [[0, 0], around, around, [0, 0]]);
    const crops = Array.from({ length: batch }, (_, i) => {
      const [y, x] = [Math.floor(9 * Math.random()), Math.floor(9 * Math.random())];
      const crop = tf.slice(padded, [i, y, x, 0], [1, 32, 32, 3]);
      return Math.random() < 0.5 ? tf.reverse(crop, 2) : crop;
    });
    return tf.div(tf.sub(tf.concat(crops), mean), std);
  };
  const check = async () => permuted(await compute().data(), [batch, 32, 32, 3], [0, 3, 1, 2]);
  return { ...resultOf(compute), check };
}

const ELEMENTWISE: Record<Elementwise, (x: T, y: T) => T> = { add: tf.add, relu: tf.relu, exp: tf.exp, tanh: tf.tanh };

function open(work: Work): Job {
  switch (work.kind) {
    case "matmul": {
      const { m, k, n } = work;
      const [a, b] = [tf.tensor(uniform(1, m * k, -1, 1), [m, k]), tf.tensor(uniform(2, k * n, -1, 1), [k, n])];
      return resultOf(() => tf.matMul(a, b));
    }
    case "linear": {
      const { batch, inputs, outputs } = work;
      const x = tf.tensor(uniform(1, batch * inputs, -1, 1), [batch, inputs]);
      const weight = held({ layout: "linear", shape: [outputs, inputs], values: uniform(2, outputs * inputs, -1, 1) });
      const bias = tf.tensor(uniform(3, outputs, -1, 1));
      return resultOf(() => tf.fused.matMul({ a: x, b: weight, bias }));
    }
    case "elementwise": {
      const [x, y] = [1, 2].map((seed) => tf.tensor(uniform(seed, work.n, -3, 3)));
      return resultOf(() => ELEMENTWISE[work.op](x, y));
    }
    case "softmax": {
      const { rows, columns } = work;
      const x = tf.tensor(uniform(1, rows * columns, -3, 3), [rows, columns]);
      return resultOf(() => tf.softmax(x));
    }
    case "forward": {
      const { parameters, x } = netOf(work.net);
      return resultOf(() => forward(work.net, opsOf(false), parameters, x));
    }
    case "step":
      return step(work.net);
    case "augmentation":
      return augmentation(work.batch);
    case "first":
      return resultOf(() => tf.sum(tf.add(tf.tensor([1, 2]), 1)));
  }
}

/** The backend's module has been loaded by the caller; this makes it the one in use. */
export async function start(backend: "cpu" | "wasm" | "webgl", about: string): Promise<Peer> {
  if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend does not start here`);
  await tf.ready();
  if (backend === "webgl") finish = (t) => t.data();
  return { description: `TensorFlow.js ${tf.version.tfjs}, ${about}`, open };
}
