/** Module and its containers: registration, state dicts, modes, printing. */
import { describe, expect, test } from "vitest";
import {
  ArgumentError,
  full,
  IndexError,
  manualSeed,
  nn,
  noGrad,
  ones,
  optim,
  StateDictError,
  type Tensor,
  tensor,
  zeros,
} from "../src/index.js";

class Net extends nn.Module {
  fc1 = new nn.Linear(4, 3);
  act = new nn.ReLU();
  blocks = new nn.ModuleList([
    new nn.Linear(3, 3),
    new nn.Sequential(new nn.Linear(3, 3, { bias: false }), new nn.ReLU()),
  ]);
  heads = new nn.ModuleDict({ a: new nn.Linear(3, 2), b: new nn.Linear(3, 1) });
  scale = new nn.Parameter(ones(1));

  constructor() {
    super();
    this.registerBuffer("running", zeros(2));
    this.registerBuffer("scratch", zeros(2), { persistent: false });
    this.registerBuffer("absent", null);
  }

  forward(x: Tensor): Tensor {
    x = this.act(this.fc1(x));
    for (const block of this.blocks) x = block(x);
    return this.heads.get("a")(x).mul(this.scale);
  }
}

// What PyTorch gives for the same module.
const KEYS = [
  "scale",
  "running",
  "fc1.weight",
  "fc1.bias",
  "blocks.0.weight",
  "blocks.0.bias",
  "blocks.1.0.weight",
  "heads.a.weight",
  "heads.a.bias",
  "heads.b.weight",
  "heads.b.bias",
];

describe("registration", () => {
  test("is by field, in the order of assignment; names are PyTorch's", () => {
    const net = new Net();
    expect(Object.keys(net.stateDict())).toEqual(KEYS);
    expect([...net.namedParameters()].map(([name]) => name)).toEqual(KEYS.filter((k) => k !== "running"));
    const parameters = net.parameters();
    expect([...net.namedParameters()].every(([, p], i) => p === parameters[i])).toBe(true);
    expect([...net.namedBuffers()].map(([name]) => name)).toEqual(["running", "scratch"]);
    expect(net.buffers().length).toBe(2);
    expect([...net.namedChildren()].map(([name]) => name)).toEqual(["fc1", "act", "blocks", "heads"]);
    expect([...net.namedModules()].map(([name]) => name)).toEqual([
      ...[
        "",
        "fc1",
        "act",
        "blocks",
        "blocks.0",
        "blocks.1",
        "blocks.1.0",
        "blocks.1.1",
        "heads",
        "heads.a",
        "heads.b",
      ],
    ]);
    expect([...net.modules()].length).toBe(11);
  });

  test("follows fields assigned later, replaced or deleted", () => {
    const net: any = new Net();
    net.late = new nn.Linear(2, 2);
    expect(Object.keys(net.stateDict()).slice(-2)).toEqual(["late.weight", "late.bias"]);
    net.late = new nn.Linear(2, 2, { bias: false });
    expect(Object.keys(net.stateDict()).at(-1)).toBe("late.weight");
    delete net.late;
    net.scale = null;
    expect(Object.keys(net.stateDict())).toEqual(KEYS.slice(1));
    net.registerParameter("gain", new nn.Parameter(ones(2)));
    net.addModule("extra", new nn.Linear(1, 1));
    net.running = ones(2);
    expect(net.stateDict().running.toArray()).toEqual([1, 1]);
    expect(Object.keys(net.stateDict()).slice(-2)).toEqual(["extra.weight", "extra.bias"]);
    expect(net.parameters()).toContain(net.gain);
    net.tensors = [new nn.Parameter(ones(1))];
    expect(Object.keys(net.stateDict())).not.toContain("tensors.0");
  });

  test("counts tied parameters once, and names them twice in the state dict", () => {
    class Tied extends nn.Module {
      a = new nn.Linear(2, 2, { bias: false });
      b = new nn.Linear(2, 2, { bias: false });
      constructor() {
        super();
        (this.b as any).weight = this.a.weight;
      }
      forward(x: Tensor) {
        return this.b(this.a(x));
      }
    }
    const net = new Tied();
    expect(net.parameters().length).toBe(1);
    expect([...net.namedParameters()].map(([n]) => n)).toEqual(["a.weight"]);
    expect(Object.keys(net.stateDict())).toEqual(["a.weight", "b.weight"]);
    noGrad(() =>
      net.a.weight.copy_(
        tensor([
          [1, 2],
          [3, 4],
        ]),
      ),
    );
    net(ones(1, 2)).sum().backward();
    // h = x·Wᵀ = [3, 7]; from the second use 1ᵀ·h, from the first (1·W)ᵀ·x.
    expect(net.a.weight.grad?.toArray()).toEqual([
      [3 + 4, 7 + 4],
      [3 + 6, 7 + 6],
    ]);
  });

  test("runs a module that stands in several places several times", () => {
    const double = new (class Double extends nn.Module {
      forward(x: Tensor) {
        return x.mul(2);
      }
    })();
    const net = new nn.Sequential(double, new nn.Identity(), double, double);
    expect(net(tensor([1])).toArray()).toEqual([8]);
    expect([net.length, [...net].length, [...net.children()].length]).toEqual([4, 4, 2]);
    expect(net.at(-1)).toBe(double);
    expect(new nn.ModuleList([double, double]).length).toBe(2);
    expect([...new nn.ModuleDict({ x: double, y: double }).keys()]).toEqual(["x", "y"]);
    const linear = new nn.Linear(1, 1);
    expect(Object.keys(new nn.Sequential(linear, linear).stateDict())).toEqual([
      "0.weight",
      "0.bias",
      "1.weight",
      "1.bias",
    ]);
  });

  test("refuses buffers that would hide something", () => {
    const net = new Net();
    expect(() => net.registerBuffer("forward", zeros(1))).toThrow(/has an attribute "forward" already/);
    expect(() => net.registerBuffer("a.b", zeros(1))).toThrow(ArgumentError);
    expect(() => net.registerBuffer("", zeros(1))).toThrow(ArgumentError);
  });
});

