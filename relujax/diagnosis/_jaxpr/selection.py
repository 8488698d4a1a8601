"""Which sites a user means: by id, activation, module path, or place in the code."""

import warnings
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TypeVar

from relujax.diagnosis._jaxpr.origin import canonical
from relujax.diagnosis._jaxpr.plan import Site
from relujax.errors import InputError, unknown

T = TypeVar("T")
Names = str | Collection[str]


def select(
    sites: Sequence[Site],
    wanted: Names | None,
    exclude: Names | None = None,
    unnamed: Sequence[str] = (),
) -> list[Site]:
    """The sites that are wanted and not excluded, or all within reach for None.

    Those that are sealed are out of reach; they are left out with a warning, unless
    there is nothing else.

    Args:
      sites: all of a program.
      wanted: what `fits` takes, one or several.
      exclude: the same.
      unnamed: where elementwise functions stand that were not recognised.

    Raises:
      InputError: there are no sites, or none is left, or a name fits none, or what is
        wanted is out of reach.
    """
    if not sites:
        hint = not_recognised(unnamed)
        raise InputError(
            "Expected a function with activations, found none in it; "
            f"{hint + '; ' if hint else ''}"
            "relujax.find_activations says what counts as one."
        )
    out = {s.id for name in _names(exclude) for s in fitting(sites, name)}
    left = [s for s in sites if s.id not in out]
    if not left:
        raise InputError(
            f"Expected some sites to be left, but exclude={exclude!r} fits all "
            f"{len(sites)}."
        )
    if wanted is None:
        found = _within_reach(left)
    else:
        chosen = {s.id for name in _names(wanted) for s in fitting(sites, name)}
        found = [s for s in left if s.id in chosen]
    _check_reach(found)
    return found


def fitting(sites: Sequence[Site], name: str) -> list[Site]:
    """The sites that a name fits.

    Raises:
      InputError: it fits none.
    """
    found = [s for s in sites if fits(s, name)]
    if not found:
        known = {s.id for s in sites} | {s.activation for s in sites}
        raise unknown("site or activation of this function", name, known)
    return found


def fits(site: Site, name: str) -> bool:
    """Whether a name means a site.

    It does if it is the site's id, or its activation by any name that this has; or if
    it is a pattern (`*`, `?`) of its id, of its module path or a part of that, or of
    the `file:line` that it has.
    """
    if name == site.id or canonical(name) == site.activation:
        return True
    parts = site.path.split("/")
    paths = ["/".join(parts[i:]) for i in range(len(parts))]
    held = (site.id, site.source, site.path, *parts, *paths)
    return any(fnmatchcase(text.lower(), name.lower()) for text in held if text)


def assigned(
    sites: Sequence[Site], given: Mapping[str, T], default: T | None
) -> dict[str, T | None]:
    """Site id to what is given for it: an id wins over a name, that over a pattern.

    Raises:
      InputError: a name fits no site.
    """
    found: dict[str, T | None] = {site.id: default for site in sites}
    rank = lambda name: (
        2 * (name in found) + any(canonical(name) == site.activation for site in sites)
    )
    for name in sorted(given, key=rank):
        for site in fitting(sites, name):
            found[site.id] = given[name]
    return found


def not_recognised(unnamed: Sequence[str]) -> str:
    """One line about elementwise functions that are no known activation, or none."""
    if not unnamed:
        return ""
    what = "nonlinearity was" if len(unnamed) == 1 else "nonlinearities were"
    places = ", ".join(unnamed[:5]) + ", ..." * (len(unnamed) > 5)
    return f"{len(unnamed)} elementwise {what} not recognised, at {places}"


def _names(given: Names | None) -> Collection[str]:
    return (given,) if isinstance(given, str) else given or ()


def _within_reach(sites: list[Site]) -> list[Site]:
    within = [s for s in sites if not s.sealed]
    if within and len(within) < len(sites):
        first = next(s for s in sites if s.sealed)
        warnings.warn(
            f"Left out {len(sites) - len(within)} of {len(sites)} activations: "
            f"{first.id!r} ({first.source}) is out of reach inside a {first.sealed}.",
            stacklevel=2,
        )
    return within or sites


def _check_reach(sites: Sequence[Site]) -> None:
    for site in sites:
        if site.sealed:
            # A pmap is a shard_map to JAX.
            what = site.sealed + " and pmap" * (site.sealed == "shard_map")
            raise InputError(
                f"Expected activations outside {what}, found {site.id!r} inside "
                f"({site.source}); leave it out with exclude=, or apply relujax to the "
                f"function that is mapped."
            )
