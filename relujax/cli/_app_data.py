"""`relujax data`: the data sets, where they lie, how to get them."""

from typing import Annotated

import typer

from relujax.cli._options import DataDir, completed, datasets

data_app = typer.Typer(
    help="The data sets: what there is, where it lies, how to get it.",
    no_args_is_help=True,
)


Name = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=completed(datasets))
]


@data_app.command("list")
def list_data(data_dir: DataDir = None) -> None:
    """All data sets, and which of them are on this machine."""
    from relujax.cli._data import show_datasets

    show_datasets(data_dir)


@data_app.command()
def info(name: Name, data_dir: DataDir = None) -> None:
    """One data set: size, parameters, origin, where it would be read."""
    from relujax.cli._data import show_dataset

    show_dataset(name, data_dir)


@data_app.command()
def check(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC", help="Such as \"csv(path='cohort.csv', target='grade')\"."
        ),
    ],
    data_dir: DataDir = None,
) -> None:
    """Load one data set: its classes and their counts, and what is odd about it."""
    from relujax.cli import _data

    _data.check(spec, data_dir)


@data_app.command()
def prepare(name: Name, data_dir: DataDir = None) -> None:
    """Make a verified copy of a data set, from its published files.

    They are read from NAME/ in the folder of raw files, if there is one, else
    downloaded. The copy goes to TFDS_DATA_DIR, else to ~/tensorflow_datasets.
    """
    from relujax.cli import _data

    _data.prepare(name, data_dir)
