/** Rows of a tensor by index: how batches are gathered, one kernel call a tensor. */
import { itemSize } from "../dtype.js";
import { tick } from "../storage.js";
import { Tensor } from "../tensor.js";
import { I32 } from "../wasm/heap.js";
import { k } from "../wasm/load.js";

/** Calls a kernel with the address of the indices, which the heap holds just for it. */
export function withIndices(indices: Int32Array, call: (idx: number) => void): void {
  const scratch = Tensor.allocate([indices.length], "int32", "DataLoader");
  const { ptr } = scratch;
  I32.set(indices, ptr >>> 2);
  call(ptr);
  scratch.dispose();
}

/** Rows of a contiguous tensor, outside the graph: [N, …] → [indices.length, …]. The indices lie in [0, N). */
export function gatherRows(x: Tensor, indices: Int32Array): Tensor {
  const [rows, ...rest] = x.shape;
  tick();
  const out = Tensor.allocateDurable([indices.length, ...rest], x.dtype, "DataLoader");
  const inner = (rest.reduce((a, b) => a * b, 1) * itemSize(x.dtype)) | 0;
  withIndices(indices, (idx) => k.index_rows(out.ptr, x.ptr, idx, 1, rows, inner, indices.length));
  return out;
}
