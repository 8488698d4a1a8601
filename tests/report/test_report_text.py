from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from relujax.cli._study_file import load_study
from relujax.report import _text
from relujax.studies import Claim, Evidence, Judgement, observed, positive, settled


def judged(e):
    claim = Claim(id="c", quote="It is.", where="Abstract", test=lambda _: e)
    return Judgement(claim, e, "undecided")


@pytest.mark.parametrize(
    ("effect", "unit", "words"),
    [
        (7.0, "place", "7 place"),
        (1, "hyperparameters", "1 hyperparameters"),
        (-2, "wins of SELU more than of ReLU", "−2 wins of SELU more than of ReLU"),
        (0.0, "largest difference", "0 largest difference"),
        (11.08, "% at depth 30", "11.08 % at depth 30"),
        (3.72e-13, "of the gradient", "3.72e−13 of the gradient"),
        (np.nan, "", ""),
    ],
)
def test_a_number_that_is_no_difference_has_no_plus_and_a_count_no_decimals(
    effect, unit, words
):
    found = judged(settled(True, "So it is.", effect=effect, unit=unit))
    assert _text.measured(found) == words


def test_a_tested_difference_has_a_sign():
    e = Evidence(2.0, (1.5, 2.5), 0.01, 0.99, 10, "percentage points", "")
    assert _text.measured(judged(e)) == "+2.00 [+1.50, +2.50] percentage points"


def test_what_is_counted_is_named():
    times = positive([1.0, 2.0, 3.0], "So.", unit="% more time", counted="repeats")
    found = [judged(e) for e in (times, positive([1.0], "So.", unit="s"))]
    assert list(_text.claims_text(found)["n"]) == ["3 repeats", "1 seed"]
    assert _text.count(settled(True, "So it is.")) == "–"


def test_what_is_computed_is_told_from_what_was_observed():
    found = [
        judged(settled(True, "So it is.")),
        judged(observed(True, "So it was.", effect=0.0, unit="dead units", n=5)),
        judged(Evidence(np.nan, (np.nan, np.nan), None, None, 0, "", "Not tested.")),
    ]
    table = _text.claims_text(found)
    assert list(table["p, Holm"]) == ["computed", "observed", "not tested"]
    assert list(table["n"]) == ["–", "5 seeds", "–"]
    assert "Observed: seen in this sample" in _text.claims_caption(found, 0.05)
    assert "Observed" not in _text.claims_caption(found[:1], 0.05)


STUDIES = [
    path
    for path in sorted((Path(__file__).parents[2] / "experiments").glob("*.py"))
    if "study = " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_what_a_study_says_is_ascii_in_latex(path):
    study = load_study(path)
    words = [study.question, *[e.title for e in study.exhibits]]
    words += [e.caption for e in study.exhibits]
    for claim in study.claims:
        words += [claim.quote, claim.where, claim.reported]
    found = _text.latex(pd.DataFrame({"words": words}), "", "tab:words")
    left = {c for c in found if not c.isascii()}
    assert words and not left


def test_every_study_is_tried():
    names = {"al_relu", "arelu", "n_relu", "relu_variants", "srelu"}
    assert names <= {path.stem for path in STUDIES}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("50 % of a_b & {c}", r"50 \% of a\_b \& \{c\}"),
        ("ε ≥ 2 × 10⁻⁵ — or 3", r"$\varepsilon$ $\ge$ 2 $\times$ 10$^{-5}$ --- or 3"),
        ("x₁² ± √n", r"x$_{1}$$^{2}$ $\pm$ $\surd$n"),
        ("|z| < 1", r"$|$z$|$ $<$ 1"),
        ("Lückert, Gülçehre, Nuñez", r"L\"{u}ckert, G\"{u}l\c{c}ehre, Nu\~{n}ez"),
        ("数", "数"),
    ],
)
def test_latex_of_symbols(text, code):
    assert _text.escaped(text) == code
