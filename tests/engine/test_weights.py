"""Weights in a file, and the networks that they are the weights of."""

import numpy as np
import pytest
from flax import linen as nn
from safetensors.numpy import save

import relujax
from relujax.cli import main
from relujax.engine._weights import from_bytes, to_bytes
from relujax.errors import InputError


def test_what_is_read_has_the_shapes_that_were_written():
    tree = {"number": np.float32(3), "one": np.ones(1, "f"), "turned": np.eye(3)[:2].T}
    found = from_bytes(to_bytes(tree), tree)
    for name, array in tree.items():
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)


def test_a_number_that_was_written_as_an_array_is_read():
    found = from_bytes(save({"alpha": np.full(1, 0.25, "f")}), {"alpha": np.float32(0)})
    assert found["alpha"].shape == () and found["alpha"] == 0.25
    with pytest.raises(InputError, match="of shape"):
        from_bytes(save({"alpha": np.ones(2, "f")}), {"alpha": np.float32(0)})


class Net(nn.Module):
    """A network of the user's."""

    @nn.compact
    def __call__(self, x):
        x = nn.relu(nn.Dense(4)(x))
        return nn.Dense(1)(nn.relu(nn.Dense(3)(x)))


@pytest.mark.slow
def test_stored_networks_with_other_activations_are_diagnosed(
    tmp_path, monkeypatch, capsys
):
    wanted = ["elu", {"relu": "prelu"}, {"Net/relu_0": "n_relu"}]
    out = str(tmp_path / "out")
    relujax.compare(
        Net(), "wdbc", wanted, seeds=1, epochs=1, keep="last", out=out, progress=False
    )
    for label in ("elu", "relu: prelu", "Net/relu_0: n_relu"):
        words = ["relujax", "diagnose", out, "--activation", label, "--seed", "0"]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit, match="0"):
            main()
        said = capsys.readouterr().out
        assert said.count("test_weights.py") == 2, said
        assert "of 7 units" in said and "not recognised" not in said
