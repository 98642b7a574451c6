/** Random transforms: what they draw, and in which order. */
import type { DType } from "../dtype.js";
import { defaultGenerator } from "../generator.js";
import { fillUniform } from "../random.js";
import type { Tensor } from "../tensor.js";
import { type ImageShape, type Images, imagesOf, PIXELS } from "./image.js";
import { Transform } from "./transform.js";

/**
 * Base of the random transforms. Drawing and applying are apart, so that the same draws serve one image, a batch, and a
 * fused pass over several transforms.
 *
 * One image draws from the default generator what torchvision draws for it, in its order, so `manualSeed(s)` gives the image
 * that `torch.manual_seed(s)` gives there. A batch makes the draws of its first image, then of its second, and so on; in a
 * chain that is given a batch every transform does so in turn. A DataLoader draws as PyTorch's, sample by sample, each for
 * the whole chain, whether it then transforms the batch at once or not.
 */
export abstract class RandomTransform<Draw = any> extends Transform {
  /** @internal The dtypes it takes. */
  readonly dtypes: readonly DType[] = PIXELS;

  /** @internal What is random about one image of this shape. */
  abstract draw(shape: ImageShape): Draw;

  /** @internal The images, each with its draw. `given` is what `images` was made of. */
  abstract transform(images: Images, draws: readonly Draw[], given: Tensor): Tensor;

  forward(image: Tensor): Tensor {
    const images = imagesOf(image, this.constructor.name, this.dtypes);
    return this.transform(images, this.drawAll(images.count, images.shape), image);
  }

  /** @internal The image or batch with draws made before. */
  applyTo(image: Tensor, draws: readonly Draw[]): Tensor {
    return this.transform(imagesOf(image, this.constructor.name, this.dtypes), draws, image);
  }

  /** @internal */
  drawAll(count: number, shape: ImageShape): Draw[] {
    const draws = new Array<Draw>(count);
    for (let i = 0; i < count; i++) draws[i] = this.draw(shape);
    return draws;
  }
}

/** torch.rand(1) < p; the comparison is one of float32. */
export const happens = (p: number): boolean => defaultGenerator().uniform32() < Math.fround(p);

/** torch.randint(0, n, (1,)). */
export function drawBelow(n: number): number {
  const word = defaultGenerator().random32();
  // Exact, and faster than % of unsigned numbers (random.ts).
  return word - Math.floor(word / n) * n;
}

const one = new Float32Array(1);

/** torch.empty(1).uniform_(from, to). */
export function drawUniform(from: number, to: number): number {
  fillUniform(one, from, to);
  return one[0];
}

/**
 * The sides of a random rectangle, as RandomResizedCrop and RandomErasing draw it: its share of the area uniform in `scale`,
 * its width over its height log-uniform in `ratio`.
 */
export function drawSides(area: number, scale: readonly number[], ratio: readonly number[]): [number, number] {
  const { fround } = Math;
  const target = area * drawUniform(scale[0], scale[1]);
  const aspect = fround(Math.exp(drawUniform(fround(Math.log(fround(ratio[0]))), fround(Math.log(fround(ratio[1]))))));
  return [roundHalfEven(Math.sqrt(target * aspect)), roundHalfEven(Math.sqrt(target / aspect))];
}

/** Python's round(). */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}
