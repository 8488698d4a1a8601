"""What a cluster makes of many networks, simulated: units, compilation, failures.

  python experiments/speed/scheduling.py

Prints the table of `docs/scale.md`, in seconds of one core; the same table every time.
Measured inputs and assumptions are the constants below. Four ways to work are compared,
over sizes: units of one network; units dealt out in any order; programs kept together,
from one queue (Ray); and shares (the array tasks of SLURM).
"""

import heapq
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

# Measured (docs/scale.md says where).
NETWORK = 2.2  # seconds of training
COMPILE = 15.0  # seconds for a program in a process
START = 12.0  # seconds until a worker has started
PUT = 0.039  # seconds in which the driver stores a unit

# Assumed.
PROGRAMS = 20
PER_WORKER = 8  # units, at least, as `relujax.engine.cut` makes them
SLOW, SLOWER = 0.05, 3.0  # one worker in twenty takes three times as long
LIFE = 24 * 3600.0  # seconds until a worker fails, on average
AWAY = 120.0  # seconds until it is back, as SLURM requeues

SIZES = ((10**3, 4), (10**4, 32), (10**5, 250), (10**6, 1000), (10**6, 4000))


class Way(NamedTuple):
    """How units are made and dealt out.

    Attributes:
      name: in the table.
      single: whether a unit is one network, else as many as the engine takes.
      together: whether a worker stays with its program while there is work for it.
      shares: whether each worker has its share, else they have one queue.
      helps: whether who has done its share goes on with those of others.
    """

    name: str
    single: bool = False
    together: bool = True
    shares: bool = False
    helps: bool = False


WAYS = (
    Way("one network a unit, queue", single=True),
    Way("any order, queue", together=False),
    Way("programs together, queue"),
    Way("a share each", shares=True),
    Way("a share each, then others'", shares=True, helps=True),
)


class Outcome(NamedTuple):
    """How many units, and seconds.

    Attributes:
      units: how many.
      end: until all is stored.
      compiling: of all workers together.
      lost: likewise, in units that a failure has cut short.
      driver: in which the driver stores.
    """

    units: int
    end: float
    compiling: float
    lost: float
    driver: float


class Queue:
    """Units that any worker may take."""

    def __init__(self, units: np.ndarray, together: bool, rng: np.random.Generator):
        self.left = list(units)
        self.together = together
        self.at = [0] * len(units)
        order = np.repeat(np.arange(len(units)), units)
        self.order = rng.permutation(order).tolist() if not together else []

    def take(self, worker: int, last: int | None) -> int | None:
        """The program of the next unit; None where there is none."""
        if not self.together:
            return self.order.pop() if self.order else None
        if last is not None and self.left[last]:
            self.left[last] -= 1
            return last
        if last is not None:
            self.at[last] -= 1
        load = [n / (1 + at) for n, at in zip(self.left, self.at, strict=True)]
        program = int(np.argmax(load))
        if not self.left[program]:
            return None
        self.left[program] -= 1
        self.at[program] += 1
        return program

    def back(self, worker: int, program: int) -> None:
        """A unit is lost, and its worker forgets the program."""
        if not self.together:
            self.order.append(program)
            return
        self.left[program] += 1
        self.at[program] -= 1


class Shares:
    """Neighbouring units for each worker."""

    def __init__(self, units: np.ndarray, workers: int, helps: bool):
        order = np.repeat(np.arange(len(units)), units)
        self.shares = [s.tolist() for s in np.array_split(order, workers)]
        self.helps = helps

    def take(self, worker: int, last: int | None) -> int | None:
        """As in `Queue`."""
        if self.shares[worker]:
            return self.shares[worker].pop(0)
        if not self.helps:
            return None
        workers = len(self.shares)
        for step in range(1, workers):
            other = self.shares[(worker + step) % workers]
            if other:
                return other.pop()
        return None

    def back(self, worker: int, program: int) -> None:
        """As in `Queue`: it stays with this worker."""
        self.shares[worker].insert(0, program)


