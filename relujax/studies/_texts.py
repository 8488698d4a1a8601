"""The words of a study, from a TOML file beside its Python file.

question = "does SReLU beat ReLU?"
baseline = "relu"

[paper]
title = "SRelu"

[[statements]]
quote = "SReLU achieves the highest accuracy."
source = "abstract"
claims.accuracy = "Section V"
claims.accuracy-by-two = { where = "Section V", exploratory = true }

[[choices]]
what = "β"
chosen = "0.5"
why = "The paper does not say."

[exhibits.losses]
title = "Figure 4: training loss"
caption = "Mean over {seeds}."
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relujax.errors import InputError, short
from relujax.studies._study import Choice, Claim, Exhibit, Paper, Study

if TYPE_CHECKING:
    from relujax.engine import Cell

_PARTS = ("question", "baseline", "paper", "statements", "choices", "exhibits")


def study_of(
    file: str | Path,
    *,
    profiles: Mapping[str, Sequence["Cell"]],
    seeds: Mapping[str, int],
    claims: Mapping[str, Callable[..., Any]],
    exhibits: Mapping[str, Callable[..., Any]] | None = None,
    probes: Sequence["Cell"] = (),
    view: Callable[..., Any] | None = None,
) -> Study:
    """The study of a Python file, with the words of the TOML file beside it.

    Args:
      file: `__file__` of the study; its name is the study's id.
      profiles: as of `relujax.Study`.
      seeds: likewise.
      claims: id to test, in the order of the ledger. Each has its quote, its place and
        what else a `relujax.Claim` may say in the TOML file.
      exhibits: id to `make(results)`, with title and caption likewise.
      probes: as of `relujax.Study`.
      view: what tests and exhibits get of the results, such as `own_samples` of them;
        all by default.

    Raises:
      InputError: the TOML file cannot be read, has an unknown key, or its claims and
        exhibits are not those of the code.
    """
    path = Path(file).with_suffix(".toml")
    words = _read(path)
    said, shown = _claims(words, path), words.get("exhibits", {})
    made = dict(exhibits or {})
    _match(path, "claims", said, claims)
    _match(path, "exhibits", shown, made)
    return Study(
        id=path.stem,
        question=words.get("question", ""),
        baseline=words.get("baseline", ""),
        paper=_built(Paper, words["paper"], path) if "paper" in words else None,
        profiles=profiles,
        seeds=seeds,
        claims=[
            _built(Claim, {**said[id], "id": id, "test": _seen(test, view)}, path)
            for id, test in claims.items()
        ],
        exhibits=[
            _built(Exhibit, {**shown[id], "make": _seen(make, view)}, path)
            for id, make in made.items()
        ],
        choices=[_built(Choice, each, path) for each in words.get("choices", ())],
        probes=probes,
    )


def _seen(f: Callable[..., Any], view: Callable[..., Any] | None) -> Callable[..., Any]:
    return f if view is None else lambda frame: f(view(frame))


def _read(path: Path) -> dict[str, Any]:
    try:
        words = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Expected the words of the study in {str(path)!r}: {error.strerror}."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read {str(path)!r}: {error}") from None
    unknown = [key for key in words if key not in _PARTS]
    if unknown:
        raise InputError(
            f"Expected {', '.join(_PARTS)} in {str(path)!r}, got {short(unknown[0])}."
        )
    return words


def _claims(words: Mapping[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    """What each claim says, by id: its own words over those of its statement."""
    said: dict[str, dict[str, Any]] = {}
    for statement in words.get("statements", ()):
        shared = {key: value for key, value in statement.items() if key != "claims"}
        for id, own in statement.get("claims", {}).items():
            if id in said:
                raise InputError(f"Expected claim {id!r} once in {str(path)!r}.")
            said[id] = {**shared, **({"where": own} if isinstance(own, str) else own)}
    return said


def _match(
    path: Path, kind: str, words: Iterable[str], code: Mapping[str, Any]
) -> None:
    """Raises InputError unless words and code name the same."""
    words = list(words)
    silent = [id for id in code if id not in words]
    untested = [id for id in words if id not in code]
    if silent or untested:
        which = f"words for {silent[0]!r}" if silent else f"code for {untested[0]!r}"
        raise InputError(
            f"Expected the same {kind} in {str(path)!r} and in the study file, found "
            f"no {which}."
        )


def _built(kind: type, given: Mapping[str, Any], path: Path) -> Any:
    """A part of the study, of a table of the file."""
    known = [field.name for field in fields(kind)]
    unknown = [key for key in given if key not in known]
    if unknown:
        raise InputError(
            f"Expected {', '.join(known)} of a {kind.__name__.lower()} in "
            f"{str(path)!r}, got {short(unknown[0])}."
        )
    try:
        return kind(**given)
    except TypeError as error:  # A field is missing.
        raise InputError(
            f"Expected a whole {kind.__name__.lower()} in {str(path)!r}: {error}."
        ) from None
