export * from "./memory";
// The tiles first: both builds then have the same functions in the same order, which is half of why the two together take
// little more room than one (scripts/embed.mjs).
export * from "./matmul-tiles-generated";
export * from "./matmul";
export * from "./elementwise";
export * from "./integer";
export * from "./activation";
export * from "./reduce";
export * from "./softmax";
export * from "./loss";
export * from "./norm";
export * from "./batch-norm";
export * from "./indexing";
export * from "./clip";
export * from "./sgd";
export * from "./adam";
export * from "./rmsprop";
export * from "./adagrad";
export * from "./adadelta";
export * from "./max-pool";
export * from "./avg-pool";
export * from "./interpolate";
export * from "./transforms";
export * from "./crop";
export * from "./resample";
export * from "./color";
export * from "./peak";
