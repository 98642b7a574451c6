/**
 * Decompresses LZMA, which makes the kernels a quarter smaller than deflate does. An LZ77 code whose every bit is
 * range-coded with a probability of its own context (Igor Pavlov's LZMA specification, 2015). A piece may go on from where another
 * ended, as LZMA2's chunks do: with its bytes to refer to, and its probabilities.
 */
import type { Bytes } from "../dtype.js";

/** Probabilities are of 2048; a new one says that 0 and 1 are alike. */
const HALF = 1024;
const STATES = 12;
const END_OF_LITERALS = 7;

/** Where each context's probabilities lie in the one array that holds them all. */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + (STATES << 4);
const IS_REP_0 = IS_REP + STATES;
const IS_REP_1 = IS_REP_0 + STATES;
const IS_REP_2 = IS_REP_1 + STATES;
const IS_LONG_REP_0 = IS_REP_2 + STATES;
const SLOTS = IS_LONG_REP_0 + (STATES << 4);
const SPECIAL = SLOTS + 4 * 64;
const ALIGN = SPECIAL + 128;
const LENGTHS = ALIGN + 16;
/** Two choices, then low and middle lengths for each of 16 positions, then high ones. */
const LENGTH_SIZE = 2 + 16 * 8 + 16 * 8 + 256;
const LITERALS = LENGTHS + 2 * LENGTH_SIZE;

/** The properties that all our pieces have: how many bits of the byte before are a literal's context, and of the position a match's. */
const LITERAL_CONTEXT = 3;
const POSITION_MASK = 3;

/** What was decompressed, and what other pieces go on from. */
export interface Decompressed {
  content: Bytes;
  probabilities: Uint16Array;
  state: number;
  /** The last four, less one. */
  distances: readonly number[];
}
const nothing = (): Decompressed => ({
  content: new Uint8Array(0),
  probabilities: new Uint16Array(LITERALS + (0x300 << LITERAL_CONTEXT)).fill(HALF),
  state: 0,
  distances: [0, 0, 0, 0],
});

/**
 * Decompresses a piece: the length of its content (4 bytes), and the code. Whoever calls this has made the piece (scripts/lzma.mjs):
 * damage is not looked for.
 *
 * @param before what the piece goes on from, if it does; it stays as it is, and the result begins with it
 */
export function decompress(piece: Uint8Array, before = nothing()): Decompressed {
  const start = before.content.length;
  const size = start + new DataView(piece.buffer, piece.byteOffset).getUint32(0, true);
  const out = new Uint8Array(size);
  out.set(before.content);
  const probabilities = before.probabilities.slice();
  // The code's first byte is always 0. Range and code have 32 bits: as variables they would be allocated anew at each change.
  const coder = Uint32Array.of(0xffffffff, new DataView(piece.buffer, piece.byteOffset).getUint32(5));
  let at = 9;

  /** One bit, in the context at `i`. */
  function bit(i: number): number {
    if (coder[0] < 0x1000000) {
      coder[0] <<= 8;
      coder[1] = (coder[1] << 8) | piece[at++];
    }
    const p = probabilities[i];
    const bound = (coder[0] >>> 11) * p;
    if (coder[1] < bound) {
      coder[0] = bound;
      probabilities[i] = p + ((2048 - p) >> 5);
      return 0;
    }
    coder[0] -= bound;
    coder[1] -= bound;
    probabilities[i] = p - (p >> 5);
    return 1;
  }
  /** A number of `bits` bits, the highest first, each in the context of those before it. */
  function tree(base: number, bits: number): number {
    let m = 1;
    for (let i = 0; i < bits; i++) m = (m << 1) | bit(base + m);
    return m - (1 << bits);
  }
  /** The same with the lowest bit first. */
  function reverseTree(base: number, bits: number): number {
    let m = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const b = bit(base + m);
      m = (m << 1) | b;
      value |= b << i;
    }
    return value;
  }
  /** Bits without a context. */
  function direct(bits: number): number {
    let value = 0;
    for (; bits > 0; bits--) {
      if (coder[0] < 0x1000000) {
        coder[0] <<= 8;
        coder[1] = (coder[1] << 8) | piece[at++];
      }
      coder[0] >>>= 1;
      const b = coder[1] >= coder[0] ? 1 : 0;
      if (b) coder[1] -= coder[0];
      value = (value << 1) | b;
    }
    return value;
  }
  function matchLength(base: number, position: number): number {
    if (bit(base) === 0) return 2 + tree(base + 2 + (position << 3), 3);
    if (bit(base + 1) === 0) return 10 + tree(base + 2 + 128 + (position << 3), 3);
    return 18 + tree(base + 2 + 256, 8);
  }
  function matchDistance(length: number): number {
    const slot = tree(SLOTS + (Math.min(length - 2, 3) << 6), 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << bits;
    if (slot < 14) return high + reverseTree(SPECIAL + high - slot, bits);
    return high + (direct(bits - 4) << 4) + reverseTree(ALIGN, 4);
  }

  /** What was decoded last: below 7 a literal. */
  let state = before.state;
  let [rep0, rep1, rep2, rep3] = before.distances;
  for (let to = start; to < size; ) {
    const position = to & POSITION_MASK;
    if (bit(IS_MATCH + (state << 4) + position) === 0) {
      const base = LITERALS + 0x300 * (to > 0 ? out[to - 1] >> (8 - LITERAL_CONTEXT) : 0);
      let symbol = 1;
      if (state >= END_OF_LITERALS) {
        // After a match, the byte that would have continued it is context as long as it agrees.
        let likely = out[to - rep0 - 1];
        do {
          const wanted = (likely >> 7) & 1;
          likely <<= 1;
          const b = bit(base + ((1 + wanted) << 8) + symbol);
          symbol = (symbol << 1) | b;
          if (b !== wanted) break;
        } while (symbol < 0x100);
      }
      while (symbol < 0x100) symbol = (symbol << 1) | bit(base + symbol);
      out[to++] = symbol;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    let length: number;
    if (bit(IS_REP + state) === 0) {
      [rep3, rep2, rep1] = [rep2, rep1, rep0];
      length = matchLength(LENGTHS, position);
      rep0 = matchDistance(length);
      state = state < END_OF_LITERALS ? 7 : 10;
    } else {
      if (bit(IS_REP_0 + state) === 0) {
        if (bit(IS_LONG_REP_0 + (state << 4) + position) === 0) {
          out[to] = out[to - rep0 - 1];
          to++;
          state = state < END_OF_LITERALS ? 9 : 11;
          continue;
        }
      } else {
        let distance: number;
        if (bit(IS_REP_1 + state) === 0) distance = rep1;
        else {
          if (bit(IS_REP_2 + state) === 0) distance = rep2;
          else {
            distance = rep3;
            rep3 = rep2;
          }
          rep2 = rep1;
        }
        rep1 = rep0;
        rep0 = distance;
      }
      length = matchLength(LENGTHS + LENGTH_SIZE, position);
      state = state < END_OF_LITERALS ? 8 : 11;
    }
    for (const end = Math.min(to + length, size); to < end; to++) out[to] = out[to - rep0 - 1];
  }
  return { content: out, probabilities, state, distances: [rep0, rep1, rep2, rep3] };
}
