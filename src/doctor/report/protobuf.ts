/**
 * As much of Protocol Buffers' wire format as event files need (https://protobuf.dev/programming-guides/encoding), and TFRecord's
 * framing: length, masked CRC-32C of the length, data, masked CRC-32C of the data.
 */

/** Bytes that grow. */
export class Message {
  private bytes = new Uint8Array(256);
  private size = 0;

  private reserve(count: number): DataView {
    if (this.size + count > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.size + count));
      larger.set(this.bytes.subarray(0, this.size));
      this.bytes = larger;
    }
    return new DataView(this.bytes.buffer, this.size, count);
  }

  private raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.size);
    this.size += bytes.length;
    return this;
  }

  private base128(value: number): this {
    // Whole numbers up to 2⁵³, so no bit operations.
    for (; value >= 128; value = Math.floor(value / 128)) this.raw(Uint8Array.of((value % 128) + 128));
    return this.raw(Uint8Array.of(value));
  }

  private key(field: number, wireType: number): this {
    return this.base128(field * 8 + wireType);
  }

  /** int64, a whole number ≥ 0. */
  varint(field: number, value: number): this {
    return this.key(field, 0).base128(value);
  }

  double(field: number, value: number): this {
    this.key(field, 1).reserve(8).setFloat64(0, value, true);
    this.size += 8;
    return this;
  }

  float(field: number, value: number): this {
    this.key(field, 5).reserve(4).setFloat32(0, value, true);
    this.size += 4;
    return this;
  }

  bytesField(field: number, value: Uint8Array): this {
    return this.key(field, 2).base128(value.length).raw(value);
  }

  string(field: number, value: string): this {
    return this.bytesField(field, new TextEncoder().encode(value));
  }

  message(field: number, value: Message): this {
    return this.bytesField(field, value.finish());
  }

  /** repeated double, packed. */
  doubles(field: number, values: readonly number[]): this {
    return this.bytesField(field, new Uint8Array(Float64Array.from(values).buffer));
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.size);
  }
}

/** CRC-32C (Castagnoli), bit by bit through a table. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 255];
  return ~crc >>> 0;
}

const TABLE = /* @__PURE__ */ Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1;
  return n;
});

/** TFRecord's: rotated, so that a CRC of data that holds CRCs is no trouble. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** Records one after the other, as TFRecord frames them. */
export function tfRecords(records: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(records.reduce((sum, { length }) => sum + length + 16, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const record of records) {
    view.setUint32(at, record.length, true);
    view.setUint32(at + 8, masked(out.subarray(at, at + 8)), true);
    out.set(record, at + 12);
    view.setUint32(at + 12 + record.length, masked(record), true);
    at += record.length + 16;
  }
  return out;
}
