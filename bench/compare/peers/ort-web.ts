/** onnxruntime in WebAssembly, SIMD, one thread. */
import * as ort from "onnxruntime-web/wasm";
import { start } from "./onnx.js";

export default function load() {
  ort.env.wasm.numThreads = 1;
  return start(ort, "wasm", `onnxruntime-web ${ort.env.versions.web ?? ort.env.versions.common}, wasm, 1 thread`);
}
