#!/usr/bin/python3
"""Writes fixtures/pool.json: pooling, interpolation, padding, pixel shuffling and dropout2d, as make_fixtures.py does the rest.

Run:  /usr/bin/python3 test/parity/make_pool.py
"""

import torch
import torch.nn.functional as F

from make_fixtures import INF, NAN, Family, f32, randn

f = Family("pool")
SNAKE = {
    "ceilMode": "ceil_mode",
    "returnIndices": "return_indices",
    "countIncludePad": "count_include_pad",
    "divisorOverride": "divisor_override",
    "scaleFactor": "scale_factor",
    "alignCorners": "align_corners",
    "recomputeScaleFactor": "recompute_scale_factor",
}


def add(op, fn, x, *args, **options):
    """F[op](x, *args, options) here and fn(x, *args, **options) there."""
    snake = {SNAKE.get(k, k): v for k, v in options.items()}
    f.add(op, lambda t: fn(t, *args, **snake), [x], ["$0", *args], options, target="F")


def whole(*shape):
    """Few different values: windows full of ties."""
    return torch.round(randn(*shape))


def edges(*shape):
    """NaN, infinities and zeros among ties."""
    x = whole(*shape).reshape(-1)
    for start, value in ((1, NAN), (4, -INF), (6, INF), (9, 0.0), (10, -0.0)):
        x[start::13] = value
    return x.reshape(shape)


def negative(*shape):
    return -randn(*shape).abs() - 0.01


SHAPES = ([1, 2, 8, 8], [1, 1, 6, 14], [1, 9, 11], [1, 1, 7, 13], [2, 4, 5], [1, 1, 3, 16])
USUAL = (
    (2, {}),
    (2, {"stride": 2, "ceilMode": True}),
    (3, {"stride": 2, "padding": 1}),
    (3, {"stride": 2, "padding": 1, "ceilMode": True}),
    (3, {"stride": 1, "padding": 1}),
    (3, {}),
    ([3, 2], {"stride": [2, 1], "padding": [1, 0]}),
)
for shape in SHAPES:
    for k, options in USUAL:
        add("maxPool2d", F.max_pool2d, randn(*shape), k, **options)
        add("maxPool2d", F.max_pool2d, whole(*shape), k, **options, returnIndices=True)
        add("avgPool2d", F.avg_pool2d, randn(*shape), k, **options)
        if "padding" in options:
            add("avgPool2d", F.avg_pool2d, randn(*shape), k, **options, countIncludePad=False)
for k, options in USUAL:
    add("maxPool2d", F.max_pool2d, edges(2, 12, 16), k, **options)
    add("maxPool2d", F.max_pool2d, negative(1, 7, 9), k, **options)
    add("maxPool2d", F.max_pool2d, torch.full((1, 8, 9), -INF), k, **options)
    add("avgPool2d", F.avg_pool2d, edges(1, 8, 12), k, **options)
add("maxPool2d", F.max_pool2d, randn(1, 2, 12, 13), 3, stride=2, dilation=2)
add("maxPool2d", F.max_pool2d, randn(1, 2, 12, 13), [2, 3], stride=[3, 1], padding=[1, 1], dilation=[3, 2], ceilMode=True)
add("maxPool2d", F.max_pool2d, randn(0, 2, 8, 8), 2)
add("maxPool2d", F.max_pool2d, whole(1, 1, 20, 20), 17, stride=1, padding=3)
add("maxPool2d", F.max_pool2d, whole(1, 1, 20, 20), 17, stride=2, padding=8, ceilMode=True, returnIndices=True)
for d in (1, 5, -3):
    add("avgPool2d", F.avg_pool2d, randn(2, 8, 8), 2, divisorOverride=d)
    add("avgPool2d", F.avg_pool2d, randn(2, 7, 8), 3, stride=2, padding=1, divisorOverride=d)
