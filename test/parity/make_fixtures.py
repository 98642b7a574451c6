#!/usr/bin/python3
"""Writes test/parity/fixtures/*.json: what PyTorch computes, for lanegrad's tests to compare with.

Run:  /usr/bin/python3 test/parity/make_fixtures.py [family ...]

Needs Debian 12's python3-torch (1.13.1+dfsg-4), python3-numpy (1.24.2) and libopenblas0-pthread (0.3.21); the
fixtures committed are from these, on an x86-64 machine with AVX2. The format is described in README.md beside this.
"""

import itertools
import json
import math
import os
import sys
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
torch.set_num_threads(1)
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
NAN, INF = math.nan, math.inf
EDGES = [0.0, -0.0, 1.0, -2.5, NAN, INF, -INF]

# ---------------------------------------------------------------------------------------------------------- encoding

DTYPES = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.int32: "int32",
    torch.int64: "int32",  # lanegrad has no int64
    torch.uint8: "uint8",
    torch.bool: "bool",
}


def number(x):
    """A float32 in the fewest digits that give it back."""
    x = np.float32(x)
    if np.isnan(x):
        return '"NaN"'
    if np.isinf(x):
        return '"Infinity"' if x > 0 else '"-Infinity"'
    s = str(x)
    return s[:-2] if s.endswith(".0") else s


def encode(x):
    """JSON text of tensors and plain values; a double keeps all its digits."""
    if isinstance(x, torch.Tensor):
        x = x.detach()
        values = x.reshape(-1).tolist()
        data = [number(v) for v in values] if x.is_floating_point() else [str(int(v)) for v in values]
        return '{"shape":%s,"dtype":"%s","data":[%s]}' % (encode(list(x.shape)), DTYPES[x.dtype], ",".join(data))
    if isinstance(x, dict):
        return "{" + ",".join(json.dumps(k) + ":" + encode(v) for k, v in x.items()) + "}"
    if isinstance(x, (list, tuple)):
        return "[" + ",".join(encode(v) for v in x) + "]"
    if isinstance(x, np.float32):
        return number(x)
    if isinstance(x, float):
        if math.isnan(x) or math.isinf(x):
            return number(x)
        return repr(x)
    return json.dumps(x, ensure_ascii=False)


def write(family, records, **header):
    os.makedirs(HERE, exist_ok=True)
    head = {"family": family, "torch": torch.__version__, **header}
    text = json.dumps(head)[:-1] + ', "records": [\n' + ",\n".join(encode(r) for r in records) + "\n]}\n"
    json.loads(text)
    with open(os.path.join(HERE, family + ".json"), "w") as f:
        f.write(text)
    print(f"{family}: {len(records)} records, {len(text)} bytes")


# ------------------------------------------------------------------------------------------------------------ inputs

source = torch.Generator()


def randn(*shape, scale=1.0):
    """Normals of two decimals: short in JSON and never on a kink."""
    x = torch.round(torch.randn(shape, generator=source) * 100 * scale) / 100
    return torch.where(x == 0, torch.full_like(x, 0.07), x)


def positive(*shape):
    return randn(*shape).abs() + 0.1


def ints(low, high, *shape, dtype=torch.int32):
    return torch.randint(low, high, shape, generator=source).to(dtype)


def bools(*shape):
    return torch.rand(*shape, generator=source) < 0.5


def f32(values):
    return torch.tensor(values, dtype=torch.float32)


def i32(values):
    return torch.tensor(values, dtype=torch.int32)


def index(values):
    """Indices and class targets: int64 in PyTorch, int32 in the fixture."""
    return torch.tensor(values, dtype=torch.int64)


def upstream(out):
    """A fixed gradient of the output, in eighths: no two neighbours equal, none zero."""
    n = out.numel()
    return ((torch.arange(n) * 7 % 11 - 5).float() / 4 + 0.125).reshape(out.shape)


# ----------------------------------------------------------------------------------------------------------- records


class Family:
    def __init__(self, name):
        self.name = name
        self.records = []
        source.manual_seed(sum(map(ord, name)))

    def add(
        self, op, fn, inputs=(), args=None, options=None, target="method", grad=True, seed=None, note=None, up=upstream
    ):
        """
        One record: the call of `op`, its outputs, and the gradients of Σ output·gradOutput.

        fn       PyTorch's call, taking the inputs
        args     the JavaScript call's positional arguments; "$i" stands for input i. By default, the inputs that are
                 not the receiver
        grad     True: all float inputs; a list of indices: those only; False: none
        up       gives the gradient of an output
        """
        inputs = [x.detach().clone() for x in inputs]
        if args is None:
            args = ["$%d" % i for i in range(1 if target in ("method", "property") else 0, len(inputs))]
        wants = []
        for i, x in enumerate(inputs):
            wants.append(x.is_floating_point() and (grad is True or (grad is not False and i in grad)))
        if seed is not None:
            torch.manual_seed(seed)
        leaves = [x.clone().requires_grad_(w) for x, w in zip(inputs, wants)]
        out = fn(*leaves)
        outputs = list(out) if isinstance(out, (tuple, list)) else [out]
        assert all(o.dtype in DTYPES for o in outputs), (op, [o.dtype for o in outputs])
        record = {"op": op, "target": target, "inputs": inputs, "args": args}
        if options:
            record["options"] = options
        if seed is not None:
            record["seed"] = seed
        if note:
            record["note"] = note
        record["outputs"] = outputs
        differentiable = [o for o in outputs if o.requires_grad]
        if differentiable:
            gradients = [up(o) for o in differentiable]
            grads = torch.autograd.grad(
                differentiable, [x for x, w in zip(leaves, wants) if w], gradients, allow_unused=True
            )
            found = iter(grads)
            record["gradOutputs"] = [up(o) if o.requires_grad else None for o in outputs]
            record["grads"] = [next(found) if w else None for w in wants]
        self.records.append(record)

    def write(self, **header):
        write(self.name, self.records, **header)


# -------------------------------------------------------------------------------------------------------------- make


def make():
    f = Family("make")

    def add(op, fn, args, options=None):
        f.add(op, fn, args=args, options=options, target="function")

    for args in (
        [5],
        [0, 5],
        [2, 9, 3],
        [5, 0, -2],
        [-3, 3],
        [0],
        [3, 3],
        [0, 1, 0.25],
        [1, 2, 0.3],
        [0.5, 3],
        [1, 0, -0.1],
    ):
        add("arange", lambda: torch.arange(*args), args)
    for args in ([0, 1, 5], [-3, 10, 7], [2.5, -1, 4], [3, 7, 1], [0, 1, 0], [0, 0.1, 11], [0, 1, 2]):
        add("linspace", lambda: torch.linspace(*args), args)
    for args in ([3], [1], [0], [2, 4], [3, 2]):
        add("eye", lambda: torch.eye(*args), args)
    for shape in ([2, 3], [0], [2, 0], [], [1]):
        add("full", lambda: torch.full(shape, 0.5), [shape, 0.5])
        add("zeros", lambda: torch.zeros(shape), [shape])
        add("ones", lambda: torch.ones(shape), [shape])
    add("full", lambda: torch.full((2,), NAN), [[2], NAN])
    add("full", lambda: torch.full((2,), -INF), [[2], -INF])
    for name, dtype, value in (("int32", torch.int32, -7), ("uint8", torch.uint8, 200), ("bool", torch.bool, True)):
        add("full", lambda: torch.full((3,), value, dtype=dtype), [[3], value], {"dtype": name})
        add("zeros", lambda: torch.zeros((2, 2), dtype=dtype), [[2, 2]], {"dtype": name})
        add("ones", lambda: torch.ones((2, 2), dtype=dtype), [[2, 2]], {"dtype": name})
    for x in (randn(2, 3), ints(0, 5, 2, 2), bools(3), f32([])):
        f.add("zerosLike", torch.zeros_like, [x], target="function", grad=False)
        f.add("onesLike", torch.ones_like, [x], target="function", grad=False)
    f.add("fullLike", lambda x: torch.full_like(x, 2.5), [randn(2, 3)], ["$0", 2.5], target="function", grad=False)
    f.write()


# ------------------------------------------------------------------------------------------------------------- index


def python_index(arg, tensors):
    """DESIGN.md's `at` argument → what PyTorch has between the brackets."""
    if isinstance(arg, str):
        if arg.startswith("$"):
            return tensors[int(arg[1:])]
        if arg == "...":
            return Ellipsis
        return slice(*[int(p) if p else None for p in arg.split(":")])
    if isinstance(arg, list):
        return torch.tensor(arg, dtype=torch.int64)
    if isinstance(arg, torch.Tensor) and arg.dtype == torch.int32:
        return arg.long()
    return arg


