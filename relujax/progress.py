"""The progress of whatever takes long: a bar, or a line now and then."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

#: Seconds between two lines where there is no terminal.
EVERY = 30.0


class ProgressBar:
    """Counts: a bar on a terminal or in a notebook, else a line now and then.

    Args:
      console: where it is drawn.
      total: how many there are.
      unit: what is counted: "epochs" of all networks, "pictures".
      disable: draw nothing.
    """

    def __init__(
        self,
        console: Console,
        total: int,
        unit: str = "epochs",
        *,
        disable: bool = False,
    ) -> None:
        self.console = console
        self._total, self._done, self._what = total, 0, "compiling"
        self._unit = unit
        self._disable = disable
        self._live = console.is_terminal or console.is_jupyter
        self._began = self._said = time.monotonic()
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(f"{unit} ·"),
            TimeElapsedColumn(),
            TextColumn("·"),
            TimeRemainingColumn(elapsed_when_finished=False),
            TextColumn("left"),
            console=console,
            disable=disable or not self._live,
        )
        self._task = self._bar.add_task(self._what, total=total)

    def __enter__(self) -> "ProgressBar":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def expect(self, total: int) -> None:
        """Say how many there are, if not as many as was thought."""
        self._total = total
        self._bar.update(self._task, total=total)

    def describe(self, what: str) -> None:
        """Say what is being trained or made."""
        self._what = what
        self._bar.update(self._task, description=what)

    def advance(self, count: int = 1) -> None:
        """Count what is done."""
        self._done += count
        self._bar.advance(self._task, count)
        now = time.monotonic()
        if self._live or self._disable or now - self._said < EVERY:
            return
        self._said = now
        self.say(self._line(now - self._began))

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        if not self._disable:
            self.console.print(text, soft_wrap=True, markup=False, emoji=False)

    def _line(self, seconds: float) -> str:
        begun = (
            f"{self._done:,} of {self._total:,} {self._unit} ({self._what}), "
            f"{_minutes(seconds)}"
        )
        if not self._done:  # Compiling says nothing of how long the rest takes.
            return f"{begun}."
        left = seconds * (self._total - self._done) / self._done
        return f"{begun}, about {_minutes(left)} left."


def _minutes(seconds: float) -> str:
    """Seconds in words.

    >>> _minutes(42.0), _minutes(200.0), _minutes(7500.0)
    ('42 s', '3 min 20 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
