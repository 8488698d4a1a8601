"""Dead units in any JAX function: find, capture, diagnose, replace, cure."""

from relujax.instruments._capture import Captured as Captured
from relujax.instruments._capture import capture as capture
from relujax.instruments._replace import Replaced as Replaced
from relujax.instruments._replace import replace_activations as replace_activations
from relujax.instruments._sites import Site as Site
from relujax.instruments._sites import find_activations as find_activations
