"""Who runs a campaign: processes here, or a Dask cluster."""

import contextlib
import os
from collections.abc import Iterator

import click

from mockpump.cli.worker_pool import WorkerPool
from mockpump.emulator.simulation.campaign import Pool
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.transports.errors import reason_of

# How long a cluster has to answer, in seconds.
_PATIENCE = 3


@contextlib.contextmanager
def executor(jobs: int | None, dask: str | None) -> Iterator[Pool]:
    """What calls functions elsewhere: that many processes, or the cluster at an address.

    `UsageError` without the extra that clusters need, `ScenarioError` without a cluster.
    """
    with _cluster(dask) if dask else _processes(jobs or os.cpu_count() or 1) as made:
        yield made


@contextlib.contextmanager
def _processes(jobs: int) -> Iterator[Pool]:
    pool = WorkerPool(jobs)
    with contextlib.ExitStack() as unless_done:
        unless_done.callback(pool.kill)
        yield pool
        unless_done.pop_all()
    pool.end()


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Pool]:
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
