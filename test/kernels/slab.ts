import { expect } from "vitest";
import { load, memory } from "../../src/wasm/load.js";

type Data = Float32Array | Float64Array | Int32Array | Uint8Array;

const START = 1 << 20;
const BYTES = 24 << 20;
const GUARD = 64;

/**
 * Operands of a kernel in wasm memory, one after the other, each between guard bytes of 0xff: NaN to whoever reads them
 * as floats, −1 as an index. Addresses are aligned to the element and to no more. `check` finds what was written
 * outside; what the operands hold is read back with `read`.
 */
export class Slab {
  #top = START;
  readonly #regions: { at: number; bytes: number; data: Data }[] = [];

  constructor() {
    load();
    const missing = START + BYTES - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  }

  /** Copies the data in; returns its address. */
  put(data: Data | null): number {
    if (data === null) return 0;
    const bytes = data.byteLength;
    const at = Math.ceil((this.#top + GUARD) / 64) * 64 + data.BYTES_PER_ELEMENT;
    this.#top = at + bytes + GUARD;
    if (this.#top > START + BYTES) throw new Error("slab: too small");
    const all = new Uint8Array(memory.buffer);
    all.fill(0xff, at - GUARD, at + bytes + GUARD);
    all.set(new Uint8Array(data.buffer, data.byteOffset, bytes), at);
    this.#regions.push({ at, bytes, data });
    return at;
  }

  /** n floats of 7, an output that nothing has written yet. */
  floats(n: number): number {
    return this.put(new Float32Array(n).fill(7));
  }

  ints(n: number): number {
    return this.put(new Int32Array(n).fill(7));
  }

  bytes(n: number): number {
    return this.put(new Uint8Array(n).fill(7));
  }

  /** A copy of what an operand holds now, of its type and size. */
  read<T extends Data = Float32Array>(at: number): T {
    const region = this.#regions.find((r) => r.at === at);
    if (!region) throw new Error(`slab: nothing at ${at}`);
    const copy = memory.buffer.slice(at, at + region.bytes);
    return new (region.data.constructor as new (buffer: ArrayBufferLike) => T)(copy);
  }

  /** No guard byte has changed. */
  check(): void {
    const all = new Uint8Array(memory.buffer);
    for (const { at, bytes } of this.#regions) {
      for (let i = 1; i <= GUARD; i++) {
        if (all[at - i] !== 0xff) expect.fail(`wrote ${i} bytes before the operand`);
        if (all[at + bytes + i - 1] !== 0xff) expect.fail(`wrote ${i} bytes behind the operand`);
      }
    }
  }
}

let seed = 1;

/** Uniform in [−1, 1), the same in every run. */
export function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
}

export const randomFloats = (n: number, scale = 1, shift = 0): Float32Array =>
  Float32Array.from({ length: n }, () => random() * scale + shift);

/** n whole numbers in [0, limit). */
export const randomInts = (n: number, limit: number): Int32Array =>
  Int32Array.from({ length: n }, () => Math.floor(((random() + 1) / 2) * limit));

/** |actual − expected| ≤ atol + rtol·|expected| everywhere; NaN and Inf exactly. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, rtol = 1e-6, atol = 1e-7): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i];
    const e = expected[i];
    const same = Object.is(a, e) || a === e || Math.abs(a - e) <= atol + rtol * Math.abs(e);
    if (!same) expect.fail(`at ${i}: ${a}, expected ${e}`);
  }
}
