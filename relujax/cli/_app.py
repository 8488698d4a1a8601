"""The commands and their options. JAX is imported by the commands, not by `--help`."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

import relujax
from relujax.cli._app_data import data_app
from relujax.cli._app_new import new_app
from relujax.cli._app_results import cancel, compact, report, status
from relujax.cli._app_runs import compare, run, sweep
from relujax.cli._console import print_anything
from relujax.cli._options import (
    AsJson,
    BatchSize,
    Criterion,
    Exclude,
    Function,
    Inputs,
    Labels,
    OfRun,
    Out,
    Page,
    SeedOfRun,
    Seeds,
    Sites,
    UnitAxis,
    completed,
)
from relujax.errors import InputError, Pending

app = typer.Typer(
    name="relujax",
    help="ReLU-family activations, compiled seed sweeps, dead-unit diagnosis.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# What typer raises for a wrong word: of its own, or of the click that it once imported.
if hasattr(typer, "TyperException"):
    _WRONG_WORDS: type[Exception] = typer.TyperException
else:
    from click import ClickException as _WRONG_WORDS  # pyright: ignore


# What typer makes of Ctrl-C.
_INTERRUPTED = 130


def _version(asked: bool) -> None:
    if asked:
        typer.echo(relujax.__version__)
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    del version


@app.command()
def demo(seeds: Seeds = None, out: Out = Path("runs")) -> None:
    """Which rectifier classifies WDBC best? The SReLU paper's protocol, five seeds."""
    from relujax.cli._run import run_study

    run_study(Path("srelu"), profile="quick", seeds=seeds, out=out)


for _command in (run, compare, sweep, report, status, compact, cancel):
    app.command()(_command)


@app.command(hidden=True)
def work(units: Path, part: str) -> None:
    """Work off a part of the units of a run: what a task of SLURM's array does."""
    from relujax.cli._work import work_off_part

    work_off_part(units, part)


Imports = Annotated[
    list[str] | None,
    typer.Option("--import", help="A module that registers activations of yours."),
]


@app.command("list")
def list_activations(imports: Imports = None) -> None:
    """All activations: formula, parameters, derivative at kinks, paper."""
    from relujax.cli._catalogue import show_list

    show_list(imports or [])


@app.command()
def show(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            autocompletion=completed(lambda: relujax.names(gated=True)),
            help="An id, spec or import path: 'n_relu(sigma=0.1)', my.acts:wobble.",
        ),
    ],
    plot: Annotated[
        Path | None, typer.Option(help="Draw value and derivative: .png or .svg.")
    ] = None,
    imports: Imports = None,
) -> None:
    """One activation: its facts, and its picture if a file is given."""
    from relujax.cli._catalogue import show_one

    show_one(spec, plot, imports or [])


@app.command()
def gallery(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("gallery"),
    imports: Imports = None,
) -> None:
    """A page and a picture of all activations."""
    from relujax.cli._catalogue import show_gallery

    show_gallery(out, imports or [])


@app.command()
def bench(
    quick: Annotated[
        bool, typer.Option("--quick", help="The small workloads, about a minute.")
    ] = False,
) -> None:
    """Seeds per hour of each plan on five workloads, on this machine."""
    from relujax.cli._bench import show_speeds

    show_speeds(quick=quick)


@app.command()
def diagnose(
    function: Function,
    data: Inputs = None,
    activation: OfRun = None,
    seed: SeedOfRun = None,
    loss: Criterion = None,
    labels: Labels = None,
    sites: Sites = None,
    exclude: Exclude = None,
    unit_axis: UnitAxis = None,
    batch_size: BatchSize = None,
    report: Page = None,
    as_json: AsJson = False,
) -> None:
    """Which units are dead in a network of yours, over a whole data set?

    FUNCTION takes one batch of inputs and holds its parameters itself, as in
    `lambda x: model.apply(params, x)`, or is an NNX or Equinox module; or it
    takes no arguments and returns such a function or module, and may load the
    parameters from wherever they are.
    MODULE is imported from the working directory, as by `python -m`.

    RUN is the folder of a run that kept weights (--keep), such as runs/compare.
    """
    from relujax.cli._diagnose import diagnose_function, diagnose_run

    if "://" in function:
        from relujax.engine import results_folder

        function = str(results_folder(function))
    if Path(function).is_dir():
        diagnose_run(
            Path(function),
            activation=activation,
            seed=seed,
            report=report,
            as_json=as_json,
        )
        return
    if data is None:
        raise InputError(
            f"Expected --data with the inputs of {function}: a data set such as "
            f"digits, or a .npy or .npz file."
        )
    diagnose_function(
        function,
        data=data,
        labels=labels,
        loss=loss,
        sites=sites,
        exclude=exclude,
        unit_axis=unit_axis,
        batch_size=batch_size,
        report=report,
        as_json=as_json,
    )


app.add_typer(data_app, name="data")
app.add_typer(new_app, name="new")


def main() -> None:
    """Entry point: what goes wrong outside is one sentence, never a traceback.

    The exit code is 2 for bad input, 1 for a disk or file that fails.
    """
    print_anything()
    # Commands draw into files: any backend of the environment is for other programs.
    os.environ["MPLBACKEND"] = "agg"
    console = Console(stderr=True, highlight=False, emoji=False)
    say = partial(console.print, soft_wrap=True)
    sentence = ""
    try:
        code = app(standalone_mode=False) or 0
    except InputError as problem:
        code, sentence = 2, str(problem)
    except OSError as problem:
        # The disk is full, say, or a folder cannot be written to.
        code, sentence = 1, f"{problem}. What was finished is stored."
    except Pending as rest:
        code = 0
        say(escape(str(rest)))
    except _WRONG_WORDS as problem:
        # Empty if there was no command: then typer has printed its help.
        code, sentence = 2, problem.format_message()  # pyright: ignore
    if sentence:
        say(f"[bold red]Error:[/] {escape(sentence)}")
    if code == _INTERRUPTED:
        say("Interrupted. What was finished is stored; the same command continues.")
    sys.exit(code)
