"""The plan for a population: what is fastest here, measured once and remembered."""

import contextlib
import hashlib
import json
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import platformdirs

import relujax
from relujax.data import Dataset
from relujax.engine._cell import Cell
from relujax.engine._measure import seconds_per_step
from relujax.engine._own import OwnCell
from relujax.engine._plan import Plan
from relujax.engine._store import write_json

# Less work than this is done, estimated in seconds, before a measurement (which
# compiles each candidate: some seconds) has paid for itself.
_WORTH_MEASURING = 120.0

# Another plan than the usual one must be this much faster: times vary by as much.
_MARGIN = 0.95

# Rough speed of small products, and the least time of an update, by backend.
_FLOPS = {"cpu": 2e10}
_OVERHEAD = 5e-5

_one_at_a_time = threading.Lock()


class Choice(NamedTuple):
    """A plan and why it was taken, in one line."""

    plan: Plan
    why: str


def usual() -> Plan:
    """The plan for this backend, unmeasured.

    A CPU multiplies the matrices of one network after another faster than those of all
    networks as one batched product; an accelerator needs the whole population at once.
    """
    mapping = "map" if jax.default_backend() == "cpu" else "vmap"
    return Plan(mapping, devices=jax.local_device_count())


def candidates() -> list[Plan]:
    """What `auto` measures, the usual plan first."""
    first = usual()
    counts = sorted({1, jax.local_device_count()}, reverse=True)
    plans = [Plan(m, devices=n) for n in counts for m in ("map", "vmap")]
    return [first, *(plan for plan in plans if plan != first)]


def choose(
    cell: Cell | OwnCell,
    data: Dataset,
    networks: int,
    *,
    timings: Mapping[Plan, float] | None = None,
) -> Choice:
    """The plan for a population.

    Little work is done under the usual plan of the backend. Before more of it, a few
    steps are measured under every candidate, and the outcome is remembered in the
    user's cache folder, for this network, shape of data, device and versions.

    Args:
      cell: what is trained.
      data: its data set.
      networks: how many networks.
      timings: seconds of a step by plan, where they are known.
    """
    if timings is not None:
        return _fastest(timings, "given")
    work = networks * _estimate(cell, data)
    with _one_at_a_time:
        key = _key(cell, data, networks)
        known = _remembered(key)
        if known is not None:
            return _fastest(known, "remembered")
        if work < _WORTH_MEASURING:
            why = f"about {max(1, round(work))} s of work, too little to measure"
            return Choice(usual(), f"{plan_name(usual())}: the usual one for {why}")
        start = time.perf_counter()
        measured = seconds_per_step(cell, data, candidates(), networks)
        _remember(key, measured)
        return _fastest(measured, f"measured in {time.perf_counter() - start:.1f} s")


def _fastest(timings: Mapping[Plan, float], how: str) -> Choice:
    """The fastest plan, but the usual one where it is as fast."""
    best = min(timings, key=timings.__getitem__)
    first = usual()
    if timings.get(first, math.inf) * _MARGIN <= timings[best]:
        best = first
    show = lambda plan: f"{timings[plan] * 1e3:.3g} ms"
    others = ", ".join(f"{plan_name(p)} {show(p)}" for p in timings if p != best)
    why = f"{show(best)} a seed-step; {others}"
    return Choice(best, f"{plan_name(best)} ({why}), {how}")


def plan_name(plan: Plan) -> str:
    """A plan in words: `map on 1 cpu device`."""
    kind = jax.default_backend()
    devices = "device" if plan.devices == 1 else "devices"
    return f"{plan.mapping} on {plan.devices} {kind} {devices}"


def _estimate(cell: Cell | OwnCell, data: Dataset) -> float:
    """Roughly the seconds that one network takes.

    A weight is used once per example, that of a convolution at every position; backward
    takes twice as long as forward, and evaluation a third of both.
    """
    numbers = cell.hyperparameters
    model, _, _ = cell.skeleton.build(numbers, data.classes, len(data.x_train))
    size = min(cell.batch_size, len(data.x_train))
    x = jax.ShapeDtypeStruct((size, *data.shape), jnp.float32)
    params, _ = jax.eval_shape(model.init, jax.random.key(0), x)
    positions = math.prod(data.shape[:-1])
    uses = sum(
        weights.size * (positions if weights.ndim == 4 else 1)
        for weights in jax.tree.leaves(params)
    )
    flops = 4 * 2 * size * uses
    step = flops / _FLOPS.get(jax.default_backend(), 5e12) + _OVERHEAD
    return cell.epochs * -(-len(data.x_train) // size) * step


def _key(cell: Cell | OwnCell, data: Dataset, networks: int) -> str | None:
    """The name of a decision; None for a user's own functions, which have no name."""
    if isinstance(cell, OwnCell):
        return None
    content = (
        cell.skeleton._replace(epochs=1, evaluate_every=1),
        data.shape,
        min(len(data.x_train), 4 * cell.batch_size),
        data.classes,
        min(networks, 16),
        jax.default_backend(),
        jax.local_devices()[0].device_kind,
        jax.local_device_count(),
        jax.__version__,
        relujax.__version__,
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def folder() -> Path:
    """Where decisions are remembered."""
    return Path(platformdirs.user_cache_dir("relujax")) / "plans"


def _remembered(key: str | None) -> dict[Plan, float] | None:
    """The measurements, if they can be read and the plans exist here."""
    if key is None:
        return None
    try:
        stored = json.loads((folder() / f"{key}.json").read_text())
        return {Plan(**plan): float(seconds) for plan, seconds in stored}
    except (OSError, ValueError, TypeError):
        return None


def _remember(key: str | None, timings: Mapping[Plan, float]) -> None:
    if key is None:
        return
    content: list[Any] = [[asdict(plan), s] for plan, s in timings.items()]
    # Without a cache folder, the next run measures again.
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        write_json(folder() / f"{key}.json", content)
