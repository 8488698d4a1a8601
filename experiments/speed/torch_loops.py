"""PyTorch's training loops, timed in a process of their own.

  python experiments/speed/torch_loops.py WORKLOAD [--threads N] [--repeats R] ...

Prints one JSON line: by activation, seconds of each repeat. The other scripts here call it, once for
one thread and once for two; `OMP_NUM_THREADS` is set by them.
"""

import argparse
import json
import time
from collections.abc import Callable
from itertools import pairwise

import torch  # pyright: ignore[reportMissingImports]
from torch import nn  # pyright: ignore[reportMissingImports]

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "prelu": nn.PReLU,
}


class ALReLU(nn.Module):
    """As in the listing of Morrison, Gode and Conner (2025)."""

    def forward(self, x):
        return torch.max(torch.abs(0.01 * x), x)


def narrow(activation: str, depth: int, d: int) -> nn.Sequential:
    """The listing's network: `depth` hidden layers of eight units."""
    make = ACTIVATIONS.get(activation, ALReLU)
    layers = [nn.Linear(d, 8), make()]
    for _ in range(depth - 1):
        layers += [nn.Linear(8, 8), make()]
    return nn.Sequential(*layers, nn.Linear(8, 1))


def mlp(widths: tuple[int, ...], dropout: float = 0.0) -> nn.Sequential:
    layers = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


def cnn() -> nn.Sequential:
    """The SReLU paper's, in the memory format that is fastest on a CPU."""
    net = nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(1600, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU()),
        nn.Linear(512, 10),
    )
    return net.to(memory_format=torch.channels_last)


def trained(
    net: nn.Module,
    loss: Callable,
    batches: Callable,
    steps: int,
    fused: bool,
    rate: float,
) -> Callable[[], None]:
    """`steps` updates by Adam; `batches(step)` gives inputs and targets."""
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=fused)

    def run():
        for step in range(steps):
            x, y = batches(step)
            optimizer.zero_grad()
            loss(net(x), y).backward()
            optimizer.step()

    return run


def shuffled(x: torch.Tensor, y: torch.Tensor, size: int) -> Callable:
    """Batches in random order, as a loop over an array of examples takes them."""
    order = torch.randperm(len(x))
    places = [order[i : i + size] for i in range(0, len(x) - size + 1, size)]

    def batch(step: int):
        place = places[step % len(places)]
        return x[place], y[place]

    return batch


def workload(
    options: argparse.Namespace, activation: str, steps: int
) -> Callable[[], Callable[[], None]]:
    """What makes a fresh network and returns the function that trains it."""
    images = torch.rand(4096, 784)
    labels = torch.randint(0, 10, (4096,))
    fused = options.fused
    entropy = nn.functional.cross_entropy
    binary = nn.functional.binary_cross_entropy_with_logits
    if options.workload == "mlp":
        batches = shuffled(images, labels, 128)
        net = lambda: mlp((784, 512, 512, 10))
        return lambda: trained(net(), entropy, batches, steps, fused, 1e-3)
    if options.workload == "cnn":
        planes = images.reshape(-1, 1, 28, 28).to(memory_format=torch.channels_last)
        batches = shuffled(planes, labels, 128)
        return lambda: trained(cnn(), entropy, batches, steps, fused, 1e-3)
    if options.workload == "wdbc":
        x, y = torch.randn(455, 30), torch.randint(0, 2, (455, 1)).float()
        batches = shuffled(x, y, 128)
        net = lambda: mlp((30, 512, 512, 1), dropout=0.3)
        return lambda: trained(net(), binary, batches, steps, fused, 1e-3)
    x = torch.randn(options.n, options.d)
    y = x.square().sum(1, keepdim=True)
    loss = binary if options.classes else nn.functional.mse_loss
    y = (y > options.d).float() if options.classes else y
    net = lambda: narrow(activation, options.depth, options.d)
    return lambda: trained(net(), loss, lambda _: (x, y), steps, fused, 1e-2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workload", choices=("mlp", "cnn", "wdbc", "narrow"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--fused", action="store_true")
    parser.add_argument("--activations", nargs="+", default=["relu"])
    parser.add_argument("--depth", type=int, default=3)
    parser.add_argument("--n", type=int, default=400)
    parser.add_argument("--d", type=int, default=5)
    parser.add_argument("--classes", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    names = options.activations
    seconds = {name: [] for name in names}
    for name in names:
        workload(options, name, steps=5)()()
    for _ in range(options.repeats):
        for name in names:
            run = workload(options, name, options.steps)()
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
