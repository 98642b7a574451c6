/**
 * Results that a backward pass has consumed and that can be computed again.
 *
 * What backward() consumed stays readable until the next one. Held in memory until then, the activations of one step would
 * lie beside those of the next, twice of what a step needs, though hardly anybody looks at them. So the large results of
 * ops that say how (`replay` in OpSpec) give their bytes up as soon as the pass has used them, and are computed again, from
 * their inputs as they were, when somebody reads them: the very bits, by the same kernels. (Rematerialisation as in Chen, Xu,
 * Zhang & Guestrin, "Training Deep Nets with Sublinear Memory Cost", 2016; theirs serves the pass itself, at the price of a
 * second forward; this one costs nothing unless it is used.)
 *
 * Parameters are changed by the optimizer's step, so small ones are set aside as they were. A result is held as before where that
 * would not pay, where something it needs has been changed or lost, and where it was read after the pass lately: a program
 * that looks at its outputs in every step computes them once.
 *
 * docs/decisions/0008-replay.md weighs it.
 */

import { AutogradError } from "./errors.js";
import { asRecorded, withoutAnomalyMode } from "./grad-mode.js";
import { unobserved } from "./observe.js";
import type { Shape } from "./shape.js";
import { contiguousStrides } from "./shape.js";
import { type Block, giveUp, Kind, mayGiveUp, SMALL } from "./storage.js";
import { Tensor } from "./tensor.js";
import { F32 } from "./wasm/heap.js";

type Operand = Tensor | null | undefined;

/** A result is given up if it is so many times as large as the parameters that must be set aside for it. */
const WORTH = 2;
/** One of so many results in a row is held, so that computing one again never goes deeper. */
const DEPTH = 64;

/** How one result is computed again. */
export class Replay {
  private readonly versions: readonly number[];
  private readonly depth: number;

  /**
   * @param operands the op's tensors, as the user gave them
   * @param run computes the result from such operands into a tensor without memory
   */
  constructor(
    private readonly name: string,
    private readonly operands: readonly Operand[],
    block: Block,
    private readonly shape: Shape,
    private readonly run: (operands: Operand[], into: Tensor) => void,
  ) {
    this.versions = operands.map((t) => t?.block.version ?? 0);
    let depth = 0;
    for (const t of operands) if (t && t.block.depth >= depth) depth = t.block.depth + 1;
    this.depth = depth;
    block.depth = depth % DEPTH;
  }

  /** Whether a result of so many bytes is worth it. */
  static pays(bytes: number): boolean {
    return bytes > SMALL;
  }

  /** The pass has used the result: its bytes go, if it may be computed again. `position`: which of the pass's results it is. */
  release(block: Block, position: number): void {
    if (this.depth === DEPTH || !mayGiveUp(block, position)) return;
    let setAside = 0;
    for (let i = 0; i < this.operands.length; i++) {
      const t = this.operands[i];
      if (!t) continue;
      if (t.block.fate !== null || t.block.version !== this.versions[i]) return;
      if (willChange(t)) setAside += t.block.bytes;
    }
    if (setAside * WORTH > block.bytes) return;
    const operands = this.operands.map((t) => (t && willChange(t) ? new Snapshot(t) : t));
    const { shape, run } = this;
    giveUp(block, position, () => {
      const made: Tensor[] = [];
      const inputs = operands.map((t, i) => {
        if (t instanceof Snapshot) {
          const copy = t.restore();
          made.push(copy);
          return copy;
        }
        if (t && t.block.version !== this.versions[i]) throw changed(this.name, t.block.op);
        return t;
      });
      const into = new Tensor(block, null, shape, contiguousStrides(shape), 0, "float32");
      asRecorded(false, () => withoutAnomalyMode(() => unobserved(() => run(inputs, into))));
      for (const copy of made) copy.dispose();
    });
  }
}

/** Parameters and their like: what optimizers and running statistics write to. */
const willChange = (t: Tensor): boolean =>
  t.block.kind === Kind.State || (t.block.recorded === 0 && t.requiresGrad && t.isLeaf);

/** A parameter as it was in the forward pass. */
class Snapshot {
  private readonly values: Float32Array;
  private readonly shape: Shape;

  constructor(t: Tensor) {
    const { ptr } = t.contiguousData();
    this.values = F32.slice(ptr >>> 2, (ptr >>> 2) + t.numel());
    this.shape = t.shape;
  }

  restore(): Tensor {
    const t = Tensor.allocate(this.shape, "float32", "replay");
    const { ptr } = t;
    F32.set(this.values, ptr >>> 2);
    return t;
  }
}

function changed(name: string, op: string): AutogradError {
  return new AutogradError(
    `${name}: this result was consumed by backward() and would be computed again from a tensor (made by ${op}) that an in-place ` +
      "operation has modified since; call keep() on the result before backward(), or read it before changing that tensor",
  );
}
