"""Networks that others write: what is found in them, and what the instruments do."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from foreign.models import BUILDERS
from full import slow

from relujax import capture, diagnose, find_activations, replace_activations

built = functools.cache(lambda build: build())

# Small, and each of another kind.
KINDS = ("gemma_block", "equinox_gru", "neural_ode", "sharded_mlp")
FIRST = [build for build in BUILDERS if build.__name__ in KINDS]
REST = [build for build in BUILDERS if build.__name__ not in KINDS]


@pytest.fixture(params=[*FIRST, *slow(*REST)], ids=lambda build: build.__name__)
def foreign(request):
    return built(request.param)


def same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def arrays_of(params):
    return eqx.partition(params, eqx.is_inexact_array)


def with_gradient(fn, params, batch):
    """The output, and the gradient of its sum of squares into the parameters."""
    learned, rest = arrays_of(params)

    def total(learned):
        out = fn(eqx.combine(learned, rest), batch)
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(out)), out

    (_, out), gradient = jax.value_and_grad(total, has_aux=True)(learned)
    return out, gradient


def test_a_network_of_others(foreign):
    """All at once, for each of these is compiled once."""
    fn, params, batch, activations = foreign
    sites = find_activations(fn, params, batch)
    found = [site.activation for site in sites]
    if "scan" in sites[0].path and "lstm" in sites[0].path:
        found = [*sorted(found[:-1]), found[-1]]  # the order of the gates is Flax's
    assert found == activations
    is_mine = lambda site: "foreign" in site.source or "site-packages" in site.source
    assert all(map(is_mine, sites))

    identity = replace_activations(fn, {name: name for name in set(activations)})
    call = lambda fn: eqx.filter_jit(functools.partial(with_gradient, fn))(
        params, batch
    )
    out, gradient = call(fn)
    same((out, gradient), call(identity))
    assert any(leaf.any() for leaf in jax.tree.leaves(gradient))

    other = replace_activations(fn, dict.fromkeys(set(activations), "softplus"))
    changed, _ = call(other)
    moved = jax.tree.map(lambda a, b: bool(jnp.any(a != b)), out, changed)
    assert all(jax.tree.leaves(moved)) or len(jax.tree.leaves(moved)) > 1

    _, seen = eqx.filter_jit(capture(fn))(params, batch)
    assert list(seen) == [site.id for site in sites]
    result = diagnose(fn, [batch], params=params)
    for site in result.sites:
        counted = result.statistics[site.id]
        if None in site.loops:  # a capture keeps the last iteration alone
            assert (counted.count > 0).all()
            continue
        pre, post, _ = map(np.asarray, seen[site.id])
        loops = len(site.loops)
        axes = loops + np.atleast_1d(result.unit_axes[site.id])
        over = tuple(i for i in range(loops, pre.ndim) if i not in axes)
        positive, nonzero = (pre > 0).sum(over), (post != 0).sum(over)
        shape = counted.count.shape
        np.testing.assert_array_equal(counted.positive, positive.reshape(shape))
        np.testing.assert_array_equal(counted.nonzero, nonzero.reshape(shape))
        dead = result.mask("never_positive")[site.id]
        np.testing.assert_array_equal(dead, (positive == 0).reshape(shape))
