"""Value and derivative of every row of the table, against NumPy, torch and itself."""

import inspect
import json
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import jax.test_util
import numpy as np
import pytest
from full import slow

import relujax
from relujax import activations
from relujax.activations._registry import definition

from .apply import function, gradient, sheet, value
from .table import ROWS

rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.spec)
IDS = [row.spec for row in ROWS if row.spec in relujax.names(gated=True)]

TORCH = json.loads((Path(__file__).parent / "torch_values.json").read_text())
# Dense, and with every kink and golden point of the tables on it.
GRID = tuple(
    sorted(
        {*np.linspace(-8, 8, 65), -40.0, 40.0, *TORCH["x"]}
        | {x for row in ROWS for x in (*row.kinks, *row.golden)}
    )
)
# Where sigmoids, exponentials and cubes saturate, and beyond.
FAR = (-1e38, -1e12, -1e4, -300.0, -90.0, -17.0, -1e-30, 1e-30, 17.0, 90.0, 300.0)
FAR = (*FAR, 1e4, 1e12, 1e38, -np.inf, np.inf, np.nan, -0.0)
POINTS = (*GRID, *FAR)
ENDS = (POINTS.index(-1e4), POINTS.index(1e4))
INFINITIES = (POINTS.index(-np.inf), POINTS.index(np.inf))
FLOAT64 = (POINTS, "float64")


def on_grid(whole):
    """The entries of a sheet on GRID; for crelu, of both halves."""
    halves = whole.reshape(-1, len(POINTS))
    return halves[:, : len(GRID)].reshape(-1)


def at(points, whole):
    """The entries of a sheet at some points of GRID."""
    return whole[[GRID.index(x) for x in points]]


@rows
def test_value(row):
    y = on_grid(sheet(row.spec, *FLOAT64).y)
    np.testing.assert_allclose(y, row.y(np.array(GRID)), rtol=1e-12, atol=1e-14)


@rows
def test_derivative(row):
    dy = on_grid(sheet(row.spec, *FLOAT64).dy)
    np.testing.assert_allclose(dy, row.dy(np.array(GRID)), rtol=1e-9, atol=1e-13)


@rows
def test_golden(row):
    y = at(row.golden, sheet(row.spec, *FLOAT64).y)
    np.testing.assert_allclose(y, [*row.golden.values()], rtol=2e-6, atol=1e-7)


@rows
def test_derivative_at_kinks(row):
    """In reverse mode, too; and zero of either sign is the same kink."""
    grad = at(row.kinks, sheet(row.spec, *FLOAT64).grad)
    np.testing.assert_allclose(grad, [*row.kinks.values()], rtol=1e-12)
    ours, zero = sheet(row.spec, *FLOAT64), GRID.index(0.0)
    assert ours.grad[-1] == ours.grad[zero]
    assert ours.y[len(POINTS) - 1] == ours.y[zero]


def test_registry_states_the_kinks():
    for row in ROWS:
        if row.spec in relujax.names(gated=True):
            assert definition(row.spec).kinks == pytest.approx(row.kinks), row.spec


COMPANIONS = (
    *("get", "names", "gain", "recommended_init", "properties", "union"),
    *("facts", "number", "parameters"),
)


def test_table_is_complete():
    tabled = {relujax.get(row.spec).id for row in ROWS}
    assert tabled == set(relujax.names(gated=True))
    known = {definition(name).function for name in relujax.names(gated=True)}
    known |= {definition(name).evaluation for name in relujax.names(gated=True)}
    public = {
        f
        for name, f in vars(activations).items()
        if inspect.isfunction(f) and name not in COMPANIONS
    }
    assert public == known - {None}
    assert {f.__name__ for f in public} <= set(dir(relujax))


