/**
 * Every op of cases.ts: values against the float64 reference, gradients against central differences of that reference, any
 * strides, any sizes, and no memory left behind.
 */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { autograd, type DType, memory, noGrad, scope, type Tensor, tensor } from "../src/index.js";
import { cases, kinks } from "./cases.js";
import { draw, type Input, type OpCase, outputsOf, randomSource, toTensor } from "./support/case.js";
import { EXACT, expectClose, expectTensor } from "./support/compare.js";
import { broadcastShape, build, expand, type Nd, nd, reversed, sizeOf } from "./support/nd.js";
import { GATHERED, HELPERS, type InPlaceName, MAKERS, type OpName, ops, REEXPORTED } from "./support/ops.js";

/** A test that leaves no tensor behind. */
const scoped =
  <A extends unknown[]>(fn: (...args: A) => void) =>
  (...args: A) =>
    scope(() => fn(...args));

const listOf = (result: Nd | readonly Nd[]): readonly Nd[] => (Array.isArray(result) ? result : [result as Nd]);
const rounded = (x: Nd, dtype: DType): Float64Array => (dtype === "float32" ? x.data.map(Math.fround) : x.data);

/** Upstream gradients, one for each output: not symmetric in any way, at most 1.5. */
const weightsOf = (outputs: readonly Nd[]): Nd[] => {
  let i = 0;
  return outputs.map((out) => build(out.shape, () => Math.fround(((i++ * 0.618034) % 1) + 0.5)));
};

/** The tensors of a case, those that gradients are checked for requiring them. */
function tensorsOf(c: OpCase, values: readonly Nd[]): Tensor[] {
  return c.inputs.map((input, i) => toTensor(values[i], input.dtype, isChecked(c, input)));
}
const isChecked = (c: OpCase, input: Input): boolean =>
  c.gradients !== false && input.dtype === "float32" && input.constant !== true;

/** The gradients of Σ outputs·weights. */
function gradientsOf(c: OpCase, outputs: readonly Tensor[], inputs: readonly Tensor[], weights: readonly Nd[]) {
  const roots = outputs.flatMap((out, i) => (out.requiresGrad ? [{ out, w: toTensor(weights[i], "float32") }] : []));
  const leaves = inputs.filter((_, i) => isChecked(c, c.inputs[i]));
  return autograd.grad(
    roots.map(({ out }) => out),
    leaves,
    { gradOutputs: roots.map(({ w }) => w), allowUnused: true },
  );
}

/** Central differences of Σ reference·weights, with a step of 1e-5: wrong by 1e-10 of the third derivative. */
function differences(c: OpCase, values: readonly Nd[], which: number, weights: readonly Nd[]): Float64Array {
  const total = (): number => {
    const outputs = listOf(c.reference(...values));
    let sum = 0;
    // Whole numbers (indices) carry no gradient.
    outputs.slice(0, c.dtype === "float32" && isPair(c, values) ? 1 : undefined).forEach((out, i) => {
      out.data.forEach((v, j) => {
        sum += v * weights[i].data[j];
      });
    });
    return sum;
  };
  const x = values[which].data;
  return x.map((v, j) => {
    const h = 1e-5 * Math.max(1, Math.abs(v));
    x[j] = v + h;
    const above = total();
    x[j] = v - h;
    const below = total();
    x[j] = v;
    return (above - below) / (2 * h);
  });
}
const isPair = (c: OpCase, values: readonly Nd[]): boolean => {
  const result = noGrad(() => c.call(...tensorsOf(c, values)));
  return "indices" in result;
};

function checkValue(c: OpCase, values: readonly Nd[], what: string): void {
  const outputs = noGrad(() => outputsOf(c.call(...tensorsOf(c, values))));
  const expected = listOf(c.reference(...values));
  expect(outputs.length, `${what}: number of results`).toBe(expected.length);
  expected.forEach((out, i) => {
    const dtype = i === 0 ? c.dtype : outputs[i].dtype;
    expectTensor(
      outputs[i],
      { shape: out.shape, dtype, data: rounded(out, dtype) },
      c.tolerance,
      `${what}, result ${i}`,
    );
  });
}

