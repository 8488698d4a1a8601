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
from .data import Dataset as Dataset
from .data import load_dataset as load_dataset
from .engine import Cell as Cell
from .errors import InputError as InputError
from .study import Choice as Choice
from .study import Claim as Claim
from .study import Evidence as Evidence
from .study import Paper as Paper
from .study import Study as Study

__version__: str
