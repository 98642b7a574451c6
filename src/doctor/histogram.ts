/** Histograms with fixed buckets: four to an octave, from 2⁻²⁴ to 2¹⁶ to each side of 0 (assembly/doctor.ts fills them). */

/** Buckets to each side of 0. */
const SIDE = 160;
export const BUCKETS = 2 * SIDE + 1;

/** Lower edge of the i-th bucket above 0: 2^octave · (1, 1¼, 1½, 1¾). */
const edge = (i: number): number => 2 ** (Math.floor(i / 4) - 24) * (1 + (i % 4) / 4);

/** Counts of a tensor's values (of an evenly spaced sample of them) at a step. */
export interface Histogram {
  step: number;
  counts: Uint32Array;
}

/** Bounds of bucket i, low to high. */
export function boundsOf(i: number): [low: number, high: number] {
  if (i === SIDE) return [-edge(0), edge(0)];
  return i > SIDE ? [edge(i - SIDE - 1), edge(i - SIDE)] : [-edge(SIDE - i), -edge(SIDE - i - 1)];
}

/** The bucket in which a quantile (0 to 1) lies, as the middle of its bounds; NaN when there are no counts. */
export function quantile(counts: Uint32Array, q: number): number {
  const total = counts.reduce((sum, n) => sum + n, 0);
  let seen = 0;
  for (let i = 0; i < BUCKETS; i++) {
    seen += counts[i];
    if (seen > 0 && seen >= q * total) {
      const [low, high] = boundsOf(i);
      return (low + high) / 2;
    }
  }
  return Number.NaN;
}

/** The counts spread over `bins` equal bins between low and high; what lies beyond goes to the outermost. */
export function rebin(counts: Uint32Array, low: number, high: number, bins: number): Float64Array {
  const out = new Float64Array(bins);
  const width = (high - low) / bins;
  for (let i = 0; i < BUCKETS; i++) {
    if (counts[i] === 0) continue;
    const [from, to] = i === SIDE ? [0, 0] : boundsOf(i);
    const place = (value: number) => Math.min(bins - 1, Math.max(0, (value - low) / width));
    const first = Math.floor(place(from));
    const last = Math.floor(place(to));
    if (first === last) {
      out[first] += counts[i];
      continue;
    }
    // A bucket as wide as several bins is spread over them evenly.
    for (let bin = first; bin <= last; bin++) {
      const overlap = Math.min(to, low + (bin + 1) * width) - Math.max(from, low + bin * width);
      out[bin] += (counts[i] * Math.max(0, overlap)) / (to - from);
    }
  }
  return out;
}
