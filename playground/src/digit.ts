/** From strokes on a pad to an image as MNIST has them: the ink 20 pixels high or wide, its centre of mass in the middle of 28 × 28. */
import { SIDE } from "./settings.js";

const BOX = 20;

/** Where the ink is, in pixels; null where there is none. */
function inkBounds({ data, width, height }: ImageData): { x: number; y: number; width: number; height: number } | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[4 * (y * width + x) + 3] < 32) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? null : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

const scratch = document.createElement("canvas");
scratch.width = scratch.height = SIDE;

/** @returns 28 × 28 values from 0 to 1 for ink; null for an empty pad */
export function digitOf(pad: HTMLCanvasElement): Float32Array | null {
  const context = pad.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const bounds = inkBounds(context.getImageData(0, 0, pad.width, pad.height));
  if (bounds === null) return null;
  const scale = BOX / Math.max(bounds.width, bounds.height);
  const [width, height] = [bounds.width * scale, bounds.height * scale];
  const small = scratch.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  small.imageSmoothingQuality = "high";
  const place = (left: number, top: number) => {
    small.clearRect(0, 0, SIDE, SIDE);
    small.drawImage(pad, bounds.x, bounds.y, bounds.width, bounds.height, left, top, width, height);
    const { data } = small.getImageData(0, 0, SIDE, SIDE);
    return Float32Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i + 3] / 255);
  };
  const [left, top] = [(SIDE - width) / 2, (SIDE - height) / 2];
  const middle = place(left, top);
  let [mass, sumX, sumY] = [0, 0, 0];
  middle.forEach((value, i) => {
    mass += value;
    sumX += value * ((i % SIDE) + 0.5);
    sumY += value * (Math.floor(i / SIDE) + 0.5);
  });
  if (mass === 0) return middle;
  return place(left + SIDE / 2 - sumX / mass, top + SIDE / 2 - sumY / mass);
}

/** Draws an image of bytes or of values from 0 to 1 in one colour, its ink as opacity. */
export function paintDigit(
  canvas: HTMLCanvasElement,
  pixels: Uint8Array | Float32Array,
  color: readonly number[],
): void {
  const scale = pixels instanceof Uint8Array ? 1 : 255;
  const image = new ImageData(SIDE, SIDE);
  pixels.forEach((value, i) => {
    image.data.set([...color, value * scale], 4 * i);
  });
  canvas.width = canvas.height = SIDE;
  (canvas.getContext("2d") as CanvasRenderingContext2D).putImageData(image, 0, 0);
}
