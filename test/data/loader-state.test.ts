/** DataLoader.stateDict: an epoch cut anywhere goes on with the batches that were to come. */
import { data, getRngState, load, manualSeed, save, type Tensor, tensor } from "lanegrad";
import { describe, expect, test } from "vitest";

describe("DataLoader.stateDict", () => {
  const set = new data.TensorDataset(tensor(Array.from({ length: 11 }, (_, i) => [i])));
  const values = (batch: Tensor[]) => [...batch[0].toTypedArray()];

  for (const options of [
    {},
    { shuffle: true },
    { shuffle: true, seed: 5 },
    { shuffle: true, seed: 5, dropLast: true },
    { seed: 5 },
  ]) {
    for (const batchSize of [4, 11, 1]) {
      test(`${JSON.stringify({ ...options, batchSize })}: two epochs, cut anywhere`, () => {
        const make = () => new data.DataLoader(set, { ...options, batchSize });
        manualSeed(2);
        const loader = make();
        const all: number[][] = [];
        const cuts: { state: data.DataLoaderState; rng: Uint8Array; at: number }[] = [];
        const cut = () => cuts.push({ state: load(save(loader.stateDict())), rng: getRngState(), at: all.length });
        for (let epoch = 0; epoch < 2; epoch++) {
          cut();
          for (const batch of loader) {
            all.push(values(batch as Tensor[]));
            cut();
          }
        }
        cut();
        const end = [...getRngState()];
        for (const { state, rng, at } of cuts) {
          const again = make();
          again.loadStateDict(state);
          manualSeed(0).setState(rng);
          const rest: number[][] = [];
          for (let left = all.length - at; left > 0 || rest.length === 0; left = all.length - at - rest.length) {
            if (left === 0) break;
            for (const batch of again) rest.push(values(batch as Tensor[]));
          }
          expect(rest).toEqual(all.slice(at));
          if (rest.length > 0) expect([...getRngState()]).toEqual(end);
        }
      });
    }
  }

  test("refuses the state of another loader, and changes nothing", () => {
    const loader = new data.DataLoader(set, { batchSize: 4, shuffle: true, seed: 1 });
    const iterator = loader[Symbol.iterator]();
    iterator.next();
    const state = loader.stateDict();
    expect(state.position).toBe(4);
    const refused = (dict: any, message: RegExp) => {
      expect(() => loader.loadStateDict(dict)).toThrow(message);
      expect(loader.stateDict()).toEqual(state);
    };
    refused({ ...state, batchSize: 5 }, /DataLoader: batchSize is 5 in the state dict, 4 in the loader/);
    refused({ ...state, samples: 3 }, /samples is 3/);
    refused({ ...state, shuffle: false }, /shuffle is false/);
    refused({ ...state, generator: null }, /seed is false/);
    refused({ ...state, position: 12 }, /position must be between 0 and 11, found 12/);
    refused({ ...state, began: null }, /began is missing/);
    refused(null, /samples is undefined/);
  });
});
