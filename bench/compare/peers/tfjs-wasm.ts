/** TensorFlow.js on its WebAssembly backend, SIMD build, one thread. */

import * as tf from "@tensorflow/tfjs";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { start } from "./tfjs.js";

/** @param binaries where a page finds the .wasm files; Node finds them itself */
export default async function load(binaries?: string) {
  if (binaries !== undefined) setWasmPaths(binaries);
  setThreadsCount(1);
  const simd = await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT");
  return start("wasm", `wasm backend, ${simd ? "SIMD" : "no SIMD"}, 1 thread`);
}
