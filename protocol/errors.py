"""Who is at fault: you, the other side, or this package.

`LocalProtocolError` is raised at once, where the caller can mend it.  A fault of the peer or of the
line is never raised out of `receive_data`: it becomes an event or a typed refusal, because a line
that bends bytes is an ordinary day.  `InternalError` is a bug of ours.
"""

from typing import Any


class MockpumpError(Exception):
    """The root of every error this project raises on purpose.

    It comes whole out of another process, whatever its own arguments were, with its notes.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[MockpumpError], args: tuple[object, ...], state: dict[str, object]) -> Any:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class LocalProtocolError(MockpumpError):
    """You asked for what the protocol does not allow; nothing was sent and no state changed."""


class RemoteProtocolError(MockpumpError):
    """Bytes from the other side do not mean anything that this side may accept."""


class DecodeError(RemoteProtocolError):
    """A payload is not a message of the catalogue.

    `message` is the name of the message it claims to be ("" when the number is unknown), `field`
    the 1-based place of the offending field (0 when it is the payload as a whole), `rule` what was
    broken, in words.
    """

    def __init__(self, rule: str, *, message: str = "", field: int = 0, name: str = "") -> None:
        where = ".".join(part for part in (message, name) if part)
        super().__init__(f"{where}: {rule}" if where else rule)
        self.rule = rule
        self.message = message
        self.field = field
        self.name = name


class InternalError(MockpumpError):
    """A bug in mockpump itself: please report it."""
