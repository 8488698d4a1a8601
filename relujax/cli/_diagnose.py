"""`relujax diagnose`: what is dead in a function of the user's."""

import importlib
import inspect
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from flax import linen as nn
from rich import box
from rich.table import Table

import relujax
from relujax.cli._console import console, plain
from relujax.cli._start import find_modules_here
from relujax.diagnosis import Diagnosis, program
from relujax.errors import InputError, unknown

# What fits into 80 columns; the report has the rest.
_COLUMNS = {
    "site": "site",
    "units": "units",
    "never_positive": "never fire",
    "always_on": "always fire",
    "saturated": "saturated",
    "effective_rank": "rank",
}
# How many rows of the table are printed.
_ROWS = 10


class Data(NamedTuple):
    """Examples, their labels where there are some, and what a network makes of `x`."""

    x: np.ndarray
    y: np.ndarray | None
    transform: Callable[[Any], Any]


def diagnose_function(
    target: str,
    *,
    data: str,
    labels: str | None = None,
    loss: str | None = None,
    sites: str | None = None,
    exclude: str | None = None,
    unit_axis: str | None = None,
    batch_size: int | None = None,
    report: Path | None = None,
    as_json: bool = False,
) -> None:
    """Diagnose the function that `module:name` names, over the data; print and write.

    Args:
      target: `module:name`, the module as it is imported from the working directory.
      data: a data set's spec, or a `.npz` or `.npy` file.
      labels: a `.npy` file; by default those of the data.
      loss: `module:name` of a function of outputs and labels.
      sites: what to look at: ids, names or patterns, with commas between them.
      exclude: what to leave out, likewise.
      unit_axis: the axis of the units, or `pattern=axis` with commas between them.
      batch_size: examples per batch.
      report: the HTML page to write, if any.
      as_json: whether to print JSON, and nothing else.
    """
    fn = _of_one_batch(load_function(target))
    given = _data(data, labels)
    settings: dict[str, Any] = {
        "sites": _split(sites),
        "exclude": _split(exclude),
        "unit_axis": _axes(unit_axis),
        "batch_size": batch_size,
    }
    if loss is None:
        if labels is not None:
            raise InputError("Expected --loss module:function with --labels, got none.")
        run = lambda x: fn(given.transform(x))
        diagnosis = relujax.diagnose(run, given.x, **settings)
    else:
        if given.y is None:
            raise InputError(
                f"Expected labels for the loss, got none in {data!r}; name a .npy file "
                f"with --labels, or store them as y in an .npz file."
            )
        criterion = _found(loss)
        diagnosis = relujax.diagnose(
            lambda batch: fn(given.transform(batch[0])),
            (given.x, given.y),
            loss=lambda output, batch: criterion(output, batch[1]),
            **settings,
        )
    _show(diagnosis, report=report, as_json=as_json)


def diagnose_run(
    folder: Path,
    *,
    activation: str | None,
    seed: int | None,
    report: Path | None = None,
    as_json: bool = False,
) -> None:
    """Diagnose a stored network of a run, whose weights were kept; print and write.

    Args:
      folder: the folder of a run, or of one of its cells.
      activation: which cell of the run, where it has several.
      seed: which network; the first by default.
      report: the HTML page to write, if any.
      as_json: whether to print JSON, and nothing else.
    """
    from relujax.studies import Results, diagnose_stored

    find_modules_here()
    if (folder / "cell.json").is_file():
        diagnosis = diagnose_stored(folder, seed or 0)
    else:
        results = Results.load(folder)
        known = [str(name) for name in results.frame["activation"].unique()]
        if activation is None and len(known) > 1:
            raise InputError(
                f"Expected --activation for {str(folder)!r}, which has "
                f"{', '.join(known)}."
            )
        first = int(results.frame["seed"].min())
        chosen = first if seed is None else seed
        diagnosis = results.diagnose(activation or known[0], chosen)
    _show(diagnosis, report=report, as_json=as_json)


