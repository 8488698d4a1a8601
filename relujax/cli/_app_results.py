"""The commands about what was run: `report`, `status`, `compact`, `cancel`."""

from pathlib import Path
from typing import Annotated

import typer

from relujax.cli._options import FromKept, Runs, StudyFiles


def report(
    runs: Runs = Path("runs"),
    study: StudyFiles = None,
    kept: FromKept = None,
) -> None:
    """Write the reports of all studies again, from what is stored, and one page.

    The page, report.html, is the ledger of all claims. Nothing is trained.
    """
    from relujax.cli._kept import report_from
    from relujax.cli._report import report_all

    if kept is None:
        report_all(runs, study or [])
    else:
        report_from(kept, runs, study or [])


def status(
    runs: Runs = Path("runs"),
    units: Annotated[
        bool, typer.Option("--units", help="Also the host and device of each unit.")
    ] = False,
) -> None:
    """What of each study is done, running, failed or missing; how to resume it."""
    from relujax.cli._status import show_status

    show_status(runs, units=units)


def compact(
    runs: Annotated[
        Path, typer.Argument(help="The folder of a study, or of several.")
    ] = Path("runs"),
) -> None:
    """Many small files of results into few; nothing is lost, whenever it ends."""
    from relujax.cli._compact import compact_all

    compact_all(runs)


def cancel(
    study: Annotated[Path, typer.Argument(help="Its folder, such as runs/srelu.")],
) -> None:
    """Take a study that was left to SLURM from its queue; what is stored stays."""
    from relujax.cli._work import cancel_study

    cancel_study(study)
