/** What all optimizers share: parameter groups, zeroGrad, state dicts. */
import { checkOptions, show } from "../arguments.js";
import { ArgumentError, StateDictError } from "../errors.js";
import type { HookHandle } from "../nn/hooks.js";
import { zeroGradients } from "../nn/module.js";
import { fill_ } from "../ops/inplace.js";
import { formatShape, sameShape } from "../shape.js";
import { assertReadable, Kind } from "../storage.js";
import { Tensor } from "../tensor.js";

/** Parameters that are updated with the same options. Options may be changed between steps: `paramGroups[0].lr = 0.01`. */
export type ParamGroup<O> = O & {
  params: Tensor[];
  /** The learning rate that schedules start from; set by the first scheduler. */
  initialLr?: number;
};

/** Parameters, or groups of them with options of their own (the others come from the defaults). */
export type Params<O> = Iterable<Tensor> | Iterable<NewGroup<O>>;

/** A group as it is given to an optimizer. */
export type NewGroup<O> = Partial<O> & { params: Iterable<Tensor> | Tensor; initialLr?: number };

/** What a step remembers of one parameter, by name: tensors and numbers. */
export type ParamState = Record<string, Tensor | number>;

export interface OptimizerStateDict<O> {
  /** By the position of the parameter, counted through all groups. */
  state: Record<string, ParamState>;
  paramGroups: (O & { params: number[]; initialLr?: number })[];
}

/** A copy of options whose lists (betas) are copies, too: groups, defaults and state dicts share none. */
function copyOptions<T extends object>(options: T): T {
  const entries = Object.entries(options).map(([name, value]) => [name, Array.isArray(value) ? [...value] : value]);
  return Object.fromEntries(entries) as T;
}

/** Called around a step, with the optimizer. */
export type StepHook = (optimizer: Optimizer<any>) => void;

function addTo(list: StepHook[], hook: StepHook): HookHandle {
  list.push(hook);
  return {
    remove: () => {
      const i = list.indexOf(hook);
      if (i >= 0) list.splice(i, 1);
    },
  };
}

/** Base of the optimizers. `O` are the options of a group. */
export abstract class Optimizer<O extends object = { lr: number }> {
  readonly paramGroups: ParamGroup<O>[] = [];
  /** What has been remembered of each parameter. */
  readonly state = new Map<Tensor, ParamState>();
  /** @internal Whether step() has run: schedulers ask, as they are to be stepped after it. */
  stepped = false;
  private readonly preHooks: StepHook[] = [];
  private readonly postHooks: StepHook[] = [];

  /** @throws ArgumentError when there is nothing to optimize, or an option is out of its range. */
  constructor(
    params: Params<O>,
    /** Options of groups that do not say otherwise. */
    readonly defaults: O,
  ) {
    if (
      params instanceof Tensor ||
      typeof (params as Partial<Iterable<unknown>> | null | undefined)?.[Symbol.iterator] !== "function"
    ) {
      const hint =
        typeof (params as { parameters?: unknown } | null | undefined)?.parameters === "function"
          ? "; did you mean net.parameters()?"
          : "";
      throw new ArgumentError(
        `${this.name}: params must be a list of tensors or of groups, found ${show(params)}${hint}`,
      );
    }
    const list: unknown[] = [...params];
    if (list.length === 0) throw new ArgumentError(`${this.name}: got an empty list of parameters`);
    if (list.every((p) => p instanceof Tensor)) this.addParamGroup({ params: list } as never);
    else for (const group of list) this.addParamGroup(group as never);
  }

  /** The class's, for messages. */
  protected get name(): string {
    return this.constructor.name;
  }

  /** @throws ArgumentError when an option is out of its range. */
  protected abstract validate(options: O): void;

  /** Adds parameters with options of their own; options left out are the optimizer's defaults. */
  addParamGroup(group: NewGroup<O>): void {
    if (group === null || typeof group !== "object" || group.params === undefined) {
      throw new ArgumentError(`${this.name}: a parameter group must be an object with params`);
    }
    checkOptions(`${this.name}: parameter group`, group, ["params", "initialLr", ...Object.keys(this.defaults)]);
    const params = group.params instanceof Tensor ? [group.params] : [...group.params];
    const options = copyOptions({ ...this.defaults, ...group, params }) as ParamGroup<O>;
    this.validate(options);
    const known = new Set(this.paramGroups.flatMap((g) => g.params));
    params.forEach((param, i) => {
      const where = `${this.name}: parameter ${i} of group ${this.paramGroups.length}`;
      if (!(param instanceof Tensor)) throw new ArgumentError(`${where} is no Tensor but ${show(param)}`);
      if (!param.isLeaf) throw new ArgumentError(`${where} is the result of an op; only leaves can be optimized`);
      if (param.dtype !== "float32") throw new ArgumentError(`${where} is ${param.dtype}, expected float32`);
      if (!param.isContiguous()) throw new ArgumentError(`${where} is not contiguous; clone() it before`);
      if (known.has(param)) throw new ArgumentError(`${where} is in another group, or twice in this one`);
      known.add(param);
    });
    this.paramGroups.push(options);
  }

  /** Forgets the gradients of all parameters (or fills them with zeros, with `setToNone: false`). */
  zeroGrad(options: { setToNone?: boolean } = {}): void {
    for (const group of this.paramGroups) zeroGradients(group.params, options);
  }

