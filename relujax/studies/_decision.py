"""Which activation a network should use: a row per task, with what it rests on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from relujax.errors import InputError
from relujax.statistics import (
    METRICS,
    TASK,
    Metric,
    diverged,
    metric_of,
    own_metrics,
    paired_comparisons,
    scores,
    tasks,
)
from relujax.studies._computed import operations
from relujax.studies._task_words import Words, task_in_words

TableOf = Callable[[pd.DataFrame], pd.DataFrame]


class Row(NamedTuple):
    """What the results say of one task.

    Attributes:
      task: data, model and optimizer, as spec strings.
      metric: how the task is measured.
      compared: its rows of `paired_comparisons`.
      dead: activation to the mean fraction of dead units; empty if it is unknown.
      lost: activation to the number of seeds that diverged.
    """

    task: tuple[str, str, str]
    metric: Metric
    compared: pd.DataFrame
    dead: Mapping[str, float]
    lost: Mapping[str, int]

    def decided(self, side: int, alpha: float) -> pd.DataFrame:
        """Those that are better (1) or worse (-1) than the baseline, best first."""
        sign = 1 if self.metric.higher_is_better else -1
        gain = sign * self.compared["difference"]
        chosen = self.compared[(self.compared["p_holm"] <= alpha) & (side * gain > 0)]
        return chosen.loc[gain[chosen.index].sort_values(ascending=False).index]


def decision_table(
    baseline: str, words: Words | None = None, *, alpha: float = 0.05
) -> TableOf:
    """A table with a row per task: which activation to take, and what is known of it.

    To take is the one that is furthest ahead of the baseline among those that are
    better, by a test paired by seed and corrected over all tasks of the same metric
    (`relujax.statistics.paired_comparisons`); the baseline where none is.

    Args:
      baseline: the activation that the others are compared with.
      words: name of a data set, or of a training of your own, to words for it.
      alpha: the chance of a false difference in any row of the same metric.
    """

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            task_in_words(row.task, words) | _decided(row, baseline, alpha)
            for row in judged(frame, baseline)
        )

    return make


def against_baseline(baseline: str, words: Words | None = None) -> TableOf:
    """A table of differences, tasks by activations: `mean [low, high]` over seeds.

    An asterisk marks p <= 0.05 after correction, as in `decision_table`.
    """

    def cell(row: Row, one: Any) -> str:
        if not one.n:
            return f"{row.lost.get(one.activation, 0)} diverged"
        star = "*" * bool(one.p_holm <= 0.05)
        return f"{_ends(row.metric, one.difference, one.low, one.high)}{star}"

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame(
            [
                task_in_words(row.task, words)
                | {"in": _unit(row.metric)}
                | {_short(one.activation): cell(row, one) for one in _each(row)}
                for row in judged(frame, baseline)
            ]
        ).fillna("–")

    return make


def dead_table(baseline: str, words: Words | None = None) -> TableOf:
    """A table of dead units in per cent at the end, tasks by activations."""

    def make(frame: pd.DataFrame) -> pd.DataFrame:
        show = METRICS["dead"].show
        found = [
            task_in_words(row.task, words)
            | {_short(name): show(value) for name, value in row.dead.items()}
            for row in judged(frame, baseline)
            if row.dead
        ]
        if not found:
            raise InputError("Expected results with dead units, got none.")
        return pd.DataFrame(found).fillna("–")

    return make


def cost_table(activations: Sequence[str], width: int = 32) -> TableOf:
    """A table of what a step costs, by activation; see `operations`.

    Args:
      activations: specs, the first of which the others are compared with.
      width: of a layer; the matrix products of a step take six operations per weight.
    """

    def make(_frame: pd.DataFrame) -> pd.DataFrame:
        products = 6 * width
        counts = {name: operations(name) for name in activations}
        first = counts[activations[0]]
        return pd.DataFrame(
            {
                "activation": name,
                "operations per unit and example": f"{count:.0f}",
                f"part of a step, width {width}, %": f"{100 * count / products:.1f}",
                f"step, {activations[0]} = 100": (
                    f"{100 * (products + count) / (products + first):.0f}"
                ),
            }
            for name, count in counts.items()
        )

    return make


def judged(frame: pd.DataFrame, baseline: str) -> Iterator[Row]:
    """What the results say of each task, in their order."""
    by_metric: dict[str, list[tuple]] = {}
    for task in tasks(frame):
        by_metric.setdefault(_measure(_of(frame, task)), []).append(task)
    dead = _means(frame, "dead")
    failed = frame[diverged(frame)].drop_duplicates(["cell", "seed"])
    found = {}
    for name, every in by_metric.items():
        part = pd.concat([_of(frame, task) for task in every])
        part.attrs = frame.attrs
        table = paired_comparisons(part, name, baseline)
        for task in every:
            own = table[(table[TASK] == list(task)).all(axis=1)]
            lost = _of(failed, task)["activation"].value_counts().to_dict()
            found[task] = Row(
                task, metric_of(name, frame), own, dead.get(task, {}), lost
            )
    yield from (found[task] for task in tasks(frame))


def _decided(row: Row, baseline: str, alpha: float) -> dict[str, str]:
    ahead, behind = row.decided(1, alpha), row.decided(-1, alpha)
    taken = ahead["activation"].iloc[0] if len(ahead) else baseline
    failing = [
        f"{_short(name)} ({count} diverged)"
        for name, count in row.lost.items()
        if count
    ]
    worse = [_short(name) for name in behind["activation"][::-1]]
    gain = _nothing_better(row, baseline)
    if len(ahead):
        best = ahead.iloc[0]
        gain = _ends(row.metric, best["difference"], best["low"], best["high"])
        gain += f" {_unit(row.metric)}"
    return {
        "take": _short(taken),
        f"against {baseline}": gain,
        "as well": ", ".join(map(_short, ahead["activation"][1:])) or "–",
        "not": ", ".join([*failing, *worse]) or "–",
        "dead units, %": _deaths(row.dead, baseline, taken),
        "seeds": str(int(row.compared["n"].max())) if len(row.compared) else "0",
    }


def _nothing_better(row: Row, baseline: str) -> str:
    """What so many seeds would have shown of each activation that all of them had."""
    n = row.compared["n"]
    shown = row.compared["smallest_effect"][n == n.max()]
    shown = shown[np.isfinite(shown)]  # Equal results in all seeds have none.
    if shown.empty:
        return f"none better than {baseline}"
    m = row.metric
    return f"none better; {m.show(shown.max())} {_unit(m)} would show"


def _unit(m: Metric) -> str:
    """What a difference is in, in few words."""
    return (m.points or m.label).removeprefix("percentage ").removeprefix("mean ")


def _deaths(dead: Mapping[str, float], baseline: str, taken: str) -> str:
    if baseline not in dead:
        return "–"
    show = METRICS["dead"].show
    names = dict.fromkeys([baseline, taken])
    return ", ".join(f"{_short(n)} {show(dead[n])}" for n in names if n in dead)


def _measure(rows: pd.DataFrame) -> str:
    """How a task is measured: accuracy, squared error, or the first of its own."""
    tested = rows[rows["split"] == "test"]
    for name in ("accuracy", "mse", *own_metrics(rows)):
        if name in tested and tested[name].notna().any():
            return name
    raise InputError(f"Expected a metric of {rows['model'].iloc[0]}, got none.")


def _of(frame: pd.DataFrame, task: tuple) -> pd.DataFrame:
    return frame[(frame[TASK] == list(task)).all(axis=1)]


def _means(frame: pd.DataFrame, metric: str) -> dict[tuple, dict[str, float]]:
    """Task to activation to the mean over seeds, where there is one."""
    if metric not in frame:
        return {}
    mean = scores(frame, metric).groupby([*TASK, "activation"], sort=False).mean()
    found: dict[tuple, dict[str, float]] = {}
    for (*task, activation), value in mean.dropna().items():
        found.setdefault(tuple(task), {})[activation] = float(value)
    return found


def _each(row: Row) -> Iterator[Any]:
    yield from row.compared.itertuples()


def _ends(m: Metric, value: float, low: float, high: float) -> str:
    show = lambda x: m.show(x, sign=True)
    if not np.isfinite(low):
        return show(value)
    return f"{show(value)} [{show(low)}, {show(high)}]"


def _short(spec: str) -> str:
    return spec.partition("(")[0]
