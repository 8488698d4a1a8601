"""Activations told by their values, what is not recognised, and what is none."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from full import slow
from jax.scipy.special import ndtr
from jax.scipy.stats import norm

import relujax
from relujax import InputError, diagnose, find_activations, replace_activations

X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
W = jnp.asarray(np.random.default_rng(1).normal(size=(4, 4)), jnp.float32)
relu, sigmoid = jax.nn.relu, jax.nn.sigmoid

SPELT = [
    ("relu", lambda x: (x + jnp.abs(x)) / 2),
    ("relu", lambda x: (x + jnp.sqrt(x * x)) / 2),
    ("relu", lambda x: -jnp.minimum(-x, 0)),
    ("relu", lambda x: jnp.select([x > 0], [x], 0)),
    ("relu", lambda x: jnp.where(~(x > 0), 0, x)),
    ("relu", lambda x: jnp.where((x > 0) & True, x, 0)),
    ("relu", lambda x: jnp.where(x > 0, jnp.where(x > 0, x, 1.0), 0.0)),
    ("relu", lambda x: x * jnp.heaviside(x, 0)),
    ("relu", lambda x: x * (jnp.sign(x) + 1) / 2),
    ("relu", lambda x: x * (x > 0)),
    ("relu", lambda x: jnp.fmax(x, 0)),
    ("relu", lambda x: jnp.max(jnp.stack([x, jnp.zeros_like(x)]), 0)),
    ("relu", lambda x: jnp.array([x, 0 * x]).max(0)),
    ("relu", lambda x: jnp.concatenate([x[None], 0 * x[None]]).max(0)),
    ("relu", lambda x: jnp.amax(jnp.stack([0 * x, x]), axis=0)),
    ("relu", lambda x: jax.lax.reduce_max(jnp.stack([0 * x, x]), (0,))),
    ("relu", jax.vmap(jax.vmap(lambda x: jnp.max(jnp.array([x, 0.0]))))),
    (
        "relu",
        jax.vmap(jax.vmap(lambda x: jax.lax.cond(x > 0, abs, lambda x: 0 * x, x))),
    ),
    ("relu", lambda x: jnp.maximum.reduce(jnp.stack([x, jnp.zeros_like(x)]))),
    ("relu", lambda x: jnp.stack([x, jnp.zeros_like(x)], -1).max(-1)),
    ("relu", lambda x: x.at[...].max(0)),
    ("relu", lambda x: jnp.zeros_like(x).at[:].max(x)),
    ("relu", lambda x: jnp.sort(jnp.stack([x, jnp.zeros_like(x)]), 0)[1]),
    ("relu", lambda x: jax.lax.top_k(jnp.stack([x, 0 * x], -1), 1)[0][..., 0]),
    ("relu", lambda x: jax.lax.cummax(jnp.stack([0 * x, x]), axis=0)[1]),
    ("relu", lambda x: jnp.nanmax(jnp.stack([x, 0 * x]), axis=0)),
    ("relu", lambda x: jnp.append(x[..., None], 0 * x[..., None], -1).max(-1)),
    ("relu", lambda x: jnp.dstack([x, 0 * x]).max(-1)),
    ("relu", lambda x: jnp.pad(x[..., None], [(0, 0), (0, 0), (0, 1)]).max(-1)),
    ("relu", lambda x: jnp.einsum("bi,bi->bi", x, (x > 0).astype(x.dtype))),
    ("leaky_relu", lambda x: relu(x) - 0.1 * relu(-x)),
    (
        "softplus",
        lambda x: jax.nn.logsumexp(jnp.stack([x, jnp.zeros_like(x)]), axis=0),
    ),
    ("softplus", lambda x: jnp.log1p(jnp.exp(x))),
    ("softplus", lambda x: jnp.maximum(x, 0) + jnp.log1p(jnp.exp(-jnp.abs(x)))),
    ("sigmoid", lambda x: 1 / (1 + jnp.exp(-x))),
    ("silu", lambda x: x * (1 / (1 + jnp.exp(-x)))),
    ("silu", lambda x: x * jnp.exp(x) / (1 + jnp.exp(x))),
    ("tanh", lambda x: (jnp.exp(x) - jnp.exp(-x)) / (jnp.exp(x) + jnp.exp(-x))),
    ("gelu", lambda x: x * norm.cdf(x)),
    ("gelu", lambda x: x * ndtr(x)),
    ("soft_sign", lambda x: x / (1 + jnp.abs(x))),
    ("squareplus", lambda x: (x + jnp.sqrt(x**2 + 4)) / 2),
    ("hard_swish", lambda x: x * jnp.clip(x + 3, 0, 6) / 6),
    ("hard_swish", lambda x: jnp.where(x < -3, 0, x * jnp.minimum(x + 3, 6) / 6)),
    ("hard_tanh", lambda x: jnp.clip(x, -1, 1)),
    ("hard_tanh", lambda x: jnp.minimum(1, jnp.maximum(x, -1))),
    ("hard_sigmoid", lambda x: jnp.clip(x / 6 + 0.5, 0, 1)),
    ("mish", lambda x: x * jnp.tanh(jnp.log(1 + jnp.exp(x)))),
    ("elu", lambda x: jnp.maximum(x, 0) + jnp.expm1(jnp.minimum(x, 0))),
    ("elu", lambda x: jnp.where(x > 0, x, jnp.exp(x) - 1)),
    ("elu", lambda x: jnp.where(x > 0, x, jnp.expm1(jnp.where(x > 0, 0.0, x)))),
    (
        "selu",
        lambda x: 1.0507009873554805 * jnp.where(x > 0, x, 1.67326324 * jnp.expm1(x)),
    ),
]


@pytest.mark.parametrize(
    ("name", "fn"),
    [*SPELT[::2], *(pytest.param(*s, marks=pytest.mark.slow) for s in SPELT[1::2])],
)
def test_a_spelling_is_one_site_and_computes_the_same(name, fn):
    net = lambda x: 2 * fn(x @ W)
    (site,) = find_activations(net, X)
    assert site.activation == name
    seen = relujax.capture(net)(X)[1][site.id]
    np.testing.assert_allclose(seen.pre, X @ W, rtol=1e-5, atol=1e-6)
    known = getattr(jax.nn, name)
    settings = {"leaky_relu": {"negative_slope": 0.1}, "gelu": {"approximate": False}}
    form = functools.partial(known, **settings.get(name, {}))
    np.testing.assert_allclose(seen.post, form(seen.pre), rtol=1e-4, atol=1e-5)
    same = replace_activations(net, {name: form})
    np.testing.assert_allclose(same(X), net(X), rtol=1e-4, atol=1e-5)


UNKNOWN = [
    jnp.sin,
    jnp.arctan,
    lambda x: jnp.exp(-(x**2)),
    lambda x: jnp.sign(x) * jnp.log1p(jnp.abs(x)),
    lambda x: jnp.piecewise(x, [x > 0], [lambda x: x, 0.0]),
    lambda x: x**2,
    lambda x: x * x,
    lambda x: x + 0.1 * x**3,
    lambda x: jnp.clip(x, -20, 2),
    lambda x: jnp.clip(0.2 * x + 0.5, 0, 1),
    jnp.round,
    jnp.arcsinh,
    lambda x: jnp.mod(x, 1.0),
    jnp.sinc,
    lambda x: x.at[jnp.arange(9)].max(0.0),
    lambda x: jnp.choose((x > 0).astype(int), [0 * x, x], mode="clip"),
    lambda x: jnp.maximum(x[:, :2], x[:, 2:]) @ jnp.ones((2, 4)),
    lambda x: jax.pure_callback(np.abs, x, x, vmap_method="broadcast_all"),
    lambda x: jax.lax.bitcast_convert_type(
        jax.lax.bitcast_convert_type(x, jnp.int32) & 0x7FFFFFFF, jnp.float32
    ),
]


def test_the_gate_of_a_glu_is_a_site_at_the_line_of_the_call():
    for fn in (lambda x: jax.nn.glu(x @ W), lambda x: jax.nn.glu(x @ W @ W)):
        (site,) = find_activations(fn, X)
        assert site.activation == "sigmoid"
        assert site.source.endswith(f"spellings.py:{fn.__code__.co_firstlineno}")


def test_what_leads_nowhere_is_not_named():
    def fn(p, x):
        jnp.sin(x @ p)
        jnp.where(jnp.ones((1, 1), bool), x @ p, -jnp.inf)
        return relu(x @ p)

    assert diagnose(fn, X, params=W).unnamed == ()


@pytest.mark.parametrize("act", [*UNKNOWN[::3], *slow(*UNKNOWN[1::3], *UNKNOWN[2::3])])
def test_what_is_not_recognised_is_named(act):
    line = act.__code__.co_firstlineno if hasattr(act, "__code__") else None
    alone = lambda p, x: act(x @ p)
    with pytest.raises(InputError, match="1 elementwise nonlinearity was not recogni"):
        diagnose(alone, X, params=W)
    beside = lambda p, x: act(relu(x @ p) @ p)
    result = diagnose(beside, X, params=W)
    (place,) = result.unnamed
    assert "test_spellings.py" in place and (line is None or "spellings" in place)
    last = result.summary().split("\n")[-1]
    assert last == f"1 elementwise nonlinearity was not recognised, at {place}."


def layer_norm(x):
    centred = x - x.mean(-1, keepdims=True)
    spread = jnp.mean(jnp.square(centred), -1, keepdims=True)
    return centred / jnp.sqrt(spread + 1e-6)


def softmax(x):
    exps = jnp.exp(x - x.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def batch_norm(x):
    centred = x - x.mean(0, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(0, keepdims=True) + 1e-6)


def batch_norm_of_squares(x):
    mean = x.mean(0, keepdims=True)
    variance = (x * x).mean(0, keepdims=True) - mean**2
    return (x - mean) * jax.lax.rsqrt(variance + 1e-6)


def attention(x):
    exps = jnp.exp(x[:, None] - x[None])
    return (exps / exps.sum(1, keepdims=True)).sum(1)


@pytest.mark.parametrize(
    "fn",
    [
        layer_norm,
        batch_norm,
        batch_norm_of_squares,
        attention,
        softmax,
        lambda x: x * jax.lax.rsqrt((x**2).mean(-1, keepdims=True)),
        jax.nn.softmax,
        lambda x: x * sigmoid(1.7 * x),
        lambda x: x + relu(x),
        lambda x: relu(x) ** 2,
        lambda x: x / jnp.linalg.norm(x, axis=-1, keepdims=True),
        lambda x: 3 * x - 1,
        jnp.nan_to_num,
        lambda x: jnp.stack([x, 0 * x], -1).reshape(len(x), -1),
        lambda x: jnp.sort(x, -1),
        lambda x: jnp.stack([x[:, :2], -x[:, 2:]], -1).sum(-1),
    ],
)
def test_arithmetic_is_not_called_a_nonlinearity(fn):
    result = diagnose(lambda p, x: fn(relu(x @ p) @ p), X, params=W)
    assert result.unnamed == ()


def clamped(p, x):
    """A network that standardises: a variance by a difference of means."""
    h = jnp.maximum(x @ p, 0)
    variance = (h**2).mean(-1, keepdims=True) - h.mean(-1, keepdims=True) ** 2
    return h / jnp.sqrt(jnp.maximum(variance, 0) + 1e-6)


def hinge(p, x, y):
    scores = jnp.maximum(x @ p, 0) @ p
    return jnp.maximum(1 - y * scores, 0).mean()


def scheduled(p, x, step):
    return jnp.maximum(x @ p, 0) * jnp.maximum(1 - step / 100, 0)


def padded(p, x):
    return jnp.maximum(jnp.maximum(x, 0) @ p, 0)


@pytest.mark.parametrize(
    ("fn", "more"),
    [
        (clamped, ()),
        (hinge, (jnp.ones((9, 4)),)),
        (scheduled, (jnp.float32(3),)),
        (padded, ()),
    ],
)
def test_what_only_looks_like_a_rectifier_is_left_alone(fn, more):
    assert [site.id for site in find_activations(fn, W, X, *more)] == ["relu_0"]


def test_the_rest_is_excluded_by_pattern():
    def fn(p, x):
        corners = jnp.maximum(x @ p, 0)
        with jax.named_scope("overlap"):
            return jnp.maximum(corners - 1, 0)

    assert [s.id for s in find_activations(fn, W, X)] == ["relu_0", "overlap/relu_0"]
    line = fn.__code__.co_firstlineno + 3
    for pattern in ("overlap*", "*/relu_0", "overlap", f"*spellings.py:{line}*"):
        result = diagnose(fn, X, params=W, exclude=pattern)
        assert list(result.statistics) == ["relu_0"]
        monitor = relujax.Monitor(fn, X, exclude=[pattern])
        assert list(monitor.record(0, W).statistics) == ["relu_0"]
        assert list(relujax.capture(fn, exclude=pattern)(W, X)[1]) == ["relu_0"]
        replaced = replace_activations(fn, {"relu": "elu"}, exclude=pattern)
        only = replace_activations(fn, {"relu_0": "elu"})
        np.testing.assert_array_equal(replaced(W, X), only(W, X))
    assert list(diagnose(fn, X, params=W, sites="overlap*").statistics) == [
        "overlap/relu_0"
    ]
    by_place = replace_activations(fn, {f"*.py:{line}": "elu"})
    by_id = replace_activations(fn, {"overlap/relu_0": "elu"})
    np.testing.assert_array_equal(by_place(W, X), by_id(W, X))
    with pytest.raises(InputError, match="Unknown site or activation"):
        diagnose(fn, X, params=W, exclude="*nothing.py*")
