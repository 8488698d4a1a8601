"""Strictness for every test, and no luck: they pass or fail for good.

XLA is told three things before JAX starts. Several test processes share the cores, so
each gets one thread. There are two devices to spread a population over. And most of the
time would go into compiling programs that run once, so they are compiled fast; what
users run is compiled as usual, and `XLA_FLAGS` in the environment wins.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count=2 "
    "--xla_backend_optimization_level=0",
)

import hypothesis
import jax

# A broadcast between ranks must be written out.
jax.config.update("jax_numpy_rank_promotion", "raise")

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")
