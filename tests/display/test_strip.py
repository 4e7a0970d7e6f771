"""Several runs on one time axis."""

from traced import traced_example

from mockpump.display.glyphs import ASCII
from mockpump.display.ladder import Look
from mockpump.display.spans import plain, width_of
from mockpump.display.strip import strip
from mockpump.emulator.trace.model import read_run


def test_the_slower_run_reaches_further_and_the_faster_has_more_at_a_time() -> None:
    runs = [
        (name, read_run(traced_example(name).recording)) for name in ("window", "stop-and-wait")
    ]
    ruler, fast, _, slow, _ = strip(runs, Look())
    assert "0.0" in plain(ruler)
    assert len(plain(fast)) < len(plain(slow)) <= 80
    assert "8" in plain(fast)
    assert not any(char.isdigit() for char in plain(slow))


def test_it_keeps_to_its_width_and_to_ascii() -> None:
    runs = [("bad-link", read_run(traced_example("bad-link").recording))]
    for width in (60, 80, 200):
        drawn = list(strip(runs, Look(width=width, glyphs=ASCII)))
        assert all(width_of(line) <= width for line in drawn)
        assert all(plain(line).isascii() for line in drawn)
