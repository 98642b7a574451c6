#!/usr/bin/python3
"""Writes test/parity/fixtures/transforms.json: what torchvision's transforms make of tensors.

Run:  /usr/bin/python3 test/parity/make_transforms.py

Needs python3-torchvision (0.14.1) beside what make_fixtures.py needs. A record is
{ name, args, options?, seed?, input, output, approx? }: after manualSeed(seed), `new transforms[name](...args, options)(input)`.
"""

import torch
from make_fixtures import write
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode

records = []
source = torch.Generator().manual_seed(7)
MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR}


def image(*shape, dtype=torch.uint8):
    x = torch.randint(0, 256, shape, generator=source)
    return x.to(torch.uint8) if dtype == torch.uint8 else torch.round(x / 255 * 1000) / 1000


def add(name, args, options=None, seeds=(None,), shape=(3, 7, 9), dtype=torch.uint8, **python):
    """options in lanegrad's names; the Python keywords are these in snake case, but for what `python` says."""
    options = options or {}
    words = {"".join("_" + c.lower() if c.isupper() else c for c in k): v for k, v in options.items()}
    words.update(python)
    if "interpolation" in words:
        words["interpolation"] = MODES[words["interpolation"]]
    if isinstance(words.get("value"), list):
        words["value"] = tuple(words["value"])
    transform = getattr(T, name)(*args, **words)
    for seed in seeds:
        x = image(*shape, dtype=dtype)
        if seed is not None:
            torch.manual_seed(seed)
        y = transform(x.clone())
        record = {"name": name, "args": args, "options": options, "seed": seed, "input": x, "output": y}
        # What is drawn after it shows that as much was drawn.
        if seed is not None:
            record["next"] = torch.randint(0, 1 << 30, (1,)).item()
        records.append(record)


F32 = torch.float32

for padding in (2, [1, 2], [3, 0, 1, 2], [-1, 2, 0, -2]):
    add("Pad", [padding], {"fill": 7})
add("Pad", [2], {"fill": 0.5}, dtype=F32)
for mode in ("edge", "reflect", "symmetric"):
    add("Pad", [[3, 1, 2, 4]], {"paddingMode": mode})
    add("Pad", [[3, 1, 2, 4]], {"paddingMode": mode}, dtype=F32, shape=(1, 5, 6))
add("Pad", [[8, 9, 10, 11]], {"paddingMode": "edge"}, shape=(1, 2, 3))
add("Pad", [[3, 2]], {"paddingMode": "symmetric"}, shape=(1, 2, 3))

for size in (3, 4, [5, 6], [2, 9], [9, 12], [10, 4], [7, 9]):
    add("CenterCrop", [size])
add("CenterCrop", [4], dtype=F32)

add("RandomCrop", [4], seeds=range(4))
add("RandomCrop", [[7, 9]], seeds=[0])
add("RandomCrop", [[5, 9]], {"padding": 3}, seeds=range(4))
add("RandomCrop", [[5, 6]], {"padding": [1, 2, 3, 4], "fill": 9}, seeds=range(2))
for mode in ("edge", "reflect", "symmetric"):
    add("RandomCrop", [[7, 9]], {"padding": 4, "paddingMode": mode}, seeds=range(4))
    add("RandomCrop", [[8, 10]], {"padding": 1, "padIfNeeded": True, "paddingMode": mode}, seeds=range(2))
    add("RandomCrop", [[10, 13]], {"padding": 1, "padIfNeeded": True, "paddingMode": mode}, seeds=range(4))
add("RandomCrop", [[9, 8]], {"padIfNeeded": True, "fill": 3}, seeds=range(3))
add("RandomCrop", [12], {"padIfNeeded": True, "padding": 1}, seeds=range(3), dtype=F32)

for name in ("RandomHorizontalFlip", "RandomVerticalFlip"):
    add(name, [], seeds=range(4))
    add(name, [], {"p": 0.8}, seeds=range(3), shape=(1, 3, 18), dtype=F32)

for size in (3, [5, 4], [14, 18], [4, 20], [7, 9], 12, [1, 1]):
    for dtype in (torch.uint8, F32):
        add("Resize", [size], {"antialias": True}, dtype=dtype)
        add("Resize", [size], {"antialias": False}, dtype=dtype)
        add("Resize", [size], {"interpolation": "nearest"}, dtype=dtype)
