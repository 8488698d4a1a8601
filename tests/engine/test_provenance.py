import re

import jax

from relujax.engine import provenance


def test_the_machine_is_named_with_its_processor_and_cores():
    found = provenance()["device"]
    assert re.fullmatch(r"\d+ x CPU \(.*\w.*, [1-9]\d* cores\)", found)
    assert found.startswith(f"{jax.device_count()} x")


def test_a_record_tells_backend_device_and_host():
    found = provenance()
    assert found["backend"] == "cpu" and found["device_kind"] and found["host"]
