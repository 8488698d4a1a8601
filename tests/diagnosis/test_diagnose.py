"""What one pass over the data counts, and what a diagnosis says of it."""

import gc
import weakref

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from relujax import InputError, capture, diagnose, replace_activations
from relujax.diagnosis import effective_rank, stable_rank

N, UNITS = 37, 16
X = np.random.default_rng(0).uniform(-1.5, 1.5, (N, UNITS)).astype(np.float32)
Y = np.zeros((N, 1), np.float32)

# By definition: what `planted` puts into its first layer.
EXPECTED = {
    "never_active": 3,
    "never_positive": 3,
    "always_on": 2,
    "saturated": 3,
    "zero_gradient": 4,
    "dormant_0": 3,
    "dormant_0.025": 4,
    "dormant_0.1": 4,
    "small_0.01": 4,
    "small_0.001": 4,
    "small_1e-05": 3,
    "not_finite": 0,
}


def planted(dead=3):
    """Layer 1 is the identity but for what is planted; layer 2 is a tanh."""
    w, b = np.eye(UNITS, dtype=np.float32), np.zeros(UNITS, np.float32)
    out = np.full((UNITS, 4), 0.1, np.float32)
    b[:dead] = -100  # dead: below zero on all data
    b[3:5] = 2  # always on
    w[5, 5] = 1e-4  # dormant and small, but alive
    out[6] = 0  # no gradient flows back, but it fires
    c = np.array([0, 0, 0, 30], np.float32)  # one tanh saturated
    return {"w": w, "b": b, "v": out, "c": c}


def net(params, batch):
    x, _ = batch
    h = jax.nn.relu(x @ params["w"] + params["b"][None])
    return jnp.tanh(h @ params["v"] + params["c"][None])


def loss(output, batch):
    return jnp.sum((output - batch[1]) ** 2, -1)


def counts(diagnosis, id="relu_0"):
    masks = {name: diagnosis.mask(name)[id] for name in diagnosis.definitions}
    return {name: mask.sum(-1).tolist() for name, mask in masks.items()}


def test_statistics_are_those_of_captured_values():
    result = diagnose(net, (X, Y), params=planted(), loss=loss)
    assert counts(result) == EXPECTED
    _, seen = capture(net)(planted(), (X, Y))
    pre, post = np.asarray(seen["relu_0"].pre), np.asarray(seen["relu_0"].post)
    s = result.statistics["relu_0"]
    np.testing.assert_array_equal(s.positive, (pre > 0).sum(0))
    np.testing.assert_array_equal(s.nonzero, (post != 0).sum(0))
    np.testing.assert_allclose(s.total, np.abs(post).sum(0), rtol=1e-6)
    np.testing.assert_array_equal(s.largest, np.abs(post).max(0))
    np.testing.assert_allclose(s.gram, post.T @ post, rtol=1e-5)


def test_the_gradient_is_that_into_the_pre_activation():
    result = diagnose(net, (X, Y), params=planted(), loss=loss, batch_size=10)
    p = planted()

    def from_pre(z):
        out = jnp.tanh(jax.nn.relu(z) @ p["v"] + p["c"][None])
        return loss(out, (X, Y)).sum()

    expected = np.abs(jax.grad(from_pre)(X @ p["w"] + p["b"][None])).max(0)
    np.testing.assert_allclose(
        result.statistics["relu_0"].gradient, expected, rtol=1e-5, atol=1e-7
    )


def test_seeds_are_diagnosed_on_their_own():
    members = [planted(0), planted(3), planted(1)]
    params = jax.tree.map(lambda *p: np.stack(p), *members)
    settings = {"loss": loss, "batch_size": 10}
    result = diagnose(net, (X, Y), params=params, seed_axis=0, **settings)
    assert counts(result)["never_positive"] == [0, 3, 1]
    assert counts(result)["zero_gradient"] == [1, 4, 2]
    alone = diagnose(net, (X, Y), params=members[1], **settings)
    assert {k: v[1] for k, v in counts(result).items()} == counts(alone)
    table = result.table()
    assert table[table.site == "relu_0"].never_positive.tolist() == [0, 3, 1]
    assert "over 3 seeds" in result.summary()
    assert "1.3 (from 0 to 3) of 16" in result.summary()


