"""Dead units in any JAX function: find, capture, diagnose, replace, cure."""

from relujax.diagnosis._capture import Captured as Captured
from relujax.diagnosis._capture import capture as capture
from relujax.diagnosis._diagnose import diagnose as diagnose
from relujax.diagnosis._diagnosis import Diagnosis as Diagnosis
from relujax.diagnosis._find import find_activations as find_activations
from relujax.diagnosis._jaxpr.plan import Site as Site
from relujax.diagnosis._models import Forward as Forward
from relujax.diagnosis._models import program as program
from relujax.diagnosis._monitor import Monitor as Monitor
from relujax.diagnosis._prospects import Prospect as Prospect
from relujax.diagnosis._remedies import Link as Link
from relujax.diagnosis._remedies import rai as rai
from relujax.diagnosis._remedies import recycle as recycle
from relujax.diagnosis._replace import Replaced as Replaced
from relujax.diagnosis._replace import replace_activations as replace_activations
from relujax.diagnosis._statistics import Statistics as Statistics
from relujax.diagnosis._statistics import effective_rank as effective_rank
from relujax.diagnosis._statistics import stable_rank as stable_rank
