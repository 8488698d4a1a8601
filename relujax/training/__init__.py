"""One run: pure functions to initialise, step and evaluate, and what they need."""

from relujax.extras import needs

needs("relujax.training", "flax", "optax")

from relujax.training._epoch import NEVER as NEVER
from relujax.training._epoch import EpochLosses as EpochLosses
from relujax.training._epoch import train_epoch as train_epoch
from relujax.training._fates import Fates as Fates
from relujax.training._fates import alive as alive
from relujax.training._fates import follow as follow
from relujax.training._losses import OBJECTIVES as OBJECTIVES
from relujax.training._metrics import METRICS as METRICS
from relujax.training._metrics import SplitMetric as SplitMetric
from relujax.training._metrics import make_metric as make_metric
from relujax.training._objectives import Objective as Objective
from relujax.training._objectives import Purpose as Purpose
from relujax.training._objectives import (
    classification_metrics as classification_metrics,
)
from relujax.training._objectives import confusion_matrix as confusion_matrix
from relujax.training._objectives import make_objective as make_objective
from relujax.training._objectives import objective as objective
from relujax.training._objectives import purpose_of as purpose_of
from relujax.training._optimizers import OPTIMIZERS as OPTIMIZERS
from relujax.training._optimizers import OPTIONS as OPTIONS
from relujax.training._optimizers import make_optimizer as make_optimizer
from relujax.training._optimizers import traceable as traceable
from relujax.training._run import Batch as Batch
from relujax.training._run import Run as Run
from relujax.training._run import Split as Split
from relujax.training._run import TrainState as TrainState
from relujax.training._run import examples_at_once as examples_at_once
from relujax.training._run import feed as feed
from relujax.training._run import make_run as make_run
from relujax.training._streams import Streams as Streams
from relujax.training._streams import streams as streams
