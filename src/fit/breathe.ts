/** Giving way: training is one long computation, and timers, input and rendering need a turn of the event loop now and then. */

interface Hosts {
  setImmediate?: (fn: () => void) => unknown;
}

/**
 * Resolves after a turn of the event loop, in which whatever waited before was heard: messages and timers as well.
 *
 * Not by `scheduler.yield()`: what follows that goes before everything of ordinary priority that waits, so a loop which yields
 * again and again would never let a message in, such as the one that cancels it.
 */
export function turn(): Promise<void> {
  const { setImmediate } = globalThis as Hosts;
  if (setImmediate !== undefined) return new Promise((resolve) => setImmediate(resolve));
  // Nested timeouts wait 4 ms at least in browsers; messages do not.
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Says when a turn is due. */
export class Breath {
  private last = performance.now();

  constructor(private readonly milliseconds: number) {}

  get due(): boolean {
    return performance.now() - this.last >= this.milliseconds;
  }

  async take(): Promise<void> {
    await turn();
    this.last = performance.now();
  }
}
