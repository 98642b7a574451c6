/**
 * LZMA whose pieces go on from where a first one ended: with its bytes to refer to and its probabilities, which makes small pieces
 * a tenth smaller than alone. The format has this (LZMA2 is made of such pieces), but no encoder on npm does it: this one is
 * lzma1's, taken through its end of input to more input. src/wasm/lzma.ts is the inverse, and has the same settings.
 */
import { Encoder } from "../node_modules/lzma1/lib/encoder.js";
import { OutputBuffer } from "../node_modules/lzma1/lib/streams.js";

/** 1 MiB to refer back to, matches of up to 255 bytes, four bytes hashed. */
const SETTINGS = { searchDepth: 20, filterStrength: 255, modeIndex: 1 };

/** Gives one of the parts, and then the end, as often as it is asked to. */
class Input {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  readBytes(to, offset, length) {
    const n = Math.min(length, this.bytes.length - this.at);
    if (n === 0) return -1;
    to.set(this.bytes.subarray(this.at, this.at + n), offset);
    this.at += n;
    return n;
  }
}

/** Who decodes knows the length: no marker of the end. */
class ContinuedEncoder extends Encoder {
  flushEncoding() {
    this.releaseMFStream();
    for (let i = 0; i < 5; i++) this.shiftLow();
  }

  encode(output) {
    do this.codeOneBlock();
    while (!this.finished[0]);
    return output;
  }

  begin(bytes) {
    const output = new OutputBuffer();
    this.initCompression(new Input(bytes), new OutputBuffer(), BigInt(bytes.length), SETTINGS);
    this._rangeEncoder.stream = output;
    return this.encode(output);
  }

  goOn(bytes) {
    const output = new OutputBuffer();
    this._rangeEncoder.stream = output;
    this.initEncoderState();
    this._finished = 0;
    this._needReleaseMFStream = 1;
    this._matchFinder._streamEndWasReached = 0;
    this._matchFinder._stream = new Input(bytes);
    this._matchFinder.readBlock();
    return this.encode(output);
  }
}

/** The length in four bytes, the lowest first, and the code. */
function withLength(length, output) {
  const piece = new Uint8Array(4 + output.count);
  new DataView(piece.buffer).setUint32(0, length, true);
  piece.set(output.toArray(), 4);
  return piece;
}

/** Compressed bytes; those of a piece that goes on from `before` when that is given, which must be compressed by itself. */
export function compress(bytes, before) {
  const encoder = new ContinuedEncoder();
  const first = encoder.begin(before ?? bytes);
  return withLength(bytes.length, before === undefined ? first : encoder.goOn(bytes));
}
