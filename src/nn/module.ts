/** Module: the base of all layers and networks, as torch.nn.Module. */
import { withinModule } from "../anomaly.js";
import { checkOptions, isOptions, show } from "../arguments.js";
import { Callable } from "../callable.js";
import { ArgumentError, StateDictError } from "../errors.js";
import { isAnomalyMode, isGradEnabled, noGrad } from "../grad-mode.js";
import { formatShape, sameShape } from "../shape.js";
import { assertReadable, Kind, promote } from "../storage.js";
import { Tensor } from "../tensor.js";
import {
  BackwardBoundary,
  type BackwardHook,
  type ForwardHook,
  type ForwardPreHook,
  type HookHandle,
  type Hooks,
  withHook,
  withoutHook,
} from "./hooks.js";
import { Parameter } from "./parameter.js";

/** Named tensors, by PyTorch's keys: `fc1.weight`, `0.bias`. */
export type StateDict = Record<string, Tensor>;

/** Fields that are the module's own books; kept out of its enumerable properties. */
interface Books {
  buffers: Map<string, { value: Tensor | null; persistent: boolean }>;
  hooks: Hooks | null;
}

const books = new WeakMap<Module, Books>();
const booksOf = (module: Module): Books => books.get(module) as Books;

export interface Module {
  /** Runs the hooks and `forward`. */
  <Output = Tensor>(...inputs: any[]): Output;
}

/**
 * A layer or network. Subclass it, assign Parameters and Modules to fields in the constructor (they register themselves,
 * in the order of assignment), and define `forward`; then call the instance: `net(x)`.
 */
export abstract class Module extends Callable {
  /** Whether the module is in training mode (dropout drops, batch norm uses the batch's statistics). */
  training = true;

  constructor() {
    super();
    books.set(this, { buffers: new Map(), hooks: null });
  }

  abstract forward(...inputs: any[]): any;

  /** @internal */
  override invoke(...inputs: any[]): any {
    const { hooks } = booksOf(this);
    if (typeof this.forward !== "function") {
      throw new ArgumentError(`${moduleName(this)}: it has no forward; define forward(…) in the class`);
    }
    if (isAnomalyMode()) {
      return withinModule(this, () => (hooks === null ? this.forward(...inputs) : this.runHooked(hooks, inputs)));
    }
    return hooks === null ? this.forward(...inputs) : this.runHooked(hooks, inputs);
  }

  private runHooked(hooks: Hooks, inputs: any[]): any {
    for (const hook of hooks.before) {
      const replaced = hook(this, inputs);
      if (replaced !== undefined) inputs = Array.isArray(replaced) ? replaced : [replaced];
    }
    const boundary = hooks.backward.length > 0 && isGradEnabled() ? new BackwardBoundary(this, hooks.backward) : null;
    const entered = boundary === null ? inputs : boundary.enter(inputs);
    let output = this.forward(...entered);
    for (const hook of hooks.forward) {
      const replaced = hook(this, inputs, output);
      if (replaced !== undefined) output = replaced;
    }
    return boundary === null ? output : boundary.leave(output);
  }

  /**
   * Calls hook(module, inputs) before every forward; a value it returns replaces the inputs, a list all of them, anything else
   * the only one.
   */
  registerForwardPreHook(hook: ForwardPreHook): HookHandle {
    return addHook(this, "before", hook);
  }

  /** Calls hook(module, inputs, output) after every forward; a value it returns replaces the output. */
  registerForwardHook(hook: ForwardHook): HookHandle {
    return addHook(this, "forward", hook);
  }

  /**
   * Calls hook(module, gradInput, gradOutput) whenever the gradients of the module's inputs have been computed; gradients
   * it returns replace gradInput.
   */
  registerFullBackwardHook(hook: BackwardHook): HookHandle {
    return addHook(this, "backward", hook);
  }

