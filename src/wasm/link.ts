/** Makes a module of the pieces that the families of kernels come in; scripts/embed.mjs says how they are laid out. */
import type { Bytes } from "../dtype.js";

const EXPORT_SECTION = 7;
const CODE_SECTION = 10;
/** The body of a function that is in none of the pieces: no locals, unreachable, end. */
const ABSENT = Uint8Array.of(0, 0, 0x0b);
const MUL = Uint8Array.of(0xfd, 0xe6, 0x01);
const ADD = Uint8Array.of(0xfd, 0xe4, 0x01);
const MADD = Uint8Array.of(0xfd, 0x85, 0x02);

/** A number in LEB128. */
function leb128(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 128) return [...bytes, left];
    bytes.push((left & 127) | 128);
  }
}

/** Reads a piece from its begin to its end. */
class Reader {
  private at = 0;
  constructor(private readonly bytes: Uint8Array) {}
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  take(n: number): Uint8Array {
    this.at += n;
    return this.bytes.subarray(this.at - n, this.at);
  }
}

/** The simd build's body of a function: of every a, b, c, relaxed_madd it makes a, b, mul, c, add. */
function lower(relaxed: Uint8Array, madds: number, distances: Reader): Uint8Array {
  const out = new Uint8Array(relaxed.length + madds * MUL.length);
  let [from, to] = [0, 0];
  const copy = (end: number) => {
    out.set(relaxed.subarray(from, end), to);
    to += end - from;
  };
  for (let at = relaxed.indexOf(MADD[0]); at >= 0; at = relaxed.indexOf(MADD[0], at + 1)) {
    if (relaxed[at + 1] !== MADD[1] || relaxed[at + 2] !== MADD[2]) continue;
    copy(at);
    from = at + MADD.length;
    const mul = to - distances.number();
    out.copyWithin(mul + MUL.length, mul, to);
    out.set(MUL, mul);
    to += MUL.length;
    out.set(ADD, to);
    to += ADD.length;
  }
  copy(relaxed.length);
  return out;
}

/** The bytes of the module of a build. The first piece is core's. */
export function link(pieces: readonly Uint8Array[], relaxed: boolean): Bytes {
  const [core, ...others] = pieces.map((piece) => new Reader(piece));
  const header = core.take(core.number());
  const bodies: Uint8Array[] = new Array(core.number()).fill(ABSENT);
  const exports: number[] = [];
  let exported = 0;
  for (const piece of [core, ...others]) {
    let index = 0;
    const functions = Array.from({ length: piece.number() }, () => {
      index += piece.number();
      const name = piece.take(piece.number());
      if (name.length > 0) {
        exported++;
        exports.push(name.length, ...name, 0, ...leb128(index));
      }
      return [index, piece.number()];
    });
    for (const [i, kind] of functions) {
      bodies[i] = piece.take(piece.number());
      if (kind !== 1) continue;
      const own = piece.take(piece.number());
      if (relaxed) bodies[i] = own;
    }
    if (relaxed) continue;
    for (const [i, kind] of functions) if (kind > 1) bodies[i] = lower(bodies[i], kind - 1, piece);
  }
  const sized = bodies.flatMap((body) => [leb128(body.length), body]);
  const section = (id: number, count: number, content: ArrayLike<number>[]) => {
    const all = [leb128(count), ...content];
    return [[id], leb128(all.reduce((size, { length }) => size + length, 0)), ...all];
  };
  const all = [header, ...section(EXPORT_SECTION, exported, [exports]), ...section(CODE_SECTION, bodies.length, sized)];
  const out = new Uint8Array(all.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const bytes of all) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}
