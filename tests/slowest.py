"""Which tests `make test` leaves to `make test-all` because of what they take.

  make test PYTEST='.venv/bin/python -m pytest --junitxml=build/took.xml -n auto'
  python tests/slowest.py build/took.xml

adds those that took long to `slowest.txt`, but for the guards: a test or two for each
promise that `make test` makes. The list is of what was measured; a test that is not in
it runs. What is slow by nature is marked `slow` where it stands.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

LIST = Path(__file__).with_suffix(".txt")

#: Seconds, on two cores.
LONG = 1.0

GUARDS = (
    "test_a_study_runs_reports_and_is_not_run_twice",
    "test_a_killed_network_goes_on_where_its_checkpoint_was[stock]",
    "test_equals_a_plain_python_loop[n_relu(sigma=0.3)]",
    "test_vmap_equals_map_to_rounding",
    "test_a_finished_cell_never_runs_again",
    "test_units_from_json_give_the_bits_of_one_run",
    "test_planted_dead_units_are_counted_exactly",
    "test_a_planted_difference_is_found",
    "test_a_residual_network_trains_as_in_flax",
    "test_identity_is_bit_identical[scanned_transformer-jit]",
    "test_a_network_of_others[gemma_block]",
    "test_convolution_equals_flax_in_value_and_gradient[shape0-_conv2d_matmul]",
    "test_the_core_loads_no_package_of_an_extra",
)


def listed() -> frozenset[str]:
    """The ids of the tests that are left out."""
    return frozenset(LIST.read_text().splitlines())


def _id(case: ElementTree.Element) -> str:
    """The id that pytest knows a test of its report by."""
    *path, last = case.attrib["classname"].split(".")
    inside = [last] if last.startswith("Test") else []
    file = "/".join(path if inside else [*path, last]) + ".py"
    return "::".join([file, *inside, case.attrib["name"]])


def main() -> None:
    """Add what a report has."""
    cases = ElementTree.parse(sys.argv[1]).getroot().iter("testcase")
    long = {_id(case) for case in cases if float(case.attrib["time"]) > LONG}
    long = {name for name in long if not name.partition("::")[2].startswith(GUARDS)}
    LIST.write_text("".join(f"{name}\n" for name in sorted(listed() | long)))


if __name__ == "__main__":
    main()
