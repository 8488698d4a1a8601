"""A killed run goes on inside a network, with the same numbers to the bit."""

import os
import signal
import subprocess
import sys

import jax
import jax.numpy as jnp
import pandas as pd
import pytest
from flax import linen as nn
from flax import nnx
from full import slow
from stopping import KEPT, stopped

import relujax
from relujax import InputError
from relujax.engine import (
    HostTraining,
    Plan,
    Training,
    _population,
    plan_tasks,
    run_tasks,
)

EPOCHS = 6
# A call of the program per evaluation.
PLAN = Plan("map", chunk=2)
OFTEN = 1e-9  # minutes


class Net(nn.Module):
    """Batch statistics, dropout and an activation that learns."""

    @nn.compact
    def __call__(self, x, train: bool = False):
        x = nn.BatchNorm(use_running_average=not train)(nn.Dense(4)(x))
        x = nn.Dropout(0.2, deterministic=not train)(nn.relu(x))
        return nn.Dense(1)(x)


class NnxNet(nnx.Module):
    def __init__(self, *, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(30, 4, rngs=rngs)
        self.drop = nnx.Dropout(0.2, rngs=rngs)
        self.last = nnx.Linear(4, 1, rngs=rngs)

    def __call__(self, x):
        return self.last(self.drop(nnx.relu(self.first(x))))


def init(key, x):
    return {"w": jax.random.normal(key, (x.shape[-1], 1))}


def apply(params, x):
    return nn.relu(x @ params["w"])


def training(activation):
    """State of several types, bfloat16 and random keys among them."""

    def start(key):
        return {"x": jnp.bfloat16(1), "key": key, "n": jnp.int32(0)}

    def step(key, state):
        drawn = jax.random.normal(state["key"])
        y = activation.apply(activation.init((), drawn.dtype), drawn)
        x = state["x"] + y.astype(jnp.bfloat16)
        return {"x": x, "key": jax.random.fold_in(key, 1), "n": state["n"] + 1}

    def evaluate(key, state):
        return {"score": state["x"].astype(jnp.float32) / state["n"]}

    return Training(start, step, evaluate, steps=3)


def cells(kind: str) -> list[relujax.Cell]:
    if kind == "training":
        own = relujax.named("walk", training)
        return [relujax.Cell(training=own, activation="relu", epochs=EPOCHS)]
    model = {
        "stock": "mlp(hidden=(4,), dropout=0.2)",
        "linen": relujax.named("Net", Net),
        "nnx": relujax.named("NnxNet", NnxNet),
        "functions": relujax.named("pair", (init, apply)),
    }[kind]
    return [
        relujax.Cell(
            data="wdbc(validation=0.1)",
            model=model,
            activation=activation,
            optimizer="adam(schedule='cosine')",
            objective="binary_cross_entropy",
            epochs=EPOCHS,
        )
        for activation in ("relu", "n_relu")[: 1 + (kind == "stock")]
    ]


class Killed(BaseException):
    """As if the process ended here."""


@pytest.fixture
def epochs(monkeypatch):
    """Counts the epochs that programs train, and kills them where it is told to."""
    counted = {"done": 0, "kill": None}
    compile_program = _population.compile_program

    def compiled(*args, **kwargs):
        program = compile_program(*args, **kwargs)

        def advance(counts, states, members, shared):
            if counted["done"] == counted["kill"]:
                raise Killed
            counted["done"] += int(shared[1].sum())
            return program.advance(counts, states, members, shared)

        return program._replace(advance=advance)

    monkeypatch.setattr(_population, "compile_program", compiled)
    return counted


def run(folder, kind, *, seeds=(0, 3), every=OFTEN, plan=PLAN, keep=None):
    tasks = plan_tasks(cells(kind), seeds, folder, keep=keep)
    for failure in run_tasks(tasks, plan=plan, checkpoint_every=every, workers=1):
        raise failure.error
    return pd.concat([task.store.load() for task in tasks], ignore_index=True)


@pytest.mark.parametrize(
    "kind", ["stock", "training", *slow("linen", "nnx", "functions")]
)
def test_a_killed_network_goes_on_where_its_checkpoint_was(tmp_path, epochs, kind):
    whole = run(tmp_path / "whole", kind)
    trained = epochs["done"]
    epochs.update(done=0, kill=4)
    with pytest.raises(Killed):
        run(tmp_path / "killed", kind)
    assert list(tmp_path.glob("killed/*/checkpoint-*.safetensors"))
    epochs.update(done=0, kill=None)
    resumed = run(tmp_path / "killed", kind, every=None)
    assert epochs["done"] == trained - 4
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
    assert not list(tmp_path.glob("*/*/checkpoint-*"))


def test_damage_and_another_plan_start_from_the_beginning(tmp_path, epochs):
    whole = run(tmp_path / "whole", "stock")
    trained = epochs["done"]
    for damage in (True, False):
        folder = tmp_path / f"killed-{damage}"
        epochs.update(done=0, kill=4)
        with pytest.raises(Killed):
            run(folder, "stock")
        if damage:
            for path in folder.glob("*/checkpoint-*.safetensors"):
                path.write_bytes(path.read_bytes()[:-1] + b"x")
        epochs.update(done=0, kill=None)
        if damage:
            with pytest.warns(UserWarning, match="it counts as missing"):
                resumed = run(folder, "stock")
            pd.testing.assert_frame_equal(resumed, whole, check_exact=True)
        else:
            run(folder, "stock", plan=Plan("vmap", chunk=2))
        assert epochs["done"] == trained
        assert not list(folder.glob("*/checkpoint-*.safetensors"))


def test_members_that_are_not_equally_far_go_on_apart(tmp_path, epochs):
    whole = run(tmp_path / "whole", "stock")
    epochs.update(done=0, kill=4)
    with pytest.raises(Killed):
        run(tmp_path / "killed", "stock")
    # As if it had been killed between one checkpoint and that of its neighbour.
    for path in tmp_path.glob("killed/*/checkpoint-3-*"):
        path.unlink()
    epochs.update(done=0, kill=None)
    resumed = run(tmp_path / "killed", "stock")
    pd.testing.assert_frame_equal(resumed, whole, check_exact=True)


STUDY = """
import relujax

study = relujax.Study(
    id="long",
    question="does it go on?",
    baseline="relu",
    profiles={
        "quick": [
            relujax.Cell(
                data="wdbc",
                model="mlp(hidden=(32, 32))",
                activation="relu",
                objective="binary_cross_entropy",
                epochs=200,
                batch_size=16,
            )
        ]
    },
    seeds={"quick": 1},
)
"""


@pytest.mark.slow
def test_kill_9_inside_a_single_network_loses_little(
    tmp_path, monkeypatch, epochs, relujax
):
    (tmp_path / "long.py").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    words = ["run", "long.py", "--plan", "map", "--devices", "1"]
    words += ["--checkpoint-every", str(OFTEN), "--out"]
    killed = subprocess.run(
        stopped(KEPT, 5, *words, "killed"),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    assert not list(tmp_path.glob("killed/long/*/seeds-*"))
    counts = {}
    for out in ("killed", "whole"):
        epochs["done"] = 0
        code, text = relujax(*words, out)
        assert code == 0, text
        counts[out] = epochs["done"]
    assert 0 < counts["killed"] < counts["whole"] == 200
    tables = [
        pd.read_parquet(next(tmp_path.glob(f"{out}/long/*/seeds-*.parquet")))
        for out in ("killed", "whole")
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    assert not list(tmp_path.glob("*/long/*/checkpoint-*"))


@pytest.mark.parametrize("minutes", [0, -1, float("nan"), float("inf"), "5", True])
def test_minutes_are_a_positive_number(tmp_path, minutes):
    with pytest.raises(InputError, match="positive number of minutes"):
        relujax.run(cells("stock"), 1, out=tmp_path, checkpoint_every=minutes)


def test_a_python_function_keeps_its_own_state(tmp_path):
    study = relujax.Study(
        id="host",
        question="who keeps it?",
        baseline="relu",
        profiles={"quick": [host_cell()]},
    )
    with pytest.raises(InputError, match="whose state only it knows"):
        study.run(seeds=1, out=tmp_path, checkpoint_every=5)


def host_cell():
    train = HostTraining(lambda activation, seed: {"score": seed})
    return relujax.Cell(
        training=relujax.named("loop", train), activation="relu", epochs=1
    )
