"""Worker processes: one that was killed is not taken for somebody who reads no output any more."""

import pytest

from mockpump.cli.worker_pool import WorkerPool
from mockpump.emulator.simulation.errors import ScenarioError


def test_a_worker_that_was_killed_before_it_had_anything_to_do_is_called_that() -> None:
    pool = WorkerPool(1)
    (worker,) = pool._processes
    worker.kill()
    worker.join()
    with pytest.raises(ScenarioError, match="one of the processes was killed"):
        list(pool.map(abs, [-1]))
    pool.end()


def test_results_come_in_the_order_of_the_items() -> None:
    pool = WorkerPool(2)
    assert list(pool.map(abs, range(-20, 0))) == list(range(20, 0, -1))
    pool.end()
