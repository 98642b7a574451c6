/**
 * Who owns the heap's memory, and when it is given back (docs/memory.md tells the whole story).
 *
 * A `Block` is the memory of a tensor and of all its views. JavaScript gives no word when a tensor becomes unreachable
 * within a synchronous loop, so blocks are given back by rule:
 *
 * - What a `backward()` consumed is retired: it stays readable until the next `backward()` begins, small blocks for
 *   some passes longer, and then its memory is used again.
 * - When the heap would have to grow past its soft limit, blocks go by last use, oldest first. Results are reclaimed:
 *   using them later is an error that names the op. Everything else (data, clones, parameters, gradients, what was made
 *   before the first `backward()`, whatever a tape still needs) is *spilled*: its bytes move to a JavaScript array, come
 *   back on the next use, and are collected by JavaScript if there is none.
 * - `scope`, `dispose` and the finalizers give back at once.
 */
import { DisposedError, OutOfMemoryError } from "./errors.js";
import { type Chunk, grow, growthFor, heapBytes, I32, MAX_HEAP, release, tryAllocate, U8 } from "./wasm/heap.js";

/** What a block holds decides what becomes of it under pressure. */
export const Kind = {
  /** The result of an op: reclaimed when retired or, unless it belongs to set-up, under pressure. */
  Result: 0,
  /** From the user's data, or a `clone()`: spilled, never lost. */
  Data: 1,
  /** Parameter, buffer, gradient, optimizer state: as Data, and it counts as what a step needs. */
  State: 2,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Results that may stay idle beside what set-up and one step need, before the oldest are reclaimed. */
const SLACK = 64 * 2 ** 20;
/** Before the first backward() nothing may be lost, and what a step needs is not known: this far it grows without spilling. */
const SETUP_LIMIT = 128 * 2 ** 20;
/**
 * A result used within so many ops is spilled, never lost: a skip connection evaluated on a batch larger than the slack
 * must find what it joins. The longest skips of common networks (the outer one of a U-Net) span some 70 ops.
 */
const RECENT_OPS = 128;
/**
 * Idle blocks beside those of set-up: each costs JavaScript some 500 bytes, so a million tiny ones within the slack would
 * cost more than the slack.
 */
const IDLE_BLOCKS = 2 ** 16;
/**
 * Consumed blocks up to this size stay readable for LONG_PASSES passes (a GAN prints both losses at the end). Idle results up
 * to this size are spilled, never lost: what an evaluation collects batch by batch (outputs, losses one a sample) is wanted at
 * its end, long after the activations made since.
 */
export const SMALL = 16384;
const LONG_PASSES = 8;
/** A result that was read after its pass is held in so many passes more. */
const WANTED_PASSES = 16;

/** Why a block has no bytes any more. */
export type Fate = "reclaimed" | "consumed" | "scope" | "disposed" | "finalized";

type Retired = 0 | 1 | 2;
const NOT_RETIRED = 0;
const RETIRED_RESULT = 1;
const RETIRED_INPUT = 2;

export class Block {
  chunk: Chunk | null = null;
  ptr = 0;
  /** Bytes set aside while not resident. */
  spilled: Uint8Array | null = null;
  /** The value of a one-element block outlives its memory: losses stay readable for ever. */
  scalarBits = 0;
  fate: Fate | null = null;
  /** How many tape nodes that may still run need these bytes. */
  pins = 0;
  /** How many tape nodes that may still run made it (or a view of it): it may be set aside, but not lost. */
  recorded = 0;
  /** Raised by every write in place, so that a tape can tell that a saved tensor is no longer what it was. */
  version = 0;
  lastUse = 0;
  /** The pass (count of backward() calls) whose need this block was last counted in. */
  countedPass = -1;
  /** The registry watches for the end of its last tensor. */
  registered = false;
  /** Brought back after it was spilled: it is used again and again, so a tape that consumes it does not spill it. */
  recurring = false;
  /** Made before the first backward(). */
  setup = pass === 0;
  /** Called keep() on: neither retired nor freed by scope(). */
  kept = false;
  /** Waiting for the next backward(): as a tape's result, to be freed, or as a tape's input, to be spilled. */
  retired: Retired = NOT_RETIRED;
  /** Belongs to a tape node alone (no user's tensor has it): freed with the node. */
  owned = false;
  /** Made by a backward pass for itself: freed as soon as nothing pins it. */
  transient = false;
  /** A gradient that may be added to in place, as nobody else holds it. */
  summable = false;
  /** Its values are wanted outside the graph: somebody called detach(). */
  detached = false;
  /**
   * Computes the bytes of a block that has none: an op that waits, or whose follower did its work (defer.ts), or a consumed
   * result that has given its bytes up (replay.ts).
   */
  recipe: (() => void) | null = null;
  /** Which of its pass's results it is, where it may give its bytes up; otherwise −1. */
  position = -1;
  /** Results in a row that may give their bytes up, this one the last. */
  depth = 0;
  /** The list of blocks that was open when the recipe was written. */
  home: Block[] | null = null;
  older: Block | null = null;
  newer: Block | null = null;

  constructor(
    readonly bytes: number,
    /** The op that made it, for error messages. */
    readonly op: string,
    public kind: Kind,
  ) {}
}

/** Counts ops: a block used by the op under way (`lastUse === clock`) is never moved. */
let clock = 1;
/** Count of backward() calls. */
let pass = 0;
let oldest: Block | null = null;
let newest: Block | null = null;
let liveBlocks = 0;
let liveBytes = 0;
let peakBytes = 0;

/**
 * What must be resident: everything made before the first backward(), the later state in use, and the largest step's
 * consumption. State is counted anew in every pass, by use, so that nets dropped one after the other do not add up.
 */
let setupBytes = 0;
let setupBlocks = 0;
let stateBytes = 0;
let stateBytesBefore = 0;
let stepBytes = 0;
let largestStep = 0;
let transientPeak = 0;
/**
 * What had to be brought back in this pass, and at most in one: a working set larger than the estimate ends by fitting. Not
 * the sum over all passes, which would lift the limit a little further with every step or epoch.
 */
let restoredBytes = 0;
let largestRestored = 0;

/** Blocks consumed by pass p, oldest pass first. */
let retiredNow: Block[] = [];
const retiredSmall: { pass: number; blocks: Block[] }[] = [];
let lastPassClock = 0;

/** Blocks made since the innermost scope() or backward pass began. */
let scopeBlocks: Block[] | null = null;
let inPass = false;

/** The result of the op that waits to see what follows (defer.ts). */
let waiting: Block | null = null;
/** Ops under way that are part of another: what either touches stays where it is. */
let nested = 0;

/** Begins an op: what it touches from now on stays where it is until the next op begins. */
export function tick(): void {
  if (nested === 0) clock++;
}

/** Makes a block whose bytes a recipe will compute: at once before anything else happens, unless its follower takes it. */
export function postpone(bytes: number, op: string, recipe: () => void): Block {
  settle();
  const block = new Block(bytes, op, Kind.Result);
  block.recipe = recipe;
  block.home = scopeBlocks;
  waiting = block;
  return block;
}

/** Whether it is this block that waits. */
export const isWaiting = (block: Block): boolean => waiting === block;

/** The follower of the op that waits does its work. */
export function takeWaiting(): void {
  waiting = null;
}

/** Runs the op that waits. */
export function settle(): void {
  if (waiting !== null) cook(waiting);
}

/** Computes a block by its recipe. */
export function cook(block: Block): void {
  const { recipe } = block;
  if (recipe === null) return;
  if (waiting === block) waiting = null;
  block.recipe = null;
  nested++;
  try {
    recipe();
  } catch (error) {
    block.recipe = recipe;
    throw error;
  } finally {
    nested--;
  }
  block.home?.push(block);
}

/** Memory for a block that its recipe is about to fill. */
export function fillPostponed(block: Block): void {
  occupy(block, allocateChunk(block.bytes, block.op));
}

function unlink(block: Block): void {
  if (block.older !== null) block.older.newer = block.newer;
  else oldest = block.newer;
  if (block.newer !== null) block.newer.older = block.older;
  else newest = block.older;
  block.older = null;
  block.newer = null;
}

function append(block: Block): void {
  block.older = newest;
  if (newest !== null) newest.newer = block;
  else oldest = block;
  newest = block;
}

/** Renews a block's last use; brings it back when it was spilled; refuses when it is gone. */
export function touch(block: Block): void {
  if (waiting !== null) settle();
  if (block.chunk === null) revive(block);
  if (block.kind === Kind.State) countState(block);
  if (block.lastUse === clock) return;
  block.lastUse = clock;
  if (newest !== block) {
    unlink(block);
    append(block);
  }
}

/** State that is used belongs to what must be resident; of set-up everything does. */
function countState(block: Block): void {
  if (block.countedPass === pass || block.setup) return;
  block.countedPass = pass;
  stateBytes += block.bytes;
}

/**
 * Takes the memory away from a resident block, whose bytes the caller has saved or given up. The registry lets go of it: it
 * would hold the bytes until the finalizers run, which a synchronous loop never lets them do. Brought back, the block is
 * given back by dispose() or under pressure.
 */
function vacate(block: Block): void {
  if (block.bytes <= 4) block.scalarBits = I32[block.ptr >>> 2];
  release(block.chunk as Chunk);
  unlink(block);
  block.chunk = null;
  block.ptr = 0;
  liveBlocks--;
  liveBytes -= block.bytes;
  if (block.registered) {
    registry?.unregister(block);
    block.registered = false;
  }
}

function occupy(block: Block, chunk: Chunk): void {
  block.chunk = chunk;
  block.ptr = chunk.ptr;
  block.lastUse = clock;
  append(block);
  liveBlocks++;
  liveBytes += block.bytes;
  if (liveBytes > peakBytes) peakBytes = liveBytes;
  if (block.kind === Kind.State) countState(block);
}

function revive(block: Block): void {
  if (block.recipe !== null) {
    const given = hasGivenUp(block);
    cook(block);
    // Who reads it may read it in every step; what only a result behind it needs is not worth holding.
    if (given && nested === 0) want(block);
    else block.position = -1;
  } else if (block.spilled !== null) {
    const bytes = block.spilled;
    occupy(block, allocateChunk(block.bytes, block.op));
    U8.set(bytes, block.ptr);
    block.spilled = null;
    if (!block.recurring) restoredBytes += block.bytes;
    block.recurring = true;
  } else if (block.bytes <= 4 && block.fate !== "disposed") {
    occupy(block, allocateChunk(block.bytes, block.op));
    I32[block.ptr >>> 2] = block.scalarBits;
    block.fate = null;
  } else {
    throw new DisposedError(describeFate(block));
  }
}

/** Positions of results that were read after their pass, with their sizes and the last such pass. */
const wanted = new Map<number, { bytes: number; pass: number }>();

const want = (block: Block): void => void wanted.set(block.position, { bytes: block.bytes, pass });

/** Whether a result has been consumed and its bytes are computed again when somebody reads them. */
export const hasGivenUp = (block: Block): boolean => block.recipe !== null && block.position >= 0;

/** Whether a consumed result need not be held: nobody else needs it, and at this position nobody has read one lately. */
export function mayGiveUp(block: Block, position: number): boolean {
  if (block.retired !== RETIRED_RESULT || block.chunk === null || block.bytes <= SMALL) return false;
  if (block.kept || block.pins > 0 || block.recorded > 0 || block.version > 0) return false;
  block.position = position;
  const last = wanted.get(position);
  return last === undefined || last.bytes !== block.bytes || pass - last.pass > WANTED_PASSES;
}

/** A consumed result's memory is used again at once; `recipe` computes it when it is read before the next pass. */
export function giveUp(block: Block, position: number, recipe: () => void): void {
  vacate(block);
  block.recipe = recipe;
  block.home = null;
  block.position = position;
}

/** @throws DisposedError when the block's bytes are gone for good. */
export function assertReadable(block: Block): void {
  if (block.fate !== null && (block.bytes > 4 || block.fate === "disposed"))
    throw new DisposedError(describeFate(block));
}

function describeFate(block: Block): string {
  const what = `${block.op}: this tensor's memory`;
  switch (block.fate) {
    case "disposed":
      return `${what} was given back by dispose(); make a clone() first if you still need its values`;
    case "scope":
      return `${what} was given back when scope() ended; return it from the scope, or call keep() or clone() on it inside`;
    case "consumed":
      return (
        `${what} was used again: its graph was consumed by backward(), and its values stay readable only until the ` +
        "next backward(); call keep() on it before, or clone() it"
      );
    default:
      return (
        `${what} was used again under memory pressure, as it had not been used for long; ` +
        "call keep() on a result that you need for long, or clone() it"
      );
  }
}

/** Moves a resident block's bytes into JavaScript. */
function spill(block: Block): void {
  if (block.bytes > 4) block.spilled = U8.slice(block.ptr, block.ptr + block.bytes);
  vacate(block);
}

/** Makes a block give its memory back for good. */
export function free(block: Block, fate: Fate): void {
  if (block.fate !== null) return;
  // What the op that waits does beside its result (a running mean) is wanted all the same.
  if (waiting === block) settle();
  block.recipe = null;
  if (block.chunk !== null) vacate(block);
  block.spilled = null;
  block.fate = fate;
}

/** Gives back a copy that an op made on the way: at once, or with the tape's node that saved it. */
export function letGo(block: Block): void {
  if (block.pins > 0) block.owned = true;
  else free(block, "consumed");
}

function softLimit(): number {
  if (pass === 0) return SETUP_LIMIT + restoredBytes;
  const restored = Math.max(restoredBytes, largestRestored);
  const state = Math.max(stateBytes, stateBytesBefore);
  return setupBytes + state + 2 * largestStep + transientPeak + restored + SLACK;
}

/** Vacates the least recently used block; false when all that are left belong to the op under way. */
function evictOldest(lossless: boolean): boolean {
  const block = oldest;
  if (block === null || block.lastUse === clock) return false;
  const mayBeLost =
    block.kind === Kind.Result && block.pins === 0 && block.recorded === 0 && !block.setup && !block.kept;
  if (mayBeLost && !lossless && block.bytes > SMALL && clock - block.lastUse > RECENT_OPS) {
    free(block, "reclaimed");
  } else {
    spill(block);
  }
  return true;
}

function allocateChunk(bytes: number, op: string): Chunk {
  if (!(bytes <= MAX_HEAP)) throw outOfMemory(bytes, op);
  const found = tryAllocate(bytes);
  if (found !== null) return found;
  // Pressure: the heap would pass its soft limit.
  while (heapBytes() + growthFor(bytes) > softLimit() && evictOldest(false)) {
    const chunk = tryAllocate(bytes);
    if (chunk !== null) return chunk;
  }
  // The engine gives no more: what is there makes room, but nothing is lost, as the request may fail all the same.
  while (!grow(bytes)) {
    try {
      if (!evictOldest(true)) throw outOfMemory(bytes, op);
    } catch (error) {
      throw error instanceof RangeError ? outOfMemory(bytes, op) : error;
    }
    const chunk = tryAllocate(bytes);
    if (chunk !== null) return chunk;
  }
  return tryAllocate(bytes) as Chunk;
}

function outOfMemory(bytes: number, op: string): OutOfMemoryError {
  const mb = (n: number) => `${(n / 2 ** 20).toFixed(1)} MB`;
  return new OutOfMemoryError(
    `${op}: out of memory: asked for ${mb(bytes)}, ${mb(liveBytes)} in use of a heap of ${mb(heapBytes())} ` +
      "(an engine gives 4096 MB at most); use smaller batches or tensors, or dispose() of what you no longer need",
  );
}

/** A new block with memory of its own, uninitialised. */
export function allocate(bytes: number, op: string, kind: Kind): Block {
  const block = new Block(bytes, op, kind);
  if (liveBlocks >= IDLE_BLOCKS + setupBlocks) evictOldest(true);
  occupy(block, allocateChunk(bytes, op));
  if (scopeBlocks !== null) scopeBlocks.push(block);
  block.transient = inPass && kind !== Kind.State;
  return block;
}

/** Where new blocks are listed, and whether they are a backward pass's own. */
export interface Collection {
  blocks: Block[] | null;
  inPass: boolean;
}

/** Lists the blocks made from now on; returns what was in force, to be handed back in the same way. */
export function collect(next: Collection): Collection {
  settle();
  const before = { blocks: scopeBlocks, inPass };
  scopeBlocks = next.blocks;
  inPass = next.inPass;
  return before;
}

const registry =
  typeof FinalizationRegistry === "undefined"
    ? null
    : // Pins do not matter: a tape that could still run would hold a tensor of the block.
      new FinalizationRegistry<Block>((block) => free(block, "finalized"));

/** An object that all tensors of this block hold: when JavaScript collects it, the memory is given back. */
export function finalizeWith(block: Block): object | null {
  if (registry === null) return null;
  const handle = {};
  registry.register(handle, block, block);
  block.registered = true;
  return handle;
}

/** Makes a block durable (or state); it stays so. */
export function promote(block: Block, kind: Kind): void {
  if (block.kind >= kind) return;
  if (block.recipe !== null) cook(block);
  block.kind = kind;
}

/** State that is state no more (a gradient the user looked at, then dropped): as what a tape has read. */
export function demote(block: Block): void {
  if (block.kind !== Kind.State) return;
  block.kind = Kind.Data;
  if (!block.setup) retire(block, RETIRED_INPUT);
}

/** A backward() begins: what earlier passes consumed gives its memory back, unless it has been used since. */
export function beginPass(): void {
  if (pass === 0) {
    setupBytes = liveBytes;
    setupBlocks = liveBlocks;
  } else largestRestored = Math.max(largestRestored, restoredBytes);
  pass++;
  restoredBytes = 0;
  stepBytes = 0;
  stateBytesBefore = stateBytes;
  stateBytes = 0;
  const due = retiredNow;
  retiredNow = [];
  const small: Block[] = [];
  for (const block of due) {
    const how = block.retired;
    block.retired = NOT_RETIRED;
    if (hasGivenUp(block)) {
      free(block, "consumed");
      continue;
    }
    if (block.chunk === null || block.kind === Kind.State || block.kept) continue;
    // A tape that has not run needs it, and may never run: it is retired again when that tape lets go of it.
    if (block.pins > 0) continue;
    if (block.lastUse > lastPassClock) {
      if (block.position >= 0) want(block);
      retire(block, how);
    } else if (how === RETIRED_INPUT) spill(block);
    else if (block.bytes <= SMALL) small.push(block);
    else free(block, "consumed");
  }
  if (small.length > 0) retiredSmall.push({ pass, blocks: small });
  while (retiredSmall.length > 0 && retiredSmall[0].pass <= pass - LONG_PASSES) {
    for (const block of (retiredSmall.shift() as { blocks: Block[] }).blocks) {
      if (block.pins === 0 && block.kind === Kind.Result && !block.kept && block.retired === NOT_RETIRED) {
        // Outputs collected over an epoch with detach() are still there at its end.
        if (!block.detached) free(block, "consumed");
        else if (block.chunk !== null) spill(block);
      }
    }
  }
}

/** A backward() has ended. */
export function endPass(): void {
  if (stepBytes > largestStep) largestStep = stepBytes;
  lastPassClock = clock;
  clock++;
}

/** Counts the highest use of temporary gradients during a pass. */
export function noteTransient(bytes: number): void {
  if (bytes > transientPeak) transientPeak = bytes;
}

export const currentLiveBytes = (): number => liveBytes;

function countStep(block: Block): void {
  if (block.countedPass === pass || block.setup || block.kind === Kind.State) return;
  block.countedPass = pass;
  stepBytes += block.bytes;
}

function retire(block: Block, how: Retired): void {
  if (block.retired === NOT_RETIRED) retiredNow.push(block);
  if (block.retired !== RETIRED_RESULT) block.retired = how;
}

/** The result of an op whose tape node has run. */
export function consumeResult(block: Block): void {
  if (block.kind === Kind.Result) {
    if (block.setup) {
      block.setup = false;
      setupBytes -= block.bytes;
    }
    retire(block, RETIRED_RESULT);
  }
  countStep(block);
}

/** What the tape had read but not made: a batch, a mask. Nobody knows whether it is wanted again, so it is spilled. */
export function consumeInput(block: Block): void {
  if (block.setup || block.recurring || block.kind === Kind.State) return;
  countStep(block);
  retire(block, RETIRED_INPUT);
}

/**
 * Runs fn and gives back at once what was made inside, but what `survivors(result)` names and what is state or kept.
 */
export function withScope<T>(fn: () => T, survivors: (result: T) => Set<Block>): T {
  const mine: Block[] = [];
  const outer = collect({ blocks: mine, inPass: false });
  let keep: Set<Block> | null = null;
  try {
    const result = fn();
    keep = survivors(result);
    return result;
  } finally {
    collect(outer);
    // What is computed again may need what is about to go.
    for (const block of keep ?? []) if (hasGivenUp(block)) cook(block);
    for (const block of mine) {
      if (keep?.has(block) || block.kind === Kind.State || block.kept) outer.blocks?.push(block);
      else free(block, "scope");
    }
  }
}

/** State of the heap, in bytes. */
export interface MemoryInfo {
  /** Tensors' blocks in the heap; views of one tensor share one block. */
  liveTensors: number;
  liveBytes: number;
  /** The highest liveBytes so far. */
  peakBytes: number;
  /** What the heap has taken from the engine; a WebAssembly memory never shrinks. */
  heapBytes: number;
}

/** How much memory tensors use. */
export function memory(): MemoryInfo {
  settle();
  return { liveTensors: liveBlocks, liveBytes, peakBytes, heapBytes: heapBytes() };
}