def index_family():
    f = Family("index")
    x1, x2, x3 = randn(6), randn(4, 5), randn(3, 4, 5)

    def at(x, args, *more):
        def call(*ts):
            return ts[0][tuple(python_index(a, ts) for a in args)]

        f.add("at", call, [x, *more], args)

    for args in (
        [2],
        [-1],
        [":"],
        ["1:-1"],
        ["::2"],
        ["-3:"],
        [":-4"],
        ["1:4:2"],
        ["4:2"],
        ["10:"],
        [None],
        [None, "1:3"],
        ["..."],
        [[0, 2, 2]],
        [[-1, 0]],
        [[]],
    ):
        at(x1, args)
    for args in (
        [1],
        [-2, 3],
        [":", 0],
        ["1:3", "::2"],
        [":", None, "2:"],
        ["...", 1],
        [None, "...", None],
        [[3, 0]],
        [":", [1, 1, 4]],
        [[0, 1, 2], [4, 3, 2]],
        [[[0, 1], [2, 3]]],
        [[0, 2], "1:3"],
        ["1:3", [0, -1]],
        [2, [0, 1]],
    ):
        at(x2, args)
    for args in (
        [0, 0, 0],
        [":", -1],
        ["...", "::3"],
        [1, "...", 2],
        ["1:", ":", "1:4"],
        [[0, 2], ":", [1, 3]],
        [":", [0, 3], [1, 2]],
        [0, ":", [1, 3]],
        [None, 1, "::2", None],
        [[2, 1], 0],
        [":", [[0], [1]], [1, 2]],
    ):
        at(x3, args)
    at(x1, ["$1"], index([5, 0, 5, -1]))
    at(x2, ["$1"], index([[3, 1], [0, 0]]))
    at(x2, [":", "$1"], index([4, 4, 0]))
    at(x2, ["$1", "$2"], index([0, 3]), index([1, -1]))
    at(x2, ["$1"], x2 > 0.2)
    at(x2, ["$1"], torch.tensor([True, False, False, True]))
    at(x2, [":", "$1"], torch.tensor([False, True, True, False, True]))
    at(x2, ["$1"], torch.zeros(4, 5, dtype=torch.bool))
    at(x3, ["$1"], randn(3, 4) > 0)
    at(x3, ["...", "$1"], torch.tensor([True, False, True, False, True]))
    at(x3, ["$1", 2], torch.tensor([True, False, True]))
    at(ints(-9, 9, 3, 3), ["1:", [0, 2]])
    at(bools(3, 3), [":", 1])

    def put(x, args, value, *more):
        def call(*ts):
            out = ts[0].clone()
            out[tuple(python_index(a, ts) for a in args)] = ts[int(value[1:])] if isinstance(value, str) else value
            return out

        f.add("indexPut_", call, [x, *more], [args, value], grad=False)

    put(x1, [0], 9)
    put(x1, ["1:4"], -1.5)
    put(x1, ["::2"], "$1", f32([7, 8, 9]))
    put(x1, [[0, -1]], "$1", f32([5, 6]))
    put(x2, [1], "$1", randn(5))
    put(x2, [":", -1], 0)
    put(x2, ["1:3", "::2"], "$1", randn(2, 3))
    put(x2, ["1:3"], "$1", randn(5))
    put(x2, ["..."], 3)
    put(x2, [[0, 2], [1, 3]], "$1", f32([1, 2]))
    put(x2, ["$1"], 0, x2 > 0)
    put(x2, ["$1"], "$2", x2 > 0, f32(list(range(int((x2 > 0).sum())))))
    put(x2, ["$1", "1:"], 4, torch.tensor([True, False, True, False]))
    put(x3, [":", 1, [0, 4]], "$1", randn(3, 1))
    put(ints(0, 9, 4), ["1:3"], 2)
    put(ints(0, 9, 4), [[0, 3]], "$1", i32([7, 8]))
    put(torch.zeros(3, dtype=torch.bool), [1], True)
    f.write(exact=True)


# ------------------------------------------------------------------------------------------------------- elementwise

BINARY = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "pow": torch.pow,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "remainder": torch.remainder,
}
COMPARE = {"eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge}
LOGICAL = {"logicalAnd": torch.logical_and, "logicalOr": torch.logical_or, "logicalXor": torch.logical_xor}
UNARY = [
    "neg",
    "abs",
    "sign",
    "exp",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "rsqrt",
    "square",
    "reciprocal",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "erf",
    "floor",
    "ceil",
    "round",
    "isnan",
    "isinf",
    "isfinite",
    "logicalNot",
]
PYTHON_OPERATOR = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "remainder": lambda a, b: torch.remainder(a, b),
}


def torch_unary(name):
    return {"logicalNot": torch.logical_not}.get(name) or getattr(torch, name)


def elementwise():
    f = Family("elementwise")
    shapes = [
        ([2, 3], [2, 3]),
        ([2, 3], [3]),
        ([2, 1], [1, 3]),
        ([2, 1, 3], [4, 1]),
        ([], [2, 2]),
        ([3], []),
        ([0, 3], [3]),
        ([1], [0]),
    ]
    for op, fn in BINARY.items():
        grad = [0] if op == "remainder" else True  # 1.13 has no gradient of the divisor; 2.x has
        for a, b in shapes:
            x = positive(*a) if op == "pow" else randn(*a)
            f.add(op, fn, [x, randn(*b)], grad=grad)
        f.add(op, fn, [f32(EDGES).reshape(7, 1), f32(EDGES)], note="edges", grad=grad)
        if op != "remainder":
            f.add(op, lambda t: fn(t, t), [positive(5)], ["$0"], note="a tensor with itself")
        f.add(op, fn, [f32([1, 2, 2, -1]), f32([2, 2, 1, -1])], target="function", note="ties", grad=grad)
    for op, fn in PYTHON_OPERATOR.items():
        for scalar in (2, -0.5, 0):
            if op == "pow" and scalar == -0.5:
                scalar = 0.5
            f.add(op, lambda x: fn(x, scalar), [f32([0.5, 2.25, -1.5 if op != "pow" else 1.5, 3])], [scalar])
            f.add(
                op,
                lambda x: fn(scalar, x),
                [f32([0.5, 2.25, -1.5, 3])],
                [scalar, "$0"],
                target="function",
                grad=op != "remainder",
            )
    f.add("pow", lambda x: x**2, [f32(EDGES)], [2])
    f.add("pow", lambda x: x**3, [f32(EDGES)], [3])
    f.add("pow", lambda x: x**-1, [f32(EDGES)], [-1])
    f.add("pow", lambda x: x**0.5, [f32(EDGES)], [0.5])
    f.add("pow", lambda x: x**0, [f32(EDGES)], [0])
    f.add("add", lambda x, y: torch.add(x, y, alpha=-0.5), [randn(2, 3), randn(3)], ["$1"], {"alpha": -0.5})
    f.add("sub", lambda x, y: torch.sub(x, y, alpha=2), [randn(2, 3), randn(3)], ["$1"], {"alpha": 2})
    for mode in ("floor", "trunc"):
        x, y = f32([7, -7, 7, -7, 1, 0]), f32([2, 2, -2, -2, 0, 0])
        f.add(
            "div", lambda a, b: torch.div(a, b, rounding_mode=mode), [x, y], ["$1"], {"roundingMode": mode}, grad=False
        )
        f.add(
            "div",
            lambda a, b: torch.div(a, b, rounding_mode=mode),
            [i32([7, -7, 7, -7]), i32([2, 2, -2, -2])],
            ["$1"],
            {"roundingMode": mode},
        )

    for op, fn in COMPARE.items():
        f.add(op, fn, [f32(EDGES).reshape(7, 1), f32(EDGES)])
        f.add(op, fn, [i32([1, 2, 3]), i32([[2], [3]])])
        f.add(op, fn, [i32([1, 2, 3]), f32([1, 2.5, 2])])
        f.add(op, lambda x: fn(x, 1), [f32(EDGES)], [1])
        f.add(op, lambda x: fn(x, 2), [ints(0, 4, 5)], [2])
        f.add(op, fn, [bools(4), bools(4)])
    for op, fn in LOGICAL.items():
        f.add(op, fn, [f32(EDGES).reshape(7, 1), f32(EDGES)])
        f.add(op, fn, [bools(4), bools(2, 4)])
        f.add(op, fn, [ints(0, 2, 6), bools(6)])

    domain = {
        "log": positive,
        "log2": positive,
        "log10": positive,
        "sqrt": positive,
        "rsqrt": positive,
        "log1p": lambda *s: positive(*s) - 0.6,
    }
    for op in UNARY:
        fn = torch_unary(op)
        f.add(op, fn, [domain.get(op, randn)(3, 4)])
        f.add(op, fn, [f32([*EDGES, 0.5, -0.5, 1.5, 2.5, -1.5, 1e-40, 3e38, -88, 88, 1e-8, 100.25])], note="edges")
        f.add(op, fn, [torch.zeros(0, 3)])
        f.add(op, fn, [f32(0.75)], target="function")
        if op != "round":
            f.add(op, fn, [i32([0, 1, -3, 7])])
            if op not in ("neg", "floor", "ceil"):
                f.add(
                    op,
                    fn,
                    (
                        [torch.tensor([True, False])]
                        if op not in ("sign", "abs", "square")
                        else [torch.tensor([0, 200], dtype=torch.uint8)]
                    ),
                )

    x = f32([-3, -1, -0.5, 0, 0.5, 1, 3, NAN, INF, -INF])
    for lo, hi in ((-1, 1), (None, 0.5), (-0.5, None), (1, -1), (0, INF)):
        options = {k: v for k, v in (("min", lo), ("max", hi)) if v is not None}
        f.add("clamp", lambda t: torch.clamp(t, lo, hi), [x], [], options)
    f.add("clamp", lambda t: torch.clamp(t, 0, 2), [i32([-1, 1, 5])], [], {"min": 0, "max": 2})
    f.add("maskedFill", lambda t, m: t.masked_fill(m, -INF), [randn(2, 3), bools(2, 3)], ["$1", -INF])
    f.add("maskedFill", lambda t, m: t.masked_fill(m, 0.5), [randn(2, 3), bools(3)], ["$1", 0.5])
    f.add("maskedFill", lambda t, m: t.masked_fill(m, 7), [ints(0, 5, 2, 3), bools(2, 1)], ["$1", 7])

    c = torch.tensor([[True], [False]])
    f.add("where", torch.where, [c, randn(2, 3), randn(3)], target="function")
    f.add("where", torch.where, [bools(2, 3), randn(2, 3), randn(2, 1)], target="function")
    f.add(
        "where",
        lambda m, a: torch.where(m, a, torch.tensor(0.0)),
        [bools(4), randn(4)],
        ["$0", "$1", 0],
        target="function",
    )
    f.add(
        "where",
        lambda m, b: torch.where(m, torch.tensor(1.5), b),
        [bools(4), randn(4)],
        ["$0", 1.5, "$1"],
        target="function",
    )
    f.add("where", lambda m: torch.where(m, 1.5, 0.25), [bools(4)], ["$0", 1.5, 0.25], target="function")
    f.add(
        "where", lambda m: torch.where(m, 1, 0), [bools(4)], ["$0", 1, 0], target="function", note="PyTorch gives int64"
    )
    f.add("where", torch.where, [bools(3), i32([1, 2, 3]), i32([4, 5, 6])], target="function")
    f.write()


