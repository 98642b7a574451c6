/**
 * The backward pass: walks the tape behind a loss from its newest node to its oldest and adds gradients up.
 */
import { checkBackward } from "./anomaly.js";
import { inPlaces, type Named, optionsOf, show, type Trailing } from "./arguments.js";
import { AutogradError, ShapeError } from "./errors.js";
import { isAnomalyMode, noGrad, withoutAnomalyMode } from "./grad-mode.js";
import type { Node } from "./node.js";
import { observers } from "./observe.js";
import { formatShape, sameShape } from "./shape.js";
import {
  type Block,
  beginPass,
  type Collection,
  collect as collectBlocks,
  consumeInput,
  currentLiveBytes,
  endPass,
  free,
  Kind,
  noteTransient,
  tick,
} from "./storage.js";
import { Tensor } from "./tensor.js";
import { F32 } from "./wasm/heap.js";
import { k } from "./wasm/load.js";

let visit = 0;

/** All nodes behind the roots, newest first; but none behind an input of autograd.grad whose graph has been used. */
function collect(roots: readonly Tensor[], sums: Sums | null): Node[] {
  visit++;
  const nodes: Node[] = [];
  const stack: Node[] = [];
  const push = (t: Tensor | null) => {
    const node = t === null ? null : t.gradFn;
    if (node === null || node.visited === visit) return;
    if (node.saved !== null || !sums?.has(t as Tensor)) stack.push(node);
  };
  roots.forEach(push);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.visited === visit) continue;
    if (node.saved === null) node.check();
    node.visited = visit;
    nodes.push(node);
    node.inputs.forEach(push);
  }
  return nodes.sort((a, b) => b.sequence - a.sequence);
}

/** Sums of gradients by tensor: of the leaves that have hooks, and of the inputs autograd.grad asks for. */
type Sums = Map<Tensor, Tensor | null>;

interface Pass {
  /** What `Node.visited` is for the nodes of this pass; the user's code may run another pass within it. */
  visit: number;
  /** Blocks made by the node under way, to be freed after it unless something pins them. */
  blocks: Block[];
  sums: Sums;
  /** autograd.grad leaves .grad alone. */
  accumulateLeaves: boolean;
}

function runBackward(roots: readonly Tensor[], rootGrads: readonly Tensor[], retainGraph: boolean, sums: Sums | null) {
  const nodes = collect(roots, sums);
  const pass: Pass = { visit, blocks: [], sums: sums ?? new Map(), accumulateLeaves: sums === null };
  if (sums !== null) markNeeded(nodes, sums);
  try {
    for (const node of nodes) if (node.needed) node.check();
  } catch (error) {
    for (const node of nodes) node.needed = true;
    throw error;
  }
  beginPass();
  const liveBefore = currentLiveBytes();
  const outer = collectBlocks({ blocks: pass.blocks, inPass: true });
  const outerUser = userCollection;
  userCollection = outer;
  try {
    noGrad(() => {
      for (let i = 0; i < roots.length; i++) deliver(pass, roots[i], rootGrads[i], false);
      nodes.forEach((node, i) => {
        if (node.needed) step(pass, node);
        noteTransient(currentLiveBytes() - liveBefore);
        if (!retainGraph && node.needed) node.release(i);
      });
      if (sums === null) for (const [leaf, sum] of pass.sums) if (sum !== null) finishLeaf(pass, leaf, sum);
    });
  } finally {
    for (const node of nodes) {
      for (const grad of node.grads) if (grad !== null) dropGrad(grad);
      node.grads.fill(null);
      node.needed = true;
    }
    collectBlocks(outer);
    userCollection = outerUser;
    endPass();
  }
  return pass;
}

/** Where the blocks of the user's own code go that a pass calls: hooks, a Function's backward. */
let userCollection: Collection = { blocks: null, inPass: false };

/**
 * Runs the user's code within a pass: what it makes follows the rules for results and data, not those for a pass's own
 * temporaries. What it does not keep is brought to rest with the tape's inputs.
 */
