"""`relujax new`: annotated files to start from."""

from typing import Annotated

import typer

new_app = typer.Typer(
    help="Annotated files to start from, which run as they are.",
    no_args_is_help=True,
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name, and that of the file.")
]


@new_app.command()
def study(name: Name) -> None:
    """Write NAME.py, a study of three activations with one claim."""
    from relujax.cli._new import new_study

    new_study(name)


@new_app.command()
def activation(name: Name) -> None:
    """Write NAME.py, an activation of your own, and its check test_NAME.py."""
    from relujax.cli._new import new_activation

    new_activation(name)
