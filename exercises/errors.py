"""What can go wrong with an exercise, whoever is at fault."""

from typing import Any


class ExerciseError(Exception):
    """Somebody asked for what there is not, or a file is not what it should be: one clear line."""


class LadderError(Exception):
    """The exercises themselves are broken: our own bug.  Tests look for it."""


def one_line(error: Any) -> str:
    """An error's text, on one line; of the system's own errors the reason alone."""
    reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else error
    return " ".join(str(reason).split())
