/** Makes IDX files for the tests. */

/** An IDX file of unsigned bytes. */
export function idxFile(shape: readonly number[], data: ArrayLike<number>, type = 0x08): Uint8Array {
  const file = new Uint8Array(4 + 4 * shape.length + data.length);
  file.set([0, 0, type, shape.length]);
  const view = new DataView(file.buffer);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  file.set(data, 4 + 4 * shape.length);
  return file;
}

/** n images of random bytes, and labels that go round the classes. */
export function makeFiles(n: number, height = 28, width = 28): { images: Uint8Array; labels: Uint8Array } {
  let state = 1;
  const pixels = Uint8Array.from({ length: n * height * width }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
  return {
    images: idxFile([n, height, width], pixels),
    labels: idxFile(
      [n],
      Array.from({ length: n }, (_, i) => (i * 7) % 10),
    ),
  };
}

/** The error a function throws. */
export function errorOf(fn: () => unknown): Error {
  try {
    fn();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}
