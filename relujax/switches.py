"""JAX's switches, as they are for what this library computes on its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import jax
import numpy as np


@contextmanager
def own_arithmetic() -> Iterator[None]:
    """Inside, the switches by which a user hunts faults in a network are off.

    Statistics hold NaN where there is nothing to tell, mix whole and real numbers, and
    run an activation twice: no fault, but what `jax_debug_nans` and others look for.
    A switch holds for one thread; so this is to be entered in each.
    """
    with ExitStack() as stack:
        stack.enter_context(jax.debug_nans(False))
        stack.enter_context(jax.debug_infs(False))
        stack.enter_context(jax.debug_key_reuse(False))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.transfer_guard("allow"))
        yield


@contextmanager
def own_placement() -> Iterator[None]:
    """Inside, where arrays lie is up to this library: no mesh and no guard is set.

    Populations are spread over the devices as their plan has it, and their data are
    put there from the host. To be entered in each thread, too.
    """
    with ExitStack() as stack:
        stack.enter_context(jax.transfer_guard("allow"))
        if not jax.sharding.get_abstract_mesh().empty:
            no_mesh = jax.sharding.Mesh(np.empty((), object), ())
            stack.enter_context(jax.set_mesh(no_mesh))
        yield
