"""Groups side by side: the same results, and a stop that stops."""

import threading

import pandas as pd
import pytest

from relujax.engine import Cell, Watcher, collect, plan_tasks, run_tasks
from relujax.engine._workers import Stopped, side_by_side


def cells():
    return [
        Cell(
            data=f"synthetic(curve={curve!r}, n=60, d=2)",
            model="deep_mlp(depth=2, capacity=2)",
            activation=activation,
            objective="mse",
            batch_size=60,
            epochs=2,
        )
        for curve in ("linear", "quadratic")
        for activation in ("relu", "elu")
    ]


def test_workers_change_no_number(tmp_path):
    frames = []
    for workers in (1, 3):
        tasks = plan_tasks(cells(), range(2), tmp_path / str(workers))
        done = []
        assert (
            run_tasks(tasks, workers=workers, watcher=Watcher(epochs=done.append)) == []
        )
        assert sum(done) == 4 * 2 * 2
        frames.append(collect(tasks, range(2)))
    pd.testing.assert_frame_equal(*frames)


def test_an_error_in_the_caller_stops_the_other_jobs():
    started, go_on = threading.Event(), threading.Event()
    ended = []

    def endless(checkpoint):
        started.set()
        try:
            while True:
                checkpoint()
                go_on.wait(0.01)
        except Stopped:
            ended.append(True)
            raise

    def failing(_checkpoint):
        started.wait()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        side_by_side([failing, endless, failing], workers=2)
    assert ended == [True]
