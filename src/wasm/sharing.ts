/**
 * How each kernel's work is shared among threads: wrappers of the same name and arguments, which hand out shares where it pays.
 * While there is one thread, `k` is the raw exports and nothing of this runs.
 *
 * Most kernels are described by a word, one letter an argument:
 *
 *   8 4 2 1   address that goes on by so many bytes for each unit of the range (0, absent, stays 0)
 *   o         address that goes on by inner elements of 4 bytes; O: by r · inner of them (outer, r, inner follow one another)
 *   n         the count of units, which becomes the share's
 *   f t       the range's begin and end
 *   .         as it is
 */
import { stripBytes, TABLE_COUNT, TABLE_WORDS } from "./formats.js";
import { I32 } from "./heap.js";
import type { Kernels } from "./kernels.generated.js";
import { getNumThreads, type Scratch, share, shareOut, worthSharing } from "./threads.js";

type Name = keyof Kernels;
type Call = (...args: number[]) => number | void;

/** Nanoseconds an element, roughly, of what only moves memory and of what computes. */
const MOVES = 0.1;
const COMPUTES = 0.5;
/** Nanoseconds a multiply-add. */
const MADD = 0.04;
/** Nanoseconds to transform one filter for Winograd's method. */
const FILTER = 8;

/** Cost of an element, then kernels by pattern. */
const ELEMENTWISE: readonly [cost: number, patterns: Readonly<Record<string, string>>][] = [
  [
    MOVES,
    {
      "4.n": "fill_f32 fill_i32",
      "44n":
        "neg sign abs sqrt rsqrt square reciprocal floor ceil round relu accumulate cast_f32_i32 cast_i32_f32 hardswish neg_i32 abs_i32 sign_i32 square_i32",
      "44.n": "axpy scale leaky_relu",
      "44..n": "clamp hardtanh",
      "41n": "cast_u8_f32 cast_u8_i32 to_tensor_u8",
      "14n": "cast_f32_u8 cast_i32_u8 cast_f32_bool cast_i32_bool isnan isinf isfinite",
      "444n":
        "abs_backward exp_backward expm1_backward log_backward sqrt_backward rsqrt_backward square_backward reciprocal_backward tanh_backward sigmoid_backward relu_backward hardswish_backward",
      "444.n": "leaky_relu_backward elu_backward",
      "444..n": "clamp_backward hardtanh_backward",
    },
  ],
  [
    COMPUTES,
    {
      "44n": "exp expm1 log log1p log2 log10 sin cos tanh sigmoid erf gelu gelu_tanh silu",
      "44.n": "elu",
      "44..n": "softplus",
      "444n":
        "log1p_backward log2_backward log10_backward sin_backward cos_backward erf_backward gelu_backward gelu_tanh_backward silu_backward",
      "444..n": "softplus_backward",
    },
  ],
];

/** Over [outer, r, inner], a unit being one of outer. */
const FOLDS: readonly [cost: number, patterns: Readonly<Record<string, string>>][] = [
  [MOVES, { "oOn..": "sum prod amax amin", "oOn...": "mean", "Oon...": "sum_broadcast" }],
  [
    COMPUTES,
    {
      "oOn..": "logsumexp",
      "oOn...": "norm_p",
      "ooOn...": "variance",
      "OOn..": "softmax log_softmax",
      "OOOn..": "softmax_backward log_softmax_backward",
    },
  ],
];

/** Over a range of planes of so many bytes: the place of the range's begin, and of h and w, in the arguments. */
const PLANES: Readonly<Record<string, readonly [from: number, h: number]>> = {
  max_pool2d_2x2: [3, 5],
  max_pool2d_2x2_backward: [3, 5],
  max_pool2d_3x3: [3, 5],
  max_pool2d_3x3_backward: [3, 5],
  max_pool2d: [6, 8],
  max_pool2d_backward: [6, 8],
  avg_pool2d_2x2: [2, 4],
  avg_pool2d_2x2_backward: [2, 4],
  avg_pool2d: [4, 6],
  avg_pool2d_backward: [4, 6],
  gather_planes: [6, 8],
};

/** Element-wise kernels of two operands, which read a layout. */
const BINARY =
  "add sub mul div maximum minimum remainder pow add_i32 sub_i32 mul_i32 maximum_i32 minimum_i32 remainder_i32 pow_i32";

/** Kernels over a table of tensors (assembly/optim.ts), element by element. */
const TABLES = "grad_scale grad_clamp sgd adam rmsprop adagrad adadelta";
const aligned = (bytes: number): number => (bytes + 63) & ~63;

