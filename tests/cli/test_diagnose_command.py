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
    from flax import nnx

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

    def two(x):
        return jnp.tanh(net(x))

    def first(x):
        return jax.nn.relu(jnp.swapaxes(x, 1, 2) - 1)

    def squared(output, y):
        return (output.sum(-1) - y) ** 2

    def diverged(x):
        return jax.nn.relu(x / 0)

    nnx_module = nnx.Sequential(nnx.Linear(1, 3, rngs=nnx.Rngs(0)), nnx.relu)
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
    np.save("y.npy", np.zeros(700, np.float32))
    np.save("images.npy", np.ones((5, 3, 2), np.float32))
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


@pytest.mark.parametrize(
    "args", [["x.npz"], ["x.npy", "--labels", "y.npy", "--batch-size", "100"]]
)
def test_a_loss(diagnose, args):
    loss = ["--loss", "usernet:squared"]
    code, text = diagnose("usernet:net", "--data", *args, *loss)
    assert code == 0
    assert "their incoming gradient is zero" in text


def test_sites_and_axes(diagnose):
    code, text = diagnose("usernet:two", "--data", "x.npy", "--sites", "tanh")
    assert code == 0 and "tanh_0" in text and "relu_0" not in text
    args = ["--data", "images.npy", "--unit-axis", "1"]
    code, text = diagnose("usernet:first", *args)
    assert code == 0 and "2 of 2 units never fire" in text
    args = ["--data", "images.npy", "--unit-axis", "relu=1+2"]
    code, text = diagnose("usernet:first", *args)
    assert code == 0 and "units (2 x " in text


def test_a_module_that_holds_its_parameters(diagnose):
    code, text = diagnose("usernet:nnx_module", "--data", "x.npy")
    assert code == 0 and "3 units" in text


def test_a_network_that_has_diverged(diagnose):
    code, text = diagnose("usernet:diverged", "--data", "x.npy", "--report", "r.html")
    assert code == 0
    assert "no unit gives finite numbers; the network has diverged" in text
    assert "nan" in text


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
        ("usernet:net", "x.npy --loss usernet:squared", "Expected labels for the loss"),
        ("usernet:net", "x.npy --labels y.npy", "Expected --loss module:function"),
        ("usernet:net", "x.npy --labels z.npy --loss a:b", "arrays of 'z.npy'"),
        ("usernet:net", "x.npz --loss usernet:squere", "Did you mean 'squared'"),
        ("usernet:net", "x.npz --loss jax.nn:relu", "Expected loss(output, batch)"),
        ("usernet:net", "x.npy --sites relo", "Did you mean 'relu'"),
        ("usernet:net", "x.npy --sites ,", "Expected some sites"),
        ("usernet:net", "x.npy --unit-axis 2", "give unit_axis="),
        ("usernet:net", "x.npy --unit-axis 1+", "several such as 0+2"),
        ("usernet:net", "x.npy --batch-size 0", "a batch size of at least 1"),
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
    code, text = diagnose(target, "--data", *data.split())
    assert code == 2
    assert sentence in text
    assert "Traceback" not in text