  /**
   * Updates the parameters from their gradients; those without one stay as they are.
   *
   * @param closure computes the loss anew, with zeroGrad() and backward(); step returns what it returns
   */
  step<T>(closure?: () => T): T | undefined {
    for (const hook of [...this.preHooks]) hook(this);
    const loss = closure?.();
    this.stepped = true;
    for (const group of this.paramGroups) {
      const params = group.params.filter((p) => p.gradTensor !== null);
      if (params.length === 0) continue;
      this.update(group, params);
      for (const param of params) param.block.version++;
    }
    for (const hook of [...this.postHooks]) hook(this);
    return loss;
  }

  /** Calls hook(optimizer) at the beginning of every step. */
  registerStepPreHook(hook: StepHook): HookHandle {
    return addTo(this.preHooks, hook);
  }

  /** Calls hook(optimizer) at the end of every step, when the parameters have their new values. */
  registerStepPostHook(hook: StepHook): HookHandle {
    return addTo(this.postHooks, hook);
  }

  /** One step for those parameters of a group that have gradients. */
  protected abstract update(group: ParamGroup<O>, params: readonly Tensor[]): void;

  /** A tensor of state for a parameter; uninitialised when `fresh`, unless `fill` says what with. */
  protected stateTensor(param: Tensor, name: string, fill?: number): { tensor: Tensor; fresh: boolean } {
    const state = this.stateOf(param);
    const found = state[name];
    if (found instanceof Tensor) return { tensor: found, fresh: false };
    const tensor = Tensor.allocateDurable(param.shape, "float32", `${this.name}.${name}`, Kind.State);
    if (fill !== undefined) fill_(tensor, fill);
    state[name] = tensor;
    return { tensor, fresh: true };
  }

  /** Tensors of state by these names, made of zeros (or of `fill`) where there are none yet. */
  protected stateTensors(param: Tensor, names: readonly string[], fill = 0): Tensor[] {
    return names.map((name) => this.stateTensor(param, name, fill).tensor);
  }

  /** Counts one more step of a parameter, which are fewer than the optimizer's where it had no gradient, and gives their number. */
  protected countStep(param: Tensor): number {
    const state = this.stateOf(param);
    const step = ((state.step as number | undefined) ?? 0) + 1;
    state.step = step;
    return step;
  }

  private stateOf(param: Tensor): ParamState {
    let state = this.state.get(param);
    if (state === undefined) {
      state = {};
      this.state.set(param, state);
    }
    return state;
  }

  /** Options and state. The tensors are the optimizer's own: `clone()` what is to be kept. */
  stateDict(): OptimizerStateDict<O> {
    const state: Record<string, ParamState> = {};
    let index = 0;
    const paramGroups = this.paramGroups.map(({ params, ...options }) => {
      const indices = params.map((param) => {
        const held = this.state.get(param);
        if (held !== undefined) state[index] = { ...held };
        return index++;
      });
      return { ...copyOptions(options), params: indices } as unknown as O & { params: number[] };
    });
    return { state, paramGroups };
  }

  /**
   * Takes options and state over from a stateDict() (tensors are copied). Everything is checked before anything changes.
   *
   * @throws StateDictError when the groups or shapes are not this optimizer's
   */
  loadStateDict(dict: OptimizerStateDict<O>): void {
    const fail = (problem: string): never => {
      throw new StateDictError(`loadStateDict: ${this.name}: ${problem}`);
    };
    if (!Array.isArray(dict?.paramGroups) || typeof dict.state !== "object" || dict.state === null) {
      fail("expected what stateDict() gives, an object with state and paramGroups");
    }
    if (dict.paramGroups.length !== this.paramGroups.length) {
      fail(
        `${dict.paramGroups.length} parameter groups in the state dict, ${this.paramGroups.length} in the optimizer`,
      );
    }
    const params = this.paramGroups.flatMap((g) => g.params);
    dict.paramGroups.forEach((group, i) => {
      if (group.params.length !== this.paramGroups[i].params.length) {
        fail(`group ${i} has ${group.params.length} parameters, in the optimizer ${this.paramGroups[i].params.length}`);
      }
      const missing = Object.keys(this.defaults).filter((name) => !(name in group));
      if (missing.length > 0) {
        fail(`group ${i} lacks ${missing.join(", ")}; is this the state dict of another optimizer?`);
      }
      this.validate(group);
    });
    const order = dict.paramGroups.flatMap((g) => g.params);
    const loaded = new Map<Tensor, ParamState>();
    for (const [key, held] of Object.entries(dict.state)) {
      const position = order.indexOf(Number(key));
      if (position < 0) fail(`state of parameter ${key}, which is in no group`);
      const param = params[position];
      for (const [name, value] of Object.entries(held)) {
        if (!(value instanceof Tensor)) continue;
        if (!sameShape(value.shape, param.shape)) {
          fail(
            `${name} of parameter ${key} has shape ${formatShape(value.shape)}, the parameter ${formatShape(param.shape)}`,
          );
        }
        assertReadable(value.block);
      }
      loaded.set(param, held);
    }
    this.state.clear();
    for (const [param, held] of loaded) {
      for (const [name, value] of Object.entries(held)) {
        if (value instanceof Tensor) this.stateTensor(param, name).tensor.assign(value);
        else this.state.set(param, { ...this.state.get(param), [name]: value });
      }
    }
    dict.paramGroups.forEach(({ params: _indices, ...options }, i) => {
      Object.assign(this.paramGroups[i], copyOptions(options));
    });
  }
}