describe("instances", () => {
  test("are called, or forward() is", () => {
    const net = new Net();
    const x = ones(2, 4);
    expect(typeof net).toBe("function");
    expect(net).toBeInstanceOf(nn.Module);
    expect(net(x).toArray()).toEqual(net.forward(x).toArray());
    const criterion = new nn.MSELoss();
    expect(criterion(ones(2), zeros(2)).item()).toBe(criterion.forward(ones(2), zeros(2)).item());
  });

  test("may have fields called name and length, private ones, and subclasses of subclasses", () => {
    class Base extends nn.Module {
      override name = "base";
      override length = 5;
      #secret = 3;
      static made = 0;
      constructor(readonly factor: number) {
        super();
        Base.made++;
      }
      get secret() {
        return this.#secret;
      }
      forward(x: Tensor): Tensor {
        return x.mul(this.factor);
      }
    }
    class Middle extends Base {
      override forward(x: Tensor): Tensor {
        return super.forward(x).add(1);
      }
    }
    class Top extends Middle {
      weight = new nn.Parameter(ones(1));
      constructor() {
        super(10);
      }
      override forward(x: Tensor): Tensor {
        return super.forward(x).mul(this.weight);
      }
    }
    const net = new Top();
    expect([net.name, net.length, net.secret, net.factor, Base.made]).toEqual(["base", 5, 3, 10, 1]);
    net.name = "other";
    expect([net.name, net(tensor([2])).item(), net.parameters().length]).toEqual(["other", 21, 1]);
    expect([net instanceof Top, net instanceof Middle, net.constructor]).toEqual([true, true, Top]);
    expect(new nn.Linear(2, 2)).not.toHaveProperty("name");
  });
});

