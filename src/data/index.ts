/** `data`: datasets and their loader, under the names of torch.utils.data and torchvision.datasets. */
export { CIFAR10, type CIFAR10Options } from "./cifar.js";
export { collate } from "./collate.js";
export { Dataset, type DatasetLike, randomSplit, Subset, TensorDataset } from "./dataset.js";
export type { FileSource } from "./files.js";
export { ImageDataset, type ImageOptions } from "./images.js";
export { DataLoader, type DataLoaderOptions, type DataLoaderState, type DefaultBatch } from "./loader.js";
export { FashionMNIST, type ImageFiles, MNIST, type MNISTOptions } from "./mnist.js";
