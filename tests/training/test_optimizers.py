"""Optimisers: optax's by name, schedules, clipping, refusals, and one's own."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from relujax import Cell, InputError, parts
from relujax.networks import MLP, from_linen
from relujax.training import (
    OPTIMIZERS,
    Split,
    make_optimizer,
    make_run,
    objective,
    streams,
    traceable,
    train_epoch,
)
from relujax.training._optimizers import scheduled

PARAMS = {"w": jnp.arange(6.0).reshape(2, 3) / 3, "b": jnp.array([0.5, -0.5, 0.0])}
GRADS = jax.tree.map(lambda p: jnp.cos(3 * p), PARAMS)


def built(given, steps=10):
    part = OPTIMIZERS.part(given)
    return make_optimizer(part, part.numeric, steps=steps)


def after(optimizer, updates=3, params=PARAMS):
    """The parameters after some updates with the gradient of a fixed function."""
    state = optimizer.init(params)
    for _ in range(updates):
        grads = jax.tree.map(lambda p: jnp.cos(3 * p), params)
        change, state = optimizer.update(grads, state, params)
        params = optax.apply_updates(params, change)
    return params


def same(one, other):
    jax.tree.map(np.testing.assert_array_equal, one, other)


@pytest.fixture(scope="module")
def split():
    x = jax.random.normal(jax.random.key(7), (20, 5))
    return Split(x, (x[:, 0] > 0).astype(jnp.int32))


def trained(optimizer, split, epochs=1, batch_size=8):
    """State and running losses of a small network."""
    model = from_linen(MLP(1, "relu", hidden=(4,)))
    loss = objective("binary_cross_entropy")
    run = make_run(model, optimizer, loss, classes=2, transform=lambda x: x)
    keys = streams(0, 0)
    state = run.init(keys, split.x)
    one = jax.jit(lambda s: train_epoch(run, s, split, keys, batch_size=batch_size))
    losses = []
    for _ in range(epochs):
        state, found = one(state)
        losses.append(float(found.running_loss))
    return state, losses


def test_cosine_is_optax_s():
    ours = scheduled(0.3, 40, "cosine", 0.0)
    theirs = optax.cosine_decay_schedule(0.3, 40)
    steps = range(41)
    got, want = ([float(rate(s)) for s in steps] for rate in (ours, theirs))
    np.testing.assert_allclose(got, want, atol=1e-7)


@pytest.mark.parametrize("schedule", [None, "linear", "cosine"])
def test_warmup_rises_to_the_learning_rate_and_then_never_rises(schedule):
    rate = np.asarray(scheduled(0.3, 100, schedule, 0.2)(jnp.arange(100)))
    np.testing.assert_allclose(rate[:20], 0.3 * np.arange(1, 21) / 20, rtol=1e-6)
    assert (np.diff(rate[20:]) <= 0).all()
    assert rate[-1] == pytest.approx(0.3) if schedule is None else rate[-1] < 0.01


@pytest.mark.parametrize("name", ["adam", "adamax", "adamw", "rmsprop", "sgd"])
def test_every_optimizer_is_clipped_by_global_norm(name):
    params = {"w": jnp.zeros(3), "b": jnp.zeros(2)}
    grads = jax.tree.map(lambda p: 100 + jnp.arange(p.size, dtype=p.dtype), params)
    norm = optax.tree.norm(grads)
    unit = jax.tree.map(lambda g: g / norm, grads)
    half = jax.tree.map(lambda g: g / 2, unit)

    def second_update(first, clip=None):
        """Of a smaller gradient: Adam's first does not depend on the scale."""
        optimizer = built(f"{name}(learning_rate=0.1, clip={clip})")
        _, state = optimizer.update(first, optimizer.init(params), params)
        updates, _ = optimizer.update(half, state, params)
        return jnp.concatenate(jax.tree.leaves(updates))

    clipped = second_update(grads, clip=1.0)
    np.testing.assert_allclose(clipped, second_update(unit), rtol=1e-5)
    np.testing.assert_allclose(
        second_update(unit, clip=2.0), second_update(unit), rtol=1e-6
    )
    if name != "sgd":  # Which remembers nothing.
        assert not np.allclose(clipped, second_update(grads), rtol=1e-2)


def test_a_schedule_spans_the_whole_training():
    ours = built("sgd(learning_rate=0.5, schedule='linear', warmup=0.25)", steps=8)
    theirs = optax.sgd(scheduled(0.5, 8, "linear", 0.25))
    same(after(ours, 8), after(theirs, 8))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"lbfgs"}))  # See below.
def test_each_is_optax_s_own(name):
    rate = "" if name == "adafactor" else "(learning_rate=0.03)"
    given = {} if name == "adafactor" else {"learning_rate": 0.03}
    theirs = optax.contrib.muon if name == "muon" else getattr(optax, name)
    want = after(theirs(**given), 2)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6),
        after(built(f"{name}{rate}"), 2),
        want,
    )


