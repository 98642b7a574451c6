/** The doctor's reports: the page, the event file for TensorBoard (read back by a decoder of its own), JSON lines. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { F, manualSeed, nn, optim, randn } from "lanegrad";
import { type Doctor, watch } from "lanegrad/doctor";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { boundsOf, quantile, rebin } from "../src/doctor/histogram.js";
import { HistogramCounter } from "../src/doctor/histogram-counter.js";
import { History } from "../src/doctor/history.js";
import { ticks } from "../src/doctor/report/chart.js";
import { full } from "../src/ops/create.js";

let doctor: Doctor;
const losses: number[] = [];

beforeAll(() => {
  manualSeed(0);
  const layers: nn.Module[] = [];
  for (let i = 0; i < 10; i++) layers.push(new nn.Linear(12, 12), new nn.Sigmoid());
  const net = new nn.Sequential(...layers, new nn.Linear(12, 3));
  const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
  doctor = watch(net, opt, { title: 'deep & "dim" <net>' });
  for (let i = 1; i <= 140; i++) {
    const x = randn(32, 12);
    opt.zeroGrad();
    const loss = F.crossEntropy(net(x), x.narrow(1, 0, 3).argmax(1));
    loss.backward();
    opt.step();
    doctor.step(loss);
    losses.push(loss.item());
    if (i % 50 === 0) doctor.validate({ loss: 1.1, accuracy: 0.4 });
  }
});

afterAll(() => doctor.stop());

describe("toHTML", () => {
  test("is one page with verdict, findings, curves and distributions, and asks for nothing else", () => {
    const page = doctor.toHTML();
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain("deep &amp; &quot;dim&quot; &lt;net&gt;");
    expect(page).not.toContain("<net>");
    for (const part of [
      "vanishing-gradient",
      "First of all",
      "Gradient norm by layer",
      "Update ratio by layer",
      "Activations over time",
      "1 (sigmoid)",
      "prefers-color-scheme: dark",
      'class="pin"',
    ]) {
      expect(page).toContain(part);
    }
    expect(page).not.toMatch(/(src|href)=|url\(|@import|<script/);
    expect(page).not.toMatch(/NaN(?!\/Inf)|undefined|Infinity/);
    // Every element that is opened is closed.
    const open: string[] = [];
    for (const [, close, name, self] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (self === "/" || name === "meta") continue;
      if (close === "") open.push(name);
      else expect(open.pop()).toBe(name);
    }
    expect(open).toEqual([]);
  });

  test("can be made before the first step, of NaN, and of a single step", () => {
    const net = new nn.Linear(2, 1);
    const opt = new optim.SGD(net.parameters(), { lr: 0.1 });
    const early = watch(net, opt);
    expect(early.toHTML()).toContain("No step has been seen yet.");
    expect(early.report()).toContain("No step has been seen yet.");
    F.mseLoss(net(randn(4, 2)), randn(4, 1)).backward();
    opt.step();
    early.step(Number.NaN);
    for (const text of [early.toHTML(), early.report()]) expect(text).toContain("non-finite");
    early.step(1);
    expect(early.toHTML()).not.toMatch(/="[^"]*NaN/);
    expect(early.toEvents().length).toBeGreaterThan(100);
    early.stop();
  });
});

// A decoder that shares nothing with the encoder ------------------------------------------------------------------------

/** CRC-32C bit by bit. */
function crc(bytes: Uint8Array): number {
  let c = ~0;
  for (const byte of bytes) {
    c ^= byte;
    for (let i = 0; i < 8; i++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  }
  return ~c >>> 0;
}
const unmask = (masked: number): number => {
  const rotated = (masked - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
};

function records(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const list: Uint8Array[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(unmask(view.getUint32(at + 8, true))).toBe(crc(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(unmask(view.getUint32(at + 12 + length, true))).toBe(crc(data));
    list.push(data);
    at += 16 + length;
  }
  return list;
}

type Fields = Record<number, (number | Uint8Array)[]>;

function fields(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Fields = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  while (at < bytes.length) {
    const key = varint();
    let value: number | Uint8Array;
    if ((key & 7) === 0) value = varint();
    else {
      const length = { 1: 8, 5: 4 }[key & 7] ?? varint();
      if ((key & 7) === 1) value = view.getFloat64(at, true);
      else if ((key & 7) === 5) value = view.getFloat32(at, true);
      else value = bytes.subarray(at, at + length);
      at += length;
    }
    out[key >> 3] ??= [];
    out[key >> 3].push(value);
  }
  return out;
}
const text = (value: number | Uint8Array | undefined): string => new TextDecoder().decode(value as Uint8Array);
const doubles = (value: number | Uint8Array): number[] => [...new Float64Array((value as Uint8Array).slice().buffer)];

describe("toEvents", () => {
  test("frames records as TFRecord does", () => {
    // Of the standard: the CRC-32C of "123456789".
    expect(crc(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    const [header] = records(doctor.toEvents());
    expect(text(fields(header)[3][0])).toBe("brain.Event:2");
  });

  test("holds the scalars, histograms and findings by step", () => {
    const scalars = new Map<string, [number, number][]>();
    const histograms = new Map<string, Fields[]>();
    const texts = new Map<string, string>();
    let before = 0;
    for (const record of records(doctor.toEvents()).slice(1)) {
      const event = fields(record);
      expect(event[1][0]).toBeGreaterThan(1.6e9);
      const step = event[2][0] as number;
      expect(step).toBeGreaterThanOrEqual(before);
      before = step;
      for (const bytes of fields(event[5][0] as Uint8Array)[1]) {
        const value = fields(bytes as Uint8Array);
        const tag = text(value[1][0]);
        if (value[2] !== undefined) scalars.set(tag, [...(scalars.get(tag) ?? []), [step, value[2][0] as number]]);
        if (value[5] !== undefined)
          histograms.set(tag, [...(histograms.get(tag) ?? []), fields(value[5][0] as Uint8Array)]);
        if (value[8] !== undefined) {
          expect(text(fields(fields(value[9][0] as Uint8Array)[1][0] as Uint8Array)[1][0])).toBe("text");
          texts.set(tag, text(fields(value[8][0] as Uint8Array)[8][0]));
        }
      }
    }
    expect(scalars.get("loss/train")?.map(([, loss]) => loss)).toEqual(losses);
    expect(scalars.get("loss/validation")).toEqual([
      [50, Math.fround(1.1)],
      [100, Math.fround(1.1)],
    ]);
    expect(scalars.has("update_ratio/0.weight")).toBe(true);
    expect(texts.get("finding/vanishing-gradient")).toContain("BatchNorm");
    const [first] = histograms.get("activation/1 (sigmoid)") as Fields[];
    const limits = doubles(first[6][0]);
    const counts = doubles(first[7][0]);
    expect(limits).toHaveLength(counts.length);
    expect(limits.every((limit, i) => i === 0 || limit > limits[i - 1])).toBe(true);
    expect(counts.reduce((a, b) => a + b, 0)).toBe(first[3][0]);
    expect(first[3][0]).toBe(32 * 12);
    expect(first[1][0]).toBeGreaterThanOrEqual(0);
    expect(first[2][0]).toBeLessThanOrEqual(1);
  });

  test("save() puts it into a folder under a name that TensorBoard looks for", () => {
    const folder = mkdtempSync(join(tmpdir(), "lanegrad-events-"));
    const path = doctor.save(`${folder}/`);
    expect(readdirSync(folder)[0]).toMatch(/^events\.out\.tfevents\.\d+\.lanegrad$/);
    expect(readFileSync(path).equals(doctor.toEvents())).toBe(true);
    expect(readFileSync(doctor.save(join(folder, "report.html")), "utf8")).toContain("<!doctype html>");
    rmSync(folder, { recursive: true });
  });
});

test("JSON lines are one object each, of known types, and write NaN as text", () => {
  const lines = doctor
    .toJSONLines()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const count = (type: string) => lines.filter((line) => line.type === type).length;
  expect(lines[0]).toMatchObject({ type: "run", steps: 140 });
  expect([count("step"), count("validation")]).toEqual([140, 2]);
  expect(count("finding")).toBe(doctor.findings().length);
  expect(lines.find(({ type }) => type === "sample").activations[0].dead).toBe("NaN");
});

describe("histograms", () => {
  test("buckets follow one another without gaps", () => {
    for (let i = 1; i < 321; i++) expect(boundsOf(i)[0]).toBe(boundsOf(i - 1)[1]);
  });

  test("rebin keeps the count; quantile finds the bucket", () => {
    const counts = new Uint32Array(321);
    [counts[160], counts[100], counts[250], counts[320]] = [5, 7, 11, 3];
    for (const [low, high] of [
      [-1, 1],
      [0, 1e-3],
      [-1e5, 1e5],
    ]) {
      const total = rebin(counts, low, high, 10).reduce((a, b) => a + b, 0);
      expect(total).toBeCloseTo(26, 6);
    }
    const [low, high] = boundsOf(250);
    expect(quantile(counts, 0.6)).toBe((low + high) / 2);
    expect(quantile(new Uint32Array(321), 0.5)).toBeNaN();
  });

  test("of a long training are few, evenly spaced and reach back to its beginning", () => {
    const history = new History();
    const counter = new HistogramCounter(history);
    for (let step = 1; step <= 1000; step++) {
      counter.count("activation/a", full([100], step));
      // More tensors than places were set aside for.
      for (let i = 0; i < 40; i++) counter.count(`weight/${i}`, full([3], i));
      // What runs again in a step replaces what it gave before.
      counter.count("weight/7", full([3], -1));
      counter.end(step);
    }
    counter.release();
    for (const [name, value] of [
      ["activation/a", null],
      ["weight/7", -1],
      ["weight/39", 39],
    ] as const) {
      const list = history.histograms.get(name) ?? [];
      expect(list.length).toBeGreaterThan(25);
      expect(list.length).toBeLessThanOrEqual(60);
      expect(list[0].step).toBe(1);
      const gaps = new Set(list.slice(1).map(({ step }, i) => step - list[i].step));
      expect(gaps.size).toBe(1);
      for (const { step, counts } of list) {
        const [low, high] = boundsOf(counts.indexOf(Math.max(...counts)));
        expect(counts.reduce((a, b) => a + b)).toBe(name === "activation/a" ? 100 : 3);
        // The lower bound belongs to a bucket above 0, the upper one to a bucket below.
        expect((value ?? step) >= low && (value ?? step) <= high).toBe(true);
      }
    }
  });
});

test("ticks are round and lie within", () => {
  expect(ticks(0, 10, 5)).toEqual([0, 2, 4, 6, 8, 10]);
  expect(ticks(0.13, 0.47, 4)).toEqual([0.2, 0.3, 0.4]);
  expect(ticks(1, 1, 4)).toEqual([1]);
});
