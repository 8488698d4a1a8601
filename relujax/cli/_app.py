"""The commands and their options. JAX is imported by the commands, not by `--help`."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

import relujax
from relujax.errors import InputError

app = typer.Typer(
    name="relujax",
    help="ReLU-family activations, compiled seed sweeps, dead-unit diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# What typer makes of Ctrl-C.
_INTERRUPTED = 130

Seeds = Annotated[
    int | None,
    typer.Option(help="Number of seeds (ids 0, 1, ...); the study's own by default."),
]
Out = Annotated[Path, typer.Option(help="Folder of the results.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of raw files, such as fashion_mnist/train-images-idx3-ubyte.gz "
        "below it; RELUJAX_DATA_DIR by default."
    ),
]


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
    """Which rectifier classifies WDBC best? The SReLU paper's protocol, ten seeds."""
    from relujax.cli._run import run_study

    run_study(Path("srelu"), profile="quick", seeds=seeds, out=out)


@app.command()
def run(
    study: Annotated[
        Path, typer.Argument(help="A study file, or the name of a shipped one: srelu.")
    ],
    profile: Annotated[str, typer.Option(help="Which grid of the study.")] = "quick",
    seeds: Seeds = None,
    out: Out = Path("runs"),
    data_dir: DataDir = None,
    publish: Annotated[
        Path | None,
        typer.Option(help="Also keep the tables and main figures in this folder."),
    ] = None,
    plan: Annotated[
        str, typer.Option(help="How networks are run: auto, vmap or map.")
    ] = "auto",
    chunk: Annotated[
        int | None,
        typer.Option(help="Networks per call, under vmap or map; stored after each."),
    ] = None,
    devices: Annotated[
        int | None, typer.Option(help="Local devices, under vmap or map; else all.")
    ] = None,
) -> None:
    """Run a study, or what is missing of it, and write its report."""
    from relujax.cli._run import Running, run_study

    run_study(
        study,
        profile=profile,
        seeds=seeds,
        out=out,
        data_dir=data_dir,
        publish=publish,
        how=Running(plan, chunk, devices),
    )


Runs = Annotated[Path, typer.Argument(help="Folder of the results.")]


@app.command()
def report(runs: Runs = Path("runs")) -> None:
    """Write the reports of all studies again, and one page over them; trains nothing.

    The page, report.html, is the ledger of all claims.
    """
    from relujax.cli._report import report_all

    report_all(runs)


@app.command()
def status(runs: Runs = Path("runs")) -> None:
    """What of each study is done, running, failed or missing; how to resume it."""
    from relujax.cli._status import show_status

    show_status(runs)


@app.command("list")
def list_activations() -> None:
    """All activations: formula, parameters, derivative at kinks, paper."""
    from relujax.cli._catalogue import show_list

    show_list()


@app.command()
def show(
    spec: Annotated[
        str, typer.Argument(metavar="ID", help="An id or spec: 'n_relu(sigma=0.1)'.")
    ],
    plot: Annotated[
        Path | None, typer.Option(help="Draw value and derivative: .png or .svg.")
    ] = None,
) -> None:
    """One activation: its facts, and its picture if a file is given."""
    from relujax.cli._catalogue import show_one

    show_one(spec, plot)


@app.command()
def gallery(
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("gallery"),
) -> None:
    """A page and a picture of all activations."""
    from relujax.cli._catalogue import show_gallery

    show_gallery(out)


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
    function: Annotated[str, typer.Argument(metavar="MODULE:FUNCTION")],
    data: Annotated[
        str,
        typer.Option(
            help="A data set (its training part), such as mnist; or a file: "
            ".npy, or .npz with an array x."
        ),
    ],
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="MODULE:FUNCTION",
            help="A function of outputs and labels, such as "
            "optax:softmax_cross_entropy_with_integer_labels; its gradient is taken.",
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            help="A .npy file of labels; by default those of the data set, or the "
            "array y of the .npz file."
        ),
    ] = None,
    sites: Annotated[
        str | None,
        typer.Option(help="Ids or names of activations to look at: relu,Net/tanh_0."),
    ] = None,
    unit_axis: Annotated[
        int, typer.Option(help="The axis of the units; 1 for channels first.")
    ] = -1,
    batch_size: Annotated[
        int | None, typer.Option(help="Examples per batch; by default what suits.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the HTML report to this file.")
    ] = None,
) -> None:
    """Which units are dead in a network of yours, over a whole data set?

    FUNCTION takes one batch of inputs and holds its parameters itself, as in
    `lambda x: model.apply(params, x)`, or is an NNX or Equinox module; or it
    takes no arguments and returns such a function or module, and may load the
    parameters from wherever they are.
    MODULE is imported from the working directory, as by `python -m`.
    """
    from relujax.cli._diagnose import diagnose_function

    diagnose_function(
        function,
        data=data,
        labels=labels,
        loss=loss,
        sites=sites,
        unit_axis=unit_axis,
        batch_size=batch_size,
        report=report,
    )


data_app = typer.Typer(
    help="The data sets: what there is, where it lies, how to get it.",
    no_args_is_help=True,
)
app.add_typer(data_app, name="data")


@data_app.command("list")
def list_data(data_dir: DataDir = None) -> None:
    """All data sets, and which of them are on this machine."""
    from relujax.cli._data import show_datasets

    show_datasets(data_dir)


@data_app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME")], data_dir: DataDir = None
) -> None:
    """One data set: size, parameters, origin, where it would be read."""
    from relujax.cli._data import show_dataset

    show_dataset(name, data_dir)


@data_app.command()
def prepare(
    name: Annotated[str, typer.Argument(metavar="NAME")], data_dir: DataDir = None
) -> None:
    """Make a verified copy of a data set, from its published files.

    They are read from NAME/ in the folder of raw files, if there is one, else
    downloaded. The copy goes to TFDS_DATA_DIR, else to ~/tensorflow_datasets.
    """
    from relujax.cli import _data

    _data.prepare(name, data_dir)


def main() -> None:
    """Entry point: what goes wrong outside is one sentence, never a traceback.

    The exit code is 2 for bad input, 1 for a disk or file that fails.
    """
    say = partial(Console(stderr=True, highlight=False).print, soft_wrap=True)
    sentence = ""
    try:
        code = app(standalone_mode=False) or 0
    except InputError as problem:
        code, sentence = 2, str(problem)
    except OSError as problem:
        # The disk is full, say, or a folder cannot be written to.
        code, sentence = 1, f"{problem}. What was finished is stored."
    except typer.TyperException as problem:
        # Empty if there was no command: then typer has printed its help.
        code, sentence = 2, problem.format_message()
    if sentence:
        say(f"[bold red]Error:[/] {escape(sentence)}")
    if code == _INTERRUPTED:
        say("Interrupted. What was finished is stored; the same command continues.")
    sys.exit(code)
