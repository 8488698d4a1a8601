"""How to read the tables of a report."""

import pandas as pd

from relujax.report import _text
from relujax.statistics import metric_of


def summary_caption(frame: pd.DataFrame, ended: pd.DataFrame) -> str:
    """How to read the table of all activations."""
    limits = ", ".join(f"{x:.3g}" for x in ended["loss_threshold"].unique()[:4])
    several = ended["loss_threshold"].nunique() > 4
    chosen = "best_epoch" in frame and frame["best_epoch"].notna().any()
    when = "the epoch chosen on the validation part" if chosen else "the last epoch"
    start = f"Mean over seeds [95 % confidence interval] at {when}."
    if _text.OTHER_TESTS in _text.summary_text(ended, frame):
        start += (
            " These intervals know of one test set; beside them, where the accuracy on "
            "other test sets of its size would lie (Wilson's 95 % interval)."
        )
    if ended["loss_threshold"].isna().all():
        return start
    return (
        f"{start} Dead units are the mean over hidden layers. Epochs to loss: median "
        "over seeds of the first epoch with a training loss of at most what the "
        f"baseline has after half of its epochs ({limits}{', …' if several else ''})."
    )


def comparisons_caption(
    frame: pd.DataFrame, metric: str, baseline: str, alpha: float
) -> str:
    """How to read the table of comparisons."""
    label = metric_of(metric, frame).label
    return (
        f"Differences in test {label} from {baseline}, paired by seed, "
        "with 95 % confidence intervals; d_z is the mean difference in standard "
        "deviations of the differences; better, equal and worse count seeds. p is "
        f"two-sided; an asterisk marks p ≤ {alpha:g} after Holm’s correction over this "
        "table, a dagger what is fragile (skewed differences, or fewer seeds than show "
        "rare failures). Smallest effect: what so many seeds would show with a chance "
        "of 80 %."
    )
