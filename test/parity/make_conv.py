#!/usr/bin/python3
"""Writes test/parity/fixtures/{conv,conv-modules,runs-conv}.json: convolutions, their layers, and runs of two nets.

Run:  /usr/bin/python3 test/parity/make_conv.py [family ...]

Needs what make_fixtures.py needs, whose encoding this uses.
"""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from make_fixtures import Family, randn, source, upstream, warnings, write
from torch import nn

warnings.filterwarnings("ignore")

# -------------------------------------------------------------------------------------------------------------- conv

NAMES = {"output_padding": "outputPadding", "padding_mode": "paddingMode"}


def camel(options):
    """Python's keywords as lanegrad's options."""
    return {NAMES.get(k, k): list(v) if isinstance(v, tuple) else v for k, v in options.items()}


def coarse(*shape):
    """
    ±1 and ±2: short in JSON, and every sum of products of them is exact in float32, in whatever order it is added up and
    through Winograd's transforms (quarters) too.
    """
    x = torch.randint(-2, 2, shape, generator=source)
    return torch.where(x >= 0, x + 1, x).float()


def coarse_upstream(out):
    """-2 to 2 by a formula: no period of it is a row."""
    return ((torch.arange(out.numel()) * 7 % 11) % 5 - 2).float().reshape(out.shape)