@pytest.mark.parametrize("spec", TORCH["forms"])
def test_torch_agrees(spec):
    ours, torch = sheet(spec, *FLOAT64), TORCH["forms"][spec]
    y, dy = at(TORCH["x"], ours.y), at(TORCH["x"], ours.dy)
    np.testing.assert_allclose(y, torch["y"], rtol=1e-12, atol=1e-14)
    # At the kinks the libraries differ; the docstrings say where.
    (kinks,) = (row.kinks for row in ROWS if row.spec == spec)
    smooth = ~np.isin(TORCH["x"], [*kinks])
    theirs = np.array(torch["dy"])
    np.testing.assert_allclose(dy[smooth], theirs[smooth], rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize(
    "spec",
    (
        "relu leaky_relu elu celu selu relu6 softplus sigmoid tanh gelu silu mish "
        "hard_tanh hard_sigmoid hard_swish log_sigmoid soft_sign"
    ).split(),
)
def test_jax_nn_agrees_to_the_last_bit(spec):
    x = jnp.array(GRID, jnp.float32)
    chex.assert_trees_all_equal(value(spec, x), getattr(jax.nn, spec)(x))


# Points at least 0.1 from every kink of the table, where it is twice differentiable.
AWAY = (-2.7, -1.4, -0.6, -0.15, 0.15, 0.7, 1.3, 2.6, 5.0, 7.0)
# Of each id the last form, and those whose derivative is that of their values.
FORMS = {relujax.get(row.spec).id: row.spec for row in ROWS}
FORMS = [s for s in FORMS.values() if "sugar" not in s and "surrogate" not in s]


PARTS = [FORMS[i::8] for i in range(8)]


@pytest.mark.parametrize("specs", [PARTS[0], *slow(*PARTS[1:])], ids=" ".join)
def test_two_derivatives_by_finite_differences(specs):
    with jax.enable_x64(True):
        x = jnp.array(AWAY)
        together = jax.jit(
            lambda x: jnp.concatenate([function(spec, x)(x) for spec in specs])
        )
        jax.test_util.check_grads(together, (x,), order=2, atol=1e-5, rtol=1e-5)


@rows
def test_ends(row):
    if row.spec == "crelu":
        pytest.skip("two values: see test_shapes.py")
    low, high, d_low, d_high = row.ends
    ours = sheet(row.spec, *FLOAT64)
    np.testing.assert_allclose(ours.y[[*INFINITIES]], [low, high], rtol=1e-12)
    np.testing.assert_allclose(ours.dy[[*ENDS]], [d_low, d_high], rtol=1e-12)
    np.testing.assert_allclose(ours.grad[[*ENDS]], [d_low, d_high], rtol=1e-12)
    assert not np.isnan(ours.grad[[*INFINITIES]]).any()


def quickly(row, dtype):
    """Every form in float64, where its sheet is there, and every id in float16."""
    return dtype == "float64" or (dtype == "float16" and row.spec in IDS)


@pytest.mark.parametrize(
    "row, dtype",
    [
        pytest.param(row, dtype, marks=() if quickly(row, dtype) else pytest.mark.slow)
        for row in ROWS
        for dtype in ("float16", "float64", "bfloat16", "float32")
    ],
    ids=lambda value: getattr(value, "spec", value),
)
def test_finite_input_gives_no_nan_and_nan_input_gives_nan(row, dtype):
    finite = np.abs(POINTS) <= float(jnp.finfo(dtype).max)
    for train in {False, relujax.get(row.spec).needs_key}:
        y, _, grad = sheet(row.spec, POINTS, dtype, train)
        # Both halves of crelu, and the one half of all others.
        halves = y.reshape(-1, len(POINTS))
        assert not np.isnan(halves[:, finite]).any()
        assert not np.isnan(grad[finite]).any()
        assert np.isfinite(grad[[*ENDS]]).all()
        assert np.isnan(halves[:, np.isnan(POINTS)]).all()
        if not (row.spec.startswith(("squared", "star")) and dtype == "float16"):
            # 1e8 is no float16, as the docstrings of these two say.
            assert np.isfinite(halves[:, ENDS]).all()


def test_relu_of_a_subnormal_is_relu_of_zero():
    """XLA on CPU flushes them, which the package's docstring says."""
    x = jnp.array([1e-40, -1e-40], jnp.float32)
    if jax.default_backend() == "cpu":
        chex.assert_trees_all_equal(value("relu", x), jnp.zeros(2, jnp.float32))
        chex.assert_trees_all_equal(gradient("relu", x), jnp.zeros(2, jnp.float32))
