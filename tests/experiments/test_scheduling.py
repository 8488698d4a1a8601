"""The simulation of a cluster, and the page that shows its table."""

import importlib.util
from pathlib import Path

import pytest

from relujax.engine._unit import PER_WORKER

ROOT = Path(__file__).parents[2]
FILE = ROOT / "experiments/speed/scheduling.py"
SPEC = importlib.util.spec_from_file_location("scheduling", FILE)
scheduling = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(scheduling)
SIZES = scheduling.SIZES


@pytest.mark.parametrize(
    "size",
    [pytest.param(s, marks=[pytest.mark.slow] * (s[0] > 10**5)) for s in SIZES],
    ids=str,
)
def test_the_page_shows_what_the_script_prints(size):
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    made = [scheduling.row(*size, way) for way in scheduling.WAYS]
    assert "\n".join(made) in page


def test_units_are_those_of_the_engine():
    assert scheduling.PER_WORKER == PER_WORKER
    assert scheduling.networks_per_unit(10**6, 1000) == 124


def test_a_run_without_trouble_takes_what_it_must(monkeypatch):
    """Each of ten workers starts, compiles two programs and trains its share."""
    monkeypatch.setattr(scheduling, "SLOW", 0.0)
    monkeypatch.setattr(scheduling, "LIFE", 1e12)
    way = scheduling.Way("", shares=True)
    found = scheduling.simulate(20_000, 10, way)
    training = 2_000 * scheduling.NETWORK
    assert found.compiling == 20 * scheduling.COMPILE and found.lost == 0
    expected = scheduling.START + 2 * scheduling.COMPILE + training
    assert found.end == pytest.approx(expected, rel=0.05)


def test_a_lost_unit_is_done_again(monkeypatch):
    monkeypatch.setattr(scheduling, "LIFE", 3600.0)
    for way in scheduling.WAYS[1:]:
        found = scheduling.simulate(2_000, 4, way)
        whole = scheduling.simulate(2_000, 4, way._replace(name="again"))
        assert found == whole and found.lost > 0
        per_unit = scheduling.networks_per_unit(2_000, 4)
        assert found.units == 20 * -(-100 // per_unit)
