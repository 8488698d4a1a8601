"""A folder of results as `relujax run` leaves it, without training."""

import textwrap
from dataclasses import asdict
from pathlib import Path

from frames import results

from relujax.cli._study_file import load_study
from relujax.engine import Request, Task, plan_tasks, provenance

STUDY = textwrap.dedent(
    """
    import relujax
    from relujax.studies import best, settled

    def boom(frame):
        raise KeyError("no such column")

    study = relujax.Study(
        id="NAME",
        paper=relujax.Paper(title="On NAME", authors="A. Nobody", year=2025),
        question="is NAME <true>?",
        baseline="relu",
        profiles={
            profile: [
                relujax.Cell(
                    data="wdbc",
                    model="mlp(hidden=(4,))",
                    activation=activation,
                    objective="binary_cross_entropy",
                    epochs=epochs,
                )
                for activation in ("relu", "elu")
            ]
            for profile, epochs in (("quick", 3), ("paper", 4))
        },
        seeds={"quick": 2, "paper": 2},
        claims=[
            relujax.Claim(
                id="NAME-wins",
                quote="NAME & ELU win.",
                where="Section 1",
                reported="+2 %",
                test=best("elu"),
            ),
            relujax.Claim(
                id="NAME-known",
                quote="One is one.",
                where="Section 2",
                test=lambda frame: settled(True, "It is."),
            ),
            relujax.Claim(
                id="NAME-elsewhere",
                quote="Softplus loses.",
                where="Section 3",
                test=best("softplus"),
            ),
        ],
    )
    """
)


def store_study(
    folder: Path, name: str, profile: str = "quick", *, seeds: int = 2
) -> list[Task]:
    """Write `<name>.py` and, under `runs/`, results of each of its cells and seeds."""
    file = folder / f"{name}.py"
    file.write_text(STUDY.replace("NAME", name))
    study = load_study(file)
    cells, ids = study.profiles[profile], range(seeds)
    tasks = plan_tasks(cells, ids, folder / "runs" / name)
    frame = results(["relu", "elu"], seeds=seeds, epochs=cells[0].epochs)
    record = {"wall_seconds": 1.5, "plan": {}, **provenance()}
    labels = ["cell", "data", "model", "activation", "optimizer"]
    for task in tasks:
        own = frame[frame["activation"] == task.cell.activation]
        task.store.describe({"cell": asdict(task.cell), "data": task.origin})
        for _, rows in own.groupby("seed"):
            task.store.add(rows.drop(columns=labels), record)
    Request(
        study=name,
        profile=profile,
        file=str(file),
        command=f"relujax run {file} --profile {profile} --seeds {seeds}",
        options="--out here",
        seeds=list(ids),
        root=0,
        cells=[task.store.folder.name for task in tasks],
        data={task.cell.data: task.origin for task in tasks},
        facts={"baseline": study.baseline, "question": study.question},
    ).write(folder / "runs" / name)
    return tasks
