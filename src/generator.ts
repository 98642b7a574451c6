/**
 * PyTorch's random number generator, bit for bit: MT19937, its seeds and its state. The distributions are in random.ts.
 *
 * The default generator is made at its first use, so importing this module does nothing.
 */
import { show } from "./arguments.js";
import { ArgumentError } from "./errors.js";

/** Words of state of MT19937, and of one block of output. */
export const N = 624;
const M = 397;
/** The seed of a `new Generator()`, as in PyTorch. */
const DEFAULT_SEED = 67280421310721;
export const TWO_M24 = 2 ** -24;
const TWO_M53 = 2 ** -53;
export const TWO_32 = 2 ** 32;
/** Bytes of a generator's state in PyTorch: seed, left, seeded, next, 624 × uint64, cached normals. */
const STATE_BYTES = 5056;
const STATE_WORDS_AT = 24;
const STATE_NORMAL_AT = STATE_WORDS_AT + 8 * N;

/**
 * MT19937 with the bookkeeping of `at::CPUGeneratorImpl`.
 *
 * Words are made and tempered 624 at a time; the fill functions of random.ts read whole stretches of such a block, so that a
 * draw in a loop costs a load, not a call.
 */
export class Generator {
  /** The recurrence's state, and the same words tempered. @internal */
  private readonly state = new Int32Array(N);
  private readonly words = new Int32Array(N);
  /** Words of the block already drawn. 0 (freshly seeded) and 624 both mean that the next draw makes a new block. */
  private next = 0;
  private seedValue = 0n;
  /** Box–Muller makes two numbers; the second waits here for the next draw, even one of a later call. */
  private cachedNormal = Number.NaN;

  constructor(seed: number | bigint = DEFAULT_SEED) {
    this.manualSeed(seed);
  }

  /**
   * Starts the sequence of `seed` and forgets the cached normal. As in PyTorch the seed is taken modulo 2⁶⁴ and only
   * its low 32 bits enter MT19937, so −1 and 2³² − 1 give the same sequence.
   *
   * @throws ArgumentError unless `seed` is an integer in [−2⁶³, 2⁶⁴).
   */
  manualSeed(seed: number | bigint): this {
    if (typeof seed !== "bigint" && !Number.isInteger(seed)) {
      throw new ArgumentError(`manualSeed: expected an integer, got ${show(seed)}`);
    }
    const value = BigInt(seed);
    if (value < -(1n << 63n) || value >= 1n << 64n) {
      throw new ArgumentError(`manualSeed: ${seed} is outside [-2^63, 2^64)`);
    }
    this.seedValue = BigInt.asUintN(64, value);
    const state = this.state;
    state[0] = Number(this.seedValue & 0xffffffffn) | 0;
    for (let i = 1; i < N; i++) {
      const s = state[i - 1];
      state[i] = Math.imul(1812433253, s ^ (s >>> 30)) + i;
    }
    this.next = 0;
    this.cachedNormal = Number.NaN;
    return this;
  }

  /** Seeds with a random number and returns it. */
  seed(): number {
    const [high, low] = crypto.getRandomValues(new Uint32Array(2));
    const value = (high & 0x1fffff) * TWO_32 + low;
    this.manualSeed(value);
    return value;
  }

  /** The seed the present sequence began with: a bigint where a number cannot hold it. */
  initialSeed(): number | bigint {
    return this.seedValue <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(this.seedValue) : this.seedValue;
  }

  /** The next 32 bits, as an unsigned number. */
  random32(): number {
    const at = this.open();
    this.next = at + 1;
    return this.words[at] >>> 0;
  }

  /** The next 64 bits; the first draw is the high half. A bigint: not for loops. */
  random64(): bigint {
    const high = BigInt(this.random32());
    return (high << 32n) | BigInt(this.random32());
  }

  /** A float32 in [0, 1): the low 24 bits of one draw. */
  uniform32(): number {
    return (this.random32() & 0xffffff) * TWO_M24;
  }

  /** A double in [0, 1): the low 53 bits of two draws. */
  uniform64(): number {
    const high = this.random32();
    return ((high & 0x1fffff) * TWO_32 + this.random32()) * TWO_M53;
  }

  /** A standard normal in double precision (Box–Muller, two at a time), as PyTorch draws where it draws singly. */
  normal64(): number {
    const cached = this.cachedNormal;
    if (!Number.isNaN(cached)) {
      this.cachedNormal = Number.NaN;
      return cached;
    }
    const u1 = this.uniform64();
    const u2 = this.uniform64();
    const radius = Math.sqrt(-2 * Math.log1p(-u2));
    const theta = 2 * Math.PI * u1;
    this.cachedNormal = radius * Math.sin(theta);
    return radius * Math.cos(theta);
  }

  /** `torch.empty((), dtype=torch.int64).random_().item()`: 63 bits of two draws. */
  randomInt64(): bigint {
    return this.random64() & 0x7fffffffffffffffn;
  }

