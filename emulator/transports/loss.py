"""When the line itself goes: what the programmer can still say about what it was doing.

A request that changes the pump may have been carried out before the line went, and nobody can tell;
anything else did not happen.  The programmer already knows the one from the other.
"""

from mockpump.emulator.programmer.errors import OutcomeUnknown
from mockpump.emulator.programmer.programmer import Failed, Programmer
from mockpump.emulator.transports.errors import PortError
from mockpump.protocol.errors import MockpumpError
from mockpump.protocol.link.types import CloseReason


def fail_pending(programmer: Programmer, why: str, now: int) -> MockpumpError:
    """End the connection without the line; the error that whatever was running has ended with."""
    programmer.connection.abort(now)
    programmer.handle_timer(now)
    error: MockpumpError = PortError(why)
    while (event := programmer.next_event()) is not None:
        if isinstance(event, Failed) and isinstance(event.error, OutcomeUnknown):
            unknown = event.error
            error = OutcomeUnknown(
                unknown.request, unknown.transaction, CloseReason.SILENCE, unknown.before
            )
            error.add_note(why)
    return error
