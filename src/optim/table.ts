/**
 * The list of tensors that one kernel call works through: clipping and an optimizer's step do all tensors of a group at
 * once. assembly/optim.ts documents the entries.
 */
import { Kind, tick, touch } from "../storage.js";
import { Tensor } from "../tensor.js";
import { TABLE_COUNT, TABLE_WORDS } from "../wasm/formats.js";
import { F32, I32 } from "../wasm/heap.js";

/** One tensor to update, and what goes with it. */
export interface Entry {
  param: Tensor;
  grad: Tensor;
  /** Optimizer state, in the kernel's order; null where there is none. */
  states?: readonly (Tensor | null)[];
  /** The states hold nothing yet. */
  fresh?: boolean;
  /** Numbers that are this parameter's own, in the kernel's order. */
  scalars?: readonly number[];
}

const WORDS = TABLE_WORDS;
/** Where several threads divide a table, each has one of its own behind it: as many entries again, and one more a thread. */
const ROOM = 2;
const THREADS = 256;
let storage: Tensor | null = null;

/**
 * Writes the entries and calls kernel(table, count). Tensors written are counted as used and, where the kernel changes
 * them, the caller raises their versions.
 */
export function withTable<T>(entries: readonly Entry[], kernel: (table: number, count: number) => T): T {
  const words = Math.max(entries.length * WORDS, 64 * WORDS);
  if (storage === null || storage.numel() < words * ROOM + THREADS * WORDS) {
    storage?.dispose();
    storage = Tensor.allocateDurable([words * 2 * ROOM + THREADS * WORDS], "int32", "table", Kind.State);
    storage.keep();
  }
  tick();
  const table = storage.ptr;
  // Bringing back one tensor may grow the heap, which renews the views, but never moves another used since tick(): first all are
  // touched, then their addresses are written.
  for (const { param, grad, states } of entries) {
    touch(param.block);
    touch(grad.block);
    if (states !== undefined) for (const state of states) if (state !== null) touch(state.block);
  }
  let word = table >>> 2;
  for (const { param, grad, states, fresh, scalars } of entries) {
    I32[word] = param.ptr;
    I32[word + 1] = grad.ptr;
    for (let i = 0; i < 3; i++) I32[word + 2 + i] = states?.[i]?.ptr ?? 0;
    I32[word + TABLE_COUNT] = param.numel();
    I32[word + 6] = fresh ? 1 : 0;
    if (scalars !== undefined) for (let i = 0; i < scalars.length; i++) F32[word + 7 + i] = scalars[i];
    word += WORDS;
  }
  return kernel(table, entries.length);
}

/** The entries of those parameters that have a gradient. */
export function gradEntries(parameters: Iterable<Tensor>): Entry[] {
  const entries: Entry[] = [];
  for (const param of parameters) {
    const grad = param.gradTensor;
    if (grad !== null) entries.push({ param: grad, grad });
  }
  return entries;
}
