"""Campaigns: a seed is a scenario; what fails is cut down and can be run by hand."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outside import COMMAND, PATIENCE, Command, in_process

from mockpump.cli.examples import example_program
from mockpump.emulator.schedule import WEEK
from mockpump.emulator.simulation import campaign as campaigns
from mockpump.emulator.simulation.actions.requests import Clock, Refill
from mockpump.emulator.simulation.campaign import (
    campaign,
    cut_down,
    random_facts,
    random_scenario,
    run_seeds,
    scenario_text,
    total,
)
from mockpump.emulator.simulation.invariants import Watched
from mockpump.emulator.simulation.scenario import Scenario, load_scenario
from mockpump.protocol.units import read_week_time


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    return in_process(capsys, monkeypatch)


@given(st.integers(0, 10**6))
def test_a_seed_is_a_scenario_that_can_be_written_and_read(seed: int) -> None:
    scenario = random_scenario(seed)
    assert scenario == load_scenario(scenario_text(random_facts(seed)), "x")
    assert scenario.step[-1].at == "24h"


@given(st.integers(0, 10**6))
def test_no_random_scenario_sets_a_clock_to_before_its_first_week(seed: int) -> None:
    """Whatever it shows by then: what is nearest is at most half a week back."""
    actions = [step.action for step in random_scenario(seed).step]
    set_to = [action for action in actions if isinstance(action, Clock)]
    assert all(read_week_time(each.time) < WEEK // 2 for each in set_to)


def test_the_scenarios_of_a_few_seeds_break_nothing() -> None:
    result = run_seeds(range(8), example_program)
    assert result.failed == {}
    assert result.runs == 8
    assert sum(sum(layers.values()) for layers in result.faults.values()) > 50


def test_a_run_reads_its_scenario_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counting(text: str, name: str) -> Scenario:
        read.append(text)
        return load_scenario(text, name)

    monkeypatch.setattr(campaigns, "load_scenario", counting)
    run_seeds([3, 4], example_program)
    assert read == [scenario_text(random_facts(seed)) for seed in (3, 4)]


def test_it_does_not_matter_who_runs_them() -> None:
    alone = run_seeds(range(30, 33), example_program)
    with ThreadPoolExecutor(2) as executor:
        together = total(list(campaign(range(30, 33), executor, example_program)))
    assert total([alone]) == together


def _threads(jobs: int | None, _dask: str | None) -> ThreadPoolExecutor:
    """Threads in place of processes, in which what a test has put in place holds too."""
    return ThreadPoolExecutor(jobs)


def broken(checked: Watched) -> Any:
    kinds = [each.kind.name for each in checked.world.pump.memory.log(1, 1_000).entries]
    if "REFILLED" in kinds:
        yield "no-refills: somebody has refilled it"


def test_what_fails_is_cut_down_to_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Watched, "broken", broken)
    failed = run_seeds(range(3), example_program).failed
    assert failed
    seed = min(failed)
    text = cut_down(seed, example_program)
    scenario = load_scenario(text, "x")
    assert [type(step.action) for step in scenario.step] == [Refill]
    assert scenario.channel == {}
    assert text.startswith("# no-refills")


def test_an_error_is_a_finding_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(campaigns, "run_facts", fail)
    assert run_seeds([1], example_program).failed == {1: "ZeroDivisionError: oh"}


def test_the_command(command: Command) -> None:
    ended = command("campaign", "--runs", "10", "--seed", "3", "--jobs", "2")
    assert ended.code == 0
    assert "10 runs from seed 3 on, 0 failed" in ended.out
    assert "exactly-once" in ended.out
    again = command("campaign", "--runs", "10", "--seed", "3", "--jobs", "1", "--json")
    assert '"runs": 10' in again.out


def test_the_command_with_a_failure(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Watched, "broken", broken)
    monkeypatch.setattr("mockpump.cli.campaign.executor", _threads)
    kept = tmp_path / "kept"
    ended = command("campaign", "--runs", "1", "--seed", "0", "--keep", str(kept))
    assert ended.code == 1
    assert "somebody has refilled it" in ended.out
    again = command("run", str(min(kept.iterdir())))
    assert (again.code, "somebody has refilled it" in again.err) == (1, True)


@contextlib.contextmanager
def campaign_of(jobs: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A long campaign whose workers are at work, and a pipe that ends with its last process."""
    reading, writing = os.pipe()
    arguments = ["campaign", "--runs", "100000", "--seed", "1", "--jobs", str(jobs)]
    with subprocess.Popen(
        [*COMMAND, *arguments], stderr=subprocess.PIPE, pass_fds=[writing], start_new_session=True
    ) as process:
        os.close(writing)
        try:
            wait_for_children(process.pid, jobs)
            yield process, reading
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            os.close(reading)


@pytest.mark.end_to_end
@pytest.mark.parametrize(
    ("number", "code", "jobs"),
    [
        (signal.SIGINT, 130, 1),
        (signal.SIGINT, 130, 2),
        (signal.SIGTERM, -signal.SIGTERM, 2),
    ],
)
def test_an_interrupted_campaign_leaves_no_process(
    number: signal.Signals, code: int, jobs: int
) -> None:
    with campaign_of(jobs) as (process, ended):
        # As a terminal does it: to all of them.
        os.killpg(process.pid, number)
        _, err = process.communicate(timeout=PATIENCE)
        gone, _, _ = select.select([ended], [], [], PATIENCE)
    assert process.returncode == code
    assert gone
    how = b"interrupted; " if number is signal.SIGINT else b"told to end; "
    assert err.strip().startswith(how)
    assert err.strip().endswith(b"of 100,000 runs from seed 1 on were done, 0 failed")


@pytest.mark.end_to_end
def test_a_killed_campaign_leaves_no_process() -> None:
    with campaign_of(3) as (process, ended):
        process.kill()
        gone, _, _ = select.select([ended], [], [], PATIENCE)
    assert gone


@pytest.mark.end_to_end
def test_a_campaign_says_that_one_of_its_processes_was_killed() -> None:
    with campaign_of(2) as (process, _):
        os.kill(int(children(process.pid)[0]), signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert err == b"mockpump: one of the processes was killed, and its runs are lost\n"


def wait_for_children(pid: int, count: int) -> None:
    """Until a process has this many children that take no notice of SIGINT."""
    deadline = time.monotonic() + PATIENCE
    while len([each for each in children(pid) if ignores(each, signal.SIGINT)]) < count:
        assert time.monotonic() < deadline
        os.sched_yield()


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()


def ignores(pid: str, number: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(ignored.split()[1], 16) >> (number - 1) & 1)


@pytest.mark.end_to_end
def test_a_cluster_comes_to_the_same_as_this_machine(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    # Small batches, so that both of its workers have something to do.
    monkeypatch.setattr(campaigns, "_BATCH", 1)
    told = ("campaign", "--runs", "6", "--seed", "7", "--json")
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        ended = command(*told, "--dask", cluster.scheduler_address)
    assert ended.code == 0
    assert '"runs": 6' in ended.out
    assert ended.out == command(*told, "--jobs", "2").out


def test_no_cluster_is_one_line(command: Command) -> None:
    ended = command("campaign", "--runs", "1", "--dask", "tcp://127.0.0.1:1")
    assert ended.code == 2
    assert "Traceback" not in ended.err
