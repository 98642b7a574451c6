#!/usr/bin/python3
"""Writes fixtures/optim.json and fixtures/schedules.json: the optimizers but SGD, and the learning rate schedules.

Run:  /usr/bin/python3 test/parity/make_optim.py

make_fixtures.py says what is needed; README.md describes the format.
"""

import itertools
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


if __name__ == "__main__":
    optimizers()
