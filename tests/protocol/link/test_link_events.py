"""What a link tells is immutable, compared by value, and says in words what it means."""

import pytest

from mockpump.protocol.framing import Frame, Kind
from mockpump.protocol.link.types import (
    CloseReason,
    DropReason,
    FrameDropped,
    LinkClosed,
    LinkOpened,
    LinkStatistics,
    PayloadReceived,
    Role,
)

EVENTS = [
    LinkOpened(240, 8),
    LinkClosed(CloseReason.SILENCE, 3),
    PayloadReceived(b"x"),
    FrameDropped(DropReason.STRAY, Frame(Kind.ACK, 7)),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_events_are_values(event):
    assert event == type(event)(*(getattr(event, name) for name in event.__struct_fields__))
    assert len({event, event}) == 1
    with pytest.raises(AttributeError):
        setattr(event, event.__struct_fields__[0], None)


@pytest.mark.parametrize("reasons", [CloseReason, DropReason, Role])
def test_every_reason_is_said_in_words_of_its_own(reasons):
    assert all(reason.value == reason.value.strip() != "" for reason in reasons)
    assert len({reason.value for reason in reasons}) == len(reasons.__members__)


def test_statistics_begin_at_nothing():
    statistics = LinkStatistics()
    assert statistics.round_trip is None
    assert statistics.frames_sent == statistics.frames_received == statistics.frames_dropped == 0
    assert statistics.retransmissions == statistics.timeouts == 0
