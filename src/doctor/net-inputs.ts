/** What a net is given: the range of its inputs, and whether the same samples come again and again. */
import { Tensor } from "../tensor.js";
import { type History, MOST_FEW } from "./history.js";
import { firstRows, isReadable, rowHashes, statsOf } from "./probe.js";

/** Numbers of the inputs after which their range is known. */
const MOST_INPUTS = 2 ** 22;
/** Rows of a batch, and numbers of a row, that tell whether the same samples come again and again. */
const ROWS = 16;
const NUMBERS = 256;

/** Reads what a forward pass of the net is given. */
export function readInputs(args: readonly unknown[], history: History): void {
  for (const input of args) if (isReadable(input) && !input.requiresGrad) readRange(firstRows(input), history);
  if (args[0] instanceof Tensor) recognize(args[0], history);
}

function readRange(input: Tensor, { inputs }: History): void {
  if (inputs.size >= MOST_INPUTS) return;
  const { size, mean, meanSquare, min, max } = statsOf(input);
  inputs.rows += input.ndim > 1 ? input.shape[0] : 1;
  inputs.size += size;
  inputs.sum += mean * size;
  inputs.squares += meanSquare * size;
  inputs.min = Math.min(inputs.min, min);
  inputs.max = Math.max(inputs.max, max);
}

/** Counts the different samples: of a net that learns a few of them by heart, or of one batch that comes always. */
function recognize(input: Tensor, history: History): void {
  const { shape, dtype } = input;
  if (dtype !== "float32" && dtype !== "int32") return;
  if (shape.length < 2 || !input.isContiguous() || input.numel() === 0 || input.block.fate !== null) return;
  const { distinct } = history;
  history.batch = shape[0];
  if (distinct.size > MOST_FEW) return;
  const rows = Math.min(shape[0], ROWS);
  // An odd stride: one that divides the row length of an image would read few columns only.
  const stride = Math.max(1, Math.floor(input.numel() / shape[0] / NUMBERS)) | 1;
  for (const hash of rowHashes(input, rows, stride)) distinct.add(hash);
  history.recognized += rows;
}
