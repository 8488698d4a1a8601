"""Spec strings, study files and command lines; seeded."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mutations
from contract import command

from relujax import Cell, activations, load_dataset, specs
from relujax.cli._study_file import load_study

# What a path leads to is called: these only compute.
PATHS = ["math:tanh", "jax.nn:gelu", "jax.nn:nowhere", "nowhere:f", "math:", ":f"]
ACTIVATIONS = ["relu", "n_relu(sigma=0.1)", "leaky_relu(slope=0.01)", "own", "elu"]
DATA = ["wdbc", "wine(split=1)", "digits(test=0.2)", "synthetic(n=40, d=3)", "mnist"]
DATA += ["csv(path='t.csv', target='y')", "npz(path='a.npz')", "images(path='.')"]
PARTS = {
    "data": DATA,
    "model": ["mlp(hidden=(4,))", "deep_mlp(depth=3, width=4)", "mlp(dropout=0.3)"],
    "activation": ACTIVATIONS,
    "optimizer": ["adam", "sgd(learning_rate=0.1, momentum=0.9)", "adam(clip=1.0)"],
    "objective": ["softmax_cross_entropy", "binary_cross_entropy", "mse"],
    "metrics": ["auroc", "top_k(k=5)"],
}
WORDS = [*PATHS, *[word for part in PARTS.values() for word in part]]
STUDY = """import relujax

study = relujax.Study(
    id="tiny",
    paper=relujax.Paper(title="Tiny", authors="Nobody", year=2025),
    question="does it run?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(
                data="csv(path='none.csv', target='y')",
                model="mlp(hidden=(4,))",
                activation=activation,
                objective="binary_cross_entropy",
                epochs=3,
            )
            for activation in ("relu", "n_relu")
        ]
    },
    seeds={"quick": 2},
)
"""
STUDY_WORDS = ["1 / 0", "raise KeyError('a\\nb')", "exit(3)", "study = 3\n", "import x"]
STUDY_WORDS += ["relujax.Claim()", "lambda: 0", "quick", "id=3", "yield", *WORDS]
# Commands that train nothing: no data set of theirs exists.
COMMANDS = [
    ["show", "relu"],
    ["show", "n_relu(sigma=0.1)", "--plot", "p.svg"],
    ["list"],
    ["list", "--import", "math"],
    ["status"],
    ["status", "runs"],
    ["report", "empty"],
    ["report", "empty", "--study", "study.py"],
    ["data", "info", "wdbc"],
    ["data", "check", "wdbc"],
    ["data", "check", "csv(path='t.csv', target='y')"],
    ["run", "study.py", "--seeds", "2", "--out", "o", "--plan", "map", "--chunk", "1"],
    ["diagnose", "math:tanh", "--data", "wine"],
    ["sweep", "mlp(hidden=(4,))", "--data", "npz(path='none')", "--axis", "a=1,2"],
    ["compare", "mlp", "--data", "npz(path='none')", "--activations", "elu"],
    ["--version"],
    [],
]
COMMAND_WORDS = ["--help", "--seeds", "--out", "--json", "--keep", "--stale", "-h"]
COMMAND_WORDS += ["show", "list", "data", "study.py", "t.csv", "", "-", "--", *WORDS]


def spec(rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A spec string, and one of its readers."""
    field = rng.choice(list(PARTS))
    text = rng.choice([*PARTS[field], *WORDS[:6]])
    # Most changes of a letter end at an unknown name: change the values as well.
    name, bracket, rest = text.partition("(")
    if bracket and rng.random() < 0.5:
        key = rest.partition("=")[0]
        text = f"{name}({key}={rng.choice(mutations.VALUES)})"
    else:
        text = mutations.text(rng, text, WORDS)
    readers: list[Callable[[str], Any]] = [specs.parse, partial(_cell, field)]
    readers += [activations.get] if field == "activation" else []
    readers += [load_dataset] if field == "data" else []
    read = rng.choice(readers)
    return f"{read}({text!r})", lambda: _ignored(read(text))


def _ignored(found: object) -> None:
    """What a call returned that is not looked at."""
    del found


def _cell(field: str, text: str) -> Cell:
    given = {"data": "wdbc", "model": "mlp(hidden=(4,))", "activation": "relu"}
    value = (text,) if field == "metrics" else text
    return Cell(**{**given, field: value})


def number(rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A cell with one odd number."""
    odd = [0, -1, 2.5, "3", None, True, (), float("nan"), 2**70, [1], 1e308, object()]
    names = ["epochs", "batch_size", "evaluate_every", "patience", "tolerances"]
    given = {rng.choice([*names, "compute", *PARTS]): rng.choice(odd)}
    known = {"data": "wdbc", "model": "mlp(hidden=(4,))", "activation": "relu"}
    return f"Cell(**{given!r})", lambda: _ignored(Cell(**{**known, **given}))


def study(rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A study file, read by Python and by the command."""
    text = mutations.text(rng, STUDY, STUDY_WORDS)
    path = Path(rng.choice(["study.py", "study.py", "my study.py", "a.b.py"]))

    def call() -> str | None:
        path.write_bytes(text.encode(errors="surrogatepass"))
        if rng.random() < 0.5:
            return command("run", str(path), "--out", "o")
        return _ignored(load_study(path))

    return text, call


def words(rng: random.Random) -> tuple[str, Callable[[], object]]:
    """A command line."""
    found = list(rng.choice(COMMANDS))
    for _ in range(rng.choice([0, 1, 1, 2])):
        place = rng.randrange(len(found) + 1)
        how = rng.randrange(3)
        if how == 0:
            found.insert(place, rng.choice(COMMAND_WORDS))
        elif found and how == 1:
            del found[place % len(found)]
        elif found:
            place %= len(found)
            found[place] = mutations.text(rng, found[place], COMMAND_WORDS)
    # An argument of a process ends at a null, and is what the system can encode.
    found = [word.replace("\0", "").replace("\ud800", "") for word in found]
    return repr(found), lambda: command(*found)
