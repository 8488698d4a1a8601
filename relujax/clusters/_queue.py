"""Which unit a free worker gets: one of the program that it has compiled, if any."""

from collections import Counter, deque
from collections.abc import Iterable

from relujax.engine import Unit

# A worker that would have to compile a program first, some seconds, is of use to those
# that have it only where they are busy for longer than that.
_COMPILING = 10.0


class Queue:
    """Units that wait, by program.

    Args:
      units: in the order in which they are to be done.
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self._waiting: dict[str, deque[Unit]] = {}
        for unit in units:
            self._waiting.setdefault(unit.program, deque()).append(unit)
        self._workers: Counter[str] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def take(self, last: str = "") -> Unit | None:
        """The next unit for a worker, or None if it had better rest.

        Args:
          last: the program that the worker has compiled.
        """
        program = last if self._waiting.get(last) else self._choice()
        if program is None:
            return None
        self._workers[program] += 1
        return self._waiting[program].popleft()

    def give_back(self, unit: Unit) -> None:
        """A unit whose worker was lost is to be done again, first of all."""
        self.ended(unit)
        self._waiting[unit.program].appendleft(unit)

    def ended(self, unit: Unit) -> None:
        """A worker has ended its work on a unit."""
        self._workers[unit.program] -= 1

    def _choice(self) -> str | None:
        """The program for which a further worker does most."""
        best, most = None, 0.0
        for program, units in self._waiting.items():
            busy = self._workers[program]
            if not units:
                continue
            left = sum(unit.seconds for unit in units)
            if busy and left / busy < _COMPILING:
                continue
            gain = left / (busy + 1) if busy else float("inf")
            if best is None or gain > most:
                best, most = program, gain
        return best
