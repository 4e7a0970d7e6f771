"""Who is let in: a few places for clients that have shown that they mean it, and a lobby.

Whoever connects has shown nothing yet, and may be anybody, so nothing that a stranger does (stay,
call, ask without a key) makes it outrank another: the lobby is a queue.  While there is room in it,
everybody has all the time that the listener gives; when it is full the one that came first makes
room, but never within the grace that everybody has to prove themselves: then it is the newcomer
that is refused, and may come again.

So strangers who come at a rate R and stay leave each newcomer the time lobby / R, or at least the
grace; strangers who leave take no place at all.  What all of them can use up is bounded by the
number of places, and a client that has one never loses it to them.

Where a session is what deserves a place, the lobby is open whatever the places are: a newcomer may
be there to take the session over, and the pump tells it whether it is busy.  There is one session
at a time, so whoever has it finds a place: whoever had it before has lost theirs with it.  Where
everybody is served there is nothing to prove, and while all places are taken nobody comes in.
"""

from typing import Protocol

# How often those that have a place are looked at again, in microseconds, when none is left.
_GLANCE = 100_000


class Guest(Protocol):
    """Somebody who has connected."""

    @property
    def deserving(self) -> bool:
        """Whether it may have a place among the clients."""

    def close(self) -> None:
        """Hang up on it."""


class Admission:
    """The places of one listener.  Times are line time, in microseconds."""

    def __init__(self, clients: int, lobby: int, grace: int) -> None:
        self.clients = clients
        self.lobby = lobby
        self.grace = grace
        # In the order in which they came; of the waiting, since when they wait.
        self.placed: dict[Guest, None] = {}
        self.waiting: dict[Guest, int] = {}
        self._looked_at = -_GLANCE

    def admit(self, guest: Guest, now: int, *, to_prove: bool = False) -> bool:
        """Whether there is room for somebody who has just connected.

        `to_prove`: there is a session to be proved here, so that it need not wait for a place.
        """
        if not to_prove and not self._has_place(now):
            return False
        if len(self.waiting) >= self.lobby:
            first = next(iter(self.waiting))
            if now - self.waiting[first] < self.grace:
                return False
            del self.waiting[first]
            first.close()
        self.waiting[guest] = now
        return True

    def place(self, guest: Guest, now: int, *, proven: bool = False) -> bool:
        """Somebody has shown that it means it; whether there is a place among the clients.

        `proven`: by a session, which another may have lost by it just now.
        """
        if proven:
            self._look_again(now)
        if not self._has_place(now):
            return False
        self.waiting.pop(guest, None)
        self.placed[guest] = None
        return True

    def release(self, guest: Guest) -> None:
        """Somebody is gone."""
        self.placed.pop(guest, None)
        self.waiting.pop(guest, None)

    def _has_place(self, now: int) -> bool:
        if len(self.placed) >= self.clients and now - self._looked_at >= _GLANCE:
            self._look_again(now)
        return len(self.placed) < self.clients

    def _look_again(self, now: int) -> None:
        """Whoever deserves its place no longer waits like everybody until it does again."""
        self._looked_at = now
        for each in [each for each in self.placed if not each.deserving]:
            del self.placed[each]
            self.waiting[each] = now
