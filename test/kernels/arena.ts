/**
 * Memory for kernel tests. Every array stands between guard bytes of 0xff, which are NaN as floats, so that a read past
 * the ends shows in the result and a write past them in `verify()`. Nothing is aligned beyond its element.
 */
import { expect } from "vitest";
import { load, memory } from "../../src/wasm/load.js";

const BASE = 1 << 20;
const GUARD = 64;

export class Arena {
  private cursor = BASE;
  private guards: [from: number, to: number][] = [];
  private inputs: [pointer: number, copy: Uint8Array][] = [];

  constructor() {
    load();
  }

  /** n bytes of 0xff, to be written by a kernel. */
  bytes(n: number, alignment = 4): number {
    const pointer = Math.ceil((this.cursor + GUARD) / 64) * 64 + alignment;
    const end = pointer + n + GUARD;
    if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / 65536) + 16);
    new Uint8Array(memory.buffer).fill(0xff, pointer - GUARD, end);
    this.guards.push([pointer - GUARD, pointer], [pointer + n, end]);
    this.cursor = end;
    return pointer;
  }

  /** A copy that must not change. */
  private input(data: Float32Array | Int32Array | Uint8Array): number {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const pointer = this.bytes(bytes.length, data.BYTES_PER_ELEMENT);
    new Uint8Array(memory.buffer).set(bytes, pointer);
    this.inputs.push([pointer, bytes.slice()]);
    return pointer;
  }

  f32 = (data: ArrayLike<number>) => this.input(Float32Array.from(data));
  i32 = (data: ArrayLike<number>) => this.input(Int32Array.from(data));
  u8 = (data: ArrayLike<number>) => this.input(Uint8Array.from(data));

  readF32 = (pointer: number, n: number) => [...new Float32Array(memory.buffer, pointer, n)];
  readI32 = (pointer: number, n: number) => [...new Int32Array(memory.buffer, pointer, n)];
  readU8 = (pointer: number, n: number) => [...new Uint8Array(memory.buffer, pointer, n)];

  /** Guards and inputs are as they were; then all is forgotten. */
  verify(): void {
    const bytes = new Uint8Array(memory.buffer);
    for (const [from, to] of this.guards) {
      for (let i = from; i < to; i++) if (bytes[i] !== 0xff) throw new Error(`guard byte overwritten at ${i}`);
    }
    for (const [pointer, copy] of this.inputs) {
      const changed = copy.findIndex((byte, i) => byte !== bytes[pointer + i]);
      expect(changed, "the first byte of an input that has changed").toBe(-1);
    }
    this.cursor = BASE;
    this.guards = [];
    this.inputs = [];
  }
}

/** Deterministic numbers, roughly normal. */
export function randoms(n: number, seed = 1): Float32Array {
  let state = Math.imul(seed, 2654435761) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Float32Array.from({ length: n }, () => (next() + next() + next() - 1.5) * 2);
}

/** |actual − expected| ≤ atol + rtol·|expected|; NaN and infinities must be the same. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 1e-6, atol = 1e-6, what = "" } = {},
): void {
  expect(actual.length, what).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i]!;
    const e = Math.fround(expected[i]!);
    if (Object.is(a, e) || Math.abs(a - e) <= atol + rtol * Math.abs(e)) continue;
    throw new Error(`${what} [${i}]: ${a}, expected ${e}`);
  }
}

/** The column at each (outer, inner) of a contiguous [outer, r, inner]. */
export function columns(x: ArrayLike<number>, outer: number, r: number, inner: number): number[][] {
  const out: number[][] = [];
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) out.push(Array.from({ length: r }, (_, i) => x[(o * r + i) * inner + j]!));
  }
  return out;
}

/** The inverse of `columns`. */
export function uncolumns(cols: number[][], outer: number, r: number, inner: number): number[] {
  const out = new Array<number>(outer * r * inner);
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      for (let i = 0; i < r; i++) out[(o * r + i) * inner + j] = cols[o * inner + j]![i]!;
    }
  }
  return out;
}

/** [outer, r, inner]: empty, single, and around every block border of the row and the column case. */
export const SHAPES: [outer: number, r: number, inner: number][] = [
  [0, 3, 2],
  [2, 3, 0],
  [1, 1, 1],
  [3, 2, 1],
  [2, 3, 1],
  [2, 4, 1],
  [3, 5, 1],
  [5, 10, 1],
  [2, 15, 1],
  [2, 16, 1],
  [2, 17, 1],
  [1, 31, 1],
  [1, 33, 1],
  [1, 255, 1],
  [2, 256, 1],
  [1, 257, 1],
  [1, 1027, 1],
  [2, 1, 3],
  [1, 5, 2],
  [2, 6, 3],
  [1, 7, 4],
  [2, 3, 5],
  [1, 33, 15],
  [1, 31, 16],
  [2, 32, 17],
  [1, 65, 35],
  [1, 130, 7],
  [1, 300, 2],
];