export function asUserCode<T>(fn: () => T): T {
  const blocks: Block[] = [];
  const inner = collectBlocks({ blocks, inPass: false });
  try {
    return fn();
  } finally {
    collectBlocks(inner);
    for (const block of blocks) {
      userCollection.blocks?.push(block);
      consumeInput(block);
    }
  }
}

/** For autograd.grad: only nodes on a path to one of the inputs run. */
function markNeeded(nodes: readonly Node[], sums: Sums): void {
  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i];
    node.needed = node.inputs.some(
      (t) => t !== null && (sums.has(t) || (t.gradFn?.visited === visit && t.gradFn.needed)),
    );
  }
}

/** Runs one node and hands its gradients on. */
function step(pass: Pass, node: Node): void {
  const grads = node.grads;
  if (grads.every((g) => g === null)) return;
  if (node.hooks !== null) {
    for (let i = 0; i < grads.length; i++) {
      const grad = grads[i];
      if (grad !== null && node.hooks[i] !== undefined) replaceGrad(grads, i, callHooks(grad, node.hooks[i] ?? []));
    }
  }
  tick();
  const takeBuffer = (i: number) => gradBuffer(pass, node, i);
  let dX: (Tensor | null)[];
  if (isAnomalyMode()) {
    // The ops that a backward is made of are examined with it, under its name.
    dX = withoutAnomalyMode(() => node.differentiate(grads, takeBuffer));
    checkBackward(node, dX, grads);
  } else {
    dX = node.differentiate(grads, takeBuffer);
  }
  for (let i = 0; i < node.inputs.length; i++) {
    const input = node.inputs[i];
    const grad = dX[i];
    if (input !== null && grad) {
      const fresh = isFresh(grad, dX, i, grads, node.saved ?? []);
      deliver(pass, input, grad, fresh);
    }
  }
  for (let i = 0; i < grads.length; i++) {
    const grad = grads[i];
    if (grad !== null) dropGrad(grad);
    grads[i] = null;
  }
  sweep(pass);
}

/** Frees what the last node made and nobody took. */
function sweep(pass: Pass): void {
  for (const block of pass.blocks) {
    if (block.pins === 0 && block.kind !== Kind.State && !block.kept) free(block, "consumed");
  }
  pass.blocks.length = 0;
}

function dropGrad(grad: Tensor): void {
  const { block } = grad;
  block.pins--;
  if (block.pins === 0 && block.transient) free(block, "consumed");
}

function replaceGrad(grads: (Tensor | null)[], i: number, grad: Tensor): void {
  const before = grads[i] as Tensor;
  if (before === grad) return;
  grad.block.pins++;
  dropGrad(before);
  grads[i] = grad;
}

/** Whether nobody else holds grad's memory, so that it may be added to in place. */
function isFresh(
  grad: Tensor,
  all: readonly (Tensor | null)[],
  i: number,
  dOuts: readonly (Tensor | null)[],
  saved: readonly (Tensor | null | undefined)[],
): boolean {
  const { block } = grad;
  if (block.pins > 0 || !block.transient || !grad.isContiguous()) return false;
  for (let j = 0; j < all.length; j++) if (j !== i && all[j]?.block === block) return false;
  return !dOuts.some((t) => t?.block === block) && !saved.some((t) => t?.block === block);
}

/** Where the gradient of node's input i is to be written: straight into the leaf's gradient where it has none yet. */
function gradBuffer(pass: Pass, node: Node, i: number): Tensor {
  const input = node.inputs[i] as Tensor;
  const straight =
    pass.accumulateLeaves &&
    input.gradFn === null &&
    input.gradTensor === null &&
    input.leafHooks === null &&
    node.inputs.indexOf(input) === i;
  return straight ? input.freshGrad() : Tensor.allocateTransient(input.shape, "backward");
}

