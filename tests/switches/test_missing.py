"""What the environment lacks: a home, a folder, a backend of matplotlib."""

import os
import subprocess
import sys
import textwrap

import jax
import numpy as np
import pytest

import relujax
from relujax import files
from relujax.backend import without_missing_backend
from relujax.engine import _auto, cache_compilations
from relujax.switches import own_placement


@pytest.fixture
def nobody(monkeypatch):
    """A user without a home, and without an entry of the password file."""
    import pwd

    def missing(user):
        raise KeyError(user)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", missing)


def test_a_user_without_a_home_keeps_nothing(nobody, monkeypatch):
    monkeypatch.setattr(jax.config, "update", lambda name, value: None)
    assert files.cache_folder() is None
    assert _auto.folder() is None
    assert _auto._remembered("key") is None
    _auto._remember("key", {})
    cache_compilations()


@pytest.mark.parametrize(
    ("named", "kept"),
    [
        ("module://no_such_package.backend", None),
        ("module://matplotlib.no_such_backend", None),
        ("module://", None),
        ("module://matplotlib.backends.backend_svg", True),
        ("agg", True),
        ("", True),
    ],
)
def test_a_backend_that_is_missing_is_not_asked_for(named, kept, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", named)
    without_missing_backend()
    assert os.environ.get("MPLBACKEND") == (named if kept else None)


@pytest.mark.parametrize(
    "code",
    [
        "import relujax.report; relujax.report.write_gallery",
        "import relujax, jax, numpy as np;"
        "relujax.diagnose(lambda x: jax.nn.relu(x), np.ones((2, 2), 'f')).plot()",
    ],
    ids=["report", "diagnosis"],
)
def test_figures_are_drawn_whatever_a_kernel_of_jupyter_left(code):
    environment = os.environ | {"MPLBACKEND": "module://no_such_package.backend"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-500:]


def test_sites_are_named_in_a_deleted_working_directory(monkeypatch, tmp_path):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    (site,) = relujax.find_activations(lambda x: jax.nn.relu(x), np.ones(3, np.float32))
    assert site.source.startswith(__file__)
    assert files.shown_path("/elsewhere/a.py") == "/elsewhere/a.py"


def test_paths_below_the_working_directory_are_shown_from_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert files.shown_path(str(tmp_path / "a" / "b.py")) == os.path.join("a", "b.py")
    assert files.shown_path("/elsewhere/b.py") == "/elsewhere/b.py"


def test_own_placement_has_no_mesh_and_no_guard():
    axis = (jax.sharding.AxisType.Explicit,)
    mesh = jax.make_mesh((len(jax.devices()),), ("data",), axis_types=axis)
    with jax.set_mesh(mesh), jax.transfer_guard("disallow"):
        with pytest.raises(Exception, match="Disallowed host-to-device"):
            _ = jax.numpy.arange(3) + 1.5
        with own_placement():
            assert jax.sharding.get_abstract_mesh().empty
            assert (jax.numpy.arange(3) + 1.5).shape == (3,)
        assert jax.sharding.get_abstract_mesh().axis_names == ("data",)


def test_a_command_draws_into_files_under_any_backend(tmp_path):
    code = textwrap.dedent(
        """
        import sys
        from relujax.cli import main
        sys.argv = ["relujax", "show", "relu", "--plot", "relu.svg"]
        main()
        """
    )
    environment = os.environ | {"MPLBACKEND": "no such backend"}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0 and (tmp_path / "relu.svg").is_file(), ran.stderr
