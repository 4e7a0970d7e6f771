"""What a transmission is called: by ordinals alone, so that it means the same in another run."""

from hypothesis import given
from hypothesis import strategies as st

from mockpump.emulator.channel.fate import FOREIGN, Place, Places
from mockpump.protocol.framing import Frame, Kind, encode_frame
from mockpump.protocol.strategies import frames

NUMBERED = st.lists(st.integers(0, 15), max_size=40)


def frame(kind: Kind, connection: int = 7, seq: int = 0, ack: int = 0) -> bytes:
    return encode_frame(Frame(kind, connection, seq, ack))


def test_a_whole_call() -> None:
    it = Places()
    assert it.place(True, frame(Kind.OPEN)) == Place(True, 1, Kind.OPEN, 0, 1)
    assert it.place(True, frame(Kind.OPEN)) == Place(True, 1, Kind.OPEN, 0, 2)
    assert it.place(False, frame(Kind.OPEN_ACK)) == Place(False, 1, Kind.OPEN_ACK, 0, 1)
    assert it.place(True, frame(Kind.DATA, seq=0)) == Place(True, 1, Kind.DATA, 0, 1)
    assert it.place(True, frame(Kind.DATA, seq=1)) == Place(True, 1, Kind.DATA, 1, 1)
    assert it.place(True, frame(Kind.DATA, seq=0, ack=5)) == Place(True, 1, Kind.DATA, 0, 2)
    assert it.place(False, frame(Kind.DATA, seq=0)) == Place(False, 1, Kind.DATA, 0, 1)
    assert it.place(False, frame(Kind.ACK, ack=1)) == Place(False, 1, Kind.ACK, 0, 1)
    assert it.place(False, frame(Kind.ACK, ack=2)) == Place(False, 1, Kind.ACK, 0, 2)
    assert it.place(True, frame(Kind.OPEN, 9)) == Place(True, 2, Kind.OPEN, 0, 1)
    assert it.place(True, frame(Kind.DATA, 9)) == Place(True, 2, Kind.DATA, 0, 1)
    # The other side of the first one has not heard of the second yet.
    assert it.place(False, frame(Kind.DATA, 7, 1)) == Place(False, 1, Kind.DATA, 1, 1)
    # An id that was there before is drawn again.
    assert it.place(True, frame(Kind.OPEN, 7)) == Place(True, 3, Kind.OPEN, 0, 1)


def test_what_belongs_to_no_connection_is_counted_by_itself() -> None:
    it = Places()
    assert it.place(False, frame(Kind.RESET, 5)) == Place(False, 0, Kind.RESET, 0, 1)
    assert it.place(False, frame(Kind.RESET, 6)) == Place(False, 0, Kind.RESET, 0, 2)
    foreign = (b"hello", b"", b"\0\0", frame(Kind.ACK)[:-1], frame(Kind.ACK) * 2, b"\0\x05\0")
    for number, each in enumerate(foreign, start=1):
        assert it.place(True, each) == Place(True, 0, FOREIGN, 0, number)
    assert it.place(False, b"hello") == Place(False, 0, FOREIGN, 0, 1)


@given(st.integers(1, 600), st.lists(st.integers(0, 600), max_size=20))
def test_the_turns_of_a_sequence_number_are_counted(count: int, again: list[int]) -> None:
    """However often one was sent before, the next turn of its number begins at one."""
    it = Places()
    it.place(True, frame(Kind.OPEN))
    for number in range(count):
        place = it.place(True, frame(Kind.DATA, seq=number % 256))
        assert place == Place(True, 1, Kind.DATA, number, 1)
        if number in again:
            place = it.place(True, frame(Kind.DATA, seq=number % 256))
            assert place == Place(True, 1, Kind.DATA, number, 2)


@given(st.lists(st.tuples(st.booleans(), frames()), max_size=30), st.randoms(use_true_random=False))
def test_the_ids_do_not_matter(sent: list[tuple[bool, Frame]], draw: object) -> None:
    """Other ids, as different from each other as these: the same names."""
    ids = sorted({each.connection for _, each in sent})
    others = draw.sample(range(2**16), len(ids))  # type: ignore[attr-defined]
    to = dict(zip(ids, others, strict=True))
    one, other = Places(), Places()
    for way, each in sent:
        renamed = Frame(each.kind, to[each.connection], each.seq, each.ack, each.sack, each.payload)
        assert one.place(way, encode_frame(each)) == other.place(way, encode_frame(renamed))


@given(st.lists(st.tuples(st.booleans(), frames() | st.binary(max_size=4)), max_size=40))
def test_no_two_transmissions_have_one_name(sent: list[tuple[bool, Frame | bytes]]) -> None:
    it = Places()
    told = [
        it.place(way, each if isinstance(each, bytes) else encode_frame(each)) for way, each in sent
    ]
    assert len(set(told)) == len(told)


def test_what_it_keeps_is_bounded() -> None:
    it = Places()
    for number in range(1_000):
        it.place(True, frame(Kind.OPEN, number))
        it.place(True, frame(Kind.DATA, number))
    assert len(it._known) == 16
    assert it.place(True, frame(Kind.DATA, 3)) == Place(True, 0, Kind.DATA, 0, 1)
    for number in range(3_000):
        it.place(True, frame(Kind.DATA, 999, number % 256))
    assert len(it._known[999]._sent) < 260
