/** How many threads the kernels use. One, until a pool of workers comes. */
import { ArgumentError } from "../errors.js";

/** Threads in use. */
export const getNumThreads = (): number => 1;

/**
 * Sets the number of threads. This version computes on one thread whatever is asked for; `getNumThreads()` tells.
 *
 * @throws ArgumentError unless n is "auto" or a whole number from 1 to 256
 */
export async function setNumThreads(n: number | "auto"): Promise<void> {
  if (n !== "auto" && !(Number.isInteger(n) && n >= 1 && n <= 256)) {
    throw new ArgumentError(`setNumThreads: expected "auto" or a whole number from 1 to 256, found ${String(n)}`);
  }
}
