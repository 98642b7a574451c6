/** Arithmetic and comparisons of two tensors or a tensor and a number, with broadcasting and PyTorch's dtype promotion. */

import { checkOptions } from "../arguments.js";
import { followers } from "../defer.js";
import { type DType, resultType } from "../dtype.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { flatLayout } from "../layout.js";
import { asBefore, defineOp } from "../op.js";
import { broadcastShapes, broadcastStrides } from "../shape.js";
import { free, letGo } from "../storage.js";
import { Tensor } from "../tensor.js";
import { F32, I32, SCALAR_PTR, U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { to, withBroadcast } from "./convert.js";
import {
  asOperandTensor,
  type BinaryKernel,
  checkOperand,
  commonType,
  type Operand,
  operandType,
  promotedPair,
  zeroFill,
} from "./elementwise-common.js";
import { sumTo } from "./reduce.js";
import { floor, log, neg, rsqrt, sqrt } from "./unary.js";
import { logicalAnd, where } from "./where.js";

/** The gradient of one operand; `uses` says which operands (and the result) it reads, so that only those are saved. */
interface OperandGradient {
  uses: "" | "a" | "b" | "ab" | "about";
  of(dOut: Tensor, a: Operand, b: Operand, out: Tensor): Tensor;
}
interface BinarySpec {
  name: string;
  float(): BinaryKernel;
  /** Absent: integers are converted to float32 first. */
  int?(): BinaryKernel;
  /** Comparisons give bool. */
  compares?: boolean;
  gradA?: OperandGradient;
  gradB?: OperandGradient;
}

/** Puts a number where a kernel can read it. */
function writeScalar(value: number, dtype: DType): number {
  if (dtype === "float32") F32[SCALAR_PTR >>> 2] = value;
  else I32[SCALAR_PTR >>> 2] = value;
  return SCALAR_PTR;
}

/** What a binary op knows beside its tensors: the numbers that stand for absent ones, and what comes out. */
interface BinaryCall {
  x: number;
  y: number;
  /** What it computes in: float32 or int32. */
  dtype: DType;
  shapeA: readonly number[];
  shapeB: readonly number[];
}

/** Defines a binary op: a function of two operands, at least one of them a tensor. */
function defineBinary(spec: BinarySpec): (a: Operand, b: Operand, into?: Tensor) => Tensor {
  const { name, compares = false } = spec;
  const op = defineOp<[Tensor | null, Tensor | null], [BinaryCall]>({
    name,
    inputs: 2,
    raw: true,
    replay: asBefore,
    output: ([a, b], { dtype, shapeA, shapeB }) => ({
      shape: a === null ? shapeB : b === null ? shapeA : broadcastShapes(shapeA, shapeB, name),
      dtype: compares ? "bool" : dtype,
    }),
    forward: (out, [a, b], { x, y, dtype }) => {
      const kernel = dtype === "float32" ? spec.float() : (spec.int as () => BinaryKernel)();
      if (a !== null && b !== null) {
        withBroadcast(out.shape, [a, b], (layout, [p, q]) => kernel(out.ptr, p.ptr, q.ptr, layout));
        return;
      }
      const given = (a ?? b) as Tensor;
      const t = given.contiguousData();
      if (a === null) kernel(out.ptr, writeScalar(x, dtype), t.ptr, flatLayout(t.numel(), 0, 1));
      else kernel(out.ptr, t.ptr, writeScalar(y, dtype), flatLayout(t.numel(), 1, 0));
      if (t !== given) free(t.block, "consumed");
    },
    save: (out, [a, b]) => {
      const uses =
        (a?.requiresGrad ? (spec.gradA?.uses ?? "") : "") + (b?.requiresGrad ? (spec.gradB?.uses ?? "") : "");
      return [uses.includes("a") ? a : null, uses.includes("b") ? b : null, uses.includes("o") ? out : null];
    },
    adjoint:
      spec.gradA === undefined && spec.gradB === undefined
        ? undefined
        : (dOut, [a, b, out], needs, { x, y, shapeA, shapeB }) => {
            const gradient = (side: OperandGradient | undefined, shape: readonly number[]) =>
              side === undefined ? null : sumTo(side.of(dOut, a ?? x, b ?? y, out), shape);
            return [needs[0] ? gradient(spec.gradA, shapeA) : null, needs[1] ? gradient(spec.gradB, shapeB) : null];
          },
  });
  return (a, b, into) => {
    checkOperand(name, a, "the first");
    checkOperand(name, b, "the second");
    const tensorA = a instanceof Tensor ? a : null;
    const tensorB = b instanceof Tensor ? b : null;
    if (tensorA === null && tensorB === null) throw new TypeError(`${name}: one of the operands must be a Tensor`);
    const result = commonType(a, b);
    const dtype = result === "float32" || spec.int === undefined ? "float32" : "int32";
    const p = tensorA && to(tensorA, dtype);
    const q = tensorB && to(tensorB, dtype);
    const call: BinaryCall = {
      x: Number(a instanceof Tensor ? 0 : a),
      y: Number(b instanceof Tensor ? 0 : b),
      dtype,
      shapeA: tensorA?.shape ?? [],
      shapeB: tensorB?.shape ?? [],
    };
    const out = into === undefined ? op(p, q, call) : op.into(into, p, q, call);
    if (p !== tensorA) letGo((p as Tensor).block);
    if (q !== tensorB) letGo((q as Tensor).block);
    if (compares || out.dtype === "float32" || result === "int32") return out;
    // uint8 and bool are computed as int32 and brought back, which wraps as their own arithmetic would.
    const wrapped = to(out, result);
    letGo(out.block);
    return wrapped;
  };
}

const multiply: OperandGradient = { uses: "b", of: (d, _a, b) => mul(d, b) };

const addTensors = defineBinary({
  name: "add",
  float: () => k.add,
  int: () => k.add_i32,
  gradA: { uses: "", of: (d) => d },
  gradB: { uses: "", of: (d) => d },
});

const subTensors = defineBinary({
  name: "sub",
  float: () => k.sub,
  int: () => k.sub_i32,
  gradA: { uses: "", of: (d) => d },
  gradB: { uses: "", of: (d) => neg(d) },
});

/** a + alpha·b. Operands are tensors or numbers and broadcast together. */
export function add(a: Operand, b: Operand, options: { alpha?: number } = {}): Tensor {
  const other = scaledOperand(b, options.alpha);
  // A sum has no order: whichever operand waits.
  return addFollowing(a, other) ?? addFollowing(other, a) ?? addTensors(a, other);
}

function addFollowing(a: Operand, b: Operand): Tensor | null {
  if (!(b instanceof Tensor)) return null;
  return followers(a)?.add?.(b, (sum) => addTensors(a, b, sum)) ?? null;
}

/** a − alpha·b. @throws DTypeError for two bool tensors, as PyTorch: use logicalXor or logicalNot. */
export function sub(a: Operand, b: Operand, options: { alpha?: number } = {}): Tensor {
  if (operandType(a).dtype === "bool" && operandType(b).dtype === "bool") {
    throw new DTypeError("sub: two bool tensors cannot be subtracted; use logicalXor() or logicalNot()");
  }
  return subTensors(a, scaledOperand(b, options.alpha));
}

function scaledOperand(b: Operand, alpha = 1): Operand {
  if (alpha === 1) return b;
  return b instanceof Tensor ? mul(b, alpha) : Number(b) * alpha;
}

/** a·b, element by element. */
export const mul = /* @__PURE__ */ defineBinary({
  name: "mul",
  float: () => k.mul,
  int: () => k.mul_i32,
  gradA: multiply,
  gradB: { uses: "a", of: (d, a) => mul(d, a) },
});

const divTensors = /* @__PURE__ */ defineBinary({
  name: "div",
  float: () => k.div,
  gradA: { uses: "b", of: (d, _a, b) => div(d, b) },
  gradB: { uses: "ab", of: (d, a, b) => neg(mul(d, div(div(a, b), b))) },
});

/** How a quotient is rounded: not at all, down, or towards 0. */
export interface DivOptions {
  roundingMode?: "floor" | "trunc" | null;
}

/**
 * a / b; integers are divided as floats, as PyTorch's true division. With a roundingMode the quotient is whole, integers
 * stay integers, and the gradient is 0.
 *
 * @throws ArgumentError for an unknown roundingMode, and when an integer is to be divided by 0 with one
 */
export function div(a: Operand, b: Operand, options: DivOptions = {}): Tensor {
  checkOptions("div", options, ["roundingMode"]);
  const { roundingMode = null } = options;
  if (roundingMode === null) return divTensors(a, b);
  if (roundingMode !== "floor" && roundingMode !== "trunc") {
    throw new ArgumentError(
      `div: roundingMode must be "floor", "trunc" or null, found ${JSON.stringify(roundingMode)}`,
    );
  }
  checkOperand("div", a, "the first");
  checkOperand("div", b, "the second");
  if (!(a instanceof Tensor) && !(b instanceof Tensor))
    throw new TypeError("div: one of the operands must be a Tensor");
  const dtype = promotedPair(a, b);
  if (dtype === "bool")
    throw new DTypeError("div: bool tensors cannot be divided with a roundingMode; use logicalAnd()");
  const [p, q] = [asOperandTensor(a, dtype, "div"), asOperandTensor(b, dtype, "div")];
  const out = divWhole(p, q, roundingMode === "floor" ? floorQuotient : (x, y) => Math.trunc(x / y));
  for (const [t, given] of [[p, a] as const, [q, b] as const])
    if (!(given instanceof Tensor)) free(t.block, "consumed");
  return out;
}

/** ⌊x / y⌋ without the quotient's own rounding: from the remainder, which is exact (Python's float.__floordiv__). */
function floorQuotient(x: number, y: number): number {
  if (y === 0) return x / y;
  const rest = x % y;
  const quotient = (x - rest) / y - (rest !== 0 && rest < 0 !== y < 0 ? 1 : 0);
  return Math.round(quotient);
}

/** Quotients by a function of numbers: rare enough to need no kernel. */
const divWhole = /* @__PURE__ */ defineOp<[Tensor, Tensor], [quotient: (x: number, y: number) => number]>({
  name: "div",
  inputs: 2,
  raw: true,
  output: ([a, b]) => ({ shape: broadcastShapes(a.shape, b.shape, "div"), dtype: a.dtype }),
  forward: (out, operands, quotient) => {
    const copies = operands.map((t) => {
      const wide = t.stridedView(out.shape, broadcastStrides(t.shape, t.strides, out.shape), t.offset);
      return wide.contiguousData();
    });
    const heap = out.dtype === "float32" ? F32 : out.dtype === "int32" ? I32 : U8;
    const [o, x, y] = [out, ...copies].map((t) => t.ptr / heap.BYTES_PER_ELEMENT);
    const n = out.numel();
    if (out.dtype !== "float32" && heap.subarray(y, y + n).includes(0)) {
      throw new ArgumentError("div: integer division by zero");
    }
    for (let i = 0; i < n; i++) heap[o + i] = quotient(heap[x + i], heap[y + i]);
    copies.forEach((copy, i) => {
      if (copy.block !== operands[i].block) free(copy.block, "consumed");
    });
  },
  backward: (_dOut, _saved, dX) => {
    for (const t of dX) if (t !== null) zeroFill(t);
  },
});

/**
 * a to the power b. Integers to integer powers stay integers.
 *
 * @throws ArgumentError for integers to the power of a negative whole number
 */
export function pow(a: Operand, b: Operand): Tensor {
  if (a instanceof Tensor && a.dtype !== "float32" && typeof b === "number" && b < 0 && Number.isInteger(b)) {
    throw new ArgumentError(
      `pow: ${a.dtype} to the negative integer power ${b} is no integer; convert it with float()`,
    );
  }
  // As in PyTorch: differs from C's pow at −Infinity and in the gradient at −0, and is faster.
  if (a instanceof Tensor && b === 0.5) return sqrt(a);
  if (a instanceof Tensor && b === -0.5) return rsqrt(a);
  return powTensors(a, b);
}

const powTensors: (a: Operand, b: Operand) => Tensor = /* @__PURE__ */ defineBinary({
  name: "pow",
  float: () => k.pow,
  int: () => k.pow_i32,
  gradA: {
    uses: "ab",
    // The gradient at exponent 0 is 0, whatever the base: 0·0⁻¹ would be NaN.
    of: (d, a, b) => {
      if (typeof b !== "number") return where(eq(b, 0), 0, mul(d, mul(b, pow(a, sub(b as Tensor, 1)))));
      if (b === 0) return mul(d, 0);
      return mul(d, b === 1 ? 1 : mul(pow(a, b - 1), b));
    },
  },
  gradB: {
    uses: "about",
    // 0 to a power ≥ 0 does not change with the power; a·log(0) would be NaN.
    of: (d, a, b, out) => {
      const logA = typeof a === "number" ? Math.log(a) : log(a as Tensor);
      const zeroBase = logicalAnd(eq(a instanceof Tensor ? a : full0(a, out), 0), ge(b, 0));
      return where(zeroBase, 0, mul(d, mul(out, logA)));
    },
  },
});

/** A number as a tensor that broadcasts against `like`. */
function full0(value: Operand, like: Tensor): Tensor {
  return add(mul(like.detach(), 0), value);
}

function tieGradient(own: "a" | "b", loses: (a: Operand, b: Operand) => Tensor): OperandGradient {
  return {
    uses: "ab",
    // Half to each of two equal operands, nothing to the one that loses. A NaN never loses.
    of: (d, a, b) => where(own === "a" ? loses(a, b) : loses(b, a), 0, where(eq(a, b), mul(d, 0.5), d)),
  };
}

/** The larger of a and b; NaN where either is. Two equal operands share the gradient. */
export const maximum = /* @__PURE__ */ defineBinary({
  name: "maximum",
  float: () => k.maximum,
  int: () => k.maximum_i32,
  gradA: tieGradient("a", (own, other) => lt(own, other)),
  gradB: tieGradient("b", (own, other) => lt(own, other)),
});

/** The smaller of a and b; NaN where either is. Two equal operands share the gradient. */
export const minimum = /* @__PURE__ */ defineBinary({
  name: "minimum",
  float: () => k.minimum,
  int: () => k.minimum_i32,
  gradA: tieGradient("a", (own, other) => gt(own, other)),
  gradB: tieGradient("b", (own, other) => gt(own, other)),
});

const clampFloat = defineOp<[Tensor], [min: number, max: number]>({
  name: "clamp",
  forward: (out, [x], min, max) => k.clamp(out.ptr, x.ptr, min, max, x.numel()),
  save: (_out, [x]) => [x],
  backward: (dOut, [x], [dX], min, max) =>
    k.clamp_backward((dX as Tensor).ptr, dOut.ptr, x.ptr, min, max, dOut.numel()),
});

/**
 * x limited to [min, max], either of which may be left out; NaN stays. The gradient passes where x lies within, borders
 * included.
 *
 * @throws ArgumentError when both limits are left out
 */
export function clamp(x: Tensor, options: { min?: number; max?: number } | number, max?: number): Tensor {
  const given = typeof options === "number" || options === undefined ? { min: options, max } : options;
  const limits = { min: given.min ?? undefined, max: given.max ?? undefined };
  if (limits.min === undefined && limits.max === undefined) {
    throw new ArgumentError("clamp: give min, max or both, as in clamp({ min: 0 })");
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (limit === undefined || typeof limit === "number") continue;
    throw new TypeError(
      `clamp: ${name} must be a number, found ${typeof limit}; bound by tensors with maximum(), minimum()`,
    );
  }
  const low = limits.min ?? Number.NEGATIVE_INFINITY;
  const high = limits.max ?? Number.POSITIVE_INFINITY;
  if (x.dtype === "float32") return clampFloat(x, low, high);
  const dtype = resultType([{ dtype: x.dtype, rank: 2 }, ...[limits.min, limits.max].flatMap(limitType)]);
  if (dtype === "float32") return clampFloat(x, low, high);
  const above = limits.min === undefined ? x : maximum(x, limits.min);
  return limits.max === undefined ? above : minimum(above, limits.max);
}
const limitType = (limit: number | undefined) => (limit === undefined ? [] : [operandType(limit)]);

/** a − b·floor(a / b): has the sign of b, as Python's %. @throws ArgumentError when an integer is to be divided by 0. */
export function remainder(a: Operand, b: Operand): Tensor {
  checkOperand("remainder", a, "the first");
  checkOperand("remainder", b, "the second");
  // The kernel's division would trap.
  if (commonType(a, b) !== "float32" && (b instanceof Tensor ? b.toTypedArray().includes(0) : Number(b) === 0)) {
    throw new ArgumentError("remainder: integer division by zero");
  }
  return remainderTensors(a, b);
}
const remainderTensors = defineBinary({
  name: "remainder",
  float: () => k.remainder,
  int: () => k.remainder_i32,
  gradA: { uses: "", of: (d) => d },
  gradB: { uses: "ab", of: (d, a, b) => neg(mul(d, floor(div(a, b)))) },
});

/** a = b, as bool. NaN equals nothing. */
export const eq = /* @__PURE__ */ defineBinary({ name: "eq", float: () => k.eq, int: () => k.eq_i32, compares: true });
/** a ≠ b, as bool. */
export const ne = /* @__PURE__ */ defineBinary({ name: "ne", float: () => k.ne, int: () => k.ne_i32, compares: true });
/** a < b, as bool. */
export const lt = /* @__PURE__ */ defineBinary({ name: "lt", float: () => k.lt, int: () => k.lt_i32, compares: true });
/** a ≤ b, as bool. */
export const le = /* @__PURE__ */ defineBinary({ name: "le", float: () => k.le, int: () => k.le_i32, compares: true });
/** a > b, as bool. */
export const gt = /* @__PURE__ */ defineBinary({ name: "gt", float: () => k.gt, int: () => k.gt_i32, compares: true });
/** a ≥ b, as bool. */
export const ge = /* @__PURE__ */ defineBinary({ name: "ge", float: () => k.ge, int: () => k.ge_i32, compares: true });