def promotion():
    """dtype and value of every binary op for every pair of dtypes, and for numbers."""
    f = Family("promotion")
    values = {
        torch.float32: f32([0.5, -1.5, 2, 3]),
        torch.int32: i32([1, -2, 7, 3]),
        torch.uint8: torch.tensor([1, 250, 7, 2], dtype=torch.uint8),
        torch.bool: torch.tensor([True, False, True, True]),
    }
    other = {
        torch.float32: f32([2, 0.5, -1, 3]),
        torch.int32: i32([2, 3, 2, 1]),
        torch.uint8: torch.tensor([3, 10, 2, 1], dtype=torch.uint8),
        torch.bool: torch.tensor([True, True, True, True]),
    }
    for op, fn in {**BINARY, "eq": torch.eq, "lt": torch.lt}.items():
        for a, b in itertools.product(values, other):
            try:
                fn(values[a], other[b])
            except RuntimeError:
                continue
            f.add(op, fn, [values[a], other[b]], grad=False)
    for op in ("add", "mul", "div"):
        for a, b in itertools.product(values, other):  # a 0-d tensor weighs only by its kind
            f.add(op, BINARY[op], [values[a], other[b][0]], grad=False, note="0-d operand")
            f.add(op, BINARY[op], [values[a][0], other[b]], grad=False, note="0-d receiver")
    for op, fn in PYTHON_OPERATOR.items():
        for a, scalar in itertools.product(values, (2, 1.5)):
            try:
                fn(values[a], scalar)
            except RuntimeError:
                continue
            f.add(op, lambda x: fn(x, scalar), [values[a]], [scalar], grad=False)
            if op in ("sub", "div"):
                f.add(op, lambda x: fn(scalar, x), [other[a]], [scalar, "$0"], target="function", grad=False)
    for kinds in itertools.combinations(values, 2):
        f.add(
            "cat",
            lambda *ts: torch.cat(ts, 0),
            [values[k] for k in kinds],
            [["$0", "$1"], 0],
            target="function",
            grad=False,
        )
        f.add(
            "where",
            lambda c, a, b: torch.where(
                c, a.to(torch.promote_types(a.dtype, b.dtype)), b.to(torch.promote_types(a.dtype, b.dtype))
            ),
            [torch.tensor([True, False, True, False]), values[kinds[0]], values[kinds[1]]],
            target="function",
            grad=False,
            note="1.13 refuses mixed dtypes here; 2.x promotes",
        )
    casts = f32([0, -0.0, 0.5, -1.7, 2.9, 200.5])
    for name, dtype in (("float32", torch.float32), ("int32", torch.int32), ("bool", torch.bool)):
        for x in (casts, i32([0, 1, -5]), torch.tensor([0, 255], dtype=torch.uint8), torch.tensor([True, False])):
            f.add("to", lambda t: t.to(dtype), [x], [name], grad=False)
    f.add("to", lambda t: t.to(torch.uint8), [f32([0, 0.5, 2.9, 200.5])], ["uint8"], grad=False)
    f.add("to", lambda t: t.to(torch.uint8), [i32([0, 255, 256, -1])], ["uint8"], grad=False)
    f.write(exact=True)


# -------------------------------------------------------------------------------------------------------- activation


def activation():
    f = Family("activation")
    x = f32([*EDGES, 0.5, -0.5, 3.5, -4, 1e-6, -1e-6, 20, -20, 21, 90, -90])

    def add(op, fn, args=(), options=None, inputs=None):
        for t in inputs or (randn(2, 5, scale=2), x, torch.zeros(0, 2)):
            f.add(op, fn, [t], ["$0", *args], options, target="F")

    add("relu", F.relu)
    add("leakyRelu", F.leaky_relu)
    add("leakyRelu", lambda t: F.leaky_relu(t, 0.2), options={"negativeSlope": 0.2})
    add("leakyRelu", lambda t: F.leaky_relu(t, 0.0), options={"negativeSlope": 0})
    add("elu", F.elu)
    add("elu", lambda t: F.elu(t, 0.5), options={"alpha": 0.5})
    add("gelu", F.gelu)
    add("gelu", lambda t: F.gelu(t, approximate="tanh"), options={"approximate": "tanh"})
    add("silu", F.silu)
    add("softplus", F.softplus)
    add("softplus", lambda t: F.softplus(t, 2, 5), options={"beta": 2, "threshold": 5})
    add(
        "softplus",
        lambda t: F.softplus(t, 2, 5),
        options={"beta": 2, "threshold": 5},
        inputs=[f32([2.5, 2.49, 2.51, -3])],
    )
    add("hardtanh", F.hardtanh)
    add("hardtanh", lambda t: F.hardtanh(t, -0.5, 3.5), args=[-0.5, 3.5])
    add("hardswish", F.hardswish)
    f.add(
        "hardswish",
        F.hardswish,
        [f32([-3, 3])],
        ["$0"],
        target="F",
        grad=False,
        note="the gradient at ±3 differs between versions",
    )
    add("sigmoid", torch.sigmoid)
    add("tanh", torch.tanh)
    f.add("relu", torch.relu, [randn(3)], target="method")
    f.write()


def softmax():
    f = Family("softmax")
    for op, fn in (("softmax", F.softmax), ("logSoftmax", F.log_softmax)):
        for shape, dim in (
            ([5], 0),
            ([2, 5], 1),
            ([2, 5], -2),
            ([2, 3, 4], 1),
            ([2, 3, 4], -1),
            ([2, 1], 1),
            ([0, 3], 1),
            ([3, 0], 1),
            ([], 0),
        ):
            f.add(op, lambda t: fn(t, dim), [randn(*shape, scale=3)], ["$0", dim], target="F")
        f.add(
            op,
            lambda t: fn(t, 1),
            [f32([[1000, 999, -1000], [-INF, 0, 1], [INF, 0, 1], [NAN, 0, 1], [-INF, -INF, -INF], [90, -90, 0]])],
            ["$0", 1],
            target="F",
            note="edges",
        )
        f.add(op, lambda t: fn(t, 0), [randn(4, 2)], [0])
    f.write()


# ------------------------------------------------------------------------------------------------------------ reduce


