/** save and load: the safetensors format, nested values, and bytes that are not what they claim to be. (On a disk: serialize-files.test.ts.) */
import fc from "fast-check";
import {
  ArgumentError,
  DataError,
  load,
  loadMetadata,
  manualSeed,
  nn,
  optim,
  save,
  type Tensor,
  tensor,
  zeros,
} from "lanegrad";
import { describe, expect, test } from "vitest";

/** A file from a header and data, written by hand. */
function file(header: unknown, data: Uint8Array | number[] = []): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

function headerOf(bytes: Uint8Array): any {
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  return JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
}

describe("the format", () => {
  test("a state dict becomes a plain safetensors file: header, then little-endian elements", () => {
    const bytes = save({ mask: tensor([true, false, true]), w: tensor([[1, -2]]), n: tensor([7], { dtype: "int32" }) });
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(headerOf(bytes)).toEqual({
      w: { dtype: "F32", shape: [1, 2], data_offsets: [0, 8] },
      n: { dtype: "I32", shape: [1], data_offsets: [8, 12] },
      mask: { dtype: "BOOL", shape: [3], data_offsets: [12, 15] },
    });
    expect([...bytes.subarray(8 + length)]).toEqual([0, 0, 128, 63, 0, 0, 0, 192, 7, 0, 0, 0, 1, 0, 1]);
  });

  test("reads what Python writes: other dtypes, metadata, any order of entries", () => {
    const data = new DataView(new ArrayBuffer(40));
    data.setFloat64(0, 0.1, true);
    data.setBigInt64(8, -5n, true);
    data.setUint16(16, 0x3c01, true); // float16 1.0009765625
    data.setUint16(18, 0x8001, true); // float16 −2⁻²⁴
    data.setUint16(20, 0xfc00, true); // float16 −∞
    data.setUint16(22, 0x3f80, true); // bfloat16 1
    data.setInt16(24, -300, true);
    data.setInt8(26, -1);
    data.setUint8(27, 200);
    data.setUint32(28, 5, true);
    data.setBigUint64(32, 9n, true);
    const at = (dtype: string, shape: number[], begin: number, end: number) => ({
      dtype,
      shape,
      data_offsets: [begin, end],
    });
    const bytes = file(
      {
        u64: at("U64", [], 32, 40),
        __metadata__: { format: "pt" },
        f64: at("F64", [1], 0, 8),
        i64: at("I64", [], 8, 16),
        f16: at("F16", [3], 16, 22),
        bf16: at("BF16", [1, 1], 22, 24),
        i16: at("I16", [1], 24, 26),
        i8: at("I8", [1], 26, 27),
        u8: at("U8", [1], 27, 28),
        u32: at("U32", [1], 28, 32),
        none: at("F32", [0, 3], 40, 40),
      },
      new Uint8Array(data.buffer),
    );
    const found = load(bytes);
    expect(found.f64.item()).toBe(Math.fround(0.1));
    expect([found.i64.item(), found.i64.dtype, found.i64.shape]).toEqual([-5, "int32", []]);
    expect(found.f16.toArray()).toEqual([1.0009765625, -(2 ** -24), Number.NEGATIVE_INFINITY]);
    expect(found.bf16.toArray()).toEqual([[1]]);
    expect([found.i16.item(), found.i8.item(), found.u8.item(), found.u32.item(), found.u64.item()]).toEqual([
      -300, -1, 200, 5, 9,
    ]);
    expect([found.u8.dtype, found.none.shape]).toEqual(["uint8", [0, 3]]);
    expect(loadMetadata(bytes)).toEqual({ format: "pt" });
  });

  test("keeps every bit of every dtype, of views too", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 64 }), fc.string(), (raw, name) => {
        fc.pre(name !== "__metadata__");
        const bits = new Uint32Array(raw.slice(0, raw.length & ~3).buffer);
        const floats = tensor(new Float32Array(bits.buffer));
        const found = load(save(Object.fromEntries([[name, floats]])))[name] as Tensor;
        expect(new Uint32Array((found.toTypedArray() as Float32Array).buffer)).toEqual(bits);
      }),
    );
    const m = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const { t, s } = load(save({ t: m.T, s: m.at(":", "::2") }));
    expect([t.toArray(), s.toArray()]).toEqual([
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
      [
        [1, 3],
        [4, 6],
      ],
    ]);
  });

  test("nets: what is saved is what is loaded, tied weights and buffers included", () => {
    manualSeed(0);
    const make = () => new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Linear(4, 2));
    const [a, b] = [make(), make()];
    a(zeros(2, 3).add(1)).sum().backward();
    expect(save(a.stateDict())).not.toEqual(save(b.stateDict()));
    b.loadStateDict(load(save(a.stateDict())));
    expect(save(b.stateDict())).toEqual(save(a.stateDict()));
  });
});

