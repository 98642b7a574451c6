#!/usr/bin/python3
"""Writes fixtures/optim.json and fixtures/schedules.json: the optimizers but SGD, and the learning rate schedules.

Run:  /usr/bin/python3 test/parity/make_optim.py

make_fixtures.py says what is needed; README.md describes the format.
"""

import itertools
import math
import re

import torch
from make_fixtures import randn, source, write
from torch import nn

STEPS = 12
# Around the SIMD block of 4, and two that fill several.
SHAPES = [(1,), (3,), (2, 2), (5,), (3, 3), (17,)]


def snake(name):
    return re.sub("[A-Z]", lambda c: "_" + c.group().lower(), name)


def camel(name):
    return re.sub("_([a-z])", lambda c: c.group(1).upper(), name)


def python_options(options):
    return {snake(k): tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def combine(**choices):
    """All combinations of the options' values; None leaves an option out."""
    for values in itertools.product(*choices.values()):
        yield {k: v for k, v in zip(choices, values) if v is not None}


OPTIMIZERS = {
    "Adam": [
        *combine(lr=[0.01], weightDecay=[None, 0.1], amsgrad=[None, True], maximize=[None, True]),
        {},
        {"lr": 0.1, "betas": [0.5, 0.9], "eps": 0.01},
        {"betas": [0.0, 0.0], "eps": 1e-3},
    ],
    "AdamW": [
        *combine(lr=[0.01], weightDecay=[0, 0.3], amsgrad=[None, True], maximize=[None, True]),
        {},
        {"lr": 0.1, "betas": [0.5, 0.9], "eps": 0.01},
    ],
    "RMSprop": [
        *combine(weightDecay=[None, 0.1], momentum=[None, 0.9], centered=[None, True], maximize=[None, True]),
        {"lr": 0.1, "alpha": 0.5, "eps": 0.01},
    ],
    "Adagrad": [
        *combine(lr=[0.1], lrDecay=[None, 0.2], weightDecay=[None, 0.1], initialAccumulatorValue=[None, 0.5]),
        {},
        {"lr": 0.1, "eps": 0.1, "maximize": True},
    ],
    "Adadelta": [
        *combine(lr=[None, 0.3], weightDecay=[None, 0.1], maximize=[None, True]),
        {"rho": 0.5, "eps": 1e-3},
    ],
}


def state_of(optimizer, p):
    state = optimizer.state[p]
    return {camel(k): float(v) if k == "step" else v for k, v in state.items()}


def optimizers():
    source.manual_seed(3)
    start = [randn(*shape) for shape in SHAPES]
    # Every third gradient of the second parameter and the first two of the last are missing: they count their own steps.
    missing = {1: lambda step: step % 3 == 1, len(SHAPES) - 1: lambda step: step < 2}
    grads = [
        [None if i in missing and missing[i](step) else randn(*shape) for i, shape in enumerate(SHAPES)]
        for step in range(STEPS)
    ]
    records = [{"op": "start", "params": start, "grads": grads}]
    for name, cases in OPTIMIZERS.items():
        for options in cases:
            params = [nn.Parameter(p.clone()) for p in start]
            optimizer = getattr(torch.optim, name)(params, **python_options(options), foreach=False)
            steps = []
            for step in range(STEPS):
                for p, g in zip(params, grads[step]):
                    p.grad = None if g is None else g.clone()
                optimizer.step()
                # All steps would be a large file: the first three and the last.
                if step < 3 or step == STEPS - 1:
                    steps.append({"step": step, "params": [p.detach().clone() for p in params]})
            records.append(
                {"op": name, "options": options, "steps": steps, "states": [state_of(optimizer, p) for p in params]}
            )
    write("optim", records)


# --------------------------------------------------------------------------------------------------------- schedules

SPECIAL = {"tMax": "T_max", "t0": "T_0", "tMult": "T_mult"}

# Functions of the epoch, by a name that the test knows, too.
LAMBDAS = {
    "0.95^e": lambda e: 0.95**e,
    "e//3": lambda e: e // 3,
    "1/(1+e)": lambda e: 1 / (1 + e),
    "2^-x": lambda x: 2.0**-x,
}


def scheduler_options(options):
    def value(v):
        if isinstance(v, str) and v in LAMBDAS:
            return LAMBDAS[v]
        return [value(x) for x in v] if isinstance(v, list) else v

    return {SPECIAL.get(k, snake(k)): value(v) for k, v in options.items()}


def build(optimizer, spec):
    """A scheduler of [name, options]; SequentialLR and ChainedScheduler have a list of such specs as `schedulers`."""
    name, options = spec
    cls = getattr(torch.optim.lr_scheduler, name)
    parts = [build(optimizer, part) for part in options.get("schedulers", [])]
    if name == "ChainedScheduler":
        return cls(parts)
    if parts:
        return cls(optimizer, parts, options["milestones"])
    return cls(optimizer, **scheduler_options(options))


SCHEDULES = [
    ["StepLR", {"stepSize": 3}],
    ["StepLR", {"stepSize": 1, "gamma": 0.7}],
    ["MultiStepLR", {"milestones": [2, 5, 6], "gamma": 0.3}],
    ["MultiStepLR", {"milestones": [4, 4, 8]}],
    ["ExponentialLR", {"gamma": 0.9}],
    ["ConstantLR", {}],
    ["ConstantLR", {"factor": 0.7, "totalIters": 9}],
    ["LinearLR", {}],
    ["LinearLR", {"startFactor": 1.0, "endFactor": 0.1, "totalIters": 7}],
    ["LinearLR", {"startFactor": 0.001, "totalIters": 20}],
    ["PolynomialLR", {}],
    ["PolynomialLR", {"totalIters": 20, "power": 2.5}],
    ["CosineAnnealingLR", {"tMax": 10}],
    ["CosineAnnealingLR", {"tMax": 7, "etaMin": 0.01}],
    ["CosineAnnealingLR", {"tMax": 100, "etaMin": 0.001}],
    ["CosineAnnealingWarmRestarts", {"t0": 4}],
    ["CosineAnnealingWarmRestarts", {"t0": 3, "tMult": 2, "etaMin": 0.002}],
    ["LambdaLR", {"lrLambda": "0.95^e"}],
    ["LambdaLR", {"lrLambda": ["e//3", "1/(1+e)"]}],
    ["MultiplicativeLR", {"lrLambda": ["0.95^e", "1/(1+e)"]}],
    ["OneCycleLR", {"maxLr": 0.1, "totalSteps": 24}],
    ["OneCycleLR", {"maxLr": [0.1, 0.5], "epochs": 4, "stepsPerEpoch": 6, "pctStart": 0.25, "annealStrategy": "linear"}],
    ["OneCycleLR", {"maxLr": 0.1, "totalSteps": 24, "threePhase": True, "pctStart": 0.4, "divFactor": 5.0}],
    ["OneCycleLR", {"maxLr": 0.3, "totalSteps": 24, "baseMomentum": 0.7, "maxMomentum": [0.9, 0.8], "finalDivFactor": 10.0}],
    ["OneCycleLR", {"maxLr": 0.3, "totalSteps": 30, "cycleMomentum": False}],
    ["CyclicLR", {"baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 4}],
    ["CyclicLR", {"baseLr": [0.01, 0.02], "maxLr": 0.1, "stepSizeUp": 3, "stepSizeDown": 5, "mode": "triangular2"}],
    ["CyclicLR", {"baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 4, "mode": "exp_range", "gamma": 0.95}],
    ["CyclicLR", {"baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 2, "scaleFn": "2^-x", "scaleMode": "iterations"}],
    ["CyclicLR", {"baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 2, "cycleMomentum": False}],
    ["CyclicLR", {"baseLr": 0.01, "maxLr": 0.1, "stepSizeUp": 2, "baseMomentum": [0.5, 0.6], "maxMomentum": 0.99}],
    [
        "SequentialLR",
        {
            "schedulers": [["LinearLR", {"startFactor": 0.1, "totalIters": 5}], ["CosineAnnealingLR", {"tMax": 15}]],
            "milestones": [5],
        },
    ],
    [
        "SequentialLR",
        {
            "schedulers": [
                ["ConstantLR", {"factor": 0.1, "totalIters": 2}],
                ["ExponentialLR", {"gamma": 0.9}],
                ["StepLR", {"stepSize": 3}],
                ["MultiStepLR", {"milestones": [1, 3]}],
            ],
            "milestones": [4, 9, 16],
        },
    ],
    [
        "SequentialLR",
        {
            "schedulers": [
                ["LambdaLR", {"lrLambda": "1/(1+e)"}],
                ["CosineAnnealingWarmRestarts", {"t0": 3, "tMult": 2}],
                ["PolynomialLR", {"totalIters": 6}],
                ["MultiplicativeLR", {"lrLambda": "0.95^e"}],
            ],
            "milestones": [3, 8, 15],
        },
    ],
    ["SequentialLR", {"schedulers": [["ExponentialLR", {"gamma": 0.9}], ["LinearLR", {}]], "milestones": [7]}],
    [
        "ChainedScheduler",
        {"schedulers": [["ConstantLR", {"factor": 0.1, "totalIters": 3}], ["ExponentialLR", {"gamma": 0.9}]]},
    ],
    [
        "ChainedScheduler",
        {"schedulers": [["CosineAnnealingLR", {"tMax": 12}], ["StepLR", {"stepSize": 5}], ["LinearLR", {}]]},
    ],
]

# Several schedulers of one optimizer, each stepped by hand.
CHAINS = [
    [["ExponentialLR", {"gamma": 0.9}], ["MultiStepLR", {"milestones": [3, 8], "gamma": 0.5}]],
    [["LinearLR", {"totalIters": 4}], ["CosineAnnealingLR", {"tMax": 20}]],
    [["CosineAnnealingLR", {"tMax": 9, "etaMin": 0.01}], ["MultiplicativeLR", {"lrLambda": "0.95^e"}]],
]

METRICS = [1.0, 0.9, 0.9, 0.89999, math.nan, 0.95, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6, -1.0, -1.0, -0.9, -2.0, math.inf, 0, 0, 0]
PLATEAUS = [
    {"patience": 2},
    {"patience": 0, "factor": 0.5, "minLr": [0.01, 0.2]},
    {"mode": "max", "patience": 1, "factor": 0.3},
    {"patience": 1, "threshold": 0.2, "thresholdMode": "abs", "cooldown": 2},
    {"mode": "max", "patience": 1, "threshold": 0.3, "thresholdMode": "abs", "eps": 0.04},
    {"patience": 1, "threshold": 0.05, "cooldown": 1, "factor": 0.9},
]


def schedules():
    records = []

    def optimizer_of(kind):
        params = [{"params": [nn.Parameter(torch.zeros(1))], "lr": 0.1}, {"params": [nn.Parameter(torch.zeros(1))]}]
        if kind == "Adam":
            return torch.optim.Adam(params, lr=0.4)
        return torch.optim.SGD(params, lr=0.4, momentum=0.9)

    def follow(kind, specs, steps, metrics=None):
        optimizer = optimizer_of(kind)
        schedulers = [build(optimizer, spec) for spec in specs]

        def rates():
            return [g["lr"] for g in optimizer.param_groups]

        def momenta():
            return [g["betas"][0] if kind == "Adam" else g["momentum"] for g in optimizer.param_groups]

        lrs, momentums = [rates()], [momenta()]
        for step in range(steps):
            optimizer.step()
            for scheduler in schedulers:
                scheduler.step(*([] if metrics is None else [metrics[step]]))
            lrs.append(rates())
            momentums.append(momenta())
        record = {"op": specs[0][0], "optimizer": kind, "schedulers": specs, "lrs": lrs}
        if any(m != momentums[0] for m in momentums) or momentums[0][0] != 0.9:
            record["momentums"] = momentums
        if metrics is not None:
            record["metrics"] = metrics
        records.append(record)

    for spec in SCHEDULES:
        follow("SGD", [spec], 24)
    for spec in SCHEDULES[20:24]:
        follow("Adam", [spec], 24)
    # To the wave's bottom and through it, where little is left of the digits.
    follow("SGD", [["CosineAnnealingLR", {"tMax": 50}]], 120)
    for specs in CHAINS:
        follow("SGD", specs, 24)
    for options in PLATEAUS:
        follow("SGD", [["ReduceLROnPlateau", options]], len(METRICS), METRICS)
    write("schedules", records)


if __name__ == "__main__":
    optimizers()
    schedules()
