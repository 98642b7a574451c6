/**
 * Puts the two wasm builds into pieces, one a family of kernels (scripts/families.mjs). Only functions that multiply and add
 * differ between the builds, and most of those by just that: where the relaxed build has a, b, c, relaxed_madd, the other has
 * a, b, mul, c, add. So the relaxed body is stored with the lengths of the c's, from which the other build's body follows to the
 * byte; where it does not, both are stored side by side, and a compressor finds them alike.
 *
 * A piece, numbers being LEB128:
 *
 *   core's only: length of the header, header: all sections before the exports, the same in both builds; number of all functions
 *   number of functions, and for each of them
 *     distance of its index from the one before (the first: its index); functions of pieces that are absent do nothing but trap
 *     length of the name it is exported under (0: not exported), the name
 *     0: both builds have the body   1: each its own   n > 1: the relaxed body has n − 1 relaxed_madd
 *   for each of them, its body: length, bytes; of kind 1 the simd build's, then the relaxed one's
 *   for each relaxed_madd of bodies of the third kind, the length of its c in the simd build
 *
 * src/wasm/link.ts is the inverse; test/link.test.ts holds the two against each other.
 */
const EXPORT_SECTION = 7;
const CODE_SECTION = 10;

/** A module's bytes before the exports, and its function bodies, without their lengths. */
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
  let header;
  while (at < module.length) {
    const start = at;
    const id = module[at++];
    const end = leb() + at;
    if (id === EXPORT_SECTION) header = module.subarray(0, start);
    else if (id === CODE_SECTION) {
      const bodies = Array.from({ length: leb() }, () => {
        const length = leb();
        at += length;
        return module.subarray(at - length, at);
      });
      if (end !== module.length) throw new Error("embed: a section follows the code: data segments are not expected");
      return { header, bodies };
    } else if (header) throw new Error(`embed: section ${id} stands between the exports and the code`);
    at = end;
  }
  throw new Error("embed: the module has no code");
}

function leb128(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

const MADD = Buffer.from([0xfd, 0x85, 0x02]);
const MUL = Buffer.from([0xfd, 0xe6, 0x01]);
const ADD = Buffer.from([0xfd, 0xe4, 0x01]);

/**
 * How far before each relaxed_madd of a body the simd body has its mul, in the simd body's bytes; null when the bodies differ by
 * anything else. Both are read at once: a mul that only simd has belongs to the next madd but for those inside its c. Bytes that
 * only look like a relaxed_madd, in a constant, would mislead the linker: such a body is no candidate.
 */
function multiplications(simd, relaxed) {
  const has = (body, at, code) => body.subarray(at, at + 3).equals(code);
  const open = [];
  const distances = [];
  let to = 0;
  for (let at = 0; at < relaxed.length; ) {
    if (has(relaxed, at, MADD) && has(simd, to, ADD) && open.length > 0) {
      distances.push(to - 3 - open.pop());
      at += 3;
      to += 3;
    } else if (has(simd, to, MUL) && !has(relaxed, at, MUL)) {
      open.push(to);
      to += 3;
    } else if (has(relaxed, at, MADD) || relaxed[at++] !== simd[to++]) return null;
  }
  return to === simd.length && open.length === 0 ? distances : null;
}

/**
 * The two builds in pieces, to be compressed.
 *
 * @param functions name and family of each function, in the binaries' order (familiesOf)
 * @returns the pieces by family, core's first
 * @throws Error when the builds' functions do not correspond one to one
 */
export function embed(simd, relaxed, functions) {
  const [a, b] = [parts(simd), parts(relaxed)];
  const count = functions.length;
  if (!a.header.equals(b.header) || a.bodies.length !== count || b.bodies.length !== count) {
    throw new Error(
      "embed: the builds' functions differ in number, order or type. Binaryen orders functions by their callers and inlines " +
        "those with one: let both builds call the same functions, and export what one of them inlines",
    );
  }
  const pieces = {};
  for (const family of ["core", ...new Set(functions.map((f) => f.placed))]) {
    const list = [];
    const bodies = [];
    const allDistances = [];
    let last = 0;
    let size = 0;
    functions.forEach(({ name, placed }, i) => {
      if (placed !== family) return;
      list.push(...leb128(i - last), name.length, ...Buffer.from(name));
      last = i;
      size++;
      const own = (body) => bodies.push(Buffer.from(leb128(body.length)), body);
      const distances = a.bodies[i].equals(b.bodies[i]) ? [] : multiplications(a.bodies[i], b.bodies[i]);
      if (distances === null) {
        list.push(1);
        own(a.bodies[i]);
      } else {
        list.push(...leb128(distances.length && distances.length + 1));
        allDistances.push(...distances.flatMap(leb128));
      }
      own(b.bodies[i]);
    });
    const header = family === "core" ? [...leb128(a.header.length), ...a.header, ...leb128(count)] : [];
    pieces[family] = Buffer.concat([
      Buffer.from([...header, ...leb128(size), ...list]),
      ...bodies,
      Buffer.from(allDistances),
    ]);
  }
  return pieces;
}
