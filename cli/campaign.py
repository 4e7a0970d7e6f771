"""`mockpump campaign`: thousands of random stories on bad lines, watched by the invariants."""

import contextlib
import os
import random
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import click

from mockpump.cli.examples import example_program
from mockpump.cli.main import EXIT_REFUSED
from mockpump.cli.render import as_json, bar, redrawn, show
from mockpump.cli.render_faults import show_faults
from mockpump.emulator.transports.errors import reason_of
from mockpump.emulator.world.campaign import Result, campaign, cut_down, total
from mockpump.emulator.world.invariants import INVARIANTS
from mockpump.emulator.world.story import StoryError

_MOST_SHOWN = 5


@click.command("campaign")
@click.option("--runs", type=click.IntRange(1, 10_000_000), default=200, show_default=True)
@click.option("--jobs", type=click.IntRange(1, 1_024), help="Processes; else one a core.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the first run; else drawn.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write a scenario for each failure into this folder.",
)
@click.option("--dask", metavar="ADDRESS", help="Run on the Dask cluster at this address.")
@click.option("--json", "json_", is_flag=True, help="Print the summary as JSON.")
def run_campaign(
    runs: int, jobs: int | None, seed: int | None, keep: Path | None, dask: str | None, json_: bool
) -> None:
    """Run random stories, each a day of a pump on a bad line, and look at what must always be so.

    Run number N of a campaign is the story of seed SEED + N.  A failure is shown as its seed, and
    cut down to a small scenario that `mockpump run` takes.  Exit code 1 when there was one.
    """
    first = random.SystemRandom().randrange(10**9) if seed is None else seed
    results: list[Result] = []
    with _executor(jobs, dask) as executor:
        for result in campaign(range(first, first + runs), executor, example_program):
            results.append(result)
            _progress(sum(each.runs for each in results), runs, json_)
    whole = total(results)
    _conclude(whole, first, json_)
    if whole.failed:
        _show_failures(whole, keep, json_)
        sys.exit(EXIT_REFUSED)


@contextlib.contextmanager
def _executor(jobs: int | None, dask: str | None) -> Iterator[Executor]:
    if dask is None:
        with ProcessPoolExecutor(jobs or os.cpu_count()) as pool:
            try:
                yield pool
            except BaseException:
                # What has not begun is not wanted any more.
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return
    try:
        from distributed import Client
    except ImportError:
        raise click.UsageError("--dask needs the extra: pip install 'mockpump[dask]'") from None
    try:
        client = Client(dask, timeout=10)
    except OSError as error:
        raise StoryError(f"no Dask cluster at {dask}: {reason_of(error)}") from None
    with client:
        # Every run is another one, though some look alike.
        yield client.get_executor(pure=False)


def _progress(done: int, runs: int, json_: bool) -> None:
    if sys.stderr.isatty() and not json_:
        line = f"  {bar(done, runs, 40)} {done:,} of {runs:,} runs"
        sys.stderr.write(redrawn(line) + ("\n" if done == runs else ""))
        sys.stderr.flush()


def _conclude(whole: Result, first: int, json_: bool) -> None:
    if json_:
        failed = {str(seed): wrong for seed, wrong in whole.failed.items()}
        facts = {"seed": first, "runs": whole.runs, "failed": failed, "faults": whole.faults}
        click.echo(as_json(facts))
        return
    show(f"{whole.runs:,} runs from seed {first} on, {len(whole.failed):,} failed")
    show("")
    show_faults(whole.faults)
    show("")
    for invariant in INVARIANTS:
        show((f"{invariant.name:<14}", "bold"), invariant.sentence)


def _show_failures(whole: Result, keep: Path | None, json_: bool) -> None:
    for seed, wrong in list(whole.failed.items())[:_MOST_SHOWN]:
        text = cut_down(seed, example_program)
        if keep is not None:
            _write(keep / f"campaign-{seed}.toml", text)
        if not json_:
            show("")
            show(f"seed {seed}: {wrong}", style="red")
            show(text)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    except OSError as error:
        raise StoryError(f"{file}: {reason_of(error)}") from None