def test_what_is_kept_does_not_grow_with_the_data():
    size = lambda n: [x.shape for x in _kept(diagnose(jax.nn.relu, _noise(n)))]
    assert size(10) == size(700)


@pytest.fixture
def only_new_objects():
    """A collection does not look through all that earlier tests have left."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("only_new_objects")
@pytest.mark.parametrize("settings", [{}, {"loss": lambda output, batch: output.sum()}])
def test_batches_are_let_go(settings):
    seen, alive = [], []

    def batches():
        for i in range(20):
            batch = _noise(8) + i
            seen.append(weakref.ref(batch))
            yield batch
            del batch
            gc.collect()
            alive.append(sum(ref() is not None for ref in seen))

    diagnose(jax.nn.relu, batches(), **settings)
    assert len(alive) == 20
    assert max(alive) <= 5  # three run, one is prepared, one is counted


def _kept(diagnosis):
    return diagnosis.statistics["relu_0"]


def _noise(n):
    return np.random.default_rng(1).normal(size=(n, 5)).astype(np.float32)


@pytest.mark.parametrize("unit_axis", [-1, 1])
def test_convolution_channels_over_all_positions(unit_axis):
    x = np.random.default_rng(0).normal(size=(7, 6, 6, 5)).astype(np.float32)
    x[..., 2] = -1  # dead everywhere
    x[..., 3] = -1
    x[4, 1, 2, 3] = 1  # alive at one position of one example
    data = np.moveaxis(x, -1, unit_axis)
    result = diagnose(jax.nn.relu, data, unit_axis=unit_axis, batch_size=3)
    assert result.mask("never_positive")["relu_0"].tolist() == [0, 0, 1, 0, 0]
    assert (_kept(result).count == 7 * 36).all()
    assert _kept(result).positive[3] == 1


def stacked(x):
    """Three layers in a scan; the biases kill 0, 1 and 2 more of 4 units."""
    biases = jnp.array([[0, 0, 0, 0], [-9, 0, 0, 0], [-9, -9, 0, 0]], jnp.float32)
    step = lambda c, b: (jax.nn.relu(c + b[None]) + 0.1, None)
    return lax.scan(jax.checkpoint(step), x, biases)[0]


def test_layers_of_a_scan_are_separate_unless_merged():
    x = np.ones((5, 4), np.float32)
    id = "scan/checkpoint/relu_0"
    loss = lambda output, batch: output.sum()
    result = diagnose(stacked, x, loss=loss)
    assert result.mask("never_positive")[id].sum(-1).tolist() == [0, 1, 2]
    # Unit 0 of the first layer fires, but its successor is dead: no gradient.
    assert result.mask("zero_gradient")[id].sum(-1).tolist() == [2, 2, 2]
    assert result.table().site.tolist() == [f"{id}[{i}]" for i in range(3)]
    merged = diagnose(stacked, x, loss=loss, merge_loops=True)
    assert merged.mask("never_positive")[id].tolist() == [False] * 4
    assert (merged.statistics[id].count == 15).all()


def test_a_branch_counts_only_where_it_ran():
    fn = lambda x: lax.cond(x.mean() > 0, jax.nn.relu, lambda x: jnp.tanh(x), x)
    x = np.concatenate([np.ones((4, 2)), -np.ones((8, 2))]).astype(np.float32)
    result = diagnose(fn, x, batch_size=4)
    assert (result.statistics["cond/1/relu_0"].count == 4).all()
    assert (result.statistics["cond/0/tanh_0"].count == 8).all()
    never = diagnose(fn, x[:4])
    assert not never.mask("never_positive")["cond/0/tanh_0"].any()
    assert "cond/0/tanh_0" in never.summary() and "never ran" in never.summary()


def test_gates_of_the_parameters_alone_are_left_out():
    def fn(params, x):
        step = lambda c, p: (jax.nn.relu(c) * jax.nn.softplus(p)[None], None)
        return jax.jit(lambda p, x: lax.scan(step, x, p))(params, x)[0]

    params, x = jnp.ones((2, 3, 4)), np.ones((5, 3, 4), np.float32)
    (site,) = diagnose(fn, x, params=params).sites
    assert site.activation == "relu"
    wanted = diagnose(fn, x, params=params, sites=["softplus"])
    assert [site.activation for site in wanted.sites] == ["softplus"]


def test_a_while_loop_adds_up():
    step = lambda s: (s[0] + 1, jax.nn.relu(s[1] - 1.0))
    fn = lambda x: lax.while_loop(lambda s: s[0] < 3, step, (0, x))[1]
    x = np.array([[0.5, 2.5, 9.0]], np.float32)
    s = diagnose(fn, x).statistics["while/relu_0"]
    assert s.count.tolist() == [3, 3, 3]
    assert s.positive.tolist() == [0, 2, 3]
    assert s.largest.tolist() == [0, 1.5, 8]


def test_a_layer_of_zeros_is_all_dormant_and_not_nan():
    result = diagnose(jax.nn.relu, -np.ones((5, 4), np.float32))
    assert result.scores()["relu_0"].tolist() == [0] * 4
    assert result.mask("dormant_0.025")["relu_0"].all()
    assert result.table().effective_rank.tolist() == [0]


def test_dormancy_scores_of_the_reference_vector():
    x = np.ones((5, 4), np.float32)
    x[:, 0] = 0
    scores = diagnose(jax.nn.relu, x).scores()["relu_0"]
    np.testing.assert_allclose(scores, [0, 4 / 3, 4 / 3, 4 / 3])


@pytest.mark.parametrize(
    ("matrix", "effective", "stable"),
    [
        (np.ones((50, 6)), 1, 1),
        (np.ones((3000, 512)), 1, 1),
        (np.eye(6), 6, 6),
        (np.zeros((6, 3)), 0, 0),
        (np.diag([2.0, 1.0]), 3 / 2 ** (2 / 3), 1.25),
    ],
)
def test_ranks(matrix, effective, stable):
    result = diagnose(jax.nn.relu, matrix.astype(np.float32), batch_size=1024)
    row = result.table().iloc[0]
    np.testing.assert_allclose(row.effective_rank, effective, rtol=1e-5)
    np.testing.assert_allclose(row.stable_rank, stable, rtol=1e-5)
    gram = matrix.T @ matrix
    np.testing.assert_allclose(effective_rank(gram), effective, rtol=1e-6)
    np.testing.assert_allclose(stable_rank(gram), stable, rtol=1e-6)


def test_ranks_of_a_sample_of_positions_are_close():
    x = np.random.default_rng(3).normal(size=(20, 12, 12, 6)) * np.arange(1, 7)
    result = diagnose(jax.nn.relu, x.astype(np.float32)).table().iloc[0]
    sigma = np.linalg.svd(np.maximum(x.reshape(-1, 6), 0), compute_uv=False)
    p = sigma / sigma.sum()
    np.testing.assert_allclose(result.effective_rank, np.exp(-p @ np.log(p)), rtol=0.02)


def test_a_slope_of_one_half_at_zero_is_steep():
    """`maximum(x, 0)` and `jax.nn.relu` differ where the input is exactly 0."""
    x = np.array([[0.0, -1.0], [0.0, 0.0]], np.float32)
    rows = [
        diagnose(fn, x).table().iloc[0]
        for fn in (jax.nn.relu, lambda x: jnp.maximum(x, 0))
    ]
    assert [row.saturated for row in rows] == [2, 0]
    assert [row.never_positive for row in rows] == [2, 2]


@pytest.mark.parametrize("rectifier", [jax.nn.relu, jax.nn.leaky_relu, jax.nn.elu])
@pytest.mark.parametrize("shape", [(1, 4), (64, 3, 4), (5, 300, 4)])
def test_counts_are_exact_whatever_the_numbers(rectifier, shape):
    """They are sums of signs, and comparisons where one is no number."""
    tiny, huge = np.finfo(np.float32).tiny, np.finfo(np.float32).max
    numbers = [np.nan, -np.inf, np.inf, -0.0, 0.0, tiny, -tiny, huge, -1.0, 1.0]
    x = np.random.default_rng(0).choice(numbers, shape).astype(np.float32)
    for columns in (x, np.where(np.isnan(x), 1, x)):
        (stats,) = diagnose(rectifier, columns).statistics.values()
        rows = columns.reshape(-1, 4)
        assert stats.positive.tolist() == (rows > 0).sum(0).tolist()
        post = np.asarray(rectifier(rows))
        nonzero = (post != 0) & ~np.isnan(post)
        assert stats.nonzero.tolist() == nonzero.sum(0).tolist()


def test_counts_are_exact_beyond_what_a_float32_holds():
    """2²⁴ + 222,835 positions, an odd number, in one batch."""
    x = np.ones((17, 1_000_003, 1), np.float32)
    stats = diagnose(jax.nn.relu, x, max_rank_units=0).statistics["relu_0"]
    assert stats.positive.tolist() == stats.count.tolist() == [17 * 1_000_003]


def test_ranks_are_of_the_first_eight_batches_and_every_32nd():
    x = _noise(400)
    result = diagnose(jax.nn.relu, x, batch_size=10)
    seen = np.maximum(np.concatenate([x[:80], x[320:330]]), 0)
    gram = result.statistics["relu_0"].gram
    np.testing.assert_allclose(gram, seen.T @ seen, rtol=1e-4)


def test_ranks_agree_with_the_singular_values():
    x = _noise(200)
    result = diagnose(jax.nn.relu, x, batch_size=64).table().iloc[0]
    sigma = np.linalg.svd(np.maximum(x, 0), compute_uv=False)
    p = sigma / sigma.sum()
    np.testing.assert_allclose(result.effective_rank, np.exp(-p @ np.log(p)), rtol=1e-4)
    np.testing.assert_allclose(
        result.stable_rank, (sigma**2).sum() / sigma[0] ** 2, rtol=1e-4
    )
    wide = diagnose(jax.nn.relu, x, max_rank_units=4).table().iloc[0]
    assert np.isnan(wide.effective_rank)


def test_firing_histogram():
    x = np.array([[1, 1, -1], [1, -1, -1]], np.float32)
    result = diagnose(jax.nn.relu, x)
    assert result.firing()["relu_0"].tolist() == [1, 0.5, 0]
    assert result.histogram(bins=2)["relu_0"].tolist() == [1, 2]


def test_zero_is_not_positive():
    result = diagnose(jax.nn.relu, np.array([[0.0, 1.0], [-0.0, 0.0]], np.float32))
    assert result.mask("never_positive")["relu_0"].tolist() == [True, False]
    assert result.mask("always_on")["relu_0"].tolist() == [False, False]


def test_noise_hides_death_by_output_but_not_by_gradient():
    # N-ReLU's first-layer unit that is negative on all data: its output is never 0, yet
    # nothing flows back into it.
    key = jax.random.key(0)
    noisy = replace_activations(net, {"relu": "n_relu(sigma=0.1)"}, key=key)
    result = diagnose(noisy, (X, Y), params=planted(), loss=loss)
    assert counts(result, "n_relu_0")["never_active"] == 0
    assert counts(result, "n_relu_0")["never_positive"] == 3
    assert counts(result, "n_relu_0")["zero_gradient"] == 4


def test_leaky_units_are_never_positive_but_not_stuck():
    leaky = replace_activations(net, {"relu": "leaky_relu"})
    result = diagnose(leaky, (X, Y), params=planted(), loss=loss)
    assert counts(result, "leaky_relu_0")["never_positive"] == 3
    assert counts(result, "leaky_relu_0")["saturated"] == 0
    assert counts(result, "leaky_relu_0")["zero_gradient"] == 1
    assert "they may recover" in result.summary()


def test_custom_derivatives_have_slopes_too():
    sugar = replace_activations(net, {"relu": "sugar_relu"})
    result = diagnose(sugar, (X, Y), params=planted(), loss=loss)
    # The surrogate's slope at -100 is 0 as well; one without a loss agrees.
    assert counts(result, "sugar_relu_0")["saturated"] == 3


def test_sentences():
    result = diagnose(net, (X, Y), params=planted(), loss=loss)
    top, first, second = result.summary().split("\n")
    assert top == result.headline() == "3 of 20 units are dead."
    assert first.startswith("relu_0 (")
    assert first.endswith(
        "3 of 16 units never fire on 37 examples; their incoming gradient is zero: "
        "they cannot recover by themselves; 2 always fire."
    )
    assert second.endswith(
        "each of 4 units has a positive input on some of 37 examples; 4 always have a "
        "positive input."
    )


FAR = np.array([[-9.0, 1.0], [-10.0, 1.0]], np.float32)


@pytest.mark.parametrize(
    ("fn", "sentence"),
    [
        (jax.nn.relu, "1 of 2 units never fires on 2 examples; its slope is zero "),
        (jax.nn.sigmoid, "1 of 2 units never has a positive input on 2 examples; "),
        (jax.nn.sigmoid, "slope is at most 0.001 there, so that hardly any gradient"),
        (jax.nn.elu, "it recovers slowly, if at all; 1 always has a positive input."),
        (jnp.tanh, "hardly any gradient"),
        (jax.nn.leaky_relu, "a gradient still reaches it: it may recover"),
    ],
)
def test_a_small_slope_is_not_called_zero(fn, sentence):
    assert sentence in diagnose(fn, FAR).summary()


@pytest.mark.parametrize(
    "rectifier",
    [jax.nn.relu, lambda x: jnp.maximum(x, 0), lambda x: jnp.where(x > 0, x, 0)],
    ids=["relu", "maximum", "where"],
)
def test_units_that_are_not_finite_are_neither_dead_nor_alive(rectifier, tmp_path):
    x = np.array([[-1, np.nan, 1, np.inf], [-2, 1, 1, 1]], np.float32)
    result = diagnose(rectifier, x, batch_size=1)
    masks = {name: result.mask(name)["relu_0"] for name in result.definitions}
    assert masks["not_finite"].tolist() == [False, True, False, True]
    for name in ("never_active", "never_positive", "dormant_0.1", "small_0.01"):
        assert masks[name].tolist() == [True, False, False, False]
    assert masks["always_on"].tolist() == [False, False, True, False]
    row = result.table().iloc[0]
    assert row.not_finite == 2 and np.isnan(row.effective_rank + row.stable_rank)
    assert "1 of 4 units never fires on 2 examples" in result.summary()
    assert "2 give no finite numbers: the data hold none" in result.summary()
    assert "no finite numbers" in result.report(tmp_path / "page.html").read_text()


def test_a_network_that_has_diverged(tmp_path):
    params = planted() | {"w": np.full((UNITS, UNITS), np.nan, np.float32)}
    result = diagnose(net, (X, Y), params=params, loss=loss, batch_size=10)
    top, *sentences = result.summary().split("\n")
    assert top.startswith("The network has diverged: 20 units from relu_0 on give no ")
    for sentence in sentences:
        assert sentence.endswith(
            "no unit gives finite numbers; the network has diverged."
        )
    table = result.table()
    assert table.not_finite.tolist() == table.units.tolist()
    definitions = [name for name in result.definitions if name != "not_finite"]
    assert not table[definitions].to_numpy().any()
    assert table.effective_rank.isna().all() and table.stable_rank.isna().all()
    assert result.report(tmp_path / "new" / "page.html").stat().st_size > 0
    seeds = jax.tree.map(lambda *p: np.stack(p), planted(), params)
    result = diagnose(net, (X, Y), params=seeds, seed_axis=0)
    assert "16 give no finite numbers" in result.summary()
    assert "in 1 of 2 seeds." in result.summary()


def test_table_figure_and_report(tmp_path):
    result = diagnose(net, (X, Y), params=planted(), loss=loss)
    row = result.table().set_index("site").loc["relu_0"]
    assert {name: row[name] for name in EXPECTED} == EXPECTED
    assert row.units == UNITS
    figure = result.plot()
    assert len(figure.axes) == 3
    figure.draw_without_rendering()
    drawn, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert 0 <= drawn.x0 and drawn.x1 <= width and 0 <= drawn.y0 and drawn.y1 <= height
    page = result.report(tmp_path / "dead.html").read_text()
    assert "never fire on 37 examples" in page
    assert "<svg" in page and "src=" not in page and "<script" not in page


def test_bad_input_is_one_sentence():
    relu = jax.nn.relu
    with pytest.raises(InputError, match="found none"):
        diagnose(jnp.sin, X)
    with pytest.raises(InputError, match="Unknown site or activation"):
        diagnose(relu, X, sites=["tanh"])
    with pytest.raises(InputError, match=r"got batches of shape \(37, 3\)"):
        diagnose(lambda x: relu(x @ np.eye(UNITS)), X[:, :3])
    with pytest.raises(InputError, match="same number of examples"):
        diagnose(net, (X, Y[:3]), params=planted())
    with pytest.raises(InputError, match="empty data"):
        diagnose(relu, X[:0])
    for data in (3, "mnist", None):
        with pytest.raises(InputError, match=f"got {type(data).__name__}"):
            diagnose(relu, data)
    with pytest.raises(InputError, match="unit axis"):
        diagnose(relu, X[:, 0])
    with pytest.raises(InputError, match="same units"):
        diagnose(relu, [X, X[:, :3]])
    with pytest.raises(InputError, match="Unknown definition of dead 'zero_gradient'"):
        diagnose(relu, X).mask("zero_gradient")
    with pytest.raises(InputError, match="with a seed axis"):
        diagnose(relu, X, seed_axis=0)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"sites": []}, "Expected some sites to look at, got none"),
        ({"batch_size": 0}, "Expected a batch size of at least 1, got 0"),
        ({"batch_size": -1}, "Expected a batch size of at least 1, got -1"),
        ({"batch_size": 2.5}, "Expected a batch size of at least 1, got 2.5"),
        ({"sites": [3]}, r"ids, names or patterns, .* as sites, got \[3\]"),
        ({"exclude": 3}, "ids, names or patterns, .* as exclude, got 3"),
        ({"unit_axis": "1"}, "as unit_axis, got '1'"),
        ({"unit_axis": {"relu": 1.0}}, "as unit_axis, got {'relu': 1.0}"),
        ({"unit_axis": 7}, "got axis 7 of shape"),
        ({"seed_axis": "0"}, "as seed_axis, got '0'"),
        ({"seed_axis": 5, "params": X}, "stacked along axis 5, got arrays of 2 axes"),
        ({"taus": 0.1}, r"thresholds such as \(0.01, 0.1\) for taus, got 0.1"),
        ({"epsilons": "ab"}, "for epsilons, got 'ab'"),
        ({"loss": lambda output: output.sum()}, r"Expected loss\(output, batch\)"),
        ({"loss": lambda output, _: output}, r"one for each of 37 examples, got float"),
        ({"loss": lambda output, _: (output > 0).sum()}, "Expected one float"),
        ({"loss": lambda output, _: None}, "got nothing"),
        ({"loss": lambda output, _: (output.sum(), 0.0)}, r"got float32\[\], float32"),
    ],
)
def test_settings_that_cannot_be_meant_are_one_sentence(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        diagnose(jax.nn.relu, X, **settings)
