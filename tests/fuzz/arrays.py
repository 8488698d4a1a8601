"""Arrays and tables of every kind that a notebook may hold; seeded."""

import datetime
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from relujax import Dataset

_SHAPES = [(), (0,), (1,), (12,), (13,), (12, 3), (12, 0), (0, 3), (12, 1), (12, 2, 2)]
_SHAPES += [(12, 3), (12,), (12, 4, 4, 1), (2, 12)]
_TYPES = ["f4", "f8", "f2", "i1", "i4", "i8", "u1", "u8", "?", "U3", "S3", "O", "c8"]
_TYPES += ["M8[s]", "m8[D]", ">f4", "f16", [("a", "i4")]]
_ITEMS = [None, "", "a", "é", b"x", 1, 2.5, float("nan"), float("inf"), 10**400, 1j]
_ITEMS += [True, (), [1], {}, object, datetime.date(2020, 1, 2), np.float32(1), pd.NA]
_ITEMS += ["\ud800", "<b>", "\0", "x" * 3000, -1, 2**63, pd.NaT, 1e39, 1e-320]


def _array(rng: random.Random, fits: tuple[int, ...]) -> Any:
    """One argument of `from_arrays`; most have the shape that fits."""
    how, shape = rng.randrange(10), rng.choice([*[fits] * 20, *_SHAPES])
    if how == 0:
        return rng.choice(_ITEMS)
    if how == 1:  # Ragged, nested, of several kinds.
        return [rng.choice([[1, 2], [1], 3, *_ITEMS]) for _ in range(12)]
    values = np.random.default_rng(rng.randrange(2**32)).integers(0, 3, shape)
    if how == 2:
        return rng.choice(
            [
                np.ma.masked_equal(values, 1),
                pd.Series(values.ravel()),
                values.tolist(),
                pd.Series(values.ravel()).astype("category"),
                pd.array(values.ravel(), dtype="Int64"),
                memoryview(values),  # pyright: ignore
                (x for x in range(12)),
                range(12),
                set(range(12)),
                "x" * 12,
            ]
        )
    if how == 3:
        return values.astype("f8") * rng.choice([np.nan, np.inf, 1e39, 1e-320, -1])
    if how < 6:
        return values
    try:
        return values.astype(rng.choice(_TYPES))
    except (TypeError, ValueError):
        return values


def _options(rng: random.Random) -> dict[str, Any]:
    odd = [0, 1, -1, 0.5, 0.99, 1e-9, float("nan"), "0.2", None, True, 2**40, [0.2]]
    names = rng.sample(["test", "validation", "split", "name", "classes"], k=1)
    return {name: rng.choice([*odd, "", "x(", "a" * 99]) for name in names}


def arrays(rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A call of `Dataset.from_arrays`."""
    given = [np.arange(36).reshape(12, 3) / 9, np.arange(12) % 3] * rng.choice(
        [1, 1, 2]
    )
    for _ in range(rng.choice([0, 1, 1, 2])):
        place = rng.randrange(len(given))
        given[place] = _array(rng, [(12, 3), (12,)][place % 2])
    options = _options(rng) if rng.random() < 0.2 else {}

    return f"from_arrays(*{given!r}, **{options!r})", lambda: Dataset.from_arrays(
        *given, **options
    )


def frames(rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A call of `Dataset.from_frame`."""
    frame = _frame(rng)
    target = rng.choice([*["y"] * 30, "a", "b", "", 0, None, ("y", "b"), "missing"])
    options = _options(rng) if rng.random() < 0.15 else {}
    options.pop("classes", None)
    if rng.random() < 0.3:
        options["missing"] = rng.choice(["mean", "median", "", None, 0])
    if rng.random() < 0.1:
        options["task"] = rng.choice(["classification", "regression", "", 0])

    def call() -> Dataset:
        return Dataset.from_frame(frame, target, **options)  # pyright: ignore

    shown = repr(frame)
    if isinstance(frame, pd.DataFrame):
        shown = f"{frame.to_dict('split')} {[str(kind) for kind in frame.dtypes]}"
    return f"from_frame({shown}, {target!r}, **{options!r})", call


def _frame(rng: random.Random) -> Any:
    rows = rng.choice([0, 1, 2, 12, 12, 12, 12, 12, 12])
    columns: dict[Any, Any] = {"a": np.arange(rows) / 3}
    columns["b"] = ["uv"[i % 2] for i in range(rows)]
    columns["y"] = np.arange(rows) % rng.choice([2, 2, 3, 1, 30])
    for _ in range(rng.choice([0, 1, 1, 2])):
        columns[rng.choice(["a", "a", "b", "b", "y", 0, "", None])] = _column(rng, rows)
    frame = pd.DataFrame(columns)
    how = rng.randrange(16)
    if how == 0:
        return pd.concat([frame, frame], axis=1)  # Headings twice.
    if how == 1:
        frame.columns = pd.MultiIndex.from_tuples([(c, "b") for c in frame.columns])
    if how == 2:
        frame.index = pd.Index([0] * len(frame))
    if how == 3:
        return rng.choice([frame.to_dict(), None, frame["y"], frame.to_numpy()])
    return frame


def _column(rng: random.Random, rows: int) -> Any:
    how = rng.randrange(7)
    if how == 0:
        return pd.Series([rng.choice(_ITEMS) for _ in range(rows)], dtype=object)
    if how == 1:
        return pd.date_range("2020", periods=rows).to_series(range(rows))
    whole = pd.Series([rng.randrange(3) for _ in range(rows)], dtype="int64")
    if how in (2, 3):
        kinds = ["category", "Int64", "boolean", "string", "float32", "Sparse[int]"]
        kind = rng.choice([*kinds, "timedelta64[s]", "complex"])
        return (whole > 1 if kind == "boolean" else whole).astype(kind)
    if how == 4:
        return whole.astype("Int64").mask(whole == 1)
    return whole * rng.choice([1.0, 1, 1, np.inf, 1e39])
