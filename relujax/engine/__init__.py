"""Many runs: populations of seeds in compiled programs, stored and resumed."""

from relujax.engine._cell import Cell as Cell
from relujax.engine._plan import Plan as Plan
from relujax.engine._population import Member as Member
from relujax.engine._population import train_population as train_population
from relujax.engine._sweep import Failure as Failure
from relujax.engine._sweep import Task as Task
from relujax.engine._sweep import collect as collect
from relujax.engine._sweep import history as history
from relujax.engine._sweep import plan_tasks as plan_tasks
from relujax.engine._sweep import run_tasks as run_tasks
