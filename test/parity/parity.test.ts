/** Every record of fixtures/*.json that is one call, a clipping or a run of SGD, against what PyTorch computed. */
import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as lanegrad from "../../src/index.js";
import { F, manualSeed, nn, optim, Tensor } from "../../src/index.js";
import { EXACT, expectTensor, isClose, type Tolerance } from "../support/compare.js";
import {
  decode,
  elementsOf,
  families,
  loadFixture,
  type OpRecord,
  type Recorded,
  tensorOf,
} from "../support/fixtures.js";

/** PyTorch's vector functions are within a few ulp (6e-8 each) of the true value, as ours are; two of them may meet. */
const ELEMENTWISE: Tolerance = { atol: 1e-6, rtol: 2e-6 };
/** Sums, products of matrices, norms, losses: PyTorch adds up in float32, some 2⁻²⁴·√n of the terms' size off for n ≤ 10⁴. */
const ACCUMULATING: Tolerance = { atol: 1e-6, rtol: 1e-5 };
/**
 * Convolutions of at most 300 products of size 4 (with whole numbers most are exact): PyTorch's float32 sums are off by some
 * √300·2⁻²⁴·4 (4e-6) where terms cancel, ours by twice that where Winograd's transforms add their rounding.
 */
const CONVOLVING: Tolerance = { atol: 1.2e-5, rtol: 1e-5 };

/** Families of single calls, and how close they must be. */
const CALLS: Record<string, Tolerance> = {
  make: ELEMENTWISE,
  index: EXACT,
  elementwise: ELEMENTWISE,
  promotion: EXACT,
  activation: ELEMENTWISE,
  softmax: ELEMENTWISE,
  reduce: ACCUMULATING,
  shape: EXACT,
  linalg: ACCUMULATING,
  nn: ACCUMULATING,
  norm: ACCUMULATING,
  loss: ACCUMULATING,
  pool: ACCUMULATING,
  conv: CONVOLVING,
};
/** Families that other files replay. */
const ELSEWHERE: Record<string, string> = {
  "conv-modules": "../conv.test.ts",
  runs: "./runs.test.ts",
  "runs-conv": "./runs-conv.test.ts",
  init: "../init.test.ts",
  print: "../format.test.ts",
  random: "../random.test.ts",
  optim: "./optim.test.ts",
  transforms: "./transforms.test.ts",
  "norm-modules": "../batch-norm.test.ts",
  schedules: "./schedules.test.ts",
};
/** Records that lanegrad does not support, by family and number, each with the reason. */
const UNSUPPORTED: Record<string, Record<number, string>> = {};
/** Records where PyTorch itself is further from the true value, by family and number: how far, and why. */
const ROUGH: Record<string, Record<number, Tolerance & { why: string }>> = {
  nn: {
    // PyTorch computes x·rstd − mean·rstd in float32, off by 2⁻²⁴·|mean|·rstd: here 2⁻²⁴·2.68/√1e-5,
    6: { atol: 5.1e-5, rtol: 1e-5, why: "one element a row: 0, but for PyTorch's rounding of x·rstd − mean·rstd" },
    7: { atol: 5.1e-6, rtol: 1e-5, why: "the same with eps 0.001" },
    12: { atol: 7.4e-4, rtol: 1e-5, why: "values around 10001 a row: 2⁻²⁴·10001·1.22 of rounding" },
  },
  norm: {
    32: { atol: 9.5e-5, rtol: 1e-5, why: "one value a group: 0, but for the same, 2⁻²⁴·5/√1e-5" },
    33: { atol: 2e-5, rtol: 1e-5, why: "the same with eps 0.001 and a weight of up to 2" },
    39: {
      atol: 1.5e-6,
      rtol: 1e-5,
      why: "two values a group: what is left of terms of size 6.2, 4·2⁻²⁴ of it (PyTorch's own two should be opposite, and are not)",
    },
    27: {
      atol: 9.5e-5,
      rtol: 1e-5,
      why: "all values 5: 0, but for PyTorch's rounding of x·rstd − mean·rstd, 2⁻²⁴·5/√1e-5",
    },
  },
};
/** Elements of outputs where PyTorch is wrong, by family and number: the true value. */
const CORRECTED: Record<string, Record<number, { element: number; value: number; why: string }>> = {
  elementwise: {
    215: { element: 13, value: 88.59685, why: "log1p(3e38): the vector library of PyTorch overflows beyond 1e38" },
  },
};

const ran: Record<string, number> = {};

function describeRecord(r: OpRecord): string {
  const inputs = (r.inputs ?? []).map((t) => `${t.dtype === "float32" ? "" : t.dtype}[${t.shape}]`).join(" ");
  const rest = [...(r.args ?? []), ...(r.options ? [r.options] : [])].map((a) => JSON.stringify(a)).join(", ");
  return `${r.op}(${rest}) of ${inputs}${r.note ? ` (${r.note})` : ""}`;
}

/** All tensors of a result, in order. */
function outputsOf(result: any): Tensor[] {
  if (result instanceof Tensor) return [result];
  return Array.isArray(result) ? result : [result.values, result.indices];
}

function call(r: OpRecord, inputs: Tensor[]): Tensor[] {
  if (r.seed !== undefined) manualSeed(r.seed);
  const args = decode(r.args ?? [], inputs);
  if (r.options) args.push(decode(r.options, inputs));
  if (r.target === "property") return outputsOf((inputs[0] as any)[r.op]);
  if (r.target === "method") return outputsOf((inputs[0] as any)[r.op](...args));
  return outputsOf(((r.target === "F" ? F : lanegrad) as any)[r.op](...args));
}

