/** Modules that hold modules. */
import { ArgumentError, IndexError } from "../errors.js";
import { Module, moduleEntries } from "./module.js";

function checkModule(value: unknown, where: string): asserts value is Module {
  if (!(value instanceof Module)) {
    throw new ArgumentError(`${where}: expected a Module, found ${value === null ? "null" : typeof value}`);
  }
}

/** The modules under the names "0", "1" …, which PyTorch's state dicts use too. */
abstract class IndexedModules extends Module implements Iterable<Module> {
  /** PyTorch's `net[0]`; undefined where there is none. `at` counts from the end, too, and throws. */
  [index: number]: Module;

  /** How many there are. */
  override get length(): number {
    return this.list().length;
  }

  /** A module that stands in several places (one activation, used again and again) is several of these. */
  private list(): Module[] {
    return [...moduleEntries(this)].map(([, module]) => module);
  }

  /** The module at an index, from the end when negative. @throws IndexError when there is none. */
  at(index: number): Module {
    const found = this.list().at(index);
    if (found === undefined || !Number.isInteger(index)) {
      throw new IndexError(`${this.constructor.name}: index ${index} is out of range for ${this.length} modules`);
    }
    return found;
  }

  /** Adds a module at the end. Returns itself. */
  append(module: Module): this {
    const position = Object.keys(this).filter((key) => /^\d+$/.test(key)).length;
    checkModule(module, `${this.constructor.name}: module ${position}`);
    this.addModule(String(position), module);
    return this;
  }

  [Symbol.iterator](): Iterator<Module> {
    return this.list()[Symbol.iterator]();
  }
}

/** Calls its modules one after the other. */
export class Sequential extends IndexedModules {
  /** @param modules in order; or one object of them by name */
  constructor(...modules: Module[] | [Record<string, Module>]) {
    super();
    const [first] = modules;
    if (modules.length === 1 && !(first instanceof Module) && first !== null && typeof first === "object") {
      for (const [name, module] of Object.entries(first as Record<string, Module>)) {
        checkModule(module, `Sequential: ${name}`);
        this.addModule(name, module);
      }
    } else for (const module of modules as Module[]) this.append(module);
  }

  forward(x: any): any {
    for (const module of this) x = module(x);
    return x;
  }
}

/** A list of modules: registered, iterable, not callable. */
export class ModuleList extends IndexedModules {
  constructor(modules: Iterable<Module> = []) {
    super();
    for (const module of modules) this.append(module);
  }

  /** Adds modules at the end. Returns itself. */
  extend(modules: Iterable<Module>): this {
    for (const module of modules) this.append(module);
    return this;
  }

  forward(): never {
    throw new ArgumentError("ModuleList: it has no forward; call the modules in it");
  }
}

/** Modules by name: registered, iterable, not callable. */
export class ModuleDict extends Module implements Iterable<string> {
  constructor(modules: Record<string, Module> | Iterable<[string, Module]> = {}) {
    super();
    const entries = Symbol.iterator in modules ? modules : Object.entries(modules as Record<string, Module>);
    for (const [name, module] of entries as Iterable<[string, Module]>) this.set(name, module);
  }

  /** How many there are. */
  override get length(): number {
    return [...this.keys()].length;
  }

  /** The module of a name. @throws IndexError when there is none. */
  get(name: string): Module {
    for (const [key, module] of moduleEntries(this)) if (key === name) return module;
    throw new IndexError(`ModuleDict: no module ${JSON.stringify(name)}; there are: ${[...this.keys()].join(", ")}`);
  }

  /** Adds a module, or replaces the one of that name. Returns itself. */
  set(name: string, module: Module): this {
    checkModule(module, `ModuleDict: ${name}`);
    if (name in this && !this.has(name)) {
      throw new ArgumentError(
        `ModuleDict: ${JSON.stringify(name)} cannot be a name: a ModuleDict has an attribute of it`,
      );
    }
    this.addModule(name, module);
    return this;
  }

  /** Whether there is a module of that name. */
  has(name: string): boolean {
    return [...this.keys()].includes(name);
  }

  *keys(): Generator<string> {
    for (const [name] of moduleEntries(this)) yield name;
  }

  *values(): Generator<Module> {
    for (const [, module] of moduleEntries(this)) yield module;
  }

  *entries(): Generator<[string, Module]> {
    yield* moduleEntries(this);
  }

  [Symbol.iterator](): Iterator<string> {
    return this.keys();
  }

  forward(): never {
    throw new ArgumentError("ModuleDict: it has no forward; call the modules in it");
  }
}
