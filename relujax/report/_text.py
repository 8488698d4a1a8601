"""Tables as text: what a cell prints, Markdown and LaTeX."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pandas as pd

from relujax.statistics import (
    TASK,
    Metric,
    accuracy_interval,
    metric_name,
    metric_of,
    own_metrics,
    signed,
)
from relujax.studies import Evidence, Judgement, promise


def summary_text(table: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """`statistics.summary` in words: one column per metric, as `mean [low, high]`."""
    both = [*own_metrics(frame), *_SCORES, "gap", "mse_gap", "loss", "dead"]
    names = [name for name in both if name in table and table[name].notna().any()]
    text = _tasks(table) | {"activation": table["activation"]}
    text["seeds"] = [
        f"{n} ({d} diverged)" if d else str(n)
        for n, d in zip(table["seeds"], table["diverged"], strict=True)
    ]
    for name in names:
        m = metric_of(name, frame)
        label = metric_name(name, "test", frame)
        ends = zip(
            table[name], table[f"{name}_low"], table[f"{name}_high"], strict=True
        )
        text[_headed(label, m.unit)] = [interval(m, *row) for row in ends]
        if name == "accuracy" and (other := _other_tests(table, frame)):
            text[OTHER_TESTS] = other
    epochs = table["epochs_to_loss"]
    text["epochs to loss"] = [
        "not reached" if np.isinf(e) else "–" if np.isnan(e) else f"{e:g}"
        for e in epochs
    ]
    return pd.DataFrame(text)


#: Heading of what the size of the test set leaves open.
OTHER_TESTS = "on other test sets, %"


def _other_tests(table: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Where accuracies on other test sets would lie, by row; empty if none is known.

    Of repeated splits, tests overlap, and the split is a source of chance already.
    """
    if "confusion" not in frame:
        return []
    rows = frame[(frame["split"] == "test") & frame["confusion"].notna()]
    rows = rows[~rows["data"].str.contains("splits=")].drop_duplicates(TASK)
    sizes = rows.set_index(TASK)["confusion"].map(np.sum).to_dict()
    m, found = metric_of("accuracy"), []
    for row in table.to_dict("records"):
        size = sizes.get(tuple(row[name] for name in TASK), 0)
        known = size and np.isfinite(row["accuracy"])
        ends = accuracy_interval(row["accuracy"], size)[1:3] if known else ()
        found.append(f"[{', '.join(map(m.show, ends))}]" if known else "–")
    return found if sizes else []


_SCORES = ("accuracy", "f1_weighted", "mse", "r2")


def comparisons_text(
    table: pd.DataFrame, metric: str, baseline: str, alpha: float = 0.05
) -> pd.DataFrame:
    """`statistics.paired_comparisons` in words."""
    m = metric_of(metric)
    ends = zip(table["difference"], table["low"], table["high"], strict=True)
    signs = zip(table["wins"], table["ties"], table["losses"], strict=True)
    text = _tasks(table) | {
        "activation": table["activation"],
        _headed(f"minus {baseline}", m.points): [
            interval(m, *row, sign=True) for row in ends
        ],
        "effect size d_z": [_effect(d) for d in table["effect_size"]],
        "better / equal / worse": [" / ".join(map(str, row)) for row in signs],
        "p": [p_value(p) for p in table["p"]],
        "p, Holm": [
            p_value(p) + " *" * (p <= alpha) + " †" * bool(fragile)
            for p, fragile in zip(table["p_holm"], table["fragile"], strict=True)
        ],
        "smallest effect": [_size(m, x) for x in table["smallest_effect"]],
        "test": table["test"],
        "seeds": table["n"].astype(str),
    }
    return pd.DataFrame(text)


CHOSEN_RIVAL = (
    "Where a claim is about the best of several, effect and interval are those against "
    "the strongest rival, which the results chose: only p accounts for the choice."
)


