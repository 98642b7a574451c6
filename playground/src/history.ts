/** What the charts draw: columns over epochs that never grow long. */

/** Points kept at most: more than a chart has pixels to show. */
const LIMIT = 1200;

export type Points = readonly [x: number[], y: number[]];

/** A column for x and one for each curve; null where a curve has no point. */
export class History {
  readonly columns: (number | null)[][];

  constructor(readonly curves: number) {
    this.columns = Array.from({ length: curves + 1 }, () => []);
  }

  get length(): number {
    return this.columns[0].length;
  }

  /** The points of a curve, from 1 on: where they are, and their values. */
  points(curve: number): Points {
    const [x, y] = [this.columns[0], this.columns[curve]];
    const rows = y.flatMap((value, row) => (value === null ? [] : [row]));
    return [rows.map((row) => x[row] as number), rows.map((row) => y[row] as number)];
  }

  add(x: number, ...values: (number | null)[]): void {
    [x, ...values].forEach((value, i) => {
      this.columns[i].push(value);
    });
    if (this.length > LIMIT) this.thin();
  }

  /** Every second point goes; but what few points a sparse curve has stay. */
  private thin(): void {
    const sparse = this.columns.map((column) => column.filter((value) => value !== null).length < LIMIT / 2);
    const keep = (_: unknown, row: number) =>
      row % 2 === 1 || this.columns.some((column, i) => i > 0 && sparse[i] && column[row] !== null);
    const kept = this.columns.map((column) => column.filter(keep));
    // All of them sparse together: then every second goes after all.
    const rows =
      kept[0].length > 0.9 * LIMIT ? this.columns.map((column) => column.filter((_, row) => row % 2 === 1)) : kept;
    rows.forEach((column, i) => {
      this.columns[i] = column;
    });
  }
}
