/**
 * Ops: `defineOp` makes one out of its shape rule, its forward and its backward. The runner checks, allocates, records the
 * tape, and skips what needs no gradient.
 */
import { checkForward } from "./anomaly.js";
import type { DType } from "./dtype.js";
import { isAnomalyMode, isGradEnabled } from "./grad-mode.js";
import { Node, record } from "./node.js";
import { observers } from "./observe.js";
import { Replay } from "./replay.js";
import type { Shape } from "./shape.js";
import { fillPostponed, free, letGo, tick, touch } from "./storage.js";
import { Tensor } from "./tensor.js";

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
  /**
   * How a large result is computed again after its tape has let go of it (replay.ts): the other arguments with which `forward`
   * gives the same once more and changes nothing beside it; null where it cannot. Without it the result is held.
   */
  replay?: (...attributes: A) => A | null;
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

/** What `defineOp` makes. */
export interface Op<T extends Inputs, A extends readonly unknown[]> {
  (...args: [...T, ...A]): Tensor;
  /** @internal The same, into a result that was postponed (defer.ts). */
  into(out: Tensor, ...args: [...T, ...A]): Tensor;
}

/**
 * Makes an op: a function of its tensor inputs and its other arguments. The runner alone checks, allocates, records the
 * tape, and skips what needs no gradient.
 */
export function defineOp<T extends Inputs = [Tensor], A extends readonly unknown[] = []>(spec: OpSpec<T, A>): Op<T, A> {
  const count = spec.inputs ?? 1;
  const call = (into: Tensor | null, args: [...T, ...A]) => {
    const inputs = args.slice(0, count) as (Tensor | null | undefined)[];
    return runOp(spec as never, inputs, args.length > count ? args.slice(count) : NONE, into);
  };
  const op = ((...args) => call(null, args)) as Op<T, A>;
  op.into = (out, ...args) => call(out, args);
  return op;
}
const NONE: readonly unknown[] = [];

/** The runner: what a function that `defineOp` made does. Called directly by ops of any number of tensors (`cat`). */
export function runOp(
  spec: OpSpec<Inputs, readonly unknown[]>,
  given: (Tensor | null | undefined)[],
  attributes: readonly unknown[],
  into: Tensor | null = null,
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
    if (isGradEnabled() && t.requiresGrad) needsGrad = true;
  }
  const backprop = needsGrad && (spec.backward !== undefined || spec.adjoint !== undefined);
  const anomalyMode = isAnomalyMode();
  const original = backprop || anomalyMode ? given.slice() : given;
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
  let out: Tensor;
  if (into !== null) {
    out = into;
    fillPostponed(out.block);
  } else if (spec.durable) out = Tensor.allocateDurable(shape, dtype, spec.name);
  else out = Tensor.allocate(shape, dtype, spec.name);
  const own = spec.forward(out, inputs, ...attributes);
  if (anomalyMode) checkForward(spec.name, out, original, attributes);
  if (observers.length > 0) for (const observer of observers) observer.ran(spec.name, out, inputs);
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
  const node = new OpNode(
    spec,
    original.map((t) => (t?.requiresGrad ? t : null)),
    saved,
    attributes,
  );
  if (spec.replay !== undefined && Replay.pays(out.block.bytes))
    node.replay = replayOf(spec, original, out, attributes);
  record(out, node);
  // The runner's copies belong to the node that saved them, or to nobody.
  if (copies !== null) for (const copy of copies) letGo(copy.block);
  return out;
}

function replayOf(
  spec: OpSpec<Inputs, readonly unknown[]>,
  operands: readonly (Tensor | null | undefined)[],
  out: Tensor,
  attributes: readonly unknown[],
): Replay | null {
  const again = spec.replay?.(...attributes) ?? null;
  if (again === null) return null;
  return new Replay(spec.name, operands, out.block, out.shape, (inputs, into) => runOp(spec, inputs, again, into));
}

/** `replay` of an op that depends on nothing but its arguments. */
export const asBefore = <A extends readonly unknown[]>(...attributes: A): A => attributes;

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
    if (isGradEnabled() && x.requiresGrad) {
      record(out, new OpNode(asOp as never, [x], [], [x.shape, ...attributes]));
    }
    return out;
  };
}
