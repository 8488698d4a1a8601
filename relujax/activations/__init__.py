"""Pure activation functions, the `Activation` spec and the registry."""

from relujax.activations import _catalogue as _catalogue
from relujax.activations._learnable import arelu as arelu
from relujax.activations._learnable import prelu as prelu
from relujax.activations._rectifiers import al_relu as al_relu
from relujax.activations._rectifiers import relu as relu
from relujax.activations._registry import get as get
from relujax.activations._registry import names as names
from relujax.activations._spec import Activation as Activation
from relujax.activations._spec import Signal as Signal
from relujax.activations._stochastic import n_relu as n_relu
from relujax.activations._stochastic import n_relu_mean as n_relu_mean