def reduce():
    f = Family("reduce")
    x = randn(2, 3, 4)
    nan = f32([[1, NAN, 3], [2, 5, 4]])
    ties = f32([[1, 3, 3], [2, 2, 2]])

    def by_dims(op, fn, dims, inputs=(x,), keepdims=(False, True), full=None, **kw):
        for t in inputs:
            if full:
                f.add(op, full, [t], [], **kw)
            for dim in dims:
                for keep in keepdims:
                    f.add(op, lambda v: fn(v, dim, keep), [t], [dim], {"keepdim": True} if keep else None, **kw)

    many = (0, -1, [0, 2], [-1, 1], [0, 1, 2])
    for op, fn in (("sum", torch.sum), ("mean", torch.mean), ("amax", torch.amax), ("amin", torch.amin)):
        by_dims(op, fn, many, full=lambda t: fn(t))
        by_dims(op, fn, (0, 1), (nan, ties), (False,), full=lambda t: fn(t))
    by_dims("logsumexp", torch.logsumexp, many)
    by_dims("logsumexp", torch.logsumexp, (1,), (nan, f32([[-INF, -INF], [INF, 1], [1000, 1000], [-INF, 0]])), (False,))
    by_dims("prod", torch.prod, (0, 1, -1), full=torch.prod)
    by_dims("prod", torch.prod, (1,), (nan, f32([[0, 2, 3], [0, 0, 5], [1, 2, 3]])), (False,), full=torch.prod)
    by_dims("prod", torch.prod, (), (f32([0, 2, 3]),), full=torch.prod)
    for op, fn in (("max", torch.max), ("min", torch.min)):
        by_dims(op, fn, (0, 1, -1), full=lambda t: fn(t))
        by_dims(op, fn, (0, 1), (nan, ties), full=lambda t: fn(t))
        f.add(op, lambda t: fn(t, 1), [ints(-9, 9, 3, 4)], [1])
        f.add(op, lambda t: fn(t), [ints(-9, 9, 3, 4)], [])
    for op, fn in (("argmax", torch.argmax), ("argmin", torch.argmin)):
        by_dims(op, lambda v, d, k: fn(v, d, keepdim=k), (0, 1, -1), full=lambda t: fn(t))
        by_dims(
            op,
            lambda v, d, k: fn(v, d, keepdim=k),
            (0, 1),
            (nan, ties, ints(0, 3, 3, 4)),
            (False,),
            full=lambda t: fn(t),
        )
    for op, fn in (("any", torch.any), ("all", torch.all)):
        for t in (
            bools(2, 3),
            torch.zeros(2, 3, dtype=torch.bool),
            f32([[0, 1, NAN], [-0.0, 0, 0]]),
            i32([[0, 1], [2, 3]]),
        ):
            by_dims(op, fn, (0, 1), (t,), full=lambda v: fn(v))
    for op in ("var", "std"):
        fn = getattr(torch, op)
        f.add(op, lambda t: fn(t), [x], [])
        for dim in (0, -1, [0, 2]):
            for correction in (None, 0, 2):
                for keep in (False, True):
                    options = {
                        k: v for k, v in (("correction", correction), ("keepdim", keep or None)) if v is not None
                    }
                    f.add(
                        op,
                        lambda t: fn(t, dim, correction=1 if correction is None else correction, keepdim=keep),
                        [x],
                        [dim],
                        options,
                    )
        f.add(op, lambda t: fn(t, 1), [ties], [1], note="variance 0 in a row")
        f.add(op, lambda t: fn(t, 1), [nan], [1])
        f.add(op, lambda t: fn(t), [f32([3])], [], note="one value: NaN", grad=False)
        f.add(op, lambda t: fn(t, 0, correction=0), [f32([3])], [0], {"correction": 0})
        f.add(op, lambda t: fn(t, 0, correction=0), [f32([1e4, 1e4 + 1, 1e4 + 2])], [0], {"correction": 0})
    for p in (None, 1, 2, 3, 0.5, 0, INF, -INF):
        for dim, keep in ((None, False), (1, False), ([0, 2], True)):
            options = {k: v for k, v in (("p", p), ("dim", dim), ("keepdim", keep or None)) if v is not None}
            f.add("norm", lambda t: torch.norm(t, 2 if p is None else p, dim, keep), [x], [], options)
    for p in (1, 2, INF):
        f.add(
            "norm",
            lambda t: torch.norm(t, p, 1),
            [f32([[0, 0], [3, -4], [5, -5]])],
            [],
            {"p": p, "dim": 1},
            note="zeros, ties",
        )
    f.add("norm", lambda t: torch.norm(t), [torch.zeros(3)], [])
    for dim in (0, 1, -1):
        f.add("cumsum", lambda t: torch.cumsum(t, dim), [x], [dim])
    f.add("cumsum", lambda t: torch.cumsum(t, 0), [i32([1, 2, 3])], [0])
    f.add("cumsum", lambda t: torch.cumsum(t, 0), [torch.tensor([True, True, False])], [0])
    f.add("cumsum", lambda t: torch.cumsum(t, 0), [f32([1, NAN, 2])], [0])
    for t in (i32([[1, -2], [3, 4]]), torch.tensor([[200, 100], [1, 2]], dtype=torch.uint8), bools(2, 3)):
        f.add("sum", torch.sum, [t], [])
        f.add("sum", lambda v: v.sum(0), [t], [0])
        f.add("prod", torch.prod, [t], [])
        f.add("amax", lambda v: torch.amax(v, 1), [t], [1])
    f.add("mean", lambda v: v.float().mean(), [f32([1, 2])], [])

    empty = torch.zeros(0, 3)
    for op, fn in (("sum", torch.sum), ("mean", torch.mean)):
        by_dims(op, fn, (0, 1), (empty,), full=lambda t: fn(t))
    by_dims("prod", torch.prod, (0, 1), (empty,), (False,), full=torch.prod)
    by_dims("logsumexp", torch.logsumexp, (0, 1), (empty,))
    for op, fn in (("any", torch.any), ("all", torch.all)):
        by_dims(op, fn, (0, 1), (torch.zeros(0, 3, dtype=torch.bool),), full=lambda t: fn(t))
    for op, fn in (
        ("amax", torch.amax),
        ("amin", torch.amin),
        ("max", torch.max),
        ("min", torch.min),
        ("argmax", torch.argmax),
    ):
        f.add(op, lambda t: fn(t, 1), [empty], [1], note="the reduced dim is not empty")
    for op, fn in (("var", torch.var), ("std", torch.std)):
        f.add(op, lambda t: fn(t, 0), [empty], [0])
        f.add(op, lambda t: fn(t, 1), [empty], [1])
    f.add("norm", lambda t: torch.norm(t), [empty], [])
    f.add("cumsum", lambda t: torch.cumsum(t, 0), [empty], [0])
    scalar = f32(2.5)
    for op, fn in (
        ("sum", torch.sum),
        ("mean", torch.mean),
        ("max", torch.max),
        ("prod", torch.prod),
        ("norm", torch.norm),
        ("argmax", torch.argmax),
    ):
        f.add(op, fn, [scalar], [])
    f.add("sum", lambda t: t.sum(0), [scalar], [0])
    f.add("max", lambda t: t.max(-1), [scalar], [-1])
    f.write()


# ------------------------------------------------------------------------------------------------------------- shape


def shape_family():
    f = Family("shape")
    x = randn(2, 3, 4)

    for shape in ([6, 4], [-1], [2, -1, 2], [24], [1, 2, 3, 4]):
        f.add("reshape", lambda t: t.reshape(shape), [x], [shape])
        f.add("view", lambda t: t.view(shape), [x], shape)
    f.add("reshape", lambda t: t.reshape(0, 5), [torch.zeros(0, 3)], [[0, 5]])
    f.add("reshape", lambda t: t.reshape([]), [f32([3])], [[]])
    f.add("T", lambda t: t.T, [randn(2, 3)], [], target="property")
    for reps in ([2, 1, 1], [1, 2, 3], [2, 1, 1, 2]):
        f.add("repeat", lambda t: t.repeat(reps), [randn(2, 1, 2)], reps)
    for args in ([], [1], [0, 1], [1, -1], [-2, -1]):
        f.add("flatten", lambda t: t.flatten(*args), [x], args)
    f.add("flatten", lambda t: t.flatten(), [f32(1.5)], [])
    for d in (0, 1, -1, 3):
        f.add("unsqueeze", lambda t: t.unsqueeze(d), [x], [d])
    for args in ([], [0], [1], [-2]):
        f.add("squeeze", lambda t: t.squeeze(*args), [randn(1, 3, 1, 2)], args)
    for a, b in ((0, 1), (0, 2), (-1, -2), (1, 1)):
        f.add("transpose", lambda t: t.transpose(a, b), [x], [a, b])
    for dims in ([2, 0, 1], [0, 2, 1], [-1, 1, 0]):
        f.add("permute", lambda t: t.permute(dims), [x], [dims])
    for shape in ([2, 3], [4, 2, 3], [-1, 3], [2, -1, 3]):
        f.add("expand", lambda t: t.expand(shape), [randn(2, 1)], [shape])
    f.add("expand", lambda t: t.expand(3, 2), [f32(1.5)], [[3, 2]])
    for args in ([0, 1, 1], [1, 0, 2], [-1, 1, 3], [1, 3, 0], [2, -2, 2]):
        f.add("narrow", lambda t: t.narrow(*args), [x], args)
    for args in ([0, 1], [1, -1], [-1, 0]):
        f.add("select", lambda t: t.select(*args), [x], args)
    for dim, idx in ((0, [1, 0, 1]), (1, [2]), (-1, [3, 3, 0]), (1, [])):
        f.add("indexSelect", lambda t, i: t.index_select(dim, i), [x, index(idx)], [dim, "$1"])
    f.add("gather", lambda t, i: t.gather(1, i), [randn(3, 4), index([[0, 3], [1, 1], [2, 0]])], [1, "$1"])
    f.add("gather", lambda t, i: t.gather(0, i), [randn(3, 4), index([[0, 2, 1, 1]])], [0, "$1"])
    f.add("gather", lambda t, i: t.gather(-1, i), [x, ints(0, 4, 2, 3, 2, dtype=torch.int64)], [-1, "$1"])
    f.add(
        "scatter_",
        lambda t, i, s: t.clone().scatter_(1, i, s),
        [torch.zeros(2, 4), index([[0, 3], [2, 1]]), randn(2, 2)],
        [1, "$1", "$2"],
        grad=False,
    )
    f.add(
        "scatter_",
        lambda t, i, s: t.clone().scatter_(0, i, s),
        [randn(3, 2), index([[2, 0]]), randn(1, 2)],
        [0, "$1", "$2"],
        grad=False,
    )
    f.add(
        "scatter_",
        lambda t, i: t.clone().scatter_(1, i, 1.5),
        [torch.zeros(2, 3), index([[2], [0]])],
        [1, "$1", 1.5],
        grad=False,
    )
    distinct = (torch.randperm(24, generator=source).float() / 4 - 3).reshape(2, 3, 4)
    for args, kw in (([2], {}), ([1, 1], {}), ([2, 0], {"largest": False}), ([3, -1], {})):
        f.add("topk", lambda t: t.topk(*args, **kw), [distinct], args, kw)
    for args, kw in (([], {}), ([1], {}), ([-1], {"descending": True}), ([0], {"descending": True})):
        f.add("sort", lambda t: t.sort(*args, **kw), [distinct], args, kw)
    f.add("sort", lambda t: t.sort(stable=True), [f32([2, 1, 2, NAN, 1, -INF, INF])], [], {"stable": True})
    f.add("sort", lambda t: t.sort(), [i32([3, -1, 2])], [])
    f.add("argsort", lambda t: t.argsort(1), [distinct], [1])
    for args in ([2], [2, -1], [[1, 3], 2], [[1, 1], 0]):
        f.add("split", lambda t: t.split(*args), [x], args)
    for args in ([2, 1], [3, 2], [5, 2], [2]):
        f.add("chunk", lambda t: t.chunk(*args), [x], args)
    for dims in ([0], [-1], [0, 2], [0, 1, 2]):
        f.add("flip", lambda t: t.flip(dims), [x], [dims])
    for op, fn in (("tril", torch.tril), ("triu", torch.triu)):
        for d in (0, 1, -1, 5, -5):
            f.add(op, lambda t: fn(t, d), [randn(3, 4)], [], {"diagonal": d} if d else None)
        f.add(op, fn, [randn(2, 3, 3)], [])
    for dim in (0, 1, -1):
        f.add("cat", lambda *ts: torch.cat(ts, dim), [x, randn(2, 3, 4)], [["$0", "$1"], dim], target="function")
        f.add(
            "stack",
            lambda *ts: torch.stack(ts, dim),
            [x, randn(2, 3, 4), randn(2, 3, 4)],
            [["$0", "$1", "$2"], dim],
            target="function",
        )
    f.add(
        "cat",
        lambda *ts: torch.cat(ts, 0),
        [randn(2, 2), torch.zeros(0, 2), randn(1, 2)],
        [["$0", "$1", "$2"], 0],
        target="function",
    )
    f.add("cat", lambda *ts: torch.cat(ts), [randn(2), torch.zeros(0)], [["$0", "$1"]], target="function")
    f.add("stack", lambda *ts: torch.stack(ts), [f32(1), f32(2)], [["$0", "$1"]], target="function")
    image = randn(1, 2, 3, 4)
    for p in ([1, 2], [1, 0, 2, 1], [-1, 0], [1, -2, -1, 1]):
        f.add("pad", lambda t: F.pad(t, p), [image], ["$0", p], target="F")
        f.add("pad", lambda t: F.pad(t, p, value=-1.5), [image], ["$0", p], {"value": -1.5}, target="F")
    for mode in ("reflect", "replicate", "circular"):
        for p in ([1, 2, 2, 0], [1, 1, 1, 1]):
            f.add("pad", lambda t: F.pad(t, p, mode=mode), [image], ["$0", p], {"mode": mode}, target="F")
        f.add(
            "pad", lambda t: F.pad(t, [2, 1], mode=mode), [randn(1, 2, 4)], ["$0", [2, 1]], {"mode": mode}, target="F"
        )
    f.add("oneHot", lambda i: F.one_hot(i, 5), [index([0, 4, 2])], ["$0", 5], target="F")
    f.add("oneHot", lambda i: F.one_hot(i), [index([[0, 1], [2, 0]])], ["$0"], target="F")
    f.add("clone", torch.clone, [x], [])
    f.write(exact=True)


