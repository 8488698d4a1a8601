"""`relujax bench`: what each plan trains in an hour on this machine."""

import time

import jax
from rich import box
from rich.table import Table

from relujax.cli._console import console
from relujax.cli._start import start
from relujax.engine import cores, gemm_peak, plan_name, provenance
from relujax.engine.benchmark import WORKLOADS, Speed, speeds

# Of the workloads, those that are measured in a minute.
_QUICK = ("WDBC MLP", "small MLP")


def show_speeds(*, quick: bool) -> None:
    """Print the table.

    Args:
      quick: the small workloads only.
    """
    start()
    began = time.perf_counter()
    known = provenance()
    console.print(f"{known['device']}, {cores()} cores, JAX {jax.__version__}.")
    before = gemm_peak()
    chosen = [w for w in WORKLOADS if not quick or w.name.startswith(_QUICK)]
    for speed in speeds(chosen):
        console.print(_table(speed))
        console.print(f"A run takes {speed.choice.why}.\n", soft_wrap=True)
    low, high = sorted((before, gemm_peak()))
    console.print(
        f"Matrix products, float32: at best {low / 1e9:.0f} to {high / 1e9:.0f} "
        f"GFLOP/s before and after. Took {time.perf_counter() - began:.0f} s.",
        soft_wrap=True,
    )
    console.print(
        "Training steps alone, compiled; data of the right shape, drawn at random."
    )


def _table(speed: Speed) -> Table:
    workload = speed.workload
    seeds = f"{workload.seeds:,} seeds"
    table = Table(box=box.SIMPLE_HEAD, title=f"{workload.name}; {seeds}")
    table.title_justify = "left"
    table.add_column("plan")
    table.add_column("ms a seed-step", justify="right")
    table.add_column("seeds per hour", justify="right")
    table.add_column("auto")
    for plan, seconds in speed.plans.items():
        table.add_row(
            plan_name(plan),
            f"{seconds * 1e3:.3g}",
            f"{speed.seeds_per_hour(plan):,.0f}",
            "takes it" if plan == speed.choice.plan else "",
        )
    return table
