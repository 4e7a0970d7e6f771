"""What can be wrong with a way to the outside."""

import os

from mockpump.protocol.errors import MockpumpError


class PortError(MockpumpError):
    """A port that does not exist, is busy, cannot be opened, or has gone."""


class PortAbsent(PortError):
    """A port that is not there, or where nobody listens: its pump may not have started yet."""


def reason_of(error: Exception) -> str:
    """Why the system said no, in words and on one line."""
    if isinstance(error, OSError) and error.errno is not None:
        # A host that cannot be found has a number below zero and a text of its own.
        words = os.strerror(error.errno) if error.errno > 0 else error.strerror or str(error)
        return words.lower()
    return (str(error).splitlines() or ["no reason given"])[0]
