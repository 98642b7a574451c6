/**
 * The tape: the graph of `Node`s behind a result. Nodes are numbered as they are made, so an op's inputs always have smaller
 * numbers than its output, and descending numbers are a topological order.
 */
import { currentPlace, type Place } from "./anomaly.js";
import { AutogradError } from "./errors.js";
import { isAnomalyMode } from "./grad-mode.js";
import type { Replay } from "./replay.js";
import { formatShape, type Shape } from "./shape.js";
import { assertReadable, type Block, consumeInput, consumeResult, free } from "./storage.js";
import type { Tensor } from "./tensor.js";

let sequence = 0;

/** A record on the tape: what made one or more results, and how gradients go back through it. */
export abstract class Node {
  readonly sequence = ++sequence;
  /** Inputs that need a gradient; null where none is needed. */
  inputs: (Tensor | null)[];
  saved: readonly (Tensor | null | undefined)[] | null;
  private readonly versions: number[];
  /** The gradients of the outputs so far, while backward runs. */
  grads: (Tensor | null)[];
  readonly outputs: { block: Block; shape: Shape }[] = [];
  hooks: (((grad: Tensor) => Tensor | void)[] | undefined)[] | null = null;
  /** How the result is computed again, where it need not be held once the tape has used it. */
  replay: Replay | null = null;
  visited = 0;
  needed = true;
  /** Where the op was called, in anomaly mode. */
  readonly trace: string | undefined;
  /** The module that called it, in anomaly mode. */
  readonly place: Place | null = null;

  constructor(
    readonly name: string,
    inputs: (Tensor | null)[],
    saved: readonly (Tensor | null | undefined)[],
    outputCount = 1,
  ) {
    this.inputs = inputs;
    this.saved = saved;
    this.versions = saved.map((t) => t?.block.version ?? 0);
    for (const t of saved) if (t) t.block.pins++;
    this.grads = new Array(outputCount).fill(null);
    if (isAnomalyMode()) {
      this.trace = new Error().stack?.split("\n").slice(2).join("\n");
      this.place = currentPlace();
    }
  }

  /** Gradients of the inputs, from `this.grads`. */
  abstract differentiate(grads: readonly (Tensor | null)[], takeBuffer: (i: number) => Tensor): (Tensor | null)[];

  /** @throws AutogradError when this node has run already or what it saved was written over; DisposedError when it is gone. */
  check(): void {
    const { saved, versions } = this;
    if (saved === null) {
      throw new AutogradError(
        `${this.name}: backward through the graph a second time: what it saved was given back by the first backward(); ` +
          "pass { retainGraph: true } to the first call if you need two",
      );
    }
    for (let i = 0; i < saved.length; i++) {
      const t = saved[i];
      if (!t) continue;
      assertReadable(t.block);
      if (t.block.version !== versions[i]) {
        throw new AutogradError(
          `${this.name}: one of the tensors needed for its gradient (shape ${formatShape(t.shape)}, made by ` +
            `${t.block.op}) has been modified by an in-place operation: it is at version ${t.block.version}, expected ` +
            `version ${versions[i]}; use the out-of-place form or clone() it first`,
        );
      }
    }
  }

  /** The tape has used this node, `position` in its order: what it made and read may go. */
  release(position: number): void {
    const { saved, outputs } = this;
    if (saved === null) return;
    for (const t of saved) {
      if (!t) continue;
      t.block.pins--;
      if (t.block.owned) {
        if (t.block.pins === 0) free(t.block, "consumed");
      } else consumeInput(t.block);
    }
    for (const { block } of outputs) {
      block.recorded--;
      consumeResult(block);
    }
    this.replay?.release(outputs[0].block, position);
    this.replay = null;
    this.saved = null;
    this.inputs = [];
  }
}

/** Makes node the origin of out. */
export function record(out: Tensor, node: Node, index = 0): void {
  out.gradFn = node;
  out.outputIndex = index;
  out.block.recorded++;
  node.outputs.push({ block: out.block, shape: out.shape });
}
