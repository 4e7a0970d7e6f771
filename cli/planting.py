"""A run with a planted defect: `mockpump run SCENARIO --defect RUNG/NAME`.

The one idea: a defect must be in place before the module that it changes is imported, and by the
time a command reads its options most are.  So the process starts over as this module, which
imports nothing that a defect could be in, plants the defect, and runs the same command line.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from mockpump.exercises.errors import ExerciseError
from mockpump.exercises.planting import PlantedDefect, defect_named, defect_names, planted


def run_with(name: str) -> None:
    """Go on with that defect in place: at once if it is, else from the beginning.

    No name, no defect.  `ScenarioError` when there is no such defect.
    """
    if name and planted() is None:
        _expect_known(name)
        _start_over(name)


def _expect_known(name: str) -> None:
    from mockpump.emulator.simulation.errors import ScenarioError

    try:
        defect_named(name)
    except ExerciseError as error:
        raise ScenarioError(f"{error}: {_hint(name)}") from None


def _hint(name: str) -> str:
    from mockpump.protocol.units import did_you_mean

    names = defect_names()
    beside = [each for each in names if each.partition("/")[0] == name.partition("/")[0]]
    near = did_you_mean(name, names)
    if near or not beside:
        return f"did you mean {near}?" if near else f"use RUNG/NAME, as in {names[0]}"
    return f"use {', '.join(beside)}"


def _start_over(name: str) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: what lies in the current folder is not imported by its name.
    os.execv(sys.executable, [sys.executable, "-P", "-m", __name__, name, *sys.argv[1:]])


@contextmanager
def blamed(tell: Callable[[str, str], object] = lambda *_: None) -> Iterator[None]:
    """Whatever a planted defect makes a scenario raise is a failure of the scenario, and told."""
    from mockpump.emulator.simulation.errors import ExpectationFailed, ScenarioError

    try:
        yield
    except ScenarioError:
        raise
    except Exception as error:
        if planted() is None:
            raise
        failure = f"{type(error).__name__}: {error}"
        tell("failed", failure)
        raise ExpectationFailed(failure) from error


def main() -> None:
    """Plant the defect that the first argument names, and run what the others say."""
    name = sys.argv.pop(1)
    PlantedDefect(name).install()
    from mockpump.__main__ import main as run

    run()


if __name__ == "__main__":
    main()
