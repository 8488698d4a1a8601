"""What is wrong with a study, before anything of it runs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from relujax.errors import InputError, short
from relujax.files import checked_name
from relujax.studies._seeds import seed_ids

if TYPE_CHECKING:
    from relujax.studies._study import Study


def check_study(study: "Study") -> None:
    """Raises InputError unless every field of a study is of its kind."""
    # They become names of folders and files.
    checked_name(study.id, "the id of a study")
    for name in ("question", "baseline"):
        _expect(study, name, "a text", isinstance(getattr(study, name), str))
    for name in ("profiles", "seeds"):
        kind = "a dict from profile names"
        _expect(study, name, kind, isinstance(getattr(study, name), Mapping))
    for name in ("claims", "exhibits", "choices"):
        _expect(study, name, "a list", _is_list(getattr(study, name)))
    for profile, cells in study.profiles.items():
        checked_name(profile, "the name of a profile")
        _check_cells(study, f"profiles[{profile!r}]", cells)
    if study.probes:
        _check_cells(study, "probes", study.probes)
    for profile, seeds in study.seeds.items():
        if not isinstance(seeds, int):
            raise _wrong(study, f"seeds[{profile!r}]", "a number", seeds)
        seed_ids(seeds)
    _check_functions(study)
    ids = [claim.id for claim in study.claims]
    twice = [id for id in dict.fromkeys(ids) if ids.count(id) > 1]
    if twice:
        raise InputError(
            f"Expected claims of study {study.id} with different ids, got "
            f"{short(twice[0])} twice."
        )


def _check_cells(study: "Study", field: str, cells: Any) -> None:
    from relujax.engine import Cell

    if not _is_list(cells) or not cells:
        raise _wrong(study, field, "a list of at least one relujax.Cell", cells)
    for cell in cells:
        if not isinstance(cell, Cell):
            raise _wrong(study, field, "relujax.Cell objects", cell)


def _check_functions(study: "Study") -> None:
    """Claims and exhibits are run when all networks are trained: too late to learn."""
    from relujax.studies._study import Claim, Exhibit

    for claim in study.claims:
        if not isinstance(claim, Claim):
            raise _wrong(study, "claims", "relujax.Claim objects", claim)
        if not callable(claim.test):
            raise _wrong(study, f"test of claim {claim.id}", "a function", claim.test)
    for exhibit in study.exhibits:
        if not isinstance(exhibit, Exhibit):
            raise _wrong(study, "exhibits", "relujax.Exhibit objects", exhibit)
        if not callable(exhibit.make):
            name = f"make of exhibit {exhibit.title}"
            raise _wrong(study, name, "a function", exhibit.make)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _expect(study: "Study", field: str, kind: str, is_so: bool) -> None:
    if not is_so:
        raise _wrong(study, field, kind, getattr(study, field))


def _wrong(study: "Study", field: str, kind: str, value: Any) -> InputError:
    return InputError(
        f"Expected {kind} as {field} of study {study.id}, got {short(value)}."
    )
