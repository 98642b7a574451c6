/** What can be chosen. Known to the page and to the worker, so nothing of the library is imported here. */

export type ModelName = "mlp" | "cnn";
export type OptimizerName = "SGD" | "Adam" | "AdamW" | "RMSprop";

export interface Settings {
  model: ModelName;
  optimizer: OptimizerName;
  lr: number;
  batchSize: number;
  /** The part of the activations that is taken away in training. */
  dropout: number;
  /** Shift and turn the images a little, anew in every epoch. */
  augment: boolean;
  threads: number | "auto";
}

/** A learning rate with which the optimizer does well on these digits. */
export const USUAL_LR: Record<OptimizerName, number> = { SGD: 0.05, Adam: 0.002, AdamW: 0.002, RMSprop: 0.001 };

export const MODELS: Record<ModelName, { label: string; about: string }> = {
  mlp: { label: "MLP", about: "Three fully connected layers: 784 → 256 → 128 → 10" },
  cnn: { label: "CNN", about: "Two convolutions of 16 and 32 channels, two fully connected layers" },
};

export const OPTIMIZERS: Record<OptimizerName, string> = {
  SGD: "SGD, momentum 0.9",
  Adam: "Adam",
  AdamW: "AdamW",
  RMSprop: "RMSprop",
};

/** The stops of the sliders. */
export const LEARNING_RATES = [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
export const BATCH_SIZES = [8, 16, 32, 64, 128, 256];
export const DROPOUTS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];

export const DEFAULTS: Settings = {
  model: "cnn",
  optimizer: "Adam",
  lr: USUAL_LR.Adam,
  batchSize: 64,
  dropout: 0.1,
  augment: false,
  threads: "auto",
};

/** Side of an image in pixels. */
export const SIDE = 28;