/** The gradients of Σ outputs·gradOutputs. */
function differentiate(outputs: Tensor[], gradOutputs: (Recorded | null)[]): void {
  if (outputs.length === 1) {
    outputs[0].backward(tensorOf(gradOutputs[0] as Recorded));
    return;
  }
  const terms = outputs.flatMap((out, i) => {
    const grad = gradOutputs[i];
    return grad && out.requiresGrad ? [out.mul(tensorOf(grad)).sum()] : [];
  });
  terms.reduce((a, b) => a.add(b)).backward();
}

describe.each(Object.keys(CALLS))("%s", (family) => {
  const { records, exact } = loadFixture<OpRecord>(family);
  const usual = exact ? EXACT : CALLS[family];
  const skipped = UNSUPPORTED[family] ?? {};
  ran[family] = 0;
  test.each(records.map((r, i) => [`${i} ${describeRecord(r)}`, r, i] as const))("%s", (_title, r, i) => {
    ran[family]++;
    if (skipped[i]) return;
    const tolerance = ROUGH[family]?.[i] ?? usual;
    const corrected = CORRECTED[family]?.[i];
    // PyTorch leaves some gradients undefined which are 0.
    const undefinedGrads = r.grads?.every((g) => g === null) ?? false;
    const inputs = r.inputs.map((t, i) =>
      tensorOf(t, { requiresGrad: r.grads?.[i] != null || (undefinedGrads && t.dtype === "float32") }),
    );
    const outputs = call(r, inputs);
    expect(outputs.length, "number of outputs").toBe(r.outputs.length);
    r.outputs.forEach((out, i) => {
      const data = elementsOf(out);
      if (corrected) data[corrected.element] = corrected.value;
      expectTensor(outputs[i], { ...out, data }, tolerance, `output ${i}`);
    });
    if (!r.gradOutputs) return;
    differentiate(outputs, r.gradOutputs);
    r.grads?.forEach((grad, i) => {
      const found = inputs[i].grad;
      if (grad === null) {
        const zeros = found?.toTypedArray() ?? [];
        expect(
          zeros.every((v) => v === 0),
          `gradient of input ${i}, undefined in PyTorch, is 0`,
        ).toBe(true);
        return;
      }
      expect(found, `gradient of input ${i}`).not.toBeNull();
      expectTensor(found as Tensor, { ...grad, data: elementsOf(grad) }, tolerance, `gradient of input ${i}`);
    });
  });
});

/** Parameters of zeros with these gradients. */
function parametersWith(grads: Recorded[]): Tensor[] {
  return grads.map((g) => {
    const p = lanegrad.zeros(g.shape, { requiresGrad: true });
    p.grad = tensorOf(g);
    return p;
  });
}

describe("clip", () => {
  const { records } = loadFixture("clip");
  ran.clip = 0;
  test.each(records.map((r, i) => [`${i} ${r.op} to ${r.maxNorm ?? r.clipValue}, p = ${r.normType}`, r]))(
    "%s",
    (_, r) => {
      ran.clip++;
      const parameters = parametersWith(r.grads);
      if (r.op === "clipGradNorm_") {
        const total = nn.utils.clipGradNorm_(parameters, r.maxNorm, { normType: decode(r.normType) });
        expect(isClose(total, decode(r.total), ACCUMULATING), `total norm ${total}, expected ${r.total}`).toBe(true);
      } else {
        nn.utils.clipGradValue_(parameters, r.clipValue);
      }
      r.clipped.forEach((grad: Recorded, i: number) => {
        expectTensor(parameters[i].grad as Tensor, { ...grad, data: elementsOf(grad) }, ELEMENTWISE, `gradient ${i}`);
      });
    },
  );
});

describe("sgd", () => {
  const [start, ...records] = loadFixture("sgd").records;
  ran.sgd = 1;
  test.each(records.map((r, i) => [`${i + 1} ${JSON.stringify(r.options)}`, r]))("%s", (_, r) => {
    ran.sgd++;
    const parameters = start.params.map((p: Recorded) => tensorOf(p, { requiresGrad: true })) as Tensor[];
    const optimizer = new optim.SGD(parameters, r.options);
    r.steps.forEach((after: Recorded[], step: number) => {
      parameters.forEach((p, i) => {
        p.grad = tensorOf(start.grads[step][i]);
      });
      optimizer.step();
      after.forEach((expected, i) => {
        const data = elementsOf(expected);
        expectTensor(parameters[i].detach(), { ...expected, data }, ELEMENTWISE, `step ${step}, parameter ${i}`);
      });
    });
    parameters.forEach((p, i) => {
      const expected: Recorded | null = r.momentumBuffers?.[i] ?? null;
      const found = optimizer.state.get(p)?.momentumBuffer as Tensor | undefined;
      expect(found === undefined, `momentum buffer of parameter ${i} absent`).toBe(expected === null);
      if (expected !== null) {
        expectTensor(found as Tensor, { ...expected, data: elementsOf(expected) }, ELEMENTWISE, `momentum ${i}`);
      }
    });
  });
});

test("every family is replayed, here or in the file named", () => {
  expect([...Object.keys(ran), ...Object.keys(ELSEWHERE)].sort()).toEqual(families());
  for (const file of Object.values(ELSEWHERE)) expect(existsSync(new URL(file, import.meta.url)), file).toBe(true);
});

test("every record ran", ({ task }) => {
  // `vitest -t` runs some tests only.
  if (task.file.tasks.some((t) => t.mode === "skip")) return;
  for (const [family, count] of Object.entries(ran)) {
    expect(count, `records of ${family} that ran`).toBe(loadFixture(family).records.length);
  }
});