# ------------------------------------------------------------------------------------------------------------ linalg


def linalg():
    f = Family("linalg")
    for a, b in (
        ([3], [3]),
        ([2, 3], [3]),
        ([3], [3, 2]),
        ([2, 3], [3, 4]),
        ([1, 1], [1, 1]),
        ([2, 2, 3], [2, 3, 4]),
        ([2, 2, 3], [3, 4]),
        ([2, 3], [5, 3, 2]),
        ([2, 1, 2, 3], [4, 3, 2]),
        ([2, 2, 3], [3]),
        ([3], [2, 3, 4]),
        ([0, 3], [3, 2]),
        ([2, 0], [0, 3]),
        ([2, 3], [3, 0]),
        ([0, 2, 3], [0, 3, 2]),
        ([9, 17], [17, 13]),
    ):
        f.add("matmul", torch.matmul, [randn(*a), randn(*b)])
    f.add("mm", torch.mm, [randn(5, 7), randn(7, 3)])
    f.add("bmm", torch.bmm, [randn(3, 2, 5), randn(3, 5, 4)])
    f.add("matmul", torch.matmul, [f32([[NAN, 1], [0, 2]]), f32([[1, 0], [INF, 1]])])
    for shape in ([4, 3], [3], [2, 4, 3], [0, 3]):
        f.add("linear", F.linear, [randn(*shape), randn(5, 3), randn(5)], target="F")
        f.add("linear", lambda x, w: F.linear(x, w), [randn(*shape), randn(5, 3)], target="F")
    f.add("linear", F.linear, [randn(16, 33), randn(10, 33), randn(10)], target="F")
    f.write()


# ---------------------------------------------------------------------------------------------------------------- nn


def nn_family():
    f = Family("nn")
    for shape, normalized in (
        ([2, 5], [5]),
        ([2, 3, 4], [4]),
        ([2, 3, 4], [3, 4]),
        ([4, 1], [1]),
        ([0, 3], [3]),
        ([6], [6]),
    ):
        x = randn(*shape, scale=2)
        f.add("layerNorm", lambda t: F.layer_norm(t, normalized), [x], ["$0", normalized], target="F")
        f.add(
            "layerNorm",
            lambda t, w, b: F.layer_norm(t, normalized, w, b, 1e-3),
            [x, randn(*normalized), randn(*normalized)],
            ["$0", normalized],
            {"weight": "$1", "bias": "$2", "eps": 1e-3},
            target="F",
        )
    f.add(
        "layerNorm",
        lambda t: F.layer_norm(t, [3]),
        [f32([[1, 1, 1], [1e4, 1e4 + 1, 1e4 + 2], [1, NAN, 2]])],
        ["$0", [3]],
        target="F",
    )
    w = randn(6, 3)
    for idx in ([1, 4, 1], [[0, 5], [2, 2]], [], [2]):
        f.add("embedding", F.embedding, [index(idx), w], target="F")
    f.add(
        "embedding",
        lambda i, t: F.embedding(i, t, padding_idx=2),
        [index([[2, 1], [2, 5]]), w],
        ["$0", "$1"],
        {"paddingIdx": 2},
        target="F",
    )
    f.add(
        "embedding",
        lambda i, t: F.embedding(i, t, padding_idx=-1),
        [index([5, 1]), w],
        ["$0", "$1"],
        {"paddingIdx": -1},
        target="F",
    )
    x = randn(3, 4)
    f.add("dropout", lambda t: F.dropout(t, 0.5, False), [x], ["$0", 0.5], {"training": False}, target="F")
    f.add("dropout", lambda t: F.dropout(t, 0.0), [x], ["$0", 0], target="F")
    f.add("dropout", lambda t: F.dropout(t, 1.0), [f32([1, NAN, INF])], ["$0", 1], target="F")
    for p in (0.5, 0.2, 0.9):
        f.add("dropout", lambda t: F.dropout(t, p), [randn(5, 5)], ["$0", p], target="F", seed=7)
    f.write()


# -------------------------------------------------------------------------------------------------------------- loss


