"""The pump's side of trust: its two pairing keys, and the lock after too many wrong proofs.

The one idea: `Pairing` is one immutable value in the pump's memory, so what guards the keys (how
many proofs were wrong, and so whether any is looked at) outlives a power cut like everything else.
How long the lock has still to stay closed is no part of it: that is line time, which pump time may
outrun or leave behind, and `mockpump.emulator.pump.server` keeps it.
"""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from mockpump.protocol.keys import SECRET_SIZE, PairingKey
from mockpump.protocol.messages import Access

# Wrong proofs in a row, over whatever connections, after which the lock closes.
MOST_FAILURES = 5
# Seconds of line time for which it stays closed, from the last of them on, or from a restart.
LOCKED_FOR = 60

# Gives this many bytes that nobody can foretell.  In a world in virtual time they come from its
# seed.
Draw = Callable[[int], bytes]


class Pairing(msgspec.Struct, frozen=True):
    """Keys and lock.  `is_open`: whoever calls is its clinician, and no session is asked for.

    Without keys and not open, it answers nothing but `Identify`.
    """

    observer: bytes = b""
    clinician: bytes = b""
    is_open: bool = False
    failures: int = 0

    def __repr__(self) -> str:
        # The keys would be in every traceback and every failing test.
        kind = "open" if self.is_open else "paired" if self.clinician else "unpaired"
        return f"<{kind}, {self.failures} wrong proofs>"

    def secret(self, access: Access) -> bytes:
        """The key that grants an access; empty when there is none."""
        return {Access.OBSERVER: self.observer, Access.CLINICIAN: self.clinician}[access]

    @property
    def locked(self) -> bool:
        """Whether no proof is looked at."""
        return self.failures >= MOST_FAILURES

    def after_failure(self) -> "Pairing":
        """The same after one more wrong proof."""
        return replace(self, failures=self.failures + 1)

    def forgiven(self) -> "Pairing":
        """The same after a right proof, or when the lock has run out."""
        return replace(self, failures=0)


OPEN = Pairing(is_open=True)
Keys = dict[Access, PairingKey]


def draw_keys(draw: Draw) -> Keys:
    """New keys, one for each access."""
    return {access: PairingKey(access, draw(SECRET_SIZE)) for access in Access}


def keys_of(pairing: Pairing) -> Keys:
    """The keys that it has."""
    secrets = {access: pairing.secret(access) for access in Access}
    return {access: PairingKey(access, secret) for access, secret in secrets.items() if secret}


def paired_with(keys: Keys) -> Pairing:
    """A pairing with those keys and no lock."""
    return Pairing(keys[Access.OBSERVER].secret, keys[Access.CLINICIAN].secret)
