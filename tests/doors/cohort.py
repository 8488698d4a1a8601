"""A table as users have it: string labels, categories, holes."""

from pathlib import Path

import numpy as np
import pandas as pd


def write(path: Path, n: int = 240) -> None:
    """Write the table: 3 numeric columns, one of them with holes, and a category."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(n, 3))
    site = draw.choice(["north", "south"], n)
    risk = x[:, 0] - x[:, 1] * x[:, 2] + (site == "north")
    outcome = np.where(risk + 0.3 * draw.normal(size=n) > 0.4, "ill", "healthy")
    frame = pd.DataFrame(x.round(4), columns=["age", "dose", "marker"])
    frame.loc[draw.choice(n, 12, replace=False), "marker"] = np.nan
    frame.assign(site=site, outcome=outcome).to_csv(path, index=False)
