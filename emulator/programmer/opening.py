"""How a programmer opens a session: it asks who is there, finds the key, proves it, and checks.

A procedure like the others; the client runs it between the link's opening and the first request.
"""

from collections.abc import Callable

from mockpump.emulator.programmer.errors import (
    NotPaired,
    PumpUnproven,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record
from mockpump.protocol.pairing import PairingKey
from mockpump.protocol.session import SessionKeys, fits

# Finds the key to prove to a pump; None: there is none.
FindKey = Callable[[m.Identity], PairingKey | None]


class SessionOpened(Record, frozen=True, gc=True):
    """Both sides have proved that they hold the key."""

    identity: m.Identity
    access: m.Access
    keys: SessionKeys


def open_session(
    find_key: FindKey, nonce: bytes, take_over: bool = False
) -> Procedure[SessionOpened]:
    """Prove a key and have the pump prove it.  `nonce`: 16 bytes that nobody could foretell.

    `take_over`: with a clinician's key, end the session that another programmer has with the pump.

    `NotPaired` without a key; `SessionRefused` when the pump says no; `PumpUnproven` when it is not
    the pump that it says it is, or speaks no version that was offered.
    """
    try:
        return (yield from _open_session(find_key, nonce, take_over))
    except RequestRefused as no:
        raise SessionRefused(no.refused) from None


def _open_session(find_key: FindKey, nonce: bytes, take_over: bool) -> Procedure[SessionOpened]:
    identity: m.Identity = yield m.Identify()
    key = find_key(identity)
    if key is None:
        raise NotPaired(identity)
    version = m.PROTOCOL_VERSION
    hello = m.Hello(version, version, key.access, nonce, int(take_over))
    welcome: m.Welcome = yield hello
    if welcome.serial != identity.serial or welcome.version != m.PROTOCOL_VERSION:
        raise PumpUnproven("the pump answered as another pump, or in another version")
    keys = SessionKeys(key.secret, identity, hello, welcome)
    proven: m.Proven = yield m.Prove(keys.prove)
    if not fits(proven.proof, keys.proven):
        raise PumpUnproven("the pump did not prove that it holds the key")
    return SessionOpened(identity, key.access, keys)
