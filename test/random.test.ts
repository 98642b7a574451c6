/** src/generator.ts and src/random.ts against what PyTorch drew (test/parity/fixtures/random.json), bit for bit. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ArgumentError } from "../src/errors.js";
import { defaultGenerator, Generator, manualSeed } from "../src/generator.js";
import * as random from "../src/random.js";

type Args = number[];
interface Draw {
  op: string;
  n: number;
  args: Args;
  values?: number[];
  head?: number[];
  tail?: number[];
  hash: number;
}

const fixture = JSON.parse(readFileSync(new URL("./parity/fixtures/random.json", import.meta.url), "utf8"));
const ofKind = (kind: string) => fixture.records.filter((r: { kind: string }) => r.kind === kind);

/** FNV-1a over 32-bit words, as in make_fixtures.py. */
function fnv1a(x: Float32Array | Int32Array | Uint8Array): number {
  let h = 2166136261;
  for (const w of new Uint32Array(x.slice().buffer)) h = Math.imul(h ^ w, 16777619) >>> 0;
  return h;
}

function draw(op: string, n: number, args: Args): Float32Array | Int32Array {
  const floats = new Float32Array(n);
  const [a, b, c] = args;
  switch (op) {
    case "rand":
      random.fillUniform(floats);
      return floats;
    case "randn":
      random.fillNormal(floats);
      return floats;
    case "uniform_":
      random.fillUniform(floats, a, b);
      return floats;
    case "normal_":
      random.fillNormal(floats, a, b);
      return floats;
    case "randint": {
      const ints = new Int32Array(n);
      random.fillRandint(ints, a, b);
      return ints;
    }
    case "randperm":
      return random.randperm(n);
    case "bernoulli_":
      random.fillBernoulli(floats, a);
      return floats;
    case "dropoutMask":
      random.fillBernoulli(floats, 1 - 0.3);
      return floats;
    case "bernoulliEach": {
      const p = Float32Array.from({ length: n }, (_, i) => Math.fround(i) / n);
      random.fillBernoulliEach(floats, p);
      return floats;
    }
    case "exponential_":
      random.fillExponential(floats, a);
      return floats;
    case "multinomial": {
      const weights = Float32Array.from({ length: n * c }, (_, i) => ((i * 7) % 11) + 1);
      return random.multinomial(weights, c, a, Boolean(b));
    }
    default:
      throw new Error(`no draw ${op}`);
  }
}

function check(out: Float32Array | Int32Array, expected: Draw | Omit<Draw, "op" | "n" | "args">, label: string): void {
  const float = out instanceof Float32Array;
  const decode = (values: number[]) => (float ? Array.from(values, Math.fround) : values);
  if (expected.values) expect(Array.from(out), label).toEqual(decode(expected.values));
  if (expected.head) expect(Array.from(out.slice(0, 4)), label).toEqual(decode(expected.head));
  if (expected.tail) expect(Array.from(out.slice(-4)), label).toEqual(decode(expected.tail));
  expect(fnv1a(out), label).toBe(expected.hash);
}

const rand = (n: number, gen?: Generator) => {
  const out = new Float32Array(n);
  random.fillUniform(out, 0, 1, gen);
  return Array.from(out);
};
const randn = (n: number) => {
  const out = new Float32Array(n);
  random.fillNormal(out);
  return Array.from(out);
};
const float32 = (values: number[]) => values.map(Math.fround);

describe("PyTorch's draws", () => {
  for (const r of ofKind("words")) {
    test(`words after manualSeed(${r.seed})`, () => {
      const gen = manualSeed(r.seed);
      expect(String(gen.initialSeed())).toBe(r.initialSeed);
      expect(Array.from({ length: 5 }, () => gen.random32() % (2 ** 32 - 1))).toEqual(r.words);
      expect(Array.from({ length: 3 }, () => String(gen.randomInt64()))).toEqual(r.int64);
    });
  }
  for (const r of ofKind("calls")) {
    test(`every distribution and size after manualSeed(${r.seed})`, () => {
      for (const call of r.calls as Draw[]) {
        manualSeed(r.seed);
        check(draw(call.op, call.n, call.args), call, `${call.op}(${call.args}) of ${call.n}`);
      }
    });
  }
  for (const [i, r] of ofKind("sequence").entries()) {
    test(`sequence ${i} of mixed calls, seed ${r.seed}`, () => {
      manualSeed(r.seed);
      for (const call of r.calls as Draw[]) {
        check(draw(call.op, call.n, call.args), call, `${call.op}(${call.args}) of ${call.n}`);
      }
    });
  }
  test("a Generator without a seed", () => {
    const [r] = ofKind("defaultSeed");
    const gen = new Generator();
    expect(gen.initialSeed()).toBe(r.initialSeed);
    expect(rand(3, gen)).toEqual(float32(r.rand));
  });
});

