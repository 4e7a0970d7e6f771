"""Plans for a `LinkPair`: what happens to the first frames on its line."""

from hypothesis import strategies as st

from mockpump.emulator.simulation.link_pair import GOOD
from mockpump.emulator.simulation.link_pair import FrameFate as Fate
from mockpump.emulator.simulation.link_pair import LinkPair as Pair
from mockpump.protocol.framing import OVERHEAD
from mockpump.protocol.link.types import LinkSettings

__all__ = ["GOOD", "LOST", "Fate", "Pair"]

MILLISECOND = 1_000
SECOND = 1_000_000
LATENCY = 5 * MILLISECOND
# At most ten round trips, so that even with a window of 16 no frame is ever late by as much as the
# sequence numbers go round: that is the bound within which a link promises exactly once.
MAX_DELAY = 100 * MILLISECOND


LOST = Fate(())


def fates() -> st.SearchStrategy[Fate]:
    """Lost, repeated, late or damaged; at most three bits, which the checksum always notices."""
    delays = st.integers(0, MAX_DELAY)
    return st.one_of(
        st.just(GOOD),
        st.just(LOST),
        st.builds(lambda delay: Fate((delay,)), delays),
        st.builds(lambda *both: Fate(both), delays, delays),
        st.lists(st.integers(0, 8 * OVERHEAD - 1), min_size=1, max_size=3, unique=True).map(
            lambda bits: Fate((0,), tuple(bits))
        ),
    )


def plans(max_size: int = 40) -> st.SearchStrategy[list[Fate]]:
    """What happens to the first frames on the line, both directions together."""
    return st.lists(fates(), max_size=max_size)


def chunkings() -> st.SearchStrategy[list[int]]:
    """Whole (empty), byte by byte, or in pieces of drawn sizes, over and over."""
    return st.one_of(st.just([]), st.just([1]), st.lists(st.integers(1, 40), min_size=1))


def windows(left: int, right: int | None = None) -> tuple[LinkSettings, LinkSettings]:
    """Settings for both ends that differ from the usual by their windows only."""
    return LinkSettings(window=left), LinkSettings(window=right or left)
