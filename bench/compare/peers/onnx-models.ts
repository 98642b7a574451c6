/** ONNX models of the rows, written with the protobuf definition of onnx-proto. */
import onnxProto from "onnx-proto";
import { forward, netData, type Ops } from "../nets.js";
import type { Elementwise, NetName } from "../work.js";

const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE = { FLOAT: 1, INT: 2, INTS: 7 };

type Attribute = number | readonly number[];

/** A graph under construction; values are known by name. */
class Graph {
  private readonly nodes: object[] = [];
  private readonly initializers: object[] = [];
  private readonly inputs: object[] = [];
  private names = 0;

  private name(): string {
    return `t${this.names++}`;
  }

  private static value(name: string, shape: readonly number[]): object {
    return { name, type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } } };
  }

  input(shape: readonly number[]): string {
    const name = `x${this.inputs.length}`;
    this.inputs.push(Graph.value(name, shape));
    return name;
  }

  constant(shape: readonly number[], values: Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.initializer({ dims: [...shape], dataType: FLOAT, rawData });
  }

  integers(values: readonly number[]): string {
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.initializer({ dims: [values.length], dataType: INT64, rawData });
  }

  private initializer(fields: object): string {
    const name = this.name();
    this.initializers.push({ name, ...fields });
    return name;
  }

  node(opType: string, input: readonly string[], attributes: Record<string, Attribute> = {}): string {
    const output = this.name();
    const attribute = Object.entries(attributes).map(([name, value]) => {
      if (typeof value !== "number") return { name, type: ATTRIBUTE.INTS, ints: [...value] };
      // Of ours only epsilon and the like are floats.
      return Number.isInteger(value)
        ? { name, type: ATTRIBUTE.INT, i: value }
        : { name, type: ATTRIBUTE.FLOAT, f: value };
    });
    this.nodes.push({ opType, input: [...input], output: [output], attribute });
    return output;
  }

  /** The bytes of a model with this one result. */
  model(result: string, shape: readonly number[]): Uint8Array {
    this.nodes.push({ opType: "Identity", input: [result], output: ["out"] });
    return onnxProto.onnx.ModelProto.encode({
      irVersion: 8,
      producerName: "lanegrad-bench",
      opsetImport: [{ domain: "", version: 13 }],
      graph: {
        name: "graph",
        node: this.nodes,
        initializer: this.initializers,
        input: this.inputs,
        output: [Graph.value("out", shape)],
      },
    }).finish();
  }
}

const opsOf = (g: Graph): Ops<string> => ({
  linear: (x, weight, bias) => g.node("Gemm", [x, weight, bias], { transB: 1 }),
  relu: (x) => g.node("Relu", [x]),
  conv: (x, weight, bias, stride) =>
    g.node("Conv", bias === null ? [x, weight] : [x, weight, bias], { strides: [stride, stride], pads: [1, 1, 1, 1] }),
  maxPool: (x) => g.node("MaxPool", [x], { kernel_shape: [2, 2], strides: [2, 2] }),
  norm: (x, weight, bias) => {
    const channels = sizes.get(g)!.get(weight)!;
    const mean = g.constant([channels], new Float32Array(channels));
    const variance = g.constant([channels], new Float32Array(channels).fill(1));
    return g.node("BatchNormalization", [x, weight, bias, mean, variance], { epsilon: 1e-5 });
  },
  add: (a, b) => g.node("Add", [a, b]),
  shrink: (x, extra) => {
    const big = 2 ** 31 - 1;
    const [starts, ends] = [g.integers([0, 0]), g.integers([big, big])];
    const every = g.node("Slice", [x, starts, ends, g.integers([2, 3]), g.integers([2, 2])]);
    return g.node("Pad", [every, g.integers([0, extra, 0, 0, 0, extra, 0, 0])]);
  },
  globalAverage: (x) => g.node("Flatten", [g.node("GlobalAveragePool", [x])]),
  flatten: (x) => g.node("Flatten", [x]),
  share: (x) => x,
});

/** Lengths of the vectors among a graph's constants. */
const sizes = new WeakMap<Graph, Map<string, number>>();

export function netModel(net: NetName): Uint8Array {
  const g = new Graph();
  const { parameters, inputShape } = netData(net);
  const x = g.input(inputShape);
  const lengths = new Map<string, number>();
  sizes.set(g, lengths);
  const constants = parameters.map(({ shape, values }) => {
    const name = g.constant(shape, values);
    lengths.set(name, shape[0]);
    return name;
  });
  return g.model(forward(net, opsOf(g), constants, x), [inputShape[0], 10]);
}

export function matmulModel(m: number, k: number, n: number): Uint8Array {
  const g = new Graph();
  return g.model(g.node("MatMul", [g.input([m, k]), g.input([k, n])]), [m, n]);
}

export function linearModel(
  batch: number,
  inputs: number,
  outputs: number,
  weight: Float32Array,
  bias: Float32Array,
): Uint8Array {
  const g = new Graph();
  const [w, b] = [g.constant([outputs, inputs], weight), g.constant([outputs], bias)];
  return g.model(opsOf(g).linear(g.input([batch, inputs]), w, b), [batch, outputs]);
}

const NODE_OF: Record<Elementwise, string> = { add: "Add", relu: "Relu", exp: "Exp", tanh: "Tanh" };

export function elementwiseModel(op: Elementwise, n: number): Uint8Array {
  const g = new Graph();
  const operands = op === "add" ? [g.input([n]), g.input([n])] : [g.input([n])];
  return g.model(g.node(NODE_OF[op], operands), [n]);
}

export function softmaxModel(rows: number, columns: number): Uint8Array {
  const g = new Graph();
  return g.model(g.node("Softmax", [g.input([rows, columns])], { axis: 1 }), [rows, columns]);
}

/** There is no such op; the runtime shall say so itself. */
export function cropModel(batch: number): Uint8Array {
  const g = new Graph();
  return g.model(g.node("RandomCrop", [g.input([batch, 3, 32, 32])]), [batch, 3, 32, 32]);
}

/** The sum of x + 1. */
export function firstModel(): Uint8Array {
  const g = new Graph();
  const more = g.node("Add", [g.input([2]), g.constant([1], Float32Array.of(1))]);
  return g.model(g.node("ReduceSum", [more], { keepdims: 0 }), []);
}
