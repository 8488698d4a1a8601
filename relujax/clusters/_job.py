"""A run on its way to a cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relujax.engine import Plan, Setting, Task, Unit, Watcher, cut, setting_of


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is trained, and how.

    Attributes:
      tasks: the run, planned.
      folder: `runs/<study>`.
      profile: the name of the grid.
      root: the root seed.
      plan: how networks are run; None for the usual plan of the backend.
      data_dir: folder of raw data files on the workers; None for theirs.
      options: what the cluster is asked for.
      watcher: what is told meanwhile.
      checkpoint_every: minutes between checkpoints inside a network.
    """

    tasks: Sequence[Task]
    folder: Path
    profile: str = "run"
    root: int = 0
    plan: Plan | None = None
    data_dir: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    watcher: Watcher = field(default_factory=Watcher)
    checkpoint_every: float | None = None

    def setting(self, backend: str | None = None, threads: int = 0) -> Setting:
        """What workers must have in common with this process."""
        return setting_of([task.cell for task in self.tasks], backend, threads)

    def units(
        self,
        *,
        backend: str | None = None,
        threads: int = 0,
        devices: int = 1,
        workers: int = 1,
        missing: bool = True,
    ) -> list[Unit]:
        """The run, cut; see `relujax.engine.cut`.

        Args:
          backend: of the workers; by default that of this process.
          threads: of a worker on a CPU; 0 for as many as it happens to have.
          devices: how many devices a worker has.
          workers: how many there are, as far as that is known.
          missing: whether only what is not stored is cut.
        """
        return cut(
            self.tasks,
            root=self.root,
            setting=self.setting(backend, threads),
            plan=self.plan,
            devices=devices,
            workers=workers,
            missing=missing,
            data_dir=self.data_dir,
            checkpoint_every=self.checkpoint_every,
        )
