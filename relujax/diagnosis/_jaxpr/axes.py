"""Where the axes of the inputs of an equation are in its outputs.

An axis is in an output where each entry along it takes the entries at one place along
the axis of the input, and no others: it is handed on, not summed over.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Input axis to output axis, and the place there of what stands at 0 here.
Route = Mapping[int, tuple[int, int]]
# They merge and split axes: see `reshaped`.
RESHAPING = ("reshape", "squeeze", "expand_dims")


def routes(eqn: Any) -> list[list[Route]]:
    """For every output, the route of each input."""
    rule = _RULES.get(eqn.primitive.name, _elementwise)
    if eqn.primitive.name.startswith("scatter"):
        rule = _scatter
    if eqn.primitive.name.startswith("reduce_window"):
        rule = _windows
    found: Any = rule(eqn)
    return found if isinstance(found[0], list) else [found] * len(eqn.outvars)


def contracted(eqn: Any) -> list[tuple[int, ...]]:
    """The axes of each input that a product sums over, or slides along."""
    if eqn.primitive.name == "dot_general":
        return [tuple(axes) for axes in eqn.params["dimension_numbers"][0]]
    if eqn.primitive.name == "ragged_dot_general":
        lhs, rhs = eqn.params["ragged_dot_dimension_numbers"].dot_dimension_numbers[0]
        return [tuple(lhs), tuple(rhs), ()]
    if eqn.primitive.name == "conv_general_dilated":
        lhs, rhs, _ = eqn.params["dimension_numbers"]
        return [tuple(lhs[1:]), tuple(rhs[1:])]
    return [()] * len(eqn.invars)


def fits(shape: Sequence[int], out: Sequence[int]) -> bool:
    """Whether an array is one number, or repeated along axes of one entry alone."""
    pairs = zip(shape, out, strict=False)
    return not shape or (len(shape) == len(out) and all(a in (1, b) for a, b in pairs))


def _shape(v: Any) -> tuple[int, ...]:
    return tuple(getattr(v.aval, "shape", ()))


def _same(axes: Sequence[int]) -> Route:
    return {axis: (axis, 0) for axis in axes}


def _elementwise(eqn: Any) -> list[Route]:
    shapes = {_shape(v) for v in eqn.outvars}
    out = shapes.pop()
    if shapes or not all(fits(_shape(v), out) for v in eqn.invars):
        return [{}] * len(eqn.invars)
    kept = lambda v: [i for i, n in enumerate(_shape(v)) if n == out[i]]
    return [_same(kept(v)) for v in eqn.invars]


def _broadcast(eqn: Any) -> list[Route]:
    shape, out = _shape(eqn.invars[0]), _shape(eqn.outvars[0])
    to = eqn.params["broadcast_dimensions"]
    kept = {i: (int(o), 0) for i, o in enumerate(to) if shape[i] == out[o]}
    return [kept, *[{}] * (len(eqn.invars) - 1)]


def _transpose(eqn: Any) -> list[Route]:
    order = eqn.params["permutation"]
    return [{int(axis): (i, 0) for i, axis in enumerate(order)}]


def _reduce(eqn: Any) -> list[Route]:
    gone = {int(axis) for axis in eqn.params["axes"]}
    rest = [i for i in range(len(_shape(eqn.invars[0]))) if i not in gone]
    return [{axis: (i, 0) for i, axis in enumerate(rest)}] * len(eqn.invars)


def _along(name: str) -> Callable[[Any], list[Route]]:
    """Whatever mixes one axis or some and leaves the others where they are."""

    def rule(eqn: Any) -> list[Route]:
        given = eqn.params[name]
        mixed = {given} if isinstance(given, int) else set(given)
        kept = [i for i in range(len(_shape(eqn.outvars[0]))) if i not in mixed]
        return [_same(kept)] * len(eqn.invars)

    return rule


def _slice(eqn: Any) -> list[Route]:
    p = eqn.params
    strides = p["strides"] or [1] * len(p["start_indices"])
    starts = enumerate(zip(p["start_indices"], strides, strict=True))
    return [{i: (i, -int(start)) for i, (start, stride) in starts if stride == 1}]


def _dynamic(eqn: Any) -> list[Route]:
    shape, out = _shape(eqn.invars[0]), _shape(eqn.outvars[0])
    kept = [i for i, (a, b) in enumerate(zip(shape, out, strict=True)) if a == b]
    return [_same(kept), *[{}] * (len(eqn.invars) - 1)]


def _pad(eqn: Any) -> list[Route]:
    config = enumerate(eqn.params["padding_config"])
    return [{i: (i, int(low)) for i, (low, _, inner) in config if not inner}, {}]


def _concatenate(eqn: Any) -> list[Route]:
    axis, start, found = eqn.params["dimension"], 0, []
    for v in eqn.invars:
        rest = [i for i in range(len(_shape(v))) if i != axis]
        found.append({**_same(rest), axis: (axis, start)})
        start += _shape(v)[axis]
    return found


def _split(eqn: Any) -> list[list[Route]]:
    axis, start, found = eqn.params["axis"], 0, []
    rest = [i for i in range(len(_shape(eqn.invars[0]))) if i != axis]
    for size in eqn.params["sizes"]:
        found.append([{**_same(rest), axis: (axis, -start)}])
        start += int(size)
    return found


def _stack(eqn: Any) -> list[Route]:
    new = eqn.params["axis"]
    axes = range(len(_shape(eqn.invars[0])))
    return [{i: (i + (i >= new), 0) for i in axes}] * len(eqn.invars)


def _dot(eqn: Any) -> list[Route]:
    (left, right), (left_batch, right_batch) = eqn.params["dimension_numbers"]
    place, found = len(left_batch), []
    for v, gone, batch in zip(
        eqn.invars, (left, right), (left_batch, right_batch), strict=True
    ):
        route = {int(axis): (i, 0) for i, axis in enumerate(batch)}
        for axis in range(len(_shape(v))):
            if axis not in gone and axis not in batch:
                route[axis] = (place, 0)
                place += 1
        found.append(route)
    return found


def _ragged(eqn: Any) -> list[Route]:
    """As of a product: the rows stay, and the groups of the weights go with them."""
    numbers = eqn.params["ragged_dot_dimension_numbers"]
    (left, right), batch = numbers.dot_dimension_numbers
    gone = {*right, *numbers.rhs_group_dimensions}
    place, found = len(batch[0]), []
    for v, out, at in zip(eqn.invars, (set(left), gone), batch, strict=False):
        route = {int(axis): (i, 0) for i, axis in enumerate(at)}
        for axis in range(len(_shape(v))):
            if axis not in out and axis not in at:
                route[axis] = (place, 0)
                place += 1
        found.append(route)
    return [*found, {}]


def _convolution(eqn: Any) -> list[Route]:
    lhs, rhs, out = eqn.params["dimension_numbers"]
    return [{lhs[0]: (out[0], 0)}, {rhs[0]: (out[1], 0)}]


def _windows(eqn: Any) -> list[Route]:
    sizes = enumerate(eqn.params["window_dimensions"])
    kept = [i for i, size in sizes if size == 1]
    return [_same(kept if _shape(v) else ()) for v in eqn.invars]


def _gather(eqn: Any) -> list[Route]:
    numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
    shape, out = _shape(eqn.invars[0]), range(len(_shape(eqn.outvars[0])))
    gone = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    windows = [i for i in range(len(shape)) if i not in gone]
    pairs = zip(windows, numbers.offset_dims, strict=True)
    rest = [i for i in out if i not in numbers.offset_dims]
    return [
        {i: (int(o), 0) for i, o in pairs if sizes[i] == shape[i]},
        {i: (o, 0) for i, o in enumerate(rest)},
    ]


def _scatter(eqn: Any) -> list[Route]:
    numbers, shape = eqn.params["dimension_numbers"], _shape(eqn.outvars[0])
    gone = {*numbers.inserted_window_dims, *numbers.operand_batching_dims}
    windows = [i for i in range(len(shape)) if i not in gone]
    updates = _shape(eqn.invars[2])
    pairs = zip(numbers.update_window_dims, windows, strict=True)
    kept = {int(u): (o, 0) for u, o in pairs if updates[u] == shape[o]}
    return [_same(windows), {}, kept]


_RULES: dict[str, Callable[[Any], Any]] = {
    "broadcast_in_dim": _broadcast,
    "transpose": _transpose,
    **dict.fromkeys(
        "reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or argmax "
        "argmin".split(),
        _reduce,
    ),
    **dict.fromkeys(
        "cumsum cumprod cummax cummin cumlogsumexp".split(), _along("axis")
    ),
    "sort": _along("dimension"),
    "rev": _along("dimensions"),
    "slice": _slice,
    "dynamic_slice": _dynamic,
    "dynamic_update_slice": _dynamic,
    "pad": _pad,
    "concatenate": _concatenate,
    "split": _split,
    "stack": _stack,
    "dot_general": _dot,
    "ragged_dot_general": _ragged,
    "conv_general_dilated": _convolution,
    "gather": _gather,
}
