"""Statistics paired by seed, tables, and verdicts on claims.

The functions take the long-form results table: one row per cell, seed, epoch and split.
"""

from relujax.analysis._claims import best as best
from relujax.analysis._claims import better as better
from relujax.analysis._claims import equivalent as equivalent
from relujax.analysis._claims import every as every
from relujax.analysis._claims import no_worse as no_worse
from relujax.analysis._claims import observed as observed
from relujax.analysis._claims import positive as positive
from relujax.analysis._claims import reaches as reaches
from relujax.analysis._claims import settled as settled
from relujax.analysis._estimates import Estimate as Estimate
from relujax.analysis._estimates import iqm as iqm
from relujax.analysis._estimates import mean_band as mean_band
from relujax.analysis._estimates import mean_interval as mean_interval
from relujax.analysis._paired import effect_size as effect_size
from relujax.analysis._paired import equivalence_test as equivalence_test
from relujax.analysis._paired import holm as holm
from relujax.analysis._paired import paired_test as paired_test
from relujax.analysis._results import METRICS as METRICS
from relujax.analysis._results import Metric as Metric
from relujax.analysis._results import by_kind as by_kind
from relujax.analysis._results import metric_of as metric_of
from relujax.analysis._results import primary_metric as primary_metric
from relujax.analysis._results import scores as scores
from relujax.analysis._splits import best_over_splits as best_over_splits
from relujax.analysis._splits import pool_splits as pool_splits
from relujax.analysis._tables import conclusion as conclusion
from relujax.analysis._tables import epochs_to_loss as epochs_to_loss
from relujax.analysis._tables import paired_comparisons as paired_comparisons
from relujax.analysis._tables import summary as summary
from relujax.analysis._verdicts import Judgement as Judgement
from relujax.analysis._verdicts import judge as judge
