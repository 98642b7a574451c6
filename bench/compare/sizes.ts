/** What a page has to load to use a library: a small program bundled and minified as users do it, and its .wasm, in gzip. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const bench = join(dirname(fileURLToPath(import.meta.url)), "..");
const root = join(bench, "..");

const TFJS = (backend: string) => `
  import { train, tensor, variable, matMul, losses, relu } from "@tensorflow/tfjs-core";
  import "@tensorflow/tfjs-core/dist/register_all_gradients";
  import "@tensorflow/tfjs-backend-${backend}";
  const weight = variable(tensor([[1], [2]]));
  const optimizer = train.sgd(0.1);
  export const step = (x, y) => optimizer.minimize(() => losses.meanSquaredError(y, relu(matMul(x, weight))));
`;

/** One layer trained; onnxruntime, which cannot, runs a model. */
const PROGRAMS: Record<string, { source: string; wasm?: string }> = {
  lanegrad: {
    source: `
      import * as nn from "${join(root, "dist/nn.js")}";
      import * as F from "${join(root, "dist/functional.js")}";
      import * as optim from "${join(root, "dist/optim.js")}";
      const layer = new nn.Linear(2, 1);
      const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
      export function step(x, y) {
        optimizer.zeroGrad();
        F.mseLoss(F.relu(layer(x)), y).backward();
        optimizer.step();
      }`,
  },
  "tfjs-cpu": { source: TFJS("cpu") },
  "tfjs-wasm": {
    source: TFJS("wasm"),
    wasm: "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm",
  },
  jax: {
    source: `
      import { jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
      const lossOf = (w, x, y) => np.mean(np.square(nn.relu(np.matmul(x, w)).sub(y)));
      export const step = jit((w, x, y) => {
        const [loss, grad] = valueAndGrad(lossOf)(w.ref, x, y);
        return [loss, w.sub(grad.mul(0.1))];
      });`,
  },
  "ort-web": {
    source: `
      import { InferenceSession, Tensor } from "onnxruntime-web/wasm";
      export const run = async (model, x) => (await InferenceSession.create(model)).run({ x: new Tensor(x, [1, 2]) });`,
    wasm: "onnxruntime-web/ort-wasm-simd-threaded.wasm",
  },
};

const gzip = (bytes: Uint8Array) => gzipSync(bytes, { level: 9 }).length;

/** @throws Error for what does not run in a page */
export async function sizeOf(peer: string): Promise<number> {
  const program = PROGRAMS[peer];
  if (program === undefined) throw new Error("native: does not run in a page");
  const { outputFiles } = await build({
    stdin: { contents: program.source, resolveDir: bench },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    mainFields: ["module", "browser", "main"],
    external: ["node:*", "fs", "path", "os", "util", "crypto", "worker_threads", "perf_hooks", "module", "url"],
    write: false,
    logLevel: "silent",
  });
  const wasm =
    program.wasm === undefined ? 0 : gzip(readFileSync(createRequire(import.meta.url).resolve(program.wasm)));
  return gzip(outputFiles[0].contents) + wasm;
}