/** The kernels, sharing their work among the threads there are. */
export function sharedKernels(raw: Kernels): Kernels {
  const shared: Record<string, Call> = { ...(raw as unknown as Record<string, Call>) };
  const define = (name: string, call: (plain: Call) => Call) => {
    shared[name] = call(raw[name as Name] as Call);
  };
  for (const [cost, patterns] of ELEMENTWISE) {
    for (const [pattern, names] of Object.entries(patterns)) {
      for (const name of names.split(" ")) define(name, (plain) => elementwise(name as Name, plain, pattern, cost));
    }
  }
  for (const [cost, patterns] of FOLDS) {
    for (const [pattern, names] of Object.entries(patterns)) {
      for (const name of names.split(" ")) define(name, (plain) => folding(name as Name, plain, pattern, cost));
    }
  }
  for (const [name, [from, h]] of Object.entries(PLANES)) define(name, (plain) => planes(name as Name, plain, from, h));
  for (const name of BINARY.split(" ")) define(name, (plain) => binary(name as Name, plain));
  for (const name of TABLES.split(" ")) define(name, (plain) => tables(name as Name, plain));
  define("layer_norm", (plain) => layerNorm(plain));
  define("normalize_u8", (plain) => normalizeImages("normalize_u8", plain, 1));
  define("normalize_f32", (plain) => normalizeImages("normalize_f32", plain, 4));
  define("gather_normalize_u8", gatherNormalize);
  for (const name of ["crop_8", "crop_32"] as const) define(name, (plain) => crop(name, plain));
  define("crop_normalize_u8", cropNormalize);
  shareMatmul(raw, define);
  shareConvolution(raw, define);
  shareBatchNorm(define);
  return shared as unknown as Kernels;
}

/** An address that goes on, or 0. */
const forward = (ptr: number, bytes: number): number => (ptr === 0 ? 0 : ptr + bytes);

function elementwise(name: Name, plain: Call, pattern: string, cost: number): Call {
  const count = pattern.indexOf("n");
  const steps = Array.from(pattern, (c) => (c >= "1" && c <= "8" ? Number(c) : 0));
  return (...args) => {
    const n = args[count];
    if (!worthSharing(n * cost)) return plain(...args);
    share(name, n, 64, n * cost, (from, to) =>
      args.map((arg, i) => (i === count ? to - from : steps[i] > 0 ? forward(arg, from * steps[i]) : arg)),
    );
  };
}

function folding(name: Name, plain: Call, pattern: string, cost: number): Call {
  const count = pattern.indexOf("n");
  return (...args) => {
    const [outer, r, inner] = args.slice(count, count + 3);
    const work = outer * r * inner * cost;
    if (outer < 2 || !worthSharing(work)) return plain(...args);
    share(name, outer, 1, work, (from, to) =>
      args.map((arg, i) => {
        if (i === count) return to - from;
        if (pattern[i] === "o") return forward(arg, 4 * from * inner);
        return pattern[i] === "O" ? forward(arg, 4 * from * r * inner) : arg;
      }),
    );
  };
}

/** Kernels that take the range themselves. */
function ranged(name: Name, args: readonly number[], from: number, work: number, grain = 1, scratch?: Scratch): void {
  const begin = args[from];
  const range = (a: number, b: number) =>
    args.map((arg, i) => (i === from ? begin + a : i === from + 1 ? begin + b : arg));
  share(name, args[from + 1] - begin, grain, work, range, scratch);
}

function planes(name: Name, plain: Call, from: number, h: number): Call {
  return (...args) => {
    const work = (args[from + 1] - args[from]) * args[h] * args[h + 1] * COMPUTES;
    if (!worthSharing(work)) return plain(...args);
    ranged(name, args, from, work);
  };
}

/** A layout of a single run is a few words, of which each share gets its own. */
function binary(name: Name, plain: Call): Call {
  const HEADER = 8;
  return (out, a, b, layout) => {
    const word = layout >>> 2;
    const n = I32[word];
    if (I32[word + 1] !== 0 || !worthSharing(n * MOVES)) return plain(out, a, b, layout);
    const [strideA, strideB] = [I32[word + 2], I32[word + 3]];
    const item = 4;
    let own = word - HEADER;
    // One share a thread, for which there is room: the first keeps the layout's own place, the others' follow it.
    share(name, n, 64, 0, (from, to) => {
      own += HEADER;
      for (let j = 1; j < HEADER; j++) I32[own + j] = I32[word + j];
      I32[own] = to - from;
      return [out + item * from, a + item * from * strideA, b + item * from * strideB, own << 2];
    });
  };
}

