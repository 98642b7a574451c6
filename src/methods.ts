/**
 * The ops that are methods of Tensor, as PyTorch has them: `x.add(y)` is `add(x, y)`. The functions in ops/ do the work and
 * have the documentation; here each is named once for the types and once for the prototype, and the compiler checks that
 * the two agree.
 */

import type { Named } from "./arguments.js";
import { relu } from "./ops/activation.js";
import type { DivOptions } from "./ops/binary.js";
import { add, clamp, div, eq, ge, gt, le, lt, maximum, minimum, mul, ne, pow, remainder, sub } from "./ops/binary.js";
import type { DimOptions } from "./ops/extrema.js";
import type { Dims, ReduceOptions } from "./ops/fold.js";
import type { Index, IndexArray } from "./ops/indexing.js";
import {
  at,
  flip,
  gather,
  indexAdd_,
  indexPut_,
  indexSelect,
  maskedSelect,
  nonzero,
  roll,
  scatter_,
  scatterAdd_,
  take,
  tril,
  triu,
} from "./ops/indexing.js";
import type { NormalOptions, UniformOptions } from "./ops/inplace.js";
import { add_, clamp_, copy_, div_, fill_, maskedFill_, mul_, normal_, sub_, uniform_, zero_ } from "./ops/inplace.js";
import { bmm, dot, matmul, mm, outer, trace } from "./ops/matmul.js";
import type { ValuesIndices } from "./ops/pair.js";
import {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  countNonzero,
  cumsum,
  logsumexp,
  max,
  mean,
  min,
  norm,
  prod,
  std,
  sum,
  var as variance,
} from "./ops/reduce.js";
import { logSoftmax, softmax } from "./ops/softmax.js";
import type { SortOptions, TopkOptions } from "./ops/sort.js";
import { argsort, sort, topk } from "./ops/sort.js";
import type { NormOptions, VarianceOptions } from "./ops/statistics.js";
import {
  abs,
  ceil,
  cos,
  erf,
  exp,
  expm1,
  floor,
  isfinite,
  isinf,
  isnan,
  log,
  log1p,
  log2,
  log10,
  neg,
  reciprocal,
  round,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  tanh,
} from "./ops/unary.js";
import type { FlattenOptions } from "./ops/view.js";
import {
  chunk,
  diagonal,
  expand,
  expandAs,
  flatten,
  narrow,
  permute,
  repeat,
  reshape,
  select,
  split,
  squeeze,
  t,
  transpose,
  unbind,
  unflatten,
  unsqueeze,
  view,
  viewAs,
} from "./ops/view.js";
import { logicalAnd, logicalNot, logicalOr, logicalXor, maskedFill } from "./ops/where.js";
import { Tensor } from "./tensor.js";

type Operand = Tensor | number | boolean;
type ShapeArguments = number[] | [readonly number[]];
type Several = number | readonly number[];
type Scattered = { dim: number; index: IndexArray };
type Limits = { min?: number; max?: number };

/** What every tensor can do; each method is the op of its name, with this tensor as the first operand. */
export interface TensorMethods {
  // Arithmetic: operands are tensors (broadcast) or numbers.
  add(other: Operand, options?: { alpha?: number }): Tensor;
  sub(other: Operand, options?: { alpha?: number }): Tensor;
  mul(other: Operand): Tensor;
  div(other: Operand, options?: DivOptions): Tensor;
  pow(exponent: Operand): Tensor;
  remainder(divisor: Operand): Tensor;
  maximum(other: Operand): Tensor;
  minimum(other: Operand): Tensor;
  eq(other: Operand): Tensor;
  ne(other: Operand): Tensor;
  lt(other: Operand): Tensor;
  le(other: Operand): Tensor;
  gt(other: Operand): Tensor;
  ge(other: Operand): Tensor;
  neg(): Tensor;
  abs(): Tensor;
  sign(): Tensor;
  exp(): Tensor;
  expm1(): Tensor;
  log(): Tensor;
  log1p(): Tensor;
  log2(): Tensor;
  log10(): Tensor;
  sqrt(): Tensor;
  rsqrt(): Tensor;
  square(): Tensor;
  reciprocal(): Tensor;
  sin(): Tensor;
  cos(): Tensor;
  tanh(): Tensor;
  sigmoid(): Tensor;
  erf(): Tensor;
  floor(): Tensor;
  ceil(): Tensor;
  round(): Tensor;
  clamp(limits: Limits): Tensor;
  clamp(min: number, max?: number): Tensor;
  maskedFill(mask: Tensor, value: Operand | { value: Operand }): Tensor;
  maskedFill(named: { mask: Tensor; value: Operand }): Tensor;
  isnan(): Tensor;
  isinf(): Tensor;
  isfinite(): Tensor;
  logicalAnd(other: Tensor): Tensor;
  logicalOr(other: Tensor): Tensor;
  logicalXor(other: Tensor): Tensor;
  logicalNot(): Tensor;
  relu(): Tensor;
  softmax(dim: number): Tensor;
  logSoftmax(dim: number): Tensor;