  /** Makes sure that a word is left, and says where it lies in the block. @internal */
  open(): number {
    if (this.next === 0 || this.next === N) {
      this.makeBlock();
      this.next = 0;
    }
    return this.next;
  }

  /** The block of words; read from `open()` on, then say with `close(at)` how far. @internal */
  block(): Int32Array {
    return this.words;
  }

  /** @internal */
  close(next: number): void {
    this.next = next;
  }

  /** Passes over `count` 32-bit draws. */
  skip(count: number): void {
    while (count > 0) {
      const at = this.open();
      const taken = Math.min(count, N - at);
      this.next = at + taken;
      count -= taken;
    }
  }

  /** MT19937's recurrence over the whole state, then the tempering. */
  private makeBlock(): void {
    const { state, words } = this;
    const first = state[0];
    let current = first;
    let i = 0;
    for (; i < N - M; i++) {
      const following = state[i + 1];
      const mixed = (current & 0x80000000) | (following & 0x7fffffff);
      state[i] = state[i + M] ^ (mixed >>> 1) ^ (-(following & 1) & 0x9908b0df);
      current = following;
    }
    for (; i < N - 1; i++) {
      const following = state[i + 1];
      const mixed = (current & 0x80000000) | (following & 0x7fffffff);
      state[i] = state[i + M - N] ^ (mixed >>> 1) ^ (-(following & 1) & 0x9908b0df);
      current = following;
    }
    const following = state[0];
    const mixed = (current & 0x80000000) | (following & 0x7fffffff);
    state[i] = state[M - 1] ^ (mixed >>> 1) ^ (-(following & 1) & 0x9908b0df);

    for (let j = 0; j < N; j++) {
      let y = state[j];
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      words[j] = y ^ (y >>> 18);
    }
  }

  /** The state, byte for byte what PyTorch's `generator.get_state()` gives: 5056 bytes, portable both ways. */
  getState(): Uint8Array {
    const bytes = new Uint8Array(STATE_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, this.seedValue, true);
    view.setInt32(8, this.next === 0 ? 1 : N + 1 - this.next, true); // left
    view.setInt32(12, 1, true); // seeded
    view.setInt32(16, this.next, true);
    for (let i = 0; i < N; i++) view.setUint32(STATE_WORDS_AT + 8 * i, this.state[i] >>> 0, true);
    if (!Number.isNaN(this.cachedNormal)) {
      view.setFloat64(STATE_NORMAL_AT + 8, this.cachedNormal, true);
      view.setInt32(STATE_NORMAL_AT + 24, 1, true);
    }
    return bytes;
  }

  /**
   * Continues where `getState()` was taken, here or in PyTorch.
   *
   * @throws ArgumentError when the bytes are not such a state; the generator is then unchanged.
   */
  setState(bytes: Uint8Array): this {
    if (bytes.length !== STATE_BYTES) {
      throw new ArgumentError(`setState: expected ${STATE_BYTES} bytes, got ${bytes.length}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const left = view.getInt32(8, true);
    const next = view.getInt32(16, true);
    if (next < 0 || next > N || left !== (next === 0 ? 1 : N + 1 - next) || view.getInt32(12, true) !== 1) {
      throw new ArgumentError(`setState: not a generator's state (left ${left}, next ${next})`);
    }
    this.seedValue = view.getBigUint64(0, true);
    const { state, words } = this;
    for (let i = 0; i < N; i++) {
      const y = view.getInt32(STATE_WORDS_AT + 8 * i, true);
      state[i] = y;
      words[i] = temper(y);
    }
    this.next = next;
    this.cachedNormal = view.getInt32(STATE_NORMAL_AT + 24, true)
      ? view.getFloat64(STATE_NORMAL_AT + 8, true)
      : Number.NaN;
    return this;
  }
}

let shared: Generator | undefined;

/** The generator that every function uses where none is given. Until `manualSeed` it starts from a random seed. */
export function defaultGenerator(): Generator {
  if (shared === undefined) {
    shared = new Generator(0);
    shared.seed();
  }
  return shared;
}

/** Seeds the default generator, as `torch.manual_seed`, and returns it. */
export function manualSeed(seed: number | bigint): Generator {
  shared ??= new Generator(0);
  return shared.manualSeed(seed);
}

/** The state of the default generator, as `torch.get_rng_state`: 5056 bytes. */
export const getRngState = (): Uint8Array => defaultGenerator().getState();

/**
 * Sets the state of the default generator, as `torch.set_rng_state`: what is drawn then is what was drawn after it was taken.
 *
 * @throws ArgumentError when the bytes are not such a state; nothing has then changed
 */
export function setRngState(state: Uint8Array): void {
  defaultGenerator().setState(state);
}

function temper(y: number): number {
  y ^= y >>> 11;
  y ^= (y << 7) & 0x9d2c5680;
  y ^= (y << 15) & 0xefc60000;
  return y ^ (y >>> 18);
}
