"""What is loaded when, and what is said of a package that is not installed.

By the modules in `sys.modules` of a fresh process, not by the clock.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import relujax
from relujax import extras

ROOT = Path(__file__).parents[1]
PACKAGE = str(Path(relujax.__file__).parents[1])
SERVICES = ("equinox", "tensorboardX", "wandb", "mlflow", "ray")
EXTRAS = (*extras.STUDIES, *extras.TFDS, *SERVICES)
HIDE = f"import sys; sys.modules.update(dict.fromkeys({EXTRAS}))\n"


def run(code, *, at=None):
    """Standard output, error and exit code of a fresh Python."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=at,
        env={**os.environ, "PYTHONPATH": PACKAGE},
    )


def loaded(code):
    """The packages that code loads, besides the standard library and relujax."""
    show = "import sys; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    done = run(f"{code}\n{show}")
    assert done.returncode == 0, done.stderr
    packages = set(done.stdout.split("\n")[-2].split())
    return packages - set(sys.stdlib_module_names) - {"relujax", "lazy_loader"}


@pytest.fixture(scope="module")
def bare():
    """What Python loads before anything is imported, such as `.pth` files."""
    return loaded("")


def test_the_package_alone_loads_nothing(bare):
    assert loaded("import relujax") <= bare


def test_an_activation_loads_what_its_counterpart_in_jax_loads():
    theirs = "import jax; jax.nn.relu(jax.numpy.ones(3)); jax.jit(jax.nn.elu)(1.0)"
    ours = "import jax, relujax; relujax.relu(jax.numpy.ones(3)); relujax.elu(1.0)"
    assert loaded(ours) <= loaded(theirs)


ON_FUNCTIONS = """
import jax, jax.numpy as jnp, relujax
fn = lambda w, x: jax.nn.relu(x @ w)
w, x = jnp.ones((3, 4)), jnp.ones((2, 3))
relujax.find_activations(fn, w, x)
relujax.capture(fn)(w, x)
relujax.replace_activations(fn, {"relu": "elu"})(w, x)
found = relujax.diagnose(fn, [x], params=w)
found.summary(), found.to_json(), repr(found)
"""


def test_the_core_loads_no_package_of_an_extra():
    maths = 'import relujax; relujax.gain("n_relu"); relujax.properties("elu")'
    data = "import relujax.data; relujax.Dataset"
    # JAX takes filelock where it finds it.
    theirs = {"filelock"} & loaded("import jax")
    found = loaded("\n".join([maths, data, ON_FUNCTIONS]))
    assert not found & {*EXTRAS, "orbax", "chex"} - theirs


MISSING = {
    "relujax.compare": "Expected flax, optax and 12 more for relujax.compare, ",
    "relujax.linen": "Expected flax for relujax.linen, ",
    "relujax.testing": "Expected flax for relujax.testing, ",
    "import relujax.nnx": "Expected flax for relujax.nnx, ",
    "import relujax.training": "Expected flax and optax for relujax.training, ",
    "from relujax.statistics import holm": "Expected pandas for relujax.st",
    "from relujax.networks import MLP": "Expected flax for relujax.networks.MLP,",
    "relujax.load_dataset('wine')": "Expected scikit-learn for wine, ",
    'relujax.load_dataset(\'csv(path="own.csv", target="y")\')': (
        "Expected pandas for tables, "
    ),
    "relujax.diagnose(jax.nn.relu, [jax.numpy.ones((2, 3))]).table()": (
        "Expected pandas for Diagnosis.table, "
    ),
}
SERVED = {
    "relujax.loggers.wandb('runs')": "Expected wandb for relujax.loggers.wandb, ",
    "relujax.loggers.tensorboard('runs')": (
        "Expected tensorboardX for relujax.loggers.tensorboard, "
    ),
}
DRAWN = "relujax.diagnose(jax.nn.relu, [jax.numpy.ones((2, 3))])._repr_html_()"
TRIED = f"""{HIDE}
import json, jax, relujax, relujax.loggers
said = {{}}
for code in {[*MISSING, *SERVED]}:
    try:
        exec(code)
    except relujax.extras.Missing as missing:
        said[code] = str(missing)
print(json.dumps([said, {DRAWN}]))
"""


@pytest.fixture(scope="module")
def without_extras(tmp_path_factory):
    """What each of the above says in a process that has none, and the drawing."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "own.csv").write_text("x,y\n1,2\n3,4\n")
    done = run(TRIED, at=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("code", MISSING)
def test_what_is_missing_says_what_to_install(without_extras, code):
    said = without_extras[0][code]
    assert said.startswith(MISSING[code])
    assert said.endswith("found none: pip install 'relujax[studies]'.")


def test_a_notebook_shows_the_text_of_a_diagnosis_where_it_cannot_draw(without_extras):
    assert without_extras[1] is None


@pytest.mark.parametrize("code", SERVED)
def test_logging_services_are_extras_of_their_own(without_extras, code):
    service = code.removeprefix("relujax.loggers.").partition("(")[0]
    said = without_extras[0][code]
    assert said.startswith(SERVED[code])
    assert said.endswith(f"pip install 'relujax[{service}]'.")


def test_the_command_without_its_packages_is_one_sentence_and_code_2():
    done = run(f"{HIDE}from relujax.cli import main; main()")
    assert done.returncode == 2 and not done.stdout
    assert done.stderr == (
        "Error: Expected flax, optax and 12 more for the relujax command, found none: "
        "pip install 'relujax[studies]'.\n"
    )


def test_missing_is_bad_input_and_a_failed_import():
    with pytest.raises(ImportError) as caught:
        raise extras.Missing("this", ("sklearn", "PIL"))
    assert isinstance(caught.value, relujax.InputError)
    assert str(caught.value).startswith("Expected scikit-learn and pillow for this,")


def test_extras_are_those_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {
        extra: {line.partition(">")[0] for line in lines if "[" not in line}
        for extra, lines in project["optional-dependencies"].items()
    }
    names = lambda packages: {extras._PUBLISHED.get(p, p) for p in packages}
    assert declared["studies"] == names(extras.STUDIES)
    assert declared["data"] == names(extras.TFDS)
    for service in ("tensorboardX", "wandb", "mlflow"):
        assert declared[extras._EXTRAS[service]] == {service}


def test_the_wheel_holds_every_study_and_no_results():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    held = build["build"]["targets"]["wheel"]["force-include"]
    studies = {f"experiments/{p.name}" for p in (ROOT / "experiments").glob("*.*")}
    assert set(held) == studies
    assert all(inside == f"relujax/{path}" for path, inside in held.items())


def test_ray_is_loaded_by_nothing_but_its_use():
    pytest.importorskip("flax")  # The core alone has none of these.
    found = loaded("import relujax, relujax.studies, relujax.clusters, relujax.cli")
    assert not {"ray", "submitit"} & found


def test_without_ray_a_sentence_says_what_to_install(request, tmp_path, monkeypatch):
    pytest.importorskip("flax")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    code, said = request.getfixturevalue("relujax")("run", "srelu", "--on", "ray")
    said = " ".join(said.split())
    assert code == 2 and "Expected ray for --on ray" in said
    assert "pip install 'relujax[ray]'" in said