describe("DataLoader's order", () => {
  for (const r of ofKind("dataLoader")) {
    const how = r.shuffle === false ? "unshuffled" : r.generator ? "with a generator" : "with the default generator";
    test(`${r.n} samples, seed ${r.seed}, ${how}`, () => {
      manualSeed(r.seed);
      const gen = r.generator ? new Generator(r.seed) : undefined;
      for (const epoch of r.epochs) {
        check(random.dataLoaderOrder(r.n, gen), epoch, "epoch");
        random.endDataLoaderOrder(r.n, gen);
      }
      if (r.shuffle === false) random.drawBaseSeed();
      expect(rand(2)).toEqual(float32(r.after));
      if (gen) expect(rand(2, gen)).toEqual(float32(r.afterGenerator));
    });
  }
});

describe("state", () => {
  for (const r of ofKind("state")) {
    test(`is PyTorch's, byte for byte (seed ${r.seed})`, () => {
      const gen = manualSeed(r.seed);
      randn(3);
      rand(7);
      const state = gen.getState();
      expect(fnv1a(state)).toBe(r.hash);
      for (let round = 0; round < 2; round++) {
        expect(randn(2)).toEqual(float32(r.next.randn));
        expect(rand(2)).toEqual(float32(r.next.rand));
        gen.seed();
        gen.setState(state);
      }
    });
  }

  test("resumes anywhere in a block, and at its ends", () => {
    for (const drawn of [0, 1, 622, 623, 624, 625, 1000]) {
      const gen = new Generator(3);
      gen.skip(drawn);
      const copy = new Generator(4).setState(gen.getState());
      expect(rand(1300, copy)).toEqual(rand(1300, gen));
    }
  });

  test("refuses what is no state and stays as it was", () => {
    const gen = new Generator(5);
    const expected = rand(3, new Generator(5));
    expect(() => gen.setState(new Uint8Array(8))).toThrow(/5056 bytes, got 8/);
    expect(() => gen.setState(new Uint8Array(5056))).toThrow(/not a generator's state/);
    expect(rand(3, gen)).toEqual(expected);
  });
});

describe("edges", () => {
  test("seeds", () => {
    const first = (seed: number | bigint) => new Generator(seed).random32();
    expect(first(-1)).toBe(first(2 ** 32 - 1));
    expect(first(2 ** 32 + 7)).toBe(first(7));
    expect(first((1n << 64n) - 1n)).toBe(first(-1));
    for (const bad of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 64, -(2 ** 63) - 2048]) {
      expect(() => manualSeed(bad)).toThrow(ArgumentError);
    }
  });

  test("filling in parts draws what filling at once draws, for the draws that keep no group", () => {
    const whole = new Float32Array(2000);
    random.fillUniform(whole, 0, 1, new Generator(9));
    const parts = new Float32Array(2000);
    const gen = new Generator(9);
    for (let i = 0, step = 1; i < 2000; i += step++) random.fillUniform(parts.subarray(i, i + step), 0, 1, gen);
    expect(parts).toEqual(whole);
    const bits = new Uint8Array(3001);
    random.fillBernoulli(bits, 0.3, new Generator(9));
    const one = new Generator(9);
    expect(Array.from(bits)).toEqual(Array.from(bits, () => (one.uniform64() < 0.3 ? 1 : 0)));
  });

  test("a probability of 0 or 1, and nothing to fill", () => {
    const out = new Uint8Array(1000);
    random.fillBernoulli(out, 1);
    expect(out.every((v) => v === 1)).toBe(true);
    random.fillBernoulli(out, 0);
    expect(out.every((v) => v === 0)).toBe(true);
    const before = manualSeed(1).getState();
    for (const op of ["rand", "randn", "randint", "bernoulli_", "exponential_"]) draw(op, 0, [1, 2]);
    expect(random.randperm(0)).toEqual(new Int32Array(0));
    expect(random.randperm(1)).toEqual(new Int32Array(1));
    expect(defaultGenerator().getState()).toEqual(before);
  });

  test("integers cover their range and nothing else", () => {
    const out = new Int32Array(5000);
    random.fillRandint(out, -3, 4, new Generator(0));
    expect(new Set(out)).toEqual(new Set([-3, -2, -1, 0, 1, 2, 3]));
    random.fillRandint(out, 7, 8);
    expect(out.every((v) => v === 7)).toBe(true);
  });

  test("arguments out of range throw with their values", () => {
    const out = new Float32Array(3);
    expect(() => random.fillUniform(out, 1, 0)).toThrow("from 1, to 0");
    expect(() => random.fillNormal(out, 0, -1)).toThrow("got -1");
    expect(() => random.fillBernoulli(out, 1.5)).toThrow("got 1.5");
    expect(() => random.fillRandint(new Int32Array(1), 3, 3)).toThrow("low 3, high 3");
    expect(() => random.fillRandint(new Int32Array(1), 0, 2 ** 31 + 1)).toThrow(ArgumentError);
    expect(() => random.randperm(-1)).toThrow("got -1");
    expect(() => random.fillExponential(out, 0)).toThrow("got 0");
    expect(() => random.multinomial(new Float32Array([1, 2]), 1, 3)).toThrow("3 samples");
    expect(() => random.multinomial(new Float32Array([0, 0]), 1, 1)).toThrow("all 0");
    expect(() => random.multinomial(new Float32Array([1, -1]), 1, 1)).toThrow("got -1");
  });
});
