"""The same function with other activations."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow
from jax import lax

import relujax
from relujax import InputError, capture, find_activations, get, replace_activations

X = jnp.linspace(-2.0, 2.0, 12).reshape(3, 4)


def identity(program):
    """The program with all its activations replaced by themselves."""
    fn, params, x, _ = program
    names = {site.activation for site in find_activations(fn, params, x)}
    return replace_activations(fn, {name: name for name in names})


@pytest.mark.parametrize(
    "transform", [*slow(lambda f: f), jax.jit], ids=["eager", "jit"]
)
def test_identity_is_bit_identical(program, transform):
    fn, params, x, _ = program
    same = identity(program)
    np.testing.assert_array_equal(transform(same)(params, x), transform(fn)(params, x))
    loss = lambda f: lambda p, x: (f(p, x) ** 2).sum()
    expected = transform(jax.grad(loss(fn), (0, 1)))(params, x)
    actual = transform(jax.grad(loss(same), (0, 1)))(params, x)
    jax.tree.map(np.testing.assert_array_equal, actual, expected)


def test_identity_keeps_the_derivative_at_the_kink():
    # maximum(x, 0) has the derivative 0.5 at 0; jax.nn.relu has 0.
    spelt = replace_activations(lambda x: jnp.maximum(x, 0), {"relu": "relu"})
    assert jax.grad(spelt)(0.0) == 0.5


def test_other_hyperparameters_are_no_identity():
    fn = lambda x: jax.nn.leaky_relu(x, 0.2)
    new = replace_activations(fn, {"leaky_relu": "leaky_relu"})
    np.testing.assert_array_equal(new(X), jax.nn.leaky_relu(X))
    same = replace_activations(fn, {"leaky_relu": "leaky_relu(negative_slope=0.2)"})
    np.testing.assert_array_equal(same(X), fn(X))


def test_surrogate_gradient_is_no_identity():
    new = replace_activations(jax.nn.relu, {"relu": "sugar_relu"})
    assert new(-1.0) == 0
    assert jax.grad(new)(-1.0) != 0


@pytest.mark.parametrize(
    "transform", [*slow(lambda f: f), jax.jit], ids=["eager", "jit"]
)
def test_every_site_becomes_the_new_one(program, transform):
    fn, params, x, ids = program
    names = {site.activation for site in find_activations(fn, params, x)}
    others = {"relu": "leaky_relu", "gelu": "tanh", "elu": "silu"}
    new = replace_activations(fn, {name: others[name] for name in names})
    _, seen = transform(capture(new))(params, x)
    assert len(seen) == len(ids)
    for id, site in seen.items():
        name = id.split("/")[-1].rsplit("_", 1)[0]
        assert name in others.values()
        ran = site.ran.reshape(site.ran.shape + (1,) * (site.pre.ndim - site.ran.ndim))
        expected = jnp.where(ran, get(name).apply({}, site.pre), 0)
        np.testing.assert_allclose(site.post, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "transform", [*slow(lambda f: f), jax.jit], ids=["eager", "jit"]
)
def test_equals_the_function_written_with_the_other_one(transform):
    def net(activation, x):
        step = jax.checkpoint(lambda c, b: (activation(c - b), c.sum()))
        x, sums = lax.scan(step, x, jnp.arange(3.0))
        x = lax.cond(x.sum() > 1, activation, jnp.sin, x)
        _, x = lax.while_loop(
            lambda s: s[0] < 2, lambda s: (s[0] + 1, activation(s[1] - 1)), (0, x)
        )
        return x, sums

    new = replace_activations(lambda x: net(jax.nn.relu, x), {"relu": "leaky_relu"})
    expected = transform(lambda x: net(jax.nn.leaky_relu, x))(X)
    jax.tree.map(np.testing.assert_array_equal, transform(new)(X), expected)


def test_one_site_by_id():
    fn = lambda x: jax.nn.relu(x) + 10 * jax.nn.relu(x)
    new = replace_activations(fn, {"relu_1": jnp.tanh})
    np.testing.assert_allclose(new(X), jax.nn.relu(X) + 10 * jnp.tanh(X), rtol=1e-6)
    both = replace_activations(fn, {"relu_1": jnp.tanh, "relu": jnp.sin})
    np.testing.assert_allclose(both(X), jnp.sin(X) + 10 * jnp.tanh(X), rtol=1e-6)


def test_an_inlined_activation_is_replaced_whole():
    new = replace_activations(jax.nn.gelu, {"gelu": "relu"})
    jaxpr = str(jax.make_jaxpr(new)(X))
    assert "tanh" not in jaxpr
    np.testing.assert_array_equal(new(X), jax.nn.relu(X))


def test_a_custom_rule_around_a_replaced_activation_goes():
    @jax.custom_vjp
    def fn(x):
        return jax.nn.relu(x)

    fn.defvjp(lambda x: (fn(x), None), lambda _, g: (7 * g,))
    new = replace_activations(fn, {"relu": "leaky_relu(negative_slope=0.5)"})
    assert jax.grad(new)(-1.0) == 0.5
    assert jax.grad(replace_activations(fn, {"relu": "relu"}))(-1.0) == 7


def noise_by_layer(net, params, x):
    """The outputs where the pre-activation is not positive: pure noise."""
    _, seen = capture(net)(params, x)
    (site,) = [s for id, s in seen.items() if "n_relu" in id]
    return np.asarray(jnp.where(site.pre <= 0, site.post, 0))


def test_noise_differs_by_layer_and_call_and_follows_the_key(scanned_transformer):
    fn, params, x, _ = scanned_transformer
    net = replace_activations(fn, {"relu": "n_relu(sigma=0.5)"}, key=jax.random.key(0))
    drawn = jax.jit(lambda key: net.apply({}, params, x, key=key))
    assert not np.array_equal(drawn(jax.random.key(1)), drawn(jax.random.key(2)))
    np.testing.assert_array_equal(drawn(jax.random.key(1)), drawn(jax.random.key(1)))
    # With zero kernels every pre-activation is 0: all outputs are noise.
    params = jax.tree.map(jnp.zeros_like, params)
    noise = noise_by_layer(net, params, x)
    assert noise.shape == (3, 2, 5, 8)
    assert np.all(noise != 0)
    for one, other in itertools.combinations(noise, 2):
        assert not np.any(one == other)
    np.testing.assert_array_equal(noise, noise_by_layer(net, params, x))


def test_noise_has_the_scale_that_was_asked_for():
    x = jnp.full((20_000,), -1.0)
    key = jax.random.key(0)
    net = replace_activations(jax.nn.relu, {"relu": "n_relu(sigma=0.5)"}, key=key)
    np.testing.assert_allclose(net(x).std(), 0.5, rtol=0.03)


def test_sites_and_loop_counters_draw_apart():
    def fn(x):
        step = lambda s: (s[0] + 1, jax.nn.relu(s[1]) - 1, s[2].at[s[0]].set(s[1][0]))
        init = (0, jax.nn.relu(x), jnp.zeros(3))
        return lax.while_loop(lambda s: s[0] < 3, step, init)[2]

    key = jax.random.key(0)
    values = replace_activations(fn, {"relu": "n_relu"}, key=key)(jnp.full(4, -1.0))
    assert len(set(np.asarray(values).tolist())) == 3


def test_a_sites_noise_does_not_depend_on_the_others():
    fn = lambda x: (jax.nn.relu(x), jax.nn.relu(x - 1))
    key = jax.random.key(0)
    both = replace_activations(fn, {"relu": "n_relu"}, key=key)(X)
    last = replace_activations(fn, {"relu_1": "n_relu"}, key=key)(X)
    np.testing.assert_array_equal(both[1], last[1])


def test_vmap_over_keys_gives_members_their_own_noise():
    net = replace_activations(jax.nn.relu, {"relu": "n_relu"})
    keys = jax.random.split(jax.random.key(0), 3)
    batched = jax.vmap(lambda key: net.apply({}, X, key=key))(keys)
    for key, member in zip(keys, batched, strict=True):
        np.testing.assert_array_equal(member, net.apply({}, X, key=key))
    assert not np.array_equal(batched[0], batched[1])


def test_evaluation_needs_no_key():
    net = replace_activations(jax.nn.relu, {"relu": "n_relu"}, train=False)
    np.testing.assert_array_equal(net(X), jax.nn.relu(X))
    np.testing.assert_array_equal(net.apply({}, X, train=False), jax.nn.relu(X))


def test_learnable_replacement():
    fn = lambda w, x: jax.nn.relu(x @ w).sum()
    net = replace_activations(fn, {"relu": "prelu(axis=-1)"})
    w = jnp.eye(4)
    params = net.init(w, X)
    assert jax.tree.map(jnp.shape, params) == {"relu_0": {"alpha": (4,)}}
    loss = lambda params, w: net.apply(params, w, X)
    gradient = jax.jit(jax.grad(loss))(params, w)["relu_0"]["alpha"]
    np.testing.assert_allclose(gradient, jnp.minimum(X, 0).sum(0), rtol=1e-6)
    np.testing.assert_allclose(net(w, X), loss(params, w))


def test_learnable_replacement_in_a_scan_is_shared_or_per_iteration():
    step = lambda c, _: (jax.nn.relu(c), None)
    fn = lambda x: lax.scan(step, x, None, length=3)[0]
    shared = replace_activations(fn, {"relu": "prelu"})
    assert shared.init(-1.0 * X)["scan/relu_0"]["alpha"].shape == ()
    own = replace_activations(fn, {"relu": "prelu"}, per_iteration=True)
    params = own.init(X)
    assert params["scan/relu_0"]["alpha"].shape == (3,)
    params = {"scan/relu_0": {"alpha": jnp.array([1.0, 2.0, 3.0])}}
    np.testing.assert_allclose(own.apply(params, X), jnp.where(X > 0, X, 6 * X))


def layers(act):
    """`fn(w, x)`: three layers in a scan, each computed again in the backward pass."""
    step = jax.checkpoint(lambda c, w: (act(c * w), None))
    return lambda w, x: (lax.scan(step, x, w)[0] ** 2).sum()


W = jnp.array([1.5, -0.8, 1.2])


def test_gradient_of_a_stochastic_replacement_through_scan_and_remat():
    key = jax.random.key(0)
    net = replace_activations(layers(jax.nn.relu), {"relu": "n_relu(sigma=0.5)"})
    loss = jax.jit(lambda w: net.apply({}, w, X, key=key))
    _, seen = net.capture({}, W, X, key=key)
    (site,) = seen.values()
    inputs = jnp.stack([X, *site.post[:-1]])
    np.testing.assert_allclose(site.pre, inputs * W[:, None, None], rtol=1e-6)
    # The noise where the input is not positive does not depend on it.
    into, expected = 2 * site.post[-1], []
    for i in reversed(range(3)):
        through = into * (site.pre[i] > 0)
        expected.append((through * inputs[i]).sum())
        into = through * W[i]
    np.testing.assert_allclose(jax.grad(loss)(W), expected[::-1], rtol=1e-5)


@pytest.mark.parametrize("per_iteration", [True, *slow(False)])
def test_gradient_of_a_learnable_replacement_through_scan_and_remat(per_iteration):
    fn = layers(jax.nn.relu)
    net = replace_activations(fn, {"relu": "prelu"}, per_iteration=per_iteration)
    alpha = jnp.array([0.1, 0.2, 0.3]) if per_iteration else jnp.array(0.25)

    def written_out(alpha, w):
        x = X
        for a, scale in zip(jnp.broadcast_to(alpha, 3), w, strict=True):
            x = jnp.where(x * scale > 0, x * scale, a * x * scale)
        return (x**2).sum()

    params = {"scan/checkpoint/relu_0": {"alpha": alpha}}
    assert jax.tree.map(jnp.shape, net.init(W, X)) == jax.tree.map(jnp.shape, params)
    loss = lambda params, w: net.apply(params, w, X)
    of_params, of_w = jax.jit(jax.grad(loss, (0, 1)))(params, W)
    expected = jax.grad(written_out, (0, 1))(alpha, W)
    (of_alpha,) = jax.tree.leaves(of_params)
    np.testing.assert_allclose(of_alpha, expected[0], rtol=1e-5)
    np.testing.assert_allclose(of_w, expected[1], rtol=1e-5)


def test_comparing_takes_no_memory():
    shape = jax.ShapeDtypeStruct((1 << 20, 1 << 20), jnp.float32)
    for fn in (jax.nn.relu, jax.nn.gelu, jax.nn.leaky_relu, lambda x: x * (x > 0)):
        (site,) = find_activations(fn, shape)
        net = replace_activations(fn, {site.activation: site.activation})
        assert str(jax.make_jaxpr(net)(shape)) == str(jax.make_jaxpr(fn)(shape))
        assert net.init(shape) == {}


def test_what_is_only_called_by_the_name_is_no_identity():
    @jax.jit
    def relu(x):
        return jax.nn.relu(x) - 0.1

    new = replace_activations(relu, {"relu": "relu"})
    for x in (X, X[0, :1], X[0, 0]):
        np.testing.assert_array_equal(new(x), jax.nn.relu(x))


def test_a_replaced_softplus_is_replaced_whole():
    new = replace_activations(lambda x: jnp.logaddexp(x, 0.0), {"softplus": "relu"})
    np.testing.assert_array_equal(new(X), jax.nn.relu(X))


def test_signal_reaches_the_activation():
    net = replace_activations(jax.nn.relu, {"relu": "arelu"})
    expected = jnp.where(X > 0, X, 0.3 * X)
    np.testing.assert_allclose(net.apply({}, X, signal=0.3), expected)
    np.testing.assert_allclose(net.apply({}, X, signal={"loss": 0.3}), expected)


def test_replaced_functions_can_be_replaced_again():
    once = replace_activations(jax.nn.relu, {"relu": "leaky_relu"})
    twice = replace_activations(once, {"leaky_relu": "tanh"})
    np.testing.assert_array_equal(twice(X), jnp.tanh(X))


def test_dtype_is_kept():
    x = X.astype(jnp.bfloat16)
    net = replace_activations(jax.nn.relu, {"relu": "n_relu"}, key=jax.random.key(0))
    assert net(x).dtype == jnp.bfloat16


@pytest.mark.parametrize(
    ("fn", "names"),
    [
        (jax.nn.hard_silu, ["hard_swish", "hard_silu"]),
        (lambda x: x * jax.nn.relu6(x + 3) / 6, ["hard_swish", "hard_silu"]),
        (jax.nn.silu, ["silu", "swish"]),
        (jax.nn.leaky_relu, ["leaky_relu", "lrelu"]),
    ],
)
def test_an_activation_goes_by_all_its_names(fn, names):
    net = lambda x: fn(2 * x)
    for name in names:
        same = replace_activations(net, {name: names[0]})
        np.testing.assert_allclose(same(X), net(X), rtol=1e-6, atol=1e-7)
        other = replace_activations(net, {name: "relu"})
        np.testing.assert_array_equal(other(X), jax.nn.relu(2 * X))
        assert len(relujax.capture(net, sites=name)(X)[1]) == 1


@pytest.mark.parametrize(
    "spec", ["n_relu", "gelu", *slow("elu", "prelu", "hard_swish")]
)
def test_a_replacement_stands_where_the_old_one_does(spec):
    net = lambda x: jax.nn.relu(2 * x)
    (old,) = find_activations(net, X)
    replaced = replace_activations(net, {"relu": spec}, train=False)
    (new,) = find_activations(replaced, X)
    assert old.source == new.source and old.path == new.path
    assert "test_replace.py" in new.source
    again = replace_activations(replaced, {"*test_replace.py:*": "relu"})
    np.testing.assert_array_equal(again(X), net(X))


def test_bad_input_is_one_sentence():
    relu = jax.nn.relu
    with pytest.raises(InputError, match="Did you mean 'relu'"):
        replace_activations(relu, {"relu": "rleu"})
    with pytest.raises(InputError, match="Expected what to replace"):
        replace_activations(relu, {})
    with pytest.raises(InputError, match="found none"):
        replace_activations(jnp.sin, {"relu": "tanh"})(X)
    with pytest.raises(InputError, match="Unknown site or activation"):
        replace_activations(relu, {"gelu": "tanh"})(X)
    with pytest.raises(InputError, match="Expected a key for the stochastic"):
        replace_activations(relu, {"relu": "n_relu"})(X)
    with pytest.raises(InputError, match="replace first, then differentiate"):
        grad = jax.grad(lambda x: relu(x).sum())
        replace_activations(grad, {"relu": "tanh"})(X)
    with pytest.raises(InputError, match="keeps the shape"):
        replace_activations(relu, {"relu": "crelu"})(X)
    with pytest.raises(InputError, match=r"\.init"):
        replace_activations(relu, {"relu": "prelu"}).apply({}, X)
