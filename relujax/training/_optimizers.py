"""Optimisers: optax's by name, with a schedule and clipping, and a user's own."""

import inspect
import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike

from relujax.errors import InputError, first_line, unknown
from relujax.parts import Entry, Part, Registry
from relujax.specs import Parameter, parameter
from relujax.training._trial import takes_steps, traceable_numbers

# Keras' and PyTorch's default for the Adam family and RMSprop; optax has none.
_LEARNING_RATE = 1e-3
_OTHER_RATES: Mapping[str, float | None] = {
    "adadelta": 1.0,  # PyTorch's: the method is meant to need none.
    "adafactor": None,  # It has its own.
    "adagrad": 0.01,
    "lbfgs": None,  # A line search finds it.
    "lion": 1e-4,
    "sgd": 0.01,
}

#: What every optimiser takes besides, and what leaves it as optax has it.
OPTIONS: Mapping[str, Any] = {"schedule": None, "warmup": 0.0, "clip": None}

_OPTION_PARAMETERS = {
    "schedule": Parameter(None, "str", optional=True),
    "warmup": Parameter(0.0, "float", traced=True),
    "clip": Parameter(None, "float", optional=True, traced=True),
}

# The fraction of the learning rate that is left at a fraction of the decay.
_DECAYS: dict[str | None, Callable[[jax.Array], ArrayLike]] = {
    None: lambda _: 1.0,
    "cosine": lambda done: (1 + jnp.cos(jnp.pi * done)) / 2,
    "linear": lambda done: 1 - done,
}

_BELOW_ONE = {"b1", "b2", "b3", "beta", "decay", "momentum", "rho", "warmup"}


class _Optimizers(Registry):
    """Optimisers; a float is traced where the factory can work with a tracer."""

    def entry(self, name: str) -> Entry:
        entry = super().entry(name)
        numbers = traceable(entry)
        return entry._replace(
            parameters={
                key: known._replace(traced=key in numbers)
                for key, known in entry.parameters.items()
            }
        )


#: The optimisers. One of a user's own is a function `f(steps, learning_rate=0.1, ...)`
#: (or without `steps`) that returns an optax transformation, or a finished one.
OPTIMIZERS = _Optimizers(
    "optimizer",
    given=("steps",),
    accepts=lambda obj: isinstance(
        obj, optax.GradientTransformation | optax.MultiSteps
    ),
)


def traceable(entry: Entry) -> frozenset[str]:
    """The numbers of an optimiser that can be arguments of the compiled program.

    Found by a trial: the factory and one update are traced with a tracer for each.
    """
    numbers = tuple(
        (key, known.default if isinstance(known.default, float) else 0.5)
        for key, known in entry.parameters.items()
        if known.kind == "float"
    )
    # Numbers without a default have to be given; others are given as they are.
    needed = [
        key for key, value in numbers if entry.parameters[key].default is not None
    ]
    return traceable_numbers(entry.factory, numbers, tuple(needed))


def make_optimizer(
    part: Part, numbers: Mapping[str, ArrayLike], *, steps: int
) -> optax.GradientTransformation:
    """The optax transformation of a part of `OPTIMIZERS`.

    Args:
      part: the optimiser and its static values.
      numbers: its traced numbers, as `part.numeric`; they may be tracers.
      steps: updates of the whole training, which a schedule spans.

    Raises:
      InputError: what the part builds is not an optax transformation.
    """
    values: dict[str, Any] = {**dict(part.static), **numbers}
    if takes_steps(part.factory):
        values["steps"] = steps
    try:
        built = part.factory(**values)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"Expected an optax transformation from the optimizer {part.name}, got "
            f"{type(error).__name__}: {first_line(error)}"
        ) from error
    if isinstance(built, optax.MultiSteps):
        return built.gradient_transformation()
    if isinstance(built, optax.GradientTransformation):
        return built
    raise InputError(
        f"Expected an optax transformation from the optimizer {part.name}, got "
        f"{type(built).__name__}."
    )


