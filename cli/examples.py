"""The example programs and scenarios that come with the package."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from mockpump.emulator.simulation.errors import ScenarioError
from mockpump.protocol.program import Program
from mockpump.protocol.program_toml import loads

if TYPE_CHECKING:
    from mockpump.emulator.simulation.scenario import Scenario


def program_text(name: str) -> str:
    """One of `examples/programs`, by its name without the ending; `ScenarioError` without it."""
    folder = files("mockpump") / "examples" / "programs"
    known = sorted(each.name.removesuffix(".toml") for each in folder.iterdir())
    if name not in known:
        raise ScenarioError(f'there is no program "{name}"; there are {", ".join(known)}')
    return (folder / f"{name}.toml").read_text("utf-8")


@cache
def example_program(name: str) -> Program:
    """The same, read."""
    return loads(program_text(name).encode(), f"examples/programs/{name}.toml")


def scenario_names() -> list[str]:
    """The names of the scenarios in `examples/scenarios`."""
    folder = files("mockpump") / "examples" / "scenarios"
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def scenario_text(name: str) -> str:
    """One of `examples/scenarios`, by its name without the ending; `ScenarioError` without it."""
    if name not in scenario_names():
        raise ScenarioError(
            f'there is no scenario "{name}"; there are {", ".join(scenario_names())}'
        )
    return (files("mockpump") / "examples" / "scenarios" / f"{name}.toml").read_text("utf-8")


def example_scenario(name: str) -> "Scenario":
    """The same, read."""
    # A shell that completes a name does not wait for this.
    from mockpump.emulator.simulation.scenario import load_scenario

    return load_scenario(scenario_text(name), f"examples/scenarios/{name}.toml")
