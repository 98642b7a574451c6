"""The bench's jobs in PyTorch, on one thread. Reads "job calls" from standard input, prints milliseconds a call.

Needs Debian's python3-torch and libopenblas0-pthread (without the latter PyTorch multiplies matrices with a reference BLAS
that is ten times slower, and the comparison says nothing).
"""

import os
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)


def net_of(sizes):
    layers = []
    for i in range(len(sizes) - 1):
        layers += [torch.nn.Linear(sizes[i], sizes[i + 1]), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def cnn():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(32, 64, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(64 * 7 * 7, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    )


class BasicBlock(torch.nn.Module):
    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(channels)
        self.conv2 = torch.nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = torch.nn.BatchNorm2d(channels)
        self.extra = (channels - in_channels) // 2

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.extra > 0:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.extra, self.extra))
        return F.relu(out + x)


def resnet20():
    layers = [torch.nn.Conv2d(3, 16, 3, 1, 1, bias=False), torch.nn.BatchNorm2d(16), torch.nn.ReLU()]
    for in_channels, channels, stride in [(16, 16, 1), (16, 32, 2), (32, 64, 2)]:
        layers += [BasicBlock(in_channels, channels, stride)]
        layers += [BasicBlock(channels, channels, 1) for _ in range(2)]
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10))


def train_step(net, optimizer, inputs, targets):
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(net(inputs), targets).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
    optimizer.step()


def step_of(make, inputs):
    torch.manual_seed(0)
    net = make()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    targets = torch.randint(0, 10, inputs.shape[:1])
    return lambda: train_step(net, optimizer, inputs, targets)


def epoch():
    folder = sys.argv[1]
    with open(os.path.join(folder, "train-images-idx3-ubyte"), "rb") as f:
        images = torch.frombuffer(bytearray(f.read()[16:]), dtype=torch.uint8).view(-1, 784)
    with open(os.path.join(folder, "train-labels-idx1-ubyte"), "rb") as f:
        labels = torch.frombuffer(bytearray(f.read()[8:]), dtype=torch.uint8).long()
    torch.manual_seed(0)
    net = net_of([784, 256, 128, 10])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def run():
        # Whole batches by index, which is much faster than torch's DataLoader: the comparison is with PyTorch at its best.
        order = torch.randperm(len(images))
        for start in range(0, len(images), 64):
            chosen = order[start : start + 64]
            batch = images[chosen].float().div_(255).sub_(0.1307).div_(0.3081)
            train_step(net, optimizer, batch, labels[chosen])

    return run


JOBS = {
    "mlp": lambda: step_of(lambda: net_of([784, 256, 128, 10]), torch.randn(64, 784)),
    "small": lambda: step_of(lambda: net_of([10, 100, 100, 10]), torch.randn(32, 10)),
    "cnn": lambda: step_of(cnn, torch.randn(64, 1, 28, 28)),
    "resnet20": lambda: step_of(resnet20, torch.randn(64, 3, 32, 32)),
    "epoch": epoch,
}
running = {}


def blas():
    for line in open("/proc/self/maps"):
        for name in ("openblas", "mkl", "libblas"):
            if name in line:
                return name
    return "unknown BLAS"


def main():
    print(f"PyTorch {torch.__version__}, {blas()}, one thread", flush=True)
    for line in sys.stdin:
        job, calls = line.split()
        if job not in running:
            running[job] = JOBS[job]()
        run = running[job]
        start = time.perf_counter()
        for _ in range(int(calls)):
            run()
        print((time.perf_counter() - start) / int(calls) * 1000, flush=True)


if __name__ == "__main__":
    main()
