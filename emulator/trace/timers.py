"""Timers and flights, read from where the links stand over time."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import count

from mockpump.emulator.trace.format import SIDES, Sender
from mockpump.emulator.trace.run import Flight, Timer
from mockpump.emulator.trace.shadow import LinkState

# How often a timer starts again at every acknowledgement is of no use to anybody who looks at a
# run: a timer ends here when it runs out, or when its link has nothing more to wait for.


def timers_of(states: list[LinkState]) -> list[Timer]:
    """Every retransmission timer that ran out, or was stopped, in order of its start."""
    found: list[Timer] = []
    for side in SIDES:
        found += _timers_of_side(side, [state for state in states if state.side == side])
    found.sort(key=lambda timer: (timer.starts, timer.side))
    for number, timer in enumerate(found, start=1):
        timer.number = number
    return found


def _timers_of_side(side: Sender, states: list[LinkState]) -> Iterator[Timer]:
    started: LinkState | None = None
    for state in states:
        due = state.link.due_at
        if started is not None and due != started.link.due_at:
            yield _ended(side, started, state)
            started = None
        if started is None and due is not None:
            started = state


def _ended(side: Sender, started: LinkState, now: LinkState) -> Timer:
    due = started.link.due_at or 0
    expired = now.at >= due
    return Timer(
        number=0,
        side=side,
        starts=started.at,
        ends=min(now.at, due) if expired else now.at,
        timeout=due - started.at,
        expiries=started.link.expiries,
        how="expired" if expired else "stopped",
    )


def flights_of(states: list[LinkState], ends: int) -> list[Flight]:
    """How long each payload was in flight, each in the first lane that was free."""
    flights = sorted(_flights(states, ends), key=lambda each: (each[1], each[3]))
    busy: dict[Sender, dict[int, int]] = defaultdict(dict)
    found = []
    for side, starts, until, seq, connection, how in flights:
        lanes = busy[side]
        lane = next(lane for lane in count() if lanes.get(lane, -1) <= starts)
        lanes[lane] = until
        found.append(
            Flight(
                side=side,
                connection=connection,
                seq=seq,
                starts=starts,
                ends=until,
                lane=lane,
                how=how,
            )
        )
    return found


_Key = tuple[Sender, int, int]


def _flights(
    states: list[LinkState], ends: int
) -> Iterator[tuple[Sender, int, int, int, int, str]]:
    """Side, start, end, number, connection and how it ended, of each."""
    under_way: dict[_Key, int] = {}
    for state in states:
        connection = -1 if state.link.connection is None else state.link.connection
        now = {(state.side, connection, each.seq): each.sent_at for each in state.link.in_flight}
        for key in [key for key in under_way if key[0] == state.side and key not in now]:
            same = key[1] == connection and state.link.state in ("open", "closing")
            how = "acknowledged" if same else "given up"
            yield key[0], under_way.pop(key), state.at, key[2], key[1], how
        for key, sent_at in now.items():
            under_way.setdefault(key, sent_at)
    for (side, connection, seq), starts in under_way.items():
        yield side, starts, ends, seq, connection, "open"
