"""On a real Ray cluster of two nodes with a core each: the same numbers, come what may.

The cluster is started and ended here, on a loopback that nobody else sees.
"""

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

pytest.importorskip("ray")

import ray_cluster
import runs

pytestmark = pytest.mark.slow

RELUJAX = (sys.executable, "-m", "relujax")
PLAN = ("--plan", "map", "--devices", "1", "--chunk", "2")


@pytest.fixture(scope="module")
def nodes():
    found = ray_cluster.RayCluster(Path(tempfile.mkdtemp(prefix="ray")))
    yield found
    found.stop()


@pytest.fixture
def cluster(nodes):
    """Two nodes, whatever a test before has done to them."""
    nodes.complete()
    return nodes


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A folder with the study, and the tables of one process."""
    folder = runs.write(tmp_path_factory.mktemp("study"), epochs=40)
    code, said = run_here(folder)
    assert code == 0, said
    return folder


def run_here(folder):
    done = subprocess.run(
        [*RELUJAX, "run", "small.py", *PLAN, "--out", "here"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def on_ray(cluster, out, *more):
    on = ("--on", f"ray:{cluster.address}")
    return [*RELUJAX, "run", "small.py", *PLAN, *on, "--out", out, *more]


def wait_for(what, process=None, seconds=300):
    end = time.monotonic() + seconds
    while not what():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)


def networks(tables):
    """The networks in the names of tables: a digit group for each seed."""
    return sum(len(re.findall(r"-\d{4}(?=-)", name)) for name in tables)


def test_two_nodes_give_the_bits_of_one_process(cluster, study):
    code, said = cluster.run(*on_ray(cluster, "two"), cwd=study)
    assert code == 0, said
    assert "Training 18 networks" in said and "Report:" in said
    assert runs.stored(study / "two") == runs.stored(study / "here")


def test_a_worker_compiles_a_program_once(cluster, study):
    first = on_ray(cluster, "once", "--cluster", "workers=1")
    code, said = cluster.run(*first, cwd=study)
    assert code == 0, said
    # Three units of each of three programs.
    assert "Ray: 1 workers compiled 3 programs." in said


WIDE = """
import sys
import relujax

