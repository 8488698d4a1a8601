"""`relujax.experiment`: the smallest door, an ordinary Python function that trains."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from relujax import statistics
from relujax.engine import Cell, HostTraining
from relujax.errors import InputError, short
from relujax.parts import Named
from relujax.studies._execute import How, Logger
from relujax.studies._results import Results
from relujax.studies._run import execute


def experiment(
    train: Callable[[str, int], Any],
    activations: Sequence[Any],
    seeds: int | Sequence[int] = 10,
    *,
    metric: str,
    higher_is_better: bool = True,
    baseline: str | None = None,
    out: str | Path | None = None,
    log: Logger | Sequence[Logger] | None = None,
    stale: str = "refuse",
    progress: bool = True,
    where: str = "here",
    cluster: Mapping[str, Any] | None = None,
    mix: bool = False,
) -> Results:
    """Run a training loop of your own for every activation and seed, and compare.

    Each pair is stored once it is done, in the order of the activations: the same call
    goes on where a killed one stopped.

    Args:
      train: `train(activation, seed)` returns a row, `{"accuracy": 0.9}`, or returns or
        yields several, one per epoch. It gets the activation as the text of its spec
        and a seed id; anything may happen in it.
      activations: specs, as for `relujax.get`; any text will do.
      seeds: how many (ids 0, 1, ...), or a list of ids.
      metric: the value of the last row that is compared. One of the library's names,
        such as "accuracy", has its unit, too: a share from 0 to 1.
      higher_is_better: whether more of it is better; of the library's names, that is
        known.
      baseline: the activation that the others are compared with; the first by default.
      out: folder of the results; `runs/<name of the function>` by default.
      log: as in `relujax.run`, and so is `stale`.
      stale: what is done with stored numbers of a function whose source has changed.
      progress: whether to show how far it is.
      where: the place; see `relujax.run`, also for `cluster` and `mix`. To another
        process than this one, `train` must be in a module that it can import.
      cluster: what a cluster is asked for.
      mix: whether several backends may be mixed.

    Returns:
      `Results`, as of `relujax.run`.

    Raises:
      InputError: `train` is not a function, or a row is not a mapping of numbers.

    Examples:
      >>> import tempfile
      >>> def train(activation, seed):
      ...     return {"score": len(activation) + seed / 10}
      >>> with tempfile.TemporaryDirectory() as folder:
      ...     found = experiment(train, ["relu", "gelu"], 3, metric="score", out=folder)
      >>> len(found.frame)
      6
    """
    if not callable(train):
        raise InputError(f"Expected a function train(activation, seed), got {train!r}.")
    _check_list(activations)
    if not isinstance(metric, str):
        raise InputError(
            f"Expected the name of a value of the rows as the metric, got "
            f"{short(metric)}."
        )
    name = getattr(train, "__name__", "train")
    name = name if name.isidentifier() else "train"
    bounds = {known: found.bounds for known, found in statistics.METRICS.items()}
    training = Named(name, HostTraining(train, metric, bounds))
    cells = [Cell(training=training, activation=item, epochs=1) for item in activations]
    how = How(
        log=log, stale=stale, progress=progress, where=where, cluster=cluster, mix=mix
    )
    first = cells[0].activation if cells else ""
    facts = {
        "baseline": baseline or first,
        "metric": metric,
        "directions": {metric: higher_is_better},
        "question": f"which activation suits {name}?",
    }
    folder = Path("runs") / name if out is None else Path(out)
    return execute(cells, seeds, folder, how, profile="experiment", facts=facts)


def _check_list(activations: Any) -> None:
    several = isinstance(activations, Sequence) and not isinstance(activations, str)
    if not several or not len(activations):
        raise InputError(
            f"Expected a list of activations, such as ['relu', 'elu'], got "
            f"{short(activations)}."
        )
