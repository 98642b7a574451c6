/**
 * Chains of transforms on bytes, fused: whatever of cropping, padding and flipping stands before ToTensor and Normalize is
 * one window of each image, and one kernel reads the windows and writes normalised floats, bit for bit what the
 * transforms make one by one.
 */
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { k } from "../wasm/families/images.generated.js";
import { stripBytes } from "../wasm/formats.js";
import { I32 } from "../wasm/heap.js";
import { getNumThreads } from "../wasm/threads.js";
import { workspace } from "../workspace.js";
import { Normalize, ToTensor, withTables } from "./convert.js";
import { CenterCrop, type Frame, fillOf, PADDING_MODES, Pad, RandomCrop, type Window } from "./crop.js";
import { RandomHorizontalFlip, RandomVerticalFlip } from "./flip.js";
import { type ImageShape, type Images, imagesOf, PIXELS } from "./image.js";
import { RandomTransform } from "./random.js";
import { Transform, type TransformFn } from "./transform.js";

/** What the images of a batch draw for one transform; null for one that draws nothing, or not ahead. */
export type Draws = readonly any[] | null;

/** Whether the transform is of this very class: a subclass may do something else. */
const isA = (step: TransformFn | undefined, Class: unknown): boolean => step?.constructor === Class;

const isFlip = (step: TransformFn): boolean => isA(step, RandomHorizontalFlip) || isA(step, RandomVerticalFlip);
const isWindow = (step: TransformFn): boolean => isA(step, RandomCrop) || isA(step, CenterCrop) || isA(step, Pad);

/** Whether a window lies within the images for sure, and so may be cut out of another window. */
function liesInside(step: TransformFn, [, height, width]: ImageShape): boolean {
  if (isA(step, RandomCrop)) {
    const { padding, size } = step as RandomCrop;
    return padding === null && size[0] <= height && size[1] <= width;
  }
  if (isA(step, CenterCrop)) {
    const { size } = step as CenterCrop;
    return size[0] <= height && size[1] <= width;
  }
  return (step as Pad).padding.every((side) => side <= 0);
}

/**
 * How many transforms of a chain, from `at` on, one kernel does for uint8 images of this shape; 0 when they do not fit, or
 * when it would be ToTensor alone.
 */
export function fusedLength(steps: readonly TransformFn[], at: number, shape: ImageShape): number {
  let i = at;
  let current = shape;
  for (let windows = 0; i < steps.length; i++) {
    const step = steps[i];
    if (isWindow(step)) {
      // A second window that sticks out would have to see what the first one cut off.
      if (windows > 0 && !liesInside(step, current)) return 0;
      if (isA(step, RandomCrop) && !(step as RandomCrop).isOneWindow(current)) return 0;
      windows++;
      current = (step as RandomCrop).outputShape(current);
    } else if (!isFlip(step)) {
      break;
    }
  }
  if (!isA(steps[i], ToTensor)) return 0;
  const length = i + 1 - at;
  if (isA(steps[i + 1], Normalize)) return length + 1;
  return length > 1 ? length : 0;
}

/** The windows that a chain of crops, pads and flips makes of the images. */
function windowsOf(
  steps: readonly TransformFn[],
  draws: readonly Draws[],
  count: number,
  shape: ImageShape,
): { windows: Window[]; frame: Frame } {
  const windows = Array.from({ length: count }, (): Window => ({ top: 0, left: 0, flip: 0 }));
  let frame: Frame = { height: shape[1], width: shape[2], mode: "constant", fill: 0 };
  let current = shape;
  let first = true;
  steps.forEach((step, s) => {
    const drawn = draws[s];
    if (isFlip(step)) {
      const { bit } = step as RandomHorizontalFlip;
      for (let i = 0; i < count; i++) if ((drawn as boolean[])[i]) windows[i].flip ^= bit;
      return;
    }
    const { height, width, mode, fill } = (step as Pad).frame(current);
    const fixed = isA(step, RandomCrop) ? null : (step as Pad | CenterCrop).window(current);
    for (let i = 0; i < count; i++) {
      const window = windows[i];
      const { top, left } = fixed ?? (drawn as Window[])[i];
      // In mirrored images the window lies at the other end.
      window.top += window.flip & 2 ? current[1] - height - top : top;
      window.left += window.flip & 1 ? current[2] - width - left : left;
    }
    frame = first ? { height, width, mode, fill } : { ...frame, height, width };
    first = false;
    current = [shape[0], height, width];
  });
  return { windows, frame };
}

