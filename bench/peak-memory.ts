/**
 * The most memory that steps of ResNet-20 ever hold, over what they cannot do without: prints one row as JSON. A program of its own,
 * because the peak is the process's.
 */

import { memory, nn, randn, type Tensor } from "lanegrad";
import { ResNet } from "../examples/models.js";
import { stepOf } from "./steps.js";

const STEPS = 10;
const BATCH = [64, 3, 32, 32];

const net = new ResNet();
const step = stepOf(() => net, BATCH);
for (let i = 0; i < STEPS; i++) step();
const { peakBytes } = memory();

// Weights, gradients and momentum are of one size. Of the activations a backward pass needs each convolution's output and what
// batch norm and relu make of it; the hooks come after the measurement, so that they cannot disturb it.
const parameters = net.parameters().reduce((sum: number, p) => sum + p.numel(), 0);
let activations = BATCH.reduce((a, b) => a * b);
for (const module of net.modules()) {
  if (module instanceof nn.Conv2d || module instanceof nn.BatchNorm2d) {
    module.registerForwardHook((_module, _inputs, output) => {
      activations += (output as Tensor).numel();
    });
  }
}
net(randn(BATCH));
const needed = 4 * (activations + 3 * parameters);
const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MB`;
console.log(
  JSON.stringify({
    name: "ResNet-20 step, peak memory",
    against: "× what it needs",
    value: peakBytes / needed,
    bar: { atMost: 1.5 },
    detail: `${megabytes(peakBytes)} at most; activations, weights, gradients, momentum ${megabytes(needed)}`,
  }),
);
