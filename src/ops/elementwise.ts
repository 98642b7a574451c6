/** Element-wise arithmetic, comparisons and functions, with broadcasting and PyTorch's dtype promotion. */

import { checkOptions, inPlaces, show } from "../arguments.js";
import { followers } from "../defer.js";
import { type DType, numberType, promoteTypes, resultType } from "../dtype.js";
import { ArgumentError, DTypeError } from "../errors.js";
import { flatLayout } from "../layout.js";
import { asBefore, defineOp } from "../op.js";
import { broadcastShapes, broadcastStrides } from "../shape.js";
import { free, letGo } from "../storage.js";
import { Tensor } from "../tensor.js";
import { F32, I32, SCALAR_PTR, U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { to, withBroadcast } from "./convert.js";
import { sumTo } from "./reduce.js";

/** What a binary op takes on either side. */
export type Operand = Tensor | number | boolean;

type BinaryKernel = (out: number, a: number, b: number, layout: number) => void;
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

function checkOperand(name: string, value: unknown, which: string): asserts value is Operand {
  if (value instanceof Tensor || typeof value === "number" || typeof value === "boolean") return;
  throw new TypeError(
    `${name}: ${which} operand must be a Tensor or a number, found ${value === null ? "null" : Array.isArray(value) ? "an array" : typeof value}; wrap data in tensor(…)`,
  );
}

const operandType = (value: Operand): { dtype: DType; rank: 0 | 1 | 2 } =>
  value instanceof Tensor
    ? { dtype: value.dtype, rank: value.ndim === 0 ? 1 : 2 }
    : { dtype: numberType(value), rank: 0 };

/** The common dtype of operands. The usual case, all float32, is decided first. */
function commonType(a: Operand, b: Operand): DType {
  if (a instanceof Tensor && a.dtype === "float32" && (!(b instanceof Tensor) || b.dtype === "float32"))
    return "float32";
  return resultType([operandType(a), operandType(b)]);
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

// Functions of one tensor --------------------------------------------------------------------------------------------

type UnaryKernel = (out: number, x: number, n: number) => void;
type UnaryBackward = (dX: number, dOut: number, saved: number, n: number) => void;

/** Defines an op of one float32 tensor; its backward reads the input (`x`) or the result (`out`). */
function defineUnary(
  name: string,
  kernel: () => UnaryKernel,
  from: "x" | "out",
  backward: () => UnaryBackward,
): (x: Tensor) => Tensor {
  return defineOp<[Tensor]>({
    name,
    replay: asBefore,
    forward: (out, [x]) => kernel()(out.ptr, x.ptr, x.numel()),
    save: (out, [x]) => [from === "x" ? x : out],
    backward: (dOut, [saved], [dX]) => backward()((dX as Tensor).ptr, dOut.ptr, saved.ptr, dOut.numel()),
  });
}

/** Defines an op whose gradient is 0 everywhere (rounding), and which leaves integers as they are. */
function defineStep(name: string, kernel: () => UnaryKernel): (x: Tensor) => Tensor {
  const op = defineOp<[Tensor]>({
    name,
    forward: (out, [x]) => kernel()(out.ptr, x.ptr, x.numel()),
    backward: (_dOut, _saved, [dX]) => zeroFill(dX as Tensor),
  });
  return (x) => (x instanceof Tensor && x.dtype !== "float32" ? x.clone() : op(x));
}

function zeroFill(t: Tensor): void {
  U8.fill(0, t.ptr, t.ptr + 4 * t.numel());
}

/** Computes in int32 for integers, so that they stay integers. */
function keepsIntegers(name: string, float: (x: Tensor) => Tensor, kernel: () => UnaryKernel): (x: Tensor) => Tensor {
  const int = defineOp<[Tensor]>({
    name,
    raw: true,
    output: ([x]) => ({ shape: x.shape, dtype: "int32" }),
    forward: (out, [x]) => {
      const source = x.contiguousData();
      kernel()(out.ptr, source.ptr, x.numel());
      if (source !== x) free(source.block, "consumed");
    },
  });
  return (x) => {
    if (!(x instanceof Tensor) || x.dtype === "float32") return float(x);
    return to(int(to(x, "int32")), x.dtype);
  };
}

/** −x. */
export const neg = /* @__PURE__ */ keepsIntegers(
  "neg",
  defineOp<[Tensor]>({
    name: "neg",
    forward: (out, [x]) => k.neg(out.ptr, x.ptr, x.numel()),
    backward: (dOut, _saved, [dX]) => k.neg((dX as Tensor).ptr, dOut.ptr, dOut.numel()),
  }),
  () => k.neg_i32,
);
/** |x|; the gradient at 0 is 0. */
export const abs = /* @__PURE__ */ keepsIntegers(
  "abs",
  defineUnary(
    "abs",
    () => k.abs,
    "x",
    () => k.abs_backward,
  ),
  () => k.abs_i32,
);
/** −1, 0 or 1 by the sign of x; its gradient is 0. */
export const sign = /* @__PURE__ */ keepsIntegers(
  "sign",
  defineStep("sign", () => k.sign),
  () => k.sign_i32,
);
/** x². */
export const square = /* @__PURE__ */ keepsIntegers(
  "square",
  defineUnary(
    "square",
    () => k.square,
    "x",
    () => k.square_backward,
  ),
  () => k.square_i32,
);
/** eˣ. */
export const exp = /* @__PURE__ */ defineUnary(
  "exp",
  () => k.exp,
  "out",
  () => k.exp_backward,
);
/** eˣ − 1, accurate near 0. */
export const expm1 = /* @__PURE__ */ defineUnary(
  "expm1",
  () => k.expm1,
  "out",
  () => k.expm1_backward,
);
/** Natural logarithm; −Infinity at 0, NaN below. */
export const log = /* @__PURE__ */ defineUnary(
  "log",
  () => k.log,
  "x",
  () => k.log_backward,
);
/** log(1 + x), accurate near 0. */
export const log1p = /* @__PURE__ */ defineUnary(
  "log1p",
  () => k.log1p,
  "x",
  () => k.log1p_backward,
);
/** Logarithm to base 2. */
export const log2 = /* @__PURE__ */ defineUnary(
  "log2",
  () => k.log2,
  "x",
  () => k.log2_backward,
);
/** Logarithm to base 10. */
export const log10 = /* @__PURE__ */ defineUnary(
  "log10",
  () => k.log10,
  "x",
  () => k.log10_backward,
);
/** Square root; NaN below 0. */
export const sqrt = /* @__PURE__ */ defineUnary(
  "sqrt",
  () => k.sqrt,
  "out",
  () => k.sqrt_backward,
);
/** 1/√x. */
export const rsqrt = /* @__PURE__ */ defineUnary(
  "rsqrt",
  () => k.rsqrt,
  "out",
  () => k.rsqrt_backward,
);
/** 1/x. */
export const reciprocal = /* @__PURE__ */ defineUnary(
  "reciprocal",
  () => k.reciprocal,
  "out",
  () => k.reciprocal_backward,
);
/** Sine of x in radians. */
export const sin = /* @__PURE__ */ defineUnary(
  "sin",
  () => k.sin,
  "x",
  () => k.sin_backward,
);
/** Cosine of x in radians. */
export const cos = /* @__PURE__ */ defineUnary(
  "cos",
  () => k.cos,
  "x",
  () => k.cos_backward,
);
/** Hyperbolic tangent. */
export const tanh = /* @__PURE__ */ defineUnary(
  "tanh",
  () => k.tanh,
  "out",
  () => k.tanh_backward,
);
/** The logistic function 1/(1 + e⁻ˣ). */
export const sigmoid = /* @__PURE__ */ defineUnary(
  "sigmoid",
  () => k.sigmoid,
  "out",
  () => k.sigmoid_backward,
);
/** The error function 2/√π·∫₀ˣ e^(−t²) dt. */
export const erf = /* @__PURE__ */ defineUnary(
  "erf",
  () => k.erf,
  "x",
  () => k.erf_backward,
);
/** The largest whole number ≤ x; its gradient is 0. */
export const floor = /* @__PURE__ */ defineStep("floor", () => k.floor);
/** The smallest whole number ≥ x; its gradient is 0. */
export const ceil = /* @__PURE__ */ defineStep("ceil", () => k.ceil);
/** The nearest whole number, halves to the even one; its gradient is 0. */
export const round = /* @__PURE__ */ defineStep("round", () => k.round);

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

// Masks and choices --------------------------------------------------------------------------------------------------

function definePredicate(name: string, kernel: () => UnaryKernel, ofIntegers: boolean): (x: Tensor) => Tensor {
  return defineOp<[Tensor]>({
    name,
    raw: true,
    output: ([x]) => ({ shape: x.shape, dtype: "bool" }),
    forward: (out, [x]) => {
      if (x.dtype !== "float32") {
        U8.fill(ofIntegers ? 1 : 0, out.ptr, out.ptr + out.numel());
        return;
      }
      const source = x.contiguousData();
      kernel()(out.ptr, source.ptr, x.numel());
      if (source !== x) free(source.block, "consumed");
    },
  });
}

/** Whether each element is NaN, as bool. */
export const isnan = /* @__PURE__ */ definePredicate("isnan", () => k.isnan, false);
/** Whether each element is infinite, as bool. */
export const isinf = /* @__PURE__ */ definePredicate("isinf", () => k.isinf, false);
/** Whether each element is neither NaN nor infinite, as bool. */
export const isfinite = /* @__PURE__ */ definePredicate("isfinite", () => k.isfinite, true);

function defineLogical(name: string, kernel: () => BinaryKernel): (a: Tensor, b: Tensor) => Tensor {
  const op = defineOp<[Tensor, Tensor]>({
    name,
    inputs: 2,
    raw: true,
    output: ([a, b]) => ({ shape: broadcastShapes(a.shape, b.shape, name), dtype: "bool" }),
    forward: (out, [a, b]) =>
      withBroadcast(out.shape, [a, b], (layout, [p, q]) => kernel()(out.ptr, p.ptr, q.ptr, layout)),
  });
  return (a, b) => op(to(a, "bool"), to(b, "bool"));
}

/** a and b, as bool; anything but 0 is true. */
export const logicalAnd = /* @__PURE__ */ defineLogical("logicalAnd", () => k.logical_and);
/** a or b, as bool; anything but 0 is true. */
export const logicalOr = /* @__PURE__ */ defineLogical("logicalOr", () => k.logical_or);
/** Either a or b, as bool; anything but 0 is true. */
export const logicalXor = /* @__PURE__ */ defineLogical("logicalXor", () => k.logical_xor);
const invert = defineOp<[Tensor]>({
  name: "logicalNot",
  raw: true,
  output: ([x]) => ({ shape: x.shape, dtype: "bool" }),
  forward: (out, [x]) => k.logical_not(out.ptr, x.ptr, x.numel()),
});
/** Not x, as bool; anything but 0 is true. */
export const logicalNot = (x: Tensor): Tensor => invert(to(x, "bool").contiguousData());

const choose = defineOp<[Tensor, Tensor, Tensor], [readonly number[], readonly number[]]>({
  name: "where",
  inputs: 3,
  raw: true,
  output: ([condition, a, b]) => ({
    shape: broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape, "where"), "where"),
    dtype: a.dtype,
  }),
  forward: (out, [condition, a, b]) => {
    const kernel = a.dtype === "float32" || a.dtype === "int32" ? k.where_4 : k.where_1;
    withBroadcast(out.shape, [condition, a, b], (layout, [c, p, q]) => kernel(out.ptr, c.ptr, p.ptr, q.ptr, layout));
  },
  save: (_out, [condition]) => [condition],
  adjoint: (dOut, [condition], needs, shapeA, shapeB) => [
    null,
    needs[1] ? sumTo(where(condition, dOut, 0), shapeA) : null,
    needs[2] ? sumTo(where(condition, 0, dOut), shapeB) : null,
  ],
});

