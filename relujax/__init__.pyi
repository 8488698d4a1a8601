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
from .data import dataset_info as dataset_info
from .data import list_datasets as list_datasets
from .data import load_dataset as load_dataset
from .data import prepare_dataset as prepare_dataset
from .errors import InputError as InputError

__version__: str