function checkGradients(c: OpCase, values: readonly Nd[], what: string): void {
  if (c.gradients === false) return;
  const { gradients } = c;
  const inputs = tensorsOf(c, values);
  const outputs = outputsOf(c.call(...inputs));
  const weights = weightsOf(listOf(c.reference(...values)));
  const found = gradientsOf(c, outputs, inputs, weights);
  const checked = inputs.flatMap((_, i) => (isChecked(c, c.inputs[i]) ? [i] : []));
  checked.forEach((which, i) => {
    const expected = differences(c, values, which, weights);
    const grad = found[i]?.toTypedArray() ?? new Float32Array(expected.length);
    // The differences' own rounding: 2⁻⁵² of a sum of up to 100, over a step of 1e-5.
    expectClose(grad, expected, { ...gradients, atol: gradients.atol + 1e-8 }, `${what}, gradient of input ${which}`);
  });
}

/** Gradients of one input alone are those it has beside others: nothing was saved or skipped wrongly. */
function checkEachAlone(c: OpCase, values: readonly Nd[], what: string): void {
  const checked = c.inputs.flatMap((input, i) => (isChecked(c, input) ? [i] : []));
  if (checked.length < 2) return;
  const weights = weightsOf(listOf(c.reference(...values)));
  const inputs = tensorsOf(c, values);
  const together = gradientsOf(c, outputsOf(c.call(...inputs)), inputs, weights);
  checked.forEach((which, i) => {
    const alone: OpCase = { ...c, inputs: c.inputs.map((x, j) => (j === which ? x : { ...x, constant: true })) };
    const tensors = tensorsOf(alone, values);
    const [found] = gradientsOf(alone, outputsOf(alone.call(...tensors)), tensors, weights);
    const expected = together[i]?.toTypedArray() ?? [];
    expectClose(found?.toTypedArray() ?? [], expected, EXACT, `${what}, gradient of input ${which} alone`);
  });
}

/** One tensor as both operands: the gradients of the two places are added. */
function checkTwice(c: OpCase, values: readonly Nd[], what: string): void {
  if (c.gradients === false) return;
  const [a, b] = [values[0], nd(values[0].shape, values[0].data)];
  const weights = weightsOf(listOf(c.reference(a, b)));
  const x = toTensor(a, "float32", true);
  const [found] = autograd.grad(outputsOf(c.call(x, x)), x, { gradOutputs: toTensor(weights[0], "float32") });
  const separate = [a, b].map((v) => toTensor(v, "float32", true));
  const parts = gradientsOf(c, outputsOf(c.call(...separate)), separate, weights);
  const expected = (parts[0] as Tensor).add(parts[1] as Tensor).toTypedArray();
  expectClose((found as Tensor).toTypedArray(), expected, EXACT, `${what}, one tensor twice`);
}

/** The same values in other memory: dims in reverse order, or every second element of a larger tensor. */
const LAYOUTS: Record<string, (x: Nd, dtype: DType) => Tensor> = {
  transposed: (x, dtype) => {
    const turned = toTensor(reversed(x), dtype);
    return turned.permute(x.shape.map((_, d) => x.shape.length - 1 - d));
  },
  sliced: (x, dtype) => {
    const larger = build(
      x.shape.map((size) => 2 * size + 2),
      (c) => (c.every((i) => i % 2 === 1 && i > 0) && c.every((i, d) => i < 2 * x.shape[d]) ? 1 : 0),
    );
    let next = 0;
    const filled = nd(
      larger.shape,
      larger.data.map((v) => (v === 1 ? x.data[next++] : dtype === "float32" ? 99 : 1)),
    );
    return x.shape.reduce<Tensor>(
      (t, size, d) => {
        const rows = Array.from({ length: x.shape.length }, (_, e) => (e === d ? `1:${2 * size + 1}:2` : ":"));
        return t.at(...rows);
      },
      toTensor(filled, dtype),
    );
  },
};

