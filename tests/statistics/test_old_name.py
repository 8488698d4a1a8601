import importlib
import sys

import pytest

from relujax import statistics


def test_the_old_name_warns_and_is_the_same(monkeypatch):
    for name in ("relujax.analysis", "relujax.analysis._paired"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.warns(DeprecationWarning, match=r"relujax\.statistics now"):
        old = importlib.import_module("relujax.analysis")
    assert (
        old.paired_test is statistics.paired_test and old.METRICS is statistics.METRICS
    )
    module = importlib.import_module("relujax.analysis._paired")
    assert module.paired_test is statistics.paired_test
