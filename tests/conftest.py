"""Strictness for every test, and no luck: they pass or fail for good.

Several test processes share the cores: each gets one thread, before JAX starts.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count=2",
)

import hypothesis
import jax

# A broadcast between ranks must be written out.
jax.config.update("jax_numpy_rank_promotion", "raise")

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")
