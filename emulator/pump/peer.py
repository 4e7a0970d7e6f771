"""Whoever is on the other end of one line: what they staged, what they subscribed to.

All of it ends with the connection; only a commit changes the pump itself.
"""

import msgspec

from mockpump.emulator.pump.pairing import Draw
from mockpump.protocol.messages import DIGEST_SIZE, Access, Hello, Telemetry, Welcome
from mockpump.protocol.session import SessionKeys

NO_DIGEST = bytes(DIGEST_SIZE)


class Staging(msgspec.Struct):
    """A half-built program image: what was announced, and what has come so far."""

    length: int = 0
    digest: bytes = NO_DIGEST
    base: bytes = NO_DIGEST
    data: bytes = b""

    @property
    def missing(self) -> int:
        """How many bytes have not come yet."""
        return self.length - len(self.data)

    def append(self, piece: bytes) -> None:
        """The next piece has come."""
        self.data += piece


class Peer(msgspec.Struct):
    """One connection's share of the pump.

    `interval` is in seconds of pump time, 0 for no telemetry; `next_report` is the elapsed time at
    which the next is due; `pending` the newest that was not sent yet.  `largest_payload` is
    how much fits into one reply, in bytes.  The counters are what the line turned down.

    `greeting` is what was said before a proof; `access` and `keys` are those of the session, None
    before there is one.  `draw` is where nonces come from; without it no session can begin.

    `evicted`: their session was taken over by somebody else, and nothing they say counts any more.
    """

    staging: Staging = msgspec.field(default_factory=Staging)
    interval: int = 0
    next_report: int = 0
    pending: Telemetry | None = None
    largest_payload: int = 0
    frames_rejected: int = 0
    bytes_discarded: int = 0
    greeting: tuple[Hello, Welcome] | None = None
    access: Access | None = None
    keys: SessionKeys | None = None
    draw: Draw | None = None
    evicted: bool = False

    def stage(self, staging: Staging) -> None:
        """Have another image staged, in place of what was."""
        self.staging = staging

    def begin_handshake(self, greeting: tuple[Hello, Welcome] | None) -> None:
        """Another greeting is what a proof must be about; None: no proof is asked for."""
        self.greeting = greeting

    def authenticate(self, access: Access, keys: SessionKeys) -> None:
        """A session has begun."""
        self.access, self.keys = access, keys

    def subscribe(self, interval: int, elapsed: int) -> None:
        """Have a report at every multiple of `interval` from now on; 0 for none."""
        self.interval = interval
        self.pending = None
        if interval:
            self.next_report = (elapsed // interval + 1) * interval
