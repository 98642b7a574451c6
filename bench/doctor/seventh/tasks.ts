/** What the seventh series learns that earlier ones have not. */
import { noGrad, type Tensor } from "lanegrad";
import { changed } from "../sixth/tasks.js";
import { type Task, task } from "../tasks.js";

type Pair = [Tensor, Tensor];

/** Numbers to be told, from other inputs. */
const from = (base: Task, change: (x: Tensor) => Tensor): Task =>
  noGrad(() => {
    const make = ([x, y]: Pair): Pair => [change(x).clone(), y];
    return task(make(base.train), make(base.test), "numbers");
  });

/** Every word is looked up in vain, and becomes the one word that stands for unknown ones. */
export const unknown = (base: Task): Task => changed(base, ([x, y]) => [x.mul(0).int(), y]);

/** Angles in degrees and not in radians. */
export const degrees = (base: Task): Task => from(base, (x) => x.mul(180 / Math.PI));

/** Labels that begin with 1, as in R. */
export const fromOne = (base: Task): Task => changed(base, ([x, y]) => [x, y.add(1)]);

/** Numbers less the mean of all of them in the training data, divided by their deviation there. */
export const standardised = (base: Task): Task => {
  const [mean, deviation] = [base.train[0].mean().item(), base.train[0].std().item()];
  return from(base, (x) => x.sub(mean).div(deviation));
};
