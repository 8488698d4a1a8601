"""Remedies: recycle dead units, and start with fewer of them."""

import math
import zlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike, DTypeLike

from relujax.errors import InputError, unknown

Initializer = Callable[..., jax.Array]


class Link(NamedTuple):
    """The parameters around the units of one activation, as paths in the tree.

    A path is the names of the keys or attributes: `"params/Dense_0/kernel"`.

    Attributes:
      incoming: the weights into the units.
      outgoing: the weights out of them, or None. Its input axis may be a multiple of
        the units, as behind a flattened convolution (channels last).
      bias: the biases of the units, or None.
      unit_axis: the axis of the units in `incoming` (Flax: -1, Equinox: 0), or their
        axes, as in a diagnosis: `(0, -1)` of a Flax ensemble.
      outgoing_axis: their axis in `outgoing` (Flax: -2, Equinox: 1), or their axes:
        `(0, -2)`.
    """

    incoming: str
    outgoing: str | None = None
    bias: str | None = None
    unit_axis: int | tuple[int, ...] = -1
    outgoing_axis: int | tuple[int, ...] = -2


def recycle(
    key: ArrayLike,
    params: Any,
    dead: Mapping[str, ArrayLike],
    links: Mapping[str, Link],
    *,
    opt_state: Any = None,
    initializer: Initializer | None = None,
) -> tuple[Any, Any]:
    """ReDo: give dead units new incoming weights and no say in the output yet.

    Incoming weights are drawn anew, biases and outgoing weights become 0, and the
    optimiser's moments of all of these become 0. A weight between two dead units is
    drawn anew. A pure function: it works under `jit` and `vmap`.

    The output of the network does not jump where the units gave nothing but zeros
    (ReLUs that never fire, `dormant_0`). What others contributed is lost: those that
    are dormant at a larger tau, or whose activation is not 0 where it is flat
    (sigmoid, ELU).

    Args:
      key: typed key; the weights of a site depend on it and on the site's id.
      params: any pytree of parameters.
      dead: site id to booleans, shape `[units]`: `diagnosis.mask("dormant_0.025")`.
      links: site id to the parameters around it; other sites are left alone.
      opt_state: an optimiser's state; what it keeps for each parameter (Adam's `mu`
        and `nu`) is reset, also under `optax.masked` and `optax.multi_transform`, all
        else (its count) stays.
      initializer: how new weights are drawn, `initializer(key, shape, dtype)`; Glorot
        uniform by default, as in the authors' code.

    Returns:
      New `params` and new `opt_state`.

    Raises:
      InputError: a site or path is unknown, the shapes do not fit, or the optimiser
        keeps numbers of several units together (Adafactor).

    Examples:
      >>> params = {"up": jnp.zeros((3, 2)), "down": jnp.ones((2, 1))}
      >>> links = {"relu_0": Link("up", "down")}
      >>> dead = {"relu_0": jnp.array([True, False])}
      >>> new, _ = recycle(jax.random.key(0), params, dead, links)
      >>> (new["up"] != 0).all(0), new["down"][:, 0]
      (Array([ True, False], dtype=bool), Array([0., 1.], dtype=float32))

    References:
      Sokar, Agarwal, Castro and Evci, `The Dormant Neuron Phenomenon in Deep
      Reinforcement Learning <https://arxiv.org/abs/2302.12902>`_, 2023, algorithm 1.
    """
    with jax.transfer_guard("allow"):
        return _recycled(key, params, dead, links, opt_state, initializer)


def _recycled(
    key: ArrayLike,
    params: Any,
    dead: Mapping[str, ArrayLike],
    links: Mapping[str, Link],
    opt_state: Any,
    initializer: Initializer | None,
) -> tuple[Any, Any]:
    initializer = initializer or jax.nn.initializers.glorot_uniform()
    flat, structure = jax.tree_util.tree_flatten_with_path(params)
    paths = [jax.tree_util.keystr(p, simple=True, separator="/") for p, _ in flat]
    leaves = dict(zip(paths, (jnp.asarray(leaf) for _, leaf in flat), strict=True))
    touched = {path: jnp.zeros(leaf.shape, bool) for path, leaf in leaves.items()}

    def write(path: str, id: str, axes: int | tuple[int, ...], value: Any) -> None:
        """Set what belongs to the dead units of a site along their axes."""
        if path not in leaves:
            raise unknown("parameter", path, leaves)
        wide = _wide(masks[id], leaves[path].shape, axes, path == links[id].outgoing)
        if wide is None:
            raise InputError(
                f"Expected {masks[id].size} units along {_in_words(axes)} of {path!r}, "
                f"got its shape {leaves[path].shape}."
            )
        touched[path] |= wide
        leaves[path] = jnp.where(wide, value, leaves[path])

    masks = {id: _mask(dead, id) for id in links}
    # Outgoing weights first, of all sites: those of one layer are the incoming weights
    # of the next, and would wipe out what was drawn for it.
    for id, link in links.items():
        if link.outgoing is not None:
            write(link.outgoing, id, link.outgoing_axis, 0)
    for id, link in links.items():
        if link.incoming not in leaves:
            raise unknown("parameter", link.incoming, leaves)
        old = leaves[link.incoming]
        drawn = jax.random.fold_in(key, zlib.crc32(id.encode()))
        new = _drawn(initializer, drawn, old, _axes(link.unit_axis))
        write(link.incoming, id, link.unit_axis, new)
        if link.bias is not None:
            write(link.bias, id, tuple(range(len(_axes(link.unit_axis)))), 0)

    rebuilt = jax.tree.unflatten(structure, [leaves[path] for path in paths])
    return rebuilt, _reset(opt_state, touched)


