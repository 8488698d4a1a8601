"""Batches through a compiled program, several at a time."""

import jax
import jax.numpy as jnp
import pytest
from jax.core import Tracer

from relujax.instruments._pipeline import Programs, in_order


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
