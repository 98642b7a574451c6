import { expect, test } from "vitest";
import { History } from "../src/history.js";

test("a history stays short however long a run is, and keeps its ends and its few points", () => {
  const history = new History(2);
  for (let i = 0; i < 100_000; i++) {
    history.add(i, i / 2, null);
    if (i % 5000 === 0) history.add(i + 0.5, null, i);
  }
  expect(history.length).toBeGreaterThan(500);
  expect(history.length).toBeLessThanOrEqual(1200);
  const [x] = history.columns as number[][];
  expect(x.every((value, i) => i === 0 || value > x[i - 1])).toBe(true);
  expect(x.at(-1)).toBe(99_999);
  expect(history.points(2)[1]).toEqual(Array.from({ length: 20 }, (_, i) => 5000 * i));
  const [at, values] = history.points(1);
  expect(values).toEqual(at.map((value) => value / 2));
});

test("sparse curves that have become many are thinned as well", () => {
  const history = new History(2);
  for (let i = 0; i < 20_000; i++) history.add(i, i % 2 ? i : null, i % 2 ? null : i);
  expect(history.length).toBeLessThanOrEqual(1200);
});
