/** Hooks of a module: what they are, how they are kept, and how backward hooks get to see gradients. */
import { asUserCode } from "../autograd.js";
import { Node, record } from "../node.js";
import { Tensor } from "../tensor.js";
import type { Module } from "./module.js";

/** What a hook's registration gives back. */
export interface HookHandle {
  /** Unregisters the hook. */
  remove(): void;
}

export type ForwardPreHook = (module: Module, inputs: readonly any[]) => any;
export type ForwardHook = (module: Module, inputs: readonly any[], output: any) => any;
export type BackwardHook = (
  module: Module,
  gradInput: readonly (Tensor | null)[],
  gradOutput: readonly (Tensor | null)[],
) => readonly (Tensor | null)[] | Tensor | null | undefined | void;

/** Lists are replaced, never changed: a hook may remove itself, or others, while they run. */
export interface Hooks {
  before: readonly ForwardPreHook[];
  forward: readonly ForwardHook[];
  backward: readonly BackwardHook[];
}

const NONE: Hooks = { before: [], forward: [], backward: [] };

/** The hooks with one more. */
export function withHook(hooks: Hooks | null, kind: keyof Hooks, hook: unknown): Hooks {
  const all = hooks ?? NONE;
  return { ...all, [kind]: [...all[kind], hook] };
}

/** The hooks without one; null when none is left. */
export function withoutHook(hooks: Hooks | null, kind: keyof Hooks, hook: unknown): Hooks | null {
  if (hooks === null) return null;
  const list = hooks[kind] as readonly unknown[];
  const i = list.indexOf(hook);
  if (i < 0) return hooks;
  const rest = { ...hooks, [kind]: list.toSpliced(i, 1) };
  return rest.before.length + rest.forward.length + rest.backward.length > 0 ? rest : null;
}

/** An identity on the tape that shows the gradients that pass through it. */
class BoundaryNode extends Node {
  constructor(
    inputs: (Tensor | null)[],
    count: number,
    private readonly pass: (grads: readonly (Tensor | null)[]) => readonly (Tensor | null)[],
  ) {
    super("moduleHook", inputs, [], count);
  }
  differentiate(grads: readonly (Tensor | null)[]): (Tensor | null)[] {
    return asUserCode(() => [...this.pass(grads)]);
  }
}

/** Where values hold tensors that need a gradient. */
const differentiable = (values: readonly unknown[]): number[] =>
  values.flatMap((t, i) => (t instanceof Tensor && t.requiresGrad ? [i] : []));

function spread(grads: readonly (Tensor | null)[], places: readonly number[], count: number): (Tensor | null)[] {
  const list = new Array<Tensor | null>(count).fill(null);
  places.forEach((place, i) => {
    list[place] = grads[i];
  });
  return list;
}

/** Stands around one call of a module and calls its backward hooks when gradients have gone through both sides. */
export class BackwardBoundary {
  private gradOutput: readonly (Tensor | null)[] = [];
  private inputCount = 0;
  private hasInputNode = false;

  constructor(
    private readonly module: Module,
    private readonly hooks: readonly BackwardHook[],
  ) {}

  enter(inputs: any[]): any[] {
    this.inputCount = inputs.length;
    const places = differentiable(inputs);
    if (places.length === 0) return inputs;
    this.hasInputNode = true;
    // The hooks see one gradient for each argument, null where there is none, as PyTorch shows them.
    return this.through(inputs, places, (grads) => {
      const replaced = this.call(spread(grads, places, inputs.length));
      return places.map((place) => replaced[place] ?? null);
    });
  }

  leave(output: any): any {
    const list: any[] = output instanceof Tensor ? [output] : Array.isArray(output) ? output : [];
    const places = differentiable(list);
    if (places.length === 0) return output;
    const passed = this.through(list, places, (grads) => {
      this.gradOutput = spread(
        grads.map((g) => g?.clone() ?? null),
        places,
        list.length,
      );
      if (!this.hasInputNode) this.call(new Array(this.inputCount).fill(null));
      return grads;
    });
    return output instanceof Tensor ? passed[0] : passed;
  }

  /** The values, of which those at `places` have gone through an identity on the tape. */
  private through(
    values: readonly any[],
    places: readonly number[],
    pass: (grads: readonly (Tensor | null)[]) => readonly (Tensor | null)[],
  ): any[] {
    const tensors = places.map((place) => values[place] as Tensor);
    const node = new BoundaryNode(tensors, tensors.length, pass);
    const passed = [...values];
    tensors.forEach((t, i) => {
      const out = t.detach();
      record(out, node, i);
      passed[places[i]] = out;
    });
    return passed;
  }

  private call(gradInput: readonly (Tensor | null)[]): readonly (Tensor | null)[] {
    let current: readonly (Tensor | null)[] = gradInput.map((g) => g?.clone() ?? null);
    for (const hook of this.hooks) {
      const replaced = hook(this.module, current, this.gradOutput);
      if (replaced instanceof Tensor) current = [replaced];
      else if (replaced) current = replaced;
    }
    return current;
  }
}
