/** Functions of one tensor, element by element. */
import { asBefore, defineOp } from "../op.js";
import { free } from "../storage.js";
import { Tensor } from "../tensor.js";
import { U8 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";
import { to } from "./convert.js";
import { zeroFill } from "./elementwise-common.js";

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
