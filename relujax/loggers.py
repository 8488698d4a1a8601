"""Where the rows of a run can go besides its own store: one run per seed.

    relujax.run(cells, 20, log=relujax.loggers.jsonl("rows.jsonl"))

A logger is any function of a network (`cell`, `data`, `model`, `activation`,
`optimizer`, `seed`) and its rows, one dictionary per epoch and split; it is called once
the rows are stored. The services are extras, imported on use.
"""

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from relujax.errors import InputError, first_line
from relujax.extras import needs

Network = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]
Logger = Callable[[Network, Rows], None]


def jsonl(path: str | Path) -> Logger:
    """Append a line of JSON per row: the network's columns, then those of the row.

    Args:
      path: the file.
    """
    target = Path(path)

    def log(network: Network, rows: Rows) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps({**network, **row}, default=_plain) + "\n")

    return log


def tensorboard(folder: str | Path) -> Logger:
    """A TensorBoard run per seed, in a folder of its own.

    Args:
      folder: the log directory.

    Raises:
      Missing: tensorboardX is not installed.
    """
    writer = _service("tensorboardX").SummaryWriter

    def log(network: Network, rows: Rows) -> None:
        with writer(str(Path(folder) / _name(network))) as out:
            for row in rows:
                for name, value in _scalars(row).items():
                    tag = f"{name}/{row['split']}"
                    out.add_scalar(tag, value, int(row["epoch"]))

    return log


def wandb(project: str, *, mode: str = "online", **settings: Any) -> Logger:
    """A Weights & Biases run per seed, grouped by cell.

    Args:
      project: the project.
      mode: "online" or "offline".
      **settings: passed on to `wandb.init`.

    Raises:
      Missing: wandb is not installed.
    """
    service = _service("wandb")

    def log(network: Network, rows: Rows) -> None:
        run = service.init(
            project=project,
            group=str(network["cell"]),
            name=_name(network),
            config=dict(network),
            mode=mode,
            reinit="finish_previous",
            **settings,
        )
        for epoch, values in _by_epoch(rows).items():
            run.log(values, step=epoch)
        run.finish()

    return log


def mlflow(uri: str | None = None, *, experiment: str = "relujax") -> Logger:
    """An MLflow run per seed.

    Args:
      uri: the tracking server or database, such as "sqlite:///mlflow.db"; MLflow's own
        setting by default. New versions of MLflow refuse a folder.
      experiment: the name of the experiment.

    Raises:
      Missing: mlflow is not installed.
      InputError: MLflow cannot write there.
    """
    service = _service("mlflow")

    def choose() -> None:
        if uri is not None:
            service.set_tracking_uri(uri)
        service.set_experiment(experiment)

    # What cannot be written to is found out before anything is trained.
    try:
        choose()
    except Exception as error:
        raise InputError(
            f"Expected a tracking server or database for relujax.loggers.mlflow, such "
            f"as 'sqlite:///mlflow.db', got {uri!r}: {first_line(error)}"
        ) from error

    def log(network: Network, rows: Rows) -> None:
        choose()
        with service.start_run(run_name=_name(network)):
            service.log_params(dict(network))
            for epoch, values in _by_epoch(rows).items():
                service.log_metrics(values, step=epoch)

    return log


def _service(package: str) -> Any:
    needs(f"relujax.loggers.{package.removesuffix('X').lower()}", package)
    return importlib.import_module(package)


def _name(network: Network) -> str:
    return f"{network['activation']}-{network['cell']}-seed-{network['seed']}"


def _scalars(row: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a row; lists, one entry per layer, as their mean."""
    found = {}
    for name, value in row.items():
        if name in ("seed", "epoch", "split", "confusion", "diverged"):
            continue
        array = np.asarray(value, float)
        if array.size and np.isfinite(array).all():
            found[name] = float(array.mean())
    return found


def _by_epoch(rows: Rows) -> dict[int, dict[str, float]]:
    """Epoch to the numbers of all splits, each as `split/name`."""
    found: dict[int, dict[str, float]] = {}
    for row in rows:
        values = found.setdefault(int(row["epoch"]), {})
        numbers = _scalars(row).items()
        values |= {f"{row['split']}/{name}": value for name, value in numbers}
    return found


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)