def loss():
    f = Family("loss")
    reductions = ("mean", "sum", "none")

    def add(op, fn, inputs, options=None, python=None, **kw):
        python = python or {}
        for reduction in reductions:
            opts = dict(options or {})
            if reduction != "mean":
                opts["reduction"] = reduction
            names = ["$%d" % i for i in range(2)]
            f.add(
                op,
                lambda *ts: fn(
                    *ts[:2],
                    reduction=reduction,
                    **{k: (ts[v] if k in ("weight", "pos_weight") else v) for k, v in python.items()},
                ),
                inputs,
                names,
                opts,
                target="F",
                **kw,
            )

    x, y = randn(3, 4), randn(3, 4)
    edge_x, edge_y = f32([0, 1, -1, 3, NAN, INF]), f32([0, 0, 0, 0, 0, 0])
    for op, fn in (
        ("mseLoss", F.mse_loss),
        ("l1Loss", F.l1_loss),
        ("smoothL1Loss", F.smooth_l1_loss),
        ("huberLoss", F.huber_loss),
    ):
        add(op, fn, [x, y])
        add(op, fn, [edge_x, edge_y])
        add(op, fn, [randn(0, 2), randn(0, 2)])
        add(op, fn, [f32(1.5), f32(-2)])
    add("mseLoss", F.mse_loss, [randn(3, 1), randn(3)], note="broadcasts to [3, 3]")
    for beta in (0.5, 2, 0):
        add("smoothL1Loss", F.smooth_l1_loss, [x, y], {"beta": beta}, {"beta": beta})
    for delta in (0.5, 2):
        add("huberLoss", F.huber_loss, [x, y], {"delta": delta}, {"delta": delta})

    p = torch.sigmoid(randn(3, 4))
    t = torch.round(torch.rand(3, 4, generator=source) * 100) / 100
    w = positive(4)
    add("binaryCrossEntropy", F.binary_cross_entropy, [p, t])
    add("binaryCrossEntropy", F.binary_cross_entropy, [p, t, w], {"weight": "$2"}, {"weight": 2}, grad=[0])
    add(
        "binaryCrossEntropy",
        F.binary_cross_entropy,
        [f32([0, 1, 0, 1]), f32([0, 1, 1, 0])],
        note="log is clamped at −100",
    )
    add("binaryCrossEntropyWithLogits", F.binary_cross_entropy_with_logits, [x, t])
    add(
        "binaryCrossEntropyWithLogits",
        F.binary_cross_entropy_with_logits,
        [x, t, w],
        {"weight": "$2"},
        {"weight": 2},
        grad=[0],
    )
    add(
        "binaryCrossEntropyWithLogits",
        F.binary_cross_entropy_with_logits,
        [x, t, w],
        {"posWeight": "$2"},
        {"pos_weight": 2},
        grad=[0],
    )
    add(
        "binaryCrossEntropyWithLogits",
        F.binary_cross_entropy_with_logits,
        [x, t, w, positive(3, 1)],
        {"posWeight": "$2", "weight": "$3"},
        {"pos_weight": 2, "weight": 3},
        grad=[0],
    )
    add(
        "binaryCrossEntropyWithLogits",
        F.binary_cross_entropy_with_logits,
        [f32([200, -200, 0, NAN]), f32([0, 1, 1, 1])],
    )

    logq, q = F.log_softmax(randn(3, 4), 1), F.softmax(randn(3, 4), 1)
    add("klDiv", F.kl_div, [logq, q])
    add("klDiv", F.kl_div, [logq, q.log()], {"logTarget": True}, {"log_target": True})
    add("klDiv", F.kl_div, [logq, f32([[0, 1, 0, 0]] * 3)], note="0·log 0 = 0", grad=[0])
    for log_target in (False, True):
        f.add(
            "klDiv",
            lambda a, b: F.kl_div(a, b, reduction="batchmean", log_target=log_target),
            [logq, q.log() if log_target else q],
            ["$0", "$1"],
            {"reduction": "batchmean", **({"logTarget": True} if log_target else {})},
            target="F",
        )

    c = index([2, 0, 3])
    cw = positive(4)
    seq, seqt = randn(2, 4, 3), index([[0, 3, 1], [2, 2, 0]])
    map_, mapt = randn(2, 3, 2, 2), index([[[0, 2], [1, 1]], [[2, 0], [0, 1]]])
    for op, fn, prepare in (
        ("crossEntropy", F.cross_entropy, lambda v: v),
        ("nllLoss", F.nll_loss, lambda v: F.log_softmax(v, 1 if v.dim() > 1 else 0)),
    ):
        add(op, fn, [prepare(x), c])
        add(op, fn, [prepare(x), c, cw], {"weight": "$2"}, {"weight": 2}, grad=[0])
        add(op, fn, [prepare(x), index([2, -100, 3])])
        add(
            op,
            fn,
            [prepare(x), index([2, 1, 3]), cw],
            {"weight": "$2", "ignoreIndex": 1},
            {"weight": 2, "ignore_index": 1},
            grad=[0],
        )
        add(op, fn, [prepare(x), index([-100, -100, -100])], note="all ignored: the mean is NaN")
        add(op, fn, [prepare(randn(4)), torch.tensor(2)], note="unbatched")
        add(op, fn, [prepare(seq), seqt], note="[N, C, d]")
        add(op, fn, [prepare(seq), index([[0, -100, 1], [2, 2, -100]]), cw], {"weight": "$2"}, {"weight": 2}, grad=[0])
        add(op, fn, [prepare(map_), mapt], note="[N, C, d1, d2]")
        add(op, fn, [torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)], note="empty batch")
    for s in (0.1, 1.0):
        add("crossEntropy", F.cross_entropy, [x, c], {"labelSmoothing": s}, {"label_smoothing": s})
        add(
            "crossEntropy",
            F.cross_entropy,
            [x, c, cw],
            {"weight": "$2", "labelSmoothing": s},
            {"weight": 2, "label_smoothing": s},
            grad=[0],
        )
        add(
            "crossEntropy",
            F.cross_entropy,
            [x, index([2, -100, 3]), cw],
            {"weight": "$2", "labelSmoothing": s},
            {"weight": 2, "label_smoothing": s},
            grad=[0],
        )
    add(
        "crossEntropy",
        F.cross_entropy,
        [x, index([2, 0, 3])],
        {"labelSmoothing": 0.1, "ignoreIndex": 0},
        {"label_smoothing": 0.1, "ignore_index": 0},
    )
    add("crossEntropy", F.cross_entropy, [seq, seqt], {"labelSmoothing": 0.2}, {"label_smoothing": 0.2})
    probs = F.softmax(randn(3, 4), 1)
    add("crossEntropy", F.cross_entropy, [x, probs], note="class probabilities")
    add("crossEntropy", F.cross_entropy, [x, probs, cw], {"weight": "$2"}, {"weight": 2}, grad=[0, 1])
    add("crossEntropy", F.cross_entropy, [x, probs], {"labelSmoothing": 0.1}, {"label_smoothing": 0.1})
    add("crossEntropy", F.cross_entropy, [seq, F.softmax(randn(2, 4, 3), 1)], note="class probabilities, [N, C, d]")
    add("crossEntropy", F.cross_entropy, [randn(4), F.softmax(randn(4), 0)], note="class probabilities, unbatched")
    add(
        "crossEntropy",
        F.cross_entropy,
        [f32([[1000, -1000], [-INF, 0], [INF, 0], [NAN, 1]]), index([1, 0, 0, 0])],
        note="edges",
    )
    f.write()


# ------------------------------------------------------------------------------------------------------------- optim


def clip():
    records = []
    source.manual_seed(1)
    for scale in (5.0, 0.1):
        grads = [randn(2, 3, scale=scale), randn(4, scale=scale)]
        for norm_type in (2, 1, 3, INF):
            params = [nn.Parameter(torch.zeros_like(g)) for g in grads]
            for p, g in zip(params, grads):
                p.grad = g.clone()
            total = nn.utils.clip_grad_norm_(params, 1.0, norm_type)
            records.append(
                {
                    "op": "clipGradNorm_",
                    "grads": grads,
                    "maxNorm": 1,
                    "normType": norm_type,
                    "total": np.float32(total),
                    "clipped": [p.grad for p in params],
                }
            )
        params = [nn.Parameter(torch.zeros_like(g)) for g in grads]
        for p, g in zip(params, grads):
            p.grad = g.clone()
        nn.utils.clip_grad_value_(params, 0.25)
        records.append({"op": "clipGradValue_", "grads": grads, "clipValue": 0.25, "clipped": [p.grad for p in params]})
    for value in (INF, NAN):
        p = nn.Parameter(torch.zeros(3))
        p.grad = f32([1, value, -2])
        before = p.grad.clone()
        total = nn.utils.clip_grad_norm_([p], 1.0)
        records.append(
            {
                "op": "clipGradNorm_",
                "grads": [before],
                "maxNorm": 1,
                "normType": 2,
                "total": np.float32(total),
                "clipped": [p.grad],
            }
        )
    write("clip", records)


