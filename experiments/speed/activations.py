"""What each activation costs: value and gradient, beside `jax.nn.relu` and torch.

  python experiments/speed/activations.py [--elements N] [--repeats R]

First table: value-and-gradient of the sum over N float32 elements (10^7 unless told
otherwise), the median of R runs, and its ratio to `jax.nn.relu`; where torch is
installed and has the activation, torch's time for the same. Stochastic activations
train. Second table: nanoseconds a draw of `relujax.kernels.noise` and of JAX, for each
of JAX's counter-based generators. Needs an idle machine and, at full size, about 1 GB.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import jax

import relujax
from relujax.kernels import noise

GENERATORS = ("threefry2x32", "threefry4x32", "philox2x32", "philox4x32")


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    """The median time of `run`, which is called once before to compile and warm up."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def jax_seconds(f: Callable, x: jax.Array, repeats: int) -> float:
    """Value and gradient of `f(x).sum()`, compiled together."""
    compiled = jax.jit(jax.value_and_grad(lambda x: f(x).sum()))
    return median_seconds(lambda: jax.block_until_ready(compiled(x)), repeats)


def trained(name: str, x: jax.Array, key: jax.Array) -> Callable:
    activation = relujax.get(name)
    params = activation.init(x.shape, x.dtype)
    return lambda x: activation.apply(params, x, key=key, train=True)


def torch_forms() -> dict[str, Callable]:
    """Torch's version of each activation that it has; empty without torch."""
    try:
        import torch  # pyright: ignore[reportMissingImports]
        import torch.nn.functional as F  # pyright: ignore[reportMissingImports]
    except ImportError:
        return {}
    alpha = torch.tensor([0.25])
    return {
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "elu": F.elu,
        "selu": F.selu,
        "celu": F.celu,
        "gelu": lambda x: F.gelu(x, approximate="tanh"),
        "silu": F.silu,
        "mish": F.mish,
        "softplus": F.softplus,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu6": F.relu6,
        "prelu": lambda x: F.prelu(x, alpha),
        "rrelu": lambda x: F.rrelu(x, training=True),
    }


def torch_seconds(f: Callable, x: jax.Array, repeats: int) -> float:
    import numpy as np
    import torch  # pyright: ignore[reportMissingImports]

    leaf = torch.from_numpy(np.array(x)).requires_grad_()

    def run():
        y = f(leaf).sum()
        return y, torch.autograd.grad(y, leaf)

    return median_seconds(run, repeats)


def activation_table(elements: int, repeats: int) -> None:
    key_x, key_noise = jax.random.split(jax.random.key(0))
    x = jax.random.normal(key_x, (elements,))
    reference = jax_seconds(jax.nn.relu, x, repeats)
    torch_has = torch_forms()
    print(f"value and gradient, {elements:.0e} float32, {jax.default_backend()}")
    print(
        f"{'activation':<18}{'ms':>9}{'/ jax relu':>12}{'torch ms':>10}{'/ torch':>9}"
    )
    print(f"{'jax.nn.relu':<18}{1e3 * reference:9.2f}{1:12.2f}")
    for name in relujax.names(gated=True):
        ours = jax_seconds(trained(name, x, key_noise), x, repeats)
        row = f"{name:<18}{1e3 * ours:9.2f}{ours / reference:12.2f}"
        if name in torch_has:
            theirs = torch_seconds(torch_has[name], x, repeats)
            row += f"{1e3 * theirs:10.2f}{ours / theirs:9.2f}"
        print(row, flush=True)


def noise_table(elements: int, repeats: int) -> None:
    """Draws of `relujax.kernels.noise` against those of JAX, by generator."""
    draws = {
        "normal": noise.normal,
        "jax normal": jax.random.normal,
        "bits": noise.bits,
        "jax bits": jax.random.bits,
    }
    print(f"\n{elements:.0e} draws, ns each")
    print(f"{'generator':<18}" + "".join(f"{name:>12}" for name in draws))
    for impl in GENERATORS:
        try:
            key = jax.random.key(0, impl=impl)
        except ValueError:
            print(f"{impl:<18}{'not in this JAX':>15}")
            continue
        row = f"{impl:<18}"
        for draw in draws.values():
            f = jax.jit(lambda key, draw=draw: draw(key, (elements,)))
            run = lambda f=f, key=key: jax.block_until_ready(f(key))
            row += f"{1e9 * median_seconds(run, repeats) / elements:12.2f}"
        print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time every activation.")
    parser.add_argument("--elements", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    activation_table(options.elements, options.repeats)
    noise_table(options.elements, options.repeats)


if __name__ == "__main__":
    main()
