/** Scratch memory for one kernel call: packed panels, sort keys. It grows to the largest request and stays. */
import { Kind } from "./storage.js";
import { Tensor } from "./tensor.js";

let held: Tensor | null = null;

/**
 * The address of at least `bytes` bytes, aligned to 64, with undefined contents; good until the next op. Ask for it
 * before reading the addresses of operands.
 */
export function workspace(bytes: number): number {
  if (held === null || held.numel() < bytes) {
    held?.dispose();
    held = Tensor.allocateDurable([Math.max(bytes, 65536)], "uint8", "workspace", Kind.State).keep();
  }
  return held.ptr;
}
