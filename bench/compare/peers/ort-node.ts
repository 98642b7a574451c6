/** onnxruntime's native library for Node, one thread. */
import ort from "onnxruntime-node";
import { start } from "./onnx.js";

export default () => start(ort, "cpu", `onnxruntime-node ${ort.env.versions.node}, native, 1 thread`);