/**
 * a where condition is true, else b; all three broadcast together. Numbers may stand for a and b.
 *
 * @throws DTypeError when condition is neither bool nor uint8
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  checkOperand("where", a, "the second");
  checkOperand("where", b, "the third");
  if (condition.dtype !== "bool" && condition.dtype !== "uint8") {
    throw new DTypeError(`where: condition must be bool, found ${condition.dtype}; compare it, as in x.gt(0)`);
  }
  const dtype = promotedPair(a, b);
  const [p, q] = [asOperandTensor(a, dtype, "where"), asOperandTensor(b, dtype, "where")];
  const out = choose(to(condition, "bool"), p, q, p.shape, q.shape);
  for (const [t, given] of [[p, a] as const, [q, b] as const])
    if (!(given instanceof Tensor)) free(t.block, "consumed");
  return out;
}

/** An operand as a tensor of this dtype: a number becomes a 0-d one, which the caller frees. */
function asOperandTensor(value: Operand, dtype: DType, where: string): Tensor {
  if (value instanceof Tensor) return to(value, dtype);
  const t = Tensor.allocate([], dtype, where);
  writeValue(t, Number(value));
  return t;
}

function promotedPair(a: Operand, b: Operand): DType {
  if (!(a instanceof Tensor) && !(b instanceof Tensor)) return promoteTypes(numberType(a), numberType(b));
  return commonType(a, b);
}