function checkLayout(c: OpCase, tensors: readonly Tensor[], plain: readonly Tensor[], what: string): void {
  const found = noGrad(() => outputsOf(c.call(...tensors)));
  const expected = noGrad(() => outputsOf(c.call(...plain)));
  expected.forEach((out, i) => {
    expectClose(found[i].toTypedArray(), out.toTypedArray(), c.strided ? c.tolerance : EXACT, `${what}, result ${i}`);
  });
}

/** Sizes around the lanes of a vector (4) and the runs that kernels unroll (16, 64). */
const SIZES = [0, 1, 3, 4, 5, 15, 16, 17, 63, 64, 65];
const PAIRS = [
  [[2, 3], [3]],
  [
    [3, 1],
    [1, 4],
  ],
  [[], [2, 3]],
  [[5], [1]],
  [
    [4, 1, 3],
    [2, 1],
  ],
  [
    [2, 3, 17],
    [3, 1],
  ],
  [[0, 3], [3]],
  [
    [1, 0],
    [4, 1],
  ],
  [[], []],
] as const;

describe.each(Object.entries(cases) as [OpName, OpCase[]][])("%s", (name, rows) => {
  test.each(rows.map((c, i) => [c.note ?? `row ${i}`, c, i] as const))(
    "%s",
    scoped((_, c, index) => {
      const random = randomSource(1000 + index);
      const values = c.inputs.map((input) => draw(input, random));
      checkValue(c, values, name);
      checkGradients(c, values, name);
      checkEachAlone(c, values, name);

      // Any strides give the same as contiguous copies.
      const plain = values.map((x, i) => toTensor(x, c.inputs[i].dtype));
      for (const [layout, make] of Object.entries(LAYOUTS)) {
        checkLayout(
          c,
          values.map((x, i) => make(x, c.inputs[i].dtype)),
          plain,
          layout,
        );
      }
      values.forEach((x, i) => {
        if (x.shape.length === 0 || x.shape[0] < 2) return;
        const row = nd([1, ...x.shape.slice(1)], x.data.slice(0, sizeOf(x.shape) / x.shape[0]));
        const wide = toTensor(row, c.inputs[i].dtype).expand(x.shape as number[]);
        const copies = plain.with(i, toTensor(expand(row, x.shape), c.inputs[i].dtype));
        checkLayout(c, plain.with(i, wide), copies, `expanded input ${i}`);
      });
    }),
  );

  const swept = rows.filter((c) => c.elementwise);
  if (swept.length > 0) {
    test(
      "sizes, broadcasts and special values",
      scoped(() => {
        const random = randomSource(7);
        for (const c of swept) {
          const at = (shapes: readonly (readonly number[])[]) =>
            c.inputs.map((x, i) => draw({ ...x, shape: shapes[i] }, random));
          for (const n of SIZES) {
            const values = at(c.inputs.map(() => [n]));
            checkValue(c, values, `${n} elements`);
            if (n === 5 || n === 17) checkGradients(c, values, `${n} elements`);
          }
          const special = c.elementwise?.special ?? [];
          const list = nd([special.length], special.map(Math.fround));
          if (c.inputs.length === 1) {
            checkValue(c, [list], "special values");
            continue;
          }
          checkValue(c, [nd([special.length, 1], list.data), list], "special values");
          checkTwice(c, at(c.inputs.map(() => [3, 5])), name);
          for (const [a, b] of PAIRS) {
            for (const shapes of [
              [a, b],
              [b, a],
            ]) {
              const values = at(shapes);
              const what = `[${shapes[0]}] and [${shapes[1]}]`;
              checkValue(c, values, what);
              const plain = values.map((x) => toTensor(x, "float32"));
              for (const [layout, make] of Object.entries(LAYOUTS)) {
                checkLayout(c, [make(values[0], "float32"), plain[1]], plain, `${what}, the first ${layout}`);
                checkLayout(c, [plain[0], make(values[1], "float32")], plain, `${what}, the second ${layout}`);
              }
              if (sizeOf(broadcastShape(a, b)) < 30) checkGradients(c, values, what);
            }
          }
        }
      }),
    );
  }

  const lines = rows.filter((c) => c.lines);
  if (lines.length > 0) {
    test(
      "lines of any length",
      scoped(() => {
        const random = randomSource(8);
        for (const c of lines) {
          const { shape } = c.inputs[0];
          for (const n of SIZES) {
            for (const sizes of [shape.with(-1, n), shape.with(0, n)]) {
              // What the extreme of nothing would be is an error; it is tested elsewhere.
              if (n === 0 && !isDefinedOfNothing(name)) continue;
              const values = c.inputs.map((input) => draw({ ...input, shape: sizes }, random));
              checkValue(c, values, `[${sizes}]`);
              if (n === 5) checkGradients(c, values, `[${sizes}]`);
            }
          }
        }
      }),
    );
  }

  test(
    "gives all memory back at the end of a scope",
    scoped(() => {
      for (const [index, c] of rows.entries()) {
        const values = c.inputs.map((input) => draw(input, randomSource(index)));
        const inputs = tensorsOf(c, values);
        const weights = weightsOf(listOf(c.reference(...values)));
        const run = () =>
          scope(() => {
            noGrad(() => c.call(...inputs));
            const outputs = outputsOf(c.call(...inputs));
            if (outputs.some((out) => out.requiresGrad)) gradientsOf(c, outputs, inputs, weights);
          });
        // The first time workspaces may come to be, which stay.
        run();
        const before = memory();
        run();
        const after = memory();
        expect(after.liveTensors, `tensors alive after ${name}, row ${index}`).toBe(before.liveTensors);
        expect(after.liveBytes, `bytes alive after ${name}, row ${index}`).toBe(before.liveBytes);
      }
    }),
  );
});