  /** Registers a tensor that is state but not learned (a running mean); reachable as a field of that name. */
  registerBuffer(name: string, value: Tensor | null, options: { persistent?: boolean } = {}): void {
    if (name === "" || name.includes(".")) {
      throw new ArgumentError(
        `registerBuffer: ${JSON.stringify(name)} cannot be a buffer's name (empty, or has a dot)`,
      );
    }
    if (value !== null && !(value instanceof Tensor)) {
      throw new TypeError(
        `${moduleName(this)}: ${name} must be a Tensor or null, found ${show(value)}; wrap data in tensor(…)`,
      );
    }
    const { buffers } = booksOf(this);
    if (name in this && !buffers.has(name)) {
      throw new ArgumentError(`registerBuffer: the module has an attribute ${JSON.stringify(name)} already`);
    }
    buffers.set(name, { value, persistent: options.persistent ?? true });
    if (value !== null) promote(value.block, Kind.State);
    Object.defineProperty(this, name, {
      configurable: true,
      enumerable: false,
      get: () => buffers.get(name)?.value ?? null,
      set: (next: Tensor | null) => {
        if (next !== null && !(next instanceof Tensor)) {
          throw new TypeError(
            `${moduleName(this)}: cannot assign ${show(next)} to the buffer ${name}; expected a Tensor or null`,
          );
        }
        if (next !== null) promote(next.block, Kind.State);
        buffers.set(name, { value: next, persistent: buffers.get(name)?.persistent ?? true });
      },
    });
  }

  /** Registers a Parameter under a name that need not be a field known to TypeScript. */
  registerParameter(name: string, value: Parameter | null): void {
    Reflect.set(this, name, value);
  }

  /** Registers a Module under a name. */
  addModule(name: string, module: Module): void {
    Reflect.set(this, name, module);
  }

