"""A run on a real queue of one node, which the tests start and end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import runs

from relujax import InputError, named
from relujax.clusters import Job, check, where_of, work_off_share
from relujax.engine import Cell, Plan, Watcher, plan_tasks
from relujax.files import inside

ROOT = Path(__file__).parents[2]
TOOLS = Path(os.environ.get("RELUJAX_SLURM_TOOLS", ROOT.parent / "shared/tools/slurm"))

#: 40 units of one network each, bit for bit the same on one device wherever it is.
MAP = ("--plan", "map", "--devices", "1", "--chunk", "1")
IN_QUEUE = ("--on", "slurm", "--cluster", "tasks=2,time=10")


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(Path(__file__).with_name("tiny.py"), tmp_path))


@pytest.fixture
def own_study(tmp_path, monkeypatch):
    """Three programs of six networks; the second one is of a module of the user's."""
    monkeypatch.chdir(tmp_path)
    return runs.write(tmp_path) / "small.py"


@pytest.fixture(scope="module")
def queue(tmp_path_factory):
    """The environment of a queue whose arrays have at most 11 tasks."""
    if not (TOOLS / "up.sh").is_file():
        pytest.skip(f"there is no SLURM in {TOOLS}; RELUJAX_SLURM_TOOLS says where")
    if os.getuid() or not shutil.which("apt-get"):
        pytest.skip("starting SLURM needs root and apt-get")
    folder = tmp_path_factory.mktemp("slurm")
    up = ["bash", str(TOOLS / "up.sh"), str(folder)]
    try:
        done = subprocess.run(up, capture_output=True, text=True, timeout=120)
        if not list(folder.glob("root/usr/sbin/slurmd*")):
            pytest.skip(f"SLURM's packages could not be had: {done.stderr[-200:]}")
        assert done.returncode == 0, done.stderr
        script = f". {folder}/env.sh; env -0"
        shown = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        known = dict(item.split("=", 1) for item in shown.stdout.split("\0") if item)
        env = known | {
            "PATH": f"{Path(sys.executable).parent}:{known['PATH']}",
            "PYTHONPATH": str(ROOT),
            "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        yield env
        # What is still running would outlive the queue.
        ask(env, "scancel", f"--user={os.getuid()}")
        wait_for(lambda: not ask(env, "squeue", "-h"), 30)
    finally:
        subprocess.run(["bash", str(TOOLS / "down.sh"), str(folder)], check=False)


def command(*args):
    return [sys.executable, "-m", "relujax", *map(str, args)]


def relujax_in(env, *args):
    """(exit code, what it printed) of the command as a user of the queue runs it."""
    done = subprocess.run(command(*args), env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def ask(env, *words):
    return subprocess.run(words, env=env, capture_output=True, text=True).stdout


def wait_for(found, seconds=240):
    """Whether `found()` came true in time."""
    end = time.monotonic() + seconds
    while not found() and time.monotonic() < end:
        time.sleep(0.2)
    return found()


def sent(env, study, folder, *options):
    """The number of an array and the log of its task 0; its sender has been killed."""
    record = folder / "runs/small/slurm/quick.json"
    line = command("run", study, *MAP, *options)
    sender = subprocess.Popen(line, env=env, stdout=subprocess.DEVNULL)
    assert wait_for(record.exists)
    sender.send_signal(signal.SIGKILL)
    assert sender.wait() == -signal.SIGKILL
    job = json.loads(record.read_text())["job"]
    return job, record.with_name(f"{job}_0.log")


def requeue(env, task, process):
    """Put a running task back into the queue, and start it again at once."""
    ask(env, "scontrol", "requeue", task)
    assert wait_for(lambda: not runs.is_alive(process))
    assert wait_for(lambda: "PENDING" in ask(env, "squeue", "-h", "-o", "%T"))
    ask(env, "scontrol", "update", f"job={task}", "StartTime=now")


def rows(folder):
    """All stored numbers, in one order."""
    found = sorted(folder.glob("*/seeds-*.parquet"))
    frames = [pd.read_parquet(path).assign(cell=path.parent.name) for path in found]
    keys = ["cell", "seed", "epoch", "split"]
    return pd.concat(frames).sort_values(keys, ignore_index=True)


@pytest.mark.slow
def test_a_requeued_task_and_a_killed_sender_change_no_bit(queue, own_study, tmp_path):
    here = relujax_in(queue, "run", own_study, "--out", "here", *MAP)
    assert here[0] == 0, here[1]
    # Of its nine networks, it has stored six when it meets the second program.
    with runs.closed_gate(tmp_path, "own-0") as held:
        job, log = sent(queue, own_study, tmp_path, *IN_QUEUE)
        assert wait_for(held), log.read_text()
        assert "1 stored" in log.read_text()
        requeue(queue, f"{job}_0", held())

    # SLURM may wait two minutes before it starts a requeued task again.
    assert wait_for(lambda: log.read_text().count("Part 0/2 on") == 2), log.read_text()
    assert wait_for(lambda: not ask(queue, "squeue", "-h"))
    code, text = relujax_in(queue, "status", "runs", "--units")
    assert code == 0 and "3 of 3" in text and "18 of 18" in text
    assert "1 x CPU" in text and ask(queue, "hostname").strip() in text
    found = tmp_path / "runs/small"
    pd.testing.assert_frame_equal(rows(found), rows(tmp_path / "here/small"))

    code, text = relujax_in(queue, "run", own_study, *MAP, *IN_QUEUE)
    assert code == 0 and "Everything is stored already" in text
    assert (found / "report/quick/report.html").exists()


@pytest.mark.slow
def test_a_preempted_task_goes_on_inside_a_network(queue, tmp_path, monkeypatch):
    monkeypatch.chdir(runs.write(tmp_path, epochs=4, more=runs.CHECKPOINTS))
    here = relujax_in(queue, "run", "small.py", "--out", "here", *MAP)
    assert here[0] == 0, here[1]
    often = ("--checkpoint-every", "1e-9")
    with runs.closed_gate(tmp_path, "kept-0") as held:
        job, log = sent(queue, "small.py", tmp_path, *IN_QUEUE, *often)
        assert wait_for(held), log.read_text()
        requeue(queue, f"{job}_0", held())
    # SLURM may wait two minutes before it starts a requeued task again.
    assert wait_for(lambda: log.read_text().count("Part 0/2 on") == 2), log.read_text()
    assert wait_for(lambda: not ask(queue, "squeue", "-h"))
    found = rows(tmp_path / "runs/small")
    pd.testing.assert_frame_equal(found, rows(tmp_path / "here/small"))
    # No epoch of any network was trained twice.
    passed = (tmp_path / "checkpoints.txt").read_text().splitlines()
    assert sorted(passed) == sorted(runs.every_checkpoint(epochs=4))
    assert not list(tmp_path.glob("runs/small/*/checkpoint-*"))


@pytest.mark.slow
def test_forty_units_pass_through_arrays_of_eleven(queue, study, tmp_path):
    """Ctrl-C leaves them to the queue; the same command waits for them."""
    wide = ("--on", "slurm", "--cluster", "tasks=40,time=10")
    line = command("run", study, *MAP, *wide)
    record = tmp_path / "runs/tiny/slurm/quick.json"
    other = ask(queue, "sbatch", "--parsable", "-c", "2", "--wrap", "sleep 900").strip()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(line, env=queue, **pipes) as sender:
        lines = iter(sender.stdout.readline, "")
        assert any("Ctrl-C leaves it to SLURM" in line for line in lines)
        sender.send_signal(signal.SIGINT)
        said = sender.communicate()[0]
    assert sender.returncode == 0 and "Left to SLURM as job" in said, said
    sent = json.loads(record.read_text())
    assert (sent["tasks"], sent["units"]) == (11, 40)

    code, text = relujax_in(queue, "status", "runs")
    assert code == 0 and f"job {sent['job']} of SLURM: 11 pending" in text, text
    with subprocess.Popen(line, env=queue, stdout=subprocess.PIPE, text=True) as again:
        lines = iter(again.stdout.readline, "")
        assert any(f"Job {sent['job']} of SLURM is at it" in line for line in lines)
        ask(queue, "scancel", other)
        assert "Report: " in again.communicate()[0]
    assert again.returncode == 0 and json.loads(record.read_text()) == sent
    assert rows(tmp_path / "runs/tiny")["seed"].nunique() == 10
    assert "4 of 4" in relujax_in(queue, "status", "runs")[1]


@pytest.mark.slow
def test_near_its_time_limit_a_task_queues_again(queue, own_study, tmp_path):
    sender = subprocess.Popen(
        command("run", own_study, *MAP, "--on", "slurm", "--cluster", "tasks=1"),
        env=queue,
        stdout=subprocess.DEVNULL,
    )
    # It has stored the networks of the first program when it meets the second.
    with runs.closed_gate(tmp_path, "own-0") as held:
        record = tmp_path / "runs/small/slurm/quick.json"
        assert wait_for(record.exists)
        job = json.loads(record.read_text())["job"]
        log = tmp_path / f"runs/small/slurm/{job}_0.log"
        assert wait_for(held), log.read_text()
        ask(queue, "scancel", "--batch", "--signal=USR1", job)
        assert wait_for(lambda: "back into the queue" in log.read_text())
        assert wait_for(lambda: "PENDING" in ask(queue, "squeue", "-h", "-o", "%T"))
    code, text = relujax_in(queue, "cancel", "runs/small")
    assert code == 0 and f"Taken from the queue: {job}" in text
    # Who looks on is told that it has ended, and what was printed last.
    assert sender.wait(timeout=60) == 1
    assert wait_for(lambda: not ask(queue, "squeue", "-h"), 30)
    assert "Nothing of" in relujax_in(queue, "cancel", "runs/small")[1]


@pytest.mark.slow
def test_what_slurm_refuses_is_one_sentence_before_anything_is_sent(queue, study):
    began = time.monotonic()
    asked = ("--on", "slurm", "--cluster", "partition=nowhere")
    code, text = relujax_in(queue, "run", study, *asked)
    assert code == 2 and "SLURM refuses: invalid partition specified: nowhere" in text
    assert text.count("Error:") == 1 and time.monotonic() - began < 30
    assert not Path("runs/tiny/slurm").exists()


@pytest.mark.slow
def test_the_batch_file_of_the_documentation_runs(queue, study, tmp_path):
    shutil.copy(ROOT / "docs/howto/cluster/study.sbatch", tmp_path / "study.sbatch")
    said = ask(queue, "sbatch", "--parsable", "study.sbatch", "tiny.py")
    assert said.strip().isdecimal(), said
    assert wait_for(lambda: not ask(queue, "squeue", "-h"))
    code, text = relujax_in(queue, "status", "runs")
    assert code == 0 and "4 of 4" in text, text


def test_without_slurm_it_says_so(relujax, study, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, text = relujax("run", study, "--on", "slurm")
    assert code == 2 and "found no sbatch here" in text.replace("\n", " ")
    assert not Path("runs/tiny/slurm").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"partitoin": "a"}, "Did you mean 'partition'"),
        ({"tasks": 0}, "whole number from 1 as tasks"),
        ({"cpus": 0.5}, "whole number from 1 as cpus"),
        ({"gpus": 2}, "ask for more tasks"),
        ({"partition": "a b"}, "a word as partition"),
        ({"time": "--exclusive;"}, "a word as time"),
    ],
    ids=["unknown", "no tasks", "half a core", "two", "space", "another flag"],
)
def test_options_are_checked(tmp_path, options, message):
    cell = Cell(data="wdbc", model="mlp(hidden=(4,))", activation="relu")
    tasks = plan_tasks([cell], [0], tmp_path / "runs")
    with pytest.raises(InputError, match=message):
        check(where_of("slurm"), Job(tasks=tasks, folder=tmp_path, options=options))