/** A tensor may be divided: each share gets a table of its own, behind the given one, where its writer left room. */
function tables(name: Name, plain: Call): Call {
  const GRAIN = 1024;
  return (table, count, ...rest) => {
    const word = table >>> 2;
    let total = 0;
    for (let i = 0; i < count; i++) total += I32[word + i * TABLE_WORDS + TABLE_COUNT];
    if (!worthSharing(total * COMPUTES)) return plain(table, count, ...rest);
    const shares = getNumThreads();
    const each = Math.ceil(total / shares / GRAIN) * GRAIN;
    const lists: number[][] = [];
    let row = word + count * TABLE_WORDS;
    let begin = row;
    let room = each;
    const finish = () => {
      if (row > begin) lists.push([begin << 2, (row - begin) / TABLE_WORDS, ...rest]);
      begin = row;
      room = each;
    };
    for (let i = 0; i < count; i++) {
      const entry = word + i * TABLE_WORDS;
      const n = I32[entry + TABLE_COUNT];
      for (let from = 0; from < n; ) {
        const take = Math.min(n - from, Math.max(GRAIN, Math.floor(room / GRAIN) * GRAIN));
        for (let j = 0; j < TABLE_WORDS; j++) {
          const value = I32[entry + j];
          I32[row + j] = j < TABLE_COUNT ? forward(value, 4 * from) : value;
        }
        I32[row + TABLE_COUNT] = take;
        row += TABLE_WORDS;
        from += take;
        room -= take;
        if (room <= 0 && lists.length < shares - 1) finish();
      }
    }
    finish();
    shareOut(name, lists);
  };
}

const layerNorm =
  (plain: Call): Call =>
  (out, mean, rstd, x, weight, bias, rows, cols, eps) => {
    const work = rows * cols * COMPUTES;
    if (!worthSharing(work)) return plain(out, mean, rstd, x, weight, bias, rows, cols, eps);
    share("layer_norm", rows, 1, work, (from, to) => {
      const at = 4 * from * cols;
      return [out + at, mean + 4 * from, rstd + 4 * from, x + at, weight, bias, to - from, cols, eps];
    });
  };

const normalizeImages =
  (name: Name, plain: Call, bytes: number): Call =>
  (out, x, images, channels, pixels, mean, std) => {
    const size = channels * pixels;
    if (!worthSharing(images * size * MOVES)) return plain(out, x, images, channels, pixels, mean, std);
    share(name, images, 1, images * size * MOVES, (from, to) => [
      ...[out + 4 * from * size, x + bytes * from * size],
      ...[to - from, channels, pixels, mean, std],
    ]);
  };

const gatherNormalize =
  (plain: Call): Call =>
  (out, x, idx, batch, channels, pixels, mean, std) => {
    const size = channels * pixels;
    if (!worthSharing(batch * size * MOVES)) return plain(out, x, idx, batch, channels, pixels, mean, std);
    share("gather_normalize_u8", batch, 1, batch * size * MOVES, (from, to) => [
      ...[out + 4 * from * size, x, idx + 4 * from],
      ...[to - from, channels, pixels, mean, std],
    ]);
  };

/** Windows of images i0 to i1. */
const cropWork = (args: readonly number[]): number => {
  const [i0, i1, channels, , , oh, ow] = args.slice(4);
  return (i1 - i0) * channels * oh * ow * MOVES;
};

const crop =
  (name: Name, plain: Call): Call =>
  (...args) => {
    const work = cropWork(args);
    if (!worthSharing(work)) return plain(...args);
    ranged(name, args, 4, work);
  };

const cropNormalize =
  (plain: Call): Call =>
  (...args) => {
    const work = cropWork(args);
    if (!worthSharing(work)) return plain(...args);
    ranged("crop_normalize_u8", args, 4, work, 1, { at: args.length - 1, bytes: stripBytes(args[10]) });
  };

type Define = (name: string, call: (plain: Call) => Call) => void;

/**
 * Columns of the product, or rows where there are many more of them or where they divide more evenly. Each share packs what it
 * needs: by columns its own part of b, and of a one strip at a time, which costs little; by rows all of b.
 */
function shareMatmul(raw: Kernels, define: Define): void {
  const [ROWS, COLUMNS] = [12, 16];
  /** The longest share of n units, as a part of all. */
  const longest = (n: number, grain: number): number =>
    (Math.ceil(Math.ceil(n / grain) / getNumThreads()) * grain) / Math.max(n, 1);
  define("matmul_scratch", () => (m, n, kk) => getNumThreads() * aligned(raw.matmul_scratch(m, n, kk)));
  define("matmul", (plain) => (...args) => {
    const [, , , , , , , , m, n, kk] = args;
    if (!worthSharing(m * n * kk * MADD)) return plain(...args);
    const bytes = aligned(raw.matmul_scratch(m, n, kk));
    const byRows = m > 2 * n || longest(m, ROWS) < 0.95 * longest(n, COLUMNS);
    const range = (from: number, to: number) => [...args, ...(byRows ? [from, to, 0, n] : [0, m, from, to])];
    share("matmul_range", byRows ? m : n, byRows ? ROWS : COLUMNS, 0, range, { at: 13, bytes });
  });
}

