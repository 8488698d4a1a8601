"""What a Ray cluster costs: two workers of one core against one process on two devices.

  ray start --head --port=6379 --num-cpus=1 --include-dashboard=false
  ray start --address=127.0.0.1:6379 --num-cpus=1
  python experiments/speed/ray_overhead.py [--repeats R] [--seeds S]

On a machine with more than two cores, `taskset -c 0,1` before each line gives both the
same two. Nothing else should run. Both train the same networks on one thread a device,
in a new process and a new folder each time, so that starting, compiling and storing
count on both sides; no compiled program is kept. After a short pair that is not counted
they take turns, and so does who is first. The table has each pair and whether their
numbers are the same bits; the last line is the median of the ratios, Ray to here. In
one process a run should take five minutes or more, else the script says so: raise
--seeds.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

LEAST = 300.0  # seconds of a run

# Three programs. The workers take the same settings over, or get them from `relujax`.
RUN = """
import os, sys
where, seeds, out = sys.argv[1:]
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["PJRT_NPROC"] = "1"
os.environ["JAX_NUM_CPU_DEVICES"] = "2" if where == "here" else "1"
import relujax
cells = [
    relujax.Cell(data="digits", model="mlp(hidden=(128, 128))", activation=name,
                 epochs=30)
    for name in ("relu", "elu", "silu")
]
relujax.run(cells, int(seeds), out=out, where=where, plan="map", progress=False)
"""


def measured(where: str, seeds: int) -> tuple[float, pd.DataFrame]:
    """The wall time of a run, and its numbers in one order."""
    with tempfile.TemporaryDirectory() as out:
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", RUN, where, str(seeds), out], check=True)
        seconds = time.perf_counter() - begun
        paths = sorted(Path(out).glob("*/seeds-*.parquet"))
        frames = [pd.read_parquet(path).assign(cell=path.parent.name) for path in paths]
    keys = ["cell", "seed", "epoch", "split"]
    return seconds, pd.concat(frames).sort_values(keys, ignore_index=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=200)
    given = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    table = Table(
        title=f"3 programs, {3 * given.seeds} networks, {cores} cores: seconds"
    )
    for name in ("one process, two devices", "two Ray workers", "ratio", "same bits"):
        table.add_column(name, justify="right")
    ratios, shortest = [], float("inf")
    for pair in range(given.repeats + 1):
        order = ("here", "ray") if pair % 2 else ("ray", "here")
        found = {w: measured(w, given.seeds if pair else 2) for w in order}
        if not pair:
            continue
        (here, rows), (ray, others) = found["here"], found["ray"]
        ratios.append(ray / here)
        shortest = min(shortest, here)
        same = "yes" if rows.equals(others) else "no"
        table.add_row(f"{here:.1f}", f"{ray:.1f}", f"{ratios[-1]:.3f}", same)
    Console().print(table)
    if shortest < LEAST:
        Console().print(f"Too short: {shortest:.0f} s of {LEAST:.0f}; raise --seeds.")
    Console().print(f"Median ratio: {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
