"""Options that several commands share, and what Tab offers for them."""

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from relujax.errors import InputError


def completed(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """What Tab offers for a word: those of `names()` that begin like it."""
    return lambda incomplete: [n for n in names() if n.startswith(incomplete)]


def studies() -> list[str]:
    """The studies that are shipped."""
    from relujax.cli._study_file import packaged_studies

    return sorted(packaged_studies())


def datasets() -> list[str]:
    """The data sets by name."""
    from relujax.data import SOURCES

    return sorted(SOURCES)


Seeds = Annotated[
    int | None,
    typer.Option(help="Number of seeds (ids 0, 1, ...); the study's own by default."),
]
Out = Annotated[
    Path, typer.Option(help="Folder of the results, or s3://bucket/prefix.")
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of raw files, such as fashion_mnist/train-images-idx3-ubyte.gz "
        "below it; RELUJAX_DATA_DIR by default."
    ),
]


Keep = Annotated[
    str | None, typer.Option(help="Weights to store: last, or best on validation.")
]
Stale = Annotated[
    str,
    typer.Option(help="Stored numbers of a changed program: refuse, keep or rerun."),
]
CheckpointEvery = Annotated[
    float | None,
    typer.Option(
        metavar="MINUTES",
        help="Between checkpoints inside a network: a killed run goes on there.",
    ),
]
Plan = Annotated[str, typer.Option(help="How networks are run: auto, vmap or map.")]
Count = Annotated[int, typer.Option(help="Number of seeds (ids 0, 1, ...).")]


On = Annotated[
    str,
    typer.Option(help="Where: here, ray, ray:HOST:PORT or slurm.", metavar="PLACE"),
]
Part = Annotated[
    str | None,
    typer.Option(
        metavar="I/N",
        help="Train part I of N, counted from 0 or 1, of a run that others share.",
    ),
]
Cluster = Annotated[
    str,
    typer.Option(
        metavar="NAME=VALUE,...", help="What a cluster is asked for: gpus=0.5,cpus=2."
    ),
]
Mix = Annotated[
    bool, typer.Option("--mix", help="Add to networks of another backend all the same.")
]


def place(on: str, part: str | None, cluster: str, mix: bool) -> dict[str, Any]:
    """Where a run is trained, as the options say it, by the names of Python."""
    if part is not None and on != "here":
        raise InputError(f"Expected --part or --on, got both: {part} and {on}.")
    asked: dict[str, Any] = {}
    for item in filter(None, cluster.split(",")):
        name, equals, value = item.partition("=")
        if not equals:
            raise InputError(
                f"Expected --cluster name=value,..., such as gpus=1, got {item!r}."
            )
        asked[name.strip()] = _number(value.strip())
    return {"where": part or on, "cluster": asked or None, "mix": mix}


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


Runs = Annotated[Path, typer.Argument(help="Folder of the results.")]


Criterion = Annotated[
    str | None,
    typer.Option(
        metavar="MODULE:FUNCTION",
        help="A function of outputs and labels, such as "
        "optax:softmax_cross_entropy_with_integer_labels; its gradient is taken.",
    ),
]

# Of `relujax diagnose`.
Function = Annotated[str, typer.Argument(metavar="MODULE:FUNCTION or RUN")]
Inputs = Annotated[
    str | None,
    typer.Option(
        help="A data set (its training part), such as mnist; or a file: "
        ".npy, or .npz with an array x. Needed for a function."
    ),
]
OfRun = Annotated[str | None, typer.Option(help="Of a run: which of its activations.")]
SeedOfRun = Annotated[
    int | None, typer.Option(help="Of a run: which seed, if weights were kept.")
]
Labels = Annotated[
    str | None,
    typer.Option(
        help="A .npy file of labels; by default those of the data set, or the "
        "array y of the .npz file."
    ),
]
Sites = Annotated[
    str | None,
    typer.Option(
        help="What to look at: ids, names of activations, or patterns of ids, "
        "module paths or file:line, with commas: relu,Net/tanh_0,*mip.py:41."
    ),
]
Exclude = Annotated[
    str | None, typer.Option(help="What to leave out, in the same way.")
]
UnitAxis = Annotated[
    str | None,
    typer.Option(
        help="The axis of the units, as 1 or conv*=1,dense*=-1, or their axes, as 0+2; "
        "by default those of the outputs of the weights."
    ),
]
BatchSize = Annotated[
    int | None, typer.Option(help="Examples per batch; by default what suits.")
]
Page = Annotated[Path | None, typer.Option(help="Write the HTML report to this file.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON: the headline, then the layers.")
]
FromKept = Annotated[
    Path | None,
    typer.Option(
        "--from",
        help="A published report, such as experiments/results/srelu/quick: make it "
        "again from the numbers beside it, and compare.",
    ),
]
StudyFiles = Annotated[
    list[Path] | None,
    typer.Option(
        help="A study file with the claims to test; may be repeated. Needed for "
        "one outside of this directory: results are data, and what they name is "
        "not run."
    ),
]
