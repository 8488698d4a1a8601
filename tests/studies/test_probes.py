"""What a claim measures by training something small: run once, stored, read back."""

import numpy as np
import pytest

import relujax
from relujax import studies

CALLS = []


def measure(activation, seed):
    CALLS.append((activation, seed))
    return {"size": len(activation) + seed / 10, "share": 0.5}


def largest(frame):
    table = studies.probed(frame, "sizes")
    return studies.observed(True, effect=float(table["size"].max()), unit="letters")


def study():
    cell = relujax.Cell(
        data="wine", model="mlp(hidden=(3,))", activation="relu", epochs=1
    )
    claim = relujax.Claim(id="size", quote="It is.", where="here", test=largest)
    return relujax.Study(
        id="probing",
        question="does it?",
        baseline="relu",
        profiles={"quick": [cell]},
        seeds={"quick": 2},
        claims=[claim],
        probes=studies.probe("sizes", measure, ["elu", "gelu"]),
    )


def test_a_probe_is_run_once_stored_and_set_apart(tmp_path):
    CALLS.clear()
    found = study().run("quick", out=tmp_path, progress=False)
    assert sorted(CALLS) == [("elu", 0), ("elu", 1), ("gelu", 0), ("gelu", 1)]
    assert set(found.frame["data"]) == {"wine"}
    assert not {"size", "share"} & set(found.frame)
    assert found.frame["accuracy"].notna().all()
    again = study().run("quick", out=tmp_path, progress=False)
    loaded = relujax.Results.load(tmp_path / "probing")
    assert len(CALLS) == 4
    for results in (found, again, loaded):
        table = studies.probed(results.frame, "sizes")
        np.testing.assert_allclose(table.loc[["elu", "gelu"], "size"], [3, 4])
        later = studies.probed(results.frame, "sizes", seed=1)
        np.testing.assert_allclose(later.loc[["elu", "gelu"], "size"], [3.1, 4.1])
        (judged,) = studies.judge(study().claims, results.frame)
        assert judged.evidence.effect == 4


def test_a_probe_that_was_not_run_leaves_the_claim_untested(tmp_path):
    frame = relujax.run(
        study().profiles["quick"][0], 1, out=tmp_path / "plain", progress=False
    ).frame
    (judged,) = studies.judge(study().claims, frame)
    assert judged.verdict == "not tested" and "probe sizes" in judged.evidence.summary


def test_a_probe_that_is_no_cell_is_refused():
    with pytest.raises(relujax.InputError, match="Cell objects as probes"):
        relujax.Study(id="x", question="?", baseline="relu", probes=["sizes"])
