"""Units: a run cut into pieces of work that another process can do, as plain JSON.

A unit is some seeds of cells that share one compiled program. It says what its numbers
depend on, and holds neither code nor data: a worker has its own and compares. Whoever
works it off, and however often, writes the same rows under the same names.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import jax

from relujax import activations
from relujax.engine._auto import usual
from relujax.engine._cell import Cell
from relujax.engine._cost import UNKNOWN_SECONDS, parameters, training_seconds
from relujax.engine._plan import Plan
from relujax.engine._setting import Setting, made_by, module_revision, parts_of
from relujax.engine._stale import fingerprint_of
from relujax.engine._tasks import Task
from relujax.engine._training import HostTraining
from relujax.errors import InputError
from relujax.parts import Part
from relujax.paths import path_of

#: A unit is at most one part in so many of a run, and each worker has so many, so that
#: nobody waits for long for the last one (experiments/speed/scheduling.py) ...
_PARTS, PER_WORKER = 50, 8
#: ... and, in estimated seconds on one core, not so short that sending it takes longer
#: than training, nor so long that much is lost with a worker.
_SHORTEST, _LONGEST = 1.0, 300.0


@dataclass(frozen=True)
class Unit:
    """Some seeds of cells that share a program; equal to itself after a JSON trip.

    Attributes:
      cells: of each cell its `fields`, `digest`, `seeds`, the `data` hash, and the
        `fingerprint` of its program, empty where the library's version says enough.
      root: the root seed.
      plan: the fields of the plan: fixed here, whoever works.
      keep: "last" or "best" where weights are kept.
      setting: what the worker must have in common with the sender.
      program: a name that units of one program share.
      seconds: what it is estimated to take on one core.
      data_dir: folder of raw data files; None for that of the worker.
      functions: name to import path and metric of the function of `relujax.experiment`.
      checkpoint_every: minutes between checkpoints inside a network.
    """

    cells: Sequence[dict[str, Any]]
    root: int
    plan: dict[str, Any]
    keep: str | None
    setting: Setting
    program: str
    seconds: float
    data_dir: str | None = None
    functions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    checkpoint_every: float | None = None

    @cached_property
    def id(self) -> str:
        """A name made of what it trains: the same wherever and whenever it is cut."""
        content = [[cell["digest"], list(cell["seeds"])] for cell in self.cells]
        text = json.dumps([content, self.keep])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def networks(self) -> int:
        """How many networks it trains."""
        return sum(len(cell["seeds"]) for cell in self.cells)

    @property
    def epochs(self) -> int:
        """Epochs, times networks."""
        return sum(c["fields"]["epochs"] * len(c["seeds"]) for c in self.cells)

    def to_json(self) -> str:
        """It as JSON text."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Unit":
        """The unit of a JSON text."""
        content = json.loads(text)
        return cls(**{**content, "setting": Setting(**content["setting"])})


def cut(
    tasks: Sequence[Task],
    *,
    root: int,
    setting: Setting,
    plan: Plan | None = None,
    devices: int = 1,
    workers: int = 1,
    missing: bool = True,
    data_dir: str | None = None,
    checkpoint_every: float | None = None,
) -> list[Unit]:
    """Cut a run into units: those of one program side by side, longest first.

    Args:
      tasks: the run.
      root: the root seed.
      setting: what workers must have in common with this process.
      plan: how the members of a unit are run; None for the usual plan of the backend.
        Its chunk, if it has one, is how many networks a unit has.
      devices: how many devices a worker has, for the usual plan.
      workers: how many there will be, as far as that is known.
      missing: whether only what is not stored is cut. All of it gives the same units
        at any time.
      data_dir: folder of raw data files on the workers.
      checkpoint_every: minutes between checkpoints inside a network.
    """
    groups: dict[tuple, list[tuple[Task, int]]] = {}
    for task in tasks:
        seeds = task.missing if missing else task.seeds
        key = (task.cell.skeleton, task.cell.data)
        groups.setdefault(key, []).extend((task, seed) for seed in seeds)
    found = [members for members in groups.values() if members]
    each = [_seconds(members[0][0]) for members in found]
    total = sum(s * len(m) for s, m in zip(each, found, strict=True))
    target = total / max(_PARTS, PER_WORKER * workers)
    target = min(max(target, _SHORTEST), _LONGEST)
    programs = []
    for members, seconds in zip(found, each, strict=True):
        chosen = plan or usual(
            members[0][0].cell,
            members[0][0].dataset,
            backend=setting.backend,
            devices=devices,
        )
        size = chosen.chunk or max(1, int(target / seconds))
        shared = {"root": root, "setting": setting, "data_dir": data_dir}
        shared["checkpoint_every"] = checkpoint_every
        programs.append(list(_units(members, seconds, size, chosen, shared)))
    programs.sort(key=lambda units: units[0].seconds, reverse=True)
    return [unit for units in programs for unit in units]


