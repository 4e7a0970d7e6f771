"""Who is let in, with guests that are none and a time that is given: whatever strangers do."""

from heapq import heappop, heappush
from itertools import count
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.transports.admission import Admission

CLIENTS, LOBBY, GRACE = 4, 32, 100_000
SECOND = 1_000_000


class Somebody:
    """A guest that notes when it was hung up on."""

    def __init__(self) -> None:
        self.closed = False
        self.deserving = True

    def close(self) -> None:
        self.closed = True


def admission() -> Admission:
    return Admission(CLIENTS, LOBBY, GRACE)


def full(places: Admission) -> list[Somebody]:
    """Whoever has all the places of the clients."""
    guests = [Somebody() for _ in range(CLIENTS)]
    assert all(places.admit(each, 0) and places.place(each, 0) for each in guests)
    return guests


def flood(rate: int, stays: int, needs: int, newcomers: int = 50) -> tuple[list[Somebody], int]:
    """Strangers a second, of whom each leaves after so long; a newcomer needs some time to prove.

    Who got in of the newcomers, who come one after the other, and how many there were at the most.
    """
    places, events, number = admission(), list[tuple[int, int, str, Somebody]](), count()
    most, served, source = 0, list[Somebody](), Random(rate)

    def later(when: int, what: str, who: Somebody) -> None:
        heappush(events, (when, next(number), what, who))

    later(0, "stranger", Somebody())
    later(SECOND, "newcomer", Somebody())
    while events:
        now, _, what, who = heappop(events)
        if what == "stranger":
            later(now + round(source.expovariate(rate) * SECOND), what, Somebody())
            if places.admit(who, now):
                later(now + stays, "leaves", who)
        elif what == "newcomer" and places.admit(who, now):
            later(now + needs, "proves", who)
        elif what == "proves" and not who.closed:
            assert places.place(who, now)
            served.append(who)
            later(now, "leaves", who)
        elif what == "leaves":
            places.release(who)
        if what == "newcomer":
            newcomers -= 1
            if not newcomers:
                return served, most
            later(now + needs + 7_001, what, Somebody())
        most = max(most, len(places.placed) + len(places.waiting))
    raise AssertionError("strangers never end")


@pytest.mark.parametrize("needs", [1_000, 20_000, 99_000])
@pytest.mark.parametrize("rate", [10, 150])
def test_strangers_that_stay_keep_no_newcomer_out_who_is_quicker_than_they_fill_the_lobby(
    rate: int, needs: int
) -> None:
    served, most = flood(rate, 10**9, needs)
    assert len(served) == 49  # the last one has not had its time
    assert most <= LOBBY + CLIENTS


@pytest.mark.parametrize("rate", [1_000, 20_000])
def test_strangers_that_leave_at_once_keep_nobody_out(rate: int) -> None:
    served, most = flood(rate, 500, 90_000)
    assert len(served) == 49
    assert most <= LOBBY


def test_with_too_many_strangers_some_get_in_and_each_of_them_has_its_time() -> None:
    served, most = flood(2_000, 10**9, 90_000, 400)
    assert 20 < len(served) < 200
    assert most <= LOBBY + CLIENTS


