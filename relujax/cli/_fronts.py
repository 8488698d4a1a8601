"""`relujax compare` and `relujax sweep`: the fronts of those names, from the shell."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape

from relujax import report, statistics
from relujax.cli._console import plain, say
from relujax.cli._run import LONGEST, print_table
from relujax.cli._start import start
from relujax.engine import Cell
from relujax.errors import InputError
from relujax.studies import Results, compare, sweep


def split_specs(text: str) -> list[str]:
    """The specs of a list, cut at the commas outside brackets and quotes.

    >>> split_specs("elu, n_relu(sigma=0.1),relu: prelu")
    ['elu', 'n_relu(sigma=0.1)', 'relu: prelu']
    """
    specs, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth and not quote:
            specs.append("")
        else:
            specs[-1] += letter
    return [spec.strip() for spec in specs if spec.strip()]


def activation_of(text: str) -> str | dict[str, str]:
    """A spec, or `site: spec` as a replacement of one site."""
    site, colon, spec = text.partition(": ")
    return {site: spec} if colon else text


def run_compare(
    model: str,
    *,
    data: str,
    activations: str,
    seeds: int,
    out: Path,
    options: dict[str, Any],
) -> None:
    """Compare activations in a user's model, and say what was found."""
    start()
    given = {name: value for name, value in options.items() if value is not None}
    given["metrics"] = split_specs(given.get("metrics", ""))
    wanted = [activation_of(spec) for spec in split_specs(activations)]
    results = compare(model, data, wanted, seeds, out=out, **given)
    _say(results)
    say(f"Report: {plain((results.folder or out) / 'report.html')}")


def run_sweep(
    cell: dict[str, Any], *, axes: Sequence[str], seeds: int, out: Path, options: Any
) -> None:
    """Sweep numbers of a cell, and print its table."""
    start()
    given = {name: value for name, value in options.items() if value is not None}
    parts = {name: value for name, value in cell.items() if value is not None}
    chosen = dict(map(_axis, axes))
    results = sweep(Cell(**parts), seeds, chosen, out=out, **given)
    metric = statistics.metric_of(results.metric)
    table = results.table()
    shown = table.assign(
        **{name: table[name].map(metric.show) for name in ("mean", "low", "high")}
    )
    say(f"{metric.label} on the test part, {escape(metric.unit or 'mean')} over seeds")
    print_table(shown.astype(str), columns=len(shown.columns))


def _axis(text: str) -> tuple[str, list[float]]:
    name, equals, values = text.partition("=")
    try:
        if not equals:
            raise ValueError
        return name.strip(), [float(value) for value in values.split(",")]
    except ValueError:
        raise InputError(
            f"Expected an axis such as activation.sigma=0.01,0.1, got {text!r}."
        ) from None


def _say(results: Results) -> None:
    frame = statistics.summary(results.frame, results.baseline)
    ended = report.summary_text(frame, results.frame)
    if len(ended) <= LONGEST:
        print_table(ended)
    say(escape(results.conclusion()))
