/**
 * The runner of ops and the tape: `defineOp` makes an op out of its shape rule, its forward and its backward; the runner
 * checks, allocates and records; `backward` walks the records from the newest to the oldest.
 *
 * A tape is the graph of `Node`s behind a result. Nodes are numbered as they are made, so an op's inputs always have
 * smaller numbers than its output, and descending numbers are a topological order.
 */
import type { DType } from "./dtype.js";
import { AutogradError, NonFiniteError, ShapeError } from "./errors.js";
import { formatShape, type Shape, sameShape } from "./shape.js";
import {
  assertReadable,
  type Block,
  beginPass,
  type Collection,
  collect as collectBlocks,
  consumeInput,
  consumeResult,
  currentLiveBytes,
  endPass,
  free,
  Kind,
  letGo,
  noteTransient,
  tick,
  touch,
} from "./storage.js";
import { Tensor } from "./tensor.js";
import { F32 } from "./wasm/heap.js";
import { k } from "./wasm/load.js";

type Inputs = readonly (Tensor | null | undefined)[];

/** Shape and dtype of a result that is still to be made. */
export interface Output {
  shape: Shape;
  dtype: DType;
}

/**
 * One op: everything about it but its kernels and its documentation, which stands at the constant it is assigned to.
 * `T` are its tensor inputs (null or undefined where one is absent), `A` its other arguments.
 */
export interface OpSpec<T extends Inputs, A extends readonly unknown[]> {
  /** The op's one name: the public function's, the kernel's (in snake_case), the error messages'. */
  name: string;
  /** How many of the arguments are tensors; they come first. Default 1. */
  inputs?: number;
  /** Inputs come as they are, with any strides and dtype; otherwise the runner makes them contiguous float32. */
  raw?: boolean;
  /** The result is never reclaimed, as the user made it on purpose to last (`clone`). */
  durable?: boolean;
  /** Shape and dtype of the result; throws before anything is allocated. Default: float32 of the first input's shape. */
  output?: (inputs: T, ...attributes: A) => Output;
  /** Fills out. What it returns is saved for backward after `save`'s, and belongs to the tape. */
  forward(out: Tensor, inputs: T, ...attributes: A): readonly Tensor[] | void;
  /** What backward needs of the result and the inputs. */
  save?: (out: Tensor, inputs: T, ...attributes: A) => readonly (Tensor | null | undefined)[];
  /** Fills the gradient of every input that needs one (null: not needed). dOut is contiguous. */
  backward?(dOut: Tensor, saved: readonly Tensor[], dX: readonly (Tensor | null)[], ...attributes: A): void;
  /**
   * The other way to say backward: returns the gradients as tensors, made of other ops. They may be views of dOut, which
   * may have any strides. For ops that only move elements, and for composites.
   */
  adjoint?(
    dOut: Tensor,
    saved: readonly Tensor[],
    needs: readonly boolean[],
    ...attributes: A
  ): readonly (Tensor | null)[];
}

let gradEnabled = true;
let anomalyMode = false;
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
  visited = 0;
  needed = true;
  /** Where the op was called, in anomaly mode. */
  readonly trace: string | undefined;

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
    if (anomalyMode) this.trace = new Error().stack?.split("\n").slice(2).join("\n");
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

  /** The tape has used this node: what it made and read may go. */
  release(): void {
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
    this.saved = null;
    this.inputs = [];
  }
}

/** The node of an op that `defineOp` made. */
class OpNode extends Node {
  constructor(
    private readonly spec: OpSpec<Inputs, readonly unknown[]>,
    inputs: (Tensor | null)[],
    saved: readonly (Tensor | null | undefined)[],
    private readonly attributes: readonly unknown[],
  ) {
    super(spec.name, inputs, saved);
  }

  differentiate(grads: readonly (Tensor | null)[], takeBuffer: (i: number) => Tensor): (Tensor | null)[] {
    const { spec, inputs, attributes } = this;
    const saved = this.saved as Tensor[];
    const dOut = grads[0] as Tensor;
    if (spec.backward === undefined) {
      const needs = inputs.map((t) => t !== null);
      return [...(spec.adjoint as NonNullable<typeof spec.adjoint>)(dOut, saved, needs, ...attributes)];
    }
    const dX = inputs.map((t, i) => (t === null ? null : takeBuffer(i)));
    spec.backward(dOut.contiguous(), saved, dX, ...attributes);
    return dX;
  }
}

/**
 * Makes an op: a function of its tensor inputs and its other arguments. The runner alone checks, allocates, records the
 * tape, and skips what needs no gradient.
 */