def networks_per_unit(networks: int, workers: int) -> int:
    """The rule of `relujax.engine.cut`."""
    seconds = networks * NETWORK / max(50, PER_WORKER * workers)
    return max(1, int(min(max(seconds, 1.0), 300.0) / NETWORK))


def simulate(networks: int, workers: int, way: Way, seed: int = 0) -> Outcome:
    """Work off a run.

    Args:
      networks: how many, in equal parts of each program.
      workers: how many processes of one core.
      way: how.
      seed: of failures, slow workers and the varying time of a unit.
    """
    rng = np.random.default_rng(seed)
    size = 1 if way.single else networks_per_unit(networks, workers)
    rest = [networks // PROGRAMS] * PROGRAMS  # networks that are not begun
    units = np.full(PROGRAMS, -(-rest[0] // size))
    source = (
        Shares(units, workers, way.helps)
        if way.shares
        else Queue(units, way.together, rng)
    )
    slow = rng.permutation(workers) < round(SLOW * workers)
    speed = np.where(slow, SLOWER, 1.0).tolist()
    noise = (0.9 + 0.2 * rng.random(2**16)).tolist()
    # Exponential, from numbers that every version of NumPy draws alike.
    lives = iter(_exponential(rng))
    dies = [START + next(lives) for _ in range(workers)]
    known: list[set[int]] = [set() for _ in range(workers)]
    last: list[int | None] = [None] * workers
    free = [(START, worker, False) for worker in range(workers)]
    end = compiling = lost = driver = 0.0
    done = 0
    while free:
        now, worker, has_rows = heapq.heappop(free)
        if has_rows:  # One driver stores what a queue's workers hand over.
            now = PUT + (now if way.shares else max(driver, now))
            driver, end, done = max(driver, now), max(end, now), done + 1
        program = source.take(worker, last[worker])
        if program is None:
            continue
        compiles = 0.0 if program in known[worker] else COMPILE * speed[worker]
        mine = min(size, rest[program])  # A program's last unit is shorter.
        takes = compiles + mine * NETWORK * speed[worker] * noise[done % 2**16]
        if now + takes > dies[worker]:
            lost += max(0.0, dies[worker] - now)
            source.back(worker, program)
            known[worker], last[worker] = set(), None
            back = dies[worker] + AWAY + START
            dies[worker] = back + next(lives)
            heapq.heappush(free, (back, worker, False))
            continue
        rest[program] -= mine
        known[worker].add(program)
        last[worker] = program
        compiling += compiles
        heapq.heappush(free, (now + takes, worker, True))
    stored = 0 if way.shares else done * PUT
    return Outcome(done, end, compiling, lost, stored)


def _exponential(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from (-LIFE * np.log1p(-rng.random(4096))).tolist()


def row(networks: int, workers: int, way: Way) -> str:
    """One line of the table."""
    found = simulate(networks, workers, way)
    ideal = networks * NETWORK / workers
    all_seconds = found.end * workers
    cells = (
        f"10^{len(str(networks)) - 1}",
        f"{workers:,}",
        way.name,
        f"{found.units:,}",
        f"{found.end / 60:.0f}",
        f"{100 * ideal / found.end:.0f} %",
        f"{100 * found.compiling / all_seconds:.0f} %",
        f"{100 * found.lost / all_seconds:.1f} %",
        f"{100 * found.driver / found.end:.0f} %",
    )
    return f"| {' | '.join(cells)} |"


def table() -> str:
    """The table of `docs/scale.md`."""
    names = ("networks", "workers", "how", "units", "minutes", "of ideal", "compiling",
             "lost", "driver busy")  # fmt: skip
    lines = [f"| {' | '.join(names)} |", "|--:|--:|---|" + "--:|" * 6]
    lines += [row(n, workers, way) for n, workers in SIZES for way in WAYS]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
