/** What the sixth series learns that earlier ones have not: tables with gaps, prices day by day, points of questionnaires. */
import { F, noGrad, rand, type Tensor, tensor, where } from "lanegrad";
import * as second from "../second/tasks.js";
import { digits, type Task, task, withData } from "../tasks.js";

type Pair = [Tensor, Tensor];

/** The same task with other inputs or other targets. */
export const changed = (base: Task, change: (pair: Pair) => Pair): Task =>
  noGrad(() => {
    const make = (pair: Pair): Pair => {
      const [x, y] = change(pair);
      return [x.clone(), y.clone()];
    };
    return withData(base, make(base.train), make(base.test));
  });

/** Some cells of a table are empty, which a CSV reader gives as NaN. */
export const withGaps = (base: Task, share: number): Task => {
  const gap = (x: Tensor) => where(rand(...x.shape).lt(share), x.mul(0).add(Number.NaN), x);
  return changed(base, ([x, y]) => [gap(x), y]);
};

/** Closing prices of twenty-four days in dollars, [n, 24, 1], and whether it goes up or down, in deviations: [n, 1]. */
export const prices = ({ count = 2000 } = {}): Task =>
  noGrad(() => {
    const base = second.series({ count });
    const make = ([x, y]: Pair): Pair => {
      const values = x.reshape([x.shape[0], 24, 1]);
      return [values.mul(20).add(150).clone(), y];
    };
    return task(make(base.train), make(base.test), "numbers");
  });

/** Classes as numbers of which the one that is right is 1: for those who learn classes by squares. */
export const oneHot = (base: Task, classes = 10): Task => ({
  ...changed(base, ([x, y]) => [x, F.oneHot(y, classes).float()]),
  loss: (outputs, targets) => F.mseLoss(outputs, targets),
  accuracy: (outputs, targets) => outputs.argmax(1).eq(targets.argmax(1)).float().mean().item(),
});

/** Images as an autoencoder wants them: themselves, flat. */
export const itself = (base: Task): Task =>
  noGrad(() => {
    const make = ([x]: Pair): Pair => [x, x.flatten(1).clone()];
    return task(make(base.train), make(base.test), "numbers");
  });

/** Answers of a questionnaire as points from 0 to about 20. */
export const points = (x: Tensor): Tensor => x.mul(4).add(10);

/** Sizes of a customer's six measurements as they are in a table: ages, incomes, counts. */
export const asInTable = (x: Tensor): Tensor =>
  x.mul(tensor([12, 18000, 1, 3, 0.2, 1])).add(tensor([41, 52000, 0, 7, 0.5, 0]));

/** Digits, and what is to be drawn again: their values from −1, which is black, to 1. */
export const fromMinusOne = (): Task =>
  noGrad(() => {
    const { train, test } = digits({ count: 2000 });
    const make = ([x]: Pair): Pair => [x, x.flatten(1).mul(0.2807).add(0.1307).mul(2).sub(1).clone()];
    return task(make(train), make(test), "numbers");
  });