@given(st.lists(st.tuples(st.integers(0, 60_000), st.sampled_from("apre")), max_size=300))
def test_nobody_is_hung_up_on_within_the_grace_and_no_client_ever(
    events: list[tuple[int, str]],
) -> None:
    """Who comes, proves itself, leaves, ends its connection: in any order."""
    places, now = Admission(2, 5, GRACE), 0
    came: dict[Somebody, int] = {}
    for span, what in events:
        now += span
        waiting, placed = list(places.waiting), list(places.placed)
        if what == "a":
            guest = Somebody()
            if places.admit(guest, now):
                came[guest] = now
        elif what == "p" and waiting:
            guest = waiting[len(waiting) // 2]  # type: ignore[assignment]
            assert places.place(guest, now) or len(placed) == 2
        elif what == "r" and waiting + placed:
            places.release((waiting + placed)[0])
        elif what == "e" and placed:
            placed[0].deserving = False  # type: ignore[misc, attr-defined]
        for each in [each for each in came if each.closed]:
            assert now - came.pop(each) >= GRACE
            assert each in waiting
        assert len(places.waiting) <= 5 + 2
        assert len(places.placed) <= 2
        assert len(places.waiting) + len(places.placed) <= 7


def test_while_all_clients_are_served_nobody_else_is_let_in() -> None:
    places = admission()
    clients = full(places)
    assert not places.admit(Somebody(), SECOND)
    clients[2].deserving = False
    # That is not looked for at every call.
    assert not places.admit(Somebody(), SECOND + 99_999)
    assert places.admit(Somebody(), SECOND + 100_000)
    assert not any(each.closed for each in clients)
    places.release(clients[0])
    assert places.admit(Somebody(), SECOND + 100_000)


def test_whoever_may_take_a_session_over_waits_for_no_place_to_become_free() -> None:
    places = admission()
    clients = full(places)
    # The places were looked at just now, and all that have one deserve it.
    assert not places.admit(Somebody(), SECOND)
    newcomer, other = Somebody(), Somebody()
    assert places.admit(newcomer, SECOND, to_prove=True)
    assert places.admit(other, SECOND, to_prove=True)
    clients[1].deserving = False
    assert places.place(newcomer, SECOND, proven=True)
    # Whoever has lost the session is hung up on no sooner than anybody else who comes now.
    assert list(places.placed) == [clients[0], clients[2], clients[3], newcomer]
    assert list(places.waiting) == [other, clients[1]]
    assert places.waiting[clients[1]] == SECOND
    assert not any(each.closed for each in [*clients, newcomer, other])


def test_as_many_wait_to_prove_themselves_as_there_is_room_for_in_the_lobby() -> None:
    places = admission()
    full(places)
    guests = [Somebody() for _ in range(LOBBY)]
    assert all(places.admit(each, SECOND, to_prove=True) for each in guests)
    assert not places.admit(Somebody(), SECOND + GRACE - 1, to_prove=True)
    assert places.admit(Somebody(), SECOND + GRACE, to_prove=True)
    assert len(places.waiting) == LOBBY
    assert guests[0].closed


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 30_000), st.sampled_from("aapppre")), min_size=20),
)
def test_whoever_has_the_session_has_a_place_and_whoever_had_it_has_their_time(
    clients: int, events: list[tuple[int, str]]
) -> None:
    """Who comes, proves itself and so takes the session over, leaves, ends it: in any order."""
    places, now, holder = Admission(clients, 5, GRACE), 0, list[Somebody]()
    came: dict[Somebody, int] = {}
    for span, what in events:
        now += span
        waiting: list[Somebody] = list(places.waiting)  # type: ignore[arg-type]
        if what == "a":
            guest = Somebody()
            guest.deserving = False
            if places.admit(guest, now, to_prove=True):
                came[guest] = now
        elif what == "p" and waiting:
            guest = waiting[len(waiting) // 2]
            for each in holder:
                each.deserving = False
                came[each] = now
            holder, guest.deserving = [guest], True
            assert places.place(guest, now, proven=True)
        elif what == "r" and came:
            gone = list(came)[len(came) // 2]
            del came[gone]
            places.release(gone)
            holder = [each for each in holder if each is not gone]
        elif what == "e" and holder:
            holder.pop().deserving = False
        assert all(each in places.placed for each in holder)
        for each in [each for each in came if each.closed]:
            assert now - came.pop(each) >= GRACE
            assert each not in holder
        assert len(places.placed) <= clients
        assert len(places.waiting) + len(places.placed) <= 5 + clients


def test_who_has_waited_longest_makes_room() -> None:
    places = admission()
    guests = [Somebody() for _ in range(LOBBY)]
    for now, each in enumerate(guests):
        assert places.admit(each, now)
    places.place(guests[0], LOBBY)
    assert places.admit(Somebody(), LOBBY)
    assert not places.admit(Somebody(), GRACE)
    assert places.admit(Somebody(), GRACE + 1)
    assert [place for place, each in enumerate(guests) if each.closed] == [1]