add("avgPool2d", F.avg_pool2d, randn(2, 3, 8, 8), 8)
add("avgPool2d", F.avg_pool2d, randn(0, 2, 8, 8), 2)
add("avgPool2d", F.avg_pool2d, randn(1, 2, 8, 7), [4, 3], stride=[3, 3], padding=[2, 1], ceilMode=True)
add(
    "avgPool2d", F.avg_pool2d, randn(1, 2, 8, 7), [4, 3], stride=[3, 3], padding=[2, 1], ceilMode=True, countIncludePad=False
)
for size in (1, 2, [3, 5], [None, 4], [7, None], 9):
    for shape in ([1, 2, 8, 8], [1, 7, 5]):
        add("adaptiveAvgPool2d", F.adaptive_avg_pool2d, randn(*shape), size)
        h, w = [s if s is not None else n for s, n in zip(size if isinstance(size, list) else [size] * 2, shape[-2:])]
        f.add(
            "adaptiveMaxPool2d",
            lambda t: F.adaptive_max_pool2d(t, (h, w), True),
            [whole(*shape)],
            ["$0", size, True],
            target="F",
        )
        f.add("adaptiveMaxPool2d", lambda t: F.adaptive_max_pool2d(t, (h, w)), [edges(*shape)], ["$0", size], target="F")

for shape in ([1, 2, 4, 5], [1, 1, 1, 1], [1, 1, 7, 3], [0, 2, 4, 4]):
    x = randn(*shape)
    for options in (
        {"scaleFactor": 2},
        {"scaleFactor": [1.5, 3]},
        {"scaleFactor": [2.3, 1.7]},
        {"scaleFactor": [2.3, 1.7], "recomputeScaleFactor": True},
        {"size": 6},
        {"size": [3, 7]},
        {"size": [1, 2]},
        {"size": [11, 13]},
    ):
        for mode in ("nearest", "nearest-exact"):
            add("interpolate", F.interpolate, x, **options, mode=mode)
        for corners in (False, True):
            add("interpolate", F.interpolate, x, **options, mode="bilinear", alignCorners=corners)
add("interpolate", F.interpolate, randn(1, 1, 12, 10), scaleFactor=0.4)
add("interpolate", F.interpolate, randn(1, 1, 12, 10), scaleFactor=0.4, mode="bilinear")
add("interpolate", F.interpolate, edges(1, 1, 4, 8), scaleFactor=2)
add("interpolate", F.interpolate, edges(1, 1, 4, 8), scaleFactor=2, mode="bilinear")

for shape, r in (([2, 8, 2, 3], 2), ([9, 1, 2], 3), ([1, 4, 3, 3], 1)):
    add("pixelShuffle", F.pixel_shuffle, randn(*shape), r)
for shape, r in (([2, 2, 4, 6], 2), ([1, 3, 6], 3)):
    add("pixelUnshuffle", F.pixel_unshuffle, randn(*shape), r)

for mode in ("reflect", "replicate", "circular"):
    for shape in ([1, 2, 4, 5], [1, 1, 6, 9]):
        for pads in ([1, 1, 1, 1], [2, 3, 1, 0], [0, 4, 3, 2]):
            add("pad", F.pad, randn(*shape), pads, mode=mode)
    add("pad", F.pad, edges(2, 3, 8), [3, 2], mode=mode)
add("pad", F.pad, randn(2, 3, 4, 5), [2, -1, -1, 3], mode="reflect")
add("pad", F.pad, randn(2, 3, 4, 5), [2, -1, -1, 3], mode="replicate")

for p in (0.5, 0.2, 0.9):
    f.add("dropout2d", lambda t: F.dropout2d(t, p), [randn(3, 5, 2, 2)], ["$0", p], target="F", seed=7)
f.add("dropout2d", lambda t: F.dropout2d(t, 1.0), [f32([[[[1, NAN], [INF, 2]]]])], ["$0", 1], target="F")
# PyTorch reads three dims as [N, C, L] so far; one image is a batch of one.
f.add("dropout2d", lambda t: F.dropout2d(t[None])[0], [randn(6, 2, 2)], ["$0"], target="F", seed=3)
f.write()
