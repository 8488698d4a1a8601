"""`relujax.compare`: which activation suits your own network.

results = relujax.compare(net, "digits", activations=["leaky_relu", "n_relu"])
print(results.conclusion())
results.report("report")
"""

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from relujax import activations as registry
from relujax.activations import Activation
from relujax.clusters import where_of
from relujax.data import SOURCES, load_dataset
from relujax.engine import OWN, Cell, default_objective, name_or_path, needs_activation
from relujax.errors import InputError
from relujax.studies._execute import How, Logger
from relujax.studies._results import Results
from relujax.studies._run import execute

Spec = str | Activation | Callable
Wanted = Spec | Mapping[str, Spec]


def compare(
    model: Any,
    dataset: Any,
    activations: Sequence[Wanted],
    seeds: int | Sequence[int] = 20,
    *,
    exclude: str | Collection[str] | None = None,
    optimizer: Any = "adam",
    epochs: int = 10,
    batch_size: int = 128,
    objective: Any = None,
    metrics: Sequence[Any] = (),
    patience: int | None = None,
    metric: str | None = None,
    plan: Any = None,
    keep: str | None = None,
    log: Logger | Sequence[Logger] | None = None,
    stale: str = "refuse",
    checkpoint_every: float | None = None,
    out: str | Path | None = None,
    progress: bool = True,
    where: str = "here",
    cluster: Mapping[str, Any] | None = None,
    mix: bool = False,
) -> Results:
    """Train your own model with other activations, over seeds, and test the difference.

    The activations are found in the model's program and replaced there; its code stays
    as it is. A seed has the same initial weights, data order and dropout under every
    activation, and its numbers depend on nothing but its id. The model as it stands,
    `own`, is trained along: it is what the others are compared with (`relu`, if the
    model requires an activation).

    Args:
      model: whatever `relujax.networks.as_model` takes (Linen, NNX, Equinox, pairs of
        pure functions), an import path such as `"mypackage.nets:ResNet(depth=20)"`, or
        a name. Its output is `[batch, outputs]`: a logit per class, one logit for two
        classes, or one number for regression. A finished module of NNX or Equinox is
        refused, as each seed has initial weights of its own.
      dataset: a name for `relujax.load_dataset`, a `relujax.Dataset`, or arrays
        `(x_train, y_train, x_test, y_test)`; the model gets float32 inputs, and makes
        indices of token ids itself: `x.astype(int)`. Integer targets are class labels
        from 0, floats are regression targets.
      activations: what to try instead: specs (see `relujax.get`) that replace every
        activation of the model, gates included; or dicts `{site: spec}` that leave the
        others alone, a site being an id (see `relujax.find_activations`), the name of
        an activation, or a pattern (`*`, `?`) of ids, module paths or places in the
        code; the spec `"own"` excludes a site. What
        replacements learn is trained with the model, what they draw is new at every
        step and the evaluation rule at evaluation, and `arelu` gets the training loss.
      seeds: how many (ids 0, 1, ...), or a list of ids. Ten or more can decide.
      exclude: sites that keep their activation in all networks: `"*mip.py:41*"`.
      optimizer: as in `relujax.Cell`, and so are `epochs`, `batch_size`, `metrics` and
        `patience`.
      epochs: passes over the training part.
      batch_size: examples per update.
      objective: as in `relujax.Cell`; by default that of the data.
      metrics: further columns of the results.
      patience: epochs without a better validation loss after which training ends.
      metric: as in `relujax.run`, and so are the options that follow.
      plan: how networks are run.
      keep: which weights are stored.
      log: functions of a network and its rows.
      stale: what is done with stored numbers of a program that has changed.
      checkpoint_every: minutes from one checkpoint of the training state to the next.
      out: a folder: what is stored there is not trained again, and the report is
        written there at the end. None stores nothing.
      progress: whether to show how far it is.
      where: the place; see `relujax.run`, also for `cluster` and `mix`.
      cluster: what a cluster is asked for.
      mix: whether several backends may be mixed.

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
      ['own', 'elu', 'relu: prelu']
    """
    _check_folder(out, keep, where)
    source, text = SOURCES.text(dataset), name_or_path(model)
    # A model that requires its activation has none of its own.
    baseline = "relu" if needs_activation(text) else OWN
    kept = _excluded(exclude, baseline, text)
    data = load_dataset(source)
    fields = {
        "data": source,
        "model": text,
        "optimizer": optimizer,
        "objective": default_objective(text, data) if objective is None else objective,
        "metrics": metrics,
        "patience": patience,
        "batch_size": batch_size,
        "epochs": epochs,
    }
    wanted = [baseline, *_kept(_wanted(activations, baseline), kept)]
    cells = [Cell(activation=activation, **fields) for activation in wanted]
    how = How(
        plan=plan,
        keep=keep,
        log=log,
        stale=stale,
        checkpoint_every=checkpoint_every,
        progress=progress,
        where=where,
        cluster=cluster,
        mix=mix,
    )
    name = text.partition("(")[0].rpartition(":")[2]
    facts = {"baseline": baseline, "metric": metric, **_question(name, source)}
    done = partial(execute, cells, seeds, how=how, profile="comparison", facts=facts)
    return _in_folder(done, out, name)