  /** The modules that are fields of this one, each once, with their names. */
  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const [name, module] of moduleEntries(this)) {
      if (!seen.has(module)) {
        seen.add(module);
        yield [name, module];
      }
    }
  }

  /** The modules that are fields of this one. */
  *children(): Generator<Module> {
    for (const [, module] of this.namedChildren()) yield module;
  }

  /** This module (as "") and all modules below it, each once, with their dotted paths. */
  *namedModules(prefix = "", seen = new Set<Module>()): Generator<[string, Module]> {
    if (seen.has(this)) return;
    seen.add(this);
    yield [prefix, this];
    for (const [name, child] of this.namedChildren()) yield* child.namedModules(join(prefix, name), seen);
  }

  /** This module and all modules below it, each once. */
  *modules(): Generator<Module> {
    for (const [, module] of this.namedModules()) yield module;
  }

  /** All parameters with their dotted names; one shared by two modules comes once, under its first name. */
  *namedParameters(): Generator<[string, Parameter]> {
    const seen = new Set<Parameter>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of ownParameters(module)) {
        if (!seen.has(value)) {
          seen.add(value);
          yield [join(prefix, name), value];
        }
      }
    }
  }

  /** All parameters, for an optimizer; each once. */
  parameters(): Parameter[] {
    const found = new Set<Parameter>();
    collectParameters(this, found, new Set());
    return [...found];
  }

  /** All buffers with their dotted names. */
  *namedBuffers(): Generator<[string, Tensor]> {
    const seen = new Set<Tensor>();
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, { value }] of booksOf(module).buffers) {
        if (value !== null && !seen.has(value)) {
          seen.add(value);
          yield [join(prefix, name), value];
        }
      }
    }
  }

  /** All buffers. */
  buffers(): Tensor[] {
    return Array.from(this.namedBuffers(), ([, buffer]) => buffer);
  }

  /** Sets training mode here and in all modules below. Returns itself. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Sets evaluation mode: `train(false)`. */
  eval(): this {
    return this.train(false);
  }

  /** Sets `requiresGrad` of all parameters: false freezes them. */
  requiresGrad_(value = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad = value;
    return this;
  }

  /** Forgets the gradients of all parameters (or fills them with zeros, with `setToNone: false`). */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    zeroGradients(this.parameters(), options);
  }

  /** Calls fn with every module below, then with this one. Returns itself. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }

  /**
   * Parameters and persistent buffers by dotted name. The tensors share the module's memory, so they follow further
   * training: `clone()` what is to be kept.
   */
  stateDict(): StateDict {
    const dict: StateDict = {};
    for (const [name, tensor] of stateEntries(this)) dict[name] = tensor.detach();
    return dict;
  }

  /**
   * Copies values into parameters and buffers. Everything is checked before anything is changed.
   *
   * @param options.strict refuse missing and unexpected keys (default true)
   * @returns the keys that were missing and unexpected
   * @throws StateDictError naming all keys that are missing, unexpected or of another shape
   */
  loadStateDict(
    dict: Record<string, Tensor>,
    options: { strict?: boolean } | boolean = {},
  ): { missingKeys: string[]; unexpectedKeys: string[] } {
    if (!isOptions(dict)) {
      throw new StateDictError(
        `loadStateDict: ${moduleName(this)}: expected an object of tensors by name, as stateDict() gives, found ${show(dict)}`,
      );
    }
    if (typeof options === "object") checkOptions("loadStateDict", options, ["strict"]);
    const strict = typeof options === "boolean" ? options : (options.strict ?? true);
    const entries = new Map(stateEntries(this));
    const missingKeys = [...entries.keys()].filter((key) => !Object.hasOwn(dict, key));
    const unexpectedKeys = Object.keys(dict).filter((key) => !entries.has(key));
    const problems: string[] = [];
    if (strict && missingKeys.length > 0) problems.push(`missing keys: ${missingKeys.join(", ")}`);
    if (strict && unexpectedKeys.length > 0) problems.push(`unexpected keys: ${unexpectedKeys.join(", ")}`);
    for (const [key, target] of entries) {
      if (!Object.hasOwn(dict, key)) continue;
      const source = dict[key];
      if (!(source instanceof Tensor)) problems.push(`${key}: expected a Tensor, found ${typeof source}`);
      else if (!sameShape(source.shape, target.shape)) {
        problems.push(
          `${key}: shape ${formatShape(source.shape)} in the state dict, ${formatShape(target.shape)} in the module`,
        );
      }
    }
    if (problems.length > 0) {
      throw new StateDictError(`loadStateDict: ${moduleName(this)}:\n  ${problems.join("\n  ")}`);
    }
    const loaded = [...entries].filter(([key]) => Object.hasOwn(dict, key));
    for (const [key] of loaded) assertReadable(dict[key].block);
    noGrad(() => {
      for (const [key, target] of loaded) target.copy_(dict[key]);
    });
    return { missingKeys, unexpectedKeys };
  }

  /** What stands between the parentheses when the module is printed. */
  extraRepr(): string {
    return "";
  }

  /** The module as PyTorch prints it: its children, indented, with their names. */
  override toString(): string {
    const lines = Array.from(
      moduleEntries(this),
      ([name, child]) => `  (${name}): ${child.toString().replaceAll("\n", "\n  ")}`,
    );
    const extra = this.extraRepr();
    if (lines.length === 0) return `${moduleName(this)}(${extra})`;
    return `${moduleName(this)}(\n${extra === "" ? "" : `  ${extra}\n`}${lines.join("\n")}\n)`;
  }

  /** @internal What Node's console.log shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/** Where a module keeps the parameters that are guarded, by name. */
const GUARDED = Symbol("parameters");
type Guarded = Module & { [GUARDED]?: Record<string, Parameter | null> };
const guards = new Map<string, PropertyDescriptor>();

