"""How often the statistics are wrong, where the truth is known: one table, one command.

    python -m relujax.statistics.simulate docs/statistics-simulation.md

Families of thirty claims are drawn in which nothing is true of any mean (or of any
median), from differences of several kinds and for several numbers of seeds, and
judged as a ledger is. The draws are seeded: the table is the same on every machine of
a kind.
"""

import argparse
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from relujax.statistics._decide import Decisions, decide, why_fragile
from relujax.statistics._estimates import mean_band
from relujax.statistics._median import sign_tails, skewed
from relujax.statistics._paired import tails
from relujax.statistics._stepdown import step_down
from relujax.statistics._stopping import stopping_levels

CLAIMS, ALPHA = 30, 0.05
SEEDS = (3, 5, 10, 20, 50, 100)
FAMILIES = 500

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

# A test set of 114 examples, and one where eight seeds in ten are equal.
SIZE, RATE = 114, 0.97


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal differences."""
    return rng.normal(size=shape)


def lattice(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Accuracies on 114 examples whose difficulty varies from seed to seed."""
    rate = np.clip(rng.normal(RATE, 0.005, shape), 0, 1)
    return (rng.binomial(SIZE, rate) - rng.binomial(SIZE, rate)) / 2.0


def ties(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Eight seeds in ten show no difference, the others one step."""
    return rng.choice([-1.0, 0.0, 1.0], shape, p=[0.1, 0.8, 0.1])


def lognormal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Skewed: lognormal with sigma 1, skewness 6."""
    return np.exp(rng.normal(size=shape)) - np.exp(0.5)


def heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Heavy tails: Student's t with two degrees of freedom."""
    return rng.standard_t(2, shape)


def failing(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of one group, 7 % of the networks fail, by ten standard deviations."""
    return rng.normal(size=shape) + 10 * (0.07 - (rng.random(shape) < 0.07))


def dying(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of one group, 7 % of the networks fail, by fifty standard deviations."""
    return rng.normal(size=shape) + 50 * (0.07 - (rng.random(shape) < 0.07))


#: Kinds of differences, all of mean 0, with their medians.
KINDS: Mapping[str, tuple[Draw, float]] = {
    "normal": (normal, 0.0),
    "lattice": (lattice, 0.0),
    "mostly ties": (ties, 0.0),
    "skewed (lognormal)": (lognormal, 1 - np.exp(0.5)),
    "heavy tails (t, 2 df)": (heavy, 0.0),
    # The median of a mixture whose other part lies far below: a normal quantile.
    "7 % fail by 10 sd": (failing, 0.7 - 0.0945),
    "7 % fail by 50 sd": (dying, 3.5 - 0.0945),
}

# Half the width of the margin of an equivalence claim, in standard deviations.
MARGIN = 5.0


def family_errors(
    kind: str, n: int, families: int = FAMILIES, claims: int = CLAIMS
) -> dict[str, float]:
    """How often a family of claims holds a false verdict.

    Returns:
      Shares of families: with any verdict on a mean though every mean difference is 0
      (`mean`), with one that is not called fragile (`firm`), and with a verdict on a
      median though every median difference is 0 (`median`); the same for claims of
      equivalence whose truth is the end of the margin (`_margin`). And `coverage`: how
      many 95 % intervals hold the mean.
    """
    draw, median = KINDS[kind]
    rng = np.random.default_rng([list(KINDS).index(kind), n, claims])
    d = draw(rng, (families, claims, n))
    row = _rates(_better(d), _signed(d - median), d)
    bounded = _equivalent(d + MARGIN, tails)
    of_margin = _rates(bounded, _equivalent(d - median + MARGIN, sign_tails), d)
    some = d.reshape(-1, n)[:1000].T
    low, high = mean_band(some, resamples=1999)
    tie = 1e-9 * np.abs(some).max()
    row["coverage"] = float(((low <= tie) & (high >= -tie)).mean())
    return row | {f"{name}_margin": value for name, value in of_margin.items()}


def _better(d: np.ndarray) -> Decisions:
    """The decisions on "this difference is positive"."""
    return decide(tails(d), sign_tails(d), ALPHA)


def _signed(d: np.ndarray) -> Decisions:
    """The same about the median."""
    return decide(sign_tails(d), sign_tails(d), ALPHA)


Tails = Callable[[np.ndarray], np.ndarray]


def _equivalent(d: np.ndarray, p: Tails) -> Decisions:
    """The decisions on "this difference is within the margin"."""
    above, below = p(d - MARGIN), p(d + MARGIN)
    holds = np.maximum(below[..., 0], above[..., 1])
    fails = np.minimum(1.0, 2 * np.minimum(above[..., 0], below[..., 1]))
    both = np.stack([holds, fails], axis=-1)
    return decide(both, both, ALPHA)


def _rates(means: Decisions, medians: Decisions, d: np.ndarray) -> dict[str, float]:
    decided = means.side != 0
    any_of = lambda found: float(found.any(axis=1).mean())
    return {
        "mean": any_of(decided),
        "firm": any_of(decided & ~_fragile(d)),
        "median": any_of(medians.side != 0),
    }


def _fragile(d: np.ndarray) -> np.ndarray:
    """Which verdicts on means would be called fragile, `[families, claims]`."""
    too_few = bool(why_fragile(False, d.shape[-1], d.shape[-2], ALPHA))
    return skewed(d) | too_few


def power(n: int, effect: float, claims: int, draws: int) -> tuple[float, float]:
    """How often a true normal difference is found: by its mean, and by its median.

    Args:
      n: the number of seeds.
      effect: the mean difference in standard deviations.
      claims: how many claims are corrected together; nothing else is true.
      draws: how often it is tried.
    """
    d = np.random.default_rng([n, int(100 * effect)]).normal(effect, 1, (draws, n))
    among = np.full((draws, claims, 2), 0.5)
    mean, sign = among.copy(), among.copy()
    mean[:, 0], sign[:, 0] = tails(d), sign_tails(d)
    found = decide(mean, sign, ALPHA)
    by_mean, by_median = found.side[:, 0] == 1, found.side_median[:, 0] == 1
    return float(by_mean.mean()), float(by_median.mean())


def looking_early(claims: int, studies: int) -> dict[str, float]:
    """How often a study of true nulls decides any claim at 5, 10 or 20 seeds."""
    looks = (5, 10, 20)
    d = np.random.default_rng(claims).normal(size=(studies, claims, looks[-1]))
    at = [_better_p(d[..., :n]) for n in looks]
    plans = {
        "the last look only": np.array([0.0, 0.0, ALPHA]),
        "each look at 5 %": np.full(3, ALPHA),
        "O'Brien and Fleming": stopping_levels(looks, claims=claims),
        "Pocock": stopping_levels(looks, rule="pocock", claims=claims),
    }
    return {
        name: float(np.any([p <= a for p, a in zip(at, levels, strict=True)], 0).mean())
        for name, levels in plans.items()
    }


def _better_p(d: np.ndarray) -> np.ndarray:
    return _better(d).p.min(axis=-1)


def sharing_seeds(kind: str, n: int, families: int) -> dict[str, float]:
    """Thirty claims against one baseline, by Holm and by `step_down`.

    Returns:
      Shares of families with a false verdict (`holm`, `step`), and of claims that are
      found where all say nearly the same and are true, by one standard deviation
      (`holm_found`, `step_found`).
    """
    draw, _ = KINDS[kind]
    rng = np.random.default_rng([list(KINDS).index(kind), n, 1])
    shared = (draw(rng, (families, CLAIMS, n)) + draw(rng, (families, 1, n))) / 2**0.5
    false = [step_down(x.T).min() <= ALPHA for x in shared]
    one, own = draw(rng, (families, 1, n)), draw(rng, (families, CLAIMS, n))
    alike = 1 + 0.97 * one + 0.24 * own
    found = [(step_down(x.T) <= ALPHA).mean() for x in alike]
    return {
        "holm": float((_better_p(shared) <= ALPHA).mean()),
        "step": float(np.mean(false)),
        "holm_found": float((_better(alike).side == 1).mean()),
        "step_found": float(np.mean(found)),
    }


def report(families: int = FAMILIES, workers: int = 2) -> str:
    """The tables as Markdown.

    Args:
      families: how many families of thirty claims are drawn per case.
      workers: processes.
    """
    many = [(kind, n, families, CLAIMS) for kind in KINDS for n in SEEDS]
    single = [(kind, 50, 4 * families, 1) for kind in KINDS]
    cases = [*many, *single]
    shared = [
        (kind, n, max(2, families // 5))
        for kind in ("normal", "skewed (lognormal)")
        for n in (5, 10, 20)
    ]
    # Forked, a process that has used JAX may stand still.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        errors = pool.map(family_errors, *zip(*cases, strict=True))
        steps = pool.map(sharing_seeds, *zip(*shared, strict=True))
        errors = [
            _error_row(case, found) for case, found in zip(cases, errors, strict=True)
        ]
        steps = [
            _step_row(case, found) for case, found in zip(shared, steps, strict=True)
        ]
    return TEXT.format(
        families=families,
        error=round(100 * np.sqrt(ALPHA * (1 - ALPHA) / families), 1),
        errors=_table(errors[: len(many)]),
        single=_table(errors[len(many) :]),
        power=_table(_power_rows(4 * families)),
        looks=_table(_look_rows(4 * families)),
        steps=_table(steps),
    )


def _error_row(case: tuple, found: Mapping[str, float]) -> dict:
    kind, n, *_ = case
    names = {"mean": "mean", "firm": "mean, not fragile", "median": "median"}
    columns = {
        f"{label}{end}": _percent(found[f"{name}{column}"])
        for end, column in (("", ""), (" (margin)", "_margin"))
        for name, label in names.items()
    }
    covered = {"intervals that hold the mean": _percent(found["coverage"])}
    return {"differences": kind, "seeds": n} | columns | covered


def _step_row(case: tuple, found: Mapping[str, float]) -> dict:
    kind, n, *_ = case
    names = {
        "holm": "false, Holm",
        "step": "false, step-down",
        "holm_found": "found, Holm",
        "step_found": "found, step-down",
    }
    columns = {label: _percent(found[name]) for name, label in names.items()}
    return {"differences": kind, "seeds": n} | columns


def _power_rows(draws: int) -> list[dict]:
    rows = []
    for claims in (1, CLAIMS):
        for n in SEEDS:
            row: dict = {"claims": claims, "seeds": n}
            for effect in (0.5, 1.0, 1.5, 2.0):
                both = map(_percent, power(n, effect, claims, draws))
                row[f"{effect:g} sd: mean, median"] = ", ".join(both)
            rows.append(row)
    return rows


def _look_rows(studies: int) -> list[dict]:
    alone, many = looking_early(1, studies), looking_early(CLAIMS, studies // 4)
    return [
        {
            "looks at 5, 10 and 20 seeds": name,
            "one claim": _percent(alone[name]),
            f"{CLAIMS} claims": _percent(many[name]),
        }
        for name in alone
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _table(rows) -> str:
    table = pd.DataFrame(rows).astype(str)
    lines = [list(table), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


TEXT = """\
# How often the verdicts are wrong

Made by `python -m relujax.statistics.simulate docs/statistics-simulation.md`; the
code that judges here is the code that judges a ledger. All numbers are per cent. Each
share of {families} families has a standard error of about {error}.

## Families of thirty claims of which none is true

"Mean": the share of families with any verdict on a mean, though every true mean
difference is 0 (the tests: paired t below twenty seeds, sign flips from there; Holm).
"Not fragile": the share with one that is not called fragile. "Median": the share with
a verdict of the sign test, though every true median difference is 0. "Margin": the
same for claims of equivalence, where the true difference is the end of the margin.
The promise is 5 for the second and the third.

{errors}

Verdicts on means keep the promise for normal differences, on a lattice, and with
heavy tails. Of skewed differences, and where some networks of one group fail, they do
not, and no test could: where one network in fifteen fails, half of all samples of ten
seeds have no failure, look normal, and lie above the true mean. Of the cases above at
twenty seeds, a correction for skewness (Johnson's, bootstrap-t) together with the
consent of a sign test leaves 13 to 100 per cent of families with a false verdict. So
a verdict on a mean is called **fragile** where the differences are visibly skewed
(beyond 1.96 standard errors of normal skewness), or the seeds so few that a failure
of one network in fifteen need not show: fewer than 44 for one claim, 93 for thirty.
Rarer failures may hide even then. The sign test says of every claim what is known
whatever the distribution, about the median seed; it needs 6 seeds for one claim, 11
for thirty.

Intervals are for the mean, each for itself; of skewed differences they hold it less
often than the 95 per cent that they state.

### One claim alone, fifty seeds

{single}

## What is found

The share of true normal differences, of so many standard deviations, that are found:
by the test of the mean, and by the sign test. The tests of means are those that
judged before verdicts could be fragile: none is found less often than it was.

{power}

## Looking before all seeds are there

The share of studies of normal differences, none of them real, that decide a claim at
five, ten or twenty seeds. `stopping_levels` gives the levels of the last two rows.

{looks}

## Claims that share seeds

Thirty claims against one baseline. "False": the share of families with a false
verdict. "Found": the share of claims that are found where all say nearly the same
(correlation 0.94) and are true by one standard deviation. `step_down` finds more from
ten seeds on and nothing with five, and no more than Holm does it hold for skewed
differences. `judge` therefore corrects by Holm's method;
`compare(correction="step-down")` is there for pairs.

{steps}
"""


def main() -> None:
    """Write the tables to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, nargs="?", help="default: print it")
    parser.add_argument("--families", type=int, default=FAMILIES)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    text = report(args.families, args.workers)
    if args.path is None:
        print(text)
    else:
        args.path.parent.mkdir(parents=True, exist_ok=True)
        args.path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
