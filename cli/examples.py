"""The example programs that come with the package."""

from importlib.resources import files

from mockpump.protocol.program import Program
from mockpump.protocol.program_toml import loads


def example_program(name: str) -> Program:
    """One of `examples/programs`, by its name without the ending."""
    file = files("mockpump") / "examples" / "programs" / f"{name}.toml"
    return loads(file.read_bytes(), f"examples/programs/{name}.toml")
