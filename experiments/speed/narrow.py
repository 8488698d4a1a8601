"""The study of narrow, deep networks: this library against the paper's PyTorch listing.

  python experiments/speed/narrow.py [--torch PYTHON] [--repeats R]

Times one network of every activation, size, dimension and depth of Morrison, Gode and
Conner (2025), 100 full-batch steps of Adam each, in PyTorch (one thread, its best for
networks this small; pass --threads 2 to see) and here, as part of a population of ten;
then all 7,200 networks here, in a fresh process, compilation included, against the sum
of PyTorch's times. Writes `experiments/results/relu_variants/times.csv`, from which the
study's claims about time are judged. Needs an idle machine.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent
FOLDER = HERE.parent / "results" / "relu_variants"
ACTIVATIONS = ("relu", "leaky_relu", "al_relu", "elu", "selu", "prelu")
DEPTHS, SIZES, DIMENSIONS = (1, 3, 10, 30), (100, 500), (1, 2, 5)
SEEDS = 10


def torch_seconds(
    options: argparse.Namespace, n: int, d: int, depth: int, *flags: str
) -> dict[str, list[float]]:
    """PyTorch's times for one classification network by activation; 80 % train it."""
    command = [
        *(options.torch, str(HERE / "torch_loops.py"), "narrow", "--classes", *flags),
        *("--activations", *ACTIVATIONS, "--depth", str(depth), "--d", str(d)),
        *("--n", str(n * 4 // 5), "--repeats", str(options.repeats)),
        *("--threads", str(options.threads)),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def own_seconds(activation: str, n: int, d: int, depth: int, repeats: int):
    """Seconds per network of a population of ten, without compilation."""
    from relujax import Cell, load_dataset
    from relujax.engine import Member, Plan, train_population

    cell = Cell(
        data=f"synthetic(curve='two_class', n={n}, d={d}, columns=5)",
        model=f"deep_mlp(width=8, depth={depth}, inputs={d})",
        activation=activation,
        optimizer="adam(learning_rate=0.01)",
        objective="binary_cross_entropy",
        batch_size=n,
        epochs=100,
        evaluate_every=25,
        tolerances=(1e-2, 1e-3, 1e-5),
    )
    data = load_dataset(cell.data)
    members = [Member(cell, seed) for seed in range(SEEDS)]
    seconds = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        list(train_population(members, data, root=0, plan=Plan("map")))
        seconds.append((time.perf_counter() - start) / SEEDS)
    return seconds[1:]


WHOLE = """
import json, sys, tempfile, time
start = time.perf_counter()
from pathlib import Path
from relujax.cli._study_file import load_study
from relujax.engine import one_device_per_core, plan_tasks, run_tasks
one_device_per_core()
study = load_study(Path(sys.argv[1]))
with tempfile.TemporaryDirectory() as folder:
    tasks = plan_tasks(study.profiles["paper"], range(10), Path(folder))
    failures = run_tasks(tasks)
    networks = sum(len(set(task.store.load()["seed"])) for task in tasks)
print(json.dumps([networks, len(failures), time.perf_counter() - start]))
"""


def whole_study() -> float:
    """Wall time of all 7,200 networks: imports, compilation, training, storage."""
    study = HERE.parent / "relu_variants.py"
    done = subprocess.run(
        [sys.executable, "-c", WHOLE, str(study)],
        capture_output=True,
        text=True,
        check=True,
    )
    networks, failures, seconds = json.loads(done.stdout.splitlines()[-1])
    assert (networks, failures) == (7200, 0), done.stdout
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--runs", type=int, default=3, help="of the whole study")
    options = parser.parse_args()
    rows, fused = [], []
    for n, d, depth in itertools.product(SIZES, DIMENSIONS, DEPTHS):
        theirs = torch_seconds(options, n, d, depth)
        for activation in ACTIVATIONS:
            ours = own_seconds(activation, n, d, depth, options.repeats)
            times = {"torch": theirs[activation], "relujax": ours}
            rows += [
                (program, activation, n, d, depth, repeat, one)
                for program, seconds in times.items()
                for repeat, one in enumerate(seconds)
            ]
        if d == DIMENSIONS[-1]:
            best = torch_seconds(options, n, d, depth, "--fused")
            fused.append(sum(map(np.median, best.values())))
            fused[-1] /= sum(map(np.median, theirs.values()))
        print(f"n = {n}, d = {d}, depth = {depth}: timed", flush=True)
    columns = ["program", "activation", "n", "d", "depth", "repeat", "seconds"]
    table = pd.DataFrame(rows, columns=columns)
    FOLDER.mkdir(parents=True, exist_ok=True)
    table.round({"seconds": 7}).to_csv(FOLDER / "times.csv", index=False)
    report(table, float(np.mean(fused)), options.runs)


def report(table: pd.DataFrame, fused: float, runs: int) -> None:
    medians = table.groupby(["program", "activation", "n", "d", "depth"])["seconds"]
    by_depth = medians.median().unstack("depth").groupby("program").mean()
    print("\nMilliseconds per network, mean over activations and samples, by depth:")
    print((1000 * by_depth).round(2).to_string())
    # 30 samples: five families of each size and dimension; ten networks of each.
    torch = float(medians.median()["torch"].sum()) * 5 * SEEDS
    ours = [whole_study() for _ in range(runs)]
    print(
        f"\nAll 7,200 networks: PyTorch {torch:.0f} s (extrapolated; with the fused "
        f"Adam {torch * fused:.0f} s), relujax {np.median(ours):.1f} s with "
        f"compilation ({', '.join(f'{s:.1f}' for s in ours)}): "
        f"{torch / np.median(ours):.1f} × ({torch * fused / np.median(ours):.1f} ×)."
    )


if __name__ == "__main__":
    main()
