/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Tensor: a view (shape, strides, offset, dtype) of a block of the heap, with its place in the autograd graph. Here is what
 * a tensor is; what can be done with it (`add`, `sum`, `reshape` …) are the ops, which methods.ts makes its methods.
 */
import { isOptions, optionsOf, show, type Trailing } from "./arguments.js";
import { backward, refuseCreateGraph } from "./autograd.js";
import type { DType, TypedArray } from "./dtype.js";
import { itemSize } from "./dtype.js";
import { AutogradError, ShapeError } from "./errors.js";
import { formatTensor } from "./format.js";
import type { Node } from "./node.js";
import * as convert from "./ops/convert.js";
import { contiguousStrides, formatShape, isContiguous, normalizeDim, numelOf, type Shape, sameShape } from "./shape.js";
import {
  allocate,
  type Block,
  cook,
  demote,
  finalizeWith,
  free,
  hasGivenUp,
  Kind,
  postpone,
  promote,
  touch,
} from "./storage.js";
import { F32, I32, U8 } from "./wasm/heap.js";
import { k } from "./wasm/load.js";

/** Nested lists of numbers or booleans, as `tensor()` takes them and `toArray()` gives them. */
export type NestedArray = number | boolean | readonly NestedArray[];

/** A tensor, or a number that stands for a 0-d one. */
export type TensorLike = Tensor | number;

type Hook = (grad: Tensor) => Tensor | void;

/** Options of `backward`. */
export interface BackwardOptions {
  retainGraph?: boolean;
  /** Refused: backward passes are not recorded. */
  createGraph?: boolean;
}

/** An n-dimensional array of numbers with automatic differentiation. Made by `tensor`, `zeros`, `rand` and so on. */
export class Tensor implements Iterable<Tensor> {
  /** Sizes of the dims; [] for a 0-d tensor. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** @internal */ readonly block: Block;
  /** @internal Held so that the block's memory is given back when no tensor holds it. */
  readonly handle: object | null;
  /** @internal In elements. */
  readonly strides: readonly number[];
  /** @internal In elements. */
  readonly offset: number;
  private node: Node | null = null;
  /** @internal Which of gradFn's results this is. */
  outputIndex = 0;
  /** @internal */ gradTensor: Tensor | null = null;
  /** @internal The buffer a gradient is being written to, or one that may be written over. */
  pendingGrad: Tensor | null = null;
  /** @internal */ leafHooks: Hook[] | null = null;
  /** Whether backward() fills `.grad`, though this is no leaf. */
  retainsGrad = false;
  private leafRequiresGrad = false;
  private gradExposed = false;
  private readonly count: number;

  /** @internal */
  constructor(
    block: Block,
    handle: object | null,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
    dtype: DType,
  ) {
    this.block = block;
    this.handle = handle;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.dtype = dtype;
    this.count = numelOf(shape);
  }

  /** @internal A result, uninitialised. */
  static allocate(shape: Shape, dtype: DType, op: string): Tensor {
    const block = allocate(numelOf(shape) * itemSize(dtype), op, Kind.Result);
    return new Tensor(block, null, shape, contiguousStrides(shape), 0, dtype);
  }

  /** @internal A tensor that is never lost (data, clones, state), uninitialised. */
  static allocateDurable(shape: Shape, dtype: DType, op: string, kind: Kind = Kind.Data): Tensor {
    const block = allocate(numelOf(shape) * itemSize(dtype), op, kind);
    return new Tensor(block, finalizeWith(block), shape, contiguousStrides(shape), 0, dtype);
  }

  /** @internal A float32 result that `recipe` will compute (storage.ts). */
  static postpone(shape: Shape, op: string, recipe: () => void): Tensor {
    const block = postpone(numelOf(shape) * itemSize("float32"), op, recipe);
    return new Tensor(block, null, shape, contiguousStrides(shape), 0, "float32");
  }

