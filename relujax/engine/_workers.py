"""Jobs side by side in threads, which a Ctrl-C stops."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event


class Stopped(BaseException):
    """Raised in a job after another one, or the user, has ended the run."""


def side_by_side(
    jobs: Sequence[Callable[[Callable[[], None]], None]], workers: int
) -> None:
    """Run jobs, `workers` at a time.

    Args:
      jobs: each is called with a function that it calls now and then: it raises where
        the job is to stop.
      workers: with one, the jobs run in this thread.
    """
    if workers == 1:
        for job in jobs:
            job(lambda: None)
        return
    stop = Event()

    def checkpoint():
        if stop.is_set():
            raise Stopped

    pool = ThreadPoolExecutor(workers)
    try:
        for done in [pool.submit(job, checkpoint) for job in jobs]:
            done.result()
    finally:
        # Nothing is left to stop if all went well.
        stop.set()
        pool.shutdown(cancel_futures=True)
