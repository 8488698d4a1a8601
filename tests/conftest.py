"""Strictness for every test, and no luck: they pass or fail for good.

XLA is told four things before JAX starts. Several test processes share the cores, so
each gets one thread. There are two devices to spread a population over. And most of the
time would go into compiling programs that run once, so they are compiled fast: without
optimisation, each in one piece (in the 32 by default it takes half as long again), and
fused loops not by way of MLIR, which takes twice as long. What users run is compiled as
usual, and `XLA_FLAGS` in the environment wins.
"""

import importlib.metadata
import os
import signal
import sys

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count=2 "
    "--xla_backend_optimization_level=0"
    # A flag that it does not know stops XLA; it knows these up to here.
    + " --xla_cpu_parallel_codegen_split_count=1"
    * importlib.metadata.version("jaxlib").startswith(("0.9.", "0.10."))
    + " --xla_cpu_use_fusion_emitters=false"
    * importlib.metadata.version("jaxlib").startswith("0.10."),
)

import hypothesis
import jax
import pytest
from full import slow
from slowest import listed

# A shell's background jobs ignore Ctrl-C, and so would the processes that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A broadcast between ranks must be written out.
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark what was measured to take long."""
    long = listed()
    for item in items:
        if item.nodeid in long:
            item.add_marker(pytest.mark.slow)


hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")


@pytest.fixture
def relujax(monkeypatch, capsys):
    """Run the command in this process: (exit code, what it printed)."""
    from relujax.cli import main

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["relujax", *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
        out, err = capsys.readouterr()
        return code, out + err

    return run


@pytest.fixture
def registry(monkeypatch):
    """The registry of activations, as it was when the test is over."""
    from relujax.activations import REGISTRY

    for table in ("_entries", "_definitions", "_imported", "_aliases"):
        monkeypatch.setattr(REGISTRY, table, dict(getattr(REGISTRY, table)))
    return REGISTRY


@pytest.fixture(params=[2, *slow(None)], ids=["two_figures", "all_figures"])
def figures(request, monkeypatch):
    """Two figures of each task: drawing them all takes seconds."""
    from relujax.report import _plates

    every = _plates._sketches
    some = lambda *args: every(*args)[: request.param]
    monkeypatch.setattr(_plates, "_sketches", some)


@pytest.fixture
def without_figures(monkeypatch):
    """Reports of text and tables."""
    from relujax.report import _write

    monkeypatch.setattr(_write, "_sections", lambda *_: [])
