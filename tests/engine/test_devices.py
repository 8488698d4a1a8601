"""What the number of devices changes in a seed's numbers: the last bits at most."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import psutil
import pytest
from device_losses import SEEDS, losses
from full import slow

from relujax.data import from_arrays
from relujax.engine import Plan
from relujax.engine._program import put_on_device

# Between `map` and `vmap`, or between numbers of devices: the rounding of float32,
# grown over the 16 updates.
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


@pytest.mark.slow
def test_a_process_with_one_device_gives_the_same_bits(reference):
    found = elsewhere(1)
    assert found["devices"] == 1
    assert found["map"] == reference
    close(found["vmap"], reference)


@pytest.mark.slow
def test_eight_devices_agree_to_rounding(reference):
    found = elsewhere(8)
    assert found["devices"] == 8
    close(found["map"], reference)
    close(found["vmap"], reference)


@pytest.mark.parametrize("mapping", ["map", *slow("vmap")])
def test_two_devices_agree_to_rounding(reference, mapping):
    assert jax.local_device_count() == 2
    assert set(reference) == {str(seed) for seed in SEEDS}
    two = losses(mapping, 2)
    close(two, reference)
    if mapping == "vmap":
        return
    # On the same devices, whoever else runs and wherever a seed lies: the same bits.
    again = losses("map", 2, seeds=SEEDS[::-1][:3])
    assert again == {seed: two[seed] for seed in again}


@pytest.mark.parametrize("devices", [1, 2])
def test_every_device_has_the_data_as_they_are_stored(devices):
    images = np.arange(2 * 5 * 5, dtype=np.uint8).reshape(2, 5, 5, 1)
    data = from_arrays(images, np.arange(2), images, np.arange(2))
    placed = put_on_device(data, Plan("map", devices=devices))
    for array in jax.tree.leaves(placed):
        assert array.sharding.device_set == set(jax.local_devices()[:devices])
        assert array.sharding.is_fully_replicated
    assert placed.train.x.dtype == np.uint8
    np.testing.assert_array_equal(placed.train.x, images)


@pytest.mark.slow
def test_invariance_under_the_flags_that_users_have():
    """The other tests compile without optimisation, and on one thread."""
    flagless = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, HERE / "invariance.py"],
        env={**flagless, "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    cores = ["cores"] if len(psutil.Process().cpu_affinity()) > 1 else []
    assert done.stdout.split() == ["mlp", "cnn", *cores]


@pytest.mark.parametrize(
    ("told", "devices"),
    [
        ({}, min(len(psutil.Process().cpu_affinity()), 8)),
        pytest.param({"JAX_NUM_CPU_DEVICES": "3"}, 3, marks=pytest.mark.slow),
        pytest.param(
            {"XLA_FLAGS": "--xla_force_host_platform_device_count=5"},
            5,
            marks=pytest.mark.slow,
        ),
    ],
    ids=["nothing", "jax", "xla"],
)
def test_a_device_per_core_unless_the_user_says_otherwise(told, devices):
    code = """
import importlib, pkgutil, jax, relujax.engine
for module in pkgutil.walk_packages(relujax.__path__, "relujax."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)  # Which starts no JAX.
relujax.engine.one_device_per_core()
print(jax.local_device_count())
relujax.engine.one_device_per_core()  # JAX has started: nothing happens.
"""
    silent = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    environment = {**silent, **told, "PYTHONPATH": str(HERE.parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.split()) == (0, [str(devices)]), done.stderr
