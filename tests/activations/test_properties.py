"""Properties against the NumPy transcriptions of the table, by other means."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow, some
from scipy.optimize import minimize_scalar

import relujax
from relujax import InputError, properties
from relujax.activations._registry import definition
from relujax.activations.unary import curve

from .table import ROWS, step

CURVES = [row for row in ROWS if row.spec != "crelu"]
DEFAULT = [row for row in CURVES if row.spec in relujax.names(gated=True)]
OTHERS = [row for row in CURVES if row not in DEFAULT]
by_row = pytest.mark.parametrize(
    "row", [*DEFAULT, *slow(*OTHERS)], ids=lambda row: row.spec
)

LINE = np.linspace(-30, 30, 6001)


def has_surrogate(row):
    return "sugar" in row.spec or "surrogate" in row.spec


def derivative(row):
    """That of the values: the table has the surrogate's where there is one."""
    return step if has_surrogate(row) else row.dy


@by_row
def test_monotone(row):
    """The derivative, worked out by hand, is nowhere negative."""
    assert properties(row.spec).monotone == bool((derivative(row)(LINE) >= 0).all())


@by_row
def test_range(row):
    """The ends, and a scalar minimiser from every part of the line."""
    found = properties(row.spec)
    left, right = row.ends[:2]

    def least(sign):
        if min(sign * left, sign * right) == -np.inf:
            return -np.inf
        inner = [
            minimize_scalar(
                lambda x: float(sign * row.y(np.float64(x))),
                bounds=(a, a + 1.5),
                method="bounded",
                options={"xatol": 1e-9},
            ).fun
            for a in np.arange(-12, 12, 1.5)
        ]
        # The minimiser stops just short of a minimum at a kink.
        return min(sign * left, sign * right, *inner)

    assert found.lower == pytest.approx(least(1), abs=1e-8)
    assert found.upper == pytest.approx(-least(-1), abs=1e-8)


@by_row
def test_limits(row):
    found = properties(row.spec)
    assert found.limits == pytest.approx(row.ends[:2], rel=1e-6, abs=1e-9)
    # Only a parabola has a derivative of more than 1,000 at 1e4, and it grows.
    slopes = [np.inf if slope > 1e3 else slope for slope in row.ends[2:]]
    # A tail that falls like 1 / x still shows at 1e4.
    slopes = [
        round(s) if abs(s) < 2 and abs(s - round(s)) < 1e-7 else s for s in slopes
    ]
    assert found.slope_limits == pytest.approx(slopes, rel=1e-6, abs=1e-9)


@by_row
def test_kinks_and_smoothness(row):
    """Jumps of the derivative, and of its difference quotient, at the table's kinks."""
    dy = derivative(row)
    jumps = {}
    for point in row.kinks:
        at = lambda offset, point=point: float(dy(np.float64(point + offset)))
        right, left = at(1e-9), at(-1e-9)
        step = row.y(np.float64(point + 1e-9)) - row.y(np.float64(point - 1e-9))
        if abs(step) > 1e-6:
            jumps[point] = "discontinuous"
        elif abs(right - left) > 1e-6:
            jumps[point] = "C0"
        elif abs((at(1e-4) - right) - (left - at(-1e-4))) > 1e-5:
            jumps[point] = "C1"
    found = properties(row.spec)
    assert found.kinks == pytest.approx({p: row.kinks[p] for p in jumps})
    assert found.smoothness == min(jumps.values(), default="smooth")


@by_row
def test_dying(row):
    """The derivative by hand is 0 for every negative input, or it is not."""
    assert properties(row.spec).dying == (not row.dy(-np.geomspace(1e-2, 8, 100)).any())


@by_row
def test_homogeneous(row):
    """y(x) is on the line through y(1) and y(-1)."""
    ray = np.where(LINE > 0, row.y(np.float64(1)), row.y(np.float64(-1))) * abs(LINE)
    expected = bool(np.allclose(row.y(LINE), ray, atol=1e-9))
    assert properties(row.spec).homogeneous == expected


@pytest.mark.parametrize("name", relujax.names(gated=True))
def test_every_kink_is_in_the_registry(name):
    """Every kink is in the registry, with the derivative that training uses there."""
    known = definition(name).kinks
    found = properties(name).kinks
    assert found == pytest.approx({p: known[p] for p in found})
    # `srelu_sshaped` has slope 1 on both sides of its right threshold at first.
    extra = {"srelu_sshaped": {1.0}}.get(name, set())
    assert set(known) - set(found) == extra


@pytest.mark.parametrize("name", some(relujax.names(gated=True)))
def test_a_dying_unit_gets_no_gradient(name):
    """A unit whose pre-activations are all negative, in a trained network's terms."""
    act = relujax.get(name)
    w, x = -jnp.ones(3), jax.random.uniform(jax.random.key(0), (99, 3)) + 0.01

    def loss(w):
        z = (x @ w)[:, None]
        params = act.init(z.shape, z.dtype)
        y = curve(act)(params, z, key=jax.random.key(1), train=True)
        return jnp.sum((y - 5.0) ** 2)

    assert properties(name).dying == (not jax.grad(loss)(w).any())


def test_crelu_is_described_by_both_halves():
    found = properties("crelu")
    assert not found.monotone and not found.dying and found.homogeneous
    assert (found.lower, found.upper, found.smoothness) == (0, np.inf, "C0")
    assert np.isnan([*found.limits, *found.slope_limits]).all()
    assert found.kinks == {0.0: 0.0}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (jnp.sign, (True, "discontinuous", -1, 1, {0.0: 0.0}, True)),
        (jax.nn.hard_tanh, (True, "C0", -1, 1, {-1.0: 1.0, 1.0: 1.0}, False)),
        (jax.nn.hard_swish, (False, "C0", -0.375, np.inf, {-3.0: 0, 3.0: 1}, False)),
        (lambda x: jnp.tanh(30 * x), (True, "smooth", -1, 1, {}, False)),
        (lambda x: -jax.nn.relu(x), (False, "C0", -np.inf, 0, {0.0: 0.0}, True)),
    ],
)
def test_functions_from_elsewhere(function, expected):
    p = properties(function)
    monotone, smoothness, lower, upper, kinks, dying = expected
    assert (p.monotone, p.smoothness, p.dying) == (monotone, smoothness, dying)
    assert (p.lower, p.upper) == pytest.approx((lower, upper))
    assert p.kinks == pytest.approx(kinks)


def test_traced_values_have_no_properties():
    with pytest.raises(InputError, match="single known number for 'alpha' of elu"):
        jax.jit(lambda alpha: properties(relujax.get("elu", alpha=alpha)))(1.0)
