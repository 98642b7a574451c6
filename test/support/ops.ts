/**
 * All functions that the files of src/ops export, in one object: cases.ts must have an entry for each, or the tests do not
 * type-check. A new file is added here; ops.test.ts asserts that none is missing.
 */
import * as activation from "../../src/ops/activation.js";
import * as avgPool from "../../src/ops/avg-pool.js";
import * as batchNorm from "../../src/ops/batch-norm.js";
import * as binary from "../../src/ops/binary.js";
import * as conv from "../../src/ops/conv.js";
import * as convert from "../../src/ops/convert.js";
import * as dropout from "../../src/ops/dropout.js";
import * as embedding from "../../src/ops/embedding.js";
import * as groupNorm from "../../src/ops/group-norm.js";
import * as indexing from "../../src/ops/indexing.js";
import * as inplace from "../../src/ops/inplace.js";
import * as interpolate from "../../src/ops/interpolate.js";
import * as loss from "../../src/ops/loss.js";
import * as matmul from "../../src/ops/matmul.js";
import * as maxPool from "../../src/ops/max-pool.js";
import * as norm from "../../src/ops/norm.js";
import * as pad from "../../src/ops/pad.js";
import * as pixelShuffle from "../../src/ops/pixel-shuffle.js";
import * as reduce from "../../src/ops/reduce.js";
import * as scatter from "../../src/ops/scatter.js";
import * as softmax from "../../src/ops/softmax.js";
import * as sort from "../../src/ops/sort.js";
import * as unary from "../../src/ops/unary.js";
import * as view from "../../src/ops/view.js";
import * as where from "../../src/ops/where.js";

const files = {
  ...activation,
  ...avgPool,
  ...batchNorm,
  ...binary,
  ...conv,
  ...convert,
  ...dropout,
  ...embedding,
  ...groupNorm,
  ...indexing,
  ...inplace,
  ...interpolate,
  ...loss,
  ...matmul,
  ...maxPool,
  ...norm,
  ...pad,
  ...pixelShuffle,
  ...reduce,
  ...scatter,
  ...softmax,
  ...sort,
  ...unary,
  ...view,
  ...where,
};

/** What these files export for one another, and other names of one function. */
type Helper =
  | "checkApproximate"
  | "checkBounds"
  | "checkChannels"
  | "checkFactor"
  | "checkGroups"
  | "checkInPlace"
  | "checkInterpolate"
  | "checkPaddingIdx"
  | "checkProbability"
  | "copyInto"
  | "scaleChannels"
  | "standardize"
  | "sumTo"
  | "variance"
  | "withBroadcast"
  | "zerosBut";

/** Functions that write into their first operand or draw random numbers: they have a table of their own. */
type InPlace = Extract<keyof typeof files, `${string}_`>;

export type OpName = Exclude<keyof typeof files, Helper | InPlace>;
export type InPlaceName = InPlace;

export const ops: Pick<typeof files, OpName | InPlace> = files;

/** Files of src/ops that are gathered here, by name. */
export const GATHERED = [
  ...["activation", "binary", "convert", "dropout", "embedding", "indexing", "inplace", "loss", "matmul", "norm"],
  ...["avg-pool", "batch-norm", "conv", "group-norm", "interpolate", "max-pool", "pixel-shuffle"],
  ...["pad", "reduce", "scatter", "softmax", "sort", "unary", "view", "where"],
];
/** Files whose public functions the gathered ones re-export. */
export const REEXPORTED = ["class-loss", "extrema", "rearrange", "statistics"];
/** Files of helpers without a public function. */
export const HELPERS = [
  "conv-passes",
  "elementwise-common",
  "factory",
  "fold",
  "index-plan",
  "indices",
  "loss-common",
  "pair",
  "windows",
  "write",
];
/** Files of functions that make tensors, which test/create.test.ts is about. */
export const MAKERS = ["create", "sample", "tensor"];
