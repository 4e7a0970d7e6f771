"""mockpump: a fictional mock pump and mock programmer that talk over a pseudo-serial link.

Nothing here is, models or makes a claim about a real device, drug or patient.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("mockpump")
    raise AttributeError(name)
