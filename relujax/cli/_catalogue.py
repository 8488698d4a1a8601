"""`relujax list`, `relujax show` and `relujax gallery`: look the activations up."""

from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from relujax.activations import get, names, properties
from relujax.activations._registry import definition
from relujax.errors import InputError
from relujax.report._activation_plots import portrait
from relujax.report._gallery import facts, number, parameters, write_gallery
from relujax.report._style import drawing, png, svg

console = Console(highlight=False)

_WIDE = 120  # columns from which every fact has a column of its own
_WRITERS = {".png": png, ".svg": svg}


def show_list() -> None:
    """Print the table of all activations."""
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
    for name in names():
        known = definition(name)
        own = escape(parameters(name))
        kinks = [f"{number(k)}: {number(d)}" for k, d in known.kinks.items()]
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


def show_one(spec: str, plot: Path | None) -> None:
    """Print what is known of one activation; draw it if there is a file to draw to."""
    act = get(spec)
    if plot is not None and plot.suffix.lower() not in _WRITERS:
        raise InputError(
            f"Expected a file name that ends in .png or .svg for the plot, got "
            f"{str(plot)!r}."
        )
    found = properties(act)
    console.print(f"[bold]{escape(str(act))}[/]", soft_wrap=True)
    console.print(f"f(x) = {escape(definition(act.id).formula)}\n", soft_wrap=True)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for heading, words in facts(act, found).items():
        table.add_row(heading, escape(words))
    console.print(table)
    if plot is not None:
        with drawing():
            picture = portrait(act, found)
        code = _WRITERS[plot.suffix.lower()](picture)
        _write(plot, lambda: plot.write_bytes(code))
        console.print(f"\nPicture: {escape(str(plot))}", soft_wrap=True)


def show_gallery(out: Path) -> None:
    """Write the gallery and say where it is."""
    with console.status("Drawing all activations …"):
        path = _write(out, lambda: write_gallery(out))
    console.print(f"Gallery: {escape(str(path))}", soft_wrap=True)


def _write(path: Path, write):
    try:
        return write()
    except OSError as error:
        raise InputError(f"Cannot write {str(path)!r}: {error.strerror}.") from None
