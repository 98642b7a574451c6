/**
 * What goes between a page and its worker. Every message is an object with the field `lanegrad`, so that a program may send
 * messages of its own over the same worker; both sides pass over what is not theirs.
 */
import { transferList } from "./transfer.js";

/** From the page: to the worker as a whole, or to the job of this id. */
export type Request =
  | { lanegrad: "hello" }
  | { lanegrad: "run"; id: number; name: string; options: unknown }
  | { lanegrad: "cancel" | "pause" | "resume"; id: number };

/** From the worker. "ready" says that requests are heard: before it they could be lost, as a module is still loading. */
export type Reply =
  | { lanegrad: "ready" }
  | { lanegrad: "report"; id: number; event: unknown }
  | { lanegrad: "done"; id: number; result: unknown }
  | { lanegrad: "failed"; id: number; error: ErrorRecord };

/** An error on its way. Structured cloning turns every class but JavaScript's own into a plain `Error`, and drops its name. */
export interface ErrorRecord {
  name: string;
  message: string;
  stack?: string;
  cause?: ErrorRecord;
}

/** Whatever was thrown; JavaScript lets that be no error at all. */
export function recordError(thrown: unknown): ErrorRecord {
  if (!(thrown instanceof Error || thrown instanceof DOMException)) {
    return { name: "Error", message: `thrown in the worker, and no Error: ${String(thrown)}` };
  }
  const { name, message, stack, cause } = thrown as Error;
  return { name, message, stack, ...(cause instanceof Error && { cause: recordError(cause) }) };
}

/** JavaScript's own classes are made again, so that `instanceof RangeError` holds on the page as it did in the worker. */
const BUILT_IN: Record<string, ErrorConstructor> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** The error as it was thrown: its name, message and stack; of other classes than JavaScript's own it is an `Error` of their name. */
export function reviveError({ name, message, stack, cause }: ErrorRecord): Error {
  if (name === "AbortError") return abortError(message);
  const Class = BUILT_IN[name] ?? Error;
  const error = cause === undefined ? new Class(message) : new Class(message, { cause: reviveError(cause) });
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (stack !== undefined) error.stack = stack;
  return error;
}

/** What a cancelled job throws, on both sides. */
export const abortError = (message = "the job was cancelled"): DOMException => new DOMException(message, "AbortError");

/** A worker or port as browsers have it, or as Node does; Node's MessagePort is both. */
export interface Port {
  postMessage(message: unknown, transfer: readonly Transferable[]): void;
  addEventListener?(type: string, listener: (event: any) => void): void;
  on?(type: string, listener: (value: any) => void): void;
  start?(): void;
}

/** Calls the listener with each message's data. */
export function listen(port: Port, type: "message" | "error" | "messageerror" | "exit", listener: (data: any) => void) {
  if (port.on !== undefined) port.on(type, listener);
  else port.addEventListener?.(type, (event) => listener(type === "message" ? event.data : event));
  if (type === "message") port.start?.();
}

/**
 * Where in plain arrays and objects a tensor is, as a path; null for nowhere. Cloning would take it apart without a word, and the
 * other side has another heap.
 */
function findTensor(value: unknown, path = ""): string | null {
  if (typeof value !== "object" || value === null) return null;
  if (typeof (value as { toTypedArray?: unknown }).toTypedArray === "function") return path;
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (!plain) return null;
  for (const [key, item] of Object.entries(value)) {
    const found = findTensor(item, `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}

/**
 * Posts a message; the buffers that `transfer()` named in `value` move.
 *
 * @throws TypeError that says what to do where a value cannot be sent
 */
export function post(port: Port, message: Request | Reply, value: unknown, what: string): void {
  const fail = (why: string, cause?: unknown): never => {
    const cure = "send numbers, strings, plain objects and typed arrays: of a tensor its toTypedArray() and shape";
    throw new TypeError(`${what} cannot be sent between threads (${why}); ${cure}`, { cause });
  };
  const tensor = findTensor(value);
  if (tensor !== null) fail(tensor === "" ? "it is a tensor" : `its ${tensor} is a tensor`);
  try {
    port.postMessage(message, transferList(value));
  } catch (error) {
    fail((error as Error).message, error);
  }
}
