"""The progress bar of everything that trains."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def epochs_bar(console: Console, *, disable: bool = False) -> Progress:
    """A bar that counts epochs and estimates the time left.

    Args:
      console: where it is drawn.
      disable: draw nothing.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs ·"),
        TimeElapsedColumn(),
        TextColumn("·"),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("left"),
        console=console,
        disable=disable,
    )