cell = relujax.Cell(
    data="digits", model="mlp(hidden=(1024,))", activation="relu", epochs=1,
    batch_size=64,
)
plan = relujax.engine.Plan("map", devices=1)
relujax.run(cell, 1, out=sys.argv[1], where=sys.argv[2], plan=plan, progress=False)
"""


def test_a_wide_product_has_the_bits_of_as_many_threads(cluster, tmp_path):
    """A worker has a thread for each of its cores, whatever its machine has."""
    found = {}
    for name, where, threads in (
        ("one", "here", 1),
        ("two", "here", 2),
        ("sent", f"ray:{cluster.address}", 2),
    ):
        # Without the two devices of the tests: XLA has a thread for each at least.
        out, env = tmp_path / name, {"PJRT_NPROC": str(threads), "XLA_FLAGS": ""}
        words = [sys.executable, "-c", WIDE, out, where]
        code, said = cluster.run(*words, cwd=tmp_path, env=env)
        assert code == 0, said
        found[name] = [path.read_bytes() for path in out.glob("*/*.parquet")]
    assert found["sent"] == found["one"]
    if found["one"] == found["two"]:
        pytest.skip("on this processor one thread and two round alike")


@contextlib.contextmanager
def one_node_held(cluster, study, out):
    """A driver of a run of which one node has stored a unit, and the other is at one.

    Gives the driver, and the process of the worker that is held at its unit.
    """
    with runs.closed_gate(study, "import-1") as held:
        driver = cluster.popen(on_ray(cluster, out), cwd=study, stdout=-1, stderr=-1)
        wait_for(lambda: held() and len(runs.stored(out)) >= 2, driver)
        yield driver, held()


def test_a_killed_driver_costs_the_units_in_flight(cluster, study, tmp_path):
    with one_node_held(cluster, study, tmp_path) as (driver, _):
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
    before = runs.stored(tmp_path)
    times = {n: (tmp_path / "small" / n).stat().st_mtime_ns for n in before}
    code, said = cluster.run(*on_ray(cluster, tmp_path), cwd=study)
    assert code == 0, said
    done = networks(before)
    assert 4 <= done < 18
    assert f"Training {18 - done} networks ({done} are stored already)." in said
    assert all(
        (tmp_path / "small" / n).stat().st_mtime_ns == t for n, t in times.items()
    )
    assert runs.stored(tmp_path) == runs.stored(study / "here")


def test_an_error_of_python_is_recorded_and_not_tried_again(cluster, study, tmp_path):
    tried = tmp_path / "tried"
    (study / "failing.py").write_text(
        "def train(activation, seed):\n"
        f"    open({str(tried)!r}, 'a').write('x')\n"
        "    if activation == 'elu':\n"
        "        raise KeyError('boom')\n"
        "    return {'score': 1.0 + seed}\n"
    )
    script = (
        "import relujax, failing, relujax.studies as s\n"
        "try:\n"
        "    relujax.experiment(failing.train, ['relu', 'elu'], 2, metric='score',\n"
        f"        out='failed', where='ray:{cluster.address}')\n"
        "except s.Unfinished as error:\n"
        "    print('UNFINISHED', len(error.failures), error)\n"
    )
    code, said = cluster.run(sys.executable, "-c", script, cwd=study)
    assert code == 0, said
    assert "UNFINISHED 2" in said and "KeyError: 'boom'" in said
    assert tried.read_text() == "xxxx"
    texts = [p.read_text() for p in study.glob("failed/*/error.txt")]
    assert len(texts) == 1 and "failing.py" in texts[0]
    assert len(list(study.glob("failed/*/*.parquet"))) == 2


def test_a_token_that_is_not_there_is_one_sentence(cluster, study):
    other = study / "other"
    other.write_text("ab" * 32)
    command = [*RELUJAX, "run", "small.py", *PLAN, "--out", "none", "--on"]
    for wrong in (
        {"RAY_AUTH_MODE": "disabled"},
        {"RAY_AUTH_TOKEN_PATH": "/none"},
        {"RAY_AUTH_TOKEN_PATH": str(other)},
    ):
        address = f"ray:{cluster.address}"
        code, said = cluster.run(*command, address, cwd=study, env=wrong)
        assert code == 2 and said.count("Error: ") == 1 and "Traceback" not in said
        # Said as soon as Ray knows it: who has waited in vain is told otherwise.
        assert "got none that it takes" in said and "RAY_AUTH_TOKEN" in said


def test_ctrl_c_cancels_and_leaves_the_cells(cluster, study, tmp_path):
    with one_node_held(cluster, study, tmp_path) as (driver, worker):
        driver.send_signal(signal.SIGINT)
        out, said = driver.communicate(timeout=300)
        wait_for(lambda: not runs.is_alive(worker))
    assert driver.returncode == 130, out + said
    assert b"the same command continues" in said
    assert not list(tmp_path.glob("small/*/claim.json"))


def test_a_killed_raylet_costs_nothing_but_time(cluster, study, tmp_path):
    with one_node_held(cluster, study, tmp_path) as (driver, worker):
        cluster.kill_raylet(cluster.nodes[1])
        wait_for(lambda: not runs.is_alive(worker))
    out, said = driver.communicate(timeout=300)
    assert driver.returncode == 0, out + said
    assert b"A worker was lost; its unit is done again." in out + said
    assert runs.stored(tmp_path) == runs.stored(study / "here")


def test_a_lost_unit_goes_on_inside_its_networks(cluster, tmp_path):
    study = runs.write(tmp_path, epochs=4, more=runs.CHECKPOINTS)
    code, said = run_here(study)
    assert code == 0, said
    line = on_ray(cluster, "lost", "--checkpoint-every", "1e-9")
    with runs.closed_gate(study, "kept-1") as held:
        driver = cluster.popen(line, cwd=study, stdout=-1, stderr=-1)
        wait_for(held, driver)
        cluster.kill_raylet(cluster.nodes[1])
        wait_for(lambda: not runs.is_alive(held()))
    out, said = driver.communicate(timeout=300)
    assert driver.returncode == 0, out + said
    assert runs.stored(study / "lost") == runs.stored(study / "here")
    # No epoch of any network was trained twice.
    passed = (study / "checkpoints.txt").read_text().splitlines()
    assert sorted(passed) == sorted(runs.every_checkpoint(epochs=4))
    assert not list(study.glob("lost/small/*/checkpoint-*"))