/** The property that holds a parameter: whatever is no parameter is refused there. One for all modules, so that their shapes agree. */
function guardOf(name: string): PropertyDescriptor {
  let guard = guards.get(name);
  if (guard === undefined) {
    guard = {
      configurable: true,
      enumerable: true,
      get(this: Guarded) {
        return this[GUARDED]?.[name];
      },
      set(this: Guarded, value: unknown) {
        if (value !== null && value !== undefined && !(value instanceof Parameter)) {
          throw new TypeError(
            `${moduleName(this)}: cannot assign ${show(value)} to the parameter ${name}, which would no longer be learned; wrap it ` +
              `in new nn.Parameter(…), or write its values: noGrad(() => module.${name}.copy_(…))`,
          );
        }
        (this[GUARDED] as Record<string, unknown>)[name] = value;
      },
    };
    guards.set(name, guard);
  }
  return guard;
}

function guard(module: Guarded, name: string, value: Parameter): void {
  if (module[GUARDED] === undefined) Object.defineProperty(module, GUARDED, { value: {} });
  const values = module[GUARDED] as Record<string, Parameter>;
  if (name in values) return;
  values[name] = value;
  Object.defineProperty(module, name, guardOf(name));
}

/**
 * From now on the fields that are parameters take parameters and null only, as in PyTorch: a plain tensor would silently not
 * be learned. Layers call it when they are made; other modules' parameters are guarded when they are first listed.
 */
export function guardParameters(module: Module): void {
  for (const _ of ownParameters(module));
}

const join = (prefix: string, name: string): string => (prefix === "" ? name : `${prefix}.${name}`);

const moduleName = (module: Module): string => module.constructor.name;

function* ownParameters(module: Module): Generator<[string, Parameter]> {
  for (const [name, value] of Object.entries(module)) {
    if (!(value instanceof Parameter)) continue;
    guard(module, name, value);
    yield [name, value];
  }
}

/** What namedParameters() yields, without names: clipping asks for it in every step, and generators would cost as much. */
function collectParameters(module: Module, found: Set<Parameter>, seen: Set<Module>): void {
  seen.add(module);
  const names = Object.keys(module);
  const fields = module as unknown as Record<string, unknown>;
  let children: Module[] | null = null;
  for (let i = 0; i < names.length; i++) {
    const value = fields[names[i]];
    if (value instanceof Parameter) {
      guard(module, names[i], value);
      found.add(value);
    } else if (typeof value === "function" && value instanceof Module && !seen.has(value)) {
      children ??= [];
      children.push(value);
    }
  }
  if (children !== null) for (const child of children) if (!seen.has(child)) collectParameters(child, found, seen);
}

/** A module's fields that are modules, one that stands in several fields under each of their names. */
export function* moduleEntries(module: Module): Generator<[string, Module]> {
  for (const [name, value] of Object.entries(module)) if (value instanceof Module) yield [name, value];
}

/** In PyTorch's order, and shared tensors under each of their names. */
function* stateEntries(module: Module, prefix = ""): Generator<[string, Tensor]> {
  for (const [name, value] of ownParameters(module)) yield [join(prefix, name), value];
  for (const [name, { value, persistent }] of booksOf(module).buffers) {
    if (value !== null && persistent) yield [join(prefix, name), value];
  }
  for (const [name, child] of moduleEntries(module)) yield* stateEntries(child, join(prefix, name));
}

/** Forgets gradients, or fills them with zeros. */
export function zeroGradients(parameters: Iterable<Tensor>, options: { setToNone?: boolean }): void {
  for (const parameter of parameters) {
    if (options.setToNone ?? true) parameter.grad = null;
    else if (parameter.gradTensor !== null) noGrad(() => parameter.gradTensor?.zero_());
  }
}

function addHook(module: Module, kind: keyof Hooks, hook: unknown): HookHandle {
  if (typeof hook !== "function") {
    throw new TypeError(`${moduleName(module)}: a hook must be a function, found ${show(hook)}`);
  }
  const own = booksOf(module);
  own.hooks = withHook(own.hooks, kind, hook);
  let registered = true;
  return {
    remove: () => {
      // The same function may stand there for another handle.
      if (registered) own.hooks = withoutHook(own.hooks, kind, hook);
      registered = false;
    },
  };
}