/** Adds a gradient to what has come so far for a tensor. */
function deliver(pass: Pass, input: Tensor, grad: Tensor, fresh: boolean): void {
  const wanted = pass.sums.get(input);
  if (wanted !== undefined || (input.gradFn === null && input.leafHooks !== null && pass.accumulateLeaves)) {
    pass.sums.set(input, addGrad(wanted ?? null, grad, fresh));
    if (input.gradFn === null || wanted === undefined) return;
    fresh = false;
  }
  const node = input.gradFn;
  if (node !== null) {
    if (node.visited === pass.visit && node.needed) {
      node.grads[input.outputIndex] = addGrad(node.grads[input.outputIndex], grad, fresh);
    }
    return;
  }
  if (pass.accumulateLeaves) accumulateLeaf(input, grad);
}

function accumulateLeaf(leaf: Tensor, grad: Tensor): void {
  if (observers.length > 0) for (const observer of observers) observer.accumulates(leaf);
  if (grad === leaf.pendingGrad) leaf.acceptGrad();
  else if (leaf.gradTensor === null) {
    const buffer = leaf.freshGrad();
    buffer.assign(grad);
    leaf.acceptGrad();
  } else {
    const sum = leaf.gradTensor;
    const addend = grad.contiguous();
    k.accumulate(sum.ptr, addend.ptr, sum.numel());
    sum.block.version++;
  }
}

/** sum + grad, in place where sum's memory is nobody else's. The result is pinned until it has been used. */
function addGrad(sum: Tensor | null, grad: Tensor, fresh: boolean): Tensor {
  if (sum === null) {
    grad.block.pins++;
    grad.block.summable = fresh;
    return grad;
  }
  const addend = grad.contiguous();
  if (sum.block.summable && sum.block.pins === 1) {
    k.accumulate(sum.ptr, addend.ptr, sum.numel());
    return sum;
  }
  const total = Tensor.allocateTransient(sum.shape, "backward");
  total.assign(sum);
  k.accumulate(total.ptr, addend.ptr, total.numel());
  total.block.pins++;
  total.block.summable = true;
  dropGrad(sum);
  return total;
}

function callHooks(grad: Tensor, hooks: readonly ((grad: Tensor) => Tensor | void)[]): Tensor {
  return asUserCode(() => {
    // The user may keep what a hook is given, so it gets a copy that outlives the pass.
    let current = grad.clone();
    for (const hook of hooks) {
      const replaced = hook(current);
      if (!(replaced instanceof Tensor)) continue;
      if (!sameShape(replaced.shape, grad.shape)) {
        throw new ShapeError(
          `hook: returned a gradient of shape ${formatShape(replaced.shape)}, expected ${formatShape(grad.shape)}`,
        );
      }
      current = replaced;
    }
    return current;
  });
}

function finishLeaf(pass: Pass, leaf: Tensor, sum: Tensor): void {
  accumulateLeaf(leaf, callHooks(sum, leaf.leafHooks ?? []));
  dropGrad(sum);
  sweep(pass);
}

/**
 * Computes the gradients of root with regard to the leaves behind it and adds them to their `.grad`.
 *
 * @throws AutogradError when root needs no gradient, is not a scalar and no gradient is given, when the graph has been
 * used already, or when a tensor it saved has been changed in place.
 */
export function backward(root: Tensor, gradient: Tensor | null, retainGraph: boolean): void {
  backwardFrom([root], [gradient], retainGraph);
}

/** `backward` of several roots in one pass. */
export function backwardFrom(
  roots: readonly Tensor[],
  gradients: readonly (Tensor | null | undefined)[],
  retainGraph: boolean,
): void {
  const grads = roots.map((root, i) => rootGradient("backward", root, gradients[i] ?? null));
  try {
    runBackward(roots, grads, retainGraph, null);
  } finally {
    grads.forEach((grad, i) => {
      if (!gradients[i]) free(grad.block, "consumed");
    });
  }
}

