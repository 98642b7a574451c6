/** `scope(fn)`: give back at once what fn made and does not return. */

import { checkFunction, refusePromise } from "./grad-mode.js";
import type { Node } from "./node.js";
import { type Block, withScope } from "./storage.js";
import { Tensor } from "./tensor.js";

/** Calls visit with every tensor in value: a tensor, or arrays, maps, sets and plain objects of them. */
export function visitTensors(value: unknown, visit: (t: Tensor) => void, seen = new Set<unknown>()): void {
  if (value instanceof Tensor) {
    visit(value);
    return;
  }
  if (value === null || typeof value !== "object" || ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map) for (const item of value.values()) visitTensors(item, visit, seen);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) visitTensors(item, visit, seen);
  else for (const item of Object.values(value)) visitTensors(item, visit, seen);
}

/** The blocks that result holds, and those its tape needs to run. */
function heldBlocks(result: unknown): Set<Block> {
  const held = new Set<Block>();
  const nodes = new Set<Node>();
  const stack: Node[] = [];
  const push = (node: Node | null) => {
    if (node !== null && !nodes.has(node)) {
      nodes.add(node);
      stack.push(node);
    }
  };
  visitTensors(result, (t) => {
    held.add(t.block);
    push(t.gradFn);
  });
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (const t of node.saved ?? []) if (t) held.add(t.block);
    for (const { block } of node.outputs) held.add(block);
    for (const t of node.inputs) {
      if (t === null) continue;
      held.add(t.block);
      push(t.gradFn);
    }
  }
  return held;
}

/**
 * Runs fn and returns what it returns; all tensors made inside give their memory back at once, but those returned (a
 * tensor, or arrays and objects of them, with what their backward() needs), parameters, gradients, optimizer state, and
 * what was marked with `keep()`. Never needed for correctness: it holds the heap's peak down where much is computed on
 * the side.
 */
export function scope<T>(fn: () => T): T {
  checkFunction(fn, "scope");
  return withScope(() => {
    const result = fn();
    refusePromise(result, "scope");
    return result;
  }, heldBlocks);
}
