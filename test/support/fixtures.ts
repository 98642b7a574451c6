/** Reading test/parity/fixtures/*.json (test/parity/README.md says what is in them). */
import { readdirSync, readFileSync } from "node:fs";
import { type DType, type Tensor, tensor } from "../../src/index.js";

/** A tensor as PyTorch had it. */
export interface Recorded {
  shape: number[];
  dtype: DType;
  data: (number | string)[];
}

export interface OpRecord {
  op: string;
  target: "method" | "property" | "function" | "F";
  inputs: Recorded[];
  args?: unknown[];
  options?: Record<string, unknown>;
  seed?: number;
  note?: string;
  outputs: Recorded[];
  gradOutputs?: (Recorded | null)[];
  grads?: (Recorded | null)[];
}

export interface Fixture<R = any> {
  family: string;
  torch: string;
  exact?: boolean;
  records: R[];
}

const folder = new URL("../parity/fixtures/", import.meta.url);

/** All families there are files of. */
export const families = (): string[] =>
  readdirSync(folder)
    .map((name) => name.replace(/\.json$/, ""))
    .sort();

export const loadFixture = <R = any>(family: string): Fixture<R> =>
  JSON.parse(readFileSync(new URL(`${family}.json`, folder), "utf8"));

/** "NaN", "Infinity" and "-Infinity" as the numbers they stand for, "$i" as tensors[i], however deep. */
export function decode(value: unknown, tensors: readonly Tensor[] = []): any {
  if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
  if (typeof value === "string" && /^\$\d+$/.test(value)) return tensors[Number(value.slice(1))];
  if (Array.isArray(value)) return value.map((item) => decode(item, tensors));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, decode(item, tensors)]));
}

/** The recorded elements, as the dtype holds them. */
export function elementsOf({ data, dtype }: Recorded): number[] {
  return data.map((v) => (dtype === "float32" ? Math.fround(Number(v)) : Number(v)));
}

export function tensorOf(recorded: Recorded, options: { requiresGrad?: boolean } = {}): Tensor {
  const { shape, dtype } = recorded;
  return tensor(elementsOf(recorded), { shape, dtype, ...options });
}