def share(units: Sequence[Unit], i: int, n: int) -> list[Unit]:
    """Part `i` of `n` of the units: neighbours, so that few programs are compiled.

    Counted from 0 or from 1, as a queue does: part `n` is part 0.
    """
    ends, done = [], 0.0
    for unit in units:
        seconds = max(unit.seconds, 1e-3)  # The smallest are rounded to nothing.
        ends.append(done + seconds / 2)
        done += seconds
    mine = [
        unit
        for unit, middle in zip(units, ends, strict=True)
        if min(int(n * middle / done), n - 1) == i % n
    ]
    return mine


def check_portable(cells: Iterable[Cell]) -> None:
    """Refuse what a worker could not import.

    Raises:
      InputError: a part exists in this process alone.
    """
    for cell in cells:
        for part in parts_of(cell):
            if _is_local(part):
                raise InputError(
                    f"Expected a {part.kind} that a worker can import, got "
                    f"{part.name!r}, which exists in this process alone: move it into "
                    f"a module that every worker has, and give it as "
                    f"'mymodule:{part.name}'."
                )


def _is_local(part: Part) -> bool:
    obj = made_by(part)
    if part.kind == "activation":
        known = activations.REGISTRY.known(part.name)
        if known is None or known.local:  # None: a text for a function of the user's.
            return known is not None
        obj = known.function
    elif part.local and not (part.kind == "training" and path_of(obj)):
        return True
    module = getattr(obj, "__module__", None) or type(obj).__module__
    return module == "__main__" or (
        module.partition(".")[0] != "relujax" and module_revision(module)[0] == "none"
    )


def _units(
    members: Sequence[tuple[Task, int]],
    seconds: float,
    size: int,
    plan: Plan,
    shared: dict[str, Any],
) -> Iterator[Unit]:
    """The units of one program: all of one size, the last one shorter.

    Side by side, how many there are is compiled in.
    """
    task = members[0][0]
    text = f"{task.cell.skeleton.text} {task.cell.data}"
    rest = iter(members)
    while chunk := list(islice(rest, size)):
        seeds: dict[int, list[int]] = {}
        owners = {id(task): task for task, _ in chunk}
        for task, seed in chunk:
            seeds.setdefault(id(task), []).append(seed)
        cells = [
            _portion(owners[key], some, shared["root"], shared["setting"])
            for key, some in seeds.items()
        ]
        yield Unit(
            cells=cells,
            plan=asdict(plan),
            keep=task.keep,
            program=hashlib.sha256(text.encode()).hexdigest()[:16],
            seconds=round(seconds * len(chunk), 3),
            functions=_functions(task.cell),
            **shared,
        )


def _functions(cell: Cell) -> dict[str, list[str]]:
    """What a worker must hold under a name before it can read the cell."""
    if not cell.is_host:
        return {}
    part = cell.parts["training"]
    host: HostTraining = part.factory(**part.values)
    return {part.name: [path_of(host.train) or "", host.metric]}


def _portion(
    task: Task, seeds: list[int], root: int, setting: Setting
) -> dict[str, Any]:
    """Some seeds of a cell, as a unit has them."""
    own = task.cell.is_own and setting.backend == jax.default_backend()
    return {
        "fields": json.loads(json.dumps(asdict(task.cell))),
        "digest": task.store.folder.name,
        "seeds": seeds,
        "data": task.origin.get("sha256", ""),
        "fingerprint": fingerprint_of(task, root) if own else "",
    }


def _seconds(task: Task) -> float:
    """Roughly the seconds of one network on a core, the same on every machine."""
    if task.dataset is None:
        return UNKNOWN_SECONDS
    shapes = parameters(task.cell, task.dataset)
    return training_seconds(task.cell, task.dataset, shapes, backend="cpu")
