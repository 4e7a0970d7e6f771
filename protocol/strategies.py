"""Hypothesis strategies for what this protocol is made of; use them in tests of your own.

The one idea: a strategy draws everything that is allowed and nothing that is not, so whatever it
draws must work.  This is the only module that imports Hypothesis.

>>> from hypothesis import given
>>> @given(programs())
... def test_mine(program): ...
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from mockpump.protocol.messages import MAX_NAME
from mockpump.protocol.program import (
    DAY_MINUTES,
    FORMAT,
    MAX_PATTERN_NAME,
    MAX_PATTERNS,
    MAX_PERCENT,
    MAX_RAMP,
    MAX_RATE,
    MAX_SEGMENTS,
    DayPattern,
    Program,
    RampStep,
    Segment,
)

# What `str.isprintable` lets through: no control, format or unassigned characters, and of all the
# separators only the plain space.
_PRINTABLE = st.characters(codec="utf-8", exclude_categories=("C", "Z"), include_characters=" ")


def printable(maximum: int, *, minimum: int = 0) -> SearchStrategy[str]:
    """Printable text of at most `maximum` bytes of UTF-8 and at least `minimum` characters."""
    texts = st.text(_PRINTABLE, min_size=minimum, max_size=maximum)
    return texts.map(lambda drawn: drawn.encode()[:maximum].decode(errors="ignore"))


@st.composite
def patterns(
    draw: st.DrawFn, *, max_segments: int = MAX_SEGMENTS, max_rate: int = MAX_RATE
) -> DayPattern:
    """A day pattern of 1 to `max_segments` segments, at rates of 0 to `max_rate` nL/h."""
    later = st.integers(1, DAY_MINUTES - 1)
    starts = (0, *sorted(draw(st.sets(later, max_size=max_segments - 1))))
    # Rates of the size that a demo shows, or anything.
    rates = st.integers(0, min(max_rate, 50_000)) | st.integers(0, max_rate)
    segments = tuple(Segment(start, draw(rates)) for start in starts)
    return DayPattern(draw(printable(MAX_PATTERN_NAME, minimum=1)), segments)


@st.composite
def ramps(draw: st.DrawFn, *, max_steps: int = MAX_RAMP) -> tuple[RampStep, ...]:
    """A ramp of up to `max_steps` steps, most of them within two months."""
    days = st.integers(0, 60) | st.integers(0, 2**16 - 1)
    percents = st.integers(0, MAX_PERCENT)
    after = sorted(draw(st.sets(days, max_size=max_steps)))
    return tuple(RampStep(day, draw(percents)) for day in after)


@st.composite
def programs(
    draw: st.DrawFn,
    *,
    max_patterns: int = MAX_PATTERNS,
    max_segments: int = MAX_SEGMENTS,
    max_steps: int = MAX_RAMP,
) -> Program:
    """A program that breaks no rule, with at most so many patterns, segments and ramp steps."""
    ramp = draw(ramps(max_steps=max_steps))
    highest = max((step.percent for step in ramp), default=100)
    # The highest rate that the steepest step scales to no more than MAX_RATE, floored as it is.
    max_rate = min(MAX_RATE, ((MAX_RATE + 1) * 100 - 1) // max(highest, 1))
    days = draw(
        st.lists(
            patterns(max_segments=max_segments, max_rate=max_rate),
            min_size=1,
            max_size=max_patterns,
            unique_by=lambda pattern: pattern.name,
        )
    )
    week = draw(st.tuples(*[st.integers(0, len(days) - 1)] * 7))
    return Program(FORMAT, draw(printable(MAX_NAME)), week, tuple(days), ramp)
