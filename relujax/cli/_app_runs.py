"""The commands that train: `relujax run`, `compare` and `sweep`."""

from pathlib import Path
from typing import Annotated

import typer

from relujax.cli._options import (
    CheckpointEvery,
    Cluster,
    Count,
    DataDir,
    Keep,
    Mix,
    On,
    Out,
    Part,
    Plan,
    Seeds,
    Stale,
    completed,
    place,
    studies,
)


def run(
    study: Annotated[
        Path,
        typer.Argument(
            help="A study file, or the name of a shipped one: srelu.",
            autocompletion=completed(studies),
        ),
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
        typer.Option(help="Networks trained together, then stored, under vmap or map."),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(help="How many local devices, under vmap or map; all by default."),
    ] = None,
    keep: Keep = None,
    stale: Stale = "refuse",
    checkpoint_every: CheckpointEvery = None,
    on: On = "here",
    part: Part = None,
    cluster: Cluster = "",
    mix: Mix = False,
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
        how=Running(
            plan,
            chunk,
            devices,
            keep,
            stale,
            checkpoint_every=checkpoint_every,
            **place(on, part, cluster, mix),
        ),
    )


def compare(
    model: Annotated[
        str, typer.Argument(help="Your model: 'mypackage.nets:ResNet(depth=20)'.")
    ],
    data: Annotated[
        str, typer.Option(help="A data set: digits, 'csv(path=..., target=...)'.")
    ],
    activations: Annotated[
        str, typer.Option(help="What to try instead: elu,'n_relu(sigma=0.1)'.")
    ],
    seeds: Count = 20,
    epochs: Annotated[int, typer.Option(help="Passes over the training part.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Examples per update.")] = 128,
    optimizer: Annotated[str, typer.Option(help="A spec or import path.")] = "adam",
    objective: Annotated[
        str | None, typer.Option(help="The loss; by default that of the data.")
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(help="Further metrics: auroc,'top_k(k=5)'.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Stop after so many epochs without a better one.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path(
        "runs/compare"
    ),
    keep: Keep = None,
    stale: Stale = "refuse",
    checkpoint_every: CheckpointEvery = None,
    plan: Plan = "auto",
    on: On = "here",
    part: Part = None,
    cluster: Cluster = "",
    mix: Mix = False,
) -> None:
    """Which activation suits your own network? Train it with others, over seeds."""
    from relujax.cli._fronts import run_compare

    options = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "objective": objective,
        "metrics": metrics,
        "patience": patience,
        "keep": keep,
        "stale": stale,
        "checkpoint_every": checkpoint_every,
        "plan": plan,
        **place(on, part, cluster, mix),
    }
    run_compare(
        model, data=data, activations=activations, seeds=seeds, out=out, options=options
    )


def sweep(
    data: Annotated[str, typer.Option(help="A data set, such as wdbc.")],
    activation: Annotated[str, typer.Option(help="A spec, such as n_relu.")],
    axis: Annotated[
        list[str], typer.Option(help="A number and values: activation.sigma=0.01,0.1.")
    ],
    model: Annotated[str, typer.Option(help="A spec or import path.")] = "mlp",
    optimizer: Annotated[str, typer.Option(help="A spec or import path.")] = "adam",
    objective: Annotated[str, typer.Option(help="The loss.")] = "softmax_cross_entropy",
    epochs: Annotated[int, typer.Option(help="Passes over the training part.")] = 10,
    batch_size: Annotated[int, typer.Option(help="Examples per update.")] = 128,
    seeds: Count = 20,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path(
        "runs/sweep"
    ),
    keep: Keep = None,
    stale: Stale = "refuse",
    checkpoint_every: CheckpointEvery = None,
    plan: Plan = "auto",
    on: On = "here",
    part: Part = None,
    cluster: Cluster = "",
    mix: Mix = False,
) -> None:
    """Train a cell for every seed and every combination of values of its numbers."""
    from relujax.cli._fronts import run_sweep

    cell = {
        "data": data,
        "model": model,
        "activation": activation,
        "optimizer": optimizer,
        "objective": objective,
        "epochs": epochs,
        "batch_size": batch_size,
    }
    options = {"keep": keep, "stale": stale, "plan": plan}
    options |= {"checkpoint_every": checkpoint_every}
    options |= place(on, part, cluster, mix)
    run_sweep(cell, axes=axis, seeds=seeds, out=out, options=options)
