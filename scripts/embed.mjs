/**
 * Puts the two wasm builds into one. Only functions with a fused multiply-add differ, so a function's two bodies are
 * stored side by side, where a compressor finds them alike: together they take some 15 % more room than one build.
 *
 *   prefix length (LEB128), prefix: all sections before the code, the same in both builds
 *   number of functions (LEB128)
 *   for each function: 0, body   or   1, simd body, relaxed body         (a body begins with its own length, as in wasm)
 *
 * src/wasm/unpack.ts is the inverse.
 */
const CODE_SECTION = 10;

/** A module's bytes before the code section, and its function bodies. */
function parts(module) {
  let at = 8;
  const leb = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < module.length) {
    const start = at;
    const id = module[at++];
    const end = leb() + at;
    if (id === CODE_SECTION) {
      const bodies = Array.from({ length: leb() }, () => {
        const from = at;
        const length = leb();
        at += length;
        return module.subarray(from, at);
      });
      if (end !== module.length) throw new Error("embed: a section follows the code: data segments are not expected");
      return { prefix: module.subarray(0, start), bodies };
    }
    at = end;
  }
  throw new Error("embed: the module has no code");
}

function leb128(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return Buffer.from([...bytes, value]);
}

/** The two builds as one blob, to be compressed. @throws Error when their functions do not correspond one to one. */
export function embed(simd, relaxed) {
  const [a, b] = [parts(simd), parts(relaxed)];
  if (!a.prefix.equals(b.prefix) || a.bodies.length !== b.bodies.length) {
    throw new Error(
      "embed: the builds' functions differ in number, order or type. Binaryen orders functions by their callers and inlines " +
        "those with one: let both builds call the same functions, and export what one of them inlines",
    );
  }
  const pieces = a.bodies.flatMap((body, i) => {
    const same = body.equals(b.bodies[i]);
    return same ? [Buffer.from([0]), body] : [Buffer.from([1]), body, b.bodies[i]];
  });
  return Buffer.concat([leb128(a.prefix.length), a.prefix, leb128(a.bodies.length), ...pieces]);
}
