"""`relujax diagnose`: what is dead in a function of the user's."""

import importlib
import inspect
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from flax import linen as nn
from rich import box
from rich.console import Console
from rich.table import Table

import relujax
from relujax.errors import InputError, unknown
from relujax.instruments import Diagnosis

console = Console(highlight=False)

_BATCH = 64

# What fits into 80 columns; the report has the rest.
_COLUMNS = {
    "site": "site",
    "units": "units",
    "never_positive": "never fire",
    "always_on": "always fire",
    "saturated": "saturated",
    "effective_rank": "rank",
}


def diagnose_function(target: str, *, data: str, report: Path | None) -> None:
    """Diagnose the function that `module:name` names, over the data; print and write.

    Args:
      target: `module:name`, the module as it is imported from the working directory.
      data: a data set's spec, or a `.npz` or `.npy` file.
      report: the HTML page to write, if any.
    """
    fn = load_function(target)
    diagnosis = relujax.diagnose(fn, batches(data))
    console.print(diagnosis.summary(), soft_wrap=True, markup=False)
    console.print(_table(diagnosis))
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        console.print(f"Report: {diagnosis.report(report)}", soft_wrap=True)


def load_function(target: str) -> Callable[[Any], Any]:
    """The function of one batch that `module:name` names, or that it makes.

    Raises:
      InputError: it cannot be imported, or is neither.
    """
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise InputError(f"Expected module:function, got {target!r}.")
    # As `python -m` has it: modules of the working directory come first.
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(
            f"Cannot import {module_name!r}: {type(error).__name__}: {error}"
        ) from error
    for name in path.split("."):
        if not hasattr(found, name):
            public = [n for n in vars(found) if not n.startswith("_")]
            raise unknown(f"name in {target!r}:", name, public)
        found = getattr(found, name)
    fn = _made(target, found)
    if isinstance(fn, type) or (isinstance(fn, nn.Module) and fn.scope is None):
        raise InputError(
            f"Expected {target!r} to hold its parameters, got a module without any; "
            f"name a function such as `lambda x: model.apply(params, x)`."
        )
    if not callable(fn):
        raise InputError(
            f"Expected {target!r} to be a function of one batch, or a function without "
            f"arguments that makes one, got {type(fn).__name__}."
        )
    return fn


def _made(target: str, found: Any) -> Any:
    """What a factory makes; anything else as it is."""
    if not callable(found) or isinstance(found, type | nn.Module):
        return found
    try:
        parameters = inspect.signature(found).parameters
    except (TypeError, ValueError):
        return found
    if parameters:
        return found
    try:
        return found()
    except Exception as error:
        raise InputError(
            f"Cannot call {target!r}: {type(error).__name__}: {error}"
        ) from error


def batches(data: str) -> Iterator[Any]:
    """The inputs in batches: the array `x` of a file, or a data set's training part."""
    x, transform = _inputs(data)
    for start in range(0, len(x), _BATCH):
        yield transform(x[start : start + _BATCH])


def _inputs(data: str) -> tuple[np.ndarray, Callable[[Any], Any]]:
    path = Path(data)
    if path.suffix not in (".npz", ".npy"):
        dataset = relujax.load_dataset(data)
        return dataset.x_train, dataset.transform
    try:
        # A large .npy file stays on disk: the batches are read one by one.
        held = np.load(path, mmap_mode="r")
        x = held if path.suffix == ".npy" else _x_of(path, held)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"Cannot read the arrays of {data!r}: {error}") from error
    if x.ndim < 1:
        raise InputError(f"Expected examples along axis 0 of {data!r}, got a scalar.")
    return x, lambda part: part


def _x_of(path: Path, held: Any) -> np.ndarray:
    names = list(held)
    if "x" not in names and len(names) != 1:
        raise InputError(
            f"Expected an array named 'x' in {str(path)!r}, got {', '.join(names)}."
        )
    return held["x" if "x" in names else names[0]]


def _table(diagnosis: Diagnosis) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    rows = diagnosis.table()
    for name in _COLUMNS.values():
        if name == "site":
            table.add_column(name, overflow="fold", min_width=18)
        else:
            table.add_column(name, justify="right")
    for row in rows[list(_COLUMNS)].itertuples(index=False):
        table.add_row(*(f"{v:.1f}" if isinstance(v, float) else str(v) for v in row))
    return table