def claims_caption(judgements: Sequence[Judgement], alpha: float) -> str:
    """How to read the ledger as a table."""
    reasons = {p_or_reason(j) for j in judgements}
    without = [j.claim.id for j in judgements if out_of_reach(j, alpha)]
    notes = {
        "Computed: settled for good, without sampling.": "computed" in reasons,
        "Observed: seen in this sample, without a test of chance.": (
            "observed" in reasons
        ),
        "Exploratory: set, or given a margin, after results had been seen; corrected "
        "among themselves and outside of the guarantee.": any(
            j.claim.exploratory for j in judgements
        ),
        f"Too few seeds for a verdict: {', '.join(without)}.": bool(without),
    }
    return (
        f"Claims and verdicts at α = {alpha:g} (Holm). {promise(judgements, alpha)} "
        f"Intervals hold 95 %, each for itself. {CHOSEN_RIVAL}"
        + "".join(f" {note}" for note, wanted in notes.items() if wanted)
    )


def claims_text(
    judgements: Sequence[Judgement], *, of_paper: bool = True
) -> pd.DataFrame:
    """The ledger as a table."""
    said = "the paper" if of_paper else "statement"
    return pd.DataFrame(
        [
            {
                "claim": j.claim.id,
                "verdict": _verdict(j),
                said: f"“{j.claim.quote}” ({j.claim.where})",
                "reported": j.claim.reported or "–",
                "measured": measured(j) or "–",
                "p, Holm": p_or_reason(j),
                "n": count(j.evidence),
            }
            for j in judgements
        ]
    )


def _verdict(j: Judgement) -> str:
    return f"{j.verdict} (exploratory)" if j.claim.exploratory else j.verdict


def measured(j: Judgement) -> str:
    """The effect with its interval and unit; empty where there is none.

    A tested effect is a difference and has a sign. A number that a computation gave has
    none, and no decimals if it is a count.
    """
    e = j.evidence
    if not np.isfinite(e.effect):
        return ""
    value, *ends = _rounded(e.effect, *filter(np.isfinite, e.interval))
    if e.holds is not None:
        whole = float(e.effect).is_integer()
        value = signed(e.effect, 0) if whole else value
        value = value.removeprefix("+")
    return f"{value} [{', '.join(ends)}] {e.unit}" if ends else f"{value} {e.unit}"


def out_of_reach(j: Judgement, alpha: float) -> list[str]:
    """The verdicts that no effect could have brought, with so few seeds."""
    if j.verdict != "undecided":
        return []
    verdicts = ("supported", "contradicted")
    return [v for v, p in zip(verdicts, j.least_p, strict=True) if p > alpha]


def p_or_reason(j: Judgement) -> str:
    """The corrected p-value, or why there is none."""
    if j.p is not None:
        return p_value(j.p)
    if j.evidence.holds is None:
        return "not tested"
    return "observed" if j.evidence.observed else "computed"


def count(e: Evidence) -> str:
    """How many independent units there are: `10 seeds`."""
    if not e.n:
        return "–"
    return f"{e.n} {e.counted.removesuffix('s') if e.n == 1 else e.counted}"


def _rounded(*values: float) -> list[str]:
    # Decimals that show three digits of the largest number, two from one upwards.
    top = max(map(abs, values))
    if top == 0:
        return ["0"] * len(values)
    if top < 1e-4:
        return [f"{value:+.2e}".replace("-", "−") for value in values]
    digits = 2 if top >= 1 else int(2 - np.floor(np.log10(top)))
    return [signed(value, digits) for value in values]


def interval(
    m: Metric, value: float, low: float, high: float, *, sign: bool = False
) -> str:
    """`mean [low, high]` in the metric's own printing."""
    text = m.show(value, sign=sign)
    if np.isfinite(low):
        text += f" [{m.show(low, sign=sign)}, {m.show(high, sign=sign)}]"
    return text


def p_value(p: float | None) -> str:
    """A p-value as it is printed.

    >>> p_value(0.2345), p_value(0.00002), p_value(None)
    ('0.23', '< 0.0001', '–')
    """
    if p is None or np.isnan(p):
        return "–"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def markdown(table: pd.DataFrame) -> str:
    """A GitHub-flavoured Markdown table.

    >>> print(markdown(pd.DataFrame({"a": ["x|y"], "b": ["1"]})))
    | a | b |
    |---|---|
    | x\\|y | 1 |
    """
    cells = [list(table.columns), *table.astype(str).to_numpy().tolist()]
    line = lambda row: " | ".join(inline(c).replace("|", r"\|") for c in row)
    rows = [f"| {line(row)} |" for row in cells]
    rows.insert(1, "|" + "---|" * len(table.columns))
    return "\n".join(rows)


