"""bfloat16 computation with float32 parameters, losses and statistics."""

import jax
import jax.numpy as jnp
import pytest
from full import slow

from relujax import Cell, InputError, load_dataset
from relujax.engine import Member, Plan, train_population
from relujax.engine._network import Members
from relujax.engine._program import compile_program, put_on_device
from relujax.networks import MLP, from_linen, in_bfloat16
from relujax.training import streams


def cell(compute="bfloat16", **changes) -> Cell:
    settings = {
        "data": "wdbc",
        "model": "mlp(hidden=(16, 8), dropout=0.1)",
        "activation": "relu",
        "optimizer": "adam(learning_rate=0.01)",
        "objective": "binary_cross_entropy",
        "batch_size": 64,
        "epochs": 5,
    }
    return Cell(compute=compute, **{**settings, **changes})


def types(*trees) -> set[str]:
    """The types of the arrays of floats."""
    leaves = jax.tree.leaves(trees)
    return {str(a.dtype) for a in leaves if jnp.issubdtype(a.dtype, jnp.floating)}


def products(jaxpr) -> set[str]:
    """The types of all matrix products of a program, inner ones included."""
    found = set()
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            found |= {str(v.aval.dtype) for v in equation.invars}
        for value in jax.tree.leaves(
            list(equation.params.values()), is_leaf=lambda v: hasattr(v, "eqns")
        ):
            inner = getattr(value, "jaxpr", value)
            if hasattr(inner, "eqns"):
                found |= products(inner)
    return found


@pytest.mark.parametrize(
    "activation", ["n_relu", *slow("prelu", "relu", "arelu", "gelu")]
)
def test_every_product_forward_and_backward_is_bfloat16(activation):
    model = in_bfloat16(from_linen(MLP(1, activation, hidden=(4, 3), dropout=0.1)))
    keys = streams(0, 0)
    x = jnp.ones((5, 7))
    params, state = jax.jit(model.init)(keys.init, x)
    rngs = {"activation": keys.activation, "dropout": keys.dropout}

    def loss(params):
        y, changed, _ = model.apply(params, state, x, rngs=rngs, train=True)
        return y.sum(), changed

    gradient = jax.make_jaxpr(jax.grad(loss, has_aux=True))(params)
    assert products(gradient.jaxpr) == {"bfloat16"}
    grads, changed = jax.eval_shape(jax.grad(loss, has_aux=True), params)
    assert types(params, grads) == {"float32"}
    dtype = lambda leaf: leaf.dtype
    assert jax.tree.map(dtype, changed) == jax.tree.map(dtype, state)
    y, _, layers = jax.eval_shape(model.apply, params, state, x)
    assert types(y, layers) == {"float32"}


def test_the_state_of_training_is_float32():
    data = load_dataset("wdbc")
    program = compile_program(cell(), data, root=0, plan=Plan("map"))
    numbers = jax.tree.map(lambda v: jnp.full(1, v), cell().hyperparameters)
    members = Members(jnp.zeros(1, jnp.int32), numbers)
    counts = jnp.ones(1, jnp.int32)
    states = program.start(counts, members)
    shared = (put_on_device(data, Plan("map")), jnp.array([0, 1]))
    states, packed = program.advance(counts, states, members, shared)
    assert types(states.train.params, states.train.opt_state, packed) == {"float32"}


def test_training_reaches_a_similar_loss():
    data = load_dataset("wdbc")
    ends = []
    for compute in ("float32", "bfloat16"):
        members = [Member(cell(compute), seed) for seed in range(3)]
        ((_, frame),) = train_population(members, data, root=0, plan=Plan("map"))
        end = frame.query("epoch == 5 and split == 'train'")["loss"]
        start = frame.query("epoch == 0 and split == 'train'")["loss"]
        assert end.mean() < start.mean() / 3
        ends.append(end.mean())
    assert ends[1] == pytest.approx(ends[0], rel=0.1)
    assert ends[1] != ends[0]


@pytest.mark.parametrize(
    "model", ["cnn(filters=(2,), hidden=(4,))", *slow("deep_mlp(width=16)")]
)
def test_the_other_networks_train_too(model):
    image = model.startswith("cnn")
    changes = {"data": "digits", "objective": "softmax_cross_entropy"} if image else {}
    if not image:
        changes = {"data": "wine", "objective": "softmax_cross_entropy"}
    chosen = cell(model=model, epochs=1, **changes)
    data = load_dataset(chosen.data)
    ((_, frame),) = train_population(
        [Member(chosen, 0)], data, root=0, plan=Plan("map")
    )
    assert not frame["diverged"].any()


def test_the_type_is_part_of_the_name_of_results_and_checked():
    assert cell().digest("x", 0) != cell("float32").digest("x", 0)
    with pytest.raises(InputError, match="Did you mean 'bfloat16'"):
        cell("bfloat")
