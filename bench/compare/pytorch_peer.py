"""PyTorch as a peer: the protocol of worker.ts, the numbers of work.ts, the nets of pytorch_jobs.py. One thread."""

import base64
import json
import os
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import pytorch_jobs as jobs

torch.set_num_threads(1)
LR, MOMENTUM, CHECKED_STEPS = 0.05, 0.9, 3
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201]
WARM_UP_SECONDS = 0.25
MASK = 0xFFFFFFFF


def uniform(seed, n, low, high):
    """mulberry32, as in work.ts."""
    a = (seed + torch.arange(1, n + 1, dtype=torch.int64) * 0x6D2B79F5) & MASK
    t = ((a ^ (a >> 15)) * (a | 1)) & MASK
    t = t ^ ((t + (((t ^ (t >> 7)) * (t | 61)) & MASK)) & MASK)
    return (low + (t ^ (t >> 14)).double() * 2**-32 * (high - low)).float()


def draw(seed, shape, low=-1, high=1):
    return uniform(seed, torch.Size(shape).numel(), low, high).view(shape)


NETS = {
    "mlp": (lambda: jobs.net_of([784, 256, 128, 10]), (64, 784)),
    "small": (lambda: jobs.net_of([10, 100, 100, 10]), (32, 10)),
    "cnn": (jobs.cnn, (64, 1, 28, 28)),
    "resnet20": (jobs.resnet20, (64, 3, 32, 32)),
}


def net_of(name):
    make, shape = NETS[name]
    net = make()
    fan_in = 1
    with torch.no_grad():
        for i, p in enumerate(net.parameters()):
            if p.dim() > 1:
                fan_in = p[0].numel()
            elif name == "resnet20" and i < 57:
                p.fill_((i + 1) % 3 == 2)  # batch norm's: convolution, weight, bias, …
                continue
            p.copy_(draw(100 + i, p.shape, -(fan_in**-0.5), fan_in**-0.5))
    return net, draw(2, shape, -1.7, 1.7)


def step(name):
    net, x = net_of(name)
    targets = uniform(3, len(x), 0, 10).long()
    optimizer = torch.optim.SGD(net.parameters(), lr=LR, momentum=MOMENTUM)

    def run():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(net(x), targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
        optimizer.step()
        return loss

    return run, lambda: torch.tensor([run().item() for _ in range(CHECKED_STEPS)])


def augmentation(batch):
    """torchvision's transforms on PIL images, as its tutorials have it."""
    from torchvision import transforms

    augment = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    to_image = transforms.ToPILImage()
    pixels = uniform(4, batch * 3 * 32 * 32, 0, 256).byte().view(batch, 3, 32, 32)
    images = [to_image(image) for image in pixels]
    return lambda: torch.stack([augment(image) for image in images])


def open_work(work):
    """What is timed, and what gives the values to compare."""
    kind = work["kind"]
    if kind == "step":
        return step(work["net"])
    if kind == "matmul":
        a, b = draw(1, (work["m"], work["k"])), draw(2, (work["k"], work["n"]))
        compute = lambda: a @ b
    elif kind == "linear":
        x = draw(1, (work["batch"], work["inputs"]))
        weight, bias = draw(2, (work["outputs"], work["inputs"])), draw(3, (work["outputs"],))
        compute = lambda: F.linear(x, weight, bias)
    elif kind == "elementwise":
        x, y = draw(1, (work["n"],), -3, 3), draw(2, (work["n"],), -3, 3)
        op = getattr(torch, work["op"])
        compute = (lambda: op(x, y)) if work["op"] == "add" else (lambda: op(x))
    elif kind == "softmax":
        x = draw(1, (work["rows"], work["columns"]), -3, 3)
        compute = lambda: F.softmax(x, 1)
    elif kind == "forward":
        net, x = net_of(work["net"])
        net.eval()
        compute = lambda: net(x)
    elif kind == "augmentation":
        compute = augmentation(work["batch"])
    else:
        compute = lambda: (torch.tensor([1.0, 2.0]) + 1).sum()

    def run():
        with torch.no_grad():
            return compute()

    return run, run


def sampled(values, everything):
    values = values.flatten()
    if everything or len(values) <= 4096:
        return values
    return values[torch.arange(4096) * 7919 % len(values)]


def clock(run, calls):
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def warm_up(run):
    last = spent = clock(run, 1)
    while spent < WARM_UP_SECONDS:
        calls = max(1, min(1000, int(0.05 / last)))
        last = clock(run, calls)
        spent += last * calls
    return last


def main():
    if "--first" in sys.argv:
        sys.exit(open_work({"kind": "first"})[0]().item() != 5)
    print(json.dumps({"description": f"PyTorch {torch.__version__}, native, {jobs.blas()}, 1 thread"}), flush=True)
    run = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if "open" in command:
                run, check = open_work(command["open"])
                values = sampled(check(), command.get("all", False)).float().contiguous()
                encoded = base64.b64encode(values.numpy().tobytes()).decode()
                answer = {"values": encoded, "seconds": warm_up(run)}
            elif "time" in command:
                answer = {"seconds": clock(run, command["time"])}
            else:
                run = None
                answer = {}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
