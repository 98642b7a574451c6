/** n-dimensional arrays in plain float64, as slow and as plain as can be: what the references are written in. */

export interface Nd {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float64Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const nd = (shape: readonly number[], data: ArrayLike<number>): Nd => ({ shape, data: Float64Array.from(data) });

/** All coordinates of a shape in row-major order. */
export function* coordinates(shape: readonly number[]): Generator<number[]> {
  const n = sizeOf(shape);
  for (let i = 0; i < n; i++) {
    const coords = new Array<number>(shape.length);
    let rest = i;
    for (let d = shape.length - 1; d >= 0; d--) {
      coords[d] = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
    }
    yield coords;
  }
}

/** The array whose element at each place is value(place). */
export function build(shape: readonly number[], value: (coords: number[]) => number): Nd {
  const data: number[] = [];
  for (const coords of coordinates(shape)) data.push(value(coords));
  return nd(shape, data);
}

/** The place in row-major order. */
export const placeOf = (shape: readonly number[], coords: readonly number[]): number =>
  shape.reduce((place, size, d) => place * size + coords[d], 0);

export const at = (x: Nd, coords: readonly number[]): number => x.data[placeOf(x.shape, coords)];

/** The element that stands at coords once x is broadcast to as many dims. */
export const atBroadcast = (x: Nd, coords: readonly number[]): number =>
  at(
    x,
    x.shape.map((size, d) => (size === 1 ? 0 : coords[coords.length - x.shape.length + d])),
  );

export function broadcastShape(...shapes: (readonly number[])[]): number[] {
  const ndim = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: ndim }, (_, d) => {
    const sizes = shapes.map((s) => s[d - ndim + s.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

export const map = (x: Nd, f: (v: number) => number): Nd => nd(x.shape, Array.from(x.data, f));

/** f of the elements that stand together when all are broadcast. */
export const zip = (f: (...values: number[]) => number, ...xs: Nd[]): Nd =>
  build(broadcastShape(...xs.map((x) => x.shape)), (c) => f(...xs.map((x) => atBroadcast(x, c))));

/** Sorted, from the start; undefined and null are all dims. */
export const dimsOf = (shape: readonly number[], dim?: number | readonly number[] | null): number[] =>
  (dim === undefined || dim === null ? shape.map((_, d) => d) : typeof dim === "number" ? [dim] : [...dim])
    .map((d) => (d < 0 ? d + shape.length : d))
    .sort((a, b) => a - b);

export const without = (shape: readonly number[], dims: readonly number[], keepdim = false): number[] =>
  keepdim ? shape.map((size, d) => (dims.includes(d) ? 1 : size)) : shape.filter((_, d) => !dims.includes(d));

/** f of the elements (in row-major order) that lie along dims, for each place in the other dims. */
export function fold(
  x: Nd,
  dim: number | readonly number[] | null | undefined,
  keepdim: boolean,
  f: (values: number[]) => number,
): Nd {
  const dims = dimsOf(x.shape, dim);
  const lines = build(without(x.shape, dims), () => 0);
  const values: number[][] = Array.from(lines.data, () => []);
  for (const c of coordinates(x.shape)) {
    const place = placeOf(
      lines.shape,
      c.filter((_, d) => !dims.includes(d)),
    );
    values[place].push(at(x, c));
  }
  return nd(without(x.shape, dims, keepdim), values.map(f));
}

/** Replaces each line along dim by line(values), of any length. */
export function alongDim(x: Nd, dim: number, line: (values: number[]) => number[]): Nd {
  const [d] = dimsOf(x.shape, dim);
  if (x.shape.length === 0) return nd([], line([...x.data]));
  const lineAt = (c: readonly number[]) => Array.from({ length: x.shape[d] }, (_, i) => at(x, c.with(d, i)));
  const length = line(Array.from({ length: x.shape[d] }, () => 0)).length;
  const lines = new Map<number, number[]>();
  return build(x.shape.with(d, length), (c) => {
    const key = placeOf(x.shape, c.with(d, 0));
    if (!lines.has(key)) lines.set(key, line(lineAt(c)));
    return (lines.get(key) as number[])[c[d]];
  });
}

export const permute = (x: Nd, dims: readonly number[]): Nd =>
  build(
    dims.map((d) => x.shape[d]),
    (c) =>
      at(
        x,
        x.shape.map((_, d) => c[dims.indexOf(d)]),
      ),
  );

/** The dims in reverse order. */
export const reversed = (x: Nd): Nd =>
  permute(
    x,
    x.shape.map((_, d) => x.shape.length - 1 - d),
  );

export const reshape = (x: Nd, shape: readonly number[]): Nd => {
  const rest = -sizeOf(shape);
  return nd(
    shape.map((size) => (size === -1 ? x.data.length / rest : size)),
    x.data,
  );
};

export const expand = (x: Nd, shape: readonly number[]): Nd => build(shape, (c) => atBroadcast(x, c));
