"""How a programmer begins a connection: it asks who is there; in a session, it proves and checks.

Procedures like the others; the client runs one between the link's opening and the first request.
Both take a `KnownPump`: another pump than that is asked for nothing but who it is.
"""

from collections.abc import Callable

from mockpump.emulator.programmer.errors import (
    NotPaired,
    PumpUnproven,
    RequestRefused,
    SessionRefused,
)
from mockpump.emulator.programmer.known_pump import KnownPump, PumpMet
from mockpump.emulator.programmer.procedures import Procedure
from mockpump.protocol import messages as m
from mockpump.protocol.fields import Record
from mockpump.protocol.keys import PairingKey
from mockpump.protocol.session import SessionKeys, proof_matches

# Finds the key to prove to a pump; None: there is none.
FindKey = Callable[[m.Identity], PairingKey | None]


class SessionOpened(Record, frozen=True, gc=True):
    """Both sides have proved that they hold the key."""

    identity: m.Identity
    access: m.Access
    keys: SessionKeys
    outcomes: int


def meet_pump(known: KnownPump | None = None) -> Procedure[PumpMet]:
    """Ask a pump who it is, and open no session; `OtherPump` when it is not the known one.

    If it is going to be changed, it is asked for its count too; one that has no such answer is a
    pump of which that is not known.
    """
    identity: m.Identity = yield m.Identify()
    met = PumpMet(identity)
    known = known or KnownPump()
    known.check(met)
    if known.count:
        try:
            status: m.Status = yield m.GetStatus()
            met = met.at(status.outcomes)
        except RequestRefused:
            pass
    known.meet(met)
    return met


def open_session(
    find_key: FindKey, nonce: bytes, known: KnownPump | None = None, *, take_over: bool = False
) -> Procedure[SessionOpened]:
    """Prove a key and have the pump prove it.  `nonce`: 16 bytes that nobody could foretell.

    `take_over`: with a clinician's key, end the session that another programmer has with the pump.

    `NotPaired` without a key; `SessionRefused` when the pump says no; `PumpUnproven` when it is not
    the pump that it says it is, or speaks no version that was offered; `OtherPump` when
    it is not the known one.
    """
    known = known or KnownPump()
    try:
        opened = yield from _open_session(find_key, nonce, known, take_over)
    except RequestRefused as no:
        raise SessionRefused(no.refused) from None
    known.meet(PumpMet(opened.identity, opened.outcomes))
    return opened


def _open_session(
    find_key: FindKey, nonce: bytes, known: KnownPump, take_over: bool
) -> Procedure[SessionOpened]:
    identity: m.Identity = yield m.Identify()
    known.check(PumpMet(identity))
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
    if not proof_matches(proven.proof, keys.proven):
        raise PumpUnproven("the pump did not prove that it holds the key")
    return SessionOpened(identity, key.access, keys, welcome.outcomes)
