/**
 * Tensors as text, as PyTorch's torch/_tensor_str.py prints them with its default options. What differs is JavaScript's:
 * `requiresGrad=true`, `gradFn=<add>`, `shape=[0, 3]`; and int32, in the role of int64, goes without saying.
 */
import { DisposedError } from "./errors.js";
import { formatShape } from "./shape.js";
import { Tensor } from "./tensor.js";
import { F32, I32, U8 } from "./wasm/heap.js";

/** Digits after the point. */
const PRECISION = 4;
/** Tensors of more elements are shortened to the first and last EDGE_ITEMS along every dim. */
const THRESHOLD = 1000;
const EDGE_ITEMS = 3;
const LINE_WIDTH = 80;

/** What `toString()` gives and the console shows. Never throws for memory that is gone: it says so instead. */
export function formatTensor(t: Tensor): string {
  const prefix = "tensor(";
  let text: string;
  try {
    text = prefix + (t.numel() === 0 ? "[]" : formatElements(t, prefix.length));
  } catch (error) {
    if (error instanceof DisposedError) return `tensor(<disposed: ${error.message}>)`;
    throw error;
  }
  text = addSuffixes(text, suffixes(t), prefix.length);
  // Parameter, tensor.ts's only subclass, cannot be imported here: it extends what this module is part of.
  return t.constructor === Tensor ? text : `Parameter containing:\n${text}`;
}

function suffixes(t: Tensor): string[] {
  const list: string[] = [];
  if (t.numel() === 0) {
    if (t.ndim !== 1) list.push(`shape=${formatShape(t.shape)}`);
    // No element shows what it is.
    if (t.dtype !== "float32") list.push(`dtype=${t.dtype}`);
  } else if (t.dtype === "uint8") {
    list.push("dtype=uint8");
  }
  if (t.gradFn !== null) list.push(`gradFn=<${t.gradFn.name}>`);
  else if (t.requiresGrad) list.push("requiresGrad=true");
  return list;
}

function addSuffixes(text: string, list: readonly string[], indent: number): string {
  let out = text;
  let lastLine = text.length - text.lastIndexOf("\n") + 1;
  for (const suffix of list) {
    if (lastLine + suffix.length + 2 > LINE_WIDTH) {
      out += `,\n${" ".repeat(indent)}${suffix}`;
      lastLine = indent + suffix.length;
    } else {
      out += `, ${suffix}`;
      lastLine += suffix.length + 2;
    }
  }
  return `${out})`;
}

/** Positions along a dim of this size that are shown; null where the dots stand. */
function shown(size: number, summarize: boolean): (number | null)[] {
  if (!summarize || size <= 2 * EDGE_ITEMS) return Array.from({ length: size }, (_, i) => i);
  const first = Array.from({ length: EDGE_ITEMS }, (_, i) => i);
  return [...first, null, ...first.map((i) => size - EDGE_ITEMS + i)];
}

function formatElements(t: Tensor, indent: number): string {
  const read = reader(t);
  const summarize = t.numel() > THRESHOLD;
  const { shape, strides } = t;
  const values: number[] = [];
  const collect = (dim: number, at: number): void => {
    if (dim === shape.length) values.push(read(at));
    else for (const i of shown(shape[dim], summarize)) if (i !== null) collect(dim + 1, at + i * strides[dim]);
  };
  collect(0, 0);
  const { format, width } = t.dtype === "float32" ? floatFormat(values) : integerFormat(values, t.dtype === "bool");

  const text = (dim: number, at: number, column: number): string => {
    if (dim === shape.length) return format(read(at));
    const positions = shown(shape[dim], summarize);
    const rest = shape.length - dim;
    if (rest === 1) {
      const items = positions.map((i) => (i === null ? " ..." : format(read(at + i * strides[dim]))));
      const perLine = Math.max(1, Math.floor((LINE_WIDTH - column) / (width + 2)));
      const lines: string[] = [];
      for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(", "));
      return `[${lines.join(`,\n${" ".repeat(column + 1)}`)}]`;
    }
    const rows = positions.map((i) => (i === null ? "..." : text(dim + 1, at + i * strides[dim], column + 1)));
    return `[${rows.join(`,${"\n".repeat(rest - 1)}${" ".repeat(column + 1)}`)}]`;
  };
  return text(0, 0, indent);
}