# The text is part of the digest under which results are stored.
TEXTS = {
    "adam": "adam(nesterov=False, learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08, "
    "eps_root=0.0)",
    "adamax": "adamax(learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08)",
    "adamw": "adamw(nesterov=False, learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08, "
    "eps_root=0.0, weight_decay=0.0001)",
    "rmsprop": "rmsprop(bias_correction=False, centered=False, eps_in_sqrt=True, "
    "nesterov=False, learning_rate=0.001, decay=0.9, eps=1e-08, initial_scale=0.0)",
    "sgd": "sgd(momentum=None, nesterov=False, learning_rate=0.01)",
    "sgd(momentum=0.9, nesterov=True)": "sgd(nesterov=True, learning_rate=0.01, "
    "momentum=0.9)",
    "adam(clip=1, warmup=0, schedule='cosine')": "adam(nesterov=False, "
    "schedule='cosine', learning_rate=0.001, b1=0.9, b2=0.999, eps=1e-08, "
    "eps_root=0.0, clip=1.0)",
}


@pytest.mark.parametrize("text", sorted(TEXTS))
def test_canonical_texts_stay_what_they_were(text):
    assert OPTIMIZERS.part(text).text == TEXTS[text]
    assert OPTIMIZERS.part(TEXTS[text]) == OPTIMIZERS.part(text)


def test_options_that_are_not_given_leave_stored_results_valid():
    def cell(optimizer):
        return Cell(
            data="wdbc",
            model="mlp(hidden=(4,))",
            activation="relu",
            optimizer=optimizer,
            objective="binary_cross_entropy",
        )

    digest = cell("adam").digest("x", 0)
    assert cell("adam(clip=None, warmup=0)").digest("x", 0) == digest
    assert cell("adam(clip=1)").digest("x", 0) == cell("adam(clip=1.0)").digest("x", 0)
    assert cell("adam(clip=1)").skeleton == cell("adam(clip=2)").skeleton


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("adam(learning_rate=-1)", "'learning_rate' of optimizer adam to be at least"),
        ("adam(b1=1.0)", "below 1"),
        ("adam(clip=0)", "above 0"),
        ("adam(clip='a')", "number or None for 'clip'"),
        ("adam(warmup=1.0)", "below 1"),
        ("adam(schedule='cosin')", "Did you mean 'cosine'"),
        ("adam(schedule=1)", "a string or None for 'schedule'"),
        ("adam(nesterov=2)", "True or False for 'nesterov'"),
        ("adam(nesterov=1)", "True or False for 'nesterov'"),
        ("sgd(momentum=True)", "number or None for 'momentum'"),
        ("muon(ns_steps=2.5)", "whole number for 'ns_steps'"),
        ("adamw(weight_decay=-0.1)", "at least 0"),
        ("adan(learning_rate=0.1)", "Unknown optimizer 'adan'. Did you mean 'adam'"),
        ("optax:adan", "value for 'learning_rate' of optimizer optax:adan, got none"),
        ("optax:adan2", "Did you mean 'adan'"),
    ],
)
def test_bad_optimizers_are_refused_with_one_sentence(spec, message):
    with pytest.raises(InputError, match=message):
        OPTIMIZERS.part(spec)


def test_a_schedule_needs_a_learning_rate():
    with pytest.raises(InputError, match="learning_rate for the schedule"):
        built("adafactor(schedule='cosine')")


def with_steps(steps, peak=0.1):
    """A factory that knows how long the training is."""
    return optax.sgd(optax.cosine_decay_schedule(peak, steps))


def without_steps(rate=0.1, nesterov_from=0.5):
    """A factory one of whose numbers must be a Python float."""
    return optax.sgd(rate, momentum=0.9, nesterov=nesterov_from > 0.3)


def needs_a_rate(rate: float):
    return optax.adam(rate)


def test_an_own_factory_gets_the_steps_and_its_numbers():
    path = f"{__name__}:with_steps"
    assert OPTIMIZERS.part(with_steps).text == path
    assert OPTIMIZERS.part(with_steps).values == {"peak": 0.1}
    want = optax.sgd(optax.cosine_decay_schedule(0.3, 7))
    same(after(built(f"{path}(peak=0.3)", steps=7), 7), after(want, 7))
    part = OPTIMIZERS.part(with_steps)

    @jax.jit
    def traced(peak):
        return after(make_optimizer(part, {"peak": peak}, steps=7), 2)

    np.testing.assert_allclose(traced(0.3)["b"], after(want, 2)["b"], rtol=1e-6)


def test_an_imported_optax_factory_is_an_optimizer():
    same(after(built("optax:adan(learning_rate=0.1)")), after(optax.adan(0.1)))


