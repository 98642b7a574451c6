/**
 * The allocator of the WebAssembly memory: two-level segregated fit (Masmano et al., "TLSF: a new dynamic memory
 * allocator for real-time systems", ECRTS 2004) with its books kept in JavaScript, so that no kernel and no tensor can
 * write over them. Allocation and release take constant time; neighbours that are free are merged at once.
 *
 * Sizes are rounded up to the lower edge of a bin (at most 3 % more), so that a chunk that was released serves the next
 * request of its size exactly: a training loop reuses the same chunks in every step.
 */
import { load, memory } from "./load.js";

const PAGE = 65536;
const ALIGN_BITS = 6; // 64 bytes: a cache line, and more than any kernel asks for
const ALIGN = 1 << ALIGN_BITS;
const SUB_BITS = 5; // 32 bins for every power of two
const SUB = 1 << SUB_BITS;
const LEVELS = 32 - ALIGN_BITS - SUB_BITS + 1;
/** 4 GiB less one page: the last page stays out, so that no end pointer wraps around to 0. */
export const MAX_HEAP = 65535 * PAGE;
/** Grow at least this much at a time: growing renews every view of a memory that is not shared. */
const MIN_GROWTH = 1 << 20;

/**
 * Below this address nothing is allocated: tables that JavaScript writes for one kernel call live here. 0 is no tensor's
 * address, so kernels take it for "absent".
 */
const HEAP_START = PAGE;
const TABLES = 1024;
export const TABLE_BYTES = 16384;
/** One table each, so that a kernel's layout, scalars and multi-tensor list never overlap. */
export const LAYOUT_PTR = TABLES;
export const SCALAR_PTR = TABLES + TABLE_BYTES;
export const SHAPE_PTR = TABLES + 2 * TABLE_BYTES;

/** A run of bytes of the heap, allocated or free. */
export interface Chunk {
  ptr: number;
  size: number;
  free: boolean;
  /** Neighbours in the memory. */
  before: Chunk | null;
  after: Chunk | null;
  /** Neighbours in the list of its bin, when free. */
  prev: Chunk | null;
  next: Chunk | null;
}

const bins: (Chunk | null)[] = new Array(LEVELS * SUB).fill(null);
/** Bit s of subMap[l] is set when bin (l, s) is not empty; bit l of levelMap when subMap[l] is not 0. */
const subMap = new Int32Array(LEVELS);
let levelMap = 0;
let last: Chunk | null = null;
let heapEnd = 0;

/** Bytes in allocated chunks. */
export let usedBytes = 0;
/** Views of the whole memory; they change when it grows, so read them anew for every use. */
export let F32: Float32Array;
export let I32: Int32Array;
export let U8: Uint8Array;

/** Bytes the heap has taken from the engine so far; it never shrinks. */
export const heapBytes = (): number => heapEnd;

/** Views of the memory as it is now: after it has grown, or moved into a shared one. */
export function refreshViews(): void {
  F32 = new Float32Array(memory.buffer);
  I32 = new Int32Array(memory.buffer);
  U8 = new Uint8Array(memory.buffer);
}

/** The bin whose lower edge is at most size (a multiple of ALIGN). */
function binOf(size: number): number {
  const units = size / ALIGN;
  if (units < SUB) return units;
  const level = 31 - Math.clz32(units) - SUB_BITS;
  return ((level + 1) << SUB_BITS) + ((units >>> level) - SUB);
}

/** size rounded up to the lower edge of a bin. */
function roundUp(bytes: number): number {
  const units = Math.max(1, Math.ceil(bytes / ALIGN));
  if (units < SUB * 2) return units * ALIGN;
  const step = 2 ** (31 - Math.clz32(units) - SUB_BITS);
  return Math.ceil(units / step) * step * ALIGN;
}

function insert(chunk: Chunk): void {
  const bin = binOf(chunk.size);
  const head = bins[bin];
  chunk.free = true;
  chunk.prev = null;
  chunk.next = head;
  if (head !== null) head.prev = chunk;
  bins[bin] = chunk;
  subMap[bin >> SUB_BITS] |= 1 << (bin & (SUB - 1));
  levelMap |= 1 << (bin >> SUB_BITS);
}

function remove(chunk: Chunk): void {
  if (chunk.next !== null) chunk.next.prev = chunk.prev;
  if (chunk.prev !== null) chunk.prev.next = chunk.next;
  else {
    const bin = binOf(chunk.size);
    bins[bin] = chunk.next;
    if (chunk.next === null) {
      const level = bin >> SUB_BITS;
      subMap[level] &= ~(1 << (bin & (SUB - 1)));
      if (subMap[level] === 0) levelMap &= ~(1 << level);
    }
  }
  chunk.free = false;
  chunk.prev = null;
  chunk.next = null;
}