def _in_folder(
    done: Callable[..., Results], out: str | Path | None, name: str
) -> Results:
    """Run in a folder, and write the report there; or in one that goes again."""
    if out is None:
        with tempfile.TemporaryDirectory() as folder:
            return done(folder=Path(folder) / name)
    (results := done(folder=Path(out))).report(out)
    return results


def _question(name: str, source: str) -> dict[str, str]:
    data = source.partition("(")[0]
    return {"question": f"which activation suits {name} on {data}?"}


def _check_folder(out: Any, keep: str | None, where: str) -> None:
    """Refuse what needs a folder where there is none."""
    if out is not None:
        return
    if keep is not None:
        raise InputError(f"Expected out= with keep={keep!r}: weights need a folder.")
    if where_of(where).kind in ("part", "slurm"):
        raise InputError(
            f"Expected out= with where={where!r}: several processes share the folder."
        )


def _excluded(
    exclude: str | Collection[str] | None, baseline: str, model: str
) -> Collection[str]:
    """The names of sites that stay as they are."""
    kept = (exclude,) if isinstance(exclude, str) else exclude or ()
    if kept and baseline != OWN:
        raise InputError(
            f"Expected a model with activations of its own with exclude={exclude!r}, "
            f"got {model}, which is made with the activation that it is given."
        )
    return kept


def _wanted(given: Sequence[Wanted], baseline: str) -> list[Wanted]:
    """The activations to try, none of them twice, the baseline apart."""
    if isinstance(given, str | Mapping) or callable(given) or not len(given):
        raise InputError(
            f"Expected a list of activations to try, such as ['leaky_relu', 'n_relu'], "
            f"got {given!r}."
        )
    labels: set[str] = set()
    for item in given:
        label = _label(item)
        if label in labels:
            raise InputError(f"Expected different activations, got {label!r} twice.")
        labels.add(label)
    others = [item for item in given if item != baseline]
    if not others:
        raise InputError(
            f"Expected activations to compare with {baseline}, which is trained along, "
            f"got no other."
        )
    return others


def _kept(wanted: Sequence[Wanted], exclude: Collection[str]) -> list[Wanted]:
    """The activations to try, as dicts that exclude some sites."""
    if not exclude:
        return list(wanted)
    all_of = lambda item: item if isinstance(item, Mapping) else {"*": item}
    return [{**all_of(item), **dict.fromkeys(exclude, OWN)} for item in wanted]


def _label(item: Wanted) -> str:
    if isinstance(item, Mapping):
        return "; ".join(f"{site}: {_label(spec)}" for site, spec in item.items())
    return item if isinstance(item, str) else str(registry.get(item))