describe("state dicts", () => {
  const filled = (value: number) => {
    const net = new Net();
    noGrad(() => {
      for (const p of net.parameters()) p.fill_(value);
    });
    return net;
  };
  const valuesOf = (net: nn.Module) => Object.values(net.stateDict()).map((t) => t.toArray());

  test("are views, copied when loaded", () => {
    const [a, b] = [filled(1), filled(2)];
    const weight = b.fc1.weight;
    expect(b.loadStateDict(a.stateDict())).toEqual({ missingKeys: [], unexpectedKeys: [] });
    expect(valuesOf(b)).toEqual(valuesOf(a));
    expect(b.fc1.weight).toBe(weight);
    expect(weight.requiresGrad).toBe(true);
    expect(a.stateDict().scale.requiresGrad).toBe(false);
    noGrad(() => a.scale.fill_(9));
    expect(b.scale.toArray()).toEqual([1]);
    b.loadStateDict(b.stateDict());
    expect(b.scale.toArray()).toEqual([1]);
  });

  test("with missing, unexpected and misshapen keys are refused, all named, and nothing has changed", () => {
    const net = filled(1);
    const before = valuesOf(net);
    const bad: Record<string, any> = { ...filled(2).stateDict(), extra: ones(1), "fc1.weight": ones(3, 5), scale: 3 };
    delete bad["heads.a.bias"];
    delete bad["blocks.0.weight"];
    let message = "";
    try {
      net.loadStateDict(bad);
    } catch (error) {
      expect(error).toBeInstanceOf(StateDictError);
      message = (error as Error).message;
    }
    expect(message).toMatch(/^loadStateDict: Net:/);
    expect(message).toMatch(/missing keys: blocks\.0\.weight, heads\.a\.bias/);
    expect(message).toMatch(/unexpected keys: extra/);
    expect(message).toMatch(/fc1\.weight: shape \[3, 5\] in the state dict, \[3, 4\] in the module/);
    expect(message).toMatch(/scale: expected a Tensor, found number/);
    expect(valuesOf(net)).toEqual(before);
  });

  test("not strict: what fits is loaded, other shapes are still refused", () => {
    const net = filled(1);
    expect(net.loadStateDict({ scale: tensor([5]), extra: ones(1) }, { strict: false })).toEqual({
      missingKeys: KEYS.slice(1),
      unexpectedKeys: ["extra"],
    });
    expect(net.scale.toArray()).toEqual([5]);
    expect(() => net.loadStateDict({ scale: ones(2) }, { strict: false })).toThrow(StateDictError);
  });

  test("with a tensor whose memory is gone are refused whole", () => {
    const net = filled(1);
    const before = valuesOf(net);
    const dict = Object.fromEntries(Object.entries(filled(2).stateDict()).map(([k, t]) => [k, t.clone()]));
    dict["heads.b.weight"].dispose();
    expect(() => net.loadStateDict(dict)).toThrow(/dispose\(\)/);
    expect(valuesOf(net)).toEqual(before);
  });
});

describe("modes and gradients", () => {
  test("train() and eval() reach every module below", () => {
    const net = new Net();
    expect(net.eval()).toBe(net);
    expect([...net.modules()].every((m) => !m.training)).toBe(true);
    net.train();
    expect([...net.modules()].every((m) => m.training)).toBe(true);
  });

  test("apply() visits children first", () => {
    const names: string[] = [];
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.Sequential(new nn.ReLU()));
    expect(net.apply((m) => void names.push(m.constructor.name))).toBe(net);
    expect(names).toEqual(["Linear", "ReLU", "Sequential", "Sequential"]);
  });

  test("zeroGrad() forgets, or fills with zeros", () => {
    const net = new nn.Linear(2, 1);
    net(ones(1, 2)).sum().backward();
    net.zeroGrad({ setToNone: false });
    expect(net.weight.grad?.toArray()).toEqual([[0, 0]]);
    net.zeroGrad();
    expect(net.weight.grad).toBeNull();
  });

  test("frozen parameters get no gradient and are not stepped", () => {
    const net = new nn.Sequential(new nn.Linear(2, 2), new nn.Linear(2, 1));
    net.at(0).requiresGrad_(false);
    const optimizer = new optim.SGD(net.parameters(), { lr: 1 });
    const before = net.parameters().map((p) => p.toArray());
    net(ones(1, 2)).sum().backward();
    optimizer.step();
    const [w0, b0, w1, b1] = net.parameters();
    expect([w0.grad, b0.grad, w0.toArray(), b0.toArray()]).toEqual([null, null, before[0], before[1]]);
    expect(w1.toArray()).not.toEqual(before[2]);
    expect(b1.grad?.toArray()).toEqual([1]);
    expect(w0.requiresGrad).toBe(false);
  });

  test("Dropout drops in training only, and scales what stays", () => {
    manualSeed(1);
    const drop = new nn.Dropout(0.25);
    const x = ones(4000).requiresGrad_();
    const y = drop(x);
    const values = new Set(y.toTypedArray());
    expect([...values].sort()).toEqual([0, Math.fround(1 / 0.75)]);
    expect(y.mean().item()).toBeCloseTo(1, 1);
    y.sum().backward();
    expect(x.grad?.toArray()).toEqual(y.toArray());
    drop.eval();
    expect(drop(x)).toBe(x);
    expect(new nn.Dropout({ p: 1 })(ones(3)).toArray()).toEqual([0, 0, 0]);
    expect(() => new nn.Dropout(1.5)).toThrow(/^Dropout: p must be a probability between 0 and 1, found 1.5/);
  });
});

