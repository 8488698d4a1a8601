"""`relujax diagnose` as a user meets it."""

import sys
import textwrap

import numpy as np
import pytest

from relujax.cli import main

MODULE = textwrap.dedent(
    """
    import jax
    import jax.numpy as jnp
    from flax import linen as nn

    module = nn.Dense(3)
    weights = jnp.array([[1.0, -1.0, 0.0]])

    def net(x):
        return jax.nn.relu(x @ weights)

    def make():
        bound = weights * 1.0
        return jax.jit(lambda x: jax.nn.relu(x @ bound))

    def broken():
        raise KeyError("no parameters here")

    def plain(x):
        return 2 * x

    number = 3
    bound = nn.Sequential([module, nn.relu]).bind(
        {"params": {"layers_0": {"kernel": weights, "bias": jnp.zeros(3)}}}
    )
    """
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "usernet.py").write_text(MODULE)
    monkeypatch.delitem(sys.modules, "usernet", raising=False)
    np.save("x.npy", np.linspace(1, 2, 700, dtype=np.float32)[:, None])
    np.savez("x.npz", x=np.ones((5, 1)), y=np.zeros(5))
    np.savez("one.npz", images=np.ones((5, 1)))
    np.savez("two.npz", a=np.ones((5, 1)), b=np.ones((5, 1)))
    (tmp_path / "bad.npz").write_text("not an archive")
    return tmp_path


@pytest.fixture
def diagnose(monkeypatch, capsys):
    """Run the command in this process: (exit code, what it printed)."""

    def run(*args):
        monkeypatch.setattr(sys, "argv", ["relujax", "diagnose", *args])
        code = 0
        try:
            main()
        except SystemExit as exit:
            code = exit.code or 0
        out, err = capsys.readouterr()
        return code, out + err

    return run


@pytest.mark.parametrize("name", ["net", "make", "bound"])
def test_planted_dead_units_are_found(diagnose, name):
    code, text = diagnose(f"usernet:{name}", "--data", "x.npy")
    assert code == 0
    assert "2 of 3 units never fire on 700 examples" in text
    assert "saturated" in text


@pytest.mark.parametrize("data", ["x.npz", "one.npz"])
def test_arrays_of_a_file(diagnose, data):
    code, text = diagnose("usernet:net", "--data", data)
    assert code == 0
    assert "on 5 examples" in text


def test_a_named_data_set_and_a_report(diagnose, folder):
    (folder / "digitnet.py").write_text(
        "import jax, jax.numpy as jnp\n"
        "f = lambda x: jax.nn.relu(x.reshape(len(x), 64) - jnp.ones((1, 64)))\n"
    )
    code, text = diagnose("digitnet:f", "--data", "digits", "--report", "out/r.html")
    assert code == 0
    assert "64 of 64 units never fire on 1,437 examples" in text
    assert "out/r.html" in text
    assert "1,437 examples" in (folder / "out/r.html").read_text()


@pytest.mark.parametrize(
    ("target", "data", "sentence"),
    [
        ("usernet", "x.npy", "Expected module:function, got 'usernet'"),
        ("nosuch:f", "x.npy", "Cannot import 'nosuch': ModuleNotFoundError"),
        ("usernet:nett", "x.npy", "Did you mean 'net'?"),
        ("usernet:module", "x.npy", "to hold its parameters"),
        ("usernet:number", "x.npy", "got int"),
        ("usernet:broken", "x.npy", "Cannot call 'usernet:broken': KeyError"),
        ("usernet:plain", "x.npy", "Expected a function with activations"),
        ("usernet:net", "wdbc", "Expected data that the function takes"),
        ("usernet:net", "wdbcc", "Did you mean 'wdbc'"),
        ("usernet:net", "none.npy", "Cannot read the arrays of 'none.npy'"),
        ("usernet:net", "bad.npz", "Cannot read the arrays of 'bad.npz'"),
        ("usernet:net", "two.npz", "an array named 'x' in 'two.npz', got a, b"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(diagnose, target, data, sentence):
    code, text = diagnose(target, "--data", data)
    assert code == 2
    assert sentence in text
    assert "Traceback" not in text
