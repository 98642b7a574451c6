/** jax-js on its wasm device, everything under jit, as its documentation advises. */
import * as jax from "@jax-js/jax";
import { forward, netData, type Ops, type Parameter, permuted } from "../nets.js";
import {
  CHECKED_STEPS,
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
const { numpy: np, nn, lax, jit, valueAndGrad, blockUntilReady } = jax;

const of = (values: ArrayLike<number>, shape: readonly number[]): T => np.array(values).reshape([...shape]);

function held({ layout, shape, values }: Parameter): T {
  if (layout === "linear" || layout === "flattened") return of(permuted(values, shape, [1, 0]), [shape[1], shape[0]]);
  return of(values, shape);
}

/** Its ops own their operands: what is used again is passed as `.ref`. */
const opsOf = (training: boolean): Ops<T> => {
  const channels = (v: T) => v.reshape([1, -1, 1, 1]);
  const pair = [1, 1];
  return {
    linear: (x, weight, bias) => np.matmul(x, weight).add(bias),
    relu: nn.relu,
    conv: (x, weight, bias, stride) => {
      const out = lax.convGeneralDilated(x, weight, [stride, stride], [pair, pair]);
      return bias === null ? out : out.add(channels(bias));
    },
    maxPool: (x) => lax.reduceWindow(x, (window: T) => np.max(window), [1, 1, 2, 2], [1, 1, 2, 2]),
    norm: (x, weight, bias) => {
      if (!training) return x.mul(channels(weight).mul((1 + 1e-5) ** -0.5)).add(channels(bias));
      const axes = { keepdims: true };
      const centred = x.ref.sub(np.mean(x, [0, 2, 3], axes));
      const variance = np.mean(np.square(centred.ref), [0, 2, 3], axes);
      return centred.mul(channels(weight).div(np.sqrt(variance.add(1e-5)))).add(channels(bias));
    },
    add: np.add,
    shrink: (x, extra) => {
      const [n, c, h, w] = x.shape;
      // Every second pixel: split both axes into pairs and take the first of each.
      const pairs = x.reshape([n, c, h / 2, 2, w / 2, 2]);
      const every = pairs.slice([], [], [], 0, [], 0);
      return np.pad(every, [
        [0, 0],
        [extra, extra],
        [0, 0],
        [0, 0],
      ]);
    },
    globalAverage: (x) => np.mean(x, [2, 3]),
    flatten: (x) => x.reshape([x.shape[0], -1]),
    share: (x) => x.ref,
  };
};

function netOf(name: NetName) {
  const { parameters, inputShape, inputs } = netData(name);
  return { parameters: parameters.map(held), x: of(inputs, inputShape) };
}

function resultOf(compute: (...operands: T[]) => T, ...operands: T[]): Job {
  const compiled = jit(compute);
  const call = () => compiled(...operands.map((t) => t.ref));
  const run = async () => {
    const out = call();
    await blockUntilReady(out);
    out.dispose();
  };
  return { run, check: () => call().data() };
}

function step(name: NetName): Job {
  const { parameters, x } = netOf(name);
  const targets = nn.oneHot(np.array(labels(x.shape[0])), 10);
  const ops = opsOf(true);
  const lossOf = (ps: T[], inputs: T, hot: T) =>
    nn
      .logSoftmax(forward(name, ops, ps, inputs), 1)
      .mul(hot)
      .sum()
      .mul(-1 / x.shape[0]);
  const compiled = jit((ps: T[], vs: T[], inputs: T, hot: T) => {
    const [loss, grads] = valueAndGrad(lossOf)(jax.tree.ref(ps), inputs, hot);
    const norm = np.sqrt(grads.map((g: T) => np.square(g.ref).sum()).reduce(np.add));
    const scale = np.minimum(1, np.reciprocal(norm.add(1e-6)));
    const moved = vs.map((v, i) => v.mul(MOMENTUM).add(grads[i].mul(scale.ref)));
    scale.dispose();
    const after = ps.map((p, i) => p.sub(moved[i].ref.mul(LR)));
    return { loss, parameters: after, momentum: moved };
  });
  let state = { parameters, momentum: parameters.map((p) => np.zeros(p.shape)) };
  const run = async () => {
    const { loss, ...after } = compiled(state.parameters, state.momentum, x.ref, targets.ref);
    state = after;
    await blockUntilReady([loss, after]);
    return loss;
  };
  return {
    run: async () => (await run()).dispose(),
    async check() {
      const losses = new Float32Array(CHECKED_STEPS);
      for (let i = 0; i < CHECKED_STEPS; i++) losses[i] = (await run()).item();
      return losses;
    },
  };
}

/** It has no random crop: a gather by indices drawn in JavaScript. */
function augmentation(batch: number): Job {
  const images = of(Float32Array.from(pixels(batch * 3 * 32 * 32)), [batch, 3, 32, 32]);
  const [mean, std] = [MEAN, STD].map((v) =>
    of(
      Float32Array.from(v, (c) => 255 * c),
      [1, 3, 1, 1],
    ),
  );
  const around = [4, 4];
  const compiled = jit((x: T, indices: T, m: T, s: T) => {
    const padded = np.pad(x, [[0, 0], [0, 0], around, around]);
    return np.take(np.ravel(padded), indices).reshape([batch, 3, 32, 32]).sub(m).div(s);
  });
  const call = () => {
    const indices = new Int32Array(batch * 3 * 32 * 32);
    let at = 0;
    for (let i = 0; i < batch; i++) {
      const [top, left] = [Math.floor(9 * Math.random()), Math.floor(9 * Math.random())];
      const [first, direction] = Math.random() < 0.5 ? [left + 31, -1] : [left, 1];
      for (let c = 0; c < 3; c++) {
        for (let y = 0; y < 32; y++) {
          const row = ((i * 3 + c) * 40 + top + y) * 40 + first;
          for (let x = 0; x < 32; x++) indices[at++] = row + direction * x;
        }
      }
    }
    return compiled(images.ref, np.array(indices), mean.ref, std.ref);
  };
  const run = async () => {
    const out = call();
    await blockUntilReady(out);
    out.dispose();
  };
  return { run, check: () => call().data() };
}

function open(work: Work): Job {
  switch (work.kind) {
    case "matmul": {
      const { m, k, n } = work;
      return resultOf(np.matmul, of(uniform(1, m * k, -1, 1), [m, k]), of(uniform(2, k * n, -1, 1), [k, n]));
    }
    case "linear": {
      const { batch, inputs, outputs } = work;
      const weight = held({ layout: "linear", shape: [outputs, inputs], values: uniform(2, outputs * inputs, -1, 1) });
      const x = of(uniform(1, batch * inputs, -1, 1), [batch, inputs]);
      return resultOf(opsOf(false).linear, x, weight, np.array(uniform(3, outputs, -1, 1)));
    }
    case "elementwise": {
      const [x, y] = [1, 2].map((seed) => np.array(uniform(seed, work.n, -3, 3)));
      if (work.op === "add") return resultOf(np.add, x, y);
      return resultOf(work.op === "relu" ? nn.relu : np[work.op], x);
    }
    case "softmax": {
      const { rows, columns } = work;
      return resultOf((t) => nn.softmax(t, 1), of(uniform(1, rows * columns, -3, 3), [rows, columns]));
    }
    case "forward": {
      const { parameters, x } = netOf(work.net);
      const ops = opsOf(false);
      return resultOf((input: T, ...ps: T[]) => forward(work.net, ops, ps, input), x, ...parameters);
    }
    case "step":
      return step(work.net);
    case "augmentation":
      return augmentation(work.batch);
    case "first":
      return resultOf((x) => x.add(1).sum(), np.array(new Float32Array([1, 2])));
  }
}

/** @param version of the package, which does not tell it itself */
export default async function load(version: string): Promise<Peer> {
  const devices = await jax.init("wasm");
  if (!devices.includes("wasm")) throw new Error(`no wasm device; there are ${devices.join(", ")}`);
  jax.defaultDevice("wasm");
  return { description: `jax-js ${version}, wasm, jit`, open };
}
