"""The options that programs are compiled with."""

import jax
import numpy as np

from relujax.kernels import compiler


def test_an_option_that_xla_has_is_taken():
    options = compiler.compiler_options()
    assert options == {"xla_cpu_prefer_vector_width": 512}
    x = np.linspace(-3, 3, 100, dtype=np.float32)
    wide = jax.jit(jax.numpy.maximum, compiler_options=options)
    np.testing.assert_array_equal(wide(x, 0), np.maximum(x, 0))


def test_an_option_that_xla_has_not_is_left_out(monkeypatch):
    """As in another version, which would refuse every program."""
    monkeypatch.setattr(compiler, "_WIDE", {"xla_cpu_prefer_nonsense": 512})
    assert compiler.compiler_options.__wrapped__() == {}
