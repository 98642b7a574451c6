/** Transforms on one image and on batches, against torchvision's arithmetic, and their errors. */
import { describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, ShapeError } from "../src/errors.js";
import { tensor } from "../src/ops/tensor.js";
import { permute } from "../src/ops/view.js";
import type { Tensor } from "../src/tensor.js";
import { Compose, Lambda, Normalize, ToTensor } from "../src/transforms/index.js";

const fround = Math.fround;
/** uint8 [n…] with all byte values in turn. */
const bytes = (...shape: number[]): Tensor =>
  tensor(
    Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => (i * 37) % 256),
    { shape },
  );
const over255 = (x: Tensor) => Array.from(x.toTypedArray(), (v) => fround(v / 255));
const flat = (x: Tensor) => Array.from(x.toTypedArray());

describe("ToTensor", () => {
  test.each([[[1, 28, 28]], [[3, 5, 7]], [[4, 3, 5, 7]], [[2, 0, 3]]])("uint8 %j becomes x/255", (shape) => {
    const x = bytes(...shape);
    const out = new ToTensor()(x);
    expect([out.dtype, out.shape]).toEqual(["float32", shape]);
    expect(flat(out)).toEqual(over255(x));
    expect(flat(new ToTensor().forward(x))).toEqual(flat(out));
  });

  test("grey images get their channel, strided ones are read in order", () => {
    expect(new ToTensor()(bytes(4, 5)).shape).toEqual([1, 4, 5]);
    const interleaved = bytes(4, 5, 3);
    const out = new ToTensor()(permute(interleaved, 2, 0, 1));
    expect(out.shape).toEqual([3, 4, 5]);
    expect(fround(interleaved.toArray()[2][3][1] / 255)).toBe(out.toArray()[1][2][3]);
  });

  test("float32 passes as it is", () => {
    const x = tensor([[[200, -1]]]);
    expect(new ToTensor()(x)).toBe(x);
    expect(new ToTensor()(tensor([[2]])).shape).toEqual([1, 1, 1]);
  });

  test("errors", () => {
    expect(() => new ToTensor()(tensor(Int32Array.of(1), { shape: [1, 1, 1] }))).toThrow(DTypeError);
    expect(() => new ToTensor()(tensor(Int32Array.of(1), { shape: [1, 1, 1] }))).toThrow(
      /image is int32: expected uint8/,
    );
    expect(() => new ToTensor()(bytes(5))).toThrow(ShapeError);
    expect(() => new ToTensor()(bytes(1, 1, 1, 1, 5))).toThrow(
      /shape \[1, 1, 1, 1, 5\]: expected \[channels, height, width\]/,
    );
    expect(() => new ToTensor()([[1]] as any)).toThrow(/image must be a Tensor, found Array; wrap pixels/);
  });
});

describe("Normalize", () => {
  const float = (...shape: number[]) => {
    const x = new ToTensor()(
      bytes(
        1,
        1,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
    return tensor(x, { shape });
  };
  const reference = (x: Tensor, mean: number[], std: number[]) => {
    const pixels = x.size(-1) * x.size(-2);
    return flat(x).map((v, i) => {
      const c = Math.floor(i / pixels) % mean.length;
      return fround(fround(v - fround(mean[c])) / fround(std[c]));
    });
  };

  test.each([[[3, 5, 7]], [[2, 3, 4, 4]], [[2, 2, 3, 1, 9]]])("%j, per channel", (shape) => {
    const [mean, std] = [
      [0.485, 0.456, 0.406],
      [0.229, 0.224, -0.225],
    ];
    const x = float(...shape);
    const before = flat(x);
    const out = new Normalize(mean, std)(x);
    expect([out.dtype, out.shape]).toEqual(["float32", shape]);
    expect(flat(out)).toEqual(reference(x, mean, std));
    expect(flat(x)).toEqual(before);
  });

  test("one value for all channels, a number or a list", () => {
    const x = float(3, 4, 5);
    const expected = reference(x, [0.5, 0.5, 0.5], [0.1, 0.2, 0.3]);
    expect(flat(new Normalize(0.5, [0.1, 0.2, 0.3])(x))).toEqual(expected);
    expect(flat(new Normalize([0.5], [0.1, 0.2, 0.3])(x))).toEqual(expected);
  });

  test("is differentiable", () => {
    const x = tensor([[[1]], [[2]]], { requiresGrad: true });
    const out = new Normalize([1, 1], [2, 4])(x);
    expect(out.toArray()).toEqual([[[0]], [[0.25]]]);
    out.backward(tensor([[[1]], [[1]]]));
    expect(x.grad?.toArray()).toEqual([[[0.5]], [[0.25]]]);
    expect(() => new Normalize([1, 1, 1], 1)(x)).toThrow(ShapeError);
  });

  test("errors", () => {
    for (const std of [0, [1, 0], [1e-60, 1]]) {
      expect(() => new Normalize(0, std)).toThrow(ArgumentError);
      expect(() => new Normalize(0, std)).toThrow(/Normalize: std\[[01]\] evaluated to 0 .* division by zero/);
    }
    expect(() => new Normalize([0, Number.NaN], 1)).toThrow(/mean\[1\] must be a finite number, found NaN/);
    expect(() => new Normalize([], 1)).toThrow(ArgumentError);
    expect(() => new Normalize("0.5" as any, 1)).toThrow(ArgumentError);
    expect(() => new Normalize(0, 1)(bytes(1, 2, 2))).toThrow(DTypeError);
    expect(() => new Normalize(0, 1)(bytes(1, 2, 2))).toThrow(
      /image is uint8, expected float32: put ToTensor\(\) first/,
    );
    expect(() => new Normalize([1, 2, 3], 1)(float(1, 2, 2))).toThrow(/the image has 1 channel, mean has 3 values/);
    expect(() => new Normalize(1, [1, 2])(float(3, 2, 2))).toThrow(/the image has 3 channels, std has 2 values/);
    expect(() => new Normalize(0, 1)(tensor([[1, 2]]))).toThrow(/shape \[1, 2\]: expected \[channels, height, width\]/);
  });
});

describe("Compose and Lambda", () => {
  test("run in order, functions among them", () => {
    const transform = new Compose([new ToTensor(), (x: Tensor) => [x.shape], new Lambda((x: any) => ({ x }))]);
    expect(transform(bytes(1, 2, 3))).toEqual({ x: [[1, 2, 3]] });
    expect(transform.forward(bytes(1, 2, 3))).toEqual({ x: [[1, 2, 3]] });
    const x = bytes(2, 2, 2);
    expect(new Compose([])(x)).toBe(x);
  });

  test("print as torchvision's", () => {
    expect(String(new Compose([new ToTensor(), new Normalize([0.1307], [0.3081])]))).toBe(
      "Compose(\n    ToTensor()\n    Normalize(mean=[0.1307], std=[0.3081])\n)",
    );
  });

  test("errors", () => {
    expect(() => new Compose([new ToTensor(), 3 as any])).toThrow(
      /transforms\[1\] must be a transform or a function, found 3/,
    );
    expect(() => new Compose([ToTensor as any])).toThrow(/found the class ToTensor \(write new ToTensor\(…\)\)/);
    expect(() => new Compose(new ToTensor() as any)).toThrow(ArgumentError);
    expect(() => new Lambda(3 as any)).toThrow(/Lambda: fn must be a function, found number/);
  });
});