def sgd():
    records = []
    source.manual_seed(2)
    start = [randn(3), randn(2, 2)]
    grads = [[randn(3), randn(2, 2)] for _ in range(5)]
    for momentum, dampening, decay, nesterov, maximize in itertools.product(
        (0, 0.9), (0, 0.1), (0, 0.01), (False, True), (False, True)
    ):
        if nesterov and (momentum == 0 or dampening != 0):
            continue
        params = [nn.Parameter(p.clone()) for p in start]
        optimizer = torch.optim.SGD(
            params,
            lr=0.1,
            momentum=momentum,
            dampening=dampening,
            weight_decay=decay,
            nesterov=nesterov,
            maximize=maximize,
        )
        steps = []
        for step in grads:
            for p, g in zip(params, step):
                p.grad = g.clone()
            optimizer.step()
            steps.append([p.detach().clone() for p in params])
        options = {
            "lr": 0.1,
            "momentum": momentum,
            "dampening": dampening,
            "weightDecay": decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        buffers = [optimizer.state[p].get("momentum_buffer") for p in params]
        records.append({"op": "SGD", "options": options, "steps": steps, "momentumBuffers": buffers})
    write("sgd", [{"op": "start", "params": start, "grads": grads}, *records])


# -------------------------------------------------------------------------------------------------------------- init


def init():
    records = []

    def add(op, fn, shape, args=(), options=None, tolerance=None):
        torch.manual_seed(0)
        t = torch.empty(shape)
        fn(t)
        record = {"op": op, "target": "nn.init", "seed": 0, "shape": list(shape), "args": list(args)}
        if options:
            record["options"] = options
        if tolerance:
            record["tolerance"] = tolerance
        record["output"] = t
        records.append(record)

    for shape in ((4, 5), (3, 4), (3, 2, 3, 3)):
        add("kaimingUniform_", lambda t: nn.init.kaiming_uniform_(t), shape)
        add(
            "kaimingUniform_", lambda t: nn.init.kaiming_uniform_(t, a=math.sqrt(5)), shape, options={"a": math.sqrt(5)}
        )
        add(
            "kaimingUniform_",
            lambda t: nn.init.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
            shape,
            options={"mode": "fan_out", "nonlinearity": "relu"},
        )
        add("kaimingNormal_", lambda t: nn.init.kaiming_normal_(t), shape)
        add(
            "kaimingNormal_",
            lambda t: nn.init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
            shape,
            options={"mode": "fan_out", "nonlinearity": "relu"},
        )
        add("xavierUniform_", lambda t: nn.init.xavier_uniform_(t), shape)
        add("xavierUniform_", lambda t: nn.init.xavier_uniform_(t, nn.init.calculate_gain("tanh")), shape, [5 / 3])
        add("xavierNormal_", lambda t: nn.init.xavier_normal_(t), shape)
        add("orthogonal_", lambda t: nn.init.orthogonal_(t), shape, tolerance=1e-5)
        add(
            "truncNormal_",
            lambda t: nn.init.trunc_normal_(t, 0.1, 0.5, -1.0, 0.4),
            shape,
            [0.1, 0.5, -1, 0.4],
            tolerance=2e-6,
        )
        add("uniform_", lambda t: nn.init.uniform_(t, -0.25, 0.75), shape, [-0.25, 0.75])
        add("normal_", lambda t: nn.init.normal_(t, 0.5, 2.0), shape, [0.5, 2])
    add("orthogonal_", lambda t: nn.init.orthogonal_(t, 2.0), (5, 3), [2], tolerance=1e-5)
    for op, fn, args in (
        ("uniform_", nn.init.uniform_, []),
        ("normal_", nn.init.normal_, []),
        ("truncNormal_", nn.init.trunc_normal_, []),
        ("zeros_", nn.init.zeros_, []),
        ("ones_", nn.init.ones_, []),
        ("eye_", nn.init.eye_, []),
        ("constant_", lambda t: nn.init.constant_(t, 0.3), [0.3]),
    ):
        add(op, fn, (3, 4), args, tolerance=2e-6 if op == "truncNormal_" else None)

    def module(name, args, options, build):
        torch.manual_seed(0)
        m = build()
        records.append(
            {
                "op": name,
                "target": "nn",
                "seed": 0,
                "args": args,
                "options": options,
                "stateDict": {k: v for k, v in m.state_dict().items()},
            }
        )

    module("Linear", [5, 3], {}, lambda: nn.Linear(5, 3))
    module("Linear", [10, 20], {}, lambda: nn.Linear(10, 20))
    module("Linear", [4, 6], {"bias": False}, lambda: nn.Linear(4, 6, bias=False))
    module("Embedding", [7, 4], {}, lambda: nn.Embedding(7, 4))
    module("Embedding", [3, 2], {"paddingIdx": 1}, lambda: nn.Embedding(3, 2, padding_idx=1))
    module("Conv2d", [2, 3, 3], {}, lambda: nn.Conv2d(2, 3, 3))
    module("ConvTranspose2d", [2, 3, 2], {}, lambda: nn.ConvTranspose2d(2, 3, 2))
    module("LayerNorm", [4], {}, lambda: nn.LayerNorm(4))
    module("BatchNorm2d", [3], {}, lambda: nn.BatchNorm2d(3))
    gains = [["linear"], ["sigmoid"], ["tanh"], ["relu"], ["leaky_relu"], ["leaky_relu", 0.2], ["selu"], ["conv2d"]]
    records.append(
        {
            "op": "calculateGain",
            "target": "nn.init",
            "cases": [{"args": a, "gain": float(nn.init.calculate_gain(*a))} for a in gains],
        }
    )
    write("init", records)


# ------------------------------------------------------------------------------------------------------------- print


def print_family():
    records = []

    def add(x, **extra):
        text = str(x)
        records.append({"input": x.detach(), **extra, "text": text})

    a = torch.arange
    add(torch.tensor([1, 2, 3]))
    add(torch.tensor([[1, -20], [300, 4]]))
    add(f32([1, 2, 3]))
    add(f32([0.1, 0.25, -3.14159]))
    add(f32([[1.5, -2.25], [1000.123, 0.001]]))
    add(f32([1e-5, 1.0, 123456.0]))
    add(f32([1e10, 1.0]))
    add(f32([1e-8, 2e-8]))
    add(f32([1e8, 2e8]))
    add(f32([0.0001, 0.0002]))
    add(f32([1e5, 2.5]))
    add(f32([NAN, 1.5, INF, -INF]))
    add(f32([NAN, INF]))
    add(f32([NAN, 1.0, 2.0]))
    add(f32([0.0, -0.0]))
    add(torch.tensor([True, False, True]))
    add(torch.tensor([[True], [False]]))
    add(torch.tensor([0, 255], dtype=torch.uint8))
    add(torch.tensor(3.5))
    add(torch.tensor(7))
    add(torch.tensor(True))
    add(f32(1e-10))
    add(f32(NAN))
    add(torch.zeros(0))
    add(torch.zeros(0, 3))
    add(torch.zeros(2, 2, 2))
    add(a(24).reshape(2, 3, 4))
    add(a(16).float().reshape(2, 2, 2, 2) / 8)
    add(a(1000))
    add(a(1001))
    add(a(2000).float().reshape(40, 50))
    add(a(1200).float().reshape(1200, 1) / 7)
    add(a(1331).float().reshape(11, 11, 11))
    add(a(1331).float().reshape(1, 11, 121) * 1e-6)
    add(a(30).float() * 1.25)
    add(a(80))
    add(f32([1, 2]).requires_grad_(), requiresGrad=True)
    add(f32([[0.5, 2], [3, 4]]).requires_grad_(), requiresGrad=True)
    add(f32([i + 0.5 for i in range(20)]).requires_grad_(), requiresGrad=True)
    for r in records:  # large inputs are whole numbers counted up: do not store them
        if r["input"].numel() > 200:
            r["arange"] = {
                "shape": list(r["input"].shape),
                "dtype": DTYPES[r["input"].dtype],
                "scale": scale_of(r["input"]),
            }
            del r["input"]
    write("print", records)


def scale_of(x):
    """x is arange(n) divided or multiplied by one number: {"mul": m} or {"div": d}, reproducing it exactly."""
    n = x.numel()
    if not x.is_floating_point():
        return {"mul": 1}
    for kind, v in (("mul", 1), ("div", 7), ("mul", 1e-6)):
        y = torch.arange(n).float()
        y = y * v if kind == "mul" else y / v
        if torch.equal(y.reshape(x.shape), x):
            return {kind: v}
    raise AssertionError("not a scaled arange")


# ------------------------------------------------------------------------------------------------------------ random

SEEDS = [0, 1, 42, 2**32 - 1, -1, 12345678901]
SIZES = [1, 5, 15, 16, 17, 31, 32, 100, 1000]


def fnv1a(x):
    """FNV-1a of the little-endian 32-bit words (float32 bits or int32), a word at a time."""
    words = x.numpy().astype(np.float32 if x.is_floating_point() else np.int32).view(np.uint32)
    h = 2166136261
    for w in words.tolist():
        h = ((h ^ w) * 16777619) & 0xFFFFFFFF
    return h


def digest(x):
    """All of a short result; of a long one the first and last four, and a hash of all."""
    x = x.reshape(-1)
    if x.numel() <= 17:
        return {"values": [number(v) if x.is_floating_point() else int(v) for v in x.tolist()], "hash": fnv1a(x)}
    return {"head": x[:4].tolist(), "tail": x[-4:].tolist(), "hash": fnv1a(x)}


def draw(op, n, args):
    t = torch.empty
    if op == "rand":
        return torch.rand(n)
    if op == "randn":
        return torch.randn(n)
    if op == "uniform_":
        return t(n).uniform_(*args)
    if op == "normal_":
        return t(n).normal_(*args)
    if op == "randint":
        return torch.randint(*args, (n,))
    if op == "randperm":
        return torch.randperm(n)
    if op == "bernoulli_":
        return t(n).bernoulli_(*args)
    if op == "bernoulliEach":
        return torch.bernoulli(torch.arange(n).float() / n)
    if op == "exponential_":
        return t(n).exponential_(*args)
    if op == "multinomial":
        count, replacement, rows = args
        weights = (torch.arange(rows * n) * 7 % 11 + 1).float().reshape(rows, n)
        return torch.multinomial(weights, count, replacement)
    if op == "dropoutMask":
        return (F.dropout(torch.ones(n), 0.3) != 0).float()
    raise KeyError(op)


def random_family():
    records = []
    plan = [
        ("rand", []),
        ("randn", []),
        ("uniform_", [-0.3, 0.7]),
        ("uniform_", [-0.08838834764831845, 0.08838834764831845]),
        ("normal_", [0.3, 1.7]),
        ("randint", [0, 10]),
        ("randint", [-5, 2**31 - 1]),
        ("randperm", []),
        ("bernoulli_", [0.5]),
        ("bernoulli_", [0.1]),
        ("bernoulliEach", []),
        ("exponential_", [1]),
        ("exponential_", [0.5]),
    ]
    for seed in SEEDS:
        torch.manual_seed(seed)
        records.append(
            {
                "kind": "words",
                "seed": seed,
                "initialSeed": str(torch.initial_seed()),
                "words": [int(torch.empty((), dtype=torch.int64).random_(0, 2**32 - 1)) for _ in range(5)],
                "int64": [str(torch.empty((), dtype=torch.int64).random_().item()) for _ in range(3)],
            }
        )
        calls = []
        for op, args in plan:
            for n in SIZES:
                torch.manual_seed(seed)
                calls.append({"op": op, "n": n, "args": args, **digest(draw(op, n, args))})
        records.append({"kind": "calls", "seed": seed, "calls": calls})
    sequences = [
        [("randn", 3, []), ("rand", 5, []), ("randn", 20, []), ("randperm", 10, [])],
        [("randn", 1, []), ("randn", 1, []), ("randn", 1, []), ("randn", 16, []), ("randn", 3, []), ("randn", 2, [])],
        [
            ("rand", 623, []),
            ("bernoulli_", 5, [0.4]),
            ("dropoutMask", 700, []),
            ("randint", 9, [3, 8]),
            ("randn", 5, []),
        ],
        [
            ("rand", 624, []),
            ("randperm", 1, []),
            ("randperm", 0, []),
            ("randperm", 700, []),
            ("normal_", 7, [1, 0.5]),
            ("rand", 1, []),
        ],
        [
            ("exponential_", 3, [2]),
            ("randint", 4, [0, 2**31]),
            ("randint", 4, [-(2**31), 2**31]),
            ("uniform_", 2, [100, 101]),
            ("rand", 3, []),
        ],
        [
            ("multinomial", 8, [1, False, 1]),
            ("multinomial", 8, [5, False, 2]),
            ("multinomial", 8, [12, True, 3]),
            ("multinomial", 8, [1, True, 2]),
            ("rand", 1, []),
        ],
        [("uniform_", 1000, [100, 101]), ("uniform_", 1000, [-1000, -999.5]), ("uniform_", 1000, [0, 1e30])],
    ]
    for seed in SEEDS:
        for sequence in sequences:
            torch.manual_seed(seed)
            records.append(
                {
                    "kind": "sequence",
                    "seed": seed,
                    "calls": [
                        {"op": op, "n": n, "args": args, **digest(draw(op, n, args))} for op, n, args in sequence
                    ],
                }
            )
    for seed in (0, 12345678901):
        torch.manual_seed(seed)
        torch.randn(3), torch.rand(7)
        state = torch.get_rng_state().numpy()
        words = state[24 : 24 + 624 * 8].view(np.uint64).astype(np.uint32)
        records.append(
            {
                "kind": "state",
                "seed": seed,
                "hash": fnv1a(torch.from_numpy(state.view(np.int32).copy())),
                "words": [int(w) for w in words[:4]],
                "next": {"randn": torch.randn(2).tolist(), "rand": torch.rand(2).tolist()},
            }
        )
    for seed in SEEDS:
        for n, batch in ((10, 3), (64, 16), (1000, 100)):
            dataset = TensorDataset(torch.arange(n))
            epochs = []
            torch.manual_seed(seed)
            loader = DataLoader(dataset, batch, shuffle=True)
            for _ in range(3):
                epochs.append(digest(torch.cat([b[0] for b in loader]).int()))
            records.append(
                {"kind": "dataLoader", "seed": seed, "n": n, "epochs": epochs, "after": torch.rand(2).tolist()}
            )
            g = torch.Generator()
            g.manual_seed(seed)
            torch.manual_seed(seed)
            loader = DataLoader(dataset, batch, shuffle=True, generator=g)
            epochs = [digest(torch.cat([b[0] for b in loader]).int()) for _ in range(3)]
            records.append(
                {
                    "kind": "dataLoader",
                    "seed": seed,
                    "n": n,
                    "generator": True,
                    "epochs": epochs,
                    "after": torch.rand(2).tolist(),
                    "afterGenerator": torch.rand(2, generator=g).tolist(),
                }
            )
        torch.manual_seed(seed)
        for _ in DataLoader(TensorDataset(torch.arange(4)), 2):
            pass
        records.append(
            {
                "kind": "dataLoader",
                "seed": seed,
                "n": 4,
                "shuffle": False,
                "epochs": [],
                "after": torch.rand(2).tolist(),
            }
        )
    g = torch.Generator()
    records.append(
        {"kind": "defaultSeed", "initialSeed": g.initial_seed(), "rand": torch.rand(3, generator=g).tolist()}
    )
    text = encode_random(records)
    with open(os.path.join(HERE, "random.json"), "w") as out:
        out.write(text)
    print(f"random: {len(records)} records, {len(text)} bytes")


def encode_random(records):
    """Like write(), but every float is a float32 and digests already hold text."""

    def enc(x, in_values=False):
        if isinstance(x, dict):
            return (
                "{"
                + ",".join(
                    json.dumps(k) + ":" + (json.dumps(v) if k == "args" else enc(v, k == "values"))
                    for k, v in x.items()
                )
                + "}"
            )
        if isinstance(x, list):
            return "[" + ",".join(v if in_values and isinstance(v, str) else enc(v) for v in x) + "]"
        if isinstance(x, float):
            return number(x)
        return json.dumps(x)

    body = ",\n".join(enc(r).replace(',"calls":[', ',"calls":[\n  ').replace('},{"op"', '},\n  {"op"') for r in records)
    text = '{"family": "random", "torch": "%s", "records": [\n%s\n]}\n' % (torch.__version__, body)
    json.loads(text)
    return text


# -------------------------------------------------------------------------------------------------------------- runs


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(10, 100)
        self.relu1 = nn.ReLU()
        self.fc2 = nn.Linear(100, 100)
        self.relu2 = nn.ReLU()
        self.fc3 = nn.Linear(100, 1)

    def forward(self, x):
        return self.fc3(self.relu2(self.fc2(self.relu1(self.fc1(x)))))


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input < 0] = 0
        return grad_input


