"""`relujax list`, `show` and `gallery`, as a user types them."""

import html
import re
import sys

import pytest
from full import slow
from rich.console import Console

import relujax
from relujax.activations._registry import definition
from relujax.cli import _catalogue, _console, main


@pytest.fixture
def relujax_command(monkeypatch, capsys):
    """Run the command in this process: exit code, standard output, standard error."""

    def run(*arguments, columns=80):
        monkeypatch.setattr(sys, "argv", ["relujax", *map(str, arguments)])
        monkeypatch.setattr(_catalogue, "console", Console(width=columns))
        monkeypatch.setattr(_console, "console", Console(width=columns))
        with pytest.raises(SystemExit) as exit:
            main()
        return exit.value.code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("columns", [80, 120, *slow(200)])
def test_list_has_every_fact_of_every_activation(relujax_command, columns):
    code, out, _ = relujax_command("list", columns=columns)
    assert code == 0
    lines = out.splitlines()
    assert max(map(len, lines)) <= columns
    starts = [i for i, line in enumerate(lines) if re.match(r" ?\w+_?\w* +\S", line)]
    ids = [lines[i].split()[0] for i in starts]
    assert [name for name in ids if name in relujax.names(gated=True)] == list(
        relujax.names(gated=True)
    )
    squeezed = re.sub(r"[\s│]+", "", out)
    for name in relujax.names(gated=True):
        # Cells wrap into columns, so only their first word is in one piece.
        first = definition(name).paper.split()[0]
        assert first in squeezed
    assert "alpha=0.25" in squeezed and "−0.01" in squeezed and "…" not in out


def test_show_describes_a_spec(relujax_command):
    code, out, _ = relujax_command("show", "srelu(beta=0.5)")
    assert code == 0
    facts = dict(re.split(r"\s{2,}", line.strip(), maxsplit=1)
                 for line in out.splitlines()[3:] if line.strip())  # fmt: skip
    assert facts["derivative at kinks"] == "0.5 at 0"
    assert facts["values"] == "from −0.5 to ∞"
    assert facts["units can die"] == "no"
    assert facts["paper"] == "Bhat, section III"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "rleu"], "Unknown activation 'rleu'. Did you mean 'relu'"),
        (["show", "nrelu"], "say which one: 'n_relu' or 'noisy_relu'"),
        (["show", "elu(alpha='a')"], "Expected a finite number for 'alpha' of elu"),
        (["show", "relu", "--plot", "relu.gif"], "ends in .png or .svg"),
        (["show", "relu", "--plot", "no/folder/x.png"], "No such file or directory"),
        (["gallery", "--out", __file__], "Cannot write"),
    ],
)
def test_bad_input_is_one_sentence(relujax_command, arguments, sentence):
    code, _, err = relujax_command(*arguments)
    assert code == 2
    assert sentence in err and err.count("\n") == 1 and "Traceback" not in err


def test_show_draws(relujax_command, tmp_path):
    for name, magic in (("n_relu.png", b"\x89PNG"), ("crelu.SVG", b"<?xml")):
        path = tmp_path / name
        code, out, _ = relujax_command("show", path.stem, "--plot", path, columns=300)
        assert code == 0 and str(path) in out
        assert path.read_bytes().startswith(magic)


def test_gallery_is_one_page_with_every_activation(
    relujax_command, tmp_path, monkeypatch
):
    few = ("relu", "n_relu", "crelu", "sym_msaf")
    monkeypatch.setattr("relujax.report._gallery.names", lambda gated: few)
    code, *_ = relujax_command("gallery", "--out", tmp_path, columns=300)
    assert code == 0
    page = (tmp_path / "gallery.html").read_text()
    assert tuple(re.findall(r'<article id="(\w+)">', page)) == few
    assert page.count('src="data:image/svg+xml;base64,') == len(few)
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
    for name in few:
        assert html.escape(definition(name).formula) in page
    assert (tmp_path / "gallery.png").read_bytes().startswith(b"\x89PNG")


def test_activations_of_ones_own(relujax_command, tmp_path, monkeypatch, registry):
    (tmp_path / "ownacts.py").write_text(
        "import jax.numpy as jnp, relujax\n"
        "@relujax.register('bent', formula='max(x, 1)')\n"
        "def bent(x, *, at=1.0):\n"
        "    return jnp.where(x > at, x, at)\n"
    )
    monkeypatch.chdir(tmp_path)
    code, out, _ = relujax_command("list", "--import", "ownacts")
    assert code == 0 and re.search(r"^ ?bent +max\(x, 1\) +1: 0", out, re.MULTILINE)
    for arguments in (["ownacts:bent(at=2)"], ["bent(at=2)", "--import", "ownacts"]):
        code, out, _ = relujax_command("show", *arguments, columns=120)
        assert code == 0 and "bent(at=2.0)" in out and "0 at 2" in out
    code, _, err = relujax_command("list", "--import", "nowhere.acts")
    assert code == 2 and "Cannot import 'nowhere.acts'" in err
