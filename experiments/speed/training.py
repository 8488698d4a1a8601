"""Training throughput: the engine against PyTorch, plain JAX loops, and the machine.

  python experiments/speed/training.py [--torch PYTHON] [--repeats R] [WORKLOAD ...]

Workloads: mlp (784-512-512-10, batch 128, 10 seeds), cnn (the SReLU paper's, batch 128,
4 seeds), wdbc (the demo's network, 100 seeds), noise (N-ReLU against ReLU) and many
(1,000 seeds against 100 times 10). All but `many` are times per training step and seed:
the difference between a long and a short run, so without compilation, initialisation
and evaluation. The engine runs a network on every core, as the command does, and on one
device besides, where the hand-written scan runs. Every repeat times all candidates, one
after the other; the tables show medians of the repeats, and of their ratios. Needs an
idle machine.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import linen as nn
from rich.console import Console
from rich.table import Table

import relujax
from relujax.data import from_arrays
from relujax.engine import (
    Member,
    Plan,
    gemm_peak,
    one_device_per_core,
    train_population,
)
from relujax.networks import CNN, MLP

HERE = Path(__file__).parent
Timer = Callable[[], float]

MLP_SPEC = "mlp(hidden=(512, 512), initializer='pytorch')"
CNN_SPEC = "cnn(filters=(32, 64), hidden=(512, 512), initializer='pytorch')"
WDBC_SPEC = "mlp(hidden=(512, 512), dropout=0.3, initializer='pytorch')"


@cache
def images(n: int = 6400) -> relujax.Dataset:
    """Random MNIST-shaped images: no speed depends on what they show."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (n + 128, 28, 28, 1), dtype=np.uint8)
    y = np.arange(n + 128, dtype=np.int32) % 10
    return from_arrays(x[:n], y[:n], x[n:], y[n:])


