#!/usr/bin/python3
"""Writes fixtures/norm.json (single calls) and fixtures/norm-modules.json (modules over several batches).

Run:  /usr/bin/python3 test/parity/make_norm.py        (make_fixtures.py says with what)
"""

import torch
import torch.nn.functional as F
from torch import nn

from make_fixtures import Family, f32, randn, positive, source, upstream, write, INF, NAN


def calls():
    f = Family("norm")
    for shape in ([3, 2, 3, 5], [2, 2, 4, 8], [6, 5], [1, 2, 3, 3], [3, 4, 7], [2, 1, 1, 1], [5, 9, 1], [2, 1, 9, 11]):
        c = shape[1]
        x = randn(*shape, scale=2)
        f.add(
            "batchNorm",
            lambda t: F.batch_norm(t, None, None, training=True),
            [x],
            ["$0", None, None],
            {"training": True},
            target="F",
        )
        f.add(
            "batchNorm",
            lambda t, m, v, w, b: F.batch_norm(t, m, v, w, b, True, 0.3, 1e-3),
            [x, randn(c), positive(c), randn(c), randn(c)],
            ["$0", "$1", "$2", "$3", "$4", True, 0.3, 1e-3],
            target="F",
            grad=[0, 3, 4],
        )
        f.add(
            "batchNorm",
            lambda t, m, v, w, b: F.batch_norm(t, m, v, w, b),
            [x, randn(c), positive(c), randn(c), randn(c)],
            ["$0", "$1", "$2"],
            {"weight": "$3", "bias": "$4"},
            target="F",
            grad=[0, 3, 4],
        )
    edges = f32([[[1, 2, INF]], [[3, NAN, 0.5]], [[-INF, -0.0, 0]]])
    f.add(
        "batchNorm",
        lambda t, m, v: F.batch_norm(t, m, v),
        [edges, f32([0.5]), f32([2])],
        target="F",
        grad=[0],
    )
    for x in (edges, f32([[1, 1], [INF, 2], [3, 4]]), f32([[[5, 5, 5]], [[5, 5, 5]]])):
        f.add(
            "batchNorm",
            lambda t: F.batch_norm(t, None, None, training=True),
            [x],
            ["$0", None, None],
            {"training": True},
            target="F",
        )
    for shape, groups in (([2, 6, 3, 3], 3), ([3, 8], 2), ([2, 4], 4), ([1, 4, 5, 2], 1), ([2, 3, 7], 3), ([2, 2, 1, 1], 1)):
        c = shape[1]
        x = randn(*shape, scale=2)
        f.add("groupNorm", lambda t: F.group_norm(t, groups), [x], ["$0", groups], target="F")
        f.add(
            "groupNorm",
            lambda t, w, b: F.group_norm(t, groups, w, b, 1e-3),
            [x, randn(c), randn(c)],
            ["$0", groups],
            {"weight": "$1", "bias": "$2", "eps": 1e-3},
            target="F",
        )
    for shape in ([2, 3, 3, 5], [1, 2, 4, 4], [3, 4, 7]):
        c = shape[1]
        x = randn(*shape, scale=2)
        f.add("instanceNorm", lambda t: F.instance_norm(t), [x], target="F")
        f.add(
            "instanceNorm",
            lambda t, m, v, w, b: F.instance_norm(t, m, v, w, b, True, 0.3, 1e-3),
            [x, randn(c), positive(c), randn(c), randn(c)],
            ["$0", "$1", "$2", "$3", "$4", True, 0.3, 1e-3],
            target="F",
            grad=[0, 3, 4],
        )
        f.add(
            "instanceNorm",
            lambda t, m, v: F.instance_norm(t, m, v, use_input_stats=False),
            [x, randn(c), positive(c)],
            ["$0", "$1", "$2"],
            {"useInputStats": False},
            target="F",
            grad=[0],
        )
    f.write()


def modules():
    """Three training batches, then one in evaluation; values, gradients and the state after each."""
    records = []
    source.manual_seed(7)

    def add(op, args, options, make, shapes):
        m = make()
        parameters = list(m.parameters())
        with torch.no_grad():
            for p in parameters:
                p.copy_(randn(*p.shape))
        record = {"op": op, "args": args, "options": options, "parameters": [p.clone() for p in parameters]}
        record["text"] = str(m)
        steps = []
        for i, shape in enumerate(shapes):
            m.train(i < len(shapes) - 1)
            x = (randn(*shape) * (i + 1) + i).requires_grad_()
            m.zero_grad()
            out = m(x)
            out.backward(upstream(out))
            steps.append(
                {
                    "training": m.training,
                    "input": x,
                    "output": out,
                    "gradOutput": upstream(out),
                    "grad": x.grad,
                    "parameterGrads": [p.grad.clone() for p in parameters],
                    "stateDict": {k: v.clone() for k, v in m.state_dict().items()},
                }
            )
        record["steps"] = steps
        records.append(record)

    images = [[3, 3, 3, 3], [2, 3, 2, 4], [2, 3, 3, 1], [1, 3, 2, 3]]
    rows = [[5, 6], [3, 6], [4, 6], [2, 6]]
    lines = [[3, 5, 4], [2, 5, 5], [3, 5, 2], [1, 5, 3]]
    for option, python in (
        ({}, {}),
        ({"momentum": None}, {"momentum": None}),
        ({"momentum": 0.25, "eps": 0.01}, {"momentum": 0.25, "eps": 0.01}),
        ({"affine": False}, {"affine": False}),
        ({"trackRunningStats": False}, {"track_running_stats": False}),
        ({"affine": False, "trackRunningStats": False}, {"affine": False, "track_running_stats": False}),
    ):
        add("BatchNorm2d", [3], option, lambda: nn.BatchNorm2d(3, **python), images)
        add("BatchNorm1d", [6], option, lambda: nn.BatchNorm1d(6, **python), rows)
        add("BatchNorm1d", [5], option, lambda: nn.BatchNorm1d(5, **python), lines)
    for option, python in (
        ({}, {}),
        ({"affine": True, "trackRunningStats": True}, {"affine": True, "track_running_stats": True}),
        (
            {"momentum": 0.3, "trackRunningStats": True, "eps": 0.01},
            {"momentum": 0.3, "track_running_stats": True, "eps": 0.01},
        ),
    ):
        add("InstanceNorm2d", [3], option, lambda: nn.InstanceNorm2d(3, **python), images[:3] + [[3, 2, 3]])
        add("InstanceNorm1d", [5], option, lambda: nn.InstanceNorm1d(5, **python), lines[:2] + [[5, 4], [5, 3]])
    add("GroupNorm", [2, 4], {}, lambda: nn.GroupNorm(2, 4), [[2, 4, 3, 3], [3, 4, 2]])
    add("GroupNorm", [4, 4], {"affine": False, "eps": 0.01}, lambda: nn.GroupNorm(4, 4, 0.01, False), [[2, 4, 3], [2, 4, 1]])
    write("norm-modules", records)


if __name__ == "__main__":
    calls()
    modules()
