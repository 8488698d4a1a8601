"""The command as a user meets it: exit codes, sentences, resuming."""

import json
import os
import subprocess
import sys
import textwrap
import time

import jax
import pandas as pd
import pytest
from stopping import STORED, stopped

STUDY = textwrap.dedent(
    """
    import relujax

    study = relujax.Study(
        id="tiny",
        paper=relujax.Paper(title="Tiny", authors="Nobody"),
        question="does it run?",
        baseline="relu",
        profiles={
            "quick": [
                relujax.Cell(
                    data="wdbc",
                    model="mlp(hidden=(4,))",
                    activation=activation,
                    objective="binary_cross_entropy",
                    epochs=EPOCHS,
                )
                for activation in ("relu", "n_relu")
            ]
        },
        seeds={"quick": 2},
    )
    """
)


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "tiny.py"
    path.write_text(STUDY.replace("EPOCHS", "2"))
    return path


@pytest.fixture(autouse=True, scope="module")
def compiled_once(tmp_path_factory):
    """The processes of this file share compiled programs, and not with the user."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(folder))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        jax.config.update("jax_compilation_cache_dir", str(folder))
        yield
        jax.config.update("jax_compilation_cache_dir", None)


def rows(folder):
    """All stored numbers, in one order."""
    frames = [
        pd.read_parquet(path).assign(cell=path.parent.name)
        for path in folder.glob("*/*/*.parquet")
    ]
    lists = ["confusion", "dead", "births", "revivals", "ever_dead"]
    frame = pd.concat(frames).astype(dict.fromkeys(lists, str))
    return frame.sort_values(list(frame.columns), ignore_index=True)


@pytest.mark.usefixtures("figures")
def test_a_study_runs_reports_and_is_not_run_twice(relujax, study, tmp_path):
    out = tmp_path / "runs"
    code, text = relujax("run", study, "--out", out)
    assert code == 0
    assert "Training 4 networks" in text
    assert "n_relu" in text and "report.html" in text
    assert (out / "tiny/report/quick/report.html").is_file()
    before = rows(out)

    kept = tmp_path / "kept"
    code, text = relujax("run", study, "--out", out, "--publish", kept)
    assert code == 0
    assert "nothing to train" in text
    assert (kept / "tiny/quick/README.md").is_file()
    pd.testing.assert_frame_equal(before, rows(out))

    code, text = relujax("run", study, "--out", out, "--seeds", 3)
    assert "Training 2 networks (4 are stored already)" in text

    text = relujax("status", out)[1]
    assert "2 of 2" in text and "6 of 6" in text and "continue" not in text


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["run", "nosuch.py"], "'nosuch.py'"),
        (["run", "experiments/srelux.py"], "srelu.py"),
        (["run", "srelux"], "Did you mean 'srelu'"),
        (["run", "{study}", "--profile", "quik"], "Did you mean 'quick'?"),
        (["run", "{study}", "--seeds", "-3"], "a number of seeds from 1"),
        (["run", "{study}", "--seeds", "many"], "valid integer"),
        (["run", "{study}", "--plan", "pmap"], "'auto', 'vmap', 'map'"),
        (["run", "{study}", "--chunk", "3"], "got 'auto', which chooses them"),
        (["run", "{study}", "--plan", "map", "--chunk", "0"], "chunk of at least 1"),
        (["run", "{study}", "--plan", "map", "--devices", "99"], "devices (what this"),
        (["demo", "--seeds", "0"], "a number of seeds from 1"),
        (["nosuch"], "No such command"),
        (["run", "{broken}"], "Did you mean 'n_relu'"),
        (["run", "{typo}"], "Did you mean 'sigma'?"),
        (["run", "{empty}"], "define `study = relujax.Study(...)`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    relujax, study, tmp_path, args, sentence
):
    files = {"study": study}
    for name, text in {
        "broken": STUDY.replace("n_relu", "nrelu2"),
        "typo": STUDY.replace('"n_relu"', '"n_relu(sgima=0.1)"'),
        "empty": "",
    }.items():
        files[name] = tmp_path / f"{name}.py"
        files[name].write_text(text.replace("EPOCHS", "1"))
    code, text = relujax(*(arg.format(**files) for arg in args))
    assert code == 2
    assert sentence in text
    assert "Traceback" not in text


def test_a_failing_cell_leaves_the_others_and_exits_with_1(
    relujax, study, tmp_path, without_figures, monkeypatch
):
    from relujax.engine import _runner

    original = _runner.train_population

    def fail_on_relu(members, *args, **kwargs):
        if members[0].cell.activation == "relu":
            raise RuntimeError("out of luck")
        yield from original(members, *args, **kwargs)

    out = tmp_path / "runs"
    with monkeypatch.context() as patch:
        patch.setattr(_runner, "train_population", fail_on_relu)
        code, text = relujax("run", study, "--out", out)
    assert code == 1
    assert "Failed: relu: out of luck" in text
    assert len(list(out.glob("tiny/*/error.txt"))) == 1
    assert len(list(out.glob("tiny/*/*.parquet"))) == 1
    command = f"relujax run {study} --profile quick --seeds 2 --out {out}"
    text = relujax("status", out)[1]
    assert "RuntimeError: out of luck" in text and command in text
    # That very command goes on with it.
    code, text = relujax(*command.split()[1:])
    assert code == 0 and "(2 are stored already)" in text


def _start(study, out, *extra):
    # A shell's background jobs ignore Ctrl-C, and so would their children.
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from relujax.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "run", str(study), "--out", str(out)]
    return subprocess.Popen(
        [*command, *extra], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "The process did not get there in time."
        time.sleep(0.02)


LONG = STUDY.replace("EPOCHS", "1000")

# Four networks; the cells run side by side, and store one network after the other.
ONE_BY_ONE = ("--seeds", "2", "--plan", "map", "--chunk", "1")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The numbers of the long study."""
    folder = tmp_path_factory.mktemp("whole")
    study = folder / "tiny.py"
    study.write_text(LONG)
    _start(study, folder / "runs", *ONE_BY_ONE).communicate(timeout=240)
    return rows(folder / "runs")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_an_interrupted_run_continues_and_ends_the_same(
    study, tmp_path, uninterrupted, name
):
    """Stopped after a network; the numbers equal those of an uninterrupted run."""
    study.write_text(LONG)
    out = tmp_path / "runs"
    process = subprocess.run(
        stopped(STORED, 1, "run", study, "--out", out, *ONE_BY_ONE, by=name),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    text = process.stdout
    if name == "SIGINT":
        assert process.returncode == 130
        assert "the same command continues" in text
        assert "Traceback" not in text
    stored = len(list(out.glob("tiny/*/*.parquet")))
    assert 1 <= stored <= 3
    again, _ = _start(study, out, *ONE_BY_ONE).communicate(timeout=240)
    left = 4 - stored
    assert f"Training {left} networks ({stored} are stored already)" in again
    pd.testing.assert_frame_equal(rows(out), uninterrupted, check_exact=True)


# Both processes plan before either trains; what each trains is counted in a file.
TOGETHER = """
import os, time
from pathlib import Path
from relujax.engine import _runner

folder, original = Path(__file__).parent, _runner.train_population
def counted(members, *args, **kwargs):
    with open(folder / "trained", "a") as file:
        file.write(f"{len(members)}\\n")
    return original(members, *args, **kwargs)
_runner.train_population = counted

(folder / f"here-{os.getpid()}").touch()
deadline = time.monotonic() + 60
while len(list(folder.glob("here-*"))) < 2 and time.monotonic() < deadline:
    time.sleep(0.01)
"""


@pytest.mark.slow
def test_two_processes_share_the_work(study, tmp_path):
    """Each network is trained by one of them; both report all of it."""
    study.write_text(TOGETHER + STUDY.replace("EPOCHS", "200"))
    out = tmp_path / "runs"
    processes = [_start(study, out) for _ in range(2)]
    texts = [process.communicate(timeout=240)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], texts
    assert len(list(tmp_path.glob("here-*"))) == 2
    trained = (tmp_path / "trained").read_text().split()
    assert sum(map(int, trained)) == 2 * 2  # cells × seeds
    assert all("report.html" in text for text in texts)
    frame = rows(out)
    assert not frame.duplicated(["cell", "seed", "epoch", "split"]).any()


@pytest.mark.slow
def test_a_full_disk_is_one_sentence_and_the_run_resumes(study, tmp_path):
    """Files may not grow beyond what a record needs: rows cannot be written."""
    out = tmp_path / "runs"
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "from relujax.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "run", str(study), "--out", str(out)]
    # Compiled programs are larger, too.
    env = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Failed: relu: [Errno 27] File too large" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not list(out.glob("tiny/*/seeds-*.parquet"))
    assert not list(out.glob("tiny/*/.*"))
    text, _ = _start(study, out).communicate(timeout=120)
    assert "Training 4 networks." in text and len(rows(out)) == 2 * 2 * 3 * 2


def test_a_folder_that_cannot_be_made_is_one_sentence(relujax, study, tmp_path):
    (tmp_path / "file").write_text("")
    code, text = relujax("run", study, "--out", tmp_path / "file")
    assert code == 2 and "a folder of results, got the file" in " ".join(text.split())


def test_the_plan_can_be_given(relujax, study, tmp_path, without_figures):
    out = tmp_path / "runs"
    how = ["--plan", "map", "--chunk", 1, "--devices", 1]
    code, text = relujax("run", study, "--out", out, *how)
    assert code == 0 and "Plan:" not in text
    assert len(list(out.glob("tiny/*/*.parquet"))) == 4  # One a network.
    record = json.loads(next(out.glob("tiny/*/seeds-*.json")).read_text())
    assert record["plan"] == {"mapping": "map", "chunk": 1, "devices": 1}
    options = json.loads((out / "tiny/quick.json").read_text())["options"]
    assert options == f"--out {out} --plan map --chunk 1 --devices 1"


@pytest.mark.slow
def test_compiled_programs_are_kept_for_the_next_start(study, tmp_path):
    """Without a word from the user, in the folder for caches."""
    unset = ("JAX_COMPILATION_CACHE_DIR", "XLA_FLAGS")
    env = {k: v for k, v in os.environ.items() if k not in unset}
    env["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    counts = []
    for number in range(2):
        command = ["run", str(study), "--out", str(tmp_path / str(number))]
        subprocess.run([sys.executable, "-m", "relujax", *command], env=env, check=True)
        counts.append(len(list(tmp_path.glob("cache/relujax/compiled/*-cache"))))
    assert counts[0] > 0 and counts[1] == counts[0]


def test_the_cache_of_compiled_programs_is_bounded(monkeypatch):
    from relujax.engine import cache_compilations

    set_to = {}
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    monkeypatch.delenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
    monkeypatch.setenv("JAX_COMPILATION_CACHE_MAX_SIZE", "7")
    monkeypatch.setattr(jax.config, "update", set_to.__setitem__)
    cache_compilations()
    assert "jax_compilation_cache_max_size" not in set_to  # The user has said 7.
    monkeypatch.delenv("JAX_COMPILATION_CACHE_MAX_SIZE")
    cache_compilations()
    assert set_to["jax_compilation_cache_max_size"] == 2**30


def test_help_names_the_commands(relujax):
    code, text = relujax("--help")
    assert code == 0 and "demo" in text and "gallery" in text
