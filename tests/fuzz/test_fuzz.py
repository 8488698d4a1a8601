"""Whatever is given, a result or one sentence: thousands of seeded inputs of each kind.

Every input is made from its kind and its number alone, so that one that escaped can be
made again. RELUJAX_FUZZ=N sets how many the long run tries.
"""

import os
import random
import warnings
from collections.abc import Callable
from functools import partial

import arrays
import matplotlib
import pytest
import stored
import texts
from contract import Escape, broken, command

from relujax import InputError, get
from relujax.report import _write

FEW = 300
MANY = int(os.environ.get("RELUJAX_FUZZ", "10000"))

# Of a hundred inputs, so many are of this kind.
SHARES = {
    "spec": 30,
    "number": 5,
    "study": 8,
    "words": 12,
    "file": 15,
    "arrays": 12,
    "frames": 12,
    "results": 6,
}


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """Whole files, to be spoiled."""
    folder = tmp_path_factory.mktemp("originals")
    stored.make_originals(folder)
    return folder


@pytest.fixture
def kinds(originals, tmp_path, monkeypatch, registry):
    """The makers of inputs by kind; what they write lands in a folder of the test."""
    monkeypatch.setattr(_write, "_sections", lambda *_: [])  # Figures take seconds.
    monkeypatch.setenv("RELUJAX_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    (tmp_path / "t.csv").write_text(stored.CSV)
    (tmp_path / "study.py").write_text(texts.STUDY)
    (tmp_path / "empty").mkdir()
    return {
        "spec": texts.spec,
        "number": texts.number,
        "study": texts.study,
        "words": texts.words,
        "file": partial(stored.file, originals),
        "arrays": arrays.arrays,
        "frames": arrays.frames,
        "results": partial(stored.results, originals),
    }


def escapes(kind: str, make: Callable, count: int) -> list[Escape]:
    """The inputs of a kind that broke the contract."""
    found = []
    for number in range(count):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given, call = make(random.Random(f"{kind} {number}"))
        why = broken(call)
        if why is not None:
            found.append(Escape(number, given, why))
    return found


def check(kind: str, make: Callable, count: int) -> None:
    found = escapes(kind, make, count)
    # The shortest one is where to begin.
    found.sort(key=lambda escape: len(escape.given))
    shown = "\n".join(
        f"{kind} {e.number}: {e.given[:600]}\n  {e.why}" for e in found[:20]
    )
    assert not found, f"{len(found)} of {count} inputs escaped:\n{shown}"


@pytest.mark.parametrize("kind", SHARES)
def test_nothing_escapes(kind, kinds):
    check(kind, kinds[kind], FEW * SHARES[kind] // 100)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARES)
def test_nothing_escapes_of_many(kind, kinds):
    check(kind, kinds[kind], MANY * SHARES[kind] // 100)


def _raise(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: _raise(KeyError("x")), "KeyError"),
        (lambda: _raise(ValueError("x")), "ValueError"),
        (lambda: _raise(SystemExit(2)), "SystemExit"),
        (lambda: _raise(InputError("a\nb")), "several lines"),
        (lambda: _raise(InputError()), "without a message"),
        (lambda: warnings.warn("overflow", RuntimeWarning, 2), "RuntimeWarning"),
        (lambda: get("x"), None),
        (lambda: command("show", "relu", "--no-such-option"), None),
    ],
)
def test_an_escape_is_seen(call, why):
    found = broken(call)
    assert found is None if why is None else why in found
