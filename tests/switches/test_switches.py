"""Whatever a user has switched on, JAX's switches and the environment's: all works.

Each row is a process of its own that runs `everything.py`; the compiled programs of one
row serve the next.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EVERYTHING = Path(__file__).with_name("everything.py")

JAX = {
    "nothing": {},
    "debug_nans": {"JAX_DEBUG_NANS": "1"},
    "debug_infs": {"JAX_DEBUG_INFS": "1"},
    "debug_key_reuse": {"JAX_DEBUG_KEY_REUSE": "1"},
    "check_tracer_leaks": {"JAX_CHECK_TRACER_LEAKS": "1"},
    "x64": {"JAX_ENABLE_X64": "1"},
    "dtypes of 32 bits": {"JAX_DEFAULT_DTYPE_BITS": "32"},
    "strict dtype promotion": {"JAX_NUMPY_DTYPE_PROMOTION": "strict"},
    "no rank promotion": {"JAX_NUMPY_RANK_PROMOTION": "raise"},
    "threefry2x32": {"JAX_DEFAULT_PRNG_IMPL": "threefry2x32"},
    "rbg": {"JAX_DEFAULT_PRNG_IMPL": "rbg"},
    "unsafe_rbg": {"JAX_DEFAULT_PRNG_IMPL": "unsafe_rbg"},
    "custom_prng": {"JAX_ENABLE_CUSTOM_PRNG": "1"},
    "legacy keys are errors": {"JAX_LEGACY_PRNG_KEY": "error"},
    "old threefry": {"JAX_THREEFRY_PARTITIONABLE": "0"},
    "disable_jit": {"JAX_DISABLE_JIT": "1"},
    "transfer_guard": {"SWITCH": "guard"},
    "transfer_guard, log": {"JAX_TRANSFER_GUARD": "log"},
    "platforms": {"JAX_PLATFORMS": "cpu"},
    "matmul precision": {"JAX_DEFAULT_MATMUL_PRECISION": "bfloat16"},
    "traceback_filtering": {"JAX_TRACEBACK_FILTERING": "off"},
    "no compilation cache": {"JAX_ENABLE_COMPILATION_CACHE": "0"},
    "explicit mesh": {"SWITCH": "mesh"},
}

ENVIRONMENT = {
    "backend of notebooks": {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
    "backend that is not there": {"MPLBACKEND": "module://no.such.backend"},
    "agg": {"MPLBACKEND": "agg"},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C locale": {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "no home": {"HOME": None, "SWITCH": "nobody"},
    "home that cannot be written to": {"HOME": "/dev/null/home"},
    "deleted working directory": {"SWITCH": "deleted"},
    "no colour": {"NO_COLOR": "1"},
    "forced colour": {"FORCE_COLOR": "1"},
    "dumb terminal": {"TERM": "dumb"},
    "no terminal type": {"TERM": None},
    "narrow": {"COLUMNS": "20"},
    "very narrow": {"COLUMNS": "1"},
    "wide": {"COLUMNS": "400"},
    "columns that are no number": {"COLUMNS": "wide"},
    "optimised": {"PYTHONOPTIMIZE": "2"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
    "no bytecode": {"PYTHONDONTWRITEBYTECODE": "1"},
    "safe path": {"PYTHONSAFEPATH": "1"},
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A folder of compiled programs for all rows."""
    return tmp_path_factory.mktemp("compiled")


@pytest.mark.slow
@pytest.mark.parametrize("switch", [*JAX, *ENVIRONMENT])
def test_everything_works_under(switch, tmp_path, cache):
    given = {**JAX, **ENVIRONMENT}[switch]
    environment = {
        **os.environ,
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "HOME": str(tmp_path / "home"),
    }
    (tmp_path / "home").mkdir()
    words = ["all" if switch in JAX else "doors"]
    for name, value in given.items():
        if name == "SWITCH":
            words.append(value)
        elif value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    done = subprocess.run(
        [sys.executable, EVERYTHING, tmp_path / "work", *words],
        env=environment,
        capture_output=True,
        timeout=1800,  # Without jit, a training takes minutes.
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    assert json.loads((tmp_path / "work" / "failed.json").read_text()) == {}