def scheduled(
    learning_rate: ArrayLike, steps: int, schedule: str | None, warmup: ArrayLike
) -> Callable[[ArrayLike], jax.Array]:
    """The learning rate at a step, counted from 0.

    >>> rate = scheduled(1.0, 100, "linear", 0.1)
    >>> [round(float(rate(step)), 2) for step in (0, 9, 10, 55, 100)]
    [0.1, 1.0, 1.0, 0.5, 0.0]

    Args:
      learning_rate: the highest one.
      steps: updates of the whole training.
      schedule: how it falls to 0 at the end: `cosine` (Loshchilov and Hutter,
        https://arxiv.org/abs/1608.03983, without restarts) or `linear`; None for a
        constant one.
      warmup: fraction of the steps over which it rises linearly before.
    """
    rising = jnp.maximum(jnp.asarray(warmup) * steps, 1e-6)
    falling = jnp.maximum(steps - rising, 1e-6)
    decay = _DECAYS[schedule]

    def rate(step: ArrayLike) -> jax.Array:
        step = jnp.asarray(step, jnp.float32)
        # The first step has some learning rate, too.
        rise = jnp.minimum((step + 1) / rising, 1)
        done = jnp.clip((step - rising) / falling, 0, 1)
        return jnp.asarray(learning_rate) * rise * decay(done)

    return rate


def _with_options(
    build: Callable[..., optax.GradientTransformation],
    *,
    steps: int,
    learning_rate: ArrayLike | None,
    schedule: str | None = None,
    warmup: ArrayLike = 0.0,
    clip: ArrayLike | None = None,
    **values: Any,
) -> optax.GradientTransformation:
    """One of optax's optimisers, with a schedule, and with the gradient clipped to a
    largest global norm (Pascanu et al., https://arxiv.org/abs/1211.5063)."""
    rate: Any = learning_rate
    if schedule is not None or not _is_zero(warmup):
        if learning_rate is None:
            raise InputError(
                "Expected a learning_rate for the schedule to change, got None."
            )
        rate = scheduled(learning_rate, steps, schedule, warmup)
    optimizer = build(learning_rate=rate, **values)
    if clip is None:
        return optimizer
    return optax.chain(optax.clip_by_global_norm(clip), optimizer)  # pyright: ignore


def _is_zero(value: ArrayLike) -> bool:
    return isinstance(value, int | float) and value == 0


def _in_range(what: str, values: dict[str, Any]) -> dict[str, Any]:
    """Refuse numbers that are out of range, and schedules that are unknown."""
    for key, value in values.items():
        if key == "schedule" and value not in _DECAYS:
            raise unknown("schedule", str(value), filter(None, _DECAYS))
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        most = 1.0 if key in _BELOW_ONE else math.inf
        if not 0 <= value < most or (key == "clip" and value == 0):
            least = "above 0" if key == "clip" else "at least 0"
            below = "finite" if most == math.inf else "below 1"
            raise InputError(
                f"Expected {key!r} of {what} to be {least} and {below}, got {value!r} "
                f"instead."
            )
    return values


def _parameters(name: str, build: Callable) -> dict[str, Parameter]:
    """The numbers and switches of one of optax's optimisers."""
    rate = _OTHER_RATES.get(name, _LEARNING_RATE)
    taken = {"learning_rate": Parameter(rate, "float", rate is None, traced=True)}
    for p in inspect.signature(build).parameters.values():
        if p.name == "momentum" and p.default is None:
            taken[p.name] = Parameter(None, "float", optional=True, traced=True)
        elif isinstance(p.default, bool | int | float):
            taken[p.name] = parameter(p.default)
    if isinstance(build, partial):  # What sets it apart is not up for choice.
        taken = {k: v for k, v in taken.items() if k not in build.keywords}
    return {**taken, **_OPTION_PARAMETERS}


def _ship(name: str, build: Callable) -> None:
    options = set(OPTIONS) | ({"momentum"} if name == "rmsprop" else set())
    OPTIMIZERS.ship(
        name,
        partial(_with_options, build),
        _parameters(name, build),
        options=frozenset(options),
        fit=_in_range,
    )


for _name in (
    *("adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamw"),
    *("amsgrad", "lamb", "lars", "lbfgs", "lion", "nadam", "nadamw", "novograd"),
    *("radam", "rmsprop", "sgd", "yogi"),
):
    _ship(_name, getattr(optax, _name))
_ship("muon", optax.contrib.muon)
