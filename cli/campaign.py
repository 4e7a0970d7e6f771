"""`mockpump campaign`: thousands of random scenarios on bad lines, checked by the invariants."""

import sys
from pathlib import Path

import click

from mockpump.cli.examples import example_program
from mockpump.cli.executors import executor
from mockpump.cli.files import write_file
from mockpump.cli.main import EXIT_REFUSED
from mockpump.cli.render import as_json, bar, can_redraw, show
from mockpump.cli.signals import telling
from mockpump.cli.tables import fault_facts, show_facts, show_faults
from mockpump.cli.terminal import echo, redraw
from mockpump.emulator.simulation.campaign import Result, campaign, cut_down, total
from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.emulator.simulation.invariants import SENTENCES
from mockpump.emulator.transports import drawing
from mockpump.emulator.transports.errors import reason_of

_MOST_SHOWN = 5
# A run's pump is named after its seed, and a pump's name is short.
_LAST_SEED = 10**15


@click.command("campaign")
@click.option(
    "--runs",
    type=click.IntRange(1, 10_000_000),
    default=200,
    show_default=True,
    help="How many scenarios.",
)
@click.option("--jobs", type=click.IntRange(1, 1_024), help="Processes; else one a core.")
@click.option(
    "--seed", type=click.IntRange(0, _LAST_SEED), help="Seed of the first run; else drawn."
)
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
    """Run random scenarios, each a day of a pump on a bad line, and look at what must always be so.

    Run number N of a campaign is the scenario of seed SEED + N.  A failure is shown as its seed,
    and cut down to a small scenario that `mockpump run` takes.  Exit code 1 when there was one.
    """
    first = drawing.seed() if seed is None else seed
    whole = _run(range(first, first + runs), jobs, dask, json_)
    _conclude(whole, first, json_)
    if whole.failed:
        _show_failures(whole, keep, json_)
        sys.exit(EXIT_REFUSED)


def _run(seeds: range, jobs: int | None, dask: str | None, json_: bool) -> Result:
    results: list[Result] = []
    with telling(lambda: _so_far(total(results), seeds)), executor(jobs, dask) as pool:
        for result in campaign(seeds, pool, example_program):
            results.append(result)
            _progress(sum(each.runs for each in results), len(seeds), json_)
    return total(results)


def _so_far(done: Result, seeds: range) -> str:
    shown = ", ".join(str(seed) for seed in list(done.failed)[:_MOST_SHOWN])
    which = f" (seed {shown})" if shown else ""
    return (
        f"{done.runs:,} of {len(seeds):,} runs from seed {seeds[0]} on were done,"
        f" {len(done.failed):,} failed{which}"
    )


def _progress(done: int, runs: int, json_: bool) -> None:
    if can_redraw(sys.stderr) and not json_:
        line = f"  {bar(done, runs, 40)} {done:,} of {runs:,} runs"
        redraw(line, err=True, last=done == runs)


def _conclude(whole: Result, first: int, json_: bool) -> None:
    if json_:
        failed = {str(seed): wrong for seed, wrong in whole.failed.items()}
        facts = {
            "seed": first,
            "runs": whole.runs,
            "failed": failed,
            "faults": fault_facts(whole.faults),
        }
        echo(as_json(facts))
        return
    runs = "1 run" if whole.runs == 1 else f"{whole.runs:,} runs"
    show(f"{runs} from seed {first} on, {len(whole.failed):,} failed")
    show("")
    show_faults(whole.faults)
    show("")
    show_facts(SENTENCES)


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
        write_file(file, text.encode())
    except OSError as error:
        raise ScenarioError(f"{file}: {reason_of(error)}") from None
