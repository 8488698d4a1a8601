from .activations import Activation as Activation
from .activations import Signal as Signal
from .activations import al_relu as al_relu
from .activations import arelu as arelu
from .activations import get as get
from .activations import n_relu as n_relu
from .activations import n_relu_mean as n_relu_mean
from .activations import names as names
from .activations import prelu as prelu
from .activations import relu as relu
from .errors import InputError as InputError
from .instruments import Captured as Captured
from .instruments import Diagnosis as Diagnosis
from .instruments import Link as Link
from .instruments import Monitor as Monitor
from .instruments import Replaced as Replaced
from .instruments import Site as Site
from .instruments import capture as capture
from .instruments import diagnose as diagnose
from .instruments import find_activations as find_activations
from .instruments import rai as rai
from .instruments import recycle as recycle
from .instruments import replace_activations as replace_activations

__version__: str
