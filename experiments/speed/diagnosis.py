"""What a diagnosis costs beside a plain evaluation pass over the same data.

  python experiments/speed/diagnosis.py [--examples N] [--repeats R] [--batch B]

The CNN of Flax's MNIST example on N images of 28 x 28 pixels (60,000 unless told
otherwise), of MNIST where this machine has it, otherwise of noise. Both passes read the
same batches of B images (64 unless told otherwise) from the host; both are compiled and
warm. First table: the median over R pairs of runs, each pair one after the other, and
the median of their ratios; and the evaluation in larger batches. Second table: the peak
memory of a process that diagnoses a quarter of the images, and all.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import psutil
from flax import linen as nn

import relujax


class CNN(nn.Module):
    """Flax's MNIST example, as it is."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Conv(features=32, kernel_size=(3, 3))(x))
        x = nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nn.relu(nn.Conv(features=64, kernel_size=(3, 3))(x))
        x = nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))
        x = nn.relu(nn.Dense(features=256)(x.reshape((x.shape[0], -1))))
        return nn.Dense(features=10)(x)


def images(examples: int) -> tuple[np.ndarray, str]:
    """Images as uint8 `[examples, 28, 28, 1]`, and what they are."""
    if relujax.dataset_info("mnist").available:
        x = relujax.load_dataset("mnist").x_train
        return np.resize(x, (examples, *x.shape[1:])), "MNIST"
    shape = (examples, 28, 28, 1)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8), "noise"


def network() -> tuple[Callable, dict]:
    model = CNN()
    params = jax.jit(model.init)(jax.random.key(0), jnp.zeros((1, 28, 28, 1)))
    return lambda params, x: model.apply(params, x.astype(jnp.float32) / 255), params


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def row(name: str, pairs: list[tuple[float, float]]) -> None:
    """Seconds of the second of each pair, and how often those of the first."""
    ours = statistics.median(b for _, b in pairs)
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name:<16}{ours:9.2f}{ratio:14.2f}", flush=True)


def time_table(x: np.ndarray, what: str, batch: int, repeats: int) -> None:
    fn, params = network()
    y = np.arange(len(x)) % 10

    @jax.jit
    def hits(params, x, y):
        return (fn(params, x).argmax(-1) == y).sum()

    def evaluate(size=batch):
        cuts = range(0, len(x), size)
        parts = [hits(params, x[i : i + size], y[i : i + size]) for i in cuts]
        return sum(int(part) for part in parts) / len(x)

    # A monitor compiles once; its record is a whole diagnosis.
    forms: dict[str, dict[str, Any]] = {
        "diagnose": {},
        "without ranks": {"max_rank_units": 0},
        "with a loss": {"loss": lambda output, _batch: output.sum(-1)},
    }
    print(f"{len(x):,} images ({what}), batches of {batch}, {jax.default_backend()}")
    print(f"{'pass':<16}{'seconds':>9}{'/ evaluation':>14}")
    evaluate()
    plain = statistics.median(seconds(evaluate) for _ in range(repeats))
    print(f"{'evaluation':<16}{plain:9.2f}{1:14.2f}")
    for size in (2 * batch, 4 * batch):
        evaluate(size)
        pairs = [
            (seconds(evaluate), seconds(lambda size=size: evaluate(size)))
            for _ in range(repeats)
        ]
        row(f"batches of {size}", pairs)
    for name, settings in forms.items():
        watch = relujax.Monitor(fn, x, batch_size=batch, **settings)

        def diagnose(watch=watch):
            watch.record(len(watch.records), params)

        diagnose()
        row(name, [(seconds(evaluate), seconds(diagnose)) for _ in range(repeats)])


def memory_table(examples: int, batch: int) -> None:
    print(f"\n{'images':<16}{'peak MB, diagnosing':>20}{'the images alone':>18}")
    for n in (examples // 4, examples):
        command = [sys.executable, __file__, "--peak-of", str(n), "--batch", str(batch)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        print(f"{n:<16,}{float(done.stdout):20.0f}{n * 784 / 1e6:18.0f}", flush=True)


def peak(examples: int, batch: int) -> float:
    """Peak memory in MB of a diagnosis of batches that are made as they are needed."""
    fn, params = network()
    rng = np.random.default_rng(0)
    sizes = [batch] * (examples // batch)
    data = (rng.integers(0, 256, (n, 28, 28, 1), np.uint8) for n in sizes)
    highest = 0

    def watched():
        nonlocal highest
        for images in data:
            highest = max(highest, psutil.Process().memory_info().rss)
            yield images

    relujax.diagnose(fn, watched(), params=params)
    return highest / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Time a diagnosis.")
    parser.add_argument("--examples", type=int, default=60_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--peak-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak_of is not None:
        print(peak(options.peak_of, options.batch))
        return
    x, what = images(options.examples)
    time_table(x, what, options.batch, options.repeats)
    memory_table(options.examples, options.batch)


if __name__ == "__main__":
    main()
