"""`relujax list`, `relujax show` and `relujax gallery`: look the activations up."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from rich import box
from rich.markup import escape
from rich.table import Table

from relujax.activations import (
    REGISTRY,
    facts,
    get,
    names,
    number,
    parameters,
    properties,
)
from relujax.cli._console import console, plain, say
from relujax.cli._start import find_modules_here
from relujax.errors import InputError, first_line

Written = TypeVar("Written")

_WIDE = 120  # columns from which every fact has a column of its own
_PICTURES = (".png", ".svg")


def show_list(imports: Sequence[str] = ()) -> None:
    """Print the table of all activations."""
    _import(imports)
    wide = console.width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    table.add_column("id", no_wrap=True, style="bold")
    table.add_column("formula", ratio=4 if wide else 3)
    if wide:
        table.add_column("parameters", ratio=3)
    table.add_column("f′ at kink", no_wrap=True)
    table.add_column("paper" if wide else "paper; also in", ratio=3)
    if wide:
        table.add_column("also in", ratio=2)
    for name in names(gated=True):
        known = REGISTRY.definition(name)
        found = properties(name).kinks if known.kinks is None else known.kinks
        own = escape(parameters(name))
        kinks = [f"{number(k)}: {number(d)}" for k, d in found.items()]
        kinks = "\n".join(kinks) or "smooth"
        formula, paper = escape(known.formula), escape(known.paper)
        also = escape(known.elsewhere)
        if wide:
            table.add_row(name, formula, own, kinks, paper, also)
        else:
            formula += f"\n[dim]{own}[/]" if own else ""
            paper += f"; [dim]{also}[/]" if also else ""
            table.add_row(name, formula, kinks, paper)
        if not wide:
            table.add_row()
    console.print(table)
    console.print("relujax show ID has the details of one, and its picture.")


def show_one(spec: str, plot: Path | None, imports: Sequence[str] = ()) -> None:
    """Print what is known of one activation; draw it if there is a file to draw to."""
    _import(imports)
    act = get(spec)
    if plot is not None and plot.suffix.lower() not in _PICTURES:
        raise InputError(
            f"Expected a file name that ends in .png or .svg for the plot, got "
            f"{str(plot)!r}."
        )
    found = properties(act)
    say(f"[bold]{escape(str(act))}[/]")
    formula = REGISTRY.definition(act.id).formula
    if formula:
        say(f"f(x) = {escape(formula)}")
    console.print()
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for heading, words in facts(act, found).items():
        table.add_row(heading, escape(words))
    console.print(table)
    if plot is not None:
        from relujax import report

        _write(plot, lambda: report.write_portrait(act, found, plot))
        say(f"\nPicture: {plain(plot)}")


def show_gallery(out: Path, imports: Sequence[str] = ()) -> None:
    """Write the gallery and say where it is."""
    _import(imports)
    from relujax import report
    from relujax.progress import ProgressBar

    with ProgressBar(console, 2 * len(names(gated=True)), "pictures") as bar:
        bar.describe("drawing")
        path = _write(out, lambda: report.write_gallery(out, drawn=bar.advance))
    say(f"Gallery: {plain(path)}")


def _import(modules: Sequence[str]) -> None:
    """Import what registers activations; those of the working directory, too.

    Raises:
      InputError: there is no such module, or importing it raises.
    """
    find_modules_here()
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:
            raise InputError(
                f"Cannot import {module!r}: {type(error).__name__}: {first_line(error)}"
            ) from error


def _write(path: Path, write: Callable[[], Written]) -> Written:
    try:
        return write()
    except OSError as error:
        raise InputError(f"Cannot write {str(path)!r}: {error.strerror}.") from None
