"""Many runs: populations of seeds in compiled programs, stored and resumed."""

from relujax.engine._auto import Choice as Choice
from relujax.engine._auto import candidates as candidates
from relujax.engine._auto import choose as choose
from relujax.engine._cell import Cell as Cell
from relujax.engine._measure import gemm_peak as gemm_peak
from relujax.engine._measure import seconds_per_step as seconds_per_step
from relujax.engine._own import OwnCell as OwnCell
from relujax.engine._plan import Plan as Plan
from relujax.engine._plan import auto as auto
from relujax.engine._population import Member as Member
from relujax.engine._population import train_population as train_population
from relujax.engine._provenance import provenance as provenance
from relujax.engine._surgery import look_at as look_at
from relujax.engine._surgery import name_of as name_of
from relujax.engine._surgery import own_model as own_model
from relujax.engine._surgery import replaced as replaced
from relujax.engine._surgery import watched as watched
from relujax.engine._sweep import Failure as Failure
from relujax.engine._sweep import Task as Task
from relujax.engine._sweep import collect as collect
from relujax.engine._sweep import history as history
from relujax.engine._sweep import origin as origin
from relujax.engine._sweep import plan_tasks as plan_tasks
from relujax.engine._sweep import run_tasks as run_tasks
