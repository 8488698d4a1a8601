"""The plan for a population: what is fastest here, measured once and remembered."""

import contextlib
import hashlib
import json
import math
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import jax

import relujax
from relujax.data import Dataset
from relujax.engine._allocation import cores
from relujax.engine._cell import Cell
from relujax.engine._cost import parameters, training_seconds, update_flops
from relujax.engine._measure import seconds_per_step
from relujax.engine._plan import Plan
from relujax.files import cache_folder, write_json

# Less work than this is done, estimated in seconds, before a measurement (which
# compiles each candidate: some seconds) has paid for itself.
_WORTH_MEASURING = 120.0

# Floating-point operations of an update below which networks run side by side on a CPU.
# Measured on two cores, side by side takes half the time at 0.1 million, 20 % less at
# 0.25 million and 13 % less at 0.8 million. At a million, deep networks of eight units
# begin: side by side, all would be as deep as the deepest.
_SMALL = 5e5

# Another plan than the usual one must be this much faster: times vary by as much.
_MARGIN = 0.95

_one_at_a_time = threading.Lock()


class PlanChoice(NamedTuple):
    """A plan and why it was taken, in one line."""

    plan: Plan
    why: str


def usual(
    cell: Cell,
    data: Dataset | None,
    *,
    backend: str | None = None,
    devices: int | None = None,
) -> Plan:
    """The plan for a backend and network, unmeasured.

    A CPU multiplies the matrices of one network after another faster than those of all
    networks as one batched product, unless they are so small that starting the product
    is what takes the time; an accelerator needs the whole population at once.

    Args:
      cell: what is trained.
      data: its data set.
      backend: where; by default that of this process.
      devices: on how many devices; by default on all of this process.
    """
    large = data is None or update_flops(cell, data, parameters(cell, data)) > _SMALL
    mapping = "map" if large and (backend or jax.default_backend()) == "cpu" else "vmap"
    return Plan(mapping, devices=devices or jax.local_device_count())


def candidates() -> list[Plan]:
    """What `auto` measures: both mappings, on all devices."""
    count = jax.local_device_count()
    return [Plan("map", devices=count), Plan("vmap", devices=count)]


def choose(
    cell: Cell,
    data: Dataset | None,
    networks: int,
    *,
    alone: bool = True,
    timings: Mapping[Plan, float] | None = None,
) -> PlanChoice:
    """The plan for a population.

    Little work is done under the usual plan. Before more of it, a few steps are
    measured under every candidate, and the outcome is remembered in the user's cache
    folder, for this network, shape of data, machine and versions.

    Args:
      cell: what is trained.
      data: its data set.
      networks: how many networks.
      alone: whether nothing else trains meanwhile: else a measurement tells nothing,
        and only what is remembered is better than the usual plan.
      timings: seconds of a step by plan, where they are known.
    """
    first = usual(cell, data)
    if data is None:
        return _usual(first, "a training of your own")
    if timings is not None:
        return _fastest(timings, first, "given")
    with _one_at_a_time:
        key = _key(cell, data, networks)
        known = _remembered(key)
        if known:
            return _fastest(known, first, "remembered")
        if not alone:
            return _usual(first, "other networks that train meanwhile")
        work = networks * training_seconds(cell, data, parameters(cell, data))
        if work < _WORTH_MEASURING:
            work = max(1, round(work))
            return _usual(first, f"about {work} s of work, too little to measure")
        start = time.perf_counter()
        measured = seconds_per_step(cell, data, candidates(), networks)
        if not measured:
            return _usual(first, "networks that no plan could be measured with")
        _remember(key, measured)
        return _fastest(
            measured, first, f"measured in {time.perf_counter() - start:.1f} s"
        )


def _usual(first: Plan, why: str) -> PlanChoice:
    return PlanChoice(first, f"{plan_name(first)}: the usual one for {why}")


def _fastest(timings: Mapping[Plan, float], first: Plan, how: str) -> PlanChoice:
    """The fastest plan, but the usual one where it is as fast."""
    best = min(timings, key=timings.__getitem__)
    if timings.get(first, math.inf) * _MARGIN <= timings[best]:
        best = first
    show = lambda plan: f"{timings[plan] * 1e3:.3g} ms"
    others = ", ".join(f"{plan_name(p)} {show(p)}" for p in timings if p != best)
    why = f"{show(best)} a seed-step; {others}"
    return PlanChoice(best, f"{plan_name(best)} ({why}), {how}")


def plan_name(plan: Plan) -> str:
    """A plan in words: `map on 1 cpu device`."""
    kind = jax.default_backend()
    devices = "device" if plan.devices == 1 else "devices"
    chunk = "" if plan.chunk is None else f" by {plan.chunk}"
    return f"{plan.mapping}{chunk} on {plan.devices} {kind} {devices}"


def _key(cell: Cell, data: Dataset, networks: int) -> str | None:
    """The name of a decision; None where the code behind a name may change."""
    if cell.is_own:
        return None
    content = (
        cell.skeleton._replace(epochs=1, evaluate_every=1).text,
        data.shape,
        min(len(data.x_train), 4 * cell.batch_size),
        data.classes,
        min(networks, 16),
        jax.default_backend(),
        jax.local_devices()[0].device_kind,
        jax.local_device_count(),
        cores(),
        os.environ.get("XLA_FLAGS", ""),
        jax.__version__,
        relujax.__version__,
    )
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def folder() -> Path | None:
    """Where decisions are remembered; None for a user without a home."""
    ours = cache_folder()
    return None if ours is None else ours / "plans"


def _remembered(key: str | None) -> dict[Plan, float] | None:
    """The measurements, if they can be read and the plans exist here."""
    place = folder()
    if key is None or place is None:
        return None
    try:
        stored = json.loads((place / f"{key}.json").read_text())
        return {Plan(**plan): float(seconds) for plan, seconds in stored}
    except (OSError, ValueError, TypeError):
        return None


def _remember(key: str | None, timings: Mapping[Plan, float]) -> None:
    place = folder()
    if key is None or place is None:
        return
    content: list[Any] = [[asdict(plan), s] for plan, s in timings.items()]
    # Without a cache folder, the next run measures again.
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        write_json(place / f"{key}.json", content)
