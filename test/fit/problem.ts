/** A small problem for fit: three classes in the plane, with a net that has dropout and batch norm. */
import { data, manualSeed, nn, optim, randn, type Tensor } from "lanegrad";

export interface Problem {
  net: nn.Sequential;
  loss: nn.CrossEntropyLoss;
  optimizer: optim.SGD;
  train: data.DataLoader;
  validation: data.DataLoader;
}

function set(samples: number): data.TensorDataset {
  const x = randn(samples, 2);
  const label = x.at(":", 0).gt(0).int().add(x.at(":", 1).gt(0).int());
  return new data.TensorDataset(x, label);
}

export function problem(
  options: { seed?: number; samples?: number; loaderSeed?: number; lr?: number; dropout?: number } = {},
): Problem {
  const { seed = 0, samples = 100, loaderSeed, lr = 0.1, dropout = 0.2 } = options;
  manualSeed(seed);
  const trainSet = set(samples);
  const validationSet = set(50);
  const net = new nn.Sequential(
    new nn.Linear(2, 16),
    new nn.BatchNorm1d(16),
    new nn.ReLU(),
    new nn.Dropout(dropout),
    new nn.Linear(16, 3),
  );
  const seeded = loaderSeed === undefined ? {} : { seed: loaderSeed };
  return {
    net,
    loss: new nn.CrossEntropyLoss(),
    optimizer: new optim.SGD(net.parameters(), { lr, momentum: 0.9 }),
    train: new data.DataLoader(trainSet, { batchSize: 16, shuffle: true, ...seeded }),
    validation: new data.DataLoader(validationSet, { batchSize: 20 }),
  };
}

/** All numbers of a net's state. */
export const stateOf = (net: nn.Module): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(net.stateDict()).map(([name, t]: [string, Tensor]) => [name, [...t.toTypedArray()]]),
  );

/** A problem as options of fit: all but the net. */
export function rest(p: Problem): Omit<Problem, "net"> {
  const { net: _, ...options } = p;
  return options;
}
