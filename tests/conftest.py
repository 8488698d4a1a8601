"""Strictness for every test, and no luck: they pass or fail for good."""

import hypothesis
import jax

# A broadcast between ranks must be written out.
jax.config.update("jax_numpy_rank_promotion", "raise")

hypothesis.settings.register_profile("fixed", derandomize=True, deadline=None)
hypothesis.settings.load_profile("fixed")
