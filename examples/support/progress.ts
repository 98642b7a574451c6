/** Shows how training goes: a bar in a terminal, a line an epoch everywhere; and keeps the learning curve. */
import { SingleBar } from "cli-progress";
import type { History } from "./charts.js";

/** Points of the loss an epoch. */
const POINTS = 40;

export class Progress {
  readonly history: History = { loss: [], accuracy: [] };
  private readonly bar = new SingleBar({
    format: "epoch {epoch} {bar} {percentage} % | loss {loss} | {rate} images/s | {left} left",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: true,
  });
  private epoch = 0;
  private steps = 0;
  private images = 0;
  private losses: number[] = [];
  /** Sum of the epoch's losses. */
  private total = 0;
  private began = 0;
  /** Milliseconds of training in this epoch, and in the ones before. */
  private spent = 0;
  private spentBefore = 0;

  constructor(
    private readonly epochs: number,
    private readonly stepsPerEpoch: number,
  ) {}

  beginEpoch(): void {
    this.epoch++;
    this.steps = 0;
    this.images = 0;
    this.losses = [];
    this.total = 0;
    this.spentBefore += this.spent;
    this.spent = 0;
    this.began = performance.now();
    if (process.stdout.isTTY) this.bar.start(this.stepsPerEpoch, 0, this.payload());
  }

  /** One step is done. */
  step(loss: number, images: number): void {
    this.steps++;
    this.images += images;
    this.spent = performance.now() - this.began;
    this.total += loss;
    this.losses.push(loss);
    const pointsDue = (steps: number) => Math.floor((steps * POINTS) / this.stepsPerEpoch);
    if (pointsDue(this.steps) > pointsDue(this.steps - 1)) {
      const value = this.losses.reduce((a, b) => a + b) / this.losses.length;
      this.history.loss.push({ epoch: this.epoch - 1 + this.steps / this.stepsPerEpoch, value });
      this.losses = [];
    }
    if (process.stdout.isTTY) this.bar.update(this.steps, this.payload());
  }

  /** The epoch is done, and the network has been tested. */
  endEpoch(accuracy: number): void {
    this.history.accuracy.push({ epoch: this.epoch, value: accuracy });
    const { loss, rate, left, epoch } = this.payload();
    const more = this.epoch < this.epochs ? `, ${left} left` : "";
    console.log(
      `epoch ${epoch}: loss ${loss}, ${(100 * accuracy).toFixed(2)} % of the test images right, ${rate} images/s${more}`,
    );
  }

  private payload() {
    const done = (this.epoch - 1) * this.stepsPerEpoch + this.steps;
    const left = this.epochs * this.stepsPerEpoch - done;
    return {
      epoch: `${this.epoch}/${this.epochs}`,
      loss: this.steps === 0 ? "–" : (this.total / this.steps).toFixed(4),
      rate: this.steps === 0 ? "–" : Math.round((1000 * this.images) / this.spent).toLocaleString("en"),
      left: done === 0 ? "?" : duration(((this.spentBefore + this.spent) / done) * left),
    };
  }
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
