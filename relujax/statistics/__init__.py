"""Statistics paired by seed, for any table: tests, intervals, power, comparisons.

`compare` takes any table with a column for the group, the unit and the value. Others
take the long-form results table: one row per cell, seed, epoch and split.
"""

from relujax.extras import needs

needs("relujax.statistics", "pandas")

from relujax.statistics._compare import compare as compare
from relujax.statistics._compare import required_seeds as required_seeds
from relujax.statistics._decide import RARE as RARE
from relujax.statistics._decide import Decisions as Decisions
from relujax.statistics._decide import decide as decide
from relujax.statistics._decide import on_median as on_median
from relujax.statistics._decide import seeds_for_means as seeds_for_means
from relujax.statistics._decide import two_sided as two_sided
from relujax.statistics._decide import why_fragile as why_fragile
from relujax.statistics._estimates import Estimate as Estimate
from relujax.statistics._estimates import accuracy_interval as accuracy_interval
from relujax.statistics._estimates import iqm as iqm
from relujax.statistics._estimates import mean_band as mean_band
from relujax.statistics._estimates import mean_interval as mean_interval
from relujax.statistics._median import median_interval as median_interval
from relujax.statistics._median import seeds_for_signs as seeds_for_signs
from relujax.statistics._median import sign_tails as sign_tails
from relujax.statistics._median import sign_test as sign_test
from relujax.statistics._median import skewed as skewed
from relujax.statistics._metrics import METRICS as METRICS
from relujax.statistics._metrics import Metric as Metric
from relujax.statistics._metrics import add_metric as add_metric
from relujax.statistics._metrics import metric_name as metric_name
from relujax.statistics._metrics import metric_of as metric_of
from relujax.statistics._metrics import signed as signed
from relujax.statistics._paired import TIE as TIE
from relujax.statistics._paired import effect_size as effect_size
from relujax.statistics._paired import equivalence_test as equivalence_test
from relujax.statistics._paired import holm as holm
from relujax.statistics._paired import least_p as least_p
from relujax.statistics._paired import paired_test as paired_test
from relujax.statistics._paired import tails as tails
from relujax.statistics._power import seeds_for as seeds_for
from relujax.statistics._power import smallest_effect as smallest_effect
from relujax.statistics._power import smallest_median as smallest_median
from relujax.statistics._power import standard_error as standard_error
from relujax.statistics._results import TASK as TASK
from relujax.statistics._results import UNIT as UNIT
from relujax.statistics._results import by_kind as by_kind
from relujax.statistics._results import differences as differences
from relujax.statistics._results import diverged as diverged
from relujax.statistics._results import end_of_training as end_of_training
from relujax.statistics._results import final as final
from relujax.statistics._results import gap_metric as gap_metric
from relujax.statistics._results import improvements as improvements
from relujax.statistics._results import is_regression as is_regression
from relujax.statistics._results import know_metrics as know_metrics
from relujax.statistics._results import only as only
from relujax.statistics._results import own_metrics as own_metrics
from relujax.statistics._results import paired_table as paired_table
from relujax.statistics._results import primary_metric as primary_metric
from relujax.statistics._results import scores as scores
from relujax.statistics._results import short_labels as short_labels
from relujax.statistics._results import task_label as task_label
from relujax.statistics._results import tasks as tasks
from relujax.statistics._select import Where as Where
from relujax.statistics._select import parameter as parameter
from relujax.statistics._select import resolve as resolve
from relujax.statistics._select import select as select
from relujax.statistics._stepdown import step_down as step_down
from relujax.statistics._stopping import stopping_levels as stopping_levels
from relujax.statistics._tables import conclusion as conclusion
from relujax.statistics._tables import epochs_to_loss as epochs_to_loss
from relujax.statistics._tables import paired_comparisons as paired_comparisons
from relujax.statistics._tables import summary as summary
