/** The slice of MNIST that is shipped with the page. */
import { data, transforms } from "lanegrad";
import { SIDE } from "../settings.js";

const MEAN = 0.1307;
const STD = 0.3081;

/** Bytes to floats with a mean of 0 and a standard deviation of 1 over the training images. */
const normalize = [new transforms.ToTensor(), new transforms.Normalize([MEAN], [STD])];
const plain = new transforms.Compose(normalize);

/** Shifted by up to two pixels and turned by up to ten degrees, before that. */
const augmented = new transforms.Compose([
  new transforms.RandomCrop(SIDE, { padding: 2 }),
  new transforms.RandomRotation(10, { interpolation: "bilinear" }),
  ...normalize,
]);

async function fetchBytes(base: string, name: string): Promise<ArrayBuffer> {
  const url = new URL(`digits/${name}.gz`, base);
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.pathname}: the server answers ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

async function fetchPart(base: string, part: "train" | "t10k") {
  const names = [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`];
  const [images, labels] = await Promise.all(names.map((name) => fetchBytes(base, name)));
  return { images, labels };
}

export interface Digits {
  train: { plain: data.MNIST; augmented: data.MNIST };
  test: data.MNIST;
}

/** @param base address of the page, beside which the digits are */
export async function fetchDigits(base: string): Promise<Digits> {
  const [train, test] = await Promise.all([fetchPart(base, "train"), fetchPart(base, "t10k")]);
  return {
    train: {
      plain: new data.MNIST(train, { transform: plain }),
      augmented: new data.MNIST(train, { transform: augmented }),
    },
    test: new data.MNIST(test, { transform: plain }),
  };
}

/** Pixels from 0 to 1, as the network wants them. */
export const normalizePixels = (pixels: Float32Array): Float32Array => pixels.map((value) => (value - MEAN) / STD);
