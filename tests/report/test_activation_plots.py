"""The pictures of activations: what is drawn where; no label covers another."""

import numpy as np
import pytest
from test_figures import texts_overlap

import relujax
from relujax.report._activation_plots import VALUE, plate, portrait
from relujax.report._style import drawing


def drawn(spec):
    act = relujax.get(spec)
    with drawing():
        return portrait(act, relujax.properties(act))


@pytest.mark.parametrize("spec", ["relu6", "n_relu", "crelu", "srelu(beta=0.5)"])
def test_labels_do_not_cover_each_other(spec):
    with drawing():
        assert not texts_overlap(drawn(spec))


def test_the_plate_has_a_panel_for_each():
    acts = [relujax.get(name) for name in ("relu", "gelu", "sym_msaf")]
    with drawing():
        figure = plate([(act, relujax.properties(act)) for act in acts], columns=2)
        assert not texts_overlap(figure)
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == ["relu", "gelu", "sym_msaf"]


def test_a_jump_is_a_gap_with_a_dot_at_the_derivative_taken():
    figure = drawn("leaky_relu(negative_slope=0.5)")
    right = figure.axes[1]
    curve, *dots = [line for line in right.lines if len(line.get_xdata()) != 2]
    x, y = np.array(curve.get_xdata()), np.array(curve.get_ydata())
    assert np.isnan(y).sum() == 1
    assert set(y[x < 0]) == {0.5} and set(y[x > 0]) == {1.0}
    filled = [dot for dot in dots if dot.get_markerfacecolor() != "white"]
    assert [(*dot.get_xdata(), *dot.get_ydata()) for dot in filled] == [(0.0, 1.0)]


def test_the_shades_of_n_relu_hold_their_share_of_the_noise():
    """95 % of N(0, 0.1^2) is within 0.196; 2,000 draws give it to a few percent."""
    left = drawn("n_relu(sigma=0.1)").axes[0]
    widest = left.collections[0].get_paths()[0].vertices
    below = widest[widest[:, 0] < 0, 1]
    assert np.allclose(np.abs(below), 0.196, rtol=0.1)
    above = widest[widest[:, 0] > 0]
    np.testing.assert_allclose(above[:, 0], above[:, 1], atol=1e-6)
    assert left.lines[-1].get_color() == VALUE
