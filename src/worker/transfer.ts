/** Moving buffers to the other thread instead of copying them. */

const marked = new WeakMap<object, readonly Transferable[]>();

/** The buffers behind typed arrays, however deep in plain arrays and objects. Shared memory is not among them: it cannot move. */
function buffersIn(
  value: unknown,
  found: Set<ArrayBuffer> = new Set(),
  seen: Set<object> = new Set(),
): Set<ArrayBuffer> {
  if (typeof value !== "object" || value === null || seen.has(value)) return found;
  seen.add(value);
  if (value instanceof ArrayBuffer) found.add(value);
  else if (ArrayBuffer.isView(value)) buffersIn(value.buffer, found, seen);
  else if (Array.isArray(value)) for (const item of value) buffersIn(item, found, seen);
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) buffersIn(item, found, seen);
  }
  return found;
}

/**
 * Says that the buffers in a value move to the other thread when the value is sent (as options, event or result of a job)
 * and cost no copy. On this side the typed arrays over them are empty afterwards.
 *
 * @param value what is sent: a typed array, or arrays and plain objects that hold some
 * @param buffers what moves; default: the buffer of every typed array in value
 * @returns value itself
 */
export function transfer<T extends object>(value: T, buffers?: readonly Transferable[]): T {
  marked.set(value, buffers ?? [...buffersIn(value)]);
  return value;
}

/** The buffers that `transfer()` named for this value. */
export const transferList = (value: unknown): readonly Transferable[] =>
  (typeof value === "object" && value !== null && marked.get(value)) || [];
