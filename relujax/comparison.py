"""Which activation suits your own network: the same statistics as for a paper's.

results = relujax.compare(net, "digits", activations=["leaky_relu", "n_relu"])
print(results.conclusion())
results.report("report")
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from rich.console import Console

from relujax import activations as registry
from relujax import analysis, report, training
from relujax.activations import Activation
from relujax.data import Dataset, load_dataset
from relujax.data import from_arrays as dataset_from_arrays
from relujax.engine import (
    Member,
    OwnCell,
    Plan,
    as_plan,
    check_targets,
    choose,
    look_at,
    name_of,
    origin,
    own_model,
    provenance,
    replaced,
    train_population,
    watched,
)
from relujax.errors import InputError
from relujax.grid import seed_ids
from relujax.models import Model
from relujax.progress import epochs_bar
from relujax.study import Study

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Spec = str | Activation | Callable
Wanted = Spec | Mapping[str, Spec]


@dataclass(frozen=True, eq=False)
class Results:
    """What a comparison found. Made by `relujax.compare`.

    Attributes:
      frame: one row per activation, seed, epoch (0 is before training) and split; the
        columns are those of a sweep: `loss`, `accuracy`, `dead`, `births`, ....
      baseline: the model's own activations, as `frame["activation"]` names them.
      model: what the model is called.
      provenance: date, versions, device, data and time of the training.
    """

    frame: pd.DataFrame
    baseline: str
    model: str
    provenance: Mapping[str, Any]

    @property
    def metric(self) -> str:
        """The metric that is compared: accuracy, or the mean squared error."""
        return analysis.primary_metric(self.frame)

    def table(self) -> pd.DataFrame:
        """One row per activation: means over seeds at the end, with 95 % intervals."""
        return analysis.summary(self.frame, self.baseline)

    def tests(self, metric: str | None = None) -> pd.DataFrame:
        """Every activation against the model's own, paired by seed, Holm-corrected.

        Args:
          metric: a name in `relujax.analysis.METRICS`, such as "loss" or "dead"; by
            default `self.metric`.
        """
        metric = self.metric if metric is None else metric
        return analysis.paired_comparisons(self.frame, metric, self.baseline)

    def plot(self, metric: str | None = None) -> "Figure":
        """Every seed, the mean and its interval, by activation.

        Args:
          metric: as in `tests`.
        """
        metric = self.metric if metric is None else metric
        return report.score_figure(self.frame, metric, self.baseline)

    def conclusion(self) -> str:
        """One sentence: what these results support."""
        return analysis.conclusion(self.frame, self.metric, self.baseline)

    def report(self, path: str | Path) -> Path:
        """Write the report: tables, tests, curves, dead units by layer and epoch.

        Args:
          path: a folder; it receives `report.html`, tables and figures.

        Returns:
          The path of the page.
        """
        data = self.provenance["data"][0]["name"]
        study = Study(
            id=self.model,
            question=f"which activation suits {self.model} on {data}?",
            baseline=self.baseline,
        )
        return report.write(study, "comparison", self.frame, self.provenance, path)


def compare(
    model: Any,
    dataset: str | Dataset | tuple,
    activations: Sequence[Wanted],
    seeds: int | Sequence[int] = 20,
    *,
    optimizer: str | optax.GradientTransformation = "adam",
    epochs: int = 10,
    batch_size: int = 128,
    objective: str | None = None,
    plan: Plan | str | None = None,
    out: str | Path | None = None,
    progress: bool = True,
) -> Results:
    """Train your own model with other activations, over seeds, and test the difference.

    The activations are found in the model's program and replaced there; its code stays
    as it is. A seed has the same initial weights, data order and dropout under every
    activation, and its numbers depend on nothing but its id. The model as it stands is
    trained along: it is what the others are compared with.

    Args:
      model: a Linen module, called as `module(x)` or `module(x, train=...)`; a pair of
        pure functions `init(key, x) -> params`, `apply(params, x) -> y`; or a
        `relujax.models.Model` (`relujax.models.from_nnx` makes one of an NNX class:
        every seed starts from weights of its own). Its output is `[batch, outputs]`: a
        logit per class, one logit for two classes, or one number for regression.
      dataset: a name for `relujax.load_dataset`, a `relujax.Dataset`, or arrays
        `(x_train, y_train, x_test, y_test)`; the model gets float32 inputs. Integer
        targets are class labels from 0, floats are regression targets.
      activations: what to try instead: specs (see `relujax.get`) that replace every
        activation of the model, gates included; or dicts `{site id or activation name:
        spec}` (see `relujax.find_activations`) that leave the others alone. What
        replacements learn is trained with the model, what they draw is new at every
        step and the evaluation rule at evaluation, and `arelu` gets the training loss.
      seeds: how many (ids 0, 1, ...), or a list of ids. Ten or more can decide.
      optimizer: a spec such as `"adam(learning_rate=0.001)"`, or any optax
        transformation.
      epochs: passes over the training part.
      batch_size: examples per update.
      objective: one of `relujax.training.OBJECTIVES`; by default that of the data.
      plan: how seeds are run: `vmap`, `map` (both on all local devices), a
        `relujax.engine.Plan`, or by default `auto`, what suits network and backend.
      out: a folder for the report and `results.parquet`, written at the end.
      progress: whether to draw a progress bar, where there is a terminal.

    Returns:
      `Results`: `.conclusion()`, `.table()`, `.tests()`, `.plot()`, `.report(path)`.

    Raises:
      InputError: the model has no activations, an activation or site is unknown, an
        activation changes the shape, or model, data and objective do not fit.

    Examples:
      >>> from flax import linen as nn
      >>> net = nn.Sequential([nn.Dense(4), nn.relu, nn.Dense(1)])
      >>> results = compare(net, "wdbc", ["elu", {"relu": "prelu"}], seeds=2, epochs=1)
      >>> results.frame["activation"].unique().tolist()
      ['own(relu)', 'elu', 'relu: prelu']
    """
    start = time.perf_counter()
    data = _dataset(dataset)
    ids = seed_ids(seeds)
    given = as_plan(plan)
    own = own_model(model)
    candidates = _candidates(own, data, activations)
    objective = _objective(own, data, objective)
    cells = {
        c.label: OwnCell(
            model=c.model,
            optimizer=optimizer,
            objective=objective,
            batch_size=batch_size,
            epochs=epochs,
        )
        for c in candidates
    }
    name, frames = name_of(model), []
    console = Console(stderr=True)
    shown = progress and (console.is_terminal or console.is_jupyter)
    with epochs_bar(console, disable=not shown) as bar:
        task = bar.add_task("compiling", total=len(cells) * len(ids) * epochs)
        for label, cell in cells.items():
            bar.update(task, description=label)
            members = [Member(cell, seed) for seed in ids]
            chunks = train_population(
                members,
                data,
                root=0,
                plan=given or choose(cell, data, len(members)).plan,
                on_epochs=lambda n: bar.advance(task, n),
            )
            rows = pd.concat([rows for _, rows in chunks], ignore_index=True)
            columns = {
                "cell": label,
                "data": data.name,
                "model": name,
                "activation": label,
                "optimizer": cell.optimizer_spec.text,
            }
            frames.append(rows.drop(columns="member").assign(**columns))
    tried = ", ".join(repr(c.label) for c in candidates[1:])
    results = Results(
        pd.concat(frames, ignore_index=True),
        candidates[0].label,
        name,
        {
            "command": f"relujax.compare({name}, {data.name!r}, [{tried}], {seeds})",
            **provenance(),
            "wall_seconds": round(time.perf_counter() - start, 1),
            "data": [origin(data)],
        },
    )
    if out is not None:
        _save(results, Path(out))
    return results


class _Candidate(NamedTuple):
    """The model with some activations, and what the table calls it."""

    label: str
    model: Model


def _candidates(
    own: Model, data: Dataset, wanted: Sequence[Wanted]
) -> list[_Candidate]:
    """The model as it is, and with each of the replacements; all of them traceable."""
    if isinstance(wanted, str | Mapping) or callable(wanted) or not len(wanted):
        raise InputError(
            f"Expected a list of activations to try, such as ['leaky_relu', 'n_relu'], "
            f"got {wanted!r}."
        )
    x = _example(data)
    sites, _ = look_at(own, x)
    if not sites:
        raise InputError(
            "Expected a model with activations, found none in it; "
            "relujax.find_activations says what counts as one."
        )
    names = list(dict.fromkeys(site.activation for site in sites))
    candidates = [_Candidate(f"own({', '.join(names)})", watched(own))]
    for item in wanted:
        given = item if isinstance(item, Mapping) else dict.fromkeys(names, item)
        new = {site: registry.get(spec) for site, spec in given.items()}
        label = _label(item)
        if label in {c.label for c in candidates}:
            raise InputError(f"Expected different activations, got {label!r} twice.")
        candidate = _Candidate(label, replaced(own, new))
        look_at(candidate.model, x)
        candidates.append(candidate)
    return candidates


def _label(item: Wanted) -> str:
    if isinstance(item, Mapping):
        return "; ".join(f"{site}: {_label(spec)}" for site, spec in item.items())
    return item if isinstance(item, str) else str(registry.get(item))


def _example(data: Dataset) -> Any:
    """Two examples as the model gets them: one is easily taken for none."""
    return data.transform(jnp.asarray(data.x_train[:2]))


def _objective(own: Model, data: Dataset, name: str | None) -> str:
    """The objective: the one that is named, or the one of the data; it must fit."""
    _, shape = look_at(own, _example(data))
    classes = data.classes
    if name is None and data.task == "regression":
        name = "mse"
    if name is None:
        binary = classes == 2 and shape[1:] == (1,)
        name = "binary_cross_entropy" if binary else "softmax_cross_entropy"
    chosen = training.objective(name)
    check_targets(name, data)
    expected = (2, chosen.outputs(classes))
    if shape != expected:
        raise InputError(
            f"Expected {expected[1]} outputs per example for {name} on {data.name}, "
            f"got an output of shape {shape} for two examples."
        )
    return name


def _dataset(given: Any) -> Dataset:
    if isinstance(given, Dataset):
        return given
    if isinstance(given, str):
        return load_dataset(given)
    if isinstance(given, tuple | list) and len(given) == 4:
        return dataset_from_arrays(*map(np.asarray, given))
    got = f"{len(given)} items" if isinstance(given, tuple | list) else type(given)
    raise InputError(
        f"Expected the name of a data set, a Dataset, or four arrays (x_train, "
        f"y_train, x_test, y_test), got {got}."
    )


def _save(results: Results, out: Path) -> None:
    results.report(out)
    results.frame.to_parquet(out / "results.parquet")
    (out / "provenance.json").write_text(json.dumps(results.provenance, indent=2))