function rootGradient(where: string, root: Tensor, gradient: Tensor | null): Tensor {
  if (!root.requiresGrad) {
    throw new AutogradError(
      `${where}: this tensor does not require grad and has no history; ` +
        "was it computed under noGrad(), from detached tensors, or from parameters without requiresGrad?",
    );
  }
  if (gradient === null) {
    if (root.numel() !== 1) {
      throw new AutogradError(
        `${where}: the gradient can be left out only for a scalar, and this tensor has shape ${formatShape(root.shape)}; ` +
          "reduce it first (mean() or sum()) or pass a gradient of its shape",
      );
    }
    const one = Tensor.allocateTransient(root.shape, "backward");
    F32[one.ptr >>> 2] = 1;
    return one;
  }
  if (!sameShape(gradient.shape, root.shape)) {
    throw new ShapeError(
      `${where}: gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(root.shape)}: they must be equal`,
    );
  }
  return gradient.dtype === "float32" ? gradient.detach() : gradient.to("float32");
}

/** Options of `autograd.grad`. */
export interface GradOptions {
  /** Gradients of the outputs; may be left out for scalars. */
  gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  /** Keep what the graph saved, for another pass. */
  retainGraph?: boolean;
  /** Refused: backward passes are not recorded. */
  createGraph?: boolean;
  /** Give null, instead of an error, for an input that the outputs do not depend on. */
  allowUnused?: boolean;
}

type Several = Tensor | readonly Tensor[];

/** @throws AutogradError: were it ignored, a penalty on gradients would be a constant and train nothing. */
export function refuseCreateGraph(where: string, createGraph: boolean | undefined): void {
  if (!createGraph) return;
  throw new AutogradError(
    `${where}: createGraph is not supported: backward passes are not recorded, so that gradients of gradients cannot be had. ` +
      "For a gradient penalty take differences, (f(x + h·u) − f(x)) / h, which can be differentiated; or weight clipping",
  );
}

function tensorList(value: unknown, what: string): Tensor[] {
  const list = value instanceof Tensor ? [value] : value;
  if (Array.isArray(list) && list.length > 0 && list.every((t) => t instanceof Tensor)) return [...list];
  throw new TypeError(`autograd.grad: ${what} must be a Tensor or a list of Tensors, found ${show(value)}`);
}

/**
 * The gradients of outputs with regard to inputs, as new tensors; `.grad` stays as it is. As torch.autograd.grad, whose
 * first arguments may be named as well: `grad({ outputs, inputs, gradOutputs })`.
 */
export function grad(
  outputs: Several,
  inputs: Several,
  ...rest: Trailing<GradOptions, ["gradOutputs", "retainGraph", "createGraph"]>
): (Tensor | null)[];
export function grad(
  ...named: Named<{ outputs: Several; inputs: Several }, ["outputs", "inputs"], GradOptions>
): (Tensor | null)[];
export function grad(...args: any[]): (Tensor | null)[] {
  const [outputs, inputs, ...rest] = inPlaces(args, ["outputs", "inputs"]);
  const names = ["gradOutputs", "retainGraph", "createGraph"] as const;
  const options = optionsOf<GradOptions>("autograd.grad", rest, names, ["allowUnused"]);
  refuseCreateGraph("autograd.grad", options.createGraph);
  const roots = tensorList(outputs, "outputs");
  const wanted = tensorList(inputs, "inputs");
  const given = options.gradOutputs instanceof Tensor ? [options.gradOutputs] : (options.gradOutputs ?? []);
  wanted.forEach((t, i) => {
    if (!t.requiresGrad) throw new AutogradError(`autograd.grad: input ${i} does not require grad`);
  });
  const rootGrads = roots.map((root, i) => rootGradient("autograd.grad", root, given[i] ?? null));
  const sums: Sums = new Map(wanted.map((t) => [t, null]));
  runBackward(roots, rootGrads, options.retainGraph ?? false, sums);
  const results = wanted.map((t) => {
    const sum = sums.get(t) ?? null;
    return sum === null ? null : noGrad(() => sum.clone());
  });
  for (const sum of sums.values()) if (sum !== null) dropGrad(sum);
  rootGrads.forEach((g, i) => {
    if (!given[i]) free(g.block, "consumed");
  });
  const unused = results.indexOf(null);
  if (unused >= 0 && !options.allowUnused) {
    throw new AutogradError(
      `autograd.grad: the outputs do not depend on input ${unused}; pass { allowUnused: true } to get null for it`,
    );
  }
  return results;
}