def _axes(given: int | tuple[int, ...]) -> tuple[int, ...]:
    return given if isinstance(given, tuple) else (given,)


def _in_words(axes: int | tuple[int, ...]) -> str:
    along = _axes(axes)
    return f"axis {along[0]}" if len(along) == 1 else f"the axes {along}"


def _wide(
    mask: jax.Array,
    shape: tuple[int, ...],
    axes: int | tuple[int, ...],
    is_outgoing: bool,
) -> jax.Array | None:
    """A mask of units as one of a parameter, or None where it does not fit.

    Args:
      mask: shape `[units]`, row by row where they have several axes.
      shape: that of the parameter.
      axes: those of the units, in their order.
      is_outgoing: whether the last of them may be a multiple of the units.
    """
    along = _axes(axes)
    if not all(-len(shape) <= axis < len(shape) for axis in along):
        return None
    *lead, size = (shape[axis] for axis in along)
    units, rest = divmod(len(mask), math.prod(lead))
    if rest or size % units or (size != units and not is_outgoing):
        return None
    wide = jnp.tile(mask.reshape(*lead, units), size // units)
    wide = wide.reshape(*wide.shape, *[1] * (len(shape) - len(along)))
    return jnp.broadcast_to(jnp.moveaxis(wide, range(len(along)), along), shape)


def _drawn(
    initializer: Initializer, key: ArrayLike, old: jax.Array, axes: tuple[int, ...]
) -> jax.Array:
    """New weights for all units; those of each member of an ensemble on their own."""
    members = tuple(axis % old.ndim for axis in axes[:-1])
    if not members:
        return initializer(key, old.shape, old.dtype)
    lead = tuple(old.shape[axis] for axis in members)
    shape = tuple(n for i, n in enumerate(old.shape) if i not in members)
    keys = jax.random.split(key, math.prod(lead))
    new = jax.vmap(lambda key: initializer(key, shape, old.dtype))(keys)
    return jnp.moveaxis(new.reshape(*lead, *shape), range(len(lead)), members)


def _reset(opt_state: Any, touched: Mapping[str, jax.Array]) -> Any:
    """The state of an optimiser with zeros where parameters were drawn anew.

    Its leaves belong to a parameter where their path ends in that of the parameter, as
    it does under `optax.masked` and `optax.multi_transform`, which leave others out.
    """
    flat, structure = jax.tree_util.tree_flatten_with_path(opt_state)
    leaves = []
    for path, leaf in flat:
        name = jax.tree_util.keystr(path, simple=True, separator="/")
        ends = [p for p in touched if not p or name == p or name.endswith(f"/{p}")]
        mask = touched[max(ends, key=len)] if ends else None
        if mask is not None and jnp.shape(leaf) == mask.shape:
            leaf = jnp.where(mask, jnp.zeros_like(leaf), leaf)
        elif mask is not None and max(ends, key=len) and jnp.size(leaf) > 1:
            # Adafactor keeps sums over the rows and columns of a weight.
            raise InputError(
                f"Expected moments of the shape {mask.shape} of their parameter, got "
                f"{jnp.shape(leaf)} at {name!r}, which are of several units together; "
                f"leave opt_state out and start the optimiser anew."
            )
        leaves.append(leaf)
    return jax.tree.unflatten(structure, leaves)


def _mask(dead: Mapping[str, ArrayLike], id: str) -> jax.Array:
    """Which units of a site are dead, `[units]`."""
    if id not in dead:
        raise unknown("site", id, dead)
    mask = jnp.asarray(dead[id])
    if mask.ndim != 1:
        raise InputError(
            f"Expected one boolean per unit of {id!r}, got the shape {mask.shape}; "
            f"pass one seed and one iteration, or use jax.vmap."
        )
    return mask


def rai(
    key: ArrayLike, shape: tuple[int, int], dtype: DTypeLike = jnp.float32
) -> tuple[jax.Array, jax.Array]:
    r"""Randomised asymmetric initialisation: fewer networks are born dead.

    Weights and bias of a unit are one row
    :math:`v \sim N(0, 0.6007^2 / \mathrm{fan\_in})` of :math:`\mathrm{fan\_in} + 1`
    numbers, of which one, chosen uniformly, is drawn from :math:`\mathrm{Beta}(2, 1)`
    instead: positive, with mean 2/3.

    Args:
      key: typed key.
      shape: `(fan_in, fan_out)`.
      dtype: floating dtype.

    Returns:
      Kernel, shape `[fan_in, fan_out]`, and bias, shape `[fan_out]`.

    Examples:
      >>> kernel, bias = rai(jax.random.key(0), (4, 3))
      >>> kernel.shape, bias.shape
      ((4, 3), (3,))

    References:
      Lu, Shin, Su and Karniadakis, `Dying ReLU and Initialization: Theory and Numerical
      Examples <https://arxiv.org/abs/1903.06733>`_, 2020, section 4; 0.6007 and
      Beta(2, 1) are the authors' choice.
    """
    fan_in, fan_out = shape
    key_normal, key_where, key_beta = jax.random.split(key, 3)
    rows = jax.random.normal(key_normal, (fan_out, fan_in + 1), dtype)
    rows *= jnp.asarray(0.6007 / fan_in**0.5, dtype)
    where = jax.random.randint(key_where, (fan_out, 1), 0, fan_in + 1)
    # Beta(2, 1) has the distribution function x^2.
    beta = jnp.sqrt(jax.random.uniform(key_beta, (fan_out, 1), dtype))
    rows = jnp.where(jnp.arange(fan_in + 1)[None] == where, beta, rows)
    return rows[:, :-1].T, rows[:, -1]
