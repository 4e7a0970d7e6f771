"""Who runs a campaign: processes here, or a Dask cluster.  An interruption ends it at once.

The processes take no notice of Ctrl-C, which a terminal sends to all of them: they end because this
one ends them, whether it was interrupted or told to end.
"""

import contextlib
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

import click

from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.transports.errors import reason_of

# How long a cluster has to answer, in seconds.
_PATIENCE = 3
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def executor(jobs: int | None, dask: str | None) -> Iterator[Executor]:
    """What calls functions elsewhere: so many processes, or the cluster at an address.

    `UsageError` without the extra that clusters need, `ScenarioError` without a cluster.
    """
    with _cluster(dask) if dask else _processes(jobs or os.cpu_count()) as made:
        yield made


@contextlib.contextmanager
def _processes(jobs: int | None) -> Iterator[Executor]:
    with (
        ProcessPoolExecutor(jobs, initializer=_as_a_worker) as pool,
        contextlib.ExitStack() as unless_done,
    ):
        unless_done.callback(_give_up, pool)
        _start(pool)
        yield pool
        unless_done.pop_all()


def _give_up(pool: ProcessPoolExecutor) -> None:
    """Nobody wants the rest any more, neither what has begun nor what has not."""
    for child in multiprocessing.active_children():
        child.kill()
    pool.shutdown(wait=True, cancel_futures=True)


def _start(pool: ProcessPoolExecutor) -> None:
    """Have its processes made: a pool that is interrupted half made cannot be shut down."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        pool.submit(int)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _as_a_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client
    except ImportError:
        raise click.UsageError("--dask needs distributed: pip install distributed") from None
    try:
        client = Client(address, timeout=_PATIENCE)
    except OSError as error:
        raise ScenarioError(f"no Dask cluster at {address}: {reason_of(error)}") from None
    with client:
        # Every run is another one, though some look alike.
        yield client.get_executor(pure=False)