def inline(text: object) -> str:
    """Text for a line of Markdown, in which neither HTML nor links come alive.

    >>> print(inline("p < 0.1 <b>[x](javascript:1)"))
    p < 0.1 &lt;b>[x]\\(javascript:1)
    """
    line = re.sub(r"\s*[\r\n]\s*", " ", str(text))
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", line).replace("](", r"]\(")


def code(text: object) -> str:
    """Text as a code span of Markdown.

    >>> print(code("relujax run"), code("a`b"))
    `relujax run` `` a`b ``
    """
    line = re.sub(r"\s*[\r\n]\s*", " ", str(text))
    inner = re.findall("`+", line)
    if not inner:
        return f"`{line}`"
    fence = "`" * (max(map(len, inner)) + 1)
    return f"{fence} {line} {fence}"


#: Symbols to the names of their commands in mathematics.
_SYMBOLS = {
    **dict(zip("αβγδεζηθκλμνξπρστφχψω", (
        "alpha beta gamma delta varepsilon zeta eta theta kappa lambda mu nu xi pi rho "
        "sigma tau varphi chi psi omega"
    ).split(), strict=True)),
    **dict(zip("ΓΔΘΛΞΠΣΦΨΩ", (
        "Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
    ).split(), strict=True)),
    **dict(zip("·×÷±∓∞≤≥≠≈≡∝√∂∇∈∉→←∑∏∫ℓ", (
        "cdot times div pm mp infty le ge ne approx equiv propto surd partial nabla in "
        "notin to gets sum prod int ell"
    ).split(), strict=True)),
    "ϵ": "epsilon",
    "ϕ": "phi",
}  # fmt: skip

LATEX = {
    **{c: rf"\{c}" for c in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "—": "---",
    "“": "``",
    "”": "''",
    "‘": "`",
    "’": "'",
    "…": r"\ldots{}",
    "\N{NO-BREAK SPACE}": "~",
    "°": r"$^\circ$",
    **{c: f"${c}$" for c in "<>|"},
    "−": "$-$",
    **{c: rf"$\{name}$" for c, name in _SYMBOLS.items()},
}

_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))


def escaped(text: str) -> str:
    """Text for LaTeX, in ASCII as far as its characters are known.

    >>> print(escaped("ε = 10⁻⁵, naïve"))
    $\\varepsilon$ = 10$^{-5}$, na\\"{i}ve
    """
    known = "".join(LATEX.get(c, c) for c in text)
    for sign, plain in (("^", _RAISED), ("_", _LOWERED)):
        script = lambda run, sign=sign, plain=plain: (
            f"${sign}{{{''.join(plain[c] for c in run[0])}}}$"
        )
        known = re.sub(f"[{''.join(plain)}]+", script, known)
    return "".join(c if c.isascii() else _accented(c) for c in known)


def _accented(c: str) -> str:
    """A letter and its accent, such as `é`; anything else as it is."""
    letter, *marks = unicodedata.normalize("NFD", c)
    if len(marks) != 1 or marks[0] not in _ACCENTS:
        return c
    return rf"\{_ACCENTS[marks[0]]}{{{letter}}}"


_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"',
            "\u030c": "v", "\u0327": "c"}  # fmt: skip


def latex(table: pd.DataFrame, caption: str, label: str) -> str:
    """A LaTeX table in booktabs style."""
    escape = lambda text: escaped(str(text))
    line = lambda cells: " & ".join(map(escape, cells)) + r" \\"
    body = [line(row) for row in table.to_numpy().tolist()]
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs}.",
            r"\begin{table}",
            rf"\caption{{{escape(caption)}}}",
            rf"\label{{{label}}}",
            rf"\begin{{tabular}}{{{'l' * len(table.columns)}}}",
            r"\toprule",
            line(table.columns),
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def _tasks(table: pd.DataFrame) -> dict:
    # A column that is the same in every row says nothing: the protocol names it.
    return {c: table[c] for c in TASK if table[c].nunique() > 1}


def _headed(label: str, unit: str) -> str:
    return f"{label}, {unit}" if unit else label


def _size(m: Metric, x: float) -> str:
    """The size of an effect; infinite where no effect of any size would be shown."""
    return "none" if np.isinf(x) else m.show(x)


def _effect(d: float) -> str:
    if np.isnan(d):
        return "–"
    return ("+∞" if d > 0 else "−∞") if np.isinf(d) else signed(d, 2)