  /** @internal A float32 temporary of a backward pass, uninitialised. */
  static allocateTransient(shape: Shape, op: string): Tensor {
    const out = Tensor.allocate(shape, "float32", op);
    out.block.transient = true;
    return out;
  }

  /** @internal Another view of the same memory. */
  stridedView(shape: Shape, strides: readonly number[], offset: number): Tensor {
    return new Tensor(this.block, this.handle, shape, strides, offset, this.dtype);
  }

  /** @internal The address of the first element, good until the next op; counts as a use. */
  get ptr(): number {
    touch(this.block);
    return this.block.ptr + this.offset * itemSize(this.dtype);
  }

  /** @internal What made it, for the tape; an op that waits is run to know. */
  get gradFn(): Node | null {
    if (this.block.recipe !== null && !hasGivenUp(this.block)) cook(this.block);
    return this.node;
  }

  set gradFn(node: Node | null) {
    this.node = node;
  }

  // Reading ------------------------------------------------------------------------------------------------------------

  /** Number of elements. */
  numel(): number {
    return this.count;
  }

  /** Number of dims. */
  dim(): number {
    return this.shape.length;
  }

  /** Number of dims. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The sizes, or the size of one dim (from the end when negative). */
  size(): number[];
  size(dim: number | { dim: number }): number;
  size(dim?: number | { dim: number }): number | number[] {
    if (dim === undefined) return [...this.shape];
    return this.shape[normalizeDim(typeof dim === "number" ? dim : dim.dim, this.ndim, "size")];
  }

  /** Size of the first dim. @throws ShapeError on a 0-d tensor. */
  get length(): number {
    if (this.ndim === 0) throw new ShapeError("length: a 0-d tensor has no length; use item() for its value");
    return this.shape[0];
  }

  /** The value of a tensor of one element: a number, or a boolean for dtype bool. @throws ShapeError for any other size. */
  item(): number {
    if (this.count !== 1) {
      throw new ShapeError(
        `item: only a tensor of one element has a value, this one has shape ${formatShape(this.shape)}`,
      );
    }
    const { ptr } = this;
    if (this.dtype === "float32") return F32[ptr >>> 2];
    if (this.dtype === "int32") return I32[ptr >>> 2];
    return this.dtype === "bool" ? ((U8[ptr] !== 0) as unknown as number) : U8[ptr];
  }

  /** The elements in row-major order, as a copy: Float32Array, Int32Array, or Uint8Array (uint8, and bool as 0 and 1). */
  toTypedArray(): TypedArray {
    const source = this.contiguousData();
    const { ptr } = source;
    if (this.dtype === "float32") return F32.slice(ptr >>> 2, (ptr >>> 2) + this.count);
    if (this.dtype === "int32") return I32.slice(ptr >>> 2, (ptr >>> 2) + this.count);
    return U8.slice(ptr, ptr + this.count);
  }

  /** The elements as nested arrays of numbers (booleans for dtype bool); a plain value for a 0-d tensor. */
  toArray(): any {
    const flat = this.toTypedArray();
    const values = this.dtype === "bool" ? Array.from(flat, (v) => v !== 0) : Array.from(flat);
    let position = 0;
    const nest = (dim: number): unknown => {
      if (dim === this.ndim) return values[position++];
      return Array.from({ length: this.shape[dim] }, () => nest(dim + 1));
    };
    return nest(0);
  }

  /** As PyTorch prints it. */
  toString(): string {
    return formatTensor(this);
  }

  /** What JSON.stringify takes: the elements as nested arrays, as `tensor()` reads them. */
  toJSON(): any {
    return this.toArray();
  }

  /**
   * What JavaScript's own operators take. Text is what toString() gives; a single value outside the graph is its number;
   * anything else is an error, since `a + b` and `total += loss` would silently make text or NaN of it.
   *
   * @throws TypeError that names the methods to use
   */
  [Symbol.toPrimitive](hint: string): string | number {
    if (hint === "string") return this.toString();
    if (this.count === 1 && !this.requiresGrad) return Number(this.item());
    throw new TypeError(
      `a tensor of shape ${formatShape(this.shape)}${this.requiresGrad ? " that requires grad" : ""} has no number for JavaScript's ` +
        "operators; use add(), mul(), lt() and so on, or item() for the value of a single element",
    );
  }