def test_what_a_worker_cannot_import_is_not_sent(tmp_path, registry):
    mine = named("mine", lambda x: x)
    cell = Cell(data="wdbc", model="mlp(hidden=(4,))", activation=mine)
    tasks = plan_tasks([cell], [0], tmp_path / "runs")
    with pytest.raises(InputError, match="a worker can import"):
        check(where_of("slurm"), Job(tasks=tasks, folder=tmp_path))


def test_who_has_done_its_share_helps_but_does_not_repeat_what_failed(tmp_path):
    fields = {"data": "wdbc", "model": "mlp(hidden=(4,))", "epochs": 1}
    names = ("relu", "elu", "leaky_relu", "softplus")
    cells = [Cell(activation=name, **fields) for name in names]
    tasks = plan_tasks(cells, [0], tmp_path / "study")
    job = Job(tasks=tasks, folder=tmp_path / "study", plan=Plan("map", chunk=1))
    units = job.units()
    path = inside(tmp_path / "study", "slurm") / "run-units.json"
    path.write_text(json.dumps([unit.to_json() for unit in units]))
    failed = next(t for t in tasks if t.store.folder.name == digests(units[-1])[0])
    failed.store.folder.mkdir(parents=True, exist_ok=True)
    failed.store.note_error(RuntimeError("it was the other one's"))
    assert work_off_share(path, "0/2", Watcher()) == []
    assert [task for task in tasks if task.missing] == [failed]
    assert work_off_share(path, "1/2", Watcher()) == []
    assert not failed.missing


def digests(unit):
    return [cell["digest"] for cell in unit.cells]
