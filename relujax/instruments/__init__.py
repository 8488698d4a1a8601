"""Dead units in any JAX function: find, capture, diagnose, replace, cure."""

from relujax.instruments._capture import Captured as Captured
from relujax.instruments._capture import capture as capture
from relujax.instruments._diagnose import diagnose as diagnose
from relujax.instruments._diagnosis import Diagnosis as Diagnosis
from relujax.instruments._monitor import Monitor as Monitor
from relujax.instruments._remedies import Link as Link
from relujax.instruments._remedies import rai as rai
from relujax.instruments._remedies import recycle as recycle
from relujax.instruments._replace import Replaced as Replaced
from relujax.instruments._replace import replace_activations as replace_activations
from relujax.instruments._sites import Site as Site
from relujax.instruments._sites import find_activations as find_activations
from relujax.instruments._statistics import Statistics as Statistics
from relujax.instruments._statistics import effective_rank as effective_rank
from relujax.instruments._statistics import stable_rank as stable_rank