describe("nested values", () => {
  test("come back as they were", () => {
    const value = {
      epoch: 3,
      odd: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, 1e-320, null, undefined, true, ""],
      $tensor: "no tensor",
      inner: { $object: 1 },
      rng: new Uint8Array([1, 2, 255]),
      empty: {},
      "a.b": tensor([1]),
      a: { b: tensor([2], { dtype: "int32" }) },
    };
    const found = load(save(value));
    const plain = ({ "a.b": x, a, ...rest }: any) => ({ ...rest, x: x.toArray(), y: a.b.toArray() });
    expect(plain(found)).toEqual(plain(value));
    expect(Object.is(found.odd[3], -0)).toBe(true);
    expect(Object.keys(found)).toEqual(Object.keys(value));
    expect(load(save(tensor([[5]]))).toArray()).toEqual([[5]]);
    expect(load(save([1, "x"]))).toEqual([1, "x"]);
    const polluted = load(save(JSON.parse('{"__proto__": {"polluted": 1}, "n": 1}')));
    expect(Object.keys(polluted)).toEqual(["__proto__", "n"]);
    expect(({} as any).polluted).toBeUndefined();
  });

  test("tensors are named by their path, for Python to find", () => {
    const net = new nn.Linear(2, 1);
    const optimizer = new optim.Adam(net.parameters());
    net(zeros(1, 2)).sum().backward();
    optimizer.step();
    const bytes = save({ net: net.stateDict(), optimizer: optimizer.stateDict() });
    expect(Object.keys(headerOf(bytes)).sort()).toEqual([
      "__metadata__",
      "net.bias",
      "net.weight",
      "optimizer.state.0.expAvg",
      "optimizer.state.0.expAvgSq",
      "optimizer.state.1.expAvg",
      "optimizer.state.1.expAvgSq",
    ]);
    const other = new optim.Adam(net.parameters());
    other.loadStateDict(load(bytes).optimizer);
    expect(save(other.stateDict())).toEqual(save(optimizer.stateDict()));
  });

  test("refuse what cannot be saved, by its place", () => {
    const loop: any = { list: [] };
    loop.list.push(loop);
    const cases: [unknown, RegExp][] = [
      [{ a: [() => 1] }, /^save: a\.0 is a function, expected tensors/],
      [{ net: new nn.Linear(1, 1) }, /^save: net is a .*; save what its stateDict\(\) gives/],
      [{ a: new Map() }, /^save: a is a Map/],
      [{ a: 1n }, /^save: a is 1/],
      [loop, /^save: list\.0 contains itself/],
    ];
    for (const [value, message] of cases) expect(() => save(value as any)).toThrow(message);
    expect(() => save({}, { metadata: { n: 1 as any } })).toThrow(ArgumentError);
    expect(() => save({}, { meta: {} } as any)).toThrow(/unknown option meta/);
    const gone = tensor([1, 2]);
    gone.dispose();
    expect(() => save({ gone })).toThrow(/dispose/);
  });
});

describe("files", () => {
  test("that are truncated or contradict themselves are refused by name and numbers", () => {
    const whole = save({ a: tensor([1, 2, 3]), b: tensor([4]) });
    for (let length = 0; length < whole.length; length++)
      expect(() => load(whole.subarray(0, length))).toThrow(DataError);
    expect(() => load(whole.subarray(0, whole.length - 1))).toThrow(
      /truncated: "b" ends at byte 16 of the data, of which there are 15/,
    );
    const longer = new Uint8Array(whole.length + 1);
    longer.set(whole);
    expect(() => load(longer)).toThrow(/17 bytes of data, of which the header names 16/);
    const entry = (part: object) => ({ x: { dtype: "F32", shape: [1], data_offsets: [0, 4], ...part } });
    const data = [0, 0, 0, 0];
    const cases: [Uint8Array, RegExp][] = [
      [file("{", []), /header is no JSON/],
      [file("[]", []), /header is no object/],
      [file(entry({ dtype: "F8" }), data), /"x" has dtype "F8"; those that can be read are F32,/],
      [file(entry({ dtype: "toString" }), data), /"x" has dtype "toString"/],
      [file(entry({ shape: [2] }), data), /"x" of shape \[2\] and dtype F32 needs 8 bytes, has 4/],
      [file(entry({ shape: [-1] }), data), /"x" has shape \[-1\]/],
      [file(entry({ data_offsets: [4, 0] }), data), /"x" has data_offsets \[4,0\]/],
      [
        file(entry({ data_offsets: [1, 5] }), [...data, 0]),
        /"x" begins at byte 1 of the data, expected 0: there is a hole/,
      ],
      [
        file({ ...entry({}), y: entry({}).x }, data),
        /"y" begins at byte 0 of the data, expected 4: there is an overlap/,
      ],
      [file({ x: 5 }, data), /"x" has dtype undefined/],
      [file({ __metadata__: { a: 1 } }), /__metadata__ of the header must be an object of strings/],
      [file({ __metadata__: { lanegrad: "{" } }), /the structure in its metadata is no JSON/],
      [file({ __metadata__: { lanegrad: '{"a":{"$tensor":"w"}}' } }), /has no tensor "w"/],
      [file({ __metadata__: { lanegrad: '{"a":{"$later":1}}' } }), /unknown entry \$later/],
      [
        file({ n: { dtype: "I64", shape: [1], data_offsets: [0, 8] } }, [0, 0, 0, 0, 1, 0, 0, 0]),
        /"n" has 4294967296 at index 0, which does not fit int32/,
      ],
    ];
    for (const [bytes, message] of cases) expect(() => load(bytes)).toThrow(message);
    expect(() => load(5 as any)).toThrow(TypeError);
  });
});
