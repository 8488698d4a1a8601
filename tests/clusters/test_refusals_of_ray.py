"""What `--on ray` refuses without a cluster; nothing of Ray is started here."""

import os
import threading
import time

import pytest

import relujax as package
from relujax.clusters import _ray_connect
from relujax.errors import InputError

pytest.importorskip("ray")

CELL = package.Cell(
    data="wdbc",
    model="mlp(hidden=(4,))",
    activation="relu",
    objective="binary_cross_entropy",
    epochs=1,
)


def test_nobody_at_the_address_is_one_sentence(relujax, tmp_path):
    code, said = relujax("run", "srelu", "--out", tmp_path, "--on", "ray:127.0.0.1:1")
    assert code == 2 and "got no answer" in said and "ray start --head" in said
    assert not list(tmp_path.glob("*/*/*.parquet"))


@pytest.mark.parametrize(
    ("heard", "words"),
    [("", "got no answer"), ("Unauthenticated: RPC error", "got none that it takes")],
    ids=["silent", "no-token"],
)
def test_waiting_to_be_let_in_ends_by_itself(monkeypatch, capfd, heard, words):
    """Ray tries again and again; what it writes meanwhile is no part of the answer."""
    let_in = threading.Event()

    def tries_again(**_):
        os.write(2, heard.encode())
        let_in.wait(60)

    monkeypatch.setattr("ray.init", tries_again)
    # Whoever is told of the token has not waited for the end.
    monkeypatch.setattr(_ray_connect, "_ENTER", 60.0 if heard else 0.5)
    began = time.monotonic()
    try:
        with (
            pytest.raises(InputError, match=words),
            _ray_connect.connected("auto"),
        ):
            pass
        assert time.monotonic() - began < 30
    finally:
        let_in.set()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"partition": "short"}, "option of --cluster for ray"),
        ({"gpus": "two"}, "a number from 0 for gpus"),
    ],
    ids=["unknown", "no-number"],
)
def test_an_option_that_ray_has_not(tmp_path, given, words):
    with pytest.raises(InputError, match=words):
        package.run(CELL, 1, out=tmp_path, where="ray:127.0.0.1:1", cluster=given)


def test_what_is_defined_here_alone_is_refused_before_anything_is_sent(tmp_path):
    loss = package.named("here_alone", lambda outputs, targets: outputs[:, 0] ** 2)
    cell = package.Cell(
        data="wdbc", model="mlp", activation="relu", objective=loss, epochs=1
    )
    with pytest.raises(InputError, match=r"a worker can import, got 'here_alone'"):
        package.run(cell, 1, out=tmp_path, where="ray:127.0.0.1:1")


def test_an_option_without_a_cluster(tmp_path):
    with pytest.raises(InputError, match=r"where='ray' or 'slurm' with cluster="):
        package.run(CELL, 1, out=tmp_path, cluster={"gpus": 1})