/** Reads the element at a distance (in elements) from the first. */
function reader(t: Tensor): (at: number) => number {
  const { ptr } = t;
  if (t.dtype === "float32") return (at) => F32[(ptr >>> 2) + at];
  if (t.dtype === "int32") return (at) => I32[(ptr >>> 2) + at];
  return (at) => U8[ptr + at];
}

interface Format {
  /** All elements are padded to this. */
  width: number;
  format(value: number): string;
}

function padded(width: number, text: (value: number) => string): Format {
  return { width, format: (value) => text(value).padStart(width) };
}

function integerFormat(values: readonly number[], bool: boolean): Format {
  // As PyTorch prints them, and aligned: [ True, False].
  const text = (value: number) => (bool ? (value === 0 ? "False" : "True") : String(value));
  return padded(widest(values, text), text);
}

/** Whole numbers as "1.", others with four digits, or all in scientific notation when they lie too far apart. */
function floatFormat(values: readonly number[]): Format {
  const finite = values.filter((v) => Number.isFinite(v) && v !== 0);
  if (finite.length === 0) return padded(1, wholeText);
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  for (const v of finite) {
    min = Math.min(min, Math.abs(v));
    max = Math.max(max, Math.abs(v));
  }
  const whole = finite.every(Number.isInteger);
  const scientific = max / min > 1000 || max > 1e8 || (!whole && min < 1e-4);
  const text = scientific ? scientificText : whole ? wholeText : decimalText;
  return padded(widest(finite, text), text);
}

function widest(values: readonly number[], text: (value: number) => string): number {
  let width = 1;
  for (const v of values) width = Math.max(width, text(v).length);
  return width;
}

/** Python's names for what has no digits. */
function special(value: number): string | null {
  if (Number.isNaN(value)) return "nan";
  if (value === Number.POSITIVE_INFINITY) return "inf";
  return value === Number.NEGATIVE_INFINITY ? "-inf" : null;
}

/** toFixed and toExponential leave out the sign of −0. */
const sign = (value: number): string => (value < 0 || Object.is(value, -0) ? "-" : "");

function wholeText(value: number): string {
  return special(value) ?? `${sign(value)}${Math.abs(value).toFixed(0)}.`;
}

/** Python's "%.4f". Both languages round the exact value, but where it lies in the middle Python takes the even digit. */
function decimalText(value: number): string {
  const absolute = Math.abs(value);
  // Exact, as a float32 has 24 significant bits and 10⁴ another 10.
  const scaled = absolute * 10 ** PRECISION;
  const below = Math.floor(scaled);
  const evenBelow = scaled - below === 0.5 && below % 2 === 0;
  const digits = evenBelow ? (below / 10 ** PRECISION).toFixed(PRECISION) : absolute.toFixed(PRECISION);
  return special(value) ?? sign(value) + digits;
}

/** Python's "%.4e": the even digit in the middle, and at least two digits of exponent. */
function scientificText(value: number): string {
  const absolute = Math.abs(value);
  let [digits, exponent] = absolute.toExponential(PRECISION).split("e");
  if (exponent === undefined) return special(value) as string;
  // 60 digits more tell a value in the middle from one beside it.
  const exact = absolute.toExponential(PRECISION + 60);
  if (/^50*e/.test(exact.slice(PRECISION + 2)) && Number(exact[PRECISION + 1]) % 2 === 0) {
    [digits, exponent] = [exact.slice(0, PRECISION + 2), exact.split("e")[1]];
  }
  return `${sign(value)}${digits}e${exponent[0]}${exponent.slice(1).padStart(2, "0")}`;
}
