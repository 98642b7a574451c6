/**
 * Weights as a file: the safetensors format (a JSON header that says where each tensor lies, then the bytes), which PyTorch reads too:
 * `net.load_state_dict(safetensors.torch.load_file("digits-cnn.safetensors"))`.
 */

/** A tensor of a state dict, outside of the heap. */
export interface Weight {
  shape: number[];
  data: Float32Array;
}

/** By PyTorch's names. */
export type Weights = Record<string, Weight>;

/** The header is filled up with spaces, so that the floats behind it are aligned. */
const ALIGNMENT = 8;

export function encodeWeights(weights: Weights, metadata: Record<string, string>): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { shape, data }] of Object.entries(weights)) {
    header[name] = { dtype: "F32", shape, data_offsets: [end, end + data.byteLength] };
    end += data.byteLength;
  }
  let json = JSON.stringify(header);
  json = json.padEnd(Math.ceil(json.length / ALIGNMENT) * ALIGNMENT);
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(8 + text.length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  let at = 8 + text.length;
  for (const { data } of Object.values(weights)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/** @throws Error that says what is wrong with the file */
export function decodeWeights(bytes: ArrayBuffer): Weights {
  const fail = (why: string): never => {
    throw new Error(`This is no safetensors file of float32 weights: ${why}`);
  };
  if (bytes.byteLength < 8) fail(`it has ${bytes.byteLength} bytes`);
  const length = Number(new DataView(bytes).getBigUint64(0, true));
  if (length > bytes.byteLength - 8) fail(`a header of ${length} bytes is announced, the file has ${bytes.byteLength}`);
  let header: Record<string, any> = {};
  try {
    header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, length)));
  } catch {
    fail("its header is no JSON");
  }
  const weights: Weights = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { dtype, shape, data_offsets } = entry ?? {};
    if (dtype !== "F32" || !Array.isArray(shape) || !Array.isArray(data_offsets))
      fail(`${name} is ${dtype ?? "nothing"}, not F32`);
    const [from, to] = data_offsets;
    const elements = shape.reduce((n: number, size: number) => n * size, 1);
    if (to - from !== 4 * elements || from < 0 || 8 + length + to > bytes.byteLength) {
      fail(`${name} of shape [${shape.join(", ")}] does not fit the bytes ${from} to ${to}`);
    }
    // A copy: the file's floats need not be aligned.
    weights[name] = { shape, data: new Float32Array(bytes.slice(8 + length + from, 8 + length + to)) };
  }
  return weights;
}