describe("containers", () => {
  test("Sequential and ModuleList are indexed from both ends", () => {
    const [a, b] = [new nn.Linear(1, 1), new nn.ReLU()];
    const list = new nn.ModuleList([a]).append(b).extend([a]);
    expect([list.length, list.at(1), list.at(-1)]).toEqual([3, b, a]);
    expect([...list]).toEqual([a, b, a]);
    expect(() => list.at(3)).toThrow(IndexError);
    expect(() => list(ones(1))).toThrow(/no forward/);
    const named = new nn.Sequential({ first: a, second: b });
    expect(Object.keys(named.stateDict())).toEqual(["first.weight", "first.bias"]);
    expect(() => new nn.Sequential(a, 5 as never)).toThrow(/^Sequential: module 1: expected a Module, found number/);
  });

  test("ModuleDict", () => {
    const dict = new nn.ModuleDict({ a: new nn.Linear(1, 1) });
    const relu = new nn.ReLU();
    dict.set("b", relu);
    expect([[...dict], dict.has("b"), dict.get("b"), dict.length]).toEqual([["a", "b"], true, relu, 2]);
    expect(() => dict.get("c")).toThrow(/no module "c"; there are: a, b/);
    expect(() => dict.set("forward", relu)).toThrow(ArgumentError);
  });
});

describe("printing", () => {
  test("is PyTorch's layout", () => {
    const shared = new nn.ReLU();
    const net = new nn.Sequential(new nn.Linear(4, 3), shared, new nn.Sequential(new nn.Dropout(0.2), shared));
    expect(String(net)).toBe(
      [
        "Sequential(",
        "  (0): Linear(in_features=4, out_features=3, bias=True)",
        "  (1): ReLU()",
        "  (2): Sequential(",
        "    (0): Dropout(p=0.2, inplace=False)",
        "    (1): ReLU()",
        "  )",
        ")",
      ].join("\n"),
    );
    expect(`${new nn.Sequential()}`).toBe("Sequential()");
  });

  test("of each layer is PyTorch 1.13's text", () => {
    const layers: [nn.Module, string][] = [
      [new nn.ReLU(true), "ReLU(inplace=True)"],
      [new nn.LeakyReLU(0.2, { inplace: true }), "LeakyReLU(negative_slope=0.2, inplace=True)"],
      [new nn.ELU(), "ELU(alpha=1.0)"],
      [new nn.GELU("tanh"), "GELU(approximate='tanh')"],
      [new nn.SiLU(true), "SiLU(inplace=True)"],
      [new nn.Softplus(2, 10), "Softplus(beta=2, threshold=10)"],
      [new nn.Hardtanh(), "Hardtanh(min_val=-1.0, max_val=1.0)"],
      [new nn.Hardswish(true), "Hardswish()"],
      [new nn.Softmax({ dim: 1 }), "Softmax(dim=1)"],
      [new nn.Dropout2d(0.2), "Dropout2d(p=0.2, inplace=False)"],
      [new nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)"],
      [new nn.Unflatten(1, [2, 3]), "Unflatten(dim=1, unflattened_size=(2, 3))"],
      [new nn.Upsample({ size: [4, 5], mode: "bilinear" }), "Upsample(size=(4, 5), mode=bilinear)"],
      [new nn.Upsample({ scaleFactor: 2 }), "Upsample(scale_factor=2.0, mode=nearest)"],
      [new nn.PixelUnshuffle(2), "PixelUnshuffle(downscale_factor=2)"],
      [new nn.ZeroPad2d(1), "ZeroPad2d((1, 1, 1, 1))"],
      [new nn.ConstantPad2d([1, 2, 3, 4], 3.5), "ConstantPad2d(padding=(1, 2, 3, 4), value=3.5)"],
      [new nn.Linear(2, 3, false), "Linear(in_features=2, out_features=3, bias=False)"],
      [new nn.LayerNorm([2, 3], 1e-3), "LayerNorm((2, 3), eps=0.001, elementwise_affine=True)"],
      [new nn.GroupNorm(1, 2), "GroupNorm(1, 2, eps=1e-05, affine=True)"],
      [new nn.Embedding(3, 2, { paddingIdx: 0 }), "Embedding(3, 2, padding_idx=0)"],
      [
        new nn.BatchNorm1d(3, { momentum: null }),
        "BatchNorm1d(3, eps=1e-05, momentum=None, affine=True, track_running_stats=True)",
      ],
      [new nn.Conv2d(1, 2, 3, { padding: 1 }), "Conv2d(1, 2, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))"],
      [new nn.CrossEntropyLoss(), "CrossEntropyLoss()"],
    ];
    for (const [layer, text] of layers) expect(String(layer)).toBe(text);
  });
});