def _show(diagnosis: Diagnosis, *, report: Path | None, as_json: bool) -> None:
    if as_json:
        print(diagnosis.to_json())
    else:
        console.print(diagnosis.summary(), soft_wrap=True, markup=False)
        console.print(_table(diagnosis))
    if report is not None:
        written = diagnosis.report(report)
        if not as_json:
            console.print(f"Report: {written}", soft_wrap=True, markup=False)


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name for name in names.split(",") if name]


def _axes(given: str | None) -> Any:
    """`1`, `0+2` for several, or `conv*=1,dense*=-1`."""
    try:
        if given is None or "=" not in given:
            return None if given is None else _along(given)
        pairs = [part.rpartition("=") for part in given.split(",")]
        return {name: _along(axes) for name, _, axes in pairs}
    except ValueError:
        raise InputError(
            f"Expected an axis such as 1, several such as 0+2, or conv*=1,dense*=-1, "
            f"got {given!r}."
        ) from None


def _along(given: str) -> int | tuple[int, ...]:
    axes = tuple(map(int, given.split("+")))
    return axes if len(axes) > 1 else next(iter(axes))


def load_function(target: str) -> Callable[[Any], Any]:
    """The function of one batch that `module:name` names, or that it makes.

    Raises:
      InputError: it cannot be imported, or is neither.
    """
    fn = _made(target, _found(target))
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


def _of_one_batch(model: Any) -> Callable[[Any], Any]:
    """A function, or a model that holds its parameters, as a function."""
    fn, params_of, _ = program(model)
    held = params_of(None)
    return fn if held is None else partial(fn, held)


def _found(target: str) -> Any:
    """What `module:name` names."""
    module_name, _, path = target.partition(":")
    if not module_name or not path:
        raise InputError(f"Expected module:function, got {target!r}.")
    if module_name.endswith(".py"):
        dotted = module_name.removesuffix(".py").replace("/", ".")
        raise InputError(
            f"Expected a module, got the file {module_name!r}; write {dotted}:{path}."
        )
    find_modules_here()
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
    return found


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


def _data(name: str, labels: str | None) -> Data:
    """The arrays `x` and `y` of a file, or a data set's training part."""
    y = None if labels is None else _read(labels)
    if Path(name).suffix not in (".npz", ".npy"):
        dataset = relujax.load_dataset(name)
        y = dataset.y_train if y is None else y
        return Data(dataset.x_train, y, dataset.transform)
    held = _read(name)
    x = held if isinstance(held, np.ndarray) else _x_of(name, held)
    if y is None and not isinstance(held, np.ndarray) and {"x", "y"} <= set(held):
        y = held["y"]
    if x.ndim < 1:
        raise InputError(f"Expected examples along axis 0 of {name!r}, got a scalar.")
    return Data(x, y, lambda x: x)


def _read(path: str) -> Any:
    """The array of an `.npy` file, or the arrays of an `.npz` file by name."""
    try:
        # A large .npy file stays on disk: the batches are read one by one.
        held = np.load(path, mmap_mode="r")
        return held if isinstance(held, np.ndarray) else dict(held)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"Cannot read the arrays of {path!r}: {error}") from error


def _x_of(name: str, held: dict[str, np.ndarray]) -> np.ndarray:
    if "x" not in held and len(held) != 1:
        raise InputError(
            f"Expected an array named 'x' in {name!r}, got {', '.join(held)}."
        )
    return held["x" if "x" in held else next(iter(held))]


def _table(diagnosis: Diagnosis) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    rows = diagnosis.table()
    for name in _COLUMNS.values():
        if name == "site":
            table.add_column(name, overflow="fold", min_width=18)
        else:
            table.add_column(name, justify="right")
    # Of many layers the worst; a folder or scope may have brackets in its name.
    shown = rows
    if len(rows) > _ROWS:
        worst = -(rows["never_positive"] / rows["units"]).to_numpy()
        shown = rows.iloc[np.argsort(worst, kind="stable")[:_ROWS]]
        table.caption = f"The worst {_ROWS} of {len(rows):,} rows"
    for row in shown[list(_COLUMNS)].itertuples(index=False):
        words = (f"{v:.1f}" if isinstance(v, float) else plain(v) for v in row)
        table.add_row(*words)
    return table
