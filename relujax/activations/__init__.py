r"""Pure activation functions, the `Activation` spec and the registry.

Every function takes `x` of any shape `[...]` and any floating dtype and returns an
array of the same shape and dtype (`crelu` doubles one axis); parameters are cast to the
dtype of `x` and broadcast against it, so they may be arrays or traced values. NaN gives
NaN; no finite input gives a NaN derivative. Where XLA flushes subnormals to zero, as it
does on CPU, a subnormal input counts as 0, on the kink.
"""

from relujax.activations import _catalogue as _catalogue
from relujax.activations._exponential import celu as celu
from relujax.activations._exponential import elu as elu
from relujax.activations._exponential import selu as selu
from relujax.activations._exponential import srelu as srelu
from relujax.activations._gain import gain as gain
from relujax.activations._gain import recommended_init as recommended_init
from relujax.activations._learnable import adaptive_tanh as adaptive_tanh
from relujax.activations._learnable import arelu as arelu
from relujax.activations._learnable import arelu_attention as arelu_attention
from relujax.activations._learnable import prelu as prelu
from relujax.activations._learnable import srelu_sshaped as srelu_sshaped
from relujax.activations._properties import Properties as Properties
from relujax.activations._properties import properties as properties
from relujax.activations._rectifiers import al_relu as al_relu
from relujax.activations._rectifiers import crelu as crelu
from relujax.activations._rectifiers import leaky_relu as leaky_relu
from relujax.activations._rectifiers import m_q_relu as m_q_relu
from relujax.activations._rectifiers import q_relu as q_relu
from relujax.activations._rectifiers import relu as relu
from relujax.activations._rectifiers import relu6 as relu6
from relujax.activations._rectifiers import squared_relu as squared_relu
from relujax.activations._rectifiers import star_relu as star_relu
from relujax.activations._registry import get as get
from relujax.activations._registry import names as names
from relujax.activations._smooth import gelu as gelu
from relujax.activations._smooth import mish as mish
from relujax.activations._smooth import msaf as msaf
from relujax.activations._smooth import sigmoid as sigmoid
from relujax.activations._smooth import silu as silu
from relujax.activations._smooth import softplus as softplus
from relujax.activations._smooth import sym_msaf as sym_msaf
from relujax.activations._smooth import tanh as tanh
from relujax.activations._spec import Activation as Activation
from relujax.activations._spec import Signal as Signal
from relujax.activations._stochastic import n_relu as n_relu
from relujax.activations._stochastic import n_relu_mean as n_relu_mean
from relujax.activations._stochastic import noisy_relu as noisy_relu
from relujax.activations._stochastic import noisy_relu_mean as noisy_relu_mean
from relujax.activations._stochastic import rrelu as rrelu
from relujax.activations._stochastic import rrelu_mean as rrelu_mean
from relujax.activations._surrogate import sugar_relu as sugar_relu
