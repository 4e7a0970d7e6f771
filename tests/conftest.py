"""Hypothesis profiles, chosen with the environment variable HYPOTHESIS_PROFILE.

`dev` (the default) looks somewhere new on each run and remembers what failed; `ci` is the same
run every time and keeps nothing; `deep` is for the night before a release.

Every setting is spelled out: with a `CI` variable set, Hypothesis starts from a profile of its own,
and whatever is left out here would be taken from that one.
"""

import os
import signal
import sys
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import Phase, Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase

# By its full path: some tests run in a folder of their own.
EXAMPLES = DirectoryBasedExampleDatabase(
    Path(__file__).resolve().parents[1] / ".hypothesis" / "examples"
)


def register(name: str, *, max_examples: int, steps: int, repeatable: bool) -> None:
    settings.register_profile(
        name,
        max_examples=max_examples,
        stateful_step_count=steps,
        derandomize=repeatable,
        database=None if repeatable else EXAMPLES,
        deadline=None,  # a busy machine is not a bug
        print_blob=True,
        report_multiple_bugs=True,
        suppress_health_check=(),
        phases=tuple(Phase),
        verbosity=Verbosity.normal,
    )


# A shell that runs the tests in the background has them ignore Ctrl-C, and so all that they start:
# a test that interrupts a program would wait in vain.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

register("dev", max_examples=40, steps=50, repeatable=False)
register("ci", max_examples=60, steps=50, repeatable=True)
register("deep", max_examples=2_000, steps=200, repeatable=False)

# Most tests are about other layers than the session; those that are about it take this away again.
os.environ["MOCKPUMP_OPEN"] = "1"
# And a port that is not there will not come.
os.environ["MOCKPUMP_WAIT"] = "0"

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "dev")

# Measured code runs six times slower (Python 3.11).  These are long walks through code that the
# tests of each module walk through as well; so they run unmeasured, and more of them can be run.
UNMEASURED = (
    "test_bundle.py::test_the_same_seed_gives_the_same_bundle",
    "test_campaign.py::test_the_command",
    "test_campaign.py::test_the_scenarios_of_a_few_seeds_break_nothing",
    "test_campaign.py::test_what_fails_is_cut_down_to_what_it_takes",
    "test_connection.py::TestTalk",
    "test_goodput.py",
    "test_hostile_line.py",
    "test_attribution_agrees.py",
    "test_limits.py::test_no_window_of_24_hours_holds_more_than_the_limit",
    "test_link.py::test_many_payloads_go_round_the_numbers",
    "test_memory.py::test_it_answers_as_a_naive_one_would[faulty]",
    "test_memory.py::test_it_answers_as_a_naive_one_would[ram]",
    "test_delivery_breakpoints.py::test_a_leap_is_the_same_as_every_corner_by_itself",
    "test_endpoint.py::test_a_flood_takes_no_memory",
    "test_scenarios.py",
    "test_strategies.py::test_every_class_comes_among_messages",
    "test_strategies.py::test_frames_carry_messages",
    "test_scenario_runner.py::test_a_scenario_is_told_to_its_end_the_same_each_time[ramp]",
    "test_whole_pump.py",
    "test_world.py::TestBesideANaivePump",
)


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One worker more than there are cores: some tests only wait, for a process or a timer."""
    workers = yield
    return workers if os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS") else workers + 1


def _short_id(item: pytest.Item) -> str:
    """Its id without the folders."""
    return item.path.name + item.nodeid[item.nodeid.index("::") :]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Run what coverage is not to measure without whatever traces the others.

    Not by pytest-cov's own mark: where xdist spreads the tests, that does not hold.
    """
    tracing, in_threads = sys.gettrace(), threading.gettrace()
    if tracing is None or not _short_id(item).startswith(UNMEASURED):
        yield
        return
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]  # typeshed does not know that it may be None
    try:
        yield
    finally:
        threading.settrace(in_threads)  # type: ignore[arg-type]
        sys.settrace(tracing)