def train(net, criterion, optimizer, loader, steps):
    losses, norms = [], []
    while len(losses) < steps:
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = criterion(net(inputs), labels)
            loss.backward()
            norms.append(np.float32(nn.utils.clip_grad_norm_(net.parameters(), 1.0)))
            optimizer.step()
            losses.append(np.float32(loss.item()))
            if len(losses) == steps:
                break
    return losses, norms


def runs():
    records = []
    for name, python, options in (
        ("article", {"lr": 0.01}, {"lr": 0.01}),
        (
            "article-momentum",
            {"lr": 0.01, "momentum": 0.9, "weight_decay": 1e-4, "nesterov": True},
            {"lr": 0.01, "momentum": 0.9, "weightDecay": 1e-4, "nesterov": True},
        ),
    ):
        torch.manual_seed(0)
        net = Net()
        x, y = torch.randn(64, 10), torch.randn(64, 1)
        loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
        losses, norms = train(net, nn.MSELoss(), torch.optim.SGD(net.parameters(), **python), loader, 20)
        records.append(
            {
                "run": name,
                "seed": 0,
                "sgd": options,
                "batchSize": 16,
                "steps": 20,
                "clip": 1,
                "losses": losses,
                "norms": norms,
                "weights": dict(net.state_dict()),
            }
        )

    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
    x, y = torch.randn(640, 784), torch.randint(0, 10, (640,))
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    losses, norms = train(
        net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9), loader, 20
    )
    records.append(
        {
            "run": "mlp",
            "seed": 0,
            "sgd": {"lr": 0.05, "momentum": 0.9},
            "batchSize": 64,
            "steps": 20,
            "clip": 1,
            "losses": losses,
            "norms": norms,
            "firstInputs": x[0, :4],
            "firstLabels": y[:8],
            "weightNorms": {k: np.float32(v.norm()) for k, v in net.state_dict().items()},
            "firstWeights": {k: v.reshape(-1)[:8] for k, v in net.state_dict().items()},
        }
    )

    x = f32([[-1, 0, 2, -0.0], [NAN, 3, -INF, INF]]).requires_grad_()
    out = MyReLU.apply(x)
    out.backward(upstream(out))
    records.append({"run": "custom-relu", "input": x, "output": out, "gradOutput": upstream(out), "grad": x.grad})

    torch.manual_seed(0)
    x, y = torch.randn(64, 1000), torch.randn(64, 10)
    w1, w2 = torch.randn(1000, 100, requires_grad=True), torch.randn(100, 10, requires_grad=True)
    losses = []
    for _ in range(100):
        loss = (MyReLU.apply(x.mm(w1)).mm(w2) - y).pow(2).sum()
        losses.append(np.float32(loss.item()))
        loss.backward()
        with torch.no_grad():
            w1 -= 1e-6 * w1.grad
            w2 -= 1e-6 * w2.grad
            w1.grad = w2.grad = None
    records.append(
        {
            "run": "custom-relu-training",
            "seed": 0,
            "sizes": [64, 1000, 100, 10],
            "lr": 1e-6,
            "steps": 100,
            "losses": losses,
            "w1": w1.detach().reshape(-1)[:8],
            "w2": w2.detach().reshape(-1)[:8],
        }
    )
    write("runs", records)


FAMILIES = {
    "make": make,
    "index": index_family,
    "elementwise": elementwise,
    "promotion": promotion,
    "activation": activation,
    "softmax": softmax,
    "reduce": reduce,
    "shape": shape_family,
    "linalg": linalg,
    "nn": nn_family,
    "loss": loss,
    "clip": clip,
    "sgd": sgd,
    "init": init,
    "print": print_family,
    "random": random_family,
    "runs": runs,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        FAMILIES[name]()
