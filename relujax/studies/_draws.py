"""Random samples of data as a source of chance beside the networks' seeds."""

import pandas as pd

from relujax import specs
from relujax.errors import InputError
from relujax.statistics import UNIT, parameter

_SEED = "data.seed"


def own_samples(frame: pd.DataFrame) -> pd.DataFrame:
    """The results in which each seed has a sample of data of its own.

    Where data were drawn with several seeds, as `synthetic(seed=0)` and `(seed=1)`, the
    networks of seed s on the sample of seed s are kept: sample, initial weights and
    noise differ between any two of them, so that seeds are independent in all that is
    left to chance, and tests paired by seed hold for new samples, too. Networks of
    several seeds on one sample, or of one seed on several, are not.

    Data that do not say how they were drawn stay as they are, and so do results on a
    single sample. The others lose `seed` from their names and become one task.

    Raises:
      InputError: a sample lacks the network of its seed.
    """
    drawn = parameter(frame, _SEED)
    if drawn.nunique() < 2:
        return frame
    matched = frame[drawn.isna() | (drawn == frame["seed"])]
    lacking = sorted({*drawn.dropna()} - {*matched["seed"]})
    if lacking:
        raise InputError(
            f"Expected networks of seed {lacking[0]:g} on the sample of that seed, got "
            f"none: run as many seeds as there are samples."
        )
    names = {spec: _without_seed(spec) for spec in matched["data"].unique()}
    matched = matched.assign(data=matched["data"].map(names))
    # A task is one cell, whichever sample a seed has.
    cell = matched.groupby(UNIT, sort=False)["cell"].transform("first")
    return matched.assign(cell=cell)


def _without_seed(spec: str) -> str:
    try:
        name, values = specs.parse(spec)
    except InputError:
        return spec  # A user's own arrays, under any name.
    return specs.unparse(name, {k: v for k, v in values.items() if k != "seed"})
