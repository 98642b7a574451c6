/** Takes one build out of the embedded blob; scripts/embed.mjs says how it is laid out. */

const CODE_SECTION = 10;

/** The bytes of the module of a build. */
export function unpack(blob: Uint8Array, relaxed: boolean): Uint8Array<ArrayBuffer> {
  let at = 0;
  const leb = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = blob[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const prefixLength = leb();
  const out = new Uint8Array(blob.length + 16);
  out.set(blob.subarray(at, at + prefixLength));
  at += prefixLength;
  const countStart = at;
  const count = leb();
  const section = prefixLength + 1;
  // The section's size is known at the end; LEB128 may be written in five bytes whatever the number.
  let to = section + 5;
  out.set(blob.subarray(countStart, at), to);
  to += at - countStart;
  /** Passes over a body, and copies it. */
  const body = (wanted: boolean): void => {
    const start = at;
    const length = leb();
    at += length;
    if (!wanted) return;
    out.set(blob.subarray(start, at), to);
    to += at - start;
  };
  for (let i = 0; i < count; i++) {
    const differs = blob[at++] === 1;
    body(!differs || !relaxed);
    if (differs) body(relaxed);
  }
  const size = to - section - 5;
  out[prefixLength] = CODE_SECTION;
  for (let i = 0; i < 5; i++) out[section + i] = ((size >>> (7 * i)) & 127) | (i < 4 ? 128 : 0);
  return out.subarray(0, to);
}