def test_what_cannot_be_traced_is_part_of_the_program():
    entry = OPTIMIZERS.entry(f"{__name__}:without_steps")
    assert traceable(entry) == {"rate"}
    part = OPTIMIZERS.part(without_steps)
    assert part.numeric == {"rate": 0.1}
    assert part.static == (("nesterov_from", 0.5),)
    assert traceable(OPTIMIZERS.entry(f"{__name__}:needs_a_rate")) == {"rate"}
    for name in ("adam", "sgd", "muon", "lbfgs"):
        entry = OPTIMIZERS.entry(name)
        floats = {k for k, p in entry.parameters.items() if p.kind == "float"}
        assert traceable(entry) == floats


KERNELS = {"Dense_0": {"kernel": True, "bias": False}}
KERNELS["Dense_1"] = KERNELS["Dense_0"]
FINISHED = {
    "masked": optax.chain(
        optax.masked(optax.add_decayed_weights(0.1), KERNELS), optax.adam(0.1)
    ),
    "masked_by_function": optax.masked(
        optax.adam(0.1), lambda params: jax.tree.map(lambda p: p.ndim > 1, params)
    ),
    "groups": optax.multi_transform(
        {"a": optax.sgd(0.1), "b": optax.adam(0.1)},
        lambda params: jax.tree.map(lambda p: "a" if p.ndim > 1 else "b", params),
    ),
    "injected": optax.inject_hyperparams(optax.adam)(
        learning_rate=optax.linear_schedule(0.1, 0.0, 6)
    ),
    "steps_together": optax.MultiSteps(optax.adam(0.1), every_k_schedule=2),
}


@pytest.mark.parametrize("name", sorted(FINISHED))
def test_a_finished_transformation_trains_as_by_hand(name, split):
    given = FINISHED[name]
    plain = (
        given.gradient_transformation()
        if isinstance(given, optax.MultiSteps)
        else given
    )
    part = OPTIMIZERS.part(parts.named("mine", given))
    assert (part.text, part.local) == ("mine", True)
    optimizer = make_optimizer(part, part.numeric, steps=6)
    # One batch an epoch, so that the order of the examples is that of the split.
    state, _ = trained(optimizer, split, epochs=3, batch_size=20)

    net = MLP(1, "relu", hidden=(4,))
    params = net.init(streams(0, 0).init, split.x)["params"]
    inner = plain.init(params)

    def loss(params):
        logits = net.apply({"params": params}, split.x, mutable=["preactivations"])[0]
        labels = split.y.astype(jnp.float32)
        return optax.sigmoid_binary_cross_entropy(logits[:, 0], labels).mean()

    @jax.jit
    def step(params, inner):
        updates, inner = plain.update(jax.grad(loss)(params), inner, params)
        return optax.apply_updates(params, updates), inner

    for _ in range(3):
        params, inner = step(params, inner)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
        state.params,
        params,
    )


def test_a_line_search_sees_the_loss_of_the_batch(split):
    _, by_lbfgs = trained(built("lbfgs"), split, epochs=4, batch_size=20)
    _, by_sgd = trained(built("sgd"), split, epochs=4, batch_size=20)
    assert all(np.diff(by_lbfgs) < 0)  # What the line search promises.
    assert by_lbfgs[-1] < by_sgd[-1] / 2


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        (optax.lookahead(optax.sgd(0.1), 5, 0.5), "optax.lookahead, which keeps two"),
        (
            optax.chain(optax.clip(1.0), optax.lookahead(optax.sgd(0.1), 5, 0.5)),
            "optax.lookahead, which keeps two",
        ),
        (
            optax.masked(optax.sgd(0.1), {"Dense_7": True}),
            "can start from the network's parameters, got ValueError",
        ),
        (
            optax.contrib.sam(optax.sgd(0.1), optax.sgd(0.1), opaque_mode=True),
            "needs the gradient, the parameters, `value`",
        ),
    ],
)
def test_what_no_network_can_be_trained_with_is_refused(optimizer, message, split):
    with pytest.raises(InputError, match=message):
        trained(optimizer, split)


def returns_none():
    return None


def raises():
    raise ValueError("no such thing\nsecond line")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (parts.named("mine", 3), "from the optimizer mine, got int"),
        (returns_none, "got NoneType"),
        (raises, "got ValueError: no such thing$"),
        (optax.lookahead, "for 'fast_optimizer'"),
    ],
)
def test_what_gives_no_transformation_is_refused(given, message):
    with pytest.raises(InputError, match=message):
        built(given)


def test_an_object_without_a_name_is_told_how_to_get_one():
    with pytest.raises(InputError, match=r"relujax.named\('my_optimizer', ...\)"):
        OPTIMIZERS.text(optax.adam(0.1))