export function defineOp<T extends Inputs = [Tensor], A extends readonly unknown[] = []>(
  spec: OpSpec<T, A>,
): (...args: [...T, ...A]) => Tensor {
  const count = spec.inputs ?? 1;
  return (...args) => {
    const inputs = args.slice(0, count) as (Tensor | null | undefined)[];
    return runOp(spec as never, inputs, args.length > count ? args.slice(count) : NONE);
  };
}
const NONE: readonly unknown[] = [];

/** The runner: what a function that `defineOp` made does. Called directly by ops of any number of tensors (`cat`). */
export function runOp(
  spec: OpSpec<Inputs, readonly unknown[]>,
  given: (Tensor | null | undefined)[],
  attributes: readonly unknown[],
): Tensor {
  let needsGrad = false;
  const inputs = given;
  for (let i = 0; i < given.length; i++) {
    const t = given[i];
    if (t === null || t === undefined) {
      if (given.length === 1) throw notATensor(spec.name, t, i);
      continue;
    }
    if (!(t instanceof Tensor)) throw notATensor(spec.name, t, i);
    if (gradEnabled && t.requiresGrad) needsGrad = true;
  }
  const backprop = needsGrad && (spec.backward !== undefined || spec.adjoint !== undefined);
  const original = backprop ? given.slice() : given;
  let copies: Tensor[] | null = null;
  if (spec.raw !== true) {
    for (let i = 0; i < given.length; i++) {
      const t = given[i];
      if (!t || (t.dtype === "float32" && t.isContiguous())) continue;
      // contiguous() rather than contiguousData(): `save` asks inputs whether they require a gradient.
      const copy = t.dtype === "float32" ? t.contiguous() : flatFloats(t);
      inputs[i] = copy;
      copies ??= [];
      copies.push(copy);
    }
  }
  const first = inputs[0] as Tensor;
  const { shape, dtype } = spec.output === undefined ? FLOAT_LIKE(first) : spec.output(inputs, ...attributes);
  tick();
  for (let i = 0; i < inputs.length; i++) {
    const t = inputs[i];
    if (t) touch(t.block);
  }
  const out = spec.durable ? Tensor.allocateDurable(shape, dtype, spec.name) : Tensor.allocate(shape, dtype, spec.name);
  const own = spec.forward(out, inputs, ...attributes);
  if (!backprop || dtype !== "float32") {
    if (own) for (const t of own) free(t.block, "consumed");
    if (copies !== null) for (const t of copies) free(t.block, "consumed");
    return out;
  }
  const saved: (Tensor | null | undefined)[] = [];
  if (spec.save !== undefined) saved.push(...spec.save(out, inputs, ...attributes));
  if (own) {
    for (const t of own) {
      t.block.owned = true;
      saved.push(t);
    }
  }
  record(
    out,
    new OpNode(
      spec,
      original.map((t) => (t?.requiresGrad ? t : null)),
      saved,
      attributes,
    ),
  );
  // The runner's copies belong to the node that saved them, or to nobody.
  if (copies !== null) for (const copy of copies) letGo(copy.block);
  return out;
}

function flatFloats(t: Tensor): Tensor {
  const flat = t.contiguousData();
  const floats = flat.to("float32");
  if (flat !== t) free(flat.block, "consumed");
  return floats;
}

const FLOAT_LIKE = (x: Tensor): Output => ({ shape: x.shape, dtype: "float32" });

function notATensor(name: string, value: unknown, i: number): TypeError {
  return new TypeError(
    `${name}: argument ${i + 1} must be a Tensor, found ${value === null ? "null" : typeof value}; wrap data in tensor(…)`,
  );
}

/** Makes node the origin of out. */
export function record(out: Tensor, node: Node, index = 0): void {
  out.gradFn = node;
  out.outputIndex = index;
  out.block.recorded++;
  node.outputs.push({ block: out.block, shape: out.shape });
}

/**
 * An op whose result is another view of its input's memory: nothing is computed or copied. `view` gives the shape,
 * strides and offset (in elements) of the result; `adjoint` as in `OpSpec`, but saves nothing.
 */
