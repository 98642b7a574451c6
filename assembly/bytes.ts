/**
 * Moves and zeroes of few bytes, which indexing is made of: `memory.copy` and `memory.fill` call out of the module, which costs
 * more than the bytes do. Not exported to JavaScript.
 */

/** Below this a copy in vectors beats `memory.copy`, which calls out of the module. */
// @ts-ignore: decorator
@inline
const COPY_CALL: usize = 2048;

/** Copies any number of bytes. Rests go as one overlapping vector, so nothing is touched beyond the ends. out may be x. */
export function copy_bytes(out: usize, x: usize, bytes: usize): void {
  copy_bytes_here(out, x, bytes);
}

/** The same without the call, which for tiny rows is most of the time. */
// @ts-ignore: decorator
@inline
export function copy_bytes_here(out: usize, x: usize, bytes: usize): void {
  if (bytes >= COPY_CALL) {
    memory.copy(out, x, bytes);
  } else if (bytes >= 16) {
    const rest = bytes & 15;
    const last = v128.load(x + bytes - 16);
    const end = x + (bytes - rest);
    const lastOut = out + bytes - 16;
    do {
      v128.store(out, v128.load(x));
      out += 16;
      x += 16;
    } while (x < end);
    if (rest) v128.store(lastOut, last);
  } else if (bytes >= 8) {
    const last = load<u64>(x + bytes - 8);
    store<u64>(out, load<u64>(x));
    store<u64>(out + bytes - 8, last);
  } else if (bytes >= 4) {
    const last = load<u32>(x + bytes - 4);
    store<u32>(out, load<u32>(x));
    store<u32>(out + bytes - 4, last);
  } else {
    while (bytes > 0) {
      store<u8>(out, load<u8>(x));
      out++;
      x++;
      bytes--;
    }
  }
}

/** Zeroes any number of bytes. */
export function zero_bytes(out: usize, bytes: usize): void {
  if (bytes >= 64) {
    memory.fill(out, 0, bytes);
    return;
  }
  const end = out + bytes;
  while (out + 4 <= end) {
    store<u32>(out, 0);
    out += 4;
  }
  while (out < end) {
    store<u8>(out, 0);
    out++;
  }
}
