/** `autograd.Function`: an op with a forward and a backward of the user's own. */
import { asUserCode } from "./autograd.js";
import { AutogradError, ShapeError } from "./errors.js";
import { isGradEnabled, noGrad } from "./grad-mode.js";
import { Node, record } from "./node.js";
import { sumTo } from "./ops/reduce.js";
import { formatShape, type Shape } from "./shape.js";
import { type Block, collect, consumeInput, consumeResult } from "./storage.js";
import { Tensor } from "./tensor.js";
import { U8 } from "./wasm/heap.js";

/** What `forward` and `backward` of one call share. Any other property may be set on it. */
export class Context {
  /** Whether each argument of `apply` needs a gradient. */
  readonly needsInputGrad: readonly boolean[];
  /** @internal */ saved: (Tensor | null)[] = [];
  /** @internal */ nonDifferentiable = new Set<Tensor>();
  /** @internal */ node: Node | null = null;
  [key: string]: any;

  /** @internal */
  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /** Saves tensors (inputs or outputs of forward, or others) for `backward`. Call once, in forward. */
  saveForBackward(...tensors: (Tensor | null)[]): void {
    this.saved = tensors;
  }

  /** What `saveForBackward` was given. @throws AutogradError when the graph has been used or a saved tensor changed. */
  get savedTensors(): Tensor[] {
    this.node?.check();
    return this.saved as Tensor[];
  }

  /** Says that these outputs need no gradient. */
  markNonDifferentiable(...outputs: Tensor[]): void {
    for (const t of outputs) this.nonDifferentiable.add(t);
  }
}

type Outputs = Tensor | readonly Tensor[];
type FunctionClass = {
  name: string;
  forward(ctx: Context, ...args: any[]): Outputs;
  backward(ctx: Context, ...gradOutputs: any[]): Tensor | null | undefined | readonly (Tensor | null | undefined)[];
};

class FunctionNode extends Node {
  constructor(
    private readonly definition: FunctionClass,
    private readonly context: Context,
    inputs: (Tensor | null)[],
    /** Which of the arguments are tensors that need a gradient. */
    private readonly positions: readonly number[],
    private readonly argumentCount: number,
    private readonly made: Block[],
    private readonly outputShapes: readonly Shape[],
  ) {
    super(definition.name, inputs, context.saved, outputShapes.length);
  }

  differentiate(grads: readonly (Tensor | null)[]): (Tensor | null)[] {
    const { definition, context } = this;
    for (const grad of grads) {
      if (grad === null) continue;
      // The user may hold on to it, so it stays readable until the next backward(), as any result.
      grad.block.transient = false;
      consumeResult(grad.block);
    }
    const returned = asUserCode(() =>
      definition.backward(context, ...grads.map((g, i) => g?.contiguous() ?? zerosFor(this.outputShapes[i]))),
    );
    const list: unknown[] = Array.isArray(returned) ? returned : [returned];
    // As in PyTorch, more than one for each argument is fine when the rest is null.
    if (list.length < this.argumentCount || list.slice(this.argumentCount).some((g) => g != null)) {
      throw new AutogradError(
        `${this.name}: backward returned ${list.length} gradients, forward took ${this.argumentCount} arguments: ` +
          "return one for each argument, null where none is needed",
      );
    }
    return this.inputs.map((input, i) =>
      input === null ? null : this.checked(list[this.positions[i]], input, this.positions[i]),
    );
  }

  private checked(grad: unknown, input: Tensor, position: number): Tensor | null {
    if (grad === null || grad === undefined) return null;
    if (!(grad instanceof Tensor)) {
      throw new AutogradError(
        `${this.name}: backward returned ${typeof grad} as gradient ${position}, expected a Tensor or null`,
      );
    }
    const lead = grad.ndim - input.ndim;
    if (lead < 0 || input.shape.some((size, d) => size !== 1 && size !== grad.shape[lead + d])) {
      throw new ShapeError(
        `${this.name}: backward returned an invalid gradient at index ${position}: got shape ` +
          `${formatShape(grad.shape)}, expected ${formatShape(input.shape)}`,
      );
    }
    return sumTo(grad.float(), input.shape);
  }

  override release(position: number): void {
    super.release(position);
    for (const block of this.made) consumeInput(block);
    this.made.length = 0;
  }
}

function zerosFor(shape: readonly number[]): Tensor {
  const zeros = Tensor.allocate(shape, "float32", "zeros");
  U8.fill(0, zeros.ptr, zeros.ptr + 4 * zeros.numel());
  return zeros;
}

/**
 * Base of a custom op, as torch.autograd.Function:
 *
 * ```ts
 * class Square extends autograd.Function {
 *   static forward(ctx: Context, x: Tensor) { ctx.saveForBackward(x); return x.mul(x); }
 *   static backward(ctx: Context, gradOutput: Tensor) { const [x] = ctx.savedTensors; return gradOutput.mul(x).mul(2); }
 * }
 * const y = Square.apply(x);
 * ```
 *
 * `forward` runs without recording; `backward` gets one gradient for each output and returns one for each argument of
 * `forward` (null where none is needed; a single one need not be in a list).
 */
// biome-ignore lint/suspicious/noShadowRestrictedNames: PyTorch's name; users write autograd.Function
export class Function {
  static forward(_ctx: Context, ..._args: any[]): Outputs {
    throw new AutogradError(`${this.name}: define static forward(ctx, …)`);
  }

  static backward(_ctx: Context, ..._gradOutputs: any[]): any {
    throw new AutogradError(`${this.name}: define static backward(ctx, …)`);
  }

  /** Runs `forward` and records `backward`. */
  static apply<T extends FunctionClass>(this: T, ...args: Tail<Parameters<T["forward"]>>): ReturnType<T["forward"]> {
    const isInput = args.map((a) => a instanceof Tensor && a.requiresGrad && isGradEnabled());
    const context = new Context(isInput);
    const made: Block[] = [];
    const outer = collect({ blocks: made, inPass: false });
    let result: Outputs;
    try {
      result = noGrad(() => this.forward(context, ...args));
    } finally {
      collect(outer);
      outer.blocks?.push(...made);
    }
    const outputs = Array.isArray(result) ? [...result] : [result as Tensor];
    outputs.forEach((t: unknown, i) => {
      if (t instanceof Tensor) return;
      throw new AutogradError(`${this.name}: forward returned ${typeof t} as output ${i}, expected a Tensor`);
    });
    // A tensor that has a place in the graph already (an input, a parameter, an output given twice) is returned as another
    // view of itself, so that it keeps that place.
    const wrapped = outputs.map((t, i) =>
      args.includes(t) || t.requiresGrad || outputs.indexOf(t) < i ? t.detach() : t,
    );
    if (isInput.includes(true)) {
      const positions = isInput.flatMap((needed, i) => (needed ? [i] : []));
      const inputs = positions.map((i) => args[i] as Tensor);
      const held = new Set([...wrapped, ...context.saved].map((t) => t?.block));
      const rest = made.filter((block) => !held.has(block));
      const node = new FunctionNode(
        this,
        context,
        inputs,
        positions,
        args.length,
        rest,
        wrapped.map((t) => t.shape),
      );
      context.node = node;
      wrapped.forEach((t, i) => {
        if (t.dtype === "float32" && !context.nonDifferentiable.has(outputs[i])) record(t, node, i);
      });
    }
    return (result instanceof Tensor ? wrapped[0] : wrapped) as ReturnType<T["forward"]>;
  }
}

type Tail<T extends readonly unknown[]> = T extends [unknown, ...infer R] ? R : never;
