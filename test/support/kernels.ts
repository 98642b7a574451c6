/** The kernels of all families as one object, for tests that call them directly. */
import * as activation from "../../src/wasm/families/activation.generated.js";
import * as batchNorm from "../../src/wasm/families/batch-norm.generated.js";
import * as bench from "../../src/wasm/families/bench.generated.js";
import * as conv from "../../src/wasm/families/conv.generated.js";
import * as doctor from "../../src/wasm/families/doctor.generated.js";
import * as images from "../../src/wasm/families/images.generated.js";
import * as interpolate from "../../src/wasm/families/interpolate.generated.js";
import * as loss from "../../src/wasm/families/loss.generated.js";
import * as norm from "../../src/wasm/families/norm.generated.js";
import * as optim from "../../src/wasm/families/optim.generated.js";
import * as pool from "../../src/wasm/families/pool.generated.js";
import type { Kernels } from "../../src/wasm/kernels.generated.js";
import * as core from "../../src/wasm/load.js";

const families = [core, activation, batchNorm, bench, conv, doctor, images, interpolate, loss, norm, optim, pool];

export const k = new Proxy({} as Kernels, {
  get: (_, name: keyof Kernels) => {
    core.load();
    return families.map((family) => (family.k as Kernels)[name]).find((kernel) => kernel !== undefined);
  },
});
