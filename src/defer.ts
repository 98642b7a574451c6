/**
 * Ops that wait for their follower, so that the two run as one: batchNorm (and the addition of a residual) with relu, relu
 * with maxPool2d. The user asks for nothing and sees nothing of it but the time and memory saved:
 *
 * - An op that waits has checked its arguments, but its result has no memory yet. At most one waits.
 * - If what follows it knows it (`followers`), both run in one pass, with the very bits of the two apart.
 * - Whatever else happens runs it first: any use of any tensor's memory, a backward pass, the end of a scope. So the order of
 *   everything that can be seen (running statistics, in-place writes) is that of the program.
 * - A result whose follower took its place keeps its recipe: used after all (a hook reads it, a skip connection needs it), it is
 *   computed then, with a tape node of its own. That needs its inputs as they were, which is checked.
 *
 * docs/decisions/0006-fusion.md weighs it against the alternatives.
 */
import { AutogradError } from "./errors.js";
import { asRecorded, isAnomalyMode, isGradEnabled } from "./grad-mode.js";
import { isObserved } from "./observe.js";
import type { Shape } from "./shape.js";
import { isWaiting, takeWaiting, touch } from "./storage.js";
import { Tensor } from "./tensor.js";

/** What may run together with the op that waits; each takes its place and gives the result of both. */
export interface Followers {
  relu?(): Tensor;
  /** @param run computes the sum by itself, into a postponed result */
  add?(other: Tensor, run: (sum: Tensor) => void): Tensor | null;
  /** The x of a relu(x) that a pool may do on its way. */
  reluOf?: Tensor;
}

const waiting = new WeakMap<Tensor, Followers>();

/** Smaller results are not worth the bookkeeping. */
const LEAST = 4096;

/** Whether an op with a result like x should wait: images, of some size. */
export const shouldWait = (x: Tensor): boolean =>
  x.ndim === 4 && x.numel() >= LEAST && x.dtype === "float32" && !isAnomalyMode() && !isObserved();

/**
 * The result of an op that waits.
 *
 * @param reads tensors that the op reads, which must not have changed if it is run late
 * @param run fills the result: with `into` of the op
 */
export function defer(
  op: string,
  shape: Shape,
  reads: readonly (Tensor | null)[],
  run: (out: Tensor) => void,
  follow: (out: Tensor) => Followers,
): Tensor {
  const recording = isGradEnabled();
  const versions = reads.map((t) => t?.block.version);
  const out = Tensor.postpone(shape, op, () => {
    reads.forEach((t, i) => {
      if (t === null) return;
      touch(t.block);
      if (t.block.version === versions[i]) return;
      throw new AutogradError(
        `${op}: this result was fused with the op that followed it, and a tensor it would be computed from now has been modified by an ` +
          "in-place operation since; call keep() on the result before the op that follows, or clone() the tensor before changing it",
      );
    });
    asRecorded(recording, () => run(out));
  });
  waiting.set(out, follow(out));
  return out;
}

/** What may run together with the op that made x, if that waits. */
export function followers(x: unknown): Followers | undefined {
  return x instanceof Tensor && isWaiting(x.block) ? waiting.get(x) : undefined;
}

/** Called by a follower: the op that waits will not run now. */
export function take(): void {
  takeWaiting();
}
