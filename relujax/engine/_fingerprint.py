"""A hash of what trains a cell: whether stored numbers are still those of the code.

A cell's name does not change when the code of a part does. Its fingerprint does. With a
part of the user's it is the text of the jaxprs of one network's `init`, `step` and
`evaluate`, constants by content: the same in every process of one version of JAX and of
relujax. With parts of the library alone it is the hash of the library's source.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import relujax

# Functions and objects in the parameters of equations print their addresses.
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


# The folders and files of the package that decide a network's numbers.
_SOURCES = ("activations", "kernels", "networks", "training", "linen.py", "engine")


@cache
def source_fingerprint() -> str:
    """The hash of the library's source, as far as it decides a network's numbers."""
    package = Path(relujax.__file__).parent
    files = [package / name for name in _SOURCES if name.endswith(".py")]
    for name in _SOURCES:
        files += sorted((package / name).rglob("*.py"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def fingerprint(*programs: Any) -> str:
    """The hash of closed jaxprs."""
    digest = hashlib.sha256()
    for program in programs:
        digest.update(_ADDRESS.sub("", str(program)).encode())
        for constant in _constants(program):
            array = np.asarray(constant)
            digest.update(f"{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _constants(program: Any) -> Iterator[Any]:
    """The constants of a closed jaxpr and of those in its equations, in order."""
    jaxpr = getattr(program, "jaxpr", program)
    for constant in getattr(program, "consts", ()):
        if hasattr(constant, "dtype") and hasattr(constant, "shape"):
            yield _plain(constant)
    for equation in jaxpr.eqns:
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if hasattr(getattr(inner, "jaxpr", inner), "eqns"):
                    yield from _constants(inner)


def _plain(constant: Any) -> Any:
    """Typed PRNG keys as their bits."""
    if jnp.issubdtype(constant.dtype, jax.dtypes.prng_key):
        return jax.random.key_data(constant)
    return constant
