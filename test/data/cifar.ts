/** Bytes in the form of CIFAR-10's binary files. */

/** A file of n records, with labels from `first` on. */
export function makeFile(n: number, first = 0): Uint8Array {
  let state = first + 1;
  const file = Uint8Array.from({ length: n * 3073 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state >>> 24;
  });
  for (let i = 0; i < n; i++) file[i * 3073] = (first + i) % 10;
  return file;
}

/** Five batches of three records. */
export const batches = [0, 1, 2, 3, 4].map((i) => makeFile(3, 3 * i));
