"""What a command loads: JAX where it is needed, and nothing for pictures or tables."""

import json
import subprocess
import sys
import textwrap

import pytest
from stored_runs import store_study

HEAVY = {
    "jax",
    "pandas",
    "pyarrow",
    "matplotlib",
    "scipy",
    "sklearn",
    "flax",
    "optax",
    "jinja2",
    "PIL",
    "tensorflow_datasets",
}

CODE = textwrap.dedent(
    """
    import json, sys
    from relujax.cli import main
    code = 0
    try:
        main()
    except SystemExit as exit:
        code = exit.code
    print(json.dumps([code or 0, sorted(sys.modules)]))
    """
)


def loaded(*words, folder):
    """The exit code of a command, and which heavy packages it has loaded."""
    ran = subprocess.run(
        [sys.executable, "-c", CODE, *words],
        capture_output=True,
        text=True,
        cwd=folder,
        check=True,
    )
    code, modules = json.loads(ran.stdout.splitlines()[-1])
    return code, HEAVY & set(modules), ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["--help"], set()),
        (["--version"], set()),
        (["list"], {"jax", "scipy"}),
        (["data", "list"], set()),
        (["status"], {"pyarrow"}),
        *(
            pytest.param(words, needed, marks=pytest.mark.slow)
            for words, needed in (
                (["run", "--help"], set()),
                (["nonsense"], set()),
                (["show", "n_relu"], {"jax", "scipy"}),
                (["show", "rleu"], {"jax", "scipy"}),
                (["new", "study", "mine"], set()),
                (["data", "info", "wdbc"], set()),
            )
        ),
    ],
    ids=lambda words: " ".join(sorted(words)) if isinstance(words, set) else None,
)
def test_a_command_loads_what_it_needs(words, needed, tmp_path):
    _, found, _ = loaded(*words, folder=tmp_path)
    assert found <= needed


def test_status_of_results_reads_no_rows(tmp_path):
    store_study(tmp_path, "alpha")
    code, found, said = loaded("status", folder=tmp_path)
    assert code == 0 and "4 of 4" in said and found <= {"pyarrow"}


def test_tab_offers_studies_without_loading_one():
    code = (
        "import sys; from relujax.cli._options import studies; "
        "assert 'srelu' in studies(); print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(ran.stdout.split())


def test_status_before_any_run_is_friendly(tmp_path):
    code, _, said = loaded("status", folder=tmp_path)
    assert code == 0 and "Error" not in said
    assert "Nothing has been run in 'runs' yet; `relujax demo` is a start." in said


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("relujax sh", {"show"}),
        pytest.param("relujax run sr", {"srelu"}, marks=pytest.mark.slow),
        pytest.param("relujax data info wd", {"wdbc"}, marks=pytest.mark.slow),
        pytest.param("relujax show n_", {"n_relu"}, marks=pytest.mark.slow),
    ],
)
def test_tab_completes_commands_and_names(words, offered, tmp_path, monkeypatch):
    monkeypatch.setenv("_RELUJAX_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    code = "import sys; sys.argv[0] = 'relujax'; from relujax.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert set(ran.stdout.split()) == offered, ran.stderr
