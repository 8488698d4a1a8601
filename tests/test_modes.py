"""Whether noise comes: said by call or module, under every transformation."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from full import slow

import relujax
from relujax import InputError
from relujax.linen import Activation, mode

X, KEY = -jnp.ones((4, 3)), jax.random.key(0)
RNGS = {"activation": KEY}

STATIC = {"static_argnums": (2,)}
SPELLINGS = {
    "keyword": lambda train: Activation("n_relu").apply({}, X, train=train, rngs=RNGS),
    "position": lambda train: Activation("n_relu").apply({}, X, train, rngs=RNGS),
    "deterministic": lambda train: Activation("n_relu").apply(
        {}, X, deterministic=not train, rngs=RNGS
    ),
    "module": lambda train: Activation("n_relu", train=train).apply({}, X, rngs=RNGS),
    "module, deterministic": lambda train: Activation(
        "n_relu", deterministic=not train
    ).apply({}, X, rngs=RNGS),
    "the call wins": lambda train: Activation("n_relu", train=not train).apply(
        {}, X, train, rngs=RNGS
    ),
    "mode": lambda train: _in_mode(train),
    "sequential": lambda train: nn.Sequential(
        [lambda x: x, Activation("n_relu", train=train)]
    ).apply({}, X, rngs=RNGS),
    "remat": lambda train: nn.remat(Activation)("n_relu").apply(
        {}, X, train=train, rngs=RNGS
    ),
    "remat, deterministic": lambda train: nn.remat(Activation)("n_relu").apply(
        {}, X, deterministic=not train, rngs=RNGS
    ),
    "remat, static": lambda train: nn.remat(Activation, **STATIC)("n_relu").apply(
        {}, X, train, rngs=RNGS
    ),
    "jit": lambda train: nn.jit(Activation)("n_relu").apply(
        {}, X, train=train, rngs=RNGS
    ),
    "jit, static": lambda train: nn.jit(Activation, **STATIC)("n_relu").apply(
        {}, X, train, rngs=RNGS
    ),
    "jit around apply": lambda train: jax.jit(
        lambda train: Activation("n_relu").apply({}, X, train, rngs=RNGS)
    )(train),
    "vmap": lambda train: _mapped("n_relu")(X, train),
    "vmap, module": lambda train: _mapped("n_relu", train=train)(X, None),
    "scan": lambda train: _scanned(train),
    "nnx": lambda train: relujax.nnx.Activation("n_relu")(
        X, train, rngs=nnx.Rngs(activation=0)
    ),
    "nnx, deterministic": lambda train: relujax.nnx.Activation("n_relu")(
        X, deterministic=not train, rngs=nnx.Rngs(0)
    ),
    "nnx, module": lambda train: relujax.nnx.Activation(
        "n_relu", train=train, rngs=nnx.Rngs(activation=0)
    )(X),
    "nnx, sequential": lambda train: _nnx_sequential(train),
    "nnx, remat": lambda train: nnx.remat(lambda layer, x: layer(x, train, rngs=KEY))(
        relujax.nnx.Activation("n_relu"), X
    ),
}


def _in_mode(train):
    with mode(train=train):
        return Activation("n_relu").apply({}, X, rngs=RNGS)


def _mapped(*args, **options):
    mapped = nn.vmap(
        Activation,
        in_axes=(0, None),
        variable_axes={},
        split_rngs={"activation": True},
    )
    return lambda x, train: mapped(*args, **options).apply({}, x, train, rngs=RNGS)


def _scanned(train):
    class Layer(nn.Module):
        @nn.compact
        def __call__(self, x, _):
            return x, Activation("n_relu", train=train)(x)

    layers = nn.scan(Layer, split_rngs={"activation": True}, length=2)()
    return layers.apply({}, X, None, rngs=RNGS)[1]


def _nnx_sequential(train):
    layer = relujax.nnx.Activation("n_relu", rngs=nnx.Rngs(activation=0))
    net = nnx.Sequential(nnx.Dropout(0.0), layer)
    net.train() if train else net.eval()
    return nnx.jit(lambda net, x: net(x))(net, X)


# Each way once: those of Linen and of NNX, by call, by module and transformed.
KINDS = (
    *("keyword", "deterministic", "the call wins", "mode", "sequential"),
    *("remat, deterministic", "vmap", "scan"),
    *("nnx", "nnx, deterministic", "nnx, module", "nnx, sequential"),
)
REST = [spelling for spelling in SPELLINGS if spelling not in KINDS]


@pytest.mark.parametrize("spelling", [*KINDS, *slow(*REST)])
def test_noise_comes_when_it_is_asked_for(spelling):
    trained, evaluated = SPELLINGS[spelling](True), SPELLINGS[spelling](False)
    # A draw of its own for every element, mapped and scanned ones too.
    assert len(np.unique(trained)) == np.size(trained)
    np.testing.assert_array_equal(evaluated, np.zeros_like(evaluated))


UNTOLD = {
    "module": lambda: Activation("n_relu").apply({}, X),
    "module, with a stream": lambda: Activation("n_relu").apply({}, X, rngs=RNGS),
    "sequential": lambda: nn.Sequential([nn.relu, Activation("n_relu")]).apply({}, X),
    "vmap, which drops keywords": lambda: nn.vmap(Activation, variable_axes={})(
        "n_relu"
    ).apply({}, X),
    "nnx": lambda: relujax.nnx.Activation("n_relu")(X, rngs=nnx.Rngs(0)),
    "nnx, sequential": lambda: nnx.Sequential(relujax.nnx.Activation("n_relu"))(X),
}


@pytest.mark.parametrize("how", UNTOLD)
def test_noise_that_nobody_mentions_is_refused(how):
    with pytest.raises(InputError, match="whether n_relu draws its noise, got no flag"):
        UNTOLD[how]()


STREAMLESS = {
    "call": lambda: Activation("n_relu").apply({}, X, True),
    "module": lambda: Activation("n_relu", train=True).apply({}, X),
    "another stream": lambda: Activation("n_relu", train=True).apply(
        {}, X, rngs={"dropout": KEY, "params": KEY}
    ),
    "remat": lambda: nn.remat(Activation)("n_relu").apply({}, X, train=True),
    "nnx": lambda: relujax.nnx.Activation("n_relu")(X, True),
    "nnx, module": lambda: relujax.nnx.Activation("n_relu", train=True)(X),
    "nnx, another stream": lambda: relujax.nnx.Activation("n_relu")(
        X, True, rngs=nnx.Rngs(dropout=0)
    ),
}


@pytest.mark.parametrize("how", STREAMLESS)
def test_training_without_the_stream_is_refused(how):
    with pytest.raises(ValueError, match="Expected the 'activation' random stream"):
        STREAMLESS[how]()


def test_contradictions_are_refused():
    for attempt in (
        lambda: Activation("n_relu").apply({}, X, True, deterministic=True),
        lambda: Activation("n_relu", train=True, deterministic=True).apply({}, X),
        lambda: relujax.nnx.Activation("n_relu", train=True, deterministic=True),
        lambda: relujax.nnx.Activation("n_relu")(X, True, deterministic=True),
    ):
        with pytest.raises(InputError, match="Expected train or deterministic"):
            attempt()


def test_what_draws_nothing_needs_no_flag():
    for spec in ("relu", "prelu", "arelu"):
        layer = Activation(spec)
        y = layer.apply(layer.init(KEY, X), X)
        np.testing.assert_allclose(relujax.nnx.Activation(spec)(X), y)


def test_init_needs_no_flag_and_no_stream():
    for train in (None, True, False):
        net = nn.Sequential([nn.Dense(3), Activation("n_relu", train=train)])
        assert set(net.init(KEY, X)) == {"params"}


class Net(nn.Module):
    @nn.compact
    def __call__(self, x, train=False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(3)(x))
        for spec in ("n_relu", "prelu", "arelu"):
            x = Activation(spec)(x, train)
        return x


def test_init_returns_parameters_and_state_only():
    """The usual loop, `mutable=list(state)`, neither grows nor is traced again."""
    net = Net()
    variables = net.init(KEY, X)
    assert set(variables) == {"params", "batch_stats", "signal"}
    params, state = variables.pop("params"), variables
    traces = []

    @jax.jit
    def step(params, state):
        traces.append(state)
        variables = {"params": params, **state}
        _, state = net.apply(variables, X, True, rngs=RNGS, mutable=list(state))
        return state

    sizes = set()
    for _ in range(3):
        state = step(params, state)
        sizes.add(len(jax.tree.leaves(state)))
    assert len(sizes) == len(traces) == 1
    variables = {"params": params, **state}
    _, sown = net.apply(variables, X, mutable=["preactivations"])
    assert len(jax.tree.leaves(sown["preactivations"])) == 3


LEARNED = ("prelu", "srelu(trainable=True)", "arelu_attention", "prelu(axis=-1)")


@pytest.mark.parametrize("spec", [*LEARNED[:2], *slow(*LEARNED[2:])])
@pytest.mark.parametrize("dtype", ["bfloat16", *slow("float16")])
def test_learned_parameters_are_float32_whatever_the_input(spec, dtype):
    x = jnp.linspace(-2, 2, 6).astype(dtype).reshape(2, 3)
    layer = Activation(spec)
    variables = layer.init(KEY, x)
    module = relujax.nnx.Activation(spec, x.shape)
    held = nnx.state(module, nnx.Param)
    for leaf in (*jax.tree.leaves(variables), *jax.tree.leaves(held)):
        assert leaf.dtype == jnp.float32
    assert layer.apply(variables, x).dtype == module(x).dtype == x.dtype
    other = Activation(spec, param_dtype=jnp.bfloat16).init(KEY, x)
    assert {leaf.dtype for leaf in jax.tree.leaves(other)} == {jnp.dtype("bfloat16")}
    grads = jax.grad(lambda v: layer.apply(v, x).sum().astype("f4"))(variables)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(grads))