describe("what is no parameter, buffer, hook or forward is refused, as in PyTorch", () => {
  test("a plain tensor in a parameter's place", () => {
    const layer = new nn.Linear(2, 3);
    const { weight } = layer;
    expect(() => {
      (layer as { weight: Tensor }).weight = ones(3, 2);
    }).toThrow(/Linear: cannot assign a Tensor to the parameter weight.*nn\.Parameter.*copy_/);
    expect(layer.weight).toBe(weight);
    layer.weight = new nn.Parameter(ones(3, 2));
    expect(layer.weight.sum().item()).toBe(6);
    layer.bias = null;
    expect(Object.keys(layer.stateDict())).toEqual(["weight"]);
    expect(layer(ones(1, 2)).toArray()).toEqual([[2, 2, 2]]);
  });

  test("of every layer, and of modules of one's own once their parameters were listed", () => {
    const layers = [
      new nn.Conv2d(1, 1, 1),
      new nn.ConvTranspose2d(1, 1, 1),
      new nn.BatchNorm2d(1),
      new nn.LayerNorm(1),
      new nn.GroupNorm(1, 1),
      new nn.Embedding(1, 1),
    ];
    for (const layer of layers) {
      expect(() => {
        (layer as any).weight = ones(1);
      }).toThrow(TypeError);
    }
    class Scale extends nn.Module {
      factor = new nn.Parameter(ones(1));
      shift = new nn.Parameter(zeros(1));
      mask = ones(1);
      forward(x: Tensor): Tensor {
        return x.mul(this.factor).add(this.shift).mul(this.mask);
      }
    }
    const [a, b] = [new Scale(), new Scale()];
    const names = (net: Scale) => [...net.namedParameters()].map(([name]) => name);
    expect(names(a)).toEqual(["factor", "shift"]);
    expect(b.parameters()).toHaveLength(2);
    for (const net of [a, b]) {
      expect(() => {
        (net as any).factor = ones(1);
      }).toThrow(/Scale: cannot assign/);
    }
    a.factor = new nn.Parameter(full([1], 3));
    a.mask = full([1], 2);
    expect([a(ones(1)).item(), b(ones(1)).item()]).toEqual([6, 1]);
    expect(names(a)).toEqual(["factor", "shift"]);
    expect(a.parameters()[0]).toBe(a.factor);
    a.shift = b.shift;
    expect(a.stateDict().shift.block).toBe(b.shift.block);
  });

  test("buffers, hooks, and a class without forward", () => {
    const norm = new nn.BatchNorm2d(2);
    expect(() => {
      (norm as any).running_mean = 3;
    }).toThrow(/BatchNorm2d: cannot assign 3 to the buffer running_mean/);
    for (const register of ["registerForwardPreHook", "registerForwardHook", "registerFullBackwardHook"] as const) {
      expect(() => norm[register](3 as any)).toThrow(/a hook must be a function, found 3/);
    }
    class Unfinished extends (nn.Module as any) {}
    expect(() => new (Unfinished as any)()(ones(1))).toThrow(/Unfinished: it has no forward/);
  });

  test("net[0] is the first module", () => {
    const net = new nn.Sequential(new nn.Linear(1, 2), new nn.ReLU());
    expect([net[0], net[1], net[2]]).toEqual([net.at(0), net.at(1), undefined]);
    expect(new nn.ModuleList([net])[0]).toBe(net);
  });
});