def clock(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - start


def slope(run: Callable[[int], object], short: int, long: int) -> Timer:
    """Seconds per unit of work: of `run(long)` more than of `run(short)`."""
    for work in (short, long):  # Compiled, and warm.
        jax.block_until_ready(run(work))
    more = lambda: clock(lambda: run(long)) - clock(lambda: run(short))
    return lambda: more() / (long - short)


def everywhere(mapping: Literal["map", "vmap"] = "map") -> Plan:
    """One network after the other on each device, as a run has it, or side by side."""
    return Plan(mapping, devices=jax.local_device_count())


def engine(
    data: relujax.Dataset, model: str, seeds: int, epochs: tuple[int, int],
    activation: str = "relu", plan: Plan | None = None,
) -> Timer:  # fmt: skip
    """Seconds of the engine per step and seed."""
    objective = "binary_cross_entropy" if data.classes == 2 else "softmax_cross_entropy"

    def run(epochs: int) -> None:
        cell = relujax.Cell(
            data="digits",  # Its name; the data are given below.
            model=model,
            activation=activation,
            objective=objective,
            batch_size=128,
            epochs=epochs,
            evaluate_every=epochs,
        )
        members = [Member(cell, seed) for seed in range(seeds)]
        for _ in train_population(members, data, root=0, plan=plan or everywhere()):
            pass

    steps = -(-len(data.x_train) // 128)
    per_epoch = slope(run, *epochs)
    return lambda: per_epoch() / steps / seeds


def by_hand(
    data: relujax.Dataset,
    net: nn.Module,
    seeds: int,
    epochs: tuple[int, int],
    side_by_side: bool = False,
) -> Timer:
    """Seconds of a hand-written scan per step and seed, for the same network."""
    x, y = jnp.asarray(data.x_train), jnp.asarray(data.y_train)
    adam = optax.adam(1e-3)
    steps = -(-len(x) // 128)
    entropy = optax.softmax_cross_entropy_with_integer_labels
    binary = lambda z, y: optax.sigmoid_binary_cross_entropy(z[:, 0], y)
    loss_of = binary if data.classes == 2 else entropy
    stochastic = getattr(net, "dropout", None) is not None

    def train(key, epochs):
        variables = net.init(key, data.transform(x[:1]))
        params = variables["params"]

        def step(carry, batch):
            params, state, count = carry
            place, mask = batch
            rngs = {"dropout": jax.random.fold_in(key, count)} if stochastic else {}

            def loss(params):
                z = net.apply(
                    {"params": params}, data.transform(x[place]), train=True, rngs=rngs
                )
                return (loss_of(z, y[place]) * mask).sum() / mask.sum()

            updates, state = adam.update(jax.grad(loss)(params), state, params)
            return (optax.apply_updates(params, updates), state, count + 1), None

        def epoch(i, carry):
            order = jax.random.permutation(jax.random.fold_in(key, i), len(x))
            place = jnp.arange(steps * 128)
            mask = (place < len(x)).astype(jnp.float32).reshape(steps, 128)
            place = order[place % len(x)].reshape(steps, 128)
            return jax.lax.scan(step, carry, (place, mask))[0]

        first = (params, adam.init(params), 0)
        return jax.tree.leaves(jax.lax.fori_loop(0, epochs, epoch, first))[0].sum()

    program = jax.jit(
        jax.vmap(train, in_axes=(0, None))
        if side_by_side
        else lambda keys, epochs: jax.lax.map(lambda key: train(key, epochs), keys)
    )
    keys = jax.random.split(jax.random.key(0), seeds)
    per_epoch = slope(lambda epochs: program(keys, epochs), *epochs)
    return lambda: per_epoch() / steps / seeds


class FlaxCNN(nn.Module):
    """The SReLU paper's network as one would write it in Flax."""

    @nn.compact
    def __call__(self, x):
        for features in (32, 64):
            x = nn.relu(nn.Conv(features, (3, 3), padding="VALID")(x))
            x = nn.max_pool(x, (2, 2), strides=(2, 2))
        x = x.reshape(len(x), -1)
        for width in (512, 512):
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(10)(x)


def naive_cnn(seeds: int) -> Timer:
    """Seconds per step and seed of `jit(vmap(scan))` over Flax's layers."""
    x = jax.random.uniform(jax.random.key(0), (128, 28, 28, 1))
    y = jnp.arange(128) % 10
    net, adam = FlaxCNN(), optax.adam(1e-3)

    def train(key, batches):
        params = net.init(key, x)

        def step(carry, batch):
            params, state = carry
            loss = lambda p: optax.softmax_cross_entropy_with_integer_labels(
                net.apply(p, batch), y
            ).mean()
            updates, state = adam.update(jax.grad(loss)(params), state)
            return (optax.apply_updates(params, updates), state), None

        (params, _), _ = jax.lax.scan(step, (params, adam.init(params)), batches)
        return jax.tree.leaves(params)[0].sum()

    keys = jax.random.split(jax.random.key(1), seeds)
    program = jax.jit(jax.vmap(train, in_axes=(0, None)))
    batches = {n: jnp.broadcast_to(x, (n, *x.shape)) for n in (1, 3)}
    per_step = slope(lambda n: program(keys, batches[n]), 1, 3)
    return lambda: per_step() / seeds


def torch_loop(
    python: str, workload: str, threads: int, steps: int, *flags: str
) -> Timer:
    """Seconds per step of PyTorch's loop, in a process of its own."""
    command = [python, str(HERE / "torch_loops.py"), workload, "--repeats", "1", *flags]
    command += ["--threads", str(threads), "--steps", str(steps)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}

    def run() -> float:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)["relu"][0] / steps

    return run


def torch_loops(python: str, workload: str, steps: int) -> dict[str, Timer]:
    return {
        f"PyTorch, Adam {kind}, {threads} thread{'s' * (threads > 1)}": torch_loop(
            python, workload, threads, steps, *flags
        )
        for kind, flags in (("default", ()), ("fused", ("--fused",)))
        for threads in (1, 2)
    }


def measure(timers: Mapping[str, Timer], repeats: int) -> dict[str, np.ndarray]:
    """`[repeats]` seconds of each, interleaved."""
    rounds = [[timer() for timer in timers.values()] for _ in range(repeats)]
    return dict(zip(timers, np.array(rounds).T, strict=True))


def show(title: str, found: Mapping[str, np.ndarray], *notes: str) -> None:
    """Medians, and the median of the paired ratios to the first row."""
    table = Table(title=title, title_justify="left")
    for name in ("", "µs per step and seed", "times the first"):
        table.add_column(name, justify="left" if not name else "right")
    first = next(iter(found.values()))
    for name, seconds in found.items():
        ratio = np.median(seconds / first)
        table.add_row(name, f"{1e6 * np.median(seconds):.1f}", f"{ratio:.3f}")
    console = Console(width=100)
    console.print(table)
    for note in notes:
        console.print(note)
    console.print()


def mlp(options: argparse.Namespace) -> None:
    peak = gemm_peak()
    net = MLP(10, "relu", hidden=(512, 512))
    timers = {
        "relujax": engine(images(), MLP_SPEC, 10, (1, 4)),
        "relujax, one device": engine(images(), MLP_SPEC, 10, (1, 4), plan=Plan("map")),
        "hand-written scan": by_hand(images(), net, 10, (1, 4)),
        **torch_loops(options.torch, "mlp", 300),
    }
    found = measure(timers, options.repeats)
    # Value and weight gradients of three layers, input gradients of the last two.
    products = 2 * (784 * 512 + 512 * 512 + 512 * 10) + 512 * 512 + 512 * 10
    share = 2 * 128 * products / np.median(found["relujax"]) / max(peak, gemm_peak())
    show(
        "MLP 784-512-512-10, batch 128, 10 seeds",
        found,
        f"GEMM peak of this machine {peak / 1e9:.0f} GFLOP/s; relujax reaches "
        f"{100 * share:.0f} % of it over whole steps.",
    )


def cnn(options: argparse.Namespace) -> None:
    data = images(1280)
    net = CNN(10, "relu")
    timers = {
        "relujax": engine(data, CNN_SPEC, 4, (1, 3)),
        "relujax, one device": engine(data, CNN_SPEC, 4, (1, 3), plan=Plan("map")),
        "hand-written scan": by_hand(data, net, 4, (1, 3)),
        **torch_loops(options.torch, "cnn", 60),
    }
    found = measure(timers, options.repeats)
    found["jit(vmap(scan)), Flax"] = np.full(options.repeats, naive_cnn(4)())
    show(
        "CNN 32-64, 512-512, batch 128, 4 seeds",
        found,
        "The naive program was timed once: it takes seconds a step.",
    )


def wdbc(options: argparse.Namespace) -> None:
    data = relujax.load_dataset("wdbc")
    net = MLP(1, "relu", hidden=(512, 512), dropout=0.3)
    timers = {
        "relujax": engine(data, WDBC_SPEC, 100, (2, 12)),
        "relujax, vmap": engine(data, WDBC_SPEC, 100, (2, 12), plan=everywhere("vmap")),
        "relujax, one device": engine(data, WDBC_SPEC, 100, (2, 12), plan=Plan("map")),
        "hand-written scan": by_hand(data, net, 100, (2, 12)),
        **torch_loops(options.torch, "wdbc", 300),
    }
    found = measure(timers, options.repeats)
    show("WDBC 30-512-512-1, dropout 0.3, batch 128, 100 seeds", found)


def noise(options: argparse.Namespace) -> None:
    for name, data, spec, seeds, epochs in (
        ("MLP", images(), MLP_SPEC, 4, (1, 4)),
        ("CNN", images(1280), CNN_SPEC, 2, (1, 3)),
    ):
        timers = {
            activation: engine(data, spec, seeds, epochs, activation)
            for activation in ("relu", "n_relu")
        }
        show(f"N-ReLU against ReLU, {name}", measure(timers, options.repeats))


def many(options: argparse.Namespace) -> None:
    data = relujax.load_dataset("wdbc")

    def population(seeds: int) -> Timer:
        cell = relujax.Cell(
            data="wdbc",
            model="mlp(hidden=(32, 32))",
            activation="relu",
            objective="binary_cross_entropy",
            epochs=20,
            evaluate_every=20,
        )
        members = [Member(cell, seed) for seed in range(seeds)]

        def run() -> float:
            return clock(
                lambda: list(train_population(members, data, root=0, plan=everywhere()))
            )

        run()
        return lambda: run() / seeds / 20 / 4

    ten = population(10)
    timers = {
        "100 times 10 seeds": lambda: float(np.mean([ten() for _ in range(100)])),
        "1,000 seeds": population(1000),
    }
    show("1,000 seeds of a 30-32-32-1 MLP, with start and evaluation",
         measure(timers, options.repeats))  # fmt: skip


WORKLOADS = {"mlp": mlp, "cnn": cnn, "wdbc": wdbc, "noise": noise, "many": many}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=WORKLOADS)
    parser.add_argument("--torch", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    one_device_per_core()
    for name in options.workloads:
        WORKLOADS[name](options)


if __name__ == "__main__":
    main()
