"""Checks and timings of a population on an accelerator, in about ten minutes.

  python experiments/speed/device.py [--small] [--out FOLDER] [ITEM ...]

Every item's result is written when it is known, to `<device>.jsonl` in the folder, by
default `experiments/results/speed`; the same line goes on with what is missing there.
The table of what is known is printed at the end. `--small` is for a CPU: the same code
at sizes that say nothing about speed. PyTorch's times come from `training.py`.

Items: peak (matrix products, bytes), invariance (map, vmap and chunks), precision
(activations and products against a CPU's), memory (a population that does not fit),
mlp, cnn, wdbc, narrow (populations against a hand-written `jit(vmap(scan))`), noise
(N-ReLU against ReLU), diagnosis (against an evaluation pass).
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import training
from rich.console import Console
from rich.table import Table

import relujax
from relujax.activations import REGISTRY
from relujax.engine import Member, Plan, gemm_peak, train_population
from relujax.networks import CNN, MLP

FOLDER = Path(__file__).parents[1] / "results" / "speed"
REPEATS = 5
#: Passes over the weights, of four bytes each, that a step of Adam cannot do without:
#: weights, both moments and the gradient read, the first three written.
PASSES = 7

Result = dict[str, Any]


def peak(small: bool) -> Result:
    """What the device can do: products and bytes a second."""
    x = jnp.ones((2**22 if small else 2**28,))
    add = jax.jit(lambda x: x + 1)
    seconds = least(lambda: add(x))
    return {"gemm_flops": gemm_peak(), "bytes": 2 * x.nbytes / seconds}


def invariance(small: bool) -> Result:
    """The largest relative difference of a loss between plans."""
    cell, data = cell_of("wdbc", epochs=2), relujax.load_dataset("wdbc")
    members = [Member(cell, seed) for seed in range(4)]

    def losses(plan: Plan, members: list[Member]) -> np.ndarray:
        frames = train_population(members, data, root=0, plan=plan)
        return np.concatenate([frame["loss"].to_numpy() for _, frame in frames])

    first = losses(Plan("map"), members)
    plans = {
        "map, one by one": losses(Plan("map", chunk=1), members),
        "map, a second time": losses(Plan("map"), members),
        "vmap": losses(Plan("vmap"), members),
        "vmap, two by two": losses(Plan("vmap", chunk=2), members),
    }
    off = {name: np.abs(found / first - 1).max() for name, found in plans.items()}
    return {name: float(value) for name, value in off.items()}


def precision(small: bool) -> Result:
    """The largest difference from a CPU, in units of float32's spacing at 1."""
    # Several features: a gated unit halves them.
    x = jnp.linspace(-6, 6, 1024).reshape(-1, 8)
    key = jax.random.key(0)
    cpu = jax.devices("cpu")[0]

    def off(function: Callable, *args: jax.Array) -> float:
        here = np.asarray(function(*args), np.float64)
        with jax.default_device(cpu):
            there = np.asarray(function(*jax.device_put(args, cpu)), np.float64)
        return float(np.abs(here - there).max() / np.spacing(np.float32(1)))

    def value(name: str) -> Callable:
        activation = relujax.get(name)
        return lambda x: activation.apply(activation.init(x.shape, x.dtype), x, key=key)

    found = {name: off(jax.jit(value(name)), x) for name in REGISTRY}
    worst = max(found, key=lambda name: found[name])
    matrix = jax.random.uniform(key, (256, 256)) / 16
    return {
        "worst activation": worst,
        "its difference": found[worst],
        "product": off(jax.jit(lambda a: a @ a), matrix),
    }


def memory(small: bool) -> Result:
    """Networks per call of a population that the device cannot hold at once."""
    width, seeds = (64, 8) if small else (2048, 1500)
    data = training.images(256)
    cell = cell_of("digits", f"mlp(hidden=({width}, {width}))", epochs=1)
    members = [Member(cell, seed) for seed in range(seeds)]
    began, sizes = time.perf_counter(), []
    for chunk, _ in train_population(members, data, root=0, plan=Plan("vmap")):
        sizes.append(len(chunk))
    used = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
    return {
        "networks": sum(sizes),
        "calls": len(sizes),
        "peak_bytes": used,
        "seconds": time.perf_counter() - began,
    }


def mlp(small: bool) -> Result:
    """784-512-512-10, and how far from the floor that the bandwidth sets."""
    net = MLP(10, "relu", hidden=(512, 512))
    params = 785 * 512 + 513 * 512 + 513 * 10
    result = population(
        training.images(640 if small else 6400), training.MLP_SPEC, net, small
    )
    floor = PASSES * 4 * params / peak(small)["bytes"]
    shares = {n: floor / row["seconds"] for n, row in result.items()}
    return {n: {**row, "share of bandwidth": shares[n]} for n, row in result.items()}


def cnn(small: bool) -> Result:
    """The SReLU paper's network."""
    data = training.images(256 if small else 1280)
    return population(data, training.CNN_SPEC, CNN(10, "relu"), small)


