"""Batches through a compiled program, several at a time."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.core import Tracer

from relujax import diagnose
from relujax.diagnosis import _diagnose
from relujax.diagnosis._packed import Packed, on_host
from relujax.diagnosis._pipeline import Programs, in_order


def test_results_come_in_order_and_few_calls_are_ahead():
    started = []

    def calls():
        for number in range(20):
            started.append(number)
            yield number, lambda number=number: number**2

    for number, square in in_order(calls()):
        assert square == number**2
        assert len(started) - number <= 5
    assert number == 19


def test_an_error_in_a_call_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(in_order((n, lambda n=n: 1 // (5 - n)) for n in range(20)))


def test_a_program_is_compiled_once_for_each_kind_of_argument():
    traced = []

    @jax.jit
    def square(x):
        traced.append((x.shape, x.dtype))
        return x * x

    programs = Programs(square)
    for shape in (2, 3, 2, 3):
        assert programs(jnp.ones(shape))().tolist() == [1.0] * shape
    assert programs(jnp.ones(2, int))().tolist() == [1, 1]
    assert [shape for shape, _ in traced] == [(2,), (3,), (2,)]


def test_what_is_not_to_be_compiled_runs_as_it_is():
    programs = Programs(jax.jit(lambda x: x if isinstance(x, Tracer) else x + 1))
    assert programs(jnp.zeros(1))().tolist() == [0.0]
    with jax.disable_jit():
        calls = [(None, programs(jnp.zeros(1)))]
        assert [result.tolist() for _, result in in_order(calls)] == [[1.0]]


@pytest.mark.parametrize("wide", [False, True])
def test_packed_arrays_keep_every_bit(wide):
    with jax.enable_x64(wide):
        tree = {
            "floats": jnp.array([[jnp.nan, -0.0], [jnp.inf, 1e-45]]),
            "ints": jnp.array([-(2**31), 2**31 - 1], jnp.int32),
            "nothing": (jnp.zeros((0, 3)), jnp.float32(1 / 3)),
        }
        same = on_host(jax.jit(Packed)(tree))
    assert jax.tree.structure(same) == jax.tree.structure(tree)
    for a, b in zip(jax.tree.leaves(same), jax.tree.leaves(tree), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        assert a.tobytes() == np.asarray(b).tobytes()


def test_a_diagnosis_whose_results_come_packed_is_the_same(monkeypatch):
    data = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    plain = diagnose(jax.nn.relu, data, batch_size=8).statistics["relu_0"]
    monkeypatch.setattr(_diagnose, "packed", Packed)
    packed = diagnose(jax.nn.relu, data, batch_size=8).statistics["relu_0"]
    jax.tree.map(np.testing.assert_array_equal, packed, plain)


def test_what_jax_was_told_holds_for_all_batches():
    with jax.enable_x64(True):
        data = np.full((12, 1), 1 + 1e-12)  # one in single precision
        result = diagnose(lambda x: jax.nn.relu(x - 1), data, batch_size=1)
    assert result.statistics["relu_0"].positive.tolist() == [12]


def test_an_error_while_a_batch_runs_is_raised():
    def stopped(x):
        raise RuntimeError("stopped here")

    def net(x):
        return jax.nn.relu(jax.pure_callback(stopped, x, x))

    with pytest.raises(RuntimeError, match="stopped here"):
        diagnose(net, np.ones((20, 2), np.float32), batch_size=1)
