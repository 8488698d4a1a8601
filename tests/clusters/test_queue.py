"""Which worker gets which unit."""

from typing import NamedTuple

from relujax.clusters._queue import Queue


class Piece(NamedTuple):
    program: str
    seconds: float
    number: int = 0


def pieces(program, count, seconds):
    return [Piece(program, seconds, number) for number in range(count)]


def test_a_worker_stays_with_the_program_that_it_has_compiled():
    queue = Queue([*pieces("a", 2, 1.0), *pieces("b", 2, 1.0)])
    first = queue.take()
    assert first.program == "a"
    assert queue.take("a").program == "a"
    assert queue.take("a").program == "b"


def test_each_program_gets_a_worker_before_one_gets_two():
    queue = Queue([*pieces("a", 9, 100.0), *pieces("b", 3, 1.0)])
    assert [queue.take().program for _ in range(4)] == ["a", "b", "a", "a"]


def test_a_worker_rests_rather_than_compile_what_is_soon_done():
    queue = Queue(pieces("a", 3, 1.0))
    queue.take()
    assert queue.take() is None and len(queue) == 2


def test_a_unit_of_a_lost_worker_comes_first():
    queue = Queue(pieces("a", 3, 1.0))
    lost = queue.take()
    queue.give_back(lost)
    assert queue.take() == lost
