/** What tests of broadcasting kernels share: layouts of operands, and lengths around those of vectors. */

/** Lengths of rows: none, below, at and above those of vectors and unrolled loops. */
export const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 33];

/** A table (assembly/layout.ts): dims innermost first, each [size, stride of operand 0, 1, 2]. */
export function table(dims: readonly (readonly number[])[]): Int32Array {
  const words = new Int32Array(8 + 5 * (dims.length - 1));
  words.set([dims[0][0], dims.length - 1, ...dims[0].slice(1)]);
  dims.slice(1).forEach(([size, ...strides], d) => {
    words.set([size, 0, ...strides], 8 + 5 * d);
  });
  return words;
}

/** The offsets of the operands for every element, in row-major order. */
export function offsets(dims: readonly (readonly number[])[]): number[][] {
  const all: number[][] = [];
  const walk = (d: number, at: number[]): void => {
    if (d < 0) all.push(at);
    else {
      for (let i = 0; i < dims[d][0]; i++) {
        walk(
          d - 1,
          at.map((o, operand) => o + i * (dims[d][operand + 1] ?? 0)),
        );
      }
    }
  };
  walk(dims.length - 1, [0, 0, 0]);
  return all;
}