def wdbc(small: bool) -> Result:
    """30-512-512-1 with dropout."""
    net = MLP(1, "relu", hidden=(512, 512), dropout=0.3)
    return population(relujax.load_dataset("wdbc"), training.WDBC_SPEC, net, small)


def narrow(small: bool) -> Result:
    """Width 8 and depth 10, full batches."""
    data = relujax.load_dataset("synthetic(curve='two_class', n=500, d=2, columns=5)")
    cell = relujax.Cell(
        data="synthetic(curve='two_class', n=500, d=2, columns=5)",
        model="deep_mlp(width=8, depth=10, inputs=2)",
        activation="relu",
        objective="binary_cross_entropy",
        batch_size=500,
        epochs=100,
        evaluate_every=100,
    )
    seeds = 4 if small else 1200
    members = [Member(cell, seed) for seed in range(seeds)]
    mapping = "map" if small else "vmap"
    run = lambda: list(train_population(members, data, root=0, plan=Plan(mapping)))
    return {"networks": seeds, "seconds": least(run, 2)}


def noise(small: bool) -> Result:
    """A step of N-ReLU by one of ReLU."""
    seeds, epochs = (2, (1, 2)) if small else (100, (1, 4))
    data = training.images(640 if small else 6400)
    plan = Plan("map" if small else "vmap")
    timers = [
        training.engine(data, training.MLP_SPEC, seeds, epochs, name, plan)
        for name in ("n_relu", "relu")
    ]
    ratios = [timers[0]() / timers[1]() for _ in range(REPEATS)]
    return {"ratio": float(np.median(ratios))}


def diagnosis(small: bool) -> Result:
    """A diagnosis of a CNN by an evaluation pass over the same images."""
    net = CNN(10, "relu")
    x = jax.random.uniform(jax.random.key(0), (512 if small else 32768, 28, 28, 1))
    params = net.init(jax.random.key(1), x[:1])
    size = 128 if small else 512
    forward = jax.jit(net.apply)
    batches = [x[i : i + size] for i in range(0, len(x), size)]
    evaluate = lambda: [forward(params, batch) for batch in batches]
    look = lambda: relujax.diagnose(net, batches, params=params)
    pairs = [(least(look, 1), least(evaluate, 1)) for _ in range(REPEATS)]
    return {"ratio": float(np.median([a / b for a, b in pairs]))}


def population(data: relujax.Dataset, spec: str, net: Any, small: bool) -> Result:
    """Seconds per step and seed, of the engine and of a scan under `vmap`."""
    found, epochs = {}, (1, 2) if small else (1, 4)
    for seeds in (1, 2) if small else (1, 10, 100, 1000):
        plan = Plan("map" if small else "vmap")
        ours = training.engine(data, spec, seeds, epochs, plan=plan)
        theirs = training.by_hand(data, net, seeds, epochs, side_by_side=not small)
        pairs = np.array([(ours(), theirs()) for _ in range(REPEATS)])
        seconds, by_hand = np.median(pairs, axis=0)
        found[str(seeds)] = {"seconds": seconds, "by hand": by_hand}
    return found


def cell_of(
    data: str, model: str = "mlp(hidden=(64, 64))", *, epochs: int
) -> relujax.Cell:
    objective = "binary_cross_entropy" if data == "wdbc" else "softmax_cross_entropy"
    return relujax.Cell(
        data=data,
        model=model,
        activation="relu",
        objective=objective,
        epochs=epochs,
        evaluate_every=epochs,
    )


def least(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Seconds of the fastest of some calls, after one that is not timed."""
    run()
    return min(training.clock(run) for _ in range(repeats))


ITEMS = {
    item.__name__: item
    for item in (
        *(peak, invariance, precision, mlp, narrow, wdbc, cnn, noise, diagnosis),
        memory,
    )
}


def known(path: Path) -> dict[str, Result]:
    """The results that are written already, by item."""
    if not path.is_file():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {row["item"]: row for row in rows}


def show(results: dict[str, Result]) -> None:
    table = Table("item", "seconds", "found", title_justify="left")
    for name, row in results.items():
        found = row.get("error") or json.dumps(row["found"], default=float)
        table.add_row(name, f"{row['took']:.1f}", found)
    Console(width=120).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("items", nargs="*", default=list(ITEMS), metavar="ITEM")
    parser.add_argument("--small", action="store_true", help="sizes for a CPU")
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    kind = jax.devices()[0].device_kind.replace(" ", "-")
    path = options.out / f"{kind}{'-small' * options.small}.jsonl"
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.items:
        if "found" in known(path).get(name, {}):
            continue
        began = time.perf_counter()
        try:
            row = {"found": ITEMS[name](options.small)}
        except Exception as error:
            # The others have their turn all the same: the device is here for minutes.
            row = {"error": f"{type(error).__name__}: {error}".partition("\n")[0]}
        row = {"item": name, "took": time.perf_counter() - began, **row}
        row |= {"jax": jax.__version__, "relujax": relujax.__version__}
        with path.open("a") as file:
            file.write(json.dumps(row, default=float) + "\n")
        print(json.dumps(row, default=float), flush=True)
    show(known(path))


if __name__ == "__main__":
    main()
