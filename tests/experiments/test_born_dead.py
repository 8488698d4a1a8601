"""The count of networks that are born dead, with fewer draws than the experiment's.

Keys are fixed, so that the tests pass or fail for good; limits: three standard errors.
"""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scripts import load_script

import relujax

FOLDER = Path(relujax.__file__).parents[1] / "experiments"
DRAWS = 10_000


@pytest.fixture(scope="module")
def born_dead():
    return load_script(FOLDER / "born_dead.py")


@pytest.fixture(scope="module")
def count(born_dead):
    """The module beside it, which counts."""
    return sys.modules[born_dead.measure.__module__]


def error(p):
    return np.sqrt(p * (1 - p) / DRAWS)


@pytest.mark.parametrize(
    ("width", "depth"), [(1, 4), (2, 3), (2, 10), (3, 5), (4, 6), (5, 4)]
)
def test_a_single_input_dies_as_often_as_coins_fall(born_dead, width, depth):
    case = born_dead.measure("he", "one", width, depth, DRAWS)
    exact = 1 - np.prod([1 - 2.0**-width] * (depth - 1))
    assert born_dead.single_input(width, depth) == pytest.approx(exact)
    assert abs(case.dead / DRAWS - exact) < 3 * error(exact)


def test_networks_are_born_dead_as_often_as_lu_et_al_say(born_dead):
    # 0.881: 100,000 draws of Gaussian weights by another program.
    share = born_dead.measure("he", "all", 2, 10, DRAWS).dead / DRAWS
    assert abs(share - 0.881) < 3 * error(0.881)
    assert born_dead.lower_bound(2, 10) < share < born_dead.single_input(2, 10)


@pytest.mark.parametrize("width", [2, 3])
def test_the_lower_bound_is_exact_for_three_layers(born_dead, width):
    exact = (1 - 2.0 ** (1 - width)) * 4.0**-width + 2.0 ** (1 - 2 * width)
    assert born_dead.lower_bound(width, 3) == pytest.approx(exact)
    share = born_dead.measure("he", "all", width, 3, DRAWS).dead / DRAWS
    assert abs(share - exact) < 3 * error(exact)


def test_rai_saves_most_networks(born_dead):
    # 0.264: 20,000 draws by another program, on a grid of [-1, 1].
    share = born_dead.measure("rai", "all", 2, 10, DRAWS).dead / DRAWS
    assert abs(share - 0.264) < 3 * np.hypot(error(0.264), 0.0031)


def test_two_inputs_decide_as_a_grid_does(count):
    one = lambda inputs: (
        lambda key: count.is_dead(key, width=2, depth=6, inputs=inputs, use_rai=False)
    )
    keys = jax.random.split(jax.random.key(1), 500)
    two, many = (jax.jit(jax.vmap(one(x)))(keys) for x in (count.RAYS, count.GRID))
    assert 0.2 < two.mean() < 0.9
    np.testing.assert_array_equal(two, many)


def test_a_layer_is_zero_if_no_unit_is_positive_anywhere(count):
    alive, zero = jnp.array([[1.0, -1.0], [-1.0, -1.0]]), jnp.zeros((2, 3))
    assert not count.some_layer_is_zero([alive, alive])
    assert count.some_layer_is_zero([alive, zero])


def test_table_and_figure(born_dead):
    cases = [
        born_dead.Case(*kind, width=2, depth=depth, dead=dead, draws=100)
        for kind in born_dead.POINTS
        for depth, dead in ((3, 40), (10, 100))
    ]
    table = born_dead.tabulate(cases)
    row = table.iloc[0]
    assert (row["exact"], row["measured"]) == (0.4375, 0.4)
    assert row["z"] == pytest.approx((0.4 - 0.4375) / np.sqrt(0.4375 * 0.5625 / 100))
    assert row["low"] < 0.4 < row["high"]
    assert born_dead.markdown(table).count("\n") == 4
    assert len(born_dead.draw(table).axes) == 1