def conv_family():
    f = Family("conv")

    def conv(x, w, bias=True, make=coarse, op="conv2d", args=None, note=None, **options):
        """x and w are shapes; args: options by position instead of by name."""
        channels = w[0] if op == "conv2d" else w[1] * options.get("groups", 1)
        inputs = [make(*x), make(*w)] + ([make(channels)] if bias else [])
        torch_op = F.conv2d if op == "conv2d" else F.conv_transpose2d
        places = ["$0", "$1", "$2" if bias else None] if bias or args or options else ["$0", "$1"]
        f.add(
            op,
            lambda *ts: torch_op(ts[0], ts[1], ts[2] if bias else None, *(args or []), **options),
            inputs,
            places + [list(a) if isinstance(a, tuple) else a for a in args or []],
            camel(options) or None,
            target="F",
            note=note,
            up=coarse_upstream if make is coarse else upstream,
        )

    # Kernels, on an image that is no multiple of any block.
    for kernel in ((1, 1), (2, 2), (3, 3), (5, 5), (1, 3), (3, 1), (2, 3)):
        conv((2, 3, 7, 6), (4, 3, *kernel), make=randn)
        conv((1, 3, 7, 6), (5, 3, *kernel), False, stride=2, padding=(kernel[0] // 2, kernel[1] // 2))
        conv((1, 1, 6, 5), (3, 1, *kernel), padding="same")
    # Strides and paddings, pairs too.
    for stride in (1, 2, 3, (1, 2), (3, 1)):
        for padding in (0, 1, 2, (2, 0), (0, 1)):
            conv((1, 2, 8, 7), (3, 2, 3, 3), stride=stride, padding=padding)
    conv((2, 1, 9, 9), (4, 1, 3, 3), False, padding="valid")
    conv((2, 1, 9, 9), (4, 1, 3, 3), padding="valid", stride=2)
    conv((1, 2, 5, 9), (3, 2, 4, 2), padding="same", note="even kernels pad right and below once more")
    conv((1, 2, 9, 8), (3, 2, 3, 2), padding="same", dilation=(2, 3))
    conv((1, 2, 1, 1), (3, 2, 3, 3), padding="same")
    # Dilation.
    for dilation in (2, (1, 2), (3, 1)):
        conv((1, 3, 9, 8), (4, 3, 3, 3), dilation=dilation)
        conv((2, 3, 9, 8), (4, 3, 3, 2), False, dilation=dilation, padding=2, stride=(2, 1))
    # Groups, and depthwise with and without a multiplier.
    conv((2, 4, 6, 5), (6, 2, 3, 3), groups=2, padding=1, make=randn)
    conv((1, 4, 6, 5), (6, 2, 3, 3), False, groups=2, stride=2, dilation=2, padding=2)
    conv((2, 5, 6, 7), (5, 1, 3, 3), groups=5, padding=1, make=randn)
    conv((1, 5, 6, 7), (5, 1, 3, 3), False, groups=5, stride=2, padding=1)
    conv((1, 3, 6, 7), (6, 1, 3, 3), groups=3, padding=1, note="depthwise, multiplier 2")
    conv((1, 8, 4, 4), (8, 2, 1, 1), groups=4)
    conv((1, 4, 7, 6), (8, 1, 5, 5), groups=4, padding=2, dilation=1)
    conv((1, 4, 9, 9), (4, 1, 3, 3), groups=4, padding=2, dilation=2)
    # Sizes from one pixel on.
    for height, width in ((1, 1), (1, 7), (7, 1), (2, 2), (3, 3), (4, 4), (5, 3), (17, 13)):
        conv((1, 1, height, width), (2, 1, 3, 3), padding=1)
        conv((1, 2, height, width), (2, 2, 1, 1), False)
    conv((1, 2, 3, 3), (3, 2, 3, 3), note="one pixel comes out")
    # A single image, none at all, no bias, arguments by position.
    conv((3, 6, 5), (4, 3, 3, 3), padding=1, note="unbatched")
    conv((3, 6, 5), (4, 3, 3, 3), False, padding="same", note="unbatched")
    conv((3, 6, 5), (3, 1, 2, 2), groups=3, stride=2, note="unbatched")
    conv((0, 3, 6, 5), (4, 3, 3, 3), padding=1, note="no images")
    conv((0, 16, 6, 5), (4, 16, 3, 3), False, padding=1, note="no images")
    conv((1, 2, 6, 5), (3, 2, 3, 3), args=[2])
    conv((1, 2, 6, 5), (3, 2, 3, 3), args=[1, (1, 2)])
    conv((1, 2, 6, 5), (3, 2, 2, 2), False, args=[1, "same"])
    conv((1, 2, 9, 9), (4, 1, 3, 3), args=[(2, 1), 1, 2, 2])
    # Channels around the blocks; 3×3 of 16 and more are Winograd's, with odd sizes and every padding.
    for cin, cout in ((3, 16), (8, 8), (4, 17), (16, 5), (20, 4)):
        conv((2, cin, 5, 6), (cout, cin, 3, 3), padding=1)
        conv((1, cin, 6, 5), (cout, cin, 1, 1))
    conv((1, 16, 5, 6), (16, 16, 3, 3), False, padding=1, make=randn)
    for size, padding in (((5, 5), 0), ((4, 7), 1), ((4, 3), 2), ((1, 1), 1), ((2, 9), (1, 0))):
        conv((1, 16, *size), (16, 16, 3, 3), padding=padding)
    conv((3, 16, 4, 3), (17, 16, 3, 3), padding=1)
    conv((1, 17, 7, 7), (20, 17, 3, 3), padding=1)
    conv((1, 32, 5, 5), (16, 32, 3, 3), False, padding="same")
    conv((1, 32, 3, 4), (16, 16, 3, 3), padding=1, groups=2)
    conv((16, 5, 4), (16, 16, 3, 3), padding=1, note="unbatched")
    conv((1, 16, 7, 7), (8, 16, 3, 3), False, stride=2, padding=1)
    conv((1, 16, 7, 7), (4, 16, 3, 3), dilation=2, padding=2)
    conv((1, 1, 12, 11), (32, 1, 3, 3))
    conv((1, 16, 6, 5), (32, 16, 1, 1), False, stride=2, note="a projection shortcut")

    # Transposed.
    def transposed(x, w, bias=True, **options):
        conv(x, w, bias, op="convTranspose2d", **options)

    for kernel in ((1, 1), (2, 2), (3, 3), (4, 4), (1, 3), (3, 2)):
        transposed((2, 3, 4, 5), (3, 4, *kernel), make=randn)
        transposed((1, 3, 4, 3), (3, 2, *kernel), False, stride=2)
    for stride in (1, 2, 3, (2, 1)):
        for padding in (0, 1, (1, 2)):
            transposed((1, 2, 4, 5), (2, 3, 3, 3), stride=stride, padding=padding)
    for output_padding in (1, (0, 1), 2):
        transposed((1, 2, 3, 4), (2, 3, 3, 3), stride=3, padding=1, output_padding=output_padding)
    transposed((1, 2, 3, 4), (2, 3, 3, 3), dilation=2, output_padding=1, padding=1)
    transposed((1, 4, 4, 3), (4, 3, 3, 3), groups=2, stride=2, padding=1, output_padding=1)
    transposed((1, 4, 4, 3), (4, 1, 3, 3), False, groups=4, padding=1)
    transposed((1, 3, 4, 3), (3, 2, 2, 2), groups=3, stride=2)
    transposed((3, 4, 5), (3, 4, 4, 4), stride=2, padding=1, note="unbatched")
    transposed((0, 3, 4, 5), (3, 4, 3, 3), stride=2, note="no images")
    transposed((1, 2, 1, 1), (2, 3, 4, 4), note="a GAN's first layer")
    transposed((1, 2, 4, 4), (2, 3, 3, 3), args=[2, 1, 1])
    transposed((1, 2, 4, 4), (2, 3, 3, 3), args=[(2, 1), 1, 0, 1, 2])
    transposed((1, 16, 4, 5), (16, 16, 3, 3), padding=1)
    transposed((1, 16, 4, 4), (16, 8, 4, 4), False, stride=2, padding=1)
    transposed((1, 32, 3, 3), (32, 5, 2, 2), stride=2)
    f.write()


# ------------------------------------------------------------------------------------------------------ conv-modules


def modules():
    records = []

    def add(name, args, x=None, output_size=None, **options):
        torch.manual_seed(0)
        module = getattr(nn, name)(*args, **options)
        record = {
            "op": name,
            "seed": 0,
            "args": [list(a) if isinstance(a, tuple) else a for a in args],
            "options": camel(options),
            "text": str(module),
            "stateDict": dict(module.state_dict()),
        }
        if x is not None:
            inputs = randn(*x)
            record["input"] = inputs
            if output_size is not None:
                record["outputSize"] = list(output_size)
            record["output"] = module(inputs, list(output_size)) if output_size is not None else module(inputs)
        records.append(record)

    source.manual_seed(7)
    add("Conv2d", [2, 3, 3])
    add("Conv2d", [1, 32, 3], padding=1)
    add("Conv2d", [3, 6, 4, 2, 1], bias=False)
    add("Conv2d", [4, 6, (3, 2)], stride=(2, 1), dilation=2, groups=2)
    add("Conv2d", [4, 8, 3], groups=4, padding=(0, 1))
    add("Conv2d", [2, 3, 1])
    for mode in ("zeros", "reflect", "replicate", "circular"):
        add("Conv2d", [2, 3, 3], x=(2, 2, 5, 6), padding=(2, 1), padding_mode=mode)
    add("Conv2d", [1, 2, (4, 3)], x=(1, 1, 6, 5), padding="same", padding_mode="reflect")
    add("Conv2d", [1, 2, 2], x=(1, 1, 4, 5), padding="same", padding_mode="circular", dilation=2)
    add("Conv2d", [1, 2, 3], x=(1, 1, 4, 5), padding="valid", padding_mode="replicate")
    add("Conv2d", [2, 2, 3], x=(2, 5, 6), padding=1, padding_mode="reflect", stride=2)
    add("Conv2d", [2, 2, 3, 1, "same"], x=(2, 5, 6))
    add("ConvTranspose2d", [2, 3, 2])
    add("ConvTranspose2d", [4, 6, 3], stride=2, padding=1, output_padding=1, groups=2)
    add("ConvTranspose2d", [3, 2, 4, 2, 1, 0, 1, False])
    add("ConvTranspose2d", [2, 3, (3, 2)], dilation=(2, 1), stride=(3, 2), output_padding=(2, 1), x=(1, 2, 3, 2))
    add("ConvTranspose2d", [2, 3, 3], stride=2, padding=1, x=(1, 2, 4, 5), output_size=(8, 9))
    add("ConvTranspose2d", [2, 3, 3], stride=3, padding=1, dilation=2, x=(2, 3, 2), output_size=(3, 9, 8))
    add("ConvTranspose2d", [2, 3, 3], stride=2, x=(2, 2, 3, 3), output_size=(2, 3, 8, 7))
    write("conv-modules", records)


# --------------------------------------------------------------------------------------------------------- runs-conv


class CNN(nn.Module):
    """examples/models.ts has the same."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, 3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class Block(nn.Module):
    def __init__(self, inputs, channels, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride, self.more = stride, channels - inputs
        self.projection = None
        if (stride != 1 or inputs != channels) and shortcut == "projection":
            self.projection = nn.Sequential(
                nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def shortcut(self, x):
        if self.projection is not None:
            return self.projection(x)
        if self.stride == 1 and self.more == 0:
            return x
        before = self.more // 2
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, before, self.more - before))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class ResNet(nn.Module):
    """He et al. 2015, §4.2; examples/models.ts has the same."""

    def __init__(self, blocks, channels=3, shortcut="pad"):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths, inputs = (16, 32, 64), 16
        for stage, width in enumerate(widths):
            layers = []
            for i in range(blocks):
                layers.append(Block(inputs, width, 2 if stage > 0 and i == 0 else 1, shortcut))
                inputs = width
            setattr(self, "layer%d" % (stage + 1), nn.Sequential(*layers))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def runs():
    records = []

    def run(name, build, shape, batch, lr, weight_decay):
        torch.manual_seed(0)
        net = build()
        x, y = torch.randn(4 * batch, *shape), torch.randint(0, 10, (4 * batch,))
        optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
        losses, norms = [], []
        for step in range(20):
            rows = slice(step % 4 * batch, (step % 4 + 1) * batch)
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x[rows]), y[rows])
            loss.backward()
            norms.append(np.float32(nn.utils.clip_grad_norm_(net.parameters(), 1.0)))
            optimizer.step()
            losses.append(np.float32(loss.item()))
        # The same in float64: how far rounding alone takes a run.
        torch.manual_seed(0)
        exact = build().double()
        optimizer = torch.optim.SGD(exact.parameters(), lr=lr, momentum=0.9, weight_decay=weight_decay)
        true_losses = []
        for step in range(20):
            rows = slice(step % 4 * batch, (step % 4 + 1) * batch)
            optimizer.zero_grad()
            loss = F.cross_entropy(exact(x[rows].double()), y[rows])
            loss.backward()
            nn.utils.clip_grad_norm_(exact.parameters(), 1.0)
            optimizer.step()
            true_losses.append(loss.item())
        print(name, "float32 against float64:", max(abs(a - b) / b for a, b in zip(losses, true_losses)))
        net.eval()
        with torch.no_grad():
            outputs = net(x[:2])
        records.append(
            {
                "run": name,
                "seed": 0,
                "shape": list(shape),
                "batchSize": batch,
                "sgd": {"lr": lr, "momentum": 0.9, "weightDecay": weight_decay},
                "clip": 1,
                "losses": losses,
                "norms": norms,
                "trueLosses": [float("%.9g" % v) for v in true_losses],
                "firstInputs": x.reshape(-1)[:4],
                "firstLabels": y[:8],
                "evalOutputs": outputs,
                "norms64": {k: float("%.9g" % v.norm().item()) for k, v in exact.state_dict().items() if v.is_floating_point()},
            }
        )

    run("cnn", CNN, (1, 28, 28), 8, 0.05, 1e-4)
    run("resnet20", lambda: ResNet(3), (3, 32, 32), 8, 0.01, 1e-4)
    run("resnet8-projection", lambda: ResNet(1, shortcut="projection"), (3, 16, 16), 4, 0.05, 5e-4)
    write("runs-conv", records)


FAMILIES = {"conv": conv_family, "conv-modules": modules, "runs-conv": runs}

if __name__ == "__main__":
    for name in sys.argv[1:] or FAMILIES:
        FAMILIES[name]()
