"""The example programs and scenarios that come with the package."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.protocol.program import Program
from mockpump.protocol.program_toml import loads
from mockpump.protocol.units import did_you_mean

if TYPE_CHECKING:
    from mockpump.emulator.simulation.scenario import Scenario


def program_names() -> list[str]:
    """The names of the programs in `examples/programs`."""
    return _names("programs")


def program_text(name: str) -> str:
    """One of `examples/programs`, by its name without the ending; `ScenarioError` without it."""
    return _text("program", name)


@cache
def example_program(name: str) -> Program:
    """The same, read."""
    return loads(program_text(name).encode(), f"examples/programs/{name}.toml")


def scenario_names() -> list[str]:
    """The names of the scenarios in `examples/scenarios`."""
    return _names("scenarios")


def scenario_text(name: str) -> str:
    """One of `examples/scenarios`, by its name without the ending; `ScenarioError` without it."""
    return _text("scenario", name)


def _names(folder: str) -> list[str]:
    found = (files("mockpump") / "examples" / folder).iterdir()
    return sorted(each.name.removesuffix(".toml") for each in found)


def _text(kind: str, name: str) -> str:
    known = _names(f"{kind}s")
    if name not in known:
        raise ScenarioError(f'there is no {kind} "{name}"; {nearest_example(name, known)}')
    return (files("mockpump") / "examples" / f"{kind}s" / f"{name}.toml").read_text("utf-8")


def nearest_example(name: str, known: list[str]) -> str:
    """What to say about a name that is not known: the one that may be meant, and all there are."""
    near = did_you_mean(name, known)
    meant = f'did you mean "{near}"? ' if near else ""
    return f"{meant}the examples are {', '.join(known)}"


def example_scenario(name: str) -> "Scenario":
    """The same, read."""
    # A shell that completes a name does not wait for this.
    from mockpump.emulator.simulation.scenario import load_scenario

    return load_scenario(scenario_text(name), f"examples/scenarios/{name}.toml")
