"""Settings are declared with their ranges, and a link refuses what is outside of them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.codec import codec_for
from mockpump.protocol.errors import DecodeError, LocalProtocolError
from mockpump.protocol.fields import fields_of
from mockpump.protocol.link.link import Link
from mockpump.protocol.link.types import MAX_WINDOW, MIN_PAYLOAD, LinkSettings, Offer, Role

RANGES = [(name, d.minimum, d.maximum) for name, d in fields_of(LinkSettings)]


@pytest.mark.parametrize(("name", "lowest", "highest"), RANGES)
def test_limits_of_each_setting(name, lowest, highest):
    for good in (lowest, highest):
        Link(Role.ACCEPTOR, msgspec.structs.replace(LinkSettings(), **{name: good}))
    for bad in (lowest - 1, highest + 1):
        with pytest.raises(LocalProtocolError, match=name):
            Link(Role.ACCEPTOR, msgspec.structs.replace(LinkSettings(), **{name: bad}))


def test_only_an_acknowledgement_may_have_no_delay():
    """Any other timer at 0 would be due again as soon as it had been seen to."""
    times = {name for name, d in fields_of(LinkSettings) if d.unit == "us"}
    assert {name for name, lowest, _ in RANGES if name in times and lowest == 0} == {"ack_delay"}


@given(st.integers(MIN_PAYLOAD, 1000), st.integers(1, MAX_WINDOW))
def test_offer(max_payload, window):
    offer = LinkSettings(max_payload=max_payload, window=window).offer()
    assert offer == Offer(max_payload, window)
    assert codec_for(Offer).encode(offer) == max_payload.to_bytes(2, "big") + bytes([window])


@pytest.mark.parametrize("payload", ["003f08", "03e908", "00f000", "00f011", "00f0", "00f00800"])
def test_offers_that_make_no_sense(payload):
    with pytest.raises(DecodeError):
        codec_for(Offer).decode(bytes.fromhex(payload))
