/** The peers' own types are not asked for: without them the bench type-checks on a clone that has not installed them. */
declare module "@tensorflow/tfjs";
declare module "@tensorflow/tfjs-backend-wasm";
declare module "@jax-js/jax";
declare module "onnxruntime-web/wasm";
declare module "onnxruntime-node";
declare module "onnx-proto";
