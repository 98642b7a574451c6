/** Objects that can be called: modules, losses, transforms. */

/**
 * Base of classes whose instances are functions: `net(x)` calls `net.invoke(x)`. The instance is an arrow function whose
 * prototype is the class's, so methods and fields are as usual, and `instanceof` works.
 */
export abstract class Callable {
  constructor() {
    const self = (...args: unknown[]): unknown => (self as unknown as Callable).invoke(...args);
    // A function's own name and length would shadow fields of these names and could not be assigned.
    delete (self as { name?: unknown }).name;
    delete (self as { length?: unknown }).length;
    // biome-ignore lint/correctness/noConstructorReturn: returning the function is the point
    return Object.setPrototypeOf(self, new.target.prototype);
  }

  /** @internal What calling the object does. */
  abstract invoke(...args: any[]): any;
}