/** Extremes of nothing are errors. */
const isDefinedOfNothing = (name: string): boolean =>
  !["amax", "amin", "max", "min", "argmax", "argmin", "mean", "var", "std"].includes(name);

describe("kinks", () => {
  test.each(kinks.map((kink) => [kink.op, kink] as const))("%s", (_, { call, inputs, grads }) => {
    const tensors = inputs.map((values) => tensor(values, { requiresGrad: true }));
    call(...tensors)
      .sum()
      .backward();
    tensors.forEach((t, i) => {
      expectClose((t.grad as Tensor).toTypedArray(), grads[i], EXACT, `gradient of input ${i}`);
    });
  });
});

describe("in place", () => {
  const random = randomSource(3);
  const data = draw({ shape: [3, 4], dtype: "float32", low: -2, high: 2 }, random);
  const other = draw({ shape: [4], dtype: "float32", low: 0.5, high: 2 }, random);
  const mask = tensor([true, false, true, false]);
  type Write = [(x: Tensor, y: Tensor) => unknown, (x: Tensor, y: Tensor) => Tensor];
  /** Each writes what the function without the underscore gives; those that draw or place elements, what is said here. */
  const writes: { [N in InPlaceName]: Write | null } = {
    add_: [(x, y) => ops.add_(x, y, { alpha: 2 }), (x, y) => x.add(y, { alpha: 2 })],
    sub_: [(x, y) => ops.sub_(x, y), (x, y) => x.sub(y)],
    mul_: [(x, y) => ops.mul_(x, y), (x, y) => x.mul(y)],
    div_: [(x, y) => ops.div_(x, y), (x, y) => x.div(y)],
    clamp_: [(x) => ops.clamp_(x, { min: -1, max: 0.5 }), (x) => x.clamp({ min: -1, max: 0.5 })],
    zero_: [(x) => ops.zero_(x), (x) => x.mul(0)],
    fill_: [(x) => ops.fill_(x, 2.5), (x) => x.mul(0).add(2.5)],
    copy_: [(x, y) => ops.copy_(x, y), (x, y) => y.expand(x.shape)],
    maskedFill_: [(x) => ops.maskedFill_(x, mask, 9), (x) => x.maskedFill(mask, 9)],
    indexPut_: [
      (x, y) => ops.indexPut_(x, [[0, 2]], y),
      (x, y) =>
        tensor([true, false, true])
          .unsqueeze(1)
          .expand([3, 4])
          .logicalNot()
          .int()
          .mul(x)
          .add(tensor([1, 0, 1]).unsqueeze(1).mul(y)),
    ],
    scatter_: [
      (x, y) => ops.scatter_(x, 0, [[1, 1, 1, 1]], y.unsqueeze(0)),
      (x, y) =>
        tensor([1, 0, 1])
          .unsqueeze(1)
          .mul(x)
          .add(tensor([0, 1, 0]).unsqueeze(1).mul(y)),
    ],
    scatterAdd_: [
      (x, y) => ops.scatterAdd_(x, 0, [[1, 1, 1, 1]], y.unsqueeze(0)),
      (x, y) => x.add(tensor([0, 1, 0]).unsqueeze(1).mul(y)),
    ],
    indexAdd_: [
      (x, y) => ops.indexAdd_(x, 0, [1], y.unsqueeze(0)),
      (x, y) => x.add(tensor([0, 1, 0]).unsqueeze(1).mul(y)),
    ],
    // Draws: test/parity/fixtures/random.json and test/create.test.ts.
    uniform_: null,
    normal_: null,
  };

  test.each(Object.entries(writes).flatMap(([name, w]) => (w ? [[name, w] as const] : [])))(
    "%s",
    (_, [write, expected]) => {
      const y = toTensor(other, "float32");
      const wanted = expected(toTensor(data, "float32"), y).toTypedArray();
      for (const make of [
        (x: Nd) => toTensor(x, "float32"),
        (x: Nd) => LAYOUTS.transposed(x, "float32"),
        (x: Nd) => LAYOUTS.sliced(x, "float32"),
      ]) {
        const x = make(data);
        expect(write(x, y)).toBe(x);
        expectClose(x.toTypedArray(), wanted, EXACT, "elements");
      }
      const leaf = toTensor(data, "float32", true);
      expect(() => write(leaf, y)).toThrow(/in place/);
      noGrad(() => write(leaf, y));
    },
  );
});

