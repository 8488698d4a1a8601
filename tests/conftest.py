"""Strictness for every test: a broadcast between ranks must be written out.

Several test processes share the cores: each gets one thread, before JAX starts.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_multi_thread_eigen=false --xla_force_host_platform_device_count=2",
)

import jax

jax.config.update("jax_numpy_rank_promotion", "raise")