/** The first free chunk of a bin at or above that of size, or null. size is a bin's lower edge, so any chunk there fits. */
function find(size: number): Chunk | null {
  const bin = binOf(size);
  let level = bin >> SUB_BITS;
  let subs = subMap[level] & (-1 << (bin & (SUB - 1)));
  if (subs === 0) {
    const levels = level === 31 ? 0 : levelMap & (-1 << (level + 1));
    if (levels === 0) return null;
    level = 31 - Math.clz32(levels & -levels);
    subs = subMap[level];
  }
  return bins[(level << SUB_BITS) + (31 - Math.clz32(subs & -subs))];
}

function initialise(): void {
  load();
  refreshViews();
  heapEnd = memory.buffer.byteLength;
  last = { ptr: HEAP_START, size: heapEnd - HEAP_START, free: true, before: null, after: null, prev: null, next: null };
  insert(last);
}

/**
 * A chunk of at least `bytes` bytes, 64-byte aligned, with whatever it held before; or null when no free chunk fits and
 * the heap would have to grow: then the caller decides between making room and `grow`.
 */
export function tryAllocate(bytes: number): Chunk | null {
  if (last === null) initialise();
  const size = roundUp(bytes);
  const chunk = find(size);
  if (chunk === null) return null;
  remove(chunk);
  const rest = chunk.size - size;
  if (rest > 0) {
    const tail: Chunk = {
      ptr: chunk.ptr + size,
      size: rest,
      free: true,
      before: chunk,
      after: chunk.after,
      prev: null,
      next: null,
    };
    if (chunk.after !== null) chunk.after.before = tail;
    else last = tail;
    chunk.after = tail;
    chunk.size = size;
    insert(tail);
  }
  usedBytes += size;
  return chunk;
}

/** Bytes by which the heap must grow before `bytes` can be allocated at its end. */
export function growthFor(bytes: number): number {
  if (last === null) initialise();
  const tail = last as Chunk;
  return Math.max(0, roundUp(bytes) - (tail.free ? tail.size : 0));
}

/** Grows the heap so that `bytes` can be allocated; false when the engine refuses or 4 GiB would be passed. */
export function grow(bytes: number): boolean {
  const needed = growthFor(bytes);
  for (const growth of [Math.max(needed, MIN_GROWTH, heapEnd >>> 4), needed]) {
    const pages = Math.ceil(growth / PAGE);
    if (heapEnd + pages * PAGE > MAX_HEAP) continue;
    try {
      memory.grow(pages);
    } catch {
      continue;
    }
    refreshViews();
    const size = pages * PAGE;
    const tail = last as Chunk;
    if (tail.free) {
      remove(tail);
      tail.size += size;
      insert(tail);
    } else {
      last = { ptr: heapEnd, size, free: true, before: tail, after: null, prev: null, next: null };
      tail.after = last;
      insert(last);
    }
    heapEnd += size;
    return true;
  }
  return false;
}

/** Gives a chunk back. */
export function release(chunk: Chunk): void {
  usedBytes -= chunk.size;
  const { before, after } = chunk;
  if (after?.free) {
    remove(after);
    chunk.size += after.size;
    chunk.after = after.after;
    if (after.after !== null) after.after.before = chunk;
    else last = chunk;
  }
  if (before?.free) {
    remove(before);
    before.size += chunk.size;
    before.after = chunk.after;
    if (chunk.after !== null) chunk.after.before = before;
    else last = before;
    insert(before);
  } else {
    insert(chunk);
  }
}

/** Walks the whole heap and throws when its books are wrong. For the tests. */
export function checkHeap(): void {
  let chunk = last;
  let end = heapEnd;
  let used = 0;
  let free = 0;
  while (chunk !== null) {
    if (chunk.ptr + chunk.size !== end) throw new Error(`heap: chunk at ${chunk.ptr} does not end at ${end}`);
    if (chunk.before !== null && chunk.before.after !== chunk) throw new Error(`heap: broken link at ${chunk.ptr}`);
    if (chunk.free && chunk.before?.free) throw new Error(`heap: free neighbours at ${chunk.ptr}`);
    if (chunk.free) free++;
    else used += chunk.size;
    end = chunk.ptr;
    chunk = chunk.before;
  }
  if (end !== HEAP_START && heapEnd !== 0) throw new Error(`heap: begins at ${end}`);
  if (used !== usedBytes) throw new Error(`heap: ${used} bytes in chunks, ${usedBytes} counted`);
  let listed = 0;
  for (const head of bins) for (let c = head; c !== null; c = c.next) listed++;
  if (listed !== free) throw new Error(`heap: ${free} free chunks, ${listed} in bins`);
}
