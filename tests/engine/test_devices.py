"""A seed's numbers do not depend on the number of devices."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
from device_losses import SEEDS, losses

# Between `map` and `vmap`, or between numbers of devices under `vmap`: the rounding of
# float32, grown over the 16 updates.
BOUND = 1e-4

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def reference():
    return losses("map", 1)


def elsewhere(devices):
    """The losses from a process that has so many devices."""
    flags = re.sub(
        r"--xla_force_host_platform_device_count=\d+", "", os.environ["XLA_FLAGS"]
    )
    flags += f" --xla_force_host_platform_device_count={devices}"
    done = subprocess.run(
        [sys.executable, HERE / "device_losses.py"],
        env={
            **os.environ,
            "XLA_FLAGS": flags,
            "PYTHONPATH": str(HERE.parents[1]),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def close(found, reference):
    numbers = lambda table: [[float.fromhex(x) for x in row] for row in table.values()]
    np.testing.assert_allclose(numbers(found), numbers(reference), rtol=BOUND)


@pytest.mark.parametrize("devices", [1, 8])
def test_map_is_bitwise_the_same_on_1_2_and_8_devices(reference, devices):
    found = elsewhere(devices)
    assert found["devices"] == devices
    assert found["map"] == reference
    close(found["vmap"], reference)


def test_two_devices(reference):
    assert jax.local_device_count() == 2
    assert set(reference) == {str(seed) for seed in SEEDS}
    assert losses("map", 2) == reference
    close(losses("vmap", 2), reference)
