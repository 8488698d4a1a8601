"""`relujax.sweep`: a cell × seeds × the values of its numbers.

    results = relujax.sweep(
        relujax.Cell(data="wdbc", model="mlp", activation="n_relu"),
        seeds=20,
        axes={"activation.sigma": [0.01, 0.1, 1.0], "optimizer.learning_rate": [1e-3]},
    )
    results.table()

Values are arguments of the compiled program: a grid of any size compiles once.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax.engine import Cell
from relujax.errors import InputError
from relujax.studies._axes import Axes, grid
from relujax.studies._execute import How, Logger
from relujax.studies._results import Results
from relujax.studies._run import execute


def sweep(
    cell: Cell,
    seeds: int | Sequence[int] = 20,
    axes: Axes | None = None,
    *,
    metric: str | None = None,
    plan: Any = None,
    keep: str | None = None,
    log: Logger | Sequence[Logger] | None = None,
    stale: str = "refuse",
    checkpoint_every: float | None = None,
    out: str | Path = "runs/sweep",
    root: int = 0,
    data_dir: str | Path | None = None,
    progress: bool = True,
    where: str = "here",
    cluster: Mapping[str, Any] | None = None,
    mix: bool = False,
) -> Results:
    """Train a cell for every seed and every combination of values of its numbers.

    A seed has the same initial weights, data order and noise at every point. What is
    stored under `out` is not trained again, whatever the grid and the seeds were when
    it was; rows of a point may come from different plans, whose numbers agree to
    rounding (under one `map` plan, to the bit).

    Args:
      cell: what the numbers are varied in.
      seeds: how many (ids 0, 1, ...), or a list of ids.
      axes: `"part.number"` to its values: `activation.sigma`, `model.dropout`,
        `optimizer.learning_rate`, `optimizer.weight_decay` and so on: what the parts of
        `cell` take. Several make a product grid; None is the cell alone.
      metric: as in `relujax.run`, and so are the options that follow.
      plan: how networks are run.
      keep: which weights are stored.
      log: functions of a network and its rows.
      stale: what is done with stored numbers of a program that has changed.
      checkpoint_every: minutes from one checkpoint of the training state to the next.
      out: folder of the results, one folder per point in it.
      root: the root seed.
      data_dir: folder of raw data files.
      progress: whether to show how far it is.
      where: the place; see `relujax.run`, also for `cluster` and `mix`.
      cluster: what a cluster is asked for.
      mix: whether several backends may be mixed.

    Returns:
      `Results`: `.frame` with a column per axis, `.table()`, `.best()`, `.plot()`.

    Raises:
      InputError: an axis is unknown or empty, a value is no number or out of range;
        or as in `relujax.run`.

    Examples:
      >>> import tempfile
      >>> cell = Cell(data="wdbc", model="mlp(hidden=(4,))", activation="n_relu",
      ...             objective="binary_cross_entropy", epochs=1)
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     results = sweep(cell, 2, {"activation.sigma": [0.1, 1.0]}, out=folder)
      >>> results.table()[["activation.sigma", "n"]].to_dict("list")
      {'activation.sigma': [0.1, 1.0], 'n': [2, 2]}
    """
    if not isinstance(cell, Cell):
        raise InputError(f"Expected a relujax.Cell to sweep, got {cell!r}.")
    points = grid(cell, {} if axes is None else axes)
    how = How(
        plan=plan,
        keep=keep,
        log=log,
        stale=stale,
        checkpoint_every=checkpoint_every,
        root=root,
        data_dir=data_dir,
        progress=progress,
        where=where,
        cluster=cluster,
        mix=mix,
    )
    facts = {"baseline": points[0].cell.activation, "metric": metric}
    cells = [point.cell for point in points]
    shown = points if axes else ()
    return execute(
        cells, seeds, Path(out), how, profile="sweep", facts=facts, points=shown
    )
