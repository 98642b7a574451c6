/** Whether a peer has computed what we have computed. */
import { MEAN, pixels, STD, type Task } from "./work.js";

const SAMPLE = 4096;
const STRIDE = 7919;

/** At most 4096 values, far apart, always the same ones; or all. */
export function sampled(values: Float32Array, all = false): Float32Array {
  if (all || values.length <= SAMPLE) return Float32Array.from(values);
  return Float32Array.from({ length: SAMPLE }, (_, i) => values[(i * STRIDE) % values.length]);
}

/** What is wrong with a peer's values, or null. */
export function disagreement(task: Task, values: Float32Array, ours: Float32Array): string | null {
  if (task.work.kind === "augmentation") return badAugmentation(values, task.work.batch);
  if (values.length !== ours.length) return `gives ${values.length} values where lanegrad gives ${ours.length}`;
  const { atol = 0, rtol = 0 } = task;
  for (let i = 0; i < ours.length; i++) {
    if (!(Math.abs(values[i] - ours[i]) <= atol + rtol * Math.abs(ours[i]))) {
      return `gives ${values[i]} where lanegrad gives ${ours[i]} (value ${i} of those compared)`;
    }
  }
  return null;
}

const SIDE = 32;
const PLANE = SIDE * SIDE;

/** Every library draws its own random numbers: each image must be one of the 162 that crop and flip can make of the original. */
export function badAugmentation(values: Float32Array, batch: number): string | null {
  if (values.length !== batch * 3 * PLANE) return `gives ${values.length} values, expected ${batch * 3 * PLANE}`;
  const images = pixels(values.length);
  const expected = (image: number, c: number, y: number, x: number) => {
    const inside = y >= 0 && y < SIDE && x >= 0 && x < SIDE;
    const value = inside ? images[(image * 3 + c) * PLANE + y * SIDE + x] / 255 : 0;
    return (value - MEAN[c]) / STD[c];
  };
  const matches = (image: number, top: number, left: number, flip: boolean) => {
    for (let i = 0; i < 3 * PLANE; i++) {
      const [c, y, x] = [Math.floor(i / PLANE), Math.floor(i / SIDE) % SIDE, i % SIDE];
      const from = expected(image, c, y + top - 4, (flip ? SIDE - 1 - x : x) + left - 4);
      if (!(Math.abs(values[image * 3 * PLANE + i] - from) < 1e-4)) return false;
    }
    return true;
  };
  const draws = new Set<string>();
  for (let image = 0; image < batch; image++) {
    let found = false;
    for (let at = 0; at < 162 && !found; at++) {
      const [top, left, flip] = [Math.floor(at / 18), Math.floor(at / 2) % 9, at % 2 === 1];
      found = matches(image, top, left, flip);
      if (found) draws.add(`${at}`);
    }
    if (!found) return `image ${image} is no crop of the original, flipped or not`;
  }
  if (batch >= 16 && draws.size < batch / 8) return `only ${draws.size} different draws in ${batch} images`;
  return null;
}
