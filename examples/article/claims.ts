/** What an experiment expects, as comparisons of measured numbers: the page tells how each came out, the tests assert all of them. */

/** One expectation: `value` is to be above or below `bound`. */
export interface Claim<Id extends string = string> {
  id: Id;
  value: number;
  relation: "above" | "below";
  bound: number;
  met: boolean;
}

/** Met when value > bound; NaN meets nothing. */
export const above = <const Id extends string>(id: Id, value: number, bound: number): Claim<Id> => ({
  id,
  value,
  relation: "above",
  bound,
  met: value > bound,
});

/** Met when value < bound; NaN meets nothing. */
export const below = <const Id extends string>(id: Id, value: number, bound: number): Claim<Id> => ({
  id,
  value,
  relation: "below",
  bound,
  met: value < bound,
});

/** How many of some things hold: to be met, all of them must. */
export const all = <const Id extends string>(id: Id, holds: readonly boolean[]): Claim<Id> =>
  above(id, holds.filter(Boolean).length, holds.length - 0.5);