/** Multiply-adds of the direct method, from a shape's words (ConvShape in assembly/conv-image.ts). */
function convolutionWork(shape: number): number {
  const at = shape >>> 2;
  const [n, ic, oc, kh, kw] = [I32[at], I32[at + 1], I32[at + 4], I32[at + 5], I32[at + 6]];
  return n * I32[at + 15] * oc * I32[at + 13] * I32[at + 14] * ic * kh * kw;
}

function shareConvolution(raw: Kernels, define: Define): void {
  const each = (shape: number) => aligned(raw.conv2d_scratch(shape));
  define("conv2d_scratch", () => (shape) => getNumThreads() * each(shape));
  /** Kernels whose last three arguments are scratch and a range. */
  const withScratch = (name: Name, args: number[], work: number, bytes: number): void =>
    ranged(name, args, args.length - 2, work, 1, { at: args.length - 3, bytes });
  for (const [name, shape] of [
    ["conv2d", 4],
    ["conv2d_backward_input", 3],
    ["conv2d_backward_weight", 3],
  ] as const) {
    define(name, (plain) => (...args) => {
      const work = convolutionWork(args[shape]) * MADD;
      if (!worthSharing(work)) return plain(...args);
      withScratch(name, args, work, each(args[shape]));
    });
  }
  define("winograd_weights", (plain) => (...args) => {
    const work = args[2] * args[3] * FILTER;
    if (!worthSharing(work)) return plain(...args);
    ranged("winograd_weights", args, 5, work);
  });
  define("winograd_weights_backward", (plain) => (...args) => {
    const work = args[3] * args[2] * FILTER;
    if (!worthSharing(work)) return plain(...args);
    ranged("winograd_weights_backward", args, 4, work, 4);
  });
  const transformed = (ic: number, oc: number, tilesX: number) => aligned(raw.winograd_scratch(ic, oc, tilesX));
  define("winograd_scratch", () => (ic, oc, tilesX) => getNumThreads() * transformed(ic, oc, tilesX));
  define("conv2d_winograd", (plain) => (...args) => {
    const [, , , , n, ic, , , oc, oh, ow] = args;
    const work = n * ic * oc * oh * ow * 4 * MADD;
    if (!worthSharing(work)) return plain(...args);
    withScratch("conv2d_winograd", args, work, transformed(ic, oc, (ow + 1) >> 1));
  });
  define("conv2d_winograd_backward_weight", (plain) => (...args) => {
    const [, , , , ic, , , oc, oh, ow] = args;
    const work = args[3] * ic * oc * oh * ow * 4 * MADD;
    if (!worthSharing(work)) return plain(...args);
    withScratch("conv2d_winograd_backward_weight", args, work, transformed(ic, oc, (ow + 1) >> 1));
  });
}

/**
 * Channels; of a matrix [n, c] in fours, the lanes of its vectors. One share a thread: planes of neighbouring channels lie side by
 * side in an image, and walking a few of them leaves memory's prefetching little (8 shares on two threads: 1.3 times as fast as one, 2 shares: 1.75).
 */
function shareBatchNorm(define: Define): void {
  const channels = (name: Name, args: number[], from: number, scratch: number, bytes: number): void => {
    const grain = args[from - 1] === 1 ? 4 : 1;
    share(name, args[from + 1], grain, 0, (a, b) =>
      args.map((arg, i) => (i === from ? a : i === from + 1 ? b : i === scratch ? arg + a * bytes : arg)),
    );
  };
  /** Places of the range's begin (n, c, plane stand before it) and of the scratch memory, and its bytes a channel. */
  for (const [name, from, scratch, bytes] of [
    ["batch_norm_apply", 8, -1, 0],
    ["batch_norm_train", 13, 6, 64],
    ["batch_norm_backward", 14, 9, 72],
  ] as const) {
    define(name, (plain) => (...args) => {
      const work = args[from - 3] * args[from - 2] * args[from - 1] * COMPUTES;
      if (args[from] !== 0 || !worthSharing(work)) return plain(...args);
      channels(name, args, from, scratch, bytes);
    });
  }
}
