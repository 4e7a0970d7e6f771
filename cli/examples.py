"""The example programs and stories that come with the package."""

from importlib.resources import files

from mockpump.emulator.world.story import Story, StoryError, load_story
from mockpump.protocol.program import Program
from mockpump.protocol.program_toml import loads


def example_program(name: str) -> Program:
    """One of `examples/programs`, by its name without the ending."""
    file = files("mockpump") / "examples" / "programs" / f"{name}.toml"
    return loads(file.read_bytes(), f"examples/programs/{name}.toml")


def story_names() -> list[str]:
    """The names of the stories in `examples/scenarios`."""
    folder = files("mockpump") / "examples" / "scenarios"
    return sorted(each.name.removesuffix(".toml") for each in folder.iterdir())


def example_story(name: str) -> Story:
    """One of `examples/scenarios`, by its name without the ending; `StoryError` without it."""
    if name not in story_names():
        raise StoryError(f'there is no story "{name}"; there are {", ".join(story_names())}')
    file = files("mockpump") / "examples" / "scenarios" / f"{name}.toml"
    return load_story(file.read_text("utf-8"), f"examples/scenarios/{name}.toml")