function writeValue(t: Tensor, value: number): void {
  const { ptr } = t;
  if (t.dtype === "float32") F32[ptr >>> 2] = value;
  else if (t.dtype === "int32") I32[ptr >>> 2] = value;
  else U8[ptr] = value;
}

/** x with value (a number or a 0-d tensor) wherever mask, which broadcasts to x's shape, is true. */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand | { value: Operand }): Tensor;
export function maskedFill(x: Tensor, named: { mask: Tensor; value: Operand }): Tensor;
export function maskedFill(x: Tensor, ...args: any[]): Tensor {
  const [mask, value]: [Tensor, Operand] = inPlaces(args as [any, any], ["mask", "value"]);
  if (!(mask instanceof Tensor)) {
    throw new TypeError(`maskedFill: mask must be a bool Tensor, found ${show(mask)}; wrap data in tensor(…)`);
  }
  if (mask.dtype !== "bool") {
    throw new DTypeError(`maskedFill: mask must be bool, found ${mask.dtype}; compare it, as in x.eq(0)`);
  }
  if (value instanceof Tensor && value.ndim !== 0) {
    throw new ArgumentError(
      "maskedFill: value must be a number or a 0-d tensor; use where() to choose between tensors",
    );
  }
  const filled = value instanceof Tensor ? to(value, x.dtype) : value;
  const out = where(mask, filled, x);
  return to(out, x.dtype);
}
