r"""Pure activation functions, the `Activation` spec and the registry.

Every function takes `x` of any shape `[...]` and any floating dtype and returns an
array of the same shape and dtype (`crelu` doubles one axis, gated units such as `glu`
halve the last one); parameters are cast to the dtype of `x` and broadcast against it,
so they may be arrays or traced values. NaN gives NaN; no finite input gives a NaN
derivative. Where XLA flushes subnormals to zero, as it does on CPU, a subnormal input
counts as 0, on the kink.
"""

from relujax.activations import _catalogue as _catalogue
from relujax.activations._definition import Definition as Definition
from relujax.activations._exponential import *  # noqa: F403
from relujax.activations._features import *  # noqa: F403
from relujax.activations._gain import gain as gain
from relujax.activations._gain import recommended_init as recommended_init
from relujax.activations._hard import *  # noqa: F403
from relujax.activations._learnable import *  # noqa: F403
from relujax.activations._properties import Properties as Properties
from relujax.activations._properties import properties as properties
from relujax.activations._rectifiers import *  # noqa: F403
from relujax.activations._registry import REGISTRY as REGISTRY
from relujax.activations._registry import Activations as Activations
from relujax.activations._registry import get as get
from relujax.activations._registry import names as names
from relujax.activations._show import facts as facts
from relujax.activations._show import number as number
from relujax.activations._show import parameters as parameters
from relujax.activations._smooth import *  # noqa: F403
from relujax.activations._spec import Activation as Activation
from relujax.activations._spec import Params as Params
from relujax.activations._spec import Signal as Signal
from relujax.activations._stochastic import *  # noqa: F403
from relujax.activations._surrogate import *  # noqa: F403
from relujax.activations._union import Union as Union
from relujax.activations._union import union as union
