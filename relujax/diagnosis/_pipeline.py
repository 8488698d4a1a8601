"""A compiled program over many batches, several of them at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax

from relujax.diagnosis._packed import on_host
from relujax.switches import own_arithmetic

A = TypeVar("A")
B = TypeVar("B")

# On a CPU, XLA runs one after the other what one thread starts, and no program keeps
# all cores busy all the time: three threads take 0.82 of the time of one (two cores).
_THREADS = 3


class Programs:
    """A jitted function, compiled for whatever it is given, to be called by any thread.

    What JAX has been told of devices, precision and the like in a `with` block holds
    for one thread alone; it says how the function is compiled, in the thread that does.

    Args:
      jitted: `jitted(*args, **static)`.
    """

    def __init__(self, jitted: Any):
        self._jitted = jitted
        self._compiled: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *args: Any, **static: Any) -> Callable[[], Any]:
        """The call, to be made: of trees of JAX arrays, and giving NumPy arrays."""
        if jax.config.jax_disable_jit:  # pyright: ignore[reportAttributeAccessIssue]
            with own_arithmetic():
                done = on_host(self._jitted(*args, **static))
            return lambda: done
        leaves, structure = jax.tree.flatten(args)
        kinds = tuple((leaf.aval, leaf.sharding) for leaf in leaves)
        key = structure, kinds, tuple(sorted(static.items()))
        if key not in self._compiled:
            self._compiled[key] = self._jitted.lower(*args, **static).compile()
        compiled = self._compiled[key]

        def call():
            with own_arithmetic():
                return on_host(compiled(*args))

        return call


def in_order(calls: Iterable[tuple[A, Callable[[], B]]]) -> Iterator[tuple[A, B]]:
    """What comes with each call and what it gives, one by one, as some go on ahead."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting = deque()
        for beside, call in calls:
            waiting.append((beside, pool.submit(call)))
            del beside, call  # which hold the batch
            if len(waiting) > _THREADS:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)


def _first(waiting: deque) -> tuple[Any, Any]:
    beside, future = waiting.popleft()
    return beside, future.result()