describe("what is refused", () => {
  const ints = tensor([7, -7], { dtype: "int32" });
  test.each<[string, () => unknown, RegExp]>([
    [
      "remainder of integers by 0",
      () => ints.remainder(tensor([2, 0], { dtype: "int32" })),
      /^remainder: integer division/,
    ],
    ["remainder of integers by the number 0", () => ints.remainder(0), /^remainder: integer division/],
    [
      "a whole quotient of integers by 0",
      () => ints.div(tensor([2, 0], { dtype: "int32" }), { roundingMode: "floor" }),
      /^div: integer/,
    ],
    ["an unknown roundingMode", () => ints.div(2, { roundingMode: "up" as "floor" }), /^div: roundingMode .* "up"/],
    ["integers to a negative power", () => ints.pow(-1), /^pow: int32 .* -1/],
    ["clamp by a tensor", () => ints.clamp({ min: ints as unknown as number }), /^clamp: min must be a number/],
    ["clamp by nothing", () => ints.clamp({}), /^clamp: give min/],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(message);
  });
});

test("every file of src/ops is gathered, re-exported, or known to hold helpers", () => {
  const files = readdirSync(new URL("../src/ops/", import.meta.url)).map((file) => file.replace(/\.ts$/, ""));
  expect(files.sort()).toEqual([...GATHERED, ...REEXPORTED, ...HELPERS, ...MAKERS].sort());
});
