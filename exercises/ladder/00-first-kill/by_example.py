"""Exercise 0 as one would write it without properties: right, and caught nothing."""

import pytest

from mockpump.protocol.units import BadQuantity, read_duration


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1_800), ("2d", 172_800)])
def test_what_the_help_names(text: str, seconds: int) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1.5h", "30 m", "-1s", "1h1h"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(BadQuantity):
        read_duration(text)


def test_too_long() -> None:
    with pytest.raises(BadQuantity):
        read_duration("2m", 60)