  /** @internal What Node's console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** The tensors along the first dim. @throws ShapeError on a 0-d tensor. */
  *[Symbol.iterator](): Iterator<Tensor> {
    if (this.ndim === 0) throw new ShapeError("iteration over a 0-d tensor; use item() for its value");
    for (let i = 0; i < this.shape[0]; i++) yield this.select(0, i);
  }

  /** Whether the elements lie in row-major order without gaps. */
  isContiguous(): boolean {
    return isContiguous(this.shape, this.strides);
  }

  /** This tensor when it is contiguous, else a contiguous copy. */
  contiguous(): Tensor {
    return this.isContiguous() ? this : convert.contiguous(this);
  }

  /** @internal Contiguous and outside the graph. */
  contiguousData(): Tensor {
    return this.isContiguous() ? this : convert.contiguous(this.detach());
  }

  // Memory -------------------------------------------------------------------------------------------------------------

  /** Exempts this tensor (and its views) from being reclaimed or freed by `scope`, until `dispose()`. Returns itself. */
  keep(): this {
    touch(this.block);
    this.block.kept = true;
    return this;
  }

  /** Gives this tensor's memory (and that of its views) back at once; a backward() that needs it will refuse to run. */
  dispose(): void {
    free(this.block, "disposed");
  }

  /** `using x = …` disposes of x at the end of its block. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  // Autograd -----------------------------------------------------------------------------------------------------------

  /** Whether gradients flow to this tensor. Settable on leaves. */
  get requiresGrad(): boolean {
    return this.gradFn !== null || this.leafRequiresGrad;
  }

  set requiresGrad(value: boolean) {
    if (this.gradFn !== null) {
      if (value) return;
      throw new AutogradError("requiresGrad: only a leaf can stop requiring a gradient; use detach() on a result");
    }
    if (value && this.dtype !== "float32") {
      throw new AutogradError(`requiresGrad: only float32 tensors can require gradients, this one is ${this.dtype}`);
    }
    this.leafRequiresGrad = value;
  }

  /** Sets `requiresGrad` and returns itself. */
  requiresGrad_(value = true): this {
    this.requiresGrad = value;
    return this;
  }

  /** Whether it was made by the user, not by an op that is recorded. */
  get isLeaf(): boolean {
    return this.gradFn === null;
  }

  /** The gradient that backward() has accumulated, or null. Set it to null to forget it. */
  get grad(): Tensor | null {
    if (this.gradTensor !== null) this.gradExposed = true;
    return this.gradTensor;
  }

  set grad(value: Tensor | null) {
    if (value === null || value === undefined) {
      this.forgetGrad();
      return;
    }
    if (!(value instanceof Tensor)) throw new TypeError(`grad: expected a Tensor or null, found ${typeof value}`);
    if (!sameShape(value.shape, this.shape) || value.dtype !== "float32") {
      throw new ShapeError(
        `grad: assigned a ${value.dtype} tensor of shape ${formatShape(value.shape)} as the gradient of one of shape ${formatShape(this.shape)}`,
      );
    }
    this.forgetGrad();
    const held = value.isContiguous() ? value : value.contiguous();
    promote(held.block, Kind.State);
    this.gradTensor = held;
    this.gradExposed = true;
  }

  private forgetGrad(): void {
    const { gradTensor } = this;
    if (gradTensor === null) return;
    // A buffer nobody has seen is written over by the next backward(); one the user may hold must keep its values.
    if (this.gradExposed) demote(gradTensor.block);
    else this.pendingGrad = gradTensor;
    this.gradTensor = null;
    this.gradExposed = false;
  }

  /** @internal A buffer for this leaf's gradient, uninitialised; `acceptGrad` makes it the gradient. */
  freshGrad(): Tensor {
    this.pendingGrad ??= Tensor.allocateDurable(this.shape, "float32", "grad", Kind.State);
    return this.pendingGrad;
  }

