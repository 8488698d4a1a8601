"""One program for all activations of a grid, or a program each: compiling and steps.

  python experiments/speed/compile.py [--repeats R] [GRID ...]

Grids: wdbc (eight activations, a hundred epochs) and digits (six, thirty epochs), the
first demo's. Programs are as the engine has them: a loop over the networks of one
device, epochs, an evaluation after each. Times are seconds of CPU, of all threads, so
that a machine on which others work does little harm; what is timed takes turns, and the
tables show the least of the repeats. Compiling goes past the cache of compilations.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from rich.console import Console
from rich.table import Table

import relujax
from relujax.activations import Activation, union
from relujax.engine import Plan, one_device_per_core
from relujax.kernels.compiler import compiler_options
from relujax.networks import MLP, from_linen
from relujax.training import Split, make_run, objective, streams
from relujax.training import train_epoch as train

RIVALS = ("relu", "leaky_relu", "prelu(axis=-1)", "elu", "gelu(approximate=False)")
DIGITS = (*RIVALS, "srelu(beta=0.5)")
WDBC = (*DIGITS, "n_relu", "al_relu")


class Grid(NamedTuple):
    """What is trained, and for how long: a seed of each activation."""

    data: str
    objective: str
    activations: tuple[str, ...]
    epochs: int
    seeds: int


GRIDS = {
    "wdbc": Grid("wdbc", "binary_cross_entropy", WDBC, 100, 20),
    "digits": Grid("digits", "softmax_cross_entropy", DIGITS, 30, 20),
}


class Program(NamedTuple):
    """A compiled program and one network's arguments."""

    compiled: Callable
    arguments: Callable[..., tuple]


def splits(data: relujax.Dataset) -> tuple[Split, Split]:
    split = lambda x, y: Split(jnp.asarray(x), jnp.asarray(y))
    return split(data.x_train, data.y_train), split(data.x_test, data.y_test)


def numbers_of(activations: Sequence[str]) -> list[dict[str, float]]:
    """The traced numbers of each activation."""
    return [
        {k: v for k, v in relujax.get(text).hyperparameters.items() if type(v) is float}
        for text in activations
    ]


def activation(activations: Sequence[str], numbers: Mapping[str, Any]) -> Activation:
    """The activation, one of several if there are several."""
    pairs = zip(activations, numbers["own"], strict=True)
    made = [relujax.get(text, **own) for text, own in pairs]
    return made[0] if len(made) == 1 else union(made, numbers["which"])


def functions(grid: Grid, activations: Sequence[str]) -> tuple[Callable, tuple]:
    """What is done for one network, `f(counts, members, (splits, epochs))`."""
    data = relujax.load_dataset(grid.data)
    chosen = objective(grid.objective, data.classes)

    def one(numbers, shared):
        (first, second), epochs = shared
        act = activation(activations, numbers)
        outputs = chosen.outputs(data.classes)
        net = from_linen(MLP(outputs, act, dropout=numbers["dropout"]))
        optimizer = optax.adam(numbers["rate"])
        options = {"classes": data.classes, "transform": data.transform}
        run = make_run(net, optimizer, chosen, **options)
        keys = streams(0, numbers["seed"])

        def epoch(_, state):
            return train(run, state, first, keys, batch_size=128)[0]

        def evaluation(state, epochs):
            state = jax.lax.fori_loop(0, epochs, epoch, state)
            return state, [run.evaluate(state, split) for split in (first, second)]

        return jax.lax.scan(evaluation, run.init(keys, first.x), epochs)[1]

    plan = Plan("map")
    whole = lambda counts, members, shared: plan.map(one, counts, (members,), shared)
    return whole, splits(data)


def build(grid: Grid, activations: Sequence[str]) -> tuple[Program, list[float]]:
    """The program, and the seconds of tracing, lowering and compiling it."""
    whole, data = functions(grid, activations)

    def arguments(which: int, epochs: int = 1) -> tuple:
        numbers = {
            "which": jnp.int32(which),
            "own": jax.tree.map(jnp.float32, numbers_of(activations)),
            "dropout": jnp.float32(0.3),
            "rate": jnp.float32(1e-3),
            "seed": jnp.int32(0),
        }
        members = jax.tree.map(lambda leaf: leaf[None], numbers)
        return np.ones(1, np.int32), members, (data, jnp.full(5, epochs // 5))

    example = arguments(0)
    jitted = jax.jit(whole, compiler_options=compiler_options())
    clock = [time.process_time()]
    traced = jitted.trace(*example)
    clock.append(time.process_time())
    lowered = traced.lower()
    clock.append(time.process_time())
    compiled = lowered.compile()
    clock.append(time.process_time())
    return Program(compiled, arguments), np.diff(clock).tolist()


def seconds(program: Program, which: int, epochs: int) -> float:
    """CPU seconds of a network's training."""
    arguments = program.arguments(which, epochs)
    start = time.process_time()
    jax.block_until_ready(program.compiled(*arguments))
    return time.process_time() - start


def measure(name: str, repeats: int, console: Console) -> None:
    """Print the two tables of a grid."""
    grid = GRIDS[name]
    texts = grid.activations
    single: list[Program] = []
    times: dict[str, list[list[float]]] = {"each": [], "one": []}
    for _ in range(repeats):
        jax.clear_caches()
        one, spent = build(grid, texts)
        times["one"].append(spent)
        jax.clear_caches()
        built = [build(grid, (text,)) for text in texts]
        single = [program for program, _ in built]
        times["each"].append(np.sum([spent for _, spent in built], axis=0).tolist())
    least = {k: np.min(v, axis=0) for k, v in times.items()}
    table = Table("programs", "trace s", "lower s", "compile s", "sum s", title=name)
    for label, spent in (("one", least["one"]), (f"{len(texts)}", least["each"])):
        table.add_row(label, *(f"{s:.2f}" for s in (*spent, spent.sum())))
    console.print(table)

    steps = -(-len(relujax.load_dataset(grid.data).y_train) // 128)
    short, long = 5, 5 * max(2, grid.epochs // 5)
    table = Table("activation", "its own us", "one of all us", "ratio", title="a step")
    lost = 0.0
    for which, text in enumerate(texts):
        pairs = []
        for _ in range(2 * repeats + 1):
            pairs.append(
                [
                    seconds(program, place, long) - seconds(program, place, short)
                    for program, place in ((single[which], 0), (one, which))
                ]
            )
        own, union = np.min(pairs, axis=0) / (long - short) / steps
        lost += (union - own) * steps * grid.epochs * grid.seeds
        row = (f"{own * 1e6:.0f}", f"{union * 1e6:.0f}", f"{union / own:.2f}")
        table.add_row(text, *row)
    console.print(table)
    saved = float(least["each"].sum() - least["one"].sum())
    console.print(
        f"{name}, {grid.seeds} seeds of {grid.epochs} epochs: one program saves "
        f"{saved:.1f} s of compiling and costs {lost:.1f} s of steps."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("grids", nargs="*", metavar="GRID", help=", ".join(GRIDS))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    one_device_per_core()
    jax.config.update("jax_enable_compilation_cache", False)
    for name in options.grids or GRIDS:
        measure(name, options.repeats, Console(width=88))


if __name__ == "__main__":
    main()
