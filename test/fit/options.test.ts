/** fit: what it refuses. */
import { fit, nn, optim, type Tensor, zeros } from "lanegrad";
import { expect, test } from "vitest";
import { problem, rest, stateOf } from "./problem.js";

test("wrong options are refused by name before anything happens", async () => {
  const p = problem();
  const good = { ...rest(p), epochs: 1 };
  const before = stateOf(p.net);
  const other = problem();
  const { StepLR, OneCycleLR, ReduceLROnPlateau } = optim.lrScheduler;
  const cases: [any, RegExp][] = [
    [{ train: undefined }, /train is missing/],
    [{ epoch: 3 }, /unknown option epoch/],
    [{ clip_norm: 3 }, /unknown option clip_norm \(did you mean clipNorm\?\)/],
    [{ epochs: 0 }, /epochs must be a whole number ≥ 1, found 0/],
    [{ epochs: 1.5 }, /epochs must be/],
    [{ loss: "mse" }, /loss must be a function of outputs and targets.*found "mse"/],
    [{ optimizer: {} }, /optimizer must be an optimizer/],
    [{ optimizer: other.optimizer }, /the optimizer updates none of the net's parameters/],
    [{ train: p.train.dataset }, /train is a dataset, which gives samples; wrap it/],
    [{ train: 5 }, /train must give batches: .* found 5/],
    [{ train: zeros(3) }, /train must give batches: .* found a Tensor/],
    [{ validation: "x" }, /validation must give batches/],
    [{ train: () => 3 }, /train\(\) returned 3, expected an iterable/],
    [{ train: [] }, /train gave no batches in epoch 1; is the dataset empty/],
    [{ validation: [] }, /validation gave no batches in epoch 1/],
    [{ train: [[zeros(1, 2)]] }, /expected batches \[inputs, targets\], found a list of 1/],
    [{ clipNorm: -1 }, /clipNorm must be a number > 0, found -1/],
    [{ clipValue: "a" }, /clipValue must be/],
    [{ metrics: { accuracy: 3 } }, /metrics\.accuracy must be a function/],
    [{ metrics: { loss: () => 1 } }, /metrics\.loss: the loss has that name already/],
    [{ metrics: { a: () => "x" } }, /metrics\.a must return a number or a tensor of one element, found "x"/],
    [{ loss: (o: Tensor) => o }, /loss must return a tensor of one element, found one of shape \[\d+, 3\]; reduce it/],
    [{ loss: () => 3 }, /loss must return a tensor of one element, found 3/],
    [{ earlyStopping: 3 }, /earlyStopping must be an object, as \{ patience: 5 \}, found 3/],
    [{ earlyStopping: { patience: 0 } }, /earlyStopping: patience must be/],
    [{ earlyStopping: { patience: 1, minDelta: -1 } }, /minDelta/],
    [{ earlyStopping: { patience: 1, wait: 1 } }, /unknown option wait/],
    [{ earlyStopping: { patience: 1, monitor: "validation.f1" } }, /mode must be "min" or "max"/],
    [
      { earlyStopping: { patience: 1, monitor: "validation.f1", mode: "max" } },
      /monitor "validation\.f1" is not there/,
    ],
    [
      { earlyStopping: { patience: 1, monitor: "validation.loss" }, validation: undefined },
      /needs validation, which is not given/,
    ],
    [{ scheduler: {} }, /scheduler must be a scheduler/],
    [
      { scheduler: { scheduler: new StepLR(p.optimizer, { stepSize: 1 }), every: "step" } },
      /every must be "epoch" or "batch", found "step"/,
    ],
    [{ scheduler: new StepLR(other.optimizer, { stepSize: 1 }) }, /another optimizer/],
    [{ scheduler: new OneCycleLR(problem().optimizer, { maxLr: 1, totalSteps: 10 }) }, /another optimizer/],
    [{ scheduler: { scheduler: new ReduceLROnPlateau(p.optimizer), every: "batch" } }, /known once an epoch/],
    [{ checkpoint: {} }, /checkpoint: give a path, or a function save/],
    [{ checkpoint: { path: "x", every: -1 } }, /every must be a whole number ≥ 0/],
    [{ resume: true }, /resume: true needs a checkpoint/],
    [{ callbacks: { onEpoch: () => 1 } }, /unknown option onEpoch/],
    [{ callbacks: { onEpochEnd: 1 } }, /callbacks\.onEpochEnd must be a function, found 1/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ events: {} }, /events must be an EventTarget/],
    [{ doctor: {} }, /doctor must be what watch\(\)/],
    [{ stepsPerEpoch: 0 }, /stepsPerEpoch must be/],
    [{ yieldEvery: -1 }, /yieldEvery must be/],
    [{ progress: "bar" }, /progress must be true or false/],
    [{ terminateOnNaN: 1 }, /terminateOnNaN must be true or false/],
  ];
  for (const [options, message] of cases) {
    p.optimizer.paramGroups[0].lr = 0;
    await expect(fit(p.net, { ...good, ...options }), String(message)).rejects.toThrow(message);
  }
  await expect(fit({} as any, good)).rejects.toThrow(
    /the first argument must be the net, an nn\.Module, found a Object/,
  );
  await expect(fit(new nn.ReLU(), good)).rejects.toThrow(/the net has no parameters/);
  await expect(fit(p.net, 3 as any)).rejects.toThrow(/the second argument must be an object of options/);
  const one = problem();
  const cycle = new OneCycleLR(one.optimizer, { maxLr: 1, totalSteps: 10 });
  await expect(fit(one.net, { ...rest(one), epochs: 2, scheduler: cycle })).rejects.toThrow(
    /OneCycleLR has 10 steps, for 2 epochs; say/,
  );
  const generator = p.train[Symbol.iterator]();
  await expect(fit(p.net, { ...good, train: generator as any, epochs: 2 })).rejects.toThrow(
    /in epoch 2; a generator runs only once/,
  );
  expect(stateOf(p.net)["0.weight"]).toEqual(before["0.weight"]);
});
