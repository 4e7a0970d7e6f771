"""The example programs and stories that come with the package."""

from functools import cache
from importlib.resources import files

from mockpump.emulator.world.story import Story, StoryError
from mockpump.emulator.world.story_reading import load_story
from mockpump.protocol.program import Program
from mockpump.protocol.program_toml import loads


def program_text(name: str) -> str:
    """One of `examples/programs`, by its name without the ending; `StoryError` without it."""
    folder = files("mockpump") / "examples" / "programs"
    known = sorted(each.name.removesuffix(".toml") for each in folder.iterdir())
    if name not in known:
        raise StoryError(f'there is no program "{name}"; there are {", ".join(known)}')
    return (folder / f"{name}.toml").read_text("utf-8")


@cache
def example_program(name: str) -> Program:
    """The same, read."""
    return loads(program_text(name).encode(), f"examples/programs/{name}.toml")


def story_names() -> list[str]:
    """The names of the stories in `examples/scenarios`."""
    folder = files("mockpump") / "examples" / "scenarios"
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def story_text(name: str) -> str:
    """One of `examples/scenarios`, by its name without the ending; `StoryError` without it."""
    if name not in story_names():
        raise StoryError(f'there is no story "{name}"; there are {", ".join(story_names())}')
    return (files("mockpump") / "examples" / "scenarios" / f"{name}.toml").read_text("utf-8")


def example_story(name: str) -> Story:
    """The same, read."""
    return load_story(story_text(name), f"examples/scenarios/{name}.toml")