  // Reductions: over all dims, one, or a list.
  sum(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  mean(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  prod(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  amax(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  amin(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  any(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  all(dim?: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  max(): Tensor;
  max(other: Tensor): Tensor;
  max(dim: number | (DimOptions & { dim: number }), options?: DimOptions | boolean): ValuesIndices;
  min(): Tensor;
  min(other: Tensor): Tensor;
  min(dim: number | (DimOptions & { dim: number }), options?: DimOptions | boolean): ValuesIndices;
  argmax(dim?: number | null | DimOptions, options?: DimOptions | boolean): Tensor;
  argmin(dim?: number | null | DimOptions, options?: DimOptions | boolean): Tensor;
  logsumexp(dim: Dims | ReduceOptions, options?: ReduceOptions | boolean): Tensor;
  var(dim?: Dims | VarianceOptions | boolean, options?: VarianceOptions | boolean): Tensor;
  std(dim?: Dims | VarianceOptions | boolean, options?: VarianceOptions | boolean): Tensor;
  norm(p?: NormOptions | number | "fro" | null, dim?: Dims | NormOptions, options?: NormOptions | boolean): Tensor;
  cumsum(dim: number): Tensor;
  countNonzero(dim?: Dims): Tensor;

  // Shapes
  reshape(...shape: ShapeArguments): Tensor;
  view(...shape: ShapeArguments): Tensor;
  viewAs(other: Tensor): Tensor;
  flatten(startDim?: number | FlattenOptions, endDim?: number | FlattenOptions): Tensor;
  unflatten(dim: number, sizes: readonly number[]): Tensor;
  unsqueeze(dim: number | { dim: number }): Tensor;
  squeeze(dim?: number | readonly number[] | { dim?: number | readonly number[] }): Tensor;
  transpose(dim0: number, dim1: number): Tensor;
  transpose(named: { dim0: number; dim1: number }): Tensor;
  t(): Tensor;
  permute(...dims: ShapeArguments | [named: { dims: readonly number[] }]): Tensor;
  expand(...shape: ShapeArguments): Tensor;
  expandAs(other: Tensor): Tensor;
  repeat(...repeats: ShapeArguments): Tensor;
  narrow(dim: number, start: number, length: number): Tensor;
  narrow(named: { dim: number; start: number; length: number }): Tensor;
  select(dim: number, index: number): Tensor;
  select(named: { dim: number; index: number }): Tensor;
  diagonal(): Tensor;
  split(splitSize: number | readonly number[], dim?: number | { dim?: number }): Tensor[];
  split(named: { splitSize: number | readonly number[]; dim?: number }): Tensor[];
  chunk(chunks: number, dim?: number | { dim?: number }): Tensor[];
  chunk(named: { chunks: number; dim?: number }): Tensor[];
  unbind(dim?: number | { dim?: number }): Tensor[];

  // Indexing and order
  at(...indices: Index[]): Tensor;
  indexPut_(indices: readonly Index[], value: Tensor | number | boolean, options?: { accumulate?: boolean }): Tensor;
  indexSelect(dim: number, index: IndexArray | { index: IndexArray }): Tensor;
  indexSelect(named: { dim: number; index: IndexArray }): Tensor;
  gather(dim: number, index: IndexArray | { index: IndexArray }): Tensor;
  gather(named: { dim: number; index: IndexArray }): Tensor;
  scatter_(dim: number, index: IndexArray, source: Tensor | number, options?: { reduce?: "add" }): Tensor;
  scatter_(...named: Named<Scattered & { src: Tensor | number }, ["dim", "index", "src"], { reduce?: "add" }>): Tensor;
  scatter_(...named: Named<Scattered & { value: number }, ["dim", "index", "value"], { reduce?: "add" }>): Tensor;
  scatterAdd_(dim: number, index: IndexArray, source: Tensor): Tensor;
  scatterAdd_(...named: Named<Scattered & { src: Tensor }, ["dim", "index", "src"]>): Tensor;
  indexAdd_(dim: number, index: IndexArray, source: Tensor, options?: { alpha?: number }): Tensor;
  maskedSelect(mask: Tensor): Tensor;
  nonzero(options?: { asTuple?: false }): Tensor;
  nonzero(options: { asTuple: true }): Tensor[];
  take(index: IndexArray): Tensor;
  roll(shifts: Several, dims?: Several | { dims?: Several }): Tensor;
  roll(named: { shifts: Several; dims?: Several }): Tensor;
  tril(options?: { diagonal?: number } | number): Tensor;
  triu(options?: { diagonal?: number } | number): Tensor;
  flip(...dims: ShapeArguments | [named: { dims: readonly number[] }]): Tensor;
  sort(dim?: number | SortOptions, descending?: boolean | SortOptions): ValuesIndices;
  argsort(dim?: number | SortOptions, descending?: boolean | SortOptions): Tensor;
  topk(count: number, dim?: number | TopkOptions, largest?: boolean | TopkOptions, sorted?: boolean): ValuesIndices;
  topk(...named: Named<{ k: number }, ["k"], TopkOptions>): ValuesIndices;

  // Products
  matmul(other: Tensor): Tensor;
  mm(other: Tensor): Tensor;
  bmm(other: Tensor): Tensor;
  dot(other: Tensor): Tensor;
  outer(other: Tensor): Tensor;
  trace(): Tensor;

  // In place: under noGrad(), or on tensors that need no gradient.
  add_(other: Operand, options?: { alpha?: number }): Tensor;
  sub_(other: Operand, options?: { alpha?: number }): Tensor;
  mul_(other: Operand): Tensor;
  div_(other: Operand): Tensor;
  clamp_(limits: Limits): Tensor;
  clamp_(min: number, max?: number): Tensor;
  zero_(): Tensor;
  fill_(value: number | boolean | Tensor): Tensor;
  copy_(source: Tensor): Tensor;
  maskedFill_(mask: Tensor, value: Operand | { value: Operand }): Tensor;
  maskedFill_(named: { mask: Tensor; value: Operand }): Tensor;
  uniform_(from?: number | UniformOptions, to?: number | UniformOptions): Tensor;
  normal_(mean?: number | NormalOptions, std?: number | NormalOptions): Tensor;
}

const IMPLEMENTATIONS: Record<keyof TensorMethods, (x: Tensor, ...args: any[]) => unknown> = {
  add,
  sub,
  mul,
  div,
  pow,
  remainder,
  maximum,
  minimum,
  eq,
  ne,
  lt,
  le,
  gt,
  ge,
  neg,
  abs,
  sign,
  exp,
  expm1,
  log,
  log1p,
  log2,
  log10,
  sqrt,
  rsqrt,
  square,
  reciprocal,
  sin,
  cos,
  tanh,
  sigmoid,
  erf,
  floor,
  ceil,
  round,
  clamp,
  maskedFill,
  isnan,
  isinf,
  isfinite,
  logicalAnd,
  logicalOr,
  logicalXor,
  logicalNot,
  relu,
  softmax,
  logSoftmax,
  sum,
  mean,
  prod,
  amax,
  amin,
  any,
  all,
  max,
  min,
  argmax,
  argmin,
  logsumexp,
  var: variance,
  std,
  norm,
  cumsum,
  countNonzero,
  reshape,
  view,
  viewAs,
  flatten,
  unflatten,
  unsqueeze,
  squeeze,
  transpose,
  t,
  permute,
  expand,
  expandAs,
  repeat,
  narrow,
  select,
  diagonal,
  split,
  chunk,
  unbind,
  at,
  indexPut_,
  indexSelect,
  gather,
  scatter_,
  scatterAdd_,
  indexAdd_,
  maskedSelect,
  nonzero,
  take,
  tril,
  triu,
  flip,
  roll,
  sort,
  argsort,
  topk,
  matmul,
  mm,
  bmm,
  dot,
  outer,
  trace,
  add_,
  sub_,
  mul_,
  div_,
  clamp_,
  zero_,
  fill_,
  copy_,
  maskedFill_,
  uniform_,
  normal_,
};

declare module "./tensor.js" {
  interface Tensor extends TensorMethods {
    /** The dims in reverse order; of a matrix, its transpose. */
    readonly T: Tensor;
    /** The last two dims exchanged. */
    readonly mT: Tensor;
  }
}

for (const [name, fn] of Object.entries(IMPLEMENTATIONS)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...args: unknown[]) {
      return fn(this, ...args);
    },
    writable: true,
    configurable: true,
  });
}
Object.defineProperty(Tensor.prototype, "T", {
  get(this: Tensor) {
    return permute(
      this,
      this.shape.map((_, i) => this.ndim - 1 - i),
    );
  },
  configurable: true,
});
Object.defineProperty(Tensor.prototype, "mT", {
  get(this: Tensor) {
    return transpose(this, -2, -1);
  },
  configurable: true,
});

export { Tensor };
