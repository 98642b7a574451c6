/** Who is compared, and how each is started. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPython } from "../python.js";

export type Place = "node" | "browser";
const BOTH = ["node", "browser"] as const;
const NODE = ["node"] as const;

export interface PeerInfo {
  /** What the command line calls it. */
  readonly name: string;
  readonly title: string;
  /** Runs wherever JavaScript does; the others are native code. */
  readonly javascript: boolean;
  /** Where it is measured. */
  readonly places: readonly Place[];
  /** Of bench/package.json. */
  readonly packages: readonly string[];
}

export const PEERS: readonly PeerInfo[] = [
  { name: "lanegrad", title: "lanegrad", javascript: true, places: BOTH, packages: [] },
  {
    name: "tfjs-wasm",
    title: "TensorFlow.js wasm",
    javascript: true,
    places: BOTH,
    packages: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"],
  },
  {
    name: "tfjs-cpu",
    title: "TensorFlow.js cpu",
    javascript: true,
    places: BOTH,
    packages: ["@tensorflow/tfjs"],
  },
  {
    name: "tfjs-webgl",
    title: "TensorFlow.js webgl",
    javascript: true,
    places: ["browser"],
    packages: ["@tensorflow/tfjs"],
  },
  { name: "jax", title: "jax-js wasm", javascript: true, places: BOTH, packages: ["@jax-js/jax"] },
  {
    name: "ort-web",
    title: "onnxruntime-web",
    javascript: true,
    places: NODE,
    packages: ["onnxruntime-web", "onnx-proto"],
  },
  {
    name: "ort-node",
    title: "onnxruntime-node",
    javascript: false,
    places: NODE,
    packages: ["onnxruntime-node", "onnx-proto"],
  },
  { name: "pytorch", title: "PyTorch", javascript: false, places: NODE, packages: [] },
];

export const HOW_TO_INSTALL = "npm run bench:install";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Interpreters {
  readonly node: string;
  /** For PyTorch; undefined: look for one. */
  readonly python?: string;
}

/**
 * How a peer's process is started.
 * @throws Error that says how to install a peer that is not there
 */
export function commandOf(peer: PeerInfo, { node, python }: Interpreters): Command {
  const here = dirname(fileURLToPath(import.meta.url));
  if (peer.name === "pytorch") {
    const found = findPython(python);
    if (found === null) {
      throw new Error("not installed: apt-get install python3-torch libopenblas0-pthread, or say --python PATH");
    }
    return { file: found, args: [join(here, "..", "compare", "pytorch_peer.py")] };
  }
  const { resolve } = createRequire(import.meta.url);
  const missing = peer.packages.find((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing !== undefined) throw new Error(`not installed (${missing}): ${HOW_TO_INSTALL}`);
  return { file: node, args: [join(here, "worker.mjs"), peer.name] };
}
