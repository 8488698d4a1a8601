"""A cell's compiled program: all members of a population in one call."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from relujax import activations
from relujax.data import Dataset, Transform
from relujax.engine._cell import Cell, make_model
from relujax.engine._plan import Plan
from relujax.training import (
    Run,
    Split,
    Streams,
    TrainState,
    make_optimizer,
    make_run,
    objective,
    streams,
    train_epoch,
)

Hyperparameters = dict[str, dict[str, jax.Array]]


class Members(NamedTuple):
    """The population: one row per network, along the leading axis of every leaf.

    Attributes:
      seed: seed ids, `[members]` int32.
      hyperparameters: the cell's traced numbers, each `[members]` float32.
    """

    seed: jax.Array
    hyperparameters: Hyperparameters


class Data(NamedTuple):
    """The data set on the device, shared by all members."""

    train: Split
    test: Split


class Program(NamedTuple):
    """Two compiled functions over the members of a population.

    Attributes:
      start: `start(members, data) -> (states, metrics)`, metrics of epoch 0.
      advance: `advance(states, members, data) -> (states, metrics)`: a few epochs;
        every leaf of the metrics is `[members, epochs, ...]`.
    """

    start: Callable[[Members, Data], tuple[TrainState, Any]]
    advance: Callable[[TrainState, Members, Data], tuple[TrainState, Any]]


def put_on_device(data: Dataset) -> Data:
    """The arrays of a data set as they are stored (images stay uint8)."""
    return Data(
        Split(jnp.asarray(data.x_train), jnp.asarray(data.y_train)),
        Split(jnp.asarray(data.x_test), jnp.asarray(data.y_test)),
    )


def compile_program(
    cell: Cell, data: Dataset, *, root: int, epochs: int, plan: Plan
) -> Program:
    """The program of a cell; cells that differ in numbers only share one.

    Args:
      cell: what to train.
      data: its data set (the program depends on shapes, classes and transform only).
      root: the root seed.
      epochs: epochs per call of `advance`.
      plan: how the members are run.
    """
    static = tuple(
        (part, spec.name, spec.static, tuple(spec.numeric))
        for part, spec in cell.parts.items()
    )
    return _program(
        static,
        cell.objective,
        cell.batch_size,
        data.classes,
        data.transform,
        root,
        epochs,
        plan,
    )


@cache
def _program(
    static: tuple,
    objective_name: str,
    batch_size: int,
    classes: int | None,
    transform: Transform,
    root: int,
    epochs: int,
    plan: Plan,
) -> Program:
    def prepare(member: Members) -> tuple[Run, Streams]:
        run = _run(static, member.hyperparameters, objective_name, classes, transform)
        return run, streams(root, member.seed)

    def measure(run: Run, state: TrainState, data: Data) -> dict[str, Any]:
        return {
            "train": run.evaluate(state, data.train),
            "test": run.evaluate(state, data.test),
        }

    def start(member: Members, data: Data):
        run, keys = prepare(member)
        state = run.init(keys, data.train.x[:1])
        return state, measure(run, state, data)

    def advance(state: TrainState, member: Members, data: Data):
        run, keys = prepare(member)

        def epoch(state, _):
            slope = signal(state)
            state, loss = train_epoch(
                run, state, data.train, keys, batch_size=batch_size
            )
            metrics = measure(run, state, data)
            return state, {**metrics, "running_loss": loss, "signal": slope}

        return jax.lax.scan(epoch, state, length=epochs)

    def over_members(fn, n_mapped):
        def mapped(*args):
            *members, data = args
            return plan.map(lambda member: fn(*member, data), tuple(members))

        return jax.jit(mapped, donate_argnums=range(n_mapped - 1))

    return Program(over_members(start, 1), over_members(advance, 2))


def signal(state: TrainState) -> jax.Array:
    """The loss that the activations are fed, NaN where none listens."""
    leaves = jax.tree_util.tree_leaves_with_path(state.state.get("signal", {}))
    fed = [leaf for path, leaf in leaves if path[-1].key == "loss"]
    return fed[0] if fed else jnp.float32(jnp.nan)


def _run(
    static: tuple,
    numeric: Hyperparameters,
    objective_name: str,
    classes: int | None,
    transform: Transform,
) -> Run:
    """The run of one member: specs rebuilt around its traced numbers."""
    parts = {
        part: (name, dict(values) | numeric[part]) for part, name, values, _ in static
    }
    chosen = objective(objective_name)
    (act, act_values), (net, net_values), (opt, opt_values) = (
        parts["activation"],
        parts["model"],
        parts["optimizer"],
    )
    model = make_model(
        net,
        outputs=chosen.outputs(classes),
        activation=activations.get(act, **act_values),
        **net_values,
    )
    return make_run(
        model,
        make_optimizer(opt, **opt_values),
        chosen,
        classes=classes,
        transform=transform,
    )
