"""A diagnosis reads well at one layer, thirty, three hundred, and over many steps."""

import dataclasses
import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow

from relujax import Monitor, capture, diagnose

X = np.abs(np.random.default_rng(0).normal(size=(4, 3))).astype(np.float32)
UNITS = 3


def deep(biases, x):
    """As many layers as biases, which are added to all units."""
    for b in biases:
        x = jax.nn.relu(x + b)
    return x


@functools.cache
def layer(bias):
    return diagnose(deep, X, params=[jnp.full((1, UNITS), bias)], max_rank_units=0)


@functools.cache
def diagnosed(layers, dead_from):
    """A diagnosis of many layers, made of those of one: many take minutes."""
    alive, dead = layer(0.1), layer(-99.0)
    ids = [f"relu_{i}" for i in range(layers)]
    parts = [dead if i >= dead_from else alive for i in range(layers)]
    pairs = list(zip(ids, parts, strict=True))
    return dataclasses.replace(
        alive,
        sites=tuple(part.sites[0]._replace(id=id) for id, part in pairs),
        statistics={id: part.statistics["relu_0"] for id, part in pairs},
        unit_axes=dict.fromkeys(ids, 1),
        prospects={id: part.prospects["relu_0"] for id, part in pairs},
    )


def test_the_headline_comes_first_everywhere(tmp_path):
    result = diagnosed(100, 52)
    top = "144 of 300 units are dead; everything from layer 53 on (relu_52)."
    lines = result.summary().split("\n")
    assert lines[0] == result.headline() == top
    assert len(lines) == 13  # the headline, what follows, ten layers, and the others
    assert lines[1] == "The worst 10 of 100 layers:"
    assert [line.split()[0] for line in lines[2:12]] == [
        f"relu_{i}" for i in range(52, 62)
    ]
    assert lines[12].startswith("Of the other 90 layers, 38 have dead units; ")
    page = result.report(tmp_path / "page.html").read_text()
    assert page[page.index("<h1>") :].startswith(f"<h1>{top}</h1>")
    assert next(iter(json.loads(result.to_json()).items())) == ("headline", top)
    assert result._repr_html_().startswith(f"<div>\n<p><strong>{top}")
    assert top in repr(result) and len(repr(result)) < 200


@pytest.mark.parametrize(
    ("layers", "dead_from", "top"),
    [
        (1, 1, "None of 3 units is dead."),
        (1, 0, "All 3 units are dead."),
        (2, 1, "3 of 6 units are dead; all of the last layer (relu_1)."),
    ],
)
def test_headlines(layers, dead_from, top):
    assert diagnosed(layers, dead_from).headline() == top


def test_headlines_of_one_unit_and_of_seeds():
    one = lambda b, x: jax.nn.relu(x[:, :1] + b)
    alive = diagnose(one, X, params=jnp.zeros((1, 1)))
    assert alive.headline() == "The unit is alive."
    assert "the only unit fires on some of 4 examples" in alive.summary()
    dead = diagnose(one, X, params=jnp.full((1, 1), -9.0))
    assert dead.headline() == "The only unit is dead."
    biases = jnp.array([[[0.0] * 3], [[-9.0, 0, 0]]])
    seeds = diagnose(lambda b, x: jax.nn.relu(x + b), X, params=biases, seed_axis=0)
    assert seeds.headline() == "0.5 of 3 units are dead (mean of 2 seeds)."


def test_one_unit_is_spoken_of_in_the_singular():
    params = [jnp.array([[-99.0, 1, 1]]), jnp.array([[1.0, 1, 1]])]
    top, first, _ = diagnose(deep, X, params=params).summary().split("\n")
    assert top == "1 of 6 units is dead."
    end = "1 of 3 units never fires on 4 examples; its slope is zero there, so no "
    assert (
        end + "gradient reaches it: it cannot recover by itself; 2 always fire."
        in first
    )


def test_a_diagnosis_of_twelve_layers_is_what_is_put_together():
    biases = [jnp.full((1, UNITS), -99.0 if i >= 7 else 0.1) for i in range(12)]
    result = diagnose(deep, X, params=biases, max_rank_units=0)
    assert result.headline() == diagnosed(12, 7).headline()


def test_layers_come_in_the_order_of_the_program():
    names = [f"relu_{i}" for i in range(12)]
    biases = [jnp.zeros((1, UNITS))] * 12
    result = diagnose(deep, X, params=biases)
    assert list(result.mask("never_positive")) == list(result.statistics) == names
    assert list(result.scores()) == list(result.firing()) == names
    assert result.table().site.tolist() == names
    monitor = Monitor(deep, X)
    monitor.record(0, biases)
    assert monitor.table().site.tolist() == list(monitor.time_of_death()) == names
    assert next(iter(monitor.metrics())).startswith("dead_units/relu_0/")
    seen = jax.jit(capture(deep))(biases, X)[1]
    assert list(seen) == names


def drawn(figure):
    """The height in inches, and whether all is inside."""
    figure.draw_without_rendering()
    box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    slack = 0.02
    inside = -slack <= box.x0 and box.x1 <= width + slack
    assert inside and -slack <= box.y0 and box.y1 <= height + slack
    return height


@pytest.mark.parametrize("layers", [1, 30, *slow(300)])
def test_figures_hold(layers):
    result = diagnosed(layers, layers // 2)
    figure = result.plot()
    assert drawn(figure) <= 16
    assert len(figure.axes[0].get_yticklabels()) <= 40
    for image in (image for axes in figure.axes for image in axes.images):
        assert image.get_clim() == (0, 1)
    assert "<svg" in figure._repr_html_()


@pytest.mark.parametrize("layers", [1, 30])
def test_timelines_hold(layers):
    monitor = Monitor(deep, X, max_rank_units=0)
    alive = [jnp.full((1, UNITS), 0.1)] * layers
    for epoch in range(3):
        monitor.record(epoch, alive)
    figure = monitor.plot()
    drawn(figure)
    if layers > 10:
        assert all(image.get_clim()[1] == 1 for a in figure.axes for image in a.images)
    else:
        legend = figure.axes[0].get_legend()
        box = legend.get_window_extent().height
        assert box <= figure.axes[0].get_window_extent().height


def test_many_steps_in_time_suggest_to_merge_them():
    def recurrent(b, x):
        step = lambda h, _: (jax.nn.relu(h + b), None)
        return jax.lax.scan(step, x, None, length=3000)[0]

    bias = jnp.array([[0.1, 0.1, -9.0]])
    result = diagnose(recurrent, X, params=bias, max_rank_units=0)
    lines = result.summary().split("\n")
    assert lines[0] == "3,000 of 9,000 units are dead."
    assert len(lines) == 14 and "merge_loops=True makes them one" in lines[-1]
    assert drawn(result.plot()) <= 16
    merged = diagnose(recurrent, X, params=bias, merge_loops=True)
    assert (
        merged.headline() == "1 of 3 units is dead." and "merge" not in merged.summary()
    )


def test_names_are_no_markup(tmp_path):
    def net(x):
        with jax.named_scope("enc[/b]<i>$x$"):
            return jax.nn.relu(x)

    result = diagnose(net, X)
    page = result.report(tmp_path / "a[b]" / "page.html").read_text()
    assert "enc[/b]&lt;i&gt;$x$/relu_0" in page and "<i>$x$" not in page
    assert "&lt;i&gt;" in result._repr_html_()