export function defineView<A extends readonly unknown[]>(spec: {
  name: string;
  view(x: Tensor, ...attributes: A): { shape: Shape; strides: readonly number[]; offset: number };
  adjoint(dOut: Tensor, shape: Shape, ...attributes: A): Tensor;
}): (x: Tensor, ...attributes: A) => Tensor {
  const asOp: OpSpec<[Tensor], readonly unknown[]> = {
    name: spec.name,
    forward: () => undefined,
    adjoint: (dOut, _saved, _needs, shape, ...attributes) => [
      spec.adjoint(dOut, shape as Shape, ...(attributes as unknown as A)),
    ],
  };
  return (x, ...attributes) => {
    if (!(x instanceof Tensor)) throw notATensor(spec.name, x, 0);
    const { shape, strides, offset } = spec.view(x, ...attributes);
    const out = x.stridedView(shape, strides, offset);
    if (gradEnabled && x.requiresGrad) {
      record(out, new OpNode(asOp as never, [x], [], [x.shape, ...attributes]));
    }
    return out;
  };
}

// Gradient mode ------------------------------------------------------------------------------------------------------

/** Whether ops are recorded. */
export const isGradEnabled = (): boolean => gradEnabled;

function withGradMode<T>(enabled: boolean, fn: () => T, where: string): T {
  const before = gradEnabled;
  gradEnabled = enabled;
  try {
    const result = fn();
    refusePromise(result, where);
    return result;
  } finally {
    gradEnabled = before;
  }
}

/** A function that awaits would leave a mode or scope open for whatever runs in between. */
export function refusePromise(result: unknown, where: string): void {
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new TypeError(`${where}: the function must be synchronous; await outside and call ${where} around each part`);
  }
}

/** Runs fn without recording ops, and returns what it returns. Frees nothing by itself. */
export const noGrad = <T>(fn: () => T): T => withGradMode(false, fn, "noGrad");

/** Runs fn with recording switched on, inside a noGrad(). */
export const enableGrad = <T>(fn: () => T): T => withGradMode(true, fn, "enableGrad");

/**
 * Runs fn with checks: when a backward pass inside it computes a NaN, it throws a NonFiniteError that names the op and
 * where its forward was called.
 */
export function detectAnomaly<T>(fn: () => T): T {
  const before = anomalyMode;
  anomalyMode = true;
  try {
    const result = fn();
    refusePromise(result, "detectAnomaly");
    return result;
  } finally {
    anomalyMode = before;
  }
}

// The backward pass --------------------------------------------------------------------------------------------------

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
    withGradMode(
      false,
      () => {
        for (let i = 0; i < roots.length; i++) deliver(pass, roots[i], rootGrads[i], false);
        for (const node of nodes) {
          if (node.needed) step(pass, node);
          noteTransient(currentLiveBytes() - liveBefore);
          if (!retainGraph && node.needed) node.release();
        }
        if (sums === null) for (const [leaf, sum] of pass.sums) if (sum !== null) finishLeaf(pass, leaf, sum);
      },
      "backward",
    );
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
  const dX = node.differentiate(grads, (i) => gradBuffer(pass, node, i));
  if (anomalyMode) checkForNaN(node, dX);
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

function checkForNaN(node: Node, dX: readonly (Tensor | null)[]): void {
  for (let i = 0; i < dX.length; i++) {
    const grad = dX[i]?.contiguous();
    if (!grad) continue;
    const values = F32.subarray(grad.ptr >>> 2, (grad.ptr >>> 2) + grad.numel());
    if (values.some((v) => Number.isNaN(v))) {
      throw new NonFiniteError(
        `${node.name}: its backward returned NaN in the gradient of input ${i}` +
          (node.trace
            ? `; its forward was called\n${node.trace}`
            : " (made outside detectAnomaly, so where is not known)"),
      );
    }
  }
}

/**
 * Computes the gradients of root with regard to the leaves behind it and adds them to their `.grad`.
 *
 * @throws AutogradError when root needs no gradient, is not a scalar and no gradient is given, when the graph has been
 * used already, or when a tensor it saved has been changed in place.
 */
export function backward(root: Tensor, gradient: Tensor | null, retainGraph: boolean): void {
  const grad = rootGradient("backward", root, gradient);
  try {
    runBackward([root], [grad], retainGraph, null);
  } finally {
    if (gradient === null) free(grad.block, "consumed");
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

/**
 * The gradients of outputs with regard to inputs, as new tensors; `.grad` stays as it is. As torch.autograd.grad.
 *
 * @param options.gradOutputs gradients of the outputs; may be left out for scalars
 * @param options.retainGraph keep what the graph saved, for another pass
 * @param options.allowUnused give null, instead of an error, for an input that the outputs do not depend on
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: { gradOutputs?: Tensor | readonly (Tensor | null)[]; retainGraph?: boolean; allowUnused?: boolean } = {},
): (Tensor | null)[] {
  const roots = outputs instanceof Tensor ? [outputs] : [...outputs];
  const wanted = inputs instanceof Tensor ? [inputs] : [...inputs];
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
