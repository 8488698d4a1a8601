"""Units as tasks of a Ray cluster; the driver claims, stores, and tries again.

Workers need no folder in common. A worker process stays from unit to unit, so a program
is compiled once in it. What a lost worker was doing is done again by another one; an
error of Python is recorded as a failure and is not tried again.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from relujax.clusters._job import Job
from relujax.clusters._queue import Queue
from relujax.clusters._ray_connect import connected
from relujax.clusters._ray_worker import Outcome, environment, threads, train_remotely
from relujax.clusters._where import Where, backend_of
from relujax.engine import (
    CellClaim,
    Failure,
    Mismatch,
    SharedClaim,
    Task,
    Unit,
    description,
    forget_checkpoints,
)
from relujax.errors import InputError, first_line, short, unknown
from relujax.extras import needs

#: How often a unit is done again after its worker was lost, or had too little memory.
RETRIES = {"lost": 3, "short of memory": 1}

_LOOK = 5.0  # seconds between two looks at how large the cluster is


class Resources(NamedTuple):
    """What a unit is given.

    Attributes:
      cpus: cores; a CPU worker trains on one device.
      gpus: GPUs; 0.5 for two units at a time on one.
      memory: bytes that must be free; 0 does not ask.
      workers: units at a time; 0 for as many as there is room for.
    """

    cpus: float = 1
    gpus: float = 0
    memory: float = 0
    workers: int = 0


class LostError(RuntimeError):
    """A unit whose workers were lost, or short of memory, time and again."""


class RemoteError(RuntimeError):
    """An error of Python in a worker; its traceback is a note."""


def check(where: Where, job: Job) -> None:
    """Refuse unknown options, and a cluster that is not there or has no room."""
    needs("--on ray", "ray")
    asked = _asked(job)
    if any(task.missing for task in job.tasks):
        with connected(where.address):
            room(asked)


def send(where: Where, job: Job) -> list[Failure]:
    """Train what is missing on the cluster, and store it here."""
    asked, backend = _asked(job), backend_of(where, job.options) or "cpu"
    failures: list[Failure] = []
    with connected(where.address) as ends:
        while job.tasks:
            run = _Driver(job, asked, backend)
            try:
                run.work_off()
            finally:
                run.end(cancel=not ends)
            failures += run.failures
            # Another process runs these: what it leaves is looked at when it is done.
            job = replace(job, tasks=list(run.busy.values()))
            for task in job.tasks:
                claim = task.store.claim(wait=True)
                if claim is not None:
                    claim.release()
    return failures


def room(asked: Resources) -> int:
    """How many units the cluster does at a time.

    Raises:
      InputError: not even one.
    """
    import ray

    if asked.workers:
        return asked.workers
    there = ray.cluster_resources()
    counts = [
        there.get(name, 0) / wanted
        for name, wanted in (("CPU", asked.cpus), ("GPU", asked.gpus))
        if wanted
    ]
    most = int(min(counts, default=1) + 1e-9)
    if not most:
        raise InputError(
            f"Expected a Ray cluster with {asked.cpus:g} cores and {asked.gpus:g} GPUs "
            f"for a unit, got {there.get('CPU', 0):g} and {there.get('GPU', 0):g} in "
            f"all; --cluster workers=N waits for nodes to come."
        )
    return most


def _asked(job: Job) -> Resources:
    for name, value in job.options.items():
        if name not in Resources._fields:
            raise unknown("option of --cluster for ray:", name, Resources._fields)
        if not isinstance(value, int | float) or value < 0:
            raise InputError(
                f"Expected a number from 0 for {name} of a Ray cluster, got "
                f"{short(value)}."
            )
    asked = Resources(**job.options)
    devices = job.plan.devices if job.plan and not asked.gpus else 1
    return asked._replace(cpus=max(asked.cpus, devices), workers=int(asked.workers))


class _Driver:
    """One pass over what is missing.

    Attributes:
      failures: what went wrong.
      busy: tasks that another process is running, by the name of the cell.
    """

    def __init__(self, job: Job, asked: Resources, backend: str) -> None:
        import ray

        self.failures: list[Failure] = []
        self.busy: dict[str, Task] = {}
        self._job, self._asked = job, asked
        units = job.units(
            backend=backend,
            threads=threads(asked.cpus) if backend == "cpu" else 0,
            workers=room(asked),
        )
        self._tasks = {task.store.folder.name: task for task in job.tasks}
        self._left = Counter(part["digest"] for unit in units for part in unit.cells)
        self._queue = Queue(units)
        self._claims: dict[str, CellClaim | SharedClaim] = {}
        self._flight: dict[Any, Unit] = {}
        self._tries: Counter[tuple[str, str]] = Counter()
        self._workers: dict[str, int] = {}
        devices = max((unit.plan["devices"] for unit in units), default=1)
        self._wanted = environment(backend, devices, asked.cpus, asked.gpus)
        options: dict[str, Any] = {"num_cpus": asked.cpus, "num_gpus": asked.gpus}
        if asked.memory:
            options["memory"] = asked.memory
        self._function = ray.remote(
            max_calls=0,  # Else a worker with a GPU would end after each unit.
            max_retries=0,  # Counted here: Ray sets no limit where memory lacks.
            **options,
        )(train_remotely)

    def work_off(self) -> None:
        """Send units as there is room, and store what comes back."""
        import ray

        most, looked = room(self._asked), time.monotonic()
        while True:
            while len(self._flight) < most and self._next():
                pass
            if not self._flight:
                return
            done, _ = ray.wait(list(self._flight), timeout=_LOOK)
            for ref in done:
                unit = self._flight.pop(ref)
                self._take_in(unit, ref)
                self._next(unit.program)
            if time.monotonic() - looked > _LOOK:
                most, looked = max(1, self._room()), time.monotonic()

    def end(self, *, cancel: bool) -> None:
        """Let others have the cells.

        Args:
          cancel: whether to stop what is still running. The end of the connection does
            so, too, and is safer: Ray 2.60 aborts this process if a task that is being
            cancelled comes to its end.
        """
        import ray

        for ref in self._flight if cancel else ():
            ray.cancel(ref, force=True)
        for claim in self._claims.values():
            claim.release()
        if self._workers:
            self._job.watcher.say(
                f"Ray: {len(self._workers)} workers compiled "
                f"{sum(self._workers.values())} programs."
            )

    def _room(self) -> int:
        try:
            return room(self._asked)
        except InputError:  # Every node is lost for now.
            return 1

    def _next(self, last: str = "") -> bool:
        """Send a unit whose cells can be claimed; whether there was one."""
        while (unit := self._queue.take(last)) is not None:
            if self._claim(unit):
                self._send(unit)
                return True
            self._queue.ended(unit)
            self._finish(unit)
        return False

    def _send(self, unit: Unit) -> None:
        self._job.watcher.group([self._tasks[p["digest"]] for p in unit.cells])
        out = str(self._job.folder.resolve())
        ref = self._function.remote(unit.to_json(), self._wanted, os.getcwd(), out)
        self._flight[ref] = unit

    def _claim(self, unit: Unit) -> bool:
        """Claim the cells of a unit that are not claimed yet."""
        for part in unit.cells:
            name = part["digest"]
            task = self._tasks[name]
            if name in self.busy:
                return False
            if name in self._claims:
                continue
            claim = task.store.claim(wait=False)
            if claim is None:
                self.busy[name] = task
                return False
            self._claims[name] = claim
            task.store.describe(description(task, unit.root))
        return True

    def _take_in(self, unit: Unit, ref: Any) -> None:
        """Store a result, or see what is to be done about its absence."""
        import ray
        from ray import exceptions

        try:
            outcome: Outcome = ray.get(ref)
        except exceptions.RayTaskError as error:
            # Our function itself could not start there.
            raise Mismatch(
                f"Expected relujax on every worker as here, got {first_line(error)} "
                f"({short(str(error).strip().splitlines()[-1])})."
            ) from None
        except exceptions.OutOfMemoryError:
            return self._again(unit, "short of memory")
        except exceptions.RayError:
            return self._again(unit, "lost")
        self._workers[outcome.worker] = outcome.compilations
        if outcome.state == "refused":
            raise Mismatch(outcome.error)
        if outcome.state == "failed":
            error = RemoteError(f"{outcome.error} (on {outcome.worker})")
            error.add_note(outcome.trace)
            self._fail(unit, error)
        else:
            self._store(unit, outcome)
        self._queue.ended(unit)
        self._finish(unit)

    def _store(self, unit: Unit, outcome: Outcome) -> None:
        for done in outcome.done:
            done.put(self._job.folder)
            task = self._tasks[done.cell]
            forget_checkpoints(task.store, done.rows["seed"].unique().tolist())
            self._job.watcher.rows(task, done.rows)
        self._job.watcher.epochs(unit.epochs)

    def _again(self, unit: Unit, what: str) -> None:
        """Do a unit again, unless that has been tried often enough."""
        self._tries[unit.id, what] += 1
        if self._tries[unit.id, what] <= RETRIES[what]:
            self._job.watcher.say(f"A worker was {what}; its unit is done again.")
            self._queue.give_back(unit)
            return
        error = LostError(
            f"Its workers were {what} {self._tries[unit.id, what]} times; ask for "
            f"fewer units at a time, --cluster cpus=2, or memory=..."
        )
        self._fail(unit, error)
        self._queue.ended(unit)
        self._finish(unit)

    def _fail(self, unit: Unit, error: Exception) -> None:
        tasks: Sequence[Task] = [self._tasks[part["digest"]] for part in unit.cells]
        self.failures.append(Failure(tuple(tasks), error))
        for task in tasks:
            task.store.note_error(error)

    def _finish(self, unit: Unit) -> None:
        """Release the cells of which this was the last unit."""
        for part in unit.cells:
            name = part["digest"]
            self._left[name] -= 1
            if not self._left[name] and name in self._claims:
                self._claims.pop(name).release()
