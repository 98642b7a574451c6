/**
 * The errors lanegrad throws. Each message starts with the op or argument it is about, gives the values found, and says
 * what to do. Nothing is half-changed when one of these is thrown.
 */
import type { Anomaly } from "./anomaly.js";

/** Base of all of lanegrad's own errors: `catch (e) { if (e instanceof LanegradError) … }`. */
export class LanegradError extends Error {
  override name = "LanegradError";
}

/** Shapes, sizes or dims that do not fit together. */
export class ShapeError extends LanegradError {
  override name = "ShapeError";
}

/** An element type that the operation does not take. */
export class DTypeError extends LanegradError {
  override name = "DTypeError";
}

/** An index, class target or option outside its range. */
export class IndexError extends LanegradError {
  override name = "IndexError";
}

/** An option or argument with a value that makes no sense. */
export class ArgumentError extends LanegradError {
  override name = "ArgumentError";
}

/** A tensor whose memory has been given back, by `dispose()`, `scope()`, `backward()` or under memory pressure. */
export class DisposedError extends LanegradError {
  override name = "DisposedError";
}

/** A backward pass that cannot run: freed graph, non-scalar loss, a saved tensor changed in place. */
export class AutogradError extends LanegradError {
  override name = "AutogradError";
}

/** The heap cannot hold what was asked for. */
export class OutOfMemoryError extends LanegradError {
  override name = "OutOfMemoryError";
}

/** NaN or infinity where the caller asked for an error. */
export class NonFiniteError extends LanegradError {
  override name = "NonFiniteError";

  constructor(
    message: string,
    /** Where it first appeared, when `autograd.detectAnomaly` found it. */
    readonly anomaly: Anomaly | null = null,
  ) {
    super(message);
  }
}

/** A state dict whose keys or shapes are not the module's or optimizer's. */
export class StateDictError extends LanegradError {
  override name = "StateDictError";
}

/** A data file that is not what it claims to be. */
export class DataError extends LanegradError {
  override name = "DataError";
}

/** Threads cannot be had here, or one has failed. */
export class ThreadError extends LanegradError {
  override name = "ThreadError";
}