add("Resize", [6], {"maxSize": 7, "antialias": True}, shape=(2, 10, 13))
add("Resize", [[8, 8]], {"antialias": True}, shape=(1, 16, 16))

for dtype in (torch.uint8, F32):
    add("RandomResizedCrop", [6], {"antialias": True}, seeds=range(5), shape=(3, 13, 11), dtype=dtype)
    add("RandomResizedCrop", [[5, 8]], {"antialias": False, "scale": [0.5, 1], "ratio": [0.5, 1]}, seeds=range(3), dtype=dtype)
add("RandomResizedCrop", [5], {"interpolation": "nearest"}, seeds=range(3))
# No rectangle fits: the middle, of the nearest ratio.
add("RandomResizedCrop", [5], {"scale": [0.9, 1], "ratio": [0.9, 1.1], "antialias": True}, seeds=range(2), shape=(1, 4, 15))
add("RandomResizedCrop", [5], {"scale": [0.9, 1], "ratio": [0.9, 1.1], "antialias": True}, seeds=range(2), shape=(1, 15, 4))

for dtype in (torch.uint8, F32):
    for interpolation in ("nearest", "bilinear"):
        add("RandomRotation", [30], {"interpolation": interpolation}, seeds=range(4), dtype=dtype, shape=(3, 9, 10))
        add("RandomRotation", [[90, 90]], {"interpolation": interpolation, "fill": 5 if dtype == torch.uint8 else 0.5}, seeds=[0], dtype=dtype, shape=(2, 6, 6))
        add("RandomRotation", [180], {"interpolation": interpolation, "expand": True, "fill": [9, 8, 7] if dtype == torch.uint8 else 0.25}, seeds=range(3), dtype=dtype)
        add("RandomRotation", [60], {"interpolation": interpolation, "center": [2, 3]}, seeds=range(2), dtype=dtype)

for dtype in (torch.uint8, F32):
    add("RandomErasing", [], {"p": 1}, seeds=range(4), dtype=dtype, shape=(3, 12, 11))
    add("RandomErasing", [], {"value": [1, 2, 3]}, seeds=range(4), dtype=dtype, shape=(3, 12, 11))
add("RandomErasing", [], {"p": 1, "value": "random"}, seeds=range(6), dtype=F32, shape=(2, 12, 11))
add("RandomErasing", [], {"p": 1, "scale": [0.9, 1], "ratio": [0.1, 0.2]}, seeds=range(2), shape=(1, 8, 8))

for dtype in (torch.uint8, F32):
    for name in ("brightness", "contrast", "saturation", "hue"):
        add("ColorJitter", [], {name: 0.5}, seeds=range(2), dtype=dtype)
        add("ColorJitter", [], {name: [0.2, 0.4] if name == "hue" else [0.2, 3]}, seeds=range(2), dtype=dtype)
    add("ColorJitter", [0.4, 0.4, 0.4, 0.1], seeds=range(8), dtype=dtype)
    add("ColorJitter", [0.4, 0.4, 0.4, 0.1], seeds=range(2), dtype=dtype, shape=(1, 5, 6))



class Images(torch.utils.data.Dataset):
    """What MNIST is: an image and its label, transformed when it is asked for."""

    def __init__(self, images, transform):
        self.images, self.transform = images, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(self.images[i : i + 1]), i % 10


# Two epochs of a shuffled DataLoader: every sample draws for the whole chain before the next one does.
x = image(11, 6, 7)
chain = T.Compose([T.RandomCrop(6, padding=2, padding_mode="reflect"), T.RandomHorizontalFlip(), T.ColorJitter(0.5, 0.5)])
loader = torch.utils.data.DataLoader(Images(x, chain), batch_size=4, shuffle=True)
torch.manual_seed(3)
batches = [(y, labels) for _ in range(2) for y, labels in loader]
records.append(
    {
        "name": "DataLoader",
        "seed": 3,
        "input": x,
        "output": torch.cat([y for y, _ in batches]),
        "labels": torch.cat([labels for _, labels in batches]),
    }
)

write("transforms", records, torchvision=__import__("torchvision").__version__)