/**
 * The transforms that `fusedLength` counted, in one pass.
 *
 * @param images uint8; with indices, a dataset's [N, C, H, W] of which these rows make the batch
 */
export function runFused(
  steps: readonly TransformFn[],
  draws: readonly Draws[],
  images: Images,
  indices: Int32Array | null,
  where: string,
): Tensor {
  const { shape } = images;
  const [channels, height, width] = shape;
  const count = indices?.length ?? images.count;
  const end = steps.findIndex((step) => isA(step, ToTensor));
  const normalize = isA(steps[end + 1], Normalize) ? (steps[end + 1] as unknown as Normalize) : null;
  const tables = normalize?.tables(channels) ?? null;
  const { windows, frame } = windowsOf(steps.slice(0, end), draws, count, shape);
  const { height: oh, width: ow } = frame;
  const fill = fillOf(frame, "uint8", where);
  tick();
  const out = Tensor.allocateDurable(images.batch ? [count, channels, oh, ow] : [channels, oh, ow], "float32", where);
  const run = (mean: number, std: number) => {
    if (end === 0) {
      if (indices === null) {
        k.normalize_u8(out.ptr, images.data.ptr, count, channels, height * width, mean, std);
        return;
      }
      const idx = workspace(4 * count);
      I32.set(indices, idx >>> 2);
      k.gather_normalize_u8(out.ptr, images.data.ptr, idx, count, channels, height * width, mean, std);
      return;
    }
    const strip = stripBytes(ow) * getNumThreads();
    const table = workspace(strip + 12 * count + 4 * count);
    let at = (table + strip) >>> 2;
    for (const { top, left, flip } of windows) {
      I32[at++] = top;
      I32[at++] = left;
      I32[at++] = flip;
    }
    const idx = indices === null ? 0 : at << 2;
    if (indices !== null) I32.set(indices, at);
    const mode = PADDING_MODES.indexOf(frame.mode);
    k.crop_normalize_u8(
      out.ptr,
      images.data.ptr,
      idx,
      table + strip,
      0,
      count,
      channels,
      height,
      width,
      oh,
      ow,
      mode,
      fill,
      mean,
      std,
      table,
    );
  };
  if (tables === null) run(0, 0);
  else withTables(tables, run);
  return out;
}

// Chains -------------------------------------------------------------------------------------------------------------

/** An image or a batch through a chain, transform by transform, with what fits in one pass. */
export function runChain(steps: readonly TransformFn[], image: any): any {
  let result = image;
  for (let s = 0; s < steps.length; ) {
    const length = isBytes(result) ? fusedLength(steps, s, result.shape.slice(-3) as never) : 0;
    if (length === 0) {
      result = steps[s++](result);
      continue;
    }
    const images = imagesOf(result, "Compose", PIXELS);
    const fused = steps.slice(s, s + length);
    let { shape } = images;
    const draws = fused.map((step) => {
      const drawn = step instanceof RandomTransform ? step.drawAll(images.count, shape) : null;
      shape = (step as Transform).outputShape(shape) as ImageShape;
      return drawn;
    });
    result = runFused(fused, draws, images, null, "Compose");
    s += length;
  }
  return result;
}

const isBytes = (x: unknown): x is Tensor =>
  x instanceof Tensor && x.dtype === "uint8" && (x.ndim === 3 || x.ndim === 4);

/** Whether a transform's draws can be made ahead of it: unless a subclass says otherwise, drawing is all it draws. */
const drawsAhead = (step: TransformFn): step is RandomTransform & TransformFn =>
  step instanceof RandomTransform && step.forward === RandomTransform.prototype.forward;

/**
 * The draws of transforms for a batch, made as if its images went through the whole chain one after the other. They end
 * before the first transform whose result's shape only running it tells.
 */
export function drawBySample(steps: readonly TransformFn[], count: number, shape: ImageShape): Draws[] {
  const shapes: ImageShape[] = [];
  let current: ImageShape | null = shape;
  for (const step of steps) {
    if (current === null || !(step instanceof Transform)) break;
    if (step instanceof RandomTransform && !drawsAhead(step)) break;
    shapes.push(current);
    current = step.outputShape(current);
  }
  const draws: any[][] = shapes.map(() => []);
  const random = shapes.map((_, s) => s).filter((s) => drawsAhead(steps[s]));
  for (let i = 0; i < count; i++) {
    for (const s of random) draws[s].push((steps[s] as RandomTransform).draw(shapes[s]));
  }
  return draws.map((list, s) => (random.includes(s) ? list : null));
}
