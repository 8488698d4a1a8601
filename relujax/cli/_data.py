"""`relujax data`: what data sets there are, where they lie, and how to get them."""

from pathlib import Path

from rich import box
from rich.markup import escape
from rich.table import Table

import relujax
from relujax import data, specs
from relujax.cli._console import console, plain, say
from relujax.cli._start import find_modules_here


def show_datasets(data_dir: Path | None) -> None:
    """Print the table of all data sets, and how to get those that are not here."""
    known = relujax.list_datasets(data_dir)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("what it is", ratio=3)
    table.add_column("size", ratio=2)
    table.add_column("here", no_wrap=True)
    for info in known:
        yours = specs.REQUIRED in info.parameters.values()
        here = "yours" if yours else "yes" if info.available else "[red]no[/]"
        table.add_row(escape(info.name), escape(info.title), escape(info.size), here)
    console.print(table)
    for info in known:
        if info.advice:
            say(f"{escape(info.name)}: {escape(info.advice)}")
    console.print("relujax data info NAME has the details of one.")


def show_dataset(name: str, data_dir: Path | None) -> None:
    """Print what is known of one data set, without loading it."""
    info = relujax.dataset_info(name, data_dir)
    required = [k for k, v in info.parameters.items() if v is specs.REQUIRED]
    optional = {k: v for k, v in info.parameters.items() if v is not specs.REQUIRED}
    given = {k: v for k, v in optional.items() if v is not None}
    spec = specs.unparse(name, {**dict.fromkeys(required, ...), **given})
    facts = {
        "what it is": info.title,
        "task": info.task,
        "size": info.size,
        "from": info.origin,
        "spec": spec.replace("Ellipsis", "..."),
        "parameters": ", ".join(info.parameters),
        "read from": info.found,
        "not here": info.advice,
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, words in facts.items():
        if words:
            table.add_row(heading, escape(words))
    say(f"[bold]{plain(name)}[/]")
    console.print(table)


def check(spec: str, data_dir: Path | None) -> None:
    """Print what a data set holds, class by class, and what is odd about it."""
    find_modules_here()
    dataset = relujax.load_dataset(spec, data_dir)
    say(f"[bold]{escape(dataset.name)}[/]")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for heading, words in data.facts(dataset).items():
        if words:
            table.add_row(heading, escape(words))
    console.print(table)
    if counted := data.class_counts(dataset):
        console.print(_classes(counted))
    odd = data.check_inputs(dataset)
    for line in odd:
        say(f"[yellow]Note:[/] {escape(line)}")
    if not odd:
        console.print("Nothing is wrong with it.")


def _classes(counted: list[tuple[str, dict[str, int]]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("class")
    for part in counted[0][1]:
        table.add_column(part, justify="right")
    for name, counts in counted:
        table.add_row(escape(name), *(f"{n:,}" for n in counts.values()))
    return table


def prepare(name: str, data_dir: Path | None) -> None:
    """Make a verified copy of a data set: from the user's own folder, or downloaded."""
    manual_dir = _archives(name, data_dir)
    copy = relujax.prepare_dataset(name, manual_dir=manual_dir)
    say(f"Prepared, sha256 verified: {plain(copy)}")


def _archives(name: str, data_dir: Path | None) -> Path | None:
    """The folder of the published files, if the user has one; else None: download."""
    from relujax.data._places import local_folder

    folder = local_folder(data_dir)
    if folder is None:
        return None
    # A folder that is named in this very command is meant; the environment's may
    # hold other data sets.
    return folder / name if data_dir or (folder / name).is_dir() else None
