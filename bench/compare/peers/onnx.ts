/** onnxruntime, in WebAssembly or native: graphs, forward only, all optimisations, one thread. */
import { netData } from "../nets.js";
import { type Job, type Peer, uniform, type Work } from "../work.js";
import * as models from "./onnx-models.js";

type Operand = [values: Float32Array, shape: readonly number[]];

/** @param ort the runtime's module */
export function start(ort: any, provider: "wasm" | "cpu", description: string): Peer {
  const graph = async (model: Uint8Array, ...operands: Operand[]): Promise<Job> => {
    const session = await ort.InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: "all",
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
    const feeds = Object.fromEntries(
      operands.map(([values, shape], i) => [`x${i}`, new ort.Tensor("float32", values, [...shape])]),
    );
    return {
      run: () => session.run(feeds),
      check: async () => (await session.run(feeds)).out.data,
      dispose: () => session.release(),
    };
  };
  return {
    description,
    open(work: Work) {
      switch (work.kind) {
        case "matmul": {
          const { m, k, n } = work;
          const [a, b] = [uniform(1, m * k, -1, 1), uniform(2, k * n, -1, 1)];
          return graph(models.matmulModel(m, k, n), [a, [m, k]], [b, [k, n]]);
        }
        case "linear": {
          const { batch, inputs, outputs } = work;
          const [weight, bias] = [uniform(2, outputs * inputs, -1, 1), uniform(3, outputs, -1, 1)];
          const model = models.linearModel(batch, inputs, outputs, weight, bias);
          return graph(model, [uniform(1, batch * inputs, -1, 1), [batch, inputs]]);
        }
        case "elementwise": {
          const operands = [1, 2].map((seed): Operand => [uniform(seed, work.n, -3, 3), [work.n]]);
          const model = models.elementwiseModel(work.op, work.n);
          return graph(model, ...operands.slice(0, work.op === "add" ? 2 : 1));
        }
        case "softmax": {
          const shape = [work.rows, work.columns];
          return graph(models.softmaxModel(work.rows, work.columns), [
            uniform(1, work.rows * work.columns, -3, 3),
            shape,
          ]);
        }
        case "forward": {
          const { inputs, inputShape } = netData(work.net);
          return graph(models.netModel(work.net), [inputs, inputShape]);
        }
        case "step":
          if (ort.TrainingSession === undefined)
            throw new Error("onnxruntime's TrainingSession is undefined: forward only");
          return ort.TrainingSession.create({ trainModel: models.netModel(work.net) });
        case "augmentation": {
          const size = work.batch * 3 * 32 * 32;
          return graph(models.cropModel(work.batch), [new Float32Array(size), [work.batch, 3, 32, 32]]);
        }
        case "first":
          return graph(models.firstModel(), [Float32Array.of(1, 2), [2]]);
      }
    },
  };
}
