"""Shares, times, outages and bursts as they are typed."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockpump.protocol.units import (
    WHOLE,
    BadQuantity,
    Burst,
    Outage,
    read_burst,
    read_line_time,
    read_outage,
    read_share,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1", WHOLE),
        ("100%", WHOLE),
        ("5%", WHOLE // 20),
        ("5 %", WHOLE // 20),
        ("0.05", WHOLE // 20),
        ("1e-4", 100_000),
        ("0.1%", 1_000_000),
        ("1e-9", 1),
        ("2.5e-3", 2_500_000),
    ],
)
def test_a_share(text: str, expected: int) -> None:
    assert read_share(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0s", 0),
        ("50ms", 50_000),
        ("1.5s", 1_500_000),
        ("7us", 7),
        ("2h", 72 * 10**8),
        ("1m", 60_000_000),
        ("1m30s", 90_000_000),
        ("1s500ms", 1_500_000),
    ],
)
def test_a_span(text: str, expected: int) -> None:
    assert read_line_time(text) == expected


def test_an_outage_and_a_burst() -> None:
    assert read_outage("10s@30s") == Outage(30_000_000, 10_000_000)
    assert read_burst("0.1%,20%,50%") == Burst(1_000_000, WHOLE // 5, WHOLE // 2)


@pytest.mark.parametrize("read", [read_share, read_line_time, read_outage, read_burst])
@pytest.mark.parametrize(
    "text",
    ["", "x", "-1%", "5  %", "1e5", "ms", "-5", "10s@", "@", "1%,2%", "nan%", "1s1m"],
)
def test_what_is_none(read: object, text: str) -> None:
    with pytest.raises(BadQuantity) as caught:
        read(text)  # type: ignore[operator]
    assert f"{text!r}: use " in str(caught.value)


@pytest.mark.parametrize("text", ["150%", "101%", "1.1", "5"])
def test_a_share_above_the_whole_is_called_that(text: str) -> None:
    with pytest.raises(BadQuantity, match=f"invalid share '{text}': above 100 %; use 5%"):
        read_share(text)


@given(st.text(max_size=12))
def test_any_other_text_is_told_apart(text: str) -> None:
    for read in (read_share, read_line_time, read_outage, read_burst):
        said = outcome(read, text)
        if isinstance(said, str):
            assert said.startswith("invalid ")
            assert f"{text!r}: " in said
            assert "use " in said
        else:
            assert min(said if isinstance(said, tuple) else (said,)) >= 0


def outcome(read: Callable[[str], object], text: str) -> Any:
    """The quantity, or why there is none."""
    try:
        return read(text)
    except BadQuantity as error:
        return str(error)
