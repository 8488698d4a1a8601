"""The trainings by name: those that come with the library."""

from relujax.engine._slow_regression import slow_regression
from relujax.engine._training import TRAININGS as TRAININGS

TRAININGS.ship("slow_regression", slow_regression)