  /** @internal */
  acceptGrad(): void {
    this.gradTensor = this.pendingGrad;
    this.pendingGrad = null;
  }

  /** @internal Copies a float32 tensor of this shape, of any strides, into this contiguous one. */
  assign(source: Tensor): void {
    convert.copyInto(this, source);
  }

  /**
   * Computes the gradients of this tensor with regard to the leaves it was computed from, and adds them to their `.grad`.
   *
   * @param gradient the gradient of this tensor; may be left out (or null, or the options be given instead) for a scalar
   * @param options.retainGraph keep what the graph saved, so that backward() can run through it again
   * @throws AutogradError when nothing here requires a gradient, when the graph has been used already, or when a tensor
   * it saved has been changed in place
   */
  backward(
    ...args: Trailing<BackwardOptions & { gradient?: Tensor | null }, ["gradient", "retainGraph", "createGraph"]>
  ): void {
    const {
      gradient = null,
      retainGraph = false,
      createGraph,
    } = optionsOf<BackwardOptions & { gradient?: Tensor | null }>("backward", args, [
      "gradient",
      "retainGraph",
      "createGraph",
    ]);
    if (gradient !== null && !(gradient instanceof Tensor)) {
      throw new TypeError(`backward: gradient must be a Tensor or null, found ${show(gradient)}`);
    }
    if (createGraph) refuseCreateGraph("backward", createGraph);
    backward(this, gradient, retainGraph);
  }

  /** Lets backward() fill `.grad` of this result of an op, too; leaves have theirs anyway. As torch.Tensor.retain_grad. */
  retainGrad(): void {
    if (!this.requiresGrad) throw new AutogradError("retainGrad: this tensor does not require a gradient");
    if (this.isLeaf || this.retainsGrad) return;
    this.retainsGrad = true;
    this.registerHook((grad) => {
      const sum = this.gradTensor;
      if (sum === null) this.grad = grad;
      else {
        k.accumulate(sum.ptr, grad.ptr, sum.numel());
        sum.block.version++;
      }
    });
  }

  /** Calls hook with this tensor's gradient in every backward(); what it returns replaces it. Returns the remover. */
  registerHook(hook: Hook): { remove(): void } {
    if (typeof hook !== "function") throw new TypeError(`registerHook: expected a function, found ${show(hook)}`);
    if (!this.requiresGrad) throw new AutogradError("registerHook: this tensor does not require a gradient");
    let list: Hook[];
    if (this.gradFn === null) {
      this.leafHooks ??= [];
      list = this.leafHooks;
    } else {
      this.gradFn.hooks ??= [];
      this.gradFn.hooks[this.outputIndex] ??= [];
      list = this.gradFn.hooks[this.outputIndex] as Hook[];
    }
    list.push(hook);
    return {
      remove: () => {
        const i = list.indexOf(hook);
        if (i >= 0) list.splice(i, 1);
        if (list.length === 0 && this.leafHooks === list) this.leafHooks = null;
      },
    };
  }

  /** The same memory outside the graph: gradients stop here. */
  detach(): Tensor {
    this.block.detached = true;
    return this.stridedView(this.shape, this.strides, this.offset);
  }

  /** A copy with memory of its own, which is never reclaimed; gradients flow through it. */
  clone(): Tensor {
    return convert.clone(this);
  }

  /** Converts to another dtype; returns itself when it has it already. Float to integer truncates, anything ≠ 0 is true. */
  to(dtype: DType | { dtype: DType }): Tensor {
    return convert.to(this, isOptions(dtype) ? (dtype as { dtype: DType }).dtype : (dtype as DType));
  }

  float(): Tensor {
    return convert.to(this, "float32");
  }
  int(): Tensor {
    return convert.to(this, "int32");
  }
  bool(): Tensor {
    return convert.to(this, "bool");
  }
  byte(): Tensor {
    return convert.to(this, "uint8");
  }
}
